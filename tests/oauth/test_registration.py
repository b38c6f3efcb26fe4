"""Dynamic registration (RFC 7591): what a program may say of itself, how often, and how long it is remembered."""

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.errors import RateLimited
from storage.models import OAuthClient
from storage.resources import Storage
from tests.clocks import LaterClock
from tests.oauth.conftest import REDIRECT, Program, Served
from tools.context import Principal
from tools.oauth import clients
from tools.oauth.clients import IDLE, UNUSED, forget_unused
from tools.oauth.redirects import LOOPBACK, answered, matches, problem_of, redirect_host

GOOD = {"redirect_uris": [REDIRECT]}


async def test_a_program_hears_what_was_registered(program: Program) -> None:
    """RFC 7591, 3.2.1."""
    answer = await program.register(
        client_name="Notes for me",
        client_uri="https://notes.example/",
        grant_types=["authorization_code", "refresh_token", "urn:something:else"],
        scope="notes:read",
        logo_uri="",
        contacts=None,
        never_heard_of_this={"a": 1},
    )
    said = answer.json()
    assert answer.status_code == 201
    assert said["client_id_issued_at"] > 1_700_000_000
    assert said["grant_types"] == ["authorization_code", "refresh_token"]
    assert (said["client_name"], said["scope"]) == ("Notes for me", "notes:read")
    assert said["token_endpoint_auth_method"] == "none"
    assert not {"client_secret", "never_heard_of_this", "logo_uri"} & set(said)


async def test_a_program_that_wants_a_secret_gets_one_and_only_its_hash_is_kept(
    program: Program, storage: Storage
) -> None:
    said = (await program.register(token_endpoint_auth_method="client_secret_basic")).json()
    assert said["client_secret"].startswith("lys_")
    assert said["client_secret_expires_at"] == 0
    async with storage.programs(read_only=True) as programs:
        row = await programs.by_client_id(said["client_id"])
    assert row is not None
    assert row.secret_hash is not None
    assert said["client_secret"] not in str(vars(row))


@pytest.mark.parametrize(
    ("said", "error"),
    [
        ({}, "invalid_client_metadata"),
        ({"redirect_uris": []}, "invalid_client_metadata"),
        ({"redirect_uris": "https://a.example/"}, "invalid_client_metadata"),
        ({"redirect_uris": [REDIRECT] * 30}, "invalid_client_metadata"),
        ({**GOOD, "client_name": "x" * 3000}, "invalid_client_metadata"),
        ({**GOOD, "client_name": "nul\0nul"}, "invalid_client_metadata"),
        ({**GOOD, "client_name": 7}, "invalid_client_metadata"),
        ({**GOOD, "token_endpoint_auth_method": "private_key_jwt"}, "invalid_client_metadata"),
        ({**GOOD, "grant_types": ["client_credentials"]}, "invalid_client_metadata"),
        ({**GOOD, "response_types": ["token"]}, "invalid_client_metadata"),
        ({"redirect_uris": ["javascript:alert(1)"]}, "invalid_redirect_uri"),
        ({"redirect_uris": [REDIRECT, "http://public.example/cb"]}, "invalid_redirect_uri"),
        ({**GOOD, "software_id": "x" * 20_000}, "invalid_client_metadata"),
    ],
)
async def test_a_bad_registration_is_refused(
    http: httpx.AsyncClient, said: Mapping[str, Any], error: str
) -> None:
    answer = await http.post("/register", json=said)
    assert (answer.status_code, answer.json()["error"]) == (400, error)
    assert "pydantic" not in answer.text


async def test_a_body_that_is_no_registration_is_refused(http: httpx.AsyncClient) -> None:
    for body in (b"", b"{", b"null", b"[1]", b"\xff", b"[" * 5000, b'"x"', b"{" + b" " * 40_000 + b"}"):
        answer = await http.post("/register", content=body)
        assert (answer.status_code, answer.json()["error"]) == (400, "invalid_client_metadata")


@pytest.mark.parametrize(
    "uri",
    [
        "https://claude.ai/api/mcp/auth_callback",
        "http://127.0.0.1:1234/cb",
        "http://[::1]:1234/cb",
        "http://localhost/cb?x=1",
        "cursor://anysphere.cursor-deeplink/mcp/auth",
        "vscode://dynamicauthprovider/auth",
        "com.example.app:/oauth",
    ],
)
def test_addresses_of_real_programs_are_taken(uri: str) -> None:
    assert problem_of(uri) is None


