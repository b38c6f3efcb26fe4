"""Looking inside the vector collections: how an engineer finds out why something was not found. Never writes."""

import asyncio
import math
from collections import Counter
from collections.abc import Awaitable, Iterable, Mapping, Sequence
from typing import Annotated, Any, Literal, cast
from uuid import UUID

from pydantic import BaseModel, Field

from storage.errors import NotFound
from storage.repositories.owners import Owner
from storage.vectors.index import Entry
from storage.vectors.names import CONTENT_TYPES, collection_names, prefix_of
from tools.context import ToolContext
from tools.fields import ClassRef, Query
from tools.spec import Effect, Input, tool

CollectionName = Annotated[
    str, Field(min_length=3, max_length=200, description="A collection's name, from chroma_list_collections.")
]
ContentType = Literal["textbooks", "slides", "transcripts", "photos", "web_pages", "texts", "past_papers"]
DOCUMENT_BUDGET = 1000
"""Characters of a document in a list; chroma_get_documents with ids gives all of them."""
DIAGNOSED = 50_000
"""Entries that one diagnosis looks at."""
PAGE = 1000


class CollectionItem(BaseModel):
    name: str
    class_id: UUID
    class_name: str
    content_type: str
    count: int | None = None


class ListCollections(Input):
    counts: bool = Field(default=True, description="False leaves the counts out and is faster.")


class CollectionList(BaseModel):
    items: list[CollectionItem]
    next_cursor: None = None
    total: int


async def own_collections(ctx: ToolContext) -> dict[str, tuple[Owner, str]]:
    """Name → (class, content type) of every collection that the caller's classes may have."""
    return {
        name: (owner, name[len(owner.collection_prefix) + 1 :])
        for owner in await ctx.storage.owners.all(ctx.principal.user_id)
        for name in collection_names(owner.collection_prefix)
    }


async def own(ctx: ToolContext, name: str) -> tuple[Owner, str]:
    """The class and content type of a collection. Raises NotFound for one that is not the caller's."""
    prefix = prefix_of(name)
    owner = await ctx.storage.owners.by_prefix(ctx.principal.user_id, prefix) if prefix else None
    if owner is None:
        raise NotFound(
            f"No collection {name!r}. chroma_list_collections lists them.", code="collection_not_found"
        )
    return owner, name[len(owner.collection_prefix) + 1 :]


async def of_own(ctx: ToolContext, name: str, *asked: Awaitable[Any]) -> tuple[Owner, str, list[Any]]:
    """The class, the content type, and what Chroma answers. Nobody sees an answer about somebody else's collection, nor
    whether there is one: that it is not one's own is said first. Raises NotFound."""
    # Chroma first: it takes longer.
    *answers, mine = await asyncio.gather(*asked, own(ctx, name), return_exceptions=True)
    for answer in (mine, *answers):
        if isinstance(answer, BaseException):
            raise answer
    row, content_type = cast(tuple[Owner, str], mine)
    return row, content_type, answers


@tool(effect=Effect.READ, toolset="collections", own_transaction=True)
async def chroma_list_collections(ctx: ToolContext, args: ListCollections) -> CollectionList:
    """List the user's vector collections (one for each class and content type) with their counts. For debugging:
    to answer from material use search_materials."""
    vectors = ctx.storage.vectors
    present, known = await asyncio.gather(vectors.present(), own_collections(ctx))
    found: Mapping[str, int | None] = (
        await vectors.counts(list(known), present)
        if args.counts
        else dict.fromkeys(await vectors.existing(list(known), present))
    )
    items = [
        CollectionItem(
            name=name, class_id=owner.id, class_name=owner.name, content_type=kind, count=found[name]
        )
        for name, (owner, kind) in known.items()
        if name in found
    ]
    return CollectionList(items=items, total=len(items))


class OneCollection(Input):
    collection_name: CollectionName


class CollectionInfo(BaseModel):
    name: str
    id: str
    class_id: UUID
    class_name: str
    content_type: str
    count: int
    dimension: int | None = Field(description="Length of its vectors; null while it is empty.")
    distance: str = Field(description="How distance is measured; similarity is 1 - distance.")
    embedding_model: str | None
    metadata_fields: list[str] = Field(description="Metadata fields that its entries have.")
    metadata: dict[str, Any]


@tool(effect=Effect.READ, toolset="collections", own_transaction=True)
async def chroma_get_collection_info(ctx: ToolContext, args: OneCollection) -> CollectionInfo:
    """Describe a collection: count, dimension, distance, embedding model and metadata fields."""
    vectors, name = ctx.storage.vectors, args.collection_name
    row, content_type, (about, count, sample) = await of_own(
        ctx,
        name,
        vectors.metadata(name),
        vectors.count(name),
        vectors.entries(name, ids=None, limit=1, offset=0, embeddings=True),
    )
    configuration = about["configuration"].get("hnsw") or about["configuration"].get("spann") or {}
    return CollectionInfo(
        name=args.collection_name,
        id=about["id"],
        class_id=row.id,
        class_name=row.name,
        content_type=content_type,
        count=count,
        dimension=len(sample[0].embedding or ()) if sample else None,
        distance=str(configuration.get("space", "unknown")),
        embedding_model=about["metadata"].get("embedding_model"),
        metadata_fields=sorted(sample[0].metadata) if sample else [],
        metadata=about["metadata"],
    )


