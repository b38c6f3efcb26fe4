"""Tables of every format: each cell in the right row, under the right header, in parts that stand alone."""

import zipfile
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import pytest
import xlsxwriter
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.data import shared
from tests.ingest.containers import ods, ods_row, xls
from tests.ingest.office_files import LONG, lab_report, lecture_deck
from tests.ingest.reading import read, refusal, tables, typed, written
from tools.ingest.grid import TABLE_CHARS, Cell, plain_table, table
from tools.ingest.number_formats import shown
from tools.ingest.opening import open_document
from tools.ingest.segments import ContentType, Segment
from tools.ingest.sheets import MAX_ROWS

Expected = Sequence[Sequence[str]]
"""Header, then rows whose first cells differ."""

OF_TABLES_DOCX: list[Expected] = [
    [("Header Col 1", "Header Col 2"), ("Lorem ipsum", "A link example")],
    [("a", ">b<", "c"), ("d", "e, f; g&t, h", "i"), ("j", "k", "l")],
    [("a", "b", "b"), ("a", "c", "d"), ("e", "e", "d")],
]
OF_REPORT: list[Expected] = [
    [
        ("Length", "Period Run 1", "Period Run 2", "Period Mean"),
        ("0.25 m", "1.01 s", "1.00 s", "1.005 s"),
        ("0.50 m", "1.42 s", "1.43 s", "1.425 s"),
        ("1.00 m", "2.01 s", "2.00 s", "2.005 s"),
    ],
    LONG,
]
OF_LECTURE: list[Expected] = [
    [("Spring", "Stiffness low", "Stiffness high"), ("A", "10 N/m", "20 N/m"), ("B", "15 N/m", "30 N/m")],
    [("", "Visitors"), ("Mon", "12"), ("Tue", "19.5")],
]


def cells_kept(found: list[list[list[str]]], expected: Expected) -> tuple[int, int]:
    """How many cells stand in the row of their first cell, under their header; and of how many."""
    header, *rows = expected
    places = {
        (row[0], column, value)
        for one in found
        if one[0] == list(header)
        for row in one[1:]
        for column, value in enumerate(row)
    }
    wanted = [(row[0], column, value) for row in rows for column, value in enumerate(row)]
    return sum(one in places for one in wanted), len(wanted)


@pytest.mark.parametrize(
    ("name", "expected"), [("tables.docx", OF_TABLES_DOCX), ("report", OF_REPORT), ("lecture", OF_LECTURE)]
)
def test_every_cell_of_office_tables_is_kept(name: str, expected: list[Expected], tmp_path: Path) -> None:
    made = {"report": lab_report, "lecture": lecture_deck}
    path = made[name](tmp_path) if name in made else shared(f"docs/{name}")
    found = tables(read(path)[1])
    kept = [cells_kept(found, one) for one in expected]
    assert kept == [(total, total) for _, total in kept]


def test_every_row_of_a_csv_file_stands_under_its_header(tmp_path: Path) -> None:
    rows = [("id", "name", "remark"), *((str(n), f"Name {n}", f'said "{n}", twice') for n in range(2000))]
    quoted = "\r\n".join(",".join('"' + cell.replace('"', '""') + '"' for cell in row) for row in rows)
    _, found = read(written(tmp_path, "a.csv", quoted.encode()))
    assert cells_kept(tables(found), rows) == (6000, 6000)
    assert all(len(segment.text) <= TABLE_CHARS + 10 for segment in found)
    assert len(found) > 10


