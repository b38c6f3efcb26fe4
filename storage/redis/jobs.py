"""Jobs: a stream that wakes workers early, and channels on which they tell how far they are."""

import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any, cast
from uuid import UUID

import redis.asyncio as aioredis
import structlog
from redis.exceptions import ResponseError

from storage import keys
from storage.errors import Unavailable
from storage.redis.client import QUICK_SECONDS, Breaker, translated

log = structlog.get_logger()

WORKERS = "workers"
JOBS_KEPT = 10_000
QUIET_SECONDS = 1.0


class JobQueue:
    """Nothing here is needed: workers also look into PostgreSQL every two seconds, and watchers may read the row."""

    def __init__(self, client: "aioredis.Redis", breaker: Breaker) -> None:
        self._redis = client
        self._breaker = breaker

    async def announce(self, job_id: UUID, user_id: UUID) -> None:
        """Tell a worker that a job waits. Without Redis one finds it a little later."""
        entry = {"job": str(job_id), "user": str(user_id)}
        try:
            async with self._breaker.quick():
                await self._redis.xadd(keys.JOBS(), cast(Any, entry), maxlen=JOBS_KEPT, approximate=True)
        except Unavailable:
            log.warning("job_not_announced", job_id=str(job_id))

    async def next(self, worker: str, wait_ms: int) -> tuple[UUID, UUID] | None:
        """(job id, user id) of an announced job that no other worker was told of, or None after `wait_ms`."""
        async with self._breaker.quick(wait_ms / 1000 + QUICK_SECONDS):
            try:
                found = await self._redis.xreadgroup(
                    WORKERS, worker, {keys.JOBS(): ">"}, count=1, block=wait_ms, noack=True
                )
            except ResponseError as error:
                if "NOGROUP" not in str(error):
                    raise
                await self._make_group()
                return None
            if not found:
                return None
            entry, fields = entries_of(found)[0]
            await self._redis.xdel(keys.JOBS(), entry)
        return UUID(fields["job"]), UUID(fields["user"])

    async def _make_group(self) -> None:
        try:
            await self._redis.xgroup_create(keys.JOBS(), WORKERS, id="0", mkstream=True)
        except ResponseError as error:
            if "BUSYGROUP" not in str(error):
                raise

    async def publish(self, job_id: UUID, state: dict[str, Any]) -> None:
        """Tell watchers the state of a job, and keep it for those who come later. Raises Unavailable."""
        text = json.dumps(state)
        async with self._breaker.quick(), self._redis.pipeline(transaction=False) as sent:
            sent.set(keys.JOB_STATE(job=job_id), text, ex=keys.JOB_STATE.seconds)
            sent.publish(keys.JOB_NEWS(job=job_id), text)
            await sent.execute()

    @asynccontextmanager
    async def watch(self, job_id: UUID) -> AsyncGenerator[AsyncGenerator[dict[str, Any] | None]]:
        """First the state that is kept, None without one; then each as it is published, None after a quiet second."""
        self._breaker.check()
        subscription = self._redis.pubsub(ignore_subscribe_messages=True)
        try:
            # Not under the short limit: many watchers that come at once each need a new connection.
            async with translated():
                await subscription.subscribe(keys.JOB_NEWS(job=job_id))
                kept = await self._redis.get(keys.JOB_STATE(job=job_id))

            async def states() -> AsyncGenerator[dict[str, Any] | None]:
                yield json.loads(kept) if kept else None
                while True:
                    async with translated():
                        message = await subscription.get_message(timeout=QUIET_SECONDS)
                    yield json.loads(message["data"]) if message else None

            yield states()
        finally:
            await subscription.aclose()  # type: ignore[no-untyped-call]


def entries_of(found: Any) -> list[tuple[str, dict[str, str]]]:
    """The entries of the one stream that was read; RESP2 answers with a list, RESP3 with a map."""
    streams = found.values() if isinstance(found, dict) else [entries for _, entries in found]
    first = next(iter(streams))
    return cast("list[tuple[str, dict[str, str]]]", first[0] if isinstance(found, dict) else first)
