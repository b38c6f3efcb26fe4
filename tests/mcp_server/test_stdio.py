"""A real process on a pipe: one long walk for each protocol era, and what else only a process can do wrong."""

import asyncio
import json
import os
import sys
from pathlib import Path

import pytest
from mcp import Client, StdioServerParameters
from mcp.shared.exceptions import MCPError

from storage.local.instance import InstanceInfo
from tests.mcp_server.catalog import TRIALS
from tests.mcp_server.conftest import LEGACY, MODERN, all_tools, text_of
from tools.catalog import CATALOG
from tools.context import Principal
from tools.spec import Effect

ROOT = Path(__file__).parents[2]


def command(info: InstanceInfo, caller: Principal, *scopes: str, **settings: str) -> StdioServerParameters:
    who = {"user_id": str(caller.user_id), "scopes": list(scopes or ("*",))}
    return StdioServerParameters(
        command=sys.executable,
        args=["-m", "tests.mcp_server.stdio_entry", json.dumps(who)],
        cwd=ROOT,
        env={
            **{name: os.environ[name] for name in ("PATH", "PYTHONPATH") if name in os.environ},
            "LYCEUM_DATABASE_URL": info.database_url,
            "LYCEUM_REDIS_URL": info.redis_url,
            "LYCEUM_VECTOR_URL": info.vector_url,
            "LYCEUM_FILES_URL": info.files_url,
            **settings,
        },
    )


@pytest.mark.parametrize("mode", [LEGACY, MODERN])
async def test_a_process_on_a_pipe_does_what_http_does(
    instance: InstanceInfo, student: Principal, mode: str
) -> None:
    await walk(command(instance, student, LYCEUM_MCP_TOOLSETS="all"), mode)


async def walk(parameters: StdioServerParameters, mode: str) -> None:
    """All that a client does with a server of `TRIALS` with all toolsets."""
    steps: list[float] = []
    waiting = asyncio.Event()

    async def note(progress: float, total: float | None, message: str | None) -> None:
        steps.append(progress)

    async def note_waiting(progress: float, total: float | None, message: str | None) -> None:
        waiting.set()

    async with Client(parameters, mode=mode) as client:
        assert list(await all_tools(client)) == list(TRIALS)
        await client.call_tool("create_class", {"name": f"Physics {mode}"})
        listed = await client.call_tool("list_classes")
        refused = await client.call_tool("create_class", {"name": ""})
        counted = await client.call_tool("count_slowly", {"count": 3}, progress_callback=note)
        with pytest.raises(MCPError, match="Internal error"):
            await client.call_tool("break_badly")
        endless = asyncio.create_task(client.call_tool("wait_forever", progress_callback=note_waiting))
        await asyncio.wait_for(waiting.wait(), 10)
        endless.cancel()
        alive = await client.call_tool("list_classes")
    assert f"Physics {mode}" in text_of(listed)
    assert refused.is_error
    assert counted.structured_content == {"done": 3}
    assert steps == [1, 2, 3]
    assert alive.structured_content == listed.structured_content


async def test_the_principal_and_the_settings_of_the_process_limit_its_tools(
    instance: InstanceInfo, student: Principal
) -> None:
    narrow = {"LYCEUM_MCP_TOOLSETS": "classes,jobs", "LYCEUM_MCP_EXCLUDE_TOOLS": "list_jobs"}
    async with Client(command(instance, student, "*:read", **narrow)) as client:
        tools = await all_tools(client)
        unpermitted = await client.call_tool("create_class", {"name": "Physics"})
        excluded = await client.call_tool("list_jobs")
    assert tools.keys() == {
        spec.name
        for spec in CATALOG.values()
        if spec.toolset in ("classes", "jobs") and spec.effect is Effect.READ
    } - {"list_jobs"}
    assert "[missing_scope]" in text_of(unpermitted)
    assert "LYCEUM_MCP_EXCLUDE_TOOLS" in text_of(excluded)


async def test_standard_output_carries_the_protocol_alone_and_the_process_ends_with_the_pipe(
    instance: InstanceInfo, student: Principal
) -> None:
    parameters = command(instance, student)
    process = await asyncio.create_subprocess_exec(
        parameters.command,
        *parameters.args,
        cwd=parameters.cwd,
        env=parameters.env,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    meta = {
        "io.modelcontextprotocol/protocolVersion": MODERN,
        "io.modelcontextprotocol/clientCapabilities": {},
    }
    for number, name in enumerate(("list_classes", "break_badly")):
        call = {"jsonrpc": "2.0", "id": number, "method": "tools/call"}
        line = json.dumps({**call, "params": {"name": name, "_meta": meta}})
        process.stdin.write(line.encode() + b"\n")
    answers = [json.loads(await process.stdout.readline()) for _ in range(2)]
    process.stdin.close()
    rest, logs = await asyncio.wait_for(process.communicate(), 15)
    assert {answer["id"] for answer in answers} == {0, 1}
    assert rest == b""
    assert b"tool_called" in logs
    assert b"mcp_request_failed" in logs
    assert process.returncode == 0
