"""The one ASGI app: opens the stores, puts every route in its place, and closes everything at the end."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from functools import partial
from importlib.metadata import version
from pathlib import Path

from fastapi import FastAPI
from langchain_core.language_models import BaseChatModel
from starlette.middleware import Middleware

from assistant.api import (
    auth,
    chat,
    consent,
    deck_media,
    documents,
    exports,
    figures,
    health,
    jobs,
    materials,
    media,
    openapi,
    pages,
    reference,
    tools,
    tus,
    uploads,
)
from assistant.api.access import AccessLog
from assistant.api.cookies import Cookies
from assistant.api.guard import Guard
from assistant.api.metrics import Metrics
from assistant.api.problems import handle_errors
from assistant.api.services import Services
from assistant.chat.service import ChatService
from mcp_server.attach import McpSocket
from mcp_server.http import McpHttp
from mcp_server.oauth.routes import OAuthHttp
from storage.clock import Clock
from storage.embeddings import Embedder
from storage.resources import open_storage
from storage.settings import Settings
from tools.accounts import Accounts
from tools.catalog import CATALOG
from tools.executor import Executor
from tools.oauth.service import OAuthService

DESCRIPTION = "A study assistant over your own course material. Every action is a tool; errors are RFC 9457 problem documents."

MODULES = (
    auth,
    chat,
    consent,
    tools,
    uploads,
    tus,
    materials,
    figures,
    media,
    deck_media,
    documents,
    exports,
    jobs,
    health,
    reference,
)
"""Each has a router."""


def create_app(settings: Settings, clock: Clock | None = None, mcp_socket: Path | None = None) -> FastAPI:
    """Serve it without uvicorn's own access log, which would write login tokens down, and with `http="h11"`.

    With `mcp_socket`, a path in a private folder, it serves the `lyceum mcp` of this machine's owner there.
    Raises InvalidInput when the address of a store is missing. Nothing is connected before the first request.
    """
    storage = open_storage(settings, clock)
    metrics = Metrics()
    services = Services(
        settings=settings,
        storage=storage,
        executor=Executor(CATALOG, storage),
        accounts=Accounts(storage),
        cookies=Cookies(settings),
        metrics=metrics,
        oauth=OAuthService(storage, CATALOG),
    )
    mcp = McpHttp(services.executor, services.accounts, settings)
    attached = McpSocket(services.executor, services.accounts, settings, mcp_socket)
    chats = ChatService(storage, services.executor, partial(chat_model, settings, storage.embedder))

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncGenerator[None]:
        try:
            async with mcp.running(), attached.running():
                await chats.start()
                try:
                    yield
                finally:
                    await chats.stop()
        finally:
            await storage.close()

    app = FastAPI(
        title="Lyceum",
        version=version("lyceum"),
        description=DESCRIPTION,
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        middleware=[Middleware(AccessLog, metrics=metrics), Middleware(Guard, settings=settings)],
    )
    app.state.services = services
    app.state.chat = chats
    handle_errors(app)
    for module in MODULES:
        app.include_router(module.router)
    app.include_router(auth.pages)
    app.include_router(pages.router())
    app.router.routes.extend(OAuthHttp(services.oauth).routes)
    app.router.routes[:0] = mcp.routes  # tried in order, and programs call this one most
    app.mount("/assets", pages.Assets(pages.STATIC))
    openapi.describe(app, CATALOG, services.cookies.access)
    return app


def chat_model(settings: Settings, embedder: Embedder) -> BaseChatModel:
    """The model that answers. Blocks while it looks for a server on this machine. Raises InvalidInput for bad settings."""
    # The OpenAI client takes half a second to load; the first question may wait for it, the start of the server not.
    from assistant.models.cached import cached_model  # noqa: PLC0415
    from assistant.models.factory import model_settings  # noqa: PLC0415

    return cached_model(model_settings(settings), embedder)
