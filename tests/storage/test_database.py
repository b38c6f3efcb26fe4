"""The connections below the transactions: one that was lost or left in the middle is nobody's next one."""

import asyncio
from collections.abc import AsyncGenerator
from typing import Any
from uuid import UUID

import anyio
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from storage.database import Database
from storage.resources import Storage
from tests.waiting import patience, until
from tools.context import Principal

IS_READ_ONLY = text("SELECT current_setting('transaction_read_only'), current_setting('lyceum.user_id')")


@pytest.fixture
async def database(storage: Storage) -> AsyncGenerator[Database]:
    """With a single connection, so that the next transaction gets what the last one left."""
    made = Database(storage.settings.database_url or "", pool_size=1)
    yield made
    await made.close()


async def seen(database: Database, user_id: UUID) -> tuple[str, str]:
    """Both kinds of transaction, one after the other; what the reading one saw."""
    async with database.transaction(user_id) as session:
        assert (await session.execute(IS_READ_ONLY)).one()[0] == "off"
    async with database.transaction(user_id, read_only=True) as session:
        row = (await session.execute(IS_READ_ONLY)).one()
        return row[0], row[1]


async def test_reading_is_read_only_as_the_user(database: Database, student: Principal) -> None:
    assert await seen(database, student.user_id) == ("on", str(student.user_id))
    with pytest.raises(DBAPIError, match="read-only transaction"):
        async with database.transaction(student.user_id, read_only=True) as session:
            await session.execute(text("DELETE FROM classes"))
    assert await seen(database, student.user_id) == ("on", str(student.user_id))


@pytest.mark.parametrize("sealed", [False, True])
async def test_a_caller_who_is_cancelled_leaves_no_transaction_open(
    database: Database, student: Principal, sealed: bool
) -> None:
    for seconds in (0.0, 0.002, 0.005, 0.05):
        with anyio.move_on_after(seconds) as scope:  # it cancels again whatever waits while leaving
            if sealed:
                async with database.sealed(student.user_id) as connection:
                    await connection.fetchval("SELECT pg_sleep(20)")
            else:
                async with database.transaction(student.user_id, read_only=True) as session:
                    await session.execute(text("SELECT pg_sleep(20)"))
        assert scope.cancelled_caught
        assert await seen(database, student.user_id) == ("on", str(student.user_id))


@pytest.mark.parametrize("sealed", [False, True])
async def test_a_connection_that_was_lost_while_idle_is_replaced(
    database: Database, storage: Storage, student: Principal, sealed: bool
) -> None:
    async with database.transaction(student.user_id, read_only=True) as session:
        lost = await session.scalar(text("SELECT pg_backend_pid()"))
        connection: Any = (await (await session.connection()).get_raw_connection()).driver_connection
    async with storage.database.transaction(None) as session:
        await session.execute(text("SELECT pg_terminate_backend(:pid)"), {"pid": lost})
    await until(lambda: asyncio.sleep(0, connection.is_closed()), "the end of the connection")
    if sealed:
        async with database.sealed(student.user_id) as fresh:
            assert await fresh.fetchval("SELECT 1") == 1
    else:
        assert await seen(database, student.user_id) == ("on", str(student.user_id))


async def test_what_still_reads_when_its_caller_has_left_takes_no_connection_along(
    database: Database, student: Principal
) -> None:
    """As in a search whose other half failed: `gather` leaves at once, and the first half goes on."""
    for _ in range(3):
        async with database.transaction(student.user_id, read_only=True) as session:
            left = asyncio.create_task(session.execute(text("SELECT pg_sleep(0.3)")))
            await asyncio.sleep(0.05)
        await asyncio.wait([left])
        async with patience("a connection"):
            assert await seen(database, student.user_id) == ("on", str(student.user_id))
