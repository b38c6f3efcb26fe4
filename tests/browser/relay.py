"""A network between browser and server that can break: connections pass through until they are cut."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit


class Relay:
    """Passes bytes between its own port and a server's. While cut, connections are reset at once."""

    def __init__(self, server: str) -> None:
        self._host, self._port = urlsplit(server).hostname, urlsplit(server).port
        self._open: set[asyncio.StreamWriter] = set()
        self._is_cut = False
        self.base = ""

    def cut(self) -> None:
        """Break every connection and let no new one through."""
        self._is_cut = True
        for writer in self._open:
            writer.transport.abort()

    def mend(self) -> None:
        self._is_cut = False

    async def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._is_cut:
            writer.transport.abort()
            return
        far_reader, far_writer = await asyncio.open_connection(self._host, self._port)
        self._open |= {writer, far_writer}
        await asyncio.gather(_pass(reader, far_writer), _pass(far_reader, writer))
        self._open -= {writer, far_writer}


async def _pass(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(ConnectionError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    writer.close()


@asynccontextmanager
async def relay_to(server: str) -> AsyncGenerator[Relay]:
    """A relay on a free port of loopback, at `base`."""
    relay = Relay(server)
    listening = await asyncio.start_server(relay.accept, "127.0.0.1", 0)
    relay.base = f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}"
    yield relay
    relay.cut()
    listening.close()
