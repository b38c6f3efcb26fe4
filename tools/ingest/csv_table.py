"""CSV and TSV files as Markdown tables, read row by row."""

import csv
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from tools.ingest.charset import decode, encoding_of
from tools.ingest.grid import numbers_only, plain_table
from tools.ingest.sections import Paragraph, Sectioned
from tools.ingest.segments import ContentType, DocumentInfo, Refusal, SegmentKind
from tools.ingest.sheets import MAX_CELLS, MAX_ROWS, TOO_MANY_ROWS
from tools.ingest.sniff import CSV_TYPE, HEAD_BYTES, delimiter_of

MAX_COLUMNS = 2000
MAX_LINE = 1_000_000
_PREAMBLE_ROWS = 30
"""Lines that measuring programs write above the table."""
_TOO_WIDE = (
    f"This table has more than {MAX_COLUMNS:,} columns. Keep the columns you need and upload the table again."
)


class CsvExtractor(Sectioned):
    what = "table"
    pictured = False
    errors = (csv.Error,)

    def __init__(self, path: Path) -> None:
        self._path = path
        with path.open("rb") as file:
            head = file.read(HEAD_BYTES)
        self._encoding = encoding_of(head)
        self._delimiter = delimiter_of(decode(head), named=True) or ","
        self._quoted = self._is_quoted()
        self.info = DocumentInfo(CSV_TYPE, SegmentKind.SECTION, None)

    def paragraphs(self) -> Iterator[Paragraph]:
        rows = self._rows()
        first = list(islice(rows, _PREAMBLE_ROWS))
        widths = [len(row) for row in first]
        usual = max(set(widths), key=widths.count) if widths else 0
        start = next((at for at, width in enumerate(widths) if width == usual), 0) if usual > 1 else 0
        for row in first[:start]:
            yield Paragraph(ContentType.TEXT, self._delimiter.join(row))
        most = min(MAX_ROWS, MAX_CELLS // max(1, usual))
        yield from plain_table(_headed(first[start:], islice(rows, most)))
        if next(rows, None) is not None:
            yield Paragraph(ContentType.TEXT, "", notice=TOO_MANY_ROWS)

    def _rows(self) -> Iterator[list[str]]:
        """Rows with something in them."""
        for row in csv.reader(
            self._lines(),
            delimiter=self._delimiter,
            quoting=csv.QUOTE_MINIMAL if self._quoted else csv.QUOTE_NONE,
        ):
            if len(row) > MAX_COLUMNS:
                raise Refusal("too_large", _TOO_WIDE)
            if any(map(str.strip, row)):
                yield row

    def _lines(self) -> Iterator[str]:
        with self._path.open(encoding=self._encoding, errors="replace", newline="") as file:
            while line := file.readline(MAX_LINE):
                if len(line) >= MAX_LINE:
                    raise Refusal("too_large", _TOO_WIDE)
                yield line.replace("\x00", "").lstrip("\ufeff")

    def _is_quoted(self) -> bool:
        """A lone quotation mark would make one field of all that follows: then they are characters like others."""
        try:
            for _ in csv.reader(self._lines(), delimiter=self._delimiter):
                pass
        except csv.Error:
            return False
        return True


def _headed(first: list[list[str]], rest: Iterator[list[str]]) -> Iterator[list[str]]:
    """Rows with a header, which a table of nothing but numbers is given."""
    if first and numbers_only(first[0]):
        yield [f"Column {number}" for number in range(1, len(first[0]) + 1)]
    yield from first
    yield from rest
