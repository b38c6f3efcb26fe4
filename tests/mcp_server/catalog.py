"""The real catalogue and tools that misbehave on purpose: slow, broken, and endless until cancelled."""

import asyncio
from collections.abc import Awaitable

from pydantic import BaseModel, Field

from tools.catalog import CATALOG
from tools.context import ToolContext
from tools.spec import Effect, Input, NoInput, tool

started = asyncio.Event()
cancelled = asyncio.Event()


class Steps(Input):
    count: int = Field(ge=1, le=10)


class Done(BaseModel):
    done: int


@tool(effect=Effect.READ, toolset="trials", own_transaction=True)
async def count_slowly(ctx: ToolContext, args: Steps) -> Done:
    """Count up, with progress."""
    for step in range(1, args.count + 1):
        await ctx.progress(step, args.count, f"step {step}")
    return Done(done=args.count)


@tool(effect=Effect.READ, toolset="trials", own_transaction=True)
async def wait_forever(ctx: ToolContext, args: NoInput) -> Done:
    """Never end."""
    await ctx.progress(0, None, "waiting")
    await waiting(asyncio.Event().wait())
    return Done(done=0)


@tool(effect=Effect.READ, toolset="trials", own_transaction=True)
async def wait_for_several(ctx: ToolContext, args: NoInput) -> Done:
    """Never end. Being cancelled, `gather` raises an error of its own making, because the last of them has ended."""
    await waiting(asyncio.gather(asyncio.Event().wait(), asyncio.sleep(0), return_exceptions=True))
    return Done(done=0)


async def waiting(endless: Awaitable[object]) -> None:
    started.set()
    try:
        await endless
    except asyncio.CancelledError:
        cancelled.set()
        raise


@tool(effect=Effect.READ, toolset="trials", own_transaction=True)
async def break_badly(ctx: ToolContext, args: NoInput) -> Done:
    """A bug; its text is a secret that no client may read."""
    return Done.model_validate({"done": "a secret of the inside"})


TRIALS = {
    **CATALOG,
    **{spec.name: spec for spec in (count_slowly, wait_forever, wait_for_several, break_badly)},
}
