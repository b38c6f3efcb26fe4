"""A page as a Word document: styles of Word itself, formulas that Word can edit, links to the sources. Blocks while it runs."""

import io
from collections.abc import Sequence
from typing import Any

from docx import Document
from docx.enum.section import WD_SECTION
from docx.enum.text import WD_BREAK
from docx.oxml import OxmlElement, parse_xml
from docx.oxml.ns import qn
from docx.shared import Mm, Pt, RGBColor

from tools.documents.maths.inline import Code, Math, Plain
from tools.documents.maths.omml import omml
from tools.documents.maths.tree import bare
from tools.documents.rendering.blocks import (
    SMALLEST,
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

PAPERS = {"a4": (210, 297), "letter": (215.9, 279.4)}
"""Width and height in millimetres."""
BLUE, GREY = RGBColor(0x1F, 0x4E, 0x79), RGBColor(0x5A, 0x5A, 0x5A)
HYPERLINK = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/hyperlink"


def docx(page: Page) -> bytes:
    return _Writer(page).made()


class _Writer:
    def __init__(self, page: Page) -> None:
        self._page = page
        self._document: Any = Document()
        self._urls = {s.number: s.url for b in page.blocks if isinstance(b, Sources) for s in b.items}

    def made(self) -> bytes:
        self._set_up()
        self._document.core_properties.title = bare(self._page.title)[:250]
        self._document.add_heading(bare(self._page.title), 0)
        if self._page.subtitle:
            self._document.add_paragraph(bare(self._page.subtitle)).runs[0].font.color.rgb = GREY
        if self._page.is_compact and self._page.columns > 1:
            self._begin_columns()
        for block in self._page.blocks:
            self._add(block)
        buffer = io.BytesIO()
        self._document.save(buffer)
        return buffer.getvalue()

    def _set_up(self) -> None:
        width, height = PAPERS[self._page.paper]
        margin = 9 if self._page.is_compact else 20
        section = self._document.sections[0]
        section.page_width, section.page_height = Mm(width), Mm(height)
        for side in ("left_margin", "right_margin", "top_margin", "bottom_margin"):
            setattr(section, side, Mm(margin))
        normal = self._document.styles["Normal"]
        normal.font.size = Pt(max(SMALLEST, round(self._page.size * 2) / 2))
        spacing = 1 if self._page.is_compact else 6
        normal.paragraph_format.space_after = Pt(spacing)
        if self._page.is_compact:
            for level in (1, 2):
                style = self._document.styles[f"Heading {level}"]
                style.font.size = Pt(self._page.size + 1)
                style.paragraph_format.space_before = Pt(3)
            self._document.styles["Title"].font.size = Pt(13)

    def _begin_columns(self) -> None:
        section = self._document.add_section(WD_SECTION.CONTINUOUS)
        columns = section._sectPr.find(qn("w:cols"))
        if columns is None:
            columns = OxmlElement("w:cols")
            section._sectPr.append(columns)
        columns.set(qn("w:num"), str(self._page.columns))
        columns.set(qn("w:space"), "280")

    # --- blocks

    def _add(self, block: Block) -> None:
        match block:
            case Heading(level, parts, note):
                heading = self._document.add_heading(level=min(level, 3))
                self._write(heading, [*parts, Plain(f"   {note}" * bool(note))])
            case Paragraph():
                self._paragraph(block)
            case Bullets():
                self._bullets(block)
            case Display():
                self._display(block)
            case Grid(rows, caption):
                self._grid(rows, caption)
            case Question():
                self._question(block)
            case NameLine(points):
                self._document.add_paragraph(
                    f"Name ______________________________   Date ______________   Points ______ / {points}"
                )
            case PageBreak():
                self._document.add_paragraph().add_run().add_break(WD_BREAK.PAGE)
            case Sources(items):
                self._sources(items)

    def _bullets(self, block: Bullets) -> None:
        """Numbers are our own: Word would go on counting from one list to the next."""
        for n, parts in enumerate(block.items, 1):
            if block.is_numbered:
                self._indented([Plain(f"{n}. "), *parts], 6)
            else:
                self._write(self._document.add_paragraph(style="List Bullet"), parts)

    def _sources(self, items: Sequence[Source]) -> None:
        for one in items:
            self._source(one)

    def _paragraph(self, block: Paragraph) -> None:
        if block.style == "quote":
            paragraph = self._document.add_paragraph(style="Quote")
        else:
            paragraph = self._document.add_paragraph()
        if block.style in ("quote", "answer", "missing"):
            paragraph.paragraph_format.left_indent = Mm(6)
        self._write(paragraph, block.parts)
        if block.style in ("lead", "small"):
            for run in paragraph.runs:
                run.font.color.rgb = GREY

    def _indented(self, parts: Parts, millimetres: float) -> Any:
        paragraph = self._document.add_paragraph()
        paragraph.paragraph_format.left_indent = Mm(millimetres)
        self._write(paragraph, parts)
        return paragraph

    def _display(self, block: Display) -> None:
        if block.about:
            self._write(self._document.add_paragraph(), block.about)
        formula = block.formula
        inline = Math(formula.node, formula.source) if isinstance(formula, Math) else formula
        label = [Plain(f"   {block.label}")] if block.label else []
        paragraph = self._indented([inline, *label, Plain(" "), *block.marks], 6)
        paragraph.paragraph_format.keep_together = True

    def _grid(self, rows: Sequence[Sequence[Parts]], caption: Parts) -> None:
        if caption:
            self._write(self._document.add_paragraph(), caption)
        width = max((len(row) for row in rows), default=1)
        table = self._document.add_table(rows=len(rows), cols=width)
        table.style = "Light Grid Accent 1"
        for y, row in enumerate(rows):
            for x, parts in enumerate(row):
                self._write(table.cell(y, x).paragraphs[0], parts)
        self._document.add_paragraph()

    def _question(self, block: Question) -> None:
        head: Parts = [Plain(f"{block.number}. ", is_bold=True), *block.parts]
        points: Parts = [Plain(f"  ({block.points})")] if block.points else []
        paragraph = self._document.add_paragraph()
        paragraph.paragraph_format.keep_with_next = bool(block.options)
        self._write(paragraph, [*head, *points])
        signs = {"circle": "○ ", "square": "□ ", "number": "▭ "}
        if block.right:
            self._pairs(block)
        else:
            for letter, parts in block.options:
                self._indented([Plain(signs.get(block.box) or f"{letter}) "), *parts], 8)
        for _ in range(block.lines):
            self._document.add_paragraph("_" * 86)

    def _pairs(self, block: Question) -> None:
        count = max(len(block.options), len(block.right))
        table = self._document.add_table(rows=count, cols=2)
        for column, side in enumerate((block.options, block.right)):
            for y, (letter, parts) in enumerate(side):
                self._write(table.cell(y, column).paragraphs[0], [Plain(f"{letter}) "), *parts])
        self._document.add_paragraph()

    def _source(self, one: Source) -> None:
        paragraph = self._document.add_paragraph(f"[{one.number}] ")
        text = f"{bare(one.title)}, {bare(one.place)}"
        if one.url and one.url.startswith(("http://", "https://")):
            self._link(paragraph, text, one.url)
        else:
            paragraph.add_run(text)

    # --- runs

    def _write(self, paragraph: Any, parts: Parts) -> None:
        for part in parts:
            self._part(paragraph, part)

    def _part(self, paragraph: Any, part: Part) -> None:
        match part:
            case Plain(text, is_bold):
                run = paragraph.add_run(bare(text))
                run.bold = True if is_bold else None
            case Math(node, _, _):
                paragraph._p.append(parse_xml(omml(node, display=False)))
            case Code(text):
                paragraph.add_run(bare(text)).font.name = "Courier New"
            case Mark(number):
                url = self._urls.get(number)
                if url and url.startswith(("http://", "https://")):
                    self._link(paragraph, f"[{number}]", url)
                else:
                    paragraph.add_run(f"[{number}]").font.color.rgb = BLUE

    def _link(self, paragraph: Any, text: str, url: str) -> None:
        relation = paragraph.part.relate_to(url, HYPERLINK, is_external=True)
        link = OxmlElement("w:hyperlink")
        link.set(qn("r:id"), relation)
        run = paragraph.add_run(text)
        run.font.color.rgb = BLUE
        link.append(run._r)
        paragraph._p.append(link)
