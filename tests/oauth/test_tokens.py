"""Codes and tokens: once, for a while, for one program; and refreshing at the same moment, late, or with a stolen copy."""

import asyncio
import base64
import logging
from dataclasses import replace
from datetime import timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import select, text

from storage.models import AuditLog, OAuthGrant
from storage.resources import Storage
from tests.clocks import LaterClock
from tests.oauth.conftest import REDIRECT, Program, Served, list_tools
from tools.context import Principal
from tools.oauth.clients import Presented
from tools.oauth.errors import OAuthError
from tools.oauth.service import OAuthService
from tools.oauth.tokens import ACCESS_LIFE, CODE_LIFE, GRACE, REFRESH_LIFE

MOMENT = timedelta(seconds=1)


def later(served: Served, **span: float) -> OAuthService:
    """The same server, at a later time."""
    storage: Storage = served.app.state.services.storage
    moved = replace(storage, clock=LaterClock(timedelta(**span)))
    return OAuthService(moved, served.app.state.services.executor.catalog)


async def refresh_later(program: Program, token: str, span: timedelta) -> str:
    """What the server answers to a refresh token after a while."""
    service = later(program.served, seconds=span.total_seconds())
    issued = await service.refresh(
        Presented(program.client_id), token=token, scope=None, resource=None, address=None
    )
    assert issued.refresh_token is not None
    return issued.refresh_token


async def is_connected(storage: Storage, person: Principal) -> bool:
    async with storage.as_user(person.user_id, read_only=True) as db:
        return bool(await db.oauth.all_connected())


async def test_tokens_are_as_the_rfc_says(program: Program, student: Principal) -> None:
    answer = await program.exchange(await program.code(student, "notes:read"))
    assert answer.headers["Cache-Control"] == "no-store"
    tokens = answer.json()
    assert tokens["token_type"] == "Bearer"
    assert tokens["scope"] == "notes:read"
    assert 3500 < tokens["expires_in"] <= ACCESS_LIFE.total_seconds() == 3600


async def test_a_code_works_once_and_its_second_use_ends_the_grant(
    program: Program, http: httpx.AsyncClient, student: Principal
) -> None:
    """RFC 6749, 4.1.2."""
    code = await program.code(student)
    tokens = (await program.exchange(code)).json()
    assert (await list_tools(http, tokens["access_token"])).status_code == 200
    again = await program.exchange(code)
    assert (again.status_code, again.json()["error"]) == (400, "invalid_grant")
    assert (await list_tools(http, tokens["access_token"])).status_code == 401
    assert (await program.refresh(tokens["refresh_token"])).json()["error"] == "invalid_grant"


async def test_of_many_uses_of_a_code_at_once_at_most_one_gets_tokens(
    program: Program, student: Principal, storage: Storage
) -> None:
    code = await program.code(student)
    answers = await asyncio.gather(*(program.exchange(code) for _ in range(10)))
    assert sum(answer.status_code == 200 for answer in answers) == 1
    assert not await is_connected(storage, student)


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"code_verifier": "x" * 43}, "invalid_grant"),
        ({"code_verifier": None}, "invalid_request"),
        ({"code_verifier": "short"}, "invalid_grant"),
        ({"redirect_uri": "http://127.0.0.1:33418/other"}, "invalid_grant"),
        ({"resource": "https://elsewhere.example/mcp"}, "invalid_target"),
        ({"code": "wrong"}, "invalid_grant"),
        ({"code": None}, "invalid_request"),
        ({"grant_type": "password"}, "unsupported_grant_type"),
        ({"grant_type": "client_credentials"}, "unsupported_grant_type"),
        ({"grant_type": None}, "invalid_request"),
        ({"client_id": None}, "invalid_client"),
        ({"client_id": "nobody"}, "invalid_client"),
    ],
)
async def test_a_wrong_exchange_gives_nothing_and_takes_nothing(
    program: Program, student: Principal, changes: dict[str, str | None], error: str
) -> None:
    """RFC 6749, 5.2; RFC 7636, 4.6; RFC 8707, 2.2."""
    code = await program.code(student)
    refused = await program.exchange(code, **changes)
    assert refused.status_code == (401 if error == "invalid_client" else 400)
    assert refused.json()["error"] == error
    assert refused.headers["Cache-Control"] == "no-store"
    assert (await program.exchange(code)).status_code == 200


async def test_a_code_is_good_for_a_minute(program: Program, student: Principal) -> None:
    code = await program.code(student)
    late = later(program.served, seconds=CODE_LIFE.total_seconds() + 1)
    with pytest.raises(OAuthError) as refused:
        await late.exchange_code(
            Presented(program.client_id),
            code=code,
            verifier=program.verifier,
            redirect_uri=REDIRECT,
            resource=None,
            address=None,
        )
    assert refused.value.code == "invalid_grant"


