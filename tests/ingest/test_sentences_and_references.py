"""Sentence ends and places named in questions, by table."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.ingest.passages import Reference, boxes_for, page_of_reference
from tools.ingest.segments import Line
from tools.ingest.sentences import sentence_spans, sentences


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("One. Two.", ["One.", "Two."]),
        ("See Fig. 3 for details. It helps.", ["See Fig. 3 for details.", "It helps."]),
        ("By Eq. (2.1) we get 3.14 exactly. Done!", ["By Eq. (2.1) we get 3.14 exactly.", "Done!"]),
        (
            "Schemes, e.g. Forward Euler, are explicit. OK?",
            ["Schemes, e.g. Forward Euler, are explicit.", "OK?"],
        ),
        ("J. R. Smith wrote it. A. Jones did not.", ["J. R. Smith wrote it.", "A. Jones did not."]),
        ("Lee et al. (2019) show this. Yes.", ["Lee et al. (2019) show this.", "Yes."]),
        ('He said "no." Then he left.', ['He said "no."', "Then he left."]),
        ("Apples, pears, etc. The rest follows.", ["Apples, pears, etc.", "The rest follows."]),
        ("1. Compute the sum. 2. Print it.", ["1. Compute the sum.", "2. Print it."]),
        ("The file setup.py is run. Good.", ["The file setup.py is run.", "Good."]),
        ("第一句。第二句。", ["第一句。", "第二句。"]),
        ("A line without end\n\nAnother one", ["A line without end", "Another one"]),
        ("", []),
    ],
)
def test_sentences_end_where_a_reader_ends_them(text: str, expected: list[str]) -> None:
    assert sentences(text) == expected


@given(
    st.text(alphabet=st.characters(exclude_categories=["Cs"]) | st.sampled_from('. \n!?)"e'), max_size=200)
)
def test_sentences_lose_nothing_but_white_space(text: str) -> None:
    position, kept = 0, ""
    for start, end in sentence_spans(text):
        assert position <= start < end <= len(text)
        assert not text[position:start].strip()
        kept, position = kept + text[start:end], end
    assert "".join(kept.split()) == "".join(text.split())


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("What is on page 57?", Reference(page=57, rest="What is on ?")),
        ("summarise pp. 10-12", Reference(page=10, last_page=12, rest="summarise")),
        ("p. 57", Reference(page=57)),
        ("explain p57", Reference(page=57, rest="explain")),
        ("Was steht auf Seite 12?", Reference(page=12, rest="Was steht auf ?")),
        ("slide 12", Reference(slide=12)),
        ("section 3.2 on stability", Reference(section="3.2", rest="on stability")),
        ("§ 3.2.1", Reference(section="3.2.1")),
        ("Chapter 2", Reference(section="2")),
        ("page xiv", Reference(label="xiv")),
    ],
)
def test_a_named_place_is_read_out_of_the_question(query: str, expected: Reference) -> None:
    assert page_of_reference(query) == expected


@pytest.mark.parametrize(
    "query",
    [
        "Which scheme is stable?",
        "52,000 people",
        "the web page about Euler",
        "p-values 12",
        "sectional 3",
        "page i was on",
    ],
)
def test_other_questions_name_no_place(query: str) -> None:
    found = page_of_reference(query)
    assert found is None or found == Reference(label="i", rest="was on")


def test_boxes_cover_the_lines_of_a_passage_and_no_more() -> None:
    lines = [
        Line(0, 10, 0.1, 0.1, 0.9, 0.12),
        Line(11, 21, 0.1, 0.13, 0.9, 0.15),
        Line(22, 30, 0.1, 0.16, 0.5, 0.18),
    ]
    first, second = boxes_for(lines, 5, 21)
    assert first.x0 == pytest.approx(0.5)
    assert first.x1 == pytest.approx(0.9)
    assert (second.x0, second.x1) == pytest.approx((0.1, 0.9))
    assert boxes_for(lines, 10, 11) == []
