"""Sliding windows: exact when many ask at once, and what a caller reads who asks too often, on every surface."""

import asyncio
from dataclasses import replace
from uuid import uuid4

import pytest

from storage.errors import RateLimited
from storage.local.instance import InstanceInfo
from storage.redis.client import Breaker, connect
from storage.redis.limits import Brake, Limit
from storage.resources import Storage
from tests.assistant.serving import client_of, running
from tests.conftest import settings_for
from tests.mcp_server.conftest import LEGACY, http_client, make_key
from tests.storage.stores import Redis, http_server
from tests.work import call
from tools.accounts import Accounts
from tools.catalog import CATALOG
from tools.context import Principal
from tools.executor import Executor


async def admitted(brake: Brake, *limits: Limit) -> bool:
    try:
        await brake.check("Too often.", *limits)
    except RateLimited:
        return False
    return True


def limit(count: int, seconds: int = 60) -> Limit:
    return Limit(f"lyceum:rate:{uuid4()}:all", count, seconds)


async def test_of_many_that_ask_at_the_same_moment_exactly_the_limit_pass(storage: Storage) -> None:
    """Four clients with connections of their own, as four processes have them."""
    wanted, url = limit(50), storage.settings.redis_url or ""
    clients = [connect(url) for _ in range(4)]
    brakes = [Brake(client, Breaker(), storage.clock) for client in clients]
    passed = await asyncio.gather(*(admitted(brakes[n % 4], wanted) for n in range(200)))
    assert sum(passed) == 50
    for client in clients:
        await client.aclose()


async def test_the_window_slides_instead_of_starting_anew(storage: Storage) -> None:
    """Two a minute: at 0 and 36 s; at 66 s only the first of them is over."""
    wanted, brake = limit(2), storage.brake
    assert await admitted(brake, wanted)
    await let_pass(storage, wanted, 36)
    assert await admitted(brake, wanted)
    assert not await admitted(brake, wanted)
    await let_pass(storage, wanted, 30)
    assert [await admitted(brake, wanted) for _ in range(2)] == [True, False]
    assert await storage.redis.zcard(wanted.key) == 2, "what is over is not kept"


async def let_pass(storage: Storage, wanted: Limit, seconds: int) -> None:
    """Make what was noted older."""
    for noted in await storage.redis.zrange(wanted.key, 0, -1):
        await storage.redis.zincrby(wanted.key, -1000 * seconds, noted)


async def test_what_was_refused_counts_under_no_limit(storage: Storage) -> None:
    narrow, wide = limit(1), limit(3)
    assert [await admitted(storage.brake, narrow, wide) for _ in range(5)] == [True] + [False] * 4
    assert [await admitted(storage.brake, wide) for _ in range(3)] == [True, True, False]


async def test_a_refusal_says_how_long_to_wait(storage: Storage) -> None:
    wanted = limit(1, 30)
    await storage.brake.check("Too often.", wanted)
    with pytest.raises(RateLimited) as refused:
        await storage.brake.check("Too often.", wanted)
    assert refused.value.details["retry_after"] == 30


async def test_too_many_requests_of_a_user_are_answered_with_429_and_retry_after(
    instance: InstanceInfo, storage: Storage, student: Principal, stranger: Principal
) -> None:
    mine, other = await make_key(storage, student), await make_key(storage, stranger)
    async with running(settings_for(instance), rate_limit_per_user=3) as app, client_of(app) as client:

        async def ask(token: str, path: str = "/api/auth/session") -> int:
            return (await client.get(path, headers={"Authorization": f"Bearer {token}"})).status_code

        assert [await ask(mine) for _ in range(3)] == [200] * 3
        refused = await client.get("/api/tools", headers={"Authorization": f"Bearer {mine}"})
        assert refused.status_code == 429
        assert refused.json()["code"] == "rate_limited"
        assert 50 <= int(refused.headers["retry-after"]) <= 60
        assert refused.json()["retry_after"] == int(refused.headers["retry-after"])
        assert refused.json()["detail"].endswith(".")
        assert await ask(await make_key(storage, student)) == 429
        assert await ask(other) == 200
        assert (await client.get("/healthz")).status_code == 200


async def test_a_key_has_a_limit_of_its_own(
    instance: InstanceInfo, storage: Storage, student: Principal
) -> None:
    slow, general = await make_key(storage, student), await make_key(storage, student)
    async with storage.as_user(student.user_id) as db:
        next(key for key in await db.accounts.keys() if slow.startswith(key.prefix)).rate_limit = 1
    async with running(settings_for(instance), rate_limit_per_key=2) as app, client_of(app) as client:

        async def ask(token: str) -> int:
            headers = {"Authorization": f"Bearer {token}"}
            return (await client.get("/api/auth/session", headers=headers)).status_code

        assert [await ask(slow) for _ in range(2)] == [200, 429]
        assert [await ask(general) for _ in range(3)] == [200, 200, 429]


async def test_one_tool_may_be_called_less_often_than_all(
    storage: Storage, student: Principal, stranger: Principal
) -> None:
    settings = storage.settings.model_copy(update={"rate_limit_per_endpoint": 2})
    limited = Executor(CATALOG, replace(storage, settings=settings))
    for _ in range(2):
        await call(limited, student, "list_classes")
    with pytest.raises(RateLimited) as refused:
        await call(limited, student, "list_classes")
    assert refused.value.code == "rate_limited"
    await call(limited, student, "list_jobs")
    await call(limited, stranger, "list_classes")
    await call(limited, Principal(student.user_id, surface="cli"), "list_classes")


async def test_mcp_says_it_in_the_result_and_in_the_status(
    instance: InstanceInfo, storage: Storage, student: Principal, stranger: Principal
) -> None:
    settings = settings_for(instance).model_copy(update={"rate_limit_per_endpoint": 1})
    async with http_server(settings) as base_url:
        async with http_client(base_url, await make_key(storage, student), LEGACY) as client:
            first, second = [await client.call_tool("list_classes", {}) for _ in range(2)]
        assert not first.is_error
        assert second.is_error
        assert "[rate_limited]" in getattr(second.content[0], "text", "")
    settings = settings_for(instance).model_copy(update={"rate_limit_per_user": 1})
    async with running(settings) as app, client_of(app) as http:
        headers = {"Authorization": f"Bearer {await make_key(storage, stranger)}"}
        await http.post("/mcp", json={}, headers=headers)
        refused = await http.post("/mcp", json={}, headers=headers)
    assert (refused.status_code, refused.json()["code"]) == (429, "rate_limited")
    assert int(refused.headers["retry-after"]) > 0


async def test_an_emptied_redis_starts_the_windows_anew_and_goes_on_counting(own: Storage) -> None:
    wanted = limit(2)
    assert [await admitted(own.brake, wanted) for _ in range(3)] == [True, True, False]
    await own.redis.flushall()
    assert [await admitted(own.brake, wanted) for _ in range(3)] == [True, True, False]


async def test_without_redis_requests_go_uncounted_and_logins_wait(
    own: Storage, redis: Redis, student: Principal
) -> None:
    await redis.stop()
    executor = Executor(CATALOG, own)
    assert (await call(executor, student, "list_classes"))["items"] == []
    token = await make_key(own, student)
    assert (await Accounts(own).principal(token, "http")).user_id == student.user_id
