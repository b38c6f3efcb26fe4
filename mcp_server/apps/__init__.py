"""MCP Apps (SEP-1865): pages that a client shows beside an answer: a card reviewer, a quiz, search results with their pages.

A page is one file of HTML with everything inside it. `widget/build.py` builds them into `built/`, which is not in the
repository; where they are missing, tools answer with text and data alone.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import Any

from mcp.server import ServerRequestContext
from mcp.server.apps import APP_MIME_TYPE, EXTENSION_ID, ResourceCsp, client_supports_apps
from mcp_types import CallToolResult, Resource, TextResourceContents

from mcp_server.apps.maths import formulas_of

BUILT = Path(__file__).parent / "built"
SCHEME = "ui://"
LEGACY_KEY = "ui/resourceUri"
"""Where hosts looked before `ui.resourceUri`; ext-apps 2.0.4 still asks them to read both."""

EXTENSION: Mapping[str, dict[str, Any]] = MappingProxyType({EXTENSION_ID: {"mimeTypes": [APP_MIME_TYPE]}})
"""What the server declares under `capabilities.extensions` (SEP-2133): `server.extensions.update(EXTENSION)`."""

# Said and not left out: no host may take silence for a wish. A page needs nothing from outside.
NO_ORIGINS = ResourceCsp(connect_domains=[], resource_domains=[], frame_domains=[], base_uri_domains=[])


@dataclass(frozen=True)
class App:
    """A page, and the tools that it calls through the host."""

    name: str
    title: str
    description: str
    calls: frozenset[str]

    @property
    def uri(self) -> str:
        return f"{SCHEME}lyceum/{self.name}.html"

    @property
    def file(self) -> Path:
        return BUILT / f"{self.name}.html"

    @cached_property
    def html(self) -> str:
        return self.file.read_text(encoding="utf-8")

    @property
    def meta(self) -> dict[str, Any]:
        csp = NO_ORIGINS.model_dump(by_alias=True, exclude_none=True)
        return {"ui": {"csp": csp, "prefersBorder": True}}


CARDS = App(
    "cards",
    "Card review",
    "Shows the cards that are due, one by one, and stores how each went.",
    frozenset({"get_due_cards", "review_card", "undo_review"}),
)
QUIZ = App(
    "quiz",
    "Test",
    "Takes a test question by question and shows its result with the evidence.",
    frozenset({"get_test", "start_test", "answer_question", "submit_test"}),
)
SEARCH = App(
    "search",
    "Search results",
    "Shows the passages that were found, each on the picture of its page.",
    frozenset({"search_materials", "open_passage"}),
)

APPS: Mapping[str, App] = MappingProxyType(
    {
        "get_due_cards": CARDS,
        "get_test": QUIZ,
        "start_test": QUIZ,
        "search_materials": SEARCH,
        "open_passage": SEARCH,
    }
)
"""By the tool whose result a page shows."""

_SHOWING = frozenset({"get_due_cards", "review_card", "undo_review", "get_test", "start_test", "answer_question",
                      "submit_test"})  # fmt: skip
"""Tools whose answers a page draws with their formulas."""


def built(app: App) -> bool:
    return app.file.is_file()


def companions(offered: Iterable[str]) -> frozenset[str]:
    """Tools that the pages of the offered tools call. A host lets a page call only what `tools/list` holds."""
    return frozenset(
        name for tool in offered if tool in APPS and built(APPS[tool]) for name in APPS[tool].calls
    )


def tool_meta(name: str, *, for_model: bool = True) -> dict[str, Any]:
    """To be merged into a tool's `_meta`. Not `for_model`: hosts keep the tool from the model, for pages alone."""
    app = APPS.get(name)
    if app is not None and built(app) and for_model:
        return {"ui": {"resourceUri": app.uri, "visibility": ["model", "app"]}, LEGACY_KEY: app.uri}
    return {} if for_model else {"ui": {"visibility": ["app"]}}


def resources() -> list[Resource]:
    """The pages that are built, for resources/list."""
    return [
        Resource(
            uri=app.uri,
            name=app.name,
            title=app.title,
            description=app.description,
            mime_type=APP_MIME_TYPE,
            _meta=app.meta,
        )
        for app in dict.fromkeys(APPS.values())
        if built(app)
    ]


def read(uri: str) -> TextResourceContents | None:
    """The page at a `ui://` address, or None when there is none."""
    for app in APPS.values():
        if app.uri == uri and built(app):
            return TextResourceContents(uri=uri, mime_type=APP_MIME_TYPE, text=app.html, _meta=app.meta)
    return None


def for_page(
    ctx: ServerRequestContext, name: str, result: CallToolResult, base_url: str | None
) -> CallToolResult:
    """The result with what a page needs besides it, in `_meta`, which no model reads: where Lyceum's own pages are, and
    the formulas drawn as MathML. Unchanged for clients that show no pages."""
    needed = name in APPS or name in _SHOWING
    if not needed or result.is_error or not client_supports_apps(ctx):
        return result
    extra: dict[str, Any] = {"lyceum/url": base_url} if base_url else {}
    if name in _SHOWING and (formulas := formulas_of(result.structured_content)):
        extra["lyceum/maths"] = formulas
    return result.model_copy(update={"meta": {**(result.meta or {}), **extra}})
