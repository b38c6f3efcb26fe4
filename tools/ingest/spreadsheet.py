"""Excel workbooks, each sheet a section with its tables, numbers and dates as they are shown; older formats too."""

import re
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any
from zipfile import is_zipfile

from lxml import etree
from python_calamine import CalamineError, CalamineWorkbook, PasswordError, load_workbook

from tools.ingest.number_formats import code_of, general, shown
from tools.ingest.ooxml import ERRORS, MACROS, RELATION_ID, Package
from tools.ingest.sections import Paragraph, Sectioned
from tools.ingest.segments import DocumentInfo, Refusal, SegmentKind
from tools.ingest.sheets import Row, sheet
from tools.ingest.sniff import XLS_TYPE, XLSB_TYPE, XLSX_TYPE

_S = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
_DAMAGED = "This workbook is damaged and cannot be read. Open it, save it again and upload that."
_LOCKED = "This file is protected with a password. Save it without one and upload it again."
_TOO_MANY_WORDS = "This workbook holds more text than can be read at once. Split it and upload the parts."
MAX_SHARED_STRINGS = 60_000_000
"""Bytes of the part that holds all texts of a workbook."""
MAX_MERGES = 20_000
_MERGES_WITHIN = 20_000_000
"""Bytes of a sheet up to which its merged cells are looked for, which stand behind its rows."""
_REFERENCE = re.compile(r"([A-Z]{1,3})(\d{1,7})")


class XlsxExtractor(Sectioned):
    what = "workbook"
    pictured = False
    errors = ERRORS

    def __init__(self, path: Path) -> None:
        try:
            self._package = Package(path)
            main = self._package.main
            workbook = self._package.tree(main)
            self._sheets = [
                (one.get("name", ""), self._package.target(main, one.get(f"{RELATION_ID}id")))
                for one in workbook.iterfind(f"{_S}sheets/{_S}sheet")
                if one.get("state") != "veryHidden"
            ]
            settings = workbook.find(f"{_S}workbookPr")
            self._since_1904 = settings is not None and settings.get("date1904") in ("1", "true")
            self._formats = self._read_formats()
            self._strings = self._read_strings()
            properties = self._package.properties()
        except ERRORS as error:
            raise Refusal("corrupt", _DAMAGED) from error
        self.info = DocumentInfo(
            XLSX_TYPE,
            SegmentKind.SECTION,
            None,
            properties.get("title"),
            properties.get("language"),
            properties.get("creator"),
            notice=MACROS if self._package.has_macros else None,
        )

    def close(self) -> None:
        self._package.close()
        self._strings = []

    def paragraphs(self) -> Iterator[Paragraph]:
        for name, part in self._sheets:
            if part and "/worksheets/" in f"/{part}":
                yield from sheet(name, self._rows(part))

    def _read_formats(self) -> list[str]:
        """Number format codes by the style index of a cell."""
        name = self._package.related(self._package.main, "styles")
        if name is None:
            return []
        root = self._package.tree(name)
        codes = {int(one.get("numFmtId", "0")): one.get("formatCode", "") for one in root.iter(f"{_S}numFmt")}
        return [code_of(int(one.get("numFmtId", "0")), codes) for one in root.iterfind(f"{_S}cellXfs/{_S}xf")]

    def _read_strings(self) -> list[str]:
        name = self._package.related(self._package.main, "sharedStrings")
        if name is None:
            return []
        if self._package.size(name) > MAX_SHARED_STRINGS:
            raise Refusal("too_large", _TOO_MANY_WORDS)
        return [_words(one) for one in self._elements(name, "si")]

    def _elements(self, part: str, tag: str) -> Iterator[Any]:
        """Elements of a part one by one; each is thrown away with the next."""
        with self._package.open(part) as stream:
            events = etree.iterparse(
                stream,
                tag=f"{_S}{tag}",
                resolve_entities=False,
                no_network=True,
                load_dtd=False,
                huge_tree=False,
            )
            for _, node in events:
                yield node
                node.clear()
                while node.getprevious() is not None:
                    del node.getparent()[0]

    def _rows(self, part: str) -> Iterator[Row]:
        merged = self._merged(part) if self._package.size(part) <= _MERGES_WITHIN else {}
        number = 0
        for node in self._elements(part, "row"):
            number = int(node.get("r", number + 1))
            cells: dict[int, str] = {}
            column = -1
            for cell in node.iterfind(f"{_S}c"):
                place = _REFERENCE.fullmatch(cell.get("r", ""))
                column = _column(place.group(1)) if place else column + 1
                text = self._shown(cell).strip()
                if text:
                    cells[column] = text
            if cells:
                yield Row(number, cells, merged.get(number, {}))

    def _merged(self, part: str) -> dict[int, dict[int, tuple[int, int]]]:
        """Width and height of merged cells, by row and column."""
        found: dict[int, dict[int, tuple[int, int]]] = {}
        for count, node in enumerate(self._elements(part, "mergeCell")):
            ends = _REFERENCE.findall(node.get("ref", ""))
            if len(ends) == 2 and count < MAX_MERGES:
                (left, top), (right, bottom) = ends
                size = (_column(right) - _column(left) + 1, int(bottom) - int(top) + 1)
                found.setdefault(int(top), {})[_column(left)] = size
        return found

    def _shown(self, cell: Any) -> str:
        """What a cell shows; a formula that was never calculated shows itself."""
        kind, value = cell.get("t", "n"), cell.findtext(f"{_S}v")
        if kind == "inlineStr":
            inner = cell.find(f"{_S}is")
            return _words(inner) if inner is not None else ""
        if value is None:
            formula = cell.findtext(f"{_S}f")
            return f"={formula}" if formula else ""
        if kind == "s":
            return self._strings[int(value)]
        if kind == "b":
            return "TRUE" if value == "1" else "FALSE"
        return self._number(value, cell.get("s", "0")) if kind == "n" else value

    def _number(self, value: str, style: str) -> str:
        place = int(style)
        code = self._formats[place] if place < len(self._formats) else "General"
        try:
            return shown(float(value), code, self._since_1904)
        except (ValueError, OverflowError):
            return value


