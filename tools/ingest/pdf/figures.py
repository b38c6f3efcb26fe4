"""Pictures, drawings and tables of a PDF page, cut out with their captions."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from tools.ingest.pdf.boxes import Box, area, grown, is_inside, touches, union
from tools.ingest.pdf.document import PAGE_ERRORS, mupdf, page_calls
from tools.ingest.pdf.layout import GAP, Row
from tools.ingest.pdf.paragraphs import Group
from tools.ingest.pdf.sheet import Sheet
from tools.ingest.segments import Block, ContentType, FoundFigure

_LABEL = re.compile(r"([^\W\d_]+)\.?\s*([A-Z]?\d+(?:[.\-–]\d+)*[a-z]?)")
_TABLES = ("tab",)
_LISTINGS = ("listing", "algorithm")
_CELL = 6.0
"""Points: what is nearer to each other is one drawing."""
_BACKGROUND = 0.85
_LEAST_SIDE = 28.0
_LEAST_SHARE = 0.012
_LEAST_ALONE = 0.03
_LEAST_SHAPES_ALONE = 20
_MOST_LETTERS_ALONE = 300
_MAX_TEXT = 0.35
"""Share of text in a frame from which it is a box around text."""
_FARTHEST = 70.0
"""Points from a caption to its figure."""
_DPI = 150
_MAX_PIXELS = 1_500_000
_REPEATED = 3
"""Pages that show the same picture: a logo."""


@dataclass(slots=True)
class Region:
    """Something drawn: box in reading coordinates, shapes in it, share of it that pictures cover."""

    box: Box
    shapes: int = 0
    pictured: float = 0.0
    table: bool = False
    rows: list[Row] = field(default_factory=list)

    @property
    def size(self) -> float:
        return area(self.box)


@dataclass(slots=True)
class PageParts:
    """A page that was read, as figures need it. `blocks` are those of `groups`, with offsets in the segment's text."""

    page: Any
    number: int
    sheet: Sheet
    groups: Sequence[Group]
    blocks: Sequence[Block]


def repeated_pictures(document: Any) -> frozenset[int]:
    """References of the pictures that stand on several pages."""
    pages: Counter[int] = Counter()
    for number in range(document.page_count):
        with suppress(*PAGE_ERRORS):
            pages.update({image[0] for image in document.get_page_images(number)})
    return frozenset(xref for xref, count in pages.items() if count >= _REPEATED)


def figures_of(parts: PageParts, repeated: frozenset[int], seen: Counter[Box]) -> Iterator[FoundFigure]:
    """Figures of one page, captioned ones first in the order of their captions; the ordinal is for the caller to set."""
    regions = _regions(parts, repeated)
    for group, block in zip(parts.groups, parts.blocks, strict=True):
        if group.type is ContentType.CAPTION:
            region, kind = _captioned(parts, regions, group)
            if region is not None:
                yield _cut(parts, region, kind, block.start, group.title)
    for region in regions:
        place = _rounded(region.box)
        seen[place] += 1
        kind = _kind_alone(parts, region)
        if kind and seen[place] < _REPEATED:
            _take_labels(parts, region)
            yield _cut(parts, region, kind, _position(parts, region.box), None)


def _kind_alone(parts: PageParts, region: Region) -> str:
    """photo or diagram for what is worth keeping without a caption, else nothing: banners, frames around code."""
    width, height = parts.sheet.geometry.width, parts.sheet.geometry.height
    x0, y0, x1, y1 = region.box
    if region.table:
        return ""
    if x1 - x0 > 0.9 * width and y1 - y0 < 0.2 * height:
        return ""
    if region.pictured > 0.6:
        return "photo" if region.size >= _LEAST_ALONE * width * height else ""
    if sum(len(row.text) for row in region.rows) > _MOST_LETTERS_ALONE:
        return ""
    enough = region.shapes >= _LEAST_SHAPES_ALONE and region.size >= 2 * _LEAST_ALONE * width * height
    return "diagram" if enough else ""


# --- where something is drawn


