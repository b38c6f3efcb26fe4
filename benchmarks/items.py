"""Questions and cards: how well the gate judges labelled ones, and what makers make of real books, listed for judging by hand.

Protocol: the gate judges each of the labelled items of tests/study/labelled_items.json alone; rules were tuned on one half. Then the
textbook and two chapters of the open textbook are read, and of each book and each type `count` items are made in the way of the
jobs (the same reading, topics, slots, workshop; one test or deck a type, so that types do not take sentences from each other).
Maker and gate are timed apart, per item they gave or judged; "made" may be less than asked for when the gate turned too many away. Items with
their evidence go to items-<book>.md and .json in the folder that is named, to be judged by `items_rubric.md`.
"""

import asyncio
import json
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import get_args
from uuid import UUID

from assistant.models.text import ConfiguredModel
from benchmarks.data import BOOK, shared
from benchmarks.item_lists import Listed, write_lists
from benchmarks.items_by_job import measure_jobs
from benchmarks.labelled_items import by_reason, confusion, figures, labelled, verdicts
from benchmarks.report import Aim, Section
from benchmarks.tools_in_process import Inside
from storage.resources import Storage
from tools.ingest.service import make_worker
from tools.intake import once, receive
from tools.study.gate import ItemGate
from tools.study.items import Batch, Item
from tools.study.keys import CardType, QuestionType
from tools.study.parts import Parts
from tools.study.planning import Portion, State, due, slots_of
from tools.study.port import Embed, Gate, Ground, Maker, Matrix, Topic, Verdict, Wanted
from tools.study.reading import read_script
from tools.study.rules.maker import RuleMaker
from tools.study.workshop import Terms, Workshop
from tools.study.writing import ModelMaker

CLASS_NAME = "Items"
OPEN_BOOK = "labelled/openstax_python"
CHAPTERS = {"Objects": ("m00020", "m00026"), "Loops": ("m00036", "m00042")}
"""First and last section of two chapters of the open textbook."""
SEED = 2026
CARD = "card_"
TYPES = (*get_args(QuestionType), *(CARD + one for one in get_args(CardType)))
MAKING_MS, JUDGING_MS = 60.0, 10.0
PRECISION, RECALL = 0.9, 0.9


# --- the labelled set


async def measure_gate(inside: Inside) -> list[Section]:
    """Precision and recall on the labelled items, by half and by reason."""
    items = labelled()
    embed = embedding(inside.storage)
    await verdicts(items[:3], embed)
    began = time.monotonic()
    judged = await verdicts(items, embed)
    taken = (time.monotonic() - began) * 1000 / len(items)
    overall = Section("gate", "Gate on labelled items", ["items", "precision", "recall", "named", "ms/item"])
    reasons = Section("gate_reasons", "By reason", ["labelled", "caught", "named", "wrongly"])
    for half in ("tune", "held"):
        own = [pair for pair in zip(items, judged, strict=True) if pair[0].half == half]
        found = figures([one for one, _ in own], [verdict for _, verdict in own])
        overall.rows[half] = [len(own), found.precision, found.recall, found.named]
        table = by_reason([one for one, _ in own], [verdict for _, verdict in own])
        reasons.rows |= {f"{half}: {reason}": list(counts) for reason, counts in table.items()}
    found = figures(items, judged)
    overall.rows["all"] = [len(items), found.precision, found.recall, found.named, taken]
    overall.aims = [
        Aim("all", "precision", PRECISION, at_least=True),
        Aim("all", "recall", RECALL, at_least=True),
        Aim("all", "ms/item", JUDGING_MS),
    ]
    pairs = (
        (f"{was} → {said}", n) for (was, said), n in sorted(confusion(items, judged).items()) if was != said
    )
    reasons.notes.append("label → first reason: " + ", ".join(f"{pair} {n}" for pair, n in pairs))
    return [overall, reasons]


# --- items of real books


@dataclass
class Watch:
    """Seconds, CPU seconds of this process, and items of one of the two."""

    seconds: float = 0.0
    cpu: float = 0.0
    items: int = 0

    def per_item(self) -> float:
        """Milliseconds; 0 when there was none."""
        return self.seconds * 1000 / self.items if self.items else 0.0

    def cpu_per_item(self) -> float:
        return self.cpu * 1000 / self.items if self.items else 0.0

    def add(self, other: "Watch") -> None:
        self.seconds += other.seconds
        self.cpu += other.cpu
        self.items += other.items


