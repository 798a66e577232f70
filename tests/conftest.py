"""Fixtures that several tests share. A test that takes `store` or `database_url` runs once on each database."""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from storage.store import Store, open_store
from tests import postgres
from tests.shell import Forks, forks


def pytest_configure() -> None:
    """Tables are as wide as plenty, whatever terminal the tests are started from (xdist says 80), and Ctrl-C reaches what
    they start, though a script may have begun them in the background."""
    os.environ["COLUMNS"] = "200"
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """URL of a PostgreSQL server in which databases may be made, or the test is skipped with the reason."""
    with postgres.server() as url:
        yield url


@pytest.fixture(scope="session")
def _postgres_url(postgres_server: str) -> Iterator[str]:
    with postgres.database(postgres_server, f"pqwatch_test_{os.getpid()}") as url:
        open_store(url).close()
        yield url


@pytest.fixture(scope="session")
def _sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("template") / "empty.sqlite3"
    open_store(f"sqlite:///{path}").close()
    return path


@pytest.fixture
def sqlite_url(_sqlite_template: Path, tmp_path: Path) -> str:
    """An empty SQLite database at the present schema."""
    path = tmp_path / "pqwatch.sqlite3"
    shutil.copyfile(_sqlite_template, path)
    return f"sqlite:///{path}"


@pytest.fixture
def postgres_url(_postgres_url: str) -> str:
    """An empty PostgreSQL database at the present schema."""
    postgres.empty(_postgres_url)
    return _postgres_url


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    """An empty database at the present schema; once on each kind."""
    name = "sqlite_url" if request.param == "sqlite" else "postgres_url"
    url: str = request.getfixturevalue(name)
    return url


@pytest.fixture(params=["sqlite", "postgresql"])
def bare_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A database without any schema; once on each kind."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'bare.sqlite3'}"
        return
    with postgres.database(request.getfixturevalue("postgres_server"), f"pqwatch_bare_{os.getpid()}") as url:
        yield url


@pytest.fixture
def store(database_url: str) -> Iterator[Store]:
    """An open, empty store; once on each kind of database."""
    opened = open_store(database_url)
    yield opened
    opened.close()


@pytest.fixture(scope="session")
def forked() -> Forks:
    """What `tests.shell.Shell` has its commands forked from."""
    return forks()


@pytest.fixture(scope="session", autouse=True)
def _forks_end() -> Iterator[None]:
    yield
    if forks.cache_info().currsize:
        forks().close()


SET_UP_ONCE = ("month", "stocked", "watched")
"""Fixtures that take seconds to make and serve many tests: those tests run in one process, one after the other."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest first, then what runs in one process, so that no process is left alone with one at the end."""
    for item in items:
        for name in set(SET_UP_ONCE).intersection(getattr(item, "fixturenames", ())):
            params = item.callspec.params if hasattr(item, "callspec") else {}
            item.add_marker(pytest.mark.xdist_group(f"{item.path.stem} {name} {params.get(name)}"))
    items.sort(key=lambda item: (_lacks(item, "slow"), _lacks(item, "xdist_group")))


def _lacks(item: pytest.Item, mark: str) -> bool:
    return item.get_closest_marker(mark) is None
