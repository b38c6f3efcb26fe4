"""The MCP server beside chroma-mcp 0.2.6, on copies of the same Chroma folder, in turns within one run.

chroma-mcp runs in an environment of its own (with `pydantic<2.13`, else it does not start) and embeds with the same int8 model,
put where it looks for it. Both are driven by the same client over stdio, Lyceum also over HTTP. Every query is another one.
"""

import asyncio
import json
import os
import shutil
import sys
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from itertools import count, cycle
from pathlib import Path
from subprocess import DEVNULL
from typing import Any

import aiohttp
import httpx
import psutil
from mcp import Client, StdioServerParameters
from mcp.client.stdio import stdio_client
from mcp.client.streamable_http import streamable_http_client
from mcp.shared._httpx_utils import create_mcp_http_client

from benchmarks.data import SQUAD, shared
from benchmarks.memory import roles, sizes_of
from benchmarks.reading import CLASS_NAME, tool, until
from benchmarks.report import Aim, Section, p50_p95
from benchmarks.server import LYCEUM, Server, environment
from storage.embeddings import MODEL_FOLDER

PEER = ("chroma-mcp==0.2.6", "pydantic<2.13")
DOCUMENTS, CHARACTERS = 2000, 174
ROUNDS, CALLS = 10, 20  # short turns: a shared machine is not equally fast for long
CLIENTS, BURST = 8, 400
TOOLSET = "collections"
MODERN = "2026-07-28"
MODEL_FILES = ("config.json", "special_tokens_map.json", "tokenizer_config.json", "vocab.txt")
"""What Chroma's default embedder wants to see beside model and tokenizer; it reads none of them."""

Arguments = Callable[[str], dict[str, Any]]
"""What a tool is called with when the next query is this one."""
Steps = Sequence[tuple[str, Arguments]]
"""Calls one after the other that answer one question together."""


@dataclass
class Peer:
    """A server to be measured: how a client reaches it, and its name for each call."""

    name: str
    target: Callable[[], Any]
    mode: str
    calls: dict[str, Steps]
    seconds: dict[str, list[float]] = field(default_factory=dict)
    ready: list[float] = field(default_factory=list)
    megabytes: float = 0.0
    """Of the process that was started for the client, with its children; PSS."""

    @asynccontextmanager
    async def client(self) -> AsyncGenerator[Client]:
        async with Client(self.target(), mode=self.mode, read_timeout_seconds=300) as client:
            yield client


async def measure_mcp(server: Server, folder: Path) -> list[Section]:
    """Index the documents, copy Chroma's folder, then measure all peers in turns. The server is not yet started."""
    python = await peer_environment(folder)
    await server.start()
    try:
        async with server.client() as client:
            collection = await fill(client)
    finally:
        await server.stop()
    copy = folder / "chroma-copy"
    shutil.copytree(server.data_dir / "chroma", copy)
    await server.start()
    try:
        peers = [chroma_mcp(python, copy, folder, collection), *lyceum(server, collection)]
        queries = questions()
        for number in range(ROUNDS):
            for peer in peers if number % 2 else reversed(peers):
                await measure_peer(peer, queries)
        header = {"Authorization": f"Bearer {await server.key()}"}
        concurrent = await measure_clients(server, header, collection, queries)
        whole = sum(
            sizes_of(p)[0] for group in roles(server.process.pid, server.data_dir).values() for p in group
        )
    finally:
        await server.stop()
    return [*tables(peers, whole), concurrent]


async def peer_environment(folder: Path) -> Path:
    """The Python of a fresh environment with chroma-mcp, and the model in a home folder of its own."""
    environment_folder, home = folder / "chroma-mcp", folder / "home"
    await ran(sys.executable, "-m", "venv", str(environment_folder))
    python = environment_folder / "bin" / "python"
    await ran(str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *PEER)
    model = home / ".cache" / "chroma" / "onnx_models" / "all-MiniLM-L6-v2" / "onnx"
    model.mkdir(parents=True)
    for name in ("model.onnx", "tokenizer.json"):
        shutil.copy(MODEL_FOLDER / name, model / name)
    for name in MODEL_FILES:
        (model / name).write_text("{}")
    return python


async def ran(*command: str) -> None:
    process = await asyncio.create_subprocess_exec(*command, stderr=DEVNULL)
    if await process.wait():
        raise RuntimeError(f"{' '.join(command[:4])} … failed.")


