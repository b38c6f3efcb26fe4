"""The process that works with Anki's library, which holds global state, blocks, and reads what strangers made. One task, then it ends.

Commands: read {package, whole, most_notes, folder, zone, start_hour}; write {deck, notes, media, out, folder, zone, start_hour, today}. Answers:
ready; of read: deck…, note…, end {media, skipped}; of write: progress, end {notes}; refused [code, sentence]; broken with a traceback.
"""

import os
import sys
import time
import traceback
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO
from zoneinfo import ZoneInfo

from tools.exchange.packed import PackedDeck, PackedNote
from tools.ingest.reader import wire
from tools.ingest.reader.serve import limit, listen, private_stdout, tie_to
from tools.ingest.segments import Refusal

PROGRESS_NOTES = 500
_DAMAGED = "This Anki package is damaged, or newer than this version of Lyceum can read. Export it from Anki again, with support for older versions."


def main() -> None:
    """Arguments as those of a reader child: the worker's process id, how much nicer to be, the most private memory in bytes."""
    worker, nicer, memory = map(int, sys.argv[1:4])
    tie_to(worker)
    os.nice(nicer)
    limit(memory)
    answers = private_stdout()
    commands = listen(sys.stdin.buffer)
    say(answers, "ready")
    kind, content = wire.parsed(commands.get())
    try:
        {"read": read, "write": write}[kind](answers, content)
    except Refusal as refusal:
        say(answers, "refused", [refusal.code, str(refusal)])
    except Exception:
        say(answers, "broken", wire.storable(traceback.format_exc()[-wire.TRACE_CHARS :]))
        raise
    commands.get()  # until the worker has heard all and ends us


def say(answers: BinaryIO, kind: str, content: Any = None) -> None:
    answers.write(wire.line(kind, content))
    answers.flush()


def settle(command: dict[str, Any]) -> None:
    """Anki counts days by the clock of its process, and unpacks into the folder for temporary files, which is watched."""
    os.environ["TZ"], os.environ["TMPDIR"] = command["zone"], command["folder"]
    time.tzset()


def days_of(col: Any, command: dict[str, Any]) -> Any:
    # Anki is loaded once the clock is set.
    from tools.exchange.study_days import StudyDays, study_date  # noqa: PLC0415

    zone, hour = ZoneInfo(command["zone"]), command["start_hour"]
    return StudyDays(col.sched.today, study_date(datetime.now(UTC).timestamp(), zone, hour), zone, hour)


def opened(command: dict[str, Any]) -> Any:
    """A new collection in the folder, or one that a whole backup was put into."""
    settle(command)
    from anki.collection import Collection  # noqa: PLC0415 - after the clock is set, and only in this process

    path = Path(command["folder"]) / "collection.anki2"
    if command.get("whole"):
        _unpack_whole(command["package"], path)
    col = Collection(str(path))
    if not command.get("whole"):
        col.set_config("rollover", command["start_hour"])
        col.close()
        col = Collection(str(path))
    return col


def _unpack_whole(package: str, path: Path) -> None:
    from anki._backend import RustBackend  # noqa: PLC0415 - as above

    media = path.with_name("collection.media")
    media.mkdir()
    RustBackend().import_collection_package(
        col_path=str(path),
        backup_path=package,
        media_folder=str(media),
        media_db=str(path.with_name("collection.mdb")),
    )


def read(answers: BinaryIO, command: dict[str, Any]) -> None:
    from anki.errors import BackendError  # noqa: PLC0415 - as above

    from tools.exchange.anki_read import PackageReader  # noqa: PLC0415 - as above

    try:
        col = opened(command)
        if not command["whole"]:
            _import(col, command["package"])
        count = col.db.scalar("select count() from notes")
    except BackendError as error:
        raise Refusal("corrupt", _DAMAGED) from error
    if count > command["most_notes"]:
        raise Refusal(
            "too_large",
            f"This package holds {count:,} notes; at most {command['most_notes']:,} can be imported at once.",
        )
    reader = PackageReader(col, days_of(col, command))
    for deck in reader.decks():
        # A package is imported into a new collection, which numbers its decks anew.
        kept = deck if command["whole"] else deck.model_copy(update={"anki_id": None})
        say(answers, "deck", kept.model_dump())
    say(answers, "total", count)
    for note in reader.notes():
        say(answers, "note", note.model_dump())
    say(answers, "end", {"media": sorted(reader.media), "folder": col.media.dir(), "skipped": reader.skipped})


def _import(col: Any, package: str) -> None:
    from anki.collection import ImportAnkiPackageOptions, ImportAnkiPackageRequest  # noqa: PLC0415 - as above

    options = ImportAnkiPackageOptions(with_scheduling=True, with_deck_configs=True)
    col.import_anki_package(ImportAnkiPackageRequest(package_path=package, options=options))


def write(answers: BinaryIO, command: dict[str, Any]) -> None:
    col = opened(command)
    # Anki's modules import each other: anki.collection, which is loaded by now, has to be the first.
    from tools.exchange.anki_write import write_package  # noqa: PLC0415

    notes = _notes(answers, Path(command["notes"]))
    count = write_package(
        col,
        days_of(col, command),
        PackedDeck.model_validate(command["deck"]),
        notes,
        Path(command["media"]),
        Path(command["out"]),
    )
    col.close()
    say(answers, "end", {"notes": count})


def _notes(answers: BinaryIO, path: Path) -> Iterator[PackedNote]:
    with path.open("rb") as lines:
        for number, line in enumerate(lines):
            if number % PROGRESS_NOTES == 0:
                say(answers, "progress", number)
            yield PackedNote.model_validate_json(line)


if __name__ == "__main__":
    main()
