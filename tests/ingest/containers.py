"""Containers written byte by byte: OLE2 files, old Excel sheets, OpenDocument tables, EPUB books, ZIP bombs."""

import struct
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path

_FREE, _END, _TABLE = 0xFFFFFFFF, 0xFFFFFFFE, 0xFFFFFFFD


def ole2(streams: Mapping[str, bytes]) -> bytes:
    """An OLE2 file ([MS-CFB]) whose root holds these streams; each is padded to 4096 bytes so that it lies in sectors."""
    padded = {name: data + bytes(max(0, 4096 - len(data))) for name, data in streams.items()}
    table: list[int] = [_TABLE]
    body = b""

    def placed(data: bytes) -> int:
        nonlocal body
        start, count = len(table), -(-len(data) // 512)
        table.extend([*range(start + 1, start + count), _END])
        body += data + bytes(-len(data) % 512)
        return start

    starts = {name: placed(data) for name, data in padded.items()}
    directory = _entry("Root Entry", 5, child=1 if streams else _FREE)
    for number, (name, data) in enumerate(padded.items(), 1):
        after = number + 1 if number < len(padded) else _FREE
        directory += _entry(name, 2, right=after, start=starts[name], size=len(data))
    first = placed(directory)
    header = OLE2_MAGIC + bytes(16) + struct.pack("<HHHHH", 0x3E, 3, 0xFFFE, 9, 6) + bytes(10)
    header += (
        struct.pack("<IIIIIIIII", 1, first, 0, 4096, _END, 0, _END, 0, 0) + struct.pack("<I", _FREE) * 108
    )
    allocation = b"".join(struct.pack("<I", one) for one in table).ljust(512, b"\xff")
    return header + allocation + body


OLE2_MAGIC = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"


def _entry(
    name: str, kind: int, *, right: int = _FREE, child: int = _FREE, start: int = 0, size: int = 0
) -> bytes:
    encoded = (name + "\x00").encode("utf-16-le")
    links = struct.pack("<III", _FREE, right, child)
    rest = bytes(16) + struct.pack("<I", 0) + bytes(16) + struct.pack("<IQ", start, size)
    return encoded.ljust(64, b"\x00") + struct.pack("<HBB", len(encoded), kind, 1) + links + rest


def xls(rows: Sequence[Sequence[str | float]]) -> bytes:
    """A workbook of Excel 97 (BIFF8, [MS-XLS]) with one sheet."""
    cells = b""
    for number, row in enumerate(rows):
        for column, value in enumerate(row):
            place = struct.pack("<HHH", number, column, 0)
            if isinstance(value, str):
                cells += _record(0x0204, place + struct.pack("<HB", len(value), 0) + value.encode("latin-1"))
            else:
                cells += _record(0x0203, place + struct.pack("<d", value))
    sheet = _record(0x0809, struct.pack("<HHHHII", 0x0600, 0x0010, 0, 0, 0, 6)) + cells + _record(0x0A, b"")
    start = _record(0x0809, struct.pack("<HHHHII", 0x0600, 0x0005, 0, 0, 0, 6))
    name = b"Results"
    length = len(start) + 4 + 8 + len(name) + 4
    bound = _record(0x85, struct.pack("<IBBBB", length, 0, 0, len(name), 0) + name)
    return ole2({"Workbook": start + bound + _record(0x0A, b"") + sheet})


def _record(kind: int, data: bytes) -> bytes:
    return struct.pack("<HH", kind, len(data)) + data


def ods(path: Path, rows: str) -> Path:
    """An OpenDocument table with these `table:table-row` elements."""
    names = " ".join(
        f'xmlns:{short}="urn:oasis:names:tc:opendocument:xmlns:{long}:1.0"'
        for short, long in (("office", "office"), ("table", "table"), ("text", "text"))
    )
    content = (
        f'<?xml version="1.0"?><office:document-content {names}><office:body><office:spreadsheet>'
        f'<table:table table:name="Results">{rows}</table:table></office:spreadsheet></office:body>'
        "</office:document-content>"
    )
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet", zipfile.ZIP_STORED)
        archive.writestr(
            "META-INF/manifest.xml",
            '<manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"/>',
        )
        archive.writestr("content.xml", content)
    return path


def ods_row(*values: str | float, columns: int = 1, rows: int = 1) -> str:
    """A row; its last cell and the whole row may be repeated."""
    made = ""
    for place, value in enumerate(values, 1):
        repeat = f' table:number-columns-repeated="{columns}"' if place == len(values) and columns > 1 else ""
        kind = "string" if isinstance(value, str) else "float"
        number = "" if isinstance(value, str) else f' office:value="{value}"'
        made += f'<table:table-cell office:value-type="{kind}"{number}{repeat}><text:p>{value}</text:p></table:table-cell>'
    return f'<table:table-row table:number-rows-repeated="{rows}">{made}</table:table-row>'


def epub(
    path: Path,
    chapters: Mapping[str, str],
    contents: str,
    more: Mapping[str, bytes] | None = None,
    ncx: bool = False,
) -> Path:
    """A book of these chapters (name in the folder "text": markup), with a table of contents in EPUB 3's way or 2's."""
    items = "".join(
        f'<item id="c{n}" href="text/{name}" media-type="application/xhtml+xml"/>'
        for n, name in enumerate(chapters)
    )
    spine = "".join(f'<itemref idref="c{n}"/>' for n in range(len(chapters)))
    table = (
        '<item id="toc" href="toc.ncx" media-type="application/x-dtbncx+xml"/>'
        if ncx
        else '<item id="toc" href="nav.xhtml" media-type="application/xhtml+xml" properties="nav"/>'
    )
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("mimetype", "application/epub+zip", zipfile.ZIP_STORED)
        archive.writestr(
            "META-INF/container.xml",
            '<container xmlns="urn:oasis:names:tc:opendocument:xmlns:container"><rootfiles>'
            '<rootfile full-path="OPS/book.opf" media-type="application/oebps-package+xml"/></rootfiles></container>',
        )
        archive.writestr(
            "OPS/book.opf",
            f'<package xmlns="http://www.idpf.org/2007/opf" version="3.0"><metadata xmlns:dc="http://purl.org/dc/elements/1.1/">'
            "<dc:title>Waves</dc:title><dc:creator>A. Author</dc:creator><dc:creator>C. Coauthor</dc:creator>"
            f"<dc:language>en</dc:language></metadata><manifest>{table}{items}</manifest>"
            f'<spine toc="{"toc" if ncx else ""}">{spine}</spine></package>',
        )
        archive.writestr("OPS/toc.ncx" if ncx else "OPS/nav.xhtml", contents)
        for name, markup in chapters.items():
            archive.writestr(f"OPS/text/{name}", markup)
        for name, data in (more or {}).items():
            archive.writestr(name, data)
    return path


def overlapping_zip(path: Path, copies: int, body: bytes) -> Path:
    """Many entries that share one stored body (D. Fifield, "A better zip bomb", WOOT 2019, its simplest form)."""
    check, size = zlib.crc32(body), len(body)
    local = struct.pack("<4s5H3I2H", b"PK\x03\x04", 20, 0, 0, 0, 0, check, size, size, 1, 0) + b"x" + body
    central = b"".join(
        struct.pack("<4s6H3I5H2I", b"PK\x01\x02", 20, 20, 0, 0, 0, 0, check, size, size, 1, 0, 0, 0, 0, 0, 0)
        + b"x"
        for _ in range(copies)
    )
    end = struct.pack("<4s4H2IH", b"PK\x05\x06", 0, 0, copies, copies, len(central), len(local), 0)
    path.write_bytes(local + central + end)
    return path
