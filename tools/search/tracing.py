"""One search followed through its stages, much deeper than it looks itself: where given chunks stand in each. Reads only."""

import asyncio
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID

from storage.errors import NotFound
from storage.models import Chunk
from storage.repositories import Repositories
from storage.repositories.lexical import Reach, Scope, Term
from storage.resources import Storage
from tools.search.engine import CANDIDATES, at_place, search
from tools.search.fusion import Fused
from tools.search.query import ParsedQuery

DEPTH = 1000
"""How far down a stage is followed; what stands lower has no rank."""


@dataclass(frozen=True, slots=True)
class Stage:
    """What one stage found, best first, and how many of it go on to the next."""

    found: list[tuple[UUID, float]]
    cut: int
    ranks: dict[UUID, int] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "ranks", {key: n for n, (key, _) in enumerate(self.found, 1)})

    def score(self, key: UUID) -> float | None:
        rank = self.ranks.get(key)
        return None if rank is None else self.found[rank - 1][1]


@dataclass(frozen=True, slots=True)
class Trace:
    """A search with its stages. From a place that the query names, the hits come without the stages."""

    terms: list[Term]
    words: Stage
    meaning: Stage
    hits: list[Fused[UUID]]
    """What the search itself gave, before the weak ones are left out."""
    place: str | None
    at_place: set[UUID]

    def nearest(self, keys: Sequence[UUID]) -> UUID | None:
        """The one that came nearest to being found."""
        fused = {hit.key: n for n, hit in enumerate(self.hits)}
        never = DEPTH * 2

        def distance(key: UUID) -> tuple[int, int]:
            by_stage = (self.words.ranks.get(key, never), self.meaning.ranks.get(key, never))
            return fused.get(key, never), min(by_stage)

        return min(keys, key=distance, default=None)


@dataclass(frozen=True, slots=True)
class Vector:
    """What the vector store holds for a chunk."""

    similarity: float
    model: str | None


async def traced(
    storage: Storage, db: Repositories, query: ParsedQuery, vector: list[float], scope: Scope, reach: Reach
) -> Trace:
    """Run the search as it is, then each of its stages alone and deeper."""
    hits = await search(storage, db, query, vector, scope, reach)
    place, there = None, set()
    if query.place is not None:
        there = set(await at_place(db, query.place, scope))
        place = " ".join(query.text.replace(query.words, " ").split()) or query.text
    words = (
        query.text
        if query.place is not None and query.place.t_start is not None
        else query.words or query.text
    )
    terms = await db.lexical.terms(words, reach.configs)
    lexical, dense = await asyncio.gather(
        db.lexical.bm25(terms, scope, DEPTH), storage.vectors.search(reach.collections, vector, DEPTH)
    )
    visible = await db.lexical.visible([key for key, _ in dense], scope)
    dense = [hit for hit in dense if hit[0] in visible]
    return Trace(
        terms, Stage(lexical, CANDIDATES), Stage(dense, CANDIDATES), hits, place if there else None, there
    )


async def stored_vector(
    storage: Storage, collection: str, chunk: Chunk, query: Sequence[float]
) -> Vector | None:
    """The chunk's entry in its collection, with its exact cosine similarity to the query; None when there is none."""
    try:
        entries = await storage.vectors.entries(
            collection, ids=[str(chunk.id)], limit=1, offset=0, embeddings=True
        )
    except NotFound:  # the collection itself is not there
        return None
    if not entries:
        return None
    vector = entries[0].embedding or []
    return Vector(cosine(vector, query), entries[0].metadata.get("embedding_model"))


def cosine(one: Sequence[float], other: Sequence[float]) -> float:
    """Of two vectors; 0 when they have different lengths or one is zero."""
    lengths = math.hypot(*one) * math.hypot(*other)
    if len(one) != len(other) or not lengths or not math.isfinite(lengths):
        return 0.0
    return math.fsum(a * b for a, b in zip(one, other, strict=True)) / lengths
