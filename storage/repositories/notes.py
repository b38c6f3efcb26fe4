"""Notes and their sources, and the passages of a material that notes are made from."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Double, Select, String, any_, cast, func, literal, select, text, tuple_
from sqlalchemy.dialects.postgresql import REGCONFIG, TSQUERY

from storage.errors import InvalidInput, NotFound
from storage.models import Chunk, MaterialSegment, Note, NoteSource
from storage.repositories.base import Page, Repository, among, as_uuid

STEMS = text(
    "SELECT word, (ts_lexize(CAST(:dictionary AS regdictionary), word))[1] AS stem FROM unnest(CAST(:words AS text[])) word"
)
DICTIONARIES = text("SELECT dictname FROM pg_ts_dict WHERE dictname = :name")


@dataclass(frozen=True, slots=True)
class PassageText:
    """A chunk with where it stands, without the layout of its page."""

    id: UUID
    ordinal: int
    segment: int
    number: int
    """Page, slide, section or span, from 1."""
    type: str
    text: str
    char_start: int
    char_end: int
    heading_path: list[str]
    text_config: str
    t_start: float | None
    """Of the span: its first and last second."""
    t_end: float | None


class NoteRepository(Repository):
    def _mine(self) -> Select[Note]:
        return select(Note).where(Note.user_id == self.user_id, Note.deleted_at.is_(None))

    async def add(self, row: Note, sources: Sequence[NoteSource] = ()) -> Note:
        self.session.add(row)
        await self.session.flush()
        await self.add_sources(sources)
        return row

    async def resolve(self, wanted: str) -> Note:
        """By id, title, or a part of the title. Raises NotFound, or Conflict listing the candidates."""
        return await self.named("note", self._mine(), wanted, Note.id, Note.title)

    async def recent(
        self, *, class_id: UUID | None, type: str | None, tag: str | None, limit: int, cursor: str | None
    ) -> Page[Note]:
        """Newest first."""
        statement = filtered(self._mine(), class_id, type, tag)
        return await self.page(statement, Note.created_at, Note.id, limit=limit, cursor=cursor)

    async def found(
        self,
        query: str,
        *,
        class_id: UUID | None,
        type: str | None,
        tag: str | None,
        limit: int,
        cursor: str | None,
    ) -> Page[Note]:
        """Notes with any of the query's words, best first by ts_rank. Each is asked in its own language.

        Raises InvalidInput for a cursor that this list did not give.
        """
        mine = filtered(self._mine(), class_id, type, tag).subquery()
        configs = select(mine.c.text_config.label("config")).distinct().subquery()
        words = func.plainto_tsquery(cast(configs.c.config, REGCONFIG), query)
        any_word = cast(func.replace(cast(words, String), " & ", " | "), TSQUERY)
        asked = select(configs.c.config, any_word.label("words")).subquery()
        rank = cast(func.ts_rank(Note.lexemes, asked.c.words), Double)
        matching = (
            select(Note, rank.label("rank"))
            .join(mine, mine.c.id == Note.id)
            .join(asked, asked.c.config == Note.text_config)
            .where(Note.lexemes.bool_op("@@")(asked.c.words))
        )
        total = await self.session.scalar(select(func.count()).select_from(matching.subquery()))
        if cursor is not None:
            matching = matching.where(tuple_(rank, Note.id) < tuple_(*rank_cursor(cursor)))
        rows = (
            await self.session.execute(matching.order_by(rank.desc(), Note.id.desc()).limit(limit + 1))
        ).all()
        more = len(rows) > limit
        following = f"{rows[limit - 1].rank!r}_{rows[limit - 1].Note.id}" if more else None
        return Page([row.Note for row in rows[:limit]], following, total or 0)

    async def remove(self, row: Note) -> None:
        """Into the bin."""
        row.deleted_at = self.clock.now()
        await self.session.flush()

    async def for_writing(self, note_id: UUID) -> Note:
        """The note, locked until the end of the transaction. Raises NotFound when it was deleted."""
        found = self._mine().where(Note.id == note_id).with_for_update()
        row: Note | None = await self.session.scalar(found.execution_options(populate_existing=True))
        if row is None:
            raise NotFound("This note was deleted.", code="note_not_found")
        return row

    # --- sources

    async def add_sources(self, rows: Sequence[NoteSource]) -> None:
        self.session.add_all(rows)
        await self.session.flush()

    async def sources(self, note_id: UUID) -> Sequence[NoteSource]:
        """In the order of their numbers."""
        found = select(NoteSource).where(NoteSource.note_id == note_id, NoteSource.user_id == self.user_id)
        return (await self.session.scalars(found.order_by(NoteSource.ordinal))).all()

    async def source_counts(self, notes: Sequence[Note]) -> dict[UUID, int]:
        """Sources per note id."""
        ids = [row.id for row in notes]
        counted = select(NoteSource.note_id, func.count()).where(
            among_notes(ids), NoteSource.user_id == self.user_id
        )
        return {row[0]: row[1] for row in await self.session.execute(counted.group_by(NoteSource.note_id))}

    # --- what notes are made from

    async def passages(
        self, material_id: UUID, *, segments: tuple[int | None, int | None] = (None, None),
        seconds: tuple[float | None, float | None] = (None, None),
    ) -> list[PassageText]:  # fmt: skip
        """Chunks of a material in order; only those in segments numbered first..last, or spans that touch these seconds."""
        found = (
            select(
                Chunk.id,
                Chunk.ordinal,
                Chunk.segment,
                MaterialSegment.number,
                Chunk.type,
                Chunk.text,
                Chunk.char_start,
                Chunk.char_end,
                Chunk.heading_path,
                Chunk.text_config,
                MaterialSegment.t_start,
                MaterialSegment.t_end,
            )
            .join(
                MaterialSegment,
                (MaterialSegment.material_id == Chunk.material_id)
                & (MaterialSegment.ordinal == Chunk.segment)
                & ~MaterialSegment.staged,
            )
            .where(Chunk.material_id == material_id, Chunk.user_id == self.user_id)
        )
        limits: list[ColumnElement[bool]] = []
        if segments[0] is not None:
            limits.append(MaterialSegment.number >= segments[0])
        if segments[1] is not None:
            limits.append(MaterialSegment.number <= segments[1])
        if seconds[0] is not None:
            limits.append(MaterialSegment.t_end > seconds[0])
        if seconds[1] is not None:
            limits.append(MaterialSegment.t_start < seconds[1])
        rows = await self.session.execute(found.where(*limits).order_by(Chunk.ordinal))
        return [PassageText(**row._mapping) for row in rows]

    async def stems(self, words: Sequence[str], config: str) -> dict[str, str | None]:
        """Word → its stem in a language's text search configuration; None for a stop word."""
        name = f"{config}_stem"
        known = await self.session.scalar(DICTIONARIES, {"name": name})
        rows = await self.session.execute(STEMS, {"dictionary": known or "simple", "words": list(words)})
        return {row.word: row.stem for row in rows}


def among_notes(ids: Sequence[UUID]) -> ColumnElement[bool]:
    return among(NoteSource.note_id, ids)


def filtered(statement: Select[Any], class_id: UUID | None, type: str | None, tag: str | None) -> Select[Any]:
    if class_id is not None:
        statement = statement.where(Note.class_id == class_id)
    if type is not None:
        statement = statement.where(Note.type == type)
    if tag is not None:
        statement = statement.where(literal(tag) == any_(Note.tags))
    return statement


def rank_cursor(cursor: str) -> tuple[float, UUID]:
    rank, _, key = cursor.partition("_")
    note_id = as_uuid(key)
    try:
        number = float(rank)
    except ValueError:
        note_id = None
        number = 0.0
    if note_id is None:
        raise InvalidInput("This cursor is not one that the list gave.", code="invalid_cursor")
    return number, note_id
