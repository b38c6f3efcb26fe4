"""Whether this process lives, whether its stores answer, and what it has counted."""

import asyncio
from collections.abc import Awaitable

from fastapi import APIRouter
from fastapi.responses import JSONResponse, PlainTextResponse, Response

from assistant.api.problems import problem
from assistant.api.services import ServicesDep
from storage.errors import LyceumError

router = APIRouter(tags=["health"])

PATIENCE = 3.0
"""Seconds that a store may take to answer."""


@router.get("/healthz")
async def alive() -> dict[str, str]:
    """The process answers."""
    return {"status": "ok"}


@router.get(
    "/readyz", response_class=JSONResponse, responses={503: {"description": "A store does not answer."}}
)
async def ready(services: ServicesDep) -> Response:
    """All stores answer; otherwise 503 names those that do not."""
    pings = services.storage.pings()
    answers = await asyncio.gather(*(_answers(ping()) for ping in pings.values()))
    stores = {name: "ok" if fine else "down" for name, fine in zip(pings, answers, strict=True)}
    down = [name for name, state in stores.items() if state == "down"]
    if not down:
        return JSONResponse({"status": "ok", "stores": stores})
    sentence = f"Not ready: {', '.join(down)} {'does' if len(down) == 1 else 'do'} not answer."
    return problem(503, "not_ready", sentence, stores=stores)


@router.get("/metrics", response_class=PlainTextResponse)
async def metrics(services: ServicesDep) -> Response:
    """Counts of this process for Prometheus."""
    return Response(services.metrics.text(), media_type="text/plain; version=0.0.4")


async def _answers(ping: Awaitable[None]) -> bool:
    try:
        await asyncio.wait_for(ping, PATIENCE)
    except (LyceumError, TimeoutError):
        return False
    return True
