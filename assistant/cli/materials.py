"""`ingest` and `search`: material in, passages out."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from assistant.cli.options import AsJson, DataDir, fail
from assistant.cli.session import OwnerSession, as_owner, log_to_stderr, run, show
from storage.errors import LyceumError, NotFound

FINAL = ("succeeded", "failed", "cancelled")
READABLE = frozenset(
    ".pdf .pptx .docx .xlsx .xls .ods .epub .html .htm .md .markdown .txt .csv .tsv .vtt .srt"
    " .png .jpg .jpeg .webp .gif .bmp .tif .tiff .heic .heif .avif"
    " .mp3 .m4a .wav .flac .ogg .opus .aac .amr .mp4 .m4v .mkv .webm .mov .avi .mpg".split()
)
"""What is taken out of folders; a file that is named is tried whatever it is called."""
AT_ONCE = 4
"""Files that are sent at the same time."""
POLL_SECONDS = 0.2
TABLE_ROWS = 10
PROBLEMS = ("failed", "refused")
MEANINGS = {"succeeded": "ready", "duplicate": "already there"}


def register(app: typer.Typer) -> None:
    app.command()(ingest)
    app.command()(search)


def ingest(
    sources: Annotated[
        list[str],
        typer.Argument(help="Files, folders to look through, or addresses of web pages and YouTube videos."),
    ],
    class_name: Annotated[str, typer.Option("--class", help="Name of the class; made when there is none.")],
    as_json: AsJson = False,
    data_dir: DataDir = None,
) -> None:
    """Put files, folders and web pages into a class, wait until they can be searched, and say what became of each."""
    log_to_stderr("ERROR")
    found = list(sources_of(sources))
    if not found:
        fail(f"No files to read there. In folders Lyceum looks for {', '.join(sorted(READABLE))}.")

    async def work() -> None:
        async with as_owner(data_dir, "lyceum ingest", worker=True) as session:
            results = await ingest_files(session, found, class_name, quiet=as_json)
        if as_json:
            show(results)
        else:
            summarise(results)
        if any(result["status"] in PROBLEMS for result in results):
            raise typer.Exit(1)

    run(work())


def is_url(source: str) -> bool:
    return source.lower().startswith(("http://", "https://"))


def sources_of(named: Sequence[str]) -> Iterator[Path | str]:
    """Addresses, the files themselves, and what can be read inside folders. Ends the command for what is not there."""
    for source in named:
        path = Path(source)
        if is_url(source):
            yield source
        elif path.is_dir():
            yield from sorted(p for p in path.rglob("*") if p.is_file() and p.suffix.lower() in READABLE)
        elif path.is_file():
            yield path
        else:
            fail(f"There is no file or folder {source!r}.")


def summarise(results: Sequence[dict[str, Any]]) -> None:
    """How many became what, and why the others did not."""
    console = Console()
    counts = Counter(MEANINGS.get(result["status"], result["status"]) for result in results)
    console.print(", ".join(f"{count} {what}" for what, count in counts.items()), markup=False)
    for result in results:
        if result["status"] in PROBLEMS:
            console.print(f"{result['file']}: {result['error']}", markup=False, highlight=False)


async def ingest_files(
    session: OwnerSession, sources: Sequence[Path | str], class_name: str, *, quiet: bool = False
) -> list[dict[str, Any]]:
    """Send all files and addresses, then follow their jobs; one dict each with its end."""
    await ensure_class(session, class_name)
    columns = (
        TextColumn("{task.description:40.40}", markup=False),
        BarColumn(),
        TextColumn("{task.fields[state]}", markup=False),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), disable=quiet) as bars:
        turns = asyncio.Semaphore(AT_ONCE)
        pause = POLL_SECONDS * (1 + len(sources) // 20)
        waits = [Sending(session, source, class_name, bars, turns).run(pause) for source in sources]
        return list(await asyncio.gather(*waits))


async def ensure_class(session: OwnerSession, name: str) -> None:
    try:
        await session.call("create_class", name=name)
    except LyceumError as error:
        if error.code != "class_exists":
            raise


class Sending:
    """One file or address on its way, with its bar."""

    def __init__(
        self,
        session: OwnerSession,
        source: Path | str,
        class_name: str,
        bars: Progress,
        turns: asyncio.Semaphore,
    ) -> None:
        self._session = session
        self._source = source
        self._class_name = class_name
        self._bars = bars
        self._turns = turns
        name = source.name if isinstance(source, Path) else source.partition("://")[2]
        self._bar = bars.add_task(name, total=None, state="waiting")

    async def run(self, pause: float) -> dict[str, Any]:
        """What became of it: status, and material or error. `pause`: seconds between two looks at its job."""
        result: dict[str, Any] = {"file": str(self._source)}
        try:
            async with self._turns:
                taken = await self._send()
        except LyceumError as error:
            self._say(str(error), ended=True)
            return {**result, "status": "refused", "code": error.code, "error": str(error)}
        result |= {"material_id": taken["material_id"], "duplicate": taken["duplicate"]}
        if taken["duplicate"]:
            self._say(MEANINGS["duplicate"], ended=True)
            return {**result, "status": "duplicate"}
        job = await self._follow(taken["job_id"], pause)
        return {**result, "job_id": taken["job_id"], "status": job["status"], "error": job["error"]}

    async def _send(self) -> dict[str, Any]:
        if isinstance(self._source, str):
            self._say("fetching")
            return await self._session.call("add_web_page", class_id=self._class_name, url=self._source)
        from tools.intake import receive  # noqa: PLC0415 - the stores are loaded by now anyway

        self._say("uploading")
        upload = await receive(
            self._session.storage,
            self._session.principal,
            self._source.name,
            parts_of(self._source),
            size=self._source.stat().st_size,
        )
        return await self._session.call("upload_material", class_id=self._class_name, upload_id=str(upload))

    async def _follow(self, job_id: str, pause: float) -> dict[str, Any]:
        """The job at its end."""
        while True:
            job = await self._session.call("get_job", job_id=job_id)
            self._bars.update(self._bar, total=job["total"], completed=job["done"])
            self._say(job["message"] or job["status"])
            if job["status"] in FINAL:
                self._say(job["error"] or MEANINGS.get(job["status"], job["status"]), ended=True)
                return job
            await asyncio.sleep(pause)

    def _say(self, state: str, *, ended: bool = False) -> None:
        self._bars.update(self._bar, state=state)
        if ended and self._bars.tasks[self._bar].total is None:
            self._bars.update(self._bar, total=1, completed=1)


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
            console.print(shown(hit), markup=False, highlight=False)
            for figure in hit["figures"]:
                named = ": ".join(filter(None, (figure["label"], figure["caption"]))) or figure["kind"]
                console.print(f"   ▢ {named[:120]}", markup=False, highlight=False, style="dim")

    run(work())


def shown(hit: dict[str, Any]) -> str:
    """The beginning of a passage: of a table a few rows, of anything else some lines of text."""
    if hit["content_type"] == "table":
        return "\n".join(f"   {row[:160]}" for row in hit["text"].splitlines()[:TABLE_ROWS])
    return "   " + " ".join(hit["text"].split())[:400]
