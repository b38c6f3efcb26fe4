"""Where in a recording somebody speaks, and where it may be cut without cutting a word.

Cuts depend on nothing but the sound around them, so reading can go on at any minute and finds the same ones. Pure but for
the voice detector (Silero VAD v6, which faster-whisper's wheel brings).
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from faster_whisper.vad import get_vad_model
from numpy.typing import NDArray

from tools.ingest.speech_sound import RATE, Samples, check_length

FRAME = 512
"""Samples that the detector judges at once, 32 ms."""
MINUTE = 60 * RATE
FRAMES_A_MINUTE = MINUTE // FRAME
"""1,875: a minute has no frame that is cut."""
_LEAD = 64 * FRAME
"""Samples before a minute that the detector hears first, 2 s: it judges by what it heard."""
_SEARCH = 12 * RATE
"""How far from the full minute a span may end."""
_TAIL = 15 * RATE
"""A last span shorter than this belongs to the one before."""

SPEECH, SILENCE = 0.5, 0.35
"""Probabilities from which speech begins and below which it ends; Silero's defaults."""
_PAUSE = RATE
"""Silence shorter than this is inside of speech."""
_SHORTEST = 5
"""Frames; a shorter sound is a click."""
_PAD = int(0.2 * RATE)
"""Kept before and after speech: the detector is late for soft consonants."""
LONGEST_CLIP = 29 * RATE
"""Whisper hears 30 s at once."""
_BRIDGED = 3 * RATE
"""Silence up to this length stays inside a clip: another clip would cost as much as one of 30 s."""

Probabilities = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Stretch:
    """About a minute between two pauses. `samples` are heard from `start` on (samples of the recording); `speech` has the
    probability of speech in each FRAME of them."""

    ordinal: int
    start: int
    samples: Samples
    speech: Probabilities
    last: bool
    pause: float = 0.0
    """Seconds of the pause that it ends in."""

    @property
    def t_start(self) -> float:
        return self.start / RATE

    @property
    def t_end(self) -> float:
        return (self.start + len(self.samples)) / RATE


def stretches(blocks: Iterator[Samples], first: int = 0) -> Iterator[Stretch]:
    """The recording from its stretch number `first` on; what comes before is decoded and thrown away.

    Holds three minutes of samples. Raises Refusal too_long, no_speech for a recording without samples.
    """
    before: _Minute | None = None
    here: _Minute | None = None
    for after in _minutes(blocks, max(0, first - 1)):
        if here is not None and here.number >= first:
            yield _stretch(before, here, after)
        before, here = here, after
    if here is not None and here.number >= first and not _joins_the_one_before(here):
        yield _stretch(before, here, None)


