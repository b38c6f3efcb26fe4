"""Signing up, in and out over HTTP; devices; one-time links; what the brake does."""

import asyncio
import hashlib
import json
from datetime import timedelta
from uuid import uuid4

import httpx
from argon2 import PasswordHasher
from fastapi import FastAPI

from storage.local.instance import InstanceInfo
from storage.resources import Storage
from tests.assistant.conftest import PASSWORD, NewPerson, Person
from tests.assistant.serving import MovableClock, client_of, running
from tests.conftest import settings_for
from tools.accounts import Accounts

REFRESH = "/api/auth/refresh"


async def test_registering_signs_in_with_cookies_that_scripts_cannot_read(client: httpx.AsyncClient) -> None:
    email = f"  {uuid4().hex}@Example.ORG "
    answer = await client.post(
        "/api/auth/register", json={"email": email, "password": PASSWORD, "name": " Ada "}
    )
    assert answer.status_code == 201
    assert answer.json()["user"] == {
        "id": answer.json()["user"]["id"],
        "email": email.strip().lower(),
        "name": "Ada",
    }
    cookies = answer.headers.get_list("set-cookie")
    assert len(cookies) == 2
    assert all(
        "HttpOnly" in cookie and "SameSite=lax" in cookie and "Secure" not in cookie for cookie in cookies
    )
    assert "Path=/api/auth;" in next(cookie for cookie in cookies if "refresh" in cookie)
    session = await client.get("/api/auth/session")
    assert session.json() == {"user": answer.json()["user"], "registration": "open"}


async def test_cookies_are_secure_behind_https(instance: InstanceInfo) -> None:
    async with running(settings_for(instance), public_url="https://study.example.org") as app:
        async with client_of(app) as client:
            answer = await client.post(
                "/api/auth/register",
                json={"email": f"{uuid4().hex}@example.org", "password": PASSWORD, "name": "Ada"},
            )
    assert all("Secure" in cookie for cookie in answer.headers.get_list("set-cookie"))


async def test_nobody_signed_in_is_told_whether_registration_is_open(client: httpx.AsyncClient) -> None:
    answer = await client.get("/api/auth/session")
    assert answer.status_code == 401
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["www-authenticate"].startswith("Bearer")
    assert answer.json() == {
        "registration": "open",
        "type": "about:blank",
        "title": "Unauthorized",
        "status": 401,
        "code": "not_signed_in",
        "detail": "Sign in first, or send an API key.",
    }


async def test_a_closed_server_makes_no_accounts(instance: InstanceInfo) -> None:
    async with running(settings_for(instance), registration="closed") as app, client_of(app) as client:
        answer = await client.post(
            "/api/auth/register", json={"email": "x@example.org", "password": PASSWORD, "name": "Ada"}
        )
        assert (answer.status_code, answer.json()["code"]) == (403, "registration_closed")
        assert (await client.get("/api/auth/session")).json()["registration"] == "closed"


async def test_registration_refuses_what_it_cannot_use(person: Person, client: httpx.AsyncClient) -> None:
    async def refused(**changes: object) -> tuple[int, str]:
        given = {"email": f"{uuid4().hex}@example.org", "password": PASSWORD, "name": "Ada", **changes}
        answer = await client.post(
            "/api/auth/register",
            content=json.dumps(given).encode(),
            headers={"Content-Type": "application/json"},
        )
        assert answer.headers["content-type"] == "application/problem+json"
        return answer.status_code, answer.json()["code"]

    assert await refused(password="short") == (400, "weak_password")
    assert await refused(password="x" * 1025) == (400, "weak_password")
    assert await refused(email="nobody") == (400, "invalid_email")
    assert await refused(email="owner@localhost") == (400, "invalid_email")
    assert await refused(email="a\0b@example.org") == (400, "invalid_email")
    assert await refused(name=" ") == (400, "invalid_name")
    assert await refused(name=7) == (400, "invalid_arguments")
    assert await refused(email="a\ud800b@example.org") == (400, "invalid_arguments")
    assert await refused(email=person.email.upper()) == (409, "email_taken")


async def test_login_does_not_say_whether_an_address_is_known(
    person: Person, client: httpx.AsyncClient
) -> None:
    async def answer(email: str, password: str) -> httpx.Response:
        return await client.post("/api/auth/login", json={"email": email, "password": password})

    assert (await answer(person.email.upper(), PASSWORD)).status_code == 200
    wrong, unknown = await answer(person.email, "wrong password"), await answer("no@example.org", PASSWORD)
    assert wrong.status_code == unknown.status_code == 401
    assert wrong.json() == unknown.json()
    assert wrong.json()["code"] == "wrong_credentials"


