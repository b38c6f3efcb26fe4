"""The catalogue over MCP: the same behaviour on each transport and in both protocol eras."""

import asyncio
import re

import pytest
from mcp.shared.exceptions import MCPError

from mcp_server import surface
from tests.mcp_server import catalog as trials
from tests.mcp_server.catalog import TRIALS
from tests.mcp_server.conftest import Door, all_tools, text_of
from tests.mcp_server.wire_schemas import every_tool, on_the_wire
from tools.context import Principal
from tools.spec import Effect


async def test_who_asks_for_all_toolsets_sees_the_whole_catalogue_as_reviewed(
    door: Door, student: Principal
) -> None:
    async with door.enter(student, toolsets="all") as client:
        tools = await all_tools(client)
    assert list(tools) == list(TRIALS)
    reviewed = every_tool()
    assert all(on_the_wire(tool) == reviewed[name] for name, tool in tools.items() if name in reviewed)


async def test_a_long_list_comes_in_pages(
    door: Door, student: Principal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(surface, "PAGE_SIZE", 10)
    async with door.enter(student, toolsets="all") as client:
        first = await client.list_tools()
        tools = await all_tools(client)
        with pytest.raises(MCPError, match="Unknown cursor"):
            await client.list_tools(cursor="nowhere")
    assert len(first.tools) == 10
    assert list(tools) == list(TRIALS)


async def test_a_class_that_was_created_is_listed(door: Door, student: Principal) -> None:
    async with door.enter(student) as client:
        created = await client.call_tool("create_class", {"name": "Physics 101"})
        listed = await client.call_tool("list_classes")
    assert not created.is_error
    assert listed.structured_content is not None
    assert [item["name"] for item in listed.structured_content["items"]] == ["Physics 101"]
    assert "description" not in listed.structured_content["items"][0]
    assert re.search(r'<(untrusted-\w+)>\n\{"items":\[\{"id":.*"Physics 101".*</\1>$', text_of(listed), re.S)


async def test_wrong_arguments_are_answered_with_a_sentence(door: Door, student: Principal) -> None:
    async with door.enter(student) as client:
        results = [
            await client.call_tool("create_class", {"name": ""}),
            await client.call_tool("create_class", {"name": "Physics", "user_id": "someone"}),
            await client.call_tool("list_classes", {"limit": "many"}),
        ]
    for result, argument in zip(results, ("name", "user_id", "limit"), strict=True):
        assert result.is_error
        assert text_of(result).startswith(f"{argument}: ")
        assert text_of(result).endswith("[invalid_arguments]")
        assert "pydantic" not in text_of(result)
        assert result.meta is not None
        assert result.meta["lyceum/error"] == {"code": "invalid_arguments", "kind": "invalid"}


async def test_a_read_only_key_sees_and_calls_only_reading_tools(door: Door, student: Principal) -> None:
    async with door.enter(student, "*:read", toolsets="all") as client:
        tools = await all_tools(client)
        listed = await client.call_tool("list_classes")
        refused = await client.call_tool("create_class", {"name": "Physics"})
    assert tools.keys() == {name for name, spec in TRIALS.items() if spec.effect is Effect.READ}
    assert not listed.is_error
    assert refused.is_error
    assert "[missing_scope]" in text_of(refused)


async def test_an_id_of_another_user_is_not_found(
    door: Door, student: Principal, stranger: Principal
) -> None:
    async with door.enter(student) as client:
        created = await client.call_tool("create_class", {"name": "Private"})
    assert created.structured_content is not None
    async with door.enter(stranger) as client:
        wanted = {"class_id": created.structured_content["id"]}
        results = [
            await client.call_tool("update_class", {**wanted, "name": "Mine"}),
            await client.call_tool("delete_class", wanted),
        ]
    for result in results:
        assert result.is_error
        assert result.meta is not None
        assert result.meta["lyceum/error"]["kind"] == "not_found"


async def test_progress_reaches_a_client_that_asked_for_it(door: Door, student: Principal) -> None:
    seen: list[tuple[float, float | None, str | None]] = []

    async def note(progress: float, total: float | None, message: str | None) -> None:
        seen.append((progress, total, message))

    async with door.enter(student) as client:
        watched = await client.call_tool("count_slowly", {"count": 3}, progress_callback=note)
        unwatched = await client.call_tool("count_slowly", {"count": 2})
    assert watched.structured_content == {"done": 3}
    assert unwatched.structured_content == {"done": 2}
    assert seen == [(1, 3, "step 1"), (2, 3, "step 2"), (3, 3, "step 3")]


async def test_an_unknown_tool_is_a_protocol_error(door: Door, student: Principal) -> None:
    async with door.enter(student) as client:
        with pytest.raises(MCPError, match="Unknown tool: no_such_tool"):
            await client.call_tool("no_such_tool")


async def test_a_bug_is_answered_without_its_text(door: Door, student: Principal) -> None:
    async with door.enter(student) as client:
        with pytest.raises(MCPError) as caught:
            await client.call_tool("break_badly")
        alive = await client.call_tool("list_classes")
    assert caught.value.error.code == -32603
    assert "secret" not in str(caught.value)
    assert not alive.is_error


@pytest.mark.parametrize("endless", ["wait_forever", "wait_for_several"])
async def test_a_call_that_the_client_cancels_stops_and_the_connection_goes_on(
    door: Door, student: Principal, endless: str
) -> None:
    trials.started.clear()
    trials.cancelled.clear()
    async with door.enter(student) as client:
        call = asyncio.create_task(client.call_tool(endless))
        await asyncio.wait_for(trials.started.wait(), 5)
        call.cancel()
        await asyncio.wait_for(trials.cancelled.wait(), 5)
        alive = await client.call_tool("list_classes")
    assert not alive.is_error
