"""Notes: list, read, write, change and delete. Making them from material is in `note_making`."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, Field

from storage.errors import InvalidInput, NotFound
from storage.locators import Locator
from storage.models import File, Material, Note, NoteSource
from storage.repositories.base import as_uuid
from tools.context import ToolContext
from tools.fields import ClassRef, Cursor, Limit, NoteRef
from tools.search.places import locate, media_url, source_url
from tools.spec import Effect, Input, tool

MOST_TEXT = 200_000
TEXT_BUDGET = 60_000
"""Characters that one call of get_note returns at most."""
MOST_SOURCES = 50
"""Passages that one call may add."""

Title = Annotated[str, Field(min_length=1, max_length=300)]
Text = Annotated[str, Field(max_length=MOST_TEXT, description="Markdown; [n] points at the n-th source.")]
Tag = Annotated[str, Field(min_length=1, max_length=50)]
Tags = Annotated[list[Tag], Field(max_length=20, description="Words to file it under.")]
Passages = Annotated[
    list[Annotated[str, Field(min_length=36, max_length=36)]],
    Field(max_length=MOST_SOURCES, description="Passages it is based on: their ids, from search results."),
]
Type = Literal["note", "lecture", "summary", "outline", "cornell"]
Shared = Annotated[bool, Field(description="Whether the members of its class may read it.")]


class Making(BaseModel):
    """How far a job is with notes that are being made."""

    job_id: UUID
    status: str
    done: int = Field(description="Sections that are there.")
    total: int | None
    message: str | None


class NoteItem(BaseModel):
    id: UUID
    class_id: UUID | None
    title: str
    type: Type
    tags: list[str]
    language: str | None
    model: str | None = Field(
        description="What made it: builtin or provider:name; null when the user wrote it."
    )
    quality_score: float | None = Field(description="Share of the written points that their sources support.")
    shared_with_class: bool
    source_count: int
    created_at: datetime
    updated_at: datetime
    making: Making | None = Field(description="While it is unfinished: the job that makes it.")

    @classmethod
    def of(cls, row: Note, source_count: int, making: Making | None) -> "NoteItem":
        made = {"source_count", "making"}
        fields = {name: getattr(row, name) for name in NoteItem.model_fields if name not in made}
        return cls(**fields, source_count=source_count, making=making)


async def making_of(ctx: ToolContext, row: Note) -> Making | None:
    """The job behind an unfinished note, until it is forgotten."""
    job_id = row.parameters.get("job_id")
    if job_id is None or row.parameters.get("complete"):
        return None
    try:
        job = await ctx.db.jobs.get(job_id)
    except NotFound:
        return None
    return Making(
        job_id=job.id,
        status=job.status,
        done=row.parameters.get("sections_done", 0),
        total=row.parameters.get("sections_total"),
        message=job.error or job.progress_message,
    )


class NoteList(BaseModel):
    items: list[NoteItem]
    next_cursor: str | None
    total: int


class ListNotes(Input):
    query: str | None = Field(
        default=None, min_length=1, max_length=500, description="Words to find in them; best first."
    )
    class_id: ClassRef | None = None
    type: Type | None = None
    tag: Tag | None = None
    limit: Limit = 20
    cursor: Cursor = None


@tool(effect=Effect.READ, toolset="notes")
async def list_notes(ctx: ToolContext, args: ListNotes) -> NoteList:
    """List the user's notes, newest first, or find those that hold some words. get_note reads one."""
    target = await ctx.db.classes.reachable(args.class_id) if args.class_id else None
    limits: dict[str, Any] = {
        "class_id": target.id if target else None,
        "type": args.type,
        "tag": args.tag,
        "limit": args.limit,
        "cursor": args.cursor,
    }
    page = (
        await ctx.db.notes.found(args.query, **limits) if args.query else await ctx.db.notes.recent(**limits)
    )
    counts = await ctx.db.notes.source_counts(page.items)
    items = [NoteItem.of(row, counts.get(row.id, 0), await making_of(ctx, row)) for row in page.items]
    return NoteList(items=items, next_cursor=page.next_cursor, total=page.total)


