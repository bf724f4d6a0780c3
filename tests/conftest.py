"""What every test may ask for by name: databases, of both kinds, fresh for each test."""

import contextlib
import gc
import os
import shutil
import sqlite3
from pathlib import Path

import hypothesis
import pytest

from tests import postgres

# The folder of this run's server, and the process whose end is the end of the run.
RUN = pytest.StashKey[tuple[Path, int]]()


# A shared machine makes any example slow now and then. CI tries the same examples each time; a developer's run tries
# new ones, and prints the line that tries a failed one again.
hypothesis.settings.register_profile(
    "tierengine", deadline=None, print_blob=True, derandomize=os.environ.get("CI") == "true"
)
hypothesis.settings.load_profile("tierengine")


def pytest_configure(config: pytest.Config) -> None:
    # What a developer has set for a service of their own is none of the tests' business.
    for name in [name for name in os.environ if name.startswith("TIERENGINE_") and "_TEST_" not in name]:
        del os.environ[name]
    # Folders of tests are in memory where there is room: a book in a file waits for the disk with every commit. What is
    # acknowledged outlives a killed process there too, and the machine's own end is no test's business.
    if postgres.roomy():
        os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(postgres.MEMORY))
    # What is loaded and collected stays to the end: it is not looked through for garbage again and again.
    gc.disable()
    given = getattr(config, "workerinput", {}).get("postgres")
    config.stash[RUN] = (Path(given[0]), given[1]) if given else (postgres.run_folder(), os.getpid())


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files with slow tests go first: of two workers, none is left alone with a long file at the end."""
    long = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: item.path not in long)


def pytest_collection_finish() -> None:
    gc.freeze()
    gc.enable()


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node) -> None:
    """Tell a worker of pytest-xdist which server it shares with the others: the first that needs it starts it."""
    run, owner = node.config.stash[RUN]
    node.workerinput["postgres"] = (str(run), owner)


def pytest_unconfigure(config: pytest.Config) -> None:
    postgres.drop_templates()
    if not hasattr(config, "workerinput") and RUN in config.stash:
        postgres.stop(config.stash[RUN][0])


@pytest.fixture(scope="session")
def postgres_server(request) -> str:
    """The URL of the run's PostgreSQL server, by a user who may create databases. Quick: it does not wait for the disk.

    A test about durability takes one of its own: `with postgres.private_server() as base`.
    """
    try:
        return postgres.start(*request.config.stash[RUN], fast=True)
    except postgres.NoServerError as error:
        problem = str(error)
    # Never a skip: half of what this suite promises is about PostgreSQL.
    pytest.fail(problem, pytrace=False)


@pytest.fixture
def postgres_url(postgres_server):
    """The SQLAlchemy URL of a fresh, empty PostgreSQL database, dropped after the test."""
    with postgres.database(postgres_server) as url:
        yield url


@pytest.fixture
def sqlite_url(tmp_path) -> str:
    """The SQLAlchemy URL of an SQLite file that does not exist yet."""
    return f"sqlite:///{tmp_path / 't.db'}"


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request) -> str:
    """The SQLAlchemy URL of a fresh, empty database; each test that asks for it runs once on each kind."""
    return request.getfixturevalue("sqlite_url" if request.param == "sqlite" else "postgres_url")


def migrate(url: str) -> None:
    from tierengine.store import migrating

    migrating.migrate(url)


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory) -> Path:
    """An SQLite file with every table and no rows, made once; a copy of it is quicker than the migrations."""
    made = tmp_path_factory.mktemp("sqlite") / "template.db"
    migrate(f"sqlite:///{made}")
    with contextlib.closing(sqlite3.connect(made)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return made


@pytest.fixture
def sqlite_book_url(sqlite_url, sqlite_template) -> str:
    """The SQLAlchemy URL of a fresh SQLite file with every table and no rows."""
    shutil.copy(sqlite_template, sqlite_url.removeprefix("sqlite:///"))
    return sqlite_url


@pytest.fixture
def postgres_book_url(postgres_server):
    """The SQLAlchemy URL of a fresh PostgreSQL database with every table and no rows."""
    with postgres.database(postgres_server, postgres.template(postgres_server, migrate)) as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def book_url(request) -> str:
    """The SQLAlchemy URL of a fresh database as `migrate` leaves it, on each kind; far quicker than to migrate it."""
    return request.getfixturevalue("sqlite_book_url" if request.param == "sqlite" else "postgres_book_url")


@pytest.fixture
def club(book_url):
    """A club of six members with a book on either database, which must be sound when the test is over."""
    from tests.club import opened

    with opened(book_url) as made:
        yield made


@pytest.fixture
def vault(club):
    """What seals personal data of the club's book."""
    from tests.keys import vault_of

    made = vault_of(club.url)
    yield made
    made.close()


@pytest.fixture
def writer(club):
    """The group writer of the club's book."""
    from tierengine.recording.writer import Writer

    with Writer(club.url) as made:
        yield made
