"""Reading the vector collections: nearest neighbours for search, and everything an engineer wants to see.

One collection per class and content type, `{user8}_{class-slug}_{content_type}`. Distances are cosine; a similarity is
1 - distance. The document of an entry is exactly the text that was embedded.
"""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar
from uuid import UUID

from storage.errors import NotFound
from storage.vectors.api import ChromaApi

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
class Present:
    """Which collections there are now. Not `complete`: the store holds more than one page of them, others may exist too."""

    names: frozenset[str]
    complete: bool

    def may_hold(self, name: str) -> bool:
        return not self.complete or name in self.names


@dataclass(frozen=True, slots=True)
class CollectionHead:
    """What a collection says of itself; the dimension is None until it holds a vector."""

    name: str
    metadata: dict[str, Any]
    dimension: int | None


class VectorIndex:
    """Used within one event loop. Raises Unavailable when Chroma does not answer."""

    def __init__(self, url: str) -> None:
        self._api = ChromaApi(url)
        self._ids: dict[str, str] = {}
        """Chroma's own id of each collection that was asked before, by name."""

    async def _with(self, name: str, question: Callable[[str], Awaitable[T]]) -> T:
        """Ask a collection by its id, looking it up afresh when the one we knew was replaced. Raises NotFound."""
        known = self._ids.get(name)
        if known is not None:
            try:
                return await question(known)
            except NotFound:
                self._ids.pop(name, None)
        try:
            found = await self._api.collection(name)
        except NotFound as error:
            raise NotFound(f"No collection {name!r}.", code="collection_not_found") from error
        self._ids[name] = found["id"]
        return await question(found["id"])

    async def close(self) -> None:
        await self._api.close()

    async def ping(self) -> None:
        await self._api.heartbeat()

    async def _each(
        self, names: Sequence[str], ask: Callable[[str], Awaitable[T]], present: Present | None
    ) -> dict[str, T]:
        """What each of the names that exists answers. `present` as it was a moment ago; without it, it is looked for when
        one of the names is new."""

        async def answer(name: str) -> list[tuple[str, T]]:
            try:
                return [(name, await ask(name))]
            except NotFound:
                return []

        if present is None and any(name not in self._ids for name in names):
            present = await self.present()
        there = [name for name in names if present is None or present.may_hold(name)]
        return dict(pair for part in await asyncio.gather(*map(answer, there)) for pair in part)

    async def search(self, names: Sequence[str], vector: list[float], limit: int) -> list[tuple[UUID, float]]:
        """(chunk id, cosine similarity) over several collections, best first; a missing collection holds nothing."""

        async def one(name: str) -> list[tuple[UUID, float]]:
            found = await self._with(
                name,
                lambda c: self._api.nearest(
                    c, query_embeddings=[vector], n_results=limit, include=["distances"]
                ),
            )
            pairs = zip(found["ids"][0], found["distances"][0], strict=True)
            return [(UUID(i), 1.0 - distance) for i, distance in pairs]

        hits = [hit for part in (await self._each(names, one, None)).values() for hit in part]
        return sorted(hits, key=lambda hit: (-hit[1], hit[0]))[:limit]

    async def delete(self, name: str, ids: Sequence[UUID]) -> None:
        """Remove vectors by chunk id; what is not there is no error."""
        for start in range(0, len(ids), 1000):
            part = [str(i) for i in ids[start : start + 1000]]
            try:
                await self._with(name, partial(self._api.delete, ids=part))
            except NotFound:
                return

    async def of_material(self, name: str, material_id: UUID) -> set[UUID]:
        """Ids of a material's vectors in a collection; a missing one holds none."""
        where = {"material_id": str(material_id)}
        try:
            found = await self._with(name, lambda c: self._api.entries(c, where=where, include=[]))
        except NotFound:
            return set()
        return {UUID(entry) for entry in found["ids"]}

    async def drop(self, name: str) -> None:
        try:
            await self._api.drop(name)
        except NotFound:
            return
        finally:
            self._ids.pop(name, None)

    # --- inspection

    async def present(self) -> Present:
        """One page of all collections: cheaper than asking for each name, as long as it holds them all."""
        page = await self._api.collections(FEW, 0)
        self._ids.update({found["name"]: found["id"] for found in page})
        return Present(frozenset(found["name"] for found in page), complete=len(page) < FEW)

    async def existing(self, names: Sequence[str], present: Present) -> list[str]:
        """Those of the names that exist."""
        if present.complete:
            return [name for name in names if present.may_hold(name)]
        return list(await self._each(names, self._api.collection, present))

    async def counts(self, names: Sequence[str], present: Present) -> dict[str, int]:
        """How many entries each of the names that exists holds."""
        return await self._each(names, self.count, present)

    async def collections(self) -> AsyncGenerator[CollectionHead]:
        """Every collection in the store, whoever's it is."""
        offset = 0
        while True:
            page = await self._api.collections(PAGE, offset)
            for found in page:
                yield CollectionHead(found["name"], found["metadata"] or {}, found["dimension"])
            if len(page) < PAGE:
                return
            offset += PAGE

    async def ids(self, name: str) -> set[str]:
        """The ids of all entries of a collection. Raises NotFound."""
        found: set[str] = set()
        while True:
            page = await self._page_of_ids(name, len(found))
            found.update(page)
            if len(page) < PAGE:
                return found

    async def _page_of_ids(self, name: str, offset: int) -> list[str]:
        page = await self._with(name, lambda c: self._api.entries(c, limit=PAGE, offset=offset, include=[]))
        ids: list[str] = page["ids"]
        return ids

    async def version(self) -> str:
        """Of the server."""
        return await self._api.version()

    async def count(self, name: str) -> int:
        return await self._with(name, self._api.count)

    async def metadata(self, name: str) -> dict[str, Any]:
        """The collection's own metadata, its id and its index configuration."""

        try:
            found = await self._api.collection(name)
        except NotFound as error:
            raise NotFound(f"No collection {name!r}.", code="collection_not_found") from error
        return {
            "id": found["id"],
            "metadata": found["metadata"] or {},
            "configuration": found["configuration_json"],
        }

    async def entries(
        self, name: str, *, ids: Sequence[str] | None, limit: int, offset: int, embeddings: bool
    ) -> list[Entry]:
        """Stored entries, by id or in the collection's own order."""
        asked: dict[str, Any] = {"limit": limit, "offset": offset, "include": ["documents", "metadatas"]}
        if embeddings:
            asked["include"].append("embeddings")
        if ids:
            asked["ids"] = list(ids)
        found = await self._with(name, lambda c: self._api.entries(c, **asked))
        vectors = found["embeddings"] if embeddings else [None] * len(found["ids"])
        rows = zip(found["ids"], found["documents"], found["metadatas"], vectors, strict=True)
        return [Entry(i, document, meta or {}, vector) for i, document, meta, vector in rows]

    async def nearest(
        self, names: Sequence[str], vector: list[float], limit: int, present: Present
    ) -> list[Entry]:
        """Entries nearest to a vector, with documents and metadata, best first; a missing collection holds nothing."""
        parts = ("ids", "documents", "metadatas", "distances")

        async def one(name: str) -> list[Entry]:
            found = await self._with(
                name,
                lambda c: self._api.nearest(c, query_embeddings=[vector], n_results=limit, include=parts[1:]),
            )
            rows = zip(*(found[part][0] for part in parts), strict=True)
            return [
                Entry(i, document, meta or {}, None, 1.0 - distance) for i, document, meta, distance in rows
            ]

        entries = [entry for part in (await self._each(names, one, present)).values() for entry in part]
        return sorted(entries, key=lambda entry: -(entry.similarity or 0.0))[:limit]
