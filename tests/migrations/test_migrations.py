"""The schema goes up, down and up again on every PostgreSQL at hand, matches the models, and protects every table."""

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import replace
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from alembic import command
from alembic.script import ScriptDirectory

from assistant.cli.session import migrate_if_needed
from migrations import marker
from migrations.runner import FOLDER, configuration, head, upgrade
from storage.local.instance import InstanceInfo
from storage.models import Base
from storage.resources import Storage
from tests.databases import as_superuser, connect, new_database
from tests.migrations.catalogue import catalogue, checks_of_models
from tests.migrations.old_postgres import OldServer, old_server
from tests.rows import NOBODYS
from tools.context import Principal

NOT_A_USERS = {"alembic_version", *NOBODYS} - {"oauth_clients"}
"""A registered program is nobody's, but which ones somebody has let in is theirs alone to see."""
REVISIONS = [script.revision for script in ScriptDirectory(str(FOLDER)).walk_revisions()]


@pytest.fixture
async def empty_database(instance: InstanceInfo) -> AsyncGenerator[str]:
    """URL of a new database beside the one the other tests use, as the role that owns the tables."""
    async with new_database(instance, "trial") as url:
        yield url


@pytest.fixture(scope="module")
async def debian_15() -> AsyncGenerator[OldServer]:
    async with old_server(15) as server:
        yield server


async def test_the_schema_goes_up_down_and_up_again(empty_database: str) -> None:
    await up_down_up(empty_database)


async def test_the_schema_does_so_on_postgresql_15(debian_15: OldServer) -> None:
    await up_down_up(debian_15.owner_url)


async def up_down_up(url: str) -> None:
    """Down goes one revision at a time, and each leaves the catalogue as it was when the schema came by going up."""
    config = configuration(url)
    seen: dict[str, dict[str, set[str]]] = {}
    for revision in reversed(REVISIONS):
        await asyncio.to_thread(command.upgrade, config, revision)
        seen[revision] = await catalogue(url)
    await asyncio.to_thread(command.check, config)
    assert seen[head()]["checks"] == await checks_of_models(url)
    for revision, older in zip(REVISIONS, [*REVISIONS[1:], "base"], strict=True):
        await asyncio.to_thread(command.downgrade, config, older)
        if older != "base":
            assert await catalogue(url) == seen[older], f"{revision} left something behind"
    left = await catalogue(url)
    assert [
        row
        for name in ("columns", "functions", "policies")
        for row in left[name]
        if "alembic_version" not in row
    ] == []
    await asyncio.to_thread(command.upgrade, config, "head")
    assert await catalogue(url) == seen[head()]


def test_revisions_are_one_line_of_numbers() -> None:
    assert [f"{n:04}" for n in range(len(REVISIONS), 0, -1)] == REVISIONS


def test_the_marker_knows_the_newest_revision_without_alembic() -> None:
    assert marker.newest() == head()


async def test_a_data_folder_of_the_first_version_is_brought_up_at_start(
    instance: InstanceInfo, empty_database: str, tmp_path: Path
) -> None:
    """With what is in it: a start compares the marker, and the rows survive with their new columns filled."""
    await asyncio.to_thread(upgrade, empty_database, "0001")
    connection = await connect(as_superuser(instance, "trial"))
    await fill_first_version(connection)
    folder = tmp_path / "postgres"
    folder.mkdir()
    (folder / "lyceum-schema").write_text("0001")
    assert not marker.is_current(tmp_path)
    await migrate_if_needed(replace(instance, data_dir=tmp_path, owner_database_url=empty_database))
    assert marker.is_current(tmp_path)
    row = await connection.fetchrow(
        "SELECT shared_with_class, updated_at = created_at AS untouched FROM materials"
    )
    assert dict(row) == {"shared_with_class": True, "untouched": True}
    assert await connection.fetchval("SELECT scheduler || desired_retention FROM users LIMIT 1") == "fsrs0.9"
    assert await connection.fetchval("SELECT count(*) FROM audit_logs") == 1
    await connection.close()


