"""Notes and the cards of them: clozes with hints and TeX, reversed cards, options in an order that says nothing."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.errors import InvalidInput
from tools.scheduling.faces import Face, checked_gaps, choices_in_order, faces_of, gaps_of, shown, whole_text
from tools.study.keys import Choice


@pytest.mark.parametrize(
    ("text", "gaps"),
    [
        ("The {{c1::sun}} shines", [(1, "sun", None)]),
        ("{{c2::a::first letter}} {{c1::b}}", [(2, "a", "first letter"), (1, "b", None)]),
        (r"half: {{c1::$\frac{1}{2}$}}", [(1, r"$\frac{1}{2}$", None)]),
        (r"{{c1::\sqrt{x^{2}}}} is |x|", [(1, r"\sqrt{x^{2}}", None)]),
        ("two\n{{c1::lines\nof text}}", [(1, "lines\nof text", None)]),
        ("no gap, {{x}} {c1::y}", []),
    ],
)
def test_gaps_are_found_with_their_hints_also_around_tex(
    text: str, gaps: list[tuple[int, str, str | None]]
) -> None:
    assert [(gap.number, gap.text, gap.hint) for gap in gaps_of(text)] == gaps


def test_each_number_is_one_card_that_hides_all_its_gaps_and_shows_the_others() -> None:
    text = "{{c1::Paris}} is in {{c2::France::country}}, {{c1::Rome}} is not"
    assert faces_of("cloze", text, "") == [Face(text, "Paris, Rome", 1), Face(text, "France", 2)]
    assert shown("cloze", text, "", 1).question == "[…] is in France, […] is not"
    assert shown("cloze", text, "", 2).question == "Paris is in [country], Rome is not"
    assert whole_text(text) == "Paris is in France, Rome is not"


@pytest.mark.parametrize(
    "text",
    ["no gap", "{{c1::}}", "{{c0::a}}", "{{c1::a {{c2::b}} c}}", "{{c1::a}} {{c2::b", "{{c1::a}} {{c2: b}}"],
)
def test_a_badly_written_cloze_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput):
        checked_gaps(text)


@given(
    st.text(st.characters(exclude_characters="{}:", exclude_categories=["Cs"]), min_size=1).filter(str.strip)
)
def test_any_words_can_be_a_gap_and_come_out_as_they_were(words: str) -> None:
    (face,) = faces_of("cloze", f"Before {{{{c3::{words}}}}} after", "")
    assert (face.back, face.gap) == (words, 3)
    assert shown("cloze", face.front, face.back, 3).question == "Before […] after"


def test_options_are_shuffled_by_the_seed_and_by_it_alone() -> None:
    options = [Choice(id=letter, text=letter) for letter in "abcd"]
    orders = [choices_in_order(options, bytes([n])) for n in range(60)]
    assert orders[0] == choices_in_order(options[::-1], bytes([0]))
    assert {order[0].id for order in orders} == set("abcd")
