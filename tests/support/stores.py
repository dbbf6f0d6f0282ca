"""Fixtures that give a migrated store on each database: ``store`` runs a test twice, on SQLite and on PostgreSQL.

The schema is made once. A test on SQLite gets a copy of the file; those on PostgreSQL share a database that is emptied
before each, as copying one takes a third of a second.
"""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator, Iterator
from itertools import count
from pathlib import Path

import pytest

from crm.migrations import migrate
from crm.unit_of_work import Store
from tests.support import postgres

BACKENDS = ("sqlite", "postgresql")
SHARED = "shared_store"
_EMPTY = """
DO $$ DECLARE names text; BEGIN
  SELECT string_agg(quote_ident(tablename), ', ') INTO names FROM pg_tables
    WHERE schemaname = 'public' AND tablename <> 'alembic_version';
  EXECUTE 'TRUNCATE ' || names || ' RESTART IDENTITY';
  INSERT INTO config_revision (id, revision, do_not_call_revision) VALUES (1, 1, 1);
END $$
"""
_numbers = count(1)


@pytest.fixture(scope="session")
def postgres_cluster() -> Iterator[postgres.Cluster]:
    """One cluster for the whole run; tests that need it are skipped where PostgreSQL is not installed."""
    try:
        cluster = postgres.start()
    except postgres.NoPostgres as error:
        pytest.skip(str(error))
    yield cluster
    cluster.stop()


@pytest.fixture(scope="session")
async def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("template") / "store.db"
    await migrate(f"sqlite:///{path}")
    return path


@pytest.fixture(scope="session")
async def shared_postgres(postgres_cluster: postgres.Cluster) -> str:
    url = postgres_cluster.create_database(SHARED)
    await migrate(url)
    return url


@pytest.fixture(params=BACKENDS)
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of a database that has not been migrated."""
    if request.param == "sqlite":
        yield f"sqlite+aiosqlite:///{tmp_path / 'empty.db'}"
        return
    cluster: postgres.Cluster = request.getfixturevalue("postgres_cluster")
    name = f"empty_{next(_numbers)}"
    yield cluster.create_database(name)
    cluster.drop_database(name)


@pytest.fixture(params=BACKENDS)
def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of a migrated, empty store of the test's own."""
    if request.param == "sqlite":
        shutil.copy(request.getfixturevalue("sqlite_template"), tmp_path / "store.db")
        yield f"sqlite+aiosqlite:///{tmp_path / 'store.db'}"
        return
    url: str = request.getfixturevalue("shared_postgres")
    cluster: postgres.Cluster = request.getfixturevalue("postgres_cluster")
    cluster.run(SHARED, _EMPTY)
    yield url


@pytest.fixture
async def store(store_url: str) -> AsyncIterator[Store]:
    opened = Store(store_url)
    yield opened
    await opened.close()
