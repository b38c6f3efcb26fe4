"""The chat over HTTP: AG-UI 1.0 events as SSE. A run goes on without its reader; ids of events are `{run}:{n}`."""

from collections.abc import AsyncIterator
from typing import Annotated, Any, cast

import structlog
from ag_ui.core import RunAgentInput
from fastapi import APIRouter, Depends, Header, Request
from pydantic import BaseModel, Field, ValidationError
from sse_starlette import EventSourceResponse, ServerSentEvent

from assistant.api.problems import Problem
from assistant.api.services import Caller
from assistant.chat.following import Numbered
from assistant.chat.service import ChatService
from storage.errors import InvalidInput, LyceumError, TooLarge

log = structlog.get_logger()
router = APIRouter(prefix="/api/chat", tags=["chat"])

PING_SECONDS = 15
MOST_BYTES = 2 << 20
"""A client may send the whole conversation; only its newest message is read."""
REFUSALS: dict[int | str, dict[str, Any]] = {
    status: {"model": Problem} for status in (400, 401, 403, 404, 409, 413, 503)
}
BODY = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {
                    "type": "object",
                    "required": ["threadId", "runId", "messages"],
                    "description": "RunAgentInput of AG-UI 1.0. Of `messages` only the newest one of the user is read.",
                    "properties": {
                        "threadId": {"type": "string", "maxLength": 200},
                        "runId": {"type": "string", "maxLength": 200},
                        "messages": {"type": "array", "items": {"type": "object"}},
                        "state": {},
                        "tools": {"type": "array", "items": {"type": "object"}},
                        "context": {"type": "array", "items": {"type": "object"}},
                        "forwardedProps": {
                            "type": "object",
                            "properties": {"class_id": {"type": "string", "description": "Id or name."}},
                        },
                    },
                }
            }
        },
    }
}


class Cancelling(BaseModel):
    """A stop is on its way; the run's own events say when it has ended."""

    run_id: str
    status: str = Field(description="The run's status when the stop was asked for.")


async def chat_service(request: Request) -> ChatService:
    return cast(ChatService, request.app.state.chat)


async def run_input(request: Request) -> RunAgentInput:
    """The body. Raises InvalidInput naming what is wrong with it, TooLarge over `MOST_BYTES`."""
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > MOST_BYTES:
            raise TooLarge(f"This request is larger than {MOST_BYTES >> 20} MB.", code="request_too_large")
    try:
        return RunAgentInput.model_validate_json(bytes(body))
    except ValidationError as error:
        problems = [f"{'.'.join(map(str, p['loc'])) or 'body'}: {p['msg']}" for p in error.errors()[:5]]
        raise InvalidInput("; ".join(problems), code="invalid_arguments") from error


Service = Annotated[ChatService, Depends(chat_service)]
RunInput = Annotated[RunAgentInput, Depends(run_input)]
LastEventId = Annotated[str | None, Header(description="`{run}:{n}` of the last event that arrived.")]


@router.post("", response_class=EventSourceResponse, responses=REFUSALS, openapi_extra=BODY)
async def chat(principal: Caller, service: Service, request: RunInput) -> EventSourceResponse:
    """Ask a question and follow its answer. The same runId again follows the run that there is."""
    run_id = await service.begin(principal, request)
    return _stream(run_id, await service.follow(principal, run_id))


@router.get("/runs/{run_id}/events", response_class=EventSourceResponse, responses=REFUSALS)
async def run_events(
    run_id: str, principal: Caller, service: Service, last_event_id: LastEventId = None
) -> EventSourceResponse:
    """The events of a run after Last-Event-ID, or from its start, until it has ended."""
    return _stream(run_id, await service.follow(principal, run_id, number_in(last_event_id, run_id)))


@router.post("/runs/{run_id}/cancel", status_code=202, responses=REFUSALS)
async def cancel_run(run_id: str, principal: Caller, service: Service) -> Cancelling:
    """Stop an answer. What was said so far is kept."""
    return Cancelling(run_id=run_id, status=await service.cancel(principal, run_id))


def number_in(last_event_id: str | None, run_id: str) -> int:
    """The n of `{run}:{n}`, 0 without one. Raises InvalidInput for another run's id or anything else."""
    if not last_event_id:
        return 0
    run, _, number = last_event_id.rpartition(":")
    if run != run_id or not (number.isascii() and number.isdigit() and len(number) < 10):
        raise InvalidInput(
            f"Last-Event-ID must be the id of an event of this run, such as {run_id}:3.",
            code="invalid_last_event_id",
        )
    return int(number)


def _stream(run_id: str, events: AsyncIterator[Numbered]) -> EventSourceResponse:
    return EventSourceResponse(
        _events(run_id, events),
        sep="\n",
        ping=PING_SECONDS,
        ping_message_factory=lambda: ServerSentEvent(comment="ping", sep="\n"),
        headers={"X-Accel-Buffering": "no", "Cache-Control": "no-store"},
    )


async def _events(run_id: str, events: AsyncIterator[Numbered]) -> AsyncIterator[ServerSentEvent]:
    # sse-starlette separates lines by CR LF unless each event is told otherwise; the AG-UI client reads LF only.
    try:
        async for number, event in events:
            yield ServerSentEvent(event, id=f"{run_id}:{number}", sep="\n")
    except LyceumError as error:
        # The answer has begun, so all that is left is to end it; the client comes back with Last-Event-ID.
        log.warning("run_events_ended", run=run_id, error=str(error))
