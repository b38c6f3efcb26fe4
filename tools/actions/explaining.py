"""Why a passage is not found: where it stands in each stage of a search, what outranks it, and what mends it."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from pydantic import BaseModel, Field, model_validator

from storage.errors import NotFound
from storage.models import Chunk, Material
from storage.repositories import Repositories
from storage.repositories.lexical import Scope
from storage.vectors.names import collection_name
from tools.actions.search import WEAK_COSINE, Group, grouped, passage_of, rounded, supports
from tools.context import ToolContext
from tools.fields import ClassRef, MaterialRef, PassageRef, Query
from tools.search.causes import CauseCode, Facts, cause_of
from tools.search.places import locate, unit_of
from tools.search.query import ParsedQuery, parse
from tools.search.tracing import DEPTH, Trace, stored_vector, traced
from tools.spec import Effect, Input, tool

EXCERPT = 200
EXPECTED = 500
"""Chunks of an expected page, section or material that are followed."""
OUTRANKING = 5


class ExplainSearch(Input):
    query: Query
    class_id: ClassRef | None = Field(default=None, description="As given to search_materials.")
    material_id: MaterialRef | None = Field(default=None, description="As given to search_materials.")
    limit: int = Field(default=6, ge=1, le=20, description="As given to search_materials.")
    expected_material_id: MaterialRef | None = Field(
        default=None, description="The material that should have been found."
    )
    expected_page: int | None = Field(
        default=None, ge=1, description="Its page, slide, section or minute, counted from 1."
    )
    expected_section: str | None = Field(
        default=None,
        pattern=r"^\d{1,3}(\.\d{1,3}){0,4}$",
        description='Its chapter or section, as printed: "4" or "3.2".',
    )
    expected_phrase: str | None = Field(
        default=None, min_length=2, max_length=200, description="Words that stand there just so."
    )
    expected_passage_id: PassageRef | None = Field(default=None, description="Or the passage itself.")

    @model_validator(mode="after")
    def page_of_something(self) -> "ExplainSearch":
        if (self.expected_page or self.expected_section) and not self.expected_material_id:
            raise ValueError("expected_page and expected_section need expected_material_id")
        return self


class Word(BaseModel):
    stems: list[str] = Field(description="The word as the index has it.")
    passages: int = Field(description="Passages in scope that hold it; a rare word counts more.")
    in_expected: bool | None = Field(description="Whether the expected passage holds it.")


class StageReport(BaseModel):
    stage: str = Field(description="words (BM25), meaning (cosine), both (fused) or results.")
    found: int = Field(description=f"Passages that it found; followed to {DEPTH}.")
    passed_on: int = Field(description="How many of them go on.")
    rank: int | None = Field(description="Of the expected passage, from 1; null: not found here.")
    score: float | None


class Ranked(BaseModel):
    rank: int
    passage_id: UUID
    material_title: str
    label: str
    excerpt: str
    words_score: float | None
    similarity: float | None
    score: float


class ExpectedPassage(BaseModel):
    passage_id: UUID
    material_title: str
    label: str
    excerpt: str
    collection: str = Field(description="Where its vector belongs.")
    has_vector: bool
    similarity: float | None = Field(description="Exact cosine similarity of its stored vector to the query.")


class Explanation(BaseModel):
    query: str
    searched: str = Field(description="What was searched, in words.")
    cause: CauseCode | None = Field(description="Null when nothing was expected.")
    why: str
    mend: str | None = Field(description="What to do about it.")
    expected: ExpectedPassage | None = Field(
        description="Of what was expected, the passage that came nearest to being found."
    )
    words: list[Word]
    stages: list[StageReport]
    above: list[Ranked] = Field(description="The best results, or those that outrank the expected passage.")


@dataclass(frozen=True, slots=True)
class Expectation:
    """What should have been found: in words, its material, its chunks, and what is known when it has none."""

    facts: Facts
    material: Material | None = None
    chunks: Sequence[UUID] = ()


@tool(effect=Effect.READ, toolset="search")
async def explain_search(ctx: ToolContext, args: ExplainSearch) -> Explanation:
    """Explain why search_materials does not find something, or how it ranks: give its query and what you expected (a material,
    with page, chapter or phrase). Answers with the cause, how to mend it, the rank in every stage, and what outranks it.
    """
    db, query = ctx.db, parse(args.query)
    vector, (scope, searched) = await asyncio.gather(
        ctx.storage.query_vectors.of(query.text), _scope(db, args)
    )
    expectation = await _expected(db, args)
    trace = await traced(ctx.storage, db, query, vector, scope, await db.lexical.reach(scope))
    groups = await grouped(db, [hit for hit in trace.hits if supports(hit)], args.limit)
    nearest = trace.nearest(expectation.chunks) if expectation else None
    chunk = await db.materials.chunk(nearest) if nearest else None
    words = await _words(db, trace, scope, chunk)
    report = _Report(trace, groups, args.limit, chunk)
    passage, cause = None, None
    if expectation is not None:
        facts = replace(expectation.facts, **report.facts(words))
        if chunk is not None and expectation.material is not None:
            passage, facts = await _passage(ctx, facts, chunk, expectation.material, vector)
            in_scope = bool(await db.lexical.visible([chunk.id], scope))
            elsewhere = trace.place is not None and chunk.id not in trace.at_place
            facts = replace(facts, in_scope=in_scope, place=trace.place if elsewhere else None)
        cause = cause_of(facts)
    return Explanation(
        query=args.query,
        searched=searched,
        cause=cause.code if cause else None,
        why=cause.why if cause else _plain(trace, groups, query),
        mend=cause.mend if cause else None,
        expected=passage,
        words=words,
        stages=report.stages(),
        above=await _above(db, report),
    )


async def _scope(db: Repositories, args: ExplainSearch) -> tuple[Scope, str]:
    material = await db.materials.resolve(args.material_id) if args.material_id else None
    target = await db.classes.resolve(args.class_id) if args.class_id else None
    searched = [f"the material {material.title!r}"] if material else []
    searched += [f"the class {target.name!r}"] if target else []
    scope = Scope(target.id if target else None, material.id if material else None)
    return scope, " in ".join(searched) or "all material"


async def _expected(db: Repositories, args: ExplainSearch) -> Expectation | None:
    """What the arguments expect; None when they expect nothing. Raises NotFound for what never existed."""
    if args.expected_passage_id is not None:
        return await _expected_passage(db, args.expected_passage_id)
    if args.expected_material_id is None:
        if args.expected_phrase is None:
            return None
        return await _expected_phrase(db, args.expected_phrase, Scope(), Facts("the phrase"), None)
    try:
        material = await db.materials.resolve(args.expected_material_id)
    except NotFound:
        material = await _from_bin(db, args.expected_material_id)
    facts = Facts(f'"{material.title}"', material.deleted_at is not None, material.status, material.error)
    scope = Scope(material_id=material.id)
    if args.expected_page is not None:
        place = f'{unit_of(material)} {args.expected_page} of "{material.title}"'
        return await _expected_page(db, material, args.expected_page, replace(facts, what=place))
    if args.expected_section is not None:
        chunks: Sequence[UUID] = await db.lexical.in_section(args.expected_section, scope, EXPECTED)
        place = f'chapter or section {args.expected_section} of "{material.title}"'
        notice = "No heading of the material has this number." if not chunks else None
        facts = replace(facts, what=place, has_text=bool(chunks), notice=notice)
        return Expectation(facts, material, chunks)
    if args.expected_phrase is not None:
        return await _expected_phrase(db, args.expected_phrase, scope, facts, material)
    chunks = await db.materials.chunk_ids(material.id)
    return Expectation(replace(facts, has_text=bool(chunks)), material, chunks)


async def _from_bin(db: Repositories, wanted: str) -> Material:
    """A deleted material. The error for one that never was is that of the living."""
    try:
        return await db.materials.resolve(wanted, deleted=True)
    except NotFound:
        return await db.materials.resolve(wanted)


async def _expected_passage(db: Repositories, passage_id: str) -> Expectation:
    chunk = await passage_of(db, passage_id, "expected_passage_id")
    material = await db.materials.by_id(chunk.material_id)
    if material is None:
        raise NotFound("This passage does not exist any more. Search again.", code="passage_not_found")
    facts = Facts("the passage", material.deleted_at is not None, material.status, material.error)
    return Expectation(facts, material, [chunk.id])


async def _expected_page(db: Repositories, material: Material, number: int, facts: Facts) -> Expectation:
    segment = await db.materials.segment(material.id, number - 1)
    if segment is None:
        if material.status == "ready":
            unit = unit_of(material)
            raise NotFound(f"There is no {unit} {number} in {material.title!r}.", code="no_such_page")
        return Expectation(replace(facts, has_text=False), material)
    chunks = await db.materials.chunks_on(material.id, segment.ordinal)
    return Expectation(replace(facts, has_text=bool(chunks), notice=segment.notice), material, chunks)


async def _expected_phrase(
    db: Repositories, phrase: str, scope: Scope, facts: Facts, material: Material | None
) -> Expectation:
    configs = (await db.lexical.reach(scope)).configs
    chunks = await db.lexical.with_phrases([phrase], scope, EXPECTED, configs)
    if material is None:
        if not chunks:
            return Expectation(replace(facts, what="any of your material", phrase_stands=False))
        first = (await db.materials.chunks(chunks[:1]))[chunks[0]]
        material = await db.materials.by_id(first.material_id)
    return Expectation(replace(facts, phrase_stands=bool(chunks)), material, chunks)


async def _words(db: Repositories, trace: Trace, scope: Scope, chunk: Chunk | None) -> list[Word]:
    # A chunk outside the scope is looked at in its own material.
    held = await db.lexical.holders(trace.terms, Scope(material_id=chunk.material_id), chunk) if chunk else []
    counts = await db.lexical.holders(trace.terms, scope, None)
    is_held = {term: there for term, _, there in held}
    return [Word(stems=list(term), passages=n, in_expected=is_held.get(term)) for term, n, _ in counts]


async def _passage(
    ctx: ToolContext, facts: Facts, chunk: Chunk, material: Material, query: Sequence[float]
) -> tuple[ExpectedPassage, Facts]:
    db = ctx.db
    target = await db.classes.by_id(material.class_id)
    if target is None:
        raise NotFound("The class of this material does not exist any more.", code="class_not_found")
    collection = collection_name(target.collection_prefix, material.kind)
    stored = await stored_vector(ctx.storage, collection, chunk, query)
    segment = await db.materials.segment(material.id, chunk.segment)
    label = (
        locate(material, segment, chunk.char_start, chunk.char_end, chunk.heading_path).label()
        if segment
        else ""
    )
    passage = ExpectedPassage(
        passage_id=chunk.id,
        material_title=material.title,
        label=label,
        excerpt=chunk.text[:EXCERPT],
        collection=collection,
        has_vector=stored is not None,
        similarity=rounded(stored.similarity) if stored else None,
    )
    return passage, replace(
        facts,
        in_index=stored is not None,
        same_model=stored is None or stored.model == ctx.storage.embedder.name,
        similarity=stored.similarity if stored else None,
    )


class _Report:
    """A trace and its results, seen from one chunk."""

    def __init__(self, trace: Trace, groups: Sequence[Group], limit: int, chunk: Chunk | None) -> None:
        self.groups, self._trace, self._limit, self._chunk = groups, trace, limit, chunk
        self._key = chunk.id if chunk else None
        self._fused = {hit.key: n for n, hit in enumerate(trace.hits, 1)}
        self.result_rank = next(
            (n for n, group in enumerate(groups, 1) if any(row.id == self._key for _, row in group)), None
        )

    def facts(self, words: Sequence[Word]) -> dict[str, Any]:
        """What of Facts follows from the stages."""
        meaning, key = self._trace.meaning, self._key
        last = meaning.found[meaning.cut - 1][1] if len(meaning.found) >= meaning.cut else None
        return {
            "words": len(words),
            "words_held": sum(bool(word.in_expected) for word in words),
            "weakest": WEAK_COSINE,
            "last_dense": last,
            "words_rank": self._trace.words.ranks.get(key) if key else None,
            "meaning_rank": meaning.ranks.get(key) if key else None,
            "candidates": meaning.cut,
            "fused_rank": self._fused.get(key) if key else None,
            "result_rank": self.result_rank,
            "limit": self._limit,
        }

    def stages(self) -> list[StageReport]:
        trace, key = self._trace, self._key
        fused = next((hit for hit in trace.hits if hit.key == key), None)
        report = [
            StageReport(
                stage=name,
                found=len(stage.found),
                passed_on=min(stage.cut, len(stage.found)),
                rank=stage.ranks.get(key) if key else None,
                score=rounded(stage.score(key)) if key else None,
            )
            for name, stage in (("words", trace.words), ("meaning", trace.meaning))
        ]
        report.append(
            StageReport(
                stage="both",
                found=len(trace.hits),
                passed_on=len(self.groups),
                rank=self._fused.get(key) if key else None,
                score=rounded(fused.score) if fused else None,
            )
        )
        shown = StageReport(
            stage="results",
            found=len(self.groups),
            passed_on=len(self.groups),
            rank=self.result_rank,
            score=None,
        )
        return [*report, shown]


async def _above(db: Repositories, report: _Report) -> list[Ranked]:
    """The best results; of those before the expected passage, when it is one."""
    last = (report.result_rank or len(report.groups) + 1) - 1
    groups = report.groups[: min(last, OUTRANKING) or OUTRANKING]
    segments = await db.places.segments([(group[0][1].material_id, group[0][1].segment) for group in groups])
    ranked = []
    for n, group in enumerate(groups, 1):
        hit, row = group[0]
        if (place := segments.get((row.material_id, row.segment))) is None:
            continue
        segment, material = place
        ranked.append(
            Ranked(
                rank=n,
                passage_id=row.id,
                material_title=material.title,
                label=locate(material, segment, row.char_start, row.char_end, row.heading_path).label(),
                excerpt=row.text[:EXCERPT],
                words_score=rounded(hit.lexical),
                similarity=rounded(hit.dense),
                score=round(hit.score, 4),
            )
        )
    return ranked


def _plain(trace: Trace, groups: Sequence[Group], query: ParsedQuery) -> str:
    """How the search went, when nothing was expected."""
    if trace.place is not None:
        return f"The query names a place ({trace.place}); its passages were returned in order."
    phrases = " Passages that hold the quoted phrase come first." if query.phrases else ""
    return (
        f"By words {len(trace.words.found)} passages were found, by meaning {len(trace.meaning.found)}; the first "
        f"{trace.words.cut} of each were weighed together and {len(groups)} returned.{phrases}"
    )
