"""No row of another user: every tool of the catalogue is tried by a stranger with every id that a student has, through
every surface. A new tool is covered by being in the catalogue."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

import httpx
import pytest
from langchain_core.messages import HumanMessage, ToolMessage
from mcp import Client

from assistant.agent.agent import build_agent
from assistant.agent.citations import Citations
from assistant.agent.tool_adapter import as_langchain
from assistant.app import create_app
from mcp_server.server import build_server
from storage.local.instance import InstanceInfo
from storage.models import Conversation, Message, OAuthClient
from storage.resources import Storage
from tests.conftest import settings_for
from tests.fixtures_models import ScriptedModel, Step
from tests.study.quizzes import make_test
from tests.work import add_text, call
from tools.accounts import Accounts
from tools.catalog import CATALOG
from tools.context import Principal
from tools.executor import Executor
from tools.oauth.tokens import Consent, GrantTokens, challenge


@pytest.fixture(scope="module")
async def possessions(storage: Storage, executor: Executor, new_user: Principal) -> dict[str, str]:
    """One id of every kind of thing, by the argument that names it."""
    material = await add_text(
        executor, new_user, "Secret class", "Secret note", "The treasure is under the oak.\n"
    )
    jobs = await call(executor, new_user, "list_jobs")
    classes = await call(executor, new_user, "list_classes")
    found = await call(executor, new_user, "search_materials", query="treasure")
    collections = await call(executor, new_user, "chroma_list_collections")
    binned = await add_text(executor, new_user, "Secret class", "Secret in the bin", "Another oak.\n")
    await call(executor, new_user, "delete_material", material_id=binned)
    note = await call(executor, new_user, "create_note", title="Secret thoughts", text="The oak again.")
    due = {"class_id": "Secret class", "title": "Secret dig", "due_at": "tomorrow"}
    assignment = await call(executor, new_user, "create_assignment", **due)
    key, _ = await Accounts(storage).create_key(new_user.user_id, "Secret key")
    async with storage.as_user(new_user.user_id) as db:
        thread = storage.clock.new_id()
        now = storage.clock.now()
        await db.conversations.add(
            Conversation(
                id=thread,
                user_id=new_user.user_id,
                thread_id=str(thread),
                title="Secret talk",
                last_message_at=now,
            )
        )
        await db.conversations.add_message(
            Message(
                id=storage.clock.new_id(), user_id=new_user.user_id, conversation_id=thread, role="user", text="hush",
                created_at=now,
            )
        )  # fmt: skip
    return {
        "class_id": classes["items"][0]["id"],
        "material_id": material,
        "job_id": jobs["items"][0]["id"],
        "passage_id": found["hits"][0]["passage_id"],
        "collection_name": collections["items"][0]["name"],
        "conversation_id": str(thread),
        "note_id": note["id"],
        "assignment_id": assignment["id"],
        "key_id": str(key.id),
        "item_id": binned,
        "upload_id": (await upload_of(storage, new_user, material)),
        **(await attempt_of(executor, new_user)),
        **(await deck_of(executor, new_user)),
        "document_id": await document_of(executor, new_user, material),
        "client_id": await client_of(storage, new_user),
    }


async def client_of(storage: Storage, who: Principal) -> str:
    """A program that is let in."""
    row = OAuthClient(
        id=storage.clock.new_id(),
        client_id=str(storage.clock.new_id()),
        registration="dynamic",
        name="Secret program",
        redirect_uris=["http://127.0.0.1/"],
        document={},
        grant_types=["authorization_code", "refresh_token"],
    )
    async with storage.programs() as programs:
        await programs.add(row)
    verifier = "v" * 43
    scopes = frozenset({"notes:read"})
    consent = Consent(
        who.user_id, row, scopes, "http://127.0.0.1/mcp", "http://127.0.0.1/", challenge(verifier)
    )
    tokens = GrantTokens(storage)
    await tokens.exchange(row, await tokens.code(consent), verifier, None)
    return str(row.id)


async def document_of(executor: Executor, who: Principal, material: str) -> str:
    """A summary that is still to be made."""
    started = await call(
        executor, who, "generate_document", kind="summary", material_id=material, title="Secret summary"
    )
    return str(started["document_id"])


async def deck_of(executor: Executor, who: Principal) -> dict[str, str]:
    """A deck with one card."""
    made = await call(
        executor, who, "create_flashcard", deck_id="Secret deck", front="Where?", back="Under the oak."
    )
    return {"deck_id": made["deck_id"], "card_id": made["items"][0]["id"]}


async def attempt_of(executor: Executor, who: Principal) -> dict[str, str]:
    """A test with one question, and an attempt that was handed in."""
    question = {
        "type": "short_answer",
        "text": "Where is the Secret treasure?",
        "answer": {"type": "short_answer", "expected": {"text": "under the oak"}},
    }
    test_id = await make_test(executor.storage, who, "Secret test", questions=[question])
    attempt = await call(executor, who, "start_test", test_id=test_id)
    await call(executor, who, "submit_test", test_id=test_id)
    return {
        "test_id": test_id,
        "attempt_id": attempt["attempt_id"],
        "question_id": attempt["questions"][0]["id"],
    }


async def upload_of(storage: Storage, who: Principal, material: str) -> str:
    async with storage.as_user(who.user_id, read_only=True) as db:
        row = await db.materials.by_id(UUID(material))
        assert row is not None
        return str(row.file_id)


FILLERS: dict[str, Any] = {
    "rating": 1,
    "query": "treasure",
    "title": "x",
    "text": "x",
    "response": "x",
    "name": "x",
    "page": 1,
    "due_at": "tomorrow",
    "email": "x@example.org",
    "table": "classes",
    "url": "https://example.org/",
}


def arguments_of(tool: str, possessions: dict[str, str]) -> dict[str, Any]:
    """Arguments for a tool that name the student's things; optional ones only where they name a thing."""
    schema = CATALOG[tool].input_schema
    required = set(schema.get("required", ()))
    arguments = {}
    for name in schema.get("properties", {}):
        if name in possessions and not (tool == "open_passage" and name == "material_id"):
            arguments[name] = possessions[name]
        elif name in required:
            arguments[name] = FILLERS[name]
    if tool == "rate_item":
        arguments = {"card_id": possessions["card_id"], "rating": FILLERS["rating"]}
    if tool == "update_class":
        arguments["subject"] = "stolen"
    if tool == "upload_material":
        arguments["class_id"] = "x-own-class"
    return arguments


