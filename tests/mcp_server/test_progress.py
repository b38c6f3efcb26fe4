"""Long work: how far it is reaches the client, and a client that goes away leaves nothing running."""

import asyncio
from uuid import UUID

import httpx

from storage.resources import Storage
from tests.mcp_server import catalog as trials
from tests.mcp_server.conftest import LEGACY, MODERN, Door, make_key
from tools.catalog import CATALOG
from tools.context import Principal
from tools.executor import Executor
from tools.worker import tell

PATIENCE = 20


async def waiting_job(storage: Storage, student: Principal) -> str:
    """A job that no worker takes."""
    executor = Executor(CATALOG, storage)
    await executor.call("create_class", {"name": "Physics"}, student)
    text = {"class_id": "Physics", "title": "Waves", "text": "A wave carries energy and no matter."}
    return str((await executor.call("add_text", text, student)).model_dump()["job_id"])


async def test_a_call_that_waits_for_a_job_tells_how_far_it_is(
    door: Door, storage: Storage, student: Principal
) -> None:
    job_id = await waiting_job(storage, student)
    seen: list[tuple[float, float | None, str | None]] = []
    told = asyncio.Queue[float]()

    async def note(progress: float, total: float | None, message: str | None) -> None:
        seen.append((progress, total, message))
        await told.put(progress)

    async with door.enter(student) as client:
        call = asyncio.create_task(
            client.call_tool("get_job", {"job_id": job_id, "wait_seconds": 40}, progress_callback=note)
        )
        assert await asyncio.wait_for(told.get(), PATIENCE) == 0
        await tell(storage, UUID(job_id), "queued", 3, 10, "page 3")
        assert await asyncio.wait_for(told.get(), PATIENCE) == 3
        await Executor(CATALOG, storage).call("cancel_job", {"job_id": job_id}, student)
        result = await asyncio.wait_for(call, PATIENCE)
    assert seen[1:] == [(3, 10, "page 3")]
    assert result.structured_content is not None
    assert result.structured_content["status"] == "cancelled"


async def test_a_wait_that_is_over_answers_with_the_job_as_it_is(
    storage: Storage, student: Principal
) -> None:
    job_id = await waiting_job(storage, student)
    answer = await Executor(CATALOG, storage).call("get_job", {"job_id": job_id, "wait_seconds": 1}, student)
    assert answer.model_dump()["status"] == "queued"


async def test_a_client_that_drops_its_stream_in_the_middle_stops_the_call(
    base_url: str, storage: Storage, student: Principal
) -> None:
    """In the modern era a closed stream is the cancellation (2026-07-28, transports)."""
    trials.started.clear()
    trials.cancelled.clear()
    headers = {
        "Authorization": f"Bearer {await make_key(storage, student)}",
        "Accept": "application/json, text/event-stream",
        "MCP-Protocol-Version": MODERN,
        "Mcp-Method": "tools/call",
        "Mcp-Name": "wait_forever",
    }
    meta = {
        "io.modelcontextprotocol/protocolVersion": MODERN,
        "io.modelcontextprotocol/clientCapabilities": {},
        "progressToken": 1,
    }
    call = {"name": "wait_forever", "arguments": {}, "_meta": meta}
    body = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": call}
    async with httpx.AsyncClient(headers=headers) as http:
        async with http.stream("POST", f"{base_url}/mcp", json=body) as answer:
            assert answer.status_code == 200
            await asyncio.wait_for(trials.started.wait(), PATIENCE)
    await asyncio.wait_for(trials.cancelled.wait(), PATIENCE)


async def test_a_session_that_is_ended_stops_its_calls(
    base_url: str, storage: Storage, student: Principal
) -> None:
    """In the older era a lost connection is no cancellation (2025-11-25, transports); the end of the session is."""
    trials.started.clear()
    trials.cancelled.clear()
    async with Door("http", LEGACY, base_url, storage).enter(student) as client:
        call = asyncio.create_task(client.call_tool("wait_forever"))
        await asyncio.wait_for(trials.started.wait(), PATIENCE)
    (ended,) = await asyncio.gather(call, return_exceptions=True)
    assert isinstance(ended, BaseException)
    await asyncio.wait_for(trials.cancelled.wait(), PATIENCE)
