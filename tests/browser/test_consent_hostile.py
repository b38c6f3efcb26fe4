"""What others could try with the question: strange names, borrowed requests, other sites, stolen codes."""

import base64
import hashlib
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import urlencode

import httpx
import pytest
from playwright.async_api import expect

from tests.browser.connecting import Loopback, came_back, listening
from tests.browser.house import House, Visitors
from tests.browser.student import Student
from tools.accounts import Accounts

VERIFIER = "v" * 64
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()
GONE = "unknown or too old"


@dataclass
class Program:
    """A registered program that talks to the server by hand."""

    http: httpx.AsyncClient
    client_id: str
    redirect_uri: str

    def address(self, **changes: str) -> str:
        """Where it sends the browser."""
        asked = {
            "response_type": "code",
            "client_id": self.client_id,
            "redirect_uri": self.redirect_uri,
            "code_challenge": CHALLENGE,
            "code_challenge_method": "S256",
            "scope": "notes:read notes:write search:read",
            "state": "of-the-program",
        }
        return f"{self.http.base_url}/authorize?{urlencode(asked | changes)}".replace(
            "//authorize", "/authorize"
        )

    async def request_id(self) -> str:
        """Of a request that nobody has looked at yet."""
        answer = await self.http.get(self.address())
        return answer.headers["location"].partition("request=")[2]

    async def exchange(self, code: str, **changes: str) -> httpx.Response:
        asked = {
            "grant_type": "authorization_code",
            "code": code,
            "code_verifier": VERIFIER,
            "client_id": self.client_id,
            "redirect_uri": self.redirect_uri,
        }
        return await self.http.post("/token", data=asked | changes)


async def program(http: httpx.AsyncClient, loopback: Loopback, name: str = "Helper") -> Program:
    about = {"client_name": name, "redirect_uris": [loopback.url], "token_endpoint_auth_method": "none"}
    answer = await http.post("/register", json=about)
    assert answer.status_code == 201, answer.text
    return Program(http, answer.json()["client_id"], loopback.url)


@pytest.fixture
async def http(house: House) -> AsyncGenerator[httpx.AsyncClient]:
    """A program without a browser."""
    async with httpx.AsyncClient(base_url=house.base) as client:
        yield client


def question(house: House, request_id: str) -> str:
    return f"{house.base}/connect?request={request_id}"


async def gone(student: Student, address: str) -> None:
    student.expected.append("/api/oauth/requests/")
    await student.page.goto(address)
    await expect(student.at("consent-gone")).to_contain_text(GONE)
    await expect(student.at("consent-allow")).to_have_count(0)


NAMES = (
    "<img src=x onerror=document.title='owned'><script>document.title='owned'</script>",
    "Claude\u202e)deifirev( moc.edualc\u202c\u2066\u200b\n to Lyceum? Verified by Lyceum",
    "Trusted" * 250,
    "Z\u0335\u0336\u0337\u0338\u0339\u033a" * 20,
)


async def test_a_name_can_neither_run_nor_rewrite_the_page(
    house: House, visitors: Visitors, http: httpx.AsyncClient
) -> None:
    student = await visitors.signed_in(viewport={"width": 390, "height": 844})
    async with listening() as loopback:
        for name in NAMES:
            stranger = await program(http, loopback, name)
            await student.page.goto(stranger.address())
            shown = student.at("consent-name")
            await expect(shown).to_be_visible()
            words = await shown.inner_text()
            assert 0 < len(words) <= 100
            assert not set(words) & set("\u202e\u202c\u2066\u200b\n")
            assert await student.page.title() == "Connect an app · Lyceum"
            assert await student.overflow() == 0
            heading = student.page.get_by_role("heading", level=1)
            assert (await heading.inner_text()) == f"Connect {words} to Lyceum?"
            box = await heading.bounding_box()
            assert box is not None
            assert box["height"] < 250
            await expect(student.at("consent-unverified")).to_be_visible()


async def test_nobody_is_sent_to_an_address_that_was_not_registered(
    house: House, visitors: Visitors, http: httpx.AsyncClient
) -> None:
    student = await visitors.signed_in()
    student.expected.append("/authorize")
    async with listening() as loopback:
        stranger = await program(http, loopback)
        for elsewhere in ("https://evil.example/callback", loopback.url + "/more", "javascript:alert(1)"):
            await student.page.goto(stranger.address(redirect_uri=elsewhere))
            await expect(student.page.locator("h1")).to_have_text("This program could not be connected")
            assert student.page.url.startswith(house.base)
        assert loopback.arrived.empty()


async def test_a_code_works_once_and_a_second_try_ends_what_the_first_one_got(
    house: House, visitors: Visitors, http: httpx.AsyncClient
) -> None:
    student = await visitors.signed_in()
    async with listening() as loopback:
        client = await program(http, loopback)
        await student.page.goto(client.address())
        await student.at("consent-allow").click()
        await came_back(student.page)
        answer = loopback.arrived.get_nowait()
        assert (answer["state"], answer["iss"]) == ("of-the-program", house.base)
        first = await client.exchange(answer["code"])
        assert first.status_code == 200
        bearer = {"Authorization": f"Bearer {first.json()['access_token']}"}
        assert (await http.post("/mcp", headers=bearer)).status_code != 401
        again = await client.exchange(answer["code"])
        assert (again.status_code, again.json()["error"]) == (400, "invalid_grant")
        assert (await http.post("/mcp", headers=bearer)).status_code == 401

        # And the question that was answered is gone, also for the one who goes back to it.
        student.expected.append("/api/oauth/requests/")
        await student.page.go_back()
        await expect(student.at("consent-gone").or_(student.at("consent-left"))).to_be_visible()