NAMING = sorted(
    name
    for name, spec in CATALOG.items()
    if any(p.endswith("_id") or p == "collection_name" for p in spec.input_schema.get("properties", {}))
)
LISTING = sorted(set(CATALOG) - set(NAMING))


@dataclass(frozen=True)
class Answer:
    """What a surface answered: whether it was "not found", and everything that was said."""

    not_found: bool
    text: str


@dataclass
class Surfaces:
    """One tool call by the same person through each way in."""

    executor: Executor
    web: httpx.AsyncClient

    async def http(self, who: Principal, tool: str, arguments: dict[str, Any]) -> Answer:
        _, key = await Accounts(self.executor.storage).create_key(who.user_id, "test")
        headers = {"Authorization": f"Bearer {key}"}
        response = await self.web.post(f"/api/tools/{tool}", json=arguments, headers=headers)
        return Answer(response.status_code == 404, response.text)

    async def mcp(self, who: Principal, tool: str, arguments: dict[str, Any]) -> Answer:
        async with Client(build_server(self.executor, lambda _: who)) as client:
            result = await client.call_tool(tool, arguments)
        error = (result.meta or {}).get("lyceum/error", {})
        return Answer(bool(result.is_error) and error.get("kind") == "not_found", str(result))

    async def agent(self, who: Principal, tool: str, arguments: dict[str, Any]) -> Answer:
        model = ScriptedModel(steps=[Step(calls=[(tool, arguments)]), Step("done")])
        adapted = as_langchain(CATALOG[tool], self.executor, who, Citations())
        outcome = await build_agent(model, [adapted], "Be brief.").ainvoke({"messages": [HumanMessage("go")]})
        (message,) = (m for m in outcome["messages"] if isinstance(m, ToolMessage))
        missing = message.status == "error" and (
            "No " in message.text or "no " in message.text or "not exist" in message.text
        )
        return Answer(missing, message.text)


@pytest.fixture(scope="module")
async def surfaces(executor: Executor, instance: InstanceInfo) -> Surfaces:
    app = create_app(settings_for(instance))
    return Surfaces(
        executor, httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://127.0.0.1:8000")
    )


WAYS_IN = ("http", "mcp", "agent")


@pytest.mark.parametrize("way_in", WAYS_IN)
@pytest.mark.parametrize("tool", NAMING)
async def test_a_stranger_is_told_that_nothing_is_there(
    surfaces: Surfaces, stranger: Principal, possessions: dict[str, str], tool: str, way_in: str
) -> None:
    if tool == "upload_material":
        await call(surfaces.executor, stranger, "create_class", name="x-own-class")
    answer = await getattr(surfaces, way_in)(stranger, tool, arguments_of(tool, possessions))
    assert answer.not_found, answer.text
    assert "Secret" not in answer.text
    assert "oak" not in answer.text


@pytest.mark.parametrize("way_in", WAYS_IN)
@pytest.mark.parametrize("tool", LISTING)
async def test_what_a_stranger_can_call_without_an_id_shows_nothing_of_the_student(
    surfaces: Surfaces, stranger: Principal, possessions: dict[str, str], tool: str, way_in: str
) -> None:
    answer = await getattr(surfaces, way_in)(stranger, tool, arguments_of(tool, {}))
    assert not answer.not_found
    assert not any(value in answer.text for value in possessions.values())
    assert "Secret" not in answer.text


@pytest.mark.parametrize("way_in", WAYS_IN)
@pytest.mark.parametrize("tool", ["list_materials", "search_materials", "list_conversations"])
async def test_a_stranger_sees_none_of_it_without_naming_it(
    surfaces: Surfaces, stranger: Principal, possessions: dict[str, str], tool: str, way_in: str
) -> None:
    arguments = {"query": "treasure oak"} if tool == "search_materials" else {}
    answer = await getattr(surfaces, way_in)(stranger, tool, arguments)
    assert not any(value in answer.text for value in possessions.values())


async def test_the_owner_does_reach_these_things(
    surfaces: Surfaces, new_user: Principal, possessions: dict[str, str]
) -> None:
    """The tests above would prove nothing if the arguments were wrong."""
    harmless = [name for name in NAMING if CATALOG[name].effect.value == "read"]
    for tool in harmless:
        answer = await surfaces.http(new_user, tool, arguments_of(tool, possessions))
        assert not answer.not_found, (tool, answer.text)
