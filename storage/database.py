"""PostgreSQL: the engine and the transaction that carries the caller's identity. The only place that commits."""

import asyncio
import socket
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager
from typing import Any
from uuid import UUID

import asyncpg
import structlog
from sqlalchemy import event, text
from sqlalchemy.exc import DBAPIError, InvalidatePoolError
from sqlalchemy.exc import TimeoutError as PoolExhausted
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, AsyncSession, create_async_engine

from storage.errors import RateLimited, Unavailable
from storage.unawaited import Unawaited

log = structlog.get_logger()

SET_USER = text("SELECT set_config('lyceum.user_id', :user_id, true)")
SET_USER_AND_NOTE = text(
    "SELECT set_config('lyceum.user_id', :user_id, true), set_config('lyceum.changes', '[]', true)"
)

SILENCE_SECONDS = 40
"""How long a server may keep silent: more than `statement_timeout`, which ends what is only slow."""

UNREACHABLE = (
    ConnectionError,
    FileNotFoundError,
    TimeoutError,
    socket.gaierror,
    PoolExhausted,
    asyncpg.AdminShutdownError,
    asyncpg.CannotConnectNowError,
    asyncpg.CrashShutdownError,
    asyncpg.PostgresConnectionError,
    asyncpg.TooManyConnectionsError,
)

ROLLBACK_SECONDS = 10.0
QUERIES_AT_ONCE = 4
"""Queries written by callers that run at the same time in one process; the others wait."""
QUERY_WAIT_SECONDS = 10.0
QUERY_SECONDS = 5
BEGIN_READING = "BEGIN READ ONLY; SELECT set_config('lyceum.user_id', '{user_id}', true)"
BEGIN_SEALED = """
    BEGIN READ ONLY DEFERRABLE;
    SET LOCAL statement_timeout = '{seconds}s'; SET LOCAL lock_timeout = '1s'; SET LOCAL work_mem = '4MB';
    SET LOCAL hash_mem_multiplier = 1; SET LOCAL max_parallel_workers_per_gather = 0; SET LOCAL search_path = public;
    SET LOCAL standard_conforming_strings = on;
    SET LOCAL lyceum.user_id = '{user_id}'; SET LOCAL lyceum.seal = '{seal}'; SET LOCAL ROLE lyceum_reader;
"""


