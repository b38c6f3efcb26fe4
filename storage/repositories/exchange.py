"""Decks on their way in and out: many cards, reviews and files at a time."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, insert, or_, select, update

from storage.models import CardReview, Deck, DeckMedia, File, Flashcard, Job, Material
from storage.repositories.base import Repository, among

ROWS_A_STATEMENT = 500
"""PostgreSQL takes 32,767 values in one statement."""


@dataclass(frozen=True, slots=True)
class DeckFile:
    """A picture or sound of a deck."""

    name: str
    file: File


class ExchangeRepository(Repository):
    # --- in

    async def add_file(self, row: File) -> File:
        self.session.add(row)
        await self.session.flush()
        return row

    async def is_material(self, file_id: UUID) -> bool:
        """Whether the file belongs to a material, so that it must stay."""
        found = select(Material.id).where(Material.file_id == file_id, Material.user_id == self.user_id)
        return await self.session.scalar(found.limit(1)) is not None

    async def imported_deck(self, title: str, sources: Sequence[str], class_id: UUID | None) -> Deck | None:
        """The newest own deck of this title that came from outside, in this class if one is named."""
        found = select(Deck).where(
            Deck.user_id == self.user_id,
            Deck.deleted_at.is_(None),
            Deck.title == title,
            Deck.source.in_(sources),
        )
        if class_id is not None:
            found = found.where(Deck.class_id == class_id)
        return await self.session.scalar(found.order_by(Deck.id.desc()).limit(1))

    async def same_notes(self, guids: Sequence[str], note_ids: Sequence[UUID]) -> Sequence[Flashcard]:
        """Own cards that came with these note numbers, or whose group or own id is one of `note_ids`; locked."""
        live = select(Deck.id).where(Deck.user_id == self.user_id, Deck.deleted_at.is_(None))
        found = select(Flashcard).where(
            Flashcard.user_id == self.user_id,
            Flashcard.deleted_at.is_(None),
            Flashcard.deck_id.in_(live),
            or_(
                Flashcard.anki_guid.in_(guids),
                among(Flashcard.id, note_ids),
                Flashcard.group_id.in_(note_ids),
            ),
        )
        return (await self.session.scalars(found.order_by(Flashcard.id).with_for_update())).all()

    async def same_words(self, deck_id: UUID, prints: Sequence[bytes]) -> Sequence[Flashcard]:
        """Cards of a deck whose front has one of these fingerprints; locked."""
        found = select(Flashcard).where(
            Flashcard.user_id == self.user_id,
            Flashcard.deck_id == deck_id,
            Flashcard.deleted_at.is_(None),
            Flashcard.fingerprint.in_(prints),
        )
        return (await self.session.scalars(found.order_by(Flashcard.id).with_for_update())).all()

    async def add_cards(self, rows: Sequence[Mapping[str, Any]]) -> None:
        for start in range(0, len(rows), ROWS_A_STATEMENT):
            await self.session.execute(
                insert(Flashcard), [dict(row) for row in rows[start : start + ROWS_A_STATEMENT]]
            )

    async def add_reviews(self, rows: Sequence[Mapping[str, Any]]) -> None:
        for start in range(0, len(rows), ROWS_A_STATEMENT):
            await self.session.execute(
                insert(CardReview), [dict(row) for row in rows[start : start + ROWS_A_STATEMENT]]
            )

    async def review_times(self, card_ids: Sequence[UUID]) -> dict[UUID, list[tuple[int | None, datetime]]]:
        """(number in Anki, time) of the reviews of each card."""
        found = select(CardReview.card_id, CardReview.imported_id, CardReview.reviewed_at).where(
            CardReview.user_id == self.user_id, among(CardReview.card_id, card_ids)
        )
        times: dict[UUID, list[tuple[int | None, datetime]]] = {}
        for card_id, number, when in await self.session.execute(found):
            times.setdefault(card_id, []).append((number, when))
        return times

    async def media_of(self, deck_id: UUID) -> list[DeckFile]:
        found = (
            select(DeckMedia.name, File)
            .join(File, File.id == DeckMedia.file_id)
            .where(DeckMedia.deck_id == deck_id, DeckMedia.user_id == self.user_id)
        )
        rows = await self.session.execute(found.order_by(DeckMedia.name))
        return [DeckFile(name, file) for name, file in rows]

    async def media_file(self, deck_id: UUID, name: str) -> File | None:
        """Of an own deck."""
        found = select(File).join(DeckMedia, DeckMedia.file_id == File.id)
        found = found.where(
            DeckMedia.deck_id == deck_id,
            DeckMedia.user_id == self.user_id,
            File.user_id == self.user_id,
            DeckMedia.name == name,
        )
        return await self.session.scalar(found)

    async def file_with(self, sha256: bytes) -> File | None:
        """A file of some deck with exactly this content."""
        used = select(DeckMedia.file_id).where(DeckMedia.user_id == self.user_id)
        found = select(File).where(File.user_id == self.user_id, File.sha256 == sha256, File.id.in_(used))
        return await self.session.scalar(found.limit(1))

    async def set_media(self, deck_id: UUID, name: str, file_id: UUID) -> None:
        """The file that a name stands for in a deck, from now on."""
        known = await self.session.scalar(
            select(DeckMedia).where(
                DeckMedia.deck_id == deck_id, DeckMedia.user_id == self.user_id, DeckMedia.name == name
            )
        )
        if known is None:
            known = DeckMedia(id=self.clock.new_id(), user_id=self.user_id, deck_id=deck_id, name=name)
            self.session.add(known)
        known.file_id = file_id
        await self.session.flush()

    async def note_result(self, job_id: UUID, result: Mapping[str, Any]) -> None:
        """What came out of a job."""
        await self.session.execute(
            update(Job).where(Job.id == job_id, Job.user_id == self.user_id).values(result=dict(result))
        )

    # --- out

    async def cards_of(self, deck_id: UUID) -> Sequence[Flashcard]:
        """All that are asked, in order."""
        found = select(Flashcard).where(
            Flashcard.user_id == self.user_id,
            Flashcard.deck_id == deck_id,
            Flashcard.deleted_at.is_(None),
            Flashcard.status == "active",
        )
        return (
            await self.session.scalars(found.order_by(Flashcard.ordinal, Flashcard.gap, Flashcard.id))
        ).all()

    async def reviews_of(self, card_ids: Sequence[UUID]) -> dict[UUID, list[CardReview]]:
        """Those that count, oldest first."""
        found = select(CardReview).where(
            CardReview.user_id == self.user_id,
            among(CardReview.card_id, card_ids),
            CardReview.undone_at.is_(None),
        )
        reviews: dict[UUID, list[CardReview]] = {}
        for row in await self.session.scalars(found.order_by(CardReview.reviewed_at, CardReview.id)):
            reviews.setdefault(row.card_id, []).append(row)
        return reviews

    async def count_cards(self, deck_ids: Sequence[UUID]) -> dict[UUID, int]:
        found = select(Flashcard.deck_id, func.count()).where(
            among(Flashcard.deck_id, deck_ids),
            Flashcard.user_id == self.user_id,
            Flashcard.deleted_at.is_(None),
        )
        return {row[0]: row[1] for row in await self.session.execute(found.group_by(Flashcard.deck_id))}
