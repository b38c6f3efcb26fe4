"""Reading the vector collections: nearest neighbours for search, and everything an engineer wants to see.

One collection per class and content type, `{user8}_{class-slug}_{content_type}`. Distances are cosine; a similarity is
1 - distance. The document of an entry is exactly the text that was embedded.
"""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar, cast
from urllib.parse import urlparse
from uuid import UUID

import chromadb
import httpx
import numpy as np
from chromadb.api import AsyncClientAPI
from chromadb.api.models.AsyncCollection import AsyncCollection
from chromadb.config import Settings as ChromaSettings
from chromadb.errors import NotFoundError

from storage.errors import InvalidInput, NotFound, Unavailable

T = TypeVar("T")

PAGE = 1000
"""Entries or collections asked for at a time."""
FEW = 50
"""With fewer collections in the whole store, all of them are listed to see which of some names exist."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One stored vector with what stands beside it; `similarity` only for a search."""

    id: str
    document: str | None
    metadata: dict[str, Any]
    embedding: list[float] | None = None
    similarity: float | None = None


@dataclass(frozen=True, slots=True)
class CollectionHead:
    """What a collection says of itself; the dimension is None until it holds a vector."""

    name: str
    metadata: dict[str, Any]
    dimension: int | None


def parse_url(url: str) -> tuple[str, int, bool]:
    """Host, port and TLS of `chroma+http://HOST:PORT`. Raises InvalidInput for anything else."""
    parsed = urlparse(url)
    if parsed.scheme not in ("chroma+http", "chroma+https") or not parsed.hostname:
        raise InvalidInput(
            f"LYCEUM_VECTOR_URL must look like chroma+http://HOST:PORT, not {parsed.scheme}://…"
        )
    tls = parsed.scheme == "chroma+https"
    return parsed.hostname, parsed.port or (443 if tls else 8000), tls


