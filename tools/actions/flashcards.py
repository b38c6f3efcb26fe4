"""Cards written by hand: make, change, delete. Reviewing is in `reviewing`, decks in `deck_reading`, making from material in `card_making`."""

from collections.abc import Sequence
from uuid import UUID

from pydantic import BaseModel, Field

from storage.errors import InvalidInput
from storage.models import Deck, Flashcard
from storage.repositories.base import as_uuid
from tools.actions.card_items import CardItem, CardText, Extra, Passages, Side, Tags, Wrong, evidence_of
from tools.actions.card_writing import Edit, grounds_of, note_of, rewrite, rows_of
from tools.actions.notes import distinct
from tools.context import ToolContext
from tools.fields import CardRef, ClassRef, DeckRef
from tools.scheduling.days import ONE_DAY, study_date
from tools.scheduling.deciding import LEECH
from tools.scheduling.state import Schedule, StudySettings, scheduler_named
from tools.spec import Effect, Input, tool
from tools.study.keys import CardType

MOST_CARDS = 100
"""Notes that one call may add."""


class CreateFlashcard(Input):
    deck_id: str = Field(
        min_length=1, max_length=300, description="A deck: its id or its title. A new title makes a new deck."
    )
    class_id: ClassRef | None = Field(default=None, description="The class of a deck that is made anew.")
    type: CardType = "basic"
    front: Side | None = Field(
        default=None,
        description="The question. Of a cloze: the text with its gaps, {{c1::hidden words}} or {{c1::hidden words::hint}}.",
    )
    back: Side | None = Field(
        default=None, description="The answer; of a multiple choice the right option. A cloze needs none."
    )
    extra: Extra | None = None
    wrong_options: list[Wrong] = Field(
        default_factory=list,
        max_length=9,
        description="Of a multiple choice: the options that are not right.",
    )
    tags: Tags = Field(default_factory=list)
    passage_ids: Passages = Field(default_factory=list)
    cards: list[CardText] = Field(
        default_factory=list,
        max_length=MOST_CARDS,
        description="Many at once, instead of front and back. All are made, or none.",
    )


class CreatedCards(BaseModel):
    deck_id: UUID
    deck_title: str
    deck_created: bool
    items: list[CardItem]
    repeated: int = Field(
        description="Cards that the deck had already, with the same front; they were made all the same."
    )


@tool(effect=Effect.WRITE, toolset="flashcards")
async def create_flashcard(ctx: ToolContext, args: CreateFlashcard) -> CreatedCards:
    """Write a card, or up to 100 at once, into a deck; a new title makes the deck.

    Types: basic; reversed (asked both ways); cloze (one card for each {{c1::gap}}); multiple_choice.
    """
    deck, is_new = await deck_for(ctx, args)  # nothing of it stays when a card below is refused
    texts = texts_of(args)
    notes = [note_of(text, number if args.cards else None) for number, text in enumerate(texts, 1)]
    grounds = await grounds_of(ctx, [text.passage_ids for text in texts])
    known = await ctx.db.cards.known_prints(deck.id, [note.print for note in notes])
    ordinal = await ctx.db.cards.next_ordinal(deck.id)
    rows: list[Flashcard] = []
    for note, text, ground in zip(notes, texts, grounds, strict=True):
        rows += rows_of(ctx, deck, note, distinct(text.tags), ground, ordinal + len(rows))
    await ctx.db.cards.add(rows)
    return CreatedCards(
        deck_id=deck.id,
        deck_title=deck.title,
        deck_created=is_new,
        items=await items_of(ctx, rows),
        repeated=sum(note.print in known for note in notes),
    )


def texts_of(args: CreateFlashcard) -> list[CardText]:
    alone = {"type", "front", "back", "extra", "wrong_options", "tags", "passage_ids"}
    if args.cards:
        if args.model_fields_set & alone:
            raise InvalidInput(
                "Give either one card by front and back, or several by `cards`.", code="one_or_many"
            )
        return args.cards
    if args.front is None:
        raise InvalidInput("A card needs a front, and unless it is a cloze a back.", code="front_missing")
    return [CardText(**args.model_dump(include=alone))]


async def deck_for(ctx: ToolContext, args: CreateFlashcard) -> tuple[Deck, bool]:
    """The deck, locked, and whether it was made."""
    deck = await ctx.db.cards.deck_called(args.deck_id)
    if deck is None and as_uuid(args.deck_id) is not None:
        deck = await ctx.db.cards.resolve_deck(args.deck_id)
    if deck is not None:
        return await ctx.db.cards.deck_for_writing(deck.id), False
    home = await ctx.db.classes.reachable(args.class_id) if args.class_id else None
    now = ctx.now()
    row = Deck(
        id=ctx.new_id(),
        user_id=ctx.principal.user_id,
        class_id=home.id if home else None,
        title=args.deck_id,
        source="own",
        parameters={},
        rejected={},
        shared_with_class=False,
        created_at=now,
        updated_at=now,
    )
    return await ctx.db.cards.add_deck(row), True


