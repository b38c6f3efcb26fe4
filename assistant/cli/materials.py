"""`ingest` and `search`: material in, passages out."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from assistant.cli.session import AsJson, DataDir, OwnerSession, as_owner, fail, log_to_stderr, run, show
from storage.errors import LyceumError, NotFound

FINAL = ("succeeded", "failed", "cancelled")
READABLE = (".pdf", ".pptx", ".docx", ".md", ".markdown", ".html", ".htm", ".txt")
POLL_SECONDS = 0.2


def register(app: typer.Typer) -> None:
    app.command()(ingest)
    app.command()(search)


def ingest(
    paths: Annotated[list[Path], typer.Argument(help="Files, or folders to look through.", exists=True)],
    class_name: Annotated[str, typer.Option("--class", help="Name of the class; made when there is none.")],
    as_json: AsJson = False,
    data_dir: DataDir = None,
) -> None:
    """Put files into a class and wait until they can be searched."""
    log_to_stderr("ERROR")
    files = list(files_of(paths))
    if not files:
        fail(f"No files to read there. Lyceum reads {', '.join(READABLE)}.")

    async def work() -> None:
        async with as_owner(data_dir, "lyceum ingest", worker=True) as session:
            results = await ingest_files(session, files, class_name, quiet=as_json)
        if as_json:
            show(results)
        if any(result["status"] == "failed" for result in results):
            raise typer.Exit(1)

    run(work())


def files_of(paths: Sequence[Path]) -> Iterator[Path]:
    """The files themselves, and what can be read inside folders."""
    for path in paths:
        if path.is_dir():
            yield from sorted(p for p in path.rglob("*") if p.is_file() and p.suffix.lower() in READABLE)
        else:
            yield path


async def ingest_files(
    session: OwnerSession, files: Sequence[Path], class_name: str, *, quiet: bool = False
) -> list[dict[str, Any]]:
    """Upload all files, then follow their jobs; one dict a file with its end."""
    await ensure_class(session, class_name)
    columns = (
        TextColumn("{task.description:40.40}"),
        BarColumn(),
        TextColumn("{task.fields[state]}"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), disable=quiet) as bars:
        waits = []
        for path in files:
            bar = bars.add_task(path.name, total=None, state="uploading")
            waits.append(one_file(session, path, class_name, bars, bar))
        return list(await asyncio.gather(*waits))


async def ensure_class(session: OwnerSession, name: str) -> None:
    try:
        await session.call("create_class", name=name)
    except LyceumError as error:
        if error.code != "class_exists":
            raise


async def one_file(
    session: OwnerSession, path: Path, class_name: str, bars: Progress, bar: TaskID
) -> dict[str, Any]:
    from tools.intake import receive  # noqa: PLC0415 - the stores are loaded by now anyway

    upload = await receive(session.storage, session.principal, path.name, parts_of(path))
    taken = await session.call("upload_material", class_id=class_name, upload_id=str(upload))
    result: dict[str, Any] = {
        "file": str(path),
        "material_id": taken["material_id"],
        "duplicate": taken["duplicate"],
    }
    if taken["duplicate"]:
        bars.update(bar, total=1, completed=1, state="already there")
        return {**result, "status": "duplicate"}
    while True:
        job = await session.call("get_job", job_id=taken["job_id"])
        bars.update(bar, total=job["total"], completed=job["done"], state=job["message"] or job["status"])
        if job["status"] in FINAL:
            break
        await asyncio.sleep(POLL_SECONDS)
    bars.update(bar, state=job["error"] or {"succeeded": "ready"}.get(job["status"], job["status"]))
    return {**result, "job_id": taken["job_id"], "status": job["status"], "error": job["error"]}


async def parts_of(path: Path) -> AsyncIterator[bytes]:
    """A file in parts of 1 MB, read in a thread."""
    with path.open("rb") as file:
        while part := await asyncio.to_thread(file.read, 1 << 20):
            yield part


def search(
    query: str,
    class_name: Annotated[str | None, typer.Option("--class", help="Look only in this class.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=20)] = 5,
    as_json: AsJson = False,
    data_dir: DataDir = None,
) -> None:
    """Find passages in your material."""
    log_to_stderr("ERROR")

    async def work() -> None:
        async with as_owner(data_dir, "lyceum search") as session:
            try:
                found = await session.call("search_materials", query=query, class_id=class_name, limit=limit)
            except NotFound as error:
                fail(str(error))
        if as_json:
            show(found)
            return
        console = Console()
        if found["notice"]:
            console.print(found["notice"], style="yellow")
        for number, hit in enumerate(found["hits"], 1):
            console.print(
                f"[bold]{number}. {hit['locator']['material_title']}, {hit['label']}[/bold]  ({hit['score']:.2f})"
            )
            console.print("   " + " ".join(hit["text"].split())[:400], markup=False, highlight=False)

    run(work())
