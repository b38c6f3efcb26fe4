"""Attacks on data_query: what the grammar check refuses, and what the database refuses when that check is gone."""

import asyncio
import time
from dataclasses import dataclass
from uuid import UUID

import psutil
import pytest

from storage import database
from storage.errors import InvalidInput, LyceumError
from storage.local.instance import InstanceInfo
from storage.repositories.data import reading
from storage.resources import Storage
from tests.databases import connect
from tests.test_strangers import WAYS_IN, Surfaces, surfaces
from tests.tools.test_data import query
from tests.waiting import SOON
from tests.work import call
from tools.context import Principal
from tools.data.statement import read_statement
from tools.executor import Executor

__all__ = ["surfaces"]

FORGE = "set_config('lyceum.user_id', '00000000-0000-0000-0000-000000000001', true)"

REFUSED = [
    # Other statements
    "INSERT INTO classes (name) VALUES ('x')",
    "UPDATE classes SET name = 'x'",
    "DELETE FROM classes",
    "TRUNCATE classes",
    "DROP TABLE classes",
    "MERGE INTO classes c USING classes d ON c.id = d.id WHEN MATCHED THEN DELETE",
    "COPY classes TO '/tmp/x'",
    "COPY (SELECT 1) TO PROGRAM 'id'",
    "DO $$ BEGIN PERFORM pg_sleep(9); END $$",
    "CALL something()",
    "EXPLAIN SELECT 1",
    "EXPLAIN ANALYZE DELETE FROM classes",
    "SET ROLE lyceum_app",
    "RESET ALL",
    "SET SESSION AUTHORIZATION postgres",
    "BEGIN",
    "COMMIT",
    "ROLLBACK",
    "LISTEN x",
    "NOTIFY x",
    "LOCK TABLE classes",
    "VACUUM",
    "ANALYZE",
    "DECLARE c CURSOR WITH HOLD FOR SELECT 1",
    "FETCH ALL FROM c",
    "PREPARE p AS SELECT 1",
    "EXECUTE p",
    "DISCARD ALL",
    "LOAD 'x'",
    "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'",
    "CREATE TABLE t AS SELECT 1",
    "GRANT ALL ON classes TO PUBLIC",
    "ALTER ROLE lyceum_app SUPERUSER",
    "SHOW ALL",
    # Several statements
    "SELECT 1; DROP TABLE classes",
    "SELECT 1; SELECT 2",
    "SELECT 1;/* */ -- x\n;SELECT 2",
    "; SELECT 1; DELETE FROM classes",
    "SELECT 1) AS q; DROP TABLE classes; --",
    "SELECT 1) AS q(c0) UNION SELECT (1",
    # SELECT that does more than select
    "SELECT * INTO t FROM classes",
    "SELECT * INTO TEMP t FROM classes",
    "SELECT name FROM classes FOR UPDATE",
    "SELECT name FROM classes FOR KEY SHARE SKIP LOCKED",
    "SELECT * FROM (SELECT name FROM classes FOR UPDATE) x",
    "WITH x AS (DELETE FROM classes RETURNING *) SELECT * FROM x",
    "WITH x AS (INSERT INTO classes (name) VALUES ('x') RETURNING 1) SELECT * FROM x",
    "WITH a AS (WITH b AS (UPDATE classes SET name = 'x' RETURNING 1) SELECT * FROM b) SELECT * FROM a",
    "SELECT (WITH x AS (DELETE FROM classes RETURNING 1) SELECT 1)",
    # Being somebody else
    f"SELECT {FORGE}",
    f"WITH x AS MATERIALIZED (SELECT {FORGE} s) SELECT name FROM x, LATERAL (SELECT * FROM classes WHERE s <> '') c",
    f"SELECT name FROM classes WHERE pg_catalog.{FORGE} <> ''",
    "SELECT SET_CONFIG('role', 'none', true)",
    "SELECT \"set_config\"('role', 'none', true)",
    "SELECT U&\"\\0073et_config\"('role', 'none', true)",
    "SELECT U&\"!0073et_config\" UESCAPE '!' ('role', 'none', true)",
    "SELECT/**/set_config/**/('role','none',true)",
    "SELECT pg_catalog . set_config('role', 'none', true)",
    "SELECT current_setting('lyceum.seal')",
    "SELECT lyceum_seal('00000000-0000-0000-0000-000000000001')",
    "SELECT * FROM lyceum_find_login('x@example.org')",
    "SELECT * FROM lyceum_open_jobs(100)",
    # SQL handed over as text
    "SELECT query_to_xml('SELECT 1', true, true, '')",
    "SELECT table_to_xml('users', true, true, '')",
    "SELECT database_to_xml(true, true, '')",
    "SELECT * FROM ts_stat('SELECT to_tsvector(name) FROM users')",
    "SELECT ts_rewrite('a'::tsquery, 'SELECT 1, 2')",
    "SELECT * FROM dblink('dbname=lyceum', 'SELECT 1') AS t(a int)",
    "SELECT * FROM crosstab('SELECT 1, 2, 3') AS t(a int)",
    # Files, sleep, locks, other sessions, sequences, large objects
    "SELECT pg_read_file('/etc/passwd')",
    "SELECT pg_read_binary_file('PG_VERSION')",
    "SELECT * FROM pg_ls_dir('.')",
    "SELECT pg_stat_file('PG_VERSION')",
    "SELECT lo_import('/etc/passwd')",
    "SELECT lo_export(1, '/tmp/x')",
    "SELECT pg_sleep(10)",
    "SELECT * FROM pg_sleep_for('1 hour')",
    "SELECT pg_advisory_lock(1)",
    "SELECT pg_terminate_backend(1)",
    "SELECT pg_cancel_backend(1)",
    "SELECT pg_reload_conf()",
    "SELECT pg_notify('x', 'y')",
    "SELECT nextval('x')",
    "SELECT pg_export_snapshot()",
    "SELECT txid_current()",
    "SELECT pg_logical_emit_message(true, 'x', 'y')",
    "SELECT pg_get_functiondef(1)",
    # Catalogues
    "SELECT * FROM pg_authid",
    "SELECT rolpassword FROM pg_catalog.pg_authid",
    "TABLE pg_stat_activity",
    "SELECT * FROM information_schema.columns",
    'SELECT * FROM "pg_class"',
    'SELECT * FROM U&"\\0070g_class"',
    "SELECT * FROM lyceum.pg_catalog.pg_settings",
    "SELECT * FROM pg_toast.x",
    "WITH pg_authid AS (SELECT 1) SELECT * FROM pg_authid",
    "SELECT * FROM (WITH pg_roles AS (SELECT 1) SELECT 1) a, pg_roles",
    "SELECT 'users'::regclass",
    "SELECT CAST('pg_sleep' AS regproc)",
    "SELECT 1::regrole::text",
    "SELECT '{users}'::regclass[]",
    "SELECT NULL::users",
    # Large out of small
    "SELECT repeat('x', 1000000000)",
    "SELECT lpad('x', 1000000000)",
    "SELECT rpad('x', n) FROM generate_series(1, 9) n",
    "SELECT format('%1000000000s', 'x')",
    "SELECT array_fill(0, ARRAY[1000000000])",
    "SELECT 'x'::char(10000000)",
    "SELECT b'1'::bit(80000000)",
    "SELECT CAST('x' AS bpchar(10000000))",
    # XML and parameters
    "SELECT xmlparse(document '<!DOCTYPE a [<!ENTITY x SYSTEM \"file:///etc/passwd\">]><a>&x;</a>')",
    "SELECT xmlelement(name a)",
    "SELECT * FROM XMLTABLE('/a' PASSING '<a/>' COLUMNS b int)",
    "SELECT $1",
    "SELECT * FROM classes TABLESAMPLE BERNOULLI (1)",
    "SELECT * FROM classes WHERE CURRENT OF c",
]


