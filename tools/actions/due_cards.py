"""A card that is asked, as tools show it, with what each rating would do; and what is left of the day."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from pydantic import BaseModel, Field

from storage.models import Deck, Flashcard
from tools.actions.card_items import DueCounts, Evidence, State, evidence_of
from tools.context import ToolContext
from tools.scheduling.deciding import in_words, preview
from tools.scheduling.faces import choices_in_order, shown
from tools.scheduling.queue import Candidate
from tools.scheduling.session import Study
from tools.scheduling.state import Schedule, seed_of
from tools.study.keys import CardType, Choice


class Choices(BaseModel):
    """When the card comes back after each rating, in words: 10 min, 3 d."""

    again: str
    hard: str
    good: str
    easy: str


class DueCard(BaseModel):
    id: UUID
    deck_id: UUID
    deck_title: str
    type: CardType
    front: str = Field(description="What is asked; of a cloze the text with its gap as […] or [hint].")
    back: str = Field(description="The answer: show it only after the student has tried.")
    extra: str | None = Field(description="Hint or remark, shown with the answer.")
    options: list[Choice] = Field(description="Of a multiple choice, in the order to be shown.")
    tags: list[str]
    state: State
    due_at: datetime | None
    reps: int
    lapses: int
    is_leech: bool
    next_intervals: Choices
    evidence: Evidence | None
    review_token: str = Field(description="Give it to review_card, so that a repeated call counts once.")


async def due_cards(ctx: ToolContext, study: Study, rows: Sequence[Flashcard]) -> list[DueCard]:
    evidence = await evidence_of(ctx, rows)
    return [due_card(study, row, study.decks[row.deck_id], evidence.get(row.id)) for row in rows]


def due_card(study: Study, row: Flashcard, deck: Deck, evidence: Evidence | None) -> DueCard:
    seen = shown(row.type, row.front, row.back, row.gap)
    schedule, seed = Schedule.of(row), seed_of(row.id, row.reps)
    intervals = preview(schedule, study.now, study.of(deck), seed)
    made = {"deck_title", "front", "back", "options", "next_intervals", "evidence", "review_token"}
    fields = {name: getattr(row, name) for name in DueCard.model_fields if name not in made}
    return DueCard(
        **fields,
        deck_title=deck.title,
        front=seen.question,
        back=seen.answer,
        options=choices_in_order([Choice.model_validate(one) for one in row.options], seed),
        next_intervals=Choices(**{word: in_words(interval) for word, interval in intervals.items()}),
        evidence=evidence,
        review_token=token_of(schedule),
    )


def token_of(schedule: Schedule) -> str:
    """Names the card's state before a review, so that the same review is known when it comes again."""
    last = schedule.last_reviewed_at
    return f"{schedule.reps}-{round(last.timestamp() * 1000) if last else 0}"


def counts_of(study: Study, deck_id: UUID | None = None) -> DueCounts:
    """What is left today, of all that the queue is over or of one deck."""
    queue = study.queue

    def counted(cards: Sequence[Candidate]) -> int:
        return sum(deck_id is None or card.deck_id == deck_id for card in cards)

    return DueCounts(
        new=counted(queue.new),
        learning=counted(queue.learning),
        review=counted(queue.reviews),
        learning_later=counted(queue.later),
    )


def whats_left(study: Study) -> str:
    """In a sentence."""
    counts, queue = counts_of(study), study.queue
    parts = [
        f"{count} {word}"
        for count, word in (
            (counts.learning, "being learned"),
            (counts.review, "to review"),
            (counts.new, "new"),
        )
        if count
    ]
    if parts:
        return f"Left today: {', '.join(parts)}."
    if queue.next_due_at is not None:
        wait = max(queue.next_due_at - study.now, timedelta(0))
        return f"Nothing is due this moment; the next card comes back in {in_words(wait)}."
    more = f" {study.overdue} more are due beyond the daily limit." if study.overdue else ""
    return f"Everything for today is done.{more}"
