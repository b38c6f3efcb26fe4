"""Text recognition on the pages that need it, and on no others."""

import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from tests.data import mupdf, shared
from tools.ingest.pdf import PdfExtractor
from tools.ingest.pdf.legibility import MOST_ODD_WORDS, Legibility
from tools.ingest.pdf.scans import needs_recognition
from tools.ingest.pdf.sheet import read_page
from tools.ingest.segments import ContentType, Segment

TITLE = "Stability of the schemes"
LINES = (
    "The numerical solution of the decay equation is compared",
    "with the exact solution for several values of the time step,",
    "and the error is found to be proportional to the square of the dis-",
    "cretization parameter when the scheme is centered in time.",
)
PLAIN = "This page has a text layer of its own, which says exactly what is printed on it."
PAPER = (595, 842)


def printed(document: Any) -> Any:
    """A page with a title, a paragraph and a page number."""
    page = document.new_page(width=PAPER[0], height=PAPER[1])
    page.insert_text((72, 150), TITLE, fontsize=22)
    for number, line in enumerate(LINES):
        page.insert_text((72, 220 + 20 * number), line, fontsize=14)
    page.insert_text((290, 815), "17", fontsize=11)
    return page


def scanned(document: Any, page: Any, rotation: int = 0) -> Any:
    """The page as a picture of itself; turned ones are stored sideways and shown upright."""
    pixmap = page.get_pixmap(matrix=mupdf.Matrix(150 / 72, 150 / 72).prerotate(-rotation))
    turned = rotation in (90, 270)
    width, height = reversed(PAPER) if turned else PAPER
    scan = document.new_page(width=width, height=height)
    scan.insert_image(scan.rect, stream=pixmap.tobytes("png"))
    scan.set_rotation(rotation)
    return scan


def with_shifted_letters(document: Any) -> Any:
    """A page that shows the lines and whose fonts say that each letter is the third one after it."""
    page = printed(document)
    cmap = (
        b"/CIDInit /ProcSet findresource begin 12 dict begin begincmap /CMapName /X def /CMapType 2 def\n"
        b"1 begincodespacerange <00> <ff> endcodespacerange\n"
        b"2 beginbfrange <41> <5a> <0044> <61> <7a> <0064> endbfrange\n"
        b"endcmap end end"
    )
    stream = document.get_new_xref()
    document.update_object(stream, "<<>>")
    document.update_stream(stream, cmap, new=True)
    for font in page.get_fonts():
        document.xref_set_key(font[0], "ToUnicode", f"{stream} 0 R")
    return page


@cache
def mixed_file(folder: Path) -> Path:
    """A page of text, a scan that is stored sideways, and a page with a broken text layer."""
    document, source = mupdf.open(), mupdf.open()
    document.new_page().insert_text((72, 100), PLAIN)
    scanned(document, printed(source), 90)
    with_shifted_letters(source)
    document.insert_pdf(source, from_page=1, to_page=1)
    path = folder / "mixed.pdf"
    document.save(path)
    return path


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> list[Segment]:
    extractor = PdfExtractor(mixed_file(tmp_path_factory.mktemp("scans")))
    try:
        return list(extractor.segments())
    finally:
        extractor.close()


def test_the_page_with_text_is_read_as_it_is(pages: list[Segment]) -> None:
    assert " ".join(pages[0].text.split()) == PLAIN


@pytest.mark.parametrize("number", [1, 2])
def test_scans_and_garbage_are_recognised_with_heading_and_without_hyphen_and_page_number(
    pages: list[Segment], number: int
) -> None:
    page = pages[number]
    first, second = page.blocks
    assert first.type is ContentType.HEADING
    assert page.text[first.start : first.end] == TITLE
    expected = " ".join(LINES).replace("dis- cretization", "discretization")
    assert page.text[second.start : second.end] == expected
    assert page.notice is None


def test_boxes_of_a_turned_scan_lie_over_the_words_as_shown(pages: list[Segment]) -> None:
    page = pages[1]
    boxes = [line for line in page.lines if line.start >= page.blocks[1].start]
    assert len(boxes) == len(LINES)
    for number, box in enumerate(boxes):
        base = (220 + 20 * number) / PAPER[1]
        assert box.x0 == pytest.approx(72 / PAPER[0], abs=0.012)
        assert box.y0 < base - 0.004 < box.y1
        assert box.y1 - box.y0 < 0.03


