"""Redis (or Valkey): the job stream, progress channels, run logs and one-time login links. Every key is named here.

lyceum:jobs                    stream: where to look for work; the rows in PostgreSQL are the truth
lyceum:job:{job}               channel: progress of a job, for whoever watches
lyceum:run:{run}:events        stream: the events of an answer, kept a day for clients that come back
lyceum:run:{run}:cancel        flag: someone pressed stop
lyceum:login:{sha256}          value: user id that a one-time login link signs in
lyceum:brake:{what}            sorted set: when something happened lately, to slow down who guesses
"""

import hashlib
import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, cast
from uuid import UUID

import redis.asyncio as aioredis
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import ResponseError
from redis.exceptions import TimeoutError as RedisTimeoutError

from storage.clock import Clock
from storage.errors import RateLimited, Unavailable

JOBS = "lyceum:jobs"
WORKERS = "workers"
RUN_LOG_SECONDS = 24 * 3600
JOBS_KEPT = 10_000

DOWN = (RedisConnectionError, RedisTimeoutError, FileNotFoundError)


def connect(url: str) -> "aioredis.Redis":
    """A client that answers or fails within seconds. `url` as redis-py takes it (redis://, unix://)."""
    return aioredis.from_url(url, decode_responses=True, socket_connect_timeout=3, health_check_interval=30)


@asynccontextmanager
async def translated() -> AsyncGenerator[None]:
    """Raises Unavailable when Redis does not answer."""
    try:
        yield
    except DOWN as error:
        raise Unavailable("The message queue (Redis) does not answer. Try again in a moment.") from error


class JobQueue:
    """Tells workers that a job waits. Losing an entry loses nothing: workers also look into PostgreSQL."""

    def __init__(self, client: "aioredis.Redis") -> None:
        self._redis = client

    async def announce(self, job_id: UUID, user_id: UUID) -> None:
        async with translated():
            await self._redis.xadd(
                JOBS, {"job": str(job_id), "user": str(user_id)}, maxlen=JOBS_KEPT, approximate=True
            )

    async def next(self, worker: str, wait_ms: int) -> tuple[UUID, UUID] | None:
        """(job id, user id) of an announced job that no other worker was told of, or None after `wait_ms`."""
        async with translated():
            try:
                found = await self._redis.xreadgroup(
                    WORKERS, worker, {JOBS: ">"}, count=1, block=wait_ms, noack=True
                )
            except ResponseError as error:
                if "NOGROUP" not in str(error):
                    raise
                await self._make_group()
                return None
        if not found:
            return None
        entries = (
            cast(Any, found)[0][1] if isinstance(found, list) else next(iter(cast(Any, found).values()))[0]
        )
        fields = entries[0][1]
        return UUID(fields["job"]), UUID(fields["user"])

    async def _make_group(self) -> None:
        try:
            await self._redis.xgroup_create(JOBS, WORKERS, id="0", mkstream=True)
        except ResponseError as error:
            if "BUSYGROUP" not in str(error):
                raise

    async def publish(self, job_id: UUID, state: dict[str, Any]) -> None:
        """Tell watchers the state of a job."""
        async with translated():
            await self._redis.publish(f"lyceum:job:{job_id}", json.dumps(state))

    @asynccontextmanager
    async def watch(self, job_id: UUID) -> AsyncGenerator[AsyncGenerator[dict[str, Any] | None]]:
        """States of a job as they are published; None about every second without one, so the caller can look itself."""
        async with translated():
            subscription = self._redis.pubsub(ignore_subscribe_messages=True)
            await subscription.subscribe(f"lyceum:job:{job_id}")

        async def states() -> AsyncGenerator[dict[str, Any] | None]:
            while True:
                async with translated():
                    message = await subscription.get_message(timeout=1.0)
                yield json.loads(message["data"]) if message else None

        try:
            yield states()
        finally:
            await subscription.aclose()  # type: ignore[no-untyped-call]


