"""Scenarios that a dealer's people can read and write: what arrives, in which order, and what must stand in the end.

Each file is told as it is written, and again from its end to its beginning: observations may come in any order. The
keys are the policy's Chinese words; money is in yuan, times are the dealer's.
"""

from datetime import date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from rules.reader import read
from rules.source import Entries, Items, Node, Scalar, read_source
from rules.vocabulary import KINDS
from tierengine.importing.files import Row
from tierengine.importing.mapping import Mapping
from tierengine.importing.rows import Sheet
from tierengine.importing.values import decimal
from tierengine.judging.observations import read_observation
from tierengine.ledger.verify import verify
from tierengine.membership.asker import Asker
from tierengine.membership.people import NewMember, create_dealer, create_members, create_store
from tierengine.membership.view import view
from tierengine.policies import versions
from tierengine.recording.items import Observe
from tierengine.recording.writer import Writer
from tierengine.store import snapshots
from tierengine.zone import DAY, Zone

HERE = Path(__file__).parent
TEXT = (HERE.parent.parent / "policies.yaml").read_text(encoding="utf-8")
ZONE = Zone("Asia/Shanghai")
FILES = sorted(HERE.glob("*.yaml"))


def plain(node: Node):
    """Return a YAML node as plain lists, mappings and text."""
    if isinstance(node, Entries):
        return {key.text: plain(value) for key, value in node.pairs}
    if isinstance(node, Items):
        return [plain(item) for item in node.items]
    assert isinstance(node, Scalar)
    return node.text


def load(path: Path) -> dict:
    """Read a scenario; what is wrong with its YAML fails the test with its place."""
    source = read_source(path.read_bytes(), path.name)
    assert source.problems == ()
    assert source.root is not None
    return plain(source.root)


def raw_of(event: dict) -> dict:
    """Return an arrival as a source would send it."""
    cells = {name: value for name, value in event.items() if name != "来源"}
    lines = cells.pop("明细", None)
    mapping = Mapping(timezone=ZONE.name, currency="CNY", unit="yuan")
    noted = []
    kind = next(one for one in KINDS.values() if one.zh == cells["事件"])

    def one(row: dict) -> dict:
        made = Sheet.of(mapping, tuple(row), table=False)
        return made.event(Row(1, row), lambda line, bad: noted.append(bad.say("zh"))).raw

    raw = one(cells)
    if lines is not None:
        raw["lines"] = [{name: value for name, value in one(line).items() if name in kind.lines} for line in lines]
    assert noted == [], noted
    return raw


def tell(url: str, scenario: dict, events: list[dict]) -> None:
    """Record what arrives, in this order, all of it at the end: what counts is when things happened."""
    policy = read(TEXT, "policies.yaml").policy
    clock = [ZONE.start_of(date(2025, 1, 1))]
    end = ZONE.instant(last(scenario))
    with Writer(url, now=lambda: clock[0]) as writer:

        def make(link, ids):
            dealer = create_dealer(link, ids, "east", "华东工程机械")
            for store in ("S01", "S02"):
                create_store(link, ids, dealer, store, store)
            create_members(link, ids, dealer, [NewMember(code=code) for code in scenario["会员"]], clock[0])
            versions.publish(link, ids, dealer, TEXT, author="test", reason="", effective_from=clock[0], now=clock[0])
            return dealer

        dealer = writer.perform(make).result()
        for place, event in enumerate(events):
            clock[0] = end + place
            observation = read_observation(
                raw_of(event),
                source=event["来源"],
                store="" if "门店" in event else "S01",
                now_us=clock[0],
                zone=ZoneInfo(policy.timezone),
                late_days=None,
                currency=policy.currency,
            )
            writer.record([Observe(dealer, observation)])


def last(scenario: dict):
    """Return the moment at which the scenario is looked at."""
    return datetime.fromisoformat(scenario["看"])


def found(url: str, scenario: dict) -> dict:
    """Return what stands, in the words of the file's 结果."""
    link = snapshots.reader(url)
    try:
        with snapshots.snapshot(link):
            assert verify(link) == ()
            programme = versions.load(link, link.ask("SELECT id FROM dealer").rows()[0][0])
            now = ZONE.instant(last(scenario)) + DAY // 2
            of = {}
            for code in scenario["会员"]:
                shown = view(link, programme, code, now, Asker())
                nets = link.ask(
                    "SELECT e.rule, SUM(e.delta) FROM entry e JOIN member m ON m.id = e.member_id "
                    "WHERE m.code = ?1 AND e.rule <> '' GROUP BY e.rule",
                    code,
                ).rows()
                of[code] = {
                    "等级": shown["standing"]["tier"],
                    "特点": sorted(one["id"] for one in shown["traits"] if one["met"]),
                    "净得": {rule: int(net) for rule, net in nets if net},
                }
            parked = link.ask("SELECT COUNT(*) FROM parked").rows()[0][0]
            conflicts = link.ask("SELECT COUNT(*) FROM event_conflict").rows()[0][0]
    finally:
        link.close()
    return {"会员": of, "待配对": parked, "冲突": conflicts}


def fen(text: str) -> int:
    """Return an amount as the ledger counts it: yuan in fen, points as they are."""
    number, _, unit = text.partition(" ")
    return int(decimal(number) * 100) if unit == "元" else int(number)


def expected(scenario: dict) -> dict:
    """Return the file's 结果 with its amounts in fen."""
    result = scenario["结果"]
    of = {
        code: {
            "等级": wanted["等级"],
            "特点": sorted(wanted.get("特点", [])),
            "净得": {rule: fen(amount) for rule, amount in wanted.get("净得", {}).items()},
        }
        for code, wanted in result["会员"].items()
    }
    return {"会员": of, "待配对": int(result.get("待配对", "0")), "冲突": int(result.get("冲突", "0"))}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
@pytest.mark.parametrize("way", ["as written", "from the end"])
def test_what_arrives_leads_to_what_is_said(book_url, path, way):
    scenario = load(path)
    events = scenario["来件"]
    tell(book_url, scenario, events if way == "as written" else events[::-1])
    assert found(book_url, scenario) == expected(scenario)


def test_there_are_scenarios():
    assert len(FILES) >= 6
