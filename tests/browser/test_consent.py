"""An AI client is connected by its address and one visit to the browser, as the SDK's own client does it."""

import json
import time
from pathlib import Path

import httpx
import pytest
from mcp import Client
from playwright.async_api import expect

from tests.browser.connecting import Person, Refused, allowing, app, asked, came_back
from tests.browser.house import House, Visitors
from tests.browser.student import Student
from tests.tools.test_web_fetch import certificate
from tests.tools.web_servers import page, web_server


async def test_a_stranger_signs_in_once_and_the_client_works_until_it_is_disconnected(
    house: House, visitors: Visitors
) -> None:
    student = await visitors.signed_out()

    async def person(address: str) -> None:
        await student.page.goto(address)
        await expect(student.at("login-reason")).to_be_visible()
        await student.sign_in()
        await expect(student.at("consent-name")).to_have_text("Study Helper")
        await expect(student.at("consent-unverified")).to_contain_text("Not verified")
        await expect(student.at("consent-redirect")).to_have_text("A program on this computer")
        await student.at("consent-allow").click()
        await came_back(student.page)

    async with app(house.base, person) as helper:
        async with helper.connect() as client:
            assert {"search_materials", "list_notes", "get_test"} <= await names_of(client)
            made = await client.call_tool("create_note", {"title": "From outside", "text": "It works."})
            assert not made.is_error
            before = helper.kept.tokens
            helper.provider.context.token_expiry_time = time.time() - 1
            assert not (await client.call_tool("list_notes", {})).is_error
            after = helper.kept.tokens
            assert before
            assert after
            assert before.access_token != after.access_token
            assert before.refresh_token != after.refresh_token
        assert await helper.status() != 401
        await student.page.goto(f"{house.base}/#/connections")
        row = student.at("connected-client")
        await expect(row).to_contain_text("Study Helper")
        await expect(row).to_contain_text("Last used today")
        await row.get_by_test_id("disconnect").click()
        await student.at("confirm").click()
        await expect(row).to_have_count(0)
        assert await helper.status() == 401


async def test_what_is_unticked_is_not_there_and_can_be_asked_for_later(
    house: House, visitors: Visitors
) -> None:
    student = await visitors.signed_in()
    async with app(house.base, allowing(student, "notes:write", "tests:read", "tests:write")) as helper:
        async with helper.connect() as client:
            names = await names_of(client)
            assert names & {"list_notes", "create_note", "get_test", "start_test"} == {"list_notes"}
        assert helper.kept.tokens is not None
        assert "notes:write" not in (helper.kept.tokens.scope or "")

        helper.provider.context.redirect_handler = refusing(student)
        with pytest.RaisesGroup(Refused, flatten_subgroups=True):
            async with helper.connect() as client:
                await client.call_tool("create_note", {"title": "No", "text": "Not allowed."})

        helper.provider.context.redirect_handler = allowing(student)
        async with helper.connect() as client:
            made = await client.call_tool("create_note", {"title": "Yes", "text": "Allowed now."})
            assert not made.is_error
            assert "create_note" in await names_of(client)


async def test_cancel_gives_nothing_away(house: House, visitors: Visitors) -> None:
    student = await visitors.signed_in()
    async with app(house.base, refusing(student)) as helper:
        with pytest.RaisesGroup(Refused, flatten_subgroups=True):
            async with helper.connect():
                pass
        assert helper.kept.tokens is None
    await student.page.goto(f"{house.base}/#/connections")
    await expect(student.at("connections-pane")).to_contain_text("None yet")


async def test_a_client_that_describes_itself_is_named_by_where_it_lives(
    house: House, visitors: Visitors, tmp_path: Path
) -> None:
    student = await visitors.signed_in()
    server, trusting = certificate(tmp_path, "client.test")
    async with web_server({}, tls=server) as web, app(house.base, seen_and_allowed(student)) as helper:
        address = f"https://client.test:{web.port}/client.json"
        about = {
            "client_id": address,
            "client_name": "Notebook",
            "redirect_uris": [helper.loopback.url],
            "token_endpoint_auth_method": "none",
        }
        web.answers["/client.json"] = page(json.dumps(about), "application/json")
        helper.provider.context.client_metadata_url = address
        usual, house.oauth.fetcher = house.oauth.fetcher, web.fetcher(certificates=trusting)
        try:
            async with helper.connect() as client:
                assert not (await client.call_tool("list_notes", {})).is_error
        finally:
            house.oauth.fetcher = usual
        assert helper.kept.client is not None
        assert helper.kept.client.client_id == address
        await student.page.goto(f"{house.base}/#/connections")
        await expect(student.at("connected-client")).to_contain_text(f"client.test:{web.port}")


