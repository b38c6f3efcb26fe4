"""The job that writes a deck into a file that other programs read."""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

from storage.errors import NotFound
from storage.files import Stored, file_key
from storage.life.retention import EXPORT_LIFE
from storage.locators import Locator
from storage.models import CardReview, Deck, Export, File, Flashcard, Material
from storage.repositories import Repositories
from storage.repositories.exchange import DeckFile
from storage.resources import Storage
from tools.actions.notes import url_of
from tools.exchange.anki_process import child_at_work, work_folder, write_package
from tools.exchange.guids import guid_of
from tools.exchange.media import PART
from tools.exchange.merging import by_ord
from tools.exchange.packed import PackedCard, PackedDeck, PackedNote, Schedule
from tools.exchange.states import packed_review, packed_schedule
from tools.exchange.tables import write_csv, write_quizlet
from tools.exchange.to_html import names_in
from tools.ingest.segments import Refusal
from tools.intake import once
from tools.life.archive import safe_name
from tools.scheduling.days import study_date
from tools.scheduling.state import StudySettings
from tools.study.keys import Choice
from tools.worker import JobFailed, RunningJob

EXPORT_DECK = "export_deck"
"""Kind of the job; its arguments name the export."""
MEDIA_TYPES = {"apkg": "application/apkg", "csv": "text/csv", "txt": "text/plain", "json": "application/json"}
NO_LIMIT = 1 << 40


@dataclass(slots=True)
class Contents:
    """What of a deck goes into the file."""

    deck: Deck
    notes: list[PackedNote]
    media: list[DeckFile]
    settings: StudySettings