async def items_of(ctx: ToolContext, rows: Sequence[Flashcard]) -> list[CardItem]:
    evidence = await evidence_of(ctx, rows)
    return [CardItem.of(row, evidence.get(row.id)) for row in rows]


class UpdateFlashcard(Input):
    card_id: CardRef
    front: Side | None = None
    back: Side | None = None
    extra: Extra | None = Field(default=None, description="Null takes it away.")
    wrong_options: list[Wrong] | None = Field(default=None, max_length=9)
    tags: Tags | None = None
    deck_id: DeckRef | None = Field(
        default=None, description="Move it, with the other cards of its note, to this deck."
    )
    suspended: bool | None = Field(default=None, description="True: it is not asked any more until false.")
    buried: bool | None = Field(default=None, description="True: it is not asked again today.")
    reset: bool = Field(default=False, description="True: it is new again; its reviews stay in the history.")
    retired: bool | None = Field(
        default=None, description="False brings back a card that bad ratings retired."
    )


class UpdatedCards(BaseModel):
    items: list[CardItem] = Field(description="The card first, then the others of its note.")
    added: int = Field(description="Cards made for new gaps.")
    removed: int = Field(description="Cards put into the bin because their gap is gone.")


NEEDED = ("front", "back", "wrong_options", "tags", "deck_id", "suspended", "buried", "retired")


@tool(effect=Effect.WRITE, toolset="flashcards")
async def update_flashcard(ctx: ToolContext, args: UpdateFlashcard) -> UpdatedCards:
    """Change a card: its text (the schedule stays), tags, deck; suspend, bury or reset it.

    Text and deck change for all cards of its note. Of a cloze, new gaps add cards and missing ones remove them.
    """
    given = args.model_fields_set - {"card_id"}
    if not given:
        raise InvalidInput(
            "Nothing to change: give at least one of front, back, tags, suspended, …", code="no_changes"
        )
    if missing := [name for name in NEEDED if name in given and getattr(args, name) is None]:
        raise InvalidInput(f"{missing[0]} cannot be null.", code="invalid_arguments")
    found = await ctx.db.cards.resolve(args.card_id)
    # Locked first, so that two changes of one note, which may add cards, come one after the other.
    await ctx.db.cards.deck_for_writing(found.deck_id)
    card = await ctx.db.cards.for_writing(found.id)
    family = [card, *await ctx.db.cards.siblings(card)]
    added = removed = 0
    if given & {"front", "back", "extra", "wrong_options"}:
        edit = Edit(args.front, args.back, args.extra, "extra" not in given, args.wrong_options)
        family, added, removed = await rewrite(ctx, family, edit)
    if args.tags is not None:
        for row in family:
            row.tags = distinct(args.tags)
    if args.deck_id is not None:
        await move(ctx, family, args.deck_id)
    await change_state(ctx, card, args)
    for row in family:
        row.updated_at = ctx.now()
    return UpdatedCards(items=await items_of(ctx, family), added=added, removed=removed)


async def move(ctx: ToolContext, family: Sequence[Flashcard], deck_id: str) -> None:
    deck = await ctx.db.cards.resolve_deck(deck_id)
    if deck.id == family[0].deck_id:
        return
    await ctx.db.cards.deck_for_writing(deck.id)
    ordinal = await ctx.db.cards.next_ordinal(deck.id)
    for number, row in enumerate(family):
        row.deck_id, row.ordinal = deck.id, ordinal + number


async def change_state(ctx: ToolContext, card: Flashcard, args: UpdateFlashcard) -> None:
    now = ctx.now()
    if args.suspended is not None:
        card.suspended_at = (card.suspended_at or now) if args.suspended else None
    if args.buried is not None:
        settings = StudySettings.of(await ctx.db.accounts.me())
        card.buried_until = study_date(now, settings) + ONE_DAY if args.buried else None
    if args.reset:
        Schedule(scheduler=scheduler_named(card.scheduler)).put(card)
        card.buried_until = None
        card.tags = [tag for tag in card.tags if tag != LEECH]
    if args.retired is not None:
        card.status = "retired" if args.retired else "active"


class OneCard(Input):
    card_id: CardRef


class DeletedCard(BaseModel):
    id: UUID
    deck_id: UUID
    front: str


@tool(effect=Effect.DESTROY, toolset="flashcards")
async def delete_flashcard(ctx: ToolContext, args: OneCard) -> DeletedCard:
    """Delete one card; the other cards of its note stay. restore_item brings it back within 30 days."""
    found = await ctx.db.cards.resolve(args.card_id)
    card = await ctx.db.cards.for_writing(found.id)
    card.deleted_at = ctx.now()
    return DeletedCard(id=card.id, deck_id=card.deck_id, front=card.front)
