"""Recordings and videos as transcript: a segment a minute, with the time of every word. Runs in the reader child."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from storage.locators import clock
from tools.ingest.reader.place import touch
from tools.ingest.segments import DocumentInfo, FoundFigure, Reading, Refusal, Segment, SegmentKind
from tools.ingest.speech_pauses import Stretch, clips, expected, stretches
from tools.ingest.speech_recognizer import Recognizer, recognizer
from tools.ingest.speech_sound import Sound
from tools.ingest.transcript import Spoken, sentence_ends, span

_CARRIED = 20.0
"""Seconds of an unfinished sentence that go on in the next segment, at most."""
_STOPPED = 2.0
"""A pause of so many seconds ends a sentence."""
_DETECTED, _EVERY = 2, 5
"""The language is listened for in the first minutes with speech and then in every fifth, where it may change."""
_SURE = 0.9
"""Share of a minute that must sound like another language than the recording's before it is taken as that."""
_MISSING = 2.0
"""Seconds that a recording may fall short of its announced length."""

NO_MODEL = (
    "This server cannot transcribe recordings, because no speech model is installed. "
    'Whoever runs it can install one with pip install "lyceum[speech]" or name one in LYCEUM_SPEECH_MODEL.'
)


class SpeechExtractor:
    """`info` is replaced as the recording is heard: its language, and at the end its length, are known only then."""

    def __init__(self, path: Path, reading: Reading) -> None:
        """Raises Refusal: corrupt, no_sound, too_long, speech_model_missing."""
        if reading.speech_model is None:
            raise Refusal("speech_model_missing", NO_MODEL)
        self._sound = Sound(path)
        self._reading, self._model = reading, reading.speech_model
        self._languages = _Languages()
        duration = self._sound.duration
        self.info = DocumentInfo(
            self._sound.media_type,
            SegmentKind.SPAN,
            None if duration is None else expected(duration),
            self._sound.title,
            author=self._sound.author,
            duration_seconds=duration,
        )

    def segments(self, start: int = 0, skip: Collection[int] = ()) -> Iterator[Segment]:
        """Raises Refusal: no_speech when nothing at all is said, too_long, corrupt, speech_model_missing.

        A sentence that is still going on at the end of a segment stands whole in the next one; to know its beginning, the
        minute before `start` is transcribed again.
        """
        listener = recognizer(self._model, self._reading.threads)
        carried: list[Spoken] = []
        silent, end = True, 0.0
        for stretch in stretches(self._sound.blocks(), max(0, start - 1)):
            end = stretch.t_end
            skipped = stretch.ordinal in skip
            if not skipped:
                touch(stretch.ordinal)
            words = carried + ([] if skipped else self._words(listener, stretch))
            carried = [] if stretch.last else unfinished(words, stretch.pause)
            words = words[: len(words) - len(carried)]
            self.info = replace(self.info, language=self._languages.main())
            silent = silent and not words and not carried and not skipped
            if stretch.ordinal >= start:
                if stretch.last and silent and start == 0:
                    break
                yield self._segment(stretch, words, carried, skipped)
        self.info = replace(self.info, duration_seconds=end or self.info.duration_seconds)
        if silent and start == 0:
            raise Refusal("no_speech", "No speech could be heard in this recording.")

    def _segment(
        self, stretch: Stretch, words: Sequence[Spoken], carried: Sequence[Spoken], skipped: bool
    ) -> Segment:
        begin = min(stretch.t_start, words[0].t_start) if words else stretch.t_start
        end = carried[0].t_start if carried else stretch.t_end
        notice = f"From {clock(begin)} to {clock(end)} the recording could not be read." if skipped else None
        if stretch.last and notice is None:
            notice = self._shortfall(stretch.t_end)
        return span(stretch.ordinal, words, begin, end, notice)

    def _shortfall(self, end: float) -> str | None:
        announced = self._sound.duration or 0.0
        if announced - end > _MISSING + announced / 100:
            return f"The recording breaks off at {clock(end)} of {clock(announced)}; what comes after is missing in the file."
        if self._sound.damaged:
            return "Parts of this recording are damaged; what could be heard was transcribed."
        return None

    def _words(self, listener: Recognizer, stretch: Stretch) -> list[Spoken]:
        spoken = clips(stretch.speech)
        spoken = [(start, min(end, len(stretch.samples))) for start, end in spoken]
        if not spoken:
            return []
        heard = None
        if self._languages.wanted(stretch.ordinal):
            heard = listener.languages(stretch.samples, spoken)
        language = self._languages.of(heard)
        words = listener.words(stretch.samples, stretch.speech, spoken, language, stretch.ordinal)
        at = stretch.t_start
        return [Spoken(word.text, word.t_start + at, word.t_end + at) for word in words]

    def figures(self) -> Iterator[FoundFigure]:
        """None: the pictures of a video are not kept."""
        return iter(())

    def close(self) -> None:
        """Nothing stays open."""


class _Languages:
    """What a recording was heard to be in, in seconds of each language."""

    def __init__(self) -> None:
        self._heard: dict[str, float] = {}
        self._times = 0

    def wanted(self, ordinal: int) -> bool:
        """Whether it is worth listening for the language of this minute."""
        return self._times < _DETECTED or ordinal % _EVERY == 0

    def of(self, heard: dict[str, float] | None) -> str:
        """The language of a minute: the recording's, or what the minute itself is in without a doubt."""
        if heard is None:
            return self.main() or "en"
        self._times += 1
        for language, seconds in heard.items():
            self._heard[language] = self._heard.get(language, 0.0) + seconds
        likeliest = max(heard, key=lambda language: heard[language])
        sure = heard[likeliest] >= _SURE * sum(heard.values())
        return likeliest if sure else self.main() or likeliest

    def main(self) -> str | None:
        return max(self._heard, key=lambda language: self._heard[language]) if self._heard else None


def unfinished(words: Sequence[Spoken], pause: float) -> list[Spoken]:
    """The words after the last sentence that ended, when the speaker went on after a `pause` of so many seconds."""
    if not words or pause >= _STOPPED:
        return []
    ends = sentence_ends(words)
    rest = list(words[ends[-1] :]) if ends else []
    return rest if rest and rest[-1].t_end - rest[0].t_start <= _CARRIED else []
