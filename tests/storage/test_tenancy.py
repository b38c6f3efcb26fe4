"""Nobody sees or changes what is another's, and everybody sees what they may: the rules, against the policies of the database."""

import json
from typing import Any

import asyncpg
import pytest
from uuid_utils.compat import uuid7

from storage.local.instance import InstanceInfo
from tests.databases import connect
from tests.rows import TABLES
from tests.storage.tenancy import (
    COMES_ALONG,
    PEOPLE,
    World,
    attempt,
    becoming,
    changeable,
    deletable,
    foreign_rows,
    insertable,
    visible,
    wiped,
)

EVERYBODY = (
    *PEOPLE,
    "nobody",
    *(f"visitor of {kind}_id" for kind in ("material", "note", "deck", "test", "document", "course")),
)


@pytest.mark.parametrize("person", EVERYBODY)
async def test_everybody_sees_what_the_rules_say_and_no_more(
    superuser: Any, world: World, person: str
) -> None:
    async with becoming(superuser, world, person):
        for table in TABLES:
            assert await visible(superuser, table) == world.expected(person, table), table


# What may be written beyond one's own rows, and which own rows may not.
WRITTEN_BY_FUNCTIONS = {"class_members", "connections"}
ONLY_ADDED = {"audit_logs"}


@pytest.mark.parametrize("person", EVERYBODY)
async def test_nobody_changes_or_deletes_but_their_own(superuser: Any, world: World, person: str) -> None:
    async with becoming(superuser, world, person):
        for table in TABLES:
            own = world.own(person, table) if person in PEOPLE else set()
            frozen = table in WRITTEN_BY_FUNCTIONS | ONLY_ADDED
            assert await changeable(superuser, table) == (
                set() if frozen and not roles(table, person) else own
            ), table
            assert await wiped(superuser, table) == len(await deletable(superuser, table)), table
            if table == "users":
                assert await deletable(superuser, table) == set(), (
                    "not before the account is marked as deleted"
                )
            elif table == "class_members" and person == "member":
                assert await deletable(superuser, table) == world.own("teacher", table), "a member may leave"
            elif table == "connections" and person == "recipient":
                assert await deletable(superuser, table) == own | world.own("teacher", table), (
                    "either may end it"
                )
            else:
                assert await deletable(superuser, table) == (set() if table in ONLY_ADDED else own), table


def roles(table: str, person: str) -> bool:
    """The owner of a class may change its members' roles."""
    return table == "class_members" and person == "teacher"


@pytest.mark.parametrize("person", ["member", "recipient", "stranger", "nobody", "visitor of note_id"])
async def test_nobody_writes_a_row_in_anothers_name(superuser: Any, world: World, person: str) -> None:
    rows = {table: await foreign_rows(superuser, world, table) for table in TABLES}
    async with becoming(superuser, world, person):
        for table in TABLES:
            assert not await insertable(superuser, table, rows[table]), table


async def test_only_those_who_teach_set_work_for_a_class(superuser: Any, world: World) -> None:
    row = json.loads(await foreign_rows(superuser, world, "assignments"))[0]
    for person, may in (("teacher", True), ("member", False), ("stranger", False)):
        copy = {**row, "id": str(uuid7()), "user_id": str(world.ids[person])}
        async with becoming(superuser, world, person):
            assert await insertable(superuser, "assignments", json.dumps([copy])) is may
            private = {**copy, "for_class": False}
            assert await insertable(superuser, "assignments", json.dumps([private])), "homework of one's own"


async def test_things_are_given_to_classmates_alone(superuser: Any, world: World) -> None:
    row = json.loads(await foreign_rows(superuser, world, "shared_items"))[0]
    async with becoming(superuser, world, "teacher"):
        assert await insertable(superuser, "shared_items", json.dumps([row]))
        for_a_stranger = {**row, "recipient_id": str(world.ids["stranger"])}
        assert not await insertable(superuser, "shared_items", json.dumps([for_a_stranger]))


async def test_what_is_taken_back_is_not_seen_any_more(superuser: Any, world: World) -> None:
    ways = {
        "DELETE FROM class_members": "member",
        "UPDATE classes SET deleted_at = now()": "member",
        "UPDATE notes SET shared_with_class = false, deleted_at = now()": "member",
        "UPDATE connections SET status = 'blocked'": "recipient",
        "DELETE FROM shared_items": "recipient",
        "UPDATE share_links SET revoked_at = now()": "visitor of note_id",
        "UPDATE share_links SET expires_at = now()": "visitor of note_id",
        "UPDATE notes SET deleted_at = now()": "visitor of note_id",
    }
    for statement, person in ways.items():
        outer = superuser.transaction()
        await outer.start()
        await superuser.execute(statement)
        async with becoming(superuser, world, person):
            own = world.own(person, "notes") if person in PEOPLE else set()
            for table in ("notes", "note_sources"):
                own = world.own(person, table) if person in PEOPLE else set()
                assert await visible(superuser, table) == own, statement
        await outer.rollback()


