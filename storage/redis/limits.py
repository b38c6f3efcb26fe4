"""Sliding windows: how often something may happen, exactly, however many processes ask at the same moment."""

import hashlib
from dataclasses import dataclass
from typing import Any, cast

import redis.asyncio as aioredis

from storage import keys
from storage.clock import Clock
from storage.errors import RateLimited
from storage.redis.client import Breaker, translated

EVERYTHING = "all"


@dataclass(frozen=True, slots=True)
class Limit:
    """At most `count` times in any `seconds`."""

    key: str
    count: int
    seconds: int


def attempts(what: str, count: int, seconds: int) -> Limit:
    """A limit on guesses; what was guessed at is kept as a hash only."""
    return Limit(keys.ATTEMPTS(what_sha256=hashlib.sha256(what.encode()).hexdigest()), count, seconds)


def a_minute(who: object, count: int, endpoint: str = EVERYTHING) -> Limit:
    """A limit on the requests of a user or an API key, in any minute: all of them, or those to one endpoint."""
    return Limit(keys.RATE(who=who, endpoint=endpoint), count, keys.MINUTE)


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
    -- Nothing is noted yet where nothing at all is allowed.
    wait = math.max(wait, tonumber(oldest[2] or now) + window - now)
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
    """The windows of all processes. An emptied Redis starts them anew."""

    def __init__(self, client: "aioredis.Redis", breaker: Breaker, clock: Clock) -> None:
        self._redis = client
        self._breaker = breaker
        self._clock = clock
        self._script = client.register_script(SLIDING_WINDOWS)

    async def check(self, sentence: str, *limits: Limit, code: str | None = None) -> str:
        """Note one attempt under each limit; gives its id. A refused one is not counted.

        Raises RateLimited (`retry_after` in seconds) when a limit is full, Unavailable when Redis does not answer.
        """
        attempt = str(self._clock.new_id())
        arguments: list[str | int] = [attempt]
        for limit in limits:
            arguments += [limit.count, limit.seconds]
        async with self._breaker.quick():
            wait = await cast(Any, self._script(keys=[limit.key for limit in limits], args=arguments))
        if wait:
            raise RateLimited(sentence, code=code, details={"retry_after": -(-int(wait) // 1000)})
        return attempt

    async def forget(self, attempt: str, *limits: Limit) -> None:
        """An attempt that succeeded does not count."""
        async with translated():
            for limit in limits:
                await self._redis.zrem(limit.key, attempt)
