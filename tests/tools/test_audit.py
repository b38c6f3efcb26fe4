"""The audit trail: who, what, when, from where, what changed, how it ended; for a year and more ahead."""

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg
import pytest
from pydantic import BaseModel
from sqlalchemy import select, text

from storage.clock import SystemClock
from storage.errors import Conflict, Forbidden, InvalidInput, LyceumError, Unavailable
from storage.local.instance import InstanceInfo
from storage.models import AuditLog, Class
from storage.repositories.audit import make_partitions
from storage.resources import Storage
from tests.databases import connect
from tests.tools.test_data import query
from tests.work import call
from tools.audit import auditable
from tools.catalog import CATALOG
from tools.context import Principal, ToolContext
from tools.executor import Executor
from tools.spec import Effect, Input, NoInput, ToolSpec, tool

STEP_DONE = asyncio.Event()


class Done(BaseModel):
    done: bool = True


class Words(Input):
    words: str = ""
    password: str = ""


async def make_class(ctx: ToolContext, name: str) -> Class:
    now = ctx.now()
    row = Class(id=ctx.new_id(), user_id=ctx.principal.user_id, name=name, created_at=now, updated_at=now)
    async with ctx.storage.as_user(ctx.principal.user_id) as db:
        await db.classes.add(row)
    return row


@tool(effect=Effect.WRITE, toolset="classes")
async def break_down(ctx: ToolContext, args: Words) -> Done:
    """Has a bug."""
    raise ZeroDivisionError(args.words)


@tool(effect=Effect.WRITE, toolset="classes")
async def change_nothing(ctx: ToolContext, args: Words) -> Done:
    """Finds nothing to do."""
    return Done()


@tool(effect=Effect.WRITE, toolset="classes", own_transaction=True)
async def stop_half_way(ctx: ToolContext, args: NoInput) -> Done:
    """Commits one step and fails in the next."""
    await make_class(ctx, "First step")
    raise Conflict("The second step failed.", code="no_second_step")


@tool(effect=Effect.WRITE, toolset="classes", own_transaction=True)
async def take_long(ctx: ToolContext, args: NoInput) -> Done:
    """Commits a step, then goes on for long."""
    await make_class(ctx, "Kept")
    STEP_DONE.set()
    await asyncio.sleep(60)
    return Done()


@tool(effect=Effect.WRITE, toolset="classes")
async def change_many(ctx: ToolContext, args: NoInput) -> Done:
    """Changes more rows than the trail keeps."""
    now = ctx.now()
    for n in range(300):
        row = Class(
            id=ctx.new_id(), user_id=ctx.principal.user_id, name=f"c{n}", created_at=now, updated_at=now
        )
        await ctx.db.classes.add(row)
    return Done()


def door(storage: Storage, *specs: ToolSpec) -> Executor:
    return Executor({spec.name: spec for spec in specs}, storage)


async def trail(storage: Storage, who: Principal) -> list[AuditLog]:
    async with storage.database.transaction(who.user_id, read_only=True) as session:
        return list(
            (await session.scalars(select(AuditLog).order_by(AuditLog.created_at, AuditLog.id))).all()
        )


async def test_old_and_new_values_of_the_changed_row_are_kept(
    storage: Storage, executor: Executor, student: Principal
) -> None:
    made = await call(executor, student, "create_class", name="History", teacher_name="Ms Gray")
    await call(executor, student, "update_class", class_id="History", subject="Rome", teacher_name="Mr Blue")
    await call(executor, student, "delete_class", class_id="History")
    created, changed, deleted = await trail(storage, student)
    key = made["id"]
    assert created.old_values is None
    assert created.new_values is not None
    assert created.new_values["classes"][key]["name"] == "History"
    assert changed.old_values == {"classes": {key: {"teacher_name": "Ms Gray"}}}
    assert changed.new_values == {"classes": {key: {"teacher_name": "Mr Blue", "subject": "Rome"}}}
    assert deleted.new_values is not None
    assert list(deleted.new_values["classes"][key]) == ["deleted_at"]
    for row in (created, changed, deleted):
        assert (row.entity_type, str(row.entity_id), row.is_success, row.error_code) == (
            "classes",
            key,
            True,
            None,
        )


