"""How far a job is, as server-sent events."""

import time
from collections.abc import AsyncGenerator
from typing import Annotated, Any
from uuid import UUID

import structlog
from fastapi import APIRouter, Depends
from sse_starlette import EventSourceResponse, JSONServerSentEvent, ServerSentEvent

from assistant.api.problems import Problem
from assistant.api.services import ServicesDep, allowed
from storage.errors import LyceumError, NotFound
from storage.models import Job
from storage.repositories.base import as_uuid
from storage.repositories.jobs import FINAL
from storage.resources import Storage
from tools.context import Principal

log = structlog.get_logger()
router = APIRouter(prefix="/api/jobs", tags=["jobs"])

LOOK_SECONDS = 1.0
"""How often the row is read: a message that was missed costs no more than this."""


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
    if state["status"] in FINAL:
        return
    try:
        async with storage.jobs.watch(job_id) as news:
            sent, looked = state, 0.0
            async for message in news:
                # A message may be older than the row, so the last word is always the row's.
                state = {**sent, **{k: v for k, v in (message or {}).items() if k in sent}}
                if state["status"] in FINAL or time.monotonic() - looked >= LOOK_SECONDS:
                    state, looked = await _read(storage, principal, job_id), time.monotonic()
                if state != sent:
                    yield _event(state)
                    sent = state
                if state["status"] in FINAL:
                    return
    except LyceumError as error:
        # The answer has begun, so all that is left is to end it; the client asks again.
        log.warning("job_events_ended", job_id=str(job_id), error=str(error))


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