@pytest.mark.parametrize(
    ("data", "name"),
    [
        ("Stadt;Fläche\nMünchen;310,7\n\"Zu; lang\";3\n".encode("cp1252"), "a.csv"),
        ("Stadt\tFläche\nMünchen\t310,7\nZu; lang\t3\n".encode("utf-16"), "a.tsv"),
        ("\ufeffStadt|Fläche\nMünchen|310,7\nZu; lang|3\n".encode(), "a.csv"),
        ("Gerät X200\nStadt;Fläche\nMünchen;310,7\nZu; lang;3\n".replace("Zu; lang", '"Zu; lang"').encode(), "a.csv"),
    ],
    ids=["semicolons, Windows-1252", "tabs, UTF-16", "bars, UTF-8 with mark", "a line above the table"],
)  # fmt: skip
def test_delimiter_and_encoding_are_found(data: bytes, name: str, tmp_path: Path) -> None:
    info, found = read(written(tmp_path, name, data))
    assert info.media_type == "text/csv"
    assert tables(found) == [[["Stadt", "Fläche"], ["München", "310,7"], ["Zu; lang", "3"]]]


def test_a_table_is_known_without_its_name_and_prose_is_not_taken_for_one(tmp_path: Path) -> None:
    rows = "".join(f"{n}\t{n * n}\n" for n in range(6))
    info, found = read(written(tmp_path, "meter.txt", rows.encode()))
    assert info.media_type == "text/csv"
    assert tables(found)[0][:2] == [["Column 1", "Column 2"], ["0", "0"]]
    prose = "One, two, three.\nFour, five and six, seven.\nEight, nine.\nTen, eleven.\n"
    assert read(written(tmp_path, "prose.txt", prose.encode()))[0].media_type == "text/plain"


def test_a_lone_quotation_mark_does_not_swallow_the_rest(tmp_path: Path) -> None:
    rows = 'size,name\n5" pipe,a\n' + "".join(f'"{n},b\n' if n == 3 else f"{n},b\n" for n in range(20_000))
    _, found = read(written(tmp_path, "a.csv", rows.encode()))
    assert sum(len(one) - 1 for one in tables(found)) == 20_001


def test_tables_wider_than_a_page_are_dealt_out_by_columns(tmp_path: Path) -> None:
    header = ["id", *(f"measured quantity number {n}" for n in range(60))]
    rows = [header, *([str(row), *(f"{row}/{column}" for column in range(60))] for row in range(5))]
    _, found = read(written(tmp_path, "a.csv", "\n".join(map(",".join, rows)).encode()))
    parts = tables(found)
    assert len(parts) > 1
    assert all(part[0][0] == "id" for part in parts)
    seen = {
        (row[0], name, cell)
        for part in parts
        for row in part[1:]
        for name, cell in zip(part[0], row, strict=True)
    }
    assert all(
        (row[0], name, cell) in seen for row in rows[1:] for name, cell in zip(header, row, strict=True)
    )


def test_a_row_without_end_is_refused(tmp_path: Path) -> None:
    for name, data in (
        ("a.csv", b"a,b\n1,2\n" + b"," * 3_000_000),
        ("b.csv", (b",".join([b"x"] * 5000) + b"\n") * 3),
    ):
        assert refusal(written(tmp_path, name, data)).code == "too_large"


def workbook(path: Path) -> Path:
    book = xlsxwriter.Workbook(path)
    sheet = book.add_worksheet("Measurements")
    sheet.write("B2", "Experiment 4")
    sheet.merge_range("C3:D3", "Voltage")
    sheet.write_row("B4", ["Date", "U1", "U2", "Share", "Price"])
    formats = {code: book.add_format({"num_format": code}) for code in ("dd.mm.yyyy", "0.0%", '#,##0.00 "€"')}
    for number in range(3):
        sheet.write_datetime(4 + number, 1, datetime(2024, 3, 5 + number), formats["dd.mm.yyyy"])  # noqa: DTZ001
        sheet.write_row(4 + number, 2, [1.5 + number, 2.25])
        sheet.write(4 + number, 4, 0.125 * number, formats["0.0%"])
        sheet.write(4 + number, 5, 1234.5 * number, formats['#,##0.00 "€"'])
    sheet.write("B11", "Name")
    sheet.write("C11", "Grade")
    sheet.write_row("B12", ["Ann", 1.3])
    book.add_worksheet("Empty")
    numbers = book.add_worksheet("Numbers")
    numbers.write_row("A1", [1, 2])
    numbers.write_row("A2", [3, True])
    book.close()
    return path


