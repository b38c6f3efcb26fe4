"""MCP over standard input and output, for a client that starts `lyceum mcp` itself. Logs go to standard error."""

import sys
from dataclasses import replace

import structlog
from mcp.server import ServerRequestContext
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
    caller = replace(principal, surface=SURFACE)

    def principal_of(_: ServerRequestContext) -> Principal:
        return caller

    def selection_of(_: ServerRequestContext) -> Selection:
        return selection

    server = build_server(executor, principal_of, selection_of=selection_of)
    async with stdio_server() as (read, write):
        await server.run(read, write, server.create_initialization_options())
