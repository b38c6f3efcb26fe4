"""Cuts segments into chunks that the embedder reads whole: structure first, then sentences, no overlap. Pure.

A chunk is a slice of its segment, for the later chunks of a table with its header before it; between chunks only white
space is left out. Each segment is cut on its own, so a resumed job makes the same chunks.
"""

import re
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Protocol

from tools.ingest.cuts import Span, code_spans, is_code, line_spans, text_spans, trimmed
from tools.ingest.headings import HeadingPath
from tools.ingest.segments import Block, Chunk, ContentType, Segment
from tools.ingest.table_parts import table_parts

TARGET_TOKENS = 215
"""Chunks are filled up to here; MAX_TOKENS of the embedder is only used to keep a table or the last words together."""
FULL_ENOUGH = 150
"""From here on a chunk rather ends than to cut the next paragraph."""
TINY_TOKENS = 25
PATH_TOKENS = 48
ALONE_TOKENS = 60
"""A table from this size on shares its chunk only with what introduces it and with its caption."""
LEAD_IN_TOKENS = 60
"""A longer sentence is no introduction of the list, formula, table or program that follows."""
SPECIAL_TOKENS = 2
MAX_CHARS = 2400
"""Bounds chunks of text that the tokenizer gives few tokens for (long runs of unknown characters)."""
CJK = "\u0e00-\u0e7f\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff"
"""Thai, Japanese, Chinese and Korean: each character counts as a word. lyceum_lexemes() has the same range."""

_CLAUSE = re.compile(r"(?<=[;:,)—–])\s+|\n+")
_ENDED = re.compile(r"[.!?…。！？][\"'”’»)\]]*$")
_WORD = re.compile(rf"[{CJK}]|[^\s{CJK}]*[^\W{CJK}][^\s{CJK}]*")
_WHOLE = (ContentType.TABLE, ContentType.FORMULA, ContentType.CAPTION, ContentType.HEADING)
_INTRODUCED = (ContentType.TABLE, ContentType.FORMULA, ContentType.LIST)


class Counting(Protocol):
    """The part of an embedder that chunking needs. `count_tokens` includes the special tokens, offsets do not."""

    @property
    def max_tokens(self) -> int: ...

    def count_tokens(self, text: str) -> int: ...

    def token_offsets(self, text: str) -> list[tuple[int, int]]: ...


