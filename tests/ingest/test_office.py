"""Word and PowerPoint files as students have them: what Word shows is what is read."""

import io
from pathlib import Path
from typing import Any

import docx
import pptx
import pytest
from docx.enum.style import WD_STYLE_TYPE
from lxml import etree

from tests.data import shared
from tests.ingest.office_files import (
    footnote_call,
    fraction,
    index,
    lab_report,
    lecture_deck,
    omath,
    picture,
    power,
    rezipped,
    root,
    run,
    total,
    with_notes,
)
from tests.ingest.reading import figures, read, refusal, tables, typed
from tools.ingest.docx_styles import Numbering
from tools.ingest.drawings import diagram
from tools.ingest.omml import to_latex
from tools.ingest.ooxml import MACROS
from tools.ingest.opening import open_document
from tools.ingest.segments import ContentType, DocumentInfo, Segment, SegmentKind


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return lab_report(tmp_path_factory.mktemp("report"))


@pytest.fixture(scope="module")
def deck(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return lecture_deck(tmp_path_factory.mktemp("deck"))


@pytest.fixture(scope="module")
def lecture(deck: Path) -> tuple[DocumentInfo, list[Segment]]:
    """The deck as it is read: once, because of the text recognition."""
    return read(deck)


def first_text(path: Path) -> str:
    extractor = open_document(path, path.name)
    try:
        return next(iter(extractor.segments())).text
    finally:
        extractor.close()


def notice_of(path: Path) -> str | None:
    extractor = open_document(path, path.name)
    extractor.close()
    return extractor.info.notice


def all_text(segments: list[Segment]) -> str:
    return "\n\n".join(segment.text for segment in segments)


def test_a_lab_report_reads_as_it_was_written(report: Path) -> None:
    info, (introduction, method, results, *_) = read(report)
    assert (info.title, info.author, info.notice) == ("The simple pendulum", "Ada Student", None)
    assert typed(introduction) == [
        (ContentType.HEADING, "Introduction"),
        (
            ContentType.TEXT,
            r"A pendulum swings with the period $T=2π\sqrt{\frac{l}{g}}$ for small angles [note 1]. "
            "The uncertainty was 10⁻³ s.",
        ),
        (ContentType.TEXT, "[note 1] Huygens found this in 1673."),
    ]
    assert typed(method)[1:5] == [
        (ContentType.LIST, "1. Measure the length."),
        (ContentType.LIST, "2. Release the bob."),
        (ContentType.LIST, "3. Time ten swings."),
        (ContentType.LIST, "- stop watch"),
    ]
    assert typed(method)[6:] == [
        (ContentType.FORMULA, r"$$S=\sum_{i=1}^n x_i^2$$"),
        (ContentType.FORMULA, r"$$R=\begin{bmatrix} cos θ & -sin θ \\ sin θ & cos θ \end{bmatrix}$$"),
    ]
    assert results.heading_path == ("Method",)
    assert "wrong words" not in all_text(read(report)[1])


def test_notes_stand_below_what_calls_them_and_frames_are_paragraphs(report: Path) -> None:
    _, found = read(report)
    assert typed(found[-1])[-3:] == [
        (ContentType.TEXT, "The result agrees with the textbook [note 2]"),
        (ContentType.TEXT, "[note 2] Halliday, chapter 15."),
        (ContentType.TEXT, "Remember: small angles only."),
    ]


def test_a_long_table_has_its_header_in_every_part(report: Path) -> None:
    _, found = read(report)
    long = [one for one in tables(found) if one[0] == ["Sample", "Voltage", "Current"]]
    assert len(long) > 2
    assert sum(len(one) - 1 for one in long) == 300
    assert all(len(segment.text) < 4500 for segment in found)


def test_a_picture_has_its_caption_and_its_place(report: Path) -> None:
    (figure,) = figures(report)
    assert (figure.label, figure.caption) == ("Figure 1", "Figure 1: Period against the root of the length.")
    assert (figure.segment, figure.media_type) == (2, "image/png")
    assert read(report)[1][2].text[figure.position :].lstrip().startswith("Figure 1")


def test_endnotes_have_roman_numbers(tmp_path: Path) -> None:
    document: Any = docx.Document()
    for _ in range(2):
        document.add_paragraph("Claim")._p.append(footnote_call(1, "endnote"))
    document.save(str(tmp_path / "a.docx"))
    path = with_notes(tmp_path / "a.docx", tmp_path / "b.docx", "endnote", ["The source."])
    assert read(path)[1][0].text == "Claim [note i]\n\n[note i] The source.\n\nClaim [note i]"


def test_notes_of_a_list_wait_for_its_end_and_contents_are_left_out(tmp_path: Path) -> None:
    document: Any = docx.Document()
    document.styles.add_style("toc 1", WD_STYLE_TYPE.PARAGRAPH)
    document.add_paragraph("Method 3", style="toc 1")
    for text in ("first", "second"):
        document.add_paragraph(text, style="List Bullet")._p.append(footnote_call(len(text) - 4))
    document.add_paragraph("After.")
    document.save(str(tmp_path / "a.docx"))
    path = with_notes(tmp_path / "a.docx", tmp_path / "b.docx", "footnote", ["One.", "Two."])
    assert read(path)[1][0].text == (
        "- first [note 1]\n- second [note 2]\n\n[note 1] One.\n\n[note 2] Two.\n\nAfter."
    )


def test_multilevel_numbers_are_counted_as_word_counts_them() -> None:
    w = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
    lists = etree.fromstring(
        f'<w:numbering xmlns:w="{w}"><w:abstractNum w:abstractNumId="0">'
        '<w:lvl w:ilvl="0"><w:start w:val="1"/><w:numFmt w:val="decimal"/><w:lvlText w:val="%1."/></w:lvl>'
        '<w:lvl w:ilvl="1"><w:start w:val="1"/><w:numFmt w:val="lowerLetter"/><w:lvlText w:val="%1.%2)"/></w:lvl>'
        '</w:abstractNum><w:num w:numId="1"><w:abstractNumId w:val="0"/></w:num>'
        '<w:num w:numId="2"><w:abstractNumId w:val="0"/><w:lvlOverride w:ilvl="0"><w:startOverride w:val="5"/>'
        "</w:lvlOverride></w:num></w:numbering>"
    )
    numbering = Numbering.read(lists)
    levels = [("1", 0), ("1", 1), ("1", 1), ("1", 0), ("1", 1), ("2", 0), ("2", 1)]
    labels = [numbering.next_label(number, level) for number, level in levels]
    assert labels == ["1.", "1.a)", "1.b)", "2.", "2.a)", "5.", "5.a)"]
    assert numbering.next_label("9", 0) is None


def test_bold_lines_of_a_document_without_styles_are_headings(tmp_path: Path) -> None:
    document: Any = docx.Document()
    document.add_paragraph().add_run("Aim of the experiment").bold = True
    document.add_paragraph("We measure g.")
    document.add_paragraph().add_run("Important: wear goggles.").bold = True
    document.save(str(tmp_path / "a.docx"))
    _, (section,) = read(tmp_path / "a.docx")
    assert [kind for kind, _ in typed(section)] == [ContentType.HEADING, ContentType.TEXT, ContentType.TEXT]


def test_macros_are_left_alone_and_said_so(report: Path, deck: Path, tmp_path: Path) -> None:
    for source, old, new, extension in (
        (
            report,
            b"openxmlformats-officedocument.wordprocessingml.document.main",
            b"ms-word.document.macroEnabled.main",
            "docm",
        ),
        (
            deck,
            b"openxmlformats-officedocument.presentationml.presentation.main",
            b"ms-powerpoint.presentation.macroEnabled.main",
            "pptm",
        ),
    ):
        path = rezipped(
            source,
            tmp_path / f"a.{extension}",
            lambda name, data, old=old, new=new: (
                data.replace(old, new) if name == "[Content_Types].xml" else data
            ),  # type: ignore[misc]
            **{"word__vbaProject.bin": b"\xd0\xcf\x11\xe0"},
        )
        assert (notice_of(path), notice_of(source)) == (MACROS, None)
        assert first_text(path) == first_text(source)


def test_files_in_the_strict_variant_are_read(report: Path, tmp_path: Path) -> None:
    def strict(name: str, data: bytes) -> bytes:
        for old, new in (
            (
                b"http://schemas.openxmlformats.org/wordprocessingml/2006/main",
                b"http://purl.oclc.org/ooxml/wordprocessingml/main",
            ),
            (
                b"http://schemas.openxmlformats.org/officeDocument/2006/math",
                b"http://purl.oclc.org/ooxml/officeDocument/math",
            ),
            (
                b"http://schemas.openxmlformats.org/officeDocument/2006/relationships",
                b"http://purl.oclc.org/ooxml/officeDocument/relationships",
            ),
            (b"http://schemas.openxmlformats.org/drawingml/2006/", b"http://purl.oclc.org/ooxml/drawingml/"),
        ):
            data = data.replace(old, new)
        return data

    path = rezipped(report, tmp_path / "strict.docx", strict)
    assert all_text(read(path)[1]) == all_text(read(report)[1])
    assert len(figures(path)) == 1


def test_a_lecture_reads_in_order(lecture: tuple[DocumentInfo, list[Segment]]) -> None:
    info, (motion, constants, scan, hidden) = lecture
    assert (info.segment_count, info.segment_kind, info.title) == (4, SegmentKind.SLIDE, "Oscillations")
    assert typed(motion) == [
        (ContentType.HEADING, "Harmonic motion"),
        (ContentType.LIST, "- restoring force"),
        (ContentType.LIST, "  - proportional to x"),
        (ContentType.LIST, "- energy is conserved"),
        (ContentType.LIST, r"- $ω=\sqrt{\frac{k}{m}}$"),
        (ContentType.TEXT, "Notes: Show the spring."),
        (ContentType.TEXT, "Ask for the units."),
    ]
    assert [text for kind, text in typed(constants) if kind is ContentType.TEXT] == ["left box", "right box"]
    assert tables([constants])[1] == [["", "Visitors"], ["Mon", "12"], ["Tue", "19.5"]]
    assert hidden.text.startswith("Hidden answers")
    # The picture of a slide that holds nothing else was read.
    assert "times acceleration" in scan.text


def test_pictures_on_slides_are_figures(deck: Path) -> None:
    scan, small = figures(deck)
    assert (scan.segment, small.segment) == (2, 3)
    assert (small.label, small.caption) == ("Figure 3", "Figure 3: Position over time")


def test_a_damaged_slide_does_not_take_the_others_with_it(deck: Path, tmp_path: Path) -> None:
    path = rezipped(
        deck, tmp_path / "a.pptx", lambda name, data: b"<broken" if name == "ppt/slides/slide2.xml" else data
    )
    _, found = read(path)
    assert [bool(segment.notice) for segment in found] == [False, True, False, False]
    assert found[0].text.startswith("Harmonic motion")


def test_a_logo_on_every_slide_is_no_figure(tmp_path: Path) -> None:
    presentation: Any = pptx.Presentation()
    logo = picture("Logo")
    for _ in range(5):
        slide = presentation.slides.add_slide(presentation.slide_layouts[6])
        slide.shapes.add_textbox(0, 0, 100, 100).text_frame.text = "words"
        slide.shapes.add_picture(io.BytesIO(logo), 0, 0)
    presentation.save(str(tmp_path / "a.pptx"))
    assert figures(tmp_path / "a.pptx") == []


def test_a_deck_without_any_words_is_refused(tmp_path: Path) -> None:
    presentation: Any = pptx.Presentation()
    presentation.slides.add_slide(presentation.slide_layouts[6])
    presentation.save(str(tmp_path / "a.pptx"))
    assert refusal(tmp_path / "a.pptx").code == "empty_file"


def test_real_files_are_read() -> None:
    _, (slide,) = read(shared("docs/docling_ecosystem.pptx"))
    assert {"LangChain", "spaCy", "Docling"} <= set(slide.text.split())
    assert len(figures(shared("docs/docling_ecosystem.pptx"))) == 1
    _, (section,) = read(shared("docs/tables.docx"))
    assert "| d | e, f; g&t, h | i |" in section.text


def test_a_picture_pasted_into_an_empty_document_is_read(tmp_path: Path) -> None:
    document: Any = docx.Document()
    document.add_picture(io.BytesIO(picture("Ohm's law\nU equals R times I", (800, 300))))
    document.save(str(tmp_path / "a.docx"))
    assert "times" in read(tmp_path / "a.docx")[1][0].text


def m(name: str, *parts: str, **properties: str) -> str:
    """An OMML element: `e`, `sub` and so on are given as "name:content"."""
    inner = "".join(
        f"<m:{part.split(':', 1)[0]}>{part.split(':', 1)[1]}</m:{part.split(':', 1)[0]}>" for part in parts
    )
    given = "".join(f'<m:{key} m:val="{value}"/>' for key, value in properties.items())
    return f"<m:{name}><m:{name}Pr>{given}</m:{name}Pr>{inner}</m:{name}>"


@pytest.mark.parametrize(
    ("formula", "expected"),
    [
        (fraction(run("a+b"), run("2")), r"\frac{a+b}{2}"),
        (m("f", f"num:{run('n')}", f"den:{run('k')}", type="noBar"), r"\binom{n}{k}"),
        (m("f", f"num:{run('a')}", f"den:{run('b')}", type="lin"), "a/b"),
        (power(run("e"), run("iπ")), "e^{iπ}"),
        (power(run("ab"), run("2")), "{ab}^2"),
        (index(run("v"), run("max")), "v_{max}"),
        (root(run("x")), r"\sqrt{x}"),
        (m("rad", f"deg:{run('3')}", f"e:{run('x')}"), r"\sqrt[3]{x}"),
        (total("∫", run("0"), run("∞"), run("f(x)dx")), r"\int_0^∞ f(x)dx"),
        (m("d", f"e:{fraction(run('a'), run('b'))}"), r"\left( \frac{a}{b} \right)"),
        (m("d", f"e:{run('x')}", begChr="|", endChr="|"), r"\vert x\vert"),
        (m("func", f"fName:{run('sin')}", f"e:{run('x')}"), r"\sin x"),
        (
            m("func", "fName:" + m("limLow", f"e:{run('lim')}", f"lim:{run('x→0')}"), f"e:{run('x')}"),
            r"\lim_{x→0} x",
        ),
        (m("acc", f"e:{run('v')}", chr="\u20d7"), r"\vec{v}"),
        (m("bar", f"e:{run('z')}", pos="top"), r"\overline{z}"),
        (m("sPre", f"sub:{run('6')}", f"sup:{run('14')}", f"e:{run('C')}"), "{}_6^{14}C"),
        (
            m("d", "e:" + m("eqArr", f"e:{run('x&amp;=1')}", f"e:{run('y&amp;=2')}"), begChr="{", endChr=""),
            r"\begin{cases} x&=1 \\ y&=2 \end{cases}",
        ),
        (run("𝑎 &lt; 50 %"), r"a < 50 \%"),
        ("<m:r><m:rPr><m:nor/></m:rPr><m:t>if x_1</m:t></m:r>", r"\text{if x\_1}"),
        ("<m:unknown><m:e>" + run("q") + "</m:e></m:unknown>", "q"),
    ],
)
def test_formulas_become_latex(formula: str, expected: str) -> None:
    assert " ".join(to_latex(omath(formula)).split()) == expected


def test_word_shows_boxes_symbols_and_fields_but_no_hidden_words(tmp_path: Path) -> None:
    w = (
        'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main" '
        'xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006" '
        'xmlns:wps="http://schemas.microsoft.com/office/word/2010/wordprocessingShape"'
    )
    box = "<w:txbxContent><w:p><w:r><w:t>in a box</w:t></w:r></w:p></w:txbxContent>"
    runs = (
        '<w:r><w:t xml:space="preserve">Angle </w:t></w:r><w:r><w:sym w:font="Symbol" w:char="F061"/></w:r>'
        '<w:r><w:rPr><w:vanish/></w:rPr><w:t>secret</w:t></w:r><w:r><w:fldChar w:fldCharType="begin"/></w:r>'
        "<w:r><w:instrText>REF x</w:instrText></w:r><w:r><w:t>, see 3</w:t></w:r>"
        f"<w:r><mc:AlternateContent><mc:Choice Requires='wps'><wps:txbx>{box}</wps:txbx></mc:Choice>"
        f"<mc:Fallback>{box}</mc:Fallback></mc:AlternateContent></w:r>"
        '<w:moveFrom><w:r><w:t>moved away</w:t></w:r></w:moveFrom><w:ins><w:r><w:t xml:space="preserve"> and new</w:t></w:r></w:ins>'
    )
    body = f"<w:document {w}><w:body><w:sdt><w:sdtContent><w:p>{runs}</w:p></w:sdtContent></w:sdt></w:body></w:document>"
    document: Any = docx.Document()
    document.save(str(tmp_path / "a.docx"))
    path = rezipped(
        tmp_path / "a.docx",
        tmp_path / "b.docx",
        lambda name, data: body.encode() if name == "word/document.xml" else data,
    )
    assert read(path)[1][0].text == "Angle α, see 3 and new\n\nin a box"


def test_smart_art_is_an_indented_list() -> None:
    d = 'xmlns:dgm="http://schemas.openxmlformats.org/drawingml/2006/diagram" xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main"'
    texts = {"1": "Cycle", "2": "Evaporation", "3": "Rain"}
    points = '<dgm:pt modelId="0" type="doc"/>' + "".join(
        f'<dgm:pt modelId="{name}"><dgm:t><a:p><a:r><a:t>{text}</a:t></a:r></a:p></dgm:t></dgm:pt>'
        for name, text in texts.items()
    )
    links = "".join(
        f'<dgm:cxn srcId="{above}" destId="{below}" srcOrd="{place}"/>'
        for above, below, place in (("0", "1", 0), ("1", "3", 1), ("1", "2", 0))
    )
    model = etree.fromstring(
        f"<dgm:dataModel {d}><dgm:ptLst>{points}</dgm:ptLst><dgm:cxnLst>{links}</dgm:cxnLst></dgm:dataModel>"
    )
    assert [paragraph.text for paragraph in diagram(model)] == ["- Cycle", "  - Evaporation", "  - Rain"]
