"""Whether a locator opens the place where its passage stands: 30 random passages of real files, each checked against another
reading of the original.

PDF: what PyMuPDF reads on the page named, which must be more like the passage than any other page, and inside the boxes
alone. A scan has no words: text recognition reads the boxes cut out of the page. Slides and Word files: python-pptx and
python-docx. A recording is put together of known clips at known seconds; every sentence of a passage must be heard in the
clip that plays at its time.
"""

import asyncio
import io
import random
import re
import unicodedata
import wave
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import docx
import numpy as np
import pptx
import pymupdf

from benchmarks.data import BOOK, shared
from benchmarks.report import Aim, Section
from benchmarks.tools_in_process import Inside
from tools.ingest.service import make_worker
from tools.intake import once, receive
from tools.worker import Worker

CLASS_NAME = "Locators"
SEED = 2026
PASSAGES = 30
FILES = (
    BOOK,
    "docs/slides_wave_136p.pdf",
    "docs/dpr_paper_two_column_13p.pdf",
    "docs/scan_loremipsum_1p.pdf",
    "docs/tables.docx",
    "docs/docling_ecosystem.pptx",
)
CLIPS = ("audio/jfk.flac", "audio/arctic_a0024.wav")
RATE = 16_000
PAUSES = (3.0, 24.0, 8.0, 37.0, 15.0, 4.0)
"""Seconds of silence before each clip, in turn: the recording is about two and a half minutes long."""
RUN = 6
"""Letters and digits of a run that is looked for; two pages of a book have few runs of six in common."""
ENOUGH = 0.7
"""Share of a passage that must be found at its place: readers differ in formulas, and some words are misheard."""
LATE = 1.0
"""Seconds that a sentence's time may be off."""

ALIKE = 0.1
"""Slides that repeat a figure differ by a word, and of such a word PyMuPDF may have lost a ligature."""

