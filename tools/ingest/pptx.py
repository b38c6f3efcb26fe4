"""PowerPoint slides as segments: the title first, text in reading order, tables, charts, SmartArt, then the notes."""

from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from tools.ingest.drawings import CHART_REFERENCE, DIAGRAM_REFERENCE, chart, diagram
from tools.ingest.ooxml import DRAWING, ERRORS, MACROS, RELATION_ID, Package
from tools.ingest.pictures import Picture, Placed, described, figures_in, lines_in
from tools.ingest.pptx_shapes import (
    TITLES,
    P,
    Places,
    Shape,
    body_paragraphs,
    placeholders,
    shapes_of,
    table_paragraphs,
    text_of,
)
from tools.ingest.sections import SKIPPED, Paragraph, TextBuilder
from tools.ingest.segments import (
    ContentType,
    DocumentInfo,
    FoundFigure,
    Reading,
    Refusal,
    Segment,
    SegmentKind,
)
from tools.ingest.sniff import PPTX_TYPE

_DAMAGED = "This presentation is damaged and cannot be read. Open it, save it again and upload that."
_DAMAGED_SLIDE = "This slide is damaged and could not be read."
_PICTURE_SHARE = 0.3
"""Of the slide; a picture this large on a slide without other text is read by text recognition."""
_LOGO_SHARE = 0.3
"""A picture that stands on more than this share of the slides, and on more than three, is decoration."""
_GENERIC_TITLES = (
    "powerpoint presentation",
    "powerpoint-präsentation",
    "présentation powerpoint",
    "presentation",
)


