"""The pure parts of making notes: sentences and their places, topics, cues, terms, support."""

from dataclasses import replace
from uuid import UUID

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from storage.embeddings import shared_embedder
from storage.repositories.notes import PassageText
from tests.tools.lectures import SENTENCES, TOPICS
from tools.notes import cues
from tools.notes.reading import Sentence, sentences_of
from tools.notes.support import best_evidence, has_its_numbers, share_of_words
from tools.notes.terms import content_stems, distinct_words, key_terms, spread_of, tokens
from tools.notes.topics import announces, topic_starts
from tools.notes.writing import PART_CHARACTERS, PASSAGE_CHARACTERS, divided

NO_STEMS = {word: word for word in distinct_words(SENTENCES)} | dict.fromkeys(
    "the of a an in is are by and to at it its which with some about".split(), None
)


def passage(text: str, type: str = "text", path: list[str] | None = None, **more: float) -> PassageText:
    times = {"t_start": None, "t_end": None, **more}
    return PassageText(
        id=UUID(int=1), ordinal=0, segment=3, number=4, type=type, text=text, char_start=100,
        char_end=100 + len(text), heading_path=path or [], text_config="english", **times,
    )  # fmt: skip


def said(text: str, chunk: int = 1) -> Sentence:
    return Sentence(UUID(int=chunk), 0, 1, 0, len(text), text, (), True, stems=content_stems(text, NO_STEMS))


@given(st.text(alphabet="ab Z.?!\n,;0", max_size=300), st.sampled_from(["text", "list", "transcript"]))
def test_every_sentence_is_the_slice_that_its_place_names(text: str, type: str) -> None:
    last = 100
    for one in sentences_of([passage(text, type)]):
        assert one.text == " ".join(text[one.start - 100 : one.end - 100].split())
        assert one.start >= last
        last = one.end


def test_headings_fragments_code_and_indexes_are_no_sentences() -> None:
    text = "2.1 Cells\n\nA cell is small.\n\ncut in the middle of a line. It divides"
    assert [one.text for one in sentences_of([passage(text, path=["2.1 Cells"])])] == ["A cell is small."]
    for type, path in (("table", []), ("formula", []), ("text", ["References"]), ("text", ["Index"])):
        assert not list(sentences_of([passage("A cell is small.", type, path)]))


def test_speech_without_full_stops_is_cut_into_pieces_of_bearable_length() -> None:
    pieces = list(sentences_of([passage(" ".join(["word"] * 200), "transcript", t_start=0.0, t_end=80.0)]))
    assert len(pieces) == 7
    assert all(20 <= len(piece.text.split()) <= 40 for piece in pieces)
    assert [piece.t for piece in pieces] == sorted(piece.t or 0.0 for piece in pieces)


def test_topics_of_a_lecture_begin_where_the_speaker_turns_to_them() -> None:
    vectors = shared_embedder().embed_documents(SENTENCES)
    stems = [content_stems(one, NO_STEMS) for one in SENTENCES]
    starts = topic_starts(vectors, stems, [announces(one) for one in SENTENCES], len(TOPICS))
    assert starts == [0, 10, 20]


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 60), st.integers(0, 8), st.randoms(use_true_random=False))
def test_topics_are_in_order_and_begin_at_the_beginning(size: int, count: int, random: object) -> None:
    vectors = np.random.default_rng(size * 31 + count).normal(size=(size, 8)).astype(np.float32)
    starts = topic_starts(vectors, [("a", f"b{n % 3}") for n in range(size)], [False] * size, count)
    assert starts == sorted(set(starts))
    assert starts[:1] == ([0] if size else [])
    assert all(0 <= start < size for start in starts)


@pytest.mark.parametrize(
    ("sentence", "term"),
    [
        ("Mitosis is the division of a nucleus.", "Mitosis"),
        ("A container is an object that holds others.", "container"),
        ("The half-life refers to the time in which half of it decays.", "half-life"),
        ("Computing many elements at once is known as vectorization.", "vectorization"),
        ("We call this the activation energy.", "activation energy"),
        ("Die Zelle ist eine Einheit des Lebens.", "Zelle"),
        ("It is a good idea.", None),
        ("Multiple variables may refer to the same object.", None),
        ("Indexes are also numbered from right to left.", None),
        ("The result is the same.", None),
    ],
)
def test_a_defining_sentence_names_its_term(sentence: str, term: str | None) -> None:
    assert cues.defined_term(sentence) == term


@pytest.mark.parametrize(
    ("sentence", "found"),
    [
        ("In 1779 he showed it.", ["1779"]),
        ("About 70 percent of 1,000 cells died.", ["70 percent", "1,000"]),
        ("See Figures 1.8 and 1.9 in Section 2.", []),
        ("As shown in [12], it works.", []),
        ("It has 2 parts.", []),
    ],
)
def test_figures_are_numbers_that_mean_something(sentence: str, found: list[str]) -> None:
    assert cues.figures(sentence) == found


@pytest.mark.parametrize(
    ("spoken", "written"),
    [
        ("Um, the Calvin cycle uses, uh, this energy.", "The Calvin cycle uses, this energy."),
        ("The the cell divides.", "The cell divides."),
        ("So the cell divides.", "So the cell divides."),
        ("The umbrella is here.", "The umbrella is here."),
    ],
)
def test_only_hesitation_is_taken_out_of_speech(spoken: str, written: str) -> None:
    assert cues.without_hesitation(spoken) == written


def test_key_terms_tell_one_part_from_the_others() -> None:
    parts = [[tokens(one, NO_STEMS) for one in topic] for topic in TOPICS.values()]
    spread = spread_of([[t.stem for one in part for t in one if t.stem] for part in parts])
    terms = [key_terms(part, spread, len(parts), 3) for part in parts]
    for name, found in zip(TOPICS, terms, strict=True):
        assert any(name.rstrip("s") in term for term in found), found
    assert "mitosis" not in terms[2]


def test_support_counts_the_words_of_a_point_and_every_number() -> None:
    source = [said(one) for one in TOPICS["enzymes"]]
    assert share_of_words("Most human enzymes work best at 37 degrees.", source, NO_STEMS) == 1.0
    assert share_of_words("Napoleon was crowned emperor.", source, NO_STEMS) == 0.0
    assert has_its_numbers("It works at 37 degrees.", source)
    assert not has_its_numbers("It works at 38 degrees.", source)
    (best,) = best_evidence("Urease was crystallised by James Sumner.", source, NO_STEMS)
    assert "Sumner" in best.text


@given(st.lists(st.tuples(st.integers(1, 6), st.integers(1, 900)), max_size=60))
def test_parts_for_a_prompt_hold_every_sentence_once_and_stay_small(shape: list[tuple[int, int]]) -> None:
    sentences = [replace(said("x" * size, chunk), start=n) for n, (chunk, size) in enumerate(shape)]
    parts = divided(sentences)
    assert [one for part in parts for passage in part for one in passage] == sentences
    for part in parts:
        total = sum(len(one.text) + 1 for passage in part for one in passage)
        assert total <= PART_CHARACTERS or len(part) == 1
        for one in part:
            assert len({s.chunk_id for s in one}) == 1
            assert sum(len(s.text) + 1 for s in one) <= max(PASSAGE_CHARACTERS, len(one[0].text) + 1)