@pytest.mark.parametrize(
    "uri",
    [
        "http://example.org/cb",
        "http://127.0.0.1.example.org/cb",
        "http://10.0.0.1/cb",
        "http:///cb",
        "https://",
        "https:cb",
        "https://a.example/#part",
        "https://user:password@a.example/",
        "https://a.example/\r\nSet-Cookie: x=1",
        "https://a.example/<script>",
        "https://a.example\\@b.example/",
        "https://a.example:port/",
        "https://ä.example/",
        "JAVASCRIPT:alert(1)",
        "data:text/html,x",
        "blob:https://a.example/1",
        "file:///etc/passwd",
        "//a.example/",
        "/callback",
        "",
        "https://a.example/" + "x" * 3000,
    ],
)
def test_addresses_that_a_code_must_not_go_to_are_refused(uri: str) -> None:
    assert problem_of(uri) is not None


HOSTS = st.sampled_from(["127.0.0.1", "localhost", "[::1]", "a.example", "b.example", "127.0.0.1.a.example"])
ADDRESSES = st.builds(
    "{}://{}{}{}{}".format,
    st.sampled_from(["http", "https", "cursor"]),
    HOSTS,
    st.sampled_from(["", ":1", ":8080", ":99999", ":"]),
    st.sampled_from(["", "/", "/cb", "/cb/", "//cb", "/%63b"]),
    st.sampled_from(["", "?a=1", "?a=2", "#f"]),
)


@given(given_one=ADDRESSES, registered=ADDRESSES)
def test_two_addresses_are_the_same_only_letter_by_letter_or_on_another_port_of_this_machine(
    given_one: str, registered: str
) -> None:
    if not matches(given_one, registered) or given_one == registered:
        return
    scheme, rest = given_one.split("://")
    other_scheme, other_rest = registered.split("://")
    host, _, path = rest.partition("/")
    other_host, _, other_path = other_rest.partition("/")
    names = {host.rpartition(":")[0] or host, other_host.rpartition(":")[0] or other_host}
    assert scheme == other_scheme == "http"
    assert path == other_path
    assert {name.strip("[]") for name in (host, other_host)} & LOOPBACK or {
        name.strip("[]") for name in names
    } & LOOPBACK


def test_an_answer_goes_behind_what_the_address_has() -> None:
    assert answered("https://a.example/cb", code="x y", state=None) == "https://a.example/cb?code=x+y"
    assert answered("https://a.example/cb?a=%20", code="x") == "https://a.example/cb?a=%20&code=x"
    assert [redirect_host(u) for u in ("https://a.example:8/cb", REDIRECT, "cursor://x/y")] == [
        "a.example:8",
        "this computer",
        "cursor:",
    ]


async def test_registering_without_end_is_braked(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clients, "REGISTRATIONS", 2)
    body = json.dumps(GOOD).encode()
    for _ in range(2):
        await served.service.register(body, "203.0.113.9")
    with pytest.raises(RateLimited):
        await served.service.register(body, "203.0.113.9")
    await served.service.register(body, "203.0.113.10")


async def test_the_brake_answers_as_a_program_expects(
    http: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clients, "REGISTRATIONS", 0)
    answer = await http.post("/register", json=GOOD, headers={"Origin": "https://a.example"})
    assert answer.status_code == 429
    assert int(answer.headers["Retry-After"]) > 0
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    monkeypatch.setattr("tools.oauth.service.REQUESTS", 0)
    assert (await http.get("/authorize")).status_code == 429


async def known(storage: Storage, client_id: str) -> OAuthClient | None:
    async with storage.programs(read_only=True) as programs:
        return await programs.by_client_id(client_id)


def after(storage: Storage, span: timedelta) -> Storage:
    return replace(storage, clock=LaterClock(span))


async def test_registrations_that_nobody_uses_are_forgotten(
    program: Program, served: Served, http: httpx.AsyncClient, student: Principal, storage: Storage
) -> None:
    used, idle = Program(served, http), Program(served, http)
    for one in (used, idle):
        await one.register()
        await one.connect(student)
    async with storage.as_user(student.user_id) as db:
        grants = (await db.oauth.connected(str((await row_of(storage, idle)).id))).grants
        for grant in grants:
            await db.oauth.session.delete(grant)
    await forget_unused(after(storage, UNUSED - timedelta(hours=1)))
    assert await known(storage, program.client_id) is not None
    await forget_unused(after(storage, UNUSED + timedelta(hours=1)))
    assert await known(storage, program.client_id) is None
    assert await known(storage, idle.client_id) is not None
    await forget_unused(after(storage, IDLE + timedelta(hours=1)))
    assert await known(storage, idle.client_id) is None
    assert await known(storage, used.client_id) is not None


async def row_of(storage: Storage, program: Program) -> OAuthClient:
    row = await known(storage, program.client_id)
    assert row is not None
    return row
