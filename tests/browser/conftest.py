"""`lyceum serve` as a person starts it, one Chromium, and students with their own accounts."""

import contextlib
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest
from playwright.async_api import Browser, BrowserContext, StorageState, async_playwright, expect

from storage.local.instance import InstanceInfo
from tests.browser.book import cut_pages
from tests.browser.house import House, Visitors, open_house
from tests.browser.student import ANSWER_MS, READING_MS, STEP_MS, Student
from tests.conftest import settings_for
from tests.data import REPOSITORY, shared

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
START_SECONDS = 180
STOP_SECONDS = 60
LINK = re.compile(r"http://\S+/login\?token=\S+")

Arrive = Callable[..., Awaitable[Student]]


@dataclass(frozen=True)
class Serving:
    """The running command: where it listens, the link that it printed, and its process."""

    base: str
    link: str
    process: psutil.Process

    def child(self, command: str) -> psutil.Process:
        """The process of `lyceum COMMAND` that it keeps running."""
        return next(child for child in self.process.children() if child.cmdline()[3:4] == [command])


@contextmanager
def serve(**environment: str) -> Generator[Serving]:
    """`lyceum serve` with a folder and a port of its own; leaves no process behind."""
    assert (REPOSITORY / "assistant/static/index.html").is_file(), "Build the page: python widget/build.py"
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with tempfile.TemporaryDirectory(prefix="lyceum-browser-") as folder:
        Path(folder).chmod(0o755)
        log = Path(folder) / "serve.log"
        argv = [
            sys.executable,
            "-m",
            "assistant.cli",
            "serve",
            "--data-dir",
            f"{folder}/data",
            "--port",
            str(port),
        ]
        with log.open("wb") as out:
            env = os.environ | environment
            process = subprocess.Popen(argv, stdout=out, stderr=subprocess.STDOUT, cwd=REPOSITORY, env=env)
        started = psutil.Process(process.pid)
        family: list[psutil.Process] = []
        try:
            link = printed_link(process, log)
            yield Serving(f"http://127.0.0.1:{port}", link, started)
            family = started.children(recursive=True)
        finally:
            process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(STOP_SECONDS)
            left = psutil.wait_procs(family, timeout=STOP_SECONDS)[1]
            for child in left:
                child.kill()
            process.kill()
        assert not left, f"still running after the end of serve: {left}"
        assert process.returncode == 0


@pytest.fixture(scope="session")
def serving() -> Generator[Serving]:
    with serve(LYCEUM_MODEL="builtin") as running:
        yield running


def printed_link(process: subprocess.Popen[bytes], log: Path) -> str:
    """The one-time link, as soon as serve has printed it."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        if found := LINK.search(log.read_text()):
            return found.group()
        time.sleep(0.05)
    raise AssertionError(f"serve printed no link:\n{log.read_text()}")


@pytest.fixture(scope="session")
async def browser() -> AsyncGenerator[Browser]:
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
