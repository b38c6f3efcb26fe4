"""Cuts segments into chunks that the embedder reads whole: structure first, then sentences, no overlap. Pure.

A chunk is a slice of its segment; between chunks only white space is left out. Each segment is cut on its own, so
a resumed job makes the same chunks.
"""

import re
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Protocol

from tools.ingest.headings import HeadingPath
from tools.ingest.segments import Block, Chunk, ContentType, Segment
from tools.ingest.sentences import sentence_spans

TARGET_TOKENS = 215
"""Chunks are filled up to here; MAX_TOKENS of the embedder is only used to keep a table or the last words together."""
FULL_ENOUGH = 150
"""From here on a chunk rather ends than to cut the next paragraph."""
TINY_TOKENS = 25
PATH_TOKENS = 48
SPECIAL_TOKENS = 2
MAX_CHARS = 2400
"""Bounds chunks of text that the tokenizer gives few tokens for (long runs of unknown characters)."""

_CLAUSE = re.compile(r"(?<=[;:,)—–])\s+|\n+")


class Counting(Protocol):
    """The part of an embedder that chunking needs. `count_tokens` includes the special tokens, offsets do not."""

    @property
    def max_tokens(self) -> int: ...

    def count_tokens(self, text: str) -> int: ...

    def token_offsets(self, text: str) -> list[tuple[int, int]]: ...


@dataclass(frozen=True, slots=True)
class _Piece:
    """Text that is not cut further: a sentence, a table row, a list item or a whole small block."""

    start: int
    end: int
    type: ContentType
    first: bool = False
    """Begins a block."""
    block_tokens: int = 0
    """Tokens of the whole block, in its first piece."""


def chunk(segments: Iterable[Segment], tokenizer: Counting, first_ordinal: int = 0) -> Iterator[Chunk]:
    """Chunks in reading order, numbered from `first_ordinal`. `embedding_text()` of each fits `tokenizer.max_tokens`."""
    ordinal = first_ordinal
    for segment in segments:
        for made in _SegmentChunker(segment, tokenizer).chunks():
            yield replace(made, ordinal=ordinal)
            ordinal += 1


