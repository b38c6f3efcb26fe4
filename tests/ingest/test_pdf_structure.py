"""Tables, figures and formulas of real books, slides and papers, and of pages made for it."""

import io
import itertools
import re
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from tests.data import mupdf, shared
from tools.ingest.pdf import PdfExtractor
from tools.ingest.pdf.scripts import marked, script_of
from tools.ingest.pdf.tables import markdown_row
from tools.ingest.segments import ContentType, FoundFigure, Segment

TEXTBOOK = "docs/decay_textbook_241p.pdf"
PAPER = "docs/dpr_paper_two_column_13p.pdf"
SLIDES = "docs/slides_wave_136p.pdf"


@cache
def pages_of(path: Path) -> list[Segment]:
    extractor = PdfExtractor(path)
    try:
        return list(extractor.segments())
    finally:
        extractor.close()


@cache
def figures_of(path: Path) -> list[FoundFigure]:
    extractor = PdfExtractor(path)
    try:
        return list(extractor.figures())
    finally:
        extractor.close()


def excerpt(name: str, pages: list[int], folder: Path) -> Path:
    """These pages, numbered from 1, as a file."""
    document = mupdf.open(shared(name))
    document.select([page - 1 for page in pages])
    path = folder / "excerpt.pdf"
    document.save(path)
    return path


def blocks(page: Segment, kind: ContentType) -> list[str]:
    return [page.text[block.start : block.end] for block in page.blocks if block.type is kind]


def page_with(draw: Any, folder: Path) -> Segment:
    document = mupdf.open()
    draw(document.new_page())
    path = folder / "made.pdf"
    document.save(path)
    return pages_of(path)[0]


# --- tables


def test_tables_of_the_paper_are_markdown_with_their_header_first() -> None:
    pages = pages_of(shared(PAPER))
    table = blocks(pages[3], ContentType.TABLE)[0].split("\n")
    assert table[:3] == [
        "| Dataset | Train |  | Dev | Test |",
        "| --- | --- | --- | --- | --- |",
        "| Natural Questions | 79,168 | 58,880 | 8,757 | 3,610 |",
    ]
    assert table[-1] == "| SQuAD | 78,713 | 70,096 | 8,886 | 10,570 |"
    assert "| GraphRetriever (Min et al., 2019b) | 34.5 | 56.0 | 36.4 | - | - |" in pages[7].text
    assert [len(blocks(page, ContentType.TABLE)) for page in pages] == [0, 0, 0, 1, 1, 1, 0, 1, 0, 0, 0, 2, 1]


def test_rows_of_a_table_that_wrap_between_rules_are_one_row() -> None:
    table = blocks(pages_of(shared(PAPER))[12], ContentType.TABLE)[0]
    assert table.startswith("| Question | Passage received by BM25 | Passage retrieved by DPR |\n| --- |")
    assert "\n| What is the body of water between England and Ireland? | Title:British Cycling" in table


def test_tables_of_the_textbook_are_found_and_nothing_else_is_a_table() -> None:
    pages = pages_of(shared(TEXTBOOK))
    assert [page.number for page in pages if blocks(page, ContentType.TABLE)] == [84, 86, 88, 138]
    assert "| 0.4 | 9 · 10^{−2} | 6 · 10^{−2} | 5 · 10^{−3} |" in pages[85].text
    assert blocks(pages[137], ContentType.TABLE)[0].count("\n") == 8


def test_each_row_of_a_table_has_its_box() -> None:
    page = pages_of(shared(TEXTBOOK))[137]
    block = next(block for block in page.blocks if block.type is ContentType.TABLE)
    lines = [line for line in page.lines if block.start <= line.start < block.end]
    assert page.text[lines[0].start : lines[0].end].endswith("| --- | --- | --- | --- |")
    assert len(lines) == 8
    assert all(a.y0 < b.y0 and a.y1 <= b.y1 for a, b in itertools.pairwise(lines))


def test_a_table_with_a_grid_keeps_wrapped_cells_together(tmp_path: Path) -> None:
    rows = [
        ("Element", "Symbol", "Use"),
        ("Iron", "Fe", "Steel for|bridges"),
        ("Copper", "Cu", "Wires"),
        ("Gold", "Au", "Coins"),
    ]

    def draw(page: Any) -> None:
        page.insert_text((72, 60), "The following elements are metals and conduct electricity rather well.")
        for index, cells in enumerate(rows):
            for column, cell in enumerate(cells):
                box = mupdf.Rect(72 + 120 * column, 100 + 40 * index, 192 + 120 * column, 140 + 40 * index)
                page.draw_rect(box)
                for number, line in enumerate(cell.split("|")):
                    page.insert_text((box.x0 + 6, box.y0 + 15 + 14 * number), line)

    table = blocks(page_with(draw, tmp_path), ContentType.TABLE)
    assert table == [
        "| Element | Symbol | Use |\n| --- | --- | --- |\n| Iron | Fe | Steel for bridges |\n"
        "| Copper | Cu | Wires |\n| Gold | Au | Coins |"
    ]


