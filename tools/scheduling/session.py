"""What a person may study now: their settings, the study day, their decks, and the queue over them, read from the database."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from storage.models import Deck, User
from storage.repositories.reviews import DoneCards, WaitingCard
from tools.context import ToolContext
from tools.scheduling.days import StudyDay, study_day
from tools.scheduling.queue import Candidate, Done, Limits, Queue, Waiting, queue_of
from tools.scheduling.state import StudySettings

NOTES_A_CARD = 10
"""So many new cards are looked at for each that may come: siblings of one note stand together, and one of them comes."""
MOST_LOOKED_AT = 1000


@dataclass(frozen=True, slots=True)
class Scope:
    """Which cards are asked: all, or those of a deck, a class, a tag."""

    deck: Deck | None = None
    class_id: UUID | None = None
    tag: str | None = None


@dataclass(frozen=True, slots=True)
class Study:
    settings: StudySettings
    """Of the account."""
    now: datetime
    day: StudyDay
    decks: dict[UUID, Deck]
    queue: Queue
    due_reviews: int
    """Within the scope, without regard to limits."""
    done_today: int

    def of(self, deck: Deck) -> StudySettings:
        return self.settings.for_deck(deck)

    @property
    def overdue(self) -> int:
        return max(self.due_reviews - len(self.queue.reviews), 0)


async def scope_of(ctx: ToolContext, deck_id: str | None, class_id: str | None, tag: str | None) -> Scope:
    """Raises NotFound for what is not there, Forbidden for a deck of somebody else."""
    deck = await ctx.db.cards.resolve_deck(deck_id) if deck_id else None
    home = await ctx.db.classes.reachable(class_id) if class_id else None
    return Scope(deck, home.id if home else None, tag)


async def study(ctx: ToolContext, scope: Scope) -> Study:
    """The queue at this moment. Limits are those of the whole account, whatever the scope."""
    user = await ctx.db.accounts.me()
    settings, now = StudySettings.of(user), ctx.now()
    day = study_day(now, settings)
    decks = {deck.id: deck for deck in await ctx.db.cards.decks()}
    asked = [deck.id for deck in decks.values() if in_scope(deck, scope)]
    new, reviews = limits_of(user, decks)
    done = await ctx.db.reviews.done_since(day.start)
    most = min(MOST_LOOKED_AT, NOTES_A_CARD * max([new.shared, *new.own.values()]))
    most_due = 2 * max([reviews.shared, *reviews.own.values(), 1])  # twice: half of them may be siblings
    due = await ctx.db.reviews.due(asked, list(reviews.own), day.end, now, day.date, scope.tag, most_due)
    waiting = Waiting(
        learning=candidates(await ctx.db.reviews.learning(asked, day.end, day.date, scope.tag)),
        reviews=candidates(due),
        new=candidates(await ctx.db.reviews.new(asked, day.date, scope.tag, most)),
        done=done_of(done),
    )
    return Study(
        settings=settings,
        now=now,
        day=day,
        decks=decks,
        queue=queue_of(waiting, new, reviews, now),
        due_reviews=due[0].in_all if due else 0,
        done_today=sum(one.count for one in done),
    )


def in_scope(deck: Deck, scope: Scope) -> bool:
    if scope.deck is not None and deck.id != scope.deck.id:
        return False
    return scope.class_id is None or deck.class_id == scope.class_id


def limits_of(user: User, decks: dict[UUID, Deck]) -> tuple[Limits, Limits]:
    """Of new cards and of reviews."""
    new = {key: deck.new_cards_per_day for key, deck in decks.items() if deck.new_cards_per_day is not None}
    reviews = {key: deck.reviews_per_day for key, deck in decks.items() if deck.reviews_per_day is not None}
    return Limits(user.new_cards_per_day, new), Limits(user.reviews_per_day, reviews)


def candidates(cards: Sequence[WaitingCard]) -> list[Candidate]:
    return [Candidate(one.id, one.deck_id, one.group, one.topic, one.rank, one.due_at) for one in cards]


def done_of(cards: Sequence[DoneCards]) -> list[Done]:
    """New cards and reviews; cards being learned have no limit."""
    return [
        Done(one.deck_id, one.topic, "new" if one.kind == "new" else "review", one.count)
        for one in cards
        if one.kind in ("new", "review")
    ]