async def test_a_tool_with_transactions_of_its_own_is_in_the_trail_too(
    storage: Storage, executor: Executor, student: Principal
) -> None:
    await call(executor, student, "create_class", name="History")
    taken = await call(executor, student, "add_text", class_id="History", title="Rome", text="word " * 200)
    rows = [row for row in await trail(storage, student) if row.action == "add_text"]
    assert [row.entity_type for row in rows] == ["files", "materials"]
    assert str(rows[1].entity_id) == taken["material_id"]
    assert rows[1].new_values is not None
    assert set(rows[1].new_values) == {"materials", "jobs"}
    assert all(len(row.arguments["text"]) == 200 for row in rows)


async def test_no_secret_gets_into_the_trail(
    storage: Storage, executor: Executor, student: Principal
) -> None:
    key = await call(executor, student, "create_api_key", name="laptop", scopes=["*:read"])
    async with storage.as_user(student.user_id) as db:
        await db.accounts.set_password("a-hash")
    await door(storage, change_nothing).call("change_nothing", {"password": "hunter2"}, student)
    with pytest.raises(InvalidInput):
        await door(storage, change_nothing).call(
            "change_nothing", {"Old_Password": "hunter2", "x": 1}, student
        )
    await call(executor, student, "update_profile", name="Ada")
    rows = await trail(storage, student)
    everything = str([(row.arguments, row.old_values, row.new_values, row.error_message) for row in rows])
    assert rows[0].new_values is not None
    assert "key_hash" not in everything
    assert "hunter2" not in everything
    assert "a-hash" not in everything
    assert not any(
        value in everything
        for value in key.values()
        if isinstance(value, str) and len(value) > 30 and "-" not in value
    )
    assert "Ada" in everything


async def test_where_a_call_came_from_is_kept(
    storage: Storage, executor: Executor, student: Principal
) -> None:
    session_id, key_id = storage.clock.new_id(), storage.clock.new_id()
    caller = replace(
        student,
        surface="mcp",
        session_id=session_id,
        key_id=key_id,
        ip_address="192.0.2.7",
        user_agent="x" * 1000,
    )
    began = datetime.now(UTC)
    await call(executor, caller, "create_class", name="History")
    (row,) = await trail(storage, student)
    assert (row.surface, row.ip_address, row.session_id, row.key_id) == (
        "mcp",
        "192.0.2.7",
        session_id,
        key_id,
    )
    assert len(row.user_agent or "") == 300
    assert began <= row.created_at <= datetime.now(UTC)
    assert row.user_id == student.user_id


@pytest.mark.parametrize(
    ("arguments", "scopes", "code"),
    [
        ({"name": "History"}, {"*:read"}, "missing_scope"),
        ({"name": ""}, {"*"}, "invalid_arguments"),
        ({"name": "nul\0", "more": "\ud800"}, {"*"}, "invalid_arguments"),
        ({"name": "Taken"}, {"*"}, "class_exists"),
    ],
)
async def test_a_failed_call_is_kept_with_its_code(
    storage: Storage,
    executor: Executor,
    student: Principal,
    arguments: dict[str, Any],
    scopes: set[str],
    code: str,
) -> None:
    await call(executor, student, "create_class", name="Taken")
    with pytest.raises((Forbidden, InvalidInput, Conflict)) as caught:
        await executor.call("create_class", arguments, replace(student, scopes=frozenset(scopes)))
    row = (await trail(storage, student))[-1]
    assert caught.value.code == row.error_code
    assert code in (row.error_code, "class_exists")
    assert (row.is_success, row.action, row.old_values, row.new_values) == (False, "create_class", None, None)
    assert row.error_message


