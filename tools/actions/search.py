"""Search: from a question to passages with exact locators, and from a passage to its page."""

import asyncio
from collections.abc import Sequence
from uuid import UUID

from pydantic import BaseModel, Field, model_validator

from storage.errors import InvalidInput, NotFound
from storage.locators import Locator
from storage.models import Chunk, Material, MaterialSegment
from storage.repositories import Repositories
from storage.repositories.lexical import Reach, Scope
from tools.context import ToolContext
from tools.fields import ClassRef, MaterialRef, PassageRef, Query
from tools.ingest.passages import boxes_for
from tools.ingest.segments import Line
from tools.search.engine import search
from tools.search.fusion import Fused
from tools.search.query import parse
from tools.spec import Effect, Input, tool

WEAK_COSINE = 0.25
"""Below this similarity, and without a common word, a passage is not about the question."""


class StageScores(BaseModel):
    lexical: float | None = Field(description="BM25 score; null when no word of the query is in the passage.")
    dense: float | None = Field(description="Cosine similarity of meaning; null when not among the nearest.")
    fused: float = Field(description="Both together, 0 to 1.")


class Hit(BaseModel):
    passage_id: UUID
    material_id: UUID
    class_id: UUID
    kind: str
    text: str
    label: str = Field(description="Where it stands, in words, e.g. page 57.")
    locator: Locator
    score: float = Field(description="0 to 1; higher is better.")
    scores: StageScores


class SearchResult(BaseModel):
    query: str
    hits: list[Hit]
    indexing: bool = Field(
        description="True while some material in scope is still being read: ask again later."
    )
    notice: str | None = Field(description="What the caller should know about this result.")


class SearchMaterials(Input):
    query: Query
    class_id: ClassRef | None = Field(default=None, description="Look only in this class: its id or name.")
    material_id: MaterialRef | None = Field(
        default=None, description="Look only in this material: its id or title."
    )
    limit: int = Field(default=6, ge=1, le=20, description="How many passages to return at most.")


@tool(effect=Effect.READ, toolset="search")
async def search_materials(ctx: ToolContext, args: SearchMaterials) -> SearchResult:
    """Find passages in the user's own material by words and meaning; each has an exact place to cite.

    Understands whole questions, "exact phrases" in quotation marks, and places such as page 57, slide 12, section 3.2.
    """
    db, query = ctx.db, parse(args.query)
    # The model runs in a thread meanwhile.
    vector, (scope, reach) = await asyncio.gather(
        ctx.storage.query_vectors.of(query.text), where_to_look(db, args)
    )
    found = await search(ctx.storage, db, query, vector, scope, reach.collections)
    hits = await passages(db, [hit for hit in found if supports(hit)], args.limit)
    return SearchResult(
        query=args.query, hits=hits, indexing=reach.is_indexing, notice=notice(hits, reach.is_indexing)
    )


async def where_to_look(db: Repositories, args: SearchMaterials) -> tuple[Scope, Reach]:
    """The scope that the arguments name, and what lies in it."""
    material = await db.materials.resolve(args.material_id) if args.material_id else None
    target = await db.classes.resolve(args.class_id) if args.class_id else None
    scope = Scope(target.id if target else None, material.id if material else None)
    return scope, await db.lexical.reach(scope)


def supports(hit: Fused[UUID]) -> bool:
    """Whether a passage has anything to do with the query: a place or phrase, a common word, or a near meaning."""
    return hit.lexical is not None or hit.dense is None or hit.dense >= WEAK_COSINE


def notice(hits: Sequence[Hit], indexing: bool) -> str | None:
    if indexing:
        return "Some material is still being read and indexed, so there may be more than this."
    if not hits:
        return "Nothing in this material matches."
    return None


async def passages(db: Repositories, found: Sequence[Fused[UUID]], limit: int) -> list[Hit]:
    """The best `limit` passages; chunks that follow each other on one page become one passage."""
    rows = await db.materials.chunks([hit.key for hit in found[: limit * 2]])
    ranked = [(hit, rows[hit.key]) for hit in found[: limit * 2] if hit.key in rows]
    groups: list[list[tuple[Fused[UUID], Chunk]]] = []
    for hit, row in ranked:
        beside = next((g for g in groups if is_beside(g, row)), None)
        if beside is not None:
            beside.append((hit, row))
        elif len(groups) < limit:
            groups.append([(hit, row)])
    places = [(g[0][1].material_id, g[0][1].segment) for g in groups]
    segments = await db.materials.segments_at(places)
    materials = await db.materials.by_ids([material_id for material_id, _ in places])
    return [
        one_hit(group, materials[place[0]], segments[place])
        for group, place in zip(groups, places, strict=True)
        if place in segments and place[0] in materials
    ]


def is_beside(group: Sequence[tuple[Fused[UUID], Chunk]], row: Chunk) -> bool:
    """Whether a chunk directly follows or precedes one of a group, in the same segment."""
    return len(group) < 3 and any(
        other.material_id == row.material_id
        and other.segment == row.segment
        and abs(other.ordinal - row.ordinal) == 1
        for _, other in group
    )


