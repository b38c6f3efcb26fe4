"""Reading a material: by page, slide, section or minute, under a heading, or what is said in a span of time."""

from dataclasses import dataclass
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, BeforeValidator, Field

from storage.errors import InvalidInput, NotFound
from storage.locators import clock
from storage.models import Material, MaterialSegment
from storage.repositories import Repositories
from tools.context import ToolContext
from tools.fields import MaterialRef
from tools.ingest.passages import seconds_of
from tools.search.headings import Stretch, section, stretches, titles
from tools.search.places import SpokenSentence, sentences_of, unit_of
from tools.spec import Effect, Input, tool

READ_BUDGET = 20_000
"""Characters of text that one call of read_material returns at most; a third of it for a recording, whose sentences come with
their times."""
MOST_SEGMENTS = 50
HEADINGS_SHOWN = 12

Time = Annotated[
    str | None,
    BeforeValidator(lambda value: str(value) if isinstance(value, int | float) else value),
    Field(default=None, max_length=20),
]


class ReadMaterial(Input):
    material_id: MaterialRef
    first: int = Field(default=1, ge=1, description="First page, slide, section or minute to read, from 1.")
    last: int | None = Field(default=None, ge=1, description="Last one, included. Left out: as much as fits.")
    heading: str | None = Field(
        default=None,
        max_length=300,
        description='Read what stands under this heading instead: its words, or its number like "3.2" or "Chapter 3".',
    )
    t_start: Time = Field(
        default=None,
        description='Of a recording: read what is said from here on: "12:30", "1:02:03" or seconds.',
    )
    t_end: Time = Field(default=None, description="Until here. Left out: as much as fits.")


class ReadSegment(BaseModel):
    number: int
    label: str | None = Field(description="The number printed on the page, when it differs.")
    heading_path: list[str]
    text: str
    t_start: float | None = Field(description="Of a recording: the first and last second.")
    t_end: float | None
    sentences: list[SpokenSentence] = Field(
        default_factory=list, description="Of a recording: each sentence with its time."
    )
    notice: str | None = Field(description="What of it could not be read.")


class ReadResult(BaseModel):
    material_id: UUID
    title: str
    unit: str | None = Field(
        description="page, slide, section or span; a span is about a minute of a recording."
    )
    count: int | None = Field(description="How many of them the material has.")
    heading: str | None = Field(description="The heading that was found, when one was asked for.")
    segments: list[ReadSegment]
    next_first: int | None = Field(description="Give this as `first` to read on; null at the end.")
    notice: str | None = Field(description="What the caller should know about this result.")


@dataclass(frozen=True, slots=True)
class _Part:
    """What is asked for: segments by ordinal, both included, and the characters of the first and last that belong to it."""

    first: int
    last: int
    start: int = 0
    end: int | None = None
    heading: str | None = None
    notice: str | None = None


@tool(effect=Effect.READ, toolset="materials")
async def read_material(ctx: ToolContext, args: ReadMaterial) -> ReadResult:
    """Read the text of a material: by page, slide or section number, under a heading, or from one time of a recording to
    another. Use search_materials to find where something stands."""
    row = await ctx.db.materials.resolve(args.material_id)
    if args.heading:
        part = await _under_heading(ctx.db, row, args.heading)
    elif args.t_start is not None or args.t_end is not None:
        part = await _in_time(ctx.db, row, args.t_start, args.t_end)
    else:
        part = _by_number(row, args.first, args.last)
    most = min(part.last, part.first + MOST_SEGMENTS - 1)
    rows = await ctx.db.materials.segments(row.id, part.first, most)
    if not rows:
        raise _nothing_there(row, part.first + 1)
    segments = fitting(part, list(rows))
    following = part.first + len(segments)
    is_over = following > part.last or following >= (row.page_count or 0)
    return ReadResult(
        material_id=row.id,
        title=row.title,
        unit=row.segment_kind,
        count=row.page_count,
        heading=part.heading,
        segments=segments,
        next_first=None if is_over else following + 1,
        notice=part.notice or (None if is_over else _read_on(row, part, following + 1)),
    )


def _nothing_there(row: Material, number: int) -> NotFound:
    if row.status in ("queued", "processing"):
        return NotFound(f"{row.title!r} is still being read; try again in a moment.", code="not_read_yet")
    return NotFound(
        f"There is no {unit_of(row)} {number} in {row.title!r} ({row.page_count or 0} in all).",
        code="no_such_page",
    )


