"""How far a job is, while it happens: its states until it has ended, for whoever follows it."""

import asyncio
import time
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any
from uuid import UUID

from storage.errors import Unavailable
from storage.models import Job
from storage.redis.client import REDIS_DOWN
from storage.repositories.jobs import FINAL
from storage.resources import Storage
from tools.context import Principal

LOOK_SECONDS = 5.0
"""How often the row is read although messages come: one that was missed costs no more than this."""
ALONE_SECONDS = 1.0
"""The same while Redis is away."""

State = dict[str, Any]
"""job_id, status, done, total, message, error."""


async def follow(storage: Storage, principal: Principal, job_id: UUID, sent: State) -> AsyncGenerator[State]:
    """Each state after `sent` that differs from the one before, until the job has ended. Raises LyceumError."""
    while sent["status"] not in FINAL:
        async with aclosing(_news(storage, principal, job_id)) as news:
            async for state in news:
                if state != sent:
                    yield state
                    sent = state


async def read_state(storage: Storage, principal: Principal, job_id: UUID) -> State:
    """As its row says. Raises NotFound."""
    async with storage.as_user(principal.user_id, read_only=True) as db:
        return _state(await db.jobs.get(job_id))


async def _news(storage: Storage, principal: Principal, job_id: UUID) -> AsyncGenerator[State]:
    """States of a job until it has ended, as they are published; from its row alone, once, while Redis is away."""
    try:
        async with storage.jobs.watch(job_id) as news:
            state, looked = await read_state(storage, principal, job_id), time.monotonic()
            kept = await anext(news)
            # What is kept may be of an attempt before: it counts only when the row says the same.
            if kept is not None and kept["status"] == state["status"]:
                state = _newer(state, kept)
            yield state
            async for message in news:
                state = _newer(state, message)
                # A message may be older than the row, so the last word is always the row's.
                if state["status"] in FINAL or time.monotonic() - looked >= LOOK_SECONDS:
                    state, looked = await read_state(storage, principal, job_id), time.monotonic()
                yield state
                if state["status"] in FINAL:
                    return
    except Unavailable as error:
        if error.code != REDIS_DOWN:
            raise
    await asyncio.sleep(ALONE_SECONDS)
    yield await read_state(storage, principal, job_id)


def _newer(state: State, message: State | None) -> State:
    """A state with what a message says; a running job goes forward only."""
    if message is None or (message["status"] == state["status"] and message["done"] < state["done"]):
        return state
    return {**state, **{name: value for name, value in message.items() if name in state}}


def _state(job: Job) -> State:
    return {
        "job_id": str(job.id),
        "status": job.status,
        "done": job.progress_done,
        "total": job.progress_total,
        "message": job.progress_message,
        "error": job.error,
    }
