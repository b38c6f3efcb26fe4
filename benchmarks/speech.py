"""How well and how fast recordings are transcribed, by the default speech model.

Protocol: the labelled files of the test data are transcribed one by one, then a long recording is made of all speech files
in random order (seed 2026), each at a known second, with pauses of 0.3 to 3 s between them, a minute of silence and half a
minute each of noise and of a chord; it is stored as MP3 and read from beginning to end by the extractor in a process of its
own. Words belong to the file during whose time they are found. Word error rate is that of jiwer over all words, after
Whisper's normalisation as far as these texts need it: lower case, no punctuation, number words as digits (Radford et al.
2022, appendix C). The time error of a word is against its time when its file was transcribed alone.
"""

import csv
import multiprocessing
import random
import re
import resource
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from statistics import median, quantiles

import av
import jiwer
import numpy as np

from benchmarks.report import Aim, Section
from tools.ingest.segments import Reading
from tools.ingest.speech import SpeechExtractor
from tools.ingest.speech_model import speech_model
from tools.ingest.speech_sound import RATE, Samples, Sound

SEED = 2026
MINUTES = 10
NOT_SPEECH = ("silence", "noise", "chord")
MARGIN = 0.5
"""Seconds before and after a file in which its words may be found."""
DIGITS = {
    word: str(digit)
    for digit, word in enumerate("zero one two three four five six seven eight nine ten".split())
}


@dataclass(frozen=True, slots=True)
class Heard:
    """A word and when it is heard, in seconds."""

    text: str
    t_start: float
    t_end: float


@dataclass(slots=True)
class Run:
    """What reading a recording gave and cost."""

    words: list[Heard] = field(default_factory=list)
    languages: list[str | None] = field(default_factory=list)
    seconds: float = 0.0
    cpu_seconds: float = 0.0
    first_segment: float = 0.0
    peak_mb: float = 0.0


@dataclass(frozen=True, slots=True)
class Placed:
    """A piece of the long recording, from second `start` to `end`."""

    name: str
    start: float
    end: float


def measure_speech(folder: Path, minutes: int) -> list[Section]:
    """`folder` holds sound files and transcripts.tsv (file, words). Blocks; transcribes `minutes` of sound and more."""
    said = transcripts(folder / "transcripts.tsv")
    with tempfile.TemporaryDirectory(prefix="lyceum-speech-") as scratch:
        model = speech_model(None, Path(scratch))
        if model is None:
            sys.exit('No speech model is installed: pip install "lyceum[speech]".')
        sounds = {path.name: samples(path) for path in sorted(folder.iterdir()) if path.suffix != ".tsv"}
        alone = {name: in_a_process(folder / name, model) for name in sounds}
        path = Path(scratch) / "long.mp3"
        placed = write_long(path, sounds, minutes * 60)
        long = in_a_process(path, model)
    return [errors(said, alone, placed, long), costs(placed, long)]


def transcripts(path: Path) -> dict[str, str]:
    """What is said in each file; files without words are left out."""
    with path.open(encoding="utf-8", newline="") as file:
        return {name: text for name, text in csv.reader(file, delimiter="\t") if text.strip()}


def samples(path: Path) -> Samples:
    return np.concatenate(list(Sound(path).blocks()))


def in_a_process(path: Path, model: str) -> Run:
    """Reads a recording in a new process, so that its peak of memory is its own."""
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        return pool.submit(read, path, model).result()


def read(path: Path, model: str) -> Run:
    """Everything that is said in a recording."""
    run, began, cpu = Run(), time.monotonic(), time.process_time()
    extractor = SpeechExtractor(path, Reading(speech_model=model))
    for segment in extractor.segments():
        run.first_segment = run.first_segment or time.monotonic() - began
        run.words += [
            Heard(segment.text[word.start : word.end], word.t_start, word.t_end) for word in segment.words
        ]
        run.languages.append(extractor.info.language)
    run.seconds, run.cpu_seconds = time.monotonic() - began, time.process_time() - cpu
    run.peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return run


def write_long(path: Path, sounds: dict[str, Samples], seconds: float) -> list[Placed]:
    """An MP3 of at least that length; gives where each file lies in it."""
    chance, at, placed = random.Random(SEED), 0.0, []
    pieces = {**sounds, **dict(zip(NOT_SPEECH, without_speech(), strict=True))}
    names = iter(order(chance, sorted(sounds), seconds, pieces))
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libmp3lame", rate=RATE, layout="mono")
        for name in names:
            pause = np.zeros(int(chance.uniform(0.3, 3.0) * RATE), np.float32)
            for piece in (pieces[name], pause):
                for packet in stream.encode(frame_of(piece, round(at * RATE))):
                    container.mux(packet)
                if piece is not pause:
                    placed.append(Placed(name, at, at + len(piece) / RATE))
                at += len(piece) / RATE
        container.mux(stream.encode())
    return placed


