"""Embeddings of queries, kept for half an hour: a question that is asked again costs a look instead of a run of the model."""

import asyncio
import base64
import hashlib
from contextlib import suppress

import numpy as np
import redis.asyncio as aioredis

from storage import keys
from storage.embeddings import Embedder
from storage.errors import Unavailable
from storage.redis.client import Breaker
from storage.unawaited import Unawaited


class QueryVectors:
    """A vector depends on the model and the text alone, so it is the same for everyone and never stale."""

    def __init__(self, client: "aioredis.Redis", breaker: Breaker, embedder: Embedder) -> None:
        self._redis = client
        self._breaker = breaker
        self._embedder = embedder
        self._writes = Unawaited("query_vector_not_kept")

    async def of(self, text: str) -> list[float]:
        """The vector of a query, `embedder.dimension` floats (float32)."""
        digest = hashlib.sha256(text.encode()).hexdigest()
        name = keys.QUERY_VECTOR(model=self._embedder.name, text_sha256=digest)
        known = None
        with suppress(Unavailable):
            async with self._breaker.quick():
                known = await self._redis.get(name)
        if known is not None:
            vector: list[float] = np.frombuffer(base64.b64decode(known), np.float32).tolist()
            return vector
        vector = await asyncio.to_thread(self._embedder.embed_query, text)
        self._writes.start(self._keep(name, vector))
        return vector

    async def close(self) -> None:
        """Waits for what is being kept."""
        await self._writes.settle()

    async def _keep(self, name: str, vector: list[float]) -> None:
        packed = base64.b64encode(np.asarray(vector, np.float32).tobytes()).decode()
        with suppress(Unavailable):
            async with self._breaker.quick():
                await self._redis.set(name, packed, ex=keys.QUERY_VECTOR.seconds)
