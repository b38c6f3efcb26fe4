"""Answers in the making: their events, for clients that follow and come back, and the wish to stop one."""

from uuid import UUID

import redis.asyncio as aioredis

from storage import keys
from storage.redis.client import Breaker, translated
from storage.redis.jobs import entries_of


class RunLog:
    """Entry n of a run has the stream id "n-0", so ids are dense and known."""

    def __init__(self, client: "aioredis.Redis", breaker: Breaker) -> None:
        self._redis = client
        self._breaker = breaker

    async def ping(self) -> None:
        """Raises Unavailable when no answer could be written now."""
        async with self._breaker.quick():
            await self._redis.ping()

    async def append(self, run_id: UUID, number: int, event: str) -> None:
        """Store event `number` (from 1). Appending a number twice is an error."""
        name = keys.RUN_EVENTS(run=run_id)
        async with translated(), self._redis.pipeline(transaction=False) as sent:
            sent.xadd(name, {"event": event}, id=f"{number}-0")
            sent.expire(name, keys.RUN_EVENTS.seconds or 0)
            await sent.execute()

    async def read(self, run_id: UUID, after: int, *, wait_ms: int | None = None) -> list[tuple[int, str]]:
        """Events after number `after`: at once, or as soon as one comes within `wait_ms` (a second or so at most)."""
        async with translated():
            found = await self._redis.xread({keys.RUN_EVENTS(run=run_id): f"{after}-0"}, block=wait_ms)
        if not found:
            return []
        return [(int(entry.split("-")[0]), fields["event"]) for entry, fields in entries_of(found)]

    async def exists(self, run_id: UUID) -> bool:
        async with translated():
            return bool(await self._redis.exists(keys.RUN_EVENTS(run=run_id)))

    async def request_cancel(self, run_id: UUID) -> None:
        async with translated():
            await self._redis.set(keys.RUN_CANCEL(run=run_id), "1", ex=keys.RUN_CANCEL.seconds)

    async def cancel_requested(self, run_id: UUID) -> bool:
        async with translated():
            return bool(await self._redis.exists(keys.RUN_CANCEL(run=run_id)))
