"""PDF extraction on real books and slides: text, order, headings, and boxes that lie over the words."""

import itertools
import random
import re
from collections import Counter
from functools import cache
from pathlib import Path
from typing import Any

import pymupdf
import pytest

from storage.embeddings import shared_embedder
from tests.data import shared
from tools.ingest.chunking import chunk
from tools.ingest.passages import boxes_for
from tools.ingest.pdf import PdfExtractor
from tools.ingest.render import render_page
from tools.ingest.segments import Chunk, ContentType, Segment

_mupdf: Any = pymupdf
TEXTBOOK = "docs/decay_textbook_241p.pdf"
PAPER = "docs/dpr_paper_two_column_13p.pdf"
SLIDES = "docs/slides_wave_136p.pdf"
LIGATURES = {"\x1b": "ff", "\x1c": "fi", "\x1d": "fl", "\x1e": "ffi", "\x1f": "ffl"} | {
    "ﬀ": "ff",
    "ﬁ": "fi",
    "ﬂ": "fl",
    "ﬃ": "ffi",
    "ﬄ": "ffl",
}


@cache
def pages_of(path: Path) -> list[Segment]:
    extractor = PdfExtractor(path)
    try:
        return list(extractor.segments())
    finally:
        extractor.close()


@cache
def chunks_of(path: Path) -> list[Chunk]:
    return list(chunk(pages_of(path), shared_embedder()))


def letters(text: str) -> str:
    for glyph, plain in LIGATURES.items():
        text = text.replace(glyph, plain)
    return re.sub(r"[^a-z0-9]", "", text.lower())


def words_in_boxes(page: Any, segment: Segment, made: Chunk) -> str:
    width, height = page.rect.width, page.rect.height
    boxes = boxes_for(segment.lines, made.start, made.end)
    found = []
    for x0, y0, x1, y1, word, *_ in page.get_text("words"):
        shown = _mupdf.Rect(x0, y0, x1, y1) * page.rotation_matrix
        x, y = (shown.x0 + shown.x1) / 2, (shown.y0 + shown.y1) / 2
        if any(
            b.x0 * width - 3 <= x <= b.x1 * width + 3 and b.y0 * height - 1 <= y <= b.y1 * height + 1
            for b in boxes
        ):
            found.append(word)
    return letters("".join(found))


def agreement(expected: str, found: str) -> tuple[float, float]:
    """Shares of the letters of the passage that lie in its boxes, and of the letters in the boxes that are its own."""
    common = (Counter(expected) & Counter(found)).total()
    return common / max(1, len(expected)), common / max(1, len(found))


# The words of the slides that MuPDF gives lack the ligatures, which extraction puts back: "dierence".
@pytest.mark.parametrize(("name", "least"), [(TEXTBOOK, 0.97), (PAPER, 0.97), (SLIDES, 0.8)])
def test_boxes_of_random_chunks_lie_over_their_words(name: str, least: float) -> None:
    path = shared(name)
    document = _mupdf.open(path)
    for made in random.Random(7).sample(chunks_of(path), 40):
        page, segment = document[made.segment], pages_of(path)[made.segment]
        passage = segment.text[
            made.start : made.end
        ]  # without the header that a later chunk of a table repeats
        recall, precision = agreement(letters(passage), words_in_boxes(page, segment, made))
        assert recall > least, f"page {made.segment + 1}: {made.text[:60]}"
        assert precision > 0.95, f"page {made.segment + 1}: {made.text[:60]}"


@pytest.mark.parametrize("rotation", [0, 90, 180, 270])
def test_boxes_are_right_on_a_rotated_and_cropped_page(rotation: int, tmp_path: Path) -> None:
    document = _mupdf.open(shared(PAPER))
    document.select([3])
    document[0].set_cropbox(_mupdf.Rect(50, 40, 560, 800))
    document[0].set_rotation(rotation)
    path = tmp_path / "turned.pdf"
    document.save(path)
    page = _mupdf.open(path)[0]
    segment = pages_of(path)[0]
    assert "negative passages for each question." in segment.text[:60]
    for made in chunks_of(path):
        recall, precision = agreement(letters(made.text), words_in_boxes(page, segment, made))
        assert min(recall, precision) > (0.92 if rotation in (0, 180) else 0.8)


@pytest.mark.parametrize("name", [TEXTBOOK, PAPER, SLIDES])
def test_lines_and_blocks_are_exact_slices_in_order(name: str) -> None:
    for segment in pages_of(shared(name)):
        assert segment.notice is None
        for parts in (segment.lines, segment.blocks):
            spans = [(part.start, part.end) for part in parts]
            assert all(0 <= start < end <= len(segment.text) for start, end in spans)
            assert all(before[1] <= after[0] for before, after in itertools.pairwise(spans))
        outside = list(segment.text)
        for line in segment.lines:
            outside[line.start : line.end] = [""] * (line.end - line.start)
        assert not "".join(outside).strip()
        assert not re.search("[\x00-\x08\x0b-\x1f\ud800-\udfff]", segment.text)