_mupdf: Any = pymupdf  # its annotations cover only a part


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether the place shows the passage, and whether its boxes do; None where a place has none."""

    place: bool
    boxes: bool | None = None


Check = Callable[[Mapping[str, Any]], Verdict]
"""Judges an opened passage."""


async def measure_locators(inside: Inside, folder: Path) -> Section:
    """`folder` is for the recording that is made."""
    await inside.call("create_class", name=CLASS_NAME)
    recording, clips = folder / "recording.wav", clips_in_turn()
    recording.write_bytes(recorded(clips))
    checks = {shared(name): check_of(shared(name)) for name in FILES}
    checks[recording] = lambda passage: spoken(clips, passage)
    section = Section("locators", "Locators", ["opened", "right", "boxes", "boxes right"])
    chosen = await some_passages(inside, list(checks), section.notes)
    for path, passage_ids in chosen.items():
        verdicts = []
        for passage_id in passage_ids:
            passage = await inside.call("open_passage", passage_id=str(passage_id))
            verdict = checks[path](passage)
            verdicts.append(verdict)
            if not verdict.place or verdict.boxes is False:
                section.notes.append(f"wrong: {path.name}, {passage['label']}: {passage['text'][:80]!r}")
        section.rows[path.name] = counts(verdicts)
    section.rows["all"] = [sum(column) for column in zip(*section.rows.values(), strict=True)]
    section.aims = [
        Aim("all", "right", section.rows["all"][0], at_least=True),
        Aim("all", "boxes right", section.rows["all"][2], at_least=True),
    ]
    section.notes.append(f"random passages (seed {SEED}), from every file in turn as long as it has some")
    return section


def counts(verdicts: Sequence[Verdict]) -> list[float]:
    boxed = [verdict.boxes for verdict in verdicts if verdict.boxes is not None]
    return [len(verdicts), sum(verdict.place for verdict in verdicts), len(boxed), sum(boxed)]


async def some_passages(inside: Inside, paths: Sequence[Path], notes: list[str]) -> dict[Path, list[UUID]]:
    """Passages by file: one of each in turn until there are enough. Reads all files first; notes those that cannot be read."""
    chance, worker = random.Random(SEED), make_worker(inside.storage, "benchmarks")
    waiting: dict[Path, list[UUID]] = {}
    for path in paths:
        material_id, error = await read_in(inside, worker, path)
        if error:
            notes.append(f"{path.name} could not be read: {error}")
        async with inside.storage.as_user(inside.owner.user_id, read_only=True) as db:
            waiting[path] = sorted(await db.materials.chunk_ids(material_id))
        chance.shuffle(waiting[path])
    chosen: dict[Path, list[UUID]] = {path: [] for path in paths}
    while sum(map(len, chosen.values())) < PASSAGES and any(waiting.values()):
        for path, left in waiting.items():
            if left and sum(map(len, chosen.values())) < PASSAGES:
                chosen[path].append(left.pop())
    return chosen


async def read_in(inside: Inside, worker: Worker, path: Path) -> tuple[UUID, str | None]:
    """The material, and why it could not be read."""
    content = await asyncio.to_thread(path.read_bytes)
    upload_id = await receive(inside.storage, inside.owner, path.name, once(content))
    taken = await inside.call("upload_material", class_id=CLASS_NAME, upload_id=str(upload_id))
    job_id, material_id = UUID(taken["job_id"]), UUID(taken["material_id"])
    status = "queued"
    while status in ("queued", "processing", "searchable"):
        await worker.work(job_id, inside.owner.user_id)
        material = await inside.call("get_material", material_id=str(material_id))
        status = material["status"]
    return material_id, material["error"]


# --- pages and slides


def check_of(path: Path) -> Check:
    if path.suffix == ".pdf":
        return Pages(path)
    if path.suffix == ".pptx":
        slides = [" ".join(texts_of(slide.shapes)) for slide in pptx.Presentation(str(path)).slides]
        return lambda passage: Verdict(is_best(slides, passage["locator"]["slide"], passage["text"]))
    text = document_text(path)
    return lambda passage: Verdict(is_best([text], 1, passage["text"]))


class Pages:
    """The pages of a PDF, as PyMuPDF reads them; a page without words as text recognition does."""

    def __init__(self, path: Path) -> None:
        self._book = _mupdf.open(path)
        self._texts = [page.get_text("text") or recognised(page, [page.rect]) for page in self._book]

    def __call__(self, passage: Mapping[str, Any]) -> Verdict:
        """The header above later rows of a table stands elsewhere, so the passage's own characters are looked for."""
        locator = passage["locator"]
        own = passage["segment_text"][locator["char_start"] : locator["char_end"]]
        inside = self._inside(self._book[locator["page"] - 1], locator["boxes"])
        return Verdict(is_best(self._texts, locator["page"], own), are_alike(inside, own))

    def _inside(self, page: Any, boxes: Sequence[Mapping[str, float]]) -> str:
        """What stands in the boxes."""
        rectangles = [rectangle_of(page, box) for box in boxes]
        words = page.get_text("words")
        if not words:
            return recognised(page, rectangles)
        within = [word[4] for word in words if any(middle_of(word) in part for part in rectangles)]
        return " ".join(within)


def rectangle_of(page: Any, box: Mapping[str, float]) -> Any:
    """A box in points of its page, a little wider than the letters."""
    width, height = page.rect.width, page.rect.height
    return _mupdf.Rect(
        box["x0"] * width - 2, box["y0"] * height - 2, box["x1"] * width + 2, box["y1"] * height + 2
    )


def middle_of(word: Sequence[Any]) -> Any:
    return _mupdf.Point((word[0] + word[2]) / 2, (word[1] + word[3]) / 2)


def recognised(page: Any, rectangles: Iterable[Any]) -> str:
    """What text recognition reads in parts of a page."""
    from rapidocr import RapidOCR  # noqa: PLC0415 - loads half a second of models

    engine: Any = RapidOCR(params={"Global.log_level": "error"})
    found: list[str] = []
    for rectangle in rectangles:
        found += engine(page.get_pixmap(clip=rectangle, dpi=200).tobytes("png")).txts or ()
    return " ".join(found)


def texts_of(shapes: Iterable[Any]) -> Iterable[str]:
    for shape in shapes:
        if shape.has_text_frame:
            yield shape.text_frame.text
        if getattr(shape, "has_table", False):
            yield from (cell.text for row in shape.table.rows for cell in row.cells)
        if hasattr(shape, "shapes"):
            yield from texts_of(shape.shapes)


def document_text(path: Path) -> str:
    body = docx.Document(str(path)).element.body
    return " ".join(text.text or "" for text in body.iter() if text.tag.endswith("}t"))


