"""Which tool a sentence means, by table."""

from typing import Any

import pytest
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage
from langchain_core.utils.function_calling import convert_to_openai_tool

from assistant.models.builtin import next_step
from assistant.models.offered import read_tools
from assistant.models.streams import Decision
from assistant.models.turns import read_turn
from storage.embeddings import shared_embedder
from tests.assistant.fakes import make_tools

TOOLS = read_tools([convert_to_openai_tool(t) for t in make_tools()])
CLASS_ID = "0190aaaa-0000-7000-8000-000000000001"
JOB = "0190aaaa-0000-7000-8000-00000000000b"

UTTERANCES: list[tuple[str, str, dict[str, Any]]] = [
    ("list my classes", "list_classes", {}),
    ("Show me my courses, please", "list_classes", {}),
    ("what classes do I have?", "list_classes", {}),
    ("how many classes do I have", "list_classes", {}),
    ("create a class called Physics 101", "create_class", {"name": "Physics 101"}),
    ('Please create a new class "Linear Algebra"', "create_class", {"name": "Linear Algebra"}),
    (
        "make a course named Biology with description cells and genes",
        "create_class",
        {"name": "Biology", "description": "cells and genes"},
    ),
    ("add a class for Chemistry", "create_class", {"name": "Chemistry"}),
    ("rename the class Physics to Physics II", "update_class", {"class_id": "Physics", "name": "Physics II"}),
    (
        "change the description of my Physics class to waves",
        "update_class",
        {"class_id": "Physics", "description": "waves"},
    ),
    ("delete the class Physics 101", "delete_class", {"class_id": "Physics 101"}),
    ("Can you delete my Physics class?", "delete_class", {"class_id": "Physics"}),
    ('remove "Decay book"', "delete_material", {"material_id": "Decay book"}),
    ("delete the decay book", "delete_material", {"material_id": "decay book"}),
    ("delete the material Lecture 3", "delete_material", {"material_id": "Lecture 3"}),
    ("restore the decay book", "restore_material", {"material_id": "decay book"}),
    ("what materials do I have", "list_materials", {}),
    ("What files have I uploaded so far?", "list_materials", {}),
    ("list my documents", "list_materials", {}),
    ("which books do I have in my Physics class?", "list_materials", {"class_id": "Physics"}),
    ("what's in my Physics class?", "list_materials", {"class_id": "Physics"}),
    (
        "show page 57 of decay book",
        "read_material",
        {"material_id": "decay book", "first": 57, "last": 57},
    ),
    (
        "open page 12 of 'Numerics slides'",
        "read_material",
        {"material_id": "Numerics slides", "first": 12, "last": 12},
    ),
    (
        "what is on page 3 of the decay book?",
        "read_material",
        {"material_id": "decay book", "first": 3, "last": 3},
    ),
    (
        "read pages 4-6 of the decay book",
        "read_material",
        {"material_id": "decay book", "first": 4, "last": 6},
    ),
    (
        "show me slide 12 of the wave slides",
        "read_material",
        {"material_id": "wave slides", "first": 12, "last": 12},
    ),
    ("read the decay book", "read_material", {"material_id": "decay book"}),
    (
        "read section 3.2 of the decay book",
        "read_material",
        {"material_id": "decay book", "heading": "3.2"},
    ),
    ("minute 12?", "search_materials", {"query": "from 12:00 to 13:00"}),
    ("how many pages does the decay book have?", "get_material", {"material_id": "decay book"}),
    ("what is the status of the decay book?", "get_material", {"material_id": "decay book"}),
    ("how is my upload doing", "list_jobs", {}),
    ("Is my upload done yet?", "list_jobs", {}),
    ("what's the status of my uploads?", "list_jobs", {}),
    ("list jobs", "list_jobs", {}),
    (f"cancel job {JOB}", "cancel_job", {"job_id": JOB}),
    (f"retry the job {JOB}", "retry_job", {"job_id": JOB}),
    ("cancel my upload", "list_jobs", {}),
    ("who am I?", "get_profile", {}),
    ("show my profile", "get_profile", {}),
    ("list my conversations", "list_conversations", {}),
    ("list collections", "chroma_list_collections", {}),
    (
        "how many documents are in the collection ab12_physics_text?",
        "chroma_count_documents",
        {"collection_name": "ab12_physics_text"},
    ),
    (
        "diagnose collection ab12_physics_text",
        "chroma_diagnose_collection",
        {"collection_name": "ab12_physics_text"},
    ),
    (
        "peek at collection ab12_physics_text",
        "chroma_peek_documents",
        {"collection_name": "ab12_physics_text"},
    ),
    (
        "add this note to Physics: Entropy never decreases in a closed system.",
        "add_text",
        {
            "class_id": "Physics",
            "title": "Entropy never decreases in a closed system.",
            "text": "Entropy never decreases in a closed system.",
        },
    ),
    (
        "Which scheme is unconditionally stable?",
        "search_materials",
        {"query": "Which scheme is unconditionally stable"},
    ),
    ("Can you tell me what entropy is?", "search_materials", {"query": "what entropy is"}),
    ("search for Backward Euler", "search_materials", {"query": "Backward Euler"}),
    ("find passages about half-life in my notes", "search_materials", {"query": "half-life"}),
    (
        "what is a half-life in my Physics class?",
        "search_materials",
        {"query": "what is a half-life", "class_id": "Physics"},
    ),
    (
        'what does stable mean in "Decay book"?',
        "search_materials",
        {"query": "what does stable mean", "material_id": "Decay book"},
    ),
    (
        "what is a residual according to the decay book?",
        "search_materials",
        {"query": "what is a residual", "material_id": "decay"},
    ),
    ("what materials conduct heat well?", "search_materials", {"query": "what materials conduct heat well"}),
    ("which class of methods is stable?", "search_materials", {"query": "which class of methods is stable"}),
    (
        "what does page 57 say about stability?",
        "search_materials",
        {"query": "what does page 57 say about stability"},
    ),
    (
        "How do you delete a node from a binary tree?",
        "search_materials",
        {"query": "How do you delete a node from a binary tree"},
    ),
    ("explain why enzymes are needed", "search_materials", {"query": "explain why enzymes are needed"}),
    ("stability of Crank-Nicolson", "search_materials", {"query": "stability of Crank-Nicolson"}),
    (
        "what is a job in operating systems?",
        "search_materials",
        {"query": "what is a job in operating systems"},
    ),
    (
        "create a table of contents for entropy",
        "search_materials",
        {"query": "create a table of contents for entropy"},
    ),
]


