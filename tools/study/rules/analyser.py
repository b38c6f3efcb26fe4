"""The worker's side of the analysing process: started when first needed, replaced once when it dies, ended by `close`."""

import asyncio
import multiprocessing
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool

import structlog

from storage.errors import Unavailable
from tools.study.rules.analysed import Analysed
from tools.study.rules.english import analyse, prepare

log = structlog.get_logger()

STEP = 48
"""Sentences a call: some 0.3 s, so that a cancelled job ends soon."""


MOST_KNOWN = 6000
"""Sentences that are kept, some 6 kB each; those of the material that is being read always are."""


class Analyser:
    """Analyses English sentences. Not to be shared between event loops."""

    def __init__(self) -> None:
        self._pool: ProcessPoolExecutor | None = None
        self._known: dict[str, Analysed] = {}

    async def analyse(self, texts: Sequence[str]) -> list[Analysed]:
        """Each text as one sentence; those analysed before are not analysed again. Raises Unavailable when the process dies twice."""
        new = list(dict.fromkeys(text for text in texts if text not in self._known))
        if len(self._known) + len(new) > MOST_KNOWN:
            self._known = {text: self._known[text] for text in texts if text in self._known}
        for first in range(0, len(new), STEP):
            step = new[first : first + STEP]
            self._known.update(zip(step, await self._step(step), strict=True))
        return [self._known[text] for text in texts]

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

    async def close(self) -> None:
        """End the process, also while it works."""
        self._known.clear()
        pool, self._pool = self._pool, None
        if pool is not None:
            await asyncio.to_thread(pool.shutdown, wait=True, cancel_futures=True)