def test_cells_without_rules_that_stand_below_each_other_are_a_table(tmp_path: Path) -> None:
    def draw(page: Any) -> None:
        for index, cells in enumerate(
            [("Year", "Apples", "Pears"), ("2023", "110", "7"), ("2024", "95", "12")]
        ):
            for column, cell in enumerate(cells):
                page.insert_text((72 + 110 * column, 100 + 16 * index), cell)

    assert blocks(page_with(draw, tmp_path), ContentType.TABLE) == [
        "| Year | Apples | Pears |\n| --- | --- | --- |\n| 2023 | 110 | 7 |\n| 2024 | 95 | 12 |"
    ]


def test_two_columns_of_prose_between_rules_are_no_table(tmp_path: Path) -> None:
    words = "The quick brown fox jumps over the lazy dog while the cat looks on in wonder"

    def draw(page: Any) -> None:
        page.draw_line((60, 80), (540, 80))
        page.draw_line((60, 700), (540, 700))
        for column in (60, 310):
            page.insert_textbox(mupdf.Rect(column, 90, column + 230, 690), f"{words} " * 12, align=3)

    assert not blocks(page_with(draw, tmp_path), ContentType.TABLE)


@given(
    st.lists(st.text(st.characters(exclude_characters="\\\n\r\t", exclude_categories=["C", "Z"])), min_size=1)
)
def test_cells_survive_the_way_to_markdown_and_back(cells: list[str]) -> None:
    row = markdown_row(cells)
    parts = re.split(r"(?<!\\)\|", row)[1:-1]
    assert [part[1:-1].replace("\\|", "|") for part in parts] == cells


# --- formulas


@pytest.mark.parametrize(
    ("name", "page", "formula"),
    [
        (TEXTBOOK, 29, "+ 1/6 f′′′(a)(x − a)^3"),
        (TEXTBOOK, 31, "f′(t_n + 1/2 ∆t) ≈ (f(t_{n+1}) − f(t_n))/∆t − 1/4 f′′′(t_n + 1/2 ∆t)∆t^2"),
        (TEXTBOOK, 70, "u_e(t_n) = Ie^{−an∆t} = I(e^{−a∆t})^n"),
        (TEXTBOOK, 106, "u^{n+1} = 4/3 u^n − 1/3 u^{n−1} + 2/3 ∆tf(u^{n+1}, t_{n+1})"),
        (SLIDES, 10, "∂^2/∂t^2 u(x_i, t_n) = c^2 ∂^2/∂x^2 u(x_i, t_n)"),
        (SLIDES, 12, "= c^2 (u^n_{i+1} − 2u^n_i + u^n_{i−1})/∆x^2"),
        (SLIDES, 95, "u^{n+1}_{i,j} = 2u^n_{i,j} + u^{n−1}_{i,j}"),
    ],
)
def test_formulas_are_written_on_one_line_with_their_fractions_and_scripts(
    name: str, page: int, formula: str
) -> None:
    assert any(formula in text for text in blocks(pages_of(shared(name))[page - 1], ContentType.FORMULA))


def test_formulas_in_running_text_are_readable_and_footnotes_keep_their_mark() -> None:
    text = pages_of(shared(TEXTBOOK))[30].text
    assert "This time the error measure goes like 1/4 f′′′∆t^2, i.e., it is proportional to ∆t^2" in text
    paper = pages_of(shared(PAPER))[3].text
    assert "passages in the end.^5 Each passage" in paper
    assert "5 However, Wang et al. (2019) also propose" in paper


@pytest.mark.parametrize(
    ("before", "sign", "text", "math", "written"),
    [
        ("x", "^", "2", True, "^2"),
        ("e", "^", "−at", True, "^{−at}"),
        ("u", "_", "n+1", True, "_{n+1}"),
        ("the 20", "^", "th", False, "th"),
        ("H", "_", "2", False, "2"),
        ("word.", "^", "12", False, "^12"),
        ("f", "^", "′", True, "′"),
        ("L", "^", "A", False, "A"),
    ],
)
def test_scripts_are_marked_where_it_helps(
    before: str, sign: str, text: str, math: bool, written: str
) -> None:
    assert marked(before, sign, text, math=math) == written


@given(st.floats(4, 40), st.floats(4, 40), st.floats(-60, 60))
def test_only_smaller_glyphs_near_the_line_are_scripts(size: float, main: float, shift: float) -> None:
    sign = script_of(size, 100 - shift, main, 100)
    if sign:
        assert size < main
        assert (shift > 0) == (sign == "^")
        assert abs(shift) < main


# --- figures


