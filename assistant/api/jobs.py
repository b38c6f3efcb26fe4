"""How far a job is, as server-sent events."""

import asyncio
import time
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Annotated, Any
from uuid import UUID

import structlog
from fastapi import APIRouter, Depends
from sse_starlette import EventSourceResponse, JSONServerSentEvent, ServerSentEvent

from assistant.api.problems import Problem
from assistant.api.services import ServicesDep, allowed
from storage.errors import LyceumError, NotFound, Unavailable
from storage.models import Job
from storage.redis.client import REDIS_DOWN
from storage.repositories.base import as_uuid
from storage.repositories.jobs import FINAL
from storage.resources import Storage
from tools.context import Principal

log = structlog.get_logger()
router = APIRouter(prefix="/api/jobs", tags=["jobs"])

LOOK_SECONDS = 5.0
"""How often the row is read although messages come: one that was missed costs no more than this."""
ALONE_SECONDS = 1.0
"""The same while Redis is away."""


@router.get(
    "/{job_id}/events",
    response_class=EventSourceResponse,
    responses={401: {"model": Problem}, 403: {"model": Problem}, 404: {"model": Problem}},
)
async def job_events(
    job_id: str, principal: Annotated[Principal, Depends(allowed("jobs:read"))], services: ServicesDep
) -> EventSourceResponse:
    """The state of a job now and whenever it changes, until it has ended."""
    wanted = as_uuid(job_id)
    if wanted is None:
        raise NotFound(f"No job {job_id!r}.", code="job_not_found")
    first = await _read(services.storage, principal, wanted)
    return EventSourceResponse(_events(services.storage, principal, wanted, first), sep="\n")


async def _events(
    storage: Storage, principal: Principal, job_id: UUID, state: dict[str, Any]
) -> AsyncGenerator[ServerSentEvent]:
    yield _event(state)
    sent = state
    try:
        while sent["status"] not in FINAL:
            async with aclosing(_news(storage, principal, job_id)) as news:
                async for state in news:
                    if state != sent:
                        yield _event(state)
                        sent = state
    except LyceumError as error:
        # The answer has begun, so all that is left is to end it; the client asks again.
        log.warning("job_events_ended", job_id=str(job_id), error=str(error))


async def _news(storage: Storage, principal: Principal, job_id: UUID) -> AsyncGenerator[dict[str, Any]]:
    """States of a job until it has ended, as they are published; from its row alone, once, while Redis is away."""
    try:
        async with storage.jobs.watch(job_id) as news:
            state, looked = await _read(storage, principal, job_id), time.monotonic()
            kept = await anext(news)
            # What is kept may be of an attempt before: it counts only when the row says the same.
            if kept is not None and kept["status"] == state["status"]:
                state = _newer(state, kept)
            yield state
            async for message in news:
                state = _newer(state, message)
                # A message may be older than the row, so the last word is always the row's.
                if state["status"] in FINAL or time.monotonic() - looked >= LOOK_SECONDS:
                    state, looked = await _read(storage, principal, job_id), time.monotonic()
                yield state
                if state["status"] in FINAL:
                    return
    except Unavailable as error:
        if error.code != REDIS_DOWN:
            raise
    await asyncio.sleep(ALONE_SECONDS)
    yield await _read(storage, principal, job_id)


def _newer(state: dict[str, Any], message: dict[str, Any] | None) -> dict[str, Any]:
    """A state with what a message says; a running job goes forward only."""
    if message is None or (message["status"] == state["status"] and message["done"] < state["done"]):
        return state
    return {**state, **{name: value for name, value in message.items() if name in state}}


async def _read(storage: Storage, principal: Principal, job_id: UUID) -> dict[str, Any]:
    async with storage.as_user(principal.user_id, read_only=True) as db:
        return _state(await db.jobs.get(job_id))


def _state(job: Job) -> dict[str, Any]:
    return {
        "job_id": str(job.id),
        "status": job.status,
        "done": job.progress_done,
        "total": job.progress_total,
        "message": job.progress_message,
        "error": job.error,
    }


def _event(state: dict[str, Any]) -> ServerSentEvent:
    return JSONServerSentEvent(state, sep="\n")
