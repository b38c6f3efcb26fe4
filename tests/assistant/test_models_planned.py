"""The planned model against a small OpenAI-compatible server: one constrained step, then a streamed reply."""

import json
from typing import Any

import pytest
from langchain.agents import create_agent
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessageChunk, HumanMessage

from assistant.models.factory import ModelSettings, build_model
from storage.embeddings import shared_embedder
from storage.errors import Unavailable
from tests.assistant.fakes import make_tools
from tests.assistant.model_server import Script, model_server

CLASS_ID = "0190aaaa-0000-7000-8000-000000000001"


def model_for(script: Script, **settings: Any) -> BaseChatModel:
    values = {"model": "openai:local", "base_url": script.base_url, "max_retries": 0, **settings}
    return build_model(ModelSettings(**values), shared_embedder())


def plan(action: str, **arguments: Any) -> str:
    return json.dumps({"action": action, "arguments": arguments})


async def ask(script: Script, text: str, called: list[Any], **settings: Any) -> str:
    agent: Any = create_agent(
        model_for(script, **settings),
        make_tools(calls=called),
        system_prompt=f"Help.\nCurrent class: Physics (id: {CLASS_ID})",
    )
    state = await agent.ainvoke({"messages": [HumanMessage(text)]})
    return str(state["messages"][-1].text)


async def test_one_constrained_step_chooses_the_tool_and_the_reply_reads_the_passages() -> None:
    called: list[Any] = []
    with model_server(plan("search_materials", query="stable scheme"), "Backward Euler [1].") as script:
        assert (await ask(script, "Which scheme is stable?", called)).strip() == "Backward Euler [1]."
    assert called == [("search_materials", {"query": "stable scheme", "class_id": CLASS_ID})]
    planning, reply = script.requests
    assert planning["response_format"]["type"] == "json_schema"
    assert "response_format" not in reply
    assert "tools" not in reply
    assert "[1] (Decay book, page 57) The Backward Euler scheme" in reply["messages"][-1]["content"]
    assert {m["role"] for m in reply["messages"]} <= {"system", "user", "assistant"}


async def test_wrong_arguments_are_sent_back_once() -> None:
    called: list[Any] = []
    with model_server(
        plan("create_class", title="Biology"), plan("create_class", name="Biology"), plan("reply"), "Done."
    ) as script:
        await ask(script, "create a class called Biology", called)
    assert called == [("create_class", {"name": "Biology"})]
    assert '"name" is missing.' in script.requests[1]["messages"][-1]["content"]


@pytest.mark.parametrize("first", ["I think I should search.", '{"action": "fly"', plan("launch_rocket")])
async def test_a_malformed_step_becomes_a_search_with_the_words_of_the_person(first: str) -> None:
    called: list[Any] = []
    with model_server(first, "Nothing [1].") as script:
        await ask(script, "Which scheme is stable?", called)
    assert called == [("search_materials", {"query": "Which scheme is stable", "class_id": CLASS_ID})]


async def test_a_question_is_searched_even_when_the_model_would_reply_from_memory() -> None:
    called: list[Any] = []
    with model_server(plan("reply"), "From the passages [1].") as script:
        await ask(script, "What is entropy?", called)
    assert [name for name, _ in called] == ["search_materials"]


async def test_a_greeting_is_answered_without_a_tool() -> None:
    called: list[Any] = []
    with model_server("Hello!") as script:
        assert (await ask(script, "hello", called)).strip() == "Hello!"
    assert called == []


async def test_a_server_that_refuses_the_strict_schema_gets_the_loose_one() -> None:
    called: list[Any] = []
    with model_server((400, "anyOf is not supported"), plan("list_classes"), "One.") as script:
        await ask(script, "Have I made anything yet, and what?", called)
    assert called == [("list_classes", {})]
    assert "anyOf" in script.requests[0]["response_format"]["json_schema"]["schema"]
    assert "enum" in script.requests[1]["response_format"]["json_schema"]["schema"]["properties"]["action"]


