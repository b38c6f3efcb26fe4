"""ZIP and OLE2 files looked at from outside: what is in them, and whether unpacking them would do harm."""

import struct
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from tools.ingest.segments import Refusal

MAX_UNZIPPED = 1_000_000_000
MAX_RATIO = 200
_RATIO_FLOOR = 20_000_000
"""Below this size a high ratio is harmless (blank pictures, styles)."""
MAX_MARKUP_PART = 80_000_000
"""Bytes of one XML part that is read as a whole; a parser needs ten times as much memory."""
MAX_SHEET_PART = 600_000_000
"""Of a part that is read row by row."""
MAX_ENTRIES = 20_000
_MAX_DIRECTORY = 4_000_000
"""Bytes of a ZIP's list of entries: some 50,000 names."""
_MARKUP = (".xml", ".rels", ".xhtml", ".html", ".htm", ".opf", ".ncx")
_STREAMED = ("xl/", "word/document.xml")

DAMAGED: tuple[type[Exception], ...] = (
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    OSError,
    NotImplementedError,
    RuntimeError,
    LookupError,
    ValueError,
)
"""What `zipfile` raises for damaged containers: RuntimeError for locked entries, NotImplementedError for unknown methods."""

_BOMB = "This file unpacks to far more than its size and was not opened. Save it again in its own program."


def check_archive(path: Path) -> None:
    """Raises Refusal too_large for archives that would fill memory or disk, before anything is unpacked."""
    if _directory_size(path) > _MAX_DIRECTORY:
        raise Refusal("too_large", _BOMB)
    with zipfile.ZipFile(path) as archive:
        entries = archive.infolist()
    if len(entries) > MAX_ENTRIES or _overlap(entries):
        raise Refusal("too_large", _BOMB)
    total = packed = 0
    for entry in entries:
        total += entry.file_size
        packed += entry.compress_size
        if entry.filename.lower().endswith(_MARKUP):
            streamed = entry.filename.startswith(_STREAMED)
            if entry.file_size > (MAX_SHEET_PART if streamed else MAX_MARKUP_PART):
                raise Refusal("too_large", _BOMB)
    if total > MAX_UNZIPPED or (total > _RATIO_FLOOR and total > MAX_RATIO * max(1, packed)):
        raise Refusal("too_large", _BOMB)


def _directory_size(path: Path) -> int:
    """Bytes of the central directory as the end record says (APPNOTE 4.3.16), 0 when there is none."""
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - 65_557))
        tail = file.read()
    at = tail.rfind(b"PK\x05\x06")
    if at < 0 or len(tail) < at + 22:
        return 0
    size = int.from_bytes(tail[at + 12 : at + 16], "little")
    wide = tail.rfind(b"PK\x06\x06", 0, at)
    if size == 0xFFFFFFFF and wide >= 0:
        size = int.from_bytes(tail[wide + 40 : wide + 48], "little")
    return size


def _overlap(entries: list[zipfile.ZipInfo]) -> bool:
    """Whether entries share bytes, as in the bombs of https://www.bamsoftware.com/hacks/zipbomb/."""
    end = 0
    for entry in sorted(entries, key=lambda entry: entry.header_offset):
        if entry.header_offset < end:
            return True
        end = entry.header_offset + 30 + len(entry.orig_filename.encode()) + entry.compress_size
    return False


OLE2 = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_END_OF_CHAIN = 0xFFFFFFFA
"""Sector numbers from here on are marks ([MS-CFB] 2.1)."""
_MAX_DIRECTORY_SECTORS = 256


def ole2_names(path: Path) -> set[str]:
    """Names of the streams and storages directly below the root of an OLE2 file ([MS-CFB] 2.2, 2.6); empty when damaged."""
    with path.open("rb") as file:
        header = file.read(512)
        if len(header) < 512:
            return set()
        shift = struct.unpack_from("<H", header, 30)[0]
        if shift not in (9, 12):
            return set()
        data = b"".join(_directory_sectors(file, header, 1 << shift))
    entries = [data[at : at + 128] for at in range(0, len(data) - 127, 128)]
    return set(_children(entries))


def _directory_sectors(file: BinaryIO, header: bytes, size: int) -> Iterator[bytes]:
    """The directory's sectors, along the chain of the allocation table whose place the header tells."""
    tables = struct.unpack_from("<109I", header, 76)
    sector = struct.unpack_from("<I", header, 48)[0]
    for _ in range(_MAX_DIRECTORY_SECTORS):
        if sector >= _END_OF_CHAIN:
            return
        file.seek((sector + 1) * size)
        yield file.read(size)
        table, place = divmod(sector, size // 4)
        if table >= len(tables) or tables[table] >= _END_OF_CHAIN:
            return
        file.seek((tables[table] + 1) * size + 4 * place)
        following = file.read(4)
        if len(following) < 4:
            return
        sector = struct.unpack("<I", following)[0]


def _children(entries: list[bytes]) -> Iterator[str]:
    """Names in the tree of siblings that hangs on the root entry."""
    waiting = [struct.unpack_from("<I", entries[0], 76)[0]] if entries else []
    seen: set[int] = set()
    while waiting:
        number = waiting.pop()
        if number in seen or number >= len(entries):
            continue
        seen.add(number)
        entry = entries[number]
        length = min(64, struct.unpack_from("<H", entry, 64)[0])
        yield entry[: max(0, length - 2)].decode("utf-16-le", "replace")
        waiting += struct.unpack_from("<2I", entry, 68)
