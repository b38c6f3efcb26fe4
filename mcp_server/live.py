"""Live data in a prompt: asked of the same tools as the caller, in a few short lines each."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from storage.errors import Kind, LyceumError
from tools.context import Principal
from tools.executor import Executor

PASSAGE = 700
"""Characters of a passage."""
ROWS = 15
WRONG_NAME = frozenset({Kind.NOT_FOUND, Kind.CONFLICT, Kind.INVALID})


@dataclass(frozen=True, slots=True)
class Live:
    """The caller's way to the tools that are offered here."""

    executor: Executor
    principal: Principal
    offered: frozenset[str]

    async def ask(self, tool: str, **arguments: Any) -> dict[str, Any] | None:
        """What the tool answers; None where it is not offered or does not answer now.

        Raises LyceumError for a wrong name: the person can mend it before the prompt is sent.
        """
        if tool not in self.offered:
            return None
        asked = {name: value for name, value in arguments.items() if value not in (None, "")}
        try:
            output = await self.executor.call(tool, asked, self.principal)
        except LyceumError as error:
            if error.kind in WRONG_NAME:
                raise
            return None
        return output.model_dump(mode="json")


async def quiz_facts(live: Live, given: Mapping[str, str]) -> list[str]:
    lines = await weak_lines(live, given["class"])
    decks = await live.ask("list_decks", class_id=given["class"], limit=1)
    if decks is not None:
        lines.append(due_line(decks["due"]))
    material = await live.ask("get_material", material_id=given["material"]) if given["material"] else None
    if material is not None:
        lines.append(material_line(material))
    return lines


async def explaining_facts(live: Live, given: Mapping[str, str]) -> list[str]:
    topic = given["topic"]
    found = await live.ask(
        "search_materials", query=topic, class_id=given["class"], material_id=given["material"], limit=5
    )
    lines = []
    if found is not None:
        lines += [passage(hit) for hit in found["hits"]] or [f"Search for {topic!r} finds nothing."]
        if found["notice"]:
            lines.append(found["notice"])
    notes = await live.ask("list_notes", query=topic, class_id=given["class"], limit=5)
    titles = [f"{item['title']!r} (note_id {item['id']})" for item in notes["items"]] if notes else []
    if titles:
        lines.append(f"Own notes on it: {'; '.join(titles)}.")
    return lines


async def planning_facts(live: Live, given: Mapping[str, str]) -> list[str]:
    due = await live.ask(
        "list_assignments",
        class_id=given["class"],
        status="open",
        due_to=f"in {int(given['days']) + 7} days",
        limit=ROWS,
    )
    lines = []
    if due is not None:
        lines.append(f"Now: {due['today']}")
        lines += [assignment_line(item) for item in due["items"]] or ["Nothing is due in these days."]
    decks = await live.ask("list_decks", class_id=given["class"], limit=ROWS)
    if decks is not None:
        lines.append(due_line(decks["due"]))
        lines += [
            f"- deck {item['title']!r}: {due_line(item['due'])}" for item in decks["items"] if any_due(item)
        ]
    lines += await weak_lines(live, given["class"])
    progress = await live.ask("get_progress", class_id=given["class"], days=7)
    if progress is not None:
        minutes = round(progress["study_seconds"] / 60)
        lines.append(f"Last 7 days: {minutes} minutes of study, {progress['streak_days']} days in a row.")
    return lines


async def debugging_facts(live: Live, given: Mapping[str, str]) -> list[str]:
    lines = []
    if given["expected_material"]:
        material = await live.ask("get_material", material_id=given["expected_material"])
        lines += [material_line(material)] if material else []
    found = await live.ask("search_materials", query=given["query"], class_id=given["class"], limit=5)
    if found is not None:
        places = [
            f"- {hit['locator']['material_title']!r}, {hit['label']}: {hit['score']}" for hit in found["hits"]
        ]
        lines += ["Search finds now:", *(places or ["- nothing"])]
        lines += [found["notice"]] if found["notice"] else []
    known = await live.ask("chroma_list_collections")
    if known is not None:
        rows = [
            f"- {item['name']} ({item['class_name']!r}): {item['count']}" for item in known["items"][:ROWS]
        ]
        lines += ["Collections and their entries:", *(rows or ["- none"])]
    return lines


async def weak_lines(live: Live, class_name: str) -> list[str]:
    weak = await live.ask("get_weak_topics", class_id=class_name, limit=5)
    if weak is None:
        return []
    rows = [f"- {one['topic']!r}: {one['wrong']} of {one['tried']} wrong" for one in weak["items"]]
    return ["Goes wrong most:", *rows] if rows else ["Nothing has gone wrong yet that was counted."]


def due_line(due: Mapping[str, int]) -> str:
    return f"Cards left today: {due['review']} to review, {due['learning']} being learned, {due['new']} new."


def any_due(item: Mapping[str, Any]) -> bool:
    return any(item["due"][name] for name in ("review", "learning", "new"))


def assignment_line(item: Mapping[str, Any]) -> str:
    late = ", overdue" if item["overdue"] else ""
    return f"- due {item['due_at']}: {item['title']!r}, {item['type']} in {item['class_name']!r}, {item['status']}{late}"


def material_line(item: Mapping[str, Any]) -> str:
    size = (
        f"{item['page_count']} {item['segment_kind']}s, "
        if item["page_count"] and item["segment_kind"]
        else ""
    )
    trouble = f" {item['error'] or item['notice']}" if item["error"] or item["notice"] else ""
    return (
        f"Material {item['title']!r} (material_id {item['id']}): {item['status']}, {size}"
        f"{item['chunk_count']} passages, embedded by {item['embedding_model'] or 'nothing yet'}.{trouble}"
    )


def passage(hit: Mapping[str, Any]) -> str:
    text = hit["text"]
    words = text if len(text) <= PASSAGE else f"{text[:PASSAGE]} […]"
    return f"[{hit['locator']['material_title']}, {hit['label']}; passage_id {hit['passage_id']}]\n{words}"


def joined(lines: Iterable[str]) -> str:
    return "\n".join(lines)
