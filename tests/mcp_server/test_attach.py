"""`lyceum mcp` beside a running API: real processes that copy between a client's pipes and the API's socket."""

import asyncio
import base64
import contextlib
import json
import os
import random
import signal
import socket
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest
from mcp import Client, StdioServerParameters
from mcp_types import ResourceListChangedNotification

from assistant.cli.bridge import connected
from assistant.cli.doctor.report import Patient
from assistant.cli.doctor.stores import ai_clients
from mcp_server.attach import listening
from storage.local.instance import InstanceInfo
from storage.resources import Storage
from tests.lyceum import Serving, serve
from tests.mcp_server.attached import api_of, instance_on, lyceum_mcp, socket_of
from tests.mcp_server.catalog import TRIALS, cancelled
from tests.mcp_server.conftest import INITIALIZE, LEGACY, MODERN, all_tools, text_of
from tests.mcp_server.test_stdio import walk
from tests.waiting import SOON, awaited, until
from tools.accounts import Accounts
from tools.actions.adding import SMALL_FILE
from tools.context import Principal
from tools.executor import Executor
from tools.spec import Effect

THIN = 100e6
"""Bytes. A process that copies holds 40 MB, one that has loaded the platform 250."""
META = {
    "io.modelcontextprotocol/protocolVersion": MODERN,
    "io.modelcontextprotocol/clientCapabilities": {},
    "progressToken": 1,
}


@pytest.fixture(scope="module")
async def folder(
    tmp_path_factory: pytest.TempPathFactory, instance: InstanceInfo, storage: Storage
) -> AsyncGenerator[Path]:
    """A data folder with an API."""
    made = tmp_path_factory.mktemp("attached")
    path = socket_of(made)
    async with instance_on(made, instance) as (services, info), api_of(path, storage, instance).running():
        services.announce_api(info, "http://127.0.0.1:1", str(path))
        yield made


def commands() -> list[psutil.Process]:
    """The processes of `lyceum mcp` that run now."""
    return [child for child in psutil.Process().children() if "mcp" in child.cmdline()]


@asynccontextmanager
async def started(parameters: StdioServerParameters) -> AsyncIterator[Process]:
    process = await asyncio.create_subprocess_exec(
        parameters.command, *parameters.args, cwd=parameters.cwd, env=parameters.env,
        stdin=PIPE, stdout=PIPE, stderr=PIPE,
    )  # fmt: skip
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


def line(method: str, number: int = 1, **params: Any) -> bytes:
    request = {"jsonrpc": "2.0", "id": number, "method": method, "params": {**params, "_meta": META}}
    return json.dumps(request).encode() + b"\n"


async def said(process: Process, *lines: bytes) -> dict[str, Any]:
    """What comes back first."""
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.writelines(lines)
    answer: dict[str, Any] = json.loads(await awaited(process.stdout.readline(), "an answer", SOON))
    return answer


@pytest.mark.parametrize("mode", [LEGACY, MODERN])
async def test_a_client_does_through_the_running_api_what_it_does_with_a_process_of_its_own(
    folder: Path, mode: str
) -> None:
    async with Client(lyceum_mcp(folder, "--toolsets", "all"), mode=mode) as client:
        assert (await client.call_tool("list_classes")).is_error is False
        (process,) = commands()
        assert process.memory_info().rss < THIN
    await walk(lyceum_mcp(folder, "--toolsets", "all"), mode)
    assert commands() == []


async def test_clients_at_the_same_time_get_what_their_flags_environment_and_dotenv_say(
    folder: Path, tmp_path: Path
) -> None:
    (tmp_path / ".env").write_text("LYCEUM_MCP_EXCLUDE_TOOLS=list_jobs\nLYCEUM_MCP_READ_ONLY=true\n")
    by_flags = lyceum_mcp(folder, "--toolsets", "classes", LYCEUM_MCP_TOOLSETS="search")
    by_settings = lyceum_mcp(folder, cwd=tmp_path, LYCEUM_MCP_TOOLSETS="jobs")
    async with Client(by_flags, mode=MODERN) as one, Client(by_settings, mode=LEGACY) as other:
        flagged, set_up = await asyncio.gather(all_tools(one), all_tools(other))
        excluded = await other.call_tool("list_jobs")
    assert flagged.keys() == {name for name, spec in TRIALS.items() if spec.toolset == "classes"}
    jobs = {name for name, spec in TRIALS.items() if spec.toolset == "jobs" and spec.effect is Effect.READ}
    assert set_up.keys() == jobs - {"list_jobs"}
    assert "LYCEUM_MCP_EXCLUDE_TOOLS" in text_of(excluded)


