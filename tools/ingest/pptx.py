"""PowerPoint slides as segments: the title first, text in reading order, tables, chart labels, then the notes."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pptx
from pptx.enum.shapes import MSO_SHAPE_TYPE, PP_PLACEHOLDER
from pptx.exc import PythonPptxError
from pptx.oxml.ns import qn

from tools.ingest.cleaning import one_line
from tools.ingest.ooxml import ERRORS as OOXML_ERRORS
from tools.ingest.ooxml import check_container, corrupt
from tools.ingest.sections import Paragraph, TextBuilder, markdown_table
from tools.ingest.segments import ContentType, DocumentInfo, Refusal, Segment, SegmentKind
from tools.ingest.sniff import PPTX_TYPE

ERRORS: tuple[type[Exception], ...] = (*OOXML_ERRORS, PythonPptxError)

_SKIPPED = {PP_PLACEHOLDER.DATE, PP_PLACEHOLDER.FOOTER, PP_PLACEHOLDER.SLIDE_NUMBER, PP_PLACEHOLDER.HEADER}
_TITLES = {PP_PLACEHOLDER.TITLE, PP_PLACEHOLDER.CENTER_TITLE}
_ROW = 360_000
"""Shapes whose tops differ by less than this (EMU, 1 cm) stand in one row and are read from the left."""


class PptxExtractor:
    def __init__(self, path: Path) -> None:
        try:
            check_container(path)
            presentation = pptx.Presentation(str(path))
            self._slides = list(presentation.slides)
            title = one_line(presentation.core_properties.title or "")
        except ERRORS as error:
            raise corrupt("presentation") from error
        if not self._slides:
            raise Refusal("no_pages", "This presentation has no slides.")
        self.info = DocumentInfo(PPTX_TYPE, SegmentKind.SLIDE, len(self._slides), title or None)

    def segments(self, start: int = 0) -> Iterator[Segment]:
        """Slides from that ordinal on. Raises Refusal: needs_ocr when no slide has text, corrupt."""
        try:
            if not any(_segment(number, slide).text for number, slide in enumerate(self._slides)):
                raise Refusal(
                    "needs_ocr",
                    "These slides have no text, only pictures. "
                    "They need text recognition (OCR), which this version does not do yet.",
                )
            for number in range(start, len(self._slides)):
                yield _segment(number, self._slides[number])
        except ERRORS as error:
            raise corrupt("presentation") from error

    def close(self) -> None:
        self._slides = []


def _segment(number: int, slide: Any) -> Segment:
    builder = TextBuilder()
    for paragraph in _paragraphs(slide):
        builder.add(paragraph)
    return Segment(number, SegmentKind.SLIDE, number + 1, builder.text(), blocks=tuple(builder.blocks))


def _paragraphs(slide: Any) -> Iterator[Paragraph]:
    shapes = [shape for shape in slide.shapes if _placeholder(shape) not in _SKIPPED]
    titles = [shape for shape in shapes if _placeholder(shape) in _TITLES]
    for shape in titles:
        yield Paragraph(ContentType.HEADING, shape.text_frame.text, 1)
    for shape in _in_reading_order(shape for shape in shapes if shape not in titles):
        yield from _shape(shape)
    if slide.has_notes_slide and slide.notes_slide.notes_text_frame is not None:
        notes = slide.notes_slide.notes_text_frame.text
        if notes.strip():
            yield Paragraph(ContentType.TEXT, f"Notes: {notes}")


def _placeholder(shape: Any) -> Any:
    return shape.placeholder_format.type if shape.is_placeholder else None


def _in_reading_order(shapes: Iterator[Any]) -> list[Any]:
    return sorted(shapes, key=lambda shape: ((shape.top or 0) // _ROW, shape.left or 0))


def _shape(shape: Any) -> Iterator[Paragraph]:
    if shape.shape_type == MSO_SHAPE_TYPE.GROUP:
        for part in _in_reading_order(iter(shape.shapes)):
            yield from _shape(part)
    elif getattr(shape, "has_table", False):
        rows = [[cell.text for cell in row.cells] for row in shape.table.rows]
        yield Paragraph(ContentType.TABLE, markdown_table(rows))
    elif getattr(shape, "has_chart", False):
        yield from _chart(shape.chart)
    elif shape.has_text_frame:
        yield from _frame(shape)
    else:
        # Pictures and SmartArt: the description their author wrote for readers who cannot see them.
        properties = next(shape._element.iter(qn("p:cNvPr")), None)
        described = properties.get("descr", "") if properties is not None else ""
        if described and shape.shape_type == MSO_SHAPE_TYPE.PICTURE:
            yield Paragraph(ContentType.CAPTION, described)


def _chart(chart: Any) -> Iterator[Paragraph]:
    if chart.has_title and chart.chart_title.has_text_frame:
        yield Paragraph(ContentType.CAPTION, chart.chart_title.text_frame.text)
    for plot in chart.plots:
        names = [str(name) for name in plot.categories]
        rows = [["", *names], *([series.name or "", *map(str, series.values)] for series in plot.series)]
        yield Paragraph(ContentType.TABLE, markdown_table(rows))


def _frame(shape: Any) -> Iterator[Paragraph]:
    """Lines of a body placeholder are its bullets; a text box is one paragraph."""
    lines = [(line.level, _line_text(line)) for line in shape.text_frame.paragraphs]
    lines = [(level, text) for level, text in lines if text]
    bullets = len(lines) > 1 and shape.is_placeholder and _placeholder(shape) != PP_PLACEHOLDER.SUBTITLE
    for level, text in lines:
        if bullets:
            yield Paragraph(ContentType.LIST, f"{'  ' * level}- {text}", verbatim=True)
        else:
            yield Paragraph(ContentType.TEXT, text)


def _line_text(paragraph: Any) -> str:
    """Runs, fields and formulas of a paragraph."""
    return one_line("".join(node.text or "" for node in paragraph._p.iter() if str(node.tag).endswith("}t")))
