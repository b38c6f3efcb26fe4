"""Files out of documents: the page that was asked for, no Typst out of material, and files that other programs open."""

import asyncio
import io
import json
import xml.etree.ElementTree as ElementTree
import zipfile
from uuid import UUID

import pymupdf
import pytest
from docx import Document as Word
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import html as lxml_html

from storage.errors import Unavailable
from storage.locators import Locator
from tools.documents.citing import renumbered
from tools.documents.content import (
    Answered,
    Asked,
    Citation,
    Content,
    Definition,
    DocumentFormat,
    DocumentKind,
    Formula,
    Item,
    Options,
    Quote,
    Reading,
    Review,
    Section,
    Statement,
    Table,
    Terms,
)
from tools.documents.quiz import Printed, asked
from tools.documents.rendering.blocks import SMALLEST, Page, Paragraph, plain
from tools.documents.rendering.files import MEDIA_TYPES, Stored, rendered
from tools.documents.rendering.measuring import measured
from tools.documents.rendering.paging import page_of
from tools.documents.rendering.typesetter import Typesetter
from tools.documents.sheet import fitted, ranked
from tools.study.keys import Choice, ClozeKey, Expected, MatchingKey, OrderingKey

BOOK = UUID(int=7)
EVIL = '#panic() $ #read("/etc/passwd") ] ) } \\ "; <b>x</b> &amp; ]]> *_` // /* @x <l> #import "@preview/a:1.0.0"'


def citation(number: int, page: int = 57) -> Citation:
    locator = Locator(
        material_id=BOOK, material_title="Textbook", segment=page - 1, page=page, char_start=number
    )
    return Citation(
        number=number, material_id=BOOK, title="Textbook", label=f"page {page}", quote="A cell is small.",
        locator=locator, url=f"/api/materials/{BOOK}/pages/{page}.png",
    )  # fmt: skip


def one_of_each(text: str, kind: DocumentKind = "study_guide") -> Content:
    """A document with every form, all of whose texts are this one."""
    choices = [Choice(id="a", text=text), Choice(id="b", text=text)]
    items: list[Item] = [
        Terms(terms=[text]),
        Statement(text=text, cites=[1]),
        Statement(text=text, is_example=True, cites=[1]),
        Definition(term=text[:20] or "x", text=text, cites=[2]),
        Formula(text=text, about=text, label=text, cites=[1]),
        Formula(tex=r"\frac{a}{b}", text="", cites=[1]),
        Table(caption=text, rows=[[text, text], [text]], cites=[1]),
        Review(question=text, answer=text, cites=[2]),
        Reading(text=text, cites=[1]),
    ]
    if kind == "past_paper_answers":
        quotes = [Quote(text=text, cites=[1])]
        items = [
            Answered(number="1", question=text, options=[text], marks=2, answer=text, quotes=quotes, is_found=True, asked_at=[2]),
            Answered(number="2", question=text, is_found=False, asked_at=[2]),
        ]  # fmt: skip
    if kind == "quiz_sheet":
        items = [
            Asked(number=1, form="matching", text=text, options=choices, right=choices, key=text, quote=text, cites=[1]),
            Asked(number=2, form="multiple_choice", text=text, options=choices, key=text, cites=[2]),
            Asked(number=3, form="short_answer", text=text, lines=4, key=text, cites=[2]),
        ]  # fmt: skip
    return Content(
        kind=kind, title=text, subtitle=text, lead=text, remarks=[text],
        sections=[Section(heading=text, place="page 3", items=items)],
    )  # fmt: skip


def stored(content: Content, **options: object) -> Stored:
    return Stored(
        content, [citation(1), citation(2, 58)], Options.model_validate(options), None, "en", {"version": 1}
    )


def printed(pdf: bytes) -> str:
    with pymupdf.open(stream=pdf) as document:  # type: ignore[no-untyped-call]
        return " ".join(" ".join(one.get_text() for one in document).split())


KINDS: tuple[DocumentKind, ...] = (
    "cheat_sheet",
    "study_guide",
    "summary",
    "past_paper_answers",
    "quiz_sheet",
)


