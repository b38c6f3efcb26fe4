"""The whole app in this process, so that a test can reach into its clock and its way to the web."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import uvicorn
from fastapi import FastAPI
from playwright.async_api import Browser, BrowserContext

from storage.resources import Storage
from storage.settings import Settings
from tests.assistant.serving import MovableClock, running
from tests.browser.student import PASSWORD, Student
from tests.ports import listening_socket
from tools.accounts import Accounts, Device
from tools.oauth.service import OAuthService


@dataclass
class House:
    """`clock` moves for the whole app; whoever moves it moves it back."""

    base: str
    app: FastAPI
    clock: MovableClock

    @property
    def storage(self) -> Storage:
        storage: Storage = self.app.state.services.storage
        return storage

    @property
    def accounts(self) -> Accounts:
        accounts: Accounts = self.app.state.services.accounts
        return accounts

    @property
    def oauth(self) -> OAuthService:
        oauth: OAuthService = self.app.state.services.oauth
        return oauth


@asynccontextmanager
async def open_house(settings: Settings) -> AsyncGenerator[House]:
    """Over real servers, on a port of its own, with the MCP server, the authorization server and the page."""
    listening = listening_socket()
    clock = MovableClock()
    async with running(settings, clock, port=listening.getsockname()[1]) as app:
        config = uvicorn.Config(app, http="h11", lifespan="off", log_level="warning", access_log=False)
        server = uvicorn.Server(config)
        serving = asyncio.create_task(server.serve(sockets=[listening]))
        yield House(f"http://127.0.0.1:{listening.getsockname()[1]}", app, clock)
        server.should_exit = True
        await serving


@dataclass
class Visitors:
    """People with windows of their own."""

    house: House
    browser: Browser
    people: list[Student] = field(default_factory=list)
    contexts: list[BrowserContext] = field(default_factory=list)

    async def signed_out(self, **options: Any) -> Student:
        """Somebody with an account and a password."""
        person = await self._window(**options)
        await self.house.accounts.create_user(person.email, "Ada Student", PASSWORD)
        return person

    async def signed_in(self, **options: Any) -> Student:
        """Somebody with the cookies of a session."""
        person = await self._window(**options)
        accounts, names = self.house.accounts, self.house.app.state.services.cookies
        user = await accounts.create_user(person.email, "Ada Student", None)
        session = await accounts.start_session(user.id, Device("Chromium"))
        await person.page.context.add_cookies(
            [
                {"name": names.access, "value": session.access_token, "url": self.house.base},
                {"name": names.refresh, "value": session.refresh_token, "url": f"{self.house.base}/api/auth"},
            ]
        )
        return person

    async def _window(self, **options: Any) -> Student:
        context = await self.browser.new_context(**options)
        self.contexts.append(context)
        self.people.append(Student(await context.new_page(), self.house.base))
        return self.people[-1]

    async def leave(self) -> None:
        """None of their pages may have complained."""
        for context in self.contexts:
            await context.close()
        complaints = [complaint for person in self.people for complaint in person.complaints]
        assert complaints == []
