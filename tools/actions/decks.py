"""Decks from and for other programs: starts the jobs that read and write Anki packages, CSV and Quizlet text."""

from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, Field, StringConstraints, model_validator

from storage.errors import InvalidInput, NotFound
from storage.life.retention import EXPORT_LIFE
from storage.models import Export, File, Job
from storage.repositories import Repositories
from tools.actions.adding import as_id, decoded
from tools.context import ToolContext
from tools.exchange.exporting import EXPORT_DECK
from tools.exchange.importing import IMPORT_DECK
from tools.exchange.intake import keep_file, known_format
from tools.exchange.separators import separator_of
from tools.fields import ClassRef, DeckRef
from tools.intake import announce_later, uploaded_file
from tools.spec import Effect, Input, tool

Separator = Annotated[str, StringConstraints(strip_whitespace=False, min_length=1, max_length=20)]
LONGEST_TEXT = 4_000_000
"""Characters of pasted cards; more comes as a file."""


class ImportDeck(Input):
    upload_id: str | None = Field(
        default=None, max_length=36, description="The id of a file that was sent to /api/uploads/tus."
    )
    filename: str | None = Field(
        default=None, max_length=255, description="With content_base64: the file's name, such as bio.apkg."
    )
    content_base64: str | None = Field(
        default=None, description="A small file (at most 8 MB), base64 without line breaks."
    )
    text: Annotated[str, StringConstraints(strip_whitespace=False, max_length=LONGEST_TEXT)] | None = Field(
        default=None,
        description="Cards as text: CSV with quotes, or Quizlet's lines of term, tab, definition.",
    )
    format: Literal["auto", "apkg", "csv", "quizlet"] = Field(
        default="auto", description="Found out from the content when left out. apkg also means .colpkg."
    )
    separator: Separator | None = Field(
        default=None,
        description="Of text: between term and definition. tab, comma, semicolon or any characters; found out when left out.",
    )
    card_separator: Separator | None = Field(
        default=None,
        description="Of Quizlet text: between cards. newline (the default), semicolon or any characters.",
    )
    class_id: ClassRef | None = None
    title: str | None = Field(
        default=None,
        min_length=1,
        max_length=300,
        description="Of the deck; its own or the file's name when left out.",
    )
    deck_id: DeckRef | None = Field(
        default=None, description="Put all cards into this deck of the user's: its id or its title."
    )
    update: bool = Field(
        default=True,
        description="Cards that are there already get the newer text and the reviews that are missing; else they stay as they are. Never doubled.",
    )

    @model_validator(mode="after")
    def one_source(self) -> "ImportDeck":
        if sum(part is not None for part in (self.upload_id, self.content_base64, self.text)) != 1:
            raise ValueError("give one of upload_id, content_base64 with filename, or text")
        if self.content_base64 is not None and not self.filename:
            raise ValueError("content_base64 needs a filename")
        if self.text is not None and self.format == "apkg":
            raise ValueError("an Anki package is a file: give upload_id or content_base64")
        return self


class ImportStarted(BaseModel):
    job_id: UUID = Field(
        description="The job that reads it; follow it with get_job. Its result counts decks, cards, reviews, media and what was left out."
    )
    format: Literal["apkg", "csv", "quizlet"]
    message: str


@tool(effect=Effect.WRITE, toolset="flashcards", own_transaction=True)
async def import_deck(ctx: ToolContext, args: ImportDeck) -> ImportStarted:
    """Import flashcards: an Anki package (.apkg, .colpkg) with pictures, sounds, formulas, due dates and review history; a
    CSV or TSV table; or text as Quizlet exports it. Importing the same package again updates it and doubles nothing.

    Answers at once with a job. Give a file of up to 8 MB as base64, a larger one by upload_id, pasted cards as text.
    """
    separators = [separator_of(one) if one else None for one in (args.separator, args.card_separator)]
    if args.upload_id is not None:
        async with ctx.storage.as_user(ctx.principal.user_id) as db:
            return await _queued(ctx, db, args, await _uploaded(db, args.upload_id), separators)
    async with ctx.storage.as_user(ctx.principal.user_id, read_only=True) as db:
        await _targets(db, args)
    data = args.text.encode() if args.text is not None else decoded(args.content_base64 or "")
    if not data.strip():
        raise InvalidInput("There are no cards in this: it is empty.", code="empty_file")
    file = await keep_file(ctx, args.filename or "cards.txt", data)
    try:
        async with ctx.storage.as_user(ctx.principal.user_id) as db:
            return await _queued(ctx, db, args, await db.exchange.add_file(file), separators)
    except BaseException:
        await ctx.storage.files.delete(file.object_key)
        raise


