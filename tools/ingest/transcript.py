"""Spoken words with their times become segments of kind span: paragraphs of whole sentences. Pure.

Shared by speech recognition and caption files.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from storage.locators import clock
from tools.ingest.segments import Block, ContentType, Segment, SegmentKind, Word
from tools.ingest.sentences import sentence_spans

PAUSE = 2.0
"""Seconds of silence after a sentence that begin a paragraph."""
LONG_PAUSE = 5.0
"""The same in the middle of a sentence: the speaker began anew."""
SENTENCES = 5
"""Sentences of a paragraph, at most."""


@dataclass(frozen=True, slots=True)
class Spoken:
    """A word as it is heard. `text` begins with the white space that its language puts before it, and ends with its
    punctuation; times are seconds of the recording. `turn`: another speaker begins."""

    text: str
    t_start: float
    t_end: float
    turn: bool = False


def sentence_ends(words: Sequence[Spoken]) -> list[int]:
    """Positions after the words that end a sentence; the last word counts only with its full stop."""
    text, stops = "", []
    for word in words:
        text += word.text
        stops.append(len(text))
    ends = [end for _, end in sentence_spans(text)]
    if ends and not _is_closed(text):
        ends.pop()
    marks, at, found = iter(ends), 0, []
    mark = next(marks, None)
    for at, stop in enumerate(stops, 1):
        if mark is not None and stop >= mark:
            found.append(at)
            while mark is not None and mark <= stop:
                mark = next(marks, None)
    return found


def _is_closed(text: str) -> bool:
    return text.rstrip().rstrip("\"'”’»)]").endswith((".", "!", "?", "…", "。", "！", "？"))


def paragraphs(words: Sequence[Spoken]) -> Iterator[Sequence[Spoken]]:
    """Words by paragraph: a new one after a pause, at another speaker's turn, and after SENTENCES sentences."""
    ends = set(sentence_ends(words))
    begin = sentences = 0
    for at in range(1, len(words)):
        pause = words[at].t_start - words[at - 1].t_end
        if at in ends:
            sentences += 1
            new = pause > PAUSE or sentences >= SENTENCES
        else:
            new = pause > LONG_PAUSE
        if new or words[at].turn:
            yield words[begin:at]
            begin, sentences = at, 0
    if words:
        yield words[begin:]


def span(
    ordinal: int, words: Sequence[Spoken], t_start: float, t_end: float, notice: str | None = None
) -> Segment:
    """A segment of what is said from `t_start` to `t_end`."""
    text, blocks, placed = "", [], list[Word]()
    for paragraph in paragraphs(words):
        text += "\n\n" if text else ""
        begin = len(text)
        for spoken in paragraph:
            word = spoken.text.lstrip() if len(text) == begin else spoken.text
            start = len(text) + len(word) - len(word.lstrip())
            text += word.rstrip()
            placed.append(Word(start, len(text), round(spoken.t_start, 2), round(spoken.t_end, 2)))
        blocks.append(Block(ContentType.TRANSCRIPT, begin, len(text)))
    return Segment(
        ordinal=ordinal,
        kind=SegmentKind.SPAN,
        number=ordinal + 1,
        text=text,
        label=clock(t_start),
        blocks=tuple(blocks),
        t_start=round(t_start, 2),
        t_end=round(t_end, 2),
        words=tuple(placed),
        notice=notice,
    )
