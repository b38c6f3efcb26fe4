"""How long a search takes: over HTTP, and through the executor in this process."""

import time
from collections.abc import Awaitable, Callable
from typing import Any

import httpx

from benchmarks.questions import QUESTIONS, WARM_UP
from benchmarks.reading import CLASS_NAME, tool
from benchmarks.report import Aim, Section, p50_p95
from benchmarks.tools_in_process import Inside

Search = Callable[[str], Awaitable[dict[str, Any]]]


async def measure_search(client: httpx.AsyncClient, inside: Inside) -> Section:
    """One after the other, each question once; nothing is cached between the two rows but the store's pages."""

    async def over_http(query: str) -> dict[str, Any]:
        return await tool(client, "search_materials", query=query, class_id=CLASS_NAME)

    async def in_process(query: str) -> dict[str, Any]:
        return await inside.call("search_materials", query=query, class_id=CLASS_NAME)

    section = Section("search", "search_materials", ["p50 ms", "p95 ms", "with hits"])
    section.aims = [Aim("executor, in process", "p50 ms", 25)]
    section.rows["over HTTP"] = await asked(over_http)
    section.rows["executor, in process"] = await asked(in_process)
    section.notes.append(f"{len(QUESTIONS)} different questions in sequence, after {len(WARM_UP)} to warm up")
    return section


async def asked(search: Search) -> list[float]:
    """p50 and p95 in milliseconds, and how many questions found something."""
    for query in WARM_UP:
        await search(query)
    seconds, found = [], 0
    for query in QUESTIONS:
        began = time.monotonic()
        result = await search(query)
        seconds.append(time.monotonic() - began)
        found += bool(result["hits"])
    return [*p50_p95(seconds), found]
