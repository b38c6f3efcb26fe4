"""The reader child: what a file may do to it, and what its worker hears of that."""

import asyncio
import json
import os
import random
import signal
import sys
import time
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.data import REPOSITORY, shared, textbook_pages
from tests.ingest.hostile_reader import MARK, PNG
from tests.waiting import SOON, until
from tools.ingest.reader import wire
from tools.ingest.reader.process import Limits, ReaderDied
from tools.ingest.reader.reader import Document, Reader
from tools.ingest.segments import (
    Block,
    ContentType,
    DocumentInfo,
    FoundFigure,
    Line,
    Refusal,
    Segment,
    SegmentKind,
    Word,
)

HOSTILE = "tests.ingest.hostile_reader"
SHORT = Limits(memory=200 << 20, allocated=1 << 30, page=60, opening=60)


@pytest.fixture
async def reader() -> AsyncGenerator[Reader]:
    opened = Reader(limits=SHORT, module=HOSTILE)
    yield opened
    await opened.close()


def hostile(folder: Path, *lines: str) -> Path:
    path = folder / "hostile.txt"
    path.write_text(MARK + "\n".join(lines))
    return path


async def texts(reader: Reader, path: Path, start: int = 0, skip: Sequence[int] = ()) -> list[str]:
    async with reader.open(path, path.name) as document:
        return [segment.text async for segment in document.segments(start, skip)]


async def read_all(
    reader: Reader, path: Path, what: Callable[..., AsyncGenerator[Any]], into: list[Any], *arguments: Any
) -> None:
    """Also keeps what came before an error."""
    async with reader.open(path, path.name) as document, aclosing(what(document, *arguments)) as items:
        async for item in items:
            into += [item]


async def test_pages_come_in_order_and_what_is_known_at_the_end_comes_with_it(
    reader: Reader, tmp_path: Path
) -> None:
    path = hostile(tmp_path, *(f"ok page {n}" for n in range(50)))
    async with reader.open(path, path.name) as document:
        assert document.info == DocumentInfo("text/plain", SegmentKind.PAGE, 50)
        read = [segment async for segment in document.segments(3, ())]
        assert [segment.ordinal for segment in read] == list(range(3, 50))
        assert read[0].text == "page 3"
        assert document.info.language == "en"


@pytest.mark.parametrize(
    ("way", "reason"),
    [
        ("abort", "crashed"),
        ("raise", "error"),
        ("hang", "stalled"),
        ("eat", "memory"),
        ("huge", "error"),
        ("lie", "malformed"),
    ],
)
async def test_a_page_that_breaks_its_reader_is_named_and_the_others_are_read_without_it(
    reader: Reader, tmp_path: Path, way: str, reason: str
) -> None:
    path = hostile(tmp_path, "ok one", "ok two", way, "ok four")
    if way == "hang":
        reader.limits = replace(SHORT, page=2.5)
    before: list[Segment] = []
    with pytest.raises(ReaderDied) as died:
        await read_all(reader, path, Document.segments, before, 0, ())
    assert (died.value.reason, died.value.ordinal) == (reason, 2)
    assert [segment.text for segment in before] == ["one", "two"]
    assert await texts(reader, path, 2, [2]) == ["", "four"]


async def test_a_file_that_breaks_its_reader_while_it_is_opened_blames_no_page(
    reader: Reader, tmp_path: Path
) -> None:
    with pytest.raises(ReaderDied) as died:
        await texts(reader, hostile(tmp_path, "at open: abort"))
    assert (died.value.reason, died.value.ordinal) == ("crashed", None)
    with pytest.raises(ReaderDied, match="ValueError"):
        await texts(reader, hostile(tmp_path, "at open: raise"))
    assert await texts(reader, hostile(tmp_path, "ok after all")) == ["after all"]


async def test_a_child_is_kept_for_the_next_file_and_ended_when_none_comes(tmp_path: Path) -> None:
    reader = Reader(limits=replace(SHORT, idle=0.3), module=HOSTILE)
    path = hostile(tmp_path, "ok one")
    pids = []
    for _ in range(3):
        async with reader.open(path, path.name) as document:
            pids.append(document.child.pid)
    assert len(set(pids)) == 1
    await until_gone(pids[0])
    async with reader.open(path, path.name) as document:
        assert document.child.pid != pids[0]
    await reader.close()


async def test_two_files_at_once_are_read_by_two_children(reader: Reader, tmp_path: Path) -> None:
    path = hostile(tmp_path, "ok one")
    async with reader.open(path, path.name) as first, reader.open(path, path.name) as second:
        assert first.child.pid != second.child.pid
        pids = {first.child.pid, second.child.pid}
    async with reader.open(path, path.name) as document:
        kept = document.child.pid
        await until_gone((pids - {kept}).pop())
    assert kept in pids


async def test_a_child_that_holds_much_memory_after_a_file_is_replaced(tmp_path: Path) -> None:
    reader = Reader(limits=replace(SHORT, kept=1), module=HOSTILE)
    path = hostile(tmp_path, "ok one")
    async with reader.open(path, path.name) as document:
        pid = document.child.pid
    await until_gone(pid)