class DeckExport:
    """Handler of the job."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage

    async def __call__(self, running: RunningJob) -> None:
        """Raises JobFailed when the deck is gone or the export ended, Stopped when cancelled."""
        export_id = UUID(running.job.arguments["export_id"])
        async with self._storage.as_user(running.user_id, read_only=True) as db:
            export = await db.exports.get(export_id)
            if export.status != "pending":
                raise JobFailed("export_ended", "This export was made already, or is not wanted any more.")
            contents = await self._contents(db, export, running)
        total = len(contents.notes)
        await running.progress(0, total, "Writing the cards", force=True)
        if export.format == "apkg":
            await self._package(running, export, contents)
        else:
            await self._ready(export, contents, once(_written(export, contents).encode()))
        await running.progress(total, total, "The file is ready", force=True)

    async def _contents(self, db: Repositories, export: Export, running: RunningJob) -> Contents:
        try:
            deck = await db.cards.resolve_deck(str(export.deck_id))
        except NotFound as error:
            raise JobFailed("deck_deleted", "The deck was deleted, so there is nothing to export.") from error
        settings = StudySettings.of(await db.accounts.me()).for_deck(deck)
        cards = list(await db.exchange.cards_of(deck.id))
        with_history = bool(export.options.get("with_history", True))
        reviews = await db.exchange.reviews_of([card.id for card in cards]) if with_history else {}
        sources = await _sources(db, cards, self._storage.settings.base_url)
        today = study_date(self._storage.clock.now(), settings)

        def packed(ord: int, card: Flashcard) -> PackedCard:
            return PackedCard(
                ord=ord,
                front=card.front,
                back=card.back,
                schedule=packed_schedule(card, today) if with_history else Schedule(),
                reviews=[packed_review(row) for row in _in_anki(reviews.get(card.id, []))],
            )

        notes = [
            _note(list(group.values()), [packed(ord, card) for ord, card in group.items()], sources)
            for group in groups_of(cards)
        ]
        return Contents(deck, notes, await db.exchange.media_of(deck.id), settings)

    async def _package(self, running: RunningJob, export: Export, contents: Contents) -> None:
        deck = contents.deck
        async with work_folder() as folder, child_at_work(folder) as child:
            media, notes, out = folder / "media", folder / "notes.jsonl", folder / "deck.apkg"
            media.mkdir()
            await self._fetch_media(running, contents, media)
            notes.write_text(
                "".join(f"{note.model_dump_json()}\n" for note in contents.notes), encoding="utf-8"
            )
            command = {
                "deck": PackedDeck(name=deck.title, description=deck.description).model_dump(),
                "notes": str(notes),
                "media": str(media),
                "out": str(out),
                "folder": str(folder),
                "zone": contents.settings.timezone.key,
                "start_hour": contents.settings.day_start_hour,
            }

            async def progress(done: int) -> None:
                await running.progress(done, len(contents.notes), "Writing the cards")

            try:
                await running.unless_halted(write_package(child, command, progress))
            except Refusal as refusal:
                raise JobFailed(refusal.code, str(refusal)) from refusal
            await self._ready(export, contents, _parts(out))

    async def _fetch_media(self, running: RunningJob, contents: Contents, folder: Path) -> None:
        """The files that cards name, as files beside them; one that is missing from the store is left out."""
        used = set().union(*(_names(note) for note in contents.notes)) if contents.notes else set()
        for one in contents.media:
            if one.name not in used or "/" in one.name or one.name.startswith("."):
                continue
            await running.progress(0, len(contents.notes), f"Adding {one.name}")
            try:
                with (folder / one.name).open("wb") as copy:
                    stored = Stored(one.file.size_bytes, one.file.sha256)
                    async for part in self._storage.files.read_whole(one.file.object_key, stored):
                        copy.write(part)
            except (NotFound, OSError):
                (folder / one.name).unlink(missing_ok=True)

    async def _ready(self, export: Export, contents: Contents, parts: AsyncIterator[bytes]) -> None:
        key = file_key(export.user_id, export.id)
        stored = await self._storage.files.put(key, parts, limit=NO_LIMIT)
        file = File(
            id=export.id,
            user_id=export.user_id,
            filename=f"{safe_name(contents.deck.title.replace('::', ' - '))[:200]}.{export.format}",
            object_key=key,
            media_type=MEDIA_TYPES[export.format],
            size_bytes=stored.size,
            sha256=stored.sha256,
        )
        async with self._storage.as_user(export.user_id) as db:
            await db.exports.ready(export.id, file, self._storage.clock.now() + EXPORT_LIFE)


def _in_anki(reviews: list[CardReview]) -> list[CardReview]:
    return sorted(reviews, key=lambda row: row.imported_id or int(row.reviewed_at.timestamp() * 1000))


def groups_of(cards: list[Flashcard]) -> list[dict[int, Flashcard]]:
    """Notes in the order of the deck, each with its cards by their numbers."""
    groups: dict[Any, list[Flashcard]] = {}
    for card in cards:
        is_one = card.type in ("reversed", "cloze") and card.group_id is not None
        groups.setdefault((card.group_id, card.type) if is_one else card.id, []).append(card)
    return [by_ord(group) for group in groups.values()]


def _note(
    group: list[Flashcard], cards: list[PackedCard], sources: dict[UUID, tuple[str, str | None]]
) -> PackedNote:
    """`group` and `cards` are the same cards, in order."""
    first = group[0]
    label, address = sources.get(first.id, (None, None))
    return PackedNote(
        guid=guid_of(first.anki_guid, first.group_id or first.id),
        modified=int(max(card.updated_at for card in group).timestamp()),
        type=first.type,
        deck=0,
        tags=[tag.replace(" ", "_") for tag in first.tags],
        extra=first.extra,
        options=[Choice.model_validate(option) for option in first.options],
        quote=first.quote,
        source_label=label,
        source_url=address,
        is_leech=any(card.is_leech for card in group),
        cards=cards,
    )


async def _sources(
    db: Repositories, cards: list[Flashcard], base_url: str
) -> dict[UUID, tuple[str, str | None]]:
    """Label and address of the place that each card was made from."""
    materials: dict[UUID, Material] = await db.materials.by_ids(
        list({c.material_id for c in cards if c.material_id})
    )
    files = {
        key: await db.materials.file(one.file_id) if one.file_id else None for key, one in materials.items()
    }
    found: dict[UUID, tuple[str, str | None]] = {}
    for card in cards:
        if card.locator is None:
            continue
        place = Locator.model_validate(card.locator)
        material = materials.get(card.material_id) if card.material_id else None
        address = (
            url_of(place, material, files.get(material.id)) if material and not material.deleted_at else None
        )
        if address and address.startswith("/"):
            address = base_url + address
        found[card.id] = (f"{place.material_title}, {place.label()}", address)
    return found


def _names(note: PackedNote) -> set[str]:
    texts = [note.extra or "", *(choice.text for choice in note.options)]
    texts += [text for card in note.cards for text in (card.front, card.back)]
    return set().union(*map(names_in, texts))


def _written(export: Export, contents: Contents) -> str:
    if export.format == "csv":
        return write_csv(contents.notes)
    if export.format == "txt":
        return write_quizlet(contents.notes)
    deck = {
        "format": "lyceum-deck",
        "version": 1,
        "title": contents.deck.title,
        "description": contents.deck.description,
        "notes": [note.model_dump(mode="json", exclude={"deck"}) for note in contents.notes],
    }
    return json.dumps(deck, ensure_ascii=False, indent=1)


async def _parts(path: Path) -> AsyncIterator[bytes]:
    with path.open("rb") as file:
        while part := file.read(PART):
            yield part