class VectorIndex:
    def __init__(self, url: str) -> None:
        self._host, self._port, self._tls = parse_url(url)
        self._client: AsyncClientAPI | None = None
        self._lock = asyncio.Lock()
        self._collections: dict[str, AsyncCollection] = {}

    async def _connected(self) -> AsyncClientAPI:
        async with self._lock:
            if self._client is None:
                self._client = await chromadb.AsyncHttpClient(
                    host=self._host,
                    port=self._port,
                    ssl=self._tls,
                    settings=ChromaSettings(anonymized_telemetry=False),
                )
            return self._client

    async def _ask(self, question: Callable[[AsyncClientAPI], Awaitable[T]]) -> T:
        """Raises Unavailable when Chroma does not answer."""
        try:
            return await question(await self._connected())
        except (httpx.HTTPError, ConnectionError, OSError) as error:
            raise Unavailable("The vector store (Chroma) does not answer. Try again in a moment.") from error
        except ValueError as error:
            if self._client is None:  # how the client reports a server that it could not reach at first
                raise Unavailable(
                    "The vector store (Chroma) does not answer. Try again in a moment."
                ) from error
            raise

    async def _with(self, name: str, question: Callable[[AsyncCollection], Awaitable[T]]) -> T:
        """Ask a collection, looking it up afresh when the one we knew was replaced. Raises NotFound."""
        known = self._collections.get(name)
        if known is not None:
            try:
                return await self._ask(lambda _: question(known))
            except NotFoundError:
                del self._collections[name]
        try:
            found = await self._ask(lambda client: client.get_collection(name, embedding_function=None))
        except NotFoundError as error:
            raise NotFound(f"No collection {name!r}.", code="collection_not_found") from error
        self._collections[name] = found
        return await self._ask(lambda _: question(found))

    async def ping(self) -> None:
        """Raises Unavailable when Chroma does not answer."""
        await self._ask(lambda client: client.heartbeat())

    async def search(self, names: Sequence[str], vector: list[float], limit: int) -> list[tuple[UUID, float]]:
        """(chunk id, cosine similarity) over several collections, best first; a missing collection holds nothing."""

        async def one(name: str) -> list[tuple[UUID, float]]:
            try:
                found = await self._with(
                    name,
                    lambda c: c.query(
                        query_embeddings=np.asarray([vector], dtype=np.float32),
                        n_results=limit,
                        include=["distances"],
                    ),
                )
            except NotFound:
                return []
            distances = (found["distances"] or [[]])[0]
            return [(UUID(i), 1.0 - float(d)) for i, d in zip(found["ids"][0], distances, strict=True)]

        hits = [hit for part in await asyncio.gather(*map(one, names)) for hit in part]
        return sorted(hits, key=lambda hit: (-hit[1], hit[0]))[:limit]

    async def delete(self, name: str, ids: Sequence[UUID]) -> None:
        """Remove vectors by chunk id; what is not there is no error."""
        for start in range(0, len(ids), 1000):
            part = [str(i) for i in ids[start : start + 1000]]
            try:
                await self._with(name, lambda c, part=part: c.delete(ids=part))  # type: ignore[misc]
            except NotFound:
                return

    async def of_material(self, name: str, material_id: UUID) -> set[UUID]:
        """Ids of a material's vectors in a collection; a missing one holds none."""
        where: Any = {"material_id": str(material_id)}
        try:
            found = await self._with(name, lambda c: c.get(where=where, include=[]))
        except NotFound:
            return set()
        return {UUID(entry) for entry in found["ids"]}

    async def drop(self, name: str) -> None:
        try:
            await self._ask(lambda client: client.delete_collection(name))
        except NotFoundError:
            return
        finally:
            self._collections.pop(name, None)

    # --- inspection

    async def existing(self, names: Sequence[str]) -> list[str]:
        """Those of the names that exist."""
        # One page of all collections is cheaper than asking for each name, as long as it holds them all.
        page = await self._page_of_collections(0, FEW)
        if len(page) < FEW:
            there = {found.name: found for found in page}
            self._collections.update({name: there[name] for name in names if name in there})
            return [name for name in names if name in there]

        async def known(name: str) -> bool:
            try:
                await self._with(name, lambda c: c.count())
            except NotFound:
                return False
            return True

        answers = await asyncio.gather(*map(known, names))
        return [name for name, there in zip(names, answers, strict=True) if there]

    async def collections(self) -> AsyncGenerator[CollectionHead]:
        """Every collection in the store, whoever's it is."""
        offset = 0
        while True:
            page = await self._page_of_collections(offset, PAGE)
            for found in page:
                yield CollectionHead(found.name, dict(found.metadata or {}), found.get_model().dimension)
            if len(page) < PAGE:
                return
            offset += PAGE

    async def _page_of_collections(self, offset: int, limit: int) -> Sequence[AsyncCollection]:
        return await self._ask(lambda client: client.list_collections(limit, offset))

    async def ids(self, name: str) -> set[str]:
        """The ids of all entries of a collection. Raises NotFound."""
        found: set[str] = set()
        while True:
            page = await self._page_of_ids(name, len(found))
            found.update(page)
            if len(page) < PAGE:
                return found

    async def _page_of_ids(self, name: str, offset: int) -> list[str]:
        page = await self._with(name, lambda c: c.get(limit=PAGE, offset=offset, include=[]))
        return page["ids"]

    async def version(self) -> str:
        """Of the server."""
        return await self._ask(lambda client: client.get_version())

    async def count(self, name: str) -> int:
        return await self._with(name, lambda c: c.count())

    async def metadata(self, name: str) -> dict[str, Any]:
        """The collection's own metadata, its id and its index configuration."""

        async def read(c: AsyncCollection) -> dict[str, Any]:
            return {
                "id": str(c.id),
                "metadata": dict(c.metadata or {}),
                "configuration": dict(c.configuration_json),
            }

        await self.count(name)
        return await self._with(name, read)

    async def entries(
        self, name: str, *, ids: Sequence[str] | None, limit: int, offset: int, embeddings: bool
    ) -> list[Entry]:
        """Stored entries, by id or in the collection's own order."""
        include: list[Any] = ["documents", "metadatas", *(["embeddings"] if embeddings else [])]
        wanted = list(ids) if ids else None
        found = await self._with(
            name, lambda c: c.get(ids=wanted, limit=limit, offset=offset, include=include)
        )
        vectors = found["embeddings"] if embeddings else None
        documents, metadatas = found["documents"] or [], found["metadatas"] or []
        return [
            Entry(
                entry_id,
                documents[i],
                dict(metadatas[i] or {}),
                [float(x) for x in vectors[i]] if vectors is not None else None,
            )
            for i, entry_id in enumerate(found["ids"])
        ]

    async def nearest(self, name: str, vector: list[float], limit: int) -> list[Entry]:
        """Entries nearest to a vector, with documents and metadata, best first."""
        found = await self._with(
            name,
            lambda c: c.query(
                query_embeddings=np.asarray([vector], dtype=np.float32),
                n_results=limit,
                include=["documents", "metadatas", "distances"],
            ),
        )
        rows = zip(
            found["ids"][0],
            cast(Any, found["documents"])[0],
            cast(Any, found["metadatas"])[0],
            cast(Any, found["distances"])[0],
            strict=True,
        )
        return [Entry(i, document, dict(meta or {}), None, 1.0 - float(d)) for i, document, meta, d in rows]