@pytest.mark.parametrize("sql", REFUSED)
def test_the_grammar_check_refuses(sql: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        read_statement(sql)
    assert caught.value.code in ("query_not_allowed", "query_not_select", "query_syntax")
    assert str(caught.value).endswith(".")


ODD_BUT_FINE = [
    "VALUES (1), (2)",
    "TABLE classes",
    "SELECT 1;",
    "/* a /* nested */ comment */ SELECT 1 -- and one at the end",
    "SELECT $$ ; DROP TABLE classes; -- $$",
    "SELECT 'it''s; \\', E'\\'; --'",
    "(SELECT 1) UNION ALL (SELECT 2) ORDER BY 1",
    "SELECT 1 AS \"select\"; -- ü",
    "WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t WHERE n < 5) SELECT sum(n) FROM t",
    "WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t) SELECT n FROM t",
    "SELECT c.name, row_number() OVER (PARTITION BY c.subject ORDER BY c.created_at) FROM classes c",
    "SELECT count(*) FILTER (WHERE name ILIKE '%a%'), percentile_cont(0.5) WITHIN GROUP (ORDER BY length(name)) FROM classes",
    "SELECT extract(year FROM now()), date_trunc('day', now()) AT TIME ZONE 'UTC', now() - interval '1 day'",
    "SELECT substring('abc' FROM 2 FOR 1), trim(both ' ' from ' a '), position('a' IN 'ba'), overlay('abc' placing 'x' from 1)",
    "SELECT j.key, j.value FROM users, jsonb_each(preferences) AS j",
    "SELECT * FROM jsonb_to_recordset('[{\"a\": 1}]') AS t(a int, b text)",
    "SELECT name % 'histry', similarity(name, 'histry') FROM classes",
    "SELECT to_tsvector('english', 'cats') @@ plainto_tsquery('english', 'cat')",
    "SELECT c.name, m.title FROM classes c LEFT JOIN materials m ON m.class_id = c.id WHERE c.id = ANY (ARRAY(SELECT id FROM classes))",
    "SELECT subject, grouping(subject), count(*) FROM classes GROUP BY ROLLUP (subject)",
    "SELECT lpad(name, 20, '.'), 1.234::numeric(10, 2), 'x'::varchar(5) FROM classes",
    "SELECT ARRAY[1, 2] || 3, (ARRAY[[1, 2], [3, 4]])[1:2][1], '{1,2}'::int[]",
    "SELECT current_date, localtimestamp, current_user",
    "SELECT CASE WHEN true THEN 'a' ELSE 'b' END, coalesce(null, 1), nullif(1, 1), greatest(1, 2)",
]  # fmt: skip


@pytest.mark.parametrize("sql", ODD_BUT_FINE)
async def test_what_is_only_odd_runs(executor: Executor, student: Principal, sql: str) -> None:
    assert "rows" in await query(executor, student, sql)


@dataclass(frozen=True)
class Victim:
    who: Principal
    email: str


@pytest.fixture
async def victim(storage: Storage, executor: Executor, stranger: Principal) -> Victim:
    await call(executor, stranger, "create_class", name="Diary")
    async with storage.as_user(stranger.user_id) as db:
        await db.accounts.set_password("hash-of-the-victim")
        return Victim(stranger, (await db.accounts.me()).email)


async def unchecked(storage: Storage, user_id: UUID, sql: str) -> str:
    """What a query gives when nobody reads it first: the database alone guards."""
    try:
        async with reading(storage.database, user_id) as reader:
            return str((await reader.select(sql, [], 20)).rows)
    except LyceumError as error:
        return f"{error.code}: {error}"


NESTED = [
    "(SELECT string_agg(word, ' ') FROM ts_stat('{sql}'))",
    "query_to_xml('{sql}', true, false, '')::text",
]


async def test_without_the_check_the_database_still_shows_only_own_rows(
    storage: Storage, student: Principal, victim: Victim
) -> None:
    become = f"set_config('lyceum.user_id', '{victim.who.user_id}', true)"
    names = "SELECT array_to_tsvector(array_agg(name)) FROM classes"
    nested = [
        f"WITH x(s, r) AS MATERIALIZED (SELECT {change}, set_config('role', 'none', true)) SELECT {run.format(sql=names)}"
        " FROM x WHERE s || r <> ''"
        for run in NESTED
        for change in (become, f"{become} || set_config('lyceum.seal', '', true)")
    ]
    attacks = [
        f"WITH x AS MATERIALIZED (SELECT {become} s) SELECT c.name FROM x, LATERAL (SELECT name FROM classes WHERE s <> '') c",
        f"SELECT name FROM classes WHERE {become} <> ''",
        f"SELECT name FROM (SELECT {become} OFFSET 0) x(s) CROSS JOIN classes",
        *nested,
    ]
    for sql in attacks:
        assert "Diary" not in await unchecked(storage, student.user_id, sql), sql
    # For the victim herself the same queries find it, so they are not merely wrong.
    for sql in (attacks[0], attacks[1], nested[0]):
        assert "Diary" in await unchecked(storage, victim.who.user_id, sql), sql


async def test_without_the_check_nobody_can_sign_as_somebody_else(
    storage: Storage, student: Principal, victim: Victim
) -> None:
    sign = f"SELECT array_to_tsvector(ARRAY[lyceum_seal(''{victim.who.user_id}'')])"
    answers = [
        await unchecked(storage, student.user_id, f"SELECT lyceum_seal('{victim.who.user_id}')"),
        await unchecked(storage, student.user_id, "SELECT key FROM seal_keys"),
        await unchecked(
            storage,
            student.user_id,
            f"WITH x(s) AS MATERIALIZED (SELECT set_config('role', 'none', true)) SELECT {NESTED[0].format(sql=sign)} FROM x WHERE s <> ''",
        ),
    ]
    assert "nobody may read" in answers[0]
    assert "nobody may read" in answers[1]
    assert "nobody may read" in answers[2]


@pytest.mark.parametrize("change", ["transaction_deferrable", "transaction_read_only", "temp_file_limit"])
async def test_without_the_check_nobody_leaves_the_sealed_mode(
    storage: Storage, student: Principal, change: str
) -> None:
    for value in ("'off'", "'-1'", "NULL"):
        answer = await unchecked(storage, student.user_id, f"SELECT set_config('{change}', {value}, true)")
        assert answer.startswith(("query_failed", "not_readable")), answer


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT password_hash FROM users",
        "SELECT * FROM lyceum_find_login('{email}')",
        "SELECT * FROM lyceum_open_jobs(10)",
        "SELECT rolpassword FROM pg_authid",
        "SELECT pg_read_file('PG_VERSION')",
        "SELECT lo_import('/etc/passwd')",
        "WITH x(s) AS MATERIALIZED (SELECT set_config('role', 'none', true)) SELECT (SELECT string_agg(word, ' ') FROM ts_stat("
        "'SELECT array_to_tsvector(array_agg(password_hash)) FROM lyceum_find_login(''{email}'')')) FROM x WHERE s <> ''",
    ],
)
async def test_without_the_check_secrets_and_files_stay_closed(
    storage: Storage, student: Principal, victim: Victim, sql: str
) -> None:
    answer = await unchecked(storage, student.user_id, sql.format(email=victim.email))
    assert answer.startswith("not_readable") or answer == "[[None]]"
    assert "hash-of" not in answer