class DocumentCount(BaseModel):
    name: str
    count: int


@tool(effect=Effect.READ, toolset="collections", own_transaction=True)
async def chroma_count_documents(ctx: ToolContext, args: OneCollection) -> DocumentCount:
    """Count the entries of a collection."""
    _, _, (count,) = await of_own(ctx, args.collection_name, ctx.storage.vectors.count(args.collection_name))
    return DocumentCount(name=args.collection_name, count=count)


class Document(BaseModel):
    id: str = Field(description="The passage's id: open_passage takes it.")
    document: str | None = Field(description="Exactly the text that was embedded.")
    metadata: dict[str, Any]
    similarity: float | None = Field(
        default=None, description="Cosine similarity to the query, for a search."
    )
    embedding: list[float] | None = None

    @classmethod
    def of(cls, entry: Entry, *, budget: int | None = DOCUMENT_BUDGET) -> "Document":
        text = entry.document
        if text is not None and budget is not None and len(text) > budget:
            text = text[:budget] + " […]"
        similarity = None if entry.similarity is None else round(entry.similarity, 4)
        return cls(
            id=entry.id,
            document=text,
            metadata=entry.metadata,
            similarity=similarity,
            embedding=entry.embedding,
        )


class DocumentList(BaseModel):
    items: list[Document]
    next_cursor: str | None
    total: int


class DocumentSample(BaseModel):
    items: list[Document]


class PeekDocuments(Input):
    collection_name: CollectionName
    limit: int = Field(default=5, ge=1, le=50)


@tool(effect=Effect.READ, toolset="collections", own_transaction=True)
async def chroma_peek_documents(ctx: ToolContext, args: PeekDocuments) -> DocumentSample:
    """Show the first few entries of a collection, to see what it looks like."""
    name = args.collection_name
    asked = ctx.storage.vectors.entries(name, ids=None, limit=args.limit, offset=0, embeddings=False)
    _, _, (entries,) = await of_own(ctx, name, asked)
    return DocumentSample(items=[Document.of(entry) for entry in entries])


class GetDocuments(Input):
    collection_name: CollectionName
    ids: list[str] | None = Field(
        default=None, max_length=50, description="Only these entries, in full length."
    )
    limit: int = Field(default=20, ge=1, le=100)
    cursor: str | None = Field(
        default=None, pattern=r"^\d{1,9}$", description="`next_cursor` of the page before."
    )
    include_embeddings: bool = Field(
        default=False, description="Also the vectors (384 numbers each; at most 10)."
    )


@tool(effect=Effect.READ, toolset="collections", own_transaction=True)
async def chroma_get_documents(ctx: ToolContext, args: GetDocuments) -> DocumentList:
    """Get entries of a collection by id, or page through all of them, on request with their vectors."""
    vectors, name, offset = ctx.storage.vectors, args.collection_name, int(args.cursor or 0)
    limit = min(args.limit, 10) if args.include_embeddings else args.limit
    _, _, (total, entries) = await of_own(
        ctx,
        name,
        vectors.count(name),
        vectors.entries(name, ids=args.ids, limit=limit, offset=offset, embeddings=args.include_embeddings),
    )
    items = [Document.of(entry, budget=None if args.ids else DOCUMENT_BUDGET) for entry in entries]
    following = offset + len(entries)
    more = args.ids is None and following < total and bool(entries)
    return DocumentList(items=items, next_cursor=str(following) if more else None, total=total)


class ChromaSearch(Input):
    class_id: ClassRef
    query: Query
    content_type: ContentType | None = Field(
        default=None, description="Only this kind; left out: all of the class."
    )
    limit: int = Field(default=10, ge=1, le=50)


async def prefix_of_class(ctx: ToolContext, wanted: str) -> str:
    """Raises NotFound or Conflict."""
    owner = await ctx.storage.owners.named(ctx.principal.user_id, wanted)
    if owner is not None:
        return owner.collection_prefix
    async with ctx.storage.as_user(ctx.principal.user_id, read_only=True) as db:
        return (await db.classes.resolve(wanted)).collection_prefix


