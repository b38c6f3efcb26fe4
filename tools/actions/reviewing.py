"""Reviewing cards: what is due, one review, and taking it back."""

from datetime import date, datetime, timedelta
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, Field

from storage.errors import Conflict, InvalidInput, NotFound
from storage.models import CardReview, Flashcard
from tools.actions.card_items import DueCounts, State, Tag
from tools.actions.due_cards import DueCard, counts_of, due_cards, token_of, whats_left
from tools.context import ToolContext
from tools.fields import CardRef, ClassRef, DeckRef
from tools.progress.recording import Studied, record, take_back
from tools.scheduling import sm2
from tools.scheduling.days import ONE_DAY, study_date
from tools.scheduling.deciding import LEECH, Decision, in_words, review
from tools.scheduling.fit_job import fit_later
from tools.scheduling.session import scope_of, study
from tools.scheduling.state import DAY_SECONDS, RATINGS, Schedule, StudySettings, seed_of
from tools.spec import Effect, Input, tool

Rating = Literal[1, 2, 3, 4, "again", "hard", "good", "easy"]
SAME_REVIEW = timedelta(seconds=1)
"""Without a token, the same rating of the same card within this time is the same review."""


class GetDueCards(Input):
    deck_id: DeckRef | None = None
    class_id: ClassRef | None = None
    tag: Tag | None = None
    limit: Annotated[int, Field(ge=1, le=100, description="How many to return at most.")] = 10


class DueCards(BaseModel):
    items: list[DueCard] = Field(description="In the order in which to ask them.")
    due: DueCounts
    next_due_at: datetime | None = Field(
        description="When the next card being learned comes back later today."
    )
    overdue: int = Field(
        description="Reviews that are due beyond the daily limit; they come on the next days."
    )
    done_today: int = Field(description="Cards reviewed since the study day began, in all decks.")
    day_ends_at: datetime
    message: str


@tool(effect=Effect.READ, toolset="flashcards")
async def get_due_cards(ctx: ToolContext, args: GetDueCards) -> DueCards:
    """The cards to review now, in order, mixed across decks and topics, with how much is left today.

    Ask one front at a time, show its back after the answer, then call review_card with how it went.
    """
    scope = await scope_of(ctx, args.deck_id, args.class_id, args.tag)
    now = await study(ctx, scope)
    rows = await ctx.db.cards.by_ids([one.id for one in now.queue.order[: args.limit]])
    return DueCards(
        items=await due_cards(ctx, now, rows),
        due=counts_of(now),
        next_due_at=now.queue.next_due_at,
        overdue=now.overdue,
        done_today=now.done_today,
        day_ends_at=now.day.end,
        message=whats_left(now),
    )


class ReviewCard(Input):
    card_id: CardRef
    rating: Rating | None = Field(
        default=None, description="1 again (not known), 2 hard, 3 good, 4 easy; the numbers or the words."
    )
    grade: int | None = Field(
        default=None,
        ge=0,
        le=5,
        description="Instead of a rating: SM-2's own scale, 0 blackout to 5 perfect.",
    )
    duration_ms: int | None = Field(default=None, ge=0, le=86_400_000, description="Time taken to answer.")
    confidence: float | None = Field(
        default=None, ge=0, le=1, description="How sure the student was before the back was shown."
    )
    review_token: str | None = Field(
        default=None, max_length=40, description="As get_due_cards gave it: a repeated call then counts once."
    )
    deck_id: DeckRef | None = Field(default=None, description="Where the next card is taken from.")
    class_id: ClassRef | None = Field(default=None, description="Or from here.")
    tag: Tag | None = Field(default=None, description="Or by this tag.")


class Reviewed(BaseModel):
    review_id: UUID
    card_id: UUID
    deck_id: UUID
    rating: int
    grade: int | None
    state: State
    due_at: datetime
    interval: str = Field(description="Until then, in words: 10 min, 3 d.")
    interval_days: float
    stability: float | None
    difficulty: float | None
    ease_factor: float | None = Field(description="Of SM-2.")
    is_leech: bool
    already_counted: bool = Field(
        description="True when this very review was stored before; nothing was changed."
    )
    session_id: UUID | None
    message: str
    next_card: DueCard | None
    due: DueCounts
    next_due_at: datetime | None


