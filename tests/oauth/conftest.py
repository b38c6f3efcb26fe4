"""The whole app on a real port, and a program that goes through the flow step by step, as its author would write it."""

import asyncio
import base64
import hashlib
import secrets
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
import uvicorn
from fastapi import FastAPI

from assistant.app import create_app
from storage.local.instance import InstanceInfo
from tests.conftest import settings_for
from tests.ports import listening_socket
from tools.context import Principal
from tools.oauth.service import OAuthService

REDIRECT = "http://127.0.0.1:33418/callback"
READ_NOTES = "notes:read"


@dataclass
class Served:
    """A running app."""

    url: str
    app: FastAPI

    @property
    def service(self) -> OAuthService:
        service: OAuthService = self.app.state.services.oauth
        return service

    @property
    def resource(self) -> str:
        return f"{self.url}/mcp"


@pytest.fixture(scope="session")
async def served(instance: InstanceInfo) -> AsyncGenerator[Served]:
    listening = listening_socket()
    settings = settings_for(instance).model_copy(update={"port": listening.getsockname()[1]})
    app = create_app(settings)
    server = uvicorn.Server(uvicorn.Config(app, http="h11", log_level="warning"))
    serving = asyncio.create_task(server.serve(sockets=[listening]))
    yield Served(settings.base_url, app)
    server.should_exit = True
    await serving


@pytest.fixture(scope="session")
async def http(served: Served) -> AsyncGenerator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=served.url) as client:
        yield client


def parameters(url: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}


@dataclass
class Program:
    """A client of OAuth. `said`: what it registers."""

    served: Served
    http: httpx.AsyncClient
    said: dict[str, Any] = field(default_factory=dict)
    client_id: str = ""
    secret: str | None = None
    verifier: str = ""
    state: str = ""

    async def register(self, **said: Any) -> httpx.Response:
        self.said = {
            "client_name": "A test program",
            "redirect_uris": [REDIRECT],
            "token_endpoint_auth_method": "none",
        } | said
        answer = await self.http.post("/register", json=self.said)
        if answer.status_code == 201:
            self.client_id, self.secret = answer.json()["client_id"], answer.json().get("client_secret")
        return answer

    def request(self, **changes: str | None) -> dict[str, str]:
        """Parameters of /authorize; None leaves one out."""
        self.verifier, self.state = secrets.token_urlsafe(48), secrets.token_urlsafe(8)
        digest = hashlib.sha256(self.verifier.encode()).digest()
        asked = {
            "response_type": "code",
            "client_id": self.client_id,
            "redirect_uri": REDIRECT,
            "code_challenge": base64.urlsafe_b64encode(digest).decode().rstrip("="),
            "code_challenge_method": "S256",
            "state": self.state,
            "resource": self.served.resource,
        }
        return {name: value for name, value in {**asked, **changes}.items() if value is not None}

    async def authorize(self, **changes: str | None) -> httpx.Response:
        return await self.http.get("/authorize", params=self.request(**changes))

    async def ask(self, **changes: str | None) -> str:
        """The id of a request that the person can answer now."""
        answer = await self.authorize(**changes)
        assert answer.status_code == 302, answer.text
        assert answer.headers["location"].startswith("/connect?request=")
        return parameters(answer.headers["location"])["request"]

    async def code(self, person: Principal, *scopes: str, **changes: str | None) -> str:
        """A code that this person gave it, with all that was offered unless said otherwise."""
        request_id = await self.ask(**changes)
        pending = await self.served.service.pending(request_id, person.user_id)
        ticked = frozenset(scopes) or frozenset(offer.scope for offer in pending.scopes)
        url = await self.served.service.decide(request_id, person.user_id, True, ticked)
        answer = parameters(url)
        assert (answer["state"], answer["iss"]) == (self.state, self.served.url)
        return answer["code"]

    async def token(self, **form: str | None) -> httpx.Response:
        given = {"client_id": self.client_id, "client_secret": self.secret, **form}
        return await self.http.post("/token", data={n: v for n, v in given.items() if v is not None})

    async def exchange(self, code: str, /, **changes: str | None) -> httpx.Response:
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "code_verifier": self.verifier,
            "redirect_uri": REDIRECT,
            "resource": self.served.resource,
        }
        return await self.token(**{**form, **changes})

    async def refresh(self, token: str, /, **changes: str | None) -> httpx.Response:
        return await self.token(**{"grant_type": "refresh_token", "refresh_token": token, **changes})

    async def connect(self, person: Principal, *scopes: str) -> dict[str, Any]:
        """The whole way: tokens."""
        answer = await self.exchange(await self.code(person, *scopes))
        assert answer.status_code == 200, answer.text
        tokens: dict[str, Any] = answer.json()
        return tokens


@pytest.fixture
async def program(served: Served, http: httpx.AsyncClient) -> Program:
    """A registered public client."""
    made = Program(served, http)
    assert (await made.register()).status_code == 201
    return made


LIST_TOOLS = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}


async def list_tools(http: httpx.AsyncClient, token: str) -> httpx.Response:
    """One request to /mcp with this token, in the era without sessions."""
    return await rpc(http, token, "tools/list", {})


async def rpc(http: httpx.AsyncClient, token: str, method: str, params: dict[str, Any]) -> httpx.Response:
    meta = {
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientInfo": {"name": "test", "version": "1"},
        "io.modelcontextprotocol/clientCapabilities": {},
    }
    headers = {
        "Authorization": f"Bearer {token}",
        "Accept": "application/json, text/event-stream",
        "MCP-Protocol-Version": "2026-07-28",
        "Mcp-Method": method,
    }
    if "name" in params:
        headers["Mcp-Name"] = str(params["name"])
    body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": {**params, "_meta": meta}}
    return await http.post("/mcp", json=body, headers=headers)
