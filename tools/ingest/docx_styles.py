"""Styles and numbering of a Word file: what is a heading, what is a list, and which number Word shows before it."""

import re
from dataclasses import dataclass, field
from typing import Any

from tools.ingest.list_numbers import formatted

W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
VAL = f"{W}val"
_MAX_INHERITANCE = 20
_LEVELS = 9


@dataclass(frozen=True, slots=True)
class Style:
    name: str = ""
    """In small letters; Word keeps the English names whatever its language."""
    outline: int | None = None
    """Outline level from 0, None for body text."""
    numbering: tuple[str, int | None] | None = None
    """Number id and level."""
    bold: bool = False


@dataclass(slots=True)
class _Level:
    format: str = "decimal"
    text: str = ""
    start: int = 1
    legal: bool = False
    """All numbers in it are decimal."""


class Styles:
    """Paragraph styles by id, with what they inherit (ECMA-376 part 1 §17.7)."""

    def __init__(self, root: Any) -> None:
        self._elements = (
            {} if root is None else {one.get(f"{W}styleId"): one for one in root.iter(f"{W}style")}
        )
        self._known: dict[str | None, Style] = {None: Style()}

    def named(self, style_id: str | None) -> Style:
        if style_id not in self._known:
            self._known[style_id] = self._resolved(style_id)
        return self._known[style_id]

    def _resolved(self, style_id: str | None) -> Style:
        chain: list[Any] = []
        element = self._elements.get(style_id)
        while element is not None and len(chain) < _MAX_INHERITANCE:
            chain.append(element)
            parent = element.find(f"{W}basedOn")
            element = self._elements.get(parent.get(VAL)) if parent is not None else None
        if not chain:
            return Style()
        own = chain[0].find(f"{W}name")
        return Style(
            name=(own.get(VAL, "") if own is not None else "").lower(),
            outline=_first(outline_of(one.find(f"{W}pPr")) for one in chain),
            numbering=_first(numbering_of(one.find(f"{W}pPr")) for one in chain),
            bold=bool(_first(on(one.find(f"{W}rPr/{W}b")) for one in chain)),
        )


def _first(values: Any) -> Any:
    return next((value for value in values if value is not None), None)


def on(node: Any) -> bool | None:
    """A property that is there without a value is on; None when it is not there."""
    return None if node is None else node.get(VAL, "1") not in ("0", "false", "off")


def outline_of(properties: Any) -> int | None:
    node = properties.find(f"{W}outlineLvl") if properties is not None else None
    return int(node.get(VAL, "9")) if node is not None else None


def numbering_of(properties: Any) -> tuple[str, int | None] | None:
    node = properties.find(f"{W}numPr") if properties is not None else None
    if node is None:
        return None
    number, level = node.find(f"{W}numId"), node.find(f"{W}ilvl")
    return (
        number.get(VAL, "0") if number is not None else "",
        int(level.get(VAL, "0")) if level is not None else None,
    )


@dataclass(slots=True)
class Numbering:
    """Counts the numbered paragraphs as they go by (§17.9)."""

    _levels: dict[str, list[_Level]] = field(default_factory=dict)
    """By number id."""
    _abstract: dict[str, str] = field(default_factory=dict)
    """Which list a number id counts in."""
    _restart: dict[str, dict[int, int]] = field(default_factory=dict)
    _by_style: dict[str, int] = field(default_factory=dict)
    """Level that a list ties to a style, by "number id, style id"."""
    _counts: dict[str, list[int | None]] = field(default_factory=dict)
    _begun: set[str] = field(default_factory=set)

    @classmethod
    def read(cls, root: Any) -> "Numbering":
        made = cls()
        if root is None:
            return made
        abstract = {one.get(f"{W}abstractNumId"): one for one in root.findall(f"{W}abstractNum")}
        for number in root.findall(f"{W}num"):
            link = number.find(f"{W}abstractNumId")
            if link is not None and link.get(VAL) in abstract:
                made._add(number, link.get(VAL), abstract[link.get(VAL)])
        return made

    def _add(self, number: Any, abstract_id: str, abstract: Any) -> None:
        number_id = number.get(f"{W}numId")
        levels = [_Level() for _ in range(_LEVELS)]
        restart: dict[int, int] = {}
        for node in (*abstract.findall(f"{W}lvl"), *number.findall(f"{W}lvlOverride/{W}lvl")):
            place = int(node.get(f"{W}ilvl", "0"))
            if 0 <= place < _LEVELS:
                levels[place] = _level(node)
                style = node.find(f"{W}pStyle")
                if style is not None:
                    self._by_style[f"{number_id} {style.get(VAL)}"] = place
        for node in number.findall(f"{W}lvlOverride"):
            start = node.find(f"{W}startOverride")
            if start is not None:
                restart[int(node.get(f"{W}ilvl", "0"))] = int(start.get(VAL, "1"))
        self._levels[number_id], self._abstract[number_id], self._restart[number_id] = (
            levels,
            abstract_id,
            restart,
        )

    def level_of_style(self, number_id: str, style_id: str | None) -> int:
        return self._by_style.get(f"{number_id} {style_id}", 0)

    def next_label(self, number_id: str, level: int) -> str | None:
        """What stands before the next paragraph of a list: "2.1", "(b)", "-" for a bullet; None for no list."""
        levels = self._levels.get(number_id)
        if levels is None:
            return None
        level = min(max(level, 0), _LEVELS - 1)
        if levels[level].format == "bullet":
            return "-"
        counts = self._counts.setdefault(self._abstract[number_id], [None] * _LEVELS)
        if number_id not in self._begun:
            self._begun.add(number_id)
            for place, start in self._restart[number_id].items():
                counts[place] = start - 1
        now = counts[level]
        counts[level] = levels[level].start if now is None else now + 1
        counts[level + 1 :] = [None] * (_LEVELS - level - 1)
        return self._label(levels, counts, level)

    def _label(self, levels: list[_Level], counts: list[int | None], level: int) -> str:
        def number(match: re.Match[str]) -> str:
            place = int(match.group(1)) - 1
            value = counts[place]
            value = levels[place].start if value is None else value
            return formatted(value, "decimal" if levels[level].legal else levels[place].format)

        return re.sub(r"%([1-9])", number, levels[level].text).strip()


def _level(node: Any) -> _Level:
    def value(name: str, default: str) -> str:
        found = node.find(f"{W}{name}")
        return default if found is None else found.get(VAL, default)

    return _Level(
        format=value("numFmt", "decimal"),
        text=value("lvlText", ""),
        start=int(value("start", "1")),
        legal=on(node.find(f"{W}isLgl")) or False,
    )
