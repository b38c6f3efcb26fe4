"""Every policy is needed: each in turn is taken away or opened wide, and the rules must be seen to break."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg

from tests.rows import TABLES
from tests.storage.tenancy import (
    COMES_ALONG,
    RESULTS,
    World,
    becoming,
    foreign_rows,
    less,
    more,
    observe,
    visible,
)

WATCHERS = ("stranger", "member", "teacher", "recipient", "visitor of note_id", "visitor of deck_id")
BY_FUNCTION = (
    "classes",
    "class_members",
    "assignments",
    "connections",
    "shared_items",
    *COMES_ALONG,
    *RESULTS,
)
"""Tables of which somebody sees rows through a function of lyceum_system."""


@asynccontextmanager
async def undone(connection: Any) -> AsyncGenerator[None]:
    transaction = connection.transaction()
    await transaction.start()
    try:
        yield
    finally:
        await transaction.rollback()


async def policies(connection: Any, role: str) -> list[Any]:
    found: list[Any] = await connection.fetch(
        """SELECT tablename, policyname, roles, permissive = 'RESTRICTIVE' AS restrictive, qual, with_check FROM pg_policies
        WHERE roles && ARRAY[$1, 'public']::name[] ORDER BY 1, 2""",
        role,
    )
    return found


async def test_every_policy_for_the_application_is_missed_and_its_opening_noticed(
    superuser: Any, world: World
) -> None:
    unnoticed = []
    copies = {table: await foreign_rows(superuser, world, table) for table in TABLES}
    for table in TABLES:
        before = {who: await observe(superuser, world, who, table, copies[table]) for who in WATCHERS}
        for policy in await policies(superuser, "lyceum_app"):
            if policy["tablename"] != table:
                continue
            name = f"{policy['policyname']} ON {table}"
            breach = more
            mutations = {f"DROP POLICY {name}": more if policy["restrictive"] else less}
            if policy["qual"]:
                mutations[f"ALTER POLICY {name} USING (true)"] = breach
            if policy["with_check"]:
                mutations[f"ALTER POLICY {name} WITH CHECK (true)"] = breach
            for statement, noticed in mutations.items():
                async with undone(superuser):
                    await superuser.execute(statement)
                    for who in WATCHERS:
                        if noticed(before[who], await observe(superuser, world, who, table, copies[table])):
                            break
                    else:
                        unnoticed.append(statement)
    assert unnoticed == []


async def test_every_policy_for_queries_of_callers_alone_is_missed_and_its_opening_noticed(
    superuser: Any, world: World
) -> None:
    async def seen(table: str) -> list[frozenset[Any]]:
        rows = []
        for who in WATCHERS:
            async with becoming(superuser, world, who, "lyceum_reader"):
                rows.append(await visible(superuser, table))
        return rows

    alone = [p for p in await policies(superuser, "lyceum_reader") if p["roles"] == ["lyceum_reader"]]
    assert {policy["tablename"] for policy in alone} == {
        *("chunk_postings", "chunks", "material_segments", "oauth_clients"),
    }
    for policy in alone:
        table, name = policy["tablename"], f"{policy['policyname']} ON {policy['tablename']}"
        before = await seen(table)
        async with undone(superuser):
            await superuser.execute(f"DROP POLICY {name}")
            assert any(a < b for a, b in zip(await seen(table), before, strict=True)), name
        async with undone(superuser):
            await superuser.execute(f"ALTER POLICY {name} USING (true)")
            assert any(a > b for a, b in zip(await seen(table), before, strict=True)), name


async def test_every_policy_for_the_functions_is_missed(superuser: Any, world: World) -> None:
    before = await through_functions(superuser, world)
    assert not [
        question for question in (*QUESTIONS, "joining", "asking", "questions") if not before[question]
    ]
    unnoticed = []
    for policy in await policies(superuser, "lyceum_system"):
        if policy["restrictive"]:
            continue
        assert policy["policyname"] == f"{policy['tablename']}_system"
        async with undone(superuser):
            await superuser.execute(f"DROP POLICY {policy['policyname']} ON {policy['tablename']}")
            if await through_functions(superuser, world) == before:
                unnoticed.append(policy["policyname"])
    assert unnoticed == []


QUESTIONS = {
    "login": "SELECT count(*) FROM users u, lyceum_find_login(u.email)",
    "session": "SELECT count(*) FROM user_sessions s, lyceum_find_refresh(s.refresh_hash)",
    "key": "SELECT count(*) FROM api_keys k, lyceum_find_api_key(k.key_hash)",
    "grant": "SELECT count(*) FROM oauth_grants g, lyceum_find_oauth_code(g.code_hash)",
    "access": "SELECT count(*) FROM oauth_grants g, lyceum_find_oauth_access(g.access_hash)",
    "objects": "SELECT count(*) FROM lyceum_known_objects((SELECT array_agg(object_key) FROM files))",
    "jobs": "SELECT count(*) FROM lyceum_open_jobs(10)",
    "runs": "SELECT count(*) FROM lyceum_stale_runs(10)",
    "audit": "SELECT lyceum_erase_audit((SELECT id FROM users), '{}', '-infinity', 'infinity')",
    "link": "SELECT count(*) FROM share_links l, lyceum_open_share_link(l.code, NULL)",
    "titles": "SELECT array_agg(kind ORDER BY kind) FROM lyceum_similar_titles('title', 100)",
    "classes": "SELECT count(*) FROM lyceum_similar_titles('name', 100)",
    "notes": "SELECT count(*) FROM lyceum_find_notes('title', 'english', 100)",
    "keys": "SELECT count(*) FROM test_attempts a, lyceum_attempt_keys(a.id)",
    "silent": "SELECT count(*) FROM lyceum_silent_students(now())",
    "ungraded": "SELECT count(*) FROM lyceum_ungraded_attempts(0, 10)",
    "names": "SELECT lyceum_names((SELECT array_agg(recipient_id) FROM shared_items))",
}
"""Asked as the teacher, whose rows the functions of lyceum_system are to find."""


HANDED_IN = """
    UPDATE test_attempts a SET test_id = (SELECT id FROM tests t WHERE t.user_id = a.user_id LIMIT 1),
        submitted_at = now() - interval '1 hour', graded_at = NULL;
    UPDATE attempt_answers r SET question_id = (SELECT q.id FROM test_questions q JOIN test_attempts a ON a.test_id = q.test_id
        WHERE a.id = r.attempt_id LIMIT 1)
