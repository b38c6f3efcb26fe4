"""What a worker does beside its jobs: erases closed accounts within seconds, grades tests whose time is up, and cleans up once
a day.

Any number of workers may run it; a lease in the database gives each task to one of them at a time.
"""

import asyncio
import time
from collections import Counter
from contextlib import suppress
from datetime import timedelta
from uuid import UUID

import structlog

from storage.errors import LyceumError
from storage.garbage import collect_garbage
from storage.life.erase import Erasure, StillBusy
from storage.life.orphans import drop_orphans
from storage.life.purge import Purge, Removed
from storage.life.turns import Turn, TurnLost, take_turn
from storage.repositories.audit import make_partitions
from storage.repositories.closing import accounts_to_erase, user_ids
from storage.resources import Storage
from tools.attempts.finishing import grade_overdue
from tools.oauth.clients import forget_unused
from tools.progress.metrics import end_silent_sessions_of_all

log = structlog.get_logger()

LOOK_SECONDS = 2.0
"""How often a worker looks whether there is anything to do."""
GRADE_SECONDS = 30.0
"""How often it looks for tests whose time is up: one query over a small index."""
DAILY, ERASE = "daily", "erase_accounts"
DAY = timedelta(days=1)
USERS_A_PAGE = 200
KEEP_SECONDS = 5.0
"""How often the lease is renewed while batches go by; it lasts two minutes."""
RETRY = timedelta(minutes=5)
"""Pause after a failed daily task; an erasure is tried again at the next look."""


class Upkeep:
    """The recurring tasks of one worker."""

    def __init__(self, storage: Storage, worker: str) -> None:
        self._storage = storage
        self._worker = worker
        self._daily_after = 0.0
        self._grade_after = 0.0

    async def __call__(self, stopping: asyncio.Event) -> None:
        """Look for work until stopped. What goes wrong is logged and tried again: this must not end the worker."""
        while not stopping.is_set():
            try:
                await self.erase_accounts()
                await self.grade_tests()
                if time.monotonic() >= self._daily_after:
                    await self.daily()
            except TurnLost:
                log.info("upkeep_taken_over", worker=self._worker)
            except LyceumError as error:
                self._daily_after = time.monotonic() + RETRY.total_seconds()
                log.warning("upkeep_waits", reason=str(error))
            except Exception:
                self._daily_after = time.monotonic() + RETRY.total_seconds()
                log.exception("upkeep_failed", worker=self._worker)
            with suppress(TimeoutError):
                await asyncio.wait_for(stopping.wait(), LOOK_SECONDS)

    # --- closed accounts

    async def erase_accounts(self) -> Removed:
        """Erase what can be erased now. An account that is still busy, or whose store is down, waits for the next look."""
        removed: Removed = Counter()
        async with self._storage.database.transaction(None, read_only=True) as session:
            waiting = await accounts_to_erase(session, 20)
        if not waiting:
            return removed
        turn = await take_turn(self._storage, ERASE, self._worker, every=timedelta(0))
        if turn is None:
            return removed
        error: str | None = None
        for user_id, _ in waiting:
            try:
                removed += await self._erase(turn, user_id)
            except StillBusy:
                log.info("erasure_waits_for_running_work", user_id=str(user_id))
            except LyceumError as problem:
                error = str(problem)
                log.warning("erasure_put_off", user_id=str(user_id), reason=error)
        await turn.end(removed, error=error)
        return removed

    async def _erase(self, turn: Turn, user_id: UUID) -> Removed:
        erasure = Erasure(self._storage, user_id, Keeper(turn))
        await erasure.run()
        log.info("account_erased", removed=dict(erasure.removed))
        return erasure.removed

    # --- tests

    async def grade_tests(self) -> int:
        """Grade attempts whose time is up and that nobody handed in. Workers may do it at the same time: a lock decides."""
        if time.monotonic() < self._grade_after:
            return 0
        self._grade_after = time.monotonic() + GRADE_SECONDS
        return await grade_overdue(self._storage)

    # --- once a day

    async def daily(self) -> Removed | None:
        """Purge what is over for all users, and what nobody owns. None when it is not due or another worker does it."""
        turn = await take_turn(self._storage, DAILY, self._worker, every=DAY)
        if turn is None:
            return None
        removed: Removed = Counter(turn.removed)
        keep = Keeper(turn, removed)
        try:
            await make_partitions(self._storage.database, self._storage.clock.now())
            await end_silent_sessions_of_all(self._storage)
            await self._purge_users(turn, keep, removed)
            removed["oauth_clients"] += await forget_unused(self._storage)
            await drop_orphans(self._storage, keep, removed)
            removed["objects"] += (await collect_garbage(self._storage)).objects
        except LyceumError as error:
            await turn.end(removed, error=str(error))
            raise
        await turn.end(removed)
        log.info("daily_upkeep_done", removed={k: v for k, v in removed.items() if v})
        return removed

    async def _purge_users(self, turn: Turn, keep: "Keeper", removed: Removed) -> None:
        now = self._storage.clock.now()
        last = UUID(turn.position) if turn.position else None
        while True:
            async with self._storage.database.transaction(None, read_only=True) as session:
                page = await user_ids(session, last, USERS_A_PAGE)
            for user_id in page:
                purge = Purge(self._storage, user_id, keep)
                try:
                    await purge.run(now)
                finally:
                    removed.update(purge.removed)
            if not page:
                return
            last = page[-1]
            await turn.keep(removed, str(last))


class Keeper:
    """Renews the lease while batches go by; raises TurnLost once another worker has the task."""

    def __init__(self, turn: Turn, removed: Removed | None = None) -> None:
        self._turn = turn
        self._removed: Removed = Counter() if removed is None else removed
        self._kept = time.monotonic()

    async def __call__(self) -> None:
        if time.monotonic() - self._kept >= KEEP_SECONDS:
            self._kept = time.monotonic()
            await self._turn.keep(self._removed)