async def fill(client: httpx.AsyncClient) -> str:
    """One class whose collection holds the documents. Gives the collection's name."""
    corpus = shared(SQUAD) / "corpus.jsonl"
    lines = [json.loads(line)["text"] for line in corpus.read_text(encoding="utf-8").splitlines()]
    pieces = [
        text[i : i + CHARACTERS].strip()
        for text in lines
        for i in range(0, len(text) - CHARACTERS, CHARACTERS)
    ]
    text = "\n\n".join(f"# Document {n}\n\n{piece}" for n, piece in enumerate(pieces[:DOCUMENTS]))
    await tool(client, "create_class", name=CLASS_NAME)
    taken = await tool(client, "add_text", class_id=CLASS_NAME, title="Documents", text=text)
    await until(client, taken["material_id"], ("ready",), time.monotonic())
    (collection,) = (await tool(client, "chroma_list_collections"))["items"]
    if collection["count"] != DOCUMENTS:
        raise RuntimeError(f"The collection holds {collection['count']} entries instead of {DOCUMENTS}.")
    return str(collection["name"])


def questions() -> Iterator[str]:
    """Questions of the labelled set; when they are through, again with a number behind."""
    lines = (shared(SQUAD) / "queries.jsonl").read_text(encoding="utf-8").splitlines()
    texts = [json.loads(line)["text"] for line in lines]
    for round_number, text in zip((n // len(texts) for n in count()), cycle(texts), strict=False):
        yield f"{text} {round_number}" if round_number else text


def chroma_mcp(python: Path, data: Path, folder: Path, collection: str) -> Peer:
    command = StdioServerParameters(
        command=str(python.parent / "chroma-mcp"),
        args=["--client-type", "persistent", "--data-dir", str(data)],
        env={"HOME": str(folder / "home"), "PATH": str(python.parent)},
    )
    named = {"collection_name": collection}
    names: tuple[str, Arguments] = ("chroma_list_collections", lambda _: {})
    counted: tuple[str, Arguments] = ("chroma_get_collection_count", lambda _: named)
    return Peer(
        "chroma-mcp 0.2.6, stdio",
        lambda: stdio_client(command, errlog=Path(os.devnull).open("w")),
        "legacy",  # it ends at the first message of the newer revision
        {
            "list": [names],
            "list and counts": [names, counted],
            "count": [counted],
            "peek 5": [("chroma_peek_collection", lambda _: {**named, "limit": 5})],
            "query 5": [("chroma_query_documents", lambda q: {**named, "query_texts": [q], "n_results": 5})],
        },
    )


def lyceum(server: Server, collection: str) -> list[Peer]:
    """Over stdio in both revisions of the protocol, attached to the running instance."""
    command = StdioServerParameters(
        command=LYCEUM[0],
        # The SDK's client lists the tools again before each call of one that is not in the list.
        args=[*LYCEUM[1:], "mcp", "--data-dir", str(server.data_dir), "--toolsets", TOOLSET],
        env=environment(),
        cwd=server.data_dir.parent,
    )
    calls = calls_of(collection)
    return [
        Peer(f"Lyceum, stdio, {mode}", lambda: stdio_client(command), mode, calls)
        for mode in ("legacy", MODERN)
    ]


def calls_of(collection: str) -> dict[str, Steps]:
    named = {"collection_name": collection}
    return {
        "list": [("chroma_list_collections", lambda _: {"counts": False})],
        "list and counts": [("chroma_list_collections", lambda _: {})],
        "count": [("chroma_count_documents", lambda _: named)],
        "peek 5": [("chroma_peek_documents", lambda _: {**named, "limit": 5})],
        "query 5": [("chroma_search", lambda q: {"class_id": CLASS_NAME, "query": q, "limit": 5})],
    }


async def measure_peer(peer: Peer, queries: Iterator[str]) -> None:
    """One round: start, wait for the first answer, then every call many times; the first of each is not counted."""
    before = {process.pid for process in psutil.Process().children(recursive=True)}
    began = time.perf_counter()
    async with peer.client() as client:
        await client.list_tools()
        peer.ready.append(time.perf_counter() - began)
        for label, steps in peer.calls.items():
            for _ in range(3):
                await answered(client, steps, next(queries))
            seconds = [await answered(client, steps, next(queries)) for _ in range(CALLS)]
            peer.seconds.setdefault(label, []).extend(seconds)
        own = [p for p in psutil.Process().children(recursive=True) if p.pid not in before]
        peer.megabytes = max(peer.megabytes, sum(sizes_of(process)[0] for process in own))


async def answered(client: Client, steps: Steps, query: str) -> float:
    return sum([await called(client, name, arguments(query)) for name, arguments in steps])


async def called(client: Client, name: str, arguments: dict[str, Any]) -> float:
    began = time.perf_counter()
    result = await client.call_tool(name, arguments)
    seconds = time.perf_counter() - began
    if result.is_error:
        raise RuntimeError(f"{name}: {result.content}")
    return seconds


Caller = Callable[[dict[str, Any]], Awaitable[float]]
"""Calls the tool with these arguments; gives the seconds it took."""


async def measure_clients(
    server: Server, header: dict[str, str], collection: str, queries: Iterator[str]
) -> Section:
    """Many clients at once over HTTP: calls a second, by the SDK's client and by plain requests."""
    section = Section(
        "mcp_http", f"Lyceum over HTTP, {CLIENTS} clients", ["calls/s", "p50 ms", "p95 ms", "clients' CPU ms"]
    )
    calls = calls_of(collection)
    for kind, connected in (("SDK's client", sdk_caller), ("plain requests", plain_caller)):
        for label, aim in (("count", 200), ("query 5", 80)):
            ((name, arguments),) = calls[label]
            rest = iter(range(BURST))
            async with AsyncExitStack() as stack:
                callers = [
                    await stack.enter_async_context(connected(server, header, name)) for _ in range(CLIENTS)
                ]
                for call in callers:
                    await call(arguments(next(queries)))
                began, own = time.perf_counter(), time.process_time()
                parts = await asyncio.gather(*(calling(call, arguments, queries, rest) for call in callers))
                taken, own = time.perf_counter() - began, time.process_time() - own
            row = f"{label}, {kind}"
            seconds = [second for part in parts for second in part]
            section.rows[row] = [BURST / taken, *p50_p95(seconds), own / BURST * 1000]
            section.aims = [*section.aims, Aim(row, "calls/s", aim, at_least=True)]
    section.notes.append(
        "The clients are one process on the same two cores; their CPU for a call bounds what they can ask."
    )
    return section


async def calling(
    call: Caller, arguments: Arguments, queries: Iterator[str], rest: Iterator[int]
) -> list[float]:
    """One client that calls as long as there is something left of the rest."""
    return [await call(arguments(next(queries))) for _ in rest]


@asynccontextmanager
async def sdk_caller(server: Server, header: dict[str, str], name: str) -> AsyncGenerator[Caller]:
    async with create_mcp_http_client(headers=header) as http:
        target = streamable_http_client(f"{server.url}/mcp?toolsets={TOOLSET}", http_client=http)
        async with Client(target, mode=MODERN) as client:
            yield partial(called, client, name)


@asynccontextmanager
async def plain_caller(server: Server, header: dict[str, str], name: str) -> AsyncGenerator[Caller]:
    """The same request as the SDK's client makes, written by hand."""
    named = {"Mcp-Method": "tools/call", "Mcp-Name": name, "MCP-Protocol-Version": MODERN}
    accept = {"Accept": "application/json, text/event-stream"}
    meta = {
        "io.modelcontextprotocol/protocolVersion": MODERN,
        "io.modelcontextprotocol/clientCapabilities": {},
    }
    numbers = count(1)

    async def call(arguments: dict[str, Any]) -> float:
        params = {"name": name, "arguments": arguments, "_meta": meta}
        body = {"jsonrpc": "2.0", "id": next(numbers), "method": "tools/call", "params": params}
        began = time.perf_counter()
        async with session.post(f"{server.url}/mcp?toolsets={TOOLSET}", json=body) as response:
            answer = await response.json()
        seconds = time.perf_counter() - began
        if answer.get("result", {}).get("isError", True):
            raise RuntimeError(f"{name}: {answer}")
        return seconds

    async with aiohttp.ClientSession(headers={**header, **named, **accept}) as session:
        yield call


def tables(peers: list[Peer], whole: float) -> list[Section]:
    calls = Section(
        "mcp_calls",
        f"One client, {DOCUMENTS} documents, {ROUNDS} × {CALLS} calls in turns",
        [f"{label} {which}" for label in peers[0].calls for which in ("p50 ms", "p95 ms")],
    )
    start = Section("mcp_start", "Process of one client", ["ready s, median", "PSS MB"])
    for peer in peers:
        calls.rows[peer.name] = [value for seconds in peer.seconds.values() for value in p50_p95(seconds)]
        start.rows[peer.name] = [sorted(peer.ready)[len(peer.ready) // 2], peer.megabytes]
    anchor, legacy = calls.rows[peers[0].name], calls.rows[peers[1].name]
    calls.rows["times faster (legacy)"] = [a / b for a, b in zip(anchor, legacy, strict=True)]
    calls.aims = [Aim("times faster (legacy)", column, 1, at_least=True) for column in calls.columns[:-2]]
    calls.aims += [Aim("times faster (legacy)", "query 5 p50 ms", 20, at_least=True)]
    theirs = start.rows[peers[0].name]
    start.aims = [
        Aim(peers[1].name, column, limit) for column, limit in zip(start.columns, theirs, strict=True)
    ]
    start.notes.append(
        f"All processes of the Lyceum instance that serves every client (servers, worker, API): {whole:.0f} MB PSS."
    )
    return [calls, start]
