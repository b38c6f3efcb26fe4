"""/authorize and the person's answer: what is refused, where an error goes, and that nobody else can decide."""

import asyncio
from urllib.parse import urlsplit

import httpx
import pytest

from storage.errors import InvalidInput, NotFound
from storage.resources import Storage
from tests.oauth.conftest import REDIRECT, Program, Served, parameters
from tools.context import Principal


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"code_challenge": None}, "invalid_request"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"code_challenge_method": None}, "invalid_request"),
        ({"code_challenge": "short"}, "invalid_request"),
        ({"resource": "https://elsewhere.example/mcp"}, "invalid_target"),
        ({"scope": "launch:missiles"}, "invalid_scope"),
    ],
)
async def test_an_error_goes_back_to_a_program_on_this_machine(
    program: Program, changes: dict[str, str | None], error: str
) -> None:
    """RFC 6749, 4.1.2.1; RFC 7636, 4.4.1; RFC 8707, 2; RFC 9207, 2."""
    answer = await program.authorize(**changes)
    assert answer.status_code == 302
    assert answer.headers["location"].startswith(f"{REDIRECT}?")
    told = parameters(answer.headers["location"])
    assert told["error"] == error
    assert told["state"] == program.state
    assert told["iss"] == program.served.url


async def test_a_program_on_the_web_gets_no_error_without_a_click(program: Program) -> None:
    """Anybody can register a site: this server must not send browsers there by itself (RFC 9700, 4.11.2)."""
    await program.register(redirect_uris=["https://phish.example/<x>".replace("<x>", "back")])
    answer = await program.authorize(redirect_uri="https://phish.example/back", response_type="token")
    assert answer.status_code == 400
    assert 'href="https://phish.example/back?error=unsupported_response_type' in answer.text


@pytest.mark.parametrize(
    "redirect_uri",
    [
        "https://evil.example/callback",
        "http://127.0.0.1:33418/callback/..",
        "http://127.0.0.1:33418/callback?x=1",
        "http://127.0.0.1.evil.example:33418/callback",
        "http://evil@127.0.0.1:33418/callback",
        "https://127.0.0.1:33418/callback",
        "http://127.0.0.1:33418/callback#x",
        "javascript:alert(1)",
        "",
    ],
)
async def test_nobody_is_sent_to_an_address_that_is_not_the_programs(
    program: Program, redirect_uri: str
) -> None:
    await program.register(redirect_uris=[REDIRECT, "https://good.example/cb"])
    answer = await program.authorize(redirect_uri=redirect_uri)
    assert answer.status_code == 400
    assert "location" not in answer.headers
    assert "evil" not in answer.text
    assert "<script" not in answer.text


async def test_a_program_on_this_machine_may_listen_on_any_port(program: Program, student: Principal) -> None:
    """RFC 8252, 7.3."""
    elsewhere = "http://127.0.0.1:50999/callback"
    code = await program.code(student, redirect_uri=elsewhere)
    assert (await program.exchange(code, redirect_uri=elsewhere)).status_code == 200


async def test_an_address_that_chooses_toolsets_is_the_same_resource(
    program: Program, student: Principal
) -> None:
    code = await program.code(student, resource=f"{program.served.resource}?readonly=1&toolsets=search")
    issued = await program.exchange(code)
    assert issued.status_code == 200, issued.text


async def test_the_only_address_needs_no_mention_and_the_resource_neither(
    program: Program, student: Principal
) -> None:
    code = await program.code(student, redirect_uri=None, resource=None, scope="openid offline_access")
    assert (await program.exchange(code, redirect_uri=None, resource=None)).status_code == 200


@pytest.mark.parametrize("client_id", ["nobody", "", "x" * 3000, "nul\0nul", "https://"])
async def test_an_unknown_program_is_told_to_the_person(program: Program, client_id: str) -> None:
    answer = await program.authorize(client_id=client_id)
    assert answer.status_code == 400
    assert answer.headers["content-type"].startswith("text/html")
    assert "location" not in answer.headers


async def test_a_parameter_that_is_there_twice_is_refused(program: Program, http: httpx.AsyncClient) -> None:
    """RFC 6749, 3.1."""
    twice: list[tuple[str, str | int | float | bool | None]] = [
        *program.request().items(),
        ("scope", "notes:read"),
        ("scope", "account:write"),
    ]
    assert (await http.get("/authorize", params=twice)).status_code == 400


