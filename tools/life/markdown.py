"""A person's things as Markdown, for the copy of their data."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

SPEAKERS = {"user": "You", "assistant": "Lyceum"}

README = """# Your data in Lyceum

This is a copy of everything that Lyceum keeps about {name}, made on {day}.

| where | what |
|---|---|
| `classes/` | a folder for each class: `files/` as you uploaded them, `texts/` as they were read, `notes/`, `documents/` |
| `conversations/` | what you asked and what was answered, with the passages that the answers cite |
| `other files/` | files that belong to no material |
| `data/` | every table with your rows, as JSON: an array with a row a line |
| `manifest.json` | the SHA-256 checksum and the size of every file in this archive |

What you deleted less than 30 days ago is still here; its folder or its row says so (`deleted_at`).
Left out are secrets (passwords, keys and tokens are only kept as hashes, which are of no use to you) and the search index,
which is made from the texts. Times are in UTC.

## The tables

{tables}
"""


def readme(name: str, now: datetime, tables: Mapping[str, list[str]]) -> str:
    listed = "\n".join(f"- `data/{table}.json`: {', '.join(columns)}" for table, columns in tables.items())
    return README.format(name=name, day=f"{now:%d %B %Y}", tables=listed)


def segment_text(row: Mapping[str, Any]) -> str:
    """A page, slide, section or span of a recording, under a heading that says which."""
    place = f"{row['kind'].capitalize()} {row['number']}"
    if row["t_start"] is not None:
        place = f"{int(row['t_start']) // 60}:{int(row['t_start']) % 60:02d}"
    elif row["kind"] == "section" and row["heading_path"]:
        place = " › ".join(row["heading_path"])
    return f"\n## {place}\n\n{row['text']}\n"


def note_text(row: Mapping[str, Any]) -> str:
    tags = f"\n{' '.join(f'#{tag}' for tag in row['tags'])}\n" if row["tags"] else ""
    return f"# {row['title']}\n\n{_when(row['created_at'])}\n{tags}\n{row['text']}\n"


def document_text(row: Mapping[str, Any]) -> str:
    head = f"# {row['title']}\n\n{row['kind'].replace('_', ' ').capitalize()}, version {row['version']}, {_when(row['created_at'])}\n"
    return f"{head}\n{row['text']}\n{_sources(row['citations'])}"


def conversation_head(row: Mapping[str, Any]) -> str:
    return f"# {row['title']}\n\n{_when(row['created_at'])}\n"


def message_text(row: Mapping[str, Any]) -> str:
    """What was said, by whom, and the passages it cites; nothing for a message of a tool, which `data/messages.json` has."""
    speaker = SPEAKERS.get(row["role"])
    if speaker is None or not row["text"].strip():
        return ""
    broken = "" if row["status"] == "complete" else f" ({row['status']})"
    return (
        f"\n**{speaker}**, {_when(row['created_at'])}{broken}\n\n{row['text']}\n{_sources(row['citations'])}"
    )


def _sources(citations: list[dict[str, Any]]) -> str:
    lines = [_source(citation) for citation in citations]
    return "\n" + "\n".join(lines) + "\n" if lines else ""


def _source(citation: Mapping[str, Any]) -> str:
    """`> [1] Title, page 57: “quote”`"""
    title = (citation.get("locator") or {}).get("material_title", "")
    place = ", ".join(filter(None, (title, citation.get("label"))))
    return f"> [{citation.get('number', '')}] {place}: “{citation.get('quote', '')}”"


def _when(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M}"