def one_hit(group: Sequence[tuple[Fused[UUID], Chunk]], material: Material, segment: MaterialSegment) -> Hit:
    best, row = group[0]
    start = min(chunk.char_start for _, chunk in group)
    end = max(chunk.char_end for _, chunk in group)
    locator = locate(material, segment, start, end, row.heading_path)
    return Hit(
        passage_id=row.id,
        material_id=material.id,
        class_id=material.class_id,
        kind=material.kind,
        text=segment.text[start:end],
        label=locator.label(),
        locator=locator,
        score=round(best.score, 4),
        scores=StageScores(
            lexical=rounded(best.lexical), dense=rounded(best.dense), fused=round(best.score, 4)
        ),
    )


def rounded(score: float | None) -> float | None:
    return None if score is None else round(score, 4)


def locate(
    material: Material, segment: MaterialSegment, start: int, end: int, heading_path: Sequence[str]
) -> Locator:
    """The locator of characters [start, end) of a segment, with boxes where the file has pages."""
    lines = [Line(int(a), int(b), *box) for a, b, *box in segment.lines if a < end and b > start]
    return Locator(
        material_id=material.id,
        material_title=material.title,
        segment=segment.ordinal,
        page=segment.number if segment.kind == "page" else None,
        page_label=segment.label if segment.kind == "page" else None,
        slide=segment.number if segment.kind == "slide" else None,
        heading_path=list(heading_path),
        char_start=start,
        char_end=end,
        boxes=boxes_for(lines, start, end),
    )


class OpenPassage(Input):
    passage_id: PassageRef | None = None
    material_id: MaterialRef | None = None
    page: int | None = Field(
        default=None, ge=1, description="With material_id: which page, slide or section, from 1."
    )

    @model_validator(mode="after")
    def one_place(self) -> "OpenPassage":
        if (self.passage_id is None) == (self.material_id is None):
            raise ValueError("give passage_id, or material_id with page")
        return self


class PlaceRef(BaseModel):
    material_id: UUID
    page: int


class PassageMaterial(BaseModel):
    id: UUID
    title: str
    kind: str
    unit: str | None
    page_count: int | None


class Passage(BaseModel):
    passage_id: UUID | None = Field(
        description="Of the passage; of the first one on the page when only a page was asked for."
    )
    locator: Locator
    label: str
    text: str = Field(description="The passage; the whole page when only a page was asked for.")
    segment_text: str = Field(description="The page, slide or section around it.")
    image_url: str | None = Field(description="Picture of the page, to be fetched with the same credentials.")
    previous: PlaceRef | None
    next: PlaceRef | None
    material: PassageMaterial


@tool(effect=Effect.READ, toolset="search")
async def open_passage(ctx: ToolContext, args: OpenPassage) -> Passage:
    """Open the page around a passage from a search result, or any page of a material, with the passage's boxes."""
    db = ctx.db
    if args.passage_id is not None:
        chunk = await _chunk(db, args.passage_id)
        material = await db.materials.resolve(str(chunk.material_id))
        ordinal, heading_path = chunk.segment, chunk.heading_path
    else:
        chunk, heading_path = None, []
        material = await db.materials.resolve(args.material_id or "")
        ordinal = (args.page or 1) - 1
    segment = await db.materials.segment(material.id, ordinal)
    if segment is None:
        raise NotFound(
            f"There is no {material.segment_kind or 'page'} {ordinal + 1} in {material.title!r}.",
            code="no_such_page",
        )
    start, end = (chunk.char_start, chunk.char_end) if chunk else (0, 0)
    locator = locate(material, segment, start, end, heading_path or segment.heading_path)
    has_image = segment.kind == "page"
    return Passage(
        passage_id=chunk.id if chunk else await db.materials.first_chunk_of(material.id, segment.ordinal),
        locator=locator,
        label=locator.label(),
        text=segment.text[start:end] if chunk else segment.text,
        segment_text=segment.text,
        image_url=f"/api/materials/{material.id}/pages/{segment.number}.png" if has_image else None,
        previous=PlaceRef(material_id=material.id, page=ordinal) if ordinal > 0 else None,
        next=PlaceRef(material_id=material.id, page=ordinal + 2)
        if ordinal + 1 < (material.page_count or 0)
        else None,
        material=PassageMaterial(
            id=material.id,
            title=material.title,
            kind=material.kind,
            unit=material.segment_kind,
            page_count=material.page_count,
        ),
    )


async def _chunk(db: Repositories, passage_id: str) -> Chunk:
    try:
        chunk = await db.materials.chunk(UUID(passage_id))
    except ValueError as error:
        raise InvalidInput(
            "passage_id is not an id from a search result.", code="invalid_arguments"
        ) from error
    if chunk is None:
        raise NotFound("This passage does not exist any more. Search again.", code="passage_not_found")
    return chunk
