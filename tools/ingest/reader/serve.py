"""The part of the reader child that talks: commands on standard input, answers on standard output; it never outlives its
worker.

Commands: open [path, filename, reading], segments [start, skip], figures, next, close. Answers: ready, info, refused, at, segment,
figure, end, closed; and broken with a traceback, after which the process ends.
"""

import ctypes
import faulthandler
import os
import queue
import resource
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO

from tools.ingest.reader import place, wire
from tools.ingest.segments import Extractor, FoundFigure, Reading, Refusal, Segment

PR_SET_PDEATHSIG = 1  # linux/prctl.h
WORST_OOM_SCORE = "1000"
LARGEST_FILE = 1 << 30
"""Bytes of anything that it writes."""

Open = Callable[[Path, str, Reading], Extractor]


def main(read: Open) -> None:
    """Serve until the worker is gone. `read` opens a file. Arguments: the worker's process id, how much nicer to be, and the most private memory in bytes."""
    worker, nicer, memory = map(int, sys.argv[1:4])
    faulthandler.enable()
    tie_to(worker)
    os.nice(nicer)
    limit(memory)
    answers = private_stdout()
    commands = listen(sys.stdin.buffer)
    Child(answers, read).serve(commands)


def tie_to(worker: int) -> None:
    """End with the worker: by the kernel on Linux; elsewhere, and as a second line, by the end of standard input."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != worker:
        sys.exit("The worker is gone.")


def limit(memory: int) -> None:
    """No core dumps of somebody's files, no full disk, and an end to one huge allocation; the worker watches what is
    really used."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (LARGEST_FILE, LARGEST_FILE))
    if sys.platform == "linux":
        # Private memory, not address space, of which threads reserve much (getrlimit(2)).
        _, most = resource.getrlimit(resource.RLIMIT_DATA)
        memory = memory if most == resource.RLIM_INFINITY else min(memory, most)
        resource.setrlimit(resource.RLIMIT_DATA, (memory, memory))
        Path("/proc/self/oom_score_adj").write_text(WORST_OOM_SCORE)


def private_stdout() -> BinaryIO:
    """Where answers go. What a library prints must not get between them."""
    answers = os.fdopen(os.dup(1), "wb", buffering=1 << 16)
    os.dup2(2, 1)
    return answers


def listen(source: BinaryIO) -> "queue.SimpleQueue[bytes]":
    """Commands as they come, read in a thread: at the end of input the process ends, whatever it is at."""
    commands: queue.SimpleQueue[bytes] = queue.SimpleQueue()

    def read() -> None:
        for command in source:
            if command.startswith(b"close"):
                drop(commands)
            commands.put(command)
        os._exit(0)

    threading.Thread(target=read, daemon=True).start()
    return commands


def drop(commands: "queue.SimpleQueue[bytes]") -> None:
    """Forget what was asked for in advance."""
    while True:
        try:
            commands.get_nowait()
        except queue.Empty:
            return


class Child:
    """One open document at most."""

    def __init__(self, answers: BinaryIO, read: Open) -> None:
        self._answers = answers
        self._read = read
        self._document: Extractor | None = None
        self._items: Iterator[Segment] | Iterator[FoundFigure] = iter(())
        self._next = 0
        place.tell_with(lambda ordinal: self._say("at", ordinal))

    def serve(self, commands: "queue.SimpleQueue[bytes]") -> None:
        """Answer for ever. An error that is no Refusal is told, and ends the process."""
        handlers = {
            "open": self._open,
            "segments": self._start_segments,
            "figures": self._start_figures,
            "next": self._give_next,
            "close": self._close,
        }
        self._say("ready")
        while True:
            kind, content = wire.parsed(commands.get())
            try:
                handlers[kind](content)
            except Refusal as refusal:
                self._items = iter(())
                self._say("refused", [refusal.code, str(refusal)[: wire.SENTENCE_CHARS]])
            except Exception:
                self._say("broken", wire.storable(traceback.format_exc()[-wire.TRACE_CHARS :]))
                raise

    def _say(self, kind: str, content: Any = None, picture: bytes = b"") -> None:
        self._answers.write(wire.line(kind, content))
        self._answers.write(picture)
        self._answers.flush()

    def _open(self, content: Any) -> None:
        path, filename, reading = content
        self._document = self._read(Path(path), filename, Reading(**reading))
        self._say("info", wire.packed_info(self._document.info))

    def _start_segments(self, content: Any) -> None:
        self._next, skip = content
        self._items = self._opened.segments(self._next, frozenset(skip))

    def _start_figures(self, _: Any) -> None:
        self._items = filter(wire.fits, self._opened.figures())

    @property
    def _opened(self) -> Extractor:
        if self._document is None:
            raise wire.Malformed("nothing is open")
        return self._document

    def _give_next(self, _: Any) -> None:
        self._say("at", self._next)
        match next(self._items, None):
            case Segment() as segment:
                self._next = segment.ordinal + 1
                self._say("segment", wire.packed_segment(wire.mended(segment)))
            case FoundFigure() as figure:
                self._say("figure", wire.packed_figure(figure), figure.image)
            case _:
                # Some things are only known by now: how long a recording is, and in which language.
                self._say("end", wire.packed_info(self._opened.info))

    def _close(self, _: Any) -> None:
        self._items = iter(())
        if self._document is not None:
            self._document.close()
            self._document = None
        self._say("closed")
