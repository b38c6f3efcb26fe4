"""The worker: takes jobs, keeps their lease, runs the handler of their kind, and ends them one way or another.

The row in PostgreSQL is the truth. The Redis stream only wakes a worker early; a sweep over open jobs finds what the
stream lost, what a dead worker held, and what waits for its retry.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

import structlog

from storage.errors import LyceumError, Unavailable
from storage.models import Job
from storage.repositories.jobs import open_jobs
from storage.resources import Storage

log = structlog.get_logger()

WAIT_MS = 1000
SWEEP_SECONDS = 2.0
RENEW_SECONDS = 0.5
PROGRESS_SECONDS = 0.2
ROW_SECONDS = 1.0
"""How often progress goes into the row; watchers hear of it at once."""
BACK_OFF = (timedelta(seconds=2), timedelta(seconds=15), timedelta(seconds=60))


class Stopped(Exception):
    """The job was cancelled or taken away; the handler leaves what it has done."""


class JobFailed(Exception):
    """The job cannot succeed, however often it is tried. The message is a sentence for a person."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass
class RunningJob:
    """What a handler sees of its job."""

    job: Job
    storage: Storage
    _halted: asyncio.Event = field(default_factory=asyncio.Event)
    _reported: float = 0.0
    _written: float = 0.0

    @property
    def user_id(self) -> UUID:
        return self.job.user_id

    def check(self) -> None:
        """Raises Stopped when the job is to end. Handlers call it between steps of less than a second."""
        if self._halted.is_set():
            raise Stopped

    async def progress(self, done: int, total: int | None, message: str, *, force: bool = False) -> None:
        """Report progress, at most a few times a second; raises Stopped when the job is to end."""
        self.check()
        now = time.monotonic()
        if not force and now - self._reported < PROGRESS_SECONDS:
            return
        self._reported = now
        if force or now - self._written >= ROW_SECONDS:
            self._written = now
            async with self.storage.as_user(self.user_id) as db:
                await db.jobs.progress(self.job.id, done, total, message)
        await tell(self.storage, self.job.id, "running", done, total, message)

    def halt(self) -> None:
        self._halted.set()


async def tell(
    storage: Storage,
    job_id: UUID,
    status: str,
    done: int,
    total: int | None,
    message: str | None,
    error: str | None = None,
) -> None:
    """Publish a job's state to whoever watches; no one is harmed when Redis is away."""
    state: dict[str, Any] = {"job_id": str(job_id), "status": status, "done": done, "total": total}
    with suppress(Unavailable):
        await storage.jobs.publish(job_id, {**state, "message": message, "error": error})


Handler = Callable[[RunningJob], Awaitable[None]]
Beside = Callable[[asyncio.Event], Coroutine[Any, Any, None]]
"""Work that a worker does beside its jobs, until the event is set."""
Ended = Callable[[Job, str, str | None, str | None], Awaitable[None]]
"""(job, status, code, sentence): told when a job has ended without success, to note it on what the job was about."""