def order(
    chance: random.Random, names: Sequence[str], seconds: float, pieces: dict[str, Samples]
) -> list[str]:
    """Names of pieces that fill the time; those without speech come once each, in between."""
    chosen, left = list(NOT_SPEECH), seconds - sum(len(pieces[name]) for name in NOT_SPEECH) / RATE
    while left > 0:
        name = chance.choice(names)
        chosen.append(name)
        left -= len(pieces[name]) / RATE + 1.65
    chance.shuffle(chosen)
    return chosen


def without_speech() -> tuple[Samples, Samples, Samples]:
    """A minute of silence, half a minute of noise, half a minute of a chord."""
    noise = np.random.default_rng(SEED).normal(0, 0.05, 30 * RATE).astype(np.float32)
    time_axis = np.arange(30 * RATE) / RATE
    chord = sum(np.sin(2 * np.pi * pitch * time_axis) for pitch in (220.0, 277.2, 329.6)) / 10
    return np.zeros(60 * RATE, np.float32), noise, np.asarray(chord, np.float32)


def frame_of(piece: Samples, pts: int) -> av.AudioFrame:
    frame = av.AudioFrame.from_ndarray(
        (np.clip(piece, -1, 1) * 32767).astype(np.int16).reshape(1, -1), format="s16", layout="mono"
    )
    frame.sample_rate, frame.pts, frame.time_base = RATE, pts, Fraction(1, RATE)
    return frame


def errors(said: dict[str, str], alone: dict[str, Run], placed: Sequence[Placed], long: Run) -> Section:
    """Word and time errors, alone and in the long recording."""
    section = Section("speech_errors", "Speech: errors", ["words", "WER %", "time p50 s", "time p95 s"])
    together: tuple[list[str], list[str]] = ([], [])
    for name, text in said.items():
        wanted = normal(text)
        single = " ".join(normal(word.text) for word in alone[name].words)
        section.rows[f"{name}, alone"] = [len(wanted.split()), 100 * jiwer.wer(wanted, single)]
        times = [place for place in placed if place.name == name]
        found = [" ".join(normal(word.text) for word in inside(long, place)) for place in times]
        offsets = [
            error for place in times for error in time_errors(alone[name].words, inside(long, place), place)
        ]
        row = [len(wanted.split()) * len(times), 100 * jiwer.wer([wanted] * len(times), found)]
        section.rows[f"{name}, {len(times)} times"] = row + spread(offsets)
        together[0].extend([wanted] * len(times))
        together[1].extend(found)
    section.rows["all, in the long recording"] = [
        sum(len(text.split()) for text in together[0]),
        100 * jiwer.wer(*together),
    ]
    made_up = sum(len(list(inside(long, place, 0))) for place in placed if place.name in NOT_SPEECH)
    section.notes.append(f"{made_up} words found in two minutes of silence, noise and a chord")
    languages = {run.languages[-1] for run in alone.values() if run.languages} | {long.languages[-1]}
    section.notes.append(f"languages: {', '.join(sorted(map(str, languages)))}")
    return section


def costs(placed: Sequence[Placed], long: Run) -> Section:
    length = placed[-1].end
    section = Section(
        "speech_costs",
        "Speech: a long recording",
        ["minutes", "seconds", "CPU s", "times real", "first s", "peak MB"],
    )
    section.rows["MP3"] = [
        length / 60,
        long.seconds,
        long.cpu_seconds,
        length / long.seconds,
        long.first_segment,
        long.peak_mb,
    ]
    section.aims = [Aim("MP3", "times real", 4, at_least=True), Aim("MP3", "peak MB", 450)]
    return section


def inside(run: Run, place: Placed, margin: float = MARGIN) -> Iterator[Heard]:
    """Words whose middle lies in the place."""
    for word in run.words:
        if place.start - margin <= (word.t_start + word.t_end) / 2 < place.end + margin:
            yield word


def time_errors(alone: Sequence[Heard], found: Iterator[Heard], place: Placed) -> list[float]:
    """Seconds between where a word of the file was found and where it lies, for the words that were found both times."""
    words = list(found)
    if not words or not alone:
        return []
    aligned = jiwer.process_words(
        " ".join(normal(word.text) or "-" for word in alone),
        " ".join(normal(word.text) or "-" for word in words),
    )
    equal = [chunk for chunk in aligned.alignments[0] if chunk.type == "equal"]
    pairs = [
        (alone[chunk.ref_start_idx + at], words[chunk.hyp_start_idx + at])
        for chunk in equal
        for at in range(chunk.ref_end_idx - chunk.ref_start_idx)
    ]
    return [abs(here.t_start - place.start - there.t_start) for there, here in pairs]


def spread(values: Sequence[float]) -> list[float]:
    if len(values) < 2:
        return []
    return [median(values), quantiles(values, n=20, method="inclusive")[18]]


def normal(text: str) -> str:
    """One word stays one word."""
    words = re.sub(r"[^\w\s']", "", text.lower()).split()
    return " ".join(DIGITS.get(word, word) for word in words)
