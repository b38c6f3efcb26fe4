"""Word documents as sections by heading: paragraphs, numbered lists, tables, formulas, notes, boxes and pictures."""

import re
from collections.abc import Iterator
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import Any

from lxml import etree

from tools.ingest import latex
from tools.ingest.cleaning import one_line
from tools.ingest.docx_styles import VAL, Numbering, Style, Styles, W, numbering_of, on, outline_of
from tools.ingest.docx_text import TBL, Content, Inline, P
from tools.ingest.drawings import chart, diagram
from tools.ingest.grid import Cell, table
from tools.ingest.list_numbers import roman
from tools.ingest.ooxml import ERRORS, MACROS, Package
from tools.ingest.sections import Paragraph, Sectioned
from tools.ingest.segments import ContentType, DocumentInfo, Reading, Refusal, SegmentKind
from tools.ingest.sniff import DOCX_TYPE

_TR, _TC, _SDT = f"{W}tr", f"{W}tc", f"{W}sdt"
_HEADING = re.compile(r"heading (\d)")
_EQUATION_NUMBER = re.compile(r"\s*#?\s*\(?\s*([A-Z]?\d{1,3}(?:[.\-]\d{1,3})*[a-z]?)\s*\)?\s*")
_MAX_HEADING = 200
_BOLD_HEADING = 80
_MAX_DEPTH = 12
_Notes = list[tuple[str, str]]


class DocxExtractor(Sectioned):
    what = "Word document"
    errors = ERRORS

    def __init__(self, path: Path, reading: Reading | None = None) -> None:
        self.threads = (reading or Reading()).threads
        try:
            self._package = Package(path)
            self._part = self._package.main
            if self._part not in self._package:
                raise KeyError(self._part)
            self._styles = Styles(self._related_tree("styles"))
            properties = self._package.properties()
        except ERRORS as error:
            raise Refusal(
                "corrupt",
                "This Word document is damaged and cannot be read. Open it, save it again and upload that.",
            ) from error
        self.info = DocumentInfo(
            DOCX_TYPE,
            SegmentKind.SECTION,
            None,
            properties.get("title"),
            properties.get("language"),
            properties.get("creator"),
            notice=MACROS if self._package.has_macros else None,
        )

    def close(self) -> None:
        self._package.close()

    def paragraphs(self) -> Iterator[Paragraph]:
        return _Reader(self._package, self._part, self._styles, self._related_tree).paragraphs()

    def picture(self, source: str) -> bytes | None:
        return self._package.blob(source)

    def _related_tree(self, kind: str) -> Any:
        """The root of the numbering, notes and so on; None where the document has none."""
        name = self._package.related(self._part, kind)
        return self._package.tree(name) if name else None


