"""What a Whisper model hears: the language of a piece of sound and its words with their times. Runs in the reader child."""

from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache

import ctranslate2
import httpx
import numpy as np
from faster_whisper import WhisperModel

from tools.ingest.cleaning import clean
from tools.ingest.segments import Refusal
from tools.ingest.speech_pauses import FRAME, Probabilities
from tools.ingest.speech_sound import RATE, Samples
from tools.ingest.transcript import Spoken

Clip = tuple[int, int]
"""Samples [start, end)."""

BEAM = 5
TEMPERATURES = (0.0, 0.4)
"""Whisper's way out of a loop is to sample again, up to five times and ever hotter; once is enough to get out of most, and
bounds the time."""
NO_SPEECH, LOG_PROBABILITY, COMPRESSION = 0.6, -1.0, 2.4
"""Thresholds of the Whisper paper (Radford et al. 2022, 4.5)."""
_HEARD = 0.25
"""Mean probability of speech below which words of a segment were made up in a silence."""
_PHRASE, _REPEATS = 12, 4
"""A phrase of up to so many words, said so often in a row, is a loop of the model."""
_UNSPACED = frozenset({"zh", "ja", "th", "lo", "my", "yue", "km", "bo"})
"""Languages that put no space between words."""
_BCP_47 = {"jw": "jv"}
_WHISPERS = {tag: code for code, tag in _BCP_47.items()}


class Recognizer:
    """A loaded model. Raises Refusal speech_model_missing when it cannot be had."""

    def __init__(self, model: str, threads: int) -> None:
        try:
            self._model = WhisperModel(model, device="auto", compute_type=_type(), cpu_threads=threads)
        except (OSError, ValueError, RuntimeError, httpx.HTTPError) as error:
            raise Refusal(
                "speech_model_missing",
                f"The speech model {model!r} could not be loaded, so recordings cannot be transcribed. "
                "LYCEUM_SPEECH_MODEL must name a folder with a faster-whisper model or one that can be downloaded.",
            ) from error

    def languages(self, samples: Samples, clips: Sequence[Clip]) -> dict[str, float]:
        """How much of the clips is in each language (BCP 47), in seconds."""
        found: dict[str, float] = {}
        if not self._model.model.is_multilingual:
            return {"en": sum(end - start for start, end in clips) / RATE}
        for start, end in clips:
            _, _, probabilities = self._model.detect_language(audio=samples[start:end])
            for code, probability in probabilities:
                language = _BCP_47.get(code, code)
                found[language] = found.get(language, 0.0) + probability * (end - start) / RATE
        return found

    def words(
        self, samples: Samples, speech: Probabilities, clips: Sequence[Clip], language: str, seed: int
    ) -> list[Spoken]:
        """What is said in the clips, with times in seconds of `samples`; the same seed gives the same words. `speech` are
        the voice detector's probabilities for each FRAME of `samples`."""
        ctranslate2.set_random_seed(seed)
        heard: list[Spoken] = []
        for start, end in clips:
            heard += self._clip(
                samples[start:end], speech[start // FRAME : end // FRAME + 1], language, start
            )
        return without_loops(in_order(heard if language in _UNSPACED else joined(heard)))

    def _clip(self, samples: Samples, speech: Probabilities, language: str, start: int) -> Iterator[Spoken]:
        segments, _ = self._model.transcribe(
            samples,
            language=_WHISPERS.get(language, language),
            beam_size=BEAM,
            best_of=1,
            temperature=TEMPERATURES,
            compression_ratio_threshold=COMPRESSION,
            log_prob_threshold=LOG_PROBABILITY,
            no_speech_threshold=NO_SPEECH,
            condition_on_previous_text=False,
            word_timestamps=True,
        )
        at = start / RATE
        for segment in segments:
            words = [word for word in segment.words or () if word.word.strip()]
            if words and _is_heard(words[0].start, words[-1].end, speech):
                for word in words:
                    yield Spoken(clean(word.word), float(word.start) + at, float(word.end) + at)


@lru_cache(maxsize=1)
def recognizer(model: str, threads: int) -> Recognizer:
    """The same for one recording after another: loading takes a second or two. Raises Refusal speech_model_missing."""
    return Recognizer(model, threads)


def _type() -> str:
    """int8 on a processor: half the memory of float16 weights, which no processor computes with; a GPU's own otherwise."""
    return "default" if ctranslate2.get_cuda_device_count() else "int8"


def _is_heard(t_start: float, t_end: float, speech: Probabilities) -> bool:
    first = int(t_start * RATE) // FRAME
    inside = speech[first : max(first + 1, int(t_end * RATE) // FRAME)]
    return bool(len(inside)) and float(np.mean(inside)) >= _HEARD


def joined(words: Iterable[Spoken]) -> list[Spoken]:
    """Pieces without a space before them belong to the word before: "follow" + "-up"."""
    found: list[Spoken] = []
    for word in words:
        if found and not word.text[:1].isspace():
            before = found[-1]
            found[-1] = Spoken(before.text + word.text, before.t_start, word.t_end)
        else:
            found.append(word)
    return found


def in_order(words: Iterable[Spoken]) -> list[Spoken]:
    """Words that begin no earlier than the one before them ended."""
    found: list[Spoken] = []
    at = 0.0
    for word in words:
        start = max(at, word.t_start)
        at = max(start, word.t_end)
        found.append(Spoken(word.text, start, at))
    return found


def without_loops(words: Sequence[Spoken]) -> list[Spoken]:
    """Of a phrase repeated over and over, the first time only."""
    plain = [word.text.strip().strip(".,!?;:…").casefold() for word in words]
    found: list[Spoken] = []
    at = 0
    while at < len(words):
        length, times = _loop(plain, at)
        found += words[at : at + length]
        at += length * times
    return found


def _loop(words: Sequence[str], at: int) -> tuple[int, int]:
    """Length of the shortest phrase that repeats from `at` on and how often; (1, 1) without a loop."""
    for length in range(1, _PHRASE + 1):
        phrase, times = words[at : at + length], 1
        while words[at + times * length : at + (times + 1) * length] == phrase:
            times += 1
        if times >= _REPEATS:
            return length, times
    return 1, 1
