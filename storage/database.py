"""PostgreSQL: the engine and the transaction that carries the caller's identity. The only place that commits."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from uuid import UUID

import asyncpg
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, create_async_engine

from storage.errors import Unavailable

SET_USER = text("SELECT set_config('lyceum.user_id', :user_id, true)")

UNREACHABLE = (
    ConnectionError,
    FileNotFoundError,
    TimeoutError,
    asyncpg.CannotConnectNowError,
    asyncpg.TooManyConnectionsError,
)


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
                "server_settings": {
                    "application_name": "lyceum",
                    "statement_timeout": "30000",
                    "idle_in_transaction_session_timeout": "60000",
                    "jit": "off",
                },
            },
        )
        self._reader = self.engine.execution_options(postgresql_readonly=True)

    @asynccontextmanager
    async def transaction(
        self, user_id: UUID | None, *, read_only: bool = False
    ) -> AsyncGenerator[AsyncSession]:
        """One transaction as this user; commits at the end, rolls back on any error.

        With `user_id=None` nobody is signed in: row-level security then shows no row at all.
        Raises Unavailable when PostgreSQL does not answer.
        """
        engine = self._reader if read_only else self.engine
        try:
            async with AsyncSession(engine, expire_on_commit=False) as session, session.begin():
                await session.execute(SET_USER, {"user_id": str(user_id) if user_id else ""})
                yield session
        except UNREACHABLE as error:
            raise Unavailable("The database does not answer. Try again in a moment.") from error
        except DBAPIError as error:
            if error.connection_invalidated or isinstance(error.orig, UNREACHABLE):
                raise Unavailable("The database does not answer. Try again in a moment.") from error
            raise

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
        await self.engine.dispose()
