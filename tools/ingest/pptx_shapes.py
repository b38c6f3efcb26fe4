"""What stands on a PowerPoint slide: its shapes in reading order, and their text with bullets, tables and formulas."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from tools.ingest import latex
from tools.ingest.cleaning import one_line
from tools.ingest.grid import Cell, table
from tools.ingest.list_numbers import formatted
from tools.ingest.omml import DISPLAY, FORMULA, to_latex
from tools.ingest.ooxml import COMPATIBILITY, DRAWING, chosen
from tools.ingest.sections import Paragraph
from tools.ingest.segments import ContentType
from tools.ingest.superscripts import raised

P = "{http://schemas.openxmlformats.org/presentationml/2006/main}"
TITLES = ("title", "ctrTitle")
FURNITURE = ("dt", "ftr", "sldNum", "hdr")
_ROW = 360_000
"""Shapes whose tops differ by less than this (EMU, 1 cm) stand in one row and are read from the left."""
_NUMBERED = {
    "arabic": "decimal",
    "alphaLc": "lowerLetter",
    "alphaUc": "upperLetter",
    "romanLc": "lowerRoman",
    "romanUc": "upperRoman",
}
_MAX_DEPTH = 20


@dataclass(frozen=True, slots=True)
class Place:
    """Upper left corner and size, in EMU."""

    x: int = 0
    y: int = 0
    width: int = 0
    height: int = 0


Places = dict[tuple[str, str], Place]
"""Where a layout puts its placeholders, by type and index."""


@dataclass(frozen=True, slots=True)
class Shape:
    node: Any
    placeholder: str | None
    """Type of the placeholder, None where it is none."""
    place: Place


def shapes_of(tree: Any, inherited: Places, depth: int = 0) -> list[Shape]:
    """Shapes below a shape tree or group from top to bottom, those in one row from the left; groups stay together."""
    found: list[Shape] = []
    for node in _drawn(tree):
        held = node.find(f"*/{P}nvPr/{P}ph")
        kind = held.get("type", "obj") if held is not None else None
        key = (kind or "", held.get("idx", "0") if held is not None else "")
        place = _place(node) or inherited.get(key) or inherited.get((key[0], "")) or Place()
        if kind not in FURNITURE:
            found.append(Shape(node, kind, place))
    found.sort(key=lambda shape: (shape.place.y // _ROW, shape.place.x))
    if depth > _MAX_DEPTH:
        return found
    return [
        part
        for shape in found
        for part in (shapes_of(shape.node, {}, depth + 1) if shape.node.tag == f"{P}grpSp" else [shape])
    ]


def placeholders(tree: Any) -> Places:
    """Where a layout or master puts its placeholders; by type alone too, for those whose index differs."""
    found: Places = {}
    for node in _drawn(tree):
        held, place = node.find(f"*/{P}nvPr/{P}ph"), _place(node)
        if held is not None and place is not None:
            kind = held.get("type", "obj")
            found[kind, held.get("idx", "0")] = place
            found.setdefault((kind, ""), place)
    return found


def _drawn(tree: Any) -> Iterator[Any]:
    for node in tree:
        if node.tag == f"{COMPATIBILITY}AlternateContent":
            alternative = chosen(node)
            if alternative is not None:
                yield from _drawn(alternative)
        elif node.tag in _SHAPES:
            yield node


_SHAPES = frozenset(f"{P}{name}" for name in ("sp", "grpSp", "graphicFrame", "pic"))


def _place(node: Any) -> Place | None:
    for path in (f"{P}spPr/{DRAWING}xfrm", f"{P}grpSpPr/{DRAWING}xfrm", f"{P}xfrm"):
        frame = node.find(path)
        offset = frame.find(f"{DRAWING}off") if frame is not None else None
        if offset is not None:
            size = frame.find(f"{DRAWING}ext")
            width, height = (size.get("cx", "0"), size.get("cy", "0")) if size is not None else ("0", "0")
            return Place(
                *(int(float(value)) for value in (offset.get("x", "0"), offset.get("y", "0"), width, height))
            )
    return None


def text_of(body: Any) -> str:
    """All words of a text body on one line."""
    return one_line(" ".join(_line(line)[0] for line in body.iter(f"{DRAWING}p")))


def body_paragraphs(body: Any, bulleted: bool) -> Iterator[Paragraph]:
    """Lines of a text body. `bulleted`: they are bullets unless they say otherwise, as in the body of a layout."""
    lines = [(line, *_line(line)) for line in body.iterfind(f"{DRAWING}p")]
    lines = [one for one in lines if one[1].strip()]
    counts: dict[int, int] = {}
    for line, text, formula in lines:
        properties = line.find(f"{DRAWING}pPr")
        level = int(properties.get("lvl", "0")) if properties is not None else 0
        mark = _mark(properties, bulleted and len(lines) > 1, level, counts)
        if mark:
            yield Paragraph(ContentType.LIST, f"{'  ' * level}{mark} {text}", verbatim=True)
        elif formula:
            yield Paragraph(ContentType.FORMULA, latex.display(formula), verbatim=True)
        else:
            yield Paragraph(ContentType.TEXT, text)


def _mark(properties: Any, bulleted: bool, level: int, counts: dict[int, int]) -> str | None:
    """What stands before a line: "-" for a bullet, its number in a numbered list, None for neither."""
    numbered = properties.find(f"{DRAWING}buAutoNum") if properties is not None else None
    for deeper in [known for known in counts if known > level]:
        del counts[deeper]
    if numbered is None:
        counts.pop(level, None)
        if properties is None:
            return "-" if bulleted else None
        if properties.find(f"{DRAWING}buChar") is not None or properties.find(f"{DRAWING}buBlip") is not None:
            return "-"
        return "-" if bulleted and properties.find(f"{DRAWING}buNone") is None else None
    counts[level] = counts.get(level, int(numbered.get("startAt", "1")) - 1) + 1
    kind = numbered.get("type", "arabicPeriod")
    style = next((style for start, style in _NUMBERED.items() if kind.startswith(start)), "decimal")
    number = formatted(counts[level], style)
    return (
        f"({number})" if kind.endswith("Both") else f"{number})" if kind.endswith("ParenR") else f"{number}."
    )


def _line(paragraph: Any) -> tuple[str, str]:
    """Words of a paragraph on one line, and its formula where that is all there is in it."""
    parts: list[str] = []
    formulas: list[str] = []
    _collect(paragraph, parts, formulas, 0)
    text = one_line("".join(parts))
    alone = len(formulas) == 1 and text == latex.inline(formulas[0]) and text.startswith("$")
    return text, formulas[0] if alone else ""


def _collect(node: Any, parts: list[str], formulas: list[str], depth: int) -> None:
    for child in node:
        if child.tag == f"{DRAWING}t":
            parts.append(child.text or "")
        elif child.tag == f"{DRAWING}br":
            parts.append(" ")
        elif child.tag in (FORMULA, DISPLAY):
            for formula in [child] if child.tag == FORMULA else child.iter(FORMULA):
                formulas.append(to_latex(formula))
                parts.append(latex.inline(formulas[-1]))
        elif child.tag == f"{DRAWING}r":
            properties = child.find(f"{DRAWING}rPr")
            words = child.findtext(f"{DRAWING}t") or ""
            above = properties is not None and int(properties.get("baseline", "0").rstrip("%") or 0) > 0
            parts.append(raised(words) if above else words)
        elif child.tag == f"{COMPATIBILITY}AlternateContent":
            alternative = chosen(child)
            if alternative is not None:
                _collect(alternative, parts, formulas, depth + 1)
        elif depth < _MAX_DEPTH and isinstance(child.tag, str) and not child.tag.endswith("Pr"):
            _collect(child, parts, formulas, depth + 1)


def table_paragraphs(node: Any) -> Iterator[Paragraph]:
    """The table of a graphic frame."""
    return table(
        [_cell(cell) for cell in row.iterfind(f"{DRAWING}tc") if cell.get("hMerge") not in ("1", "true")]
        for row in node.iterfind(f"{DRAWING}tr")
    )


def _cell(cell: Any) -> Cell:
    body = cell.find(f"{DRAWING}txBody")
    return Cell(
        text_of(body) if body is not None else "",
        width=min(200, int(cell.get("gridSpan", "1"))),
        above=cell.get("vMerge") in ("1", "true"),
    )
