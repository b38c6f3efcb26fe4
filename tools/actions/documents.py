"""Documents made from material: make, list, read, take away and delete. The job that makes them is in tools/documents."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, Field, TypeAdapter

from storage.errors import Conflict, InvalidInput, NotFound
from storage.models import Document, Job
from tools.actions.notes import Title
from tools.actions.test_making import GenerateTest, TestStarted, generate_test
from tools.context import ToolContext
from tools.documents.content import (
    CITATIONS,
    Citation,
    Content,
    Depth,
    DocumentFormat,
    DocumentKind,
    Options,
    Paper,
    content_of,
)
from tools.documents.making import MAKE_DOCUMENT
from tools.documents.rendering.stored import filename_of
from tools.documents.wanted import Wish, chosen_options, needs_new_test, title_for
from tools.fields import ClassRef, Cursor, DocumentRef, Limit, MaterialRef, TestRef
from tools.intake import announce_later
from tools.spec import Effect, Input, tool
from tools.study.keys import Difficulty, QuestionType

KIND: TypeAdapter[DocumentKind] = TypeAdapter(DocumentKind)
TEXT_BUDGET = 60_000
"""Characters that one call of get_document returns at most."""
CITATION_BUDGET = 400
"""Citations that one call returns at most; the download has all."""

Version = Annotated[int | None, Field(ge=1, description="An earlier version; the newest if left out.")]


class GenerateDocument(Input):
    kind: DocumentKind | None = Field(
        default=None,
        description="cheat_sheet: fits one or two pages; study_guide; summary; past_paper_answers: an old exam answered from"
        " the material; quiz_sheet: questions to print, with the key. May be left out with document_id.",
    )
    material_id: MaterialRef | None = Field(
        default=None, description="One material it is about; of past_paper_answers the past paper."
    )
    material_ids: list[MaterialRef] | None = Field(
        default=None,
        max_length=20,
        description="Several materials; of past_paper_answers those to answer from.",
    )
    class_id: ClassRef | None = Field(
        default=None, description="Everything in a class, if no material is named."
    )
    document_id: DocumentRef | None = Field(
        default=None, description="Make a new version of this document; what is left out stays as it was."
    )
    test_id: TestRef | None = Field(
        default=None, description="Of a quiz_sheet: print this test instead of new questions."
    )
    topic: str | None = Field(
        default=None, min_length=1, max_length=300, description="Only this: a chapter, section or subject."
    )
    first: int | None = Field(default=None, ge=1, description="First page, slide or section of one material.")
    last: int | None = Field(default=None, ge=1, description="Last one, included.")
    pages: int | None = Field(default=None, ge=1, le=2, description="Of a cheat_sheet: pages it must fit; 1.")
    paper: Paper | None = Field(default=None, description="a4 or letter.")
    columns: int | None = Field(default=None, ge=1, le=3, description="Of a cheat_sheet: columns; 2.")
    depth: Depth | None = Field(default=None, description="How much of each section; normal.")
    count: int | None = Field(default=None, ge=1, le=100, description="Of a quiz_sheet: questions; 10.")
    types: list[QuestionType] | None = Field(
        default=None, max_length=7, description="Of a quiz_sheet: types of questions; all if left out."
    )
    difficulty: Difficulty | None = Field(default=None, description="Of a quiz_sheet's new questions.")
    seed: int | None = Field(
        default=None, ge=0, le=2**31 - 1, description="Repeats a shuffle and a choice of questions."
    )
    title: Title | None = None
    shared_with_class: bool | None = Field(
        default=None, description="Whether the members of its class may read it."
    )


class DocumentStarted(BaseModel):
    job_id: UUID
    document_id: UUID = Field(description="Fills up section by section; read it with get_document.")
    title: str
    kind: DocumentKind
    version: int
    message: str


@tool(effect=Effect.WRITE, toolset="documents")
async def generate_document(ctx: ToolContext, args: GenerateDocument) -> DocumentStarted:
    """Make a cheat sheet, study guide, summary, quiz sheet or answers to a past paper from the user's material, each
    statement with its page. A job does it; export_document gives it as PDF, Word, Markdown or a web page."""
    old = await ctx.db.documents.resolve(args.document_id) if args.document_id else None
    if old is not None:
        old = await ctx.db.documents.newest_for_writing(old.lineage_id)
    kind: DocumentKind | None = args.kind or (KIND.validate_python(old.kind) if old else None)
    if kind is None:
        raise InvalidInput("Say which kind of document, or which one to make anew.", code="kind_missing")
    if old is not None and old.kind != kind:
        raise InvalidInput(
            f"{old.title!r} is a {old.kind}; a new version is of the same kind.", code="kind_differs"
        )
    if old is not None and old.status == "generating":
        await _refuse_while_made(ctx, old)
    wish = Wish(**args.model_dump(exclude={"kind", "document_id", "title", "shared_with_class"}))
    before = Options.model_validate(old.options) if old else None
    if kind == "quiz_sheet" and needs_new_test(wish, before):
        wish.test_id = await _new_test(ctx, args, before)
    scope = await chosen_options(ctx.storage, ctx.db, kind, wish, before, old.class_id if old else None)
    shared = (
        args.shared_with_class if args.shared_with_class is not None else bool(old and old.shared_with_class)
    )
    if shared and scope.class_id is None:
        raise InvalidInput("A document is shared with a class: say which, by class_id.", code="class_missing")
    row, job = _rows(ctx, kind, scope.options, old)
    row.class_id, row.material_id, row.shared_with_class = scope.class_id, scope.material_id, shared
    row.title = args.title or (old.title if old else title_for(kind, scope))
    row.content = Content(
        kind=kind, title=row.title, subtitle=scope.about if args.title or scope.material_id is None else ""
    ).model_dump(mode="json")
    if old is not None:
        await ctx.db.documents.supersede(old)
    await ctx.db.jobs.add(job)
    await ctx.db.documents.add(row)
    announce_later(ctx, job.id)
    return DocumentStarted(
        job_id=job.id,
        document_id=row.id,
        title=row.title,
        kind=kind,
        version=row.version,
        message=f"{row.title} is being made, section by section."
        + (f" Version {old.version} stays readable." if old else ""),
    )


async def _new_test(ctx: ToolContext, args: GenerateDocument, before: Options | None) -> str:
    """A test with the questions of the sheet, which can also be taken; its job comes first. Gives its id."""
    said = args.model_dump(include={"class_id", "topic", "first", "last", "types", "difficulty", "count"})
    asked = {name: value for name, value in said.items() if value is not None}
    named = [*([args.material_id] if args.material_id else []), *(args.material_ids or [])]
    if named:
        asked["material_ids"] = named
    elif before is not None and before.test_id and not args.class_id:
        asked["like_test_id"] = str(before.test_id)
        asked = {name: asked[name] for name in ("like_test_id", "types", "difficulty") if name in asked}
    if args.title:
        asked["title"] = args.title
    test = await generate_test.handler(ctx, GenerateTest.model_validate(asked))
    return str(TestStarted.model_validate(test).test_id)


async def _refuse_while_made(ctx: ToolContext, row: Document) -> None:
    making = await making_of(ctx, row)
    if making is not None and making.status in ("queued", "running"):
        raise Conflict(
            f"{row.title!r} is still being made (job {making.job_id}). Wait for it or cancel it first.",
            code="document_in_the_making",
        )


def _rows(ctx: ToolContext, kind: str, options: Options, old: Document | None) -> tuple[Document, Job]:
    """The document and its job, bare."""
    document_id, job_id, now = ctx.new_id(), ctx.new_id(), ctx.now()
    job = Job(
        id=job_id,
        user_id=ctx.principal.user_id,
        kind=MAKE_DOCUMENT,
        arguments={"document_id": str(document_id)},
    )
    row = Document(
        id=document_id,
        user_id=ctx.principal.user_id,
        kind=kind,
        lineage_id=old.lineage_id if old else document_id,
        version=old.version + 1 if old else 1,
        status="generating",
        text="",
        citations=[],
        options=options.model_dump(mode="json"),
        parameters={"job_id": str(job_id)},
        created_at=now,
        updated_at=now,
    )
    return row, job


class DocumentMaking(BaseModel):
    """How far a job is with a document."""

    job_id: UUID
    status: str
    done: int = Field(description="Parts that are there.")
    total: int | None
    message: str | None


class DocumentItem(BaseModel):
    id: UUID
    class_id: UUID | None
    material_id: UUID | None
    title: str
    kind: DocumentKind
    version: int
    status: str = Field(description="generating, ready or failed. What is there can be read in any case.")
    model: str | None = Field(description="What made it: builtin or provider:name.")
    quality_score: float | None = Field(description="Share of the written points that their sources support.")
    page_count: int | None = Field(description="Of the PDF.")
    word_count: int | None
    shared_with_class: bool
    is_own: bool
    created_at: datetime
    updated_at: datetime
    making: DocumentMaking | None = Field(description="While it is unfinished: the job that makes it.")


async def making_of(ctx: ToolContext, row: Document) -> DocumentMaking | None:
    """The job behind an unfinished document, until it is forgotten."""
    job_id = row.parameters.get("job_id")
    if row.status == "ready" or job_id is None or row.user_id != ctx.principal.user_id:
        return None
    try:
        job = await ctx.db.jobs.get(job_id)
    except NotFound:
        return None
    return DocumentMaking(
        job_id=job.id,
        status=job.status,
        done=row.parameters.get("parts_done", 0),
        total=row.parameters.get("parts_total"),
        message=job.error or job.progress_message,
    )


async def item_of(ctx: ToolContext, row: Document) -> DocumentItem:
    made: dict[str, Any] = {
        "making": await making_of(ctx, row),
        "is_own": row.user_id == ctx.principal.user_id,
    }
    fields = {name: getattr(row, name) for name in DocumentItem.model_fields if name not in made}
    return DocumentItem(**fields, **made)


class ListDocuments(Input):
    class_id: ClassRef | None = None
    kind: DocumentKind | None = None
    limit: Limit = 20
    cursor: Cursor = None


class DocumentList(BaseModel):
    items: list[DocumentItem]
    next_cursor: str | None
    total: int


@tool(effect=Effect.READ, toolset="documents")
async def list_documents(ctx: ToolContext, args: ListDocuments) -> DocumentList:
    """List the user's documents, newest first; of a class also what its members share. get_document reads one."""
    target = await ctx.db.classes.reachable(args.class_id) if args.class_id else None
    page = await ctx.db.documents.recent(
        class_id=target.id if target else None, kind=args.kind, limit=args.limit, cursor=args.cursor
    )
    items = [await item_of(ctx, row) for row in page.items]
    return DocumentList(items=items, next_cursor=page.next_cursor, total=page.total)


