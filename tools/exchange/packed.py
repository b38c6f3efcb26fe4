"""A deck on its way in or out, in the form that all formats share. It comes from a process that reads what strangers wrote, so
every part is checked here."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from tools.study.keys import CardType, Choice

MOST_NOTES = 50_000
MOST_CARDS_A_NOTE = 500
LONGEST_TEXT = 100_000
"""Characters of one side of a card."""
MOST_TAGS = 100
MOST_REVIEWS_A_CARD = 20_000

Text = Annotated[str, Field(max_length=LONGEST_TEXT)]
Number = Annotated[float, Field(allow_inf_nan=False)]
Counted = Annotated[int, Field(ge=0, le=2_000_000_000)]


class Part(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Review(Part):
    """One row of Anki's review log: `id` is its time in milliseconds; intervals are days, or seconds where negative; the factor
    is permille of ease, or 100 to 1100 for FSRS difficulty 1 to 10."""

    id: int = Field(ge=0, le=1 << 53)
    rating: int = Field(ge=1, le=4)
    kind: int = Field(ge=0, le=5, description="0 learn, 1 review, 2 relearn, 3 filtered deck.")
    interval: int = Field(ge=-(1 << 40), le=1 << 40)
    last_interval: int = Field(ge=-(1 << 40), le=1 << 40)
    factor: int = Field(ge=0, le=1 << 30)
    duration_ms: int = Field(ge=0, le=1 << 31)


class Schedule(Part):
    """Where a card stands. Times are seconds since 1970."""

    state: Literal["new", "learning", "review", "relearning"] = "new"
    due: Number | None = Field(default=None, description="None while new.")
    interval_days: Number = 0.0
    ease: Number | None = Field(default=None, description="SM-2's factor, where it has one.")
    stability: Number | None = None
    difficulty: Number | None = None
    step: int | None = Field(default=None, ge=0, le=100)
    reps: Counted = 0
    lapses: Counted = 0
    last_review: Number | None = None
    suspended: bool = False
    buried: bool = False


class PackedCard(Part):
    ord: int = Field(ge=0, le=MOST_CARDS_A_NOTE, description="Gap minus 1, or 1 for the other direction.")
    front: Text
    back: Text
    schedule: Schedule = Schedule()
    reviews: list[Review] = Field(default_factory=list, max_length=MOST_REVIEWS_A_CARD)


class PackedNote(Part):
    """Cards that are made of one text: both directions, all gaps."""

    guid: str = Field(min_length=1, max_length=200)
    modified: int = Field(default=0, description="Seconds since 1970.")
    type: CardType
    deck: int = Field(ge=0, description="Position in the list of decks.")
    tags: list[Annotated[str, Field(max_length=200)]] = Field(default_factory=list, max_length=MOST_TAGS)
    extra: Text | None = None
    options: list[Choice] = Field(default_factory=list, max_length=50)
    quote: Text | None = None
    source_label: str | None = Field(default=None, max_length=2000)
    source_url: str | None = Field(default=None, max_length=4000)
    is_leech: bool = False
    cards: list[PackedCard] = Field(min_length=1, max_length=MOST_CARDS_A_NOTE)


class PackedDeck(Part):
    name: str = Field(min_length=1, max_length=2000)
    anki_id: int | None = None
    description: str | None = Field(default=None, max_length=LONGEST_TEXT)
    new_cards_per_day: int | None = Field(default=None, ge=0, le=9999)
    reviews_per_day: int | None = Field(default=None, ge=0, le=9999)
    desired_retention: Number | None = None


class Report(BaseModel):
    """What became of an import; kept as the result of its job."""

    decks: list[dict[str, Any]] = Field(
        default_factory=list, description="id, title and number of new cards of each."
    )
    cards: int = Field(default=0, description="Added.")
    updated: int = Field(
        default=0, description="Cards that were there and got a newer text, state or reviews."
    )
    unchanged: int = Field(default=0, description="Cards that were there as they are.")
    reviews: int = Field(default=0, description="Added.")
    media: int = Field(default=0, description="Pictures and sounds added.")
    skipped: dict[str, int] = Field(default_factory=dict, description="How many were left out, by reason.")

    def skip(self, reason: str, count: int = 1) -> None:
        self.skipped[reason] = self.skipped.get(reason, 0) + count
