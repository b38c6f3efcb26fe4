"""Jobs: the rows that are the truth about background work."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import func, or_, select, text, update
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.ext.asyncio import AsyncSession

from storage.errors import Conflict, NotFound
from storage.models import Job
from storage.repositories.base import Page, Repository, as_uuid

LEASE = timedelta(seconds=15)
URGENT = 0
"""Priority of what somebody waits for."""
BULK = -10
"""Of the many files of an import."""
IDLE = -100
"""Of what nobody waits for: below everything else, also when it is tried again."""
OPEN = ("queued", "running")
FINAL = ("succeeded", "failed", "cancelled")


@dataclass(frozen=True, slots=True)
class OpenJob:
    """A job that any worker may take now."""

    id: UUID
    user_id: UUID
    priority: int


async def open_jobs(session: AsyncSession, limit: int) -> list[OpenJob]:
    """Jobs across all users, in the order in which they are to be taken: the most urgent first; among equals those of the
    user who was served longest ago."""
    asked = text("SELECT job_id, user_id, priority FROM lyceum_open_jobs(:n)")
    return [OpenJob(*row) for row in await session.execute(asked, {"n": limit})]


class JobRepository(Repository):
    async def add(self, row: Job) -> Job:
        self.session.add(row)
        await self.session.flush()
        return row

    async def get(self, wanted: str | UUID) -> Job:
        job_id = wanted if isinstance(wanted, UUID) else as_uuid(wanted)
        found = select(Job).where(Job.id == job_id, Job.user_id == self.user_id)
        row = await self.session.scalar(found) if job_id else None
        if row is None:
            raise NotFound(f"No job {str(wanted)!r}.", code="job_not_found")
        return row

    async def recent(self, *, status: str | None, limit: int, cursor: str | None) -> Page[Job]:
        mine = select(Job).where(Job.user_id == self.user_id)
        if status:
            mine = mine.where(Job.status == status)
        return await self.page(mine, Job.created_at, Job.id, limit=limit, cursor=cursor)

    async def count_open(self, kind: str, material_id: UUID | None = None) -> int:
        """Jobs of a kind, of one material or of all, that have not ended."""
        mine = select(func.count()).where(Job.user_id == self.user_id, Job.kind == kind)
        if material_id is not None:
            mine = mine.where(Job.material_id == material_id)
        return await self.session.scalar(mine.where(Job.status.in_(OPEN))) or 0

    async def is_open(self, kind: str, **arguments: str) -> bool:
        """Whether a job of a kind with these arguments has not ended and is to go on."""
        mine = select(Job.id).where(Job.user_id == self.user_id, Job.kind == kind, Job.status.in_(OPEN))
        mine = mine.where(~Job.cancel_requested, Job.arguments.contains(arguments))
        return await self.session.scalar(mine.limit(1)) is not None

    async def latest_for(self, material_ids: list[UUID]) -> dict[UUID, Job]:
        """The newest job of each material."""
        newest = select(Job).where(Job.material_id.in_(material_ids), Job.user_id == self.user_id)
        newest = newest.ext(distinct_on(Job.material_id)).order_by(
            Job.material_id, Job.created_at.desc(), Job.id.desc()
        )
        return {job.material_id: job for job in await self.session.scalars(newest) if job.material_id}

    async def claim(self, job_id: UUID, worker: str) -> Job | None:
        """Take a job for this worker, or None when it is finished or another worker holds a live lease.

        A worker that starts again under its old name gets its own job back at once.
        """
        now = self.clock.now()
        free = or_(Job.status == "queued", Job.lease_until < now, Job.worker == worker)
        taken = (
            update(Job)
            .where(Job.id == job_id, Job.user_id == self.user_id, Job.status.in_(OPEN), free)
            .values(
                status="running",
                worker=worker,
                lease_until=now + LEASE,
                attempts=Job.attempts + 1,
                started_at=now,
                error=None,
                error_code=None,
            )
            .returning(Job)
        )
        return await self.session.scalar(taken)

    async def renew(self, job_id: UUID, worker: str) -> bool:
        """Extend the lease. False when the job is not this worker's any more or is to be cancelled."""
        renewed = (
            update(Job)
            .where(Job.id == job_id, Job.worker == worker, Job.status == "running", ~Job.cancel_requested)
            .values(lease_until=self.clock.now() + LEASE)
            .returning(Job.id)
        )
        return await self.session.scalar(renewed) is not None

    async def is_held(self, job_id: UUID, worker: str) -> bool:
        """Whether the job is this worker's and to go on."""
        held = select(Job.id).where(Job.id == job_id, Job.worker == worker, Job.status == "running")
        return await self.session.scalar(held.where(~Job.cancel_requested)) is not None

    async def progress(self, job_id: UUID, done: int, total: int | None, message: str | None) -> None:
        await self.session.execute(
            update(Job)
            .where(Job.id == job_id)
            .values(progress_done=done, progress_total=total, progress_message=message)
        )

    async def finish(
        self, job_id: UUID, status: str, *, code: str | None = None, error: str | None = None
    ) -> None:
        await self.session.execute(
            update(Job)
            .where(Job.id == job_id, Job.status.not_in(FINAL))
            .values(
                status=status, error_code=code, error=error, finished_at=self.clock.now(), lease_until=None
            )
        )

    async def requeue(
        self, job_id: UUID, worker: str, *, delay: timedelta, code: str, error: str, is_counted: bool
    ) -> None:
        """Put a job back after a fault, to run after a delay. An attempt that is not counted leaves the others."""
        await self._put_back(
            job_id,
            worker,
            run_after=self.clock.now() + delay,
            error_code=code,
            error=error,
            attempts=Job.attempts if is_counted else Job.attempts - 1,
        )

    async def give_way(self, job_id: UUID, worker: str, *, priority: int) -> None:
        """Put a job back because another one is to go first. Its attempt is not counted."""
        await self._put_back(job_id, worker, run_after=None, priority=priority, attempts=Job.attempts - 1)

    async def _put_back(self, job_id: UUID, worker: str, **values: Any) -> None:
        held = update(Job).where(Job.id == job_id, Job.status == "running", Job.worker == worker)
        await self.session.execute(held.values(status="queued", worker=None, lease_until=None, **values))

    async def words_stand(self, job_id: UUID) -> None:
        """The material can be searched by words; its vectors come after the words of others."""
        done = update(Job).where(Job.id == job_id)
        await self.session.execute(
            done.values(arguments=Job.arguments.concat({"words": True}), priority=Job.priority - 1)
        )

    async def remember(self, job_id: UUID, **arguments: Any) -> None:
        """Add to what the worker needs to know of a job when it takes it up again."""
        added = Job.arguments.concat(arguments)
        await self.session.execute(update(Job).where(Job.id == job_id).values(arguments=added))

    async def cancel(self, row: Job) -> Job:
        """A queued job ends at once; a running one is asked to stop. Raises Conflict when it has ended already."""
        if row.status in FINAL:
            raise Conflict(f"This job has ended already: {row.status}.", code="job_ended")
        row.cancel_requested = True
        if row.status == "queued":
            row.status, row.finished_at = "cancelled", self.clock.now()
        await self.session.flush()
        return row

    async def retry(self, row: Job) -> Job:
        """Queue a failed or cancelled job again, from where it stopped; as a rule somebody waits for it."""
        if row.status not in ("failed", "cancelled"):
            raise Conflict(
                f"Only a failed or cancelled job can be retried; this one is {row.status}.",
                code="job_not_failed",
            )
        row.status, row.cancel_requested, row.attempts = "queued", False, 0
        row.priority = URGENT if row.priority > IDLE else IDLE
        row.error = row.error_code = row.finished_at = row.run_after = row.worker = None
        await self.session.flush()
        return row
