"""What moves time, what the staff decides, and how processes end."""

from __future__ import annotations

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from tests.machine.playing import DAY, HOUR, MINUTE, ZONE, Playing, agos, members, stamp
from tests.machine.truth import MEMBERS
from tests.model import dates
from tests.model.rows import Said


class Staff(Playing):
    """The rules of time, of the staff and of processes."""

    @rule(by=st.sampled_from((1, MINUTE, HOUR, DAY, 5 * DAY, 16 * DAY, 31 * DAY)))
    def clock_forward(self, by: int) -> None:
        self.oracle.forward(by)

    @precondition(lambda self: self.oracle.instants())
    @rule(data=st.data(), off=st.sampled_from((0, 0, -1, 1)))
    def clock_to_an_end(self, data: st.DataObject, off: int) -> None:
        """To the very instant at which something ends, or a microsecond off it."""
        at = data.draw(st.sampled_from(self.oracle.instants()[:3]))
        self.oracle.forward(max(0, at + off - self.oracle.now))

    @rule(later=st.sampled_from((61, 3_600, 3 * 86_400)))
    def publish(self, later: int) -> None:
        """The other text of the family rules from a minute on, or later."""
        text = self.oracle.family.texts[len(self.oracle.versions) % 2]
        start = self.oracle.now + later * 1_000_000
        if start > self.oracle.versions[-1][0]:
            for world in self.all:
                world.publish(text, start)
            self.oracle.publish(text, start)

    @rule(pair=st.permutations(MEMBERS), ago=agos)
    def merge(self, pair: list[str], ago: int) -> None:
        """Two of them are one customer, who was registered twice."""
        member, into, *_ = pair
        number, at = f"j{next(self.numbers)}", self.oracle.now - ago
        said = Said("members_merged", f"merge::{number}", at, member, {"into": into})
        body = {"into": into, "reason": "x", "occurred_at": stamp(at), "source_id": number}
        self.ask(self.call(f"/v1/members/{member}/merge", body, "admin"), lambda: self.oracle.merge(said))
        self.spoken |= set(MEMBERS)

    @rule(member=members)
    def unmerge(self, member: str) -> None:
        """They are not."""
        call = self.call(f"/v1/members/{member}/unmerge", {"reason": "x"}, "admin")
        self.ask(call, lambda: self.oracle.unmerge(member))
        self.spoken |= set(MEMBERS)

    @rule(member=members)
    def erase(self, member: str) -> None:
        """A member's personal data goes, unless an order of his is under way; nothing else of him changes, ever."""
        expected = self.oracle.erase(member)
        found = [world.erase(member) for world in self.all]
        self.wrote = True
        self.alike(found, "erase")
        assert found[0] == expected, (found, member)

    @rule(upto=st.sampled_from((None, None, -1, 0, 1)))
    def award(self, upto: int | None) -> None:
        """The month's award is issued; or its process ends before the list is read, or after so many prizes."""
        month = int(f"{dates.day_of(ZONE, self.oracle.now):%Y%m}")
        expected = self.oracle.award(month, upto)
        found = [world.award(month, upto) for world in self.all]
        self.wrote, self.spoken = True, set(self.oracle.runs[month])
        self.alike(found, "award")
        assert upto is not None or found[0] == expected, (found, expected)

    @rule(when=st.sampled_from(("before", "after")))
    def crash_next(self, when: str) -> None:
        """The next group's process ends just before or just after its COMMIT, and the caller asks again."""
        self.crash = when

    @rule(now=st.sampled_from((False, False, False, True)))
    def restart(self, now: bool) -> None:
        if not now:
            return
        for world in self.all:
            world.restart()

    @rule()
    def sealed(self) -> None:
        for world in self.all:
            world.seal()
        self.wrote = True
