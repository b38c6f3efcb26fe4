"""Where each part of the five source designs went: docs/designs/*.toml as the tables of the page.

A file has `name`, `order` and `about`, and one TOML table for each kind of part. A kind that has groups (a table with
its columns, a key with its fields) has a TOML table for each group: `home` says where the group went, `same` lists
members that have the same name there, every other key is a member with its own home. The text of a home is the
Markdown of its cell; whatever stands in `backticks` exists here, and a test looks it up. What has no home says why,
beginning with LEFT_OUT or NOT_YET.
"""

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

DESIGNS = "designs"
LEFT_OUT = "Left out:"
NOT_YET = "Not yet:"
HEAD = {"name", "order", "about"}
HEADINGS = {"indexes", "values"}
"""Kinds whose groups are only headings for their members, not facts of their own."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One fact of a design and its home. `member` is None for a fact without a group, and for the group itself."""

    kind: str
    group: str
    member: str | None
    home: str
    same: bool = False


@dataclass(frozen=True, slots=True)
class Design:
    key: str
    name: str
    order: int
    about: str
    entries: tuple[Entry, ...]


def read_designs(folder: Path) -> list[Design]:
    """All designs in their order."""
    return sorted((_read(path) for path in folder.glob("*.toml")), key=lambda design: design.order)


def _read(path: Path) -> Design:
    parsed = tomllib.loads(path.read_text(encoding="utf-8"))
    entries = [entry for kind, parts in parsed.items() if kind not in HEAD for entry in _entries(kind, parts)]
    return Design(path.stem, parsed["name"], parsed["order"], parsed["about"], tuple(entries))


def _entries(kind: str, parts: dict[str, Any]) -> Iterator[Entry]:
    for group, home in parts.items():
        if isinstance(home, str):
            yield Entry(kind, group, None, home)
            continue
        if "home" in home:
            yield Entry(kind, group, None, home["home"])
        for member in home.get("same", []):
            yield Entry(kind, group, member, _same(home["home"], member), same=True)
        for member, text in home.items():
            if member not in ("home", "same"):
                yield Entry(kind, group, member, text)


def _same(home: str, member: str) -> str:
    """`table` → `table.member`: a member keeps its name in the first place that the group's home names."""
    return f"`{home.split('`')[1]}.{member}`"


def design_sections(folder: Path) -> str:
    return "\n\n".join(_section(design) for design in read_designs(folder))


def _section(design: Design) -> str:
    kinds = {kind: list(run) for kind, run in groupby(design.entries, key=lambda entry: entry.kind)}
    parts = [_kind(kind, entries) for kind, entries in kinds.items()]
    return "\n\n".join((f"### {design.name}", f"{design.about} {_count(design)}", *parts))


def _count(design: Design) -> str:
    homes = [entry.home for entry in design.entries]
    out = sum(home.startswith(LEFT_OUT) for home in homes)
    later = sum(home.startswith(NOT_YET) for home in homes)
    return (
        f"{len(homes)} facts: {len(homes) - out - later} have a home, {out} are left out, {later} come later."
    )


def _kind(kind: str, entries: list[Entry]) -> str:
    """One Markdown table; all but the tables of a design are folded away."""
    title = kind.replace("_", " ").capitalize()
    lines = [f"| {title} | here |", "|---|---|", *_rows(entries)]
    if kind != "tables":
        lines = [f"<details><summary>{title} ({len(entries)})</summary>", "", *lines, "", "</details>"]
    return "\n".join(lines)


def _rows(entries: list[Entry]) -> Iterator[str]:
    """One row for neighbours that went to the same place."""
    heading = ""
    for (group, same, home), run in groupby(entries, key=_place):
        members = list(run)
        if members[0].kind in HEADINGS and group != heading:
            heading = group
            yield f"| `{group}` | |"
        names = ", ".join(f"`{entry.member or entry.group}`" for entry in members)
        yield f"| {'· ' if group else ''}{names} | {'same names' if same else home} |"


def _place(entry: Entry) -> tuple[str, bool, str]:
    """What neighbours must share to stand in one row."""
    return entry.group if entry.member else "", entry.same, "" if entry.same else entry.home
