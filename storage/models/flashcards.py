"""Decks, cards with the state of their scheduler, reviews, and the media of imported decks."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Date, ForeignKey, Index, Integer, SmallInteger, UniqueConstraint
from sqlalchemy import text as sql
from sqlalchemy.orm import Mapped, mapped_column

from storage.models.accounts import SCHEDULERS
from storage.models.base import (
    LIVE,
    Base,
    Evidenced,
    Generated,
    Identified,
    Json,
    Owned,
    Shareable,
    SoftDeleted,
    Timestamped,
    between,
    one_of,
    parent,
    same_owner,
    shared_in_class,
    trigrams,
)

DECK_SOURCES = ("own", "generated", "anki", "csv", "quizlet", "copy")
CARD_TYPES = ("basic", "reversed", "cloze", "multiple_choice")
CARD_STATES = ("new", "learning", "review", "relearning")
DUE = sql("deleted_at IS NULL AND suspended_at IS NULL AND state <> 'new'")
NEW = sql("deleted_at IS NULL AND suspended_at IS NULL AND state = 'new'")


class Deck(Base, Identified, Owned, Timestamped, SoftDeleted, Generated, Shareable):
    """A deck of flashcards. Empty settings mean those of its owner."""

    __tablename__ = "decks"

    class_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("classes.id", ondelete="SET NULL"), comment="The class it belongs to, own or joined."
    )
    title: Mapped[str] = mapped_column(comment="Title.")
    description: Mapped[str | None] = mapped_column(comment="What it covers.")
    source: Mapped[str] = mapped_column(
        server_default=sql("'own'"), comment="own, generated, anki, csv, quizlet or copy (of a shared deck)."
    )
    anki_id: Mapped[int | None] = mapped_column(
        BigInteger, comment="Deck number in the Anki collection it came from."
    )
    scheduler: Mapped[str | None] = mapped_column(comment="fsrs or sm2.")
    desired_retention: Mapped[float | None] = mapped_column(
        comment="Share of cards to be remembered when due, 0.7 to 0.99."
    )
    new_cards_per_day: Mapped[int | None] = mapped_column(comment="Daily limit of new cards.")
    reviews_per_day: Mapped[int | None] = mapped_column(comment="Daily limit of reviews.")
    rejected: Mapped[Json] = mapped_column(
        server_default=sql("'{}'"), comment="How many items the gate turned away, by reason."
    )

    __table_args__ = (
        one_of("source", DECK_SOURCES),
        one_of("scheduler", SCHEDULERS),
        between("desired_retention", 0.7, 0.99),
        parent(),
        Index("ix_decks_class_id_created_at", "class_id", "created_at"),
        Index("ix_decks_user_id_created_at", "user_id", "created_at", postgresql_where=LIVE),
        Index("ix_decks_deleted_at", "deleted_at", postgresql_where=sql("deleted_at IS NOT NULL")),
        shared_in_class("decks"),
        trigrams("decks", "title"),
    )


class DeckMedia(Base, Identified, Owned):
    """A picture or sound that cards of a deck name."""

    __tablename__ = "deck_media"

    deck_id: Mapped[UUID] = mapped_column(comment="The deck.")
    name: Mapped[str] = mapped_column(comment="Name in the cards' text.")
    file_id: Mapped[UUID] = mapped_column(index=True, comment="The file.")

    __table_args__ = (
        same_owner("deck_id", "decks"),
        same_owner("file_id", "files"),
        UniqueConstraint("deck_id", "name"),
        Index("ix_deck_media_user_id", "user_id"),
    )


class Flashcard(Base, Identified, Owned, Timestamped, SoftDeleted, Evidenced):
    """A card with what its scheduler knows: stability and difficulty for FSRS, ease factor and interval for SM-2."""

    __tablename__ = "flashcards"

    deck_id: Mapped[UUID] = mapped_column(comment="Its deck.")
    ordinal: Mapped[int] = mapped_column(
        Integer, comment="Position in the deck, from 0; new cards come in this order."
    )
    type: Mapped[str] = mapped_column(
        server_default=sql("'basic'"), comment="basic, reversed, cloze or multiple_choice."
    )
    front: Mapped[str] = mapped_column(comment="Question; of a cloze, the text with {{c1::gaps}}.")
    back: Mapped[str] = mapped_column(comment="Answer.")
    extra: Mapped[str | None] = mapped_column(comment="Hint or remark shown with the answer.")
    options: Mapped[list[Any]] = mapped_column(
        server_default=sql("'[]'"), comment="Choices of a multiple-choice card."
    )
    group_id: Mapped[UUID | None] = mapped_column(
        comment="Shared by cards of one note (both directions, all gaps), which are not shown on one day."
    )
    gap: Mapped[int | None] = mapped_column(
        SmallInteger, comment="Number of the gap that this card asks for."
    )
    tags: Mapped[list[str]] = mapped_column(server_default=sql("'{}'"), comment="Words to file it under.")
    anki_guid: Mapped[str | None] = mapped_column(comment="Note id in Anki, so that a second import updates.")
    concept_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("concepts.id", ondelete="SET NULL"), index=True, comment="The concept it is about."
    )
    fingerprint: Mapped[bytes | None] = mapped_column(
        comment="Hash of its normalised words, to find repeats."
    )
    status: Mapped[str] = mapped_column(
        server_default=sql("'active'"), comment="active, or retired after bad ratings."
    )

    scheduler: Mapped[str] = mapped_column(
        server_default=sql("'fsrs'"), comment="Which scheduler the state below is of."
    )
    state: Mapped[str] = mapped_column(
        server_default=sql("'new'"), comment="new, learning, review or relearning."
    )
    step: Mapped[int | None] = mapped_column(SmallInteger, comment="Which (re)learning step comes next.")
    stability: Mapped[float | None] = mapped_column(comment="FSRS: days until recall falls to 90 %.")
    difficulty: Mapped[float | None] = mapped_column(comment="FSRS: 1 to 10.")
    due_at: Mapped[datetime | None] = mapped_column(comment="When it is to be reviewed; null while new.")
    last_reviewed_at: Mapped[datetime | None] = mapped_column(comment="Last review.")
    interval_days: Mapped[float] = mapped_column(
        server_default=sql("0"), comment="Days between the last review and the next."
    )
    ease_factor: Mapped[float] = mapped_column(server_default=sql("2.5"), comment="SM-2: at least 1.3.")
    repetitions: Mapped[int] = mapped_column(
        Integer, server_default=sql("0"), comment="SM-2: good reviews in a row."
    )
    reps: Mapped[int] = mapped_column(Integer, server_default=sql("0"), comment="Reviews in all.")
    lapses: Mapped[int] = mapped_column(
        Integer, server_default=sql("0"), comment="Times it was known and then forgotten."
    )
    is_leech: Mapped[bool] = mapped_column(
        server_default=sql("false"), comment="Forgotten too often; better rewritten."
    )
    suspended_at: Mapped[datetime | None] = mapped_column(comment="Since when it is not asked at all.")
    buried_until: Mapped[date | None] = mapped_column(Date, comment="Study day before which it is not asked.")

    __table_args__ = (
        one_of("type", CARD_TYPES),
        one_of("scheduler", SCHEDULERS),
        one_of("state", CARD_STATES),
        one_of("status", ("active", "retired")),
        between("difficulty", 1, 10),
        between("ease_factor", 1.3, 10),
        between("quality_score", 0, 1),
        parent(),
        same_owner("deck_id", "decks"),
        Index("ix_flashcards_deck_id_ordinal", "deck_id", "ordinal"),
        Index("ix_flashcards_due", "user_id", "due_at", postgresql_where=DUE),
        Index("ix_flashcards_deck_due", "deck_id", "due_at", postgresql_where=DUE),
        Index("ix_flashcards_new", "user_id", "deck_id", "ordinal", postgresql_where=NEW),
        Index("ix_flashcards_deleted_at", "deleted_at", postgresql_where=sql("deleted_at IS NOT NULL")),
        Index("ix_flashcards_user_id_fingerprint", "user_id", "fingerprint"),
    )


class CardReview(Base, Identified, Owned):
    """One review, with the card's state before and after, so that it can be undone and the scheduler fitted."""

    __tablename__ = "card_reviews"

    card_id: Mapped[UUID] = mapped_column(comment="The card.")
    session_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("study_sessions.id", ondelete="SET NULL"), index=True, comment="The study session."
    )
    reviewed_at: Mapped[datetime] = mapped_column(comment="When.")
    scheduler: Mapped[str] = mapped_column(comment="fsrs or sm2.")
    rating: Mapped[int] = mapped_column(SmallInteger, comment="1 again, 2 hard, 3 good, 4 easy.")
    grade: Mapped[int | None] = mapped_column(
        SmallInteger, comment="SM-2's own scale, 0 to 5, where it was used."
    )
    duration_ms: Mapped[int | None] = mapped_column(comment="Time taken, in milliseconds.")
    elapsed_days: Mapped[float | None] = mapped_column(comment="Days since the review before.")
    scheduled_days: Mapped[float | None] = mapped_column(comment="Days until the next one, as decided.")
    before: Mapped[Json] = mapped_column(comment="The card's scheduling columns before.")
    after: Mapped[Json] = mapped_column(comment="The same after.")
    imported_id: Mapped[int | None] = mapped_column(
        BigInteger, comment="Review number in Anki, of an imported history."
    )
    undone_at: Mapped[datetime | None] = mapped_column(
        comment="When it was taken back; then it counts for nothing."
    )

    __table_args__ = (
        one_of("scheduler", SCHEDULERS),
        between("rating", 1, 4),
        between("grade", 0, 5),
        same_owner("card_id", "flashcards"),
        UniqueConstraint("card_id", "imported_id"),
        Index("ix_card_reviews_card_id_reviewed_at", "card_id", "reviewed_at"),
        Index("ix_card_reviews_user_id_reviewed_at", "user_id", "reviewed_at"),
    )
