"""Reading a textbook, as a student sees it: over HTTP, from the upload until it can be searched."""

import asyncio
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from benchmarks.report import Aim, Section

CLASS_NAME = "Numerics"
POLL_SECONDS = 0.1
PATIENCE = 600.0


@dataclass(frozen=True, slots=True)
class Upload:
    """The answer to an upload, and the seconds that it took."""

    answer: dict[str, Any]
    seconds: float


async def tool(client: httpx.AsyncClient, name: str, /, **arguments: Any) -> dict[str, Any]:
    """Call a tool over HTTP."""
    response = await client.post(f"/api/tools/{name}", json=arguments)
    response.raise_for_status()
    output: dict[str, Any] = response.json()
    return output


async def upload(client: httpx.AsyncClient, path: Path) -> Upload:
    began = time.monotonic()
    with path.open("rb") as file:
        form = {"class_id": CLASS_NAME}
        response = await client.post(
            "/api/uploads", data=form, files={"file": (path.name, file, "application/pdf")}
        )
    response.raise_for_status()
    return Upload(response.json(), time.monotonic() - began)


async def measure_reading(client: httpx.AsyncClient, path: Path) -> Section:
    """From the begin of the upload to the states of the material, and then the same bytes again."""
    await tool(client, "create_class", name=CLASS_NAME)
    began = time.monotonic()
    taken = await upload(client, path)
    searchable, material = await until(client, taken.answer["material_id"], ("searchable", "ready"), began)
    ready, material = await until(client, taken.answer["material_id"], ("ready",), began)
    again = await upload(client, path)
    if not again.answer["duplicate"]:
        raise RuntimeError("The second upload of the same bytes was not recognised.")
    pages = material["page_count"]
    section = Section("reading", f"Reading {path.name}", ["s", "pages/s"])
    section.aims = [Aim("to ready (words and meaning)", "pages/s", 10, at_least=True)]
    section.rows = {
        "upload request": [taken.seconds],
        "to searchable (words)": [searchable, pages / searchable],
        "to ready (words and meaning)": [ready, pages / ready],
        "upload of the same bytes": [again.seconds],
    }
    section.notes.append(f"{pages} pages, {material['chunk_count']} chunks, {material['word_count']} words")
    return section


async def until(
    client: httpx.AsyncClient, material_id: str, statuses: tuple[str, ...], began: float
) -> tuple[float, dict[str, Any]]:
    """Seconds since `began` when the material has one of the statuses, asked ten times a second, and the material."""
    async with asyncio.timeout(PATIENCE):
        while True:
            material = await tool(client, "get_material", material_id=material_id)
            if material["status"] in statuses:
                return time.monotonic() - began, material
            if material["status"] in ("failed", "cancelled"):
                raise RuntimeError(f"The textbook could not be read: {material['error']}")
            await asyncio.sleep(POLL_SECONDS)