async def _uploaded(db: Repositories, upload_id: str) -> File:
    file = await uploaded_file(db, as_id(upload_id))
    if file is None:
        raise NotFound("No such upload. Send the file to /api/uploads/tus first.", code="upload_not_found")
    return file


async def _targets(db: Repositories, args: ImportDeck) -> dict[str, Any]:
    """The deck and class that the cards go to, checked. Raises NotFound, InvalidInput."""
    chosen: dict[str, Any] = {}
    if args.class_id is not None:
        chosen["class_id"] = str((await db.classes.resolve(args.class_id)).id)
    if args.deck_id is not None:
        chosen["deck_id"] = str((await db.cards.resolve_deck(args.deck_id)).id)
    return chosen


async def _queued(
    ctx: ToolContext, db: Repositories, args: ImportDeck, file: File, separators: list[str | None]
) -> ImportStarted:
    found = await known_format(ctx.storage, file, args.format)
    wanted: dict[str, Any] = {
        "file_id": str(file.id),
        "format": found,
        "separator": separators[0],
        "card_separator": separators[1],
        "title": args.title,
        "update": args.update,
        "keep_file": await db.exchange.is_material(file.id),
        **await _targets(db, args),
    }
    job = await db.jobs.add(
        Job(id=ctx.new_id(), user_id=ctx.principal.user_id, kind=IMPORT_DECK, arguments=wanted)
    )
    announce_later(ctx, job.id)
    return ImportStarted(
        job_id=job.id, format=found, message="The cards are being imported; get_job says how far it is."
    )


class ExportDeck(Input):
    deck_id: DeckRef
    format: Literal["apkg", "csv", "txt", "json"] = Field(
        default="apkg",
        description="apkg for Anki; csv for tables; txt for Quizlet; json for programs, with everything.",
    )
    with_history: bool = Field(
        default=True,
        description="With due dates, memory state and reviews (apkg and json); else as new cards.",
    )


class DeckExportStarted(BaseModel):
    export_id: UUID
    job_id: UUID = Field(description="The job that makes it; follow it with get_job.")
    deck_id: UUID
    title: str
    format: str
    download_url: str = Field(
        description="Where the file can be fetched once the job has succeeded, for seven days."
    )


@tool(effect=Effect.WRITE, toolset="flashcards")
async def export_deck(ctx: ToolContext, args: ExportDeck) -> DeckExportStarted:
    """Export a deck to Anki (.apkg with pictures, formulas, sources, due dates and review history), CSV, Quizlet text or
    JSON. A job makes the file; it can be fetched from download_url as soon as the job has succeeded."""
    deck = await ctx.db.cards.resolve_deck(args.deck_id)
    export_id = ctx.new_id()
    job = await ctx.db.jobs.add(
        Job(
            id=ctx.new_id(),
            user_id=ctx.principal.user_id,
            kind=EXPORT_DECK,
            arguments={"export_id": str(export_id)},
        )
    )
    await ctx.db.exports.add(
        Export(
            id=export_id,
            user_id=ctx.principal.user_id,
            kind="deck",
            deck_id=deck.id,
            format=args.format,
            options={"with_history": args.with_history},
            job_id=job.id,
            expires_at=ctx.now() + EXPORT_LIFE,
        )
    )
    announce_later(ctx, job.id)
    return DeckExportStarted(
        export_id=export_id,
        job_id=job.id,
        deck_id=deck.id,
        title=deck.title,
        format=args.format,
        download_url=f"/api/exports/{export_id}/download",
    )
