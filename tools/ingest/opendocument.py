"""OpenDocument tables (ODS), each sheet a section. A cell holds its text as it is shown, so no formats are needed."""

import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from lxml import etree

from tools.ingest.containers import DAMAGED, check_archive
from tools.ingest.sections import Paragraph, Sectioned
from tools.ingest.segments import DocumentInfo, Refusal, SegmentKind
from tools.ingest.sheets import MAX_COLUMNS, MAX_ROWS, Row, sheet
from tools.ingest.sniff import ODS_TYPE

ERRORS: tuple[type[Exception], ...] = (*DAMAGED, etree.LxmlError, AttributeError, TypeError, RecursionError)

_TABLE = "{urn:oasis:names:tc:opendocument:xmlns:table:1.0}"
_TEXT = "{urn:oasis:names:tc:opendocument:xmlns:text:1.0}"
_OFFICE = "{urn:oasis:names:tc:opendocument:xmlns:office:1.0}"
_CELLS = (f"{_TABLE}table-cell", f"{_TABLE}covered-table-cell")
_LOCKED = "This file is protected with a password. Save it without one and upload it again."
_DAMAGED = "This table is damaged and cannot be read. Open it, save it again and upload that."


class OdsExtractor(Sectioned):
    what = "table"
    pictured = False
    errors = ERRORS

    def __init__(self, path: Path) -> None:
        try:
            check_archive(path)
            self._zip = zipfile.ZipFile(path)
            if b"encryption-data" in self._zip.read("META-INF/manifest.xml"):
                raise Refusal("encrypted", _LOCKED)
            self._zip.getinfo("content.xml")
        except ERRORS as error:
            raise Refusal("corrupt", _DAMAGED) from error
        self.info = DocumentInfo(ODS_TYPE, SegmentKind.SECTION, None)

    def close(self) -> None:
        self._zip.close()

    def paragraphs(self) -> Iterator[Paragraph]:
        with self._zip.open("content.xml") as stream:
            events = etree.iterparse(
                stream,
                events=("start", "end"),
                tag=(f"{_TABLE}table", f"{_TABLE}table-row"),
                resolve_entities=False,
                no_network=True,
                load_dtd=False,
                huge_tree=False,
            )
            for event, node in events:
                if event == "start" and node.tag == f"{_TABLE}table":
                    yield from sheet(node.get(f"{_TABLE}name", ""), _rows(events))


def _rows(events: Any) -> Iterator[Row]:
    """Rows of the table whose start was the last event; each is thrown away once it is read."""
    number = 0
    for event, node in events:
        if event == "start":
            continue
        if node.tag == f"{_TABLE}table":
            return
        times = int(node.get(f"{_TABLE}number-rows-repeated", "1"))
        cells, spans = _cells(node)
        for place in range(min(times, MAX_ROWS + 1)) if cells else ():
            yield Row(number + place + 1, cells, spans)
        number += times
        node.clear()
        node.getparent().remove(node)


def _cells(row: Any) -> tuple[dict[int, str], dict[int, tuple[int, int]]]:
    cells: dict[int, str] = {}
    spans: dict[int, tuple[int, int]] = {}
    column = 0
    for cell in row.iterchildren(*_CELLS):
        times = int(cell.get(f"{_TABLE}number-columns-repeated", "1"))
        text = " ".join(map(_words, cell.iterfind(f"{_TEXT}p"))).strip() or cell.get(f"{_OFFICE}value", "")
        if text and cell.tag == _CELLS[0]:
            cells |= dict.fromkeys(range(column, min(column + times, MAX_COLUMNS + 1)), text)
        width = int(cell.get(f"{_TABLE}number-columns-spanned", "1"))
        height = int(cell.get(f"{_TABLE}number-rows-spanned", "1"))
        if (width, height) != (1, 1):
            spans[column] = (width, height)
        column += times
    return cells, spans


def _words(paragraph: Any) -> str:
    """Text with the spaces that are elements; remarks on the cell are not below its paragraphs."""
    parts = [paragraph.text or ""]
    for node in paragraph:
        if node.tag == f"{_TEXT}s":
            parts.append(" " * min(100, int(node.get(f"{_TEXT}c", "1"))))
        elif node.tag in (f"{_TEXT}tab", f"{_TEXT}line-break"):
            parts.append(" ")
        else:
            parts.append(_words(node))
        parts.append(node.tail or "")
    return "".join(parts)