@pytest.mark.parametrize("kind", KINDS)
async def test_every_kind_is_a_valid_file_in_every_format(kind: DocumentKind) -> None:
    whole = stored(one_of_each("Heat is $x^2$ & <b> u^{n+1}.", kind))
    made: dict[DocumentFormat, bytes] = {
        f: await rendered(whole, f, "https://example.org") for f in MEDIA_TYPES
    }
    assert "Heat is" in printed(made["pdf"])
    with pymupdf.open(stream=made["pdf"]) as document:  # type: ignore[no-untyped-call]
        links = [link["uri"] for one in document for link in one.get_links() if "uri" in link]
    assert f"https://example.org/api/materials/{BOOK}/pages/57.png" in links
    word = Word(io.BytesIO(made["docx"]))
    assert any("Heat is" in paragraph.text for paragraph in word.paragraphs)
    for name in zipfile.ZipFile(io.BytesIO(made["docx"])).namelist():
        if name.endswith(".xml"):
            ElementTree.fromstring(zipfile.ZipFile(io.BytesIO(made["docx"])).read(name))
    assert b"<m:oMath" in zipfile.ZipFile(io.BytesIO(made["docx"])).read("word/document.xml")
    page = lxml_html.fromstring(made["html"].decode())
    assert page.cssselect("math") if hasattr(page, "cssselect_") else b"<math" in made["html"]
    assert b"<b>" not in made["html"]
    assert b"prefers-color-scheme: dark" in made["html"]
    assert b"src=" not in made["html"]
    text = made["md"].decode()
    assert "$x^2$" in text
    assert f"[Textbook, page 57](<https://example.org/api/materials/{BOOK}/pages/57.png>)" in text
    data = json.loads(made["json"])
    assert Content.model_validate(data["content"]) == whole.content
    assert [one["number"] for one in data["citations"]] == [1, 2]


@pytest.mark.parametrize("kind", KINDS)
async def test_material_cannot_bring_typst_or_html_along(kind: DocumentKind) -> None:
    whole = stored(one_of_each(EVIL, kind))
    text = printed(await rendered(whole, "pdf", ""))
    assert "#panic()" in text
    assert "root:" not in text
    page = (await rendered(whole, "html", "")).decode()
    assert "<b>x</b>" not in page


