"""`lyceum mcp` without an API beside it: the tools and the clients of all stores in this process."""

import asyncio
import importlib.util
from collections.abc import Callable

from assistant.cli.session import as_owner, log_to_stderr, run
from mcp_server.selection import operators
from mcp_server.stdio import serve_stdio
from storage.settings import Settings
from tools.catalog import CATALOG


def serve_alone(settings: Settings) -> None:
    """Until the client closes standard input."""
    log_to_stderr("WARNING")
    run(serve_mcp(settings), fast_loop())


def fast_loop() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """uvloop where it exists (not on Windows): calls that only ask a store are a sixth faster with it."""
    if importlib.util.find_spec("uvloop") is None:
        return None
    import uvloop  # noqa: PLC0415 - only this command needs it

    return uvloop.new_event_loop


async def serve_mcp(settings: Settings) -> None:
    selection = operators(settings, CATALOG)
    async with as_owner(settings.data_dir, "lyceum mcp", worker=True) as session:
        await serve_stdio(session.executor, session.principal, selection)
