"""The connection to Redis: bounded in time, with one kind of error for everything that means "not there"."""

import asyncio
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import redis.asyncio as aioredis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import OutOfMemoryError, ReadOnlyError, ResponseError
from redis.exceptions import TimeoutError as RedisTimeoutError

from storage.errors import Unavailable

ANSWER_SECONDS = 3.0
"""How long one command may take, and making a connection; a lost one is made again once. Commands that wait on purpose
wait for less (`BLOCK` of a second)."""
QUICK_SECONDS = 1.0
"""The same for what can do without Redis: counting requests, caches, announcements."""
PAUSE_SECONDS = 2.0
"""After a failure, what can do without Redis does not ask it for this long."""
MOST_CONNECTIONS = 2000
"""A client that follows a job or an answer holds one; the server's own limit is 10,000 for all processes."""

REDIS_DOWN = "redis_unavailable"
"""Code of every error that says so."""

DOWN = (RedisConnectionError, RedisTimeoutError, ReadOnlyError, OutOfMemoryError, TimeoutError, OSError)


def connect(url: str) -> "aioredis.Redis":
    """A client that answers or fails within seconds. `url` as redis-py takes it (redis://, unix://).

    A command is sent again only when its connection was lost, never when an answer is late: it may have been done.
    """
    return aioredis.from_url(
        url,
        decode_responses=True,
        socket_connect_timeout=ANSWER_SECONDS,
        socket_timeout=ANSWER_SECONDS,
        health_check_interval=30,
        max_connections=MOST_CONNECTIONS,
        retry=Retry(NoBackoff(), 1, supported_errors=(RedisConnectionError,)),
    )


def unavailable() -> Unavailable:
    return Unavailable("The message queue (Redis) does not answer. Try again in a moment.", code=REDIS_DOWN)


@asynccontextmanager
async def translated() -> AsyncGenerator[None]:
    """Raises Unavailable when Redis does not answer, or cannot write."""
    try:
        yield
    except DOWN as error:
        raise unavailable() from error
    except ResponseError as error:
        if str(error).startswith("MISCONF"):  # its disk is full or broken
            raise unavailable() from error
        raise


class Breaker:
    """For what can do without Redis: fails fast, and for a moment after a failure at once. One per process."""

    def __init__(self) -> None:
        self._closed_until = 0.0

    def check(self) -> None:
        """Raises Unavailable during the moment after a failure."""
        if time.monotonic() < self._closed_until:
            raise unavailable()

    @asynccontextmanager
    async def quick(self, seconds: float | None = None) -> AsyncGenerator[None]:
        """Raises Unavailable within so many seconds, QUICK_SECONDS if none are given."""
        self.check()
        try:
            async with translated(), asyncio.timeout(QUICK_SECONDS if seconds is None else seconds):
                yield
        except Unavailable:
            self._closed_until = time.monotonic() + PAUSE_SECONDS
            raise


async def ping(client: "aioredis.Redis") -> None:
    """Raises Unavailable when Redis does not answer."""
    async with translated():
        await client.ping()
