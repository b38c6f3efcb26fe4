"""The one door: scope, validation, one transaction, audit, errors."""

import asyncio
from dataclasses import replace

import pytest
from pydantic import BaseModel
from sqlalchemy import select
from sqlalchemy.exc import DBAPIError

from storage.errors import Conflict, Forbidden, InvalidInput, NotFound
from storage.models import AuditLog, Class
from storage.resources import Storage
from tests.work import call
from tools.catalog import CATALOG
from tools.context import Principal, ToolContext
from tools.executor import Executor
from tools.spec import Effect, Input, NoInput, ToolSpec, tool


class Done(BaseModel):
    done: bool = True


@tool(effect=Effect.READ, toolset="classes")
async def sneak_write(ctx: ToolContext, args: NoInput) -> Done:
    """Says it reads, but writes."""
    now = ctx.now()
    row = Class(
        id=ctx.new_id(), user_id=ctx.principal.user_id, name="sneaked", created_at=now, updated_at=now
    )
    await ctx.db.classes.add(row)
    return Done()


@tool(effect=Effect.WRITE, toolset="classes")
async def half_done(ctx: ToolContext, args: NoInput) -> Done:
    """Writes, then fails."""
    now = ctx.now()
    row = Class(id=ctx.new_id(), user_id=ctx.principal.user_id, name="half", created_at=now, updated_at=now)
    await ctx.db.classes.add(row)
    raise Conflict("No, on second thoughts.")


async def audit_rows(storage: Storage, who: Principal) -> list[AuditLog]:
    async with storage.database.transaction(who.user_id, read_only=True) as session:
        return list((await session.scalars(select(AuditLog).order_by(AuditLog.created_at))).all())


def door(storage: Storage, *specs: ToolSpec) -> Executor:
    return Executor({spec.name: spec for spec in specs}, storage)


async def test_a_tool_marked_read_cannot_write(storage: Storage, student: Principal) -> None:
    with pytest.raises(DBAPIError, match="read-only transaction"):
        await door(storage, sneak_write).call("sneak_write", {}, student)


async def test_a_failed_call_leaves_nothing_but_its_audit_row(
    storage: Storage, executor: Executor, student: Principal
) -> None:
    with pytest.raises(Conflict):
        await door(storage, half_done).call("half_done", {}, student)
    assert (await call(executor, student, "list_classes"))["items"] == []
    (row,) = await audit_rows(storage, student)
    assert (row.action, row.is_success, row.error_message) == ("half_done", False, "No, on second thoughts.")


async def test_every_write_is_audited_and_reads_are_not(
    storage: Storage, executor: Executor, student: Principal
) -> None:
    made = await call(executor, student, "create_class", name="History")
    await call(executor, student, "list_classes")
    (row,) = await audit_rows(storage, student)
    assert (row.action, row.surface, row.is_success) == ("create_class", "test", True)
    assert str(row.entity_id) == made["id"]
    assert row.arguments == {"name": "History"}


async def test_the_body_of_a_file_is_not_copied_into_the_audit(
    storage: Storage, executor: Executor, student: Principal
) -> None:
    await call(executor, student, "create_class", name="History")
    await call(executor, student, "add_text", class_id="History", title="Long", text="word " * 1000)
    row = (await audit_rows(storage, student))[-1]
    assert len(row.arguments["text"]) == 200


async def test_a_key_without_the_scope_is_refused_and_a_reading_key_reads(
    executor: Executor, student: Principal
) -> None:
    reader = replace(student, scopes=frozenset({"*:read"}))
    assert await call(executor, reader, "list_classes")
    with pytest.raises(Forbidden, match="classes:write"):
        await call(executor, reader, "create_class", name="No")


async def test_an_unknown_tool_is_not_found(executor: Executor, student: Principal) -> None:
    with pytest.raises(NotFound):
        await call(executor, student, "drop_everything")


async def test_wrong_arguments_are_named_in_one_line(executor: Executor, student: Principal) -> None:
    with pytest.raises(InvalidInput, match=r"limit: .*less than or equal to 100") as caught:
        await call(executor, student, "list_classes", limit=1000)
    assert "pydantic.dev" not in str(caught.value)


async def test_a_nul_in_a_text_is_refused_with_a_sentence(executor: Executor, student: Principal) -> None:
    with pytest.raises(InvalidInput, match="NUL"):
        await call(executor, student, "create_class", name="a\0b")


async def test_ten_calls_at_once_each_have_their_own_transaction(
    executor: Executor, student: Principal
) -> None:
    names = [f"Class {n}" for n in range(10)]
    await asyncio.gather(*(call(executor, student, "create_class", name=name) for name in names))
    listed = await call(executor, student, "list_classes")
    assert sorted(item["name"] for item in listed["items"]) == sorted(names)


async def test_two_equal_names_at_once_make_one_class(executor: Executor, student: Principal) -> None:
    results = await asyncio.gather(
        *(call(executor, student, "create_class", name="Same") for _ in range(5)), return_exceptions=True
    )
    assert sum(isinstance(result, dict) for result in results) == 1
    assert all(isinstance(r, dict | Conflict) for r in results)


async def test_a_list_is_paged_to_its_end_without_repeats(executor: Executor, student: Principal) -> None:
    for n in range(7):
        await call(executor, student, "create_class", name=f"Class {n}")
    seen: list[str] = []
    cursor = None
    while True:
        page = await call(executor, student, "list_classes", limit=3, cursor=cursor)
        seen += [item["name"] for item in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert seen == [f"Class {n}" for n in reversed(range(7))]
    with pytest.raises(InvalidInput):
        await call(executor, student, "list_classes", cursor="made-up")


@pytest.mark.parametrize("spec", CATALOG.values(), ids=lambda spec: spec.name)
def test_every_tool_says_what_it_is_for(spec: ToolSpec) -> None:
    assert len(spec.description) > 20
    assert spec.description.split("\n\n")[0].endswith((".", ":"))
    assert spec.input.model_config.get("extra") == "forbid"
    for name, field in spec.input_schema.get("properties", {}).items():
        if name.endswith("_id"):
            assert "description" in str(field), f"{spec.name}.{name}"


def test_a_tool_that_is_not_verb_noun_is_refused() -> None:
    async def nonsense(ctx: ToolContext, args: Input) -> Done:
        return Done()

    with pytest.raises(TypeError, match="verb_noun"):
        tool(effect=Effect.READ, toolset="x")(nonsense)
