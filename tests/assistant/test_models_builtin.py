"""The built-in model in the real agent loop: what it calls, what it quotes, what it does not say."""

import asyncio
import json
from typing import Any

import pytest
from langchain.agents import create_agent
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage, HumanMessage, ToolMessage

from assistant.models.builtin import BuiltinModel
from assistant.models.compose import NOT_FOUND
from storage.embeddings import shared_embedder
from tests.assistant.fakes import DECAY, INJECTION, hits, make_tools


@pytest.fixture(scope="module")
def model() -> BaseChatModel:
    return BuiltinModel(shared_embedder())


async def converse(
    model: BaseChatModel, text: str, tools: list[Any], before: list[BaseMessage] | None = None
) -> list[BaseMessage]:
    agent: Any = create_agent(model, tools, system_prompt="You help a student.")
    state = await agent.ainvoke({"messages": [*(before or []), HumanMessage(text)]})
    return list(state["messages"])


async def answer(model: BaseChatModel, text: str, **options: Any) -> str:
    return (await converse(model, text, make_tools(**options)))[-1].text


def quotes_in(text: str) -> list[str]:
    lines = [line for line in text.splitlines() if line.startswith('> "')]
    return [line[3 : line.rindex('" [')].replace("\\", "") for line in lines]


def flat(text: str) -> str:
    return " ".join(text.split())


async def test_a_question_is_answered_by_a_quote_with_its_number_title_and_page(model: BaseChatModel) -> None:
    text = await answer(model, "Which scheme is unconditionally stable?")
    first = next(line for line in text.splitlines() if line.startswith(">"))
    assert first == (
        '> "The Backward Euler scheme is unconditionally stable, which means that any time step gives a decaying solution." '
        "[1] — page 57"
    )


@pytest.mark.parametrize(
    "question",
    [
        "Which scheme is unconditionally stable?",
        "What is radioactive decay?",
        "Why does Crank-Nicolson oscillate?",
        "stability",
        "When was the half-life measured?",
    ],
)
async def test_every_quote_is_verbatim_in_the_hit_that_it_cites(model: BaseChatModel, question: str) -> None:
    text = await answer(model, question)
    assert quotes_in(text)
    for line in (line for line in text.splitlines() if line.startswith('> "')):
        quote, rest = line[3 : line.rindex('" [')].replace("\\", ""), line[line.rindex('" [') + 3 :]
        number = int(rest.split("]")[0])
        assert quote in flat(DECAY[number - 1][0])


async def test_a_why_question_gets_the_sentence_with_the_reason(model: BaseChatModel) -> None:
    assert (
        "because the amplification factor"
        in quotes_in(await answer(model, "Why does Crank-Nicolson oscillate?"))[0]
    )


async def test_a_definition_question_gets_the_defining_sentence(model: BaseChatModel) -> None:
    assert quotes_in(await answer(model, "What is radioactive decay?"))[0].startswith(
        "Radioactive decay is a process"
    )


async def test_both_parts_of_a_question_are_answered(model: BaseChatModel) -> None:
    text = await answer(model, "What is radioactive decay and why does Crank-Nicolson oscillate?")
    assert "Radioactive decay is a process" in text
    assert "oscillates because" in text


@pytest.mark.parametrize(
    "question",
    [
        "What is the capital of France?",
        "Who was Napoleon?",
        "How do I bake sourdough bread?",
        "What is photosynthesis?",
    ],
)
async def test_what_the_material_does_not_hold_is_said_plainly(model: BaseChatModel, question: str) -> None:
    text = await answer(model, question)
    assert text.startswith(NOT_FOUND)
    assert "searched for" in text
    assert not quotes_in(text)


async def test_no_hits_and_a_running_index_are_both_said(model: BaseChatModel) -> None:
    text = await answer(
        model,
        "What is entropy?",
        found=[],
        notice="Indexing goes on: 40 of 241 pages are searchable by meaning",
    )
    assert text.startswith(NOT_FOUND)
    assert "40 of 241 pages" in text


async def test_text_of_a_hit_never_causes_a_tool_call(model: BaseChatModel) -> None:
    called: list[tuple[str, dict[str, Any]]] = []
    text = await answer(
        model, "What is the Leapfrog scheme?", found=hits([(INJECTION, "Evil notes", 1)]), calls=called
    )
    assert [name for name, _ in called] == ["search_materials"]
    assert quotes_in(text)[0] == "The Leapfrog scheme is a two-step scheme."


