"""The worker: takes jobs, keeps their lease, runs the handler of their kind, and ends them one way or another.

The row in PostgreSQL is the truth and says which job is next. The Redis stream only wakes a worker early; looking again
finds what the stream lost, what a dead worker held, and what waits for its retry.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, TypeVar
from uuid import UUID

import structlog

from storage.errors import LyceumError, Unavailable
from storage.models import Job
from storage.repositories.jobs import OpenJob, open_jobs
from storage.resources import Storage
from tools.announcing import announce_end

log = structlog.get_logger()

T = TypeVar("T")

WAIT_MS = 1000
LOST_SECONDS = 0.2
"""Pause when another worker was faster."""
LOOK_SECONDS = 0.25
"""How often a worker looks whether its job is still wanted."""
RENEW_SECONDS = 4.0
PROGRESS_SECONDS = 0.2
ROW_SECONDS = 1.0
"""How often progress goes into the row; watchers hear of it at once."""
WAITING_SECONDS = 2.0
"""How often a job looks whether something more urgent waits."""
SLICE_SECONDS = 10.0
"""How long a job may run while an equally urgent one of another user waits."""
SLICES_A_START = 4
"""A slice is at least so many times as long as it took to begin it."""
BACK_OFF = (timedelta(seconds=2), timedelta(seconds=15), timedelta(seconds=60))


class Stopped(Exception):
    """The job was cancelled or taken away; the handler leaves what it has done."""


class JobFailed(Exception):
    """The job cannot succeed, however often it is tried. The message is a sentence for a person."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class TryAgain(Exception):
    """This attempt has failed and the next one may not; the job fails with this code and sentence after the last one.

    An attempt that is not counted, because it got further than the one before, does not bring the last one nearer.
    """

    def __init__(self, code: str, message: str, *, is_counted: bool = True) -> None:
        super().__init__(message)
        self.code = code
        self.is_counted = is_counted


class GiveWay(Exception):
    """The job goes back to the queue, with this priority, and goes on from here when it is its turn again."""

    def __init__(self, priority: int) -> None:
        super().__init__()
        self.priority = priority


@dataclass
class RunningJob:
    """What a handler sees of its job."""

    job: Job
    storage: Storage
    slow_start: float = 0.0
    """Seconds that it took until the work went on where it had stopped."""
    _halted: asyncio.Event = field(default_factory=asyncio.Event)
    _latest: tuple[int, int | None, str] | None = None
    _told: tuple[int, int | None, str] | None = None
    _kept: tuple[int, int | None, str] | None = None
    _reported: float = 0.0
    _written: float = 0.0
    _began: float = field(default_factory=time.monotonic)
    _looked: float = field(default_factory=time.monotonic)

    @property
    def user_id(self) -> UUID:
        return self.job.user_id

    def check(self) -> None:
        """Raises Stopped when the job is to end. Handlers call it between steps of less than a second."""
        if self._halted.is_set():
            raise Stopped

    async def unless_halted(self, work: Coroutine[Any, Any, T]) -> T:
        """Do what may take long and may be cancelled anywhere. Raises Stopped when the job is to end."""
        task, halted = asyncio.ensure_future(work), asyncio.ensure_future(self._halted.wait())
        try:
            await asyncio.wait((task, halted), return_when=asyncio.FIRST_COMPLETED)
            if not task.done():
                raise Stopped
            return task.result()
        finally:
            for each in (task, halted):
                each.cancel()
            await asyncio.gather(task, halted, return_exceptions=True)

    async def progress(self, done: int, total: int | None, message: str, *, force: bool = False) -> None:
        """Report progress; watchers hear of it at most a few times a second. Raises Stopped when the job is to end."""
        self.check()
        self._latest = (done, total, message)
        await self.report(force=force)

    async def report(self, *, force: bool = False) -> None:
        """Pass on the newest progress, as far as that was not done and is not too often."""
        if self._latest is None:
            return
        now = time.monotonic()
        if self._latest != self._told and (force or now - self._reported >= PROGRESS_SECONDS):
            self._reported, self._told = now, self._latest
            await tell(self.storage, self.job.id, "running", *self._latest)
        if self._latest != self._kept and (force or now - self._written >= ROW_SECONDS):
            self._written, self._kept = now, self._latest
            async with self.storage.as_user(self.user_id) as db:
                await db.jobs.progress(self.job.id, *self._latest)

    def hush(self) -> None:
        """No progress any more: nothing must come behind the end."""
        self._latest = None

    async def remember(self, **arguments: Any) -> None:
        """Note what the next attempt needs to know."""
        self.job.arguments = self.job.arguments | arguments
        async with self.storage.as_user(self.user_id) as db:
            await db.jobs.remember(self.job.id, **arguments)

    async def is_held_up(self, *, at_once: bool = False) -> bool:
        """Whether this job should give way: something more urgent waits, or, once its slice of time is over, another user.

        Looks every two seconds, or at once; a job that was slow to take up its work stays at it for longer.
        """
        now = time.monotonic()
        if not at_once and now - self._looked < max(WAITING_SECONDS, self.slow_start):
            return False
        self._looked = now
        waiting = await first_open(self.storage)
        if waiting is None or waiting.priority < self.job.priority:
            return False
        has_had_its_slice = now - self._began >= max(SLICE_SECONDS, SLICES_A_START * self.slow_start)
        return waiting.priority > self.job.priority or (has_had_its_slice and waiting.user_id != self.user_id)

    def halt(self) -> None:
        self._halted.set()