def refusing(student: Student) -> Person:
    async def person(address: str) -> None:
        await asked(student, address)
        await student.at("consent-cancel").click()
        await came_back(student.page)

    return person


def seen_and_allowed(student: Student) -> Person:
    async def person(address: str) -> None:
        await asked(student, address)
        await expect(student.at("consent-name")).to_have_text("Notebook")
        await expect(student.at("consent-origin")).to_contain_text("client.test:")
        await expect(student.at("consent-unverified")).to_have_count(0)
        await student.at("consent-allow").click()
        await came_back(student.page)

    return person


async def names_of(client: Client) -> set[str]:
    return {tool.name for tool in (await client.list_tools()).tools}


async def test_the_question_can_be_answered_by_keyboard_on_a_phone_in_the_dark(
    house: House, visitors: Visitors
) -> None:
    student = await visitors.signed_in(viewport={"width": 390, "height": 844}, color_scheme="dark")
    keys = student.page.keyboard

    async def person(address: str) -> None:
        await asked(student, address)
        await expect(student.page.get_by_role("heading", level=1)).to_be_focused()
        assert await student.overflow() == 0
        await student.at("consent-only-read").focus()
        await keys.press("Enter")
        await expect(student.at("scope-notes:read")).to_be_checked()
        await expect(student.at("scope-notes:write")).not_to_be_checked()
        await keys.press("Tab")
        await keys.press("Enter")
        await expect(student.at("consent-count")).to_contain_text("Tick at least one")
        await expect(student.at("consent-allow")).to_be_disabled()
        await student.page.get_by_role("checkbox", name="Search your material").focus()
        await keys.press("Space")
        await expect(student.at("consent-count")).to_contain_text("1 of ")
        await expect(student.at("consent-allow")).to_be_enabled()
        await student.page.get_by_role("checkbox").last.focus()
        await keys.press("Tab")
        await expect(student.at("consent-cancel")).to_be_focused()
        await keys.press("Tab")
        await expect(student.page.get_by_role("button", name="Allow Study Helper")).to_be_focused()
        await keys.press("Enter")
        await came_back(student.page)

    async with app(house.base, person) as helper:
        async with helper.connect():
            pass
        assert helper.kept.tokens is not None
        assert helper.kept.tokens.scope == "search:read"


async def test_signing_in_on_another_tab_is_noticed(house: House, visitors: Visitors) -> None:
    student = await visitors.signed_out()
    student.expected.append("/api/oauth/requests/")
    await student.page.goto(f"{house.base}/connect?request=not-a-request")
    await expect(student.at("login-form")).to_be_visible()
    link = await house.accounts.create_login_link(await house.accounts.find(student.email))
    await (await student.page.context.new_page()).goto(link)
    await student.page.evaluate("window.dispatchEvent(new Event('focus'))")
    await expect(student.at("consent-gone")).to_be_visible()


async def test_a_key_is_made_used_and_revoked_on_the_page(house: House, visitors: Visitors) -> None:
    student = await visitors.signed_in()
    await student.page.goto(f"{house.base}/#/connections")
    await expect(student.at("mcp-address")).to_have_text(f"{house.base}/mcp")
    await student.at("new-key").click()
    await student.at("key-name").fill("Script")
    await student.at("key-access-chosen").check()
    await student.at("key-scope-notes:read").check()
    await student.at("key-days").select_option("30")
    await student.at("key-rate").fill("60")
    await student.at("key-make").click()
    key = await student.at("key-secret").inner_text()
    await student.page.keyboard.press("Escape")
    await expect(student.at("key-secret")).to_be_visible()
    await student.at("key-done").click()
    row = student.at("api-key")
    await expect(row).to_contain_text("Read notes, at most 60 calls a minute")
    await expect(row).to_contain_text("Never used")
    async with httpx.AsyncClient(headers={"Authorization": f"Bearer {key}"}, base_url=house.base) as http:
        assert (await http.post("/api/tools/list_notes")).status_code == 200
        assert (await http.post("/api/tools/list_classes")).status_code == 403
        await student.page.reload()
        await expect(row).to_contain_text("Last used today")
        assert key not in await student.page.content()
        await row.get_by_test_id("revoke-key").click()
        await student.at("confirm").click()
        await expect(row).to_have_count(0)
        assert (await http.post("/api/tools/list_notes")).status_code == 401
