"""MCP Apps on the wire: how a tool names its page, what a page says of itself, and that a page needs nothing from outside."""

import re

import pytest
from mcp import Client
from mcp.client.extension import advertise
from mcp.server.apps import APP_MIME_TYPE, EXTENSION_ID
from mcp.shared.exceptions import MCPError
from mcp_types import TextResourceContents

from mcp_server import apps
from mcp_server.apps.maths import MOST, formulas_of
from mcp_server.server import build_server
from tools.catalog import CATALOG
from tools.context import Principal
from tools.executor import Executor

SMALL = 130_000
"""Bytes of a page at most: a client reads it each time that a conversation shows it anew."""


def client(executor: Executor, who: Principal, *scopes: str) -> Client:
    principal = Principal(who.user_id, frozenset(scopes or ("*",)))
    pages = advertise(EXTENSION_ID, {"mimeTypes": [APP_MIME_TYPE]})
    return Client(build_server(executor, lambda _: principal), extensions=[pages])


@pytest.mark.parametrize("app", dict.fromkeys(apps.APPS.values()), ids=lambda app: app.name)
async def test_a_page_is_one_file_that_names_no_address_and_allows_no_origin(
    executor: Executor, student: Principal, app: apps.App
) -> None:
    async with client(executor, student) as connected:
        (page,) = (await connected.read_resource(app.uri)).contents
    assert isinstance(page, TextResourceContents)
    assert page.mime_type == "text/html;profile=mcp-app"
    nothing: dict[str, list[str]] = {
        "connectDomains": [], "resourceDomains": [], "frameDomains": [], "baseUriDomains": []
    }  # fmt: skip
    assert (page.meta or {})["ui"]["csp"] == nothing
    namespaces = {
        "http://www.w3.org/1998/Math/MathML",
        "http://www.w3.org/2000/svg",
        "http://www.w3.org/1999/xhtml",
    }
    addresses = set(re.findall(r"https?://[\w.-]+[\w./-]*", page.text)) - namespaces
    assert {address for address in addresses if "github.com" not in address} == set()
    assert not re.search(
        r"<(link|img|iframe|object)\b|\ssrc=|@import|url\((?!#)", page.text[: page.text.index("<script")]
    )
    assert len(page.text.encode()) < SMALL


async def test_tools_name_their_page_the_new_way_and_the_old_and_the_pages_are_listed(
    executor: Executor, student: Principal
) -> None:
    async with client(executor, student) as connected:
        tools = {tool.name: tool.meta or {} for tool in (await connected.list_tools()).tools}
        listed = {resource.uri for resource in (await connected.list_resources()).resources}
    assert tools["get_due_cards"]["ui"]["resourceUri"] == tools["get_due_cards"]["ui/resourceUri"]
    assert tools["get_due_cards"]["ui"]["visibility"] == ["model", "app"]
    assert {app.uri for app in apps.APPS.values()} <= listed
    called = {name for app in apps.APPS.values() for name in app.calls}
    assert called <= set(tools)
    assert called <= set(CATALOG)


async def test_pages_call_no_tool_that_the_caller_may_not_use(executor: Executor, student: Principal) -> None:
    async with client(executor, student, "*:read") as connected:
        names = {tool.name for tool in (await connected.list_tools()).tools}
    assert "get_due_cards" in names
    assert names.isdisjoint({"review_card", "undo_review", "answer_question"})


async def test_an_unknown_page_is_said_to_be_unknown(executor: Executor, student: Principal) -> None:
    async with client(executor, student) as connected:
        with pytest.raises(MCPError, match=r"(?i)no (page|resource)"):
            await connected.read_resource("ui://lyceum/../../secrets.html")


async def test_without_built_pages_tools_answer_as_ever(
    executor: Executor, student: Principal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(apps, "BUILT", apps.BUILT / "not-there")
    assert apps.resources() == []
    assert apps.tool_meta("get_due_cards") == {}
    assert apps.companions(CATALOG) == frozenset()
    assert apps.read(apps.CARDS.uri) is None


def test_formulas_are_drawn_once_by_their_tex_and_their_words_stay_words() -> None:
    found = formulas_of(
        {"items": [{"front": r"$\frac{a}{b}$ and $\text{<script>}$, u^n, $5 and $10"}, {"back": r"\(x\)"}]}
    )
    assert set(found) == {r"\frac{a}{b}", r"\text{<script>}", "x"}
    assert "<mfrac>" in found[r"\frac{a}{b}"]
    assert "<script>" not in "".join(found.values())
    assert len(formulas_of([f"${{x}}_{{{n}}}$" for n in range(2 * MOST)])) == MOST