async def test_the_same_call_is_never_made_twice_in_a_turn() -> None:
    called: list[Any] = []
    with model_server(plan("list_classes")) as script:
        await ask(script, "list my classes", called)
    assert called == [("list_classes", {})]


async def test_a_tool_with_an_effect_runs_once_and_made_up_descriptions_are_dropped() -> None:
    called: list[Any] = []
    with model_server(
        plan("create_class", name="Biology", description="The study of living organisms")
    ) as script:
        assert (
            await ask(script, "create a class called Biology", called) == "Created the class **Physics 101**."
        )
    assert called == [("create_class", {"name": "Biology"})]


async def test_an_upload_question_is_not_searched_in_the_material() -> None:
    called: list[Any] = []
    with model_server(plan("search_materials", query="upload status")) as script:
        said = await ask(script, "how is my upload doing?", called)
    assert called == [("list_jobs", {})]
    assert said == "Nothing is being processed, and nothing waits."


async def test_an_answer_without_a_number_gets_its_source_and_an_unsupported_one_a_warning() -> None:
    said = "The Backward Euler scheme is unconditionally stable."
    with model_server(plan("search_materials", query="stable"), said) as script:
        assert (await ask(script, "Which scheme is stable?", [])).endswith(
            "Source: *Decay book*, page 57 [1]"
        )
    with model_server(
        plan("search_materials", query="stable"), "Paris, capital of France, hosts the Louvre [1]."
    ) as script:
        assert "could not match" in await ask(script, "Which scheme is stable?", [])


async def test_a_question_whose_words_no_passage_holds_is_not_given_to_the_model() -> None:
    with model_server(plan("search_materials", query="capital of France"), "Paris [1].") as script:
        said = await ask(script, "What is the capital of France?", [])
    assert said == "I did not find that in your material. I searched for “capital of France”."


async def test_bracketed_numbers_of_a_passage_are_no_citations_for_the_model() -> None:
    with model_server(plan("search_materials", query="damping"), "Damping helps [3].") as script:
        await ask(script, "Does damping help Crank-Nicolson?", [])
    assert "As shown in (ref. 3), damping helps." in script.requests[1]["messages"][-1]["content"]


async def test_only_the_reply_streams_and_in_pieces() -> None:
    with model_server(plan("search_materials", query="stable"), "Backward Euler is stable [1].") as script:
        agent: Any = create_agent(model_for(script), make_tools())
        pieces, calls = [], []
        async for chunk, _ in agent.astream(
            {"messages": [HumanMessage("Which is stable?")]}, stream_mode="messages"
        ):
            if isinstance(chunk, AIMessageChunk):
                pieces += [chunk.text] if chunk.text else []
                calls += chunk.tool_call_chunks
    assert len(pieces) > 3
    assert "".join(pieces).strip() == "Backward Euler is stable [1]."
    assert [json.loads(str(c["args"])) for c in calls] == [{"query": "stable"}]


@pytest.mark.parametrize(
    ("status", "said", "code"),
    [
        (401, "Incorrect API key provided: sk-secret", "model_key_rejected"),
        (404, "no such model", "model_unknown"),
        (429, "slow down", "model_busy"),
        (500, "boom", "model_failed"),
        (400, "the request exceeds the available context size, try increasing it", "model_context_too_long"),
    ],
)
@pytest.mark.parametrize("tools", ["planned", "native"])
async def test_a_failing_server_is_explained_in_one_sentence(
    status: int, said: str, code: str, tools: str
) -> None:
    with model_server((status, said)) as script:
        with pytest.raises(Unavailable) as raised:
            await ask(script, "What is entropy?", [], tools=tools, api_key="sk-secret")
    assert raised.value.code == code
    assert "sk-secret" not in str(raised.value)


@pytest.mark.parametrize("tools", ["planned", "native"])
async def test_a_server_that_is_gone_is_explained(tools: str) -> None:
    with model_server("x") as script:
        model = model_for(script, tools=tools)
    with pytest.raises(Unavailable) as raised:
        await model.ainvoke([HumanMessage("hello")])
    assert raised.value.code == "model_unreachable"
