"""An AI client as its maker would write it with the SDK: it listens on loopback, opens the browser, and calls tools."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from urllib.parse import parse_qs, urlsplit

import httpx
from mcp import Client
from mcp.client.auth import OAuthClientProvider
from mcp.client.streamable_http import streamable_http_client
from mcp.shared._httpx_utils import create_mcp_http_client
from mcp.shared.auth import (
    AuthorizationCodeResult,
    OAuthClientMetadata,
)
from playwright.async_api import Page, expect

from tests.browser.student import Student
from tests.oauth.kept import Kept

Person = Callable[[str], Awaitable[None]]
"""What the person does in the browser, once the client has opened this address."""
CAME_BACK = "The client has its answer. You can close this page."


class Refused(Exception):
    """The answer that came back on loopback was an error."""


@dataclass
class Loopback:
    """Where the client waits for the browser (RFC 8252, 7.3). `arrived`: the queries of the requests, in order."""

    port: int = 0
    arrived: "asyncio.Queue[dict[str, str]]" = field(default_factory=asyncio.Queue)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/callback"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        target = urlsplit((await reader.readuntil(b"\r\n\r\n")).split()[1].decode())
        if target.path == "/callback":
            self.arrived.put_nowait({name: values[0] for name, values in parse_qs(target.query).items()})
        page = f"<!doctype html><title>Client</title><link rel=icon href=data:,><p>{CAME_BACK}</p>".encode()
        head = f"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: {len(page)}\r\nConnection: close\r\n\r\n"
        writer.write(head.encode() + page)
        await writer.drain()
        writer.close()


@asynccontextmanager
async def listening() -> AsyncGenerator[Loopback]:
    loopback = Loopback()
    server = await asyncio.start_server(loopback.serve, "127.0.0.1", 0)
    loopback.port = server.sockets[0].getsockname()[1]
    async with server:
        yield loopback


@dataclass
class App:
    """The client: the SDK's own provider, and what it kept."""

    provider: OAuthClientProvider
    kept: Kept
    loopback: Loopback
    base: str

    @asynccontextmanager
    async def connect(self, toolsets: str = "notes,tests,search") -> AsyncGenerator[Client]:
        async with (
            create_mcp_http_client(auth=self.provider, headers={"X-MCP-Toolsets": toolsets}) as http,
            Client(streamable_http_client(f"{self.base}/mcp", http_client=http)) as client,
        ):
            yield client

    async def status(self) -> int:
        """What the server answers to the access token as it is, without another try."""
        assert self.kept.tokens is not None
        bearer = {"Authorization": f"Bearer {self.kept.tokens.access_token}"}
        accepts = {"Accept": "application/json, text/event-stream"}
        ping = {"jsonrpc": "2.0", "id": 1, "method": "ping"}
        async with httpx.AsyncClient() as http:
            return (await http.post(f"{self.base}/mcp", headers={**bearer, **accepts}, json=ping)).status_code


@asynccontextmanager
async def app(base: str, person: Person, *, name: str = "Study Helper") -> AsyncGenerator[App]:
    """A client that nobody knows yet."""
    async with listening() as loopback:

        async def answer() -> AuthorizationCodeResult:
            query = await asyncio.wait_for(loopback.arrived.get(), 20)
            if "error" in query:
                raise Refused(query["error"])
            return AuthorizationCodeResult(code=query["code"], state=query.get("state"), iss=query.get("iss"))

        kept = Kept()
        about = {
            "client_name": name,
            "redirect_uris": [loopback.url],
            "token_endpoint_auth_method": "none",
            "grant_types": ["authorization_code", "refresh_token"],
        }
        provider = OAuthClientProvider(
            f"{base}/mcp",
            OAuthClientMetadata.model_validate(about),
            kept,
            redirect_handler=person,
            callback_handler=answer,
        )
        yield App(provider, kept, loopback, base)


async def asked(student: Student, address: str) -> None:
    """The address is opened, and the question stands there."""
    await student.page.goto(address)
    await expect(student.at("consent")).to_be_visible()


def allowing(student: Student, *without: str) -> Person:
    """Someone who is signed in, unticks these scopes, and allows the rest."""

    async def person(address: str) -> None:
        await asked(student, address)
        for scope in without:
            await student.at(f"scope-{scope}").uncheck()
        await student.at("consent-allow").click()
        await came_back(student.page)

    return person


async def came_back(page: Page) -> None:
    await expect(page.locator("body")).to_have_text(CAME_BACK)
