"""Photos, scans and screenshots as pages: recognised text in reading order with the box of every line."""

from collections.abc import Collection, Iterator
from pathlib import Path

import numpy as np

from tools.ingest.headings import HeadingPath
from tools.ingest.image_files import ImageFileReader
from tools.ingest.image_layout import lay_out
from tools.ingest.ocr import recognise
from tools.ingest.pdf.paragraphs import PageText
from tools.ingest.segments import (
    ContentType,
    DocumentInfo,
    FoundFigure,
    Reading,
    Refusal,
    Segment,
    SegmentKind,
)

READ_PIXELS = 16_000_000
"""Larger pictures are made smaller before they are read; a phone's usual 12 megapixels are not."""
CUT_OFF = "This picture is cut off: only the part that is there could be read."
SKIPPED = "This page could not be read."


class ImageExtractor:
    """One picture, or each page of a TIFF."""

    def __init__(self, path: Path, reading: Reading) -> None:
        """Raises Refusal: corrupt, too_large."""
        self._threads = reading.threads
        self._file = ImageFileReader(path)
        self.info = DocumentInfo(self._file.media_type, SegmentKind.PAGE, self._file.pages)

    def segments(self, start: int = 0, skip: Collection[int] = ()) -> Iterator[Segment]:
        """Pages from that ordinal on. Raises Refusal: corrupt, or no_text after the last when none has any.

        A page takes one to eight seconds of two cores, by its amount of text. Headings of pages before `start` are
        not known.
        """
        path = HeadingPath()
        has_text = start > 0
        for number in range(start, self._file.pages):
            segment = _lost(number) if number in skip else self._segment(number, path)
            has_text = has_text or bool(segment.text) or number in skip
            if not has_text and number + 1 == self._file.pages:
                raise _no_text(segment)
            yield segment

    def figures(self) -> Iterator[FoundFigure]:
        """None: the picture is the image of its page."""
        return iter(())

    def close(self) -> None:
        self._file.close()

    def _segment(self, number: int, path: HeadingPath) -> Segment:
        above, levels = path.titles, path.levels
        picture, cut_off = self._file.page(number, READ_PIXELS)
        pixels = np.asarray(picture)
        layout = lay_out(recognise(pixels, self._threads), picture.width, picture.height)
        text = PageText(layout.fractions)
        for group in layout.groups:
            text.add(group)
            if group.type is ContentType.HEADING:
                path.enter(group.level, group.title)
        return Segment(
            ordinal=number,
            kind=SegmentKind.PAGE,
            number=number + 1,
            text=text.text,
            heading_path=above,
            heading_levels=levels,
            blocks=tuple(text.blocks),
            lines=tuple(text.lines),
            notice=CUT_OFF if cut_off else None,
        )


def _lost(number: int) -> Segment:
    return Segment(number, SegmentKind.PAGE, number + 1, "", notice=SKIPPED)


def _no_text(segment: Segment) -> Refusal:
    if segment.notice == CUT_OFF:
        return Refusal("corrupt", "This picture is cut off in the middle, and nothing in it can be read.")
    return Refusal(
        "no_text",
        "No text could be found in this picture. Take it from nearer and in better light, "
        "or write down what it shows as a note.",
    )