async def test_codes_and_tokens_of_another_program_are_worth_nothing(
    program: Program, served: Served, http: httpx.AsyncClient, student: Principal
) -> None:
    thief = Program(served, http)
    await thief.register()
    code = await program.code(student)
    thief.verifier = program.verifier
    assert (await thief.exchange(code)).json()["error"] == "invalid_grant"
    tokens = (await program.exchange(code)).json()
    assert (await thief.refresh(tokens["refresh_token"])).json()["error"] == "invalid_grant"
    form = {"client_id": thief.client_id, "token": tokens["access_token"]}
    assert (await http.post("/revoke", data=form)).status_code == 200
    assert (await list_tools(http, tokens["access_token"])).status_code == 200
    assert (await program.refresh(tokens["refresh_token"])).status_code == 200


# --- refreshing


async def test_twenty_refreshes_at_once_all_get_the_same_tokens(
    program: Program, http: httpx.AsyncClient, student: Principal
) -> None:
    tokens = await program.connect(student)
    answers = await asyncio.gather(*(program.refresh(tokens["refresh_token"]) for _ in range(20)))
    assert {answer.status_code for answer in answers} == {200}
    pairs = {(a.json()["access_token"], a.json()["refresh_token"]) for a in answers}
    assert len(pairs) == 1
    ((access, refresh),) = pairs
    assert (await list_tools(http, access)).status_code == 200
    assert (await program.refresh(refresh)).status_code == 200


async def test_processes_that_refresh_again_and_again_at_once_stay_connected(
    program: Program, http: httpx.AsyncClient, student: Principal
) -> None:
    """Three processes of one program with one token file, each refreshing what it finds."""
    newest = (await program.connect(student))["refresh_token"]
    for _ in range(5):
        answers = await asyncio.gather(*(program.refresh(newest) for _ in range(3)))
        (newest,) = {answer.json()["refresh_token"] for answer in answers}
    access = answers[0].json()["access_token"]
    assert (await list_tools(http, access)).status_code == 200


async def test_a_program_that_lost_the_answer_asks_again_and_gets_it(
    program: Program, student: Principal
) -> None:
    tokens = await program.connect(student)
    lost = (await program.refresh(tokens["refresh_token"])).json()
    assert await refresh_later(program, tokens["refresh_token"], GRACE - MOMENT) == lost["refresh_token"]


async def test_the_access_token_before_works_to_its_own_end(
    program: Program, http: httpx.AsyncClient, student: Principal
) -> None:
    """A call under way, or another process of the program, must not be asked to sign in for it."""
    first = await program.connect(student)
    second = (await program.refresh(first["refresh_token"])).json()
    assert (await list_tools(http, first["access_token"])).status_code == 200
    third = (await program.refresh(second["refresh_token"])).json()
    assert (await list_tools(http, first["access_token"])).status_code == 401
    assert (await list_tools(http, second["access_token"])).status_code == 200
    assert (await list_tools(http, third["access_token"])).status_code == 200


async def test_a_replaced_token_used_late_ends_the_grant(
    program: Program, http: httpx.AsyncClient, student: Principal, storage: Storage
) -> None:
    """RFC 9700, 4.14.2: one of the two who hold it has stolen it."""
    first = await program.connect(student)
    second = (await program.refresh(first["refresh_token"])).json()
    with pytest.raises(OAuthError):
        await refresh_later(program, first["refresh_token"], GRACE + MOMENT)
    assert not await is_connected(storage, student)
    assert (await program.refresh(second["refresh_token"])).json()["error"] == "invalid_grant"
    for tokens in (first, second):
        assert (await list_tools(http, tokens["access_token"])).status_code == 401


async def test_a_token_replaced_twice_ends_the_grant_at_once(
    program: Program, student: Principal, storage: Storage
) -> None:
    first = await program.connect(student)
    second = (await program.refresh(first["refresh_token"])).json()
    assert (await program.refresh(second["refresh_token"])).status_code == 200
    assert (await program.refresh(first["refresh_token"])).status_code == 400
    assert not await is_connected(storage, student)


async def test_a_program_that_is_not_used_for_a_month_must_ask_again(
    program: Program, student: Principal
) -> None:
    tokens = await program.connect(student)
    nearly = await refresh_later(program, tokens["refresh_token"], REFRESH_LIFE - timedelta(minutes=1))
    with pytest.raises(OAuthError):
        await refresh_later(program, nearly, 2 * REFRESH_LIFE + timedelta(minutes=1))


@pytest.mark.parametrize("token", ["", "x", "lyr_", "lyr_zz", "lyr_" + "00" * 96, "lyo_" + "00" * 32, "ä\0"])
async def test_what_is_no_refresh_token_is_refused(program: Program, token: str) -> None:
    answer = await program.refresh(token)
    assert answer.status_code == 400
    assert answer.json()["error"] in ("invalid_grant", "invalid_request")


async def test_a_refresh_may_not_widen_the_scopes(program: Program, student: Principal) -> None:
    """RFC 6749, 6."""
    tokens = await program.connect(student, "notes:read", "notes:write")
    wider = await program.refresh(tokens["refresh_token"], scope="notes:read account:write")
    assert wider.json()["error"] == "invalid_scope"
    same = await program.refresh(tokens["refresh_token"], scope="notes:read")
    assert same.json()["scope"] == "notes:read notes:write"


