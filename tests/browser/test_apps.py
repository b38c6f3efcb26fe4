"""MCP Apps in a client: cards are reviewed, a test is taken, a search shows its page; every act is stored on the server."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from typing import Any
from uuid import UUID

import pytest
import uvicorn
from mcp import Client
from playwright.async_api import Browser, expect
from starlette.applications import Starlette

from mcp_server.http import McpHttp
from storage.local.instance import InstanceInfo
from storage.resources import Storage
from tests.browser.answering import answer
from tests.browser.app_client import AppClient, Pages, build_host, connected, served_pages, window
from tests.browser.student import Student
from tests.conftest import new_principal, settings_for
from tests.data import mupdf
from tests.lyceum import Serving
from tests.ports import listening_socket
from tests.study.quizzes import make_test
from tests.work import call, run_job
from tools.accounts import Accounts
from tools.context import Principal
from tools.executor import Executor
from tools.intake import once, receive

HOSTILE = "<img src=x onerror=\"document.title='owned'\"><script>document.title='owned'</script> Which *gas*?"
FORMULA = r"The decay is $u(t) = u_0 e^{-at}$, with $\frac{a}{2}$ and $\text{<b onmouseover=x>}$."


@pytest.fixture(scope="module")
async def pages(tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[Pages]:
    folder = tmp_path_factory.mktemp("client")
    await build_host(folder)
    async with served_pages(folder) as served:
        yield served


@pytest.fixture(scope="module")
async def mcp_url(instance: InstanceInfo, storage: Storage, executor: Executor) -> AsyncGenerator[str]:
    """The real server over HTTP, with every tool."""
    listening = listening_socket()
    settings = settings_for(instance).model_copy(update={"port": listening.getsockname()[1]})
    mcp = McpHttp(executor, Accounts(storage), settings)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        async with mcp.running():
            yield

    app = Starlette(lifespan=lifespan, routes=mcp.routes)
    server = uvicorn.Server(uvicorn.Config(app, http="h11", log_level="warning"))
    serving = asyncio.create_task(server.serve(sockets=[listening]))
    yield settings.base_url
    server.should_exit = True
    await serving


@pytest.fixture
async def learner(storage: Storage) -> Principal:
    """A new account; `student` is a person at Lyceum's own page here."""
    return await new_principal(storage)


Opening = Callable[..., AbstractAsyncContextManager[AppClient]]


@pytest.fixture
def opening(browser: Browser, pages: Pages, mcp_url: str, storage: Storage) -> Opening:
    """Windows of a client that is connected as somebody."""

    @asynccontextmanager
    async def one(who: Principal, **options: Any) -> AsyncGenerator[AppClient]:
        async with AsyncExitStack() as stack:
            client = await stack.enter_async_context(connection(mcp_url, storage, who))
            yield await stack.enter_async_context(window(browser, pages, client, **options))

    return one


@asynccontextmanager
async def connection(
    url: str, storage: Storage, who: Principal, *, shows_apps: bool = True, mode: str = "auto"
) -> AsyncGenerator[Client]:
    _, key = await Accounts(storage).create_key(who.user_id, "client", scopes=("*",))
    async with connected(url, key, shows_apps=shows_apps, mode=mode) as client:
        yield client


async def write_cards(executor: Executor, who: Principal, *cards: dict[str, Any]) -> None:
    await call(executor, who, "create_flashcard", deck_id="Chemistry", cards=list(cards))


def drawn_book() -> bytes:
    """A PDF of two pages; the second one says what osmosis is."""
    book = mupdf.open()
    for words in ("Diffusion moves particles.", "Osmosis is the movement of water through a membrane."):
        book.new_page(width=400, height=500).insert_text((40, 120), words, fontsize=12)
    data: bytes = book.tobytes()
    return data


@pytest.fixture(scope="module")
async def reader(storage: Storage, executor: Executor) -> Principal:
    """A student with a book of two pages."""
    who = await new_principal(storage)
    upload = await receive(storage, who, "cells.pdf", once(drawn_book()))
    await call(executor, who, "create_class", name="Biology")
    taken = await call(executor, who, "upload_material", class_id="Biology", upload_id=str(upload))
    await run_job(storage, who, UUID(taken["job_id"]))
    return who


