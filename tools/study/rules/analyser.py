"""The worker's side of the analysing process: started when first needed, replaced once when it dies, ended by `end` or `close`."""

import asyncio
import multiprocessing
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool

import structlog

from storage.errors import Unavailable
from tools.study.rules.analysed import Analysed
from tools.study.rules.english import analyse, prepare
from tools.study.rules.kept import Kept

log = structlog.get_logger()

STEP = 48
"""Sentences a call: some 0.3 s, so that a cancelled job ends soon."""
MOST_KNOWN = 4000
"""Sentences that are kept, some 6 kB each; those of the material that is being read always are."""


class Analyser:
    """Analyses English sentences. Not to be shared between event loops."""

    def __init__(self) -> None:
        self._pool: ProcessPoolExecutor | None = None
        self._known: Kept[Analysed] = Kept(MOST_KNOWN)

    async def analyse(self, texts: Sequence[str]) -> list[Analysed]:
        """Each text as one sentence; those analysed before are not analysed again. Raises Unavailable when the process dies twice."""
        new = self._known.missing(texts)
        for first in range(0, len(new), STEP):
            step = new[first : first + STEP]
            self._known.add(dict(zip(step, await self._step(step), strict=True)))
        return self._known.of(texts)

    async def _step(self, texts: list[str]) -> list[Analysed]:
        for _ in range(2):
            pool = self._started()
            try:
                return await asyncio.get_running_loop().run_in_executor(pool, analyse, texts)
            except BrokenProcessPool:
                log.warning("analyser_died", sentences=len(texts))
                self._drop(pool)
        raise Unavailable(
            "The program that analyses sentences ended twice while it worked.", code="analyser_unavailable"
        )

    def _started(self) -> ProcessPoolExecutor:
        if self._pool is None:
            # Spawned: a fork would copy the threads' locks and the memory of the worker.
            self._pool = ProcessPoolExecutor(
                1, mp_context=multiprocessing.get_context("spawn"), initializer=prepare
            )
        return self._pool

    def _drop(self, pool: ProcessPoolExecutor) -> None:
        if self._pool is pool:
            self._pool = None
        pool.shutdown(wait=False, cancel_futures=True)

    def end(self) -> None:
        """Let go of the process once it is done, and of what it has said."""
        self._known.clear()
        if self._pool is not None:
            self._drop(self._pool)

    async def close(self) -> None:
        """End the process, also while it works, and wait for its end."""
        self._known.clear()
        pool, self._pool = self._pool, None
        if pool is not None:
            await asyncio.to_thread(pool.shutdown, wait=True, cancel_futures=True)