class Worker:
    """Runs one job at a time. `name` must be unique among live workers; a restarted worker keeps its name."""

    def __init__(
        self,
        storage: Storage,
        name: str,
        handlers: Mapping[str, Handler],
        ended: Ended,
        beside: Beside | None = None,
    ) -> None:
        self._storage = storage
        self._name = name
        self._handlers = handlers
        self._ended = ended
        self._beside = beside
        self._stopping = asyncio.Event()

    def stop(self) -> None:
        """Finish nothing more: the job in hand is left for the next worker."""
        self._stopping.set()

    async def run(self) -> None:
        """Work until stopped."""
        log.info("worker_started", worker=self._name)
        beside = asyncio.create_task(self._beside(self._stopping)) if self._beside else None
        try:
            await self._take_jobs()
        finally:
            if beside is not None:
                beside.cancel()
                await asyncio.gather(beside, return_exceptions=True)

    async def _take_jobs(self) -> None:
        swept = 0.0
        while not self._stopping.is_set():
            todo: list[tuple[UUID, UUID]] = []
            try:
                if time.monotonic() - swept > SWEEP_SECONDS:
                    swept = time.monotonic()
                    async with self._storage.database.transaction(None, read_only=True) as session:
                        todo = await open_jobs(session, 10)
                if not todo:
                    announced = await self._storage.jobs.next(self._name, WAIT_MS)
                    todo = [announced] if announced else []
            except Unavailable as error:
                log.warning("worker_waits", reason=str(error))
                await asyncio.sleep(1)
            for job_id, user_id in todo:
                if not self._stopping.is_set():
                    await self.work(job_id, user_id)

    async def work(self, job_id: UUID, user_id: UUID) -> None:
        """Take one job and run it to an end; a job that another worker holds is left alone."""
        try:
            async with self._storage.as_user(user_id) as db:
                job = await db.jobs.claim(job_id, self._name)
        except Unavailable as error:
            log.warning("worker_waits", reason=str(error))
            return
        if job is None:
            return
        structlog.contextvars.bind_contextvars(job_id=str(job_id), user_id=str(user_id))
        running = RunningJob(job, self._storage)
        lease = asyncio.create_task(self._keep(running))
        try:
            await self._attempt(running)
        finally:
            lease.cancel()
            structlog.contextvars.clear_contextvars()

    async def _keep(self, running: RunningJob) -> None:
        """Renew the lease; halt the handler when the job is cancelled, taken away or the worker stops."""
        while not self._stopping.is_set():
            await asyncio.sleep(RENEW_SECONDS)
            with suppress(Unavailable):
                async with self._storage.as_user(running.user_id) as db:
                    if not await db.jobs.renew(running.job.id, self._name):
                        break
        running.halt()

    async def _attempt(self, running: RunningJob) -> None:
        job = running.job
        handler = self._handlers.get(job.kind)
        if handler is None:
            await self._end(job, "failed", "unknown_job", f"This version does not know the job {job.kind!r}.")
        elif job.attempts > job.max_attempts:
            await self._end(
                job, "failed", "too_many_attempts", "Reading this file failed several times in a row."
            )
        else:
            try:
                await handler(running)
                await self._end(job, "succeeded", None, None)
            except Stopped:
                await self._stopped(job)
            except JobFailed as error:
                await self._end(job, "failed", error.code, str(error))
            except LyceumError as error:
                await self._again(job, error.code, str(error))
            except Exception:
                log.exception("job_crashed", kind=job.kind)
                await self._again(
                    job, "internal_error", "Something went wrong inside Lyceum while doing this."
                )

    async def _stopped(self, job: Job) -> None:
        async with self._storage.as_user(job.user_id) as db:
            cancelled = (await db.jobs.get(job.id)).cancel_requested
        if cancelled:
            await self._end(job, "cancelled", None, None)

    async def _again(self, job: Job, code: str, sentence: str) -> None:
        if job.attempts >= job.max_attempts:
            await self._end(job, "failed", code, sentence)
            return
        log.warning("job_put_back", code=code, attempt=job.attempts)
        with suppress(Unavailable):
            async with self._storage.as_user(job.user_id) as db:
                delay = BACK_OFF[min(job.attempts, len(BACK_OFF)) - 1]
                await db.jobs.requeue(job.id, delay=delay, code=code, error=sentence)

    async def _end(self, job: Job, status: str, code: str | None, sentence: str | None) -> None:
        if status != "succeeded":
            await self._ended(job, status, code, sentence)
        async with self._storage.as_user(job.user_id) as db:
            await db.jobs.finish(job.id, status, code=code, error=sentence)
            row = await db.jobs.get(job.id)
        log.info("job_ended", kind=job.kind, status=status, code=code)
        await tell(
            self._storage,
            job.id,
            status,
            row.progress_done,
            row.progress_total,
            row.progress_message,
            sentence,
        )
