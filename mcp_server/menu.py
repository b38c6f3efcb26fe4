"""What a client's attach menu shows: what is due, classes, then the newest of everything, page by page."""

import asyncio
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from mcp_types import Annotations, Resource

from mcp_server.views import JSON, MARKDOWN
from storage.errors import InvalidInput
from tools.context import Principal
from tools.executor import Executor

LONGEST_CURSOR = 2000


def _status(item: Mapping[str, Any]) -> str:
    count, unit = item.get("page_count"), item.get("segment_kind")
    size = f", {count} {unit}s" if count and unit else ""
    return f"{str(item['kind']).replace('_', ' ').capitalize()}{size}; {item['status']}"


def _class(item: Mapping[str, Any]) -> str:
    return f"{item['material_count']} materials"


def _deck(item: Mapping[str, Any]) -> str:
    due = item["due"]["learning"] + item["due"]["review"]
    return f"{item['card_count']} cards, {due} due"


@dataclass(frozen=True)
class Section:
    """A kind of item, and the tool that lists it. Page by page, `count` of each."""

    name: str
    tool: str
    count: int
    priority: float
    describe: Callable[[Mapping[str, Any]], str]
    mime_type: str = JSON
    title: str = "title"
    changed: str = "updated_at"


SECTIONS = (
    Section("classes", "list_classes", 50, 0.9, _class, title="name", changed="created_at"),
    Section("materials", "list_materials", 30, 0.8, _status, changed="created_at"),
    Section("notes", "list_notes", 10, 0.6, lambda item: f"{item['type'].capitalize()}", MARKDOWN),
    Section("decks", "list_decks", 10, 0.6, _deck),
    Section("tests", "list_tests", 10, 0.6, lambda item: f"{item['question_count']} questions", changed="created_at"),
    Section("documents", "list_documents", 10, 0.6, lambda item: str(item["kind"]).replace("_", " ").capitalize(), MARKDOWN),
    Section("conversations", "list_conversations", 10, 0.3, lambda item: f"{item['message_count']} messages", MARKDOWN),
)  # fmt: skip


async def page_of(
    executor: Executor,
    principal: Principal,
    offered: frozenset[str],
    class_id: str | None,
    cursor: str | None,
) -> tuple[list[Resource], str | None]:
    """One page of everything, and where the next one begins. `offered` are the names of the tools that may be called,
    `class_id` the one class (id or name) to stay in. Raises InvalidInput for a cursor that this did not give."""
    places = _read(cursor) if cursor else {section.name: None for section in SECTIONS}
    asked = [one for one in SECTIONS if one.name in places and one.tool in offered]
    pages = await asyncio.gather(
        *(_listed(executor, principal, one, class_id, places[one.name]) for one in asked)
    )
    resources = [resource for found, _ in pages for resource in found]
    following = {one.name: after for one, (_, after) in zip(asked, pages, strict=True) if after}
    return resources, _written(following) if following else None


async def _listed(
    executor: Executor, principal: Principal, section: Section, class_id: str | None, cursor: str | None
) -> tuple[list[Resource], str | None]:
    asked: dict[str, Any] = {"limit": section.count, "cursor": cursor}
    if class_id is not None and "class_id" in executor.catalog[section.tool].input.model_fields:
        asked["class_id"] = class_id
    data = (await executor.call(section.tool, asked, principal)).model_dump(mode="json")
    items = data["items"]
    if class_id is not None and section.name == "classes":
        items = [one for one in items if class_id.casefold() in (one["id"], one["name"].casefold())]
    return [_resource(section, item) for item in items], data["next_cursor"]


def _resource(section: Section, item: Mapping[str, Any]) -> Resource:
    name = item[section.title]
    return Resource(
        uri=f"lyceum://{section.name}/{item['id']}",
        name=name,
        title=name,
        description=section.describe(item),
        mime_type=section.mime_type,
        annotations=Annotations(priority=section.priority, last_modified=item[section.changed]),
    )


def _written(places: Mapping[str, str]) -> str:
    return urlsafe_b64encode(json.dumps(places).encode()).decode().rstrip("=")


def _read(cursor: str) -> dict[str, str | None]:
    error = InvalidInput("Unknown cursor. Start again without one.", code="invalid_cursor")
    if len(cursor) > LONGEST_CURSOR:
        raise error
    try:
        found = json.loads(urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (ValueError, UnicodeError) as broken:
        raise error from broken
    known = {section.name for section in SECTIONS}
    if not isinstance(found, dict) or not found.keys() <= known or not found:
        raise error
    if not all(isinstance(place, str) for place in found.values()):
        raise error
    return found
