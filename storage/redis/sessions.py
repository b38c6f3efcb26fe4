"""Who a token speaks for, remembered for a minute, and one-time login links. Only hashes of tokens come here.

The rows in PostgreSQL decide. An answer of theirs is remembered by SET NX; what ends a token first writes `ended` over
its key, inside the transaction that ends it. So whoever read the row before the end finds the key taken and remembers
nothing, in whatever order the three steps come. `ended` sends readers to PostgreSQL, which is right also when the
transaction fails.
"""

import json
from collections.abc import Iterable
from contextlib import suppress
from datetime import datetime
from typing import cast
from uuid import UUID

import redis.asyncio as aioredis
import structlog

from storage import keys
from storage.credential import Credential
from storage.errors import Unavailable
from storage.redis.client import Breaker, translated

log = structlog.get_logger()

ENDED = "ended"
LONGEST_MS = keys.MINUTE * 1000


class Callers:
    """Without Redis everything is asked of PostgreSQL."""

    def __init__(self, client: "aioredis.Redis", breaker: Breaker) -> None:
        self._redis = client
        self._breaker = breaker

    async def get(self, digest: bytes) -> Credential | None:
        """What is remembered of a token, by its SHA-256; None for "ask PostgreSQL"."""
        try:
            async with self._breaker.quick():
                text = await self._redis.get(keys.CALLER(token_sha256=digest.hex()))
        except Unavailable:
            return None
        return None if text is None or text == ENDED else _parsed(str(text))

    async def keep(self, digest: bytes, found: Credential, now: datetime) -> None:
        """Remember a token that PostgreSQL just called valid: for a minute, and never beyond its end."""
        left = LONGEST_MS
        if found.expires_at is not None:
            left = min(left, int((found.expires_at - now).total_seconds() * 1000))
        if left <= 0:
            return
        with suppress(Unavailable):
            async with self._breaker.quick():
                await self._redis.set(keys.CALLER(token_sha256=digest.hex()), _text(found), px=left, nx=True)

    async def end(self, digests: Iterable[bytes]) -> None:
        """Forget tokens that are about to end. When Redis is away they end in PostgreSQL all the same; a process that
        reaches Redis again may go on believing one for the rest of its minute."""
        names = [keys.CALLER(token_sha256=digest.hex()) for digest in digests]
        if not names:
            return
        try:
            async with self._breaker.quick(), self._redis.pipeline(transaction=False) as sent:
                for name in names:
                    sent.set(name, ENDED, ex=keys.CALLER.seconds)
                await sent.execute()
        except Unavailable:
            log.warning("token_end_not_announced", count=len(names))


def _text(found: Credential) -> str:
    return json.dumps(
        {
            "user": str(found.user_id),
            "session": str(found.session_id) if found.session_id else None,
            "key": str(found.key_id) if found.key_id else None,
            "scopes": sorted(found.scopes),
            "rate_limit": found.rate_limit,
            "grant": str(found.grant_id) if found.grant_id else None,
            "client": str(found.client_id) if found.client_id else None,
            "resource": found.resource,
        }
    )


def _parsed(text: str) -> Credential:
    found = json.loads(text)
    return Credential(
        user_id=UUID(found["user"]),
        session_id=_id(found["session"]),
        key_id=_id(found["key"]),
        scopes=frozenset(found["scopes"]),
        rate_limit=found["rate_limit"],
        grant_id=_id(found.get("grant")),
        client_id=_id(found.get("client")),
        resource=found.get("resource"),
    )


def _id(text: str | None) -> UUID | None:
    return UUID(text) if text else None


class LoginLinks:
    """One-time links. A link holds a random token; only its hash is stored. An emptied Redis ends them: make a new one."""

    def __init__(self, client: "aioredis.Redis") -> None:
        self._redis = client

    async def add(self, digest: str, user: str, *, seconds: int) -> None:
        """At most a day."""
        longest = keys.LOGIN_LINK.seconds or seconds
        async with translated():
            await self._redis.set(keys.LOGIN_LINK(token_sha256=digest), user, ex=min(seconds, longest))

    async def redeem(self, digest: str) -> str | None:
        """The user a link signs in, once: the second call answers None."""
        async with translated():
            return cast("str | None", await self._redis.getdel(keys.LOGIN_LINK(token_sha256=digest)))