class DocumentVersion(BaseModel):
    document_id: UUID
    version: int
    status: str
    created_at: datetime


class DocumentDetails(DocumentItem):
    text: str = Field(description="Markdown. [n] points at the citation with this number.")
    next_offset: int | None = Field(description="Give this as `offset` to read on; null at the end.")
    citations: list[Citation] = Field(description="Those of the text returned, as far as it cites them.")
    options: Options
    versions: list[DocumentVersion] = Field(description="Newest first, this one included.")
    downloads: dict[str, str] = Field(description="Address of the file by format.")


class GetDocument(Input):
    document_id: DocumentRef
    version: Version = None
    offset: int = Field(default=0, ge=0, description="Character to begin at, of a long document.")


@tool(effect=Effect.READ, toolset="documents")
async def get_document(ctx: ToolContext, args: GetDocument) -> DocumentDetails:
    """Read a document with its citations: each says where it stands, and opens the page or jumps to the second."""
    row = await found(ctx, args.document_id, args.version)
    end = args.offset + TEXT_BUDGET
    text = row.text[args.offset : end]
    cited = [one for one in CITATIONS.validate_python(row.citations) if f"[{one.number}]" in text]
    versions = await ctx.db.documents.versions(row.lineage_id)
    return DocumentDetails(
        **(await item_of(ctx, row)).model_dump(),
        text=text,
        next_offset=end if end < len(row.text) else None,
        citations=cited[:CITATION_BUDGET],
        options=Options.model_validate(row.options),
        versions=[
            DocumentVersion(
                document_id=one.id, version=one.version, status=one.status, created_at=one.created_at
            )
            for one in versions
        ],
        downloads={format: address(row, format) for format in FORMATS},
    )


