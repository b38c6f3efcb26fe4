"""`python -m benchmarks [speed|quality|scale|locators|ingesting|pdf|ocr|speech|items|mcp] [--json FILE]`: everything in one run on a temporary data folder."""

import argparse
import asyncio
import os
import tempfile
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

from benchmarks.chatting import measure_chat
from benchmarks.data import AUDIO, BOOK, SQUAD, XQUAD_GERMAN, shared
from benchmarks.filling import Scale
from benchmarks.ingesting import measure_ingesting
from benchmarks.items import measure_gate, measure_items
from benchmarks.locators import measure_locators
from benchmarks.mcp import measure_mcp
from benchmarks.memory import measure_memory
from benchmarks.pdf_reading import measure_pdf
from benchmarks.quality import measure_german, measure_quality
from benchmarks.reading import measure_reading
from benchmarks.report import Section, machine, save, show
from benchmarks.scale import measure_scale
from benchmarks.searching import measure_search
from benchmarks.server import Server
from benchmarks.speech import MINUTES, measure_speech
from benchmarks.stages import measure_stages
from benchmarks.starting import measure_starts
from benchmarks.text_recognition import measure_recognition
from benchmarks.tools_in_process import alone, beside

IDLE_SECONDS = 5
QUESTIONS = 500
WHAT = ["speed", "quality", "scale", "locators", "ingesting", "pdf", "ocr", "speech", "items", "mcp"]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("what", nargs="?", choices=WHAT, default="speed")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the figures here")
    parser.add_argument(
        "--limit", type=int, default=QUESTIONS, help="questions for quality, 2 or more (%(default)s)"
    )
    default = Scale()
    parser.add_argument("--users", type=int, default=default.users, help="for scale (%(default)s)")
    parser.add_argument("--classes", type=int, default=default.classes, help="of each user (%(default)s)")
    parser.add_argument(
        "--chunks", type=int, default=default.class_chunks, help="of each class (%(default)s)"
    )
    parser.add_argument("--write-plans", action="store_true", help="with scale: plans into docs/schema.md")
    parser.add_argument("--pages", type=int, default=1000, help="for ingesting: of the book (%(default)s)")
    parser.add_argument("--hours", type=float, default=3, help="for ingesting: of speech (%(default)s)")
    parser.add_argument(
        "--minutes", type=int, default=MINUTES, help="for speech: of the long recording (%(default)s)"
    )
    parser.add_argument(
        "--count", type=int, default=50, help="for items: of each type and book, or 0 (%(default)s)"
    )
    parser.add_argument(
        "--model", action="store_true", help="for items: made by the language model of LYCEUM_MODEL"
    )
    parser.add_argument(
        "--out", type=Path, default=Path("items"), help="for items: folder of the lists (%(default)s)"
    )
    args = parser.parse_args()
    if args.users < 5 or args.classes < 1 or args.chunks < 12:
        parser.error("scale needs 5 users, 1 class and 12 chunks, or more")
    before = machine()
    print(", ".join(f"{name} {value}" for name, value in before.items()))
    with tempfile.TemporaryDirectory(prefix="lyceum-bench-") as folder:
        sections = asyncio.run(work_of(args, Path(folder)))
    load_after = os.getloadavg()[0]
    print(f"\nload_1_min at the end: {load_after:.2f}")
    if args.json:
        save(args.json, before, load_after, sections)


def work_of(args: argparse.Namespace, folder: Path) -> Coroutine[Any, Any, list[Section]]:
    """What was asked for."""
    data_dir = folder / "data"
    size = Scale(args.users, args.classes, args.chunks)
    kinds: dict[str, Callable[[], Coroutine[Any, Any, list[Section]]]] = {
        "speed": lambda: speed(data_dir),
        "quality": lambda: quality(data_dir, args.limit),
        "scale": lambda: scale(data_dir, size, write_plans=args.write_plans),
        "locators": lambda: locators(data_dir, folder),
        "ingesting": lambda: ingesting(data_dir, folder, args.pages, args.hours),
        "pdf": pdf,
        "ocr": lambda: ocr(folder),
        "speech": lambda: speech(args.minutes),
        "items": lambda: items(data_dir, args.out, args.count, use_model=args.model),
        "mcp": lambda: beside_chroma_mcp(data_dir, folder),
    }
    return kinds[args.what]()