async def test_guessing_is_slowed_down(person: Person, client: httpx.AsyncClient) -> None:
    answers = [
        await client.post("/api/auth/login", json={"email": person.email, "password": "wrong password"})
        for _ in range(11)
    ]
    assert [answer.status_code for answer in answers] == [401] * 10 + [429]
    assert 0 < int(answers[-1].headers["retry-after"]) <= 300
    right = await client.post("/api/auth/login", json={"email": person.email, "password": PASSWORD})
    assert right.status_code == 429


async def test_signing_in_often_is_no_guessing(person: Person, client: httpx.AsyncClient) -> None:
    for _ in range(12):
        answer = await client.post("/api/auth/login", json={"email": person.email, "password": PASSWORD})
        assert answer.status_code == 200


async def test_a_hash_of_old_parameters_is_renewed_at_login(
    person: Person, client: httpx.AsyncClient, storage: Storage
) -> None:
    user = (await person.http.get("/api/auth/session")).json()["user"]["id"]
    async with storage.as_user(user) as db:
        await db.accounts.set_password(PasswordHasher(time_cost=1, memory_cost=1024).hash(PASSWORD))
    login = await client.post("/api/auth/login", json={"email": person.email, "password": PASSWORD})
    assert login.status_code == 200
    async with storage.sign_in() as sign_in:
        found = await sign_in.by_email(person.email)
    assert found is not None
    assert "m=65536,t=3" in str(found[1])


async def test_refreshing_rotates_both_tokens(person: Person, client: httpx.AsyncClient) -> None:
    before = person.tokens
    after = (await client.post(REFRESH, json={"refresh_token": before["refresh_token"]})).json()
    assert after["refresh_token"] != before["refresh_token"]
    assert (await person.tool("get_profile")).status_code == 401
    person.http.headers["Authorization"] = f"Bearer {after['access_token']}"
    assert (await person.tool("get_profile")).status_code == 200


async def test_the_refresh_cookie_is_enough(client: httpx.AsyncClient, person: Person) -> None:
    await client.post("/api/auth/login", json={"email": person.email, "password": PASSWORD})
    before = dict(client.cookies)
    assert (await client.post(REFRESH)).status_code == 200
    assert dict(client.cookies) != before
    assert (await client.post("/api/tools/get_profile")).status_code == 200


async def test_two_tabs_refreshing_at_once_get_the_same_tokens(
    person: Person, client: httpx.AsyncClient
) -> None:
    asked = {"refresh_token": person.tokens["refresh_token"]}
    one, two = await asyncio.gather(client.post(REFRESH, json=asked), client.post(REFRESH, json=asked))
    assert one.status_code == two.status_code == 200
    assert one.json()["access_token"] == two.json()["access_token"]
    assert one.json()["refresh_token"] == two.json()["refresh_token"]


async def test_a_replaced_refresh_token_that_comes_back_later_ends_the_session(
    person: Person, client: httpx.AsyncClient, clock: MovableClock
) -> None:
    old = {"refresh_token": person.tokens["refresh_token"]}
    new = (await client.post(REFRESH, json=old)).json()
    clock.ahead = timedelta(seconds=11)
    reused = await client.post(REFRESH, json=old)
    assert (reused.status_code, reused.json()["code"]) == (401, "session_over")
    thief = await client.post(REFRESH, json={"refresh_token": new["refresh_token"]})
    assert thief.status_code == 401
    person.http.headers["Authorization"] = f"Bearer {new['access_token']}"
    assert (await person.tool("get_profile")).status_code == 401


async def test_the_reuse_of_a_token_from_generations_ago_is_noticed_too(
    person: Person, client: httpx.AsyncClient, clock: MovableClock
) -> None:
    tokens = [person.tokens["refresh_token"]]
    for _ in range(3):
        answer = await client.post(REFRESH, json={"refresh_token": tokens[-1]})
        tokens.append(answer.json()["refresh_token"])
    clock.ahead = timedelta(seconds=11)
    assert (await client.post(REFRESH, json={"refresh_token": tokens[0]})).status_code == 401
    assert (await client.post(REFRESH, json={"refresh_token": tokens[-1]})).status_code == 401


async def test_a_forged_refresh_token_ends_no_session(person: Person, client: httpx.AsyncClient) -> None:
    real = person.tokens["refresh_token"]
    forged = real[:64] + "0" * 64 + real[128:]
    for token in (forged, "00" * 80, "zz", ""):
        assert (await client.post(REFRESH, json={"refresh_token": token})).status_code == 401
    assert (await client.post(REFRESH, json={"refresh_token": real})).status_code == 200


async def test_a_refresh_token_ends_after_a_month(
    person: Person, client: httpx.AsyncClient, clock: MovableClock
) -> None:
    clock.ahead = timedelta(days=30, minutes=1)
    answer = await client.post(REFRESH, json={"refresh_token": person.tokens["refresh_token"]})
    assert answer.status_code == 401


