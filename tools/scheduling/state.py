"""What a scheduler knows of a card, and the settings it goes by. Stored in the card's columns and, before and after, with each review."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from typing import Any, Literal, Self
from uuid import UUID
from zoneinfo import ZoneInfo

from storage.models import Deck, Flashcard, User

SchedulerName = Literal["fsrs", "sm2"]
StateName = Literal["new", "learning", "review", "relearning"]
DAY_SECONDS = 86_400.0
UTC_ZONE = ZoneInfo("UTC")


@dataclass(frozen=True, slots=True)
class Schedule:
    """The scheduling columns of a flashcard, by their names."""

    scheduler: SchedulerName = "fsrs"
    state: StateName = "new"
    step: int | None = None
    stability: float | None = None
    difficulty: float | None = None
    due_at: datetime | None = None
    last_reviewed_at: datetime | None = None
    interval_days: float = 0.0
    ease_factor: float = 2.5
    repetitions: int = 0
    reps: int = 0
    lapses: int = 0
    is_leech: bool = False

    @classmethod
    def of(cls, row: Flashcard) -> Self:
        return cls(**{name: getattr(row, name) for name in COLUMNS})

    @classmethod
    def loaded(cls, stored: Mapping[str, Any]) -> Self:
        """From `card_reviews.before` or `after`. Keys that are not columns are left out."""
        values = {name: stored[name] for name in COLUMNS if name in stored}
        for name in MOMENTS:
            if values.get(name):
                values[name] = datetime.fromisoformat(values[name]).astimezone(UTC)
        return cls(**values)

    def stored(self) -> dict[str, Any]:
        """As JSON: times in ISO 8601 with microseconds, numbers in full, so that loading gives the same."""
        values = asdict(self)
        for name in MOMENTS:
            moment = values[name]
            values[name] = moment.isoformat() if moment else None
        return values

    def put(self, row: Flashcard) -> None:
        for name in COLUMNS:
            setattr(row, name, getattr(self, name))


COLUMNS = tuple(Schedule.__dataclass_fields__)
MOMENTS = ("due_at", "last_reviewed_at")
RATINGS = {"again": 1, "hard": 2, "good": 3, "easy": 4}


@dataclass(frozen=True, slots=True)
class StudySettings:
    """How one person, or one deck of theirs, is scheduled."""

    scheduler: SchedulerName = "fsrs"
    desired_retention: float = 0.9
    parameters: tuple[float, ...] | None = None
    """The 21 of FSRS-6; None for the default ones."""
    learning_steps: tuple[int, ...] = (60, 600)
    """Seconds."""
    relearning_steps: tuple[int, ...] = (600,)
    maximum_interval: int = 36_500
    leech_threshold: int = 8
    timezone: ZoneInfo = UTC_ZONE
    day_start_hour: int = 4
    new_per_day: int = 20
    reviews_per_day: int = 200

    @classmethod
    def of(cls, user: User) -> Self:
        return cls(
            scheduler=scheduler_named(user.scheduler),
            desired_retention=user.desired_retention,
            parameters=tuple(user.fsrs_parameters) if user.fsrs_parameters else None,
            learning_steps=tuple(user.learning_steps),
            relearning_steps=tuple(user.relearning_steps),
            maximum_interval=user.maximum_interval_days,
            leech_threshold=user.leech_threshold,
            timezone=ZoneInfo(user.timezone or "UTC"),
            day_start_hour=user.day_start_hour,
            new_per_day=user.new_cards_per_day,
            reviews_per_day=user.reviews_per_day,
        )

    def for_deck(self, deck: Deck) -> Self:
        """What the deck sets itself takes the place of the account's."""
        return replace(
            self,
            scheduler=scheduler_named(deck.scheduler or self.scheduler),
            desired_retention=deck.desired_retention or self.desired_retention,
            new_per_day=self.new_per_day if deck.new_cards_per_day is None else deck.new_cards_per_day,
            reviews_per_day=self.reviews_per_day if deck.reviews_per_day is None else deck.reviews_per_day,
        )


def scheduler_named(name: str) -> SchedulerName:
    return "sm2" if name == "sm2" else "fsrs"


def seed_of(card_id: UUID, reps: int) -> bytes:
    """What is drawn for a card is drawn from this: the same for the same card after as many reviews."""
    return card_id.bytes + reps.to_bytes(8, "big")
