"""Notes, assignments, web pages and recordings without a language model: which tool a sentence means, and what is answered."""

from typing import Any

import pytest
from langchain_core.messages import AIMessage, HumanMessage

from assistant.agent.agent import build_agent, system_prompt
from assistant.agent.choosing import MOST_TOOLS, choose
from assistant.agent.citations import Citations
from assistant.agent.tool_adapter import offered_tools
from assistant.models.builtin import BuiltinModel, next_step
from assistant.models.offered import OfferedTool
from assistant.models.turns import read_turn
from storage.embeddings import shared_embedder
from tests.tools.lectures import SENTENCES
from tests.work import add_text, call
from tools.catalog import CATALOG
from tools.context import Principal
from tools.executor import Executor

TOOLS = {name: OfferedTool(name, spec.description, spec.input_schema) for name, spec in CATALOG.items()}
WIKI = "https://en.wikipedia.org/wiki/Enzyme"

UTTERANCES: list[tuple[str, str, dict[str, Any]]] = [
    ("make notes from lecture 3", "make_notes", {"material_id": "lecture 3", "type": "lecture"}),
    ("Make notes from the recording", "make_notes", {"material_id": "recording", "type": "lecture"}),
    ("please write me a summary of Lecture 3", "make_notes", {"material_id": "Lecture 3", "type": "summary"}),
    (
        'create cornell notes from "Cell biology"',
        "make_notes",
        {"material_id": "Cell biology", "type": "cornell"},
    ),
    (
        "make an outline of pages 3 to 9 of the decay book",
        "make_notes",
        {"material_id": "decay book", "type": "outline", "first": 3, "last": 9},
    ),
    (
        "take notes on minutes 10 to 20 of the recording",
        "make_notes",
        {"material_id": "recording", "type": "lecture", "t_start": "10:00", "t_end": "20:00"},
    ),
    ("summarize lecture 3", "make_notes", {"material_id": "lecture 3", "type": "summary"}),
    ("list my notes", "list_notes", {}),
    ("show me my notes in Biology", "list_notes", {"class_id": "Biology"}),
    ("find my notes about entropy", "list_notes", {"query": "entropy"}),
    ("open the note Optics", "get_note", {"note_id": "Optics"}),
    ("read my cornell notes on lecture 3", "get_note", {"note_id": "cornell notes on lecture 3"}),
    ("create a note called Optics", "create_note", {"title": "Optics"}),
    (
        "add this note to Physics: Entropy never decreases.",
        "create_note",
        {"title": "Entropy never decreases.", "text": "Entropy never decreases.", "class_id": "Physics"},
    ),
    ("add to the note Optics: Light bends", "update_note", {"note_id": "Optics", "append": "Light bends"}),
    ("rename the note Optics to Light", "update_note", {"note_id": "Optics", "title": "Light"}),
    ("delete the note Optics", "delete_note", {"note_id": "Optics"}),
    (
        "add an assignment essay due Friday for Biology",
        "create_assignment",
        {"title": "Essay", "due_at": "Friday", "class_id": "Biology", "type": "homework"},
    ),
    (
        "add an assignment essay for my Biology class due next Monday",
        "create_assignment",
        {"title": "Essay", "due_at": "next Monday", "class_id": "Biology", "type": "homework"},
    ),
    (
        "add homework: problem set 3 due 2026-12-01 for Calculus I",
        "create_assignment",
        {"title": "Problem set 3", "due_at": "2026-12-01", "class_id": "Calculus I", "type": "homework"},
    ),
    (
        "I have an exam in Physics on 12 December",
        "create_assignment",
        {"title": "Exam", "due_at": "12 December", "class_id": "Physics", "type": "exam"},
    ),
    (
        "remind me to read chapter 3 by tomorrow for Biology",
        "create_assignment",
        {"title": "Read chapter 3", "due_at": "tomorrow", "class_id": "Biology"},
    ),
    ("what is due?", "list_assignments", {"status": "open"}),
    ("What's due this week?", "list_assignments", {"status": "open", "due_to": "this week"}),
    (
        "what is due tomorrow",
        "list_assignments",
        {"status": "open", "due_to": "tomorrow", "due_from": "tomorrow"},
    ),
    ("what is due in Biology?", "list_assignments", {"status": "open", "class_id": "Biology"}),
    ("do I have any homework?", "list_assignments", {"status": "open"}),
    ("what's overdue?", "list_assignments", {"overdue": True}),
    ("mark the essay as done", "update_assignment", {"assignment_id": "essay", "status": "done"}),
    ("I finished the lab report", "update_assignment", {"assignment_id": "lab report", "status": "done"}),
    ("delete the assignment essay", "delete_assignment", {"assignment_id": "essay"}),
    (f"add {WIKI} to Biology", "add_web_page", {"url": WIKI, "class_id": "Biology"}),
    (f"add this page: {WIKI} to my Biology class", "add_web_page", {"url": WIKI, "class_id": "Biology"}),
    (
        "read minute 12 of the recording",
        "read_material",
        {"material_id": "recording", "t_start": "12:00", "t_end": "13:00"},
    ),
    (
        "what was said at 12:30 in lecture 3",
        "read_material",
        {"material_id": "lecture 3", "t_start": "12:30", "t_end": "810"},
    ),
    (
        "read the recording from 10:00 to 12:00",
        "read_material",
        {"material_id": "recording", "t_start": "10:00", "t_end": "12:00"},
    ),
]
QUESTIONS = [
    "what is due process?",
    "find passages about half-life in my notes",
    "summarize the causes of the war",
    "what do my notes say about entropy?",
    "I have a question about the exam",
    "how do enzymes make notes of a substrate?",
    "what does it mean that a reaction is done?",
]


