"""A migration that rewrites many rows leaves the application its tables: a reader and a writer go on meanwhile."""

import asyncio
import time
from collections.abc import AsyncGenerator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.config import Config

from migrations.batches import BATCH
from migrations.runner import FOLDER, configuration, upgrade
from storage.local.instance import InstanceInfo
from tests.databases import as_superuser, connect, new_database
from tests.waiting import until

ROWS = 50_000
USER = "00000000-0000-7000-8000-000000000001"
WAITERS = "SELECT count(*) FROM pg_locks WHERE NOT granted"
REVISION = '''
"""rewrite the texts of all notes"""
from migrations.batches import rewrite

revision = "9000"
down_revision = "{head}"


def upgrade() -> None:
    rewrite("notes", "text = upper(text)", "text <> upper(text)")


def downgrade() -> None:
    rewrite("notes", "text = lower(text)", "text <> lower(text)")
'''


@pytest.fixture(scope="module")
async def full(instance: InstanceInfo) -> AsyncGenerator[str]:
    """URL of a database with one student and 50,000 notes."""
    async with new_database(instance, "rewriting") as url:
        await asyncio.to_thread(upgrade, url)
        connection = await connect(as_superuser(instance, "rewriting"))
        await connection.execute(
            f"INSERT INTO users (id, email, name) VALUES ('{USER}', 'a@example.org', 'A')"
        )
        await connection.execute(
            f"""INSERT INTO notes (id, user_id, title, text, updated_at)
            SELECT gen_random_uuid(), '{USER}', 'note ' || n, 'a text of some words', '2026-01-01'
            FROM generate_series(1, {ROWS}) n"""
        )
        await connection.close()
        yield url


@pytest.fixture
def rewriting(full: str, tmp_path: Path) -> Config:
    """Alembic with one more revision, which rewrites every note."""
    folder = tmp_path / "versions"
    folder.mkdir()
    head = max(path.name.split("_")[0] for path in (FOLDER / "versions").glob("[0-9]*.py"))
    (folder / "9000_rewrite.py").write_text(REVISION.format(head=head))
    config = configuration(full)
    config.set_main_option("version_locations", f"{FOLDER / 'versions'}:{folder}")
    config.set_main_option("path_separator", ":")
    return config


async def test_a_reader_and_a_writer_go_on_while_every_row_is_rewritten(
    instance: InstanceInfo, rewriting: Config
) -> None:
    application = instance.database_url.replace("/lyceum?", "/rewriting?")
    done = asyncio.Event()
    waits: dict[str, list[float]] = {"read": [], "write": []}

    async def work(kind: str, statement: str) -> None:
        connection = await connect(application)
        await connection.execute(f"SET lyceum.user_id = '{USER}'")
        while not done.is_set():
            began = time.monotonic()
            await connection.execute(statement)
            waits[kind].append(time.monotonic() - began)
            await asyncio.sleep(0.01)
        await connection.close()

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(work("read", "SELECT title FROM notes ORDER BY id DESC LIMIT 20"))
        tasks.create_task(
            work(
                "write",
                "UPDATE notes SET title = 'x' WHERE id = (SELECT id FROM notes ORDER BY random() LIMIT 1)",
            )
        )
        began = time.monotonic()
        await asyncio.to_thread(command.upgrade, rewriting, "9000")
        took = time.monotonic() - began
        done.set()
    superuser = await connect(as_superuser(instance, "rewriting"))
    assert await superuser.fetchval("SELECT count(*) FROM notes WHERE text = 'A TEXT OF SOME WORDS'") == ROWS
    untouched = await superuser.fetchval("SELECT count(*) FROM notes WHERE updated_at = '2026-01-01'")
    assert untouched >= ROWS - len(waits["write"]), "nobody changed these"
    assert await superuser.fetchval("SELECT relforcerowsecurity FROM pg_class WHERE relname = 'notes'")
    await superuser.close()
    assert min(len(found) for found in waits.values()) > 10, "both had something to do"
    assert max(max(found) for found in waits.values()) < max(2.0, took / 4), (
        "no longer than one batch holds its rows"
    )


async def test_a_rewriting_that_meets_a_locked_row_waits_its_turn_and_one_that_stopped_goes_on(
    instance: InstanceInfo, rewriting: Config
) -> None:
    superuser: Any = await connect(as_superuser(instance, "rewriting"))
    await superuser.execute("UPDATE notes SET text = lower(text)")
    await asyncio.to_thread(command.stamp, rewriting, "9000")
    await superuser.execute(
        f"UPDATE notes SET text = upper(text) WHERE id IN (SELECT id FROM notes LIMIT {3 * BATCH})"
    )
    holder = superuser.transaction()
    await holder.start()
    await superuser.fetch("SELECT FROM notes WHERE text = upper(text) LIMIT 1 FOR UPDATE")
    rewritten = asyncio.create_task(asyncio.to_thread(command.downgrade, rewriting, "-1"))
    await until(partial(superuser.fetchval, WAITERS), "the rewriting to meet the locked row")
    assert not rewritten.done()
    await holder.rollback()
    await rewritten
    assert await superuser.fetchval("SELECT count(*) FROM notes WHERE text <> lower(text)") == 0
    await superuser.close()