async def test_a_request_belongs_to_whoever_opened_it(
    house: House, visitors: Visitors, http: httpx.AsyncClient
) -> None:
    owner, other = await visitors.signed_in(), await visitors.signed_in()
    async with listening() as loopback:
        client = await program(http, loopback)
        request_id = await client.request_id()
        await owner.page.goto(question(house, request_id))
        await expect(owner.at("consent-name")).to_have_text("Helper")
        await gone(other, question(house, request_id))
        status = await other.page.evaluate(
            """async (path) => (await fetch(path, { method: "POST", headers: { "Content-Type": "application/json" },
                body: JSON.stringify({ allowed: true, scopes: ["notes:read"] }) })).status""",
            f"/api/oauth/requests/{request_id}",
        )
        assert status == 404
        await owner.at("consent-allow").click()
        await came_back(owner.page)
        assert "code" in loopback.arrived.get_nowait()


async def test_ids_that_are_made_up_or_too_old_lead_nowhere(
    house: House, visitors: Visitors, http: httpx.AsyncClient
) -> None:
    student = await visitors.signed_in()
    async with listening() as loopback:
        request_id = await (await program(http, loopback)).request_id()
    for tampered in (request_id[:-1], request_id.swapcase()):
        await gone(student, question(house, tampered))
    for nonsense in ("", "..%2F..%2Fauth%2Fsession", "%00", "a" * 3000):
        await student.page.goto(question(house, nonsense))
        await expect(student.at("consent-gone")).to_contain_text("names no request")
    house.clock.ahead = timedelta(minutes=11)
    try:
        await gone(student, question(house, request_id))
    finally:
        house.clock.ahead = timedelta()


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
async def test_no_other_site_can_show_it_in_a_frame_or_answer_it(
    host: str, house: House, visitors: Visitors, http: httpx.AsyncClient
) -> None:
    student = await visitors.signed_in()
    async with listening() as loopback:
        request_id = await (await program(http, loopback)).request_id()
        await student.page.goto(question(house, request_id))
        await expect(student.at("consent")).to_be_visible()
        trap = await student.page.context.new_page()
        await trap.goto(f"http://{host}:{loopback.port}/trap")
        await trap.evaluate(
            "(at) => document.body.append(Object.assign(document.createElement('iframe'), { src: at, id: 'frame' }))",
            question(house, request_id),
        )
        inside = trap.frame_locator("#frame")
        await expect(inside.locator("body")).to_be_attached()
        await expect(inside.locator("[data-testid]")).to_have_count(0)
        async with trap.expect_navigation() as navigation:
            await trap.evaluate(
                """(action) => {
                    const form = Object.assign(document.createElement("form"), { action, method: "POST", enctype: "text/plain" });
                    const field = { name: '{"allowed": true, "scopes": ["notes:read"], "x": "', value: '"}' };
                    form.append(Object.assign(document.createElement("input"), field));
                    document.body.append(form);
                    form.submit();
                }""",
                f"{house.base}/api/oauth/requests/{request_id}",
            )
        answer = await navigation.value
        assert answer is not None
        assert answer.status in (401, 403)
        await student.page.reload()
        await expect(student.at("consent")).to_be_visible()
        assert loopback.arrived.empty()


async def test_only_a_person_at_a_browser_may_answer(
    house: House, visitors: Visitors, http: httpx.AsyncClient
) -> None:
    student = await visitors.signed_in()
    async with listening() as loopback:
        request_id = await (await program(http, loopback)).request_id()
    path = f"/api/oauth/requests/{request_id}"
    yes = {"allowed": True, "scopes": ["notes:read"]}
    user_id = await house.accounts.find(student.email)
    assert user_id is not None
    _, key = await Accounts(house.app.state.services.storage).create_key(user_id, "own key")
    cookies = {one["name"]: one["value"] for one in await student.page.context.cookies(house.base)}
    (session,) = [value for name, value in cookies.items() if name.startswith("lyceum_access")]
    async with httpx.AsyncClient(base_url=house.base, cookies=cookies) as browser:
        for token in (key, session):
            headers = {"Authorization": f"Bearer {token}", "Origin": house.base}
            refused = await browser.post(path, json=yes, headers=headers)
            assert (refused.status_code, refused.json()["code"]) == (403, "browser_only")
            assert (await browser.get(path, headers=headers)).status_code == 403
        assert (await browser.post(path, json=yes)).json()["code"] == "browser_only"
        from_elsewhere = {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"}
        assert (await browser.post(path, json=yes, headers=from_elsewhere)).json()["code"] == "cross_site"
        ours = {"Origin": house.base, "Sec-Fetch-Site": "same-origin"}
        assert (await browser.get(path)).status_code == 200
        beyond = await browser.post(path, json={**yes, "scopes": ["*"]}, headers=ours)
        assert (beyond.status_code, beyond.json()["code"]) == (400, "invalid_scope")
        answer = await browser.post(path, json=yes, headers=ours)
        assert answer.json()["redirect_to"].startswith(loopback.url)
        assert answer.headers["cache-control"] == "no-store"


async def test_a_click_that_was_meant_for_another_page_allows_nothing(
    house: House, visitors: Visitors, http: httpx.AsyncClient
) -> None:
    student = await visitors.signed_in()
    async with listening() as loopback:
        await student.page.goto((await program(http, loopback)).address())
        await expect(student.at("consent-allow")).to_be_enabled()
        # The page comes to the front, under a finger that is already on its way down.
        is_disabled = await student.at("consent-allow").evaluate(
            """(button) => {
                window.dispatchEvent(new Event("focus"));
                return new Promise((done) => setTimeout(() => done(button.ariaDisabled === "true")));
            }"""
        )
        assert is_disabled
        await expect(student.at("consent-allow")).to_be_enabled()
