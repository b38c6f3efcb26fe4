"""Around every request: an id, one line in the log, a count, and the answer when something unexpected broke."""

import re
import time
import traceback
from urllib.parse import quote
from uuid import uuid4

import structlog
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from assistant.api.metrics import Metrics
from assistant.api.problems import INTERNAL, problem

log = structlog.get_logger()

REQUEST_ID = re.compile(rb"[A-Za-z0-9_.-]{8,64}")
CLIENT_LEFT = 499
"""Logged when a client closed the connection before it had sent everything (as nginx does)."""
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class AccessLog:
    """Paths are logged without their query: it may hold a login token."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = _request_id(scope)
        with structlog.contextvars.bound_contextvars(request_id=request_id, user_id=None):
            await _Exchange(self._app, self._metrics, scope, request_id).run(receive, send)


class _Exchange:
    """One request and its answer."""

    def __init__(self, app: ASGIApp, metrics: Metrics, scope: Scope, request_id: str) -> None:
        self._app, self._metrics, self._scope, self._request_id = app, metrics, scope, request_id
        self._status = 0

    async def run(self, receive: Receive, send: Send) -> None:
        async def watched(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._status = message["status"]
                message["headers"] = [
                    *message.get("headers", ()), (b"x-request-id", self._request_id.encode())
                ]  # fmt: skip
            await send(message)

        started = time.perf_counter()
        try:
            await self._app(self._scope, receive, watched)
        except ClientDisconnect:
            pass
        except Exception as error:
            log_bug(error, method=self._scope["method"], path=quote(self._scope["path"]))
            if self._status:
                raise
            await problem(500, "internal_error", INTERNAL)(self._scope, receive, watched)
        finally:
            self._note(time.perf_counter() - started)

    def _note(self, seconds: float) -> None:
        scope, status = self._scope, self._status or CLIENT_LEFT
        route = getattr(scope.get("route"), "path", None) or "other"
        method = scope["method"] if scope["method"] in METHODS else "other"
        self._metrics.count(method, route, status, seconds)
        log.info(
            "request",
            method=scope["method"],
            path=quote(scope["path"]),
            status=status,
            ms=round(seconds * 1000, 1),
            user_id=scope.get("state", {}).get("user_id"),
            client=scope["client"][0] if scope.get("client") else None,
        )


def log_bug(error: BaseException, **values: object) -> None:
    """A plain traceback: structlog's own shows local variables, and with them passwords and tokens."""
    log.error("request_failed", exception="".join(traceback.format_exception(error)), **values)


def _request_id(scope: Scope) -> str:
    """The one that a proxy gave, else a new one."""
    for name, value in scope["headers"]:
        if name == b"x-request-id" and REQUEST_ID.fullmatch(value):
            return str(value, "ascii")
    return uuid4().hex
