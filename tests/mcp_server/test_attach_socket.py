"""The API's side of `lyceum mcp`: what one connection sends never harms the others, nor the memory."""

import asyncio
import errno
import json
import socket
from asyncio import StreamReader, StreamWriter
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from mcp_server import attach
from mcp_server.lines import LONGEST
from storage.local.instance import InstanceInfo
from storage.resources import Storage
from tests.mcp_server.attached import api_of
from tests.mcp_server.conftest import INITIALIZE
from tests.waiting import SOON, awaited, until

HELLO = b'{"mcp_toolsets": "classes"}\n'
LIST = {"jsonrpc": "2.0", "id": 2, "method": "tools/list", "params": {}}
STALL = 1.0
"""Seconds without a byte taken, after which a peer does not read."""


@pytest.fixture(scope="module")
async def path(
    tmp_path_factory: pytest.TempPathFactory, instance: InstanceInfo, storage: Storage
) -> AsyncGenerator[Path]:
    made = tmp_path_factory.mktemp("socket") / "mcp.sock"
    async with api_of(made, storage, instance).running():
        yield made
    assert not made.exists()


class Peer:
    """One connection, line by line."""

    def __init__(self, reader: StreamReader, writer: StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    def send(self, message: dict[str, Any]) -> None:
        self.writer.write(json.dumps(message).encode() + b"\n")

    async def next(self) -> dict[str, Any]:
        line = await awaited(self.reader.readline(), "a line", SOON)
        answer: dict[str, Any] = json.loads(line)
        return answer

    async def ended(self) -> bool:
        return await awaited(self.reader.read(), "the end", SOON) == b""


@asynccontextmanager
async def connection(path: Path) -> AsyncIterator[Peer]:
    reader, writer = await asyncio.open_unix_connection(path)
    try:
        yield Peer(reader, writer)
    finally:
        writer.close()


@asynccontextmanager
async def session(path: Path) -> AsyncIterator[Peer]:
    """One that may list its tools."""
    async with connection(path) as peer:
        peer.writer.write(HELLO)
        assert await peer.next() == {"ok": True, "pipes": False}
        peer.send(INITIALIZE)
        assert (await peer.next())["id"] == 1
        peer.send({"jsonrpc": "2.0", "method": "notifications/initialized"})
        yield peer


async def lists(peer: Peer) -> bool:
    peer.send(LIST)
    return bool((await peer.next())["result"]["tools"])


def test_only_the_owner_may_open_the_socket(path: Path) -> None:
    assert path.stat().st_mode & 0o777 == 0o600


TEXT = "x" * LONGEST
TOO_LONG = [
    ({"jsonrpc": "2.0", "id": 9, "method": "tools/call", "params": {"id": 1, "text": TEXT}}, 9),
    ({"method": "tools/call", "params": {"id": 1, "text": TEXT}, "jsonrpc": "2.0", "id": "nine"}, "nine"),
    ({"jsonrpc": "2.0", "id": 9, "result": {"method": TEXT}}, None),
    ({"params": {"method": "x", "id": 9, "text": TEXT}, "jsonrpc": "2.0"}, None),
]


@pytest.mark.parametrize(("message", "number"), TOO_LONG, ids=["id-first", "id-last", "answer", "unclear"])
async def test_a_message_that_is_too_long_is_answered_and_the_session_goes_on(
    path: Path, message: dict[str, Any], number: int | str | None
) -> None:
    async with session(path) as peer, session(path) as other:
        peer.send(message)
        assert await lists(other)
        answer = await peer.next()
        assert await lists(peer)
    assert answer["id"] == number
    assert answer["error"]["message"].startswith("A message may be 32 MB long.")


async def test_a_client_that_does_not_read_is_not_read_from_and_the_others_are_served(path: Path) -> None:
    padded = {**LIST, "params": {"_meta": {"padding": "x" * 20_000}}}
    async with session(path) as peer, session(path) as other:
        sent = 0
        try:
            while sent < 3000:
                peer.send(padded)
                sent += 1
                await asyncio.wait_for(peer.writer.drain(), STALL)
        except TimeoutError:
            pass
        assert sent < 3000, "60 MB of requests were taken"
        assert await lists(other)
        assert all([(await peer.next())["result"]["tools"] for _ in range(sent)])


async def test_a_client_that_vanishes_leaves_nothing_behind(
    path: Path, storage: Storage, instance: InstanceInfo, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(attach, "MOST_CONNECTIONS", 1)
    alone = path.with_name("bounded.sock")
    async with api_of(alone, storage, instance).running():
        async with session(alone) as peer:
            async with connection(alone) as refused:
                refused.writer.write(HELLO)
                said = await refused.next()
                assert await refused.ended()
            peer.writer.write(b'{"jsonrpc": "2.0", "id"')
            peer.writer.transport.abort()

        async def is_free() -> bool:
            async with connection(alone) as again:
                again.writer.write(HELLO)
                return await again.next() == {"ok": True, "pipes": False}

        await until(is_free, "the place of the one that vanished")
    assert said["code"] == "too_many_connections"


@pytest.mark.parametrize(
    ("line", "code"),
    [
        (b'{"mcp_of_tomorrow": "only this"}\n', "other_version"),
        (b"GET / HTTP/1.1\r\n", "other_version"),
        (b'{"mcp_toolsets": "' + b"x" * (1 << 17) + b'"}\n', "invalid_selection"),
        (b'{"mcp_tools": "' + b"x" * 5000 + b'"}\n', "invalid_selection"),
        (b'{"mcp_tools": "list_clases"}\n', "unknown_tool"),
    ],
)
async def test_a_first_line_that_cannot_be_used_is_answered_with_a_sentence(
    path: Path, line: bytes, code: str
) -> None:
    async with connection(path) as peer:
        peer.writer.write(line)
        said = await peer.next()
        assert await peer.ended()
    assert said["code"] == code
    assert said["error"].endswith((".", "?"))


async def test_a_connection_that_says_nothing_is_ended(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attach, "HELLO_SECONDS", 0.1)
    async with connection(path) as peer:
        assert await peer.ended()


async def test_the_end_of_the_api_ends_every_connection_also_one_that_does_not_read(
    path: Path, storage: Storage, instance: InstanceInfo
) -> None:
    short = path.with_name("short.sock")
    api = api_of(short, storage, instance).running()
    await api.__aenter__()
    async with session(short) as peer, session(short) as deaf:
        for _ in range(1000):
            deaf.send(LIST)
        await lists(peer)
        await awaited(api.__aexit__(None, None, None), "the end of the API", SOON)
        assert await peer.ended()


async def test_a_connection_that_cannot_be_taken_now_is_taken_later(
    path: Path, storage: Storage, instance: InstanceInfo, monkeypatch: pytest.MonkeyPatch
) -> None:
    loop = asyncio.get_running_loop()
    accept, refusals = loop.sock_accept, iter([OSError(errno.EMFILE, "Too many open files")])

    async def crowded(listener: socket.socket) -> Any:
        for refusal in refusals:
            raise refusal
        return await accept(listener)

    monkeypatch.setattr(attach, "ACCEPT_AGAIN_SECONDS", 0.05)
    monkeypatch.setattr(loop, "sock_accept", crowded)
    crowd = path.with_name("crowd.sock")
    async with api_of(crowd, storage, instance).running(), session(crowd) as peer:
        assert await lists(peer)
