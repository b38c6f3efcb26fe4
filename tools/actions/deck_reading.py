"""Decks: list, read with figures, change, delete. Their cards are written in `flashcards`; from and for other programs see `decks`."""

from datetime import date, datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, Field

from storage.errors import InvalidInput, NotFound
from storage.models import Deck, Flashcard
from storage.repositories.base import Page
from storage.repositories.cards import cursor_after
from tools.actions.card_items import CardItem, DueCounts, Tag, evidence_of
from tools.actions.due_cards import counts_of
from tools.actions.notes import Making
from tools.context import ToolContext
from tools.fields import ClassRef, Cursor, DeckRef, Limit
from tools.scheduling import fsrs6
from tools.scheduling.days import ONE_DAY, start_of
from tools.scheduling.session import Scope, Study, study
from tools.spec import Effect, Input, tool

Title = Annotated[str, Field(min_length=1, max_length=300)]
FORECAST_DAYS = 30
RETENTION_DAYS = 30
TEXT_BUDGET = 60_000
"""Characters of cards that one page holds at most."""
SETTINGS = ("scheduler", "desired_retention", "new_cards_per_day", "reviews_per_day")


class DeckSettings(BaseModel):
    scheduler: Literal["fsrs", "sm2"]
    desired_retention: float
    new_cards_per_day: int
    reviews_per_day: int
    own: list[str] = Field(
        description="Which of these the deck sets itself; the others are those of the account."
    )


class DeckItem(BaseModel):
    id: UUID
    class_id: UUID | None
    title: str
    description: str | None
    source: Literal["own", "generated", "anki", "csv", "quizlet", "copy"]
    model: str | None
    shared_with_class: bool
    is_mine: bool = Field(description="False for a deck of somebody else that is shared with a class.")
    card_count: int
    suspended_count: int
    due: DueCounts
    settings: DeckSettings
    created_at: datetime
    updated_at: datetime
    making: Making | None = Field(description="While it is unfinished: the job that makes it.")


class DeckList(BaseModel):
    items: list[DeckItem]
    next_cursor: str | None
    total: int
    due: DueCounts = Field(description="Of all decks together.")


class ListDecks(Input):
    query: str | None = Field(default=None, min_length=1, max_length=200, description="Part of the title.")
    class_id: ClassRef | None = None
    limit: Limit = 20
    cursor: Cursor = None


@tool(effect=Effect.READ, toolset="flashcards")
async def list_decks(ctx: ToolContext, args: ListDecks) -> DeckList:
    """List the user's decks of flashcards, newest first, with what is due in each today."""
    home = await ctx.db.classes.reachable(args.class_id) if args.class_id else None
    page = await ctx.db.cards.recent_decks(
        query=args.query, class_id=home.id if home else None, limit=args.limit, cursor=args.cursor
    )
    now = await study(ctx, Scope())
    counts = await ctx.db.cards.card_counts([deck.id for deck in page.items])
    items = [await item_of(ctx, deck, now, counts.get(deck.id, (0, 0))) for deck in page.items]
    return DeckList(items=items, next_cursor=page.next_cursor, total=page.total, due=counts_of(now))


async def item_of(ctx: ToolContext, deck: Deck, now: Study, counts: tuple[int, int]) -> DeckItem:
    mine, settings = deck.user_id == ctx.principal.user_id, now.settings
    if mine:
        settings = now.of(deck)
    made = {"is_mine", "card_count", "suspended_count", "due", "settings", "making"}
    fields = {name: getattr(deck, name) for name in DeckItem.model_fields if name not in made}
    return DeckItem(
        **fields,
        is_mine=mine,
        card_count=counts[0],
        suspended_count=counts[1] if mine else 0,
        due=counts_of(now, deck.id),
        settings=DeckSettings(
            scheduler=settings.scheduler,
            desired_retention=settings.desired_retention,
            new_cards_per_day=settings.new_per_day,
            reviews_per_day=settings.reviews_per_day,
            own=[name for name in SETTINGS if mine and getattr(deck, name) is not None],
        ),
        making=await making_of(ctx, deck, counts[0]) if mine else None,
    )


