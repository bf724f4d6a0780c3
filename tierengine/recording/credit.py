"""The credit that pays for orders: whether there is enough, what holds tied up for the order, and what it takes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from tierengine.errors import Refused, Unknown
from tierengine.judging.history import Contribution, Observation
from tierengine.judging.values import CANCELLED
from tierengine.judging.worth import units_of
from tierengine.policies.versions import Programme
from tierengine.recording.items import Item, Sale
from tierengine.recording.locked import Locked
from tierengine.recording.purse import Purse
from tierengine.recording.purses import Purses
from tierengine.recording.refunds import lessen
from tierengine.recording.stored import Stored
from tierengine.store.dialect import Link

_USED: Final = (
    "SELECT number FROM entry WHERE dealer_id = ?1 AND event_key = ?2 AND member_id IN (?3*) "
    "AND kind IN ('use', 'capture') LIMIT 1"
)


@dataclass(slots=True)
class Credit:
    """What the orders of one group take. `used` is that, by the place of the item: wallet → amount."""

    link: Link
    locked: Locked
    programme: Programme
    codes: Mapping[str, int]
    purses: Purses
    now: int
    used: dict[int, dict[str, int]] = field(default_factory=dict)
    _payers: dict[int, int] = field(default_factory=dict)  # by the place of the item: in whose book it is paid

    def check(self, item: Sale, member: int) -> None:
        """Raise Unknown for a wallet that there is not, Refused where less may be spent than the order asks for."""
        if not item.uses:
            return
        order = item.observations[0].cluster
        purse = self.purses.of(self.purses.payer(member, order))
        for wallet, amount in item.uses.items():
            if self.programme.wallet(wallet) is None:
                raise Unknown("unknown_wallet", wallet=wallet)
            usable = self.purses.usable(member, wallet) + self._reserved(purse, wallet, order)
            if usable < amount and not item.late:
                raise Refused("insufficient_credit", wallet=wallet, usable=usable, wanted=amount)

    def use(self, place: int, item: Sale, member: int, *, late: bool) -> None:
        """Take what an order uses: first what its holds have for it. `late`: what is missing becomes debt."""
        said = item.observations[0]
        member = self.purses.payer(member, said.cluster)
        purse = self.purses.of(member)
        for wallet, amount in item.uses.items():
            rest = amount - self._capture(purse, wallet, amount, said.cluster)
            if rest:
                if (joint := self.purses.joint(member)) is not None:
                    joint.bring(member, wallet, rest, any_lot=late)
                unit = self.programme.unit(wallet)
                purse.book.use(wallet, rest, said.cluster, self.now, cause=said.key, unit=unit, allow_debt=late)
        self.used[place], self._payers[place] = dict(item.uses), member
        self.purses.touched.add(member)

    def use_late(self, place: int, item: Sale) -> None:
        """Take the credit of an order that another channel told first (the nightly file before a till's queue).

        What was told then is an observation and took nothing. The order happened, so this is never refused.
        """
        said = item.observations[0]
        told = self.locked.events.get(said.key, {}).get(said.revision)
        # (Of whom it was told, who may be another code of the same customer: his returns ask his book.)
        member = self.codes[said.member] if told is None or told.member_id is None else told.member_id
        everybody = list(self.locked.members(member))
        if (
            all(self.programme.wallet(wallet) is not None for wallet in item.uses)
            and not self.link.ask(_USED, self.programme.dealer_id, said.cluster, everybody).rows()
        ):
            self.use(place, item, member, late=True)

    def lessen(
        self,
        items: Sequence[Item],
        events: Mapping[str, Mapping[int, Stored]],
        fresh: Mapping[int, Sequence[Contribution]],
    ) -> None:
        """Give back what orders used here that the book knew to be cancelled, corrected to less, or brought back.

        The nightly file tells all that before a till that was offline tells what its order used: whoever is told first,
        the order holds the same in the end.
        """
        for place, payer in self._payers.items():
            told = items[place].observations
            if all(said.key not in self.locked.events and max(events[said.key]) == said.revision for said in told):
                continue  # nothing was known of it
            rows = [
                row
                for one in self.locked.members(payer)
                for row in (*self.locked.histories.get(one, ()), *fresh.get(one, ()))
            ]
            here = {row.event_key for row in rows} | {said.key for said in told if _is_cancelled(events[said.key])}
            credit = sum(credit_of(said) for said in told if said.key in here)  # what still waits has not come back
            lessen(self.purses.of(payer), self.link, told[0], credit, rows, self.now)

    # ---- what an order's holds have for it ----------------------------------------------------------------------

    def _reserved(self, purse: Purse, wallet: str, order: str) -> int:
        """Return what the order's own holds have for it: what they took of the wallet and what they still tie up."""
        if not self._is_held(purse, order):
            return 0
        return self._took(purse, wallet, order) + purse.book.held(wallet, order)

    def _is_held(self, purse: Purse, order: str) -> bool:
        return order in self.locked.held_orders or any(hold.order == order for hold in purse.book.holds)

    def _took(self, purse: Purse, wallet: str, order: str) -> int:
        """Return what was captured for the order, less what the order's events have told of already."""
        purse.know_orders(self.link, [order])
        said = [revisions[max(revisions)].recorded.observation for revisions in self.locked.events.values()]
        told = sum(credit_of(one) for one in said if one.cluster == order)
        used = purse.book.used(wallet, order)
        found = purse.programme.wallet(wallet)
        return max(0, used - (told if found is None else units_of(found, told)))

    def _capture(self, purse: Purse, wallet: str, wanted: int, order: str) -> int:
        """Pay as much of `wanted` as the order's holds can; returns it. What they took before counts as paid."""
        if not self._is_held(purse, order):
            return 0
        paid = min(wanted, self._took(purse, wallet, order))
        found = self.programme.wallet(wallet)
        for hold in [one for one in purse.book.holds if (one.wallet, one.order) == (wallet, order)]:
            if part := min(wanted - paid, hold.left):
                purse.book.capture(hold.key, part, self.now, keep=found is not None and found.hold_partial == "keep")
                paid += part
        return paid


def _is_cancelled(revisions: Mapping[int, Stored]) -> bool:
    return revisions[max(revisions)].recorded.observation.kind == CANCELLED


def credit_of(said: Observation) -> int:
    """Return how much of an order's event was paid by credit, in fen, as the event says."""
    lines = said.fields.get("lines")
    found = [line.get("credit") for line in lines] if isinstance(lines, tuple) else []
    return sum(credit for credit in found if isinstance(credit, int))
