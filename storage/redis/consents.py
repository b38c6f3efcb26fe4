"""What programs ask people for, until they answer: ten minutes, one person, one answer. Only hashes of request ids."""

import hashlib
from typing import cast
from uuid import UUID

import redis.asyncio as aioredis

from storage import keys
from storage.redis.client import translated

LIFE = keys.CONSENT.seconds or 0
"""Seconds."""


class Consents:
    """An emptied Redis ends the requests: the program asks again."""

    def __init__(self, client: "aioredis.Redis") -> None:
        self._redis = client

    async def add(self, request_id: str, text: str, *, seconds: int = LIFE) -> None:
        async with translated():
            await self._redis.set(keys.CONSENT(request_sha256=_hash(request_id)), text, ex=seconds)

    async def get(self, request_id: str, user_id: UUID) -> str | None:
        """What is asked, for the first person who looks; None for everyone else, or when there is no such request."""
        digest = _hash(request_id)
        async with translated():
            text = await self._redis.get(keys.CONSENT(request_sha256=digest))
            if text is None:
                return None
            person = keys.CONSENT_BY(request_sha256=digest)
            await self._redis.set(person, str(user_id), ex=LIFE, nx=True)
            mine = await self._redis.get(person) == str(user_id)
        return str(text) if mine else None

    async def take(self, request_id: str) -> str | None:
        """What was asked, once: of two answers at the same moment the second gets None."""
        async with translated():
            return cast(
                "str | None",
                await self._redis.getdel(keys.CONSENT(request_sha256=_hash(request_id))),
            )


def _hash(request_id: str) -> str:
    return hashlib.sha256(request_id.encode()).hexdigest()