def test_figures_of_the_paper_have_label_caption_place_and_picture() -> None:
    found = figures_of(shared(PAPER))
    assert [figure.label for figure in found] == [
        "Table 1", "Table 2", "Figure 1", "Table 3", "Table 4", "Table 5", "Table 6", "Table 7",
    ]  # fmt: skip
    assert [figure.ordinal for figure in found] == list(range(8))
    plot = found[2]
    page = pages_of(shared(PAPER))[plot.segment]
    assert (plot.kind, plot.segment) == ("figure", 4)
    assert page.text[plot.position :].startswith("Figure 1: Retriever top-k accuracy")
    assert plot.caption is not None
    assert plot.caption.endswith("trained using 1,000 examples already outperforms BM25.")
    assert "# Train: 10k" in (plot.text or "")
    assert plot.box is not None
    x0, y0, x1, y1 = plot.box
    assert 0.5 < x0 < 0.53 < 0.9 < x1 < 0.92
    assert 0.25 < y0 < 0.27 < 0.45 < y1 < 0.46  # with the ticks and names of the axes


def test_every_numbered_figure_of_a_chapter_is_cut_out_once_and_code_is_none(tmp_path: Path) -> None:
    pages = [18, 19, 21, 22, 24, 25, 42, 51, 52, 55, 82, 83]
    found = figures_of(excerpt(TEXTBOOK, pages, tmp_path))
    labels = [figure.label for figure in found if figure.label]
    assert labels == [f"Fig. 1.{number}" for number in range(1, 10)] + ["Fig. 2.8"]
    assert [(figure.kind, figure.segment) for figure in found if not figure.label] == [("diagram", 3)]
    for figure in found:
        picture = Image.open(io.BytesIO(figure.image))
        assert figure.media_type == f"image/{(picture.format or '').lower()}"
        assert 150 < picture.width < 2000
        assert len(picture.convert("L").resize((40, 40)).getcolors() or ()) > 4  # something is drawn


def test_logos_backgrounds_and_icons_are_no_figures_and_a_photo_is(tmp_path: Path) -> None:
    def picture(size: tuple[int, int], seed: int) -> bytes:
        target = io.BytesIO()
        noise = Image.effect_noise(size, 40 + seed)
        noise.convert("RGB").save(target, "JPEG")
        return target.getvalue()

    document = mupdf.open()
    logo = 0
    for number in range(4):
        page = document.new_page()
        page.insert_text((72, 400), f"Page {number} of the lecture notes with a paragraph of text on it.")
        logo = page.insert_image(
            mupdf.Rect(400, 20, 580, 120), xref=logo, stream=None if logo else picture((180, 100), 1)
        )
        page.insert_image(mupdf.Rect(20, 800, 30, 810), stream=picture((10, 10), 50 + number))
    document[1].insert_image(document[1].rect, stream=picture((300, 400), 3), overlay=False)
    document[2].insert_image(mupdf.Rect(100, 450, 400, 650), stream=picture((300, 200), 4))
    document[2].insert_text((100, 670), "Abbildung 4.2: Ein Foto der Tafel.")
    path = tmp_path / "logos.pdf"
    document.save(path)
    (photo,) = figures_of(path)
    assert (photo.segment, photo.label, photo.caption) == (
        2,
        "Abbildung 4.2",
        "Abbildung 4.2: Ein Foto der Tafel.",
    )
    assert blocks(pages_of(path)[2], ContentType.CAPTION) == ["Abbildung 4.2: Ein Foto der Tafel."]


def test_a_figure_on_a_turned_page_is_cut_out_where_it_is_shown(tmp_path: Path) -> None:
    document = mupdf.open()
    page = document.new_page(width=600, height=800)
    target = io.BytesIO()
    Image.new("RGB", (100, 50), (200, 30, 30)).save(target, "PNG")
    page.insert_image(mupdf.Rect(100, 200, 300, 300), stream=target.getvalue())
    page.insert_text((100, 500), "Some text that is printed on the page so that it is not a scan at all.")
    page.set_rotation(90)
    path = tmp_path / "turned.pdf"
    document.save(path)
    (figure,) = figures_of(path)
    assert figure.box == pytest.approx((500 / 800, 100 / 600, 600 / 800, 300 / 600), abs=0.01)
    picture = Image.open(io.BytesIO(figure.image)).convert("RGB")
    assert picture.width < picture.height
    red = picture.getpixel((picture.width // 2, picture.height // 2))
    assert isinstance(red, tuple)
    assert red[0] > 150 > 90 > red[1]


# --- furniture and hyphens


def test_running_heads_page_numbers_and_line_end_hyphens_are_gone_in_german_too(tmp_path: Path) -> None:
    document = mupdf.open()
    for number in range(1, 7):
        page = document.new_page()
        page.insert_text((72, 40), f"Analysis I{' ' * 40}Vorlesung {number}")
        page.insert_text((72, 200), "Die Menge der reellen Zahlen ist voll-")
        page.insert_text((72, 214), "ständig, das heißt, jede Cauchyfolge kon-")
        page.insert_text((72, 228), "vergiert gegen eine reelle Zahl der Menge.")
        page.insert_text((290, 810), f"- {number + 16} -")
    path = tmp_path / "vorlesung.pdf"
    document.save(path)
    assert {page.text for page in pages_of(path)} == {
        "Die Menge der reellen Zahlen ist vollständig, das heißt, jede Cauchyfolge konvergiert gegen eine reelle Zahl der Menge."
    }
