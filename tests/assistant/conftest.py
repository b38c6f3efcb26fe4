"""The app in this process, and people who are signed in to it."""

from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from uuid import uuid4

import httpx
import pytest
from argon2 import PasswordHasher
from fastapi import FastAPI

from storage.local.instance import InstanceInfo
from storage.resources import Storage
from tests.assistant.serving import MovableClock, client_of, running, server_process
from tests.conftest import settings_for
from tools.accounts import Accounts, Device
from tools.context import Principal

PASSWORD = "correct horse battery"


@cache
def password_hash() -> str:
    """Made once: a hash takes longer than most tests."""
    return PasswordHasher().hash(PASSWORD)


@pytest.fixture(scope="session")
def movable_clock() -> MovableClock:
    return MovableClock()


@pytest.fixture
def clock(movable_clock: MovableClock) -> Generator[MovableClock]:
    """The clock of `app`; back at the real time after the test."""
    yield movable_clock
    movable_clock.ahead = timedelta()


@pytest.fixture(scope="session")
async def app(instance: InstanceInfo, movable_clock: MovableClock) -> AsyncGenerator[FastAPI]:
    async with running(settings_for(instance), movable_clock) as started:
        yield started


@pytest.fixture(scope="session")
async def server(instance: InstanceInfo) -> AsyncGenerator[tuple[str, int]]:
    """The app in a process of its own: (base URL, process id). What uses it is named in tests/conftest.py, to share one."""
    async with server_process(settings_for(instance)) as started:
        yield started


@pytest.fixture
async def client(app: FastAPI) -> AsyncGenerator[httpx.AsyncClient]:
    """A browser with no cookies yet."""
    async with client_of(app) as opened:
        yield opened


@dataclass
class Person:
    """Someone with an account, whose client sends an access token and no cookies."""

    email: str
    http: httpx.AsyncClient
    tokens: dict[str, str]
    principal: Principal

    async def tool(self, name: str, /, **arguments: object) -> httpx.Response:
        return await self.http.post(f"/api/tools/{name}", json=arguments)


NewPerson = Callable[[], Awaitable[Person]]


@pytest.fixture
async def new_person(app: FastAPI, storage: Storage) -> AsyncGenerator[NewPerson]:
    opened: list[httpx.AsyncClient] = []

    async def make() -> Person:
        email = f"{uuid4().hex}@example.org"
        accounts: Accounts = app.state.services.accounts
        user_id = storage.clock.new_id()
        async with storage.as_user(user_id) as db:
            await db.accounts.add_user(email, "A student", password_hash())
        signed_in = await accounts.start_session(user_id, Device("python-httpx", "127.0.0.1"))
        http = client_of(app, headers={"Authorization": f"Bearer {signed_in.access_token}"})
        opened.append(http)
        tokens = {"access_token": signed_in.access_token, "refresh_token": signed_in.refresh_token}
        return Person(email, http, tokens, Principal(user_id))

    yield make
    for http in opened:
        await http.aclose()


@pytest.fixture
async def person(new_person: NewPerson) -> Person:
    return await new_person()


@pytest.fixture
async def other(new_person: NewPerson) -> Person:
    """Someone else, who must see nothing of `person`."""
    return await new_person()
