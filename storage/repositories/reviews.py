"""What is due, reviews, and figures about them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    Double,
    Integer,
    String,
    Uuid,
    and_,
    any_,
    bindparam,
    case,
    cast,
    distinct,
    func,
    literal,
    or_,
    select,
    true,
)

from storage.models import CardReview, Flashcard, Job
from storage.models.flashcards import DUE, NEW
from storage.repositories.base import Repository, among

DAY = 86_400.0
MATURE_DAYS = 21
"""From this interval on Anki calls a card mature."""
KIND = CardReview.before["state"].astext
INTERVAL_BEFORE = cast(CardReview.before["interval_days"].astext, Double)


@dataclass(frozen=True, slots=True)
class WaitingCard:
    """What the queue needs to know of a card."""

    id: UUID
    deck_id: UUID
    group: UUID
    topic: str | None
    rank: float
    due_at: datetime | None
    in_all: int
    """How many reviews are due."""


@dataclass(frozen=True, slots=True)
class DoneCards:
    deck_id: UUID
    topic: str | None
    kind: str
    """State before: new, learning, review or relearning."""
    count: int


@dataclass(frozen=True, slots=True)
class DueDay:
    """Cards that come due `day` study days from today; overdue ones on day 0."""

    day: int
    reviews: int
    learning: int
    recalled: float


@dataclass(frozen=True, slots=True)
class RetentionCounts:
    young_passed: int
    young_failed: int
    mature_passed: int
    mature_failed: int


TOPIC = func.coalesce(
    cast(Flashcard.concept_id, String), Flashcard.tags[1], cast(Flashcard.material_id, String)
)
GROUP = func.coalesce(Flashcard.group_id, Flashcard.id)


def asked_on(today: date, tag: str | None) -> list[ColumnElement[bool]]:
    limits = [
        Flashcard.status == "active",
        or_(Flashcard.buried_until.is_(None), Flashcard.buried_until <= today),
    ]
    if tag is not None:
        limits.append(literal(tag) == any_(Flashcard.tags))
    return limits


def memory() -> ColumnElement[Any]:
    """Days over which the card is remembered: stability, or the interval of a card without one."""
    days: ColumnElement[float | None] = case(
        (Flashcard.scheduler == "fsrs", Flashcard.stability), else_=Flashcard.interval_days
    )
    shortest: ColumnElement[float] = cast(literal(0.01), Double)
    return func.greatest(func.coalesce(days, Flashcard.interval_days), shortest)


def elapsed_days(until: Any) -> ColumnElement[Any]:
    since = func.coalesce(Flashcard.last_reviewed_at, Flashcard.due_at)
    return cast(func.extract("epoch", until - since), Double) / DAY


class ReviewRepository(Repository):
    # --- the queue

    async def learning(
        self, deck_ids: Sequence[UUID], until: datetime, today: date, tag: str | None
    ) -> list[WaitingCard]:
        """Cards being (re)learned that are due before `until`."""
        # DUE word for word: with a parameter in its place, a prepared plan could not use the partial index.
        found = select(
            Flashcard.id, Flashcard.deck_id, GROUP.label("group"), TOPIC.label("topic"), literal(0.0).label("rank"),
            Flashcard.due_at, literal(0).label("in_all"),
        ).where(
            Flashcard.user_id == self.user_id, DUE, Flashcard.due_at < until, Flashcard.state != "review",
            among(Flashcard.deck_id, deck_ids), *asked_on(today, tag),
        )  # fmt: skip
        return [WaitingCard(*row) for row in await self.session.execute(found)]

    async def due(
        self, deck_ids: Sequence[UUID], apart: Sequence[UUID], until: datetime, now: datetime, today: date,
        tag: str | None, most: int,
    ) -> list[WaitingCard]:  # fmt: skip
        """At most so many reviews of each deck in `apart`, and of all others together, that are due before `until`; least
        retrievable first."""
        limited = case((among(Flashcard.deck_id, apart), Flashcard.deck_id))
        rank = elapsed_days(now) / memory()
        inner = (
            select(
                Flashcard.id, Flashcard.deck_id, GROUP.label("group"), TOPIC.label("topic"), rank.label("rank"),
                Flashcard.due_at, func.count().over().label("in_all"),
                func.row_number().over(partition_by=limited, order_by=(rank.desc(), Flashcard.id)).label("place"),
            )
            .where(
                Flashcard.user_id == self.user_id, DUE, Flashcard.due_at < until, Flashcard.state == "review",
                among(Flashcard.deck_id, deck_ids), *asked_on(today, tag),
            )
            .subquery()
        )  # fmt: skip
        found = select(*(column for column in inner.c if column.name != "place")).where(inner.c.place <= most)
        return [WaitingCard(*row) for row in await self.session.execute(found)]

    async def new(
        self, deck_ids: Sequence[UUID], today: date, tag: str | None, most: int
    ) -> list[WaitingCard]:
        """Of each deck the first so many cards that were never asked, in its order."""
        decks = (
            func.unnest(bindparam(None, list(deck_ids), ARRAY(Uuid()))).table_valued("id").render_derived()
        )
        first = (
            select(
                Flashcard.id, Flashcard.deck_id, GROUP.label("group"), TOPIC.label("topic"),
                cast(Flashcard.ordinal, Double).label("rank"), literal(None).label("due_at"), literal(0).label("in_all"),
            )
            .where(
                Flashcard.user_id == self.user_id, NEW, Flashcard.deck_id == decks.c.id, *asked_on(today, tag)
            )
            .order_by(Flashcard.ordinal)
            .limit(most)
            .lateral()
        )  # fmt: skip
        rows = await self.session.execute(select(first).select_from(decks.join(first, true())))
        return [WaitingCard(*row) for row in rows]

    async def done_since(self, start: datetime) -> list[DoneCards]:
        """Cards reviewed since the start of the study day, each once for what it was before."""
        found = (
            select(
                Flashcard.deck_id, TOPIC.label("topic"), KIND.label("kind"),
                func.count(distinct(CardReview.card_id)).label("count"),
            )
            .join(Flashcard, and_(Flashcard.id == CardReview.card_id, Flashcard.user_id == self.user_id))
            .where(
                CardReview.user_id == self.user_id, CardReview.reviewed_at >= start, CardReview.undone_at.is_(None)
            )
            .group_by(Flashcard.deck_id, TOPIC, KIND)
        )  # fmt: skip
        return [DoneCards(**row._mapping) for row in await self.session.execute(found)]

    # --- reviews

    async def add(self, row: CardReview) -> None:
        self.session.add(row)
        await self.session.flush()

    async def last_of(self, card_id: UUID) -> CardReview | None:
        """The card's last review that counts."""
        found = select(CardReview).where(
            CardReview.card_id == card_id, CardReview.user_id == self.user_id, CardReview.undone_at.is_(None)
        )
        return await self.session.scalar(
            found.order_by(CardReview.reviewed_at.desc(), CardReview.id.desc()).limit(1)
        )

    async def last(self) -> CardReview | None:
        """The user's last review here that counts; what was imported cannot be taken back."""
        found = select(CardReview).where(
            CardReview.user_id == self.user_id,
            CardReview.undone_at.is_(None),
            CardReview.imported_id.is_(None),
        )
        return await self.session.scalar(
            found.order_by(CardReview.reviewed_at.desc(), CardReview.id.desc()).limit(1)
        )

    async def by_id(self, review_id: UUID) -> CardReview | None:
        return await self.session.scalar(
            select(CardReview).where(CardReview.id == review_id, CardReview.user_id == self.user_id)
        )

    async def count(self) -> int:
        """Reviews that count, imported ones too."""
        found = select(func.count()).where(CardReview.user_id == self.user_id, CardReview.undone_at.is_(None))
        return await self.session.scalar(found) or 0

    async def history(self, most: int) -> list[tuple[UUID, datetime, int]]:
        """(card, when, rating) of the last so many reviews, by card in order of time."""
        newest = (
            select(CardReview.card_id, CardReview.reviewed_at, CardReview.rating)
            .where(CardReview.user_id == self.user_id, CardReview.undone_at.is_(None))
            .order_by(CardReview.reviewed_at.desc())
            .limit(most)
            .subquery()
        )
        found = select(newest).order_by(newest.c.card_id, newest.c.reviewed_at)
        return [(row.card_id, row.reviewed_at, row.rating) for row in await self.session.execute(found)]

    async def latest_job(self, kind: str) -> Job | None:
        """The user's newest job of a kind, open or ended."""
        found = select(Job).where(Job.user_id == self.user_id, Job.kind == kind)
        return await self.session.scalar(found.order_by(Job.created_at.desc(), Job.id.desc()).limit(1))

    # --- figures of a deck

    async def by_state(self, deck_id: UUID) -> dict[str, int]:
        mature = and_(Flashcard.state == "review", Flashcard.interval_days >= MATURE_DAYS)
        counted = {
            "new": Flashcard.state == "new",
            "learning": Flashcard.state.in_(("learning", "relearning")),
            "young": and_(Flashcard.state == "review", Flashcard.interval_days < MATURE_DAYS),
            "mature": mature,
            "suspended": Flashcard.suspended_at.is_not(None),
            "retired": Flashcard.status == "retired",
            "leeches": Flashcard.is_leech,
        }
        found = select(*(func.count().filter(condition).label(name) for name, condition in counted.items()))
        row = (
            await self.session.execute(
                found.where(
                    Flashcard.deck_id == deck_id,
                    Flashcard.user_id == self.user_id,
                    Flashcard.deleted_at.is_(None),
                )
            )
        ).one()
        return dict(row._mapping)

    async def forecast(
        self, deck_id: UUID, today: datetime, days: int, decay: float, factor: float
    ) -> list[DueDay]:
        """Cards by the study day on which they come due, and how many will be recalled by the forgetting curve
        R = (1 + factor · t / S) ** decay. `today` is the start of the study day."""
        late = cast(func.floor(func.extract("epoch", Flashcard.due_at - today) / DAY), Integer)
        day = func.greatest(late, 0).label("day")
        asked_at = func.greatest(Flashcard.due_at, today)
        recalled = func.power(1 + factor * func.greatest(elapsed_days(asked_at), 0.0) / memory(), decay)
        is_review = Flashcard.state == "review"
        found = (
            select(
                day,
                func.count().filter(is_review).label("reviews"),
                func.count().filter(~is_review).label("learning"),
                func.coalesce(func.sum(recalled).filter(is_review), 0.0).label("recalled"),
            )
            .where(
                Flashcard.deck_id == deck_id, Flashcard.user_id == self.user_id, DUE, Flashcard.status == "active",
                late < days,
            )
            .group_by(day)
            .order_by(day)
        )  # fmt: skip
        return [DueDay(**row._mapping) for row in await self.session.execute(found)]

    async def retention(self, deck_id: UUID, since: datetime) -> RetentionCounts:
        """Reviews of known cards since then: young and mature by the interval before, failed when rated again."""
        mature, failed = INTERVAL_BEFORE >= MATURE_DAYS, CardReview.rating == 1
        counted = {
            "young_passed": and_(~mature, ~failed),
            "young_failed": and_(~mature, failed),
            "mature_passed": and_(mature, ~failed),
            "mature_failed": and_(mature, failed),
        }
        found = (
            select(*(func.count().filter(condition).label(name) for name, condition in counted.items()))
            .select_from(CardReview)
            .join(Flashcard, and_(Flashcard.id == CardReview.card_id, Flashcard.user_id == self.user_id))
            .where(
                CardReview.user_id == self.user_id, CardReview.reviewed_at >= since, CardReview.undone_at.is_(None),
                Flashcard.deck_id == deck_id, KIND == "review",
            )
        )  # fmt: skip
        return RetentionCounts(**(await self.session.execute(found)).one()._mapping)

    async def studied(self, deck_id: UUID, since: datetime) -> tuple[int, float]:
        """(reviews, minutes) since then."""
        found = (
            select(func.count(), func.coalesce(func.sum(CardReview.duration_ms), 0))
            .join(Flashcard, and_(Flashcard.id == CardReview.card_id, Flashcard.user_id == self.user_id))
            .where(
                CardReview.user_id == self.user_id, CardReview.reviewed_at >= since, CardReview.undone_at.is_(None),
                Flashcard.deck_id == deck_id,
            )
        )  # fmt: skip
        count, milliseconds = (await self.session.execute(found)).one()
        return count, (milliseconds or 0) / 60_000
