"""Decks and their cards. What is due, and reviews, are in `reviews`."""

from collections.abc import Sequence
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, any_, func, literal, or_, select, tuple_, update

from storage.errors import Forbidden, InvalidInput, NotFound
from storage.models import Deck, Flashcard
from storage.repositories.base import Page, Repository, among, as_uuid

NOT_YOURS = "The deck {!r} belongs to somebody else. Its cards can be read; to study them, make a copy of your own first."
STATES: dict[str, ColumnElement[bool]] = {
    "new": Flashcard.state == "new",
    "learning": Flashcard.state.in_(("learning", "relearning")),
    "review": Flashcard.state == "review",
    "suspended": Flashcard.suspended_at.is_not(None),
    "leech": Flashcard.is_leech.is_(True),
    "retired": Flashcard.status == "retired",
}


class CardRepository(Repository):
    # --- decks

    def _decks(self) -> Select[Deck]:
        return select(Deck).where(Deck.user_id == self.user_id, Deck.deleted_at.is_(None))

    async def add_deck(self, row: Deck) -> Deck:
        self.session.add(row)
        await self.session.flush()
        return row

    async def resolve_deck(self, wanted: str) -> Deck:
        """By id, title, or a part of the title, among one's own.

        Raises NotFound, Conflict listing the candidates, or Forbidden for a deck that is only shared.
        """
        row = await self.readable_deck(wanted)
        if row.user_id != self.user_id:
            raise Forbidden(NOT_YOURS.format(row.title), code="deck_not_yours")
        return row

    async def readable_deck(self, wanted: str) -> Deck:
        """The same, also among those that others share with the user; one's own come first."""
        try:
            return await self.named("deck", self._decks(), wanted, Deck.id, Deck.title)
        except NotFound as error:
            shared = select(Deck).where(Deck.user_id != self.user_id, Deck.deleted_at.is_(None))
            try:
                return await self.named("deck", shared, wanted, Deck.id, Deck.title)
            except NotFound:
                raise error from None

    async def deck_called(self, title: str) -> Deck | None:
        """One's own deck with exactly this id or title; the newest of several."""
        row_id = as_uuid(title)
        same = Deck.id == row_id if row_id else func.lower(Deck.title) == title.strip().lower()
        return await self.session.scalar(self._decks().where(same).order_by(Deck.id.desc()).limit(1))

    async def decks(self, class_id: UUID | None = None) -> Sequence[Deck]:
        """All of one's own, oldest first."""
        statement = self._decks() if class_id is None else self._decks().where(Deck.class_id == class_id)
        return (await self.session.scalars(statement.order_by(Deck.created_at, Deck.id))).all()

    async def recent_decks(
        self, *, query: str | None, class_id: UUID | None, limit: int, cursor: str | None
    ) -> Page[Deck]:
        """Newest first."""
        statement = self._decks()
        if query is not None:
            statement = statement.where(Deck.title.icontains(query, autoescape=True))
        if class_id is not None:
            statement = statement.where(Deck.class_id == class_id)
        return await self.page(statement, Deck.created_at, Deck.id, limit=limit, cursor=cursor)

    async def deck_for_writing(self, deck_id: UUID) -> Deck:
        """Locked until the end of the transaction, so that cards get their positions one after the other."""
        found = self._decks().where(Deck.id == deck_id).with_for_update()
        row: Deck | None = await self.session.scalar(found.execution_options(populate_existing=True))
        if row is None:
            raise NotFound("This deck was deleted.", code="deck_not_found")
        return row

    async def remove_deck(self, row: Deck) -> None:
        """Into the bin, with its cards, which stay as they are."""
        row.deleted_at = self.clock.now()
        await self.session.flush()

    async def card_counts(self, deck_ids: Sequence[UUID]) -> dict[UUID, tuple[int, int]]:
        """(cards, of them suspended) by deck, also of shared ones."""
        found = (
            select(Flashcard.deck_id, func.count(), func.count(Flashcard.suspended_at))
            .where(among(Flashcard.deck_id, deck_ids), Flashcard.deleted_at.is_(None))
            .group_by(Flashcard.deck_id)
        )
        return {deck_id: (cards, held) for deck_id, cards, held in await self.session.execute(found)}

    # --- cards

    def _cards(self) -> Select[Flashcard]:
        return select(Flashcard).where(Flashcard.user_id == self.user_id, Flashcard.deleted_at.is_(None))

    def _in_live_decks(self) -> Select[Flashcard]:
        live = select(Deck.id).where(Deck.user_id == self.user_id, Deck.deleted_at.is_(None))
        return self._cards().where(Flashcard.deck_id.in_(live))

    async def add(self, rows: Sequence[Flashcard]) -> None:
        self.session.add_all(rows)
        await self.session.flush()

    async def resolve(self, wanted: str) -> Flashcard:
        """One's own card by id, front, or a part of the front. Raises NotFound, or Conflict listing the candidates."""
        return await self.named("card", self._in_live_decks(), wanted, Flashcard.id, Flashcard.front)

    async def for_writing(self, card_id: UUID) -> Flashcard:
        """The card, locked until the end of the transaction. Raises NotFound when it was deleted."""
        found = self._cards().where(Flashcard.id == card_id).with_for_update()
        row: Flashcard | None = await self.session.scalar(found.execution_options(populate_existing=True))
        if row is None:
            raise NotFound("This card was deleted.", code="card_not_found")
        return row

    async def by_ids(self, ids: Sequence[UUID]) -> list[Flashcard]:
        """In the order of the ids; those that are gone are left out."""
        rows = {
            row.id: row for row in await self.session.scalars(self._cards().where(among(Flashcard.id, ids)))
        }
        return [rows[one] for one in ids if one in rows]

    async def siblings(self, row: Flashcard) -> Sequence[Flashcard]:
        """The other cards of its note, in order of their gaps. Notes are not split over decks."""
        if row.group_id is None:
            return []
        found = self._cards().where(
            Flashcard.deck_id == row.deck_id, Flashcard.group_id == row.group_id, Flashcard.id != row.id
        )
        return (await self.session.scalars(found.order_by(Flashcard.gap, Flashcard.id))).all()

    async def bury(self, ids: Sequence[UUID], until: date | None) -> None:
        await self.session.execute(
            update(Flashcard)
            .where(among(Flashcard.id, ids), Flashcard.user_id == self.user_id)
            .values(buried_until=until)
            .execution_options(synchronize_session="fetch")
        )

    async def next_ordinal(self, deck_id: UUID) -> int:
        last = await self.session.scalar(
            select(Flashcard.ordinal)
            .where(Flashcard.deck_id == deck_id)
            .order_by(Flashcard.ordinal.desc())
            .limit(1)
        )
        return 0 if last is None else last + 1

    async def known_prints(self, deck_id: UUID, prints: Sequence[bytes]) -> set[bytes]:
        """Which of these fingerprints cards of a deck have."""
        found = select(Flashcard.fingerprint).where(
            Flashcard.user_id == self.user_id,
            Flashcard.deck_id == deck_id,
            Flashcard.fingerprint.in_(prints),
            Flashcard.deleted_at.is_(None),
        )
        return {one for one in await self.session.scalars(found) if one is not None}

    async def in_deck(
        self,
        deck_id: UUID,
        *,
        query: str | None,
        tag: str | None,
        state: str | None,
        limit: int,
        cursor: str | None,
    ) -> Page[Flashcard]:
        """Cards in the order of the deck, also of a shared one; with all the query's words in their text."""
        found = select(Flashcard).where(
            Flashcard.deck_id == deck_id, Flashcard.deleted_at.is_(None), *narrowing(query, tag, state)
        )
        total = await self.session.scalar(select(func.count()).select_from(found.subquery()))
        if cursor is not None:
            found = found.where(tuple_(Flashcard.ordinal, Flashcard.id) > tuple_(*place_in_deck(cursor)))
        rows = list(
            await self.session.scalars(found.order_by(Flashcard.ordinal, Flashcard.id).limit(limit + 1))
        )
        more = len(rows) > limit
        return Page(rows[:limit], cursor_after(rows[limit - 1]) if more else None, total or 0)


def cursor_after(row: Flashcard) -> str:
    """Where a deck's list goes on after this card."""
    return f"{row.ordinal}_{row.id.hex}"


def place_in_deck(cursor: str) -> tuple[Any, Any]:
    ordinal, _, key = cursor.partition("_")
    card_id = as_uuid(key)
    if card_id is None or not ordinal.isdecimal() or len(ordinal) > 9:
        raise InvalidInput("This cursor is not one that the list gave.", code="invalid_cursor")
    return literal(int(ordinal)), literal(card_id)


def narrowing(query: str | None, tag: str | None, state: str | None) -> list[ColumnElement[bool]]:
    limits: list[ColumnElement[bool]] = []
    for word in (query or "").split():
        texts = (Flashcard.front, Flashcard.back, Flashcard.extra)
        limits.append(or_(*(text.icontains(word, autoescape=True) for text in texts)))
    if tag is not None:
        limits.append(literal(tag) == any_(Flashcard.tags))
    if state is not None:
        limits.append(STATES[state])
    return limits
