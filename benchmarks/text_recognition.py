"""Text recognition on scans, rendered pages and photos: characters right, time a page, memory.

Truth is the text layer of the rendered pages (lines with formulas left out), what was typed on the made ones, and for
the scan its words as they are read by eye (scan_loremipsum.txt).
"""

import json
import re
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jiwer
import numpy as np
import psutil
import pymupdf
from PIL import Image

from benchmarks.data import BOOK, REPOSITORY, shared
from benchmarks.memory import MEGABYTE
from benchmarks.report import Aim, Section
from tests.ingest.photos import ENGLISH, GERMAN, Pixels, as_file, drawn, typed_page, whiteboard
from tools.ingest.images import ImageExtractor
from tools.ingest.pdf import PdfExtractor
from tools.ingest.segments import ContentType, Line, Reading, Segment

_mupdf: Any = pymupdf  # its annotations cover only a part

PAPER, SCAN = "docs/dpr_paper_two_column_13p.pdf", "docs/scan_loremipsum_1p.pdf"
SCAN_WORDS = REPOSITORY / "benchmarks" / "scan_loremipsum.txt"
PAGES = {BOOK: (20, 57, 150, 200), PAPER: (0, 1, 7)}
PROSE = (ContentType.TEXT, ContentType.HEADING, ContentType.LIST, ContentType.CAPTION)
_FORMULA = re.compile(r"[\\^_{}=∑∫√≤≥≈\u0370-\u03ff\u2070-\u209f\u2200-\u22ff]|[^\x00-\uffff]")
TURNED_EXIF = 6
"""The camera was held upright: the picture lies on its left side in the file."""


