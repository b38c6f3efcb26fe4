"""One real HTTP server with /mcp, and one way to connect a client over each transport and protocol era."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from urllib.parse import urlencode

import httpx
import pytest
import uvicorn
from fastapi import FastAPI
from mcp import Client
from mcp.client.streamable_http import streamable_http_client
from mcp.shared._httpx_utils import create_mcp_http_client
from mcp_types import CallToolResult, TextContent, Tool
from starlette.requests import Request

from mcp_server.http import McpHttp
from mcp_server.oauth.routes import OAuthHttp
from mcp_server.selection import NOTHING_SAID, Selection, requested
from mcp_server.server import build_server
from storage.local.instance import InstanceInfo
from storage.resources import Storage
from tests.conftest import settings_for
from tests.mcp_server.catalog import TRIALS
from tests.ports import listening_socket
from tools.accounts import Accounts
from tools.context import Principal
from tools.executor import Executor
from tools.oauth.service import OAuthService

LEGACY, MODERN = "legacy", "2026-07-28"
INITIALIZE = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "initialize",
    "params": {
        "protocolVersion": "2025-11-25",
        "capabilities": {},
        "clientInfo": {"name": "test", "version": "1"},
    },
}
"""The first message of a client of the older era."""


@pytest.fixture(scope="session")
async def base_url(instance: InstanceInfo, storage: Storage) -> AsyncGenerator[str]:
    """A running app with /mcp, and a route behind it that must stay reachable."""
    listening = listening_socket()
    port = listening.getsockname()[1]
    settings = settings_for(instance).model_copy(update={"port": port})
    # A fresh server, whose settings know its address.
    here = replace(storage, settings=settings)
    mcp = McpHttp(Executor(TRIALS, here), Accounts(here), settings)
    oauth = OAuthHttp(OAuthService(here, TRIALS))

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        async with mcp.running():
            yield

    app = FastAPI(lifespan=lifespan)
    app.router.routes.extend([*mcp.routes, *oauth.routes])
    app.add_api_route("/later", lambda: "reachable")
    server = uvicorn.Server(uvicorn.Config(app, http="h11", log_level="warning"))
    serving = asyncio.create_task(server.serve(sockets=[listening]))
    yield settings.base_url
    server.should_exit = True
    await serving


async def make_key(storage: Storage, principal: Principal, *scopes: str) -> str:
    """An API key of the principal's account, as a person would make one."""
    _, secret = await Accounts(storage).create_key(principal.user_id, "test", scopes=scopes or ("*",))
    return secret


@asynccontextmanager
async def http_client(
    base_url: str,
    token: str,
    mode: str,
    query: Mapping[str, str] | None = None,
    headers: Mapping[str, str] | None = None,
) -> AsyncIterator[Client]:
    url = httpx.URL(f"{base_url}/mcp", params=query or None)
    async with create_mcp_http_client(
        headers={"Authorization": f"Bearer {token}", **(headers or {})}
    ) as http:
        async with Client(streamable_http_client(str(url), http_client=http), mode=mode) as client:
            yield client


def selected(query: Mapping[str, str], operator: Selection = NOTHING_SAID) -> Selection:
    """What an address with this query selects."""
    scope = {"type": "http", "query_string": urlencode(query).encode(), "headers": []}
    return requested(Request(scope), operator, TRIALS)


@dataclass
class Door:
    """A transport and an era; `enter` connects a client as somebody with some scopes."""

    transport: str
    mode: str
    base_url: str
    storage: Storage

    @asynccontextmanager
    async def enter(self, caller: Principal, *scopes: str, **query: str) -> AsyncIterator[Client]:
        """`query` is what the address says: toolsets="all", readonly="1"."""
        if self.transport == "http":
            key = await make_key(self.storage, caller, *scopes)
            async with http_client(self.base_url, key, self.mode, query) as client:
                yield client
            return
        principal, selection = Principal(caller.user_id, frozenset(scopes or ("*",))), selected(query)
        server = build_server(
            Executor(TRIALS, self.storage), lambda _: principal, selection_of=lambda _: selection
        )
        async with Client(server, mode=self.mode) as client:
            yield client


@pytest.fixture(
    params=[("http", LEGACY), ("http", MODERN), ("memory", LEGACY), ("memory", MODERN)], ids="-".join
)
def door(request: pytest.FixtureRequest, base_url: str, storage: Storage) -> Door:
    transport, mode = request.param
    return Door(transport, mode, base_url, storage)


async def all_tools(client: Client) -> dict[str, Tool]:
    tools: dict[str, Tool] = {}
    cursor = None
    while True:
        page = await client.list_tools(cursor=cursor)
        tools |= {tool.name: tool for tool in page.tools}
        cursor = page.next_cursor
        if cursor is None:
            return tools


def text_of(result: CallToolResult) -> str:
    (block,) = result.content
    assert isinstance(block, TextContent)
    return block.text
