"""`lyceum mcp` beside a running API: a unix socket in a private folder, on which each connection is one AI client.

A connection begins with a line of JSON from the command, what it wants to be offered, and a line of ours: yes, or an
error's sentence. Then MCP goes over the client's pipes, when they came with the first line, else over the connection. Who
can open the socket can read the data folder, so it is the owner.
"""

import asyncio
import json
import socket
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import structlog
from mcp.server import Server
from pydantic import BaseModel, ConfigDict, ValidationError

from mcp_server.lines import message_streams
from mcp_server.pipes import close, handed_over, pipe_streams
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
ACCEPT_AGAIN_SECONDS = 1.0
CLIENT_ENDED = b"."
"""Tells a command that handed its pipes over that its client has closed them, and not this process the connection."""


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
        with listening(self._path) as listener:
            accepting = asyncio.create_task(self._accept(listener))
            try:
                yield
            finally:
                self._path.unlink(missing_ok=True)
                tasks = [accepting, *self._connections]
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)

    async def _accept(self, listener: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        while True:
            try:
                connection, _ = await loop.sock_accept(listener)
            except OSError as error:  # as of too many open files; who waits is served later
                log.warning("mcp_connection_not_taken", reason=str(error))
                await asyncio.sleep(ACCEPT_AGAIN_SECONDS)
                continue
            serving = asyncio.create_task(self._serve(connection))
            self._connections.add(serving)
            serving.add_done_callback(self._connections.discard)

    async def _serve(self, connection: socket.socket) -> None:
        """One connection, from its first line to its end. Nothing of it reaches the others."""
        pipes: list[int] = []
        try:
            try:
                async with asyncio.timeout(HELLO_SECONDS):
                    pipes += await handed_over(connection)
                streams = await asyncio.open_unix_connection(sock=connection)
            except BaseException:
                connection.close()
                raise
            await self._talk(*streams, pipes)
        except (ConnectionError, TimeoutError):
            log.debug("mcp_connection_lost")
        except Exception:
            log.exception("mcp_connection_failed")
        finally:
            close(pipes)

    async def _talk(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, pipes: list[int]
    ) -> None:
        """Takes the pipes out of the list when it uses them."""
        try:
            server = await self._greeted(reader, writer, has_pipes=bool(pipes))
            if server is None:
                return
            if not pipes:
                await run(server, reader, writer)
                return
            taken, pipes[:] = tuple(pipes), ()
            async with while_held(reader), pipe_streams(taken) as streams:
                await run(server, *streams)
            writer.write(CLIENT_ENDED)
        finally:
            writer.close()

    async def _greeted(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, has_pipes: bool
    ) -> Server | None:
        """The server for this client; None when it was told why there is none."""
        async with asyncio.timeout(HELLO_SECONDS):
            try:
                server = await self._server_for(await read_hello(reader))
            except LyceumError as error:
                await answer(writer, {"error": str(error), "code": error.code})
                return None
            await answer(writer, {"ok": True, "pipes": has_pipes})
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


async def run(server: Server, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """MCP, until the client ends it."""
    async with message_streams(reader, writer) as (incoming, outgoing):
        await server.run(incoming, outgoing, server.create_initialization_options())


@asynccontextmanager
async def while_held(reader: asyncio.StreamReader) -> AsyncGenerator[None]:
    """Ends the block when the command is gone that has handed the pipes over: it says nothing more on this connection."""
    async with anyio.create_task_group() as group:

        async def end() -> None:
            await reader.read()
            group.cancel_scope.cancel()

        group.start_soon(end)
        yield
        group.cancel_scope.cancel()


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
        made.setblocking(False)
    except OSError:
        made.close()
        raise
    return made
