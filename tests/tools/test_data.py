"""The data tools: what they show, how they bound it, and what they say when a query cannot run."""

import asyncio
import time
from typing import Any

import pytest

from storage import database
from storage.errors import InvalidInput, LyceumError, NotFound
from storage.models import Base
from storage.repositories import data
from storage.repositories.data import BUDGET
from storage.resources import Storage
from tests.waiting import SOON
from tests.work import call
from tools.context import Principal
from tools.executor import Executor


async def query(executor: Executor, who: Principal, sql: str, **arguments: Any) -> Any:
    return await call(executor, who, "data_query", query=sql, **arguments)


async def refusal(executor: Executor, who: Principal, sql: str) -> LyceumError:
    with pytest.raises(LyceumError) as caught:
        await query(executor, who, sql)
    return caught.value


async def test_every_table_is_listed_but_the_machinery(executor: Executor, student: Principal) -> None:
    await call(executor, student, "create_class", name="History")
    listed = await call(executor, student, "data_list_tables")
    rows = {item["name"]: (item["rows"], item["counted"]) for item in listed["items"]}
    assert set(Base.metadata.tables) - set(rows) <= {"seal_keys", "upkeep", "oauth_clients"}
    assert (rows["classes"], rows["notes"], rows["users"]) == ((1, "exactly"), (0, "exactly"), (1, "exactly"))
    assert listed["total"] == len(rows)
    assert all(item["description"] for item in listed["items"])


async def test_a_table_is_described_with_a_query_that_works(executor: Executor, student: Principal) -> None:
    await call(executor, student, "create_class", name="History")
    shape = await call(executor, student, "data_describe_table", table="classes")
    columns = {column["name"]: column for column in shape["columns"]}
    assert columns["name"]["type"] == "text"
    assert not columns["name"]["nullable"]
    assert all(column["description"] for column in columns.values())
    assert shape["primary_key"] == "PRIMARY KEY (id)"
    assert any("REFERENCES users(id)" in key for key in shape["foreign_keys"])
    assert any("collection_prefix" in index for index in shape["indexes"] + shape["unique"])
    result = await query(executor, student, shape["example"])
    assert len(result["rows"]) == 1


async def test_every_example_query_runs(executor: Executor, student: Principal) -> None:
    for item in (await call(executor, student, "data_list_tables"))["items"]:
        shape = await call(executor, student, "data_describe_table", table=item["name"])
        assert "rows" in await query(executor, student, shape["example"])


async def test_a_table_that_cannot_be_read_does_not_exist(executor: Executor, student: Principal) -> None:
    for name in ("seal_keys", "pg_authid", "nothing", "classes; drop table classes"):
        with pytest.raises(NotFound, match="data_list_tables"):
            await call(executor, student, "data_describe_table", table=name)


async def test_secrets_are_neither_listed_nor_selectable_and_the_error_names_the_rest(
    executor: Executor, student: Principal
) -> None:
    shape = await call(executor, student, "data_describe_table", table="user_sessions")
    assert {"access_hash", "refresh_hash", "previous_refresh_hash"} == set(shape["hidden_columns"])
    assert "_hash" not in str({**shape, "hidden_columns": []})
    for selected in ("*", "password_hash", "u", "u.*", "row_to_json(u)", "count(u)"):
        error = await refusal(executor, student, f"SELECT {selected} FROM users u")
        assert error.code == "not_readable"
        assert "nobody may read password_hash" in str(error)
        assert "email" in str(error)
    assert (await query(executor, student, "SELECT count(*) FROM users"))["rows"] == [[1]]
    assert (await query(executor, student, "SELECT * FROM classes"))["rows"] == []


async def test_values_come_with_their_types(executor: Executor, student: Principal) -> None:
    result = await query(
        executor,
        student,
        """SELECT 1 AS n, 1.5 AS d, 9007199254740993 AS big, 0.1::float8 AS f, 'NaN'::float8 AS nan, true AS yes, null AS none,
        'ü' AS text, DATE '2026-01-02' AS day, '{"a": [1, {"b": null}]}'::jsonb AS json, ARRAY[1, 2] AS list,
        ROW(1, 'x') AS record, interval '1 day' AS span, '\\x00ff'::bytea AS bytes, 'a' AS text, 12345678901234567890.123 AS exact""",
    )
    names = [(column["name"], column["type"]) for column in result["columns"]]
    assert names[:4] == [("n", "int4"), ("d", "numeric"), ("big", "int8"), ("f", "float8")]
    assert result["rows"] == [
        [
            1, 1.5, "9007199254740993", 0.1, "NaN", True, None, "ü", "2026-01-02", {"a": [1, {"b": None}]}, [1, 2],
            {"f1": 1, "f2": "x"}, "1 day", "\\x00ff", "a", "12345678901234567890.123",
        ]
    ]  # fmt: skip
    assert (result["truncated"], result["note"]) == (False, None)


async def test_too_many_rows_are_cut_and_said(executor: Executor, student: Principal) -> None:
    result = await query(
        executor, student, "SELECT n FROM generate_series(1, 60) n ORDER BY n DESC", limit=10
    )
    assert [row[0] for row in result["rows"]] == list(range(60, 50, -1))
    assert result["truncated"]
    assert "first 10 rows" in result["note"]
    whole = await query(executor, student, "SELECT n FROM generate_series(1, 10) n", limit=10)
    assert (len(whole["rows"]), whole["truncated"]) == (10, False)