async def first_open(storage: Storage) -> OpenJob | None:
    """The job that is next. Raises Unavailable."""
    async with storage.database.transaction(None, read_only=True) as session:
        return next(iter(await open_jobs(session, 1)), None)


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
    """Runs one job at a time. `name` must be unique among live workers; a restarted worker keeps its name. `close` is called
    when it has stopped."""

    def __init__(
        self,
        storage: Storage,
        name: str,
        handlers: Mapping[str, Handler],
        ended: Ended,
        beside: Beside | None = None,
        close: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        self._storage = storage
        self._name = name
        self._handlers = handlers
        self._ended = ended
        self._beside = beside
        self._close = close
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
            if self._close is not None:
                await self._close()

    async def _take_jobs(self) -> None:
        while not self._stopping.is_set():
            try:
                job = await first_open(self._storage)
                if job is None:
                    await self._storage.jobs.next(self._name, WAIT_MS)
                elif not await self.work(job.id, job.user_id):
                    await asyncio.sleep(LOST_SECONDS)
            except Unavailable as error:
                log.warning("worker_waits", reason=str(error))
                await asyncio.sleep(1)

    async def work(self, job_id: UUID, user_id: UUID) -> bool:
        """Take one job and run it to an end. False for a job that has ended, or that another worker holds."""
        async with self._storage.as_user(user_id) as db:
            job = await db.jobs.claim(job_id, self._name)
        if job is None:
            return False
        structlog.contextvars.bind_contextvars(job_id=str(job_id), user_id=str(user_id))
        running = RunningJob(job, self._storage)
        lease = asyncio.create_task(self._keep(running))
        try:
            await self._attempt(running)
        finally:
            lease.cancel()
            structlog.contextvars.clear_contextvars()
        return True

    async def _keep(self, running: RunningJob) -> None:
        """Renew the lease; halt the handler when the job is cancelled, taken away or the worker stops."""
        renewed = time.monotonic()
        while not self._stopping.is_set():
            with suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), LOOK_SECONDS)
            is_due = time.monotonic() - renewed > RENEW_SECONDS
            with suppress(Unavailable):
                await running.report()
                async with self._storage.as_user(running.user_id, read_only=not is_due) as db:
                    ask = db.jobs.renew if is_due else db.jobs.is_held
                    if not await ask(running.job.id, self._name):
                        break
                renewed = time.monotonic() if is_due else renewed
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
                try:
                    await handler(running)
                finally:
                    running.hush()
                await self._end(job, "succeeded", None, None)
            except Stopped:
                await self._stopped(job)
            except GiveWay as error:
                await self._put_back(job, error.priority)
            except JobFailed as error:
                await self._end(job, "failed", error.code, str(error))
            except TryAgain as error:
                await self._again(job, error.code, str(error), is_counted=error.is_counted)
            except LyceumError as error:
                await self._again(job, error.code, str(error))
            except Exception:
                log.exception("job_crashed", kind=job.kind)
                await self._again(
                    job, "internal_error", "Something went wrong inside Lyceum while doing this."
                )

    async def _stopped(self, job: Job) -> None:
        async with self._storage.as_user(job.user_id) as db:
            row = await db.jobs.get(job.id)
        if row.cancel_requested:
            await self._end(job, "cancelled", None, None)
        else:
            await self._put_back(job, row.priority)

    async def _put_back(self, job: Job, priority: int) -> None:
        """Leave a job to whoever takes it next; it was not its fault. One that was taken away stays where it is."""
        async with self._storage.as_user(job.user_id) as db:
            await db.jobs.give_way(job.id, self._name, priority=priority)
            row = await db.jobs.get(job.id)
        await tell(
            self._storage, job.id, row.status, row.progress_done, row.progress_total, row.progress_message
        )

    async def _again(self, job: Job, code: str, sentence: str, *, is_counted: bool = True) -> None:
        if is_counted and job.attempts >= job.max_attempts:
            await self._end(job, "failed", code, sentence)
            return
        log.warning("job_put_back", code=code, attempt=job.attempts)
        with suppress(Unavailable):
            async with self._storage.as_user(job.user_id) as db:
                delay = BACK_OFF[min(job.attempts, len(BACK_OFF)) - 1]
                await db.jobs.requeue(
                    job.id, self._name, delay=delay, code=code, error=sentence, is_counted=is_counted
                )

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
        await announce_end(self._storage, row)
