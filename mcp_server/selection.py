"""Which tools a connection wants: from the operator's settings, and within those from the request's query and headers."""

import difflib
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace

from mcp.server import ServerRequestContext
from starlette.requests import Request

from storage.errors import InvalidInput
from storage.settings import Settings
from tools.spec import ToolSpec

DEFAULT, ALL = "default", "all"
"""Words that stand where the name of a toolset can: the tools of `offer.DEFAULT_TOOLS`, and every tool there is."""
SEARCH_TOOLS, CALL_TOOL = "search_tools", "call_tool"
"""The pair that reaches what the list does not show; it goes with `default`."""
KNOBS = {
    "toolsets": ("LYCEUM_MCP_TOOLSETS (--toolsets)", "X-MCP-Toolsets (?toolsets=)"),
    "exclude_tools": ("LYCEUM_MCP_EXCLUDE_TOOLS (--exclude-tools)", "X-MCP-Exclude-Tools (?exclude_tools=)"),
    "read_only": ("LYCEUM_MCP_READ_ONLY (--read-only)", "X-MCP-Readonly (?readonly=)"),
    "class": ("LYCEUM_MCP_CLASS (--class)", "X-MCP-Class (?class=)"),
}
"""What to turn: on the server, and in the client's configuration. The header names are those of GitHub's MCP server."""
TRUE, FALSE = frozenset({"1", "true", "yes", "on"}), frozenset({"", "0", "false", "no", "off"})
LONGEST = 4_000


@dataclass(frozen=True, slots=True)
class Selection:
    """What was asked for. `offer.offered` and `offer.listed` say which tools that means for a caller."""

    toolsets: frozenset[str] | None = None
    """Names of toolsets, `default` or `all`; None: nothing was said."""
    tools: frozenset[str] = frozenset()
    """Single tools beside the toolsets; without toolsets, these alone."""
    excluded: frozenset[str] = frozenset()
    read_only: bool = False
    class_id: str | None = None
    """The class, by id or name, that every tool with a `class_id` is bound to."""
    within: "Selection | None" = None
    """The operator's choice, which a request can narrow and never widen."""

    @property
    def words(self) -> frozenset[str]:
        """The toolsets as they count: nothing said means the default ones."""
        if self.toolsets is not None:
            return self.toolsets
        return frozenset() if self.tools else frozenset({DEFAULT})

    def knob(self, name: str) -> str:
        """What set this, for a person who wants to change it."""
        server, client = KNOBS[name]
        return f"the server's setting {server}" if self.within is None else f"the client's {client}"


SelectionOf = Callable[[ServerRequestContext], Selection]
"""What a request selects: from its query and headers on HTTP, the flags of the command on stdio."""

NOTHING_SAID = Selection()
EVERYTHING = Selection(frozenset({ALL}))


def operators(settings: Settings, catalog: Mapping[str, ToolSpec]) -> Selection:
    """The upper bound. Raises InvalidInput for a name that does not exist."""
    selection = Selection(
        toolsets=names(settings.mcp_toolsets) or None,
        tools=names(settings.mcp_tools),
        excluded=names(settings.mcp_exclude_tools),
        read_only=settings.mcp_read_only,
        class_id=settings.mcp_class,
    )
    check(selection, catalog)
    return selection


def requested(request: object, operator: Selection, catalog: Mapping[str, ToolSpec]) -> Selection:
    """The operator's selection, narrowed by what the address says and, where that is silent, by the headers. Raises
    InvalidInput for unknown names and for a toolset or class that the operator does not offer."""
    if not isinstance(request, Request):
        return operator

    def said(query: str, header: str) -> str | None:
        value = request.query_params.get(query)
        return request.headers.get(header) if value is None else value

    toolsets, tools = said("toolsets", "x-mcp-toolsets"), said("tools", "x-mcp-tools")
    excluded, class_id = said("exclude_tools", "x-mcp-exclude-tools"), said("class", "x-mcp-class")
    read_only = said("readonly", "x-mcp-readonly") or request.query_params.get("read_only")
    if not any((toolsets, tools, excluded, class_id, read_only)):
        return operator
    selection = Selection(
        toolsets=names(toolsets) or None,
        tools=names(tools),
        excluded=names(excluded),
        read_only=switched_on(read_only or ""),
        class_id=(class_id or "").strip() or operator.class_id,
        within=operator,
    )
    check(selection, catalog)
    check_bound(selection, operator, catalog)
    if selection.toolsets is None and not selection.tools:
        return replace(selection, toolsets=operator.toolsets, tools=operator.tools)
    return selection


def names(text: str | None) -> frozenset[str]:
    """A list of names as people write it: with commas, blanks or both between them."""
    if text is not None and len(text) > LONGEST:
        raise InvalidInput("The list of toolsets or tools is too long.", code="invalid_selection")
    return frozenset(re.split(r"[,\s]+", text.strip())) - {""} if text else frozenset()


def switched_on(text: str) -> bool:
    word = text.strip().lower()
    if word not in TRUE | FALSE:
        raise InvalidInput(f"Read-only is true or false, not {text[:40]!r}.", code="invalid_selection")
    return word in TRUE


def check(selection: Selection, catalog: Mapping[str, ToolSpec]) -> None:
    """Raises InvalidInput that names the first unknown toolset or tool and what comes near it."""
    toolsets = [DEFAULT, ALL, *dict.fromkeys(spec.toolset for spec in catalog.values())]
    for name in sorted((selection.toolsets or frozenset()) - set(toolsets)):
        raise InvalidInput(
            f"There is no toolset called {name[:80]!r}. There are: {', '.join(toolsets)}.",
            code="unknown_toolset",
        )
    known = {*catalog, SEARCH_TOOLS, CALL_TOOL}
    for name in sorted((selection.tools | selection.excluded) - known):
        raise InvalidInput(
            f"There is no tool called {name[:80]!r}.{near(name, known)} tools/list with ?toolsets=all shows them all.",
            code="unknown_tool",
        )


def check_bound(selection: Selection, operator: Selection, catalog: Mapping[str, ToolSpec]) -> None:
    """Raises InvalidInput when the request asks for what this server does not offer, rather than show less in silence."""
    if operator.class_id is not None and selection.class_id != operator.class_id:
        raise InvalidInput(
            f"This server is bound to the class {operator.class_id!r} by {KNOBS['class'][0]}.",
            code="outside_bound",
        )
    if operator.words & {ALL, DEFAULT}:
        return
    within = operator.words | {catalog[name].toolset for name in operator.tools if name in catalog}
    for name in sorted((selection.toolsets or frozenset()) - within - {ALL, DEFAULT}):
        raise InvalidInput(
            f"This server does not offer the toolset {name!r}; {KNOBS['toolsets'][0]} allows {', '.join(sorted(within))}.",
            code="outside_bound",
        )


def near(name: str, known: Iterable[str]) -> str:
    found = difflib.get_close_matches(name, list(known), n=3)
    return f" Did you mean {' or '.join(found)}?" if found else ""