async def test_due_cards_are_reviewed_to_the_end_by_keyboard_and_the_schedule_on_the_server_changes(
    opening: Opening, executor: Executor, learner: Principal
) -> None:
    await write_cards(
        executor, learner, *({"front": f"Question {n}", "back": f"Answer {n}"} for n in range(3))
    )
    async with opening(learner) as app:
        await app.use("get_due_cards")
        await expect(app.at("left")).to_have_text("3 left: 3 new, 0 being learned, 0 to review")
        for left in (2, 1):
            await app.at("front").click()
            await expect(app.at("back")).to_contain_text("Answer")
            await app.page.keyboard.press("4")
            await expect(app.at("left")).to_contain_text(f"{left} left")
        await app.page.keyboard.press("Space")
        await expect(app.at("back")).to_be_visible()
        await app.at("rate-easy").click()
        await expect(app.at("ended")).to_contain_text("Everything for today is done")
        due = await call(executor, learner, "get_due_cards")
        assert (due["items"], due["done_today"]) == ([], 3)
        await app.page.keyboard.press("u")
        await expect(app.at("card")).to_be_visible()
        assert len((await call(executor, learner, "get_due_cards"))["items"]) == 1
        (*_, told) = await app.asked("model-context")
        assert "has reviewed 3: 0 again, 0 hard, 0 good, 3 easy" in told["content"][0]["text"]


async def test_a_card_shows_its_source_and_opens_the_page_in_lyceum(
    opening: Opening, executor: Executor, storage: Storage, reader: Principal
) -> None:
    found = await call(executor, reader, "search_materials", query="osmosis")
    passage = found["hits"][0]["passage_id"]
    await write_cards(
        executor, reader, {"front": "Osmosis?", "back": "Water moves.", "passage_ids": [passage]}
    )
    async with opening(reader) as app:
        await app.use("get_due_cards")
        await app.at("flip").click()
        await expect(app.at("source")).to_contain_text("cells, page 2")
        await app.at("open-link").click()
        await expect(app.at("open-link")).to_be_enabled()
        (link,) = await app.asked("open-link")
        assert link.startswith(storage.settings.base_url)
        assert link.endswith(f"/#/m/{found['hits'][0]['material_id']}/2")


async def test_lyceums_own_page_opens_at_the_place_that_such_a_link_names(
    student: Student, serving: Serving
) -> None:
    material = await student.material("decay excerpt").get_attribute("data-material")
    await student.page.goto("about:blank")
    await student.page.goto(f"{serving.base}/#/m/{material}/3")
    await expect(student.at("evidence-place")).to_contain_text("Page 3 of")
    await expect(student.at("page-image")).to_be_visible()


async def test_script_in_a_card_is_shown_as_text_and_formulas_are_drawn(
    opening: Opening, executor: Executor, learner: Principal
) -> None:
    await write_cards(executor, learner, {"front": HOSTILE, "back": FORMULA})
    async with opening(learner) as app:
        await app.use("get_due_cards")
        await expect(app.at("front")).to_contain_text("<script>document.title='owned'</script>")
        await expect(app.at("front").locator("em")).to_have_text("gas")
        await app.at("flip").click()
        await expect(app.at("back").locator("math")).to_have_count(3)
        await expect(app.at("back").locator("mfrac")).to_have_count(1)
        assert await app.inside("() => document.querySelectorAll('img, b, #app script').length") == 0
        assert await app.inside("() => document.title") == "Card review"


async def test_a_multiple_choice_card_shows_the_verdict_before_it_is_rated(
    opening: Opening, executor: Executor, learner: Principal
) -> None:
    choice = {
        "type": "multiple_choice",
        "front": "Which?",
        "back": "Right",
        "wrong_options": ["Wrong", "Worse"],
    }
    await write_cards(executor, learner, choice)
    async with opening(learner) as app:
        await app.use("get_due_cards")
        await app.at("option").filter(has_text="Worse").click()
        await expect(app.at("option").filter(has_text="Worse")).to_contain_text("your choice")
        await expect(app.at("option").filter(has_text="Right")).to_contain_text("right")
        await app.at("rate-again").click()
        await expect(app.at("left")).to_contain_text("1 again later today")


async def test_a_card_that_was_reviewed_elsewhere_gives_way_to_what_is_due_now(
    opening: Opening, executor: Executor, learner: Principal
) -> None:
    await write_cards(executor, learner, {"front": "First", "back": "1"}, {"front": "Second", "back": "2"})
    async with opening(learner) as app:
        await app.use("get_due_cards")
        shown = await app.at("card").get_attribute("data-card")
        await call(executor, learner, "review_card", card_id=shown, rating="easy")
        await app.at("flip").click()
        await app.at("rate-good").click()
        await expect(app.at("card")).not_to_have_attribute("data-card", shown or "")
        assert (await call(executor, learner, "get_due_cards"))["done_today"] == 1


