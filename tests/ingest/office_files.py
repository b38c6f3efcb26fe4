"""Word and PowerPoint files as students have them, written with python-docx and python-pptx plus the XML these lack."""

import io
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import docx
import pptx
from docx.oxml import parse_xml
from docx.oxml.ns import qn
from PIL import Image, ImageDraw, ImageFont
from pptx.chart.data import CategoryChartData
from pptx.enum.chart import XL_CHART_TYPE
from pptx.util import Inches

_NS = (
    'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main" '
    'xmlns:m="http://schemas.openxmlformats.org/officeDocument/2006/math"'
)
_REL = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_TYPE = "application/vnd.openxmlformats-officedocument.wordprocessingml"


def run(text: str) -> str:
    return f"<m:r><m:t>{text}</m:t></m:r>"


def fraction(over: str, under: str) -> str:
    return f"<m:f><m:num>{over}</m:num><m:den>{under}</m:den></m:f>"


def power(base: str, above: str) -> str:
    return f"<m:sSup><m:e>{base}</m:e><m:sup>{above}</m:sup></m:sSup>"


def index(base: str, below: str) -> str:
    return f"<m:sSub><m:e>{base}</m:e><m:sub>{below}</m:sub></m:sSub>"


def root(body: str) -> str:
    return f'<m:rad><m:radPr><m:degHide m:val="1"/></m:radPr><m:deg/><m:e>{body}</m:e></m:rad>'


def total(sign: str, below: str, above: str, body: str) -> str:
    return (
        f'<m:nary><m:naryPr><m:chr m:val="{sign}"/></m:naryPr><m:sub>{below}</m:sub><m:sup>{above}</m:sup>'
        f"<m:e>{body}</m:e></m:nary>"
    )


def matrix(rows: Sequence[Sequence[str]]) -> str:
    body = "".join("<m:mr>" + "".join(f"<m:e>{run(cell)}</m:e>" for cell in row) + "</m:mr>" for row in rows)
    return f'<m:d><m:dPr><m:begChr m:val="["/><m:endChr m:val="]"/></m:dPr><m:e><m:m>{body}</m:m></m:e></m:d>'


def omath(body: str) -> Any:
    return parse_xml(f"<m:oMath {_NS}>{body}</m:oMath>")


def omath_para(body: str) -> Any:
    return parse_xml(f"<m:oMathPara {_NS}><m:oMath>{body}</m:oMath></m:oMathPara>")


def footnote_call(number: int, kind: str = "footnote") -> Any:
    return parse_xml(f'<w:r {_NS}><w:{kind}Reference w:id="{number}"/></w:r>')


def picture(
    text: str = "", size: tuple[int, int] = (320, 200), color: str = "white", form: str = "PNG"
) -> bytes:
    image = Image.new("RGB", size, color)
    draw = ImageDraw.Draw(image)
    draw.rectangle((4, 4, size[0] - 5, size[1] - 5), outline="black", width=3)
    draw.multiline_text((20, 20), text, fill="black", font=ImageFont.load_default(26), spacing=12)
    out = io.BytesIO()
    image.save(out, form)
    return out.getvalue()


def rezipped(source: Path, target: Path, change: Callable[[str, bytes], bytes | None], **more: bytes) -> Path:
    """A copy of a ZIP file with changed, dropped (None) and, by `more`, added members ("/" written "__")."""
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            data = change(name, old.read(name))
            if data is not None:
                new.writestr(name, data)
        for name, data in more.items():
            new.writestr(name.replace("__", "/"), data)
    return target


def with_notes(source: Path, target: Path, kind: str, notes: Sequence[str]) -> Path:
    """The document with footnotes or endnotes numbered from 1."""
    body = "".join(
        f'<w:{kind} w:id="{n}"><w:p><w:r><w:{kind}Ref/></w:r><w:r><w:t xml:space="preserve"> {text}</w:t></w:r></w:p></w:{kind}>'
        for n, text in enumerate(notes, 1)
    )
    separators = f'<w:{kind} w:type="separator" w:id="-1"><w:p><w:r><w:separator/></w:r></w:p></w:{kind}>'

    def change(name: str, data: bytes) -> bytes:
        if name == "word/_rels/document.xml.rels":
            link = f'<Relationship Id="rId{kind}" Type="{_REL}/{kind}s" Target="{kind}s.xml"/>'
            return data.replace(b"</Relationships>", link.encode() + b"</Relationships>")
        if name == "[Content_Types].xml":
            line = f'<Override PartName="/word/{kind}s.xml" ContentType="{_TYPE}.{kind}s+xml"/>'
            return data.replace(b"</Types>", line.encode() + b"</Types>")
        return data

    part = f'<?xml version="1.0"?><w:{kind}s {_NS}>{separators}{body}</w:{kind}s>'.encode()
    return rezipped(source, target, change, **{f"word__{kind}s.xml": part})


PENDULUM = [
    ("Length", "Period", "", ""),
    ("", "Run 1", "Run 2", "Mean"),
    ("0.25 m", "1.01 s", "1.00 s", "1.005 s"),
    ("0.50 m", "1.42 s", "1.43 s", "1.425 s"),
    ("1.00 m", "2.01 s", "2.00 s", "2.005 s"),
]
LONG = [
    ("Sample", "Voltage", "Current"),
    *((f"S{n}", f"{n / 10:.1f} V", f"{n * 3} mA") for n in range(1, 301)),
]


def fill(table: Any, rows: Sequence[Sequence[str]]) -> None:
    for row, texts in zip(table.rows, rows, strict=True):
        for cell, text in zip(row.cells, texts, strict=True):
            if text:
                cell.text = text


