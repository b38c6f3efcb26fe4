"""Databases of a test's own, beside the one that the other tests share."""

import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
from sqlalchemy.engine import URL, make_url

from storage.local.instance import InstanceInfo


async def connect(url: str | URL) -> Any:
    parsed = make_url(url)
    return await asyncpg.connect(
        host=str(parsed.query["host"]),
        user=parsed.username,
        password=parsed.password,
        database=parsed.database,
    )


def as_superuser(instance: InstanceInfo, database: str) -> URL:
    """Whom no policy stops: to lay out what the others then try to see."""
    secrets = json.loads((instance.data_dir / "secrets.json").read_text())
    return make_url(instance.owner_database_url).set(
        username="postgres", password=secrets["postgres"], database=database
    )


@asynccontextmanager
async def new_database(instance: InstanceInfo, name: str) -> AsyncGenerator[str]:
    """URL of a new, empty database, as the role that owns the tables."""
    administrator = await connect(as_superuser(instance, "postgres"))
    await administrator.execute(f"DROP DATABASE IF EXISTS {name}")
    await administrator.execute(f"CREATE DATABASE {name} OWNER lyceum_owner")
    owner = make_url(instance.owner_database_url).set(database=name)
    yield owner.render_as_string(hide_password=False)
    await administrator.execute(f"DROP DATABASE {name} WITH (FORCE)")
    await administrator.close()


async def wait_for_no_disk(instance: InstanceInfo) -> None:
    """Each commit waits for the disk, which may be slow and have much to do. Only the machine's own fall would lose one."""
    administrator = await connect(as_superuser(instance, "postgres"))
    for setting in ("fsync", "full_page_writes"):
        await administrator.execute(f"ALTER SYSTEM SET {setting} = off")
    await administrator.execute("SELECT pg_reload_conf()")
    await administrator.close()


async def empty_queue(instance: InstanceInfo) -> None:
    """Cancel the jobs that other tests have left: a real worker would do them first."""
    administrator = await connect(
        as_superuser(instance, make_url(instance.owner_database_url).database or "")
    )
    try:
        await administrator.execute(
            "UPDATE jobs SET status = 'cancelled' WHERE status IN ('queued', 'running')"
        )
    finally:
        await administrator.close()