async def speed(data_dir: Path) -> list[Section]:
    """Every measurement of time and memory; each table is shown when it is there."""
    book = shared(BOOK)
    sections: list[Section] = []

    def done(section: Section) -> None:
        show(section)
        sections.append(section)

    server = Server(data_dir)
    try:
        done(await measure_starts(server))
        pid = server.process.pid
        await asyncio.sleep(IDLE_SECONDS)
        done(measure_memory("memory_idle", "Memory, idle after a warm start", pid, data_dir))
        async with server.client() as client:
            done(await measure_reading(client, book))
            async with beside(data_dir) as inside:
                done(await measure_search(client, inside))
            done(await measure_chat(client))
        await asyncio.sleep(IDLE_SECONDS)
        done(measure_memory("memory_used", "Memory, idle after all this", pid, data_dir))
    finally:
        await server.stop()
    async with alone(data_dir) as inside:
        done(await measure_stages(inside, book))
    return sections


async def pdf() -> list[Section]:
    """How fast PDF files are read, before anything is embedded."""
    section = measure_pdf(shared(BOOK))
    show(section)
    return [section]


async def speech(minutes: int) -> list[Section]:
    """How well and how fast recordings are transcribed."""
    sections = await asyncio.to_thread(measure_speech, shared(AUDIO), minutes)
    for section in sections:
        show(section)
    return sections


async def items(data_dir: Path, out: Path, count: int, *, use_model: bool) -> list[Section]:
    """How well the gate judges, and what makers make; lists of items to judge by hand go to `out`."""
    async with alone(data_dir) as inside:
        sections = await measure_gate(inside)
        if count:
            sections += await measure_items(inside, out, count, use_model=use_model)
    for section in sections:
        show(section)
    return sections


async def quality(data_dir: Path, limit: int) -> list[Section]:
    """How well search finds, on labelled questions."""
    async with alone(data_dir) as inside:
        sections = [
            await measure_quality(inside, shared(SQUAD), limit),
            await measure_german(inside, shared(XQUAD_GERMAN), limit),
        ]
    for section in sections:
        show(section)
    return sections


async def locators(data_dir: Path, folder: Path) -> list[Section]:
    """Whether locators open the right place."""
    async with alone(data_dir) as inside:
        section = await measure_locators(inside, folder)
    show(section)
    return [section]


async def ingesting(data_dir: Path, folder: Path, pages: int, hours: float) -> list[Section]:
    """What reading material costs, and what it costs others."""
    server = Server(data_dir)
    await server.start()
    try:
        sections = await measure_ingesting(server, folder, pages, hours)
    finally:
        await server.stop()
    for section in sections:
        show(section)
    return sections


async def beside_chroma_mcp(data_dir: Path, folder: Path) -> list[Section]:
    """The MCP server against chroma-mcp on the same documents."""
    sections = await measure_mcp(Server(data_dir), folder)
    for section in sections:
        show(section)
    return sections


async def scale(data_dir: Path, size: Scale, *, write_plans: bool) -> list[Section]:
    """How the database does with many users."""
    sections: list[Section] = []

    def done(section: Section) -> None:
        show(section)
        sections.append(section)

    await measure_scale(data_dir, size, done, plans=write_plans)
    return sections


async def ocr(folder: Path) -> list[Section]:
    """Text recognition on scans and photos."""
    section = measure_recognition(folder)
    show(section)
    return [section]


if __name__ == "__main__":
    main()
