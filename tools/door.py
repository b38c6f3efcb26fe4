"""What can never be read is refused while it arrives, by its first and last bytes, not hours later by a failed job."""

import io
import zipfile
from collections.abc import AsyncGenerator, AsyncIterator

from storage.errors import InvalidInput
from tools.ingest.containers import DAMAGED
from tools.ingest.segments import Sniffed
from tools.ingest.signatures import unreadable
from tools.ingest.sniff import HEAD_BYTES, glance

TAIL_BYTES = 1 << 20
"""Holds the list of names of a ZIP archive with some ten thousand entries."""
ZIP = b"PK\x03\x04"
DOCUMENT_PARTS = (
    "word/",
    "ppt/",
    "xl/",
    "META-INF/container.xml",
    "mimetype",
    "[Content_Types].xml",
    "collection.anki2",
)


class Door:
    """Watches one file go by. `found`: its kind, where the first bytes tell it."""

    def __init__(self, filename: str) -> None:
        self._filename = filename
        self._head, self._tail = bytearray(), bytearray()
        self._looked = False
        self.found: Sniffed | None = None

    async def watched(self, parts: AsyncIterator[bytes]) -> AsyncGenerator[bytes]:
        """The same bytes. Raises InvalidInput: empty_file, unsupported_type."""
        async for part in parts:
            self._see(part)
            yield part
        if not self._looked:
            self._look()
        if self._head.startswith(ZIP) and self.found is None:
            refuse_plain_archive(bytes(self._tail))

    def _see(self, part: bytes) -> None:
        if not self._looked:
            self._head += part[: HEAD_BYTES - len(self._head)]
            if len(self._head) == HEAD_BYTES:
                self._look()
        if self._head.startswith(ZIP) and self.found is None:
            self._tail += part
            del self._tail[:-TAIL_BYTES]

    def _look(self) -> None:
        self._looked = True
        head = bytes(self._head)
        refuse(head)
        self.found = glance(head, self._filename)


def refuse(head: bytes) -> None:
    """By the first HEAD_BYTES, or all of a shorter file. Raises InvalidInput: empty_file, unsupported_type."""
    if len(head) < HEAD_BYTES and not head.strip(b"\x00 \t\r\n\x0b\x0c\xef\xbb\xbf\xfe\xff"):
        raise InvalidInput("This file is empty.", code="empty_file")
    known = unreadable(head)
    if known:
        raise InvalidInput(
            f"This file is {known.means}, which cannot be read. {known.advice}", code="unsupported_type"
        )


def refuse_plain_archive(tail: bytes) -> None:
    """A ZIP that holds no document, by the names at its end; one whose list of names is longer passes."""
    try:
        # The list lies at the end; zipfile finds it there also when what comes before is missing.
        names = zipfile.ZipFile(io.BytesIO(tail)).namelist()
    except DAMAGED:
        return
    if names and not any(name.startswith(DOCUMENT_PARTS) for name in names):
        raise InvalidInput(
            "This file is a ZIP archive. Unpack it and upload the files in it.", code="unsupported_type"
        )