class _SegmentChunker:
    def __init__(self, segment: Segment, tokenizer: Counting) -> None:
        self._segment = segment
        self._text = segment.text
        self._tokenizer = tokenizer
        offsets = tokenizer.token_offsets(segment.text) if segment.text.strip() else []
        self._starts = [start for start, _ in offsets]
        self._ends = [end for _, end in offsets]
        self._path = HeadingPath(segment.heading_path, segment.heading_levels)
        self._use_path()
        self._open: list[_Piece] = []
        self._done: list[Chunk] = []

    def _use_path(self) -> None:
        """Takes the path in force, shortened where it would crowd out the text."""
        titles = [_shortened(title) for title in self._path.titles]
        while titles and self._count_path(titles) > PATH_TOKENS:
            if len(titles) == 1:
                titles = [titles[0][: len(titles[0]) // 2].rstrip()] if len(titles[0]) > 8 else []
            else:
                titles = titles[1:]
        self._titles = tuple(title for title in titles if title)
        used = SPECIAL_TOKENS + self._count_path(titles)
        self._target = TARGET_TOKENS - used
        self._limit = self._tokenizer.max_tokens - used

    def _count_path(self, titles: list[str]) -> int:
        return self._tokenizer.count_tokens(" › ".join(titles)) - SPECIAL_TOKENS if titles else 0

    def chunks(self) -> list[Chunk]:
        for block in _covering_blocks(self._segment):
            if block.type is ContentType.HEADING:
                self._heading(block)
            elif block.type is ContentType.TABLE:
                self._table(block)
            else:
                self._add_all(self._pieces(block))
        self._flush()
        return self._done

    def _heading(self, block: Block) -> None:
        if any(piece.type is not ContentType.HEADING for piece in self._open):
            self._flush()
        self._path.enter(block.level, " ".join(self._text[block.start : block.end].split()))
        self._use_path()
        self._add_all(self._pieces(block))

    def _table(self, block: Block) -> None:
        tokens = self._tokens(block.start, block.end)
        alone = tokens > 60
        if alone and self._tokens_open() + tokens > self._limit:
            self._flush()
        self._add_all(self._pieces(block))
        if alone:
            self._flush()

    def _pieces(self, block: Block) -> list[_Piece]:
        tokens = self._tokens(block.start, block.end)
        keep_whole = block.type in (
            ContentType.TABLE,
            ContentType.FORMULA,
            ContentType.CAPTION,
            ContentType.HEADING,
        )
        if self._fits(block.start, block.end, self._limit if keep_whole else self._target) and (
            keep_whole or tokens <= TINY_TOKENS
        ):
            spans = [(block.start, block.end)]
        elif keep_whole or block.type is ContentType.LIST:
            spans = list(_line_spans(self._text, block.start, block.end))
        else:
            spans = list(_text_spans(self._text, block.start, block.end))
        parts = [part for start, end in spans for part in self._split(start, end)]
        return [
            _Piece(start, end, block.type, first=index == 0, block_tokens=tokens)
            for index, (start, end) in enumerate(parts)
        ]

    def _split(self, start: int, end: int) -> Iterator[tuple[int, int]]:
        """Cuts what is too long for one chunk at clauses, else words, else between tokens."""
        while not self._fits(start, end, self._limit):
            cut = self._cut(start, end)
            yield from _trim(self._text, start, cut)
            start = cut
        yield from _trim(self._text, start, end)

    def _cut(self, start: int, end: int) -> int:
        room = max(8, self._target)
        first = bisect_left(self._starts, start)
        last = first + room
        hard = self._starts[last] if last < len(self._starts) else end
        hard = max(start + 1, min(hard, start + MAX_CHARS, end - 1))
        clauses = [match.end() for match in _CLAUSE.finditer(self._text, start + (hard - start) // 2, hard)]
        if clauses:
            return clauses[-1]
        space = max(self._text.rfind(blank, start + 1, hard) for blank in (" ", "\n", "\t"))
        return space + 1 if space > start else hard

    def _add_all(self, pieces: list[_Piece]) -> None:
        for piece in pieces:
            if self._must_flush(piece):
                self._flush()
            self._open.append(piece)

    def _must_flush(self, piece: _Piece) -> bool:
        if not self._open:
            return False
        filled = self._tokens_open()
        if not self._fits(self._open[0].start, piece.end, self._limit):
            return True
        if all(part.type is ContentType.HEADING for part in self._open):
            return False
        if self._fits(self._open[0].start, piece.end, self._target):
            # A paragraph that does not fit any more starts the next chunk when this one is full enough.
            cut_paragraph = piece.first and not self._fits_tokens(filled + piece.block_tokens)
            return cut_paragraph and filled >= FULL_ENOUGH
        return filled >= FULL_ENOUGH

    def _fits_tokens(self, tokens: int) -> bool:
        return tokens <= self._target

    def _tokens(self, start: int, end: int) -> int:
        """Tokens that touch text[start:end]."""
        return max(0, bisect_left(self._starts, end) - bisect_right(self._ends, start))

    def _tokens_open(self) -> int:
        return self._tokens(self._open[0].start, self._open[-1].end) if self._open else 0

    def _fits(self, start: int, end: int, limit: int) -> bool:
        return end - start <= MAX_CHARS and self._tokens(start, end) <= limit

    def _flush(self) -> None:
        pieces, self._open = self._open, []
        if not pieces:
            return
        if self._merges_into_last(pieces):
            last = self._done.pop()
            self._done += self._made(last.start, pieces[-1].end, last.type)
        else:
            self._done += self._made(pieces[0].start, pieces[-1].end, _main_type(pieces))

    def _merges_into_last(self, pieces: list[_Piece]) -> bool:
        if (
            not self._done
            or pieces[0].type is ContentType.HEADING
            or self._done[-1].heading_path != self._titles
        ):
            return False
        small = self._tokens(pieces[0].start, pieces[-1].end) < TINY_TOKENS
        return small and self._fits(self._done[-1].start, pieces[-1].end, self._limit)

    def _made(self, start: int, end: int, kind: ContentType) -> list[Chunk]:
        """One chunk; more where a cut inside a word has made more tokens than were counted."""
        text = self._text[start:end]
        made = Chunk(
            ordinal=0,
            segment=self._segment.ordinal,
            type=kind,
            text=text,
            start=start,
            end=end,
            heading_path=self._titles,
            token_count=0,
            word_count=len(text.split()),
        )
        count = self._tokenizer.count_tokens(made.embedding_text())
        if count <= self._tokenizer.max_tokens or end - start < 2:
            return [replace(made, token_count=count)]
        middle = (start + end) // 2
        halves = [*_trim(self._text, start, middle), *_trim(self._text, middle, end)]
        return [part for left, right in halves for part in self._made(left, right, kind)]


def _shortened(title: str) -> str:
    return title if len(title) <= 160 else title[:160].rsplit(" ", 1)[0]


def _main_type(pieces: list[_Piece]) -> ContentType:
    """The type with the most characters; headings count only when there is nothing else."""
    sizes: Counter[ContentType] = Counter()
    for piece in pieces:
        if piece.type is not ContentType.HEADING:
            sizes[piece.type] += piece.end - piece.start
    return sizes.most_common(1)[0][0] if sizes else ContentType.HEADING


def _covering_blocks(segment: Segment) -> Iterator[Block]:
    """The segment's blocks in order, with text between them as blocks of their own and overlaps cut off."""
    position = 0
    for block in sorted(segment.blocks, key=lambda block: (block.start, block.end)):
        start, end = max(position, block.start), min(block.end, len(segment.text))
        if segment.text[position:start].strip():
            yield Block(ContentType.TEXT, position, start)
        if segment.text[start:end].strip():
            yield Block(block.type, start, end, block.level)
        position = max(position, end)
    if segment.text[position:].strip():
        yield Block(ContentType.TEXT, position, len(segment.text))


def _trim(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    piece = text[start:end]
    stripped = piece.strip()
    if stripped:
        left = start + len(piece) - len(piece.lstrip())
        yield left, left + len(stripped)


def _line_spans(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    position = start
    for line in text[start:end].split("\n"):
        yield from _trim(text, position, position + len(line))
        position += len(line) + 1


def _text_spans(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Sentences; lines where a "sentence" spans many (code, verse)."""
    for left, right in sentence_spans(text, start, end):
        if text.count("\n", left, right) > 2:
            yield from _line_spans(text, left, right)
        else:
            yield left, right
