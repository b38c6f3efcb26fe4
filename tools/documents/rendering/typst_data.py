"""A page as the data that the template `document.typ` sets. Pure."""

import re
from collections.abc import Sequence
from dataclasses import replace
from itertools import groupby
from typing import Any

from tools.documents.maths.inline import Code, Math, Plain
from tools.documents.maths.tree import bare
from tools.documents.maths.typst import listed
from tools.documents.rendering.blocks import (
    Block,
    Bullets,
    Display,
    Grid,
    Heading,
    Mark,
    NameLine,
    Page,
    PageBreak,
    Paragraph,
    Part,
    Parts,
    Question,
    Source,
    Sources,
)

_PRINTED = re.compile(r" \(printed [^)]*\)$")


def data_of(page: Page, language: str = "en") -> dict[str, Any]:
    known = {one.number for block in page.blocks if isinstance(block, Sources) for one in block.items}
    return {
        "title": bare(page.title),
        "subtitle": bare(page.subtitle),
        "lang": language,
        "paper": page.paper,
        "columns": page.columns,
        "size": page.size,
        "compact": page.is_compact,
        "blocks": [_block(block, known) for block in page.blocks],
    }


def _block(block: Block, known: set[int]) -> dict[str, Any]:
    match block:
        case Heading(level, parts, note):
            return {"kind": "heading", "level": level, "parts": _parts(parts, known), "note": bare(note)}
        case Paragraph(parts, style):
            return {"kind": "paragraph", "parts": _parts(parts, known), "style": style}
        case Bullets(items, is_numbered):
            return {
                "kind": "bullets",
                "items": [_parts(one, known) for one in items],
                "numbered": is_numbered,
            }
        case Display():
            return _display(block, known)
        case Grid(rows, caption):
            cells = [[_parts(cell, known) for cell in row] for row in rows] or [[]]
            return {"kind": "grid", "rows": cells, "caption": _parts(caption, known)}
        case Question():
            return _question(block, known)
        case NameLine(points):
            return {"kind": "name", "points": points}
        case PageBreak():
            return {"kind": "break"}
        case Sources(items):
            return {
                "kind": "sources",
                "items": [
                    {"number": one.number, "title": bare(one.title), "place": bare(one.place), "url": one.url}
                    for one in items
                ],
                "grouped": _grouped(items),
            }


def _parts(parts: Parts, known: set[int]) -> list[list[Any]]:
    return [_part(part) for part in parts if not isinstance(part, Mark) or part.number in known]


def _part(part: Part) -> list[Any]:
    match part:
        case Plain(text, is_bold):
            return ["text", bare(text), is_bold]
        case Math(node, _, _):
            return ["math", listed(node)]
        case Code(text):
            return ["code", bare(text)]
        case Mark(number):
            return ["mark", number]


def _display(block: Display, known: set[int]) -> dict[str, Any]:
    return {
        "kind": "display",
        "formula": _part(block.formula),
        "about": _parts(block.about, known),
        "label": bare(block.label),
        "marks": [one.number for one in block.marks if one.number in known],
    }


def _question(block: Question, known: set[int]) -> dict[str, Any]:
    return {
        "kind": "question",
        "number": bare(block.number),
        "parts": _parts(block.parts, known),
        "points": block.points,
        "options": [[bare(letter), _parts(parts, known)] for letter, parts in block.options],
        "right": [[bare(letter), _parts(parts, known)] for letter, parts in block.right],
        "box": block.box,
        "lines": block.lines,
    }


def _grouped(items: Sequence[Source]) -> list[list[Any]]:
    """[title, [[place, numbers, url], …]]: sources on the same page share a place, to save room."""
    made: list[list[Any]] = []
    for title, of_title in groupby(sorted(items, key=lambda one: one.title), key=lambda one: one.title):
        places: dict[str, Source] = {}
        numbers: dict[str, list[int]] = {}
        for one in of_title:
            places.setdefault(one.place, one)
            numbers.setdefault(one.place, []).append(one.number)
        rows = [
            [bare(short(place)), f"[{_ranges(sorted(numbers[place]))}]", one.url]
            for place, one in places.items()
        ]
        made.append([bare(title), rows])
    return made


def short(place: str) -> str:
    bare_place = _PRINTED.sub("", place)
    return bare_place.replace("page ", "p. ", 1) if bare_place.startswith("page ") else bare_place


def _ranges(numbers: list[int]) -> str:
    """1–3, 7"""
    runs: list[list[int]] = []
    for n in numbers:
        if runs and n == runs[-1][-1] + 1:
            runs[-1].append(n)
        else:
            runs.append([n])
    return ", ".join(str(r[0]) if len(r) == 1 else f"{r[0]}–{r[-1]}" for r in runs)


def without_formulas(page: Page) -> Page:
    """Formulas as their sources, for a page whose formulas could not be set."""

    def plainly(parts: Parts) -> Parts:
        return [Code(part.source) if isinstance(part, Math) else part for part in parts]

    def changed(block: Block) -> Block:
        match block:
            case Heading() | Paragraph():
                return replace(block, parts=plainly(block.parts))
            case Bullets():
                return replace(block, items=[plainly(one) for one in block.items])
            case Display():
                formula = block.formula
                bare_one = Code(formula.source) if isinstance(formula, Math) else formula
                return replace(block, formula=bare_one, about=plainly(block.about))
            case Grid():
                rows = [[plainly(cell) for cell in row] for row in block.rows]
                return replace(block, rows=rows, caption=plainly(block.caption))
            case Question():
                options = [(letter, plainly(parts)) for letter, parts in block.options]
                right = [(letter, plainly(parts)) for letter, parts in block.right]
                return replace(block, parts=plainly(block.parts), options=options, right=right)
            case _:
                return block

    return replace(page, blocks=[changed(block) for block in page.blocks])
