"""The schema goes up, down and up again, matches the models, and protects every table."""

import asyncio
import json
from collections.abc import AsyncGenerator
from typing import Any

import asyncpg
import pytest
from alembic import command
from sqlalchemy.engine import URL, make_url

from migrations import marker
from migrations.runner import configuration, head
from storage.local.instance import InstanceInfo
from storage.models import Base
from storage.resources import Storage
from tools.context import Principal

NOT_A_USERS = {"alembic_version"}


async def connect(url: str | URL) -> Any:
    parsed = make_url(url)
    return await asyncpg.connect(
        host=str(parsed.query["host"]),
        user=parsed.username,
        password=parsed.password,
        database=parsed.database,
    )


@pytest.fixture
async def empty_database(instance: InstanceInfo) -> AsyncGenerator[str]:
    """URL of a new database beside the one the other tests use, as the role that owns the tables."""
    secrets = json.loads((instance.data_dir / "secrets.json").read_text())
    owner = make_url(instance.owner_database_url)
    administrator = await connect(
        owner.set(username="postgres", password=secrets["postgres"], database="postgres")
    )
    await administrator.execute("DROP DATABASE IF EXISTS trial")
    await administrator.execute("CREATE DATABASE trial OWNER lyceum_owner")
    yield owner.set(database="trial").render_as_string(hide_password=False)
    await administrator.execute("DROP DATABASE trial WITH (FORCE)")
    await administrator.close()


async def objects(url: str) -> set[str]:
    """Names of all tables and functions of ours."""
    connection = await connect(url)
    rows = await connection.fetch(
        "SELECT relname AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
        " WHERE n.nspname = 'public' AND relkind IN ('r', 'p') UNION"
        " SELECT proname FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace WHERE n.nspname = 'public'"
        " AND proname NOT IN (SELECT p2.proname FROM pg_proc p2 JOIN pg_depend d ON d.objid = p2.oid AND d.deptype = 'e')"
    )
    await connection.close()
    return {row["name"] for row in rows}


async def test_the_schema_goes_up_down_and_up_again(empty_database: str) -> None:
    config = configuration(empty_database)
    await asyncio.to_thread(command.upgrade, config, "head")
    full = await objects(empty_database)
    await asyncio.to_thread(command.check, config)
    await asyncio.to_thread(command.downgrade, config, "base")
    assert await objects(empty_database) == {"alembic_version"}
    await asyncio.to_thread(command.upgrade, config, "head")
    assert await objects(empty_database) == full


def test_the_marker_knows_the_newest_revision_without_alembic() -> None:
    assert marker.newest() == head()


async def test_every_table_with_a_users_data_forces_row_level_security(instance: InstanceInfo) -> None:
    connection = await connect(instance.owner_database_url)
    rows = await connection.fetch(
        "SELECT relname, relrowsecurity, relforcerowsecurity FROM pg_class c"
        " JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = 'public' AND relkind IN ('r', 'p')"
        " AND NOT relispartition"
    )
    await connection.close()
    open_tables = {r["relname"] for r in rows if not (r["relrowsecurity"] and r["relforcerowsecurity"])}
    assert open_tables == NOT_A_USERS
    assert {r["relname"] for r in rows} - NOT_A_USERS == set(Base.metadata.tables)


async def test_the_application_role_can_bypass_nothing_and_own_nothing(instance: InstanceInfo) -> None:
    connection = await connect(instance.database_url)
    role = await connection.fetchrow(
        "SELECT rolsuper, rolbypassrls FROM pg_roles WHERE rolname = current_user"
    )
    owned = await connection.fetchval(
        "SELECT count(*) FROM pg_class WHERE relowner = (SELECT oid FROM pg_roles WHERE rolname = current_user)"
    )
    await connection.close()
    assert role is not None
    assert (role["rolsuper"], role["rolbypassrls"], owned) == (False, False, 0)


@pytest.mark.parametrize("table", sorted(set(Base.metadata.tables) - {"users", "audit_logs"}))
async def test_nobody_and_another_user_see_no_row(
    instance: InstanceInfo, student: Principal, stranger: Principal, storage: Storage, table: str
) -> None:
    connection = await connect(instance.database_url)
    try:
        assert await connection.fetchval(f"SELECT count(*) FROM {table}") == 0
        async with connection.transaction():
            await connection.execute("SELECT set_config('lyceum.user_id', $1, true)", str(stranger.user_id))
            assert await connection.fetchval(f"SELECT count(*) FROM {table}") == 0
    finally:
        await connection.close()


async def test_a_row_cannot_be_written_for_somebody_else(
    instance: InstanceInfo, student: Principal, stranger: Principal
) -> None:
    connection = await connect(instance.database_url)
    try:
        async with connection.transaction():
            await connection.execute("SELECT set_config('lyceum.user_id', $1, true)", str(stranger.user_id))
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await connection.execute(
                    "INSERT INTO classes (id, user_id, name, collection_prefix) VALUES ($1, $2, 'x', 'y')",
                    stranger.user_id,
                    student.user_id,
                )
    finally:
        await connection.close()


async def test_the_audit_trail_cannot_be_changed_by_the_application(instance: InstanceInfo) -> None:
    connection = await connect(instance.database_url)
    try:
        for statement in ("DELETE FROM audit_logs", "UPDATE audit_logs SET action = 'x'"):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await connection.execute(statement)
    finally:
        await connection.close()
