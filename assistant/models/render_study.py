"""Results of the tools for notes and assignments as readable Markdown."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from tools.markdown import escaped

MOST_SOURCES = 40
MOST_ITEMS = 50


def made_notes(artifact: dict[str, Any]) -> str:
    """Notes that a job makes."""
    title, message = flat(artifact.get("title")), flat(artifact.get("message"))
    return f"{message} You find them under your notes as **{title}**; ask me to “open the note {title}” at any time."


def note(artifact: dict[str, Any]) -> str:
    """A note with its sources. Its text is the student's own Markdown."""
    blocks = [f"**{flat(artifact.get('title'))}**"]
    making = artifact.get("making")
    if isinstance(making, dict):
        blocks.append(f"_{_state(making)}_")
    blocks.append(str(artifact.get("text") or "").strip() or "There is no text in this note yet.")
    sources = [s for s in artifact.get("sources") or [] if isinstance(s, dict)]
    if sources:
        lines = [f"- [{s.get('number')}] {_place(s)}" for s in sources[:MOST_SOURCES]]
        more = [f"- … and {len(sources) - MOST_SOURCES} more"] if len(sources) > MOST_SOURCES else []
        blocks.append("\n".join(["Sources:", "", *lines, *more]))
    return "\n\n".join(blocks)


def _place(source: dict[str, Any]) -> str:
    title = (source.get("locator") or {}).get("material_title")
    return ", ".join(filter(None, [f"*{flat(title)}*" if title else "", flat(source.get("label"))]))


def _state(making: dict[str, Any]) -> str:
    done, total = making.get("done") or 0, making.get("total")
    part = f"{done} of {total} parts are there" if total else "nothing is there yet"
    said = {
        "queued": "Waiting to be made",
        "running": "Being made",
        "failed": "Could not be finished",
        "cancelled": "Stopped",
    }.get(str(making.get("status")), "Unfinished")
    reason = making.get("message") if making.get("status") in ("queued", "failed") else None
    return f"{said}: {part}." + (f" {flat(reason)}" if reason else "")


def note_list(artifact: dict[str, Any]) -> str:
    items = [i for i in artifact.get("items") or [] if isinstance(i, dict)]
    if not items:
        return "There are no such notes. Say “make notes from …” with the name of a material, or “add this note: …”."
    total = artifact.get("total") or len(items)
    lines = [_note_line(item) for item in items[:MOST_ITEMS]]
    more = [f"\n… and {total - len(lines)} more."] if total > len(lines) else []
    return "\n".join([f"You have {total} note{'' if total == 1 else 's'}:", "", *lines, *more])


def _note_line(item: dict[str, Any]) -> str:
    kind = "" if item.get("type") in (None, "note") else f", {flat(item['type'])}"
    tags = "".join(f" #{flat(tag)}" for tag in item.get("tags") or [])
    making = item.get("making")
    state = f", {_state(making).rstrip('.').lower()}" if isinstance(making, dict) else ""
    return f"- **{flat(item.get('title'))}**{kind}{state}{tags}"


def assignment_list(artifact: dict[str, Any]) -> str:
    items = [i for i in artifact.get("items") or [] if isinstance(i, dict)]
    if not items:
        return "Nothing is due."
    today = _moment(artifact.get("today"))
    total = artifact.get("total") or len(items)
    lines = [_assignment_line(item, today) for item in items[:MOST_ITEMS]]
    more = [f"\n… and {total - len(lines)} more."] if total > len(lines) else []
    return "\n".join([f"{total} assignment{'' if total == 1 else 's'}:", "", *lines, *more])


def assignment(artifact: dict[str, Any]) -> str:
    """One that was noted or changed."""
    return f"Noted: {_assignment_line(artifact, None).removeprefix('- ')}."


def _assignment_line(item: dict[str, Any], today: datetime | None) -> str:
    parts = [f"**{flat(item.get('title'))}**"]
    if item.get("class_name"):
        parts[0] += f" in {flat(item['class_name'])}"
    due = _moment(item.get("due_at"))
    if due:
        parts.append(f"due {_when(due, today)}")
    if item.get("overdue"):
        parts.append("**overdue**")
    if item.get("status") != "pending":
        parts.append(str(item.get("status")).replace("_", " "))
    return "- " + ", ".join(parts)


def _moment(text: object) -> datetime | None:
    try:
        return datetime.fromisoformat(text) if isinstance(text, str) else None
    except ValueError:
        return None


def _when(due: datetime, today: datetime | None) -> str:
    """ "tomorrow", "Friday 27 November at 17:00"; the end of a day is the day."""
    clock = "" if (due.hour, due.minute) == (23, 59) else f" at {due:%H:%M}"
    days = (due.date() - today.date()).days if today else None
    near = {0: "today", 1: "tomorrow", -1: "yesterday"}.get(days) if days is not None else None
    year = f" {due.year}" if today and due.year != today.year else ""
    return f"{near or f'{due:%A} {due.day} {due:%B}{year}'}{clock}"


def flat(value: object) -> str:
    """One line of Markdown in which nothing is taken for a mark; empty for nothing."""
    return escaped(" ".join(str(value or "").split()))


RENDERERS: dict[str, Callable[[dict[str, Any]], str]] = {
    "make_notes": made_notes,
    "get_note": note,
    "list_notes": note_list,
    "list_assignments": assignment_list,
    "create_assignment": assignment,
    "update_assignment": assignment,
}
