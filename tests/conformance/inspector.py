"""The MCP Inspector's command line against the plain app: schemas that every client can read, calls, and some load."""

import json
from pathlib import Path
from typing import Any

from tests.conformance.node import INSPECTOR, Finished, run

ERAS = ("legacy", "modern")
TOOL_FAILED = 5
"""The Inspector's exit code when a tool answers with an error."""
EVERYTHING = "?toolsets=all"
REQUESTS, CONCURRENCY = 200, 8


class Failed(Exception):
    """A step did not go as it must; the message says which."""


class Inspector:
    """One server, looked at in both protocol eras."""

    def __init__(self, node: Path, url: str, folder: Path) -> None:
        self._node = node
        self._url = url
        self._folder = folder

    async def look(self) -> str:
        """One line that says what was tried. Raises Failed."""
        counts, times = {}, []
        for era in ERAS:
            for query in ("", EVERYTHING):
                done = await self._step(era, query, "tools/list", "--strict", "--format", "json")
                counts[query] = len(_json(done)["result"]["tools"])
            for method in ("resources/list", "resources/templates/list", "prompts/list"):
                await self._step(era, "", method)
            await self._call(era, "create_class", {"name": f"Inspected ({era})"})
            await self._call(era, "list_classes", {})
            await self._call(era, "create_class", {"name": ""}, expected=TOOL_FAILED)
            times.append(f"{era} p50 {await self._load(era):.0f} ms")
        return (
            f"inspector: tools/list --strict clean ({counts['']} tools, {counts[EVERYTHING]} in all), calls in both eras, "
            f"{REQUESTS} calls at {CONCURRENCY} a time without an error ({', '.join(times)})"
        )

    async def _call(self, era: str, name: str, arguments: dict[str, Any], expected: int = 0) -> None:
        given = ("--tool-name", name, "--tool-args-json", json.dumps(arguments))
        await self._step(era, EVERYTHING, "tools/call", *given, expected=expected)

    async def _load(self, era: str) -> float:
        """The median in milliseconds."""
        load = ("--load", "--load-concurrency", str(CONCURRENCY), "--load-requests", str(REQUESTS))
        report = _json(await self._step(era, "", "tools/call", "--tool-name", "list_classes", *load))
        if report["ok"] != REQUESTS:
            raise Failed(f"{REQUESTS - report['ok']} of {REQUESTS} calls failed: {report['errorMessages']}")
        return float(report["latencyMs"]["p50"])

    async def _step(self, era: str, query: str, method: str, *options: str, expected: int = 0) -> Finished:
        arguments = ("--cli", self._url + query, "--protocol-era", era, "--method", method, *options)
        done = await run(self._node, INSPECTOR, *arguments, folder=self._folder)
        if done.code != expected:
            raise Failed(
                f"{method} {' '.join(options)} ({era}{query}) ended with {done.code}:\n{done.output}\n{done.errors}"
            )
        return done


def _json(done: Finished) -> dict[str, Any]:
    answer: dict[str, Any] = json.loads(done.output)
    return answer