# --- likeness


def is_best(places: Sequence[str], number: int, passage: str) -> bool:
    """Whether the place of that number, from 1, has enough of the passage, and no other has clearly more."""
    shares = [share(place, passage) for place in places]
    return shares[number - 1] >= max(ENOUGH, max(shares) - ALIKE)


def are_alike(inside: str, passage: str) -> bool:
    """Whether boxes hold the passage and little else."""
    return share(inside, passage) >= ENOUGH and share(passage, inside) >= ENOUGH


def share(there: str, wanted: str) -> float:
    """How much of a wanted text is there, 0 to 1: by its words, whatever their order, or by its runs of letters, wherever
    words are divided and lines break; in both ways readers differ."""
    return max(part_of(words_of(there), words_of(wanted)), part_of(runs_of(there), runs_of(wanted)))


def part_of(there: Counter[str], wanted: Counter[str]) -> float:
    """How many of the wanted are there, each as often as it is wanted."""
    return (there & wanted).total() / wanted.total() if wanted else 0.0


def words_of(text: str) -> Counter[str]:
    return Counter(in_order(text))


def runs_of(text: str) -> Counter[str]:
    """Every RUN letters and digits that follow each other, whatever stands between them."""
    letters = "".join(in_order(text))
    return Counter(letters[at : at + RUN] for at in range(max(0, len(letters) - RUN + 1)))


def in_order(text: str) -> list[str]:
    return re.findall(r"[^\W_]+", unicodedata.normalize("NFKC", text).casefold())


# --- a recording


@dataclass(frozen=True, slots=True)
class Clip:
    """What is said in a recording from `t_start` to `t_end` seconds."""

    samples: "np.ndarray[Any, np.dtype[np.int16]]"
    words: str
    t_start: float

    @property
    def t_end(self) -> float:
        return self.t_start + len(self.samples) / RATE


def clips_in_turn() -> list[Clip]:
    said = dict(line.split("\t", 1) for line in shared("audio/transcripts.tsv").read_text().splitlines())
    clips: list[Clip] = []
    for number, pause in enumerate(PAUSES):
        name = CLIPS[number % len(CLIPS)]
        t_start = (clips[-1].t_end if clips else 0.0) + pause
        clips.append(Clip(samples_of(shared(name)), said[Path(name).name], t_start))
    return clips


def samples_of(path: Path) -> "np.ndarray[Any, np.dtype[np.int16]]":
    """One channel, 16,000 samples a second."""
    import av  # noqa: PLC0415 - FFmpeg costs 60 MB

    with av.open(str(path)) as sound:
        resampler = av.AudioResampler("s16", "mono", RATE)
        frames = [part for frame in sound.decode(audio=0) for part in resampler.resample(frame)]
    return np.concatenate([frame.to_ndarray()[0] for frame in frames]).astype(np.int16)


def recorded(clips: Sequence[Clip]) -> bytes:
    """WAV of the clips at their times, silence between."""
    samples = np.zeros(int((clips[-1].t_end + 2) * RATE), np.int16)
    for clip in clips:
        begin = int(clip.t_start * RATE)
        samples[begin : begin + len(clip.samples)] = clip.samples
    file = io.BytesIO()
    with wave.open(file, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(RATE)
        sound.writeframes(samples.tobytes())
    return file.getvalue()


def spoken(clips: Sequence[Clip], passage: Mapping[str, Any]) -> Verdict:
    """Each sentence of the passage against what is said in the clip at its time."""
    locator = passage["locator"]
    own = [
        sentence
        for sentence in passage["sentences"]
        if sentence["char_start"] < locator["char_end"] and sentence["char_end"] > locator["char_start"]
    ]
    if not own or abs(own[0]["t_start"] - locator["t_start"]) > LATE:
        return Verdict(False)
    return Verdict(all(is_heard(clips, sentence) for sentence in own))


def is_heard(clips: Sequence[Clip], sentence: Mapping[str, Any]) -> bool:
    begin, end = sentence["t_start"], sentence["t_end"]
    during = [clip for clip in clips if clip.t_start - LATE <= begin and end <= clip.t_end + LATE]
    said = " ".join(clip.words for clip in during)
    return part_of(words_of(said), words_of(sentence["text"])) >= ENOUGH
