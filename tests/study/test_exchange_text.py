"""A card's text between Anki's HTML and ours, and cards as tables: pure rules."""

from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from storage.errors import InvalidInput
from tools.exchange.from_html import from_html
from tools.exchange.guids import guid_of, note_id_of
from tools.exchange.importing import titles_of
from tools.exchange.intake import _format_of
from tools.exchange.packed import PackedCard, PackedNote
from tools.exchange.separators import separator_of
from tools.exchange.tables import read_csv, read_quizlet, write_csv, write_quizlet
from tools.exchange.to_html import names_in, to_html

FIELDS = [
    ("a < b &amp; c", "a < b & c"),
    ("What is <b>H<sub>2</sub>O</b>?<br>A&nbsp;liquid", "What is **H₂O**?\nA liquid"),
    ("x<sup>2</sup> + y<sub>max</sub>", "x² + y$_{\\text{max}}$"),
    ("<ul><li>one</li><li>two<ol><li>three</li></ol></li></ul>", "- one\n- two\n  1. three"),
    ("<table><tr><th>A</th><td>1|2</td></tr></table>", "| A | 1\\|2 |\n| --- | --- |"),
    ("<pre><code>if x:<br>  y = 1</code></pre>", "```\nif x:\n  y = 1\n```"),
    (r"\(E=mc^2\), \[ a &lt; b \]", "$E=mc^2$, $$a < b$$"),
    ("[latex]$\\alpha$[/latex] [$]x[/$] [$$]y[/$$]", "$\\alpha$ $x$ $$y$$"),
    ('<anki-mathjax block="true">z</anki-mathjax> <anki-mathjax>w</anki-mathjax>', "$$z$$ $w$"),
    ("[latex]\\begin{align}a&amp;=b\\end{align}[/latex]", "$$\\begin{align}a&=b\\end{align}$$"),
    ('<img src="a%20b.png" onerror="alert(1)">', "![](a%20b.png)"),
    ("[sound:my_cow.mp3]", "[sound:my_cow.mp3]"),
    ('<a href="https://x.org/?a=1&amp;b=2">link</a>', "[link](https://x.org/?a=1&b=2)"),
    ("costs $5 and $6", "costs \\$5 and \\$6"),
    ("_so_ but a.b", "\\_so\\_ but a\\.b"),
    ("a_b and ____", "a_b and ____"),
    ("2 * 3 * 4 and a_b", "2 \\* 3 \\* 4 and a_b"),
    ('<span style="font-weight: bold">loud</span>', "**loud**"),
    ("{{c1::<b>one</b>::hint}} and {{c2::two}}", "{{c1::**one**::hint}} and {{c2::two}}"),
]


@pytest.mark.parametrize(("field", "text"), FIELDS)
def test_a_field_of_anki_becomes_markdown_with_tex(field: str, text: str) -> None:
    assert from_html(field) == text
    assert from_html(to_html(text)) == text


@pytest.mark.parametrize(
    "hostile",
    [
        "<script>alert(1)</script>",
        "<style>*{display:none}</style>",
        '<iframe src="https://evil.example"></iframe>',
        '<a href="javascript:alert(1)">',
        '<img src="file:///etc/passwd"><img src="../../secret.png"><img src="data:text/html,x">',
        "<object data='x'></object><embed src='x'><svg onload='x'></svg>",
        "<!-- a comment -->",
    ],
)
def test_what_could_do_harm_is_left_out(hostile: str) -> None:
    media: set[str] = set()
    assert from_html(f"before {hostile} after", media).split() == ["before", "after"]
    assert media == set()


def test_markup_in_our_text_is_visible_text_in_anki() -> None:
    assert to_html("<script>alert(1)</script>") == "&lt;script&gt;alert(1)&lt;/script&gt;"
    assert "javascript:" not in to_html("[x](javascript:alert(1))") or "<a" not in to_html(
        "[x](javascript:alert(1))"
    )


def test_a_formula_in_a_gap_does_not_end_the_gap() -> None:
    assert to_html("{{c1::$\\frac{a}{b^{2}}$}}") == "{{c1::\\(\\frac{a}{b^{2} }\\)}}"


def test_pictures_and_sounds_are_found_in_a_text() -> None:
    assert names_in("![](a%20b.png) [sound:c d.mp3] ![x](https://x.org/y.png)") == {"a b.png", "c d.mp3"}


def test_a_deeply_nested_field_is_read() -> None:
    assert from_html("<div>" * 200 + "deep" + "</div>" * 200) == "deep"
    assert from_html("<div>" * 50_000 + "deeper than libxml2 goes") == ""


@settings(max_examples=150, deadline=None)
@given(st.text(alphabet=st.characters(blacklist_categories=["Cs"], blacklist_characters="\x00"), max_size=80))
def test_any_words_come_back_from_anki_as_they_look(words: str) -> None:
    """Typed text, escaped as an editor does, then read, written and read again. (Behind a word: `1) x` at the start is a list.)"""
    field = f"x{words}".replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    text = from_html(field)
    assert from_html(to_html(text)) == text


# --- tables

SIDE = st.text(
    alphabet=st.one_of(st.sampled_from(list(",;\t\"'|\n -")), st.characters(codec="utf-8", categories=["L", "N", "P", "S"])),
    min_size=1,
    max_size=30,
).filter(lambda side: bool(side.strip()) and "{{c" not in side)  # fmt: skip