def _regions(parts: PageParts, repeated: frozenset[int]) -> list[Region]:
    """Drawn parts of the page, from top to bottom, without backgrounds, rules, logos and frames around text."""
    geometry = parts.sheet.geometry
    size = geometry.width * geometry.height
    pictures = [box for box in _pictures(parts, repeated) if area(box) < _BACKGROUND * size]
    shapes = [
        box
        for box in parts.sheet.vectors
        if area(box) < 0.5 * size and not (box[3] - box[1] < 2 and box[2] - box[0] > 0.5 * geometry.width)
    ]
    tables = [group.table.box for group in parts.groups if group.table is not None]
    shapes = [box for box in shapes if not any(is_inside(box, table) for table in tables)]
    found = []
    for box, members in _components([*pictures, *shapes], len(pictures)):
        region = Region(box, sum(index >= len(pictures) for index in members))
        covered = sum(area(pictures[index]) for index in members if index < len(pictures))
        region.pictured = min(1.0, covered / max(1.0, region.size))
        if _is_something(region, parts, size):
            found.append(region)
    found += [Region(table, table=True) for table in tables]
    return sorted(found, key=lambda region: (region.box[1], region.box[0]))


def _pictures(parts: PageParts, repeated: frozenset[int]) -> Iterator[Box]:
    page, geometry = parts.page, parts.sheet.geometry
    with page_calls():
        found = page.get_image_info(xrefs=True)
    for info in found:
        if info["xref"] in repeated:
            continue
        box = mupdf.Rect(info["bbox"])
        if geometry.to_shown is not None:
            box = box * page.rotation_matrix * ~geometry.to_shown
        box = box & mupdf.Rect(0, 0, geometry.width, geometry.height)
        if not box.is_empty and min(box.width, box.height) > 4:
            yield tuple(box)


def _is_something(region: Region, parts: PageParts, size: float) -> bool:
    x0, y0, x1, y1 = region.box
    if min(x1 - x0, y1 - y0) < _LEAST_SIDE or region.size < _LEAST_SHARE * size:
        return False
    region.rows = [row for row in parts.sheet.rows if is_inside(row.box, region.box)]
    if region.pictured > 0.3:
        return True
    text = sum(area(row.box) for row in region.rows)
    return region.shapes >= 3 and text < _MAX_TEXT * region.size


def _components(boxes: Sequence[Box], pictures: int) -> Iterator[tuple[Box, list[int]]]:
    """Groups of boxes that touch the same squares of a grid, or neighbours; frames count by their edges only."""
    cells: dict[tuple[int, int], list[int]] = {}
    for index, box in enumerate(boxes):
        for cell in _cells(box, filled=index < pictures):
            cells.setdefault(cell, []).append(index)
    open_cells = set(cells)
    while open_cells:
        stack, members = [open_cells.pop()], set()
        while stack:
            column, row = stack.pop()
            members.update(cells[column, row])
            for near in ((column + dx, row + dy) for dx in (-1, 0, 1) for dy in (-1, 0, 1)):
                if near in open_cells:
                    open_cells.remove(near)
                    stack.append(near)
        yield union([boxes[index] for index in members]), sorted(members)


