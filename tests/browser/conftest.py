"""One `lyceum serve`, one Chromium, and students with their own accounts."""

import shutil
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, BrowserContext, StorageState, async_playwright, expect

from storage.local.instance import InstanceInfo
from tests.browser.book import cut_pages
from tests.browser.house import House, Visitors, open_house
from tests.browser.student import ANSWER_MS, READING_MS, STEP_MS, Student
from tests.conftest import settings_for
from tests.data import REPOSITORY, shared
from tests.lyceum import Serving, serve

CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome")
CHROMIUM_ARGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
Arrive = Callable[..., Awaitable[Student]]


@pytest.fixture(scope="session")
def serving() -> Generator[Serving]:
    with serve(LYCEUM_MODEL="builtin") as running:
        yield running


@pytest.fixture(scope="session")
async def browser() -> AsyncGenerator[Browser]:
    assert (REPOSITORY / "assistant/static/index.html").is_file(), "Build the page: python widget/build.py"
    found = next(filter(None, map(shutil.which, CHROMIUM_NAMES)), None)
    if found is None:
        pytest.skip("no Chromium is installed")
    expect.set_options(timeout=STEP_MS)
    async with async_playwright() as playwright:
        launched = await playwright.chromium.launch(
            executable_path=found, args=CHROMIUM_ARGS, timeout=ANSWER_MS
        )
        yield launched
        await launched.close()


@pytest.fixture
async def arrive(browser: Browser, serving: Serving) -> AsyncGenerator[Arrive]:
    """Students in windows of their own; at the end, none of their pages may have complained."""
    contexts: list[BrowserContext] = []
    students: list[Student] = []

    async def one(**options: Any) -> Student:
        context = await browser.new_context(**options)
        context.set_default_timeout(ANSWER_MS)
        contexts.append(context)
        students.append(Student(await context.new_page(), serving.base))
        return students[-1]

    yield one
    for context in contexts:
        await context.close()
    complaints = [complaint for student in students for complaint in student.complaints]
    assert complaints == []


@pytest.fixture(scope="session")
def excerpt(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """24 pages of a real textbook, with the chapter on stability."""
    path = tmp_path_factory.mktemp("books") / "decay_excerpt.pdf"
    cut_pages(shared("docs/decay_textbook_241p.pdf"), path, 61, 84)
    return path


@pytest.fixture(scope="session")
async def signed_in(browser: Browser, serving: Serving, excerpt: Path) -> StorageState:
    """The cookies of a student whose class holds the excerpt, for tests that only read."""
    return await with_material(browser, serving, "Numerical Methods", excerpt, "decay excerpt")


async def with_material(
    browser: Browser, serving: Serving, class_name: str, file: Path, title: str
) -> StorageState:
    """The cookies of a new student, whose class holds a file that is ready."""
    context = await browser.new_context()
    context.set_default_timeout(ANSWER_MS)
    student = Student(await context.new_page(), serving.base)
    await student.register()
    await student.make_class(class_name)
    await student.at("upload-input").first.set_input_files(file)
    await expect(student.material(title)).to_have_attribute("data-status", "ready", timeout=READING_MS)
    state = await context.storage_state()
    await context.close()
    return state


@pytest.fixture
async def student(arrive: Arrive, signed_in: StorageState, serving: Serving) -> Student:
    """A student at the page, with a textbook that is ready."""
    made = await arrive(storage_state=signed_in)
    await made.page.goto(serving.base)
    await expect(made.material("decay excerpt")).to_be_visible()
    return made


@pytest.fixture(scope="session")
async def house(instance: InstanceInfo) -> AsyncGenerator[House]:
    """The app in this process, for what a test must change inside of it."""
    async with open_house(settings_for(instance)) as opened:
        yield opened


@pytest.fixture
async def visitors(browser: Browser, house: House) -> AsyncGenerator[Visitors]:
    """People at the page of `house`; at the end, none of their pages may have complained."""
    made = Visitors(house, browser)
    yield made
    await made.leave()