async def test_what_a_query_sets_is_gone_afterwards(storage: Storage, student: Principal) -> None:
    for name in ("lyceum.user_id", "lyceum.seal", "lyceum.changes"):
        await unchecked(storage, student.user_id, f"SELECT set_config('{name}', 'left behind', false)")
    for _ in range(5):
        async with reading(storage.database, student.user_id) as reader:
            assert (await reader.select("SELECT count(*) FROM users", [], 1)).rows == [[1]]
        async with storage.as_user(student.user_id) as db:
            assert (await db.accounts.me()).id == student.user_id


async def test_a_seal_fits_only_its_own_user(storage: Storage, student: Principal, victim: Victim) -> None:
    async with storage.database.sealed(student.user_id) as connection:
        await connection.execute(f"SET LOCAL lyceum.user_id = '{victim.who.user_id}'")
        assert await connection.fetchval("SELECT count(*) FROM users") == 0


BOMBS = [
    "SELECT * FROM generate_series(1, 1e12)",
    "SELECT generate_series(1, 1000000000000)",
    "SELECT count(*) FROM generate_series(1, (SELECT 1000000000000))",
    "SELECT * FROM generate_series(1, (SELECT 1000000000000)) LIMIT 1",
    "SELECT count(*) FROM generate_series(1, 30000) a, generate_series(1, 30000) b",
    "WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t) SELECT count(*) FROM t",
    "WITH RECURSIVE t(n) AS (SELECT 1 UNION SELECT n + 1 FROM t) SELECT max(n) FROM t",
    "WITH RECURSIVE t(s) AS (SELECT 'xxxxxxxx' UNION ALL SELECT s || s FROM t) SELECT length(s) FROM t",
    "WITH RECURSIVE t(s) AS (SELECT ARRAY[1] UNION ALL SELECT s || s FROM t) SELECT cardinality(s) FROM t",
    "WITH RECURSIVE t(s) AS (SELECT '1'::jsonb UNION ALL SELECT jsonb_build_array(s, s) FROM t) SELECT max(length(s::text)) FROM t",
    "SELECT array_agg(n) FROM generate_series(1, (SELECT 1000000000)) n",
    "SELECT string_agg('xxxxxxxxxxxxxxxxxxxx', '') FROM generate_series(1, (SELECT 1000000000)) n",
    "SELECT jsonb_agg(n) FROM generate_series(1, (SELECT 1000000000)) n",
    "SELECT ARRAY(SELECT n FROM generate_series(1, (SELECT 1000000000)) n)",
    "SELECT replace(replace(replace(string_agg('x', ''), 'x', 'xxxxxxxxxx'), 'x', 'xxxxxxxxxxxxxxxxxxxx'), 'x', 'xxxxxxxxxxxxxxxxxxxx')"
    " FROM generate_series(1, 1000000)",
    "SELECT regexp_replace(string_agg('a', ''), '(a+)+$', 'b') FROM generate_series(1, 1000000)",
    "SELECT 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!' ~ '^(a|aa|a?a)*(\\1)*$'",
    "SELECT count(*) FROM users a, users b, generate_series(1, 100000) c GROUP BY CUBE (a.id, a.email, a.name, a.language, a.timezone, c)",
    "SELECT power(10::numeric, 100000) ^ 2, exp(5999::numeric), ln(power(7::numeric, 100000))",
    "SELECT n FROM generate_series(1, (SELECT 100000000)) n ORDER BY md5(n::text)",
    "SELECT distinct md5(n::text) FROM generate_series(1, (SELECT 100000000)) n",
    "SELECT " + "(" * 4900 + "1" + ")" * 4900,
    "SELECT 1" + " + 1" * 2400,
    "SELECT " + "-(" * 3000 + "1" + ")" * 3000,
    "SELECT " + "array[" * 1400 + "1" + "]" * 1400,
    "SELECT 1" + " UNION SELECT 1" * 600,
    "SELECT 1" + " WHERE true" + " AND true" * 1000,
    "SELECT count(*) FROM " + ", ".join(f"users a{n}" for n in range(300)),
]  # fmt: skip