@tool(effect=Effect.WRITE, toolset="flashcards")
async def review_card(ctx: ToolContext, args: ReviewCard) -> Reviewed:
    """Store how a card went, by rating or SM-2 grade. Says when it comes back, and gives the next card."""
    found = await ctx.db.cards.resolve(args.card_id)
    rating = rating_of(args)
    scope = await scope_of(ctx, args.deck_id, args.class_id, args.tag)
    card = await ctx.db.cards.for_writing(found.id)
    last = await ctx.db.reviews.last_of(card.id)
    repeated = is_repeated(args, rating, card, last, ctx.now())
    if last is not None and repeated:
        stored, words = last, "This review was stored already; nothing was changed."
    else:
        stored, words = await store(ctx, args, rating, card)
    now = await study(ctx, scope)
    first = await ctx.db.cards.by_ids([one.id for one in now.queue.order[:1]])
    following = await due_cards(ctx, now, first)
    return Reviewed(
        **outcome(stored, card),
        already_counted=repeated,
        session_id=stored.session_id,
        message=f"{words} {whats_left(now)}",
        next_card=following[0] if following else None,
        due=counts_of(now),
        next_due_at=now.queue.next_due_at,
    )


def rating_of(args: ReviewCard) -> int:
    if (args.rating is None) == (args.grade is None):
        raise InvalidInput("Give either a rating (1 to 4) or a grade (0 to 5).", code="rating_missing")
    if args.grade is not None:
        return sm2.RATINGS[args.grade]
    return RATINGS[args.rating] if isinstance(args.rating, str) else args.rating or 0


def is_repeated(
    args: ReviewCard, rating: int, card: Flashcard, last: CardReview | None, now: datetime
) -> bool:
    """Whether the call is one that was stored before. Raises Conflict when the card was reviewed since it was shown."""
    is_current = last is not None and last.reviewed_at == card.last_reviewed_at
    same = is_current and last is not None and (last.rating, last.grade) == (rating, args.grade)
    if args.review_token is None:
        return same and last is not None and abs(now - last.reviewed_at) <= SAME_REVIEW
    if args.review_token == token_of(Schedule.of(card)):
        return False
    if same and last is not None and args.review_token == token_of(Schedule.loaded(last.before)):
        return True
    raise Conflict(
        "This card was reviewed or changed since it was shown. get_due_cards shows it as it is now.",
        code="card_changed",
    )


async def store(ctx: ToolContext, args: ReviewCard, rating: int, card: Flashcard) -> tuple[CardReview, str]:
    """The review with everything that it changes, and what to say about it."""
    if card.suspended_at is not None or card.status != "active":
        raise Conflict(
            f"This card is {'suspended' if card.suspended_at else 'retired'}; update_flashcard brings it back.",
            code="card_not_active",
        )
    deck = await ctx.db.cards.resolve_deck(str(card.deck_id))
    settings = StudySettings.of(await ctx.db.accounts.me()).for_deck(deck)
    now, before = ctx.now(), Schedule.of(card)
    decision = review(before, rating, now, settings, seed_of(card.id, card.reps), args.grade)
    await fit_later(ctx, settings)
    noted = before.stored() | {"buried_until": in_iso(card.buried_until)}
    decision.schedule.put(card)
    card.buried_until = None
    if decision.became_leech and LEECH not in card.tags:
        card.tags = [*card.tags, LEECH]
        noted["leech_tagged"] = True
    noted["siblings"] = await bury_siblings(ctx, card, study_date(now, settings) + ONE_DAY)
    session_id = await record(
        ctx,
        Studied(
            session_type="flashcards", type="review", class_id=deck.class_id, deck_id=deck.id, card_id=card.id,
            material_id=card.material_id, concept_id=card.concept_id, is_correct=rating > 1,
            response_time_ms=args.duration_ms, confidence=args.confidence,
            data={"rating": rating, "state": before.state, "interval_days": before.interval_days},
        ),
    )  # fmt: skip
    row = CardReview(
        id=ctx.new_id(),
        user_id=card.user_id,
        card_id=card.id,
        session_id=session_id,
        reviewed_at=decision.schedule.last_reviewed_at,
        scheduler=decision.schedule.scheduler,
        rating=rating,
        grade=args.grade,
        duration_ms=args.duration_ms,
        elapsed_days=elapsed(before, now),
        scheduled_days=decision.interval.total_seconds() / DAY_SECONDS,
        before=noted,
        after=decision.schedule.stored(),
    )
    await ctx.db.reviews.add(row)
    return row, words_for(decision)


def elapsed(before: Schedule, now: datetime) -> float | None:
    last = before.last_reviewed_at
    return (now - last).total_seconds() / DAY_SECONDS if last else None


def in_iso(day: date | None) -> str | None:
    return day.isoformat() if day else None