@dataclass
class TimedMaker:
    inner: Maker
    watch: Watch = field(default_factory=Watch)

    @property
    def name(self) -> str:
        return self.inner.name

    async def make(self, topic: Topic, wanted: Wanted, ground: Ground) -> Batch:
        began = time.monotonic()
        batch = await self.inner.make(topic, wanted, ground)
        self.watch.seconds += time.monotonic() - began
        self.watch.items += len(batch.items)
        return batch

    async def close(self) -> None:
        """The maker is used again for the next type."""


@dataclass
class TimedGate:
    inner: Gate
    watch: Watch
    turned_away: list[Verdict] = field(default_factory=list)

    async def judge(self, items: Sequence[Item], ground: Ground) -> list[Verdict]:
        began, cpu = time.monotonic(), time.process_time()
        judged = await self.inner.judge(items, ground)
        self.watch.seconds += time.monotonic() - began
        self.watch.cpu += time.process_time() - cpu
        self.watch.items += len(items)
        self.turned_away += [verdict for verdict in judged if verdict.reasons]
        return judged


@dataclass
class Outcome:
    """What came of one type."""

    listed: list[Listed]
    turned_away: list[Verdict]
    rejected: Counter[str]
    making: Watch
    judging: Watch


async def measure_items(inside: Inside, out: Path, count: int, *, use_model: bool) -> list[Section]:
    """Makes, judges, times and lists. `count` items of each type and book, then as many by a whole job of each kind."""
    books = {"textbook": await read_textbook(inside), "open-book": await read_chapters(inside)}
    sections = []
    for name, material_id in books.items():
        maker = await maker_of(inside.storage, use_model=use_model)
        try:
            outcomes = await items_of_book(inside, material_id, maker, count)
        finally:
            await maker.close()
        write_lists(out, name, {type: one.listed for type, one in outcomes.items()}, maker.name)
        write_rejected(out / f"rejected-{name}.json", outcomes)
        sections.append(as_section(name, maker.name, outcomes))
    model = ConfiguredModel(inside.storage.settings, inside.storage.embedder) if use_model else None
    return [*sections, await measure_jobs(inside, books, out, count, model)]


async def maker_of(storage: Storage, *, use_model: bool) -> Maker:
    if not use_model:
        return RuleMaker(embedding(storage))
    model = ConfiguredModel(storage.settings, storage.embedder)
    named = await model.which()
    if named is None:
        raise SystemExit("No language model answers: set LYCEUM_MODEL and LYCEUM_MODEL_BASE_URL.")
    return ModelMaker(model, named)


def embedding(storage: Storage) -> Embed:
    """Unit vectors by the process's embedder, off the event loop."""

    async def embed(texts: Sequence[str]) -> Matrix:
        return await asyncio.to_thread(storage.embedder.embed_documents, texts)

    return embed


async def read_textbook(inside: Inside) -> UUID:
    path = shared(BOOK)
    return await read_file(inside, path.name, await asyncio.to_thread(path.read_bytes))


async def read_chapters(inside: Inside) -> UUID:
    """Two chapters as one Markdown file, a heading a section."""
    with (shared(OPEN_BOOK) / "corpus.jsonl").open(encoding="utf-8") as file:
        records = [json.loads(line) for line in file]
    ids = [record["id"] for record in records]
    parts = []
    for title, (first, last) in CHAPTERS.items():
        parts.append(f"# {title}")
        for record in records[ids.index(first) : ids.index(last) + 1]:
            body = record["text"].removeprefix(record["title"]).strip()
            parts += [f"## {record['title']}", body]
    return await read_file(inside, "Introduction to Python Programming.md", "\n\n".join(parts).encode())