class _Reader:
    """One pass over the document. Numbers of lists and notes count as the paragraphs go by."""

    def __init__(self, package: Package, part: str, styles: Styles, related: Any) -> None:
        self._package, self._part, self._styles = package, part, styles
        self._numbering = Numbering.read(related("numbering"))
        self._notes = {
            (kind, note.get(f"{W}id")): note
            for kind in ("footnote", "endnote")
            for root in [related(f"{kind}s")]
            if root is not None
            for note in root.iter(f"{W}{kind}")
        }
        self._marks: dict[tuple[str, str], str] = {}
        self._waiting: _Notes = []
        self._inline = Inline(self._mark, lambda relation_id: package.target(part, relation_id))
        self._note_inline = Inline(lambda kind, name: "", lambda relation_id: None)

    def paragraphs(self) -> Iterator[Paragraph]:
        with self._package.open(self._part) as stream:
            nodes = _top_level(stream)
            for node in nodes:
                if node is None:
                    continue
                found = self._streamed_table(node, nodes) if node.tag == _TR else self._paragraph(node)
                yield from self._with_notes(found)
        yield from self._told(self._waiting)

    # --- notes

    def _with_notes(self, paragraphs: Iterator[Paragraph]) -> Iterator[Paragraph]:
        """Notes stand below the paragraph, table or whole list that calls them."""
        before, self._waiting = self._waiting, []
        for paragraph in paragraphs:
            if paragraph.type is ContentType.LIST:
                yield paragraph
                continue
            yield from self._told(before)
            yield paragraph
            yield from self._told(self._waiting)
        self._waiting = [*before, *self._waiting]

    def _told(self, waiting: _Notes) -> Iterator[Paragraph]:
        for key in waiting:
            text = one_line(" ".join(self._note_inline.read(p).text() for p in self._notes[key].iter(P)))
            if text:
                yield Paragraph(ContentType.TEXT, f"[{self._marks[key]}] {text}")
        waiting.clear()

    def _mark(self, kind: str, name: str) -> str:
        if (kind, name) not in self._notes:
            return ""
        if (kind, name) not in self._marks:
            number = 1 + sum(known == kind for known, _ in self._marks)
            self._marks[kind, name] = f"note {number if kind == 'footnote' else roman(number)}"
            self._waiting.append((kind, name))
        return f" [{self._marks[kind, name]}]"

    # --- paragraphs

    def _paragraph(self, node: Any, depth: int = 0) -> Iterator[Paragraph]:
        content = self._inline.read(node)
        properties = node.find(f"{W}pPr")
        link = properties.find(f"{W}pStyle") if properties is not None else None
        style_id = link.get(VAL) if link is not None else None
        style = self._styles.named(style_id)
        if style.name.startswith("toc ") or style.name == "table of figures":
            return
        typed = self._typed(node, properties, style_id, style, content)
        for paragraph in typed:
            yield replace(paragraph, pictures=tuple(content.pictures))
            content.pictures = []
        if content.pictures:
            yield Paragraph(ContentType.TEXT, "", pictures=tuple(content.pictures))
        yield from self._drawn(content, depth)

    def _drawn(self, content: Content, depth: int) -> Iterator[Paragraph]:
        """Charts, diagrams and text boxes that are anchored in a paragraph."""
        for draw, relation_ids in ((chart, content.charts), (diagram, content.diagrams)):
            for relation_id in relation_ids:
                name = self._package.target(self._part, relation_id)
                if name:
                    yield from draw(self._package.tree(name))
        if depth < _MAX_DEPTH:
            for box in content.boxes:
                yield from self._blocks(box, depth + 1)

    def _typed(
        self, node: Any, properties: Any, style_id: str | None, style: Style, content: Content
    ) -> Iterator[Paragraph]:
        text = content.text()
        label = self._label(properties, style_id, style) if text.strip() else None
        level = self._heading_level(node, properties, style, text)
        if level:
            numbered = f"{label} {text}" if label and label != "-" else text
            yield Paragraph(ContentType.HEADING, numbered, level)
        elif style.name == "caption":
            yield Paragraph(ContentType.CAPTION, text)
        elif content.formulas or content.inline_formulas:
            yield from self._with_formulas(content, label, properties, style)
        elif label is not None or (style.name.startswith("list") and text.strip()):
            yield self._item(text, label or "-", self._list_level(properties, style))
        elif text.strip():
            yield Paragraph(ContentType.TEXT, text)

    def _item(self, text: str, label: str, level: int) -> Paragraph:
        return Paragraph(ContentType.LIST, f"{'  ' * level}{label} {one_line(text)}", verbatim=True)

    def _with_formulas(
        self, content: Content, label: str | None, properties: Any, style: Style
    ) -> Iterator[Paragraph]:
        """A formula that stands alone, perhaps with its number, is a block of its own."""
        words = content.text()
        if not content.formulas and len(content.inline_formulas) == 1 and label is None:
            made = latex.inline(content.inline_formulas[0])
            number = _EQUATION_NUMBER.fullmatch(words.replace(made, "", 1))
            if made.startswith("$") and (number or not words.replace(made, "", 1).strip(" \t\n.,;")):
                yield _formula(content.inline_formulas[0], number.group(1) if number else None)
                return
        place = 0
        for before, made in [*content.formulas, (len(content.parts), "")]:
            text = "".join(content.parts[place:before])
            if text.strip() and label is not None:
                yield self._item(text, label, self._list_level(properties, style))
            elif text.strip():
                yield Paragraph(ContentType.TEXT, text)
            if made.strip():
                yield _formula(made, None)
            place = before

    def _heading_level(self, node: Any, properties: Any, style: Style, text: str) -> int | None:
        heading = _HEADING.match(style.name)
        if heading:
            return int(heading.group(1))
        if style.name == "title":
            return 1
        if len(text) > _MAX_HEADING or not text.strip():
            return None
        outline = outline_of(properties)
        outline = style.outline if outline is None else outline
        if outline is not None and outline < 9:
            return outline + 1
        return 6 if self._is_bold_line(node, properties, style, text) else None

    def _is_bold_line(self, node: Any, properties: Any, style: Style, text: str) -> bool:
        """A short line all in bold between paragraphs of body text is what many use for a heading."""
        line = text.strip()
        if (
            len(line) > _BOLD_HEADING
            or line[-1] in ".,;:!?"
            or not line[0].isalnum()
            or node.getparent().tag == _TC
        ):
            return False
        if style.name not in ("", "normal", "body text") or numbering_of(properties) is not None:
            return False
        runs = [run for run in node.iter(f"{W}r") if "".join(run.itertext(f"{W}t")).strip()]
        return (
            bool(runs) and all(on(run.find(f"{W}rPr/{W}b")) for run in runs) and any(map(str.isalpha, line))
        )

    def _label(self, properties: Any, style_id: str | None, style: Style) -> str | None:
        own = numbering_of(properties)
        number_id = (own and own[0]) or (style.numbering and style.numbering[0])
        if not number_id or number_id == "0" or (own and own[0] == "0"):
            return None
        level = own[1] if own and own[1] is not None else style.numbering and style.numbering[1]
        if level is None:
            level = self._numbering.level_of_style(number_id, style_id)
        return self._numbering.next_label(number_id, level)

    def _list_level(self, properties: Any, style: Style) -> int:
        own = numbering_of(properties) or style.numbering
        if own and own[1]:
            return min(own[1], 8)
        return (
            int(style.name[-1]) - 1 if style.name.startswith("list") and style.name[-1:] in "23456789" else 0
        )

    # --- tables

    def _blocks(self, parent: Any, depth: int) -> Iterator[Paragraph]:
        """Paragraphs and tables below an element in order, also those inside content controls."""
        for child in parent:
            if child.tag == P:
                yield from self._paragraph(child, depth)
            elif child.tag == TBL:
                yield from self._table(child, depth)
            elif child.tag == _SDT and depth < _MAX_DEPTH:
                content = child.find(f"{W}sdtContent")
                if content is not None:
                    yield from self._blocks(content, depth + 1)

    def _streamed_table(self, first: Any, nodes: Iterator[Any]) -> Iterator[Paragraph]:
        """The table whose first row is `first`; its other rows follow in `nodes` up to None."""
        return self._rows(first.getparent(), chain([first], iter(nodes.__next__, None)), 0)

    def _table(self, node: Any, depth: int) -> Iterator[Paragraph]:
        return self._rows(node, node.iterfind(_TR), depth)

    def _rows(self, node: Any, rows: Iterator[Any], depth: int) -> Iterator[Paragraph]:
        """A table of one column is a frame around paragraphs."""
        grid = node.find(f"{W}tblGrid")
        if grid is not None and len(grid) == 1 and depth < _MAX_DEPTH:
            for row in rows:
                for cell in _cells(row):
                    yield from self._blocks(cell, depth + 1)
            return
        found = Content()
        yield from table(self._row(row, found, depth) for row in rows)
        if found.pictures:
            yield Paragraph(ContentType.TEXT, "", pictures=tuple(found.pictures))
        yield from self._drawn(found, depth)

    def _row(self, row: Any, found: Content, depth: int) -> list[Cell]:
        header = bool(on(row.find(f"{W}trPr/{W}tblHeader")))
        return [self._cell(cell, found, depth, header) for cell in _cells(row)]

    def _cell(self, cell: Any, found: Content, depth: int, header: bool) -> Cell:
        properties = cell.find(f"{W}tcPr")
        span = properties.find(f"{W}gridSpan") if properties is not None else None
        merged = properties.find(f"{W}vMerge") if properties is not None else None
        return Cell(
            self._cell_text(cell, found, depth),
            width=min(200, int(span.get(VAL, "1"))) if span is not None else 1,
            above=merged is not None and merged.get(VAL, "continue") == "continue",
            header=header,
        )

    def _cell_text(self, cell: Any, found: Content, depth: int) -> str:
        """Words of a cell on one line. A table inside is read row by row, the cells of a row set off by commas."""
        parts = []
        for child in cell:
            if child.tag == P:
                content = self._inline.read(child)
                found.pictures += content.pictures
                found.boxes += content.boxes
                found.charts += content.charts
                parts.append(content.text())
                parts += [latex.inline(made) for _, made in content.formulas]
            elif child.tag == TBL and depth < _MAX_DEPTH:
                rows = (
                    ", ".join(
                        filter(None, (self._cell_text(inner, found, depth + 1) for inner in _cells(row)))
                    )
                    for row in child.iterfind(_TR)
                )
                parts.append("; ".join(filter(None, rows)))
            elif child.tag == _SDT and depth < _MAX_DEPTH:
                content_node = child.find(f"{W}sdtContent")
                if content_node is not None:
                    parts.append(self._cell_text(content_node, found, depth + 1))
        return one_line(" ".join(filter(None, parts)))


