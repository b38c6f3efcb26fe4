"""Redis emptied, stopped or frozen in the middle of everything: slower, refused in plain words, never lost, never hanging."""

import asyncio
import json
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from functools import partial
from uuid import UUID, uuid4

import httpx
import pytest

from storage import keys
from storage.local.instance import InstanceInfo
from storage.redis import client as redis_client
from storage.resources import Storage
from tests.assistant.chat_app import ChatClient, Reply, serving
from tests.assistant.serving import client_of, running
from tests.conftest import settings_for
from tests.fixtures_models import ScriptedModel, Step
from tests.mcp_server.conftest import make_key
from tests.storage.stores import Redis
from tests.waiting import PATIENCE, SOON, awaited, patience, until
from tests.work import add_text, call
from tools.catalog import CATALOG
from tools.context import Principal
from tools.executor import Executor
from tools.ingest.service import make_worker

QUICK_SECONDS, ANSWER_SECONDS = redis_client.QUICK_SECONDS, redis_client.ANSWER_SECONDS


@pytest.fixture(autouse=True)
def usual_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a client waits for Redis outside of tests."""
    monkeypatch.setattr(redis_client, "QUICK_SECONDS", QUICK_SECONDS)
    monkeypatch.setattr(redis_client, "ANSWER_SECONDS", ANSWER_SECONDS)


@asynccontextmanager
async def working(storage: Storage) -> AsyncGenerator[None]:
    """A worker beside the test."""
    worker = make_worker(storage, f"away-{uuid4()}")
    task = asyncio.create_task(worker.run())
    try:
        yield
    finally:
        worker.stop()
        await awaited(task, "the worker to stop")


async def until_ended(executor: Executor, who: Principal, job_id: str) -> str:
    async def ending() -> str:
        status = str((await call(executor, who, "get_job", job_id=job_id))["status"])
        return status if status in ("succeeded", "failed", "cancelled") else ""

    return await until(ending, "the end of the job")


async def add_notes(executor: Executor, who: Principal, text: str) -> str:
    """A queued job that reads a text."""
    if not (await call(executor, who, "list_classes"))["items"]:
        await call(executor, who, "create_class", name="Waves")
    taken = await call(executor, who, "add_text", class_id="Waves", title="Notes", text=text)
    return str(taken["job_id"])


def long_text() -> str:
    return "\n\n".join(
        f"# Part {n}\n\nThe wave number {n} carries energy, and {'so on ' * 60}." for n in range(150)
    )


async def test_a_queued_job_is_done_after_redis_was_emptied(own: Storage, student: Principal) -> None:
    executor = Executor(CATALOG, own)
    job_id = await add_notes(executor, student, "A wave carries energy.")
    await own.redis.flushall()
    async with working(own):
        assert await until_ended(executor, student, job_id) == "succeeded"
        await own.redis.flushall()
        again = await add_notes(executor, student, "A node does not move.")
        assert await until_ended(executor, student, again) == "succeeded"


async def test_a_running_job_goes_on_while_redis_is_emptied_and_stopped(
    own: Storage, redis: Redis, student: Principal
) -> None:
    executor = Executor(CATALOG, own)
    async with working(own):
        job_id = await add_notes(executor, student, long_text())
        await until_running(executor, student, job_id)
        await own.redis.flushall()
        await redis.stop()
        assert await until_ended(executor, student, job_id) == "succeeded"


async def until_running(executor: Executor, who: Principal, job_id: str) -> None:
    async def is_running() -> bool:
        return bool((await call(executor, who, "get_job", job_id=job_id))["status"] == "running")

    await until(is_running, "the job to begin")


async def test_an_answer_is_kept_whole_when_redis_is_emptied_while_it_is_written(
    own: Storage, student: Principal
) -> None:
    executor, run = Executor(CATALOG, own), str(uuid4())
    words = " ".join(f"word{n}" for n in range(40))
    async with serving(own, executor, lambda: ScriptedModel(steps=[Step(words, pause=0.03)])) as http:
        chat = ChatClient(http, student)
        await chat.ask("a question", run, most=6)
        await own.redis.flushall()

        async def finished() -> Reply | None:
            reply = await chat.events(run)
            return reply if reply.last.get("type") == "RUN_FINISHED" else None

        reply = await until(finished, "the end of the answer")
    conversation = await call(executor, student, "list_conversations")
    told = await call(executor, student, "get_conversation", conversation_id=conversation["items"][0]["id"])
    assert "word39" in json.dumps(told)
    assert reply is not None
    assert reply.status == 200


@pytest.fixture(params=["stopped", "frozen"])
async def away(request: pytest.FixtureRequest, own: Storage, redis: Redis) -> Storage:
    """The stores after their Redis stopped, or went silent with its connections open."""
    await own.redis.ping()
    if request.param == "stopped":
        await redis.stop()
    else:
        redis.freeze()
    return own


async def test_without_redis_material_is_read_searched_and_taken_in(
    storage: Storage, away: Storage, student: Principal
) -> None:
    material = await add_text(Executor(CATALOG, storage), student, "Waves", "Notes", "A wave carries energy.")
    executor, started = Executor(CATALOG, away), time.monotonic()
    read = await call(executor, student, "read_material", material_id=material)
    assert "carries energy" in read["segments"][0]["text"]
    assert time.monotonic() - started < SOON
    found = await call(executor, student, "search_materials", query="what does a wave carry?")
    assert found["hits"][0]["scores"]["lexical"]
    assert time.monotonic() - started < SOON * 2
    async with working(away):
        job_id = await add_notes(executor, student, "A node does not move.")
        assert await until_ended(executor, student, job_id) == "succeeded"


async def test_without_redis_the_api_answers_or_says_what_is_missing(
    instance: InstanceInfo, away: Storage, student: Principal
) -> None:
    settings = settings_for(instance)
    headers = {"Authorization": f"Bearer {await make_key(away, student)}"}
    async with (
        running(settings, redis_url=away.settings.redis_url) as app,
        client_of(app, headers=headers) as client,
    ):
        login = {"email": "nobody@example.org", "password": "12345678"}
        message = {"id": "1", "role": "user", "content": "What is a wave?"}
        question = {
            "threadId": "t", "runId": "r", "messages": [message],
            "state": {}, "tools": [], "context": [], "forwardedProps": {},
        }  # fmt: skip
        answers: dict[str, httpx.Response] = {}
        for path, body in (
            ("/api/tools/list_classes", {}),
            ("/api/chat", question),
            ("/api/auth/login", login),
        ):
            started = time.monotonic()
            answers[path] = await client.post(path, json=body)
            assert time.monotonic() - started < SOON, path
        assert answers["/api/tools/list_classes"].status_code == 200
        for path in ("/api/chat", "/api/auth/login"):
            problem = answers[path].json()
            assert (answers[path].status_code, problem["code"]) == (503, "redis_unavailable"), path
            assert "Redis" in problem["detail"]
        started = time.monotonic()
        ready = await client.get("/readyz")
        assert ready.json()["stores"]["redis"] == "down"
        assert time.monotonic() - started < SOON
    runs = await call(Executor(CATALOG, away), student, "list_conversations")
    assert runs["items"] == []


async def test_a_job_can_be_watched_while_redis_is_away(
    instance: InstanceInfo, away: Storage, student: Principal
) -> None:
    executor = Executor(CATALOG, away)
    job_id = await add_notes(executor, student, "A wave carries energy.")
    headers = {"Authorization": f"Bearer {await make_key(away, student)}"}
    async with (
        running(settings_for(instance), redis_url=away.settings.redis_url) as app,
        client_of(app, headers=headers, timeout=PATIENCE) as client,
        working(away),
    ):
        states = await events_of(client, job_id)
    assert states[-1]["status"] == "succeeded"


async def events_of(client: httpx.AsyncClient, job_id: str) -> list[dict[str, object]]:
    answer = await client.get(f"/api/jobs/{job_id}/events")
    return [json.loads(line[6:]) for line in answer.text.splitlines() if line.startswith("data: ")]


async def test_a_watcher_hears_of_progress_without_asking_postgres(own: Storage, student: Principal) -> None:
    job_id = own.clock.new_id()
    state = {"job_id": str(job_id), "status": "running", "done": 1, "total": 9, "message": "x", "error": None}
    async with own.jobs.watch(job_id) as news:
        assert await anext(news) is None
        await own.jobs.publish(job_id, state)
        async with patience("the news", SOON):
            heard = await anext(news)
            while heard is None:
                heard = await anext(news)
        assert heard == state
    async with own.jobs.watch(job_id) as news:
        assert await anext(news) == state


async def test_what_is_kept_of_an_attempt_before_is_not_shown(
    instance: InstanceInfo, own: Storage, student: Principal
) -> None:
    executor = Executor(CATALOG, own)
    job_id = await add_notes(executor, student, "A wave carries energy.")
    for status in ("failed", "running"):
        await own.jobs.publish(UUID(job_id), {"status": status, "done": 5, "total": 9})
    headers = {"Authorization": f"Bearer {await make_key(own, student)}"}
    async with (
        running(settings_for(instance), redis_url=own.settings.redis_url) as app,
        client_of(app, headers=headers, timeout=PATIENCE) as client,
    ):
        watching = asyncio.create_task(events_of(client, job_id))
        await until(partial(is_watched, own, job_id), "the watcher")
        await call(executor, student, "cancel_job", job_id=job_id)
        states = await watching
    assert [state["status"] for state in states] == ["queued", "cancelled"]


async def is_watched(own: Storage, job_id: str) -> bool:
    ((_, watchers),) = await own.redis.pubsub_numsub(keys.JOB_NEWS(job=job_id))
    return bool(watchers)


async def test_many_watchers_are_served_at_once(own: Storage) -> None:
    job_id: UUID = own.clock.new_id()
    ready, heard = asyncio.Semaphore(0), []

    async def watch() -> None:
        async with own.jobs.watch(job_id) as news:
            assert await anext(news) is None
            ready.release()
            async for message in news:
                if message:
                    heard.append(message["done"])
                    return

    watchers = [asyncio.create_task(watch()) for _ in range(200)]
    async with patience("all to hear of it"):
        for _ in watchers:
            await ready.acquire()
        await own.jobs.publish(job_id, {"done": 7})
        await asyncio.gather(*watchers)
    assert heard == [7] * 200
