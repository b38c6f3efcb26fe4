"""Search: from a question to passages with exact locators, and from a passage to its page."""

import asyncio
from collections.abc import Mapping, Sequence
from uuid import UUID

from pydantic import BaseModel, Field, model_validator

from storage.errors import InvalidInput, NotFound
from storage.locators import Locator
from storage.models import Chunk, Figure, File, Material, MaterialSegment
from storage.repositories import Repositories
from storage.repositories.lexical import Reach, Scope
from tools.context import ToolContext
from tools.fields import ClassRef, MaterialRef, PassageRef, Query
from tools.search.engine import search
from tools.search.fusion import Fused
from tools.search.places import (
    FigureBeside,
    SpokenSentence,
    locate,
    media_url,
    sentences_of,
    source_url,
    text_of,
    unit_of,
)
from tools.search.query import parse
from tools.spec import Effect, Input, tool

WEAK_COSINE = 0.25
"""Below this similarity, and without a common word, a passage is not about the question."""
SUMMARY = (
    "The passage, or the best part of it, in one sentence of a language model's; null where none was made."
)


class StageScores(BaseModel):
    lexical: float | None = Field(description="BM25 score; null when no word of the query is in the passage.")
    dense: float | None = Field(description="Cosine similarity of meaning; null when not among the nearest.")
    fused: float = Field(description="Both together, 0 to 1.")


