"""What changed, told to whoever watches, in whatever process: an item was written, a job about it ended, a list grew."""

import asyncio
import json
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager, suppress
from contextvars import Context
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import redis.asyncio as aioredis
import structlog

from storage import keys
from storage.errors import Unavailable
from storage.redis.client import PAUSE_SECONDS, QUICK_SECONDS, Breaker, translated

log = structlog.get_logger()

WAIT_SECONDS = 5.0
"""How long one look for a message waits. A shorter one would only cost; a longer one would notice a dead connection later."""
SPREAD_SECONDS = 0.01
"""Between two watchers, when all are told that they may have missed something."""
MOST_ITEMS = 100
"""Items that one message names; more become "anything of this user"."""


@dataclass(frozen=True, slots=True)
class Change:
    """Items of a user that changed, as (kind, id). `lists`: one of them appeared or went, so lists differ too."""

    user_id: UUID
    items: frozenset[tuple[str, UUID]]
    lists: bool = False


Watcher = Callable[[Change | None], None]
"""Told of each change, of every user; None when messages may have been lost, so anything may have changed. Must not raise."""


class Changes:
    """One channel for all, and one connection a process while anybody there watches.

    Nothing here is needed: a change that is not told is seen by whoever looks. A watcher who was cut off is told so once
    the connection is back, which makes up for what was lost.
    """

    def __init__(self, client: "aioredis.Redis", breaker: Breaker) -> None:
        self._redis = client
        self._breaker = breaker
        self._watchers: dict[object, Watcher] = {}
        self._following: asyncio.Task[None] | None = None
        self._ready = asyncio.Event()

    async def tell(self, change: Change) -> None:
        """Announce a change. Without Redis nobody hears of it."""
        if not change.items and not change.lists:
            return
        items = sorted((kind, str(key)) for kind, key in change.items)[:MOST_ITEMS]
        text = json.dumps({"user": str(change.user_id), "items": items, "lists": change.lists})
        try:
            async with self._breaker.quick():
                await self._redis.publish(keys.CHANGES(), text)
        except Unavailable:
            log.warning("change_not_announced", user_id=str(change.user_id), items=len(items))

    @asynccontextmanager
    async def watched(self, watcher: Watcher) -> AsyncGenerator[None]:
        """While inside, the watcher is told. Begins once the channel is heard, or after a second without Redis."""
        forget = await self.watch(watcher)
        try:
            yield
        finally:
            forget()

    async def watch(self, watcher: Watcher) -> Callable[[], None]:
        """The same without a block; gives what ends it, which may be called twice."""
        token = object()
        self._watchers[token] = watcher
        if self._following is None or self._following.done():
            self._ready.clear()
            # In a context of its own: it outlives the request that happens to be the first.
            self._following = asyncio.create_task(self._follow(), context=Context())

        def forget() -> None:
            self._watchers.pop(token, None)
            if not self._watchers and self._following is not None:
                self._following.cancel()
                self._following = None

        try:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._ready.wait(), QUICK_SECONDS)
        except asyncio.CancelledError:
            forget()
            raise
        return forget

    async def close(self) -> None:
        self._watchers.clear()
        if self._following is not None:
            self._following.cancel()
            await asyncio.gather(self._following, return_exceptions=True)

    async def _follow(self) -> None:
        """Hear the channel until cancelled, over as many connections as it takes."""
        away = False
        while True:
            try:
                await self._hear(was_away=away)
            except Unavailable:
                if not away:
                    log.warning("changes_not_heard")
                away = True
                await asyncio.sleep(PAUSE_SECONDS)

    async def _hear(self, *, was_away: bool) -> None:
        subscription = self._redis.pubsub()
        missed = was_away
        try:
            async with translated():
                await subscription.subscribe(keys.CHANGES())
            while True:
                async with translated():
                    message = await subscription.get_message(timeout=WAIT_SECONDS)
                if message is None:
                    continue
                if message["type"] == "subscribe":
                    # Every one but the first: the client has made a lost connection again by itself.
                    self._ready.set()
                    if missed:
                        self._pass_on(None)
                    missed = True
                elif message["type"] == "message":
                    self._pass_on(_parsed(message["data"]))
        finally:
            await subscription.aclose()  # type: ignore[no-untyped-call]

    def _pass_on(self, change: Change | None) -> None:
        loop = asyncio.get_running_loop()
        for number, (token, watcher) in enumerate(list(self._watchers.items())):
            if change is None:
                # One after the other: each may make its client read everything again.
                loop.call_later(number * SPREAD_SECONDS, self._tell_lost, token)
            else:
                watcher(change)

    def _tell_lost(self, token: object) -> None:
        watcher = self._watchers.get(token)
        if watcher is not None:
            watcher(None)


def _parsed(text: Any) -> Change:
    found = json.loads(text)
    items = frozenset((kind, UUID(key)) for kind, key in found["items"])
    return Change(UUID(found["user"]), items, found["lists"])
