"""Caption files, WebVTT and SubRip, as transcripts: cues become sentences, and every word gets a time.

WebVTT: W3C, "The Web Video Text Tracks Format". SubRip has no standard; what players accept is accepted.
"""

import html
import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

from tools.ingest.charset import decode
from tools.ingest.cleaning import one_line
from tools.ingest.segments import DocumentInfo, FoundFigure, Refusal, Segment, SegmentKind
from tools.ingest.sniff import SRT_TYPE, VTT_TYPE
from tools.ingest.transcript import Spoken, sentence_ends, span

SPAN = 60.0
"""Seconds of a segment, about: it ends with the sentence, or in the pause, nearest to that."""
REACH = 15.0
"""Seconds by which it may be shorter or longer."""
LONGEST_CUE = 120.0
"""Seconds; a caption that stays longer was forgotten on the screen."""

_TIMES = re.compile(
    r"^\s*(?:(\d+):)?(\d{1,2}):(\d{2})[.,](\d{1,3})\s*-->\s*(?:(\d+):)?(\d{1,2}):(\d{2})[.,](\d{1,3})(?:\s|$)"
)
_WORD_TIME = re.compile(r"<(?:(\d+):)?(\d{2}):(\d{2})\.(\d{3})>")
_VOICE = re.compile(r"<v(?:\.[^\s>]+)*\s+([^>]+)>", re.I)
_TAG = re.compile(r"</?[a-z][^>]*>|\{\\[^}]*\}", re.I)
_SOUND = re.compile(r"[\[(（【][^\])）】]{1,40}[\])）】]|[♪♫#]+")
"""[Music], (applause), notes: what is heard but not said."""
_SPEAKER = re.compile(r"^\s*(?:>>+\s*|[-–—]\s+)?(?:([A-Z][\w.' -]{1,30}):\s+)?")
_MARK = re.compile(r"^\s*(?:>>+|[-–—]\s)")
_LANGUAGE = re.compile(r"^Language:\s*([A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8})*)\s*$", re.M)
_UNSPACED = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\u0e00-\u0e7f]")


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a cue. `parts` are pieces of text with the second from which each is heard."""

    parts: tuple[tuple[float, str], ...]
    t_end: float
    turn: bool = False
    """Whether another speaker begins."""

    @property
    def text(self) -> str:
        return one_line("".join(text for _, text in self.parts))


class CaptionsExtractor:
    def __init__(self, path: Path) -> None:
        """Raises Refusal empty_file."""
        text = re.sub(r"\r\n?", "\n", decode(path.read_bytes()).removeprefix("\ufeff"))
        is_vtt = text.startswith("WEBVTT")
        self._words = spoken(rolled_up(list(cues(text))))
        if not self._words:
            raise Refusal("empty_file", "There are no words in this caption file.")
        head = text.split("\n\n", 1)[0] if is_vtt else ""
        found = _LANGUAGE.search(head)
        self._spans = list(spans(self._words))
        self.info = DocumentInfo(
            VTT_TYPE if is_vtt else SRT_TYPE,
            SegmentKind.SPAN,
            len(self._spans),
            language=found.group(1) if found else None,
            duration_seconds=self._words[-1].t_end,
        )

    def segments(self, start: int = 0, skip: Collection[int] = ()) -> Iterator[Segment]:
        """About a minute each, from that ordinal on."""
        for ordinal in range(start, len(self._spans)):
            words = self._spans[ordinal]
            t_end = self._spans[ordinal + 1][0].t_start if ordinal + 1 < len(self._spans) else words[-1].t_end
            if ordinal in skip:
                notice = "This minute of the captions could not be read."
                yield span(ordinal, (), words[0].t_start, t_end, notice)
            else:
                yield span(ordinal, words, words[0].t_start, t_end)

    def figures(self) -> Iterator[FoundFigure]:
        """None."""
        return iter(())

    def close(self) -> None:
        self._words, self._spans = [], []


# --- from the file to lines


def cues(text: str) -> Iterator[tuple[float, float, list[Line]]]:
    """Start, end and lines of each cue, in order of time; cues without times or text are left out."""
    found = []
    for block in re.split(r"\n[ \t]*\n", text):
        lines = block.split("\n")
        at = next((number for number, line in enumerate(lines[:3]) if "-->" in line), None)
        match = _TIMES.match(lines[at]) if at is not None else None
        if match is None or at is None:
            continue
        start, end = _seconds(*match.groups()[:4]), _seconds(*match.groups()[4:])
        if end <= start:
            continue
        end = min(end, start + LONGEST_CUE)
        found.append((start, end, list(_lines(lines[at + 1 :], start, end))))
    return iter(sorted((cue for cue in found if cue[2]), key=lambda cue: cue[0]))


def _seconds(hours: str | None, minutes: str, seconds: str, fraction: str) -> float:
    return int(hours or 0) * 3600 + int(minutes) * 60 + int(seconds) + int(fraction.ljust(3, "0")) / 1000


def _lines(lines: Sequence[str], start: float, end: float) -> Iterator[Line]:
    """Lines of a cue; a line that begins with a small letter or after no new speaker goes on with the one before."""
    at = start
    for raw in lines:
        parts: list[tuple[float, str]] = []
        turn = bool(_VOICE.search(raw) or _MARK.match(html.unescape(raw)))
        pieces = _WORD_TIME.split(raw)
        for number in range(0, len(pieces), 5):
            if number:
                hours, minutes, seconds, fraction = pieces[number - 4 : number]
                at = min(max(at, _seconds(hours, minutes, seconds, fraction)), end)
            text = _plain(pieces[number], first=number == 0)
            if text.strip():
                parts.append((at, text))
        if parts:
            yield Line(tuple(parts), end, turn)


def _plain(text: str, *, first: bool) -> str:
    """Text without markup, sounds and who speaks."""
    text = html.unescape(_TAG.sub("", text)).replace("\u200b", "")
    text = _SOUND.sub("", text)
    return _SPEAKER.sub("", text, count=1) if first else text


# --- from lines to words


def rolled_up(cues_: Sequence[tuple[float, float, list[Line]]]) -> list[Line]:
    """Lines as they are said: in captions that roll up, each line stands again in the next cues while a new one comes."""
    said: list[Line] = []
    shown: list[str] = []
    last_end = -1.0
    for start, _, lines in cues_:
        texts = [line.text for line in lines]
        again = _overlap(shown, texts) if start - last_end < 1.0 else 0
        said += _shared_times(lines[again:])
        last_end = max(last_end, lines[-1].t_end)
        shown = texts if again < len(texts) or not again else shown
    return [replace(line, t_end=_end(line, following)) for line, following in pairwise([*said, None]) if line]


def _overlap(shown: Sequence[str], texts: Sequence[str]) -> int:
    """How many of the first lines stood on the screen already, as its last lines."""
    for count in range(min(len(shown), len(texts)), 0, -1):
        if list(shown[-count:]) == list(texts[:count]):
            return count
    return 0


def _shared_times(lines: Sequence[Line]) -> list[Line]:
    """Lines of one cue share its time by their length, unless words carry times of their own."""
    if len(lines) < 2 or any(len(line.parts) > 1 for line in lines):
        return list(lines)
    start, end = lines[0].parts[0][0], lines[0].t_end
    total = sum(len(line.text) for line in lines) or 1
    shared, at = [], start
    for line in lines:
        until = at + (end - start) * len(line.text) / total
        shared.append(Line(((at, line.parts[0][1]),), until, line.turn))
        at = until
    return shared


def _end(line: Line, following: Line | None) -> float:
    """A cue may stay on the screen while the next one is said."""
    if following is None:
        return line.t_end
    return max(line.parts[-1][0], min(line.t_end, following.parts[0][0]))


def spoken(lines: Sequence[Line]) -> list[Spoken]:
    """Words with times: those of the file, and in between by the length of the words."""
    words: list[Spoken] = []
    for line in lines:
        turn = line.turn
        stops = [*(start for start, _ in line.parts[1:]), line.t_end]
        for (start, text), end in zip(line.parts, stops, strict=True):
            for word in _timed(text, start, end):
                words.append(replace(word, turn=turn))
                turn = False
    return words


def _timed(text: str, start: float, end: float) -> Iterator[Spoken]:
    pieces = list(_pieces(one_line(text)))
    total, at = sum(len(piece) for piece in pieces) or 1, start
    for piece in pieces:
        until = at + max(0.0, end - start) * len(piece) / total
        yield Spoken(piece, at, until)
        at = until


def _pieces(text: str) -> Iterator[str]:
    """Words with a space before them; characters one by one where the language has no spaces."""
    for word in text.split():
        if _UNSPACED.search(word):
            yield from re.findall(
                r"[\u3040-\u30ff\u3400-\u9fff\u0e00-\u0e7f]\W*|[^\u3040-\u9fff\u0e00-\u0e7f]+", word
            )
        else:
            yield f" {word}"


def spans(words: Sequence[Spoken]) -> Iterator[Sequence[Spoken]]:
    """Words by about a minute, cut where a sentence ends or at the longest pause."""
    ends = set(sentence_ends(words))
    begin = 0
    while begin < len(words):
        cut = _cut(words, begin, ends)
        yield words[begin:cut]
        begin = cut


def _cut(words: Sequence[Spoken], begin: int, ends: Collection[int]) -> int:
    """The word that the next span begins with."""
    first = words[begin].t_start
    near = []
    for at in range(begin + 1, len(words)):
        passed = words[at].t_start - first
        if passed > SPAN + REACH:
            break
        if passed >= SPAN - REACH:
            near.append(at)
    else:
        return len(words)
    if not near:
        return at
    sentences = [at for at in near if at in ends]
    if sentences:
        return min(sentences, key=lambda at: abs(words[at].t_start - first - SPAN))
    return max(near, key=lambda at: words[at].t_start - words[at - 1].t_end)
