"""`events import`: real files as dealers have them, each bad row named, and the same book whatever the order."""

import contextlib
import csv
import gzip
import random
from datetime import date, timedelta
from pathlib import Path

import pytest

from tests.test_import_files import HEADER, ROW, write
from tierengine.importing.mapping import read_mapping
from tierengine.importing.run import GROUP, Summary, Target, import_file
from tierengine.membership.people import create_dealer
from tierengine.membership.standings import stages
from tierengine.policies import versions
from tierengine.recording.writer import Writer
from tierengine.store import snapshots
from tierengine.zone import Zone

HERE = Path(__file__).parent
SHARED = HERE.parent.parent / "shared" / "data" / "heavy_equipment_sales.csv.gz"
POLICY = (HERE / "policies" / "auctions.yaml").read_text(encoding="utf-8")
MAPPING = read_mapping((HERE / "policies" / "auctions.mapping.yaml").read_bytes(), "auctions.mapping.yaml")
COLUMNS = ("event_id", "member", "ts", "type", "amount_minor", "product_group", "base_model", "model", "machine_id")
GROUPS = ("TEX", "TTT", "SSL", "BL", "WL", "MG")


def auctions(folder: Path, number: int, seed: int = 1) -> Path:
    """Write a made-up file of so many sales: few buyers, many of them on one day, amounts as auctions have them."""
    rng = random.Random(seed)
    path = folder / f"auctions{number}.csv"
    days = [date(2004, 1, 5) + timedelta(days=rng.randrange(2_700)) for _ in range(max(1, number // 6))]
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        for place in range(number):
            group = rng.choice(GROUPS)
            model = f"{group}{rng.randrange(40)}"
            day = rng.choice(days)
            buyer = rng.choice(("Texas", "Florida", "North Carolina", "Ohio", "Iowa"))
            cents = rng.randrange(20, 1_400) * 10_000 + rng.choice((0, 0, 50, 33))
            writer.writerow(
                (f"S{place:05d}", buyer, f"{day}T00:00:00", "purchase", cents, group, model[:-1], model, 10_000 + place)
            )
    return path


@contextlib.contextmanager
def auctions_book(url: str):
    """Open a book for the auctions, made now when it is not there; give its writer and programme."""
    with Writer(url) as writer:

        def make(link, ids):
            known = link.ask("SELECT id FROM dealer").rows()
            if known:
                return known[0][0]
            dealer = create_dealer(link, ids, "auctions", "Auctions")
            start = Zone("America/New_York").start_of(date(2004, 1, 1))
            versions.publish(link, ids, dealer, POLICY, author="test", reason="", effective_from=start, now=start)
            return dealer

        dealer = writer.perform(make).result()
        link = snapshots.reader(url)
        try:
            with snapshots.snapshot(link):
                programme = versions.load(link, dealer)
        finally:
            link.close()
        yield writer, programme


def imported(writer, programme, file: Path, *, mapping=MAPPING, group: int = GROUP, late_days=None) -> Summary:
    """Import a file."""
    return import_file(file, mapping, Target(writer, programme, late_days, group))


def standings(url: str) -> dict[str, list[tuple]]:
    """Return every standing of every member, first to last, by his code."""
    link = snapshots.reader(url)
    try:
        with snapshots.snapshot(link):
            programme = versions.load(link, link.ask("SELECT id FROM dealer").rows()[0][0])
            codes = dict(link.ask("SELECT id, code FROM member").rows())
            found = stages(link, programme, list(codes), Zone("America/New_York").start_of(date(2012, 1, 1)))
            return {
                codes[member]: [(one.at, one.tier, one.since, one.until, one.state) for one in of]
                for member, of in found.items()
            }
    finally:
        link.close()


def net_grants(url: str) -> dict[tuple[str, str, str], tuple]:
    """Return the net grant, its unit and expiry of each (member, event, rule)."""
    link = snapshots.reader(url)
    try:
        with snapshots.snapshot(link):
            nets = link.ask(
                "SELECT m.code, e.event_key, e.rule, e.wallet, SUM(e.delta) FROM entry e "
                "JOIN member m ON m.id = e.member_id WHERE e.rule <> '' AND e.kind IN ('grant', 'reverse', 'adjust') "
                "GROUP BY m.code, e.event_key, e.rule, e.wallet HAVING SUM(e.delta) <> 0"
            ).rows()
            ends = link.ask("SELECT event_key, rule, MAX(expires_at) FROM lot GROUP BY event_key, rule").rows()
            expiry = {(key, rule): end for key, rule, end in ends}
            return {
                (code, key, rule): (wallet, int(net), expiry.get((key, rule))) for code, key, rule, wallet, net in nets
            }
    finally:
        link.close()


# ---- the property ------------------------------------------------------------------------------------------------


def shuffled(file: Path, seed: int) -> Path:
    """Write the rows of a CSV in another order."""
    head, *lines = file.read_text(encoding="utf-8").splitlines()
    random.Random(seed).shuffle(lines)
    made = file.with_name(f"shuffled{seed}.csv")
    made.write_text("\n".join([head, *lines]) + "\n", encoding="utf-8")
    return made


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_any_order_grouping_and_repetition_of_a_file_ends_in_the_same_book(
    sqlite_book_url, postgres_book_url, sqlite_template, tmp_path
):
    file = auctions(tmp_path, 240)
    ends = []
    for url in (sqlite_book_url, postgres_book_url):
        with auctions_book(url) as (writer, programme):
            first = imported(writer, programme, file)
            assert first.clean
            assert first.status["recorded"] == first.rows == 240
            ends.append((standings(url), net_grants(url)))
            again = imported(writer, programme, shuffled(file, 0), group=17)
            assert again.status["duplicate"] == 240
            assert (standings(url), net_grants(url)) == ends[-1]
    wanted = ends[0]
    assert ends[1] == wanted
    assert any(grants for grants in wanted[1].values())
    for seed, group in ((1, 1), (2, 7), (3, 250), (4, 1_000)):
        other = tmp_path / f"other{seed}.db"
        other.write_bytes(sqlite_template.read_bytes())
        url = f"sqlite:///{other}"
        with auctions_book(url) as (writer, programme):
            imported(writer, programme, shuffled(file, seed), group=group)
            assert (standings(url), net_grants(url)) == wanted


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_the_shared_file_is_read_by_its_mapping(sqlite_book_url, tmp_path):
    """The first 800 rows of the real file; where it is not there, as many made-up ones of the same form."""
    small = tmp_path / "real.csv.gz"
    if SHARED.exists():
        with gzip.open(SHARED, "rt", encoding="utf-8") as file:
            text = "".join(next(file) for _ in range(801))
    else:
        text = auctions(tmp_path, 800).read_text(encoding="utf-8")
    small.write_bytes(gzip.compress(text.encode()))
    with auctions_book(sqlite_book_url) as (writer, programme):
        summary = imported(writer, programme, small)
    assert summary.clean
    assert (summary.status["recorded"], summary.unread) == (800, ())


# ---- rows against the book ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"ts": "2004-02-30T00:00:00"}, "not_a_time"),
        ({"ts": "2004-01-05 25:00"}, "not_a_time"),
        ({"ts": "05/01/2004"}, "not_a_time"),
        ({"ts": "2190-01-01T00:00:00"}, "in_the_future"),
        ({"ts": "1850-01-01T00:00:00"}, "too_early"),
        ({"ts": ""}, "missing"),
        ({"amount_minor": "-5"}, "out_of_range"),
        ({"amount_minor": "12.5"}, "fraction"),
        ({"amount_minor": "9" * 39}, "out_of_range"),
        ({"amount_minor": "9" * 4_000}, "not_a_number"),
        ({"amount_minor": "NaN"}, "not_a_number"),
        ({"amount_minor": "1e9"}, "not_a_number"),
        ({"amount_minor": "#N/A"}, "spreadsheet_error"),
        ({"amount_minor": ""}, "missing"),
        ({"member": "a:b"}, "bad_id"),
        ({"member": "a\u202eb"}, "bad_id"),
        ({"member": ""}, "missing"),
        ({"member": "x" * 101}, "too_long"),
        ({"event_id": ""}, "missing"),
        ({"type": "gift"}, "not_named"),
        ({"model": "x" * 501}, "too_long"),
    ],
)
def test_a_bad_row_is_named_with_its_line_and_the_good_ones_are_kept(sqlite_book_url, tmp_path, change, code):
    good = {"event_id": "S1", "member": "Texas", "ts": "2010-01-05T00:00:00", "type": "purchase", "amount_minor": "100"}
    full = good | {"product_group": "TEX", "base_model": "312", "model": "312", "machine_id": "7"}
    table = [full, full | {"event_id": "S2"} | change, full | {"event_id": "S3"}]
    with auctions_book(sqlite_book_url) as (writer, programme):
        summary = imported(writer, programme, write(tmp_path, "a.csv", table))
    assert [(one.line, one.bad.code) for one in summary.problems if one.bad.code == code][:1] == [(3, code)]
    assert all(one.line == 3 for one in summary.problems)
    assert (summary.rows, summary.status["recorded"], summary.refused) == (3, 2, 1)
    assert all(one.bad.say("zh") and one.bad.say("en") for one in summary.problems)


def test_without_a_zone_or_a_currency_rows_are_refused(sqlite_book_url, tmp_path):
    file = auctions(tmp_path, 5)
    text = (HERE / "policies" / "auctions.mapping.yaml").read_text(encoding="utf-8")
    for line, code in (("timezone: America/New_York\n", "no_zone"), ("currency: USD\n", "no_currency")):
        mapping = read_mapping(text.replace(line, ""), "mapping")
        with auctions_book(sqlite_book_url) as (writer, programme):
            summary = imported(writer, programme, file, mapping=mapping)
        assert (summary.refused, summary.status) == (5, {})
        assert {one.bad.code for one in summary.problems} == {code}


def test_another_currency_than_the_programmes_is_refused(sqlite_book_url, tmp_path):
    text = (HERE / "policies" / "auctions.mapping.yaml").read_text(encoding="utf-8")
    with auctions_book(sqlite_book_url) as (writer, programme):
        mapping = read_mapping(text.replace("currency: USD", "currency: CNY"), "mapping")
        summary = imported(writer, programme, auctions(tmp_path, 3), mapping=mapping)
    assert {one.bad.code for one in summary.problems} == {"other_currency"}


def test_unknown_members_are_named_unless_the_mapping_puts_them_on_file(sqlite_book_url, tmp_path):
    text = (HERE / "policies" / "auctions.mapping.yaml").read_text(encoding="utf-8")
    shy = read_mapping(text.replace("create_members: yes", "create_members: no"), "mapping")
    file = auctions(tmp_path, 20)
    with auctions_book(sqlite_book_url) as (writer, programme):
        stores = imported(writer, programme, file, mapping=shy)
        assert {one.bad.code for one in stores.problems} == {"unknown_store"}
        done = imported(writer, programme, file)
        assert done.members_created > 0
        assert done.clean
        more = write(tmp_path, "more.csv", [dict(zip(HEADER.strip().split(","), ROW.strip().split(","), strict=True))])
        unknown = imported(writer, programme, more, mapping=shy)
    assert [(one.line, one.bad.code, one.bad.where) for one in unknown.problems] == [(2, "unknown_member", "member")]


def test_equal_number_and_other_content_is_a_conflict_and_is_not_booked(sqlite_book_url, tmp_path):
    file = auctions(tmp_path, 30)
    with auctions_book(sqlite_book_url) as (writer, programme):
        imported(writer, programme, file)
        before = standings(sqlite_book_url), net_grants(sqlite_book_url)
        lines = file.read_text(encoding="utf-8").splitlines()
        cells = lines[5].split(",")
        cells[4] = str(int(cells[4]) + 100)
        file.write_text("\n".join([*lines[:5], ",".join(cells), *lines[6:]]) + "\n", encoding="utf-8")
        summary = imported(writer, programme, file)
        assert (standings(sqlite_book_url), net_grants(sqlite_book_url)) == before
    assert summary.status == {"duplicate": 29, "conflict": 1}
    assert [(one.line, one.bad.code) for one in summary.problems] == [(6, "event_conflict")]


def test_a_source_may_date_back_only_so_far(sqlite_book_url, tmp_path):
    with auctions_book(sqlite_book_url) as (writer, programme):
        summary = imported(writer, programme, auctions(tmp_path, 4), late_days=400)
    assert {one.bad.code for one in summary.problems} == {"too_late"}