async def making_of(ctx: ToolContext, deck: Deck, card_count: int) -> Making | None:
    """The job behind an unfinished deck, until it is forgotten."""
    job_id = deck.parameters.get("job_id")
    if job_id is None or deck.parameters.get("complete"):
        return None
    try:
        job = await ctx.db.jobs.get(job_id)
    except NotFound:
        return None
    return Making(
        job_id=job.id,
        status=job.status,
        done=card_count,
        total=deck.parameters.get("total"),
        message=job.error or job.progress_message,
    )


class ForecastDay(BaseModel):
    day: date
    due: int = Field(description="Reviews; on the first day with those that are overdue.")
    learning: int = Field(description="Cards being (re)learned.")
    expected_recalled: float = Field(
        description="How many of these reviews will be remembered, by the scheduler."
    )


class Retention(BaseModel):
    """Reviews of cards that were known, as Anki counts true retention: hard, good and easy are remembered."""

    days: int
    young_passed: int = Field(description="Interval before the review under 21 days.")
    young_failed: int
    mature_passed: int
    mature_failed: int
    young: float | None = Field(description="Share that was remembered, 0 to 1; null without reviews.")
    mature: float | None
    all: float | None


class DeckStatistics(BaseModel):
    by_state: dict[str, int] = Field(
        description="Cards that are new, learning, young, mature, suspended, retired, leeches."
    )
    forecast: list[ForecastDay] = Field(description="The next 30 study days, today first.")
    retention: Retention
    reviews_today: int
    minutes_today: float


class DeckDetails(DeckItem):
    items: list[CardItem] = Field(description="Cards in the order of the deck.")
    next_cursor: str | None
    total: int = Field(description="Cards that fit the query.")
    rejected: dict[str, int] = Field(
        description="How many items the gate turned away when it was made, by reason."
    )
    statistics: DeckStatistics | None = Field(
        description="Null on later pages, and for a deck of somebody else."
    )


class GetDeck(Input):
    deck_id: DeckRef
    query: str | None = Field(
        default=None, min_length=1, max_length=200, description="Words that all stand in the card's text."
    )
    tag: Tag | None = None
    state: Literal["new", "learning", "review", "suspended", "leech", "retired"] | None = None
    limit: Limit = 50
    cursor: Cursor = None


@tool(effect=Effect.READ, toolset="flashcards")
async def get_deck(ctx: ToolContext, args: GetDeck) -> DeckDetails:
    """Read a deck: its cards with their evidence, what comes in the next 30 days, and how much was remembered."""
    deck = await ctx.db.cards.readable_deck(args.deck_id)
    page = await ctx.db.cards.in_deck(
        deck.id, query=args.query, tag=args.tag, state=args.state, limit=args.limit, cursor=args.cursor
    )
    page = within_budget(page)
    now = await study(ctx, Scope())
    counts = await ctx.db.cards.card_counts([deck.id])
    item = await item_of(ctx, deck, now, counts.get(deck.id, (0, 0)))
    evidence = await evidence_of(ctx, page.items)
    return DeckDetails(
        **item.model_dump(),
        items=[CardItem.of(row, evidence.get(row.id), is_mine=item.is_mine) for row in page.items],
        next_cursor=page.next_cursor,
        total=page.total,
        rejected=deck.rejected if item.is_mine else {},
        statistics=await statistics(ctx, deck, now) if item.is_mine and args.cursor is None else None,
    )


def within_budget(page: Page[Flashcard]) -> Page[Flashcard]:
    """The page cut where its texts would be too long; at least one card."""
    room = TEXT_BUDGET
    for number, row in enumerate(page.items):
        room -= len(row.front) + len(row.back) + len(row.extra or "") + len(row.quote or "")
        if room < 0 and number:
            return Page(page.items[:number], cursor_after(page.items[number - 1]), page.total)
    return page