class Source(BaseModel):
    number: int = Field(description="What [n] in the text means.")
    passage_id: UUID | None
    material_id: UUID | None = Field(description="Null once the material is gone.")
    label: str = Field(description="Where it stands, in words: page 57, 12:30.")
    quote: str
    locator: Locator
    url: str | None = Field(description="Opens the page's picture, or the recording or video at the second.")

    @classmethod
    def of(cls, row: NoteSource, material: Material | None, file: File | None) -> "Source":
        locator = Locator.model_validate(row.locator)
        return cls(
            number=row.ordinal,
            passage_id=row.chunk_id,
            material_id=row.material_id,
            label=locator.label(),
            quote=row.quote or "",
            locator=locator,
            url=url_of(locator, material, file) if material else None,
        )


def url_of(locator: Locator, material: Material, file: File | None) -> str | None:
    """Where a source can be seen or heard."""
    if locator.page is not None:
        return f"/api/materials/{material.id}/pages/{locator.page}.png"
    return media_url(material.id, file, locator.t_start) or source_url(material.source_url, locator.t_start)


async def sources_of(ctx: ToolContext, row: Note) -> list[Source]:
    rows = await ctx.db.notes.sources(row.id)
    ids = list({source.material_id for source in rows if source.material_id})
    materials = {key: one for key, one in (await ctx.db.materials.by_ids(ids)).items() if not one.deleted_at}
    files = {
        key: await ctx.db.materials.file(one.file_id) if one.file_id else None
        for key, one in materials.items()
    }
    return [
        Source.of(source, materials.get(source.material_id), files.get(source.material_id))
        if source.material_id
        else Source.of(source, None, None)
        for source in rows
    ]


class NoteDetails(NoteItem):
    text: str = Field(description="Markdown. [n] points at the source with this number.")
    next_offset: int | None = Field(description="Give this as `offset` to read on; null at the end.")
    sources: list[Source]


async def details(ctx: ToolContext, row: Note, offset: int = 0) -> NoteDetails:
    sources = await sources_of(ctx, row)
    item = NoteItem.of(row, len(sources), await making_of(ctx, row))
    end = offset + TEXT_BUDGET
    return NoteDetails(
        **item.model_dump(),
        text=row.text[offset:end],
        next_offset=end if end < len(row.text) else None,
        sources=sources,
    )


class GetNote(Input):
    note_id: NoteRef
    offset: int = Field(default=0, ge=0, description="Character to begin at, of a very long note.")


@tool(effect=Effect.READ, toolset="notes")
async def get_note(ctx: ToolContext, args: GetNote) -> NoteDetails:
    """Read a note with its sources: each says where it stands, and opens the page or jumps to the second."""
    return await details(ctx, await ctx.db.notes.resolve(args.note_id), args.offset)


class CreateNote(Input):
    title: Title
    text: Text = ""
    class_id: ClassRef | None = None
    type: Type = "note"
    tags: Tags = Field(default_factory=list)
    passage_ids: Passages = Field(default_factory=list)
    shared_with_class: Shared = False


@tool(effect=Effect.WRITE, toolset="notes")
async def create_note(ctx: ToolContext, args: CreateNote) -> NoteDetails:
    """Write a note, in Markdown. Passages that it is based on become its sources 1, 2, … in the order given."""
    target = await ctx.db.classes.reachable(args.class_id) if args.class_id else None
    now = ctx.now()
    row = Note(
        id=ctx.new_id(),
        user_id=ctx.principal.user_id,
        class_id=target.id if target else None,
        created_at=now,
        updated_at=now,
        parameters={},
        model=None,
        quality_score=None,
        language=None,
        **args.model_dump(include={"title", "text", "type", "shared_with_class"}),
        tags=distinct(args.tags),
    )
    needs_class(row)
    await ctx.db.notes.add(row)
    await add_sources(ctx, row, args.passage_ids, after=0)
    return await details(ctx, row)


def distinct(tags: Sequence[str]) -> list[str]:
    return list(dict.fromkeys(tags))


def needs_class(row: Note) -> None:
    if row.shared_with_class and row.class_id is None:
        raise InvalidInput("A note is shared with a class: say which, by class_id.", code="class_missing")


