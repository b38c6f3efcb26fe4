"""What the built-in maker works with and a worker keeps between two jobs: the process that analyses sentences, what it said of them,
and vectors of terms. It is let go of when no job has come for a while, so that an idle laptop has its memory back."""

import asyncio

import numpy as np
from numpy.typing import NDArray

from tools.study.port import Embed, Matrix
from tools.study.rules.analyser import Analyser
from tools.study.rules.kept import Kept

IDLE_SECONDS = 300.0
"""To start again takes 1.5 s of computing; 150 MB are held meanwhile."""
MOST_VECTORS = 4000
"""1.5 kB each."""
EMBEDDED_AT_A_TIME = 64


class Equipment:
    """For one maker after another, of one event loop. Without `idle_seconds` it ends with the first."""

    def __init__(self, idle_seconds: float = 0.0) -> None:
        self.analyser = Analyser()
        self._vectors: Kept[NDArray[np.float32]] = Kept(MOST_VECTORS)
        self._idle_seconds = idle_seconds
        self._end: asyncio.TimerHandle | None = None

    async def vectors(self, texts: list[str], embed: Embed) -> Matrix:
        """A unit vector for each text, embedded unless it was before."""
        if not texts:
            return np.zeros((0, 1), np.float32)
        new = self._vectors.missing(texts)
        for first in range(0, len(new), EMBEDDED_AT_A_TIME):
            step = new[first : first + EMBEDDED_AT_A_TIME]
            self._vectors.add(dict(zip(step, await embed(step), strict=True)))
        return np.vstack(self._vectors.of(texts))

    def take(self) -> None:
        """A maker begins to use it."""
        self._stay()

    async def give_back(self) -> None:
        """A maker needs it no more."""
        self._stay()
        if self._idle_seconds:
            self._end = asyncio.get_running_loop().call_later(self._idle_seconds, self._let_go)
        else:
            await self.close()

    def _stay(self) -> None:
        if self._end is not None:
            self._end.cancel()
            self._end = None

    def _let_go(self) -> None:
        self._vectors.clear()
        self.analyser.end()

    async def close(self) -> None:
        """End the process, also while it works."""
        self._stay()
        self._vectors.clear()
        await self.analyser.close()
