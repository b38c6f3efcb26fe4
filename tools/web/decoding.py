"""Undoes gzip and deflate of an HTTP body piece by piece, so that a bomb is stopped after its first megabytes."""

import zlib
from collections.abc import Iterator

from storage.errors import InvalidInput

PIECE = 1 << 18
"""Bytes that come out at most at a time."""
ACCEPTED = "gzip, deflate"


class Decoder:
    """For the value of a Content-Encoding header. Raises InvalidInput for one that was not asked for."""

    def __init__(self, encoding: str) -> None:
        name = encoding.strip().lower()
        if name in ("", "identity"):
            self._inflater = None
        elif name in ("gzip", "x-gzip"):
            self._inflater = zlib.decompressobj(16 + zlib.MAX_WBITS)
        elif name == "deflate":
            self._inflater = zlib.decompressobj()
        else:
            raise unreadable()
        self._first = name == "deflate"

    def feed(self, data: bytes) -> Iterator[bytes]:
        """What the bytes unpack to, in pieces."""
        if self._inflater is None:
            yield data
            return
        if self._first and data:
            # RFC 9110, 8.4.1.2: some servers send deflate without its zlib header.
            self._first = False
            if data[0] & 0x0F != zlib.DEFLATED:
                self._inflater = zlib.decompressobj(-zlib.MAX_WBITS)
        while data:
            try:
                piece = self._inflater.decompress(data, PIECE)
            except zlib.error as error:
                raise unreadable() from error
            data = self._inflater.unconsumed_tail
            if piece:
                yield piece

    def finish(self) -> None:
        """Raises InvalidInput when the end is missing."""
        if self._inflater is not None and not self._inflater.eof:
            raise unreadable()


def unreadable() -> InvalidInput:
    return InvalidInput("This page is packed in a way that cannot be read.", code="page_unreadable")
