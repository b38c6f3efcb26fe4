"""The job that imports cards: reads the file, merges notes in batches, then keeps the media. What is done when it is stopped
stays, and the next attempt finds it."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from pathlib import Path, PurePath
from typing import Any
from uuid import UUID

from storage.errors import InvalidInput, NotFound
from storage.files import Stored
from storage.models import Deck, File
from storage.repositories import Repositories
from storage.resources import Storage
from tools.exchange.anki_process import Answers, child_at_work, read_package, work_folder
from tools.exchange.archive import check_package, is_whole_collection
from tools.exchange.media import MediaIn
from tools.exchange.merging import Merge
from tools.exchange.packed import MOST_NOTES, PackedDeck, PackedNote, Report
from tools.exchange.tables import read_csv, read_quizlet
from tools.ingest.charset import decode
from tools.ingest.segments import Refusal
from tools.scheduling.state import StudySettings
from tools.worker import JobFailed, RunningJob

IMPORT_DECK = "import_deck"
"""Kind of the job; its arguments name the file, its format, and where the cards go."""
NOTES_A_BATCH = 200
SOURCES = {"apkg": ("anki",), "csv": ("csv", "quizlet"), "quizlet": ("csv", "quizlet")}
SOURCE = {"apkg": "anki", "csv": "csv", "quizlet": "quizlet"}
LONGEST_TITLE = 300


class DeckImport:
    """Handler of the job."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage

    async def __call__(self, running: RunningJob) -> None:
        """Raises JobFailed for a file that holds no cards or is refused, Stopped when cancelled."""
        file = await self._file(running)
        report = Report()
        await running.progress(0, None, "Opening the file", force=True)
        try:
            async with self._storage.files.as_path(
                file.object_key, Stored(file.size_bytes, file.sha256)
            ) as path:
                if running.job.arguments["format"] == "apkg":
                    await self._package(running, file, path, report)
                else:
                    await self._table(running, file, path, report)
        except Refusal as refusal:
            raise JobFailed(refusal.code, str(refusal)) from refusal
        except InvalidInput as error:
            raise JobFailed(error.code, str(error)) from error
        await self._finish(running, file, report)

    async def _file(self, running: RunningJob) -> File:
        async with self._storage.as_user(running.user_id, read_only=True) as db:
            file = await db.materials.file(UUID(running.job.arguments["file_id"]))
        if file is None:
            raise JobFailed("file_gone", "The file is not there any more. Import it again.")
        return file

    # --- Anki

    async def _package(self, running: RunningJob, file: File, path: Path, report: Report) -> None:
        await asyncio.to_thread(check_package, path)
        async with self._storage.as_user(running.user_id, read_only=True) as db:
            settings = StudySettings.of(await db.accounts.me())
        async with work_folder() as folder, child_at_work(folder) as child:
            command = {
                "package": str(path),
                "whole": is_whole_collection(Path(file.filename)),
                "most_notes": MOST_NOTES,
                "folder": str(folder),
                "zone": settings.timezone.key,
                "start_hour": settings.day_start_hour,
            }
            answers = Answers()
            async with aclosing(read_package(child, command, answers)) as told:
                merge = await self._read(running, told, settings, report)
            for reason, count in answers.skipped.items():
                report.skip(reason, count)
            if merge is not None and answers.media_folder is not None:
                await MediaIn(self._storage, running, answers.media_folder, report).add(merge.media)

    async def _read(
        self,
        running: RunningJob,
        told: AsyncGenerator[PackedDeck | PackedNote | int],
        settings: StudySettings,
        report: Report,
    ) -> Merge | None:
        decks: list[PackedDeck] = []
        notes: list[PackedNote] = []
        merge: Merge | None = None
        done, total = 0, 0
        # Asked for one by one, so that a job that is to end does so while Anki's library is at work.
        while (one := await running.unless_halted(_next(told))) is not None:
            if isinstance(one, PackedDeck):
                decks.append(one)
            elif isinstance(one, int):
                total = one
            else:
                notes.append(one)
            if len(notes) == NOTES_A_BATCH:
                merge = merge or await self._begin(running, decks, settings, report)
                await self._add(running, merge, notes)
                done, notes = done + len(notes), []
                await running.progress(done, total, "Importing cards")
        if notes:
            merge = merge or await self._begin(running, decks, settings, report)
            await self._add(running, merge, notes)
        return merge

    # --- tables

    async def _table(self, running: RunningJob, file: File, path: Path, report: Report) -> None:
        wanted = running.job.arguments
        text = decode(await asyncio.to_thread(path.read_bytes)).replace("\0", "")
        if wanted["format"] == "csv":
            table = await asyncio.to_thread(read_csv, text, wanted["separator"])
        else:
            table = await asyncio.to_thread(read_quizlet, text, wanted["separator"], wanted["card_separator"])
        for reason, count in table.skipped.items():
            report.skip(reason, count)
        async with self._storage.as_user(running.user_id, read_only=True) as db:
            settings = StudySettings.of(await db.accounts.me())
        if table.notes:
            name = PurePath(file.filename).stem.replace("_", " ").strip() or "Cards"
            merge = await self._begin(running, [PackedDeck(name=name)], settings, report)
            for start in range(0, len(table.notes), NOTES_A_BATCH):
                await running.progress(start, len(table.notes), "Importing cards")
                await self._add(running, merge, table.notes[start : start + NOTES_A_BATCH])

    # --- both

    async def _begin(
        self, running: RunningJob, decks: Sequence[PackedDeck], settings: StudySettings, report: Report
    ) -> Merge:
        """The decks that the cards go to, found or made; the same for each attempt."""
        async with self._storage.as_user(running.user_id) as db:
            ids = await self._targets(db, running, decks)
        wanted = running.job.arguments
        return Merge(
            user_id=running.user_id,
            clock=self._storage.clock,
            settings=settings,
            decks=ids,
            from_anki=wanted["format"] == "apkg",
            update=wanted["update"],
            report=report,
        )

    async def _targets(
        self, db: Repositories, running: RunningJob, decks: Sequence[PackedDeck]
    ) -> list[UUID]:
        wanted = running.job.arguments
        if wanted.get("deck_id"):
            try:
                deck = await db.cards.resolve_deck(wanted["deck_id"])
            except NotFound as error:
                raise JobFailed(
                    "deck_deleted", "The deck that the cards were to go to was deleted."
                ) from error
            return [deck.id] * len(decks)
        class_id = UUID(wanted["class_id"]) if wanted.get("class_id") else None
        ids = []
        for packed, title in zip(
            decks, titles_of([one.name for one in decks], wanted.get("title")), strict=True
        ):
            found = await db.exchange.imported_deck(title, SOURCES[wanted["format"]], class_id)
            ids.append(found.id if found else await self._new_deck(db, running, packed, title, class_id))
        return ids

    async def _new_deck(
        self, db: Repositories, running: RunningJob, packed: PackedDeck, title: str, class_id: UUID | None
    ) -> UUID:
        row = Deck(
            id=self._storage.clock.new_id(),
            user_id=running.user_id,
            class_id=class_id,
            title=title,
            description=packed.description,
            source=SOURCE[running.job.arguments["format"]],
            anki_id=packed.anki_id,
            new_cards_per_day=packed.new_cards_per_day,
            reviews_per_day=packed.reviews_per_day,
        )
        await db.cards.add_deck(row)
        return row.id

    async def _add(self, running: RunningJob, merge: Merge, notes: Sequence[PackedNote]) -> None:
        running.check()
        async with self._storage.as_user(running.user_id) as db:
            await merge.add(db, notes)
            for note in notes:
                deck_id = merge.decks[note.deck]
                if all(one["id"] != str(deck_id) for one in merge.report.decks):
                    merge.report.decks.append({"id": str(deck_id)})

    async def _finish(self, running: RunningJob, file: File, report: Report) -> None:
        """The counts on the job; the file of the cards has done its work."""
        if not report.decks:
            reasons = "; ".join(f"{count} {reason}" for reason, count in report.skipped.items())
            raise JobFailed(
                "no_cards", f"There are no cards in this file that could be imported. {reasons}".strip()
            )
        async with self._storage.as_user(running.user_id) as db:
            ids = [UUID(one["id"]) for one in report.decks]
            counts = await db.exchange.count_cards(ids)
            report.decks = [
                {
                    "id": str(deck_id),
                    "title": (await db.cards.resolve_deck(str(deck_id))).title,
                    "cards": counts.get(deck_id, 0),
                }
                for deck_id in ids
            ]
            await db.exchange.note_result(running.job.id, report.model_dump())
            if not running.job.arguments.get("keep_file"):
                await db.materials.remove_file(file.id)
        if not running.job.arguments.get("keep_file"):
            await self._storage.files.delete(file.object_key)
        done = report.cards + report.updated + report.unchanged
        await running.progress(done, done, message_of(report), force=True)


async def _next(told: AsyncGenerator[PackedDeck | PackedNote | int]) -> PackedDeck | PackedNote | int | None:
    return await anext(told, None)


def message_of(report: Report) -> str:
    """One line: Imported 12 cards and 40 reviews; 3 updated; 1 left out."""
    parts = [f"Imported {report.cards} cards and {report.reviews} reviews"]
    parts += [
        f"{count} {word}"
        for count, word in ((report.updated, "updated"), (report.unchanged, "unchanged"))
        if count
    ]
    skipped: Any = sum(report.skipped.values())
    return "; ".join([*parts, *([f"{skipped} left out"] if skipped else [])])


def titles_of(names: Sequence[str], title: str | None) -> list[str]:
    """Titles of decks: subdecks keep Anki's `A::B`. A wished title takes the place of the deck, or of the root of all."""
    if title is None:
        return [name[:LONGEST_TITLE] for name in names]
    if len(names) == 1:
        return [title]
    roots = {name.split("::")[0] for name in names}
    rests = [name.split("::", 1)[1:] if len(roots) == 1 else [name] for name in names]
    return ["::".join([title, *rest])[:LONGEST_TITLE] for rest in rests]
