"""What a reader child and its worker say to each other: lines of `KIND JSON`, a picture as raw bytes behind its line.

The child works on what strangers wrote and may be taken over by it. So nothing is unpickled, and nothing it says is
believed before it was checked here. What an honest child says always passes: `mended` sees to that.
"""

import json
import math
import re
from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any, TypeVar

from tools.ingest.segments import (
    Block,
    ContentType,
    DocumentInfo,
    FoundFigure,
    Line,
    Segment,
    SegmentKind,
    Word,
)

T = TypeVar("T")

LONGEST_LINE = 32 << 20
"""Bytes of one message; a page has some thousands."""
LARGEST_PICTURE = 8 << 20
TEXT_CHARS = 4_000_000
ITEMS = 100_000
"""Lines, blocks or words of one segment."""
TITLE_CHARS, TITLES = 2000, 20
LABEL_CHARS = 100
CAPTION_CHARS = 4000
SENTENCE_CHARS = 1000
TRACE_CHARS = 8000
MOST_SECONDS = 1e6
MOST_SEGMENTS = 10_000_000
FIGURE_KINDS = frozenset({"figure", "diagram", "photo", "table", "formula"})
SIGNATURES = {"image/png": b"\x89PNG\r\n\x1a\n", "image/jpeg": b"\xff\xd8\xff"}

_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
"""What PostgreSQL and UTF-8 cannot hold."""


class Malformed(Exception):
    """The other side said something that an honest one never says."""


def line(kind: str, content: Any = None) -> bytes:
    """A message as bytes."""
    return f"{kind} {json.dumps(content, ensure_ascii=True, separators=(',', ':'))}\n".encode()


def parsed(message: bytes) -> tuple[str, Any]:
    """Kind and content of a message. Raises Malformed."""
    kind, _, content = message.partition(b" ")
    try:
        return kind.decode("ascii"), json.loads(content)
    except (ValueError, RecursionError) as error:
        raise Malformed("not a line of KIND JSON") from error


# --- what the child says


def mended(segment: Segment) -> Segment:
    """The segment without what cannot be stored, every offset as it was."""
    return replace(
        segment,
        text=storable(segment.text),
        label=_short(segment.label, LABEL_CHARS),
        heading_path=tuple(storable(title)[:TITLE_CHARS] for title in segment.heading_path[:TITLES]),
        heading_levels=segment.heading_levels[:TITLES],
        lines=tuple(_inside(line) for line in segment.lines if _is_finite(line)),
        notice=_short(segment.notice, SENTENCE_CHARS),
    )


def storable(text: str) -> str:
    """The text with U+FFFD for each character that cannot be stored."""
    return _UNSTORABLE.sub("\ufffd", text)


def _short(text: str | None, limit: int) -> str | None:
    return None if text is None else storable(text)[:limit]


def _is_finite(line: Line) -> bool:
    return all(map(math.isfinite, (line.x0, line.y0, line.x1, line.y1)))


def _inside(line: Line) -> Line:
    x0, y0, x1, y1 = (min(max(value, 0.0), 1.0) for value in (line.x0, line.y0, line.x1, line.y1))
    return Line(line.start, line.end, x0, y0, x1, y1)


def packed_segment(segment: Segment) -> dict[str, Any]:
    """As it goes into JSON: lines, blocks and words as lists."""
    return {
        "ordinal": segment.ordinal,
        "kind": segment.kind.value,
        "number": segment.number,
        "text": segment.text,
        "label": segment.label,
        "heading_path": segment.heading_path,
        "heading_levels": segment.heading_levels,
        "blocks": [(b.type.value, b.start, b.end, b.level) for b in segment.blocks],
        "lines": [(x.start, x.end, x.x0, x.y0, x.x1, x.y1) for x in segment.lines],
        "t_start": segment.t_start,
        "t_end": segment.t_end,
        "words": [(w.start, w.end, w.t_start, w.t_end) for w in segment.words],
        "notice": segment.notice,
    }


def packed_info(info: DocumentInfo) -> dict[str, Any]:
    texts = {name: _short(getattr(info, name), SENTENCE_CHARS) for name in ("title", "author", "notice")}
    return asdict(info) | texts


def fits(figure: FoundFigure) -> bool:
    """Whether a figure can be told of."""
    return 0 < len(figure.image) <= LARGEST_PICTURE and figure.position <= TEXT_CHARS


def packed_figure(figure: FoundFigure) -> dict[str, Any]:
    """Everything but the picture, and its size. A box with a corner that is no number is left out."""
    box = figure.box if figure.box and all(map(math.isfinite, figure.box)) else None
    return {
        "ordinal": figure.ordinal,
        "segment": figure.segment,
        "kind": figure.kind,
        "size": len(figure.image),
        "media_type": figure.media_type,
        "label": _short(figure.label, LABEL_CHARS),
        "caption": _short(figure.caption, CAPTION_CHARS),
        "text": _short(figure.text, CAPTION_CHARS),
        "box": box and [min(max(value, 0.0), 1.0) for value in box],
        "position": figure.position,
    }


# --- what the worker makes of it


