"""The real app on a port, for a program that has no way to send a token: every request is given one of a test account."""

import asyncio
import tempfile
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

import uvicorn
from mcp.server import MCPServer, Server
from starlette.types import ASGIApp, Receive, Scope, Send

from assistant.app import create_app
from mcp_server import http, server
from migrations.runner import upgrade
from storage.local.services import LocalServices
from storage.resources import open_storage
from storage.settings import Settings
from tests.conformance.bridge import bridge
from tests.conftest import new_principal, settings_for
from tests.ports import listening_socket
from tools.accounts import Accounts


class Signed:
    """Adds the token of the test account to each request that brings none."""

    def __init__(self, app: ASGIApp, token: str) -> None:
        self._app = app
        self._header = (b"authorization", f"Bearer {token}".encode())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and not any(name == b"authorization" for name, _ in scope["headers"]):
            scope = {**scope, "headers": [*scope["headers"], self._header]}
        await self._app(scope, receive, send)


@asynccontextmanager
async def stores() -> AsyncGenerator[tuple[Settings, str]]:
    """Real servers in a temporary folder: settings that name them, and the token of a new account."""
    with tempfile.TemporaryDirectory(prefix="lyceum-conformance-") as folder:
        async with LocalServices(Path(folder) / "data", command="conformance") as info:
            await asyncio.to_thread(upgrade, info.owner_database_url)
            unlimited = {"rate_limit_per_user": 0, "rate_limit_per_key": 0, "rate_limit_per_endpoint": 0}
            settings = settings_for(info).model_copy(update=unlimited)
            storage = open_storage(settings)
            try:
                caller = await new_principal(storage)
                _, token = await Accounts(storage).create_key(caller.user_id, "conformance")
            finally:
                await storage.close()
            yield settings, token


@asynccontextmanager
async def app_on_a_port(
    settings: Settings, token: str, fixtures: MCPServer | None = None
) -> AsyncGenerator[str]:
    """Serves until the block ends; gives the address of /mcp. The suite wants the name localhost."""
    listening = listening_socket()
    port = listening.getsockname()[1]
    build = server.build_server

    def with_fixtures(*args: Any, **named: Any) -> Server:
        built = build(*args, **named)
        return bridge(built, fixtures) if fixtures else built

    with patch.object(http, "build_server", with_fixtures):
        app = create_app(settings.model_copy(update={"port": port}))
    config = uvicorn.Config(
        Signed(app, token), http="h11", log_level="warning", access_log=False, timeout_graceful_shutdown=1
    )
    listener = uvicorn.Server(config)
    serving = asyncio.create_task(listener.serve(sockets=[listening]))
    try:
        yield f"http://localhost:{port}/mcp"
    finally:
        listener.should_exit = True
        await serving
