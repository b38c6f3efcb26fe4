"""Rows of cards out of what a person wrote, with evidence; and what an edited note does to its cards."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from storage.errors import InvalidInput, NotFound
from storage.models import Deck, Flashcard
from storage.repositories.base import as_uuid
from tools.actions.card_items import CardText
from tools.context import ToolContext
from tools.scheduling.faces import Face, faces_of, whole_text
from tools.search.places import locate
from tools.study.items import fingerprint
from tools.study.keys import CardType, Choice

LETTERS = "abcdefghij"


@dataclass(frozen=True, slots=True)
class NoteText:
    """A note that is well formed, with the cards to be made of it."""

    type: CardType
    faces: list[Face]
    extra: str | None
    options: list[Choice]
    print: bytes


def note_of(text: CardText, number: int | None = None) -> NoteText:
    """Raises InvalidInput for what does not make a card; with `number` it says which of several."""
    try:
        return _note(text.type, text.front, text.back, text.extra, text.wrong_options)
    except InvalidInput as error:
        if number is None:
            raise
        raise InvalidInput(f"Card {number}: {error}", code=error.code) from error


def _note(type: CardType, front: str, back: str | None, extra: str | None, wrong: Sequence[str]) -> NoteText:
    if type == "cloze":
        if back is not None:
            raise InvalidInput(
                "A cloze has no back: its gaps are the answer. A remark goes into `extra`.",
                code="cloze_with_back",
            )
    elif back is None:
        raise InvalidInput("A card needs a back: the answer.", code="back_missing")
    options = options_of(back or "", wrong) if type == "multiple_choice" else []
    if wrong and type != "multiple_choice":
        raise InvalidInput("Only a multiple choice has options.", code="options_not_allowed")
    faces = faces_of(type, front, back or "")
    return NoteText(type, faces, extra or None, options, print_of(type, front))


def options_of(right: str, wrong: Sequence[str]) -> list[Choice]:
    """The right option and the wrong ones in order of the alphabet, so that places say nothing; they are shuffled when shown."""
    texts = [right, *wrong]
    if not wrong:
        raise InvalidInput("A multiple choice needs at least one wrong option.", code="options_missing")
    if len({text.casefold() for text in texts}) < len(texts):
        raise InvalidInput("Two options are the same.", code="options_repeated")
    return [Choice(id=letter, text=text) for letter, text in zip(LETTERS, sorted(texts), strict=False)]


def print_of(type: str, front: str) -> bytes:
    return fingerprint(whole_text(front) if type == "cloze" else front)


# --- evidence


@dataclass(frozen=True, slots=True)
class Ground:
    """The passages behind a card, as its columns hold them."""

    columns: dict[str, Any]


async def grounds_of(ctx: ToolContext, asked: Sequence[Sequence[str]]) -> list[Ground]:
    """For each list of passage ids the evidence: the first is quoted. Raises NotFound for one that is not there."""
    wanted = list(dict.fromkeys(one for ids in asked for one in ids))
    ids = [as_uuid(text) for text in wanted]
    chunks = await ctx.db.materials.chunks([one for one in ids if one is not None])
    if len(chunks) < len(ids):
        raise NotFound(
            "One of these passages does not exist any more. Search again.", code="passage_not_found"
        )
    materials = await ctx.db.materials.by_ids([chunk.material_id for chunk in chunks.values()])
    segments = await ctx.db.materials.segments_at(
        list({(chunk.material_id, chunk.segment) for chunk in chunks.values()})
    )
    grounds = []
    for passages in asked:
        if not passages:
            grounds.append(Ground({}))
            continue
        first = chunks[UUID(passages[0])]
        material = materials[first.material_id]
        place = segments[first.material_id, first.segment]
        locator = locate(material, place, first.char_start, first.char_end, first.heading_path)
        columns = {
            "source_chunk_ids": [UUID(one) for one in dict.fromkeys(passages)],
            "material_id": material.id,
            "quote": first.text,
            "locator": locator.model_dump(mode="json"),
        }
        grounds.append(Ground(columns))
    return grounds


# --- rows


def rows_of(
    ctx: ToolContext, deck: Deck, note: NoteText, tags: list[str], ground: Ground, ordinal: int
) -> list[Flashcard]:
    """The cards of a note, from this position on."""
    group = ctx.new_id() if note.type in ("reversed", "cloze") else None
    return [
        _row(ctx, deck, note, face, tags, ground.columns, group, ordinal + number)
        for number, face in enumerate(note.faces)
    ]


def _row(
    ctx: ToolContext, deck: Deck, note: NoteText, face: Face, tags: list[str],
    evidence: dict[str, Any], group: UUID | None, ordinal: int,
) -> Flashcard:  # fmt: skip
    now = ctx.now()
    return Flashcard(
        id=ctx.new_id(),
        user_id=deck.user_id,
        deck_id=deck.id,
        ordinal=ordinal,
        type=note.type,
        front=face.front,
        back=face.back,
        gap=face.gap,
        extra=note.extra,
        options=[choice.model_dump() for choice in note.options],
        group_id=group,
        tags=list(tags),
        fingerprint=note.print,
        status="active",
        scheduler="fsrs",
        state="new",
        interval_days=0.0,
        ease_factor=2.5,
        repetitions=0,
        reps=0,
        lapses=0,
        is_leech=False,
        parameters=evidence.get("parameters", {}),
        source_chunk_ids=evidence.get("source_chunk_ids", []),
        material_id=evidence.get("material_id"),
        quote=evidence.get("quote"),
        locator=evidence.get("locator"),
        created_at=now,
        updated_at=now,
    )


# --- edits


@dataclass(frozen=True, slots=True)
class Edit:
    """What is to be changed; None stays."""

    front: str | None
    back: str | None
    extra: str | None
    keeps_extra: bool
    wrong_options: list[str] | None


async def rewrite(ctx: ToolContext, family: list[Flashcard], edit: Edit) -> tuple[list[Flashcard], int, int]:
    """New text for the cards of a note, whose schedules stay. Gives its cards, and how many gaps came and went."""
    card = family[0]
    wrong = edit.wrong_options
    if wrong is None:
        wrong = [one["text"] for one in card.options if one["text"] != card.back]
    back = edit.back if edit.back is not None or card.type == "cloze" else card.back
    extra = card.extra if edit.keeps_extra else edit.extra
    note = _note(card_type(card), edit.front or card.front, back, extra, wrong)
    if card.type == "cloze":
        return await _rewrite_cloze(ctx, family, note)
    faces = {face.gap: face for face in note.faces}
    if card.type == "reversed" and card.gap == 2:  # the other direction was edited
        faces = {1: Face(faces[2].front, faces[2].back, 1), 2: Face(faces[1].front, faces[1].back, 2)}
    for row in family if card.type == "reversed" else [card]:
        if row is card or row.gap in faces:
            put(note, faces.get(row.gap, note.faces[0]), row)
    return family, 0, 0


async def _rewrite_cloze(
    ctx: ToolContext, family: list[Flashcard], note: NoteText
) -> tuple[list[Flashcard], int, int]:
    faces = {face.gap: face for face in note.faces}
    kept = [row for row in family if row.gap in faces]
    gone = [row for row in family if row.gap not in faces]
    for row in kept:
        put(note, faces[row.gap], row)
    there = {row.gap for row in kept}
    made = await added(ctx, family[0], note, [face for gap, face in faces.items() if gap not in there])
    for row in gone:
        row.deleted_at = ctx.now()
    return [*kept, *made], len(made), len(gone)


def put(note: NoteText, face: Face, row: Flashcard) -> None:
    row.front, row.back, row.extra = face.front, face.back, note.extra
    row.options, row.fingerprint = [choice.model_dump() for choice in note.options], note.print


def card_type(card: Flashcard) -> CardType:
    match card.type:
        case "reversed" | "cloze" | "multiple_choice" as type:
            return type
        case _:
            return "basic"


async def added(ctx: ToolContext, card: Flashcard, note: NoteText, faces: Sequence[Face]) -> list[Flashcard]:
    """Cards for new gaps at the end of the deck, with the tags and the evidence of the note."""
    if not faces:
        return []
    card.group_id = card.group_id or ctx.new_id()
    deck = await ctx.db.cards.deck_for_writing(card.deck_id)
    ordinal = await ctx.db.cards.next_ordinal(deck.id)
    names = ("parameters", "source_chunk_ids", "material_id", "quote", "locator")
    evidence = {name: getattr(card, name) for name in names}
    rows = [
        _row(ctx, deck, note, face, card.tags, evidence, card.group_id, ordinal + number)
        for number, face in enumerate(faces)
    ]
    for row in rows:
        row.model, row.quality_score = card.model, card.quality_score
        row.concept_id, row.anki_guid = card.concept_id, card.anki_guid
    await ctx.db.cards.add(rows)
    return rows