@tool(effect=Effect.READ, toolset="collections", own_transaction=True)
async def chroma_search(ctx: ToolContext, args: ChromaSearch) -> DocumentList:
    """Search by meaning alone, as the vectors see it, to debug retrieval. For answers use search_materials."""
    vector, prefix, present = await asyncio.gather(
        ctx.storage.query_vectors.of(args.query),
        prefix_of_class(ctx, args.class_id),
        ctx.storage.vectors.present(),
    )
    names = [n for n in collection_names(prefix) if args.content_type in (None, n[len(prefix) + 1 :])]
    entries = await ctx.storage.vectors.nearest(names, vector, args.limit, present)
    return DocumentList(items=[Document.of(e) for e in entries], next_cursor=None, total=len(entries))


class Finding(BaseModel):
    kind: str
    count: int
    examples: list[str] = Field(description="Up to five ids.")
    meaning: str
    mend: str


class Diagnosis(BaseModel):
    name: str
    healthy: bool
    checked: int = Field(description="Entries looked at.")
    complete: bool = Field(description="False when the collection is larger than one diagnosis looks at.")
    expected: int = Field(description="Chunks in the database that should have a vector here.")
    findings: list[Finding]


FINDINGS = {
    "missing_vector": ("Chunks in the database have no vector here: meaning cannot find them, words can.",
                       "Run reprocess_material for the material; it is searchable by words meanwhile."),
    "still_indexing": ("Chunks wait for their vector because their material is being indexed.", "Wait for the job; get_job tells how far it is."),
    "orphan_vector": ("Vectors have no chunk in the database: they take room and are never shown.", "Run reprocess_material for the material; `lyceum doctor` lists what belongs to none."),
    "wrong_dimension": ("Vectors have another length than the model's.", "Run reprocess_material: it is indexed again with the current model."),
    "wrong_model": ("Vectors were made by another embedding model, so similarities mean nothing.", "Run reprocess_material: it is indexed again with the current model."),
    "bad_vector": ("Vectors are zero or not finite and match nothing.", "Run reprocess_material for the material."),
    "duplicate": ("Several entries hold the same text: one crowds the others out of the results.", "Delete one of the materials that repeat it."),
    "empty_document": ("Entries have no text.", "Run reprocess_material for the material."),
    "stale_document": ("The embedded text differs from the chunk in the database.", "Run reprocess_material for the material."),
}  # fmt: skip


@tool(effect=Effect.READ, toolset="collections")
async def chroma_diagnose_collection(ctx: ToolContext, args: OneCollection) -> Diagnosis:
    """Compare a collection with the database: missing, orphaned, stale, duplicate or broken vectors, and how to mend each.
    Why one passage is not found says explain_search."""
    row, content_type = await own(ctx, args.collection_name)
    kinds = [kind for kind, stored_as in CONTENT_TYPES.items() if stored_as == content_type]
    expected = await ctx.db.materials.expected_vectors(row.id, kinds)
    total = await ctx.storage.vectors.count(args.collection_name)
    problems: dict[str, list[str]] = {kind: [] for kind in FINDINGS}
    seen: set[str] = set()
    documents: Counter[str] = Counter()
    for offset in range(0, min(total, DIAGNOSED), PAGE):
        entries = await ctx.storage.vectors.entries(
            args.collection_name, ids=None, limit=PAGE, offset=offset, embeddings=True
        )
        seen.update(entry.id for entry in entries)
        for kind, entry_id in problems_of(
            entries, expected, ctx.storage.embedder.name, ctx.storage.embedder.dimension
        ):
            problems[kind].append(entry_id)
        for entry in entries:
            documents[entry.document or ""] += 1
            if documents[entry.document or ""] == 2 and entry.document:
                problems["duplicate"].append(entry.id)
        await ctx.progress(min(offset + PAGE, total), total, "Comparing vectors with the database")
    complete = total <= DIAGNOSED
    if complete:
        for chunk_id, chunk in expected.items():
            if chunk_id not in seen:
                problems["still_indexing" if chunk.indexing else "missing_vector"].append(chunk_id)
    findings = [
        Finding(kind=k, count=len(ids), examples=ids[:5], meaning=FINDINGS[k][0], mend=FINDINGS[k][1])
        for k, ids in problems.items()
        if ids
    ]
    return Diagnosis(
        name=args.collection_name,
        healthy=not findings,
        checked=len(seen),
        complete=complete,
        expected=len(expected),
        findings=findings,
    )


def problems_of(
    entries: Sequence[Entry], expected: dict[str, Any], model: str, dimension: int
) -> Iterable[tuple[str, str]]:
    """(kind of problem, entry id) for everything that is wrong with single entries."""
    for entry in entries:
        chunk = expected.get(entry.id)
        vector = entry.embedding or []
        if chunk is None:
            yield "orphan_vector", entry.id
        if len(vector) != dimension:
            yield "wrong_dimension", entry.id
        elif not all(map(math.isfinite, vector)) or not any(vector):
            yield "bad_vector", entry.id
        if entry.metadata.get("embedding_model") != model:
            yield "wrong_model", entry.id
        if not (entry.document or "").strip():
            yield "empty_document", entry.id
        elif chunk is not None and entry.document != chunk.text:
            yield "stale_document", entry.id