FORMATS: tuple[DocumentFormat, ...] = ("pdf", "docx", "md", "html", "json")


def address(row: Document, format: str) -> str:
    return f"/api/documents/{row.id}/download?format={format}"


async def found(ctx: ToolContext, wanted: str, version: int | None) -> Document:
    """An own or shared document in the version that is meant."""
    row = await ctx.db.documents.readable(wanted)
    if version is None or version == row.version:
        return row
    return await ctx.db.documents.version(row.lineage_id, version)


class ExportDocument(Input):
    document_id: DocumentRef
    format: DocumentFormat = "pdf"
    version: Version = None


class ExportedDocument(BaseModel):
    document_id: UUID
    title: str
    version: int
    format: DocumentFormat
    filename: str
    download_url: str = Field(description="The file, to be fetched with the same credentials.")
    notice: str | None = Field(description="What the caller should know of this file.")


@tool(effect=Effect.READ, toolset="documents")
async def export_document(ctx: ToolContext, args: ExportDocument) -> ExportedDocument:
    """Give the address of a document as pdf, docx, md, html or json, with its formulas set and its sources listed."""
    row = await found(ctx, args.document_id, args.version)
    if not content_of(row.content, row.kind, row.title).sections:
        raise Conflict(f"Nothing of {row.title!r} is there yet. Ask again soon.", code="document_empty")
    return ExportedDocument(
        document_id=row.id,
        title=row.title,
        version=row.version,
        format=args.format,
        filename=filename_of(row.title, args.format),
        download_url=address(row, args.format),
        notice=None if row.status == "ready" else "It is not finished; the file holds what is there.",
    )


class OneDocument(Input):
    document_id: DocumentRef


class DeletedDocument(BaseModel):
    id: UUID
    title: str
    versions: int


@tool(effect=Effect.DESTROY, toolset="documents")
async def delete_document(ctx: ToolContext, args: OneDocument) -> DeletedDocument:
    """Delete a document with all its versions. restore_item brings it back within 30 days."""
    row = await ctx.db.documents.resolve(args.document_id)
    versions = await ctx.db.documents.versions(row.lineage_id)
    await ctx.db.documents.remove(row)
    return DeletedDocument(id=row.id, title=row.title, versions=len(versions))