@dataclass(frozen=True, slots=True)
class Sample:
    """Pictures of one kind and the words on each: as one text, or line by line with boxes in page fractions."""

    name: str
    files: Sequence[Path]
    truths: Sequence[str | list[tuple[str, Line]]]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one process read: text and lines of each picture, seconds in all, megabytes at most."""

    pages: list[tuple[str, list[list[Any]]]]
    seconds: float
    cpu_seconds: float
    peak: float


def measure_recognition(folder: Path) -> Section:
    """Every kind of picture is read in a process of its own, as by the reader of a worker. `folder` is for the pictures."""
    columns = ["characters right", "s/page", "CPU s/page", "peak MB"]
    section = Section("recognition", "Text recognition", columns)
    for sample in _samples(folder):
        program = [sys.executable, "-m", "benchmarks.text_recognition", *map(str, sample.files)]
        ran = subprocess.run(program, check=True, capture_output=True, text=True, cwd=REPOSITORY)
        outcome = Outcome(*json.loads(ran.stdout))
        wrong = [_error(truth, *page) for truth, page in zip(sample.truths, outcome.pages, strict=True)]
        count = len(sample.files)
        right = 1 - sum(wrong) / count
        section.rows[sample.name] = [
            right,
            outcome.seconds / count,
            outcome.cpu_seconds / count,
            outcome.peak,
        ]
    section.aims = [Aim(name, "characters right", 0.98, at_least=True) for name in section.rows]
    section.notes.append(
        "memory of the whole process, with models and libraries (NumPy, OpenCV, Pillow, PyMuPDF)"
    )
    return section


def _error(truth: str | list[tuple[str, Line]], text: str, lines: list[list[Any]]) -> float:
    """Character error rate; with boxes, of each line against what was read where it stands."""
    if isinstance(truth, str):
        return float(jiwer.cer(" ".join(truth.split()), " ".join(text.split())))
    read = [(text[start:end], *box) for start, end, *box in lines]
    found = []
    for _, line in truth:
        here = [
            (x0, words)
            for words, x0, y0, x1, y1 in read
            if line.y0 <= (y0 + y1) / 2 <= line.y1 and min(x1, line.x1) - max(x0, line.x0) > 0.5 * (x1 - x0)
        ]
        found.append(" ".join(words for _, words in sorted(here)))
    return float(jiwer.cer([words for words, _ in truth], found))


# --- samples ------------------------------------------------------------------------------------------------------


def _samples(folder: Path) -> Iterator[Sample]:
    for dpi in (150, 200):
        scan = _kept(folder, f"scan{dpi}.png", as_file(_rendered(shared(SCAN), 0, dpi), "PNG"))
        yield Sample(f"scanned page, {dpi} dpi", [scan], [SCAN_WORDS.read_text(encoding="utf-8")])
        for name, numbers in PAGES.items():
            truths = [_prose(segment) for segment in _segments(shared(name), numbers)]
            files = [
                _kept(folder, f"{number}.png", as_file(_rendered(shared(name), number, dpi), "PNG"))
                for number in numbers
            ]
            what = "textbook" if name == BOOK else "two-column paper"
            yield Sample(f"{what}, {dpi} dpi", files, truths)
    yield from _photos(folder)


def _photos(folder: Path) -> Iterator[Sample]:
    """A German page: straight from the screen, as turned photos of a phone; and a board from the side."""
    page, words = typed_page(GERMAN * 6), " ".join(GERMAN * 6)
    exif = Image.Exif()
    exif[0x0112] = TURNED_EXIF
    turned = np.ascontiguousarray(np.rot90(page))
    for name, kind, data in (
        ("German page, PNG", "png", as_file(page, "PNG")),
        ("German page, JPEG turned by Exif", "jpg", as_file(turned, "JPEG", exif=exif)),
        ("German page, HEIC turned by Exif", "heic", as_file(turned, "HEIF", exif=exif.tobytes())),
        ("photo of a whiteboard", "board.jpg", as_file(whiteboard(ENGLISH * 2), "JPEG", quality=60)),
    ):
        truth = words if name.startswith("German") else " ".join(ENGLISH * 2)
        yield Sample(name, [_kept(folder, f"page.{kind}", data)], [truth])


def _kept(folder: Path, name: str, data: bytes) -> Path:
    path = folder / name
    path.write_bytes(data)
    return path


def _rendered(path: Path, number: int, dpi: int) -> Pixels:
    with _mupdf.open(path) as document:
        return drawn(document[number], dpi)


def _segments(path: Path, numbers: Sequence[int]) -> list[Segment]:
    document = PdfExtractor(path)
    try:
        pages = {segment.ordinal: segment for segment in document.segments() if segment.ordinal in numbers}
    finally:
        document.close()
    return [pages[number] for number in numbers]


def _prose(segment: Segment) -> list[tuple[str, Line]]:
    spans = [(block.start, block.end) for block in segment.blocks if block.type in PROSE]
    lines = [(segment.text[line.start : line.end], line) for line in segment.lines]
    return [
        (words, line)
        for words, line in lines
        if not _FORMULA.search(words) and any(start <= line.start < end for start, end in spans)
    ]


# --- the process that reads ---------------------------------------------------------------------------------------


def read(paths: Sequence[Path]) -> Outcome:
    """Read pictures with all the time and memory that it takes."""
    pages = []
    began, cpu = time.perf_counter(), time.process_time()
    for path in paths:
        document = ImageExtractor(path, Reading())
        for segment in document.segments():
            lines = [[line.start, line.end, line.x0, line.y0, line.x1, line.y1] for line in segment.lines]
            pages.append((segment.text, lines))
        document.close()
    taken = time.perf_counter() - began, time.process_time() - cpu
    return Outcome(pages, *taken, _peak())


def _peak() -> float:
    """Megabytes; where the system does not tell the highest, what it is at the end."""
    status = Path("/proc/self/status")
    if not status.exists():
        return float(psutil.Process().memory_info().rss) / MEGABYTE
    found = re.search(r"VmHWM:\s+(\d+)", status.read_text())
    return int(found[1]) * 1024 / MEGABYTE if found else 0.0


if __name__ == "__main__":
    outcome = read([Path(name) for name in sys.argv[1:]])
    print(json.dumps([getattr(outcome, name) for name in Outcome.__slots__]))