async def test_a_bug_is_kept_as_a_failure_without_its_details(storage: Storage, student: Principal) -> None:
    with pytest.raises(ZeroDivisionError):
        await door(storage, break_down).call("break_down", {"words": "x"}, student)
    (row,) = await trail(storage, student)
    assert (row.is_success, row.error_code) == (False, "internal_error")
    assert "ZeroDivision" not in (row.error_message or "")


async def test_a_call_that_changed_nothing_is_kept_too(storage: Storage, student: Principal) -> None:
    await door(storage, change_nothing).call("change_nothing", {"words": "w"}, student)
    (row,) = await trail(storage, student)
    assert (row.is_success, row.new_values, row.arguments) == (True, None, {"words": "w"})


async def test_a_tool_that_fails_half_way_leaves_what_it_did_and_why_it_stopped(
    storage: Storage, student: Principal
) -> None:
    with pytest.raises(Conflict):
        await door(storage, stop_half_way).call("stop_half_way", {}, student)
    done, failed = await trail(storage, student)
    assert (done.entity_type, done.is_success) == ("classes", True)
    assert "First step" in str(done.new_values)
    assert (failed.is_success, failed.error_code) == (False, "no_second_step")


async def test_a_call_that_is_cancelled_leaves_what_it_did(storage: Storage, student: Principal) -> None:
    task = asyncio.create_task(door(storage, take_long).call("take_long", {}, student))
    await STEP_DONE.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    (row,) = await trail(storage, student)
    assert "Kept" in str(row.new_values)


async def test_very_many_changes_are_cut_and_said(storage: Storage, student: Principal) -> None:
    await door(storage, change_many).call("change_many", {}, student)
    (row,) = await trail(storage, student)
    assert row.new_values is not None
    assert row.new_values["more"] is True
    assert 10 < len(row.new_values["classes"]) < 300
    assert len(str(row.new_values)) < 40_000


async def test_a_read_and_a_change_outside_a_call_leave_nothing(
    storage: Storage, executor: Executor, student: Principal
) -> None:
    async with storage.as_user(student.user_id) as db:
        await db.accounts.set_password("x")
    await call(executor, student, "list_classes")
    assert await trail(storage, student) == []


async def test_a_student_reads_her_own_trail_with_a_query_and_nobody_elses(
    executor: Executor, student: Principal, stranger: Principal
) -> None:
    await call(executor, student, "create_class", name="History")
    await call(executor, student, "update_class", class_id="History", name="Antiquity")
    sql = (
        "SELECT action, old.value ->> 'name', new.value ->> 'name' FROM audit_logs,"
        " jsonb_each(old_values -> 'classes') AS old, jsonb_each(new_values -> 'classes') AS new ORDER BY audit_logs.created_at"
    )
    assert (await query(executor, student, sql))["rows"] == [["update_class", "History", "Antiquity"]]
    assert (await query(executor, stranger, "SELECT count(*) FROM audit_logs"))["rows"] == [[0]]


@pytest.mark.parametrize(
    "sql",
    [
        "DELETE FROM audit_logs",
        "UPDATE audit_logs SET is_success = true",
        "TRUNCATE audit_logs",
        "INSERT INTO audit_logs SELECT * FROM audit_logs_default",
        "SELECT * FROM audit_logs_default",
        "DELETE FROM audit_logs_default",
        "INSERT INTO audit_logs (id, created_at, user_id, action, surface, arguments, is_success)"
        " VALUES (gen_random_uuid(), now(), '{other}', 'x', 'x', '{{}}', true)",
    ],
)
async def test_the_trail_is_closed_to_the_application(
    instance: InstanceInfo, executor: Executor, student: Principal, stranger: Principal, sql: str
) -> None:
    await call(executor, student, "create_class", name="History")
    connection = await connect(instance.database_url)
    try:
        await connection.execute("SELECT set_config('lyceum.user_id', $1, false)", str(student.user_id))
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute(sql.format(other=stranger.user_id))
    finally:
        await connection.close()


class MovedClock(SystemClock):
    """Runs as far ahead as it is told."""

    def __init__(self, ahead: timedelta) -> None:
        self.ahead = ahead

    def now(self) -> datetime:
        return super().now() + self.ahead


