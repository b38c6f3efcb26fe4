"""MCP messages as lines of JSON over a pair of asyncio streams: what the SDK's stdio transport does on a pipe, with a limit."""

import asyncio
import re
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager

import anyio
from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream
from mcp.shared.message import SessionMessage
from mcp_types import INVALID_REQUEST, ErrorData, JSONRPCError, RequestId, jsonrpc_message_adapter

LONGEST = 32 << 20
"""Bytes of one message: a tool takes at most 8 MB of a file, which are 11 MB in base64. What is longer is not kept."""
CHUNK = 1 << 16
MOST_UNREAD = 1 << 20
"""Bytes of answers that a client may leave unread; until it reads on, its further requests wait."""
END = 400
"""Bytes kept of either end of a message that is too long, where its id stands."""

Incoming = SessionMessage | Exception

ID = rb'"id"\s*:\s*(\d{1,15}|"[^"\\]{1,100}")'
VERSION = rb'"jsonrpc"\s*:\s*"2\.0"'
ID_FIRST = re.compile(rb"\s*\{\s*(?:%b\s*,\s*)?%b\s*,\s*(?:%b\s*,\s*)?\"method\"" % (VERSION, ID, VERSION))
METHOD_FIRST = re.compile(rb"\s*\{\s*(?:%b\s*,\s*)?\"method\"" % VERSION)
ID_LAST = re.compile(rb",\s*(?:%b\s*,\s*)?%b\s*(?:,\s*%b\s*)?\}\s*$" % (VERSION, ID, VERSION))
"""The two orders in which SDKs write a request. At these places the names belong to the message, not to something in it."""


class Line:
    """A line as it comes in: all of it, or its two ends when it is too long to keep."""

    def __init__(self) -> None:
        self.kept = bytearray()
        self.tail = b""
        self.is_too_long = False

    def add(self, part: bytes) -> None:
        if self.is_too_long:
            self.tail = (self.tail + part)[-END:]
            return
        self.kept += part
        if len(self.kept) > LONGEST:
            self.is_too_long = True
            self.tail = bytes(self.kept[-END:])
            del self.kept[END:]

    def message(self) -> Incoming:
        """Bytes that are no UTF-8 are replaced, as the SDK does on a pipe."""
        try:
            text = self.kept.decode("utf-8", errors="replace")
            return SessionMessage(jsonrpc_message_adapter.validate_json(text, by_name=False))
        except ValueError as error:
            return error

    def request_id(self) -> RequestId | None:
        """Of a request that is too long; None when it is not certain."""
        found = ID_FIRST.match(self.kept) or (METHOD_FIRST.match(self.kept) and ID_LAST.search(self.tail))
        if not found:
            return None
        word = found[1].decode("utf-8", errors="replace")
        return word[1:-1] if word.startswith('"') else int(word)


async def lines(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> AsyncGenerator[Line]:
    """Each line, the last one also when nothing ends it. Holds one line and what `reader` holds, and reads on only while
    the peer reads too: the SDK begins every request at once, so that their answers would pile up here."""
    line = Line()
    while chunk := await reader.read(CHUNK):
        await writer.drain()
        *ends, rest = chunk.split(b"\n")
        for end in ends:
            line.add(end)
            yield line
            line = Line()
        line.add(rest)
    if line.kept:
        yield line


@asynccontextmanager
async def message_streams(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> AsyncIterator[tuple[MemoryObjectReceiveStream[Incoming], MemoryObjectSendStream[SessionMessage]]]:
    """What `Server.run` reads from and writes to. Nothing is buffered in between, so that each side waits for the other.

    At the end of the block what was written has gone out, and reading stops. A peer that is gone is the end of reading.
    """
    arrive, incoming = anyio.create_memory_object_stream[Incoming](0)
    outgoing, leave = anyio.create_memory_object_stream[SessionMessage](0)
    writer.transport.set_write_buffer_limits(MOST_UNREAD)
    async with anyio.create_task_group() as group:
        reading = anyio.CancelScope()

        async def read() -> None:
            with reading:
                await read_messages(lines(reader, writer), arrive, outgoing.clone())

        group.start_soon(read)
        group.start_soon(write_messages, writer, leave)
        yield incoming, outgoing
        reading.cancel()


async def read_messages(
    incoming: AsyncGenerator[Line],
    arrive: MemoryObjectSendStream[Incoming],
    refuse: MemoryObjectSendStream[SessionMessage],
) -> None:
    try:
        async with arrive, refuse:
            async for line in incoming:
                if line.is_too_long:
                    await refuse.send(SessionMessage(too_long(line.request_id())))
                else:
                    await arrive.send(line.message())
    except (ConnectionError, anyio.ClosedResourceError, anyio.BrokenResourceError):
        await anyio.lowlevel.checkpoint()


async def write_messages(
    writer: asyncio.StreamWriter, leave: MemoryObjectReceiveStream[SessionMessage]
) -> None:
    try:
        async with leave:
            async for message in leave:
                text = message.message.model_dump_json(by_alias=True, exclude_unset=True)
                writer.write(text.encode() + b"\n")
                await writer.drain()
    except (ConnectionError, anyio.ClosedResourceError):
        await anyio.lowlevel.checkpoint()


def too_long(request_id: RequestId | None) -> JSONRPCError:
    sentence = (
        f"A message may be {LONGEST >> 20} MB long. Send larger files to the HTTP address /api/uploads, and give the "
        "upload's id to the tool."
    )
    return JSONRPCError(jsonrpc="2.0", id=request_id, error=ErrorData(code=INVALID_REQUEST, message=sentence))