def checked_segment(content: Any) -> Segment:
    """Raises Malformed unless every field is of its type and size, and every offset lies inside the text."""
    get = _fields(content)
    text = _text(get("text"), TEXT_CHARS)
    size = len(text)
    path = tuple(_text(title, TITLE_CHARS) for title in _items(get("heading_path"), TITLES))
    levels = tuple(_int(level, 0, 99) for level in _items(get("heading_levels"), TITLES))
    return Segment(
        ordinal=_int(get("ordinal"), 0, MOST_SEGMENTS),
        kind=_member(SegmentKind, get("kind")),
        number=_int(get("number"), 0, MOST_SEGMENTS),
        text=text,
        label=_optional(get("label"), LABEL_CHARS),
        heading_path=path,
        heading_levels=levels,
        blocks=tuple(_block(block, size) for block in _items(get("blocks"), ITEMS)),
        lines=tuple(_line(item, size) for item in _items(get("lines"), ITEMS)),
        t_start=_time(get("t_start")),
        t_end=_time(get("t_end")),
        words=tuple(_word(word, size) for word in _items(get("words"), ITEMS)),
        notice=_optional(get("notice"), SENTENCE_CHARS),
    )


def _block(values: Any, size: int) -> Block:
    kind, start, end, level = _items(values, 4, exactly=True)
    return Block(_member(ContentType, kind), *_span(start, end, size), _int(level, 0, 99))


def _line(values: Any, size: int) -> Line:
    start, end, *box = _items(values, 6, exactly=True)
    return Line(*_span(start, end, size), *(_float(corner, 0.0, 1.0) for corner in box))


def _word(values: Any, size: int) -> Word:
    start, end, *times = _items(values, 4, exactly=True)
    return Word(*_span(start, end, size), *(_float(time, 0.0, MOST_SECONDS) for time in times))


def checked_info(content: Any) -> DocumentInfo:
    """Raises Malformed."""
    get = _fields(content)
    count = get("segment_count")
    return DocumentInfo(
        media_type=_text(get("media_type"), LABEL_CHARS),
        segment_kind=_member(SegmentKind, get("segment_kind")),
        segment_count=None if count is None else _int(count, 0, MOST_SEGMENTS),
        title=_optional(get("title"), SENTENCE_CHARS),
        language=_optional(get("language"), LABEL_CHARS),
        author=_optional(get("author"), SENTENCE_CHARS),
        duration_seconds=_time(get("duration_seconds")),
        notice=_optional(get("notice"), SENTENCE_CHARS),
    )


def picture_size(content: Any) -> int:
    """Bytes that follow the line of a figure. Raises Malformed."""
    return _int(_fields(content)("size"), 1, LARGEST_PICTURE)


def checked_figure(content: Any, image: bytes) -> FoundFigure:
    """Raises Malformed, also for bytes that do not begin as such a picture does."""
    get = _fields(content)
    media_type, kind = get("media_type"), get("kind")
    if kind not in FIGURE_KINDS or not image.startswith(SIGNATURES.get(str(media_type), b"none")):
        raise Malformed("no such kind of figure or picture")
    box = get("box")
    if box is not None:
        x0, y0, x1, y1 = (_float(corner, 0.0, 1.0) for corner in _items(box, 4, exactly=True))
        box = (x0, y0, x1, y1)
    return FoundFigure(
        ordinal=_int(get("ordinal"), 0, MOST_SEGMENTS),
        segment=_int(get("segment"), 0, MOST_SEGMENTS),
        kind=str(kind),
        image=image,
        media_type=str(media_type),
        label=_optional(get("label"), LABEL_CHARS),
        caption=_optional(get("caption"), CAPTION_CHARS),
        text=_optional(get("text"), CAPTION_CHARS),
        box=box,
        position=_int(get("position"), 0, TEXT_CHARS),
    )


def checked_refusal(content: Any) -> tuple[str, str]:
    """Code and sentence. Raises Malformed."""
    code, sentence = _items(content, 2, exactly=True)
    return _text(code, LABEL_CHARS), _text(sentence, SENTENCE_CHARS)


def checked_ordinal(content: Any) -> int:
    """Raises Malformed."""
    return _int(content, 0, MOST_SEGMENTS)


def _fields(content: Any) -> Any:
    if not isinstance(content, Mapping):
        raise Malformed("no object")
    return content.get


def _items(values: Any, limit: int, *, exactly: bool = False) -> list[Any]:
    if not isinstance(values, list) or len(values) > limit or (exactly and len(values) != limit):
        raise Malformed("a list of the wrong length")
    return values


def _int(value: Any, low: int, high: int) -> int:
    if type(value) is not int or not low <= value <= high:
        raise Malformed("a number out of bounds")
    return value


def _float(value: Any, low: float, high: float) -> float:
    if type(value) not in (int, float) or not low <= value <= high:
        raise Malformed("a number out of bounds")
    return float(value)


def _time(value: Any) -> float | None:
    return None if value is None else _float(value, 0.0, MOST_SECONDS)


def _text(value: Any, limit: int) -> str:
    if not isinstance(value, str) or len(value) > limit or _UNSTORABLE.search(value):
        raise Malformed("a text that cannot be stored")
    return value


def _optional(value: Any, limit: int) -> str | None:
    return None if value is None else _text(value, limit)


def _span(start: Any, end: Any, size: int) -> tuple[int, int]:
    first = _int(start, 0, size)
    return first, _int(end, first, size)


def _member(kind: type[T], value: Any) -> T:
    try:
        return kind(value)  # type: ignore[call-arg]
    except ValueError as error:
        raise Malformed(f"no {kind.__name__}") from error