def decide(text: str, before: list[Any] | None = None) -> Any:
    return next_step(read_turn([*(before or []), HumanMessage(text)]), TOOLS, shared_embedder())


@pytest.mark.parametrize(("text", "tool", "args"), UTTERANCES, ids=[u[0][:50] for u in UTTERANCES])
def test_a_sentence_means_a_tool_with_arguments(text: str, tool: str, args: dict[str, Any]) -> None:
    found = [(c.name, c.args) for c in decide(text).calls if c.name != "get_due_cards"]
    assert found == [(tool, args)]


@pytest.mark.parametrize("text", QUESTIONS)
def test_a_question_about_a_subject_is_searched(text: str) -> None:
    assert {c.name for c in decide(text).calls} == {"search_materials"}


@pytest.mark.parametrize(("text", "tool", "args"), UTTERANCES, ids=[u[0][:50] for u in UTTERANCES])
def test_the_tool_that_is_meant_is_among_the_few_that_are_offered(
    text: str, tool: str, args: dict[str, Any]
) -> None:
    offered = {spec.name for spec in choose(CATALOG.values(), text)}
    assert len(offered) <= MOST_TOOLS
    assert tool in offered or tool.startswith("delete_")


def test_what_is_missing_is_asked_for_and_the_answer_completes_the_assignment() -> None:
    asked = decide("add an assignment essay for Biology")
    assert asked.text.startswith("When is it due?")
    before = [HumanMessage("add an assignment essay for Biology"), AIMessage(asked.text)]
    (made,) = decide("Friday", before).calls
    assert made.args == {"title": "Essay", "due_at": "Friday", "class_id": "Biology", "type": "homework"}
    asked = decide(f"add {WIKI}")
    assert asked.text.startswith("Which class do you mean?")
    (added,) = decide("Biology", [HumanMessage(f"add {WIKI}"), AIMessage(asked.text)]).calls
    assert added.args == {"url": WIKI, "class_id": "Biology"}


async def say(executor: Executor, who: Principal, text: str) -> tuple[str, Citations]:
    """The answer of the built-in model through the real loop and the real tools."""
    citations = Citations()
    tools = offered_tools(executor, who, citations, text)
    prompt = system_prompt(executor.storage.clock.now().date(), None)
    agent = build_agent(BuiltinModel(shared_embedder()), tools, prompt)
    outcome = await agent.ainvoke({"messages": [HumanMessage(text)]})
    return outcome["messages"][-1].text, citations


async def test_a_student_without_a_language_model_keeps_assignments(
    executor: Executor, student: Principal
) -> None:
    await call(executor, student, "create_class", name="Biology")
    assert (await say(executor, student, "what homework is due?"))[0] == "Nothing is due."
    noted, _ = await say(executor, student, "add an assignment essay due tomorrow at 5 pm for Biology")
    assert noted.startswith("Noted: **Essay** in Biology, due ")
    assert noted.endswith(" at 17:00.")
    due, _ = await say(executor, student, "what is due?")
    assert due.startswith(
        "1 assignment:\n\n- **Essay** in Biology, due tomorrow at 17:00\n\nNo cards are to be reviewed now."
    )
    await say(executor, student, "mark the essay as done")
    assert (await say(executor, student, "what homework is due?"))[0] == "Nothing is due."


async def test_a_student_without_a_language_model_has_notes_made_and_reads_them(
    executor: Executor, student: Principal
) -> None:
    await add_text(executor, student, "Biology", "Cells", " ".join(SENTENCES))
    text, _ = await say(executor, student, "make notes from Cells")
    assert "**Notes on Cells**" in text
    listed, _ = await say(executor, student, "list my notes")
    assert listed == (
        "You have 1 note:\n\n- **Notes on Cells**, lecture, waiting to be made: nothing is there yet"
    )


async def test_the_sources_of_a_note_that_is_read_are_citations(
    executor: Executor, student: Principal
) -> None:
    await add_text(executor, student, "Biology", "Cells", "# Mitosis\n\nMitosis divides the nucleus.\n")
    found = await call(executor, student, "search_materials", query="mitosis")
    passage = found["hits"][0]["passage_id"]
    await call(executor, student, "create_note", title="Cells", text="It divides [1].", passage_ids=[passage])
    text, citations = await say(executor, student, "open the note Cells")
    assert "It divides [1]." in text
    assert "- [1] *Cells*, Mitosis" in text
    (cited,) = citations.used_in(text)
    assert (cited["number"], cited["passage_id"]) == (1, passage)