@settings(max_examples=3, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(
    st.lists(
        st.text(max_size=80) | st.text(list("#$[](){}\\\"'@<>*_`/=~;:-+ az"), max_size=80),
        min_size=25,
        max_size=25,
    )
)
def test_any_text_is_set_as_it_is(texts: list[str]) -> None:
    async def setting() -> bytes:
        async with Typesetter() as typesetter:
            # Short lines, so that no word is divided.
            parts = [Paragraph(plain(text[n : n + 20])) for text in texts for n in range(0, len(text), 20)]
            return await typesetter.exactly(Page("T", "", parts))

    found = bare_letters(printed(asyncio.run(setting())))
    assert bare_letters("".join(texts)) in found.replace("T12", "")


def bare_letters(text: str) -> str:
    return "".join(c for c in text if c in "#$[]{}@*~;+ab z").replace(" ", "")


async def test_a_page_that_takes_too_long_is_given_up() -> None:
    typesetter = Typesetter(seconds=0.0)
    with pytest.raises(Unavailable, match="could not be set"):
        await typesetter.pdf(Page("T", "", []))


# --- cheat sheets


def sheet(count: int, words: int) -> Content:
    """Many items of all forms, with formulas that have small print."""
    sections = []
    for n in range(max(1, count // 8)):
        items: list[Item] = [
            Definition(term=f"Term {n}", text=f"Term {n} is a thing {'of some size ' * (words // 4)}.", cites=[8 * n + 1]),
            Formula(tex=r"x_{n_i}^{2^k} = \frac{\frac{a}{b_{c_d}}}{\sqrt[3]{x}} \sum_{i=1}^n \binom{n}{k}", text="", label=f"({n}.1)", cites=[8 * n + 2]),
            Table(rows=[["a", "b"], ["$x_i$", "2"]], cites=[8 * n + 3]),
            *(Statement(text=f"Point {n}.{m} says {'something new ' * (words // 2)} of u^{{n+1}}.", cites=[8 * n + m]) for m in range(4, 9)),
        ]  # fmt: skip
        sections.append(Section(heading=f"Section {n}", items=items))
    return Content(kind="cheat_sheet", title="Everything", sections=sections)


@pytest.mark.parametrize(
    ("count", "words", "options"),
    [
        (64, 34, {"pages": 1, "paper": "a4", "columns": 2}),
        (64, 44, {"pages": 1, "paper": "letter", "columns": 3, "depth": "detailed"}),
        (96, 24, {"pages": 2, "paper": "a4", "columns": 1, "depth": "brief"}),
        (8, 10, {"pages": 1, "paper": "letter", "columns": 2}),
    ],
)
async def test_a_cheat_sheet_fits_its_pages_is_full_and_has_no_print_under_seven_points(
    count: int, words: int, options: dict[str, object]
) -> None:
    content = sheet(count, words)
    asked_for = Options.model_validate(options)
    citations = [citation(n, n) for n in range(1, count + 1)]
    finished = await fitted(content, citations, asked_for, "en")
    pdf = await rendered(
        Stored(finished.content, finished.citations, asked_for, finished.size, "en", {}), "pdf", ""
    )
    found = measured(pdf, asked_for.columns)
    assert found.pages == finished.page_count
    assert found.pages <= asked_for.pages
    assert found.smallest >= SMALLEST - 0.01
    with pymupdf.open(stream=pdf) as document:  # type: ignore[no-untyped-call]
        assert round(document[0].rect.width) == {"a4": 595, "letter": 612}[asked_for.paper]
    left = sum(len(s.items) for s in content.sections) - sum(len(s.items) for s in finished.content.sections)
    if left:
        assert found.pages == asked_for.pages
        assert found.filled > 0.85
    else:
        assert finished.size == 12.0
    numbers = [n for s in finished.content.sections for i in s.items for n in getattr(i, "cites", [])]
    assert sorted(set(numbers)) == [one.number for one in finished.citations]


def test_definitions_and_numbered_formulas_come_before_points_and_short_before_long() -> None:
    content = sheet(8, 30)
    kinds = [type(content.sections[n].items[m]).__name__ for n, m in ranked(content)]
    assert set(kinds[:2]) == {"Definition", "Formula"}


def test_citations_that_are_left_are_numbered_in_order_of_appearance() -> None:
    content = Content(
        kind="summary", title="S", sections=[Section(heading="H", items=[Statement(text="x", cites=[9, 4]), Statement(text="y", cites=[4])])],
    )  # fmt: skip
    made, kept = renumbered(content, [citation(n) for n in range(1, 10)])
    assert [item.cites for item in made.sections[0].items if isinstance(item, Statement)] == [[1, 2], [2]]
    assert [(one.number, one.locator.char_start) for one in kept] == [(1, 9), (2, 4)]


# --- quiz sheets


def test_columns_and_orders_are_shuffled_by_the_seed_and_the_key_follows() -> None:
    words = [Choice(id=c, text=f"left {c}") for c in "abcd"]
    right = [Choice(id=c, text=f"right {c}") for c in "wxyz"]
    pairs = dict(zip("abcd", "wxyz", strict=True))
    one = Printed("matching", "Match.", MatchingKey(pairs=pairs), words, right, 2, None, None)
    first, again, other = (asked(1, one, seed, []) for seed in (1, 1, 2))
    assert first == again
    assert first.right != other.right
    names = {choice.id: choice.text for choice in (*first.options, *first.right)}
    for pair in first.key.split(", "):
        left_name, right_name = pair.split("–")
        assert pairs[names[left_name].removeprefix("left ")] == names[right_name].removeprefix("right ")
    ordering = Printed("ordering", "Order.", OrderingKey(order=list("abcd")), words, [], 2, None, None)
    for seed in range(30):
        assert [choice.text for choice in asked(1, ordering, seed, []).options] != [
            choice.text for choice in words
        ]


async def test_the_key_stands_on_a_page_of_its_own() -> None:
    one = Printed(
        "cloze",
        "Heat is {{1}}.",
        ClozeKey(gaps=[Expected(text="energy")]),
        [],
        [],
        1,
        None,
        "Heat is energy.",
    )
    content = Content(
        kind="quiz_sheet", title="Quiz", sections=[Section(heading="", items=[asked(1, one, 0, [1])])]
    )
    pdf = await rendered(stored(content), "pdf", "")
    with pymupdf.open(stream=pdf) as document:  # type: ignore[no-untyped-call]
        questions, key = document[0].get_text(), document[1].get_text()
    assert "Name" in questions
    assert "energy" not in questions
    assert "energy" in key
    assert "page 57" in key


def test_a_document_without_sections_is_a_page_too() -> None:
    assert page_of(Content(kind="summary", title="S"), [], Options()).blocks == []
