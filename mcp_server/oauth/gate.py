"""Around /mcp: tells a program which permission it lacks, and ends streams whose grant, key or session has ended."""

import asyncio
import json
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from mcp_server.oauth.admission import ADMISSION, Admission
from mcp_server.oauth.metadata import RESOURCE_PATH
from mcp_server.selection import CALL_TOOL
from storage.errors import LyceumError
from storage.settings import Settings
from tools.accounts import Accounts
from tools.addresses import own_address
from tools.oauth.scopes import Scopes
from tools.passwords import GrantToken

LOOK_SECONDS = 5.0
"""How often an open stream asks whether what it was opened with still stands."""
MOST_BYTES = 4 * 1024 * 1024
"""Of a body that is looked into; the SDK refuses larger ones."""
PROGRAM = f"bearer {GrantToken.ACCESS_MARK}"


class OAuthGate:
    """Wraps the SDK's app."""

    def __init__(self, app: ASGIApp, accounts: Accounts, scopes: Scopes, settings: Settings) -> None:
        self._app = app
        self._accounts = accounts
        self._scopes = scopes
        self._settings = settings

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        admission = Admission()
        ADMISSION.set(admission)
        if scope["method"] == "POST" and Headers(scope=scope).get("authorization", "").lower().startswith(
            PROGRAM
        ):
            receive, admission.wanted = await self._wanted(receive)
        exchange = _Exchange(self, admission, receive, send)
        await exchange.run(self._app, scope)

    async def _wanted(self, receive: Receive) -> tuple[Receive, str | None]:
        """The body again, and the permission of the tool that it calls."""
        messages, size = [], 0
        while True:
            message = await receive()
            messages.append(message)
            size += len(message.get("body", b""))
            if message["type"] != "http.request" or not message.get("more_body") or size > MOST_BYTES:
                break
        body = b"".join(message.get("body", b"") for message in messages)

        async def again() -> Message:
            return messages.pop(0) if messages else await receive()

        return again, self._scopes.of_tool.get(called_tool(body)) if size <= MOST_BYTES else None

    def challenge(self, scope: Scope, scopes: list[str], **error: str) -> str:
        """A WWW-Authenticate header (RFC 6750, 3; RFC 9728, 5.1). `scopes`: what to ask for."""
        address = own_address(self._settings, Headers(scope=scope).get("host"))
        members = {**error, "scope": " ".join(scopes), "resource_metadata": address + RESOURCE_PATH}
        return "Bearer " + ", ".join(f'{name}="{value}"' for name, value in members.items())

    def unauthorized(self, scope: Scope) -> str:
        """Who came without any token made no mistake, and is told none (RFC 6750, 3.1)."""
        if "authorization" not in Headers(scope=scope):
            return self.challenge(scope, self._scopes.default)
        sentence = "This token is wrong, or over. Refresh it, or sign in again."
        return self.challenge(scope, self._scopes.default, error="invalid_token", error_description=sentence)

    def beyond(self, scope: Scope, admission: Admission) -> JSONResponse:
        """What the person allowed already is named too, so that asking anew loses nothing of it."""
        has = admission.principal.scopes if admission.principal else frozenset()
        sentence = f"This needs the permission {admission.wanted}, which was not given."
        error = {"error": "insufficient_scope", "error_description": sentence}
        header = self.challenge(scope, sorted({*has, admission.wanted or ""}), **error)
        return JSONResponse(error, 403, headers={"WWW-Authenticate": header})

    async def stands(self, admission: Admission) -> bool:
        """A store that does not answer ends nothing."""
        with suppress(LyceumError):
            return admission.principal is None or await self._accounts.stands(admission.principal)
        return True


class _Exchange:
    """One request and its answer."""

    def __init__(self, gate: OAuthGate, admission: Admission, receive: Receive, send: Send) -> None:
        self._gate, self._admission = gate, admission
        self._receive, self._send = receive, send
        self._scope: Scope = {}
        self._over = asyncio.Event()
        self._watching: asyncio.Task[None] | None = None
        self._is_open = self._is_read = False

    async def run(self, app: ASGIApp, scope: Scope) -> None:
        self._scope = scope
        try:
            await app(scope, self._next, self._answer)
        finally:
            if self._watching is not None:
                self._watching.cancel()
        if self._admission.is_beyond:
            await self._gate.beyond(scope, self._admission)(scope, self._receive, self._send)
        elif self._over.is_set() and self._is_open:
            await self._send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _answer(self, message: Message) -> None:
        if self._admission.is_beyond:
            return
        if message["type"] == "http.response.start":
            self._begin(message)
        elif message["type"] == "http.response.body" and not message.get("more_body"):
            self._is_open = False
        await self._send(message)

    def _begin(self, message: Message) -> None:
        headers = MutableHeaders(scope=message)
        if message["status"] == 401:
            headers["WWW-Authenticate"] = self._gate.unauthorized(self._scope)
        if headers.get("content-type", "").startswith("text/event-stream"):
            self._is_open = True
            self._watching = asyncio.create_task(self._watch())

    async def _watch(self) -> None:
        stands = True
        while stands:
            await asyncio.sleep(LOOK_SECONDS)
            stands = await self._gate.stands(self._admission)
        self._over.set()

    async def _next(self) -> Message:
        """The client's next message; that it has left, once the stream may not go on."""
        if not self._is_read:
            message = await self._receive()
            self._is_read = not message.get("more_body")
            return message
        arriving = asyncio.ensure_future(self._receive())
        over = asyncio.ensure_future(self._over.wait())
        try:
            await asyncio.wait({arriving, over}, return_when=asyncio.FIRST_COMPLETED)
            return arriving.result() if arriving.done() else {"type": "http.disconnect"}
        finally:
            arriving.cancel()
            over.cancel()


def called_tool(body: bytes) -> str:
    """The tool that a JSON-RPC request calls, also through `call_tool`; empty when it calls none."""
    try:
        request: Any = json.loads(body)
    except (ValueError, RecursionError):
        return ""
    params = request.get("params") if isinstance(request, Mapping) else None
    if not isinstance(params, Mapping) or request.get("method") != "tools/call":
        return ""
    name, arguments = params.get("name"), params.get("arguments")
    if name == CALL_TOOL and isinstance(arguments, Mapping):
        name = arguments.get("name", name)
    return name if isinstance(name, str) else ""