async def test_the_person_sees_who_asks_and_for_what(program: Program, student: Principal) -> None:
    await program.register(client_name="  Evil \u202e\nLyceum  ", client_uri="javascript:alert(1)")
    request_id = await program.ask(scope="notes:read flashcards:write openid")
    pending = await program.served.service.pending(request_id, student.user_id)
    assert pending.client_name == "Evil Lyceum"
    assert pending.client_uri is None
    assert pending.redirect_host == "this computer"
    assert pending.registration == "dynamic"
    assert [(offer.scope, offer.is_write) for offer in pending.scopes] == [
        ("notes:read", False),
        ("flashcards:write", True),
    ]
    assert "delete" in pending.scopes[1].title


async def test_a_request_for_everything_is_asked_one_by_one(program: Program, student: Principal) -> None:
    """What is ticked today does not reach what a later version can do."""
    request_id = await program.ask(scope="*")
    pending = await program.served.service.pending(request_id, student.user_id)
    offered = {offer.scope for offer in pending.scopes}
    assert {"account:write", "classes:write", "notes:read"} <= offered
    assert not [scope for scope in offered if "*" in scope]


async def test_no_more_is_offered_than_the_registration_names(program: Program, student: Principal) -> None:
    await program.register(scope="notes:read notes:write")
    request_id = await program.ask(scope="notes:read account:write")
    pending = await program.served.service.pending(request_id, student.user_id)
    assert [offer.scope for offer in pending.scopes] == ["notes:read"]
    refused = await program.authorize(scope="account:write")
    assert parameters(refused.headers["location"])["error"] == "invalid_scope"


async def test_a_request_belongs_to_the_first_person_who_looks(
    program: Program, student: Principal, stranger: Principal
) -> None:
    service = program.served.service
    request_id = await program.ask()
    await service.pending(request_id, student.user_id)
    with pytest.raises(NotFound, match="too old"):
        await service.pending(request_id, stranger.user_id)
    with pytest.raises(NotFound):
        await service.decide(request_id, stranger.user_id, True, frozenset({"notes:read"}))
    assert "code" in parameters(
        await service.decide(request_id, student.user_id, True, frozenset({"notes:read"}))
    )


async def test_a_request_is_answered_once_however_often_the_button_is_pressed(
    program: Program, student: Principal
) -> None:
    service = program.served.service
    request_id = await program.ask()
    presses = [service.decide(request_id, student.user_id, True, frozenset({"notes:read"})) for _ in range(5)]
    answers = await asyncio.gather(*presses, return_exceptions=True)
    assert sorted(type(answer).__name__ for answer in answers) == ["NotFound"] * 4 + ["str"]


async def test_a_wrong_answer_loses_nothing(program: Program, student: Principal) -> None:
    service = program.served.service
    request_id = await program.ask(scope="notes:read")
    for ticked, code in ((frozenset({"account:write"}), "invalid_scope"), (frozenset[str](), "no_scopes")):
        with pytest.raises(InvalidInput) as refused:
            await service.decide(request_id, student.user_id, True, ticked)
        assert refused.value.code == code
    assert "code" in parameters(
        await service.decide(request_id, student.user_id, True, frozenset({"notes:read"}))
    )


async def test_a_refusal_is_told_to_the_program(
    program: Program, student: Principal, storage: Storage
) -> None:
    service = program.served.service
    url = await service.decide(await program.ask(), student.user_id, False, frozenset())
    told = parameters(url)
    assert (told["error"], told["state"], told["iss"]) == ("access_denied", program.state, service.issuer)
    async with storage.as_user(student.user_id, read_only=True) as db:
        assert await db.oauth.all_connected() == []


async def test_the_answer_is_added_to_an_address_with_parameters_of_its_own(
    program: Program, student: Principal
) -> None:
    own = "cursor://anysphere.cursor-mcp/oauth/callback?window=%7B1%7D"
    await program.register(redirect_uris=[own])
    request_id = await program.ask(redirect_uri=own)
    url = await program.served.service.decide(request_id, student.user_id, True, frozenset({"notes:read"}))
    assert url.startswith(f"{own}&code=")
    assert urlsplit(url).scheme == "cursor"


async def test_ids_of_requests_that_are_none_are_refused(served: Served, student: Principal) -> None:
    for request_id in ("", "x", "../../keys", "*", "\0", "x" * 10_000):
        with pytest.raises(NotFound):
            await served.service.pending(request_id, student.user_id)