def test_a_workbook_shows_what_excel_shows(tmp_path: Path) -> None:
    info, found = read(workbook(tmp_path / "a.xlsx"))
    measured, numbers = found
    assert info.media_type.endswith("spreadsheetml.sheet")
    assert typed(measured)[:2] == [(ContentType.HEADING, "Measurements"), (ContentType.TEXT, "Experiment 4")]
    assert tables([measured]) == [
        [
            ["Date", "Voltage U1", "Voltage U2", "Share", "Price"],
            ["05.03.2024", "1.5", "2.25", "0.0%", "0.00 €"],
            ["06.03.2024", "2.5", "2.25", "12.5%", "1,234.50 €"],
            ["07.03.2024", "3.5", "2.25", "25.0%", "2,469.00 €"],
        ],
        [["Name", "Grade"], ["Ann", "1.3"]],
    ]
    assert typed(numbers)[0] == (ContentType.HEADING, "Numbers")
    assert tables([numbers]) == [[["A", "B"], ["1", "2"], ["3", "TRUE"]]]


def test_older_and_open_workbooks_are_read(tmp_path: Path) -> None:
    rows: list[list[str | float]] = [["City", "Temperature"], ["Rome", 21.5], ["Oslo", 3.0]]
    old = written(tmp_path, "a.xls", xls(rows))
    new = ods(tmp_path / "a.ods", "".join(ods_row(*row) for row in rows).replace(">3.0<", ">3<"))
    for path in (old, new):
        _, found = read(path)
        assert found[0].text.startswith("Results")
        assert tables(found) == [[["City", "Temperature"], ["Rome", "21.5"], ["Oslo", "3"]]]


def test_a_sheet_of_billions_of_cells_is_read_as_far_as_it_goes(tmp_path: Path) -> None:
    wide = ods_row("x", "y", columns=16_384, rows=3)
    long = ods_row("x", rows=1_048_570)
    _, found = read_once(ods(tmp_path / "a.ods", wide + ods_row() + long))
    assert found[-1].notice
    assert "Only the first" in found[-1].notice
    corner = xlsxwriter.Workbook(tmp_path / "b.xlsx")
    sheet = corner.add_worksheet()
    sheet.write_row("A1", ["first", "second"])
    sheet.write(1_048_575, 16_383, "last")
    corner.close()
    _, (section,) = read_once(tmp_path / "b.xlsx")
    assert (section.notice, "second" in section.text) == (
        "Only the first 500 columns of this sheet were read.",
        True,
    )


def read_once(path: Path) -> tuple[str, list[Segment]]:
    extractor = open_document(path, path.name)
    try:
        return extractor.info.media_type, list(extractor.segments())
    finally:
        extractor.close()


def test_a_table_with_more_rows_than_the_limit_says_so(tmp_path: Path) -> None:
    path = written(tmp_path, "a.csv", b"a,b\n" + b"1,2\n" * (MAX_ROWS + 100))
    _, found = read_once(path)
    assert found[-1].notice
    assert all(segment.notice is None for segment in found[:-1])