"""
"""Each has an attempt at a test of their own that waits for its grade."""


async def through_functions(connection: Any, world: World) -> dict[str, Any]:
    answers: dict[str, Any] = {}
    async with undone(connection):
        await connection.execute(
            "UPDATE jobs SET status = 'queued'; UPDATE study_sessions SET status = 'active', started_at = now() - interval '1 day';"
            " UPDATE runs SET status = 'running', heartbeat_at = now() - interval '1 day';"
            " UPDATE oauth_grants SET access_hash = code_hash, access_expires_at = now() + interval '1 hour', revoked_at = NULL"
        )
        await connection.execute(HANDED_IN)
        for who in ("teacher", "member", "recipient"):
            async with becoming(connection, world, who):
                for table in BY_FUNCTION:
                    answers[f"{table} of {who}"] = await visible(connection, table)
        for name, question in QUESTIONS.items():
            async with undone(connection):
                if name == "audit":
                    await connection.execute("UPDATE users SET deleted_at = now()")
                answers[name] = await answer(connection, world, "teacher", question)
        me = world.ids["stranger"]
        answers["joining"] = await answer(
            connection, world, "stranger", "SELECT outcome FROM lyceum_join_class($1, $2)", me, world.code
        )
        asking = "SELECT lyceum_request_connection($1, $2, 'hello')"
        questions = "SELECT count(*) FROM tests t, lyceum_shared_questions(t.id)"
        answers["questions"] = await answer(connection, world, "member", questions)
        answers["asking"] = await answer(connection, world, "stranger", asking, me, world.teachers_email)
    return answers


async def answer(connection: Any, world: World, who: str, question: str, *arguments: Any) -> Any:
    try:
        async with becoming(connection, world, who):
            return await connection.fetchval(question, *arguments)
    except asyncpg.InsufficientPrivilegeError:
        return "refused"