async def test_the_child_sees_no_secret_and_no_connection_of_its_worker(
    reader: Reader, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LYCEUM_SECRET_KEY", "a very secret key")
    monkeypatch.setenv("DATABASE_URL", "postgresql://secret")
    seen = json.loads((await texts(reader, hostile(tmp_path, "environment")))[0])
    assert not [n for n in seen["names"] if n.startswith("LYCEUM") or "URL" in n]
    assert "secret" not in seen["values"]
    assert seen["sockets"] == 0
    assert seen["group"] is True
    assert seen["nice"] > os.nice(0)
    assert not Path(seen["folder"]).is_relative_to(REPOSITORY)


async def test_a_cancelled_reading_ends_its_child_in_the_middle_of_a_page(
    reader: Reader, tmp_path: Path
) -> None:
    opened: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    async def read() -> None:
        path = hostile(tmp_path, "ok one", "hang")
        async with reader.open(path, path.name) as document:
            opened.set_result(document.child.pid)
            _ = [segment async for segment in document.segments(0, ())]

    reading = asyncio.create_task(read())
    pid = await opened
    await asyncio.sleep(0.2)
    began = time.monotonic()
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading
    await until_gone(pid)
    assert time.monotonic() - began < SOON


async def test_a_document_that_is_left_early_gives_its_child_back(reader: Reader, tmp_path: Path) -> None:
    path = hostile(tmp_path, *(f"ok page {n}" for n in range(50)))
    async with reader.open(path, path.name) as document, aclosing(document.segments(0, ())) as segments:
        pid = document.child.pid
        await anext(segments)
    async with reader.open(path, path.name) as document:
        assert document.child.pid == pid
        assert [s.ordinal async for s in document.segments(48, ())] == [48, 49]


async def test_what_a_library_prints_does_not_get_between_the_answers(reader: Reader, tmp_path: Path) -> None:
    assert await texts(reader, hostile(tmp_path, "chatter", "ok two")) == [
        "A page whose reader talks.",
        "two",
    ]


async def test_what_cannot_be_stored_is_mended_and_no_offset_moves(reader: Reader, tmp_path: Path) -> None:
    path = hostile(tmp_path, "unstorable")
    async with reader.open(path, path.name) as document:
        (segment,) = [s async for s in document.segments(0, ())]
    assert segment.text == "zero \ufffd and half a pair \ufffd"
    assert segment.lines == (Line(0, 1, 0.0, 0.0, 1.0, 1.0),)


async def test_figures_come_with_their_pictures(reader: Reader, tmp_path: Path) -> None:
    path = hostile(tmp_path, "ok one", "figure A lens", "figure A mirror", "break the figures")
    found: list[FoundFigure] = []
    with pytest.raises(ReaderDied):
        await read_all(reader, path, Document.figures, found)
    assert [(f.segment, f.caption, f.image) for f in found] == [(1, "A lens", PNG), (2, "A mirror", PNG)]


async def test_a_child_does_not_outlive_a_killed_worker_even_in_the_middle_of_a_page(tmp_path: Path) -> None:
    path = hostile(tmp_path, "hang")
    program = f"""
import asyncio
from pathlib import Path
from tools.ingest.reader.reader import Document, Reader
async def main():
    async with Reader(module={HOSTILE!r}).open(Path({str(path)!r}), "x.txt") as document:
        print(document.child.pid, flush=True)
        _ = [s async for s in document.segments(0, ())]
asyncio.run(main())
"""
    worker = await asyncio.create_subprocess_exec(
        sys.executable, "-c", program, stdout=asyncio.subprocess.PIPE, cwd=REPOSITORY
    )
    assert worker.stdout is not None
    pid = int(await worker.stdout.readline())
    assert psutil.pid_exists(pid)
    worker.send_signal(signal.SIGKILL)
    await worker.wait()
    await until_gone(pid)


async def until_gone(pid: int) -> None:
    async def is_gone() -> bool:
        with suppress(psutil.NoSuchProcess):
            return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
        return True

    await until(is_gone, f"the end of process {pid}")


# --- files that a fuzzer made

MUTANTS = 30


def mutant(data: bytes, seed: int) -> bytes:
    """The file with some bytes changed, parts doubled, moved or cut out."""
    dice, damaged = random.Random(seed), bytearray(data)
    for _ in range(dice.choice((1, 3, 10, 40))):
        at, size = dice.randrange(len(damaged)), dice.choice((1, 2, 16, 200))
        match dice.randrange(5):
            case 0:
                damaged[at : at + size] = dice.randbytes(size)
            case 1:
                damaged[at] ^= 1 << dice.randrange(8)
            case 2:
                damaged[at:at] = damaged[at : at + size]
            case 3:
                del damaged[at : at + size]
            case 4:
                damaged[at : at + size] = dice.choice((b"\xff", b"\x00", b"9", b"-")) * size
    return bytes(damaged)


async def test_fuzzed_files_are_read_or_refused_and_the_next_file_is_read(tmp_path: Path) -> None:
    reader = Reader(limits=replace(SHORT, page=10, opening=10, memory=450 << 20))
    seeds = {
        "book.pdf": textbook_pages(60, 64),
        "tables.docx": shared("docs/tables.docx").read_bytes(),
        "deck.pptx": shared("docs/docling_ecosystem.pptx").read_bytes(),
    }
    ends: list[int | str] = []
    for seed in range(MUTANTS):
        name, data = list(seeds.items())[seed % len(seeds)]
        path = tmp_path / f"{seed}-{name}"
        path.write_bytes(mutant(data, seed))
        try:
            ends.append(len(await texts(reader, path)))
        except (Refusal, ReaderDied) as end:
            ends.append(str(end))
    assert len(ends) == MUTANTS
    assert any(isinstance(end, int) for end in ends)
    whole = tmp_path / "book.pdf"
    whole.write_bytes(seeds["book.pdf"])
    assert len(await texts(reader, whole)) == 5
    await reader.close()


# --- what the two say to each other

OFFSETS = st.tuples(st.integers(0, 40), st.integers(0, 40)).map(sorted)
TIMES = st.floats(0, 1e5)


@st.composite
def segments(draw: st.DrawFn) -> Segment:
    text = draw(st.text(st.characters(codec=None), min_size=40, max_size=60))
    spans = draw(st.lists(OFFSETS, max_size=4))
    corners = st.floats(allow_nan=True, allow_infinity=True)
    return Segment(
        ordinal=draw(st.integers(0, 1000)),
        kind=draw(st.sampled_from(SegmentKind)),
        number=draw(st.integers(0, 1000)),
        text=text,
        label=draw(st.none() | st.text()),
        heading_path=tuple(draw(st.lists(st.text(), max_size=30))),
        heading_levels=tuple(draw(st.lists(st.integers(1, 9), max_size=30))),
        blocks=tuple(Block(draw(st.sampled_from(ContentType)), a, b, 0) for a, b in spans),
        lines=tuple(Line(a, b, *draw(st.tuples(corners, corners, corners, corners))) for a, b in spans),
        t_start=draw(st.none() | TIMES),
        t_end=draw(st.none() | TIMES),
        words=tuple(Word(a, b, draw(TIMES), draw(TIMES)) for a, b in spans),
        notice=draw(st.none() | st.text()),
    )


@given(segments())
def test_every_segment_that_an_honest_child_sends_arrives_as_it_was_mended(segment: Segment) -> None:
    mended = wire.mended(segment)
    kind, content = wire.parsed(wire.line("segment", wire.packed_segment(mended)))
    assert kind == "segment"
    assert wire.checked_segment(content) == mended
    assert len(mended.text) == len(segment.text)
    mended.text.encode()


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=6) | st.dictionaries(st.text(max_size=8), inner, max_size=6),
)
NAMES = sorted(wire.packed_segment(Segment(0, SegmentKind.PAGE, 1, "")))