def _cells(box: Box, *, filled: bool) -> Iterator[tuple[int, int]]:
    left, top, right, bottom = (int(value // _CELL) for value in box)
    for row in range(top, bottom + 1):
        whole = filled or row in (top, bottom)
        columns = range(left, right + 1) if whole else {left, right}
        for column in columns:
            yield column, row


# --- which caption it has


def _captioned(parts: PageParts, regions: list[Region], group: Group) -> tuple[Region | None, str]:
    """What the caption tells about, taken out of `regions`, and its kind."""
    label = _LABEL.match(group.title)
    word = label.group(1).casefold() if label else ""
    if word.startswith(_LISTINGS):
        return None, ""
    caption = union([row.box for row in group.rows])
    if word.startswith(_TABLES):
        region = _nearest([region for region in regions if region.table] or regions, caption)
        if region is not None:
            regions.remove(region)
        return region, "table"
    region = _nearest([region for region in regions if not region.table], caption, penalty=15.0)
    if region is None:
        return None, ""
    regions.remove(region)
    _take_neighbours(parts, regions, region, caption)
    _take_labels(parts, region, caption[1] if caption[1] >= region.box[3] - 5 else None)
    return region, "figure"


def _nearest(regions: Sequence[Region], caption: Box, *, penalty: float = 0.0) -> Region | None:
    """The nearest region over or under the caption; `penalty` is for those under it, in points."""
    best, least = None, _FARTHEST
    for region in regions:
        x0, y0, x1, y1 = region.box
        if min(x1, caption[2]) - max(x0, caption[0]) <= 0:
            continue
        over, under = caption[1] - y1, y0 - caption[3]
        distance = max(over, under, 0.0) + (penalty if under > over else 0.0)
        if distance < least:
            best, least = region, distance
    return best


def _take_neighbours(parts: PageParts, regions: list[Region], region: Region, caption: Box) -> None:
    """Parts (a), (b), (c) of a figure: beside it, or above with no text between."""
    for other in sorted((other for other in regions if not other.table), key=lambda other: -other.box[3]):
        x0, y0, x1, y1 = other.box
        beside = min(y1, region.box[3]) - max(y0, region.box[1]) > 0.5 * min(
            y1 - y0, region.box[3] - region.box[1]
        )
        gap = region.box[1] - y1
        over = -5 < gap < 40 and min(x1, region.box[2]) > max(x0, region.box[0])
        within = x1 > caption[0] - 20 and x0 < caption[2] + 20
        if within and (beside or (over and not _has_prose(parts, (x0, y1, x1, region.box[1])))):
            region.box = union([region.box, other.box])
            region.shapes += other.shapes
            region.rows += other.rows
            regions.remove(other)


def _has_prose(parts: PageParts, box: Box) -> bool:
    return any(is_inside(row.box, box) and len(row.text) > 30 for row in parts.sheet.rows)


def _take_labels(parts: PageParts, region: Region, limit: float | None = None) -> None:
    """Ticks, legends and names of axes that stand just outside, not below `limit`."""
    size = max((row.size for group in parts.groups for row in group.rows), default=10.0)
    for _ in range(2):
        for row in parts.sheet.rows:
            if row in region.rows or len(row.text) > 45:
                continue
            near = grown(region.box, min(14.0, 1.2 * size))
            if (
                touches(row.box, near)
                and not (limit is not None and row.y1 > limit)
                and _is_label(row, parts)
            ):
                region.box = union([region.box, row.box])
                region.rows.append(row)


def _is_label(row: Row, parts: PageParts) -> bool:
    """Not a line of a paragraph."""
    for group in parts.groups:
        if any(row is member for member in group.rows):
            plain = group.type is ContentType.TEXT and len(group.title) < 90
            return plain or group.type in (ContentType.FORMULA, ContentType.TABLE)
    return False


# --- cutting it out


def _cut(parts: PageParts, region: Region, kind: str, position: int, caption: str | None) -> FoundFigure:
    geometry = parts.sheet.geometry
    margin = 3.0 if region.pictured < 0.9 else 0.0
    box = geometry.fractions(*grown(region.box, margin))
    image, media_type = _image(parts.page, box)
    label = _LABEL.match(caption) if caption else None
    inside = [row for row in parts.sheet.rows if is_inside(row.box, region.box)]
    return FoundFigure(
        ordinal=0,
        segment=parts.number,
        kind=kind,
        image=image,
        media_type=media_type,
        label=" ".join(label.group(0).split()) if label else None,
        caption=caption,
        text=" ".join(row.text.replace(GAP, " ") for row in inside) or None,
        box=box,
        position=position,
    )


def _image(page: Any, box: Box) -> tuple[bytes, str]:
    """The clip of the page as PNG or JPEG, whichever is smaller, and its media type. Bounded in pixels."""
    shown = page.rect
    clip = mupdf.Rect(
        box[0] * shown.width, box[1] * shown.height, box[2] * shown.width, box[3] * shown.height
    )
    scale = min(_DPI / 72, (_MAX_PIXELS / max(1.0, clip.width * clip.height)) ** 0.5)
    with page_calls():
        pixmap = page.get_pixmap(
            matrix=mupdf.Matrix(scale, scale), clip=clip, alpha=False, colorspace=mupdf.csRGB
        )
        png: bytes = pixmap.tobytes("png")
        jpeg: bytes = pixmap.tobytes("jpeg", jpg_quality=85)
    return (png, "image/png") if len(png) <= len(jpeg) else (jpeg, "image/jpeg")


def _position(parts: PageParts, box: Box) -> int:
    """The beginning of the first block below the top of the box, else the end of the text."""
    for group, block in zip(parts.groups, parts.blocks, strict=True):
        if group.rows[0].y0 >= box[1]:
            return block.start
    return parts.blocks[-1].end if parts.blocks else 0


def _rounded(box: Box) -> Box:
    x0, y0, x1, y1 = box
    return round(x0, -1), round(y0, -1), round(x1, -1), round(y1, -1)