# --- programs with a secret


def basic(client_id: str, secret: str) -> dict[str, str]:
    return {"Authorization": f"Basic {base64.b64encode(f'{client_id}:{secret}'.encode()).decode()}"}


@pytest.mark.parametrize("method", ["client_secret_basic", "client_secret_post"])
async def test_a_program_with_a_secret_must_prove_itself(
    served: Served, http: httpx.AsyncClient, student: Principal, method: str
) -> None:
    program = Program(served, http)
    await program.register(token_endpoint_auth_method=method)
    secret = program.secret
    assert secret is not None
    code = await program.code(student)
    for wrong in (None, "lys_wrong", secret + "x"):
        program.secret = wrong
        assert (await program.exchange(code)).json()["error"] == "invalid_client"
    program.secret = None
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "code_verifier": program.verifier,
        "redirect_uri": REDIRECT,
    }
    refused = await http.post("/token", data=form, headers=basic(program.client_id, "wrong"))
    assert refused.status_code == 401
    assert refused.headers["WWW-Authenticate"].startswith("Basic")
    if method == "client_secret_post":
        program.secret = secret
        assert (await program.exchange(code)).status_code == 200
    else:
        good = await http.post("/token", data=form, headers=basic(program.client_id, secret))
        assert good.status_code == 200


async def test_bodies_that_are_no_form_are_refused(program: Program, http: httpx.AsyncClient) -> None:
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    sent: list[tuple[bytes, dict[str, str]]] = [
        (b"{}", {"Content-Type": "application/json"}),
        (b"\xff\xfe", form),
        (b"a=" + b"x" * 100_000, form),
        (b"&".join(b"a%d=1" % n for n in range(100)), form),
        (b"grant_type=refresh_token&grant_type=authorization_code&client_id=x", form),
    ]
    for path in ("/token", "/revoke"):
        for body, headers in sent:
            answer = await http.post(path, content=body, headers=headers)
            assert answer.status_code in (400, 401), (path, body[:20])
            assert answer.json()["error"] in ("invalid_request", "invalid_client")


# --- the end


@pytest.mark.parametrize("which", ["access_token", "refresh_token"])
async def test_a_program_can_give_its_access_back(
    program: Program, http: httpx.AsyncClient, student: Principal, storage: Storage, which: str
) -> None:
    """RFC 7009."""
    tokens = await program.connect(student)
    assert (await list_tools(http, tokens["access_token"])).status_code == 200
    form = {"client_id": program.client_id, "token": tokens[which]}
    for _ in range(2):
        assert (await http.post("/revoke", data=form)).status_code == 200
    assert (await list_tools(http, tokens["access_token"])).status_code == 401
    assert not await is_connected(storage, student)
    assert (await http.post("/revoke", data={**form, "token": "lyo_none"})).status_code == 200


async def test_a_person_who_was_locked_out_takes_their_programs_along(
    program: Program, http: httpx.AsyncClient, student: Principal, storage: Storage
) -> None:
    tokens = await program.connect(student)
    async with storage.as_user(student.user_id) as db:
        (await db.accounts.me()).is_active = False
    assert (await list_tools(http, tokens["access_token"])).status_code == 401
    assert (await program.refresh(tokens["refresh_token"])).json()["error"] == "invalid_grant"


async def test_a_program_that_was_shut_out_gets_nothing_any_more(
    program: Program, http: httpx.AsyncClient, student: Principal, storage: Storage
) -> None:
    tokens = await program.connect(student)
    async with storage.programs() as programs:
        row = await programs.by_client_id(program.client_id)
        assert row is not None
        row.disabled_at = storage.clock.now()
    assert (await list_tools(http, tokens["access_token"])).status_code == 401
    assert (await program.refresh(tokens["refresh_token"])).json()["error"] == "invalid_client"
    assert (await program.authorize()).status_code == 400


async def test_no_secret_is_stored_logged_or_audited(
    program: Program,
    http: httpx.AsyncClient,
    student: Principal,
    storage: Storage,
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    await program.register(token_endpoint_auth_method="client_secret_post")
    code = await program.code(student)
    first = (await program.exchange(code)).json()
    second = (await program.refresh(first["refresh_token"])).json()
    await list_tools(http, second["access_token"])
    await program.refresh("lyr_" + second["refresh_token"][8:])
    await program.exchange(code)
    secrets: list[Any] = [
        program.secret,
        code,
        program.verifier,
        *(pair[name] for pair in (first, second) for name in ("access_token", "refresh_token")),
    ]
    said = capsys.readouterr()
    logged = said.out + said.err + caplog.text
    async with storage.as_user(student.user_id, read_only=True) as db:
        rows = (await db.audit.session.scalars(select(AuditLog))).all()
        grants = (await db.audit.session.scalars(select(OAuthGrant))).all()
        clients = await db.audit.session.execute(text("SELECT oauth_clients::text FROM oauth_clients"))
        stored = " ".join(str(vars(row)) for row in (*rows, *grants)) + " ".join(str(row) for row in clients)
    for secret in secrets:
        assert secret
        assert secret not in logged
        assert secret not in stored
