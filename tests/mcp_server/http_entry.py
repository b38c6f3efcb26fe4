"""Serves /mcp over HTTP for the tests, in a process of its own: settings from the environment, the port on standard output."""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import uvicorn
from fastapi import FastAPI

from assistant.cli.session import log_to_stderr
from mcp_server.http import McpHttp
from storage.resources import open_storage
from storage.settings import Settings
from tests.mcp_server.catalog import TRIALS
from tests.ports import listening_socket
from tools.accounts import Accounts
from tools.executor import Executor


async def main() -> None:
    log_to_stderr("WARNING")
    listening = listening_socket()
    port = listening.getsockname()[1]
    settings = Settings(_env_file=None).model_copy(update={"port": port})
    storage = open_storage(settings)
    mcp = McpHttp(Executor(TRIALS, storage), Accounts(storage), settings)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        async with mcp.running():
            sys.stdout.write(f"{port}\n")
            sys.stdout.flush()
            yield
        await storage.close()

    app = FastAPI(lifespan=lifespan)
    app.router.routes.extend(mcp.routes)
    server = uvicorn.Server(uvicorn.Config(app, http="h11", log_level="warning", timeout_graceful_shutdown=1))
    await server.serve(sockets=[listening])


if __name__ == "__main__":
    asyncio.run(main())
