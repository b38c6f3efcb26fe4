"""API keys beside OAuth: what they may do, how long and how often, is enforced on MCP."""

from datetime import timedelta

import httpx

from storage.resources import Storage
from tests.oauth.conftest import list_tools, rpc
from tools.accounts import Accounts
from tools.context import Principal


async def test_a_key_does_what_its_scopes_say(
    http: httpx.AsyncClient, storage: Storage, student: Principal
) -> None:
    _, secret = await Accounts(storage).create_key(student.user_id, "A key", scopes=("notes:read",))
    answer = await rpc(
        http, secret, "tools/call", {"name": "create_note", "arguments": {"title": "x", "text": "x"}}
    )
    assert "missing_scope" in answer.text
    assert (await rpc(http, secret, "tools/call", {"name": "list_notes", "arguments": {}})).status_code == 200
    listed = (await list_tools(http, secret)).text
    assert '"get_due_cards"' not in listed


async def test_a_key_ends_when_it_expires(
    http: httpx.AsyncClient, storage: Storage, student: Principal
) -> None:
    key, secret = await Accounts(storage).create_key(
        student.user_id, "A key", expires_at=storage.clock.now() + timedelta(hours=1)
    )
    async with storage.as_user(student.user_id) as db:
        (row,) = await db.accounts.keys()
        row.expires_at = storage.clock.now() - timedelta(seconds=1)
    assert row.id == key.id
    assert (await list_tools(http, secret)).status_code == 401


async def test_a_key_has_a_limit_of_its_own_and_is_dated(
    http: httpx.AsyncClient, storage: Storage, student: Principal
) -> None:
    _, secret = await Accounts(storage).create_key(student.user_id, "A key")
    async with storage.as_user(student.user_id) as db:
        (row,) = await db.accounts.keys()
        row.rate_limit = 2
    answers = [await list_tools(http, secret) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert int(answers[2].headers["Retry-After"]) > 0
    async with storage.as_user(student.user_id, read_only=True) as db:
        (row,) = await db.accounts.keys()
    assert row.last_used_at is not None