def test_the_textbook_reads_as_printed() -> None:
    pages = pages_of(shared(TEXTBOOK))
    assert len(pages) == 241
    page = pages[30]
    assert (page.number, page.label) == (31, "17")
    assert page.heading_path[-1] == "1.1.7 Mathematical derivation of finite difference formulas"
    assert "1.1 Finite difference methods" in page.heading_path
    assert not page.text.startswith("1.1 Finite")  # the running head
    assert "17" not in page.text.split("\n")[0]
    headings = [page.text[b.start : b.end] for b in page.blocks if b.type is ContentType.HEADING]
    assert headings == ["1.1.8 Compact operator notation for finite differences"]
    assert any(b.type is ContentType.FORMULA for b in page.blocks)
    assert "Let us write up the Taylor polynomial approximations to" in page.text  # hyphen at the line end
    code = pages[100].text
    assert "def compute_rates(dt_values, E_values):\n    m = len(dt_values)\n    r = [log(" in code


def test_pages_have_the_labels_of_the_file(tmp_path: Path) -> None:
    document = _mupdf.open()
    for _ in range(40):
        document.new_page()
    document.set_page_labels(
        [
            {"startpage": 2, "style": "r", "firstpagenum": 3},
            {"startpage": 4, "style": "D", "prefix": "B-", "firstpagenum": 9},
            {"startpage": 6, "prefix": "cover"},
            {"startpage": 7, "style": "A"},
            {"startpage": 36, "style": "R", "firstpagenum": 5000},
        ]
    )
    document.save(tmp_path / "labelled.pdf")
    labels = [page.label for page in pages_of(tmp_path / "labelled.pdf")]
    assert labels[:9] == [None, None, "iii", "iv", "B-9", "B-10", "cover", "A", "B"]
    assert [labels[index] for index in (32, 33, 34, 36)] == ["Z", "AA", "BB", "5000"]


def test_two_columns_are_read_one_after_the_other() -> None:
    text = pages_of(shared(PAPER))[3].text
    places = [
        text.index(words)
        for words in (
            "negative passages for each question",
            "4.1 Wikipedia Data Pre-processing",
            "sources questions from TREC QA tracks",
            "as well as various Web sources",
            "5 Experiments: Passage Retrieval",
        )
    ]
    assert places == sorted(places)
    assert "Natural Questions | 79,168 | 58,880 | 8,757 | 3,610" in text
    assert pages_of(shared(PAPER))[4].heading_path == ("5 Experiments: Passage Retrieval",)


def test_slides_have_their_title_as_heading_and_readable_ligatures() -> None:
    slides = pages_of(shared(SLIDES))
    slide = slides[20]
    first = slide.blocks[0]
    assert first.type is ContentType.HEADING
    assert slide.text[first.start : first.end] == "PDE solvers should save memory"
    assert "Finite difference methods" in slides[2].text


def test_resuming_in_the_middle_gives_the_same_pages() -> None:
    path = shared(TEXTBOOK)
    extractor = PdfExtractor(path)
    assert next(extractor.segments(120)) == pages_of(path)[120]
    assert next(extractor.segments(32)) == pages_of(path)[32]
    extractor.close()


def test_a_page_in_scrambled_stream_order_is_put_in_order(tmp_path: Path) -> None:
    document = _mupdf.open()
    page = document.new_page()
    rows = list(range(30))
    random.Random(3).shuffle(rows)
    for row in rows:
        page.insert_text(
            (72, 100 + row * 18), f"Row number {row:02d} of a page that was written in no order."
        )
    path = tmp_path / "scrambled.pdf"
    document.save(path)
    text = " ".join(pages_of(path)[0].text.split())
    assert [int(number) for number in re.findall(r"number (\d\d)", text)] == sorted(rows)


def test_pages_without_text_between_pages_with_text_are_empty(tmp_path: Path) -> None:
    document = _mupdf.open()
    for text in ("First page.", "", "Third page."):
        page = document.new_page()
        if text:
            page.insert_text((72, 300), text)
    path = tmp_path / "gap.pdf"
    document.save(path)
    assert [page.text for page in pages_of(path)] == ["First page.", "", "Third page."]


def test_a_page_is_drawn_at_a_bounded_width() -> None:
    path = shared(TEXTBOOK)
    drawn = _mupdf.Pixmap(render_page(path, 31, 640))
    assert drawn.width == pytest.approx(640, abs=1)
    assert _mupdf.Pixmap(render_page(path, 31, 99_999)).width <= 2001
    with pytest.raises(IndexError):
        render_page(path, 242, 640)
