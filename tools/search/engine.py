"""Hybrid search over one user's material: BM25 by words, cosine by meaning, fused by score."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

from storage.repositories import Repositories
from storage.repositories.lexical import Place, Reach, Scope
from storage.resources import Storage
from tools.ingest.passages import Reference
from tools.search.fusion import Fused, fuse
from tools.search.query import ParsedQuery

CANDIDATES = 50
"""Hits that each stage gives to the fusion."""
SECTION = 500
"""Chunks of a section or chapter that are looked at; the words of the query choose among them."""


async def search(
    storage: Storage,
    db: Repositories,
    query: ParsedQuery,
    vector: list[float],
    scope: Scope,
    reach: Reach,
) -> list[Fused[UUID]]:
    """Chunk ids, best first. `vector`: of the query's text. `reach`: what lies in the scope.

    A quoted phrase puts the chunks that hold it first. A place ("page 57") is answered from locators alone.
    """
    if query.place is not None:
        there = await at_place(db, query.place, scope)
        if there:
            return await _ranked_within(storage, db, query, scope, reach, there)
    # No such place: a time of day may well stand in the text, a page number does not.
    is_time = query.place is not None and query.place.t_start is not None
    words = query.text if is_time else query.words or query.text
    lexical, dense = await asyncio.gather(
        by_words(db, words, scope, reach.configs),
        storage.vectors.search(reach.collections, vector, CANDIDATES),
    )
    dense = await _live(db, dense, scope, {chunk_id for chunk_id, _ in lexical})
    hits = fuse(lexical, dense)
    if query.phrases:
        hits = await _phrases_first(db, query, scope, reach, hits)
    return hits


async def by_words(
    db: Repositories, words: str, scope: Scope, configs: Sequence[str]
) -> list[tuple[UUID, float]]:
    """Chunk ids with their BM25 scores; the words are stemmed under every configuration of the scope."""
    terms = await db.lexical.terms(words, configs)
    return await db.lexical.bm25(terms, scope, CANDIDATES)


async def by_meaning(storage: Storage, text: str, collections: Sequence[str]) -> list[tuple[UUID, float]]:
    vector = await storage.query_vectors.of(text)
    return await storage.vectors.search(collections, vector, CANDIDATES)


async def at_place(db: Repositories, place: Reference, scope: Scope) -> list[UUID]:
    """Chunks at the place that a query names, in reading order."""
    if place.section is not None:
        return await db.lexical.in_section(place.section, scope, SECTION)
    if place.t_start is not None and place.t_end is not None:
        heard = Place("span", t_start=place.t_start, t_end=place.t_end)
        return await db.lexical.at_place(heard, scope, CANDIDATES)
    kind, first, last = (
        ("slide", place.slide, place.last_slide) if place.slide else ("page", place.page, place.last_page)
    )
    return await db.lexical.at_place(Place(kind, first, last or first, place.label), scope, CANDIDATES)


async def _live(
    db: Repositories, dense: list[tuple[UUID, float]], scope: Scope, known: set[UUID]
) -> list[tuple[UUID, float]]:
    """Vectors of chunks that still exist and are in scope: the collections may lag behind for a moment.

    `known`: chunks that the database has just named.
    """
    visible = known | await db.lexical.visible([hit[0] for hit in dense if hit[0] not in known], scope)
    return [hit for hit in dense if hit[0] in visible]


async def _ranked_within(
    storage: Storage,
    db: Repositories,
    query: ParsedQuery,
    scope: Scope,
    reach: Reach,
    there: list[UUID],
) -> list[Fused[UUID]]:
    """The chunks of a place: in reading order, or by the words that the query has beside the place."""
    score = {chunk_id: 1.0 - i / len(there) for i, chunk_id in enumerate(there)}
    if await db.lexical.terms(query.words, reach.configs):
        lexical, dense = await asyncio.gather(
            by_words(db, query.words, scope, reach.configs),
            by_meaning(storage, query.words, reach.collections),
        )
        inside = set(there)
        found = fuse([h for h in lexical if h[0] in inside], [h for h in dense if h[0] in inside])
        # That it stands there is reason enough: a weak likeness orders the passages and drops none.
        found = [hit if hit.lexical is not None else replace(hit, dense=None) for hit in found]
        seen = {hit.key for hit in found}
        return found + [Fused(i, None, None, 0.0) for i in there if i not in seen]
    return [Fused(chunk_id, None, None, score[chunk_id]) for chunk_id in there]


async def _phrases_first(
    db: Repositories, query: ParsedQuery, scope: Scope, reach: Reach, hits: list[Fused[UUID]]
) -> list[Fused[UUID]]:
    exact = set(await db.lexical.with_phrases(query.phrases, scope, CANDIDATES, reach.configs))
    known = {hit.key for hit in hits}
    extra = [Fused(chunk_id, None, None, 0.0) for chunk_id in exact - known]
    first = [hit for hit in hits if hit.key in exact] + extra
    return first + [hit for hit in hits if hit.key not in exact]
