"""Making notes from material: starts the job that does it."""

from dataclasses import asdict, dataclass
from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel, Field

from storage.errors import InvalidInput, NotFound
from storage.locators import clock
from storage.models import Job, Material, Note
from tools.actions.notes import Title
from tools.actions.reading import Time
from tools.context import ToolContext
from tools.fields import MaterialRef
from tools.ingest.passages import seconds_of
from tools.intake import announce_later
from tools.notes.making import MAKE_NOTES, NOTHING_YET
from tools.search.places import unit_of
from tools.spec import Effect, Input, tool


class MakeNotes(Input):
    material_id: MaterialRef
    type: Literal["lecture", "summary", "outline", "cornell"] = Field(
        default="lecture",
        description="lecture: points, definitions, numbers and examples by topic; summary; outline; cornell: with a cue column and questions.",
    )
    first: int | None = Field(
        default=None, ge=1, description="First page, slide or section; the first if left out."
    )
    last: int | None = Field(default=None, ge=1, description="Last one, included; the last if left out.")
    t_start: Time = Field(
        default=None, description='Of a recording: from here on: "12:30", "1:02:03" or seconds.'
    )
    t_end: Time = Field(default=None, description="Until here; the end if left out.")
    title: Title | None = None


class NotesStarted(BaseModel):
    job_id: UUID
    note_id: UUID = Field(description="The note that fills up section by section; read it with get_note.")
    title: str
    message: str


TITLES = {
    "lecture": "Notes on {}",
    "summary": "Summary of {}",
    "outline": "Outline of {}",
    "cornell": "Cornell notes on {}",
}


@tool(effect=Effect.WRITE, toolset="notes")
async def make_notes(ctx: ToolContext, args: MakeNotes) -> NotesStarted:
    """Make notes from a material, best from a recording: every point cites its passage with the page or second.

    A job does it; of material that is still being read or transcribed it begins as soon as that is done.
    """
    material = await ctx.db.materials.resolve(args.material_id)
    if material.status in ("failed", "cancelled") and not material.chunk_count:
        raise InvalidInput(
            f"{material.title!r} was not read, so there is nothing to make notes from. {material.error or ''}".strip(),
            code="material_not_read",
        )
    part = part_of(args, material)
    wanted: dict[str, Any] = {**part.arguments(), "material_id": str(material.id)}
    title = args.title or (TITLES[args.type].format(material.title) + part.words(material))[:300]
    note_id, now = ctx.new_id(), ctx.now()
    job = await ctx.db.jobs.add(
        Job(
            id=ctx.new_id(),
            user_id=ctx.principal.user_id,
            kind=MAKE_NOTES,
            arguments={**wanted, "note_id": str(note_id)},
        )
    )
    row = Note(
        id=note_id,
        user_id=ctx.principal.user_id,
        class_id=material.class_id,
        title=title,
        text=NOTHING_YET,
        type=args.type,
        parameters={**wanted, "job_id": str(job.id)},
        created_at=now,
        updated_at=now,
    )
    await ctx.db.notes.add(row)
    announce_later(ctx, job.id)
    begins = (
        "They fill up section by section."
        if material.chunk_count
        else "The material is still being read; they begin as soon as that is done."
    )
    return NotesStarted(
        job_id=job.id, note_id=row.id, title=title, message=f"The notes are being made. {begins}"
    )


@dataclass(frozen=True, slots=True)
class Part:
    """What of a material the notes are to be about; all of it where nothing is set."""

    first: int | None
    last: int | None
    t_start: float | None
    t_end: float | None

    def arguments(self) -> dict[str, float]:
        return {name: value for name, value in asdict(self).items() if value is not None}

    def words(self, material: Material) -> str:
        """, pages 3 to 9"""
        if self.t_start is not None or self.t_end is not None:
            end = f" to {clock(self.t_end)}" if self.t_end is not None else " on"
            return f", {clock(self.t_start or 0)}{end}"
        if not self.first and not self.last:
            return ""
        first, last = self.first or 1, self.last or material.page_count
        unit = unit_of(material)
        return f", {unit} {first}" if first == last else f", {unit}s {first} to {last or 'the end'}"


def part_of(args: MakeNotes, material: Material) -> Part:
    """Raises InvalidInput for a range that makes no sense, NotFound for one behind the end."""
    part = Part(args.first, args.last, in_seconds(args.t_start), in_seconds(args.t_end))
    if part.first and part.last and part.last < part.first:
        raise InvalidInput("`last` comes before `first`.", code="invalid_range")
    if part.t_end is not None and part.t_end <= (part.t_start or 0):
        raise InvalidInput("`t_end` comes before `t_start`.", code="invalid_range")
    count = material.page_count
    if count and part.first and part.first > count:
        raise NotFound(
            f"There is no {unit_of(material)} {part.first} in {material.title!r} ({count} in all).",
            code="no_such_page",
        )
    has_times = part.t_start is not None or part.t_end is not None
    if has_times and material.chunk_count and material.segment_kind != "span":
        raise InvalidInput(
            f"{material.title!r} is no recording; name {unit_of(material)}s by `first` and `last`.",
            code="invalid_range",
        )
    return part


def in_seconds(time: str | None) -> float | None:
    if time is None:
        return None
    seconds = seconds_of(time)
    if seconds is None:
        raise InvalidInput(f"{time!r} is no time. Write it like 12:30 or 1:02:03.", code="invalid_time")
    return seconds