async def test_a_test_with_all_seven_types_is_taken_over_a_reload_and_its_result_shows_part_points(
    opening: Opening, executor: Executor, storage: Storage, learner: Principal
) -> None:
    test_id = await make_test(storage, learner)
    async with opening(learner) as app:
        await app.use("start_test", test_id=test_id)
        for number in range(1, 8):
            await expect(app.at("answered")).to_contain_text(f"Question {number} of 7. {number - 1} answered")
            await answer(app.at("question"), "multiple_answer")
            await expect(app.at("answered")).to_contain_text(f"{number} answered")
            if number == 4:  # the client draws the page again, with the answer that it kept
                begun = await app.client.call_tool("start_test", {"test_id": test_id})
                stale = begun.model_dump(mode="json", by_alias=True, exclude_none=True)
                for question in stale["structuredContent"]["questions"]:
                    question.pop("response", None)
                await app.page.evaluate("window.teardown()")
                await app.show("start_test", {"test_id": test_id}, stale)
                await expect(app.at("answered")).to_contain_text("Question 5 of 7. 4 answered")
            elif number < 7:
                await app.at("next").click()
        await app.at("submit").click()
        await expect(app.at("score")).to_contain_text("7 of 8 points: 6 right, 1 in part, 0 wrong")
        await expect(app.at("graded")).to_have_count(7)
        part = app.at("graded").filter(has_text="Which are planets?")
        await expect(part).to_have_attribute("data-outcome", "partial")
        await expect(part.get_by_test_id("grade")).to_contain_text("Partly right, 1 of 2")
        await expect(app.at("source").filter(has_text="ATP is made in mitochondria.")).to_have_count(1)
        (result,) = (await call(executor, learner, "get_test", test_id=test_id))["results"]
        assert result["status"] == "graded"
        await app.show("start_test", {"test_id": test_id}, stale)
        await expect(app.at("score")).to_contain_text("7 of 8")
        assert len((await call(executor, learner, "get_test", test_id=test_id))["results"]) == 1


async def test_practice_grades_an_answer_when_it_is_checked_or_its_question_is_left(
    opening: Opening, storage: Storage, learner: Principal
) -> None:
    await make_test(storage, learner, "Practice")
    async with opening(learner) as app:
        await app.use("start_test", test_id="Practice", feedback="at_once")
        question = app.at("question")
        await expect(question).to_be_visible()
        wrong = 0
        for number in range(1, 7):
            kind = await answer(question, "true_false")
            wrong += kind == "true_false"
            await expect(app.at("grade")).to_have_count(0)  # not before the whole of it is there
            if kind == "short_answer":
                await question.get_by_test_id("answer-text").press("Enter")
            elif kind == "ordering":
                await app.at("next").click()
                await app.at("previous").click()
            else:
                await question.get_by_test_id("check-answer").click()
            await expect(app.at("grade")).to_contain_text("Wrong" if kind == "true_false" else "Right")
            if kind == "true_false":
                await expect(app.at("grade")).to_contain_text("Right is true")
            await expect(app.at("answered")).to_contain_text(f"Question {number} of 7. {number} answered")
            await app.at("next").click()
        await app.at("submit").click()
        await expect(app.at("submit")).to_contain_text("Yes, with 1 open")
        await answer(question)
        await app.at("submit").click()
        await expect(app.at("score")).to_contain_text(f"{wrong} wrong")


async def test_a_search_hit_shows_the_picture_of_its_page_with_the_passage_marked(
    opening: Opening, reader: Principal
) -> None:
    async with opening(reader, viewport={"width": 1000, "height": 800}) as app:
        await app.use("search_materials", query="what is osmosis")
        await expect(app.at("hit").first).to_contain_text("cells, page 2")
        await expect(app.at("hit").first.locator("mark").first).to_have_text("Osmosis")
        image = app.at("page-image")
        await expect(image).to_be_visible()
        assert await image.evaluate("image => image.complete && image.naturalWidth > 1000")
        mark = await app.at("mark").first.bounding_box()
        whole = await image.bounding_box()
        assert mark is not None
        assert whole is not None
        assert 0.15 < (mark["y"] - whole["y"]) / whole["height"] < 0.3  # its line stands at 120 of 500
        await app.at("page-back").click()
        await expect(app.at("page").locator(".place")).to_contain_text("cells, page 1")
        await expect(app.at("mark")).to_have_count(0)