async def test_a_toolset_that_there_is_not_ends_the_command_with_a_sentence(folder: Path) -> None:
    async with started(lyceum_mcp(folder, "--toolsets", "clases")) as process:
        out, errors = await awaited(process.communicate(), "the end", SOON)
    assert process.returncode == 1
    assert out == b""
    assert errors.startswith(b"There is no toolset called 'clases'. There are: default, all, classes, ")
    assert errors.count(b"\n") == 1


@pytest.mark.filterwarnings("ignore:resources/:mcp.shared.exceptions.MCPDeprecationWarning")
async def test_a_client_hears_of_changes(folder: Path, storage: Storage) -> None:
    told = asyncio.Event()

    async def hear(message: Any) -> None:
        if isinstance(message, ResourceListChangedNotification):
            told.set()

    owner = Principal(await Accounts(storage).local_owner())
    async with Client(lyceum_mcp(folder), mode=LEGACY, message_handler=hear) as client:
        await client.list_resources()
        await Executor(TRIALS, storage).call("create_class", {"name": "Told of"}, owner)
        await awaited(told.wait(), "the notification", SOON)


async def test_the_largest_file_that_a_tool_takes_comes_through_and_of_a_larger_one_the_tool_says_so(
    folder: Path,
) -> None:
    async def upload(size: int) -> str:
        content = base64.b64encode(random.Random(1).randbytes(size)).decode()
        file = {"class_id": "No such class", "filename": "a.txt", "content_base64": content}
        return text_of(await client.call_tool("upload_material", file))

    async with Client(lyceum_mcp(folder, "--toolsets", "all"), mode=MODERN) as client:
        largest, larger = await upload(SMALL_FILE), await upload(SMALL_FILE + 3)
    assert "No such class" in largest
    assert "/api/uploads" in larger


async def test_without_an_api_the_process_serves_itself(instance: InstanceInfo, tmp_path: Path) -> None:
    """The services run, held by a command that has no API, and so no socket is announced."""
    assert await asyncio.to_thread(connected, tmp_path) is None
    async with Client(lyceum_mcp(instance.data_dir, "--toolsets", "classes"), mode=MODERN) as client:
        tools = await all_tools(client)
        (process,) = commands()
        assert process.memory_info().rss > THIN
    assert "create_class" in tools


async def test_a_command_that_comes_while_the_api_starts_waits_for_it(
    tmp_path: Path, instance: InstanceInfo, storage: Storage
) -> None:
    async with instance_on(tmp_path, instance) as (services, info):
        waiting = asyncio.create_task(asyncio.to_thread(connected, tmp_path))
        services.announce_api(info, "http://127.0.0.1:1")
        assert await awaited(waiting, "the end of looking", SOON) is None, "a version without the socket"

        waiting = asyncio.create_task(asyncio.to_thread(connected, tmp_path))
        services.announce_api(info, "http://127.0.0.1:1", str(socket_of(tmp_path)))
        listening(socket_of(tmp_path)).close()
        async with api_of(socket_of(tmp_path), storage, instance).running():
            channel = await awaited(waiting, "a connection", SOON)
            assert channel is not None
            channel.close()


async def test_the_doctor_says_when_the_api_cannot_be_reached(
    tmp_path: Path, instance: InstanceInfo, storage: Storage
) -> None:
    settings = storage.settings.model_copy(update={"data_dir": tmp_path})
    patient = Patient(replace(storage, settings=settings), is_laptop=True, head="")
    assert (await ai_clients(patient))[0].startswith("No API runs")
    async with instance_on(tmp_path, instance) as (services, info):
        services.announce_api(info, "http://127.0.0.1:1", str(socket_of(tmp_path)))
        (finding,) = (await ai_clients(patient))[1]
        assert "does not take `lyceum mcp`" in finding.detail
        async with api_of(socket_of(tmp_path), storage, instance).running():
            assert await ai_clients(patient) == ("The API takes `lyceum mcp`.", [])


async def test_a_client_that_closes_its_pipe_in_the_middle_of_a_call_ends_the_call_and_the_process(
    folder: Path,
) -> None:
    cancelled.clear()
    async with started(lyceum_mcp(folder)) as process:
        waiting = await said(process, line("tools/call", name="wait_forever"))
        assert waiting["method"] == "notifications/progress"
        rest, errors = await awaited(process.communicate(b""), "the end", SOON)
    await awaited(cancelled.wait(), "the end of the call", SOON)
    assert (process.returncode, errors) == (0, b"")
    assert json.loads(rest)["error"]["message"] == "Connection closed", "what the SDK writes on any pipe"


