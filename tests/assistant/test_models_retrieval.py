"""Asking the built-in model why a search missed something, and how its answer reads."""

from typing import Any

import pytest

from assistant.agent.choosing import choose
from assistant.models.commands import read_command
from assistant.models.offered import OfferedTool
from assistant.models.render_retrieval import explanation
from tools.catalog import CATALOG

OFFERED = {"explain_search": OfferedTool("explain_search", "")}


@pytest.mark.parametrize(
    ("text", "values"),
    [
        (
            'Why did the search for "enzymes" miss chapter 4 of the Cells script?',
            {"query": "enzymes", "expected_material_id": "Cells script", "expected_section": "4"},
        ),
        (
            "why isn't page 57 of the decay book found when I search for “stability”?",
            {"query": "stability", "expected_material_id": "decay book", "expected_page": 57},
        ),
        (
            'Why is the decay book not found for "Euler"?',
            {"query": "Euler", "expected_material_id": "decay book"},
        ),
        ('explain the search for "x y"', {"query": "x y"}),
    ],
)
def test_why_something_is_not_found_is_explained(text: str, values: dict[str, Any]) -> None:
    slots = read_command(text, OFFERED)
    assert slots is not None
    assert (slots.tool, slots.values) == ("explain_search", values)
    assert "explain_search" in {spec.name for spec in choose(CATALOG.values(), text)}


@pytest.mark.parametrize("text", ["why is the sky blue?", "why does the search for truth matter in Kant?"])
def test_other_questions_are_not_taken_for_it(text: str) -> None:
    assert read_command(text, OFFERED) is None


def test_the_answer_names_the_cause_what_helps_and_what_is_above() -> None:
    told = explanation(
        {
            "cause": "outranked",
            "why": "Page 3 is number 9.",
            "mend": "Raise the limit.",
            "words": [{"stems": ["euler"], "passages": 0}],
            "expected": {"passage_id": "x"},
            "stages": [{"stage": "words", "rank": 9}, {"stage": "meaning", "rank": None}],
            "above": [{"rank": 1, "material_title": "Script_1", "label": "page 2"}],
        }
    )
    assert "**What helps:** Raise the limit." in told
    assert "No passage that was searched holds: euler." in told
    assert "words 9, meaning –" in told
    assert "Above it:" in told
    assert "1. *Script_1*, page 2" in told