@pytest.fixture
async def in_a_year(storage: Storage) -> Storage:
    return replace(storage, clock=MovedClock(timedelta(days=366)))


async def partitions_of(storage: Storage, who: Principal) -> list[str]:
    async with storage.database.transaction(who.user_id, read_only=True) as session:
        return list(
            await session.scalars(text("SELECT tableoid::regclass::text FROM audit_logs ORDER BY created_at"))
        )


async def test_a_month_without_a_partition_loses_nothing_and_is_mended(
    in_a_year: Storage, student: Principal
) -> None:
    executor = Executor(CATALOG, in_a_year)
    await call(executor, student, "create_class", name="Next year")
    assert await partitions_of(in_a_year, student) == ["audit_logs_default"]
    assert await make_partitions(in_a_year.database, in_a_year.clock.now()) >= 4
    await call(executor, student, "create_class", name="Next year, too")
    assert await partitions_of(in_a_year, student) == [f"audit_logs_{in_a_year.clock.now():%Y_%m}"] * 2
    assert await make_partitions(in_a_year.database, in_a_year.clock.now()) == 0
    assert len(await trail(in_a_year, student)) == 2


async def test_a_daily_task_keeps_three_months_ahead_for_a_year(storage: Storage, student: Principal) -> None:
    clock = MovedClock(timedelta(days=800))
    moved = replace(storage, clock=clock)
    executor = Executor(CATALOG, moved)
    await make_partitions(moved.database, clock.now())
    for _ in range(12):
        clock.ahead += timedelta(days=31)
        await call(executor, student, "create_class", name=f"{clock.now():%Y %m}")
        await make_partitions(moved.database, clock.now())
    assert "audit_logs_default" not in await partitions_of(moved, student)


@pytest.fixture
async def no_partition_at_all(instance: InstanceInfo) -> AsyncGenerator[timedelta]:
    """A time for which there is not even the default partition."""
    owner = await connect(instance.owner_database_url)
    await owner.execute("ALTER TABLE audit_logs DETACH PARTITION audit_logs_default")
    yield timedelta(days=5000)
    await owner.execute("ALTER TABLE audit_logs ATTACH PARTITION audit_logs_default DEFAULT")
    await owner.close()


async def test_what_cannot_be_audited_is_not_done(
    storage: Storage, student: Principal, no_partition_at_all: timedelta
) -> None:
    executor = Executor(CATALOG, replace(storage, clock=MovedClock(no_partition_at_all)))
    with pytest.raises(Unavailable) as caught:
        await call(executor, student, "create_class", name="Unseen")
    assert caught.value.code == "audit_unavailable"
    assert "nothing was changed" in str(caught.value)
    assert (await call(executor, student, "list_classes"))["items"] == []


def test_arguments_are_bounded_whatever_they_are() -> None:
    wild = {
        "a": {"b": {"c": {"d": {"e": "x" * 500}}}},
        "list": ["y" * 500] * 500,
        "nul\0": "\0\ud800",
        "password": "p",
        "nested": {"token": "t", "fine": 1},
        "id": UUID(int=0),
        **{f"k{n}": n for n in range(100)},
    }
    kept = auditable(wild)
    assert len(kept) < 21
    assert len(kept["list"]) == 20
    assert len(kept["list"][0]) == 200
    assert kept["nested"] == {"fine": 1}
    assert kept["nul"] == "?"
    assert "password" not in kept


async def test_an_unknown_failure_of_the_trail_hides_no_error(
    storage: Storage, student: Principal, no_partition_at_all: timedelta
) -> None:
    moved = replace(storage, clock=MovedClock(no_partition_at_all))
    with pytest.raises(LyceumError) as caught:
        await door(moved, stop_half_way).call("stop_half_way", {}, student)
    assert caught.value.code == "audit_unavailable"
    with pytest.raises(ZeroDivisionError):
        await door(moved, break_down).call("break_down", {}, student)
