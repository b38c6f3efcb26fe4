"""Programs whose client id is a web address: what is fetched from there, what is believed, and for how long."""

import json
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest

from storage.resources import Storage
from tests.oauth.conftest import REDIRECT, Program, Served
from tests.oauth.test_tokens import later
from tests.tools.test_web_fetch import certificate
from tests.tools.web_servers import Web, page, redirect, web_server
from tests.work import call
from tools.context import Principal
from tools.executor import Executor
from tools.oauth.documents import LONGEST, SHORTEST, USUAL
from tools.oauth.service import AccessRequest
from tools.web.fetch import Fetcher

HOST = "program.test"


@dataclass
class Site:
    """The web site of a program, and the program."""

    web: Web
    program: Program

    def url(self, path: str) -> str:
        return f"https://{HOST}:{self.web.port}{path}"

    def publish(self, path: str = "/client.json", *, of: str | None = None, **said: Any) -> str:
        """Put a document at a path; its address."""
        client_id = self.url(path)
        headers = said.pop("headers", {})
        document = {
            "client_id": of or client_id,
            "client_name": "A program with a site",
            "client_uri": self.url("/"),
            "redirect_uris": [REDIRECT],
            **said,
        }
        self.web.answers[path] = page(
            json.dumps({k: v for k, v in document.items() if v is not None}), "application/json", **headers
        )
        return client_id


@pytest.fixture(scope="module")
async def web(served: Served, tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[Web]:
    serving, trusting = certificate(tmp_path_factory.mktemp("site"), HOST)
    before = served.service.fetcher
    async with web_server({}, serving) as opened:
        served.service.fetcher = opened.fetcher(certificates=trusting)
        yield opened
    served.service.fetcher = before


@pytest.fixture
def site(web: Web, served: Served, http: httpx.AsyncClient) -> Site:
    web.answers.clear()
    web.asked.clear()
    return Site(web, Program(served, http))


async def test_a_program_with_a_document_needs_no_registration(
    site: Site, executor: Executor, student: Principal
) -> None:
    site.program.client_id = site.publish()
    request_id = await site.program.ask()
    pending = await site.program.served.service.pending(request_id, student.user_id)
    assert pending.registration == "metadata_document"
    assert pending.client_name == "A program with a site"
    assert pending.client_id == site.program.client_id
    tokens = await site.program.connect(student, "notes:read")
    (entry,) = (await call(executor, student, "list_connected_clients"))["items"]
    assert entry["home"] == f"{HOST}:{site.web.port}"
    assert (await site.program.refresh(tokens["refresh_token"])).status_code == 200
    assert len(site.web.asked) == 1
    assert "cookie" not in site.web.asked[0].lower()


@pytest.mark.parametrize(
    "said",
    [
        {"of": "https://program.test/other.json"},
        {"client_id": None},
        {"redirect_uris": None},
        {"redirect_uris": ["http://public.example/cb"]},
        {"redirect_uris": ["https://other.example/cb"]},
        {"token_endpoint_auth_method": "client_secret_post"},
        {"client_secret": "hush"},
        {"client_name": "x" * 20_000},
    ],
)
async def test_a_document_that_does_not_hold_is_refused(site: Site, said: dict[str, Any]) -> None:
    site.program.client_id = site.publish("/bad.json", **said)
    answer = await site.program.authorize()
    assert answer.status_code == 400
    assert "location" not in answer.headers


async def test_what_is_no_document_is_refused(site: Site) -> None:
    site.web.answers |= {
        "/html": page("<p>hello"),
        "/text": page("{", "application/json"),
        "/list": page("[]", "application/json"),
        "/gone": page("", status="404 Not Found"),
        "/broken": page("", status="500 Oops"),
        "/moved": redirect(site.publish("/there.json", of=site.url("/moved"))),
    }
    for path in site.web.answers:
        if path != "/there.json":
            site.program.client_id = site.url(path)
            assert (await site.program.authorize()).status_code == 400, path
    assert not any("GET /there.json" in asked for asked in site.web.asked), "a redirect was followed"


@pytest.mark.parametrize(
    "client_id",
    [
        "https://program.test",
        "https://program.test/",
        "https://program.test/a/../b",
        "https://program.test/./b",
        "https://user@program.test/b",
        "https://program.test/b#c",
        "https://[::1/b",
        "https://program.test/" + "x" * 2000,
        "http://program.test/client.json",
    ],
)
async def test_addresses_that_can_be_no_client_id_are_not_even_asked(site: Site, client_id: str) -> None:
    site.program.client_id = client_id
    assert (await site.program.authorize()).status_code == 400
    assert site.web.asked == []


async def test_a_document_inside_a_private_network_is_not_read(site: Site) -> None:
    """The guarded fetcher: no server-side request forgery through a client id."""
    fetcher, site.program.served.service.fetcher = site.program.served.service.fetcher, Fetcher()
    try:
        for host in ("127.0.0.1", "localhost", "169.254.169.254", "10.0.0.1", "[::1]"):
            site.program.client_id = f"https://{host}/client.json"
            answer = await site.program.authorize()
            assert answer.status_code == 400
            assert "could not be identified" in answer.text
    finally:
        site.program.served.service.fetcher = fetcher
    assert site.web.asked == []


@pytest.mark.parametrize(
    ("headers", "life"),
    [
        ({}, USUAL),
        ({"Cache_Control": "public, max-age=7200"}, timedelta(hours=2)),
        ({"Cache_Control": "max-age=1"}, SHORTEST),
        ({"Cache_Control": "no-store"}, SHORTEST),
        ({"Cache_Control": "max-age=999999999"}, LONGEST),
    ],
)
async def test_a_document_is_kept_as_long_as_its_site_says_within_bounds(
    site: Site, storage: Storage, headers: dict[str, str], life: timedelta
) -> None:
    path = f"/kept/{uuid4()}.json"
    site.program.client_id = site.publish(path, headers=headers)
    for _ in range(2):
        await site.program.ask()
    assert len(site.web.asked) == 1
    async with storage.programs(read_only=True) as programs:
        row = await programs.by_client_id(site.program.client_id)
    assert row is not None
    assert row.document_expires_at is not None
    left = row.document_expires_at - storage.clock.now()
    assert life - timedelta(minutes=1) < left <= life


async def test_a_document_that_changed_is_read_again_when_it_is_due(site: Site, student: Principal) -> None:
    site.program.client_id = site.publish("/changing.json")
    await site.program.ask()
    site.publish("/changing.json", client_name="A new name", redirect_uris=["https://new.example/cb"])
    soon = later(site.program.served, hours=2)
    soon.fetcher = site.program.served.service.fetcher
    asked = site.program.request(redirect_uri="https://new.example/cb")
    request_id = await soon.ask(AccessRequest(**asked), "203.0.113.20")
    assert (await soon.pending(request_id, student.user_id)).client_name == "A new name"
    assert (await site.program.authorize()).status_code == 400  # the address of before
