"""Word, PowerPoint, HTML, Markdown and text: sections by heading, lists, tables, code and notes."""

from pathlib import Path
from typing import Any

import docx
import pptx
from pptx.util import Inches

from tests.data import shared
from tools.ingest.opening import open_document
from tools.ingest.segments import ContentType, DocumentInfo, Segment, SegmentKind


def read(path: Path) -> tuple[DocumentInfo, list[Segment]]:
    extractor = open_document(path, path.name)
    try:
        found = list(extractor.segments())
        assert found[1:] == list(extractor.segments(1))
        for ordinal, segment in enumerate(found):
            assert (segment.ordinal, segment.number) == (ordinal, ordinal + 1)
            assert all(segment.text[b.start : b.end].strip() for b in segment.blocks)
        return extractor.info, found
    finally:
        extractor.close()


def typed(segment: Segment) -> list[tuple[ContentType, str]]:
    return [(block.type, segment.text[block.start : block.end]) for block in segment.blocks]


def test_markdown_keeps_headings_lists_tables_and_code(tmp_path: Path) -> None:
    path = tmp_path / "notes.md"
    path.write_text(
        "---\ntitle: My notes\n---\n# Decay\nIntro *with* `code` and [a link](http://x).\n\n## Schemes\n"
        "- first\n  - nested\n- second\n\n1. one\n2. two\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n"
        "```python\ndef f():\n    return 1\n```\n\n## Other\ntext\n"
    )
    info, (decay, schemes, other) = read(path)
    assert (info.title, info.media_type) == ("My notes", "text/markdown")
    assert decay.text == "Decay\n\nIntro with code and a link."
    assert (schemes.heading_path, schemes.heading_levels) == (("Decay",), (1,))
    assert typed(schemes) == [
        (ContentType.HEADING, "Schemes"),
        (ContentType.LIST, "- first"),
        (ContentType.LIST, "  - nested"),
        (ContentType.LIST, "- second"),
        (ContentType.LIST, "1. one"),
        (ContentType.LIST, "2. two"),
        (ContentType.TABLE, "| a | b |\n|---|---|\n| 1 | 2 |"),
        (ContentType.TEXT, "def f():\n    return 1"),
    ]
    assert other.heading_path == ("Decay", "Schemes")
    assert other.blocks[0].level == 2


def test_html_keeps_what_a_reader_reads(tmp_path: Path) -> None:
    path = tmp_path / "page.html"
    path.write_text(
        "<!doctype html><html lang=en><head><title>A &amp; B</title><style>p{}</style></head><body>"
        "<nav>menu</nav><h1>One</h1><div>Hello <b>bold</b> x<sup>2</sup>.<p>Inner</p>tail</div>"
        "<h2>Two</h2><ul><li>a<ul><li>n</li></ul></li><li><p>b</p></li></ul>"
        "<table><tr><th>A<th>B</tr><tr><td>1<td>2|3</tr></table><pre>def f():\n    return 1</pre>"
        "<script>x()</script><footer>foot</footer></body></html>"
    )
    info, (one, two) = read(path)
    assert (info.title, info.language) == ("A & B", "en")
    assert one.text == "One\n\nHello bold x2.\n\nInner\n\ntail"
    assert typed(two)[1:] == [
        (ContentType.LIST, "- a"),
        (ContentType.LIST, "  - n"),
        (ContentType.LIST, "- b"),
        (ContentType.TABLE, "| A | B |\n| --- | --- |\n| 1 | 2\\|3 |"),
        (ContentType.TEXT, "def f():\n    return 1"),
    ]


def test_html_nested_without_end_is_read(tmp_path: Path) -> None:
    path = tmp_path / "deep.html"
    path.write_text("<!doctype html><body>" + "<div><b>" * 5000 + "deep words" + "</b></div>" * 5000)
    _, found = read(path)
    assert "deep words" in found[0].text


def test_word_sections_follow_headings(tmp_path: Path) -> None:
    document: Any = docx.Document()
    document.core_properties.title = "Course notes"
    document.add_heading("Stability", 1)
    document.add_paragraph("Backward Euler is stable.")
    document.add_heading("Details", 2)
    document.add_paragraph("first", style="List Bullet")
    table = document.add_table(rows=2, cols=2)
    for row, cells in zip(table.rows, (("a", "b"), ("1", "2")), strict=True):
        for cell, text in zip(row.cells, cells, strict=True):
            cell.text = text
    document.add_paragraph("Table 1: Numbers", style="Caption")
    path = tmp_path / "notes.docx"
    document.save(str(path))
    info, (stability, details) = read(path)
    assert (info.title, info.segment_kind) == ("Course notes", SegmentKind.SECTION)
    assert stability.text == "Stability\n\nBackward Euler is stable."
    assert details.heading_path == ("Stability",)
    assert typed(details) == [
        (ContentType.HEADING, "Details"),
        (ContentType.LIST, "- first"),
        (ContentType.TABLE, "| a | b |\n| --- | --- |\n| 1 | 2 |"),
        (ContentType.CAPTION, "Table 1: Numbers"),
    ]


def test_a_real_word_file_with_tables_is_read() -> None:
    _, (section,) = read(shared("docs/tables.docx"))
    assert "| Header Col 1 | Header Col 2 |\n| --- | --- |\n| Lorem ipsum | A link example |" in section.text


def test_slides_have_title_bullets_table_and_notes(tmp_path: Path) -> None:
    deck: Any = pptx.Presentation()
    slide = deck.slides.add_slide(deck.slide_layouts[1])
    slide.shapes.title.text = "Forward Euler"
    slide.placeholders[1].text = "explicit\nconditionally stable"
    table = slide.shapes.add_table(1, 2, Inches(1), Inches(6), Inches(3), Inches(1)).table
    table.cell(0, 0).text, table.cell(0, 1).text = "dt", "0.1"
    slide.notes_slide.notes_text_frame.text = "Mention the amplification factor."
    deck.slides.add_slide(deck.slide_layouts[6])
    path = tmp_path / "deck.pptx"
    deck.save(str(path))
    info, (first, second) = read(path)
    assert (info.segment_count, info.segment_kind) == (2, SegmentKind.SLIDE)
    assert typed(first) == [
        (ContentType.HEADING, "Forward Euler"),
        (ContentType.LIST, "- explicit"),
        (ContentType.LIST, "- conditionally stable"),
        (ContentType.TABLE, "| dt | 0.1 |\n| --- | --- |"),
        (ContentType.TEXT, "Notes: Mention the amplification factor."),
    ]
    assert (second.text, second.number) == ("", 2)


def test_a_real_deck_is_read() -> None:
    _, (slide,) = read(shared("docs/docling_ecosystem.pptx"))
    assert {"LangChain", "spaCy", "Docling"} <= set(slide.text.split())


def test_long_plain_text_is_cut_into_sections_at_paragraphs(tmp_path: Path) -> None:
    path = tmp_path / "long.txt"
    path.write_text("\r\n\r\n".join(f"Paragraph {number}. " + "words " * 80 for number in range(60)))
    _, found = read(path)
    assert len(found) > 5
    assert all(len(segment.text) <= 4500 for segment in found)
    assert [s.text.startswith("Paragraph ") for s in found] == [True] * len(found)
    path.write_text("x" * 50_000)
    _, found = read(path)
    assert sum(segment.text.count("x") for segment in found) == 50_000
