"""The surface as a client meets it, over each transport and in both eras: the list, the pair, the knobs, the bound class."""

from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from typing import Any

import jsonschema  # type: ignore[import-untyped]
import pytest
from mcp import Client
from mcp.shared.exceptions import MCPError
from mcp_types import CallToolResult

from mcp_server.offer import DEFAULT_TOOLS
from storage.resources import Storage
from tests.mcp_server.catalog import TRIALS
from tests.mcp_server.conftest import LEGACY, MODERN, Door, all_tools, http_client, make_key, text_of
from tools.context import Principal
from tools.spec import Effect

PAIR = {"search_tools", "call_tool"}


def data(result: CallToolResult) -> Mapping[str, Any]:
    assert not result.is_error, text_of(result)
    assert result.structured_content is not None
    found: Mapping[str, Any] = result.structured_content
    return found


def code(result: CallToolResult) -> str:
    assert result.is_error
    assert result.meta is not None
    return str(result.meta["lyceum/error"]["code"])


async def test_a_client_that_asks_for_nothing_gets_a_short_list_and_the_way_to_the_rest(
    door: Door, student: Principal
) -> None:
    async with door.enter(student) as client:
        tools = await all_tools(client)
        found = data(await client.call_tool("search_tools", {"query": "make a new class"}))
        best = found["items"][0]
        made = data(
            await client.call_tool("call_tool", {"name": best["name"], "arguments": {"name": "Physics"}})
        )
        listed = data(await client.call_tool("list_classes"))
        unlisted = data(await client.call_tool("list_jobs"))
    assert tools.keys() == DEFAULT_TOOLS | PAIR
    assert best["name"] == "create_class"
    assert best["input_schema"]["required"] == ["name"]
    assert made["name"] == "Physics"
    assert [item["id"] for item in listed["items"]] == [made["id"]]
    assert unlisted["items"] == []


async def test_search_tools_finds_within_a_toolset_and_only_what_the_caller_may_use(
    door: Door, student: Principal
) -> None:
    async with door.enter(student, "*:read") as client:
        tools = await all_tools(client)
        jobs = data(await client.call_tool("search_tools", {"toolset": "jobs"}))
        deleting = data(await client.call_tool("search_tools", {"query": "delete a class"}))
        wrong = await client.call_tool("search_tools", {"words": "delete"})
    hints = tools["call_tool"].annotations
    assert hints is not None
    assert (hints.read_only_hint, hints.destructive_hint) == (True, False)
    assert [item["name"] for item in jobs["items"]] == ["list_jobs", "get_job"]
    found = [item["name"] for item in deleting["items"]] + deleting["more"]
    assert all(TRIALS[name].effect is Effect.READ for name in found)
    assert text_of(wrong).startswith("words: ")


async def test_a_call_through_call_tool_is_the_same_call(door: Door, student: Principal) -> None:
    seen: list[float] = []

    async def note(progress: float, total: float | None, message: str | None) -> None:
        seen.append(progress)

    async with door.enter(student) as client:
        wrapped = {"name": "count_slowly", "arguments": {"count": 3}}
        counted = await client.call_tool("call_tool", wrapped, progress_callback=note)
        direct = await client.call_tool("create_class", {"name": ""})
        through = await client.call_tool("call_tool", {"name": "create_class", "arguments": {"name": ""}})
        with pytest.raises(MCPError, match="Unknown tool: no_such_tool"):
            await client.call_tool("call_tool", {"name": "no_such_tool"})
        with pytest.raises(MCPError, match="Unknown tool: call_tool"):
            await client.call_tool("call_tool", {"name": "call_tool", "arguments": {"name": "list_jobs"}})
        with pytest.raises(MCPError, match="Internal error"):
            await client.call_tool("call_tool", {"name": "break_badly"})
    assert data(counted) == {"done": 3}
    assert seen == [1, 2, 3]
    assert text_of(through) == text_of(direct)
    assert code(through) == "invalid_arguments"


async def test_toolsets_that_are_named_are_the_whole_surface(door: Door, student: Principal) -> None:
    async with door.enter(student, toolsets="jobs,classes", exclude_tools="list_jobs") as client:
        tools = await all_tools(client)
        refused = [
            await client.call_tool("get_profile"),
            await client.call_tool("list_jobs"),
            await client.call_tool("search_tools", {"query": "profile"}),
            await client.call_tool("call_tool", {"name": "get_profile"}),
        ]
    assert {TRIALS[name].toolset for name in tools} == {"jobs", "classes"}
    assert [code(result) for result in refused] == [
        "tool_not_selected",
        "tool_excluded",
        "tool_not_selected",
        "tool_not_selected",
    ]
    assert "X-MCP-Toolsets" in text_of(refused[0])


