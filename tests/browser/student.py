"""What a student does on the page, step by step."""

import asyncio
import base64
from dataclasses import dataclass, field
from pathlib import Path
from uuid import uuid4

from playwright.async_api import ConsoleMessage, Locator, Page, expect

PASSWORD = "correct horse battery staple"
NOT_SIGNED_IN = ("/api/auth/session", "/api/auth/refresh")
"""Asking who one is, before signing in, is answered with 401, and Chromium writes every 401 to its console."""
READING_MS = 180_000
ANSWER_MS = 90_000
STEP_MS = 30_000
"""How long an expectation waits; Playwright's own five seconds are too few for a busy machine."""


@dataclass
class Student:
    """A page of the app with a person in front of it."""

    page: Page
    base: str
    email: str = field(default_factory=lambda: f"{uuid4()}@example.org")
    complaints: list[str] = field(default_factory=list)
    """Console errors, uncaught exceptions and refused content, which no step may cause."""
    expected: list[str] = field(default_factory=lambda: list(NOT_SIGNED_IN))
    """Parts of the addresses that may answer with an error."""

    def __post_init__(self) -> None:
        self.page.on("console", self._heard)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def _heard(self, message: ConsoleMessage) -> None:
        about = f"{message.text} ({message.location['url']})"
        wanted = message.text.startswith("Failed to load resource") and any(
            part in message.location["url"] for part in self.expected
        )
        if message.type in ("error", "warning") and not wanted:
            self.complaints.append(about)

    def at(self, hook: str) -> Locator:
        return self.page.get_by_test_id(hook)

    async def register(self) -> None:
        await self.page.goto(self.base)
        await self.at("login-switch").click()
        await self.at("login-name").fill("Ada Student")
        await self.sign_in()
        await expect(self.at("logout")).to_be_visible()

    async def sign_in(self, password: str = PASSWORD) -> None:
        await self.at("login-email").fill(self.email)
        await self.at("login-password").fill(password)
        await self.at("login-submit").click()

    async def make_class(self, name: str) -> None:
        await self.at("class-name").fill(name)
        await self.at("create-class").click()
        await expect(self.at("class-select").locator("option:checked")).to_have_text(name)

    async def drop(self, file: Path, media_type: str = "application/pdf") -> None:
        """The events of a file dragged over the page and let go there."""
        content = await asyncio.to_thread(file.read_bytes)
        transfer = await self.page.evaluate_handle(
            """({ name, type, content }) => {
                const bytes = Uint8Array.from(atob(content), (c) => c.charCodeAt(0));
                const transfer = new DataTransfer();
                transfer.items.add(new File([bytes], name, { type }));
                return transfer;
            }""",
            {
                "name": file.name,
                "type": media_type,
                "content": base64.b64encode(content).decode(),
            },
        )
        for event in ("dragenter", "dragover", "drop"):
            await self.at("log").dispatch_event(event, {"dataTransfer": transfer})

    def material(self, title: str) -> Locator:
        return self.at("material-row").filter(has_text=title)

    async def add_text(self, title: str, text: str) -> None:
        await self.at("add-text").click()
        await self.page.get_by_label("Title", exact=True).fill(title)
        await self.page.get_by_label("Text", exact=True).fill(text)
        await self.page.get_by_role("button", name="Add text").click()
        await expect(self.material(title)).to_have_attribute("data-status", "ready", timeout=READING_MS)

    async def ask(self, question: str) -> Locator:
        """Asks, waits for the end of the answer and gives it."""
        answers = self.answers()
        before = await answers.count()
        await self.at("composer").fill(question)
        await self.at("composer").press("Enter")
        await expect(answers).to_have_count(before + 1)
        await expect(answers.last).to_have_attribute("data-status", "complete", timeout=ANSWER_MS)
        return answers.last

    def answers(self) -> Locator:
        return self.page.locator('[data-testid="message"][data-role="assistant"]')

    async def overflow(self) -> int:
        """Pixels by which the page is wider than its window."""
        width: int = await self.page.evaluate(
            "Math.max(...[...document.querySelectorAll('html, body, .lyceum, .workspace, .log, .composer')]"
            ".map((node) => node.scrollWidth - node.clientWidth))"
        )
        return width
