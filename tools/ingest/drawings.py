"""What Word and PowerPoint draw out of data of their own: charts as tables, SmartArt as lists."""

from collections.abc import Iterator
from typing import Any

from tools.ingest.grid import plain_table
from tools.ingest.ooxml import DRAWING
from tools.ingest.sections import Paragraph
from tools.ingest.segments import ContentType

_CHART = "{http://schemas.openxmlformats.org/drawingml/2006/chart}"
_DIAGRAM = "{http://schemas.openxmlformats.org/drawingml/2006/diagram}"
CHART_REFERENCE = f"{_CHART}chart"
DIAGRAM_REFERENCE = f"{_DIAGRAM}relIds"
MAX_POINTS = 2000
"""Of a series; charts with more are measured curves."""
_MAX_DEPTH = 20


def chart(root: Any) -> Iterator[Paragraph]:
    """Title, then a table with a row for each category and a column for each series, as the file last showed them."""
    title = root.find(f"{_CHART}chart/{_CHART}title")
    text = " ".join("".join(title.itertext(f"{DRAWING}t")).split()) if title is not None else ""
    if text:
        yield Paragraph(ContentType.CAPTION, text)
    series = list(root.iter(f"{_CHART}ser"))
    categories: dict[int, str] = {}
    names, columns = [], []
    for one in series:
        for tag in ("cat", "xVal"):
            categories = {**_points(one.find(f"{_CHART}{tag}")), **categories}
        names.append(" ".join(_points(one.find(f"{_CHART}tx")).values()) or _plain_value(one))
        columns.append(
            next(filter(None, (_points(one.find(f"{_CHART}{tag}")) for tag in ("val", "yVal"))), {})
        )
    rows = sorted({*categories, *(index for column in columns for index in column)})[:MAX_POINTS]
    if rows:
        body = (
            [categories.get(row, str(row + 1)), *(column.get(row, "") for column in columns)] for row in rows
        )
        yield from plain_table([[_axis(root), *names], *body])


def _axis(root: Any) -> str:
    """What the chart's first axis is called."""
    for tag in ("catAx", "dateAx", "valAx"):
        title = root.find(f".//{_CHART}{tag}/{_CHART}title")
        if title is not None:
            return " ".join("".join(title.itertext(f"{DRAWING}t")).split())
    return ""


def _plain_value(series: Any) -> str:
    return series.findtext(f"{_CHART}tx/{_CHART}v") or ""


def _points(node: Any) -> dict[int, str]:
    """Values that the chart keeps of its workbook, by their index."""
    found: dict[int, str] = {}
    if node is None:
        return found
    for point in node.iter(f"{_CHART}pt"):
        text = point.findtext(f"{_CHART}v") or ""
        index = int(point.get("idx", "0"))
        found[index] = f"{found[index]} {text}" if index in found else _rounded(text)
    return found


def _rounded(text: str) -> str:
    """Numbers are kept with 17 digits; nobody sees more than a dozen."""
    try:
        return f"{float(text):.12g}" if "." in text else text
    except ValueError:
        return text


def diagram(root: Any) -> Iterator[Paragraph]:
    """The texts of a SmartArt drawing as a list, indented as they hang together."""
    texts: dict[str, str] = {}
    start = ""
    for point in root.iter(f"{_DIAGRAM}pt"):
        kind = point.get("type", "node")
        start = point.get("modelId", "") if kind == "doc" else start
        if kind in ("node", "asst"):
            texts[point.get("modelId", "")] = " ".join("".join(point.itertext(f"{DRAWING}t")).split())
    below: dict[str, list[tuple[int, str]]] = {}
    for link in root.iter(f"{_DIAGRAM}cxn"):
        if link.get("type", "parOf") == "parOf":
            place = int(link.get("srcOrd", "0"))
            below.setdefault(link.get("srcId", ""), []).append((place, link.get("destId", "")))
    shown: set[str] = set()
    yield from _branch(start, below, texts, shown, 0)
    for name in texts:  # what hangs on nothing
        if name not in shown:
            yield from _branch(name, {"": []}, {name: texts[name]}, shown, 0)


def _branch(
    name: str, below: dict[str, list[tuple[int, str]]], texts: dict[str, str], shown: set[str], depth: int
) -> Iterator[Paragraph]:
    if name in shown or depth > _MAX_DEPTH:
        return
    shown.add(name)
    text = texts.get(name, "")
    if text:
        yield Paragraph(ContentType.LIST, f"{'  ' * max(0, depth - 1)}- {text}", verbatim=True)
    for _, child in sorted(below.get(name, ())):
        yield from _branch(child, below, texts, shown, depth + 1)