class PptxExtractor:
    def __init__(self, path: Path, reading: Reading | None = None) -> None:
        self._threads = (reading or Reading()).threads
        try:
            self._package = Package(path)
            root = self._package.tree(self._package.main)
            ids = [one.get(f"{RELATION_ID}id") for one in root.iterfind(f"{P}sldIdLst/{P}sldId")]
            self._slides = [self._package.target(self._package.main, one) or "" for one in ids]
            size = root.find(f"{P}sldSz")
            self._area = int(size.get("cx", "0")) * int(size.get("cy", "0")) if size is not None else 0
            properties = self._package.properties()
            self._logos = self._repeated_pictures()
        except ERRORS as error:
            raise Refusal("corrupt", _DAMAGED) from error
        if not self._slides:
            raise Refusal("no_pages", "This presentation has no slides. Add some and upload it again.")
        self._layouts: dict[str, Places] = {}
        title = properties.get("title", "")
        self.info = DocumentInfo(
            PPTX_TYPE,
            SegmentKind.SLIDE,
            len(self._slides),
            None if title.lower() in _GENERIC_TITLES else title or None,
            properties.get("language"),
            properties.get("creator"),
            notice=MACROS if self._package.has_macros else None,
        )

    def segments(self, start: int = 0, skip: Collection[int] = ()) -> Iterator[Segment]:
        """Slides from that ordinal on. A damaged slide is empty and says so. Raises Refusal: empty_file when there is no
        text on any slide, corrupt when all are damaged."""
        damaged = words = 0
        for number in range(len(self._slides)):
            if number < start:
                words += 1
                continue
            if number in skip:
                yield Segment(number, SegmentKind.SLIDE, number + 1, "", notice=SKIPPED)
                continue
            segment, _ = self._slide(number, recognised=True)
            damaged += segment.notice == _DAMAGED_SLIDE
            words += bool(segment.text)
            yield segment
        if damaged == len(self._slides):
            raise Refusal("corrupt", _DAMAGED)
        if not words:
            raise Refusal(
                "empty_file", "These slides have no text on them, and none was found in their pictures."
            )

    def figures(self) -> Iterator[FoundFigure]:
        """Pictures on the slides, with their author's description or the caption beside them."""
        slides = (self._slide(number, recognised=False) for number in range(len(self._slides)))
        return figures_in(slides, self._bytes_of)

    def close(self) -> None:
        self._package.close()

    def _slide(self, number: int, recognised: bool) -> tuple[Segment, list[Placed]]:
        builder = TextBuilder()
        notice = None
        try:
            for paragraph in self._paragraphs(self._slides[number], recognised):
                builder.add(paragraph)
        except ERRORS:
            notice = _DAMAGED_SLIDE
        segment = Segment(
            number,
            SegmentKind.SLIDE,
            number + 1,
            builder.text(),
            blocks=tuple(builder.blocks),
            notice=notice,
        )
        return segment, builder.pictures

    def _paragraphs(self, part: str, recognised: bool) -> Iterator[Paragraph]:
        tree = self._package.tree(part).find(f"{P}cSld/{P}spTree")
        shapes = shapes_of(tree, self._layout(part))
        titles = [shape for shape in shapes if shape.placeholder in TITLES]
        for shape in titles:
            body = shape.node.find(f"{P}txBody")
            if body is not None:
                yield Paragraph(ContentType.HEADING, text_of(body), 1)
        words = False
        for shape in shapes:
            if shape not in titles:
                for paragraph in self._shape(part, shape):
                    words = words or bool(paragraph.text.strip())
                    yield paragraph
        if recognised and not words:
            yield from self._recognised(part, shapes)
        yield from self._notes(part)

    def _layout(self, part: str) -> Places:
        """Where the slide's layout, and its master for what that leaves open, put the placeholders."""
        layout = self._package.related(part, "slideLayout")
        if layout is None:
            return {}
        if layout not in self._layouts:
            master = self._package.related(layout, "slideMaster")
            found: Places = {}
            for name in filter(None, (master, layout)):
                found |= placeholders(self._package.tree(name).find(f"{P}cSld/{P}spTree"))
            self._layouts[layout] = found
        return self._layouts[layout]

    def _shape(self, part: str, shape: Shape) -> Iterator[Paragraph]:
        node = shape.node
        rows = node.find(f".//{DRAWING}tbl")
        if rows is not None:
            yield from table_paragraphs(rows)
        for reference, name, draw in (
            (CHART_REFERENCE, f"{RELATION_ID}id", chart),
            (DIAGRAM_REFERENCE, f"{RELATION_ID}dm", diagram),
        ):
            for one in node.iter(reference):
                target = self._package.target(part, one.get(name))
                if target:
                    yield from draw(self._package.tree(target))
        body = node.find(f"{P}txBody")
        if body is not None:
            bulleted = shape.placeholder in ("obj", "body")
            yield from body_paragraphs(body, bulleted)
        picture = self._picture(part, node)
        if picture:
            yield Paragraph(ContentType.CAPTION, picture.alt, pictures=(picture,))

    def _picture(self, part: str, node: Any) -> Picture | None:
        blip = next(node.iter(f"{DRAWING}blip"), None)
        target = self._package.target(part, blip.get(f"{RELATION_ID}embed")) if blip is not None else None
        if target is None or target in self._logos:
            return None
        about = next(node.iter(f"{P}cNvPr"), None)
        return Picture(target, described(about.get("descr", "")) or "" if about is not None else "")

    def _repeated_pictures(self) -> set[str]:
        counts: Counter[str] = Counter()
        for slide in self._slides:
            counts.update(
                {one.target for one in self._package.relations(slide).values() if one.kind == "image"}
            )
        most = max(3, _LOGO_SHARE * len(self._slides))
        return {name for name, count in counts.items() if count > most}

    def _bytes_of(self, picture: Picture) -> bytes | None:
        try:
            return self._package.blob(picture.source)
        except ERRORS:
            return None

    def _recognised(self, part: str, shapes: list[Shape]) -> Iterator[Paragraph]:
        """Words in the pictures of a slide that holds little else."""
        for shape in shapes:
            picture = self._picture(part, shape.node)
            large = shape.place.width * shape.place.height >= _PICTURE_SHARE * self._area
            data = self._bytes_of(picture) if picture and large else None
            for line in lines_in(data, self._threads) if data else ():
                yield Paragraph(ContentType.TEXT, line)

    def _notes(self, part: str) -> Iterator[Paragraph]:
        name = self._package.related(part, "notesSlide")
        if name is None:
            return
        for shape in shapes_of(self._package.tree(name).find(f"{P}cSld/{P}spTree"), {}):
            body = shape.node.find(f"{P}txBody")
            if shape.placeholder == "body" and body is not None:
                told = list(body_paragraphs(body, bulleted=False))
                if told:
                    yield replace(told[0], text=f"Notes: {told[0].text.lstrip()}", verbatim=False)
                yield from told[1:]
