"""The process of `anki_child` as a job holds it: started for one task, watched, and gone afterwards with its folder."""

import asyncio
import shutil
import tempfile
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import structlog
from pydantic import ValidationError

from tools.exchange.packed import PackedDeck, PackedNote
from tools.ingest.reader.process import ChildProcess, Limits, ReaderDied
from tools.ingest.segments import Refusal

log = structlog.get_logger()

CHILD = "tools.exchange.anki_child"
LIMITS = Limits(memory=1 << 30, allocated=2 << 30)
LARGEST_FOLDER = 3 << 30
"""Bytes that a task may fill: a package of 1 GB, what it unpacks to, and Anki's own files."""
WATCH_SECONDS = 0.5
SECONDS_A_STEP = 300.0
"""Until the next answer; opening a package of 50,000 notes takes most."""
_BROKEN = "This Anki package cannot be read: it is damaged, or made to do harm. Export it from Anki again."


@dataclass(slots=True)
class Answers:
    """What reading gave at its end."""

    media: list[str] = field(default_factory=list)
    media_folder: Path | None = None
    skipped: dict[str, int] = field(default_factory=dict)


@asynccontextmanager
async def work_folder() -> AsyncGenerator[Path]:
    """A folder for one task; removed with all that is in it."""
    folder = Path(tempfile.mkdtemp(prefix="lyceum-anki-"))
    try:
        yield folder
    finally:
        await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)


@asynccontextmanager
async def child_at_work(folder: Path, limits: Limits = LIMITS) -> AsyncGenerator[ChildProcess]:
    """Raises Unavailable when it does not start, Refusal `corrupt` when it dies over its task."""
    child = await ChildProcess.start(CHILD, limits)
    watcher = asyncio.create_task(_watch_folder(child, folder))
    try:
        yield child
    except ReaderDied as died:
        log.warning("anki_child_died", why=str(died))
        raise Refusal("corrupt", _BROKEN) from died
    finally:
        watcher.cancel()
        await child.end()


async def _watch_folder(child: ChildProcess, folder: Path) -> None:
    while True:
        await asyncio.sleep(WATCH_SECONDS)
        if await asyncio.to_thread(_size, folder) > LARGEST_FOLDER:
            child.kill("disk")


def _size(folder: Path) -> int:
    total = 0
    for path in folder.rglob("*"):
        try:
            total += path.stat().st_size
        except OSError:  # gone meanwhile
            continue
    return total


async def hear(child: ChildProcess) -> tuple[str, Any]:
    """The next answer that is no refusal. Raises Refusal, ReaderDied."""
    kind, content = await child.hear(SECONDS_A_STEP)
    if kind == "refused" and isinstance(content, list) and len(content) == 2:
        raise Refusal(str(content[0])[:50], str(content[1])[:500])
    return kind, content


Told = PackedDeck | PackedNote | int


async def read_package(
    child: ChildProcess, command: dict[str, Any], answers: Answers
) -> AsyncGenerator[Told]:
    """Decks, the number of notes, then notes; `answers` holds the rest once it has ended. Raises Refusal, ReaderDied."""
    child.say("read", command)
    try:
        while (heard := await hear(child))[0] != "end":
            kind, content = heard
            if kind == "total" and isinstance(content, int):
                yield content
            elif kind in ("deck", "note"):
                yield (PackedDeck if kind == "deck" else PackedNote).model_validate(content)
        end = heard[1]
        answers.media = [str(name) for name in end["media"]]
        answers.media_folder = Path(command["folder"]) / "collection.media"
        answers.skipped = {
            str(reason)[:100]: int(count) for reason, count in list(end["skipped"].items())[:50]
        }
    except (ValidationError, KeyError, TypeError, ValueError, AttributeError) as error:
        log.warning("anki_child_malformed", why=str(error)[:300])
        raise Refusal("corrupt", _BROKEN) from error


async def write_package(
    child: ChildProcess, command: dict[str, Any], progress: Callable[[int], Awaitable[None]]
) -> None:
    """Makes the file `out` of the command. Raises Refusal, ReaderDied."""
    child.say("write", command)
    while (heard := await hear(child))[0] != "end":
        if heard[0] == "progress" and isinstance(heard[1], int):
            await progress(heard[1])
