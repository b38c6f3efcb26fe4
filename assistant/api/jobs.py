"""How far a job is, as server-sent events."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Annotated
from uuid import UUID

import structlog
from fastapi import APIRouter, Depends
from sse_starlette import EventSourceResponse, JSONServerSentEvent, ServerSentEvent

from assistant.api.problems import Problem
from assistant.api.services import ServicesDep, allowed
from storage.errors import LyceumError, NotFound
from storage.repositories.base import as_uuid
from storage.resources import Storage
from tools.context import Principal
from tools.job_news import State, follow, read_state

log = structlog.get_logger()
router = APIRouter(prefix="/api/jobs", tags=["jobs"])


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
    first = await read_state(services.storage, principal, wanted)
    return EventSourceResponse(_events(services.storage, principal, wanted, first), sep="\n")


async def _events(
    storage: Storage, principal: Principal, job_id: UUID, first: State
) -> AsyncGenerator[ServerSentEvent]:
    yield _event(first)
    try:
        async with aclosing(follow(storage, principal, job_id, first)) as states:
            async for state in states:
                yield _event(state)
    except LyceumError as error:
        # The answer has begun, so all that is left is to end it; the client asks again.
        log.warning("job_events_ended", job_id=str(job_id), error=str(error))


def _event(state: State) -> ServerSentEvent:
    return JSONServerSentEvent(state, sep="\n")
