"""Word documents as sections by heading: paragraphs, lists, tables, formulas' text and footnotes."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import docx
from docx.opc.exceptions import OpcError
from docx.oxml import parse_xml
from docx.oxml.ns import qn

from tools.ingest.cleaning import one_line
from tools.ingest.ooxml import ERRORS as OOXML_ERRORS
from tools.ingest.ooxml import check_container, corrupt
from tools.ingest.sections import Paragraph, markdown_table, sections
from tools.ingest.segments import ContentType, DocumentInfo, Refusal, Segment, SegmentKind
from tools.ingest.sniff import DOCX_TYPE

ERRORS: tuple[type[Exception], ...] = (*OOXML_ERRORS, OpcError)

_MATH = "{http://schemas.openxmlformats.org/officeDocument/2006/math}"
_FALLBACK = "{http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback"
_HEADING = re.compile(r"heading (\d)", re.I)
_P, _TBL, _TR, _TC, _SDT = (qn(f"w:{name}") for name in ("p", "tbl", "tr", "tc", "sdt"))
_VAL, _PROPERTIES = qn("w:val"), qn("w:pPr")
_RUN, _TAB, _HYPHEN = qn("w:r"), qn("w:tab"), qn("w:noBreakHyphen")
_WORDS, _BREAKS = (qn("w:t"), f"{_MATH}t"), (qn("w:br"), qn("w:cr"))


class DocxExtractor:
    def __init__(self, path: Path) -> None:
        try:
            check_container(path)
            self._document = docx.Document(str(path))
            self._styles = _Styles(self._document)
            title = one_line(self._document.core_properties.title or "")
        except ERRORS as error:
            raise corrupt("Word document") from error
        self.info = DocumentInfo(DOCX_TYPE, SegmentKind.SECTION, None, title or None)

    def segments(self, start: int = 0) -> Iterator[Segment]:
        """Sections from that ordinal on. Raises Refusal: empty_file when there is no text, corrupt."""
        found = False
        try:
            for segment in sections(self._paragraphs()):
                found = True
                if segment.ordinal >= start:
                    yield segment
        except ERRORS as error:
            raise corrupt("Word document") from error
        if not found:
            raise Refusal("empty_file", "This Word document has no text in it.")

    def close(self) -> None:
        """Nothing to close: python-docx reads the whole file when it opens it."""

    def _paragraphs(self) -> Iterator[Paragraph]:
        for element in _blocks(self._document.element.body):
            if element.tag == _TBL:
                yield Paragraph(ContentType.TABLE, markdown_table(_rows(element)))
            else:
                yield self._paragraph(element)
        yield from self._footnotes()

    def _paragraph(self, element: Any) -> Paragraph:
        text = _text(element)
        name, outline = self._styles.of(element)
        heading = _HEADING.match(name)
        if heading:
            return Paragraph(ContentType.HEADING, text, int(heading.group(1)))
        if name.lower() == "title":
            return Paragraph(ContentType.HEADING, text, 1)
        if outline is not None and len(text) <= 200:
            return Paragraph(ContentType.HEADING, text, outline + 1)
        if name.lower() == "caption":
            return Paragraph(ContentType.CAPTION, text)
        listed = element.find(f"{qn('w:pPr')}/{qn('w:numPr')}")
        if (listed is not None or name.lower().startswith("list")) and text.strip():
            level = listed.find(qn("w:ilvl")) if listed is not None else None
            indent = "  " * int(level.get(_VAL, "0")) if level is not None else ""
            return Paragraph(ContentType.LIST, f"{indent}- {one_line(text)}", verbatim=True)
        return Paragraph(ContentType.TEXT, text)

    def _footnotes(self) -> Iterator[Paragraph]:
        for relation in self._document.part.rels.values():
            if relation.reltype.endswith(("/footnotes", "/endnotes")):
                root = parse_xml(relation.target_part.blob)
                for number, note in enumerate(root, start=-1):
                    text = one_line(" ".join(_text(paragraph) for paragraph in note.iter(_P)))
                    if text:
                        yield Paragraph(ContentType.LIST, f"[{max(1, number)}] {text}", verbatim=True)


class _Styles:
    """Name and outline level of a paragraph's style, looked up once per style."""

    def __init__(self, document: Any) -> None:
        self._known: dict[str, tuple[str, int | None]] = {}
        for style in document.styles:
            outline = style.element.find(f"{qn('w:pPr')}/{qn('w:outlineLvl')}")
            level = int(outline.get(_VAL)) if outline is not None else None
            self._known[style.style_id] = (
                style.name or "",
                level if level is not None and level < 9 else None,
            )

    def of(self, paragraph: Any) -> tuple[str, int | None]:
        properties = paragraph.find(_PROPERTIES)
        if properties is None:
            return "", None
        style = properties.find(qn("w:pStyle"))
        name, level = self._known.get(style.get(_VAL), ("", None)) if style is not None else ("", None)
        own = properties.find(qn("w:outlineLvl"))
        if own is not None and int(own.get(_VAL)) < 9:
            level = int(own.get(_VAL))
        return name, level


def _blocks(parent: Any) -> Iterator[Any]:
    """Paragraphs and tables in order, also those inside content controls."""
    for child in parent:
        if child.tag in (_P, _TBL):
            yield child
        elif child.tag == _SDT:
            content = child.find(qn("w:sdtContent"))
            if content is not None:
                yield from _blocks(content)


def _rows(table: Any) -> list[list[str]]:
    """Cells as text; a nested table becomes words of its cell, a cell merged upwards is empty."""
    return [
        [
            " ".join(_text(paragraph) for paragraph in cell.iter(_P))
            for cell in row.iter(_TC)
            if cell.getparent() is row
        ]
        for row in table
        if row.tag == _TR
    ]


def _text(paragraph: Any) -> str:
    """Words of a paragraph with tabs, breaks and formulas; deleted text of tracked changes is not among them."""
    parts: list[str] = []
    skipped: set[Any] = set()
    for node in paragraph.iter():
        if node.tag == _FALLBACK or node.getparent() in skipped:
            skipped.add(node)
        elif node.tag in _WORDS:
            parts.append(node.text or "")
        elif node.tag == _TAB and node.getparent().tag == _RUN:
            parts.append("\t")
        elif node.tag in _BREAKS:
            parts.append("\n")
        elif node.tag == _HYPHEN:
            parts.append("-")
    return "".join(parts)
