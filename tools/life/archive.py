"""A ZIP file made as a stream: entries go in part by part, finished bytes come out, and nothing is held whole in memory."""

import asyncio
import hashlib
import io
import json
import unicodedata
import zipfile
from collections.abc import AsyncGenerator, AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import PurePosixPath

MANIFEST = "manifest.json"
LARGE = (1 << 31) - 1
"""Entries from this size on need the 64-bit form of ZIP (APPNOTE 4.3.9.2); so do those whose size is not known."""
LONGEST_NAME = 100
FORBIDDEN = frozenset('/\\:*?"<>|')
RESERVED = frozenset({"con", "prn", "aux", "nul", *(f"{p}{n}" for p in ("com", "lpt") for n in range(1, 10))})
"""Names that Windows keeps for devices."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A file in the archive. `packed`: its bytes are compressed already, so they are stored as they are."""

    path: str
    parts: AsyncIterator[bytes]
    size: int | None = None
    packed: bool = False


class _Sink(io.RawIOBase):
    """Where zipfile writes; cannot seek, so zipfile puts sizes behind the data."""

    def __init__(self) -> None:
        self._made = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, data: object, /) -> int:
        view = memoryview(data)  # type: ignore[arg-type]
        self._made += view
        return view.nbytes

    def take(self) -> bytes:
        made, self._made = bytes(self._made), bytearray()
        return made


async def zipped(entries: AsyncIterator[Entry], made_at: datetime) -> AsyncGenerator[bytes]:
    """The bytes of an archive with these entries and, last, a manifest with the SHA-256 of each."""
    sink, manifest = _Sink(), []
    stamp = made_at.timetuple()[:6]
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
        async for entry in entries:
            info = zipfile.ZipInfo(entry.path, stamp)
            info.compress_type = zipfile.ZIP_STORED if entry.packed else zipfile.ZIP_DEFLATED
            digest, size = hashlib.sha256(), 0
            with archive.open(info, "w", force_zip64=entry.size is None or entry.size > LARGE) as file:
                async for part in entry.parts:
                    await asyncio.to_thread(file.write, part)
                    digest.update(part)
                    size += len(part)
                    if made := sink.take():
                        yield made
            manifest.append({"path": entry.path, "bytes": size, "sha256": digest.hexdigest()})
            yield sink.take()
        about = {"made_at": made_at.isoformat(), "files": manifest}
        archive.writestr(zipfile.ZipInfo(MANIFEST, stamp), json.dumps(about, indent=1, ensure_ascii=False))
    yield sink.take()


class Names:
    """Paths that every system can unpack, each given once."""

    def __init__(self) -> None:
        self._given: set[str] = set()

    def path(self, folder: str, name: str) -> str:
        """`folder/name`, made safe and told apart from others by a number: "Notes (2).md"."""
        plain = PurePosixPath(safe_name(name))
        candidate, number = f"{folder}/{plain}", 1
        while candidate.casefold() in self._given:
            number += 1
            candidate = f"{folder}/{plain.stem} ({number}){plain.suffix}"
        self._given.add(candidate.casefold())
        return candidate


def safe_name(name: str) -> str:
    """A file name without separators, control characters, trailing dots, or more than 100 characters."""
    name = unicodedata.normalize("NFC", name)
    name = "".join("_" if c in FORBIDDEN or not c.isprintable() else c for c in name).strip(" .")
    plain = PurePosixPath(name or "untitled")
    stem, suffix = plain.stem, plain.suffix if len(plain.suffix) <= 10 else ""
    stem = (stem if suffix == plain.suffix else plain.name)[: LONGEST_NAME - len(suffix)].strip(" .")
    return f"_{stem}{suffix}" if stem.casefold() in RESERVED else f"{stem or 'untitled'}{suffix}"
