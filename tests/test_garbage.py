"""What a quote, a sale or a return leaves behind is freed at once: nothing of ours waits for the collector.

A process that serves asks the collector seldom (`api.app.serving`); what waits for it fills the processor's caches with
what nobody needs any more.
"""

from __future__ import annotations

import gc
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.test_api_book import Till, moment, order, serving


@pytest.fixture
def till(book_url):
    with serving(book_url) as till:
        yield till


@contextmanager
def waiting() -> Iterator[Counter[str]]:
    """Count what of ours is left to the collector within the block."""
    found: Counter[str] = Counter()
    gc.collect()
    gc.disable()
    try:
        yield found
        gc.set_debug(gc.DEBUG_SAVEALL)
        gc.collect()
    finally:
        gc.set_debug(0)
        for one in gc.garbage:
            named = one if callable(one) and hasattr(one, "__module__") else type(one)
            if (named.__module__ or "").partition(".")[0] in ("api", "rules", "tierengine"):
                found[f"{named.__module__}.{getattr(named, '__qualname__', named)}"] += 1
        gc.garbage.clear()
        gc.enable()


def test_what_holds_itself_is_seen():
    class Ours:
        def __init__(self):
            self.me = self

    Ours.__module__ = "tierengine.ours"
    with waiting() as found:
        Ours()
    assert sum(found.values()) == 1


@pytest.mark.parametrize("query", ["", "?explain=none"])
def test_a_quote_leaves_nothing_to_the_collector(till: Till, query: str):
    till.gold()
    quoted = [till.post(f"/v1/quotes{query}", order()) for _ in range(2)]
    with waiting() as found:
        quoted += [till.post(f"/v1/quotes{query}", order()) for _ in range(3)]
    assert {one.status_code for one in quoted} == {200}
    assert not found


def test_nor_does_a_sale_or_its_return(till: Till):
    till.gold()
    for number in range(2):
        with waiting() as found:
            said = order(order=f"G{number}")
            answers = [
                till.post("/v1/sales", said),
                till.post(
                    f"/v1/sales/G{number}/returns", {"source_id": f"R{number}", "occurred_at": said["occurred_at"]}
                ),
            ]
        assert [one.status_code for one in answers] == [201, 201], [one.text for one in answers]
    assert not found


def test_nor_does_a_batch_or_a_look_at_the_member(till: Till):
    till.gold()
    paths = [f"/v1/members/C1{tail}" for tail in ("", "/balance", "/ledger", "/explain", "/statement")]
    for number in range(2):
        with waiting() as found:
            said = {"kind": "contact", "member": "C1", "occurred_at": moment(hours=1), "channel": "phone"}
            told = [{**said, "direction": "ours", "source_id": f"B{number}-{one}"} for one in range(3)]
            answers = [till.post("/v1/events:batch", {"events": told}), *map(till.get, paths)]
        assert [one.status_code for one in answers] == [200] * 6, [one.text for one in answers]
        assert answers[0].json()["recorded"] == 3, answers[0].text
    assert not found
