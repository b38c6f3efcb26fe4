"""The chat: starts runs, lets clients follow and stop them, keeps them alive, and ends those of dead processes."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import replace
from uuid import UUID

import structlog
from ag_ui.core import RunAgentInput

from assistant.chat.following import Numbered, check_resumable, find_run, follow
from assistant.chat.records import NewRun, record_run
from assistant.chat.recovery import recover
from assistant.chat.runs import LiveRun, ModelFactory
from storage.errors import Forbidden, NotFound, RateLimited, Unavailable
from storage.resources import Storage
from tools.context import Principal
from tools.executor import Executor

log = structlog.get_logger()

TICK_SECONDS = 1.0
BEAT_TICKS, RECOVERY_TICKS = 3, 10
"""A sign of life every 3 s; a run without one for 15 s (`storage.repositories.conversations.STALE`) is dead."""
STOP_SECONDS = 2.0
CLOSE_SECONDS = 5.0
MOST_RUNS = 4
"""Answers that one user may have in the making at a time, in one process."""


class ChatService:
    """One per process. A run lives here, not in the request that began it."""

    def __init__(self, storage: Storage, executor: Executor, model_factory: ModelFactory) -> None:
        self._storage = storage
        self._executor = executor
        self._model_factory = model_factory
        self._live: dict[UUID, tuple[LiveRun, asyncio.Task[None]]] = {}
        self._starting: Counter[UUID] = Counter()
        self._upkeep: asyncio.Task[None] | None = None
        self._stopping = False

    async def start(self) -> None:
        """End the runs that a dead process left, and keep looking for such."""
        self._upkeep = asyncio.create_task(self._keep_up())

    async def stop(self) -> None:
        """Give running answers a moment, then store what they have as interrupted."""
        self._stopping = True
        if self._upkeep is not None:
            self._upkeep.cancel()
            with suppress(asyncio.CancelledError):
                await self._upkeep
        await self._wait(STOP_SECONDS)
        for live, _ in list(self._live.values()):
            live.interrupt()
        await self._wait(CLOSE_SECONDS)

    async def _wait(self, seconds: float) -> None:
        tasks = [task for _, task in self._live.values()]
        if tasks:
            await asyncio.wait(tasks, timeout=seconds)

    async def begin(self, principal: Principal, request: RunAgentInput) -> str:
        """Record the question and start answering. The same run id again starts nothing. Gives the run id to follow.

        Raises InvalidInput, TooLarge, NotFound (class), Conflict `run_in_progress`, RateLimited `too_many_runs`, Forbidden,
        Unavailable.
        """
        allowed(principal, "conversations:write")
        if self._stopping:
            raise Unavailable("The server is restarting. Please ask again in a moment.", code="restarting")
        # Counted before the first await, so that requests that come together cannot all pass.
        self._starting[principal.user_id] += 1
        try:
            await self._admit(principal.user_id, request)
            await self._storage.runs.ping()
            new = await record_run(self._storage, principal, request)
            if new is not None:
                self._run(new, principal)
        finally:
            self._starting -= Counter([principal.user_id])
        return request.run_id.strip()

    async def _admit(self, user_id: UUID, request: RunAgentInput) -> None:
        """Refuse a new run of a user who has `MOST_RUNS` going; attaching to a known run starts nothing."""
        running = sum(live.principal.user_id == user_id for live, _ in self._live.values())
        if running + self._starting[user_id] <= MOST_RUNS:
            return
        try:
            await find_run(self._storage, user_id, request.run_id.strip())
        except NotFound:
            raise RateLimited(
                f"{MOST_RUNS} answers are being written for you already. Wait for one of them, or stop it first.",
                code="too_many_runs",
            ) from None

    def _run(self, new: NewRun, principal: Principal) -> None:
        live = LiveRun(
            new, replace(principal, surface="chat"), self._storage, self._executor, self._model_factory
        )
        task = asyncio.create_task(live.run(), name=f"run {new.run_id}")
        self._live[new.run_id] = (live, task)
        task.add_done_callback(lambda _: self._live.pop(new.run_id, None))

    async def follow(
        self, principal: Principal, client_run_id: str, after: int = 0
    ) -> AsyncIterator[Numbered]:
        """(n, event as JSON) after number `after`, until the run's final event. Raises NotFound and Conflict at once."""
        allowed(principal, "conversations:read")
        run = await find_run(self._storage, principal.user_id, client_run_id)
        if after:
            await check_resumable(self._storage, run, after)
        return follow(self._storage, run, after)

    async def cancel(self, principal: Principal, client_run_id: str) -> str:
        """Ask a run to stop; it may live in another process. Gives the run's status before that."""
        allowed(principal, "conversations:write")
        run = await find_run(self._storage, principal.user_id, client_run_id)
        if run.status == "running":
            if run.id in self._live:
                self._live[run.id][0].cancel()
            else:
                await self._storage.runs.request_cancel(run.id)
        return run.status

    async def _keep_up(self) -> None:
        tick = 0
        while True:
            try:
                if tick % RECOVERY_TICKS == 0:
                    await recover(self._storage, set(self._live))
                if tick % BEAT_TICKS == 0:
                    await self._beat()
                await self._look_for_cancels()
            except Unavailable as error:
                log.warning("chat_upkeep_failed", error=str(error))
            except Exception:
                log.exception("chat_upkeep_failed")
            tick += 1
            await asyncio.sleep(TICK_SECONDS)

    async def _beat(self) -> None:
        for run_id, (live, _) in list(self._live.items()):
            async with self._storage.as_user(live.principal.user_id) as db:
                await db.conversations.beat(run_id)

    async def _look_for_cancels(self) -> None:
        for run_id, (live, _) in list(self._live.items()):
            if await self._storage.runs.cancel_requested(run_id):
                live.cancel()


def allowed(principal: Principal, scope: str) -> None:
    """Raises Forbidden for a key without the scope."""
    if not principal.allows(scope):
        raise Forbidden(
            f"This needs the permission {scope!r}, which this key does not have.", code="missing_scope"
        )
