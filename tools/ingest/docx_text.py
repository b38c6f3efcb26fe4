"""What stands in a Word paragraph: its words as Word shows them, formulas, pictures, and where notes are called."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tools.ingest import latex
from tools.ingest.docx_styles import VAL, W, on
from tools.ingest.drawings import CHART_REFERENCE, DIAGRAM_REFERENCE
from tools.ingest.omml import DISPLAY, FORMULA, display_lines, to_latex
from tools.ingest.ooxml import COMPATIBILITY, DRAWING, RELATION_ID, chosen
from tools.ingest.pictures import Picture
from tools.ingest.superscripts import raised

P, TBL = f"{W}p", f"{W}tbl"
_VML = "{urn:schemas-microsoft-com:vml}"
_WP = "{http://schemas.openxmlformats.org/drawingml/2006/wordprocessingDrawing}"
_DIAGRAM_DATA = f"{RELATION_ID}dm"
_MAX_DEPTH = 100
_BLANK_TAGS = frozenset(
    f"{W}{name}"
    for name in (
        "pPr",
        "rPr",
        "del",
        "moveFrom",
        "instrText",
        "delText",
        "rt",
        "sdtPr",
        "softHyphen",
        "tblPr",
        "tcPr",
    )
)
"""Nothing that a reader sees: properties, deleted text of tracked changes, instructions of fields."""

# The Symbol font (Adobe, Unicode mapping symbol.txt): its letters are Greek, some of its signs mathematical.
_SYMBOL_LETTERS = dict(
    zip(
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ",
        "αβχδεφγηιϕκλμνοπθρστυϖωξψζΑΒΧ∆ΕΦΓΗΙϑΚΛΜΝΟΠΘΡΣΤΥςΩΞΨΖ",
        strict=True,
    )
)
_SYMBOL_SIGNS = {
    0xA3: "≤", 0xA5: "∞", 0xAC: "←", 0xAE: "→", 0xB0: "°", 0xB1: "±", 0xB3: "≥", 0xB4: "×", 0xB5: "∝", 0xB6: "∂", 0xB7: "•",
    0xB8: "÷", 0xB9: "≠", 0xBA: "≡", 0xBB: "≈", 0xC5: "⊕", 0xC7: "∩", 0xC8: "∪", 0xCE: "∈", 0xCF: "∉", 0xD1: "∇", 0xD2: "®",
    0xD5: "∏", 0xD6: "√", 0xD7: "⋅", 0xD8: "¬", 0xD9: "∧", 0xDA: "∨", 0xDB: "⇔", 0xDE: "⇒", 0xE5: "∑", 0xF2: "∫",
}  # fmt: skip


@dataclass(slots=True)
class Content:
    """What was found in one paragraph, or in one cell."""

    parts: list[str] = field(default_factory=list)
    formulas: list[tuple[int, str]] = field(default_factory=list)
    """Displayed formulas: before which of `parts` they stand, and their LaTeX."""
    inline_formulas: list[str] = field(default_factory=list)
    pictures: list[Picture] = field(default_factory=list)
    notes: list[tuple[str, str]] = field(default_factory=list)
    """Kind of note (footnote, endnote) and id, in the order they are called."""
    boxes: list[Any] = field(default_factory=list)
    """Contents of text boxes that are anchored here."""
    charts: list[str] = field(default_factory=list)
    """Relation ids."""
    diagrams: list[str] = field(default_factory=list)

    def text(self) -> str:
        return "".join(self.parts)


NoteMark = Callable[[str, str], str]
"""What is written where a note of that kind and id is called."""


class Inline:
    """Reads paragraphs of one part of the file."""

    def __init__(self, mark: NoteMark, picture_part: Callable[[str | None], str | None]) -> None:
        self._mark = mark
        self._picture_part = picture_part
        self._handlers: dict[str, Callable[[Any, Content, int], None]] = {
            f"{W}t": self._words,
            f"{W}tab": self._tab,
            f"{W}br": self._break,
            f"{W}cr": self._break,
            f"{W}noBreakHyphen": lambda node, content, depth: content.parts.append("-"),
            f"{W}sym": self._symbol,
            f"{W}r": self._run,
            f"{W}footnoteReference": self._note,
            f"{W}endnoteReference": self._note,
            f"{W}txbxContent": lambda node, content, depth: content.boxes.append(node),
            f"{COMPATIBILITY}AlternateContent": self._alternatives,
            f"{W}drawing": self._drawing,
            f"{_VML}imagedata": self._old_picture,
            FORMULA: self._formula,
            DISPLAY: self._display,
        }

    def read(self, node: Any, content: Content | None = None, depth: int = 0) -> Content:
        """The content of an element that holds runs. Raises nothing for unknown elements: their words count."""
        content = content or Content()
        if depth > _MAX_DEPTH:
            return content
        for child in node:
            handler = self._handlers.get(child.tag)
            if handler:
                handler(child, content, depth + 1)
            elif child.tag not in _BLANK_TAGS and isinstance(child.tag, str):
                self.read(child, content, depth + 1)
        return content

    def _words(self, node: Any, content: Content, depth: int) -> None:
        content.parts.append(node.text or "")

    def _tab(self, node: Any, content: Content, depth: int) -> None:
        content.parts.append("\t")

    def _break(self, node: Any, content: Content, depth: int) -> None:
        content.parts.append("\n")

    def _symbol(self, node: Any, content: Content, depth: int) -> None:
        code = int(node.get(f"{W}char", "0"), 16) & 0xFF
        if "symbol" in node.get(f"{W}font", "").lower():
            content.parts.append(_SYMBOL_SIGNS.get(code) or _SYMBOL_LETTERS.get(chr(code), chr(code)))
        elif "wingdings" in node.get(f"{W}font", "").lower():
            content.parts.append({0xE0: "→", 0xFC: "✓", 0xFB: "✗"}.get(code, "•"))

    def _run(self, node: Any, content: Content, depth: int) -> None:
        properties = node.find(f"{W}rPr")
        position = None
        if properties is not None:
            if on(properties.find(f"{W}vanish")):
                return
            position = properties.find(f"{W}vertAlign")
        before = len(content.parts)
        self.read(node, content, depth)
        if position is not None and position.get(VAL) == "superscript":
            content.parts[before:] = [raised(part) for part in content.parts[before:]]

    def _note(self, node: Any, content: Content, depth: int) -> None:
        kind, name = node.tag.removeprefix(W).removesuffix("Reference"), node.get(f"{W}id", "")
        content.parts.append(self._mark(kind, name))
        content.notes.append((kind, name))

    def _alternatives(self, node: Any, content: Content, depth: int) -> None:
        alternative = chosen(node)
        if alternative is not None:
            self.read(alternative, content, depth)

    def _drawing(self, node: Any, content: Content, depth: int) -> None:
        described = next(node.iter(f"{_WP}docPr"), None)
        alt = described.get("descr", "") if described is not None else ""
        for blip in node.iter(f"{DRAWING}blip"):
            self._add_picture(blip.get(f"{RELATION_ID}embed"), alt, content)
        content.charts += [one.get(f"{RELATION_ID}id") for one in node.iter(CHART_REFERENCE)]
        content.diagrams += [one.get(_DIAGRAM_DATA) for one in node.iter(DIAGRAM_REFERENCE)]
        content.boxes += list(node.iter(f"{W}txbxContent"))

    def _old_picture(self, node: Any, content: Content, depth: int) -> None:
        self._add_picture(node.get(f"{RELATION_ID}id"), node.getparent().get("alt", ""), content)

    def _add_picture(self, relation_id: str | None, alt: str, content: Content) -> None:
        part = self._picture_part(relation_id)
        if part:
            content.pictures.append(Picture(part, alt))

    def _formula(self, node: Any, content: Content, depth: int) -> None:
        made = to_latex(node)
        content.parts.append(latex.inline(made))
        content.inline_formulas.append(made)

    def _display(self, node: Any, content: Content, depth: int) -> None:
        content.formulas += [(len(content.parts), made) for made in display_lines(node)]
