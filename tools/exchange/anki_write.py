"""Writes a package with Anki's own library. Runs in the process of `anki_child`."""

import html
import json
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from anki.cards import CardId
from anki.collection import AddNoteRequest, Collection, DeckIdLimit, ExportAnkiPackageOptions
from anki.decks import DeckId
from anki.models import NotetypeId
from anki.notes import Note

from tools.exchange.note_types import IDS, database, make_note_types
from tools.exchange.packed import PackedCard, PackedDeck, PackedNote, Schedule
from tools.exchange.study_days import StudyDays
from tools.exchange.to_html import to_html

QUEUES = {"new": 0, "learning": 1, "review": 2, "relearning": 1}
TYPES = {"new": 0, "learning": 1, "review": 2, "relearning": 3}
SUSPENDED, BURIED = -1, -3
LEECH = "leech"
NOTES_AT_ONCE = 200
CARDS = "select nid, ord, id from cards"
MODIFIED = "update notes set mod = ? where id = ?"
SCHEDULE = "update cards set type = ?, queue = ?, due = ?, ivl = ?, factor = ?, reps = ?, lapses = ?, left = ?, data = ? where id = ?"
REVIEW = "insert into revlog (id, cid, usn, ease, ivl, lastIvl, factor, time, type) values (?, ?, -1, ?, ?, ?, ?, ?, ?)"
STEPS = 2
"""Learning steps of a new collection of Anki: 1 and 10 minutes."""


def write_package(
    col: Collection, days: StudyDays, deck: PackedDeck, notes: Iterator[PackedNote], media: Path, out: Path
) -> int:
    """Gives the number of notes. `media` is a folder with the files under the names that texts use."""
    make_note_types(col)
    deck_id = col.decks.id(deck.name)
    if deck_id is None:
        raise RuntimeError("no deck")
    if deck.description:
        described = col.decks.get(deck_id)
        if described is not None:
            described["desc"] = deck.description
            col.decks.save(described)
    writer = _Writer(col, days, deck_id)
    for batch in batched(notes):
        writer.add(batch)
    for file in sorted(media.iterdir()):
        (Path(col.media.dir()) / file.name).write_bytes(file.read_bytes())
    options = ExportAnkiPackageOptions(
        with_scheduling=True, with_deck_configs=False, with_media=True, legacy=True
    )
    col.export_anki_package(out_path=str(out), options=options, limit=DeckIdLimit(deck_id))
    return writer.count


def batched(notes: Iterator[PackedNote]) -> Iterator[list[PackedNote]]:
    while batch := list(islice(notes, NOTES_AT_ONCE)):
        yield batch


class _Ids:
    """Review numbers are times in milliseconds, each used once."""

    def __init__(self) -> None:
        self._used: set[int] = set()

    def review(self, wanted: int) -> int:
        while wanted in self._used:
            wanted += 1
        self._used.add(wanted)
        return wanted


