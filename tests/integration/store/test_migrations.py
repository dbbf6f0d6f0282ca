"""Migrations: the same schema on both databases, whoever runs them and however often."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, text

from crm.engine import make_engine
from crm.errors import Refused
from crm.migrations import head, migrate
from crm.models import Base
from crm.models.search import is_everywhere
from crm.repositories import revision
from crm.unit_of_work import Store


async def test_a_new_database_gets_the_newest_schema_and_a_second_run_changes_nothing(empty_url: str) -> None:
    assert await migrate(empty_url) == head()
    assert await migrate(empty_url) == head()


async def test_two_that_start_together_both_find_a_whole_schema(empty_url: str) -> None:
    runs = [await asyncio.create_subprocess_exec(*_runner(), empty_url) for _ in range(2)]
    assert [await asyncio.wait_for(run.wait(), 60) for run in runs] == [0, 0]
    opened = Store(empty_url)
    async with opened.read() as session:
        assert await revision.current(session) == 1
    await opened.close()


@pytest.mark.filterwarnings("ignore:autogenerate skipping metadata-specified expression-based index")
async def test_the_schema_is_exactly_what_the_models_say(store: Store) -> None:
    def differences(connection: Connection) -> list[object]:
        return list(
            compare_metadata(
                MigrationContext.configure(connection, opts={"include_name": is_everywhere}), Base.metadata
            )
        )

    async with store.engine.connect() as connection:
        assert await connection.run_sync(differences) == []


async def test_a_database_of_a_newer_version_is_left_alone_and_says_so(empty_url: str) -> None:
    await migrate(empty_url)
    engine = make_engine(empty_url)
    async with engine.begin() as connection:
        await connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    await engine.dispose()
    with pytest.raises(Refused, match="newer version"):
        await migrate(empty_url)


async def test_a_database_that_is_not_there_is_said_in_a_sentence() -> None:
    with pytest.raises(Refused) as refused:
        await migrate("postgresql://nobody@127.0.0.1:1/none")
    assert refused.value.status == 503
    with pytest.raises(Refused, match="cannot be used"):
        await migrate("sqlite:////proc/none/store.db")
    with pytest.raises(Refused, match="Write sqlite"):
        await migrate("mysql://somewhere")


async def test_a_file_that_is_no_database_is_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    path.write_text("something else entirely" * 1000)
    with pytest.raises(Refused, match="file is not a database"):
        await migrate(f"sqlite:///{path}")
    assert path.read_text() == "something else entirely" * 1000


async def test_nobody_else_may_read_the_database_file(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    await migrate(f"sqlite:///{path}")
    assert path.stat().st_mode & 0o777 == 0o600


def _runner() -> tuple[str, ...]:
    code = "import sys; from crm.migrations import migrate_now; migrate_now(sys.argv[1])"
    return (sys.executable, "-c", code)
