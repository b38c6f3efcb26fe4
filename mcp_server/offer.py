"""Which tools a caller may use over a connection, which of them its list shows, and why another one is not there."""

from collections.abc import Mapping

from mcp_server.selection import ALL, CALL_TOOL, DEFAULT, SEARCH_TOOLS, Selection
from storage.errors import Forbidden
from tools.context import Principal
from tools.spec import Effect, ToolSpec

DEFAULT_TOOLS = frozenset(
    {
        "list_classes",
        "list_assignments",
        "list_materials",
        "read_material",
        "search_materials",
        "open_passage",
        "explain_search",
        "generate_test",
        "start_test",
        "answer_question",
        "submit_test",
        "get_due_cards",
        "review_card",
        "get_weak_topics",
        "get_job",
        "chroma_list_collections",
        "chroma_get_collection_info",
        "chroma_diagnose_collection",
    }
)
"""What a student or an engineer needs first; a model chooses worse from a longer list. `search_tools` finds the rest."""


def offered(catalog: Mapping[str, ToolSpec], principal: Principal, selection: Selection) -> list[ToolSpec]:
    """The tools that the caller may use, in the order of the catalogue: by scopes, by the operator, by the request."""
    return [
        spec for spec in catalog.values() if principal.allows(spec.scope) and refusal(spec, selection) is None
    ]


def listed(catalog: Mapping[str, ToolSpec], principal: Principal, selection: Selection) -> list[ToolSpec]:
    """Those of them that tools/list shows; the others are reached through `search_tools` and `call_tool`."""
    return [spec for spec in offered(catalog, principal, selection) if chosen(spec, selection)]


def opens(selection: Selection) -> bool:
    """Whether the rest is reachable beside the list. A connection that names its toolsets has all of them in its list, and
    nothing else; leaving out one of the pair closes the door too."""
    return DEFAULT in selection.words and not {SEARCH_TOOLS, CALL_TOOL} & selection.excluded


def chosen(spec: ToolSpec, selection: Selection) -> bool:
    """Whether a toolset or a name in the selection means this tool."""
    words = selection.words
    return (
        ALL in words
        or spec.toolset in words
        or spec.name in selection.tools
        or (DEFAULT in words and spec.name in DEFAULT_TOOLS)
    )


def refusal(spec: ToolSpec, selection: Selection) -> Forbidden | None:
    """Why the selection leaves no way to this tool, naming the knob to turn; None when it may be used."""
    if selection.within is not None:
        bound = refusal(spec, selection.within)
        if bound is not None:
            return bound
    if spec.name in selection.excluded:
        knob = selection.knob("exclude_tools")
        return Forbidden(f"The tool {spec.name} is left out by {knob}.", code="tool_excluded")
    if selection.read_only and spec.effect is not Effect.READ:
        knob = selection.knob("read_only")
        return Forbidden(
            f"The tool {spec.name} changes something, and this connection is read-only by {knob}.",
            code="read_only",
        )
    if chosen(spec, selection) or opens(selection):
        return None
    knob = selection.knob("toolsets")
    return Forbidden(
        f"The tool {spec.name} belongs to the toolset {spec.toolset!r}, which {knob} does not choose.",
        code="tool_not_selected",
    )
