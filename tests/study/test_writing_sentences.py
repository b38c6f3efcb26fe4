"""Sentences that a language model wrote: gaps found in them, words exchanged, and numbers known as numbers."""

import pytest

from tools.study.writing.building import expected
from tools.study.writing.sentences import exchanged, gapped


def mark(number: int, gap: str) -> str:
    return f"<{number}:{gap}>"


def test_gaps_are_found_as_words_in_the_order_of_the_sentence_and_blanks_are_filled() -> None:
    assert gapped("The cat concatenates.", ["cat"], mark)[0] == "The <1:cat> concatenates."
    assert gapped("Water boils at 100 °C.", ["100 °C", "water"], mark) == (
        "<1:Water> boils at <2:100 °C>.", ["Water", "100 °C"],
    )  # fmt: skip
    assert gapped("Plants need light, water and air.", ["light", "water"], mark)[1] == ["light"]
    assert gapped("Water boils at ____.", ["100 °C"], mark)[0] == "Water boils at <1:100 °C>."
    for sentence, gaps in (
        ("Water boils.", ["steam"]),
        ("a ____ b ____", ["x"]),
        ("Water boils", ["Water boils"]),
    ):
        with pytest.raises(ValueError, match=r"sentence|gap"):
            gapped(sentence, gaps, mark)


@pytest.mark.parametrize(
    ("text", "value", "unit"),
    [("37 degrees", 37, "degrees"), ("0,5 mol/l", 0.5, "mol/l"), ("1,500", 1500, None), ("-3.2", -3.2, None)],
)
def test_an_answer_that_is_a_number_is_kept_as_one(text: str, value: float, unit: str | None) -> None:
    number = expected(text).number
    assert number is not None
    assert (number.value, number.unit) == (value, unit)


@pytest.mark.parametrize("text", ["two nuclei", "37 degrees in the shade", "in 1882"])
def test_words_are_no_number(text: str) -> None:
    assert expected(text).number is None


def test_words_are_exchanged_once_and_a_denial_may_be_left_out() -> None:
    assert (
        exchanged("Water expands when it freezes.", "expands", "shrinks") == "Water shrinks when it freezes."
    )
    denied, said = "Tuples cannot be changed after creation.", "Tuples can be changed after creation."
    assert exchanged(denied, "cannot", "can") == said
    for old, new in (("water", "Water"), ("steam", "ice"), ("it", "")):
        with pytest.raises(ValueError, match="words"):
            exchanged("Water expands when it freezes.", old, new)
