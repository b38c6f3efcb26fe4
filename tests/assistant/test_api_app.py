"""That the app holds everything together: chat and MCP answer beside the routes of the API."""

import json
from uuid import uuid4

import httpx

from storage.resources import Storage
from tests.assistant.conftest import Person
from tests.mcp_server.conftest import INITIALIZE
from tools.accounts import Accounts


async def test_a_question_is_answered_over_the_app(person: Person, client: httpx.AsyncClient) -> None:
    run = str(uuid4())
    question = {"id": str(uuid4()), "role": "user", "content": "Which classes do I have?"}
    body = {
        "threadId": str(uuid4()),
        "runId": run,
        "state": {},
        "messages": [question],
        "tools": [],
        "context": [],
        "forwardedProps": {},
    }
    await person.tool("create_class", name="Optics")
    answer = await person.http.post("/api/chat", json=body)
    assert answer.status_code == 200, answer.text
    events = [json.loads(line[6:]) for line in answer.text.split("\n") if line.startswith("data: ")]
    assert events[0]["type"] == "RUN_STARTED"
    assert events[-1]["type"] == "RUN_FINISHED", events[-1]
    assert "Optics" in "".join(event.get("delta", "") for event in events)
    assert f"id: {run}:1" in answer.text
    assert (await client.post("/api/chat", json=body)).status_code == 401


async def test_mcp_answers_with_a_key_and_tells_how_to_sign_in_without_one(
    person: Person, client: httpx.AsyncClient, storage: Storage
) -> None:
    headers = {"Accept": "application/json, text/event-stream"}
    refused = await client.post("/mcp", json=INITIALIZE, headers=headers)
    assert refused.status_code == 401
    assert "resource_metadata=" in refused.headers["www-authenticate"]
    metadata = await client.get("/.well-known/oauth-protected-resource/mcp")
    assert metadata.json()["resource"].endswith("/mcp")
    _, key = await Accounts(storage).create_key(person.principal.user_id, "client")
    welcome = await client.post(
        "/mcp", json=INITIALIZE, headers={**headers, "Authorization": f"Bearer {key}"}
    )
    assert welcome.status_code == 200
    assert "serverInfo" in welcome.text