class Hit(BaseModel):
    passage_id: UUID
    material_id: UUID
    class_id: UUID
    kind: str
    content_type: str = Field(
        description="text, heading, list, table, formula, caption or transcript: what most of it is."
    )
    text: str
    summary: str | None = Field(description=SUMMARY)
    label: str = Field(description="Where it stands, in words, e.g. page 57, or 12:30 in a recording.")
    locator: Locator
    figures: list[FigureBeside] = Field(default_factory=list, description="Pictures beside the passage.")
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

    Understands whole questions, "exact phrases" in quotation marks, and places such as page 57, slide 12, section 3.2 or
    at 12:30. To read on from a known place use read_material; if something is not found, explain_search says why.
    """
    db, query = ctx.db, parse(args.query)
    # The model runs in a thread meanwhile.
    vector, (scope, reach) = await asyncio.gather(
        ctx.storage.query_vectors.of(query.text), where_to_look(db, args)
    )
    found = await search(ctx.storage, db, query, vector, scope, reach)
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
    groups = await grouped(db, found, limit)
    places = [(g[0][1].material_id, g[0][1].segment) for g in groups]
    segments = await db.places.segments(places)
    figures = await db.places.figures_beside(
        [(c.material_id, c.ordinal) for group in groups for _, c in group]
    )
    return [
        one_hit(group, *segments[place], figures)
        for group, place in zip(groups, places, strict=True)
        if place in segments
    ]


Group = list[tuple[Fused[UUID], Chunk]]
"""The chunks of one passage, the best first."""


async def grouped(db: Repositories, found: Sequence[Fused[UUID]], limit: int) -> list[Group]:
    """The chunks that become the best `limit` passages."""
    rows = await db.materials.chunks([hit.key for hit in found[: limit * 2]])
    groups: list[Group] = []
    for hit in found[: limit * 2]:
        if (row := rows.get(hit.key)) is None:
            continue
        beside = next((g for g in groups if is_beside(g, row)), None)
        if beside is not None:
            beside.append((hit, row))
        elif len(groups) < limit:
            groups.append([(hit, row)])
    return groups


def is_beside(group: Sequence[tuple[Fused[UUID], Chunk]], row: Chunk) -> bool:
    """Whether a chunk directly follows or precedes one of a group, in the same segment."""
    return len(group) < 3 and any(
        other.material_id == row.material_id
        and other.segment == row.segment
        and abs(other.ordinal - row.ordinal) == 1
        for _, other in group
    )


def one_hit(
    group: Sequence[tuple[Fused[UUID], Chunk]],
    segment: MaterialSegment,
    material: Material,
    figures: Mapping[tuple[UUID, int], Sequence[Figure]],
) -> Hit:
    best, row = group[0]
    chunks = sorted((chunk for _, chunk in group), key=lambda chunk: chunk.ordinal)
    locator = locate(material, segment, chunks[0].char_start, chunks[-1].char_end, row.heading_path)
    return Hit(
        passage_id=row.id,
        material_id=material.id,
        class_id=material.class_id,
        kind=material.kind,
        content_type=row.type,
        text=text_of(chunks, segment),
        summary=row.summary,
        label=locator.label(),
        locator=locator,
        figures=[
            FigureBeside.of(figure) for c in chunks for figure in figures.get((c.material_id, c.ordinal), ())
        ],
        score=round(best.score, 4),
        scores=StageScores(
            lexical=rounded(best.lexical), dense=rounded(best.dense), fused=round(best.score, 4)
        ),
    )


def rounded(score: float | None) -> float | None:
    return None if score is None else round(score, 4)


class OpenPassage(Input):
    passage_id: PassageRef | None = None
    material_id: MaterialRef | None = None
    page: int | None = Field(
        default=None, ge=1, description="With material_id: which page, slide, section or minute, from 1."
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
    content_type: str | None = Field(description="What the passage is, e.g. table; null for a whole page.")
    text: str = Field(description="The passage; the whole page when only a page was asked for.")
    summary: str | None = Field(description=SUMMARY)
    segment_text: str = Field(description="The page, slide, section or minute around it.")
    sentences: list[SpokenSentence] = Field(
        default_factory=list, description="Of a recording: each sentence around the passage, with its time."
    )
    figures: list[FigureBeside] = Field(
        default_factory=list,
        description="Pictures beside the passage; all of the page when it was asked for.",
    )
    notice: str | None = Field(description="What could not be read of this page, slide, section or minute.")
    image_url: str | None = Field(description="Picture of the page, to be fetched with the same credentials.")
    media_url: str | None = Field(description="The recording at that second, with the same credentials.")
    source_url: str | None = Field(description="Where the material was fetched from.")
    previous: PlaceRef | None
    next: PlaceRef | None
    material: PassageMaterial


@tool(effect=Effect.READ, toolset="search")
async def open_passage(ctx: ToolContext, args: OpenPassage) -> Passage:
    """Open the page around a passage from a search result, or any page of a material, with the passage's boxes; of a
    recording, the minute with the time of every sentence. For more than one page use read_material."""
    db = ctx.db
    chunk = await passage_of(db, args.passage_id) if args.passage_id is not None else None
    material = await db.materials.resolve(str(chunk.material_id) if chunk else args.material_id or "")
    ordinal = chunk.segment if chunk else (args.page or 1) - 1
    segment = await db.materials.segment(material.id, ordinal)
    if segment is None:
        raise NotFound(
            f"There is no {unit_of(material)} {ordinal + 1} in {material.title!r}.", code="no_such_page"
        )
    file = await db.materials.file(material.file_id) if material.file_id else None
    passage_id = chunk.id if chunk else await db.materials.first_chunk_of(material.id, segment.ordinal)
    figures = [FigureBeside.of(row) for row in await _figures(db, segment, chunk)]
    return _passage(material, segment, chunk, passage_id, file, figures)


def _passage(
    material: Material,
    segment: MaterialSegment,
    chunk: Chunk | None,
    passage_id: UUID | None,
    file: File | None,
    figures: list[FigureBeside],
) -> Passage:
    start, end = (chunk.char_start, chunk.char_end) if chunk else (0, 0)
    locator = locate(material, segment, start, end, chunk.heading_path if chunk else segment.heading_path)
    picture, ordinal = f"/api/materials/{material.id}/pages/{segment.number}.png", segment.ordinal
    is_last = ordinal + 1 >= (material.page_count or 0)
    return Passage(
        passage_id=passage_id,
        locator=locator,
        label=locator.label(),
        content_type=chunk.type if chunk else None,
        text=chunk.text if chunk else segment.text,
        summary=chunk.summary if chunk else None,
        segment_text=segment.text,
        sentences=sentences_of(segment),
        figures=figures,
        notice=segment.notice,
        image_url=picture if segment.kind == "page" else None,
        media_url=media_url(material.id, file, locator.t_start),
        source_url=source_url(material.source_url, locator.t_start),
        previous=PlaceRef(material_id=material.id, page=ordinal) if ordinal > 0 else None,
        next=None if is_last else PlaceRef(material_id=material.id, page=ordinal + 2),
        material=PassageMaterial(
            id=material.id,
            title=material.title,
            kind=material.kind,
            unit=material.segment_kind,
            page_count=material.page_count,
        ),
    )


async def _figures(db: Repositories, segment: MaterialSegment, chunk: Chunk | None) -> Sequence[Figure]:
    if chunk is None:
        return await db.places.figures_on(segment.material_id, segment.ordinal)
    place = (chunk.material_id, chunk.ordinal)
    return (await db.places.figures_beside([place])).get(place, [])


async def passage_of(db: Repositories, passage_id: str, argument: str = "passage_id") -> Chunk:
    """The chunk of an id from a search result. Raises InvalidInput that names the argument, or NotFound."""
    try:
        chunk = await db.materials.chunk(UUID(passage_id))
    except ValueError as error:
        raise InvalidInput(
            f"{argument} is not an id from a search result.", code="invalid_arguments"
        ) from error
    if chunk is None:
        raise NotFound("This passage does not exist any more. Search again.", code="passage_not_found")
    return chunk
