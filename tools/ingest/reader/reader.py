"""What ingestion reads with: documents, opened in a child that is kept warm between files and replaced when it dies."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Collection
from contextlib import asynccontextmanager
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import structlog

from tools.ingest.reader import wire
from tools.ingest.reader.process import CHILD, ChildProcess, Limits, ReaderDied
from tools.ingest.segments import DocumentInfo, FoundFigure, Reading, Refusal, Segment, SegmentKind

log = structlog.get_logger()

T = TypeVar("T")

AHEAD = 3
"""Pages that the child reads while earlier ones are stored."""
NO_SPEECH_MODEL = "speech_model_missing"
"""How a recording is refused that was opened without one."""


class Reader:
    """Opens documents, each in a child of its own while it is open; one child is kept for the next.

    `speech_model` may block, and is asked once there is a recording; its answer is for Reading.speech_model.
    """

    def __init__(
        self,
        threads: int = 2,
        speech_model: Callable[[], str | None] = lambda: None,
        limits: Limits | None = None,
        module: str = CHILD,
    ) -> None:
        self.reading = Reading(threads=threads)
        self.limits = limits or Limits()
        self._speech_model = speech_model
        self._module = module
        self._idle: ChildProcess | None = None
        self._timer: asyncio.TimerHandle | None = None

    @asynccontextmanager
    async def open(self, path: Path, filename: str) -> AsyncGenerator["Document"]:
        """A document. Raises Refusal, or ReaderDied when the file kills its reader. Leaving by an error, or by being
        cancelled, kills the child at once, whatever it is at."""
        document = Document(self, await self.take(), path, filename)
        try:
            await document.open()
            yield document
        except Refusal:
            await self._give_back(document.child)
            raise
        except BaseException:
            document.child.kill()
            raise
        else:
            await self._give_back(document.child)

    async def find_speech_model(self) -> bool:
        """Whether there is one, and it was not known before."""
        if self.reading.speech_model is None:
            self.reading = replace(self.reading, speech_model=await asyncio.to_thread(self._speech_model))
            return self.reading.speech_model is not None
        return False

    async def take(self) -> ChildProcess:
        """The child that waits, or a new one."""
        child, self._idle = self._idle, None
        if self._timer is not None:
            self._timer.cancel()
        if child is not None and child.is_alive:
            return child
        return await ChildProcess.start(self._module, self.limits)

    async def _give_back(self, child: ChildProcess) -> None:
        if not await child.close_document() or self._idle is not None:
            child.kill()
            return
        child.worked, self._idle = True, child
        self._timer = asyncio.get_running_loop().call_later(self.limits.idle, self._drop)

    def _drop(self) -> None:
        if self._idle is not None:
            self._idle.kill()
            self._idle = None

    async def close(self) -> None:
        """End the child that waits."""
        child, self._idle = self._idle, None
        if self._timer is not None:
            self._timer.cancel()
        if child is not None:
            await child.end()


class Document:
    """An open file. A child that dies after it has done something is replaced once, so that what is blamed in the end is
    what kills a fresh one."""

    info: DocumentInfo
    """Once all segments are read, what is known by then."""

    def __init__(self, reader: Reader, child: ChildProcess, path: Path, filename: str) -> None:
        self._reader = reader
        self._path = path
        self._filename = filename
        self.child = child

    async def open(self) -> None:
        """Raises Refusal or ReaderDied."""
        try:
            await self._open()
        except ReaderDied as died:
            await self._replace(died)
            await self._open()
        except Refusal as refusal:
            if refusal.code != NO_SPEECH_MODEL or not await self._reader.find_speech_model():
                raise
            await self._open()

    async def _open(self) -> None:
        self.child.say("open", [str(self._path), self._filename, asdict(self._reader.reading)])
        kind, content = await self.child.hear(self._reader.limits.opening)
        self.info = self._believed(kind, content, "info", wire.checked_info)

    async def _replace(self, died: ReaderDied) -> None:
        """Another child in place of the dead one. Raises its death when that was not for what it had done before."""
        log.warning("reader_died", reason=died.reason, ordinal=died.ordinal, why=str(died))
        if not self.child.worked or died.reason == "stalled":
            raise died
        self.child.kill()
        self.child = await self._reader.take()

    async def segments(self, start: int, skip: Collection[int]) -> AsyncGenerator[Segment]:
        """Segments from the ordinal `start` on; those in `skip` come empty. Raises Refusal or ReaderDied."""
        following = start
        while True:
            try:
                async for segment in self._stream(following, skip):
                    yield segment
                    following = segment.ordinal + 1
                return
            except ReaderDied as died:
                died.ordinal = following if died.ordinal is None else died.ordinal
                await self._replace(died)
                await self._open()

    async def _stream(self, start: int, skip: Collection[int]) -> AsyncGenerator[Segment]:
        self.child.say("segments", [start, sorted(skip)])
        for _ in range(AHEAD):
            self.child.say("next")
        expected = start
        while (answer := await self._item(expected))[0] != "end":
            segment = self._believed(*answer, "segment", wire.checked_segment)
            if segment.ordinal != expected:
                raise self.child.malformed(wire.Malformed("a segment out of order"))
            self.child.worked = True
            expected += 1
            self.child.say("next")
            yield segment
        self.info = self._believed(*answer, "end", wire.checked_info)
        for _ in range(AHEAD - 1):
            await self._item(expected)

    async def _item(self, at: int) -> tuple[str, Any]:
        """The next answer that is more than a place. A death is blamed on the place that was told last, else on `at`."""
        try:
            while (answer := await self.child.hear(self._seconds_each()))[0] == "at":
                at = self._believed(*answer, "at", wire.checked_ordinal)
        except ReaderDied as died:
            died.ordinal = at
            raise
        return answer

    async def figures(self) -> AsyncGenerator[FoundFigure]:
        """Pictures in the order of the document. Raises ReaderDied."""
        self.child.say("figures")
        self.child.say("next")
        while (answer := await self._item(0))[0] != "end":
            size = self._believed(*answer, "figure", wire.picture_size)
            image = await self.child.picture(size, self._reader.limits.page)
            yield self._believed(*answer, "figure", partial(wire.checked_figure, image=image))
            self.child.say("next")

    def _seconds_each(self) -> float:
        limits = self._reader.limits
        return limits.minute if self.info.segment_kind is SegmentKind.SPAN else limits.page

    def _believed(self, kind: str, content: Any, wanted: str, check: Callable[[Any], T]) -> T:
        """The content of an answer once it is checked. Raises Refusal for a refusal, ReaderDied for nonsense."""
        try:
            if kind == "refused":
                raise Refusal(*wire.checked_refusal(content))
            if kind != wanted:
                raise wire.Malformed(f"{kind} in place of {wanted}")
            return check(content)
        except wire.Malformed as error:
            raise self.child.malformed(error) from error
