"""What only HTTP has: tokens, host names, sessions of several clients at once, and its place in the app."""

import asyncio
import json
from collections.abc import AsyncGenerator

import httpx
import pytest
from sqlalchemy import select

from mcp_server.http import known_hosts
from storage.models import AuditLog
from storage.resources import Storage
from tests.mcp_server.conftest import INITIALIZE, LEGACY, MODERN, http_client, make_key
from tools.accounts import Accounts, Device
from tools.context import Principal

LIST_TOOLS = {"jsonrpc": "2.0", "id": 2, "method": "tools/list"}
ACCEPT = {"Accept": "application/json, text/event-stream"}


@pytest.fixture
async def http(base_url: str) -> AsyncGenerator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=base_url, headers=ACCEPT) as client:
        yield client


def bearer(token: str, **more: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}", **more}


@pytest.mark.parametrize("headers", [{}, bearer("lyc_wrong"), bearer("wrong"), {"Cookie": "lyceum_access=x"}])
async def test_without_a_good_token_the_answer_says_where_to_get_one(
    http: httpx.AsyncClient, base_url: str, headers: dict[str, str]
) -> None:
    answer = await http.post("/mcp", json=INITIALIZE, headers=headers)
    assert answer.status_code == 401
    metadata_url = f"{base_url}/.well-known/oauth-protected-resource/mcp"
    assert f'resource_metadata="{metadata_url}"' in answer.headers["WWW-Authenticate"]
    metadata = (await http.get(metadata_url)).json()
    assert metadata["resource"] == f"{base_url}/mcp"
    assert metadata["authorization_servers"] == [base_url]


async def test_the_mcp_routes_shadow_no_other_route(http: httpx.AsyncClient) -> None:
    assert (await http.get("/later")).json() == "reachable"


@pytest.mark.parametrize(
    ("headers", "status"), [({"Host": "evil.example"}, 421), ({"Origin": "https://evil.example"}, 403)]
)
async def test_a_request_for_another_host_name_is_refused(
    http: httpx.AsyncClient, storage: Storage, student: Principal, headers: dict[str, str], status: int
) -> None:
    key = await make_key(storage, student)
    for version in ({}, {"MCP-Protocol-Version": MODERN}):
        answer = await http.post("/mcp", json=LIST_TOOLS, headers=bearer(key, **headers, **version))
        assert answer.status_code == status


async def test_a_session_is_continued_only_with_the_key_that_opened_it(
    http: httpx.AsyncClient, storage: Storage, student: Principal, stranger: Principal
) -> None:
    key = await make_key(storage, student)
    opened = await http.post("/mcp", json=INITIALIZE, headers=bearer(key))
    session = {"Mcp-Session-Id": opened.headers["Mcp-Session-Id"]}
    for other in (await make_key(storage, stranger), await make_key(storage, student, "*:read")):
        answer = await http.post("/mcp", json=LIST_TOOLS, headers=bearer(other, **session))
        assert answer.status_code == 404
    assert (await http.post("/mcp", json=LIST_TOOLS, headers=bearer(key, **session))).status_code == 200


@pytest.mark.parametrize("mode", [LEGACY, MODERN])
async def test_two_clients_at_once_do_not_mix(
    base_url: str, storage: Storage, student: Principal, stranger: Principal, mode: str
) -> None:
    async def classes_of(caller: Principal, name: str) -> list[list[str]]:
        key = await make_key(storage, caller)
        async with http_client(base_url, key, mode) as client:
            await client.call_tool("create_class", {"name": name})
            lists = await asyncio.gather(*(client.call_tool("list_classes") for _ in range(10)))
        return [[item["name"] for item in (one.structured_content or {})["items"]] for one in lists]

    mine, theirs = await asyncio.gather(classes_of(student, "Mine"), classes_of(stranger, "Theirs"))
    assert mine == [["Mine"]] * 10
    assert theirs == [["Theirs"]] * 10


async def test_the_access_token_of_a_signed_in_session_works_until_it_is_revoked(
    base_url: str, http: httpx.AsyncClient, storage: Storage, student: Principal
) -> None:
    signed_in = await Accounts(storage).start_session(student.user_id, Device("a browser"))
    token = signed_in.access_token
    async with http_client(base_url, token, MODERN) as client:
        assert not (await client.call_tool("list_classes")).is_error
    async with storage.as_user(student.user_id) as db:
        await db.accounts.revoke_session(signed_in.session_id)
    assert (await http.post("/mcp", json=LIST_TOOLS, headers=bearer(token))).status_code == 401


async def test_a_used_key_is_dated_and_its_calls_are_audited_as_mcp(
    base_url: str, storage: Storage, student: Principal
) -> None:
    key = await make_key(storage, student)
    async with http_client(base_url, key, MODERN) as client:
        await client.call_tool("create_class", {"name": "Physics"})
    async with storage.as_user(student.user_id, read_only=True) as db:
        (row,) = await db.accounts.keys()
        (entry,) = await db.audit.session.scalars(select(AuditLog))
    assert row.last_used_at is not None
    assert (entry.action, entry.surface, entry.ip_address) == ("create_class", "mcp", "127.0.0.1")


async def test_a_body_that_is_no_request_is_refused_without_a_trace(
    http: httpx.AsyncClient, storage: Storage, student: Principal
) -> None:
    key = await make_key(storage, student)
    for body in ("{", json.dumps([LIST_TOOLS]), "null", "x" * 5_000_000):
        headers = bearer(key, **{"Content-Type": "application/json", "MCP-Protocol-Version": MODERN})
        answer = await http.post("/mcp", content=body, headers=headers)
        assert 400 <= answer.status_code < 500
        assert "Traceback" not in answer.text


def test_the_public_name_is_known_beside_loopback(storage: Storage) -> None:
    settings = storage.settings.model_copy(update={"public_url": "https://study.example.org/", "host": "::"})
    known = known_hosts(settings)
    assert {"study.example.org", "localhost:*", "127.0.0.1:*", "[::1]:*"} <= set(known.allowed_hosts)
    assert "https://study.example.org" in known.allowed_origins
    assert not any(host.startswith("::") or host == "*" for host in known.allowed_hosts)