class Database:
    """One engine per process. `url` is a SQLAlchemy URL for asyncpg, connecting as the application role."""

    def __init__(self, url: str, *, pool_size: int = 10) -> None:
        self.engine: AsyncEngine = create_async_engine(
            url,
            pool_size=pool_size,
            max_overflow=pool_size,
            hide_parameters=True,
            connect_args={
                "timeout": 10,
                "command_timeout": SILENCE_SECONDS,
                "server_settings": {
                    "application_name": "lyceum",
                    "statement_timeout": "30000",
                    "idle_in_transaction_session_timeout": "60000",
                    "jit": "off",
                },
            },
        )
        event.listen(self.engine.sync_engine, "checkout", refuse_lost)
        # `_reading` begins and ends its transactions; SQLAlchemy would need a message more for each.
        self._reader = self.engine.execution_options(isolation_level="AUTOCOMMIT")
        self._queries = asyncio.Semaphore(QUERIES_AT_ONCE)
        self._ends = Unawaited("reading_not_ended")

    @asynccontextmanager
    async def transaction(
        self, user_id: UUID | None, *, read_only: bool = False, note_changes: bool = False
    ) -> AsyncGenerator[AsyncSession]:
        """One transaction as this user; commits at the end, rolls back on any error.

        With `user_id=None` nobody is signed in: row-level security then shows no row at all. With `note_changes`
        PostgreSQL notes what changes, for `AuditRepository.changes`.
        Raises Unavailable when PostgreSQL does not answer.
        """
        with answering():
            if read_only:
                async with self._reading(user_id) as session:
                    yield session
                return
            async with AsyncSession(self.engine, expire_on_commit=False) as session, session.begin():
                statement = SET_USER_AND_NOTE if note_changes else SET_USER
                await session.execute(statement, {"user_id": str(user_id) if user_id else ""})
                yield session

    @asynccontextmanager
    async def _reading(self, user_id: UUID | None) -> AsyncGenerator[AsyncSession]:
        """One message begins it, and nobody waits for its end: there is nothing to keep."""
        session, connection = AsyncSession(self._reader, expire_on_commit=False), None
        try:
            connection = await driver(await session.connection())
            await connection.execute(BEGIN_READING.format(user_id=user_id or ""))
            yield session
            await session.flush()  # PostgreSQL refuses what a reader changed; it must not vanish silently
        finally:
            # In a task of its own, so that a caller who is cancelled again and again cannot leave it open.
            self._ends.start(end_reading(session, connection))

    async def rows(self, user_id: UUID, query: str, *arguments: Any) -> list[asyncpg.Record]:
        """What one query of ours answers this user, past SQLAlchemy: half of the CPU that a session takes.

        Raises Unavailable when PostgreSQL does not answer.
        """
        with answering():
            async with self._plain() as connection:
                await connection.execute(BEGIN_READING.format(user_id=user_id))
                found: list[asyncpg.Record] = await connection.fetch(query, *arguments)
                return found

    @asynccontextmanager
    async def sealed(self, user_id: UUID) -> AsyncGenerator[Any]:
        """An asyncpg connection in a transaction for a query that this user wrote (decision 9); it is never committed.

        It runs as `lyceum_reader`, which can neither write nor read secret columns. The user is signed, and PostgreSQL
        refuses to leave a DEFERRABLE transaction's mode, so that no query can make itself somebody else's.
        Raises RateLimited when too many such queries run, Unavailable when PostgreSQL does not answer.
        """
        try:
            await asyncio.wait_for(self._queries.acquire(), QUERY_WAIT_SECONDS)
        except TimeoutError as error:
            raise RateLimited("Other data queries are still running. Try again in a few seconds.") from error
        try:
            with answering():
                async with self._plain() as connection:
                    seal = await connection.fetchval("SELECT lyceum_seal($1)", user_id)
                    await connection.execute(
                        BEGIN_SEALED.format(seconds=QUERY_SECONDS, user_id=user_id, seal=seal)
                    )
                    yield connection
        finally:
            self._queries.release()

    @asynccontextmanager
    async def _plain(self) -> AsyncGenerator[Any]:
        """An asyncpg connection of the pool, to begin a transaction in that keeps nothing: nobody waits for its end."""
        pooled, connection = await self._reader.connect(), None
        try:
            connection = await driver(pooled)
            yield connection
        finally:
            self._ends.start(end_reading(pooled, connection))

    async def ping(self) -> None:
        """Raises Unavailable when PostgreSQL does not answer."""
        async with self.transaction(None, read_only=True) as session:
            await session.execute(text("SELECT 1"))

    async def schema_revision(self) -> str | None:
        """The Alembic revision that the database is at."""
        async with self.transaction(None, read_only=True) as session:
            revision: str | None = await session.scalar(text("SELECT lyceum_schema_revision()"))
            return revision

    async def close(self) -> None:
        await self._ends.settle()
        await self.engine.dispose()


def refuse_lost(connection: Any, *_: Any) -> None:
    """A connection that ended while it lay in the pool: the pool makes new ones, and nobody notices a restarted server."""
    if connection.driver_connection.is_closed():
        raise InvalidatePoolError("It was closed by the server.")


async def driver(pooled: AsyncConnection) -> Any:
    """The asyncpg connection below."""
    return (await pooled.get_raw_connection()).driver_connection


async def end_reading(owner: AsyncSession | AsyncConnection, connection: Any) -> None:
    """Ends the transaction and gives the connection back, or ends the connection: it is lost, or nobody knows where it stands."""
    is_over = False
    try:
        if connection is not None:
            await connection.execute("ROLLBACK", timeout=ROLLBACK_SECONDS)
            is_over = True
    except (*UNREACHABLE, asyncpg.InterfaceError) as error:
        log.debug("connection_lost", reason=str(error))
    finally:
        if connection is not None and not is_over:
            connection.terminate()
        await (owner.close() if is_over else owner.invalidate())


@contextmanager
def answering() -> Generator[None]:
    """Raises Unavailable in place of what the driver says when PostgreSQL does not answer."""
    try:
        yield
    except UNREACHABLE as error:
        raise Unavailable("The database does not answer. Try again in a moment.") from error
    except DBAPIError as error:
        if error.connection_invalidated or isinstance(error.orig, UNREACHABLE):
            raise Unavailable("The database does not answer. Try again in a moment.") from error
        raise
