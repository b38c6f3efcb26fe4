"""Whole jobs that make tests and decks, as a worker runs them: reading, making, judging, storing.

Protocol: of a material that is read, `generate_test` makes `count` questions of the usual mixture and `generate_flashcards` as many
cards, each first with a new worker and then once more with the same one, which has kept what it analyses sentences with; the second
has another seed, so that it reads other places of a long book, and repeats nothing of the first. They are timed from the claim to
the end: wall time, and CPU seconds of this process and of the one that analyses, whose memory is told too. What the first ones
made is written to jobs-<book>.md as it was stored, to be judged by `items_rubric.md`.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import psutil

from benchmarks.memory import MEGABYTE
from benchmarks.report import Aim, Section
from benchmarks.tools_in_process import Inside
from storage.models import Flashcard, TestQuestion
from tools.context import TextModel
from tools.ingest.service import make_worker
from tools.study.rules.equipment import IDLE_SECONDS, Equipment
from tools.worker import Worker

JOB_MS = 60.0
JOBS = ("test", "deck")


@dataclass(frozen=True, slots=True)
class Done:
    """What one job made, and what it took."""

    rows: list[TestQuestion | Flashcard]
    rejected: Mapping[str, int]
    seconds: float
    cpu: float

    @property
    def figures(self) -> list[float]:
        """Items, wall and CPU milliseconds an item, candidates turned away."""
        each = 1000 / max(1, len(self.rows))
        return [len(self.rows), self.seconds * each, self.cpu * each, sum(self.rejected.values())]


async def measure_jobs(
    inside: Inside, books: Mapping[str, UUID], out: Path, count: int, model: TextModel | None
) -> Section:
    """A test and a deck of each book."""
    section = Section("item_jobs", "Whole jobs", ["made", "ms/item", "CPU ms/item", "rejected"])
    for book, material_id in books.items():
        made: list[TestQuestion | Flashcard] = []
        for what in JOBS:
            equipment = Equipment(IDLE_SECONDS)
            worker = make_worker(inside.storage, "benchmarks", model=model, equipment=equipment)
            wanted = {"material_ids": [str(material_id)], "count": count}
            first = await by_job(inside, worker, what, **wanted)
            later = await by_job(inside, worker, what, **wanted)
            held = [child.memory_info().rss / MEGABYTE for child in _analysers()]
            await equipment.close()
            section.rows[f"first {what} of the {book}"] = first.figures
            section.rows[f"later {what} of the {book}"] = later.figures
            reasons = ", ".join(f"{reason} {times}" for reason, times in sorted(first.rejected.items()))
            section.notes.append(
                f"{what} of the {book}, rejected: {reasons or 'none'}; kept between the jobs: {sum(held):.0f} MB"
            )
            made += first.rows
        await asyncio.to_thread(write, out / f"jobs-{book}.md", made)
    if model is None:
        section.aims = [Aim(row, "CPU ms/item", JOB_MS) for row in section.rows]
    return section


async def by_job(inside: Inside, worker: Worker, what: str, **arguments: object) -> Done:
    """A test or a deck, made by a worker in this process."""
    name = "generate_test" if what == "test" else "generate_flashcards"
    started = await inside.call(name, **arguments)
    before, began = _cpu(), time.monotonic()
    await worker.work(UUID(started["job_id"]), inside.owner.user_id)
    seconds, cpu = time.monotonic() - began, _cpu() - before
    target = UUID(started[f"{what}_id"])
    async with inside.storage.as_user(inside.owner.user_id, read_only=True) as db:
        job = await db.jobs.get(started["job_id"])
        found = await (db.making.question_rows if what == "test" else db.making.card_rows)(target)
        rows: list[TestQuestion | Flashcard] = [*found]
    return Done(rows, Counter((job.result or {}).get("rejected", {})), seconds, cpu)


def write(path: Path, rows: Iterable[TestQuestion | Flashcard]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(listed(rows)) + "\n", encoding="utf-8")


def _cpu() -> float:
    """Seconds of this process and of what analyses for it."""
    times = [psutil.Process().cpu_times(), *(child.cpu_times() for child in _analysers())]
    return sum(one.user + one.system for one in times)


def _analysers() -> list[psutil.Process]:
    """Processes that were spawned from this one; servers were not."""
    children = psutil.Process().children()
    return [child for child in children if any("spawn_main" in part for part in child.cmdline())]


def listed(rows: Iterable[TestQuestion | Flashcard]) -> list[str]:
    """A line for each row as it was stored."""
    lines = []
    for number, row in enumerate(rows, start=1):
        asked, key = (row.text, row.answer) if isinstance(row, TestQuestion) else (row.front, row.back)
        options = " | ".join(str(one) for one in row.options)
        line = f"{number}. [{row.model} {row.type}] **{asked}** ({options}) → **{key}** — “{row.quote}” {row.quality_score or 0:.2f}"
        lines.append(" ".join(line.split()))
    return lines