async def test_long_values_and_long_answers_are_cut_and_said(executor: Executor, student: Principal) -> None:
    long = "(SELECT string_agg('word', ' ') FROM generate_series(1, 20000))"
    result = await query(executor, student, f"SELECT {long} AS t, to_jsonb({long}) AS j")
    assert [len(value) for value in result["rows"][0]] == [2001, 2001]
    assert "2 values are cut" in result["note"]
    wide = await query(
        executor, student, f"SELECT n, left({long}, 1900) FROM generate_series(1, 300) n", limit=300
    )
    assert 1 < len(wide["rows"]) < 30
    assert sum(len(row[1]) for row in wide["rows"]) <= BUDGET
    assert "too long" in wide["note"]


async def test_json_that_a_client_could_not_read_stays_text(executor: Executor, student: Principal) -> None:
    deep = "[" * 400 + "]" * 400
    result = await query(
        executor,
        student,
        f"""SELECT '{deep}'::json, '"\\ud800"'::json, '[1e999, 12345678901234567890]'::json""",
    )
    assert result["rows"] == [[deep, '"\\ud800"', ["1e999", "12345678901234567890"]]]


@pytest.mark.parametrize(
    ("sql", "code", "words"),
    [
        ("SELECT nme FROM classes", "unknown_column", 'column "nme" does not exist'),
        ("SELECT classes.nam FROM classes", "unknown_column", 'Perhaps you meant to reference the column "classes.name"'),
        ("SELECT 1 FROM clases", "unknown_table", "data_list_tables"),
        ("SELEC 1", "query_syntax", 'near "SELEC"'),
        ("SELECT 1/0", "query_failed", "division by zero"),
        ("SELECT 'x'::int", "query_failed", "invalid input syntax"),
        ("SELECT name, count(*) FROM classes", "query_failed", "GROUP BY"),
        ("SELECT lower(1)", "query_failed", "function lower(integer) does not exist"),
        ("SELECT (SELECT generate_series(1, 2))", "query_failed", "more than one row"),
        ("", "invalid_arguments", "query"),
        ("  ;  ", "query_not_select", "exactly one SELECT"),
        ("SELECT FROM classes", "query_too_wide", "between 1 and 100"),
        ("SELECT " + ", ".join("1" for _ in range(101)), "query_too_wide", "101"),
        ("SELECT 1 -- " + "x" * 10_000, "invalid_arguments", "10000"),
    ],
)  # fmt: skip
async def test_an_error_says_what_to_do(
    executor: Executor, student: Principal, sql: str, code: str, words: str
) -> None:
    error = await refusal(executor, student, sql)
    assert isinstance(error, InvalidInput)
    assert error.code == code
    assert words in str(error)
    assert "Traceback" not in str(error)


async def test_an_endless_query_is_refused_or_stopped_and_says_how_to_go_on(
    executor: Executor, storage: Storage, student: Principal, monkeypatch: pytest.MonkeyPatch
) -> None:
    expensive = await refusal(executor, student, "SELECT * FROM generate_series(1, 1e12)")
    assert (expensive.code, expensive.kind) == ("query_too_expensive", "too_large")
    assert "1,000,000,000,000 rows" in str(expensive)
    monkeypatch.setattr(database, "QUERY_SECONDS", 1)
    endless = "WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t) SELECT count(*) FROM t"
    slow = await refusal(executor, student, endless)
    assert (slow.code, slow.kind) == ("query_too_slow", "too_large")
    assert "WHERE" in str(slow)
    # The same without an end in sight, but with rows from the start: the limit ends it.
    first = "WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t) SELECT n FROM t"
    assert (await query(executor, student, first, limit=3))["rows"] == [[1], [2], [3]]
    async with storage.database.sealed(student.user_id) as connection:
        assert await connection.fetchval("SHOW temp_file_limit") == "256MB"


async def test_nobody_sees_the_rows_of_another(
    executor: Executor, student: Principal, stranger: Principal
) -> None:
    await call(executor, student, "create_class", name="Private")
    own = await query(executor, student, "SELECT name FROM classes")
    assert own["rows"] == [["Private"]]
    for table in (item["name"] for item in (await call(executor, stranger, "data_list_tables"))["items"]):
        if table not in ("users", "audit_logs"):
            assert (await query(executor, stranger, f"SELECT count(*) FROM {table}"))["rows"] == [[0]], table


async def test_ten_queries_at_once_are_all_answered(executor: Executor, student: Principal) -> None:
    results = await asyncio.gather(*(query(executor, student, f"SELECT {n}") for n in range(10)))
    assert [result["rows"][0][0] for result in results] == list(range(10))


async def test_a_caller_who_leaves_takes_the_query_along(
    executor: Executor, storage: Storage, student: Principal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "QUERY_SECONDS", 100)
    monkeypatch.setattr(data, "SECONDS", 100.0)
    endless = "WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t) SELECT count(*) FROM t"
    task = asyncio.create_task(query(executor, student, endless))
    await asyncio.sleep(0.5)
    task.cancel()
    began = time.monotonic()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert time.monotonic() - began < SOON
    assert (await query(executor, student, "SELECT 1"))["rows"] == [[1]]