@pytest.mark.parametrize(
    "forged",
    [
        "' OR true --",
        "x",
        "00000000-0000-0000-0000-000000000000",
        "01a1fedb-8e66-77c0-9c58-49bdb09543a6",
        "*",
        "NULL",
    ],
)
async def test_a_forged_setting_opens_nothing(superuser: Any, world: World, forged: str) -> None:
    async with becoming(superuser, world, "nobody"):
        await superuser.fetch(
            "SELECT set_config('lyceum.user_id', $1, true), set_config('lyceum.share_link_id', $1, true)",
            forged,
        )
        for table in TABLES:
            try:
                async with superuser.transaction():
                    assert await visible(superuser, table) == set(), table
            except asyncpg.InvalidTextRepresentationError:
                continue


@pytest.mark.parametrize(
    "statement",
    [
        "SET ROLE lyceum_owner",
        "SET ROLE lyceum_system",
        "SET ROLE postgres",
        "SET SESSION AUTHORIZATION postgres",
        "ALTER TABLE notes DISABLE ROW LEVEL SECURITY",
        "ALTER TABLE notes NO FORCE ROW LEVEL SECURITY",
        "DROP POLICY notes_own ON notes",
        "CREATE POLICY mine ON notes USING (true)",
        "CREATE FUNCTION public.lyceum_sealed_user_id(x int) RETURNS uuid LANGUAGE sql AS 'SELECT NULL::uuid'",
        "SET row_security = off; SELECT * FROM notes",
        "SELECT * FROM seal_keys",
        "SELECT * FROM audit_logs_default",
        "COPY notes TO '/tmp/notes'",
        "TRUNCATE notes",
    ],
)
async def test_the_application_cannot_step_out_of_its_role(
    instance: InstanceInfo, world: World, statement: str
) -> None:
    connection = await connect(instance.database_url.replace("/lyceum?", "/tenancy?"))
    try:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute(statement)
    finally:
        await connection.close()


async def test_every_table_with_an_owner_forces_row_level_security(superuser: Any) -> None:
    """Partitions are reached through their table alone: the application has no rights on them."""
    rows = await superuser.fetch(
        """SELECT c.relname, c.relforcerowsecurity AND c.relrowsecurity AS forced, c.relispartition,
            has_table_privilege('lyceum_app', c.oid, 'SELECT') AS open,
            has_table_privilege('lyceum_app', c.oid, 'TRUNCATE') AS emptied
        FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'user_id'
        WHERE c.relkind IN ('r', 'p') AND c.relnamespace = 'public'::regnamespace"""
    )
    assert len(rows) > 40
    assert not [r["relname"] for r in rows if not r["forced"] and not (r["relispartition"] and not r["open"])]
    assert not [r["relname"] for r in rows if r["emptied"]]


async def test_no_role_of_the_application_bypasses_or_owns(superuser: Any) -> None:
    roles = await superuser.fetch(
        """SELECT rolname, rolsuper, rolbypassrls, rolcreaterole,
            (SELECT count(*) FROM pg_class WHERE relowner = r.oid) AS owned,
            (SELECT count(*) FROM pg_proc WHERE proowner = r.oid) AS functions,
            has_schema_privilege(r.oid, 'public', 'CREATE') AS creates
        FROM pg_roles r WHERE rolname LIKE 'lyceum_%'"""
    )
    facts = {r["rolname"]: r for r in roles}
    assert set(facts) == {"lyceum_owner", "lyceum_app", "lyceum_system", "lyceum_reader"}
    assert not any(r["rolsuper"] or r["rolbypassrls"] or r["rolcreaterole"] for r in roles)
    for name in ("lyceum_app", "lyceum_reader"):
        assert (facts[name]["owned"], facts[name]["functions"], facts[name]["creates"]) == (0, 0, False)
    assert (facts["lyceum_system"]["owned"], facts["lyceum_system"]["creates"]) == (0, False)


async def test_the_reader_of_callers_queries_sees_the_same_rows_without_secrets(
    superuser: Any, world: World
) -> None:
    async with becoming(superuser, world, "member"):
        await superuser.execute("SET LOCAL ROLE lyceum_reader")
        for table in TABLES:
            assert await visible(superuser, table) == world.expected("member", table), table
        for secret in ("password_hash FROM users", "key_hash FROM api_keys", "object_key FROM files",
                       "refresh_hash FROM oauth_grants", "password_hash FROM share_links"):  # fmt: skip
            assert await attempt(superuser, f"SELECT {secret}") == set(), secret


@pytest.mark.parametrize("table", COMES_ALONG)
async def test_ones_own_rows_are_found_without_asking_what_others_share(
    superuser: Any, world: World, table: str
) -> None:
    """PostgreSQL tries the policy that is last by name first; "own" must be that one."""
    async with becoming(superuser, world, "member"):
        plan = await superuser.fetch(
            f"EXPLAIN (ANALYZE, COSTS OFF) SELECT * FROM {table} WHERE user_id = $1", world.ids["member"]
        )
    steps = [row[0] for row in plan if "ProjectSet" in row[0]]
    assert steps
    assert all("never executed" in step for step in steps), plan