async def bury_siblings(ctx: ToolContext, card: Flashcard, until: date) -> dict[str, Any]:
    """Cards of the same note wait until the next study day, unless they are being learned. What they were, by id."""
    rows = [row for row in await ctx.db.cards.siblings(card) if row.state in ("new", "review")]
    rows = [row for row in rows if row.buried_until is None or row.buried_until < until]
    before = {str(row.id): in_iso(row.buried_until) for row in rows}
    if rows:
        await ctx.db.cards.bury([row.id for row in rows], until)
    return {"until": until.isoformat(), "before": before}


def words_for(decision: Decision) -> str:
    words = f"It comes back in {in_words(decision.interval)}."
    if decision.became_leech:
        words += (
            f" It has been forgotten {decision.schedule.lapses} times and is marked as a leech: better rewrite it, split it into"
            " smaller cards or add a hint; update_flashcard does that, or suspends it."
        )
    return words


def outcome(stored: CardReview, card: Flashcard) -> dict[str, Any]:
    after = Schedule.loaded(stored.after)
    return {
        "review_id": stored.id,
        "card_id": card.id,
        "deck_id": card.deck_id,
        "rating": stored.rating,
        "grade": stored.grade,
        "state": after.state,
        "due_at": after.due_at,
        "interval": in_words(timedelta(days=stored.scheduled_days or 0)),
        "interval_days": after.interval_days,
        "stability": after.stability if after.scheduler == "fsrs" else None,
        "difficulty": after.difficulty if after.scheduler == "fsrs" else None,
        "ease_factor": after.ease_factor if after.scheduler == "sm2" else None,
        "is_leech": after.is_leech,
    }


class UndoReview(Input):
    review_id: UUID | None = Field(
        default=None, description="The review to take back; the last one if left out."
    )


class UndoneReview(BaseModel):
    review_id: UUID
    rating: int
    card: DueCard = Field(description="As it was before, to be asked again.")
    due: DueCounts
    message: str


@tool(effect=Effect.WRITE, toolset="flashcards")
async def undo_review(ctx: ToolContext, args: UndoReview) -> UndoneReview:
    """Take back the last review: the card is exactly as before. Repeat to go back further."""
    found = await wanted_review(ctx, args.review_id)
    card = await ctx.db.cards.for_writing(found.card_id)
    last = await ctx.db.reviews.last_of(card.id)
    if last is None or last.id != found.id:
        raise Conflict("A later review of this card must be taken back first.", code="not_the_last_review")
    if Schedule.of(card) != Schedule.loaded(found.after):
        raise Conflict(
            "The card was reset or rescheduled since this review, so it cannot be taken back.",
            code="card_changed",
        )
    await ctx.db.cards.resolve_deck(str(card.deck_id))  # not one in the bin
    await restore(ctx, card, found.before)
    found.undone_at = ctx.now()
    await take_back(ctx, found.session_id, card.id)
    now = await study(ctx, await scope_of(ctx, None, None, None))
    (shown,) = await due_cards(ctx, now, [card])
    return UndoneReview(
        review_id=found.id,
        rating=found.rating,
        card=shown,
        due=counts_of(now),
        message="The review was taken back; the card is as it was before.",
    )


async def wanted_review(ctx: ToolContext, review_id: UUID | None) -> CardReview:
    found = await (ctx.db.reviews.by_id(review_id) if review_id else ctx.db.reviews.last())
    if found is None:
        missing = "There is no such review." if review_id else "There is no review to take back."
        raise NotFound(missing, code="review_not_found")
    if found.undone_at is not None:
        raise Conflict("This review was taken back already.", code="already_undone")
    if found.imported_id is not None or "reps" not in found.before:
        raise Conflict(
            "This review was imported with its history and cannot be taken back.", code="review_imported"
        )
    return found


async def restore(ctx: ToolContext, card: Flashcard, before: dict[str, Any]) -> None:
    """The card as it was, and its siblings' burying, unless somebody changed that since."""
    Schedule.loaded(before).put(card)
    buried = before.get("buried_until")
    card.buried_until = date.fromisoformat(buried) if buried else None
    if before.get("leech_tagged"):
        card.tags = [tag for tag in card.tags if tag != LEECH]
    siblings = before.get("siblings") or {"until": None, "before": {}}
    for row in await ctx.db.cards.by_ids([UUID(key) for key in siblings["before"]]):
        if in_iso(row.buried_until) == siblings["until"]:
            was = siblings["before"][str(row.id)]
            row.buried_until = date.fromisoformat(was) if was else None
