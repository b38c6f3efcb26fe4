"""Before something is destroyed the person types its name: over each transport, in both protocol eras."""

import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from mcp import Client
from mcp.client.session import ClientRequestContext
from mcp.client.streamable_http import streamable_http_client
from mcp.shared._httpx_utils import create_mcp_http_client
from mcp.shared.exceptions import MCPError
from mcp_types import (
    CallToolResult,
    ElicitRequestFormParams,
    ElicitRequestParams,
    ElicitResult,
    ErrorData,
    InputRequiredResult,
    InputResponses,
)

from mcp_server.approval import LIFE, Asked, check_answer
from mcp_server.server import build_server
from storage.errors import LyceumError
from storage.resources import Storage
from tests.mcp_server.conftest import LEGACY, MODERN, Door, make_key, text_of
from tools.catalog import CATALOG
from tools.context import Principal
from tools.executor import Executor

Answer = ElicitResult | ErrorData
Meanwhile = Callable[[], Awaitable[object]]


def typed(name: str) -> ElicitResult:
    return ElicitResult(action="accept", content={"name": name})


class Person:
    """Whoever sits at the client: remembers what was asked, and answers."""

    def __init__(self, answer: Answer, meanwhile: Meanwhile | None = None) -> None:
        self._answer = answer
        self._meanwhile = meanwhile
        self.questions: list[ElicitRequestFormParams] = []

    async def __call__(self, context: ClientRequestContext, params: ElicitRequestParams) -> Answer:
        assert isinstance(params, ElicitRequestFormParams)
        self.questions.append(params)
        if self._meanwhile is not None:
            await self._meanwhile()
        return self._answer


@asynccontextmanager
async def enter(door: Door, caller: Principal, person: Person | None) -> AsyncIterator[Client]:
    if door.transport == "http":
        headers = {"Authorization": f"Bearer {await make_key(door.storage, caller)}"}
        async with create_mcp_http_client(headers=headers) as http:
            transport = streamable_http_client(f"{door.base_url}/mcp", http_client=http)
            async with Client(transport, mode=door.mode, elicitation_callback=person) as client:
                yield client
        return
    server = build_server(Executor(CATALOG, door.storage), lambda _: caller)
    async with Client(server, mode=door.mode, elicitation_callback=person) as client:
        yield client


async def biology(storage: Storage, student: Principal) -> str:
    """A class with two texts in it; its id."""
    executor = Executor(CATALOG, storage)
    made = await executor.call("create_class", {"name": "Biology"}, student)
    for title in ("Cells", "Genes"):
        text = {"class_id": "Biology", "title": title, "text": f"About {title.lower()}."}
        await executor.call("add_text", text, student)
    return str(made.model_dump()["id"])


async def classes(storage: Storage, student: Principal) -> list[str]:
    listed = await Executor(CATALOG, storage).call("list_classes", {}, student)
    return [item["name"] for item in listed.model_dump()["items"]]


def code_of(result: CallToolResult) -> str:
    assert result.is_error
    assert result.meta is not None
    return str(result.meta["lyceum/error"]["code"])


async def test_the_person_is_told_what_goes_and_types_its_name(
    door: Door, storage: Storage, student: Principal
) -> None:
    class_id = await biology(storage, student)
    person = Person(typed(" biology "))
    async with enter(door, student, person) as client:
        result = await client.call_tool("delete_class", {"class_id": "Biol"})
    (question,) = person.questions
    assert "This deletes the class “Biology” with 2 materials." in question.message
    assert question.requested_schema["required"] == ["name"]
    assert result.structured_content == {"id": class_id, "name": "Biology", "material_count": 2}
    assert await classes(storage, student) == []


async def test_any_other_answer_changes_nothing(door: Door, storage: Storage, student: Principal) -> None:
    await biology(storage, student)
    answers: dict[str, Answer] = {
        "approval_declined": ElicitResult(action="decline"),
        "approval_cancelled": ElicitResult(action="cancel"),
        "approval_wrong_name": typed("Chemistry"),
    }
    for code, answer in answers.items():
        async with enter(door, student, Person(answer)) as client:
            result = await client.call_tool("delete_class", {"class_id": "Biology"})
        assert code_of(result) == code
        assert "nothing was changed" in text_of(result)
    assert await classes(storage, student) == ["Biology"]


async def test_a_client_that_cannot_ask_is_told_where_it_can_be_done(
    door: Door, storage: Storage, student: Principal
) -> None:
    await biology(storage, student)
    async with enter(door, student, None) as client:
        if door.mode == MODERN:
            with pytest.raises(MCPError) as caught:
                await client.call_tool("delete_class", {"class_id": "Biology"})
            assert caught.value.error.code == -32021
            assert caught.value.error.data == {"requiredCapabilities": {"elicitation": {"form": {}}}}
            text = caught.value.error.message
        else:
            result = await client.call_tool("delete_class", {"class_id": "Biology"})
            assert code_of(result) == "approval_unavailable"
            text = text_of(result)
    assert "cannot ask" in text
    assert "/api/tools/delete_class" in text
    assert await classes(storage, student) == ["Biology"]


