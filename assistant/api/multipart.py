"""A multipart/form-data body (RFC 7578) as a stream of parts, so that a file is never whole in memory or on disk twice."""

from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator
from dataclasses import dataclass

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from storage.errors import InvalidInput, TooLarge

SLACK = 1 << 20
"""Bytes of a form beside the file: fields, headers, boundaries."""


@dataclass(frozen=True, slots=True)
class PartBegin:
    name: str
    filename: str | None


@dataclass(frozen=True, slots=True)
class PartData:
    data: bytes


@dataclass(frozen=True, slots=True)
class PartEnd:
    pass


FormEvent = PartBegin | PartData | PartEnd


def boundary_of(content_type: str) -> bytes:
    """Raises InvalidInput for a body that is no multipart form."""
    kind, options = parse_options_header(content_type)
    boundary = options.get(b"boundary")
    if kind != b"multipart/form-data" or not boundary:
        raise InvalidInput(
            "Send the file as multipart/form-data, with the fields `file` and `class_id`.",
            code="not_multipart",
        )
    return boundary


async def form_events(
    stream: AsyncIterator[bytes], boundary: bytes, *, limit: int
) -> AsyncGenerator[FormEvent]:
    """The parts of a form as they arrive. Ends only when the form was complete.

    Raises InvalidInput for a broken or cut-off form and TooLarge over `limit` bytes.
    """
    reader, size = _Reader(boundary), 0
    async for chunk in stream:
        size += len(chunk)
        if size > limit:
            raise TooLarge(f"This upload is larger than {limit >> 20} MB.", code="file_too_large")
        reader.feed(chunk)
        while reader.events:
            yield reader.events.popleft()
    if not reader.complete:
        raise _broken()


def _broken() -> InvalidInput:
    return InvalidInput(
        "The upload broke off or is not a valid form. Nothing was stored; send the file again.",
        code="broken_upload",
    )


class _Reader:
    """Turns the parser's callbacks into events."""

    def __init__(self, boundary: bytes) -> None:
        self.events: deque[FormEvent] = deque()
        self.complete = False
        self._field, self._value = bytearray(), bytearray()
        self._headers: dict[bytes, bytes] = {}
        try:
            self._parser = MultipartParser(
                boundary,
                {
                    "on_part_begin": self._headers.clear,
                    "on_header_field": lambda data, start, end: self._field.extend(data[start:end]),
                    "on_header_value": lambda data, start, end: self._value.extend(data[start:end]),
                    "on_header_end": self._header_end,
                    "on_headers_finished": self._begin,
                    "on_part_data": lambda data, start, end: self.events.append(PartData(data[start:end])),
                    "on_part_end": lambda: self.events.append(PartEnd()),
                    "on_end": self._end,
                },
            )
        except FormParserError as error:
            raise _broken() from error

    def feed(self, chunk: bytes) -> None:
        try:
            self._parser.write(chunk)
        except FormParserError as error:
            raise _broken() from error

    def _header_end(self) -> None:
        self._headers[bytes(self._field).lower()] = bytes(self._value)
        self._field.clear()
        self._value.clear()

    def _begin(self) -> None:
        _, options = parse_options_header(self._headers.get(b"content-disposition"))
        name, filename = options.get(b"name", b""), options.get(b"filename")
        self.events.append(
            PartBegin(
                name.decode("utf-8", "replace"),
                None if filename is None else filename.decode("utf-8", "replace"),
            )
        )

    def _end(self) -> None:
        self.complete = True
