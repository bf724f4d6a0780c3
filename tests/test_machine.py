"""Whatever may happen to a book happens in three worlds at once; none of them departs from the others or the oracle."""

import os

import pytest

from tests import postgres
from tests.conftest import migrate
from tests.machine.play import play, worlds_in

EXAMPLES, STEPS = map(int, os.environ.get("TIERENGINE_TEST_MACHINE", "6,25").split(","))


@pytest.fixture
def worlds(tmp_path, sqlite_template, postgres_server):
    return worlds_in(tmp_path, sqlite_template, postgres_server, postgres.template(postgres_server, migrate))


@pytest.mark.timeout(1_200)
def test_domain_and_both_services_do_the_same_and_what_the_oracle_says(worlds):
    tally = play(worlds, examples=EXAMPLES, steps=STEPS)
    assert tally.steps >= EXAMPLES * STEPS // 3