async def test_logging_out_ends_the_session_at_once(person: Person, client: httpx.AsyncClient) -> None:
    login = await client.post("/api/auth/login", json={"email": person.email, "password": PASSWORD})
    assert (await client.post("/api/auth/logout")).status_code == 204
    assert not client.cookies
    bearer = {"Authorization": f"Bearer {login.json()['access_token']}"}
    assert (await client.post("/api/tools/get_profile", headers=bearer)).status_code == 401
    again = await client.post(REFRESH, json={"refresh_token": login.json()["refresh_token"]})
    assert again.status_code == 401
    assert (await person.tool("get_profile")).status_code == 200
    assert (await client.post("/api/auth/logout")).status_code == 204


async def test_logging_out_works_when_only_the_refresh_cookie_is_left(
    app: FastAPI, person: Person, client: httpx.AsyncClient
) -> None:
    login = await client.post("/api/auth/login", json={"email": person.email, "password": PASSWORD})
    client.cookies.delete("lyceum_access_8000")
    assert (await client.post("/api/auth/logout")).status_code == 204
    again = await client.post(REFRESH, json={"refresh_token": login.json()["refresh_token"]})
    assert again.status_code == 401


async def test_devices_can_be_seen_and_signed_out(
    person: Person, other: Person, client: httpx.AsyncClient
) -> None:
    agent = {"User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0"}
    await client.post("/api/auth/login", json={"email": person.email, "password": PASSWORD}, headers=agent)
    items = (await person.http.get("/api/auth/sessions")).json()["items"]
    assert [(item["device"], item["current"]) for item in items] == [
        ("Firefox on Linux", False),
        ("python-httpx", True),
    ]
    path = f"/api/auth/sessions/{items[0]['id']}"
    assert (await other.http.delete(path)).status_code == 404
    assert (await client.post("/api/tools/get_profile")).status_code == 200
    assert (await person.http.delete(path)).status_code == 204
    assert (await client.post("/api/tools/get_profile")).status_code == 401
    assert (await person.http.delete("/api/auth/sessions/nonsense")).status_code == 404


async def test_a_login_link_signs_the_owner_in_once(storage: Storage, client: httpx.AsyncClient) -> None:
    link = await Accounts(storage).create_login_link()
    assert link.startswith(storage.settings.base_url + "/login?token=")
    first = await client.get(link)
    assert (first.status_code, first.headers["location"]) == (303, "/")
    user = (await client.get("/api/auth/session")).json()["user"]
    assert (user["email"], user["name"]) == ("owner@localhost", "Owner")
    client.cookies.clear()
    second = await client.get(link)
    assert second.status_code == 401
    assert "used up" in second.text
    assert not client.cookies


async def test_two_first_links_make_one_owner(storage: Storage) -> None:
    accounts = Accounts(storage)
    owners = await asyncio.gather(*(accounts.local_owner() for _ in range(4)))
    assert len(set(owners)) == 1


async def test_a_login_link_for_someone_signs_that_one_in(
    storage: Storage, person: Person, client: httpx.AsyncClient
) -> None:
    accounts = Accounts(storage)
    link = await accounts.create_login_link(await accounts.find(person.email))
    await client.get(link)
    assert (await client.get("/api/auth/session")).json()["user"]["email"] == person.email


async def test_an_api_key_works_within_its_permissions(
    storage: Storage, person: Person, client: httpx.AsyncClient
) -> None:
    accounts = Accounts(storage)
    user = await accounts.find(person.email)
    assert user is not None
    row, key = await accounts.create_key(user, "reader", scopes=("*:read",))
    assert key.startswith("lyc_")
    assert row.prefix == key[:10]
    assert row.key_hash == hashlib.sha256(key.encode()).digest()
    bearer = {"Authorization": f"Bearer {key}"}
    assert (await client.post("/api/tools/list_classes", headers=bearer)).status_code == 200
    refused = await client.post("/api/tools/create_class", headers=bearer, json={"name": "Physics"})
    assert (refused.status_code, refused.json()["code"]) == (403, "missing_scope")
    async with storage.as_user(user) as db:
        used = next(each for each in await db.accounts.keys() if each.id == row.id)
        assert used.last_used_at is not None
        await db.accounts.revoke_key(str(row.id))
    assert (await client.post("/api/tools/list_classes", headers=bearer)).status_code == 401


async def test_no_token_lies_in_the_database(storage: Storage, new_person: NewPerson) -> None:
    person = await new_person()
    user = await Accounts(storage).find(person.email)
    assert user is not None
    async with storage.as_user(user) as db:
        session = (await db.accounts.sessions())[0]
    assert session.access_hash == hashlib.sha256(person.tokens["access_token"].encode()).digest()
    assert session.refresh_hash == hashlib.sha256(person.tokens["refresh_token"].encode()).digest()
