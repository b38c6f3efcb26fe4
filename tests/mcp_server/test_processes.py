"""More than one process: API processes that share a client between them, and servers whose client dies."""

import asyncio
import json
import sys
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import UUID

import httpx
import httpx2
import psutil
import pytest
from mcp import Client
from mcp.client.session import ClientRequestContext
from mcp.client.streamable_http import streamable_http_client
from mcp_types import ElicitRequestFormParams, ElicitRequestParams, ElicitResult

from storage.local.instance import InstanceInfo
from storage.resources import Storage
from tests.mcp_server.conftest import INITIALIZE, MODERN, make_key
from tests.mcp_server.test_stdio import ROOT, command
from tools.catalog import CATALOG
from tools.context import Principal
from tools.executor import Executor

PATIENCE = 60


@pytest.fixture(scope="module")
async def processes(base_url: str, instance: InstanceInfo) -> AsyncGenerator[list[str]]:
    """The addresses of two processes that serve /mcp with the same secret key: this one, and another one."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.mcp_server.http_entry",
        cwd=ROOT,
        env=command(instance, Principal(UUID(int=0)), LYCEUM_SECRET_KEY=instance.secret_key).env,
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    try:
        port = int(await process.stdout.readline())
        yield [base_url, f"http://127.0.0.1:{port}"]
    finally:
        process.terminate()
        await process.wait()


class Alternating(httpx2.AsyncHTTPTransport):
    """A proxy without affinity: each request goes to the next process."""

    def __init__(self, bases: Sequence[str]) -> None:
        super().__init__()
        self._bases = [httpx2.URL(base) for base in bases]
        self.sent_to: list[int | None] = []

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        base = self._bases[len(self.sent_to) % len(self._bases)]
        self.sent_to.append(base.port)
        request.url = request.url.copy_with(host=base.host, port=base.port)
        return await super().handle_async_request(request)


@asynccontextmanager
async def client_of_both(
    bases: Sequence[str], token: str, person: "TypesTheName"
) -> AsyncIterator[tuple[Client, Alternating]]:
    proxy = Alternating(bases)
    headers = {"Authorization": f"Bearer {token}"}
    async with httpx2.AsyncClient(transport=proxy, headers=headers, timeout=30) as http:
        transport = streamable_http_client(f"{bases[0]}/mcp", http_client=http)
        async with Client(transport, mode=MODERN, elicitation_callback=person) as client:
            yield client, proxy


class TypesTheName:
    """A person who agrees."""

    async def __call__(self, context: ClientRequestContext, params: ElicitRequestParams) -> ElicitResult:
        assert isinstance(params, ElicitRequestFormParams)
        return ElicitResult(action="accept", content={"name": "Biology"})


async def test_one_process_asks_and_the_other_one_acts(
    processes: list[str], storage: Storage, student: Principal
) -> None:
    await Executor(CATALOG, storage).call("create_class", {"name": "Biology"}, student)
    async with client_of_both(processes, await make_key(storage, student), TypesTheName()) as (client, proxy):
        result = await client.call_tool("delete_class", {"class_id": "Biology"})
        first, second = proxy.sent_to[-2:]
        left = await client.call_tool("list_classes")
    assert not result.is_error
    assert first != second
    assert left.structured_content is not None
    assert left.structured_content["items"] == []


async def test_a_session_of_the_older_era_lives_in_the_process_that_opened_it(
    processes: list[str], storage: Storage, student: Principal
) -> None:
    """Another process says 404, upon which a client opens a new session (2025-11-25, transports, session management)."""
    headers = {
        "Authorization": f"Bearer {await make_key(storage, student)}",
        "Accept": "application/json, text/event-stream",
    }
    async with httpx.AsyncClient(headers=headers) as http:
        opened = await http.post(f"{processes[0]}/mcp", json=INITIALIZE)
        session = {"Mcp-Session-Id": opened.headers["Mcp-Session-Id"]}
        ping = {"jsonrpc": "2.0", "id": 2, "method": "ping"}
        answers = [
            (await http.post(f"{base}/mcp", json=ping, headers=session)).status_code for base in processes
        ]
    assert answers == [200, 404]


PARENT = """
import json, subprocess, sys
arguments, line = json.loads(sys.argv[1]), sys.argv[2]
child = subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
child.stdin.write(line.encode() + b"\\n")
child.stdin.flush()
child.stdout.readline()
print(child.pid, flush=True)
sys.stdin.read()
"""
"""A client that starts a server, sends one message, waits for its first sign of life, and is then killed."""


async def test_a_server_on_a_pipe_ends_when_its_client_is_killed_in_the_middle_of_a_call(
    instance: InstanceInfo, student: Principal
) -> None:
    parameters = command(instance, student)
    meta = {
        "io.modelcontextprotocol/protocolVersion": MODERN,
        "io.modelcontextprotocol/clientCapabilities": {},
        "progressToken": 1,
    }
    call = {"name": "wait_forever", "_meta": meta}
    line = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": call})
    start = json.dumps([parameters.command, *parameters.args])
    parent = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        PARENT,
        start,
        line,
        cwd=Path(str(parameters.cwd)),
        env=parameters.env,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    assert parent.stdout is not None
    try:
        server = psutil.Process(int(await asyncio.wait_for(parent.stdout.readline(), PATIENCE)))
    finally:
        parent.kill()
        await parent.wait()
    gone, alive = await asyncio.to_thread(psutil.wait_procs, [server], PATIENCE)
    for orphan in alive:
        orphan.kill()
    assert [process.pid for process in gone] == [server.pid]