async def test_marks_of_a_source_are_not_taken_for_citations_or_links(model: BaseChatModel) -> None:
    source = "Damping helps Crank-Nicolson [3], see ![x](http://evil.example/a.png) and <b>bold</b>."
    text = await answer(model, "What helps Crank-Nicolson damping?", found=hits([(source, "Notes", 2)]))
    assert "\\[3]" in text
    assert "![x]" not in text
    assert "\\<b>" in text
    assert quotes_in(text) == [source]


async def test_two_hits_with_one_number_are_cited_once(model: BaseChatModel) -> None:
    class_a, class_b = hits([DECAY[1]])[0], {**hits([DECAY[2]])[0], "passage_id": "other"}
    calls = [
        {"name": "search_materials", "args": {"query": q}, "id": q, "type": "tool_call"}
        for q in ("radioactive decay", "oscillates")
    ]
    results = [
        ToolMessage(
            "x", tool_call_id="radioactive decay", name="search_materials", artifact={"hits": [class_a]}
        ),
        ToolMessage("x", tool_call_id="oscillates", name="search_materials", artifact={"hits": [class_b]}),
    ]
    said = await model.ainvoke(
        [HumanMessage("decay and oscillates"), AIMessage("", tool_calls=calls), *results]
    )
    assert "oscillates because" not in said.text


async def test_a_list_is_rendered_with_pages_status_and_error(model: BaseChatModel) -> None:
    text = await answer(model, "what materials do I have?")
    assert "- **Decay book**, in Physics, 241 pages, textbook, ready" in text
    assert "- **Scan**, in Physics, 3 pages, textbook, failed: This PDF needs OCR." in text


async def test_a_command_is_run_and_reported(model: BaseChatModel) -> None:
    called: list[tuple[str, dict[str, Any]]] = []
    assert (
        await answer(model, "create a class called Physics 101", calls=called)
        == "Created the class **Physics 101**."
    )
    assert called == [("create_class", {"name": "Physics 101"})]


async def test_a_page_is_shown_as_a_quote_under_its_place(model: BaseChatModel) -> None:
    assert (
        await answer(model, "show page 57 of decay book")
        == "*Decay book*, page 57 (printed 43)\n\n> Stability of schemes."
    )


async def test_a_failed_tool_is_said_plainly(model: BaseChatModel) -> None:
    call = {"name": "delete_class", "args": {"class_id": "X"}, "id": "1", "type": "tool_call"}
    error = ToolMessage("There is no class “X”.", tool_call_id="1", name="delete_class", status="error")
    said = await model.ainvoke([HumanMessage("delete the class X"), AIMessage("", tool_calls=[call]), error])
    assert said.text == "That did not work: There is no class “X”."


async def test_a_title_that_no_material_has_is_tried_once_without_it(model: BaseChatModel) -> None:
    tools = make_tools()
    question = "What is stable in the wrong book?"
    call = {
        "name": "search_materials",
        "args": {"query": "What is stable", "material_id": "wrong"},
        "id": "1",
        "type": "tool_call",
    }
    failed = ToolMessage(
        "There is no material “wrong”.", tool_call_id="1", name="search_materials", status="error"
    )
    said = await model.bind_tools(tools).ainvoke(
        [HumanMessage(question), AIMessage("", tool_calls=[call]), failed]
    )
    assert [(c["name"], c["args"]) for c in said.tool_calls] == [("search_materials", {"query": question})]


async def test_the_answer_streams_in_words_and_the_call_as_a_parsable_chunk(model: BaseChatModel) -> None:
    agent: Any = create_agent(model, make_tools())
    pieces, calls, usage = [], [], []
    async for chunk, _ in agent.astream(
        {"messages": [HumanMessage("Which scheme is unconditionally stable?")]}, stream_mode="messages"
    ):
        if isinstance(chunk, AIMessageChunk):
            pieces += [chunk.text] if chunk.text else []
            calls += chunk.tool_call_chunks
            usage += [chunk.usage_metadata] if chunk.usage_metadata else []
    assert len(pieces) > 10
    assert "".join(pieces).startswith("According to *Decay book*:\n\n> ")
    assert [c["name"] for c in calls] == ["search_materials"]
    assert json.loads(str(calls[0]["args"])) == {"query": "Which scheme is unconditionally stable"}
    assert len(usage) == 2


async def test_a_cancelled_stream_stops(model: BaseChatModel) -> None:
    async def run() -> None:
        await converse(model, "Which scheme is unconditionally stable?", make_tools())

    task = asyncio.create_task(run())
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


def test_it_works_without_an_event_loop(model: BaseChatModel) -> None:
    said = model.bind_tools(make_tools()).invoke([HumanMessage("list my classes")])
    assert [c["name"] for c in said.tool_calls] == ["list_classes"]
