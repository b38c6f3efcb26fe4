"""Every tool over HTTP: arguments as the JSON body, the output model as the answer, progress as server-sent events."""

import asyncio
from collections.abc import AsyncGenerator
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response
from pydantic import BaseModel
from pydantic_core import from_json
from sse_starlette import EventSourceResponse, JSONServerSentEvent, ServerSentEvent

from assistant.api.access import log_bug
from assistant.api.problems import INTERNAL, STATUS_OF, body
from assistant.api.services import Caller, ServicesDep
from storage.errors import InvalidInput, LyceumError, TooLarge
from tools.context import Principal
from tools.executor import Executor

router = APIRouter(prefix="/api/tools", include_in_schema=False)

MAX_BODY = 16 << 20
"""Bytes of arguments: room for a file of 8 MB in base64."""
EVENT_STREAM = "text/event-stream"


class ToolItem(BaseModel):
    name: str
    toolset: str
    effect: str
    scope: str
    title: str
    description: str
    input_schema: dict[str, Any]
    output_schema: dict[str, Any]


class ToolList(BaseModel):
    items: list[ToolItem]


@router.get("")
async def list_tools(principal: Caller, services: ServicesDep) -> ToolList:
    """The tools that the caller may use."""
    specs = [spec for spec in services.executor.catalog.values() if principal.allows(spec.scope)]
    fields = set(ToolItem.model_fields)
    return ToolList(items=[ToolItem(**{name: getattr(spec, name) for name in fields}) for spec in specs])


@router.post("/{name}")
async def call_tool(name: str, request: Request, principal: Caller, services: ServicesDep) -> Response:
    services.executor.spec(name, principal)
    arguments = await json_object(request)
    if EVENT_STREAM in request.headers.get("accept", ""):
        return EventSourceResponse(_Call(services.executor, name, arguments, principal).events(), sep="\n")
    output = await services.executor.call(name, arguments, principal)
    return Response(output.model_dump_json(), media_type="application/json")


async def json_object(request: Request) -> dict[str, Any]:
    """The body as an object; an empty one stands for no arguments. Raises InvalidInput or TooLarge."""
    raw = bytearray()
    async for part in request.stream():
        raw += part
        if len(raw) > MAX_BODY:
            raise TooLarge("These arguments are too large. Send files to /api/uploads.")
    if not raw.strip():
        return {}
    try:
        arguments = from_json(bytes(raw), allow_inf_nan=False)
    except ValueError as error:
        raise InvalidInput("The body of this request is not valid JSON.", code="invalid_json") from error
    if not isinstance(arguments, dict):
        raise InvalidInput("The body must be a JSON object with the tool's arguments.", code="invalid_json")
    return arguments


class _Call:
    """One call whose progress is watched. Of progress that comes faster than it is read, only the newest is sent."""

    def __init__(
        self, executor: Executor, name: str, arguments: dict[str, Any], principal: Principal
    ) -> None:
        self._executor, self._name, self._arguments, self._principal = executor, name, arguments, principal
        self._news = asyncio.Event()
        self._progress: dict[str, Any] | None = None

    async def _note(self, done: int, total: int | None, message: str) -> None:
        self._progress = {"done": done, "total": total, "message": message}
        self._news.set()

    async def events(self) -> AsyncGenerator[ServerSentEvent]:
        """`progress` as often as it changes, then one `result` or `error`. A client that leaves ends the call."""
        call = asyncio.create_task(
            self._executor.call(self._name, self._arguments, self._principal, self._note)
        )
        call.add_done_callback(lambda _: self._news.set())
        try:
            while not call.done() or self._progress:
                await self._news.wait()
                self._news.clear()
                if self._progress:
                    yield JSONServerSentEvent(self._progress, event="progress", sep="\n")
                    self._progress = None
                    if call.done():
                        self._news.set()
            yield _ending(call)
        finally:
            call.cancel()
            await asyncio.wait([call])


def _ending(call: "asyncio.Task[BaseModel]") -> ServerSentEvent:
    error = call.exception()
    if error is None:
        return ServerSentEvent(call.result().model_dump_json(), event="result", sep="\n")
    if isinstance(error, LyceumError):
        document = {**error.details, **body(STATUS_OF[error.kind], error.code, str(error))}
    else:
        log_bug(error)
        document = body(500, "internal_error", INTERNAL)
    return JSONServerSentEvent(document, event="error", sep="\n")