def expected(seconds: float) -> int:
    """Stretches of a recording of this length."""
    return max(1, -(-int(seconds * RATE - _TAIL) // MINUTE))


@dataclass(frozen=True, slots=True)
class _Minute:
    number: int
    samples: Samples
    speech: Probabilities


def _minutes(blocks: Iterator[Samples], first: int) -> Iterator[_Minute]:
    """Full minutes and what remains, from minute `first` on."""
    lead = np.zeros(0, np.float32)
    for number, samples in enumerate(_gathered(blocks)):
        check_length(number * 60 + len(samples) / RATE)
        if number >= first:
            yield _Minute(number, samples, _probabilities(lead, samples))
        lead = samples[-_LEAD:]


def _gathered(blocks: Iterator[Samples]) -> Iterator[Samples]:
    held: list[Samples] = []
    size = 0
    for block in blocks:
        held.append(block)
        size += len(block)
        while size >= MINUTE:
            joined = np.concatenate(held)
            yield joined[:MINUTE].copy()
            held = [joined[MINUTE:].copy()]
            size = len(held[0])
    if size:
        yield np.concatenate(held)


def _probabilities(lead: Samples, samples: Samples) -> Probabilities:
    heard = np.concatenate([lead, samples])
    padded = np.pad(heard, (0, -len(heard) % FRAME))
    found: Probabilities = get_vad_model()(padded).reshape(-1)
    return found[len(lead) // FRAME :]


def _joins_the_one_before(minute: _Minute) -> bool:
    return minute.number > 0 and len(minute.samples) <= _TAIL


def _stretch(before: _Minute | None, here: _Minute, after: _Minute | None) -> Stretch:
    start = _cut(before, here)[0] if before else 0
    last = after is None or _joins_the_one_before(after)
    end, pause = len(here.samples), 0.0
    if after is not None and last:
        end += len(after.samples)
    elif after is not None:
        cut, pause = _cut(here, after)
        end += cut
    parts = [part for part in (before, here, after) if part]
    samples = np.concatenate([part.samples for part in parts])
    speech = np.concatenate([part.speech for part in parts])
    offset = len(before.samples) if before else 0
    inside = slice(offset + start, offset + end)
    frames = slice((offset + start) // FRAME, -(-(offset + end) // FRAME))
    return Stretch(
        here.number, here.number * MINUTE + start, samples[inside].copy(), speech[frames].copy(), last, pause
    )


def _cut(before: _Minute, after: _Minute) -> tuple[int, float]:
    """Where between two minutes to cut, in samples from the later one's beginning, and how long the pause is there, in
    seconds."""
    reach = _SEARCH // FRAME
    around = np.concatenate([before.speech[-reach:], after.speech[:reach]])
    at, length = best_pause(around)
    return (at - reach) * FRAME, length * FRAME / RATE


def best_pause(speech: Probabilities) -> tuple[int, int]:
    """The frame to cut at and how many frames of silence are around it.

    The longest pause wins; from 1.5 s on they count alike and the one nearest to the middle wins. Without any pause it is
    the frame that sounds least like speech.
    """
    edges = np.flatnonzero(np.diff(np.concatenate([[False], speech < SILENCE, [False]]).astype(np.int8)))
    runs = edges.reshape(-1, 2)
    if not len(runs):
        return int(np.argmin(speech)), 0
    middle = runs.mean(axis=1)
    enough = 1.5 * RATE / FRAME
    score = np.minimum(runs[:, 1] - runs[:, 0], enough) - np.abs(middle - len(speech) / 2) / len(speech)
    best = int(np.argmax(score))
    return int(middle[best]), int(runs[best, 1] - runs[best, 0])


def clips(speech: Probabilities) -> list[tuple[int, int]]:
    """Samples [start, end) of what is worth transcribing, each at most LONGEST_CLIP, cut at pauses; silence is left out."""
    limit = len(speech) * FRAME
    joined: list[tuple[int, int]] = []
    for start, end in ((max(0, a - _PAD), min(limit, b + _PAD)) for a, b in _voiced(speech)):
        if joined and start - joined[-1][1] < _BRIDGED and end - joined[-1][0] <= LONGEST_CLIP:
            joined[-1] = (joined[-1][0], end)
        else:
            joined.append((start if not joined else max(start, joined[-1][1]), end))
    return [part for start, end in joined for part in _short_enough(speech, start, end)]


def _voiced(speech: Probabilities) -> Iterator[tuple[int, int]]:
    """Samples [start, end) of speech with its short pauses: from SPEECH on until it stays below SILENCE for a while."""
    begin: int | None = None
    loud = last = 0
    for at, probability in enumerate(speech):
        if probability >= SPEECH:
            begin = at if begin is None else begin
            loud += 1
        if probability >= SILENCE:
            last = at + 1
        if begin is not None and (at + 1 - last) * FRAME >= _PAUSE:
            if loud >= _SHORTEST:
                yield begin * FRAME, last * FRAME
            begin, loud = None, 0
    if begin is not None and loud >= _SHORTEST:
        yield begin * FRAME, last * FRAME


def _short_enough(speech: Probabilities, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Cuts at the longest pauses that leave as few clips as possible."""
    while end - start > LONGEST_CLIP:
        rest = -(-(end - start) // LONGEST_CLIP) - 1
        latest = start + LONGEST_CLIP
        # At least 8 s to choose from: one clip more is better than a word cut in two.
        earliest = min(max(start + LONGEST_CLIP // 3, end - rest * LONGEST_CLIP), latest - 8 * RATE)
        first = earliest // FRAME
        at, _ = best_pause(speech[first : latest // FRAME])
        yield start, (first + at) * FRAME
        start = (first + at) * FRAME
    yield start, end
