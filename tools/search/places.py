"""Where a passage stands, as tools answer it: the locator, spoken sentences with their times, figures beside it, links."""

from collections.abc import Iterable, Sequence
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit
from uuid import UUID

from pydantic import BaseModel, Field

from storage.locators import Locator
from storage.models import Chunk, Figure, File, Material, MaterialSegment
from tools.ingest.passages import boxes_for, heard
from tools.ingest.segments import Line, SegmentKind, Word
from tools.ingest.sentences import sentence_spans

VIDEO_SITES = ("youtube.com", "www.youtube.com", "m.youtube.com", "youtu.be")
"""Their pages open at a second that is named by t=."""


class SpokenSentence(BaseModel):
    text: str
    t_start: float = Field(description="Second of the recording at which it begins.")
    t_end: float
    char_start: int = Field(description="First character, counted in the segment's text.")
    char_end: int


class FigureBeside(BaseModel):
    label: str | None = Field(description='What the text calls it, e.g. "Figure 3".')
    caption: str | None
    kind: str = Field(description="figure, diagram, photo, table or formula.")
    url: str = Field(description="Its picture, to be fetched with the same credentials.")

    @classmethod
    def of(cls, row: Figure) -> "FigureBeside":
        url = f"/api/materials/{row.material_id}/figures/{row.ordinal}"
        return cls(label=row.label, caption=row.caption, kind=row.kind, url=url)


def locate(
    material: Material, segment: MaterialSegment, start: int, end: int, heading_path: Sequence[str]
) -> Locator:
    """The locator of characters [start, end) of a segment, with boxes where the file has pages, and the time at which they
    are heard in a recording."""
    lines = [Line(int(a), int(b), *box) for a, b, *box in segment.lines if a < end and b > start]
    t_start, t_end = segment.t_start, segment.t_end
    if segment.kind == SegmentKind.SPAN:
        t_start, t_end = heard(words_of(segment), start, end) or (t_start, t_end)
    return Locator(
        material_id=material.id,
        material_title=material.title,
        segment=segment.ordinal,
        page=segment.number if segment.kind == SegmentKind.PAGE else None,
        page_label=segment.label if segment.kind == SegmentKind.PAGE else None,
        slide=segment.number if segment.kind == SegmentKind.SLIDE else None,
        t_start=t_start,
        t_end=t_end,
        heading_path=list(heading_path),
        char_start=start,
        char_end=end,
        boxes=boxes_for(lines, start, end),
    )


def words_of(segment: MaterialSegment) -> list[Word]:
    return [Word(int(start), int(end), t_start, t_end) for start, end, t_start, t_end in segment.words]


def sentences_of(segment: MaterialSegment) -> list[SpokenSentence]:
    """The sentences of a span with their times; none elsewhere. Without times of words, all have the span's."""
    if segment.kind != SegmentKind.SPAN:
        return []
    words, found, first = words_of(segment), [], 0
    whole = (segment.t_start or 0.0, segment.t_end or 0.0)
    for start, end in sentence_spans(segment.text):
        while first < len(words) and words[first].end <= start:
            first += 1
        last = first
        while last < len(words) and words[last].start < end:
            last += 1
        t_start, t_end = heard(words[first:last], start, end) or whole
        text = " ".join(segment.text[start:end].split())
        found.append(SpokenSentence(text=text, t_start=t_start, t_end=t_end, char_start=start, char_end=end))
    return found


def text_of(chunks: Iterable[Chunk], segment: MaterialSegment) -> str:
    """Chunks that follow each other as one text. Rows from within a table keep the header that their chunk has."""
    ordered = sorted(chunks, key=lambda chunk: chunk.char_start)
    first = ordered[0]
    header = first.text[: len(first.text) - (first.char_end - first.char_start)]
    return header + segment.text[first.char_start : max(chunk.char_end for chunk in ordered)]


def media_url(material_id: UUID, file: File | None, t_start: float | None) -> str | None:
    """Where a recording is played from, at the second."""
    if file is None or t_start is None or not (file.media_type or "").startswith(("audio/", "video/")):
        return None
    return f"/api/materials/{material_id}/media#t={int(t_start)}"


def source_url(url: str | None, t_start: float | None) -> str | None:
    """The address that a material was fetched from; of a video, at the second."""
    if url is None or t_start is None:
        return url
    parts = urlsplit(url)
    if parts.hostname not in VIDEO_SITES:
        return url
    asked = [(key, value) for key, value in parse_qsl(parts.query) if key != "t"]
    return urlunsplit(parts._replace(query=urlencode([*asked, ("t", f"{int(t_start)}s")]), fragment=""))


def unit_of(material: Material) -> str:
    """What a person calls a part of it."""
    kind = material.segment_kind or SegmentKind.PAGE.value
    return "minute" if kind == SegmentKind.SPAN else kind