async def add_sources(ctx: ToolContext, row: Note, passage_ids: Sequence[str], after: int) -> None:
    """Passages of the user's material as the note's next sources. Raises NotFound for one that is not there."""
    ids = [as_uuid(text) for text in dict.fromkeys(passage_ids)]
    chunks = await ctx.db.materials.chunks([one for one in ids if one is not None])
    if len(chunks) < len(ids):
        raise NotFound(
            "One of these passages does not exist any more. Search again.", code="passage_not_found"
        )
    found = [chunks[one] for one in ids if one is not None]
    materials = await ctx.db.materials.by_ids([chunk.material_id for chunk in found])
    segments = await ctx.db.materials.segments_at([(chunk.material_id, chunk.segment) for chunk in found])
    await ctx.db.notes.add_sources(
        [
            NoteSource(
                id=ctx.new_id(),
                user_id=row.user_id,
                note_id=row.id,
                ordinal=ordinal,
                material_id=chunk.material_id,
                chunk_id=chunk.id,
                quote=chunk.text,
                locator=locate(
                    materials[chunk.material_id],
                    segments[chunk.material_id, chunk.segment],
                    chunk.char_start,
                    chunk.char_end,
                    chunk.heading_path,
                ).model_dump(mode="json"),
            )
            for ordinal, chunk in enumerate(found, after + 1)
        ]
    )


class UpdateNote(Input):
    note_id: NoteRef
    title: Title | None = None
    text: Text | None = Field(
        default=None, description="Takes the place of the whole text. Sources are kept."
    )
    append: Text | None = Field(default=None, description="Is added at the end.")
    class_id: ClassRef | None = Field(default=None, description="Move it to this class; null takes it out.")
    type: Type | None = None
    tags: Tags | None = None
    passage_ids: Passages | None = Field(
        default=None, description="Further passages, as the next sources after those it has."
    )
    shared_with_class: Shared | None = None


NEEDED = ("title", "text", "append", "type", "tags", "passage_ids", "shared_with_class")


@tool(effect=Effect.WRITE, toolset="notes")
async def update_note(ctx: ToolContext, args: UpdateNote) -> NoteDetails:
    """Change a note: replace its text or append to it, retitle, tag, move or share it. Only what is given changes."""
    changes = args.model_dump(exclude={"note_id"}, exclude_unset=True)
    if not changes:
        raise InvalidInput(
            "Nothing to change: give at least one of text, append, title, …", code="no_changes"
        )
    if missing := [name for name in NEEDED if changes.get(name, "") is None]:
        raise InvalidInput(f"{missing[0]} cannot be null.", code="invalid_arguments")
    found = await ctx.db.notes.resolve(args.note_id)
    row = await ctx.db.notes.for_writing(found.id)
    passage_ids = changes.pop("passage_ids", [])
    appended = changes.pop("append", None)
    if changes.get("class_id"):
        changes["class_id"] = (await ctx.db.classes.reachable(changes["class_id"])).id
    if "tags" in changes:
        changes["tags"] = distinct(changes["tags"])
    for name, value in changes.items():
        setattr(row, name, value)
    if appended is not None:
        row.text = f"{row.text.rstrip()}\n\n{appended}".lstrip()
    if len(row.text) > 2 * MOST_TEXT:
        raise InvalidInput("This note would be too long. Begin another one.", code="note_too_long")
    needs_class(row)
    row.updated_at = ctx.now()
    last = max((source.ordinal for source in await ctx.db.notes.sources(row.id)), default=0)
    await add_sources(ctx, row, passage_ids, after=last)
    return await details(ctx, row)


class OneNote(Input):
    note_id: NoteRef


class DeletedNote(BaseModel):
    id: UUID
    title: str


@tool(effect=Effect.DESTROY, toolset="notes")
async def delete_note(ctx: ToolContext, args: OneNote) -> DeletedNote:
    """Delete a note. restore_item brings it back within 30 days."""
    row = await ctx.db.notes.resolve(args.note_id)
    await ctx.db.notes.remove(row)
    return DeletedNote(id=row.id, title=row.title)