@pytest.mark.parametrize(
    "name", ["decay_textbook_241p.pdf", "slides_wave_136p.pdf", "dpr_paper_two_column_13p.pdf"]
)
def test_no_page_of_real_books_slides_and_papers_is_recognised_without_need(name: str) -> None:
    needed = []
    for page in mupdf.open(shared(f"docs/{name}")):
        draft = read_page(page)
        if draft.legibility.characters >= 10 and needs_recognition(page, draft):
            needed.append(page.number + 1)
    assert not needed


def corpus(name: str) -> list[str]:
    lines = shared(f"labelled/{name}/corpus.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line)["text"] for line in lines[:240]]


def shifted(text: str, by: int) -> str:
    return "".join(chr((ord(c) - ord("a") + by) % 26 + ord("a")) if "a" <= c <= "z" else c for c in text)


@pytest.mark.parametrize("name", ["squad", "xquad_en", "xquad_de", "openstax_python"])
def test_good_text_passes_and_the_same_text_with_other_letters_does_not(name: str) -> None:
    texts = [text for text in corpus(name) if len(text) > 500]
    assert len(texts) > 40
    for text in texts:
        assert not Legibility.of([text]).is_garbage
        assert Legibility.of([text]).odd_words < MOST_ODD_WORDS
        for by in (1, 3, 13, 25):
            assert Legibility.of([shifted(text, by)]).is_garbage
        assert Legibility.of(
            [text.translate(dict.fromkeys(map(ord, "etan"), 0xFFFD) | {ord("o"): 0xE012})]
        ).is_garbage
        assert Legibility.of(["".join(chr(33 + ord(c) % 14) if c.isalpha() else c for c in text)]).is_garbage


@pytest.mark.parametrize(
    "text",
    [
        "Пусть функция задана на отрезке, тогда существует точка, в которой производная равна нулю. " * 4,
        "設函數在閉區間上連續，則它在該區間上取得最大值和最小值。" * 8,
        "1.05 2.30 4.55 | 8.20 9.75 = 12.00 + 3 · 10 − 4 ≤ 7 " * 8,
        "for i in range(0, n-1):\nd[i] = u[i+1] - u[i]\nu[1:-1] += dt*(C2*(u_1[i-1] - 2*u_1[i]))\n" * 4,
        "[DtDtu = c2(DxDxu + DyDyu)]n\ni,j,k,\nun+1\ni,j\n= 2un\ni,j − un−1\ni,j + c2∆t2[DxDxu]n\n" * 4,
        "The quick brown fox jumps over the lazy dog while the cat looks on in wonder. " * 6,
        "Contents . . . . . . . . . . . . . . . . 1\nPreface . . . . . . . . . . . . . . . . . 3\n" * 8,
    ],
)
def test_other_alphabets_numbers_code_formulas_and_contents_are_no_garbage(text: str) -> None:
    assert not Legibility.of(text.split("\n")).is_garbage


def test_a_good_invisible_text_layer_over_a_scan_is_used_and_a_bad_one_is_not(tmp_path: Path) -> None:
    source = mupdf.open()
    picture = printed(source).get_pixmap(dpi=100).tobytes("png")
    judged = []
    for layer in (
        " ".join(LINES),
        "Tbe n|m3rical so1ut~on 0f tbe d^cay eq|lation i5 c0mp4red w|th tb€ ex@ct so1{ti0n f0r s3veral "
        "va1u€s 0f t~me st€p an6 tb€ err0r i5 f0^nd to b€ pr0p0rtional t0 tbe sq|are of p4rameter",
    ):
        document = mupdf.open()
        page = document.new_page(width=PAPER[0], height=PAPER[1])
        page.insert_image(page.rect, stream=picture)
        page.insert_textbox(mupdf.Rect(72, 100, 520, 700), layer, fontsize=12, render_mode=3)
        judged.append(needs_recognition(page, read_page(page)))
    assert judged == [False, True]


def test_blank_pages_and_plain_drawings_are_not_looked_at_and_letters_drawn_as_shapes_are() -> None:
    document = mupdf.open()
    for _ in range(3):
        document.new_page()
    document[1].draw_rect(mupdf.Rect(100, 100, 300, 300))
    for number in range(80):
        document[2].draw_oval(mupdf.Rect(50 + 6 * number, 100, 55 + 6 * number, 110), fill=(0, 0, 0))
    assert [needs_recognition(page, read_page(page)) for page in document] == [False, False, True]
