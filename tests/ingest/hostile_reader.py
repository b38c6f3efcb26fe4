"""A reader child that does what the file says, line by line: a page of text, or a way to break the process.

    ok WORDS · figure CAPTION · slow SECONDS · held FLAG (until that file is there) · hang · abort · raise · eat (memory, bit by bit) · huge (at once) · lie
    (about offsets) · chatter (on standard output) · environment · unstorable

A first line `at open: WAY` breaks it while the file is opened.
"""

import json
import os
import sys
import time
from collections.abc import Callable, Collection, Iterator
from dataclasses import replace
from pathlib import Path

import psutil

from tools.ingest.reader.serve import main
from tools.ingest.segments import (
    Block,
    ContentType,
    DocumentInfo,
    Extractor,
    FoundFigure,
    Line,
    Reading,
    Segment,
    SegmentKind,
)

MARK = "hostile\n"
PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010806000000"
    "1f15c4890000000d49444154789c6360606060000000050001a5f645400000000049454e44ae426082"
)


class HostileExtractor:
    def __init__(self, path: Path) -> None:
        self._lines = path.read_text().removeprefix(MARK).splitlines()
        if self._lines[0].startswith("at open: "):
            page(0, self._lines[0].removeprefix("at open: "))
        self.info = DocumentInfo("text/plain", SegmentKind.PAGE, len(self._lines))

    def segments(self, start: int = 0, skip: Collection[int] = ()) -> Iterator[Segment]:
        for ordinal, line in enumerate(self._lines[start:], start):
            if ordinal in skip:
                notice = f"Page {ordinal + 1} could not be read."
                yield Segment(ordinal, SegmentKind.PAGE, ordinal + 1, "", notice=notice)
            else:
                yield page(ordinal, line)
        self.info = replace(self.info, language="en")

    def figures(self) -> Iterator[FoundFigure]:
        for ordinal, line in enumerate(self._lines):
            if line.startswith("figure "):
                caption = line.removeprefix("figure ")
                yield FoundFigure(ordinal, ordinal, "photo", PNG, "image/png", f"Figure {ordinal}", caption)
            elif line == "break the figures":
                os.abort()

    def close(self) -> None:
        """Nothing is open."""


def page(ordinal: int, line: str) -> Segment:
    way, _, words = line.partition(" ")
    text = WAYS[way](words) if way in WAYS else line
    blocks = (Block(ContentType.TEXT, 0, len(text) + (7 if way == "lie" else 0)),)
    lines: tuple[Line, ...] = ()
    if way == "unstorable":
        lines = (Line(0, 1, float("nan"), 0.0, 1.0, 1.0), Line(0, 1, -3.0, 0.0, 1.0, 7.0))
    return Segment(ordinal, SegmentKind.PAGE, ordinal + 1, text, blocks=blocks, lines=lines)


def hang(_: str) -> str:
    while True:
        pass


def eat(_: str) -> str:
    eaten = []
    while True:
        eaten.append(b"x" * (8 << 20))
        time.sleep(0.01)


def huge(_: str) -> str:
    return "x" * (1 << 33)


def stop(_: str) -> str:
    raise ValueError("not in any format that was ever seen")


def abort(_: str) -> str:
    os.abort()


def slow(seconds: str) -> str:
    time.sleep(float(seconds))
    return "A page that took its time."


def held(flag: str) -> str:
    while not Path(flag).exists():
        time.sleep(0.01)
    return "A page that was held back."


def chatter(_: str) -> str:
    sys.stdout.write("segment {}\n")
    os.system("echo segment {}")
    sys.stdout.flush()
    return "A page whose reader talks."


def moment(words: str) -> str:
    return f"{words} at {time.time_ns()}"


def until(words: str) -> str:
    flag, _, words = words.partition(" ")
    if Path(flag).exists():
        os.abort()
    return words


def environment(_: str) -> str:
    mine = psutil.Process()
    return json.dumps(
        {
            "names": sorted(os.environ),
            "values": " ".join(os.environ.values()),
            "sockets": len(mine.net_connections("all")),
            "descriptors": mine.num_fds(),
            "group": os.getpgid(0) == os.getpid(),
            "nice": os.nice(0),
            "folder": str(Path.cwd()),
        }
    )


WAYS: dict[str, Callable[[str], str]] = {
    "ok": lambda words: words,
    "figure": lambda caption: caption,
    "slow": slow,
    "held": held,
    "hang": hang,
    "abort": abort,
    "raise": stop,
    "eat": eat,
    "huge": huge,
    "chatter": chatter,
    "environment": environment,
    "moment": moment,
    "until": until,
    "unstorable": lambda _: "zero \x00 and half a pair \ud800",
}


def read(path: Path, filename: str, reading: Reading) -> Extractor:
    if path.read_bytes().startswith(MARK.encode()):
        return HostileExtractor(path)
    from tools.ingest.opening import open_document  # noqa: PLC0415 - half a second for each child of a test

    return open_document(path, filename, reading)


if __name__ == "__main__":
    main(read)
