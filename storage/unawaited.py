"""What goes on after its caller has gone on: tasks that nobody waits for."""

import asyncio
from collections.abc import Coroutine

import structlog

log = structlog.get_logger()


class Unawaited:
    """Holds its tasks until they end, and logs what they raise under one event name. Used within one event loop."""

    def __init__(self, failed: str) -> None:
        self._failed = failed
        self._tasks: set[asyncio.Task[None]] = set()

    def start(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    async def settle(self) -> None:
        """Waits for all that have begun."""
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _ended(self, task: "asyncio.Task[None]") -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.warning(self._failed, reason=repr(error))
