"""PDFs by Typst in a child process: off the event loop, with a limit of time and memory."""

import asyncio
import json
import os
import sys
from types import TracebackType
from typing import Any

import structlog

from storage.errors import Unavailable
from tools.documents.rendering.blocks import Page
from tools.documents.rendering.typst_data import data_of, without_formulas

SECONDS = 30.0
"""For one PDF, the start of the child included; usual is 0.1 s, and 0.5 s for a guide of 60 pages."""
LINE_LIMIT = 1 << 20
CHILD = "tools.documents.rendering.child"


log = structlog.get_logger()


class NotSet(Exception):
    """Typst could not set this page."""


class Typesetter:
    """A child that sets one page after another, for as long as the `async with` block lasts."""

    def __init__(self, seconds: float = SECONDS) -> None:
        self._seconds = seconds
        self._child: asyncio.subprocess.Process | None = None

    async def __aenter__(self) -> "Typesetter":
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._end()

    async def pdf(self, page: Page, language: str | None = None) -> bytes:
        """The page as a PDF; formulas that Typst cannot set are shown as their sources.

        Raises Unavailable when it takes too long.
        """
        try:
            return await self.exactly(page, language)
        except NotSet as error:
            log.warning("page_not_set", reason=str(error))
            return await self.exactly(without_formulas(page), language)

    async def exactly(self, page: Page, language: str | None = None) -> bytes:
        """The page as it is. Raises NotSet when Typst refuses something of it, Unavailable when it takes too long."""
        return await self._set(data_of(page, (language or "en")[:2].lower()))

    async def _set(self, data: dict[str, Any]) -> bytes:
        try:
            async with asyncio.timeout(self._seconds):
                return await self._ask(json.dumps(data).encode() + b"\n")
        except (TimeoutError, asyncio.IncompleteReadError, BrokenPipeError, ConnectionResetError) as error:
            await self._end()
            raise Unavailable("This document could not be set as a PDF.", code="pdf_not_made") from error
        except asyncio.CancelledError:
            # Half an answer may be on its way: the next page would read it as its own.
            await self._end()
            raise

    async def _ask(self, line: bytes) -> bytes:
        child = self._child or await self._start()
        if child.stdin is None or child.stdout is None:
            raise BrokenPipeError
        child.stdin.write(line)
        await child.stdin.drain()
        length = int.from_bytes(await child.stdout.readexactly(4), "big")
        if length:
            return await child.stdout.readexactly(length)
        length = int.from_bytes(await child.stdout.readexactly(4), "big")
        raise NotSet((await child.stdout.readexactly(length)).decode())

    async def _start(self) -> asyncio.subprocess.Process:
        self._child = await asyncio.create_subprocess_exec(
            *(sys.executable, "-P", "-m", CHILD, str(os.getpid())),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            env={},
            start_new_session=True,
            limit=LINE_LIMIT,
        )
        return self._child

    async def _end(self) -> None:
        child, self._child = self._child, None
        if child is not None and child.returncode is None:
            child.kill()
            await child.wait()