def _formula(made: str, number: str | None) -> Paragraph:
    text = latex.display(made)
    return Paragraph(ContentType.FORMULA, f"{text} ({number})" if number else text, verbatim=True)


def _cells(row: Any) -> Iterator[Any]:
    """Cells of a row, also those inside content controls."""
    for child in row:
        if child.tag == _TC:
            yield child
        elif child.tag == _SDT:
            content = child.find(f"{W}sdtContent")
            if content is not None:
                yield from content.iterfind(_TC)


def _top_level(stream: Any) -> Iterator[Any]:
    """The document's paragraphs and the rows of its tables as they are parsed; None where a table ends.

    What was handed out is thrown away with the next one, so that a long document is never in memory as a whole.
    """
    inside, last = 0, None
    events = etree.iterparse(
        stream,
        events=("start", "end"),
        tag=(P, TBL, _TR),
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=False,
    )
    for event, node in events:
        if event == "start":
            inside += 1
            continue
        inside -= 1
        row_of_outer_table = node.tag == _TR and inside == 1
        if inside > 0 and not row_of_outer_table:
            continue
        if last is not None:
            last.getparent().remove(last)
        last = node
        yield None if node.tag == TBL else node
    if events.root is None or not events.root.tag.endswith("}document"):
        raise ValueError("no document")