async def test_a_thing_that_changed_since_the_question_stays(
    door: Door, storage: Storage, student: Principal
) -> None:
    class_id = await biology(storage, student)
    executor = Executor(CATALOG, storage)

    async def swap() -> None:
        """Another class gets the name that the call used."""
        await executor.call("update_class", {"class_id": class_id, "name": "Biology II"}, student)
        await executor.call("create_class", {"name": "Biology"}, student)

    async with enter(door, student, Person(typed("Biology"), swap)) as client:
        result = await client.call_tool("delete_class", {"class_id": "Biology"})
    assert code_of(result) == "approval_outdated"
    assert sorted(await classes(storage, student)) == ["Biology", "Biology II"]


async def test_a_client_that_fails_to_ask_changes_nothing(
    base_url: str, storage: Storage, student: Principal
) -> None:
    """In the modern era such a client has no answer to send at all."""
    await biology(storage, student)
    door = Door("memory", LEGACY, base_url, storage)
    for answer in (ErrorData(code=-32603, message="no window"), ElicitResult(action="accept")):
        async with enter(door, student, Person(answer)) as client:
            result = await client.call_tool("delete_class", {"class_id": "Biology"})
        assert code_of(result) in ("approval_failed", "approval_wrong_name")
    assert await classes(storage, student) == ["Biology"]


async def test_the_way_through_call_tool_asks_as_well(
    door: Door, storage: Storage, student: Principal
) -> None:
    await biology(storage, student)
    inner = {"name": "delete_class", "arguments": {"class_id": "Biology"}}
    async with enter(door, student, Person(ElicitResult(action="decline"))) as client:
        refused = await client.call_tool("call_tool", inner)
    assert code_of(refused) == "approval_declined"
    async with enter(door, student, Person(typed("Biology"))) as client:
        result = await client.call_tool("call_tool", inner)
    assert not result.is_error
    assert await classes(storage, student) == []


async def asked_once(client: Client, arguments: dict[str, Any]) -> str:
    """The sealed state of a first step."""
    step = await client.session.call_tool("delete_class", arguments, allow_input_required=True)
    assert isinstance(step, InputRequiredResult)
    assert step.request_state is not None
    return step.request_state


async def test_a_sealed_question_serves_only_its_own_call_and_caller(
    base_url: str, storage: Storage, student: Principal, stranger: Principal, monkeypatch: pytest.MonkeyPatch
) -> None:
    await biology(storage, student)
    await biology(storage, stranger)
    await Executor(CATALOG, storage).call("create_class", {"name": "Chemistry"}, student)
    door = Door("http", MODERN, base_url, storage)
    person = Person(typed("Biology"))
    yes: InputResponses = {"confirmation": typed("Biology")}
    call: dict[str, Any] = {"name": "delete_class", "arguments": {"class_id": "Biology"}}
    async with enter(door, student, person) as client:
        state = await asked_once(client, {"class_id": "Biology"})
        forged = state[:-2] + ("AA" if state[-2:] != "AA" else "BB")
        other = {**call, "arguments": {"class_id": "Chemistry"}}
        for wrong in ({**call, "request_state": forged}, {**other, "request_state": state}):
            with pytest.raises(MCPError, match="nothing was changed") as caught:
                await client.call_tool(**wrong, input_responses=yes)
            assert caught.value.error.code == -32602
        async with enter(door, stranger, person) as thief:
            with pytest.raises(MCPError, match="nothing was changed"):
                await thief.call_tool(**call, request_state=state, input_responses=yes)
        now = time.time()
        with monkeypatch.context() as later:
            later.setattr(time, "time", lambda: now + LIFE.total_seconds() + 1)
            with pytest.raises(MCPError, match="more than ten minutes old"):
                await client.call_tool(**call, request_state=state, input_responses=yes)
        assert sorted(await classes(storage, student)) == ["Biology", "Chemistry"]
        done = await client.call_tool(**call, request_state=state, input_responses=yes)
        assert not done.is_error
    assert await classes(storage, student) == ["Chemistry"]
    assert await classes(storage, stranger) == ["Biology"]


NOW = datetime(2026, 9, 1, tzinfo=UTC)
QUESTION = Asked(
    tool="delete_class",
    item_id=UUID(int=1),
    sentence="This deletes the class.",
    typed="Biology",
    arguments={},
    user_id=UUID(int=2),
    until=NOW,
)


def test_an_answer_counts_until_its_time_is_over() -> None:
    check_answer(QUESTION, typed("Biology"), NOW - timedelta(seconds=1))
    with pytest.raises(LyceumError) as caught:
        check_answer(QUESTION, typed("Biology"), NOW)
    assert caught.value.code == "approval_expired"


@pytest.mark.parametrize(
    "content", [None, {}, {"name": ""}, {"name": 5}, {"other": "Biology"}, {"name": "Biolog"}]
)
def test_an_answer_without_the_name_is_none(content: Any) -> None:
    with pytest.raises(LyceumError) as caught:
        check_answer(QUESTION, ElicitResult(action="accept", content=content), NOW - LIFE)
    assert caught.value.code == "approval_wrong_name"