async def read_file(inside: Inside, name: str, content: bytes) -> UUID:
    """Upload and read a file in this process. No worker may run beside."""
    listed = await inside.call("list_classes")
    if CLASS_NAME not in {row["name"] for row in listed["items"]}:
        await inside.call("create_class", name=CLASS_NAME)
    upload_id = await receive(inside.storage, inside.owner, name, once(content))
    taken = await inside.call("upload_material", class_id=CLASS_NAME, upload_id=str(upload_id))
    await make_worker(inside.storage, "benchmarks").work(UUID(taken["job_id"]), inside.owner.user_id)
    return UUID(taken["material_id"])


async def items_of_book(inside: Inside, material_id: UUID, maker: Maker, count: int) -> dict[str, Outcome]:
    async with inside.storage.as_user(inside.owner.user_id, read_only=True) as db:
        material = await db.materials.resolve(str(material_id))
        whole = await Parts(inside.storage, db, [material]).between(None, None)
    script = await read_script(inside.storage, inside.owner.user_id, [material], [whole])
    read = Read(Ground(tuple(script.topics), script.lexicon), script.material_of, script.portions([whole]))
    embed = embedding(inside.storage)
    return {type: await items_of(type, read, embed, maker, count) for type in TYPES}


@dataclass(frozen=True, slots=True)
class Read:
    """A book as makers need it, all of it at once."""

    ground: Ground
    material_of: Mapping[UUID, UUID]
    portions: Sequence[Portion]


async def items_of(type: str, read: Read, embed: Embed, maker: Maker, count: int) -> Outcome:
    """A test or deck of one type, as the job would make it."""
    kind = type.removeprefix(CARD)
    making, judging = TimedMaker(maker), TimedGate(ItemGate(embed), Watch())
    terms = Terms(cards=type.startswith(CARD), difficulty="mixed", bloom=(), seed=SEED)
    shop = Workshop([making], judging, read.ground, terms, read.material_of)
    slots = slots_of(read.portions, {kind: 1.0}, count, 0.5)
    state, outcome = State(), Outcome([], judging.turned_away, Counter(), making.watch, judging.watch)
    while (job := due(slots, read.portions, [kind], state)) is not None:
        made = await shop.batch(job, read.ground.topics[job.topic], state.step)
        state.filled += job.slots[: len(made.taken)]
        outcome.listed += [Listed(one.item, one.score) for one in made.taken]
        outcome.rejected += made.rejected
        for shut in made.shut:
            state.shut_off(job.topic, shut)
        state.step += 1
    return outcome


def as_section(book: str, maker: str, outcomes: dict[str, Outcome]) -> Section:
    reasons = sorted({reason for one in outcomes.values() for reason in one.rejected})
    columns = ["taken", "maker ms", "gate ms", "gate CPU ms", "rejected", *reasons]
    section = Section(f"items_{book}", f"Items of the {book}, by {maker}", columns)
    for type, one in outcomes.items():
        counts = [one.rejected[reason] for reason in reasons]
        each = [one.making.per_item(), one.judging.per_item(), one.judging.cpu_per_item()]
        section.rows[type] = [len(one.listed), *each, one.rejected.total(), *counts]
    taken = sum(len(one.listed) for one in outcomes.values())
    making, judging = Watch(), Watch()
    for one in outcomes.values():
        making.add(one.making)
        judging.add(one.judging)
    section.rows["all, per item proposed"] = [
        making.items, making.per_item(), judging.per_item(), judging.cpu_per_item(),
        sum(one.rejected.total() for one in outcomes.values()),
    ]  # fmt: skip
    per_taken = Watch(making.seconds + judging.seconds, items=taken)
    section.rows["maker and gate, per item taken"] = [taken, per_taken.per_item()]
    section.aims = [Aim("all, per item proposed", "gate CPU ms", JUDGING_MS)]
    if maker == "builtin":
        section.aims = [*section.aims, Aim("maker and gate, per item taken", "maker ms", MAKING_MS)]
    section.notes.append("wall time; the maker's first items include the start of what analyses sentences")
    return section


def write_rejected(path: Path, outcomes: dict[str, Outcome]) -> None:
    """What was turned away, to see whether the gate is too strict."""
    found = [
        {
            "type": type,
            "reasons": [r.value for r in verdict.reasons],
            **Listed(verdict.item, verdict.score).as_json(),
        }
        for type, one in outcomes.items()
        for verdict in one.turned_away
    ]
    path.write_text(json.dumps(found, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
