"""Answers as clients see them: complete twice, without nulls, within their budgets, and the way to the rest."""

import json
import re
from typing import Any

import jsonschema  # type: ignore[import-untyped]
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mcp_types import CallToolResult, ResourceLink, TextContent
from pydantic import BaseModel

from mcp_server.cutting import MARK, compact, shortened
from mcp_server.parts import address_of_answer, arguments_of_answer, part_of
from mcp_server.results import DATA_BUDGET, NOTICE_KEY, TEXT_BUDGET, failure, success
from mcp_server.schemas import outline
from storage.errors import Forbidden, InvalidInput, LyceumError, NotFound, RateLimited, Unavailable
from tools.actions.classes import list_classes
from tools.actions.notes import get_note
from tools.catalog import CATALOG
from tools.context import ToolContext
from tools.fields import Cursor, Limit
from tools.spec import Effect, Input, tool

JSON = st.recursive(
    st.none() | st.integers() | st.sampled_from(["x" * 900, 'q"\n' * 700, "ü" * 2500]),
    lambda inner: st.lists(inner, max_size=8) | st.dictionaries(st.sampled_from("abcde"), inner, max_size=5),
    max_leaves=20,
)


class Row(BaseModel):
    title: str
    note: str | None = None
    number: int = 0


class Rows(BaseModel):
    items: list[Row]
    next_cursor: str | None


class ListRows(Input):
    limit: Limit = 20
    cursor: Cursor = None


@tool(effect=Effect.READ, toolset="trials")
async def list_rows(ctx: ToolContext, args: ListRows) -> Rows:
    """Rows."""
    raise NotImplementedError


def rows(count: int, size: int) -> Rows:
    return Rows(
        items=[Row(title=f"{n:05} " + "x" * size, number=n) for n in range(count)], next_cursor="next"
    )


def text_of(result: CallToolResult) -> str:
    block = result.content[0]
    assert isinstance(block, TextContent)
    return block.text


def inner(text: str) -> Any:
    found = re.search(r"<(untrusted-[0-9a-f]{8})>\n(.*)\n</\1>", text, re.DOTALL)
    assert found is not None
    return json.loads(found[2])


def test_both_copies_are_whole_and_without_nulls() -> None:
    result = success(list_rows, rows(3, 10), {})
    assert result.structured_content is not None
    assert inner(text_of(result)) == result.structured_content
    assert result.structured_content["items"][0] == {"title": "00000 xxxxxxxxxx", "number": 0}
    assert "\n " not in text_of(result)
    assert len(result.content) == 1


def test_words_are_fenced_by_a_tag_that_is_new_each_time_and_numbers_are_not() -> None:
    class Count(BaseModel):
        done: int
        id: str

    tags = {text_of(success(list_rows, rows(1, 1)))[:60] for _ in range(3)}
    assert len(tags) == 3
    plain = success(list_rows, Count(done=3, id="01a1fe09-5e2b-7692-8223-4a41674b959b"))
    assert text_of(plain) == '{"done":3,"id":"01a1fe09-5e2b-7692-8223-4a41674b959b"}'


def test_a_long_answer_has_a_text_cut_between_items_and_says_how_to_get_the_rest() -> None:
    result = success(list_rows, rows(100, 600), {"class_id": "Physics"})
    text = text_of(result)
    assert len(text) < TEXT_BUDGET + 600
    shown = inner(text)["items"]
    assert result.structured_content is not None
    assert shown == result.structured_content["items"][: len(shown)]
    assert len(result.structured_content["items"]) == 100
    assert f"{len(shown)} of 100 items of items shown" in text
    assert f"call list_rows with limit={len(shown)} and go on by next_cursor" in text
    link = result.content[1]
    assert isinstance(link, ResourceLink)
    assert link.uri == address_of_answer("list_rows", {"class_id": "Physics"})
    assert link.uri in text


def test_data_beyond_100_kb_is_cut_stays_valid_and_says_so_itself() -> None:
    result = success(list_rows, rows(300, 600), {})
    data = result.structured_content
    assert data is not None
    assert len(compact(data)) < DATA_BUDGET + 600
    assert 100 < len(data["items"]) < 300
    assert data["next_cursor"] == "next"
    assert f"{len(data['items'])} of 300 items" in data[NOTICE_KEY]
    jsonschema.validate(data, outline(list_rows.output_schema))


def test_a_long_text_is_cut_and_names_the_offset() -> None:
    class Read(BaseModel):
        text: str

    result = success(get_note, Read(text="word " * 20_000), {"note_id": "A", "offset": 60_000})
    shown = len(inner(text_of(result))["text"].removesuffix(MARK))
    assert 30_000 < shown < TEXT_BUDGET
    assert f"call get_note with offset={60_000 + shown}" in text_of(result)


def test_a_writing_tool_gives_no_address_to_call_it_again() -> None:
    writing = CATALOG["create_note"]
    result = success(writing, rows(300, 600), {"title": "A"})
    assert [type(block) for block in result.content] == [TextContent]
    assert "lyceum://answers" not in text_of(result)


@settings(max_examples=40)
@given(st.dictionaries(st.sampled_from("abcdef"), JSON, max_size=6), st.integers(500, 5000))
def test_cutting_changes_nothing_else(data: dict[str, Any], budget: int) -> None:
    kept, cuts = shortened(data, budget)
    if not cuts:
        assert kept == data or len(compact(data)) > budget
        return
    assert kept.keys() == data.keys()
    assert len(compact(kept)) < len(compact(data))
    assert all(0 < cut.shown < cut.of for cut in cuts)


def test_the_parts_of_an_answer_are_the_whole_answer() -> None:
    text = "\n".join(f"line {number} " + "x" * 50 for number in range(5000))
    parts, number, more = [], 0, True
    while more:
        number += 1
        part, more = part_of(text, number)
        parts.append(part)
    assert "".join(parts) == text
    assert len(parts) == 6
    assert all(part.endswith("\n") for part in parts[:-1])
    with pytest.raises(NotFound):
        part_of(text, number + 1)


def test_an_address_keeps_the_arguments() -> None:
    arguments = {"query": "Wärme & Licht/№ 5", "limit": 20}
    packed = address_of_answer("search_materials", arguments).split("/")[-2]
    assert arguments_of_answer(packed) == arguments
    for broken in ("!", "W10", "bm8"):
        with pytest.raises(InvalidInput):
            arguments_of_answer(broken)


@pytest.mark.parametrize(
    ("error", "step"),
    [
        (NotFound("No class called 'X'.", code="class_not_found"), "list_classes shows what there is."),
        (Forbidden("This needs 'notes:read'.", code="missing_scope"), "the user can connect again"),
        (RateLimited("Too many.", details={"retry_after": 12}), "Wait 12 seconds."),
        (Unavailable("Redis does not answer."), "repeat it in a minute"),
        (InvalidInput("limit: no", code="invalid_arguments"), ". list_classes takes limit, cursor."),
    ],
    ids=lambda value: value.code if isinstance(value, LyceumError) else "",
)
def test_an_error_says_what_to_do_next(error: LyceumError, step: str) -> None:
    result = failure(error, list_classes)
    assert text_of(result).startswith(str(error))
    assert step in text_of(result)
    assert text_of(result).endswith(f"[{error.code}]")
    assert result.is_error
