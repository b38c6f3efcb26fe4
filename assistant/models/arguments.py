"""Filling a tool's arguments from what was understood, by the names its schema gives them."""

from dataclasses import dataclass, field
from typing import Any

from assistant.models.offered import OfferedTool
from assistant.models.turns import Turn

KEEPS_CURRENT_CLASS = frozenset(
    {
        "search_materials", "list_materials", "add_text", "add_web_page", "chroma_search", "list_notes", "create_note",
        "create_assignment", "generate_test", "generate_flashcards", "generate_document", "get_due_cards", "get_weak_topics",
        "list_decks", "list_tests", "list_documents",
    }
)  # fmt: skip
"""Tools for which the class the person is looking at is meant when none is named."""

_PLACES = {
    "page": (
        "page",
        "page_number",
        "start_page",
        "first_page",
        "from_page",
        "page_from",
        "start",
        "first",
        "number",
    ),
    "last_page": ("last_page", "end_page", "to_page", "page_to", "end", "last"),
    "slide": (
        "slide",
        "slide_number",
        "page",
        "start_page",
        "first_page",
        "from_page",
        "page_from",
        "start",
        "first",
    ),
    "name": ("name", "title"),
    "collection": ("collection_name", "collection_id", "collection", "name"),
    "query": ("query", "text", "q"),
    "text": ("text", "content", "body"),
    "title": ("title", "name"),
    "description": ("description",),
}
"""What was understood → argument names that may take it, best first."""


@dataclass
class Slots:
    """A request as understood: the tool, and values by meaning (`page`, `name`, `query`, `material_id`, …)."""

    tool: str
    noun: str = ""
    creates: bool = False
    values: dict[str, Any] = field(default_factory=dict)
    also: "Slots | None" = None
    """A second tool that the same request asks for: "what is due?" means work to hand in and cards."""


def fill(tool: OfferedTool, slots: Slots, turn: Turn) -> dict[str, Any]:
    """Arguments for `tool`; only names of its schema, in the types it asks for."""
    args: dict[str, Any] = {}
    for meaning, value in slots.values.items():
        name = next(
            (n for n in (meaning, *_PLACES.get(meaning, ())) if n in tool.properties and n not in args), None
        )
        if name is not None:
            args[name] = _in_type(value, tool.properties[name])
    end = next((n for n in _PLACES["last_page"] if n in tool.properties), None)
    start = slots.values.get("page") or slots.values.get("slide")
    if start and end and end not in args:
        args[end] = _in_type(start, tool.properties[end])
    return add_current_class(tool, args, turn)


def add_current_class(tool: OfferedTool, args: dict[str, Any], turn: Turn) -> dict[str, Any]:
    """The same arguments with the class the person has chosen, where the tool takes one and none was named."""
    wanted = tool.name in KEEPS_CURRENT_CLASS and "class_id" in tool.properties
    if wanted and turn.class_id and not args.get("class_id") and not args.get("material_id"):
        return {**args, "class_id": turn.class_id}
    return args


def _in_type(value: Any, schema: dict[str, Any]) -> Any:
    kinds = {schema.get("type"), *(s.get("type") for s in schema.get("anyOf", []))}
    if "array" in kinds and "string" not in kinds and not isinstance(value, list):
        return [value]
    if kinds & {"integer", "number"} and isinstance(value, str) and value.isdigit():
        return int(value)
    if isinstance(value, int) and "string" in kinds and not kinds & {"integer", "number"}:
        return str(value)
    return value