def memory_of_postgres(instance: InstanceInfo) -> int:
    """Private bytes of the largest PostgreSQL process of the tests."""
    largest = 0
    for process in psutil.process_iter(["name", "cwd"]):
        if process.info["name"] == "postgres" and str(instance.data_dir) in str(process.info["cwd"]):
            try:
                memory = process.memory_info()
            except psutil.NoSuchProcess:
                continue
            largest = max(largest, memory.rss - memory.shared)
    return largest


@pytest.mark.parametrize("sql", BOMBS, ids=lambda sql: sql[:60])
async def test_a_bomb_ends_in_time_and_memory(
    executor: Executor, instance: InstanceInfo, student: Principal, sql: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "QUERY_SECONDS", 1)
    began, own = time.monotonic(), psutil.Process().memory_info().rss
    task = asyncio.create_task(attempt(executor, student, sql))
    peak = 0
    while not task.done():
        await asyncio.sleep(0.1)
        peak = max(peak, await asyncio.to_thread(memory_of_postgres, instance))
    await task
    assert time.monotonic() - began < SOON
    assert peak < 600 << 20
    assert psutil.Process().memory_info().rss - own < 50 << 20
    assert (await query(executor, student, "SELECT 1"))["rows"] == [[1]]


async def attempt(executor: Executor, who: Principal, sql: str) -> str:
    try:
        return str(await query(executor, who, sql))[:200]
    except LyceumError as error:
        return f"{error.code}: {error}"


