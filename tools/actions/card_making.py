"""Making flashcards from material: starts the job that does it."""

from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, Field

from storage.models import Deck
from tools.context import ToolContext
from tools.fields import DeckRef
from tools.spec import Effect, tool
from tools.study.keys import CardType
from tools.study.request import (
    ItemsRequest,
    Started,
    scope_of,
    start_job,
    weights_of,
    wrong_as_json,
    wrong_of,
)
from tools.study.target import GENERATE_FLASHCARDS

USUAL = {"basic": 60.0, "cloze": 40.0}
"""Types of cards when none is named, in per cent."""

Share = Annotated[float, Field(gt=0, le=1000)]


class GenerateFlashcards(ItemsRequest):
    deck_id: DeckRef | None = Field(
        default=None, description="Add to this deck of the user; else a new one is made."
    )
    types: list[CardType] | None = Field(
        default=None,
        min_length=1,
        max_length=4,
        description="Only these types of card. Left out: basic and cloze.",
    )
    type_weights: dict[CardType, Share] | None = Field(
        default=None,
        min_length=1,
        description='Instead of `types`: how many of each in proportion, e.g. {"basic": 2, "cloze": 1}.',
    )


class CardsStarted(BaseModel):
    job_id: UUID
    deck_id: UUID = Field(description="The deck that fills up card by card; read it with get_deck.")
    title: str
    class_id: UUID | None = Field(description="Its class; null when the material is of several.")
    count: int = Field(description="Cards that were asked for.")
    materials: list[str] = Field(description="Titles of the materials that the cards come from.")
    part: str | None = Field(description="What part of them, in words; null for all, or when not known yet.")
    message: str


@tool(effect=Effect.WRITE, toolset="flashcards")
async def generate_flashcards(ctx: ToolContext, args: GenerateFlashcards) -> CardsStarted:
    """Make flashcards from the user's material; every card cites the passage that supports it.

    A job makes them card by card, in a new deck or in one that the user has; they can be reviewed while more follow.
    """
    types = weights_of(args.types, args.type_weights, USUAL)
    deck = await ctx.db.making.deck_named(args.deck_id) if args.deck_id else None
    wrong = await wrong_of(ctx, args) if args.from_wrong_answers else []
    origins = {one.material_id for one in wrong if one.material_id is not None}
    scope = await scope_of(
        ctx, args, origins=list(origins), home=deck.class_id if deck and not args.class_id else None
    )
    deck_id = deck.id if deck else ctx.new_id()
    started = await start_job(
        ctx,
        args,
        GENERATE_FLASHCARDS,
        scope,
        target={"deck_id": str(deck_id)},
        types=types,
        ask={"wrong": wrong_as_json(wrong)},
    )
    making = {"job_id": str(started.job.id), "total": started.count, "complete": False}
    if deck is None:
        deck = await new_deck(ctx, args, deck_id, started)
    deck.parameters = deck.parameters | making
    return CardsStarted(
        job_id=started.job.id,
        deck_id=deck_id,
        title=deck.title,
        class_id=deck.class_id,
        count=started.count,
        materials=[one.title for one in started.materials],
        part=started.part,
        message=started.message("card"),
    )


async def new_deck(ctx: ToolContext, args: GenerateFlashcards, deck_id: UUID, started: Started) -> Deck:
    now = ctx.now()
    row = Deck(
        id=deck_id,
        user_id=ctx.principal.user_id,
        class_id=started.class_id,
        title=args.title or started.title("Cards"),
        source="generated",
        rejected={},
        parameters={},
        shared_with_class=args.shared_with_class,
        created_at=now,
        updated_at=now,
    )
    await ctx.db.making.add([row])
    return row
