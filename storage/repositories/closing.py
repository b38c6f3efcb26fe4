"""Closing an account: signing the person out, stopping what runs in their name, and the last rows to go."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from uuid import UUID

from sqlalchemy import delete, func, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession

from storage.models import ApiKey, Conversation, Job, OAuthGrant, Run, User, UserSession
from storage.repositories.base import Repository
from storage.repositories.conversations import STALE

FORMER_EMAIL = "former_email"
NOBODY = "Deleted account"


@dataclass(frozen=True, slots=True)
class Traces:
    """By what a person is found where no foreign key leads: ids in the names of Redis keys, an address in texts."""

    ids: frozenset[str]
    email: str | None


async def accounts_to_erase(session: AsyncSession, limit: int) -> list[tuple[UUID, datetime]]:
    """(user id, when it was closed) of closed accounts that still have rows, across all users, oldest first."""
    rows = await session.execute(text("SELECT * FROM lyceum_accounts_to_erase(:n)"), {"n": limit})
    return [(row.user_id, row.deleted_at) for row in rows]


async def user_ids(session: AsyncSession, after: UUID | None, limit: int) -> list[UUID]:
    """Ids of all accounts after `after`, in order; nothing else crosses users."""
    rows = await session.execute(
        text("SELECT * FROM lyceum_user_ids(CAST(:after AS uuid), :n)"), {"after": after, "n": limit}
    )
    return [row.user_id for row in rows]


class ClosingRepository(Repository):
    async def close(self, now: datetime) -> list[bytes]:
        """Make the account unusable. Gives the hashes of the tokens and keys that have ended.

        The address is set free at once, so that the person can sign up again; it is kept until the erasure, which looks
        for it in the audit trail.
        """
        me = await self.session.get_one(User, self.user_id, with_for_update=True)
        me.preferences = {FORMER_EMAIL: me.email}
        me.email, me.name, me.username = f"{me.id}@deleted.invalid", NOBODY, None
        me.password_hash, me.is_active, me.is_local_owner, me.deleted_at = None, False, False, now
        await self.session.flush()
        ended: list[bytes] = []
        for model, column in ((UserSession, UserSession.access_hash), (ApiKey, ApiKey.key_hash)):
            revoked = update(model).where(model.user_id == self.user_id).values(revoked_at=now)
            ended += (await self.session.scalars(revoked.returning(column))).all()
        let_in = update(OAuthGrant).where(OAuthGrant.user_id == self.user_id).values(revoked_at=now)
        tokens = await self.session.execute(
            let_in.returning(OAuthGrant.access_hash, OAuthGrant.previous_access_hash)
        )
        return ended + [digest for pair in tokens for digest in pair if digest is not None]

    async def stop(self, now: datetime) -> tuple[Sequence[UUID], Sequence[UUID]]:
        """Cancel all jobs. Gives the runs and jobs that a living process still works on."""
        open_jobs = update(Job).where(Job.user_id == self.user_id, Job.finished_at.is_(None))
        waiting = open_jobs.where(Job.status == "queued")
        await self.session.execute(waiting.values(status="cancelled", cancel_requested=True, finished_at=now))
        await self.session.execute(open_jobs.values(cancel_requested=True))
        running = select(Job.id).where(
            Job.user_id == self.user_id, Job.status == "running", Job.lease_until > now
        )
        answering = select(Run.id).where(
            Run.user_id == self.user_id, Run.status == "running", Run.heartbeat_at > now - STALE
        )
        return (await self.session.scalars(answering)).all(), (await self.session.scalars(running)).all()

    async def traces(self) -> Traces:
        ids = {str(self.user_id)}
        for model in (Run, Job, UserSession, ApiKey, OAuthGrant, Conversation):
            found = await self.session.scalars(select(model.id).where(model.user_id == self.user_id))
            ids.update(map(str, found))
        me = await self.session.get_one(User, self.user_id)
        return Traces(frozenset(ids), me.preferences.get(FORMER_EMAIL))

    async def audited_months(self, now: datetime) -> list[tuple[datetime, datetime]]:
        """[start, end) of each month from the account's first day to tomorrow; nobody could name it before."""
        me = await self.session.get_one(User, self.user_id)
        start, end = me.created_at - timedelta(days=1), now + timedelta(days=1)
        cuts = [start]
        while cuts[-1] < end:
            cuts.append(cuts[-1] + timedelta(days=31))
        return list(pairwise(cuts))

    async def erase_audit(self, traces: Traces, start: datetime, end: datetime) -> int:
        """Remove the person's rows of that time, and the person from other people's rows. How many rows it touched."""
        words = [traces.email] if traces.email else []
        touched = func.lyceum_erase_audit(self.user_id, words, start, end)
        return int(await self.session.scalar(select(touched)) or 0)

    async def lock(self) -> None:
        await self.session.get_one(User, self.user_id, with_for_update=True)

    async def remove_account(self) -> None:
        """The account, with every row that still points at it."""
        await self.session.execute(delete(User).where(User.id == self.user_id))

    async def gone(self) -> bool:
        """Whether the account has no row any more."""
        return await self.session.get(User, self.user_id) is None