def _read_on(row: Material, part: _Part, following: int) -> str | None:
    """Of a heading, where the rest stands: the caller cannot know its end."""
    if part.heading is None:
        return None
    return f"{part.heading!r} goes on to {unit_of(row)} {part.last + 1}: read on with first={following} and last={part.last + 1}."


def _by_number(row: Material, first: int, last: int | None) -> _Part:
    if last is not None and last < first:
        raise InvalidInput("`last` comes before `first`.", code="invalid_range")
    count = row.page_count or 0
    notice = None
    if last is not None and first <= count < last:
        notice = f"{row.title!r} has {count} {unit_of(row)}{'s' if count != 1 else ''}; this is what there is of {first} to {last}."
    return _Part(first - 1, (last or first + MOST_SEGMENTS) - 1, notice=notice)


async def _under_heading(db: Repositories, row: Material, wanted: str) -> _Part:
    outline = stretches(await db.places.heading_paths(row.id))
    found = section(wanted, outline)
    if found is None:
        raise NotFound(_other_headings(row, wanted, outline), code="no_such_heading")
    title, first, last = found
    chunks = await db.places.chunks_at(row.id, (first, last))
    begin, end = chunks[first], chunks[last]
    return _Part(begin.segment, end.segment, begin.char_start, end.char_end, heading=title)


def _other_headings(row: Material, wanted: str, outline: list[Stretch]) -> str:
    known = titles(outline)
    if not known:
        return f"{row.title!r} has no headings; read it by {unit_of(row)} or use search_materials."
    more = f" and {len(known) - HEADINGS_SHOWN} more" if len(known) > HEADINGS_SHOWN else ""
    shown = "; ".join(title[:80] for title in known[:HEADINGS_SHOWN])
    return f"No heading of {row.title!r} is like {wanted!r}. Its headings: {shown}{more}."


async def _in_time(db: Repositories, row: Material, t_start: str | None, t_end: str | None) -> _Part:
    if row.segment_kind != "span":
        raise InvalidInput(f"{row.title!r} is no recording: it has no times.", code="no_recording")
    begin = seconds("t_start", t_start) if t_start is not None else 0.0
    end = seconds("t_end", t_end) if t_end is not None else float("inf")
    if end <= begin:
        raise InvalidInput("`t_end` has to come after `t_start`.", code="invalid_range")
    ordinals = await db.places.spoken_between(row.id, begin, end)
    if ordinals is None:
        length = f" It is {clock(round(row.duration_seconds))} long." if row.duration_seconds else ""
        raise NotFound(f"Nothing is said in {row.title!r} at {clock(begin)}.{length}", code="no_such_time")
    first, last = ordinals
    rows = {s.ordinal: s for n in {first, last} for s in await db.materials.segments(row.id, n, n)}
    start = next((s.char_start for s in sentences_of(rows[first]) if s.t_end > begin), 0)
    stop = [s.char_end for s in sentences_of(rows[last]) if s.t_start < end]
    notice = None
    if t_end is not None and row.duration_seconds and end > row.duration_seconds + 1:
        notice = f"{row.title!r} ends at {clock(round(row.duration_seconds))}; this is what there is."
    return _Part(first, last, start, stop[-1] if stop else None, notice=notice)


def seconds(name: str, time: str) -> float:
    """Raises InvalidInput for what is no time."""
    found = seconds_of(time)
    if found is None:
        raise InvalidInput(f"`{name}` is no time: write 12:30, 1:02:03 or seconds.", code="invalid_time")
    return found


def fitting(part: _Part, rows: list[MaterialSegment]) -> list[ReadSegment]:
    """Whole segments within the budget; the first one is cut when it is too long alone."""
    kept: list[ReadSegment] = []
    budget = READ_BUDGET // 3 if rows[0].kind == "span" else READ_BUDGET
    room = budget
    for row in rows:
        start = part.start if row.ordinal == part.first else 0
        end = part.end if row.ordinal == part.last and part.end is not None else len(row.text)
        if kept and end - start > room:
            break
        kept.append(_segment(row, start, end, budget))
        room -= end - start
    return kept


def _segment(row: MaterialSegment, start: int, end: int, budget: int) -> ReadSegment:
    text = row.text[start:end]
    spoken = [s for s in sentences_of(row) if s.char_start < end and s.char_end > start]
    return ReadSegment(
        number=row.number,
        label=row.label if row.kind == "page" else None,
        heading_path=row.heading_path,
        text=text if len(text) <= budget else text[:budget] + " […]",
        t_start=spoken[0].t_start if spoken else row.t_start,
        t_end=spoken[-1].t_end if spoken else row.t_end,
        sentences=spoken,
        notice=row.notice,
    )
