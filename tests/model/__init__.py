"""judging.md once more, as slow and as plain as can be: what the fold is held against.

Written from the page, not from the code: it shares nothing with tierengine, and with rules only the values of
`rules.policy`. Nothing is carried along that can be looked up again. A fact is asked of all rows at each position;
which rung an occurrence stands on is counted from the grants that stand there; what a return leaves is worked out from
the rows that are known there. Only the standing, which depends on itself, is a state.

Readings, where the page is silent:

- `keep.for: 1 month` from 31 January is valid to the end of 29 February, and renewed to the end of 31 March: the end is
  the anchor day so many months later, of all terms together, whatever length of term each version had.
- Every evaluation point, a boundary too, promotes and excludes. At the end of a grace, a lock or an assignment at which
  the condition holds, the tier is kept anew from there.
- An assigned tier is a floor until its last day, also under a higher standing or a lock, where it shows again later.
- A promotion that a return undoes restores the standing that it replaced, if that still runs and the facts say no more;
  then the promotion to that one is asked the same.
- What takes back another event's line is a return: of a sale, an attestation, a derived event.
- A confirmation and a promotion's youth are counted in days of 24 hours.
- What is judged again after a return is the amount: the lines that matched then and the class they had stay."""