async def test_a_database_with_rows_goes_down_and_up_again(
    instance: InstanceInfo, empty_database: str
) -> None:
    """Foreign keys that are made anew are checked against the rows, on the way down too."""
    config = configuration(empty_database)
    await asyncio.to_thread(upgrade, empty_database, "0001")
    connection = await connect(as_superuser(instance, "trial"))
    await fill_first_version(connection)
    for target in ("head", "0001", "head"):
        move = command.downgrade if target == "0001" else command.upgrade
        await asyncio.to_thread(move, config, target)
        kept = [await connection.fetchval(f"SELECT count(*) FROM {table}") for table in FIRST_ROWS]
        assert kept == list(FIRST_ROWS.values()), target
    await connection.close()


FIRST_ROWS = {"users": 2, "classes": 1, "files": 1, "materials": 1, "jobs": 1, "audit_logs": 1}


async def fill_first_version(connection: Any) -> None:
    me, other = "00000000-0000-7000-8000-000000000001", "00000000-0000-7000-8000-000000000002"
    await connection.execute(
        f"""
        INSERT INTO users (id, email, name) VALUES ('{me}', 'a@example.org', 'A'), ('{other}', 'b@example.org', 'B');
        INSERT INTO classes (id, user_id, name, collection_prefix) VALUES ('{me}', '{me}', 'Physics', 'p');
        INSERT INTO files (id, user_id, filename, object_key, size_bytes, sha256) VALUES ('{me}', '{me}', 'f', 'k', 1, 'c');
        INSERT INTO materials (id, user_id, class_id, file_id, title, kind, checksum)
            VALUES ('{me}', '{me}', '{me}', '{me}', 'T', 'text', 'c');
        INSERT INTO jobs (id, user_id, kind, material_id) VALUES ('{me}', '{me}', 'ingest_material', '{me}');
        INSERT INTO audit_logs (id, created_at, user_id, action, surface, arguments, is_success)
            VALUES ('{me}', now(), '{me}', 'x', 'http', '{{}}', true);
        """
    )


async def test_a_child_of_another_owner_stops_the_upgrade(
    instance: InstanceInfo, empty_database: str
) -> None:
    """The keys that bind parent and child to one owner are checked against the rows, which the owner of the tables cannot
    see while row-level security is forced on him."""
    await asyncio.to_thread(upgrade, empty_database, "0001")
    connection = await connect(as_superuser(instance, "trial"))
    await fill_first_version(connection)
    await connection.execute("UPDATE materials SET user_id = (SELECT max(id::text)::uuid FROM users)")
    with pytest.raises(Exception, match="fk_materials_class_id_classes"):
        await asyncio.to_thread(upgrade, empty_database)
    await connection.close()


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
    assert {r["relname"] for r in rows} - {"alembic_version"} == set(Base.metadata.tables)


async def test_every_table_and_column_says_what_it_is(instance: InstanceInfo) -> None:
    connection = await connect(instance.owner_database_url)
    silent = await connection.fetch(
        """SELECT c.relname, a.attname FROM pg_class c LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0
        AND NOT a.attisdropped WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p')
        AND NOT c.relispartition AND c.relname <> 'alembic_version'
        AND (obj_description(c.oid) IS NULL OR col_description(c.oid, a.attnum) IS NULL)"""
    )
    await connection.close()
    assert silent == []


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


async def test_an_account_is_not_deleted_before_it_is_marked(storage: Storage, student: Principal) -> None:
    async with storage.database.transaction(student.user_id) as session:
        connection = await session.connection()
        gone = await connection.exec_driver_sql("DELETE FROM users")
        assert gone.rowcount == 0
        await connection.exec_driver_sql("UPDATE users SET deleted_at = now()")
        gone = await connection.exec_driver_sql("DELETE FROM users")
        assert gone.rowcount == 1


async def test_every_foreign_key_finds_its_rows_by_an_index(instance: InstanceInfo) -> None:
    """Else deleting a parent reads the whole table of its children."""
    connection = await connect(instance.owner_database_url)
    unindexed = await connection.fetch(
        """SELECT k.conname FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid
        WHERE k.contype = 'f' AND NOT c.relispartition AND NOT EXISTS (
            SELECT FROM pg_index i WHERE i.indrelid = k.conrelid AND i.indkey[0] = k.conkey[1] AND i.indpred IS NULL)"""
    )
    await connection.close()
    assert unindexed == []