async def statistics(ctx: ToolContext, deck: Deck, now: Study) -> DeckStatistics:
    decay, factor = fsrs6.curve(now.settings)
    found = await ctx.db.reviews.forecast(deck.id, now.day.start, FORECAST_DAYS, decay, factor)
    by_day = {one.day: one for one in found}
    forecast = []
    for number in range(FORECAST_DAYS):
        one = by_day.get(number)
        forecast.append(
            ForecastDay(
                day=now.day.date + number * ONE_DAY,
                due=one.reviews if one else 0,
                learning=one.learning if one else 0,
                expected_recalled=round(one.recalled, 2) if one else 0.0,
            )
        )
    since = start_of(now.day.date - (RETENTION_DAYS - 1) * ONE_DAY, now.settings)
    reviews, minutes = await ctx.db.reviews.studied(deck.id, now.day.start)
    return DeckStatistics(
        by_state=await ctx.db.reviews.by_state(deck.id),
        forecast=forecast,
        retention=await retention(ctx, deck, since),
        reviews_today=reviews,
        minutes_today=round(minutes, 1),
    )


async def retention(ctx: ToolContext, deck: Deck, since: datetime) -> Retention:
    counts = await ctx.db.reviews.retention(deck.id, since)
    young, mature = counts.young_passed + counts.young_failed, counts.mature_passed + counts.mature_failed
    passed = counts.young_passed + counts.mature_passed
    return Retention(
        days=RETENTION_DAYS,
        young_passed=counts.young_passed,
        young_failed=counts.young_failed,
        mature_passed=counts.mature_passed,
        mature_failed=counts.mature_failed,
        young=counts.young_passed / young if young else None,
        mature=counts.mature_passed / mature if mature else None,
        all=passed / (young + mature) if young + mature else None,
    )


class UpdateDeck(Input):
    deck_id: DeckRef
    title: Title | None = None
    description: Annotated[str, Field(max_length=2000)] | None = None
    class_id: ClassRef | None = Field(default=None, description="Move it to this class; null takes it out.")
    shared_with_class: bool | None = Field(
        default=None, description="Whether the members of its class may read it; null is no answer."
    )
    scheduler: Literal["fsrs", "sm2"] | None = Field(default=None, description="Null: that of the account.")
    desired_retention: float | None = Field(
        default=None,
        ge=0.7,
        le=0.99,
        description="Share of cards to be remembered when due; null: of the account.",
    )
    new_cards_per_day: int | None = Field(
        default=None,
        ge=0,
        le=9999,
        description="Of this deck alone; null: it shares the limit of the account.",
    )
    reviews_per_day: int | None = Field(
        default=None,
        ge=0,
        le=9999,
        description="Of this deck alone; null: it shares the limit of the account.",
    )


@tool(effect=Effect.WRITE, toolset="flashcards")
async def update_deck(ctx: ToolContext, args: UpdateDeck) -> DeckItem:
    """Change a deck's title, description, class, sharing, scheduler, retention or daily limits. Only what is given changes."""
    changes = args.model_dump(exclude={"deck_id"}, exclude_unset=True)
    if not changes:
        raise InvalidInput(
            "Nothing to change: give at least one of title, description, class_id, …", code="no_changes"
        )
    if missing := [name for name in ("title", "shared_with_class") if changes.get(name, "") is None]:
        raise InvalidInput(f"{missing[0]} cannot be null.", code="invalid_arguments")
    found = await ctx.db.cards.resolve_deck(args.deck_id)
    deck = await ctx.db.cards.deck_for_writing(found.id)
    if changes.get("class_id"):
        changes["class_id"] = (await ctx.db.classes.reachable(changes["class_id"])).id
    for name, value in changes.items():
        setattr(deck, name, value)
    if deck.shared_with_class and deck.class_id is None:
        raise InvalidInput("A deck is shared with a class: say which, by class_id.", code="class_missing")
    deck.updated_at = ctx.now()
    counts = await ctx.db.cards.card_counts([deck.id])
    return await item_of(ctx, deck, await study(ctx, Scope()), counts.get(deck.id, (0, 0)))


class OneDeck(Input):
    deck_id: DeckRef


class DeletedDeck(BaseModel):
    id: UUID
    title: str
    card_count: int


@tool(effect=Effect.DESTROY, toolset="flashcards")
async def delete_deck(ctx: ToolContext, args: OneDeck) -> DeletedDeck:
    """Delete a deck with its cards. restore_item brings it back within 30 days."""
    deck = await ctx.db.cards.resolve_deck(args.deck_id)
    counts = await ctx.db.cards.card_counts([deck.id])
    await ctx.db.cards.remove_deck(deck)
    return DeletedDeck(id=deck.id, title=deck.title, card_count=counts.get(deck.id, (0, 0))[0])