def decide(text: str, *, before: list[Any] | None = None, current_class: bool = False) -> Decision:
    system = f"You help.\nCurrent class: Physics (id: {CLASS_ID})" if current_class else "You help."
    messages = [SystemMessage(system), *(before or []), HumanMessage(text)]
    return next_step(read_turn(messages), TOOLS, shared_embedder())


@pytest.mark.parametrize(("text", "tool", "args"), UTTERANCES, ids=[u[0][:50] for u in UTTERANCES])
def test_a_sentence_means_a_tool_with_arguments(text: str, tool: str, args: dict[str, Any]) -> None:
    decision = decide(text)
    assert [(c.name, c.args) for c in decision.calls] == [(tool, args)]


@pytest.mark.parametrize(
    "text",
    [
        "hello",
        "Hi there!",
        "thanks a lot",
        "help",
        "what can you do?",
        "who are you?",
        "Are you an AI?",
        "how do I upload a file?",
        "",
    ],
)
def test_small_talk_is_answered_without_a_tool(text: str) -> None:
    decision = decide(text)
    assert decision.text
    assert not decision.calls


def test_help_says_that_it_is_no_language_model() -> None:
    assert "not a language model" in decide("what are you?").text


@pytest.mark.parametrize(
    "text",
    [
        "which of my uploads are still being worked on at the moment",
        "do I have anything in my account settings",
    ],
)
def test_an_unforeseen_wording_about_the_platform_is_chosen_by_meaning(text: str) -> None:
    assert [c.name for c in decide(text).calls] in (["list_jobs"], ["get_profile"])


def test_the_current_class_limits_a_search_and_a_named_class_wins() -> None:
    assert decide("What is entropy?", current_class=True).calls[0].args == {
        "query": "What is entropy",
        "class_id": CLASS_ID,
    }
    assert (
        decide("What is entropy in my Chemistry class?", current_class=True).calls[0].args["class_id"]
        == "Chemistry"
    )


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("and what about stability?", {"stability", "crank", "nicolson"}),
        ("explain more", {"crank", "nicolson", "scheme"}),
        ("why?", {"crank", "nicolson"}),
        ("why is it popular?", {"popular", "crank", "nicolson"}),
        ("give me an example", {"crank", "nicolson"}),
    ],
)
def test_a_follow_up_takes_the_key_words_of_the_question_before(text: str, words: set[str]) -> None:
    before = [HumanMessage("What is the Crank-Nicolson scheme?"), AIMessage("An answer.")]
    query = decide(text, before=before).calls[0].args["query"].lower()
    assert words <= set(query.replace("-", " ").rstrip("?").split())


def test_a_new_question_takes_nothing_from_the_one_before() -> None:
    before = [HumanMessage("What is the Crank-Nicolson scheme?"), AIMessage("An answer.")]
    assert decide("What is radioactive decay?", before=before).calls[0].args == {
        "query": "What is radioactive decay"
    }


def test_a_two_part_question_is_two_searches() -> None:
    decision = decide("What is radioactive decay and why does Crank-Nicolson oscillate?")
    assert [c.args["query"] for c in decision.calls] == [
        "What is radioactive decay",
        "why does Crank-Nicolson oscillate",
    ]


def test_a_missing_name_is_asked_for_and_the_answer_completes_the_command() -> None:
    asked = decide("create a class")
    assert asked.text == "What should the class be called?"
    completed = decide("Organic Chemistry", before=[HumanMessage("create a class"), AIMessage(asked.text)])
    assert [(c.name, c.args) for c in completed.calls] == [("create_class", {"name": "Organic Chemistry"})]


@pytest.mark.parametrize("text", ["delete it", "delete everything", "delete my class"])
def test_a_deletion_without_a_name_asks_which(text: str) -> None:
    decision = decide(text)
    assert not decision.calls
    assert decision.text.startswith("Which ")


def test_only_offered_tools_are_called() -> None:
    few = {name: TOOLS[name] for name in ("search_materials", "list_classes")}
    for text, _, _ in UTTERANCES:
        step = next_step(read_turn([HumanMessage(text)]), few, shared_embedder())
        assert {c.name for c in step.calls} <= set(few)