class OldSheetExtractor(Sectioned):
    """Workbooks of Excel 97 to 2003, and binary ones."""

    what = "workbook"
    pictured = False
    errors = (CalamineError, OSError, ValueError)

    def __init__(self, path: Path) -> None:
        try:
            self._workbook: CalamineWorkbook = load_workbook(path)
        except PasswordError as error:
            raise Refusal("encrypted", _LOCKED) from error
        except self.errors as error:
            raise Refusal("corrupt", _DAMAGED) from error
        self.info = DocumentInfo(XLSB_TYPE if is_zipfile(path) else XLS_TYPE, SegmentKind.SECTION, None)

    def close(self) -> None:
        self._workbook.close()

    def paragraphs(self) -> Iterator[Paragraph]:
        for name in self._workbook.sheet_names:
            found = self._workbook.get_sheet_by_name(name)
            top, left = found.start or (0, 0)
            yield from sheet(name, _old_rows(found.iter_rows(), top, left))


def _old_rows(rows: Iterator[list[Any]], top: int, left: int) -> Iterator[Row]:
    for number, row in enumerate(rows, start=top + 1):
        texts = {column: _text(value) for column, value in enumerate(row, start=left)}
        cells = {column: text for column, text in texts.items() if text}
        if cells:
            yield Row(number, cells, {})


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, int | float):
        return general(value)
    if isinstance(value, datetime):
        return value.isoformat(" ", "minutes") if value.second == 0 else value.isoformat(" ", "seconds")
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, timedelta):
        return str(value)
    return str(value).strip()


def _words(node: Any) -> str:
    """Text of a string item without its reading aids."""
    return "".join(one.text or "" for one in node.iter(f"{_S}t") if one.getparent().tag != f"{_S}rPh")


def _column(name: str) -> int:
    number = 0
    for letter in name:
        number = 26 * number + ord(letter) - 64
    return number - 1