async def test_a_read_only_connection_has_no_writing_tool_and_says_why(
    door: Door, student: Principal
) -> None:
    async with door.enter(student, readonly="1", toolsets="all") as client:
        tools = await all_tools(client)
        refused = await client.call_tool("create_class", {"name": "Physics"})
    async with door.enter(student, readonly="1") as client:
        through = await client.call_tool(
            "call_tool", {"name": "create_class", "arguments": {"name": "Physics"}}
        )
        listed = await client.call_tool("list_classes")
    assert tools.keys() == {name for name, spec in TRIALS.items() if spec.effect is Effect.READ}
    assert code(refused) == code(through) == "read_only"
    assert "X-MCP-Readonly" in text_of(refused)
    assert data(listed)["items"] == []


async def test_a_bound_class_is_filled_in_and_leaves_the_schemas(door: Door, student: Principal) -> None:
    async with door.enter(student) as client:
        for name in ("Physics", "Chemistry"):
            await client.call_tool("create_class", {"name": name})
            text = {"class_id": name, "title": f"{name} text", "text": f"All about {name}."}
            data(await client.call_tool("add_text", text))
    async with door.enter(student, **{"class": "Physics"}) as client:
        tools = await all_tools(client)
        listed = data(await client.call_tool("list_materials"))
        other = await client.call_tool("list_materials", {"class_id": "Chemistry"})
        found = data(await client.call_tool("search_tools", {"query": "add text", "toolset": "materials"}))
        through = {"name": "add_text", "arguments": {"title": "More", "text": "More of it."}}
        data(await client.call_tool("call_tool", through))
        titles = [item["title"] for item in data(await client.call_tool("list_materials"))["items"]]
    assert all("class_id" not in tool.input_schema.get("properties", {}) for tool in tools.values())
    assert [item["title"] for item in listed["items"]] == ["Physics text"]
    assert code(other) == "class_is_bound"
    assert all("class_id" not in item["input_schema"]["properties"] for item in found["items"])
    assert sorted(titles) == ["More", "Physics text"]


async def test_the_instructions_are_those_of_the_connection(door: Door, student: Principal) -> None:
    # A client that is told its revision does not ask what there is.
    asking = replace(door, mode="auto") if door.mode == MODERN else door
    async with asking.enter(student) as client:
        whole = client.instructions
    async with asking.enter(student, toolsets="jobs") as client:
        narrow = client.instructions
    assert whole is not None
    assert narrow is not None
    assert "\n- search: " in whole
    assert "search_tools finds them" in whole
    assert narrow.splitlines()[1:] == [line for line in whole.splitlines() if line.startswith("- jobs: ")]


async def test_real_answers_fit_the_schemas_that_were_listed(door: Door, student: Principal) -> None:
    calls: list[tuple[str, dict[str, Any]]] = [
        ("create_class", {"name": "Physics"}),
        ("list_classes", {}),
        (
            "add_text",
            {"class_id": "Physics", "title": "Waves", "text": "A wave carries energy and no matter."},
        ),
        ("list_materials", {}),
        ("get_material", {"material_id": "Waves"}),
        ("search_materials", {"query": "energy"}),
        ("create_assignment", {"class_id": "Physics", "title": "Essay", "due_at": "2030-01-01"}),
        ("list_assignments", {}),
        ("create_note", {"title": "Waves", "text": "They carry energy."}),
        ("get_due_cards", {}),
        ("get_weak_topics", {}),
        ("get_progress", {}),
        ("list_jobs", {}),
        ("chroma_list_collections", {}),
        ("data_query", {"query": "SELECT name FROM classes"}),
        ("get_profile", {}),
    ]
    async with door.enter(student, toolsets="all") as client:
        tools = await all_tools(client)
        for name, arguments in calls:
            answer = data(await client.call_tool(name, arguments))
            schema = tools[name].output_schema
            assert schema is not None
            jsonschema.validate(answer, schema)
            assert schema["properties"].keys() <= answer.keys(), name


@pytest.mark.parametrize("mode", [LEGACY, MODERN])
async def test_headers_select_and_a_wrong_name_is_a_protocol_error_with_a_sentence(
    base_url: str, storage: Storage, student: Principal, mode: str
) -> None:
    key = await make_key(storage, student)

    def client(**headers: str) -> AbstractAsyncContextManager[Client]:
        named = {f"X-MCP-{name}": value for name, value in headers.items()}
        return http_client(base_url, key, mode, headers=named)

    async with client(Toolsets="jobs", Readonly="true") as narrow:
        tools = await all_tools(narrow)
    with pytest.raises((MCPError, ExceptionGroup)) as caught:
        async with client(Toolsets="serch") as wrong:
            await wrong.list_tools()
    assert tools.keys() == {"list_jobs", "get_job"}
    assert "There is no toolset called 'serch'" in sentence_of(caught.value)


def sentence_of(error: BaseException) -> str:
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return str(error)
