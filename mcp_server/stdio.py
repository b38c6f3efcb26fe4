"""MCP over standard input and output, for a client that starts `lyceum mcp` itself. Logs go to standard error."""

import sys
from dataclasses import replace

import structlog
from mcp.server import Server, ServerRequestContext
from mcp.server.stdio import stdio_server

from mcp_server.principal import SURFACE
from mcp_server.selection import NOTHING_SAID, Selection
from mcp_server.server import build_server
from tools.context import Principal
from tools.executor import Executor


async def serve_stdio(executor: Executor, principal: Principal, selection: Selection = NOTHING_SAID) -> None:
    """Serve one person until the client closes the pipe.

    While it runs, standard output carries the protocol alone: the SDK takes the descriptor for itself and sends what
    anything else prints there to standard error.
    """
    if not structlog.is_configured():
        structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    server = server_of(executor, replace(principal, surface=SURFACE), selection)
    async with stdio_server() as (read, write):
        await server.run(read, write, server.create_initialization_options())


def server_of(
    executor: Executor, principal: Principal, selection: Selection, secret_key: str | None = None
) -> Server:
    """A server for one connection, on which every request comes from the same person and selects the same tools."""

    def principal_of(_: ServerRequestContext) -> Principal:
        return principal

    def selection_of(_: ServerRequestContext) -> Selection:
        return selection

    return build_server(executor, principal_of, secret_key, selection_of)
