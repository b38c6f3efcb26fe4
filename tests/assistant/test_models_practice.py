"""Tests, cards, documents and progress without a language model: which tool a sentence means, and what is answered."""

from typing import Any

import pytest
from langchain_core.messages import HumanMessage

from assistant.agent.choosing import MOST_TOOLS, choose
from assistant.models.builtin import next_step
from assistant.models.commands import read_command
from assistant.models.offered import OfferedTool
from assistant.models.turns import read_turn
from storage.embeddings import shared_embedder
from tools.catalog import CATALOG

TOOLS = {name: OfferedTool(name, spec.description, spec.input_schema) for name, spec in CATALOG.items()}

UTTERANCES: list[tuple[str, str, dict[str, Any]]] = [
    ("quiz me on chapter 3", "generate_test", {"topic": "chapter 3"}),
    ("test me", "generate_test", {}),
    (
        "ten hard ones on what I got wrong",
        "generate_test",
        {"count": 10, "difficulty": "hard", "from_wrong_answers": True},
    ),
    (
        "quiz me with 5 hard questions on my mistakes",
        "generate_test",
        {"count": 5, "difficulty": "hard", "from_wrong_answers": True},
    ),
    (
        "give me 5 multiple choice questions about stability",
        "generate_test",
        {"count": 5, "types": ["multiple_choice"], "topic": "stability"},
    ),
    (
        "make a test with 30 questions on chapter 2 of the decay book",
        "generate_test",
        {"count": 30, "topic": "chapter 2", "material_ids": ["decay book"]},
    ),
    ("Ten questions on mitosis, please", "generate_test", {"count": 10, "topic": "mitosis"}),
    (
        "make 20 flashcards from the decay book",
        "generate_flashcards",
        {"count": 20, "material_ids": ["decay book"]},
    ),
    ("make cloze cards about entropy", "generate_flashcards", {"types": ["cloze"], "topic": "entropy"}),
    (
        "make a two page cheat sheet of the decay book",
        "generate_document",
        {"kind": "cheat_sheet", "pages": 2, "material_ids": ["decay book"]},
    ),
    ("study guide for chapter 4", "generate_document", {"kind": "study_guide", "topic": "chapter 4"}),
    ("which cards are due today?", "get_due_cards", {}),
    ("review my cards of Biology", "get_due_cards", {"deck_id": "Biology"}),
    ("export the deck Biology to Anki", "export_deck", {"deck_id": "Biology", "format": "apkg"}),
    ("export my cheat sheet Decay as pdf", "export_document", {"document_id": "Decay", "format": "pdf"}),
    ("what am I weak at?", "get_weak_topics", {}),
    ("what did I get wrong?", "get_weak_topics", {}),
    ("how am I doing in Biology?", "get_progress", {"class_id": "Biology"}),
    ("start the test Mitosis", "start_test", {"test_id": "Mitosis"}),
    ("3: b", "answer_question", {"number": 3, "response": "b"}),
    ("question 4: a, c", "answer_question", {"number": 4, "response": ["a", "c"]}),
    ("5: True", "answer_question", {"number": 5, "response": True}),
    (
        "7) the backward Euler scheme",
        "answer_question",
        {"number": 7, "response": "the backward Euler scheme"},
    ),
    ("hand it in", "submit_test", {}),
    ("list my decks", "list_decks", {}),
    ("show my tests", "list_tests", {}),
]
QUESTIONS = [
    "which scheme is unconditionally stable?",
    "what is a test statistic?",
    "is this test hard?",
    "what is a hard question about gravity?",
    "1. What is a mutex?",
    "how do cards work in Magic the Gathering?",
    "what does the study guide us to conclude?",
]


@pytest.mark.parametrize(("text", "tool", "args"), UTTERANCES)
def test_a_sentence_chooses_its_tool_and_arguments(text: str, tool: str, args: dict[str, Any]) -> None:
    calls = next_step(read_turn([HumanMessage(text)]), TOOLS, shared_embedder()).calls
    assert [(call.name, call.args) for call in calls] == [(tool, args)]


@pytest.mark.parametrize("text", QUESTIONS)
def test_a_question_about_the_material_is_no_command(text: str) -> None:
    assert read_command(text, TOOLS) is None


def test_what_is_due_means_work_and_cards() -> None:
    calls = next_step(read_turn([HumanMessage("What's due?")]), TOOLS, shared_embedder()).calls
    assert [call.name for call in calls] == ["list_assignments", "get_due_cards"]


def test_what_is_due_in_homework_means_work_alone() -> None:
    calls = next_step(read_turn([HumanMessage("what homework is due?")]), TOOLS, shared_embedder()).calls
    assert [call.name for call in calls] == ["list_assignments"]


@pytest.mark.parametrize(("text", "tool"), [(text, tool) for text, tool, _ in UTTERANCES])
def test_the_tool_is_among_those_offered_for_the_sentence(text: str, tool: str) -> None:
    names = [spec.name for spec in choose(CATALOG.values(), text)]
    assert tool in names
    assert len(names) <= MOST_TOOLS
