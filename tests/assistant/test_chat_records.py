"""What becomes of a run without HTTP: history within its budget, progress events, and the log of a dead process."""

from typing import Any
from uuid import uuid4

import pytest
from ag_ui.core import (
    CustomEvent,
    RunAgentInput,
    TextMessageContentEvent,
    TextMessageStartEvent,
    ToolCallArgsEvent,
    ToolCallResultEvent,
    ToolCallStartEvent,
    UserMessage,
)
from langchain_core.messages import HumanMessage

from assistant.agent.agent import build_agent
from assistant.agent.citations import Citations
from assistant.agent.tool_adapter import offered_tools
from assistant.chat.answer import short_result
from assistant.chat.events import Translator, encode, run_started
from assistant.chat.history import MOST_QUESTION, question_of, to_langchain
from assistant.chat.records import record_run
from assistant.chat.recovery import interrupt
from storage.errors import InvalidInput, TooLarge
from storage.models import Message
from storage.resources import Storage
from tests.fixtures_models import ScriptedModel, Step
from tests.work import call
from tools.context import Principal, ToolContext
from tools.executor import Executor
from tools.spec import Effect, NoInput, tool


def message(role: str, text: str, status: str = "complete", **more: Any) -> Message:
    return Message(role=role, text=text, status=status, **({"parts": [], "citations": []} | more))


def asking(text: Any, thread: str = "t") -> RunAgentInput:
    return RunAgentInput(thread_id=thread, run_id=str(uuid4()), messages=[UserMessage(id="m", content=text)])


def test_the_newest_whole_turns_fit_the_budget() -> None:
    turns = [m for n in range(6) for m in (message("user", f"q{n}"), message("assistant", "x" * 4000))]
    kept = to_langchain([*turns, message("user", "now")])
    assert [m.text for m in kept if m.type == "human"] == ["q4", "q5", "now"]


def test_the_question_stays_however_long_it_is() -> None:
    assert [m.text for m in to_langchain([message("user", "a"), message("user", "y" * 20_000)])] == [
        "y" * 20_000
    ]


def test_tool_calls_of_earlier_turns_come_back_with_a_short_result() -> None:
    part = {
        "type": "tool_call",
        "id": "c1",
        "name": "search_materials",
        "arguments": {"query": "euler"},
        "result": "2 passages found",
    }
    stored = [message("user", "q"), message("assistant", "It is [1].", parts=[part])]
    kinds = [m.type for m in to_langchain(stored)]
    assert kinds == ["human", "ai", "tool", "ai"]


def test_an_unfinished_answer_is_marked_for_the_model() -> None:
    stored = [message("user", "q"), message("assistant", "It", status="interrupted")]
    assert "not finished" in to_langchain(stored)[1].text


def test_text_parts_of_a_message_are_joined_and_empty_ones_refused() -> None:
    parts: list[Any] = [{"type": "text", "text": "What is"}, {"type": "text", "text": "decay?"}]
    assert question_of(asking(parts)) == "What is\ndecay?"
    with pytest.raises(InvalidInput):
        question_of(asking("  "))
    with pytest.raises(TooLarge):
        question_of(asking("x" * (MOST_QUESTION + 1)))


def test_a_search_is_remembered_by_its_places() -> None:
    hits = '{"hits": [{"label": "page 57", "locator": {"material_title": "Decay"}}]}'
    assert short_result(hits) == "1 passages found: Decay, page 57"
    assert short_result('{"items": [{"name": "Physics"}], "total": 1}') == "1 items: Physics"


async def test_progress_of_a_tool_is_a_custom_event(storage: Storage, student: Principal) -> None:
    @tool(effect=Effect.READ, toolset="classes")
    async def count_slowly(ctx: ToolContext, args: NoInput) -> NoInput:
        """Count."""
        await ctx.progress(1, 2, "Half of it")
        return NoInput()

    tools = offered_tools(Executor({"count_slowly": count_slowly}, storage), student, Citations())
    agent = build_agent(ScriptedModel(steps=[Step(calls=[("count_slowly", {})]), Step("done")]), tools, "x")
    translator = Translator(storage.clock.new_id)
    events = []
    stream = agent.astream(
        {"messages": [HumanMessage("go")]}, stream_mode=["messages", "custom"], version="v2"
    )
    async for part in stream:
        events += translator.feed(dict(part))
    assert [e.value for e in events if isinstance(e, CustomEvent)] == [
        {"tool": "count_slowly", "done": 1, "total": 2, "message": "Half of it"}
    ]


async def test_an_interrupted_answer_keeps_its_citations(
    storage: Storage, executor: Executor, student: Principal
) -> None:
    new = await record_run(storage, student, asking("q", "thread"))
    assert new is not None
    hit = '{"hits": [{"passage_id": "p", "number": 1, "text": "T", "label": "page 1", "locator": {}}]}'
    name = str(uuid4())
    events = [
        run_started("thread", new.client_run_id),
        ToolCallStartEvent(tool_call_id="c", tool_call_name="search_materials"),
        ToolCallArgsEvent(tool_call_id="c", delta="{}"),
        ToolCallResultEvent(message_id="r", tool_call_id="c", content=hit),
        TextMessageStartEvent(message_id=name),
        TextMessageContentEvent(message_id=name, delta="So it is [1], and"),
    ]
    for number, event in enumerate(events, 1):
        await storage.runs.append(new.run_id, number, encode(event, storage.clock.now()))
    assert await interrupt(storage, new.run_id, student.user_id)
    assert not await interrupt(storage, new.run_id, student.user_id)
    stored = await call(executor, student, "get_conversation", conversation_id="thread")
    answer = stored["messages"][1]
    assert (answer["status"], answer["text"]) == ("interrupted", "So it is [1], and")
    assert [c["passage_id"] for c in answer["citations"]] == ["p"]
