"""The whole flow with the SDK's own client: finding the server, registering, asking, tokens, calls, refreshing."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace

import httpx
import pytest
from mcp import Client
from mcp.client.auth import OAuthClientProvider
from mcp.client.streamable_http import streamable_http_client
from mcp.shared._httpx_utils import create_mcp_http_client
from mcp.shared.auth import (
    AuthorizationCodeResult,
    OAuthClientMetadata,
)
from pydantic import AnyUrl

from storage.resources import Storage
from tests.oauth.conftest import REDIRECT, Program, Served, list_tools, parameters, rpc
from tests.oauth.kept import Kept
from tools.accounts import Accounts
from tools.context import Principal


@dataclass
class Connection:
    """A client of the SDK whose browser is test code: it decides as `person` does, by the service."""

    served: Served
    http: httpx.AsyncClient
    person: Principal
    scopes: frozenset[str] | None = None
    kept: Kept = field(default_factory=Kept)
    asked: list[dict[str, str]] = field(default_factory=list)
    answer: str = ""

    def provider(self) -> OAuthClientProvider:
        return OAuthClientProvider(
            server_url=self.served.resource,
            client_metadata=OAuthClientMetadata(
                client_name="The SDK's client", redirect_uris=[AnyUrl(REDIRECT)]
            ),
            storage=self.kept,
            redirect_handler=self.open_browser,
            callback_handler=self.listen,
        )

    async def open_browser(self, url: str) -> None:
        self.asked.append(parameters(url))
        page = await self.http.get(url)
        request_id = parameters(page.headers["location"])["request"]
        pending = await self.served.service.pending(request_id, self.person.user_id)
        ticked = self.scopes or frozenset(offer.scope for offer in pending.scopes)
        self.answer = await self.served.service.decide(request_id, self.person.user_id, True, ticked)

    async def listen(self) -> AuthorizationCodeResult:
        return AuthorizationCodeResult(**parameters(self.answer))

    @asynccontextmanager
    async def enter(self, mode: str) -> AsyncIterator[Client]:
        async with create_mcp_http_client(auth=self.provider()) as http:
            async with Client(
                streamable_http_client(self.served.resource, http_client=http), mode=mode
            ) as client:
                yield client


async def test_a_client_that_was_given_localhost_connects_too(
    served: Served, http: httpx.AsyncClient, student: Principal
) -> None:
    """Programs compare issuer and resource letter by letter; people type what they like."""
    by_name = replace(served, url=served.url.replace("127.0.0.1", "localhost"))
    connection = Connection(by_name, http, student)
    async with connection.enter("2026-07-28") as client:
        assert not (await client.call_tool("list_notes")).is_error
    assert connection.asked[0]["resource"] == by_name.resource
    assert parameters(connection.answer)["iss"] == by_name.url


async def test_no_other_name_is_taken_over_from_a_request(served: Served, http: httpx.AsyncClient) -> None:
    """A poisoned Host header must not send a program to another server."""
    port = served.url.rpartition(":")[2]
    for host in ("evil.localhost", "10.0.0.1", f"evil.localhost:{port}", "localhost:1", f"127.0.0.2:{port}"):
        for path in ("/.well-known/oauth-authorization-server", "/.well-known/oauth-protected-resource"):
            answer = await http.get(path, headers={"Host": host})
            assert "evil" not in answer.text
            assert served.url in answer.text or answer.status_code == 421
            assert "http://localhost" not in answer.text
            assert "127.0.0.2" not in answer.text


@pytest.mark.parametrize("mode", ["legacy", "2026-07-28"])
async def test_a_client_connects_by_the_address_alone(
    served: Served, http: httpx.AsyncClient, student: Principal, mode: str
) -> None:
    connection = Connection(served, http, student)
    async with connection.enter(mode) as client:
        made = await client.call_tool("create_note", {"title": "Waves", "text": "They carry energy."})
        assert not made.is_error
        names = {tool.name for tool in (await client.list_tools()).tools}
    assert "search_materials" in names
    tokens = connection.kept.tokens
    assert tokens is not None
    assert tokens.access_token.startswith("lyo_")
    assert tokens.refresh_token is not None
    assert tokens.refresh_token.startswith("lyr_")
    assert "account:write" not in (tokens.scope or "").split()
    assert "classes:write" not in (tokens.scope or "").split()


async def test_a_client_whose_token_is_over_refreshes_it_and_asks_nobody(
    served: Served, http: httpx.AsyncClient, student: Principal
) -> None:
    connection = Connection(served, http, student)
    async with connection.enter("2026-07-28") as client:
        await client.call_tool("list_notes")
    first = connection.kept.tokens
    provider = connection.provider()
    async with create_mcp_http_client(auth=provider) as sdk:
        await provider._initialize()
        provider.context.token_expiry_time = time.time() - 1
        async with Client(
            streamable_http_client(served.resource, http_client=sdk), mode="2026-07-28"
        ) as client:
            assert not (await client.call_tool("list_notes")).is_error
    assert len(connection.asked) == 1
    assert connection.kept.tokens != first


async def test_a_client_that_needs_more_asks_for_it_and_keeps_what_it_had(
    served: Served, http: httpx.AsyncClient, student: Principal
) -> None:
    connection = Connection(served, http, student, scopes=frozenset({"notes:read"}))
    async with connection.enter("2026-07-28") as client:
        assert not (await client.call_tool("list_notes")).is_error
        connection.scopes = frozenset({"notes:read", "notes:write"})
        made = await client.call_tool("create_note", {"title": "Waves", "text": "They carry energy."})
    assert not made.is_error
    assert len(connection.asked) == 2
    assert {"notes:read", "notes:write"} <= set(connection.asked[1]["scope"].split())


async def test_a_call_beyond_the_scopes_is_answered_with_what_to_ask_for(
    program: Program, http: httpx.AsyncClient, student: Principal
) -> None:
    token = (await program.connect(student, "notes:read"))["access_token"]
    note = {"title": "Waves", "text": "They carry energy."}
    for params in (
        {"name": "create_note", "arguments": note},
        {"name": "call_tool", "arguments": {"name": "create_note", "arguments": note}},
    ):
        answer = await rpc(http, token, "tools/call", params)
        assert answer.status_code == 403
        challenge = answer.headers["WWW-Authenticate"]
        assert 'error="insufficient_scope"' in challenge
        assert 'scope="notes:read notes:write"' in challenge
        assert "resource_metadata=" in challenge
    assert (await rpc(http, token, "tools/call", {"name": "list_notes", "arguments": {}})).status_code == 200


async def test_a_token_is_good_for_mcp_and_nowhere_else(
    program: Program, served: Served, http: httpx.AsyncClient, student: Principal
) -> None:
    token = (await program.connect(student))["access_token"]
    assert (await list_tools(http, token)).status_code == 200
    bearer = {"Authorization": f"Bearer {token}"}
    assert (await http.post("/api/tools/list_notes", json={}, headers=bearer)).status_code == 401
    assert (await http.get("/api/auth/session", headers=bearer)).status_code == 401


async def test_a_token_for_another_address_of_the_server_is_refused(
    program: Program, served: Served, http: httpx.AsyncClient, storage: Storage, student: Principal
) -> None:
    """The audience is checked at each request (RFC 8707), not only when the token is made."""
    tokens = await program.connect(student)
    async with storage.as_user(student.user_id) as db:
        (found,) = await db.oauth.all_connected()
        found.grants[0].resource = "https://elsewhere.example/mcp"
    assert (await list_tools(http, tokens["access_token"])).status_code == 401


async def test_a_person_without_a_token_is_told_where_to_get_one(
    served: Served, http: httpx.AsyncClient, storage: Storage, student: Principal
) -> None:
    answer = await http.post("/mcp", json={})
    challenge = answer.headers["WWW-Authenticate"]
    assert answer.status_code == 401
    assert "error=" not in challenge
    assert f'resource_metadata="{served.url}/.well-known/oauth-protected-resource/mcp"' in challenge
    assert "notes:read" in challenge
    assert "account:write" not in challenge
    wrong = await list_tools(http, "lyo_wrong")
    assert 'error="invalid_token"' in wrong.headers["WWW-Authenticate"]
    _key, secret = await Accounts(storage).create_key(student.user_id, "A key", scopes=("notes:read",))
    beyond = await rpc(http, secret, "tools/call", {"name": "create_note", "arguments": {}})
    assert beyond.status_code == 200  # a key cannot ask for more; its owner reads why


async def test_the_metadata_say_what_the_server_does(served: Served, http: httpx.AsyncClient) -> None:
    for path in ("/.well-known/oauth-protected-resource/mcp", "/.well-known/oauth-protected-resource"):
        resource = (await http.get(path)).json()
        assert resource["resource"] == served.resource
        assert resource["authorization_servers"] == [served.url]
        assert "*" not in resource["scopes_supported"]
    for path in ("/.well-known/oauth-authorization-server", "/.well-known/openid-configuration"):
        answer = await http.get(path, headers={"Origin": "http://localhost:6274"})
        said = answer.json()
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
        assert said["issuer"] == served.url
        assert said["code_challenge_methods_supported"] == ["S256"]
        assert said["client_id_metadata_document_supported"] is True
        assert said["authorization_response_iss_parameter_supported"] is True
        assert {"*", "*:read", "notes:write", "account:write"} <= set(said["scopes_supported"])
        for name in ("authorization", "token", "registration", "revocation"):
            assert said[f"{name}_endpoint"].startswith(served.url)


async def test_programs_in_a_browser_may_ask_from_any_site(http: httpx.AsyncClient) -> None:
    headers = {
        "Origin": "http://localhost:6274",
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "content-type,mcp-protocol-version,authorization",
    }
    for path in ("/token", "/register", "/revoke"):
        answer = await http.options(path, headers=headers)
        assert answer.status_code == 200
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
        assert "Access-Control-Allow-Credentials" not in answer.headers
    refused = await http.post("/token", data={}, headers={"Origin": "https://anywhere.example"})
    assert refused.headers["Access-Control-Allow-Origin"] == "*"
