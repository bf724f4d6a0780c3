"""An award over a crowd, frozen and every prize booked, against a ranking in SQL and COPY of what the run booked.

The statement is written by hand for this one award. It must name the same winners in the same order. The rows that the
run left are then put into a copy of the book as it was before: COPY, on SQLite one prepared statement a table.
"""

from __future__ import annotations

from datetime import timedelta
from functools import partial

from tests.bench import bulk
from tests.bench.crowd import Crowd
from tests.bench.table import Took, timed
from tierengine.awarding import issuing
from tierengine.policies.versions import Programme, load
from tierengine.store.database import connect
from tierengine.store.dialect import Link, either
from tierengine.store.ids import Ids, transact
from tierengine.store.snapshots import reader
from tierengine.zone import add_months

_RANKED = """
WITH gold AS (
  SELECT member_id FROM tier_change WHERE tier = 'gold' AND at <= ?1 GROUP BY member_id HAVING min(at) < ?2
),
late AS (
  SELECT member_id FROM (
    SELECT member_id, DAYS AS days, row_number() OVER (PARTITION BY member_id ORDER BY known_at DESC) AS n
    FROM contribution WHERE kind = 'overdue_changed' AND known_at <= ?1
  ) AS said WHERE n = 1 AND days > 30
),
year AS (
  SELECT g.member_id, coalesce(sum(c.amount), 0) AS spent, count(c.id) AS times
  FROM gold g LEFT JOIN contribution c
    ON c.member_id = g.member_id AND c.kind = 'parts_purchase' AND c.at >= ?3 AND c.known_at <= ?1
  WHERE g.member_id NOT IN (SELECT member_id FROM late)
  GROUP BY g.member_id
),
scored AS (
  SELECT member_id, spent,
         60 * (rank() OVER (ORDER BY spent) - 1) + 40 * (rank() OVER (ORDER BY times) - 1) AS points
  FROM year
)
SELECT m.code FROM scored s JOIN member m ON m.id = s.member_id ORDER BY points DESC, spent DESC, m.code
LIMIT (SELECT CASE WHEN count(*) * 2 / 100 > 5000 THEN 5000 WHEN count(*) * 2 / 100 < 1 THEN 1
              ELSE count(*) * 2 / 100 END FROM year)
"""
_RANKING = either(
    _RANKED.replace("DAYS", "json_extract(fields, '$.overdue_days')"),
    _RANKED.replace("DAYS", "(fields ->> 'overdue_days')::bigint"),
)


def measure(crowd: Crowd, base: str = "") -> tuple[Took, Took, int, int]:
    """Return what the run took, what the ranking and the copying took, how many won, and how many rows were booked."""
    copied = bulk.before(crowd.url, base)
    beside = reader(crowd.url)
    programme = load(beside, int(beside.ask("SELECT id FROM dealer").rows()[0][0]))
    year = programme.zone.local_date(crowd.now).year
    ranking, best = timed(beside, lambda: _by_hand(beside, programme, year, crowd.now))
    beside.close()
    link, ids = connect(crowd.url), Ids()
    ours, done = timed(
        link, lambda: issuing.issue(partial(transact, link, ids), programme, None, year, crowd.now, crowd.now)
    )
    link.close()
    if [one.code for one in done.winners] != best or not all(one.issued_now for one in done.winners):
        raise RuntimeError(f"{len(done.winners)} won, by the statement {len(best)}, or others, or in another order")
    beside = reader(copied)
    copying, (rows, _) = timed(beside, lambda: bulk.floor(crowd.url, copied))
    beside.close()
    floor = Took(ranking.wall + copying.wall, ranking.processor + copying.processor)
    return ours, floor, len(best), rows


def _by_hand(link: Link, programme: Programme, year: int, as_of: int) -> list[str]:
    zone = programme.zone
    day = zone.local_date(as_of + 1)
    first = day  # the last day on which a whole month in the tier could begin
    while add_months(first, 1) > day:
        first -= timedelta(days=1)
    begin = zone.start_of(day.replace(year=year, month=1, day=1))
    found = link.ask(_RANKING, as_of, zone.start_of(first + timedelta(days=1)), begin).rows()
    return [code for (code,) in found]
