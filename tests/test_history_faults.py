"""A test must be able to fail: every seeded fault of the fold is caught by the cases."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import pytest

from tests.history.cases import seeded
from tests.history.faults import FAULTS
from tests.history.happenings import Case
from tests.history.judged import Outcome, believed, folded, of_fold, of_model


@pytest.fixture(scope="module")
def tried() -> Callable[[int], tuple[Case, dict[str, Outcome]]]:
    """Seeded cases and what the model believes of them, each worked out once."""

    @cache
    def tried(seed: int) -> tuple[Case, dict[str, Outcome]]:
        one = seeded(seed)
        return one, of_model(believed(one))

    return tried


def caught(tried: Callable[[int], tuple[Case, dict[str, Outcome]]]) -> int | None:
    """The first seed at which the fold and the model differ."""
    for seed in range(TRIES):
        one, expected = tried(seed)
        if of_fold(folded(one)) != expected:
            return seed
    return None


TRIES = 270


def test_without_a_fault_nothing_is_caught(tried):
    assert caught(tried) is None


@pytest.mark.parametrize("name", FAULTS)
def test_a_seeded_fault_is_caught(name, tried, monkeypatch):
    FAULTS[name](monkeypatch)
    assert caught(tried) is not None