def lab_report(folder: Path) -> Path:
    """Headings, numbered lists, merged and long tables, formulas, notes, a figure, a box, and tracked changes."""
    document: Any = docx.Document()
    document.core_properties.title = "The simple pendulum"
    document.core_properties.author = "Ada Student"
    document.add_heading("Introduction", 1)
    first = document.add_paragraph("A pendulum swings with the period ")
    first._p.append(omath(run("T") + run("=2π") + root(fraction(run("l"), run("g")))))
    first.add_run(" for small angles")
    first._p.append(footnote_call(1))
    first.add_run(". The uncertainty was 10")
    first.add_run("-3").font.superscript = True
    first.add_run(" s.")
    deleted = parse_xml(f'<w:del {_NS} w:id="9"><w:r><w:delText>wrong words</w:delText></w:r></w:del>')
    first._p.append(deleted)
    document.add_heading("Method", 1)
    for text in ("Measure the length.", "Release the bob.", "Time ten swings."):
        document.add_paragraph(text, style="List Number")
    document.add_paragraph("stop watch", style="List Bullet")
    document.add_paragraph("The sum of squares is")
    shown = document.add_paragraph()
    shown._p.append(
        omath_para(run("S=") + total("∑", run("i=1"), run("n"), power(index(run("x"), run("i")), run("2"))))
    )
    rotation = document.add_paragraph()
    rotation._p.append(omath(run("R=") + matrix([["cos θ", "-sin θ"], ["sin θ", "cos θ"]])))
    document.add_heading("Results", 1)
    document.add_paragraph("Table 1: Periods of the pendulum", style="Caption")
    table = document.add_table(rows=5, cols=4)
    fill(table, PENDULUM)
    table.cell(0, 1).merge(table.cell(0, 3))
    table.cell(0, 0).merge(table.cell(1, 0))
    document.add_picture(io.BytesIO(picture("T over l")), width=Inches(2))
    describe(document, "Measured periods against the length")
    document.add_paragraph("Figure 1: Period against the root of the length.", style="Caption")
    document.add_heading("All measurements", 2)
    long = document.add_table(rows=len(LONG), cols=3)
    for row, texts in zip(long._tbl.tr_lst, LONG, strict=True):
        for cell, text in zip(row.tc_lst, texts, strict=True):
            cell.p_lst[0].append(parse_xml(f"<w:r {_NS}><w:t>{text}</w:t></w:r>"))
    ending = document.add_paragraph("The result agrees with the textbook")
    ending._p.append(footnote_call(2))
    box = document.add_table(rows=1, cols=1)
    box.cell(0, 0).text = "Remember: small angles only."
    path = folder / "plain.docx"
    document.save(str(path))
    notes = ["Huygens found this in 1673.", "Halliday, chapter 15."]
    return with_notes(path, folder / "lab report.docx", "footnote", notes)


def describe(document: Any, alt: str) -> None:
    """Alternative text of the last picture."""
    list(document.element.body.iter(qn("wp:docPr")))[-1].set("descr", alt)


def lecture_deck(folder: Path) -> Path:
    """Bullets with levels, a formula, a merged table, a chart, a group, notes, a picture of text, a hidden slide."""
    deck: Any = pptx.Presentation()
    deck.core_properties.title = "Oscillations"
    one = deck.slides.add_slide(deck.slide_layouts[1])
    one.shapes.title.text = "Harmonic motion"
    body = one.placeholders[1].text_frame
    body.text = "restoring force"
    for text, level in (("proportional to x", 1), ("energy is conserved", 0)):
        line = body.add_paragraph()
        line.text, line.level = text, level
    formula = body.add_paragraph()._p
    formula.append(
        parse_xml(
            '<a14:m xmlns:a14="http://schemas.microsoft.com/office/drawing/2010/main">'
            f"<m:oMathPara {_NS}><m:oMath>{run('ω=')}{root(fraction(run('k'), run('m')))}</m:oMath></m:oMathPara></a14:m>"
        )
    )
    one.notes_slide.notes_text_frame.text = "Show the spring.\nAsk for the units."
    two = deck.slides.add_slide(deck.slide_layouts[5])
    two.shapes.title.text = "Constants"
    table = two.shapes.add_table(4, 3, Inches(1), Inches(2), Inches(6), Inches(2)).table
    fill(
        table,
        [
            ("Spring", "Stiffness", ""),
            ("", "low", "high"),
            ("A", "10 N/m", "20 N/m"),
            ("B", "15 N/m", "30 N/m"),
        ],
    )
    table.cell(0, 1).merge(table.cell(0, 2))
    table.cell(0, 0).merge(table.cell(1, 0))
    make: Any = CategoryChartData
    data = make()
    data.categories = ["Mon", "Tue"]
    data.add_series("Visitors", (12, 19.5))
    two.shapes.add_chart(XL_CHART_TYPE.COLUMN_CLUSTERED, Inches(1), Inches(5), Inches(4), Inches(2), data)
    group = two.shapes.add_group_shape()
    for place, text in ((4, "right box"), (1, "left box")):
        group.shapes.add_textbox(Inches(place), Inches(4.3), Inches(2), Inches(0.5)).text_frame.text = text
    three = deck.slides.add_slide(deck.slide_layouts[6])
    words = picture("Newton's second law\nForce equals mass\ntimes acceleration", (900, 500))
    three.shapes.add_picture(io.BytesIO(words), 0, 0, deck.slide_width, deck.slide_height)
    four = deck.slides.add_slide(deck.slide_layouts[5])
    four.shapes.title.text = "Hidden answers"
    four._element.set("show", "0")
    small = four.shapes.add_picture(io.BytesIO(picture("x(t)")), Inches(1), Inches(2), Inches(2))
    small._element.nvPicPr.cNvPr.set("descr", "Figure 3: Position over time")
    path = folder / "lecture.pptx"
    deck.save(str(path))
    return path