def test_a_damaged_workbook_is_refused(tmp_path: Path) -> None:
    whole = workbook(tmp_path / "a.xlsx").read_bytes()
    assert refusal(written(tmp_path, "cut.xlsx", whole[: len(whole) // 2])).code == "corrupt"
    with zipfile.ZipFile(tmp_path / "c.xlsx", "w") as archive:
        archive.writestr("xl/workbook.xml", "<x/>")
    assert refusal(tmp_path / "c.xlsx").code == "corrupt"
    assert refusal(written(tmp_path, "cut.xls", xls([["a", 1.0]])[:1800])).code == "corrupt"


@pytest.mark.parametrize(
    ("value", "code", "expected"),
    [
        (1234.5, "General", "1234.5"),
        (0.1 + 0.2, "General", "0.3"),
        (1e15, "General", "1e+15"),
        (3.0, "General", "3"),
        (1234567.891, "#,##0.00", "1,234,567.89"),
        (0.5, "0%", "50%"),
        (-3.2, "0.0;(0.0)", "(3.2)"),
        (-3.2, "0.00", "-3.20"),
        (7, "000", "007"),
        (1.5, "0.##", "1.5"),
        (12345, "0.00E+00", "1.23E+04"),
        (5, '"n = "0', "n = 5"),
        (9.5, "[$€-407] #,##0.00", "€ 9.50"),
        (45_356, "yyyy-mm-dd", "2024-03-05"),
        (45_356.75, "d/m/yy h:mm AM/PM", "5/3/24 6:00 PM"),
        (45_356, "dddd, d. mmmm yyyy", "Tuesday, 5. March 2024"),
        (1.5, "[h]:mm", "36:00"),
        (0.5, "hh:mm:ss", "12:00:00"),
        (1, "yyyy-mm-dd", "1900-01-01"),
        (-5, "yyyy-mm-dd", "-5"),
        (1500, "0.0,", "1.5"),
        (0, '0;-0;"none"', "none"),
        (4, "@", "4"),
    ],
)
def test_numbers_are_shown_by_their_format(value: float, code: str, expected: str) -> None:
    assert shown(value, code) == expected


@settings(deadline=None)
@given(st.floats(allow_nan=False), st.text(alphabet='0#?.,%/;@E+-[]"\\$€ ymdhsAMPGeneral_*', max_size=20))
def test_any_number_format_shows_something(value: float, code: str) -> None:
    assert isinstance(shown(value, code), str)


def test_a_cell_reaches_down_at_the_end_of_a_row_and_a_first_row_of_one_cell_is_a_title() -> None:
    rows = [
        [Cell("Stress test", width=3)],
        [Cell("Beam"), Cell("Load"), Cell("Result")],
        [Cell("A"), Cell("1 kN"), Cell("held", height=2)],
        [Cell("B"), Cell("2 kN")],
        [Cell("Second series", width=3)],
        [Cell("C"), Cell("9 kN"), Cell("broke")],
    ]
    title, cells = table(rows)
    assert (title.type, title.text) == (ContentType.CAPTION, "Stress test")
    assert cells.text.split("\n") == [
        "| Beam | Load | Result |",
        "| --- | --- | --- |",
        "| A | 1 kN | held |",
        "| B | 2 kN | held |",
        "| Second series |  |  |",
        "| C | 9 kN | broke |",
    ]


cell = st.builds(
    Cell, st.text("ab |1", max_size=6), st.integers(1, 4), st.integers(1, 4), st.booleans(), st.booleans()
)


@settings(deadline=None)
@given(st.lists(st.lists(cell, max_size=6), max_size=8))
def test_any_merged_cells_give_even_tables(rows: list[list[Cell]]) -> None:
    for paragraph in table(rows):
        if paragraph.type is ContentType.TABLE:
            widths = {line.replace("\\|", "").count("|") for line in paragraph.text.split("\n")[:2]}
            assert len(widths) == 1


@settings(deadline=None)
@given(st.integers(2, 8), st.integers(1, 400), st.integers(1, 60))
def test_no_row_of_a_long_table_is_lost(columns: int, count: int, size: int) -> None:
    rows = [
        [f"h{n}" for n in range(columns)],
        *([f"r{row}", *["v" * size] * (columns - 1)] for row in range(count)),
    ]
    parts = [paragraph.text.split("\n") for paragraph in plain_table(rows)]
    assert [line.split(" | ")[0] for part in parts for line in part[2:]] == [
        f"| r{row}" for row in range(count)
    ]
    assert all(sum(map(len, part)) <= TABLE_CHARS for part in parts)
