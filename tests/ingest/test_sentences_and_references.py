"""Sentence ends, places named in questions, times of words and the chunk beside a figure, by table."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.locators import clock
from tools.ingest.passages import Reference, boxes_for, chunk_beside, heard, page_of_reference, seconds_of
from tools.ingest.segments import Chunk, ContentType, Line, Word
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
        ("Take u1, u2, . . . , un. Then stop.", ["Take u1, u2, . . . , un.", "Then stop."]),
        ("It goes on . . . Then it ends.", ["It goes on . . .", "Then it ends."]),
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
        ("what is said in minute 12?", Reference(t_start=720, t_end=780, rest="what is said ?")),
        ("minutes 3 to 5", Reference(t_start=180, t_end=360)),
        ("Minute 4", Reference(t_start=240, t_end=300)),
        ("at 12:30", Reference(t_start=748, t_end=760)),
        (
            "Was sagt sie bei 12:30 über Enzyme?",
            Reference(t_start=748, t_end=760, rest="Was sagt sie über Enzyme?"),
        ),
        ("around 1:02:03", Reference(t_start=3721, t_end=3733)),
        ("12:30", Reference(t_start=748, t_end=760)),
        ("from 0:30 to 1:10", Reference(t_start=30, t_end=70)),
        ("page 3 at 12:30", Reference(page=3, rest="at 12:30")),
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
        "The train leaves at 12:30 pm",
        "um 12:30 Uhr",
        "a ratio of 3:10",
        "in 10 minutes",
        "The minute hand 3",
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


@pytest.mark.parametrize(
    ("text", "expected"),
    [("12:30", 750), ("1:02:03", 3723), ("750", 750), ("90.5s", 90.5), ("0:07", 7)]
    + [(text, None) for text in ("", "1:99", "noon", "1:2:3:4", "-5", "12:", "1e3", "٣")],
)
def test_a_time_is_read_as_a_player_shows_it(text: str, expected: float | None) -> None:
    assert seconds_of(text) == expected


@given(st.integers(0, 10**6))
def test_a_shown_time_is_read_back(seconds: int) -> None:
    assert seconds_of(clock(seconds)) == seconds


WORDS = [Word(0, 4, 10.0, 10.4), Word(5, 9, 10.5, 11.0), Word(10, 16, 14.0, 14.5)]


def test_a_passage_is_heard_from_its_first_word_to_its_last() -> None:
    assert heard(WORDS, 5, 16) == (10.5, 14.5)
    assert heard(WORDS, 6, 7) == (10.5, 11.0)
    assert heard(WORDS, 4, 5) is None
    assert heard([], 0, 99) is None


def chunk_at(ordinal: int, segment: int, start: int, end: int) -> Chunk:
    return Chunk(ordinal, segment, ContentType.TEXT, "x" * (end - start), start, end, (), 1, 1)


def test_a_figure_belongs_to_the_chunk_around_it_or_nearest_to_it() -> None:
    chunks = [chunk_at(3, 0, 0, 90), chunk_at(4, 1, 0, 100), chunk_at(5, 1, 110, 200)]
    assert chunk_beside(50, 1, chunks) == 4
    assert chunk_beside(108, 1, chunks) == 5
    assert chunk_beside(105, 1, chunks) == 4
    assert chunk_beside(999, 1, chunks) == 5
    assert chunk_beside(0, 2, chunks) is None


def test_a_clock_reads_as_a_player_shows_it() -> None:
    assert [clock(0), clock(750.9), clock(3723)] == ["0:00", "12:30", "1:02:03"]
