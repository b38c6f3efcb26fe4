"""Notes into cards of decks: new ones are added, known ones get the newer text, state and the reviews that are missing."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from storage.clock import Clock
from storage.models import Flashcard
from storage.repositories import Repositories
from tools.exchange.guids import guid_of, note_id_of
from tools.exchange.packed import PackedCard, PackedNote, Report
from tools.exchange.states import columns_of, is_known, moment, review_row, tomorrow
from tools.exchange.to_html import names_in
from tools.scheduling.state import COLUMNS, StudySettings
from tools.study.items import fingerprint

Known = dict[str, list[Flashcard]]


@dataclass(slots=True)
class Merge:
    """Into the decks of one import. `decks`: ids by the numbers that notes have."""

    user_id: UUID
    clock: Clock
    settings: StudySettings
    decks: Sequence[UUID]
    from_anki: bool
    update: bool
    report: Report
    media: dict[UUID, set[str]] = field(default_factory=lambda: defaultdict(set))
    """Names of pictures and sounds that cards of each deck show."""
    _cards: list[dict[str, Any]] = field(default_factory=list)
    _reviews: list[dict[str, Any]] = field(default_factory=list)
    _ordinals: dict[UUID, int] = field(default_factory=dict)
    _times: Mapping[UUID, Any] = field(default_factory=dict)

    async def add(self, db: Repositories, notes: Sequence[PackedNote]) -> None:
        """One batch, within one transaction."""
        self._cards, self._reviews, self._ordinals = [], [], {}
        for deck_id in sorted({self.decks[note.deck] for note in notes}):
            await db.cards.deck_for_writing(deck_id)
            self._ordinals[deck_id] = await db.cards.next_ordinal(deck_id)
        known = await (self._known_notes(db, notes) if self.from_anki else self._known_words(db, notes))
        rows = [row.id for note in known.values() for row in note]
        self._times = await db.exchange.review_times(rows) if rows else {}
        for note in notes:
            self._merge(note, known.get(note.guid, []))
        await db.exchange.add_cards(self._cards)
        await db.exchange.add_reviews(self._reviews)

    # --- what is there

    async def _known_notes(self, db: Repositories, notes: Sequence[PackedNote]) -> Known:
        own = [note_id for note in notes if (note_id := note_id_of(note.guid))]
        known: Known = defaultdict(list)
        for row in await db.exchange.same_notes([note.guid for note in notes], own):
            known[guid_of(row.anki_guid, row.group_id or row.id)].append(row)
        return known

    async def _known_words(self, db: Repositories, notes: Sequence[PackedNote]) -> Known:
        """Rows of a table have no number: they are known by their words; one with the same front only when it is the only one."""
        prints: dict[bytes, list[PackedNote]] = defaultdict(list)
        for note in notes:
            prints[fingerprint(note.cards[0].front)].append(note)
        there: dict[bytes, dict[UUID, list[Flashcard]]] = defaultdict(lambda: defaultdict(list))
        for row in await db.exchange.same_words(self.decks[0], list(prints)):
            if row.fingerprint is not None:
                there[row.fingerprint][row.group_id or row.id].append(row)
        known: Known = {}
        for print, same in prints.items():
            found = list(there[print].values())
            for note in same:
                exact = [rows for rows in found if rows[0].back == note.cards[0].back]
                if exact:
                    known[note.guid] = exact[0]
                elif len(found) == len(same) == 1:
                    known[note.guid] = found[0]
        return known

    # --- one note

    def _merge(self, note: PackedNote, rows: list[Flashcard]) -> None:
        deck_id = rows[0].deck_id if rows else self.decks[note.deck]
        self._note_media(note, deck_id)
        group = next((row.group_id for row in rows if row.group_id), None)
        if group is None and note.type in ("reversed", "cloze"):
            group = self.clock.new_id()
        there = by_ord(rows)
        for card in note.cards:
            row = there.get(card.ord)
            if row is None:
                self._add(note, card, deck_id, group)
            elif self.update and self._renew(note, card, row, group):
                self.report.updated += 1
            else:
                self.report.unchanged += 1

    def _note_media(self, note: PackedNote, deck_id: UUID) -> None:
        texts = [note.extra or "", *(choice.text for choice in note.options)]
        texts += [text for card in note.cards for text in (card.front, card.back)]
        for text in texts:
            self.media[deck_id] |= names_in(text)

    def _add(self, note: PackedNote, card: PackedCard, deck_id: UUID, group: UUID | None) -> None:
        card_id = self.clock.new_id()
        ordinal = self._ordinals.setdefault(deck_id, 0)
        self._ordinals[deck_id] += 1
        columns = columns_of(card.schedule, card.reviews, self.settings, is_leech=note.is_leech)
        self._cards.append({
            "id": card_id,
            "user_id": self.user_id,
            "deck_id": deck_id,
            "ordinal": ordinal,
            "group_id": group,
            "anki_guid": note.guid if self.from_anki and note_id_of(note.guid) is None else None,
            "fingerprint": fingerprint(card.front),
            "quote": note.quote,
            **texts_of(note, card, keeps_source=False),
            **{name: getattr(columns, name) for name in COLUMNS},
            **self._held(card),
            "parameters": self._mark(note),
        })  # fmt: skip
        self.report.cards += 1
        self._add_reviews(card_id, card, columns.scheduler, ())

    def _mark(self, note: PackedNote) -> dict[str, Any]:
        return {"anki": {"modified": note.modified}} if self.from_anki else {}

    def _held(self, card: PackedCard) -> dict[str, Any]:
        now = self.clock.now()
        return {
            "suspended_at": now if card.schedule.suspended else None,
            "buried_until": tomorrow(now, self.settings) if card.schedule.buried else None,
        }

    def _renew(self, note: PackedNote, card: PackedCard, row: Flashcard, group: UUID | None) -> bool:
        """Whether anything of the card was older than what comes."""
        changed = self._renew_text(note, card, row)
        if group is not None and row.group_id is None:
            row.group_id = group
        one = card.schedule
        last = moment(one.last_review) if one.last_review is not None else None
        if last is not None and (
            row.last_reviewed_at is None or (last - row.last_reviewed_at).total_seconds() > 1
        ):
            columns = columns_of(one, card.reviews, self.settings, is_leech=note.is_leech)
            columns.put(row)
            for name, value in self._held(card).items():
                setattr(row, name, value)
            changed = True
        return self._add_reviews(row.id, card, row.scheduler, self._times.get(row.id, ())) or changed

    def _renew_text(self, note: PackedNote, card: PackedCard, row: Flashcard) -> bool:
        new = texts_of(note, card, keeps_source=row.locator is not None)
        if all(getattr(row, name) == value for name, value in new.items()):
            return False
        if self.from_anki:
            seen = (row.parameters.get("anki") or {}).get("modified") or int(row.updated_at.timestamp())
            if note.modified <= seen:
                return False
        for name, value in new.items():
            setattr(row, name, value)
        row.fingerprint = fingerprint(card.front)
        row.parameters = row.parameters | self._mark(note)
        return True

    def _add_reviews(self, card_id: UUID, card: PackedCard, scheduler: str, times: Any) -> bool:
        before = None
        added = 0
        for review in card.reviews:
            if not is_known(review, times):
                row = review_row(card_id, review, before, scheduler)
                self._reviews.append({"id": self.clock.new_id(), "user_id": self.user_id, **row})
                added += 1
            before = review
        self.report.reviews += added
        return added > 0


def by_ord(rows: Sequence[Flashcard]) -> dict[int, Flashcard]:
    """The cards of one note by their numbers, as Anki counts. Directions without a number count in the order of the deck."""
    if all(row.gap is None for row in rows):
        return dict(enumerate(sorted(rows, key=lambda row: (row.ordinal, row.id))))
    return {(row.gap or 1) - 1: row for row in sorted(rows, key=lambda row: row.gap or 1)}


def texts_of(note: PackedNote, card: PackedCard, *, keeps_source: bool) -> dict[str, Any]:
    """The columns that a note's text fills. Without evidence of its own a card says in its remark where it comes from."""
    extra = note.extra
    if note.source_label and not keeps_source:
        source = f"[{note.source_label}]({note.source_url})" if note.source_url else note.source_label
        line = f"Source: {source}"
        extra = extra if extra and line in extra else "\n\n".join(filter(None, (extra, line)))
    return {
        "type": note.type,
        "front": card.front,
        "back": card.back,
        "extra": extra,
        "options": [choice.model_dump() for choice in note.options],
        "gap": card.ord + 1 if note.type in ("reversed", "cloze") else None,
        "tags": note.tags,
    }
