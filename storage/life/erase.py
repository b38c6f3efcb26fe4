"""Erases a person from PostgreSQL, Chroma, Redis and the file store.

The account is closed first, in one transaction: nobody can sign in any more, and `users.deleted_at` is from then on the
note that there is work to do. It is the last row to go, so an erasure that was killed, or met a store that was down, is
found and taken up again. Every step may be done twice.
"""

from uuid import UUID

from storage.files import person_prefix
from storage.life.keys import forget_keys
from storage.life.purge import Check, Purge, Removed
from storage.repositories.closing import Traces
from storage.repositories.life import personal_tables
from storage.resources import Storage


class StillBusy(Exception):
    """Something of the person's still runs and would write behind our back; try again in a few seconds."""


class Erasure:
    """One account. Call `run` until it returns."""

    def __init__(self, storage: Storage, user_id: UUID, check: Check) -> None:
        self._storage = storage
        self._user_id = user_id
        self._check = check
        self._purge = Purge(storage, user_id, check)

    @property
    def removed(self) -> Removed:
        return self._purge.removed

    async def run(self) -> None:
        """Raises StillBusy while jobs or answers of the person end, Unavailable when a store is down."""
        traces = await self._halt()
        await self._collections()
        await self._objects()
        self.removed["keys"] += await forget_keys(self._storage.redis, traces.ids)
        await self._rows()
        await self._audit(traces)
        await self._account()

    async def _halt(self) -> Traces:
        """Stop what runs in the person's name, and wait for its end."""
        async with self._storage.as_user(self._user_id) as db:
            runs, jobs = await db.closing.stop(self._storage.clock.now())
            traces = await db.closing.traces()
        for run_id in runs:
            await self._storage.runs.request_cancel(run_id)
        if runs or jobs:
            raise StillBusy
        return traces

    async def _collections(self) -> None:
        """Collections say whose they are; also those of classes that are purged, and of kinds that came later."""
        mine = str(self._user_id)
        heads = self._storage.vectors.collections()
        names = [head.name async for head in heads if head.metadata.get("user_id") == mine]
        for name in names:
            await self._check()
            await self._storage.vectors.drop(name)
            self.removed["collections"] += 1

    async def _objects(self) -> None:
        async for stored in self._storage.files.keys(person_prefix(self._user_id)):
            await self._check()
            await self._storage.files.delete(stored)
            self.removed["objects"] += 1
        await self._storage.files.remove_folder(person_prefix(self._user_id))

    async def _rows(self) -> None:
        """Everything but the account itself. What cannot be removed here falls with the account."""
        async with self._storage.as_user(self._user_id, read_only=True) as db:
            may = await db.life.removable()
        for table in reversed(personal_tables()):
            if table.name in may and table.name != "users" and "user_id" in table.c:
                await self._purge.clear(table, table.c.user_id == self._user_id)

    async def _audit(self, traces: Traces) -> None:
        """The person's own rows, and their name in the rows of others, a month at a time."""
        async with self._storage.as_user(self._user_id, read_only=True) as db:
            months = await db.closing.audited_months(self._storage.clock.now())
        for start, end in months:
            await self._check()
            async with self._storage.as_user(self._user_id) as db:
                self.removed["audit_logs"] += await db.closing.erase_audit(traces, start, end)

    async def _account(self) -> None:
        """The last row. While it is locked, nothing that points at the account can be added; so what an upload in
        flight has put into the store by now is seen here, and one that ends later finds no account and takes its file back."""
        async with self._storage.as_user(self._user_id) as db:
            await db.closing.lock()
            await self._objects()
            await db.closing.remove_account()
        self.removed["users"] += 1
