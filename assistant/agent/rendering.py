"""Tool outputs as text for language models: short, and what comes from documents fenced as data."""

import json
import re
from typing import Any

from assistant.agent.citations import passages_of

MOST_CHARACTERS = 8000
FROM_DOCUMENTS = frozenset({"materials", "search", "conversations", "collections", "notes"})
"""Toolsets whose outputs hold words that someone else wrote."""

_FENCE = re.compile(r"<(?=/?\s*material\b)", re.IGNORECASE)


def render(toolset: str, artifact: dict[str, Any]) -> str:
    """The output as a model reads it. Passages must have their numbers already."""
    passages = passages_of(artifact)
    if passages or isinstance(artifact.get("hits"), list):
        return _search(artifact, passages)
    text = json.dumps(compact(artifact), ensure_ascii=False, separators=(",", ":"), default=str)
    if len(text) > MOST_CHARACTERS:
        text = text[:MOST_CHARACTERS] + " … (cut here: ask for less, or for the next page)"
    return fenced(text) if toolset in FROM_DOCUMENTS else text


def fenced(text: str) -> str:
    """Text between marks that the system prompt calls data; marks inside the text are made harmless."""
    return f"<material>{_FENCE.sub('‹', text)}</material>"


def compact(value: Any) -> Any:
    """The same value without nulls and empty containers."""
    if isinstance(value, dict):
        kept = {key: compact(item) for key, item in value.items()}
        return {key: item for key, item in kept.items() if item not in (None, [], {}, "")}
    if isinstance(value, list):
        return [compact(item) for item in value]
    return value


def _search(artifact: dict[str, Any], passages: list[dict[str, Any]]) -> str:
    lines = [fenced(_passage(passage)) for passage in passages] or ["No passage was found."]
    notice = artifact.get("notice")
    if isinstance(notice, str) and notice:
        lines.append(f"Note: {notice}")
    return "\n".join(lines)


def _passage(passage: dict[str, Any]) -> str:
    locator = passage["locator"] or {}
    title = str(locator.get("material_title") or "")
    label = str(passage.get("label") or "")
    headings = locator.get("heading_path") or []
    place = ", ".join(filter(None, [title, label]))
    if headings and str(headings[-1]) not in label:
        place = f"{place} › {headings[-1]}"
    # An opened passage comes with the page around it, which is why it was opened.
    text = str(passage.get("segment_text") or passage["text"])
    return f"[{passage['number']}] {place}: {text[:MOST_CHARACTERS]}"
