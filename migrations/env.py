"""Alembic's environment: runs migrations over asyncpg as the owning role, with a short lock timeout."""

import asyncio
import re

from alembic import context
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import create_async_engine

from storage.models import Base

PARTITION = re.compile(r"(audit_logs|interactions|progress_metrics)_(default|\d{4}_\d\d)")


def include_object(thing: object, name: str | None, type_: str, reflected: bool, compare_to: object) -> bool:
    """Partitions are made by `lyceum_make_partitions`, not by the models."""
    return not (type_ == "table" and reflected and name is not None and PARTITION.fullmatch(name))


def run(connection: Connection) -> None:
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        include_object=include_object,
        compare_server_default=True,
        transaction_per_migration=True,
    )
    with context.begin_transaction():
        connection.execute(text("SET lock_timeout = '5s'"))
        context.run_migrations()


async def main() -> None:
    engine = create_async_engine(context.config.get_main_option("sqlalchemy.url") or "")
    async with engine.connect() as connection:
        await connection.run_sync(run)
        await connection.commit()
    await engine.dispose()


asyncio.run(main())