async def test_a_client_that_closes_only_the_pipe_it_reads_from_ends_the_process(folder: Path) -> None:
    async with started(lyceum_mcp(folder)) as process:
        assert (await said(process, line("tools/list")))["id"] == 1
        process._transport.get_pipe_transport(1).close()  # type: ignore[attr-defined]
        assert await awaited(process.wait(), "the end", SOON) == 0
        assert process.stderr is not None
        assert await process.stderr.read() == b""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_ends_the_process_at_once_and_quietly(folder: Path, number: signal.Signals) -> None:
    async with started(lyceum_mcp(folder)) as process:
        await said(process, line("tools/call", name="wait_forever"))
        process.send_signal(number)
        out, errors = await awaited(process.communicate(), "the end", SOON)
    assert (process.returncode, out, errors) == (-number, b"", b"")


async def test_bytes_that_are_no_messages_are_passed_over_as_on_any_pipe(folder: Path) -> None:
    call = line("tools/call", 7, name="list_classes")
    async with started(lyceum_mcp(folder)) as process:
        answer = await said(process, b"\n", b"{\n", b"\xff\xfe garbage\n", b'{"jsonrpc": "2.0"}\n', call)
        rest, errors = await awaited(process.communicate(call[:50]), "the end", SOON)
    assert answer["id"] == 7
    assert (process.returncode, rest, errors) == (0, b"", b"")


async def test_the_last_message_needs_no_end_of_line(folder: Path) -> None:
    async with started(lyceum_mcp(folder)) as process:
        out, _ = await awaited(process.communicate(json.dumps(INITIALIZE).encode()), "the end", SOON)
    assert json.loads(out)["result"]["serverInfo"]["name"] == "lyceum"


@pytest.fixture(scope="module")
def serving() -> Iterator[Serving]:
    with serve(LYCEUM_MODEL="builtin") as running:
        yield running


async def test_when_the_api_is_killed_the_command_says_so_and_a_new_one_finds_the_next_api(
    serving: Serving,
) -> None:
    async with started(lyceum_mcp(serving.data_dir)) as process:
        assert (await said(process, line("tools/list")))["id"] == 1
        killed = serving.child("api")
        killed.kill()
        out, errors = await awaited(process.communicate(), "the end", SOON)
    assert (process.returncode, out) == (1, b"")
    assert (
        errors == b"Lyceum has stopped or is starting again, so this connection is over. Connect once more.\n"
    )

    async with httpx.AsyncClient(trust_env=False) as http:

        async def is_ready() -> bool:
            with contextlib.suppress(httpx.TransportError):
                return (await http.get(f"{serving.base}/readyz")).status_code == 200
            return False

        await until(is_ready, "the next API")
    async with started(lyceum_mcp(serving.data_dir)) as process:
        assert (await said(process, line("tools/list")))["id"] == 1
        assert psutil.Process(process.pid).memory_info().rss < THIN


@pytest.mark.parametrize("kind", ["pairs of sockets", "one socket", "terminal"])
async def test_it_need_not_be_pipes(folder: Path, kind: str) -> None:
    """Node.js gives its children pairs of sockets. What the API does not take over, the process copies."""
    parameters, request = lyceum_mcp(folder), line("tools/list")
    command = (parameters.command, *parameters.args)
    with contextlib.ExitStack() as held:
        to_us, stdout = map(held.enter_context, socket.socketpair())
        from_us, stdin = map(held.enter_context, socket.socketpair())
        keyboard, terminal = os.openpty()
        for descriptor in (keyboard, terminal):
            held.callback(os.close, descriptor)
        given: dict[str, Any] = {"pairs of sockets": stdin, "one socket": stdout, "terminal": terminal}
        process = await asyncio.create_subprocess_exec(
            *command, cwd=parameters.cwd, env=parameters.env, stdin=given[kind], stdout=stdout.fileno()
        )
        stdout.close()
        reader, writer = await asyncio.open_unix_connection(sock=to_us.dup())
        sent = to_us if kind == "one socket" else from_us
        os.write(keyboard, request) if kind == "terminal" else sent.sendall(request)
        try:
            assert json.loads(await awaited(reader.readline(), "an answer", SOON))["id"] == 1
            os.write(keyboard, b"\x04") if kind == "terminal" else sent.shutdown(socket.SHUT_WR)
            assert await awaited(process.wait(), "the end", SOON) == 0
            assert await awaited(reader.read(), "the end of the answers", SOON) == b""
        finally:
            writer.close()
            await writer.wait_closed()
