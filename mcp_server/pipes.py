"""The pipes of an AI client, handed over by the `lyceum mcp` that it started (SCM_RIGHTS, see unix(7)): this process reads and
writes them itself, so that no message goes through another one.
"""

import asyncio
import os
import socket
from array import array
from asyncio import StreamReader, StreamReaderProtocol, StreamWriter
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager, suppress

PIPES = 2
"""What the client writes to, and what it reads from."""
INT = array("i").itemsize


async def handed_over(connection: socket.socket) -> list[int]:
    """Waits for the first byte, and gives the descriptors that came with it; the byte is still to be read."""
    loop, arrived = asyncio.get_running_loop(), asyncio.Event()
    loop.add_reader(connection, arrived.set)
    try:
        await arrived.wait()
    finally:
        loop.remove_reader(connection)
    # A message that is only looked at installs its descriptors too; reading it without asking for them drops the rest.
    # `socket.recv_fds` is not for this: it leaves its flags out (Python 3.11).
    _, extra, _, _ = connection.recvmsg(1, socket.CMSG_SPACE(PIPES * INT), socket.MSG_PEEK)
    descriptors = array("i")
    for level, kind, content in extra:
        if (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
            descriptors.frombytes(content[: len(content) // INT * INT])
    if len(descriptors) == PIPES:
        return list(descriptors)
    close(descriptors)
    return []


def close(descriptors: Iterable[int]) -> None:
    for descriptor in descriptors:
        os.close(descriptor)


@asynccontextmanager
async def pipe_streams(descriptors: Sequence[int]) -> AsyncIterator[tuple[StreamReader, StreamWriter]]:
    """Streams on both. At the end of the block they are closed, and what was written has gone out; after an error it may not."""
    source, sink = (os.fdopen(fd, mode, 0) for fd, mode in zip(descriptors, ("rb", "wb"), strict=True))
    loop, reader = asyncio.get_running_loop(), StreamReader()
    try:
        incoming, _ = await loop.connect_read_pipe(lambda: StreamReaderProtocol(reader), source)
    except BaseException:
        source.close()
        sink.close()
        raise
    try:
        try:
            outgoing, protocol = await loop.connect_write_pipe(
                lambda: StreamReaderProtocol(StreamReader()), sink
            )
        except BaseException:
            sink.close()
            raise
        writer = StreamWriter(outgoing, protocol, reader, loop)
        try:
            yield reader, writer
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()
        finally:
            if not outgoing.is_closing():
                outgoing.abort()
    finally:
        incoming.close()