@given(JSON | st.dictionaries(st.sampled_from(NAMES), JSON), st.binary(max_size=40))
def test_nonsense_is_never_believed_and_never_breaks_the_worker(content: object, raw: bytes) -> None:
    for check in (wire.checked_segment, wire.checked_info, wire.picture_size, wire.checked_ordinal):
        try:
            believed = check(content)
        except wire.Malformed:
            continue
        assert isinstance(believed, int)
    with suppress(wire.Malformed):
        wire.parsed(raw)


@pytest.mark.parametrize(
    "change",
    [
        {"text": "x\x00"},
        {"blocks": [["text", 0, 99, 0]]},
        {"blocks": [["text", 3, 2, 0]]},
        {"lines": [[0, 1, 0, 0, 1]]},
        {"lines": [[0, 1, 0, 0, 1, float("nan")]]},
        {"words": [[0, 1, -1.0, 2.0]]},
        {"heading_levels": [100]},
        {"kind": "chapter"},
        {"ordinal": True},
        {"number": -1},
        {"notice": "n" * 5000},
    ],
)
def test_a_segment_with_one_thing_wrong_is_not_believed(change: dict[str, object]) -> None:
    good = wire.packed_segment(Segment(0, SegmentKind.PAGE, 1, "Some words."))
    good |= {"heading_path": [], "heading_levels": []}
    wire.checked_segment(good)
    with pytest.raises(wire.Malformed):
        wire.checked_segment(good | change)


def test_a_picture_that_is_none_is_not_believed() -> None:
    figure = FoundFigure(0, 0, "photo", PNG, "image/png", box=(0.1, float("inf"), 0.5, 0.5))
    packed = wire.packed_figure(figure)
    assert wire.checked_figure(packed, PNG) == replace(figure, box=None)
    for image, change in ((b"MZ", {}), (PNG, {"media_type": "image/svg+xml"}), (PNG, {"kind": "virus"})):
        with pytest.raises(wire.Malformed):
            wire.checked_figure(packed | change, image)