async def test_without_pictures_or_links_of_the_client_a_hit_shows_its_text(
    opening: Opening, reader: Principal
) -> None:
    async with opening(reader) as app:
        await app.use("search_materials", query="osmosis", without=("serverResources", "openLinks"))
        await expect(app.at("page-text").locator("mark")).to_contain_text("movement of water")
        await expect(app.at("open-link")).to_have_count(0)


async def test_a_page_reaches_nothing_outside_its_frame(
    opening: Opening, pages: Pages, learner: Principal
) -> None:
    async with opening(learner) as app:
        await app.use("get_due_cards")
        await expect(app.at("ended")).to_be_visible()
        address = f"{pages.url}/outside"
        await app.page.evaluate("address => fetch(address + '?by=client')", address)
        tried = await app.inside(
            """async (address) => {
                const refused = [];
                addEventListener("securitypolicyviolation", (event) => refused.push(event.effectiveDirective));
                await fetch(address + "?by=fetch").catch(() => undefined);
                const image = new Image();
                await new Promise((done) => { image.onerror = done; image.onload = done; image.src = address + "?by=image" });
                const script = document.createElement("script");
                await new Promise((done) => { script.onerror = done; script.src = address + "?by=script"; document.body.append(script) });
                const frame = document.createElement("iframe");
                frame.src = address + "?by=frame";
                await new Promise((done) => { frame.onload = done; document.body.append(frame) });
                return refused;
            }""",
            address,
        )
        assert {"connect-src", "img-src", "script-src-elem", "frame-src"} <= set(tried)
        assert pages.knocks == ["client"]
        assert (
            await app.inside("() => { try { return parent.document.title } catch { return 'barred' } }")
            == "barred"
        )
        app.complaints.clear()  # Chromium names every refusal


async def test_the_page_follows_the_clients_colours_and_fits_a_narrow_phone(
    opening: Opening, executor: Executor, learner: Principal
) -> None:
    await write_cards(executor, learner, {"front": "A" * 200, "back": FORMULA * 5})
    async with opening(learner, viewport={"width": 320, "height": 600}) as app:
        await app.use("get_due_cards")
        await app.at("flip").click()
        for theme, ink in (("light", "rgb(1, 2, 3)"), ("dark", "rgb(250, 251, 252)")):
            context = {
                "theme": theme,
                "styles": {"variables": {"--color-text-primary": ink}},
                "safeAreaInsets": {"top": 40, "right": 0, "bottom": 0, "left": 0},
            }
            await app.page.evaluate("context => window.change(context)", context)
            main = app.frame.locator("main")
            await expect(main).to_have_css("color", ink)
            await expect(main).to_have_css("color-scheme", theme)
            await expect(main).to_have_css("padding-top", "54px")
        assert await app.inside("() => document.documentElement.scrollWidth - innerWidth") <= 0
        # The frame is as high as the page: nothing scrolls inside.
        height = await app.inside("() => document.documentElement.getBoundingClientRect().height")
        await app.page.wait_for_function(
            "height => document.querySelector('iframe').offsetHeight >= height", arg=height
        )


@pytest.mark.parametrize("mode", ["legacy", "2026-07-28"])
async def test_a_client_without_apps_gets_text_and_data_alone(
    mcp_url: str, storage: Storage, executor: Executor, learner: Principal, mode: str
) -> None:
    await write_cards(executor, learner, {"front": FORMULA, "back": "b"})
    async with connection(mcp_url, storage, learner, shows_apps=False, mode=mode) as client:
        result = await client.call_tool("get_due_cards", {})
        assert "lyceum/maths" not in (result.meta or {})
        assert result.structured_content is not None
        assert "The decay is" in str(result.content)
        names = {tool.name for tool in (await client.list_tools()).tools}
        assert "undo_review" not in names
    async with connection(mcp_url, storage, learner, mode=mode) as client:
        result = await client.call_tool("get_due_cards", {})
        assert "<mfrac>" in str((result.meta or {})["lyceum/maths"])
        tools = {tool.name: tool.meta or {} for tool in (await client.list_tools()).tools}
        assert tools["undo_review"]["ui"] == {"visibility": ["app"]}
        assert tools["get_due_cards"]["ui"]["resourceUri"] == "ui://lyceum/cards.html"
