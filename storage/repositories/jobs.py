"""Jobs: the rows that are the truth about background work."""

from datetime import timedelta
from uuid import UUID

from sqlalchemy import or_, select, text, update
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.ext.asyncio import AsyncSession

from storage.errors import Conflict, NotFound
from storage.models import Job
from storage.repositories.base import Page, Repository, as_uuid

LEASE = timedelta(seconds=15)
FINAL = ("succeeded", "failed", "cancelled")


async def open_jobs(session: AsyncSession, limit: int) -> list[tuple[UUID, UUID]]:
    """(job id, user id) of jobs that any worker may take now, across all users, most urgent first."""
    rows = await session.execute(text("SELECT job_id, user_id FROM lyceum_open_jobs(:n)"), {"n": limit})
    return [(row.job_id, row.user_id) for row in rows]


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
            .where(Job.id == job_id, Job.user_id == self.user_id, Job.status.in_(("queued", "running")), free)
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

    async def requeue(self, job_id: UUID, *, delay: timedelta, code: str, error: str) -> None:
        """Put a job back after a passing fault, to run after a delay."""
        await self.session.execute(
            update(Job)
            .where(Job.id == job_id, Job.status == "running")
            .values(
                status="queued",
                worker=None,
                lease_until=None,
                run_after=self.clock.now() + delay,
                error_code=code,
                error=error,
            )
        )

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
        """Queue a failed or cancelled job again, from where it stopped."""
        if row.status not in ("failed", "cancelled"):
            raise Conflict(
                f"Only a failed or cancelled job can be retried; this one is {row.status}.",
                code="job_not_failed",
            )
        row.status, row.cancel_requested, row.attempts = "queued", False, 0
        row.error = row.error_code = row.finished_at = row.run_after = row.worker = None
        await self.session.flush()
        return row
