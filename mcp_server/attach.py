"""`lyceum mcp` beside a running API: a unix socket in a private folder, on which each connection is one AI client.

A connection begins with a line of JSON from the command, what it wants to be offered, and a line of ours: yes, or an
error's sentence. Then it is MCP as on a pipe. Who can open the socket can read the data folder, so it is the owner.
"""

import asyncio
import json
import socket
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import structlog
from mcp.server import Server
from pydantic import BaseModel, ConfigDict, ValidationError

from mcp_server.lines import message_streams
from mcp_server.principal import SURFACE
from mcp_server.selection import operators
from mcp_server.stdio import server_of
from storage.errors import InvalidInput, LyceumError, RateLimited
from storage.settings import Settings
from tools.accounts import Accounts
from tools.context import Principal
from tools.executor import Executor

log = structlog.get_logger()

MOST_CONNECTIONS = 64
"""One is a client that a person has open. Each can have one message of `lines.LONGEST` in the making."""
HELLO_SECONDS = 10.0


class Hello(BaseModel):
    """The settings of the same names, as the command read them. One that is unknown here might narrow what is offered, so
    it is an error."""

    model_config = ConfigDict(extra="forbid")

    mcp_toolsets: str | None = None
    mcp_tools: str | None = None
    mcp_exclude_tools: str | None = None
    mcp_read_only: bool = False
    mcp_class: str | None = None


class McpSocket:
    """Keep `running()` entered while the app runs. Without a path, as on a server, it does nothing."""

    def __init__(self, executor: Executor, accounts: Accounts, settings: Settings, path: Path | None) -> None:
        self._executor = executor
        self._accounts = accounts
        self._settings = settings
        self._path = path
        self._connections: set[asyncio.Task[None]] = set()

    @asynccontextmanager
    async def running(self) -> AsyncGenerator[None]:
        """Listens; leaving it ends the connections."""
        if self._path is None:
            yield
            return
        server = await asyncio.start_unix_server(self._connected, sock=listening(self._path))
        try:
            yield
        finally:
            self._path.unlink(missing_ok=True)
            server.close()
            for connection in self._connections:
                connection.cancel()
            await asyncio.gather(*self._connections, return_exceptions=True)

    def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = asyncio.create_task(self._serve(reader, writer))
        self._connections.add(connection)
        connection.add_done_callback(self._connections.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, from its first line to its end. Nothing of it reaches the others."""
        try:
            server = await self._greeted(reader, writer)
            if server is not None:
                async with message_streams(reader, writer) as (incoming, outgoing):
                    await server.run(incoming, outgoing, server.create_initialization_options())
        except (ConnectionError, TimeoutError):
            log.debug("mcp_connection_lost")
        except Exception:
            log.exception("mcp_connection_failed")
        finally:
            writer.close()

    async def _greeted(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> Server | None:
        """The server for this client; None when it was told why there is none."""
        async with asyncio.timeout(HELLO_SECONDS):
            try:
                server = await self._server_for(await read_hello(reader))
            except LyceumError as error:
                await answer(writer, {"error": str(error), "code": error.code})
                return None
            await answer(writer, {"ok": True})
            return server

    async def _server_for(self, hello: Hello) -> Server:
        """Raises LyceumError with what the person at the client should read."""
        catalog = self._executor.catalog
        selection = operators(self._settings.model_copy(update=hello.model_dump()), catalog)
        if len(self._connections) > MOST_CONNECTIONS:
            raise RateLimited(
                f"{MOST_CONNECTIONS} AI clients are connected to this Lyceum already. Close one first.",
                code="too_many_connections",
            )
        secret = self._settings.secret_key.get_secret_value() if self._settings.secret_key else None
        owner = Principal(await self._accounts.local_owner(), surface=SURFACE)
        return server_of(self._executor, owner, selection, secret)


async def read_hello(reader: asyncio.StreamReader) -> Hello:
    """Raises InvalidInput for a line that is too long or says what is not known here."""
    try:
        line = await reader.readline()
    except ValueError as error:
        raise InvalidInput("The list of toolsets or tools is too long.", code="invalid_selection") from error
    try:
        return Hello.model_validate_json(line)
    except ValidationError as error:
        raise InvalidInput(
            "The Lyceum that runs on this folder is another version than this command. Stop it and start it again.",
            code="other_version",
        ) from error


async def answer(writer: asyncio.StreamWriter, words: Mapping[str, object]) -> None:
    writer.write(json.dumps(words).encode() + b"\n")
    await writer.drain()


def listening(path: Path) -> socket.socket:
    """A socket that only its owner can open, in place of one that a killed process left. Raises OSError."""
    path.unlink(missing_ok=True)
    made = socket.socket(socket.AF_UNIX)
    try:
        made.bind(str(path))
        path.chmod(0o600)
        made.listen()
    except OSError:
        made.close()
        raise
    return made