WORST = [
    f"WITH x AS MATERIALIZED (SELECT {FORGE} s) SELECT name FROM x, LATERAL (SELECT * FROM classes WHERE s <> '') c",
    "SELECT 1; DROP TABLE classes",
    "SELECT password_hash FROM users",
    "SELECT pg_read_file('/etc/passwd')",
    "SELECT * FROM lyceum_find_login('x@example.org')",
    "WITH x AS (DELETE FROM classes RETURNING *) SELECT * FROM x",
    "SELECT * FROM generate_series(1, 1e12)",
    "SELECT repeat('x', 1000000000)",
    "SELECT nothing FROM nowhere",
]


@pytest.mark.parametrize("way_in", WAYS_IN)
async def test_the_worst_are_refused_on_every_surface(
    surfaces: Surfaces, new_user: Principal, way_in: str
) -> None:
    for sql in WORST:
        answer = await getattr(surfaces, way_in)(new_user, "data_query", {"query": sql})
        assert '"rows"' not in answer.text, sql
        assert "Traceback" not in answer.text
        assert "asyncpg" not in answer.text
    fine = await getattr(surfaces, way_in)(
        new_user, "data_query", {"query": "SELECT count(*) AS people FROM users"}
    )
    assert "people" in fine.text


async def test_the_reader_may_write_nothing_and_read_no_secret(instance: InstanceInfo) -> None:
    connection = await connect(instance.owner_database_url)
    try:
        writable = await connection.fetch(
            "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p', 'v', 'S') AND"
            " (has_table_privilege('lyceum_reader', oid, 'INSERT, UPDATE, DELETE, TRUNCATE')"
            " OR has_any_column_privilege('lyceum_reader', oid, 'INSERT, UPDATE'))"
        )
        secret = await connection.fetch(
            "SELECT attrelid::regclass || '.' || attname FROM pg_attribute JOIN pg_class c ON c.oid = attrelid"
            " WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') AND attnum > 0 AND NOT attisdropped"
            " AND has_column_privilege('lyceum_reader', attrelid, attnum, 'SELECT')"
            " AND attname ~ '(hash|password|secret|object_key)'"
        )
        lookups = await connection.fetch(
            "SELECT proname FROM pg_proc p WHERE pronamespace = 'public'::regnamespace AND prosecdef"
            " AND has_function_privilege('lyceum_reader', p.oid, 'EXECUTE') AND pronargs > 0"
        )
    finally:
        await connection.close()
    assert [row[0] for row in [*writable, *secret, *lookups]] == []