class RunLog:
    """The events of answers in the making. Entry n of a run has the stream id "n-0", so ids are dense and known."""

    def __init__(self, client: "aioredis.Redis") -> None:
        self._redis = client

    @staticmethod
    def _events(run_id: UUID) -> str:
        return f"lyceum:run:{run_id}:events"

    async def append(self, run_id: UUID, number: int, event: str) -> None:
        """Store event `number` (from 1). Appending a number twice is an error."""
        async with translated():
            await self._redis.xadd(self._events(run_id), {"event": event}, id=f"{number}-0")

    async def read(self, run_id: UUID, after: int, *, wait_ms: int | None = None) -> list[tuple[int, str]]:
        """Events after number `after`: at once, or as soon as one comes within `wait_ms`."""
        async with translated():
            found = await self._redis.xread({self._events(run_id): f"{after}-0"}, block=wait_ms)
        if not found:
            return []
        entries = (
            cast(Any, found)[0][1] if isinstance(found, list) else next(iter(cast(Any, found).values()))[0]
        )
        return [(int(entry_id.split("-")[0]), fields["event"]) for entry_id, fields in entries]

    async def exists(self, run_id: UUID) -> bool:
        async with translated():
            return bool(await self._redis.exists(self._events(run_id)))

    async def close(self, run_id: UUID) -> None:
        """The run has ended: keep its events for a day."""
        async with translated():
            await self._redis.expire(self._events(run_id), RUN_LOG_SECONDS)

    async def request_cancel(self, run_id: UUID) -> None:
        async with translated():
            await self._redis.set(f"lyceum:run:{run_id}:cancel", "1", ex=3600)

    async def cancel_requested(self, run_id: UUID) -> bool:
        async with translated():
            return bool(await self._redis.exists(f"lyceum:run:{run_id}:cancel"))


class LoginLinks:
    """One-time links. A link holds a random token; only its hash is stored."""

    def __init__(self, client: "aioredis.Redis") -> None:
        self._redis = client

    async def add(self, digest: str, user: str, *, seconds: int) -> None:
        async with translated():
            await self._redis.set(f"lyceum:login:{digest}", user, ex=seconds)

    async def redeem(self, digest: str) -> str | None:
        """The user a link signs in, once: the second call answers None."""
        async with translated():
            return cast("str | None", await self._redis.getdel(f"lyceum:login:{digest}"))


@dataclass(frozen=True, slots=True)
class Limit:
    """At most `count` times in any `seconds`."""

    what: str
    count: int
    seconds: int

    @property
    def key(self) -> str:
        return f"lyceum:brake:{hashlib.sha256(self.what.encode()).hexdigest()}"


# One key per limit; ARGV: this attempt's id, then count and seconds per key. Redis' own clock, so all processes agree.
# Answers 0 and notes the attempt under every limit, or the milliseconds until the fullest one has room.
SLIDING_WINDOWS = """
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
local wait = 0
for i, key in ipairs(KEYS) do
  local count, window = tonumber(ARGV[2 * i]), tonumber(ARGV[2 * i + 1]) * 1000
  redis.call('ZREMRANGEBYSCORE', key, '-inf', now - window)
  if redis.call('ZCARD', key) >= count then
    local oldest = redis.call('ZRANGE', key, -count, -count, 'WITHSCORES')
    wait = math.max(wait, tonumber(oldest[2]) + window - now)
  end
end
if wait > 0 then return math.ceil(wait) end
for i, key in ipairs(KEYS) do
  redis.call('ZADD', key, now, ARGV[1])
  redis.call('PEXPIRE', key, tonumber(ARGV[2 * i + 1]) * 1000)
end
return 0
"""


class Brake:
    """Slows down who tries too often: sliding windows, the same for all processes."""

    def __init__(self, client: "aioredis.Redis", clock: Clock) -> None:
        self._redis = client
        self._clock = clock

    async def check(self, sentence: str, *limits: Limit) -> str:
        """Note one attempt under each limit; gives its id. Raises RateLimited (`retry_after` in seconds) when one is full."""
        attempt = str(self._clock.new_id())
        arguments: list[str | int] = [attempt]
        for limit in limits:
            arguments += [limit.count, limit.seconds]
        async with translated():
            wait = await cast(
                Any,
                self._redis.eval(SLIDING_WINDOWS, len(limits), *(limit.key for limit in limits), *arguments),
            )
        if wait:
            raise RateLimited(sentence, details={"retry_after": -(-int(wait) // 1000)})
        return attempt

    async def forget(self, attempt: str, *limits: Limit) -> None:
        """An attempt that succeeded does not count."""
        async with translated():
            for limit in limits:
                await self._redis.zrem(limit.key, attempt)


async def ping(client: "aioredis.Redis") -> None:
    """Raises Unavailable when Redis does not answer."""
    async with translated():
        await client.ping()