def basic(front: str, back: str) -> PackedNote:
    return PackedNote(
        guid="x", type="basic", deck=0, cards=[PackedCard(ord=0, front=front.strip(), back=back.strip())]
    )


def sides(notes: list[PackedNote]) -> list[tuple[str, str]]:
    return [(note.cards[0].front, note.cards[0].back) for note in notes]


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(SIDE, SIDE), min_size=1, max_size=5))
def test_a_csv_comes_back_whatever_it_holds(pairs: list[tuple[str, str]]) -> None:
    notes = [basic(front, back) for front, back in pairs]
    table = read_csv(write_csv(notes), ",")
    assert sides(table.notes) == sides(notes)
    assert table.skipped == {}


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(SIDE, SIDE), min_size=1, max_size=5))
def test_quizlet_text_comes_back_but_for_tabs_and_blank_lines(pairs: list[tuple[str, str]]) -> None:
    def line(text: str) -> str:
        return " ".join(text.split())

    def lines(text: str) -> str:
        return "\n".join(line(part) for part in text.split("\n") if part.strip())

    notes = [basic(front, back) for front, back in pairs]
    table = read_quizlet(write_quizlet(notes))
    assert sides(table.notes) == [(line(front), lines(back)) for front, back in sides(notes)]


def test_every_kind_of_card_survives_csv() -> None:
    notes = read_csv(
        "type,front,back,extra,options,tags\n"
        "cloze,{{c1::a}} and {{c2::b}},,why,,x y\n"
        "reversed,Hund,dog,,,\n"
        'multiple_choice,Which?,red,,"red\nblue",\n'
    ).notes
    assert [(note.type, len(note.cards)) for note in notes] == [
        ("cloze", 2),
        ("reversed", 2),
        ("multiple_choice", 1),
    ]
    assert (notes[0].extra, notes[0].tags) == ("why", ["x", "y"])
    assert [choice.text for choice in notes[2].options] == ["red", "blue"]
    again = read_csv(write_csv(notes)).notes
    assert [note.model_dump() for note in again] == [note.model_dump() for note in notes]


@pytest.mark.parametrize(
    ("text", "separators", "expected"),
    [
        ("Hund\tdog\nKatze\tcat", ("tab", None), [("Hund", "dog"), ("Katze", "cat")]),
        ("Hund - dog\nKatze - cat", (None, None), [("Hund", "dog"), ("Katze", "cat")]),
        ("Hund, dog; Katze, cat", ("comma", "semicolon"), [("Hund", "dog"), ("Katze", "cat")]),
        (
            "Hund=>dog\n\nKatze=>cat\nthe animal",
            ("=>", "\\n\\n"),
            [("Hund", "dog"), ("Katze", "cat\nthe animal")],
        ),
        ("Hund\tdog\nor hound\nKatze\tcat", (None, None), [("Hund", "dog\nor hound"), ("Katze", "cat")]),
        ("\ufeffHund\tdog\r\nKatze\tcat\r\n", (None, None), [("Hund", "dog"), ("Katze", "cat")]),
    ],
)
def test_quizlet_separators(
    text: str, separators: tuple[str | None, str | None], expected: list[tuple[str, str]]
) -> None:
    table = read_quizlet(text, *(separator_of(one) if one else None for one in separators))
    assert sides(table.notes) == expected


def test_lines_that_are_no_cards_are_counted() -> None:
    table = read_quizlet("Hund - dog\nKatze - cat\nMaus - mouse\nKuh - cow\njust words\nPferd - ", " - ")
    assert len(table.notes) == 4
    assert table.skipped == {
        "lines without a separator between term and definition": 1,
        "rows with an empty front or back": 1,
    }


def test_without_any_separator_it_asks_for_one() -> None:
    for read in (read_csv, read_quizlet):
        with pytest.raises(InvalidInput, match="separator"):
            read("nothing\nbut words")


def test_text_that_anki_exported_is_read() -> None:
    table = read_csv('#separator:tab\n#html:true\n"What is <b>x</b>?"\t"a &lt; b"\n')
    assert sides(table.notes) == [("What is **x**?", "a < b")]


@pytest.mark.parametrize(
    ("text", "filename", "expected"),
    [
        ("Hund\tdog\nKatze\tcat\n", "cards.txt", "quizlet"),
        ("front,back\nHund,dog\n", "cards.txt", "csv"),
        ("Hund;dog\nKatze;cat\n", "a.csv", "csv"),
        ("Hund - dog\nKatze - cat, too\n", "cards.txt", "quizlet"),
        ("#separator:tab\nHund\tdog\n", "cards.txt", "csv"),
    ],
)
def test_the_format_is_found_out(text: str, filename: str, expected: str) -> None:
    assert _format_of(text, filename) == expected


@given(st.uuids())
def test_our_ids_can_be_read_from_the_numbers_that_notes_leave_with(note_id: UUID) -> None:
    assert note_id_of(guid_of(None, note_id)) == note_id
    assert guid_of("anki's own", note_id) == "anki's own"
    assert note_id_of("anki's own") is None


def test_titles_of_subdecks() -> None:
    assert titles_of(["A", "A::B"], None) == ["A", "A::B"]
    assert titles_of(["A", "A::B"], "Biology") == ["Biology", "Biology::B"]
    assert titles_of(["A::B", "C"], "All") == ["All::A::B", "All::C"]
    assert titles_of(["A::B"], "Cells") == ["Cells"]
