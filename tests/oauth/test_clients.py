"""Connected programs as their person sees them, and the end of a connection: at once, for open streams too."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta

import httpx
import pytest
from sqlalchemy import select

from storage.errors import NotFound, RateLimited
from storage.life.purge import Purge
from storage.models import AuditLog, OAuthGrant
from storage.resources import Storage
from tests.clocks import LaterClock
from tests.mcp_server.conftest import INITIALIZE
from tests.oauth.conftest import Program, Served, list_tools, rpc
from tests.tools.test_life_purge import go_on
from tests.work import call
from tools.accounts import Accounts
from tools.context import Principal
from tools.executor import Executor
from tools.limits import admit_caller

STREAM = {"Accept": "text/event-stream", "MCP-Protocol-Version": "2025-11-25"}


async def test_a_person_sees_who_is_connected_and_what_it_may_do(
    program: Program, executor: Executor, student: Principal, stranger: Principal
) -> None:
    await program.connect(student, "notes:read")
    await program.connect(student, "notes:read", "tests:read")
    listed = await call(executor, student, "list_connected_clients")
    (entry,) = listed["items"]
    assert entry["name"] == "A test program"
    assert entry["scopes"] == ["notes:read", "tests:read"]
    assert (entry["connections"], entry["redirect_host"], entry["home"]) == (2, "this computer", None)
    assert entry["last_used_at"] is not None
    assert (await call(executor, stranger, "list_connected_clients"))["items"] == []


async def test_a_consent_whose_code_nobody_fetched_is_no_connection(
    program: Program, executor: Executor, student: Principal
) -> None:
    await program.code(student)
    assert (await call(executor, student, "list_connected_clients"))["items"] == []


async def test_disconnecting_ends_every_token_of_the_program_and_of_no_other(
    program: Program,
    served: Served,
    http: httpx.AsyncClient,
    executor: Executor,
    student: Principal,
    stranger: Principal,
) -> None:
    other = Program(served, http)
    await other.register(client_name="Another program")
    theirs, mine = await program.connect(stranger), [await program.connect(student) for _ in range(2)]
    kept = await other.connect(student)
    waiting = await program.code(student)
    for tokens in mine:  # now every process remembers them as good
        assert (await list_tools(http, tokens["access_token"])).status_code == 200
    ended = await call(executor, student, "disconnect_client", client_id="A test program")
    assert ended["connections"] == 2
    for tokens in mine:
        assert (await list_tools(http, tokens["access_token"])).status_code == 401
        assert (await program.refresh(tokens["refresh_token"])).status_code == 400
    assert (await program.exchange(waiting)).status_code == 400
    for tokens in (theirs, kept):
        assert (await list_tools(http, tokens["access_token"])).status_code == 200
    (left,) = (await call(executor, student, "list_connected_clients"))["items"]
    assert left["name"] == "Another program"


async def test_a_query_of_ones_own_sees_the_programs_that_one_let_in_and_no_other(
    program: Program, executor: Executor, student: Principal, stranger: Principal
) -> None:
    await program.connect(student)
    sql = f"SELECT name FROM oauth_clients WHERE client_id = '{program.client_id}'"
    assert (await call(executor, student, "data_query", query=sql))["rows"] == [["A test program"]]
    assert (await call(executor, stranger, "data_query", query=sql))["rows"] == []


async def test_nobody_disconnects_the_programs_of_another(
    program: Program, http: httpx.AsyncClient, executor: Executor, student: Principal, stranger: Principal
) -> None:
    tokens = await program.connect(student)
    client_id = (await call(executor, student, "list_connected_clients"))["items"][0]["client_id"]
    for wanted in (client_id, "A test program"):
        with pytest.raises(NotFound):
            await executor.call("disconnect_client", {"client_id": wanted}, stranger)
    assert (await list_tools(http, tokens["access_token"])).status_code == 200


async def test_a_program_named_like_the_id_of_another_is_not_mistaken_for_it(
    program: Program, served: Served, http: httpx.AsyncClient, executor: Executor, student: Principal
) -> None:
    await program.connect(student)
    meant = (await call(executor, student, "list_connected_clients"))["items"][0]["client_id"]
    impostor = Program(served, http)
    await impostor.register(client_name=meant)
    await impostor.connect(student)
    assert (await call(executor, student, "disconnect_client", client_id=meant))["name"] == "A test program"


@asynccontextmanager
async def open_stream(http: httpx.AsyncClient, token: str) -> AsyncIterator[httpx.Response]:
    """A session of the older era with the stream by which the server talks to it."""
    bearer = {"Authorization": f"Bearer {token}"}
    opened = await http.post(
        "/mcp", json=INITIALIZE, headers={**bearer, "Accept": "application/json, text/event-stream"}
    )
    session = {**bearer, **STREAM, "Mcp-Session-Id": opened.headers["Mcp-Session-Id"]}
    done = {"jsonrpc": "2.0", "method": "notifications/initialized"}
    await http.post("/mcp", json=done, headers={**session, "Accept": "application/json, text/event-stream"})
    async with http.stream("GET", "/mcp", headers=session, timeout=20) as stream:
        assert stream.status_code == 200
        yield stream


@pytest.fixture
def watched(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    """Open streams are looked after at short intervals."""
    monkeypatch.setattr("mcp_server.oauth.gate.LOOK_SECONDS", 0.05)


@pytest.mark.usefixtures("watched")
async def test_an_open_session_ends_with_its_grant(
    program: Program, http: httpx.AsyncClient, executor: Executor, student: Principal
) -> None:
    tokens = await program.connect(student)
    async with open_stream(http, tokens["access_token"]) as stream:
        reading = asyncio.ensure_future(anext(stream.aiter_bytes(), b""))
        assert (await program.refresh(tokens["refresh_token"])).status_code == 200
        done, _ = await asyncio.wait({reading}, timeout=0.3)
        assert not done, "a refresh ended the stream"
        await call(executor, student, "disconnect_client", client_id="A test program")
        assert await asyncio.wait_for(reading, 10) == b""


@pytest.mark.usefixtures("watched")
async def test_an_open_session_ends_with_its_key(
    http: httpx.AsyncClient, storage: Storage, executor: Executor, student: Principal
) -> None:
    _, secret = await Accounts(storage).create_key(student.user_id, "A key")
    async with open_stream(http, secret) as stream:
        reading = asyncio.ensure_future(anext(stream.aiter_bytes(), b""))
        await call(executor, student, "revoke_api_key", key_id="A key")
        assert await asyncio.wait_for(reading, 10) == b""


async def test_a_session_goes_on_with_the_refreshed_token_and_with_no_other_grant(
    program: Program, http: httpx.AsyncClient, student: Principal
) -> None:
    first, other = await program.connect(student), await program.connect(student)
    accept = {"Accept": "application/json, text/event-stream"}
    opened = await http.post(
        "/mcp", json=INITIALIZE, headers={**accept, "Authorization": f"Bearer {first['access_token']}"}
    )
    session = {**accept, "Mcp-Session-Id": opened.headers["Mcp-Session-Id"]}
    second = (await program.refresh(first["refresh_token"])).json()
    ping = {"jsonrpc": "2.0", "id": 2, "method": "ping"}
    for tokens, status in ((second, 200), (other, 404)):
        bearer = {"Authorization": f"Bearer {tokens['access_token']}"}
        assert (await http.post("/mcp", json=ping, headers={**session, **bearer})).status_code == status


async def test_what_a_program_does_is_audited_under_its_name_and_dated(
    program: Program, http: httpx.AsyncClient, storage: Storage, student: Principal
) -> None:
    tokens = await program.connect(student, "notes:write")
    note = {"title": "Waves", "text": "x"}
    await rpc(http, tokens["access_token"], "tools/call", {"name": "create_note", "arguments": note})
    following = (await program.refresh(tokens["refresh_token"])).json()
    await program.refresh(following["refresh_token"])
    await program.refresh(tokens["refresh_token"])
    async with storage.as_user(student.user_id, read_only=True) as db:
        rows = (await db.audit.session.scalars(select(AuditLog).order_by(AuditLog.created_at))).all()
        (grant,) = await db.oauth.session.scalars(select(OAuthGrant))
    assert [(row.action, row.surface) for row in rows] == [
        ("connect_client", "oauth"),
        ("create_note", "mcp"),
        ("disconnect_client", "oauth"),
    ]
    assert {row.client_id for row in rows} == {grant.oauth_client_id}
    assert rows[0].arguments["name"] == "A test program"
    assert rows[0].arguments["scopes"] == ["notes:write"]
    assert rows[2].arguments == {"reason": "oauth_refresh_token_reused"}
    assert grant.last_used_at is not None


async def test_a_program_is_counted_as_a_key_is(
    program: Program, served: Served, storage: Storage, student: Principal
) -> None:
    token = (await program.connect(student))["access_token"]
    principal = await served.app.state.services.accounts.principal(token, "mcp")
    assert principal.client_id is not None
    settings = storage.settings.model_copy(update={"rate_limit_per_key": 1})
    braked = replace(storage, settings=settings)
    await admit_caller(braked, principal)
    with pytest.raises(RateLimited):
        await admit_caller(braked, principal)


async def test_the_end_of_an_account_ends_its_programs(
    program: Program, http: httpx.AsyncClient, executor: Executor, student: Principal
) -> None:
    token = (await program.connect(student))["access_token"]
    assert (await list_tools(http, token)).status_code == 200
    email = (await call(executor, student, "get_profile"))["email"]
    await call(executor, student, "delete_my_account", email=email)
    assert (await list_tools(http, token)).status_code == 401


async def test_grants_that_are_over_are_purged_a_month_later(
    program: Program, executor: Executor, storage: Storage, student: Principal
) -> None:
    await program.connect(student)
    await program.code(student)
    await call(executor, student, "disconnect_client", client_id="A test program")
    await program.connect(student)

    async def grants() -> int:
        async with storage.as_user(student.user_id, read_only=True) as db:
            return len((await db.oauth.session.scalars(select(OAuthGrant))).all())

    for days, left in ((29, 3), (31, 1), (61, 0)):
        later = replace(storage, clock=LaterClock(timedelta(days=days)))
        await Purge(later, student.user_id, go_on).run(later.clock.now())
        assert await grants() == left