class _Writer:
    """Adds notes many at a time: each statement of its own is a commit to Anki's library."""

    def __init__(self, col: Collection, days: StudyDays, deck_id: DeckId) -> None:
        self._col = col
        self._days = days
        self._deck_id = deck_id
        self._ids = _Ids()
        self.count = 0

    def add(self, batch: list[PackedNote]) -> None:
        notes = [self._note(packed) for packed in batch]
        self._col.add_notes([AddNoteRequest(note, self._deck_id) for note in notes])
        db = database(self._col)
        modified = [(packed.modified, note.id) for packed, note in zip(batch, notes, strict=True)]
        made: dict[int, dict[int, int]] = {}
        numbers = ",".join(str(note.id) for note in notes)
        for note_id, ord, card_id in db.all(f"{CARDS} where nid in ({numbers})"):
            made.setdefault(note_id, {})[ord] = card_id
        cards, reviews, unwanted = [], [], []
        for packed, note in zip(batch, notes, strict=True):
            ids, wanted = made.get(note.id, {}), {card.ord: card for card in packed.cards}
            unwanted += [card_id for ord, card_id in ids.items() if ord not in wanted]
            for ord, card in wanted.items():
                if ord in ids:
                    cards.append((*_card_values(self._days, card, self.count), ids[ord]))
                    reviews += self._reviews(ids[ord], card)
            self.count += 1

        def note_states() -> None:
            db.executemany(MODIFIED, modified)
            db.executemany(SCHEDULE, cards)
            db.executemany(REVIEW, reviews)

        db.transact(note_states)
        if unwanted:
            self._col.remove_cards_and_orphaned_notes([CardId(one) for one in unwanted])

    def _note(self, packed: PackedNote) -> Note:
        note = Note(self._col, NotetypeId(IDS[packed.type]))
        note.guid = packed.guid
        note.tags = [*packed.tags, *([LEECH] if packed.is_leech else [])]
        for name, text in fields_of(packed).items():
            note[name] = text
        return note

    def _reviews(self, card_id: int, card: PackedCard) -> list[tuple[int, ...]]:
        return [
            (
                self._ids.review(one.id), card_id, one.rating, one.interval, one.last_interval, one.factor,
                one.duration_ms, one.kind,
            )
            for one in card.reviews
        ]  # fmt: skip


def fields_of(packed: PackedNote) -> dict[str, str]:
    first = min(packed.cards, key=lambda card: card.ord)
    # Of a reversed note whose first card is gone, the sides change places.
    front, back = (
        (first.back, first.front)
        if packed.type == "reversed" and first.ord == 1
        else (first.front, first.back)
    )
    fields = {
        "Extra": to_html(packed.extra or ""),
        "Quote": html.escape(packed.quote or "", quote=False).replace("\n", "<br>"),
        "Source": _source(packed),
    }
    if packed.type == "cloze":
        return {"Text": to_html(front), **fields}
    if packed.type == "multiple_choice":
        items = "".join(
            f'<li data-id="{html.escape(choice.id)}">{to_html(choice.text)}</li>' for choice in packed.options
        )
        fields["Choices"] = f'<ol type="A">{items}</ol>'
    return {"Front": to_html(front), "Back": to_html(back), **fields}


def _source(packed: PackedNote) -> str:
    label = html.escape(packed.source_label or "", quote=False)
    if not packed.source_url:
        return label
    return f'<a href="{html.escape(packed.source_url)}">{label or "Source"}</a>'


def _card_values(days: StudyDays, card: PackedCard, position: int) -> tuple[int | str, ...]:
    """For SCHEDULE, without the card's number."""
    one = card.schedule
    has_interval = one.state in ("review", "relearning")
    return (
        TYPES[one.state], _queue(one), _due(days, one, position), max(1, round(one.interval_days)) if has_interval else 0,
        round((one.ease or 2.5) * 1000) if one.state != "new" else 0, one.reps, one.lapses, _left(one), _data(one, position),
    )  # fmt: skip


def _queue(one: Schedule) -> int:
    if one.suspended:
        return SUSPENDED
    return BURIED if one.buried else QUEUES[one.state]


def _due(days: StudyDays, one: Schedule, position: int) -> int:
    if one.due is None or one.state == "new":
        return position + 1
    return days.number(one.due) if one.state == "review" else int(one.due)


def _left(one: Schedule) -> int:
    if one.state not in ("learning", "relearning"):
        return 0
    return max(1, (STEPS if one.state == "learning" else 1) - (one.step or 0))


def _data(one: Schedule, position: int) -> str:
    """Anki's column `data`: original position, FSRS memory state, time of the last review (rslib, storage/card/data.rs)."""
    data: dict[str, float | int] = {"pos": position + 1} if one.state != "new" else {}
    if one.stability is not None and one.difficulty is not None:
        data |= {"s": round(one.stability, 4), "d": round(one.difficulty, 3)}
    if one.last_review is not None:
        data["lrt"] = int(one.last_review)
    return json.dumps(data, separators=(",", ":")) if data else "{}"