@dataclass(frozen=True, slots=True)
class _Piece:
    """Text that is not cut further: a sentence, a table row, a list item, a program or a whole small block."""

    start: int
    end: int
    type: ContentType
    first: bool = False
    """Begins a block."""
    block_tokens: int = 0
    """Tokens of the whole block."""
    is_code: bool = False


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
        self._header = ""
        """Put before the open pieces: the header of their table."""
        self._sealed = False
        """A table is complete; only its caption may still join it."""
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
        return self._count(" › ".join(titles)) if titles else 0

    def _count(self, text: str) -> int:
        return self._tokenizer.count_tokens(text) - SPECIAL_TOKENS

    def chunks(self) -> list[Chunk]:
        for block in _lists_joined(_covering_blocks(self._segment)):
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

    # --- tables

    def _table(self, block: Block) -> None:
        tokens = self._tokens(block.start, block.end)
        if not self._fits(block.start, block.end, self._limit) and self._long_table(block):
            return
        pieces = self._pieces(block)
        if tokens > ALONE_TOKENS and self._tokens_open() + tokens > self._limit:
            self._make_room(pieces[0])
        self._add_all(pieces)
        self._sealed = tokens > ALONE_TOKENS

    def _long_table(self, block: Block) -> bool:
        """Cut between rows, each part below the header; False when the table has none."""
        parts = table_parts(self._text, block.start, block.end, self._count, self._limit)
        for number, part in enumerate(parts):
            room = self._limit - (self._count(part.header) if part.header else 0)
            for start, end in self._split(part.start, part.end, room):
                piece = _Piece(start, end, ContentType.TABLE, first=number == 0, block_tokens=self._limit)
                if number or self._must_flush(piece):
                    self._make_room(piece)
                self._open.append(piece)
                self._header = part.header
        self._sealed = bool(parts)
        return bool(parts)

    # --- everything else

    def _pieces(self, block: Block) -> list[_Piece]:
        tokens = self._tokens(block.start, block.end)
        code = block.type is ContentType.TEXT and is_code(self._text[block.start : block.end])
        parts = [part for start, end in self._spans(block, tokens, code) for part in self._split(start, end)]
        return [
            _Piece(start, end, block.type, first=index == 0, block_tokens=tokens, is_code=code)
            for index, (start, end) in enumerate(parts)
        ]

    def _spans(self, block: Block, tokens: int, code: bool) -> Iterable[Span]:
        start, end = block.start, block.end
        whole = code or block.type in _WHOLE
        if self._fits(start, end, self._limit if whole else self._target) and (
            whole or tokens <= TINY_TOKENS
        ):
            return trimmed(self._text, start, end)
        if code:
            return self._code_spans(start, end)
        if whole or block.type is ContentType.LIST:
            return line_spans(self._text, start, end)
        return text_spans(self._text, start, end)

    def _code_spans(self, start: int, end: int) -> Iterator[Span]:
        for left, right in code_spans(self._text, start, end):
            if self._fits(left, right, self._limit):
                yield left, right
            else:
                yield from line_spans(self._text, left, right)

    def _split(self, start: int, end: int, limit: int | None = None) -> Iterator[Span]:
        """Cuts what is too long for one chunk at clauses, else words, else between tokens."""
        limit = self._limit if limit is None else limit
        while not self._fits(start, end, limit):
            cut = self._cut(start, end, min(limit, self._target))
            yield from trimmed(self._text, start, cut)
            start = cut
        yield from trimmed(self._text, start, end)

    def _cut(self, start: int, end: int, room: int) -> int:
        first = bisect_left(self._starts, start)
        last = first + max(8, room)
        hard = self._starts[last] if last < len(self._starts) else end
        hard = max(start + 1, min(hard, start + MAX_CHARS, end - 1))
        clauses = [match.end() for match in _CLAUSE.finditer(self._text, start + (hard - start) // 2, hard)]
        if clauses:
            return clauses[-1]
        space = max(self._text.rfind(blank, start + 1, hard) for blank in (" ", "\n", "\t"))
        return space + 1 if space > start else hard

    # --- filling chunks

    def _add_all(self, pieces: list[_Piece]) -> None:
        for piece in pieces:
            if self._must_flush(piece):
                self._make_room(piece)
            self._open.append(piece)

    def _must_flush(self, piece: _Piece) -> bool:
        if not self._open:
            return False
        if not self._fits_open(piece.end, self._limit):
            return True
        if self._sealed:
            return piece.type is not ContentType.CAPTION
        if all(part.type is ContentType.HEADING for part in self._open):
            return False
        filled = self._tokens_open()
        if self._fits_open(piece.end, self._target):
            # A paragraph that does not fit any more starts the next chunk when this one is full enough.
            cut_paragraph = piece.first and filled + piece.block_tokens > self._target
            return cut_paragraph and filled >= FULL_ENOUGH
        return filled >= FULL_ENOUGH

    def _make_room(self, piece: _Piece) -> None:
        """Ends the open chunk; what introduces the piece moves to the next one with it."""
        open_, kept = self._open, []
        if len(open_) > 1 and self._introduces(open_[-1], piece):
            headings_only = all(part.type is ContentType.HEADING for part in open_[:-1])
            kept = [] if headings_only else [open_[-1]]
        self._open = open_[: len(open_) - len(kept)]
        self._flush()
        self._open = kept

    def _introduces(self, last: _Piece, piece: _Piece) -> bool:
        if self._sealed or not piece.first or not self._fits(last.start, piece.end, self._limit):
            return False
        if last.type is ContentType.CAPTION:
            return piece.type is ContentType.TABLE
        if last.type is not ContentType.TEXT or last.is_code:
            return False
        said = self._text[last.start : last.end]
        is_open = said.endswith(":") or not _ENDED.search(said)
        leads = said.endswith(":") or piece.is_code or piece.type in _INTRODUCED
        return is_open and leads and self._tokens(last.start, last.end) <= LEAD_IN_TOKENS

    def _tokens(self, start: int, end: int) -> int:
        """Tokens that touch text[start:end]."""
        return max(0, bisect_left(self._starts, end) - bisect_right(self._ends, start))

    def _tokens_open(self) -> int:
        if not self._open:
            return 0
        header = self._count(self._header) if self._header else 0
        return header + self._tokens(self._open[0].start, self._open[-1].end)

    def _fits(self, start: int, end: int, limit: int) -> bool:
        return end - start <= MAX_CHARS and self._tokens(start, end) <= limit

    def _fits_open(self, end: int, limit: int) -> bool:
        header = self._count(self._header) if self._header else 0
        return self._fits(self._open[0].start, end, limit - header)

    def _flush(self) -> None:
        pieces, self._open = self._open, []
        header, self._header = self._header, ""
        self._sealed = False
        if not pieces:
            return
        if not header and self._merges_into_last(pieces):
            last = self._done.pop()
            self._done += self._made(last.start, pieces[-1].end, last.type)
        else:
            self._done += self._made(pieces[0].start, pieces[-1].end, _main_type(pieces), header)

    def _merges_into_last(self, pieces: list[_Piece]) -> bool:
        if not self._done or pieces[0].type is ContentType.HEADING:
            return False
        last = self._done[-1]
        if last.heading_path != self._titles or len(last.text) > last.end - last.start:
            return False
        small = self._tokens(pieces[0].start, pieces[-1].end) < TINY_TOKENS
        return small and self._fits(last.start, pieces[-1].end, self._limit)

    def _made(self, start: int, end: int, kind: ContentType, header: str = "") -> list[Chunk]:
        """One chunk; more where a cut inside a word has made more tokens than were counted."""
        text = header + self._text[start:end]
        made = Chunk(
            ordinal=0,
            segment=self._segment.ordinal,
            type=kind,
            text=text,
            start=start,
            end=end,
            heading_path=self._titles,
            token_count=0,
            word_count=word_count(text),
        )
        count = self._tokenizer.count_tokens(made.embedding_text())
        if count <= self._tokenizer.max_tokens or end - start < 2:
            return [replace(made, token_count=count)]
        middle = (start + end) // 2
        halves = [*trimmed(self._text, start, middle), *trimmed(self._text, middle, end)]
        return [part for left, right in halves for part in self._made(left, right, kind, header)]


def word_count(text: str) -> int:
    """Words as search counts them: what has a letter or digit; each character of a script without spaces."""
    return len(_WORD.findall(text))


def _shortened(title: str) -> str:
    return title if len(title) <= 160 else title[:160].rsplit(" ", 1)[0]


def _main_type(pieces: list[_Piece]) -> ContentType:
    """The type with the most characters; headings count only when there is nothing else, the caption of a table not at all."""
    sizes: Counter[ContentType] = Counter()
    for piece in pieces:
        if piece.type is not ContentType.HEADING:
            sizes[piece.type] += piece.end - piece.start
    if ContentType.TABLE in sizes:
        del sizes[ContentType.CAPTION]
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


def _lists_joined(blocks: Iterable[Block]) -> Iterator[Block]:
    """Items that follow each other as one list: it is kept together where it can be."""
    previous: Block | None = None
    for block in blocks:
        if previous and previous.type is block.type is ContentType.LIST:
            previous = replace(previous, end=block.end)
            continue
        if previous:
            yield previous
        previous = block
    if previous:
        yield previous
