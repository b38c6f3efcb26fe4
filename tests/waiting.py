"""Waiting for what another task or process does: long enough for a busy machine, and a failure says what was awaited."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TypeVar

T = TypeVar("T")

PATIENCE = 120.0
"""Seconds after which what is awaited will never come, also on a machine that has much else to do."""
SOON = 15.0
"""Seconds within which a busy machine does what should happen at once. Without it, a minute would go by, or all eternity."""
PAUSE = 0.15
"""Between two looks: a tool may be called 600 times a minute."""


async def until(
    look: Callable[[], Awaitable[T]], what: str, seconds: float = PATIENCE, *, pause: float = PAUSE
) -> T:
    """The first answer of `look` that is true."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + seconds
    while not (seen := await look()):
        assert loop.time() < deadline, f"waited {seconds:.0f} s for {what}, and saw {seen!r}"
        await asyncio.sleep(pause)
    return seen


@asynccontextmanager
async def patience(what: str, seconds: float = PATIENCE) -> AsyncGenerator[None]:
    """A block that must end in time."""
    try:
        async with asyncio.timeout(seconds) as limit:
            yield
    except TimeoutError as error:
        if limit.expired():
            raise AssertionError(f"waited {seconds:.0f} s for {what}") from error
        raise


async def awaited(coming: Awaitable[T], what: str, seconds: float = PATIENCE) -> T:
    """The result of something that must end in time."""
    try:
        return await asyncio.wait_for(coming, seconds)
    except TimeoutError as error:
        raise AssertionError(f"waited {seconds:.0f} s for {what}") from error
