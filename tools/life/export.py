"""The job that makes a copy of everything a person has: a ZIP that they can read without Lyceum, and programs too."""

import json
from collections.abc import AsyncGenerator, AsyncIterator
from datetime import datetime
from typing import Any
from uuid import UUID

from storage.errors import NotFound
from storage.files import file_key
from storage.life.person import Person
from storage.life.retention import EXPORT_LIFE
from storage.models import File, Job
from storage.resources import Storage
from tools.life.archive import Entry, Names, zipped
from tools.life.markdown import (
    conversation_head,
    document_text,
    message_text,
    note_text,
    readme,
    segment_text,
)
from tools.worker import JobFailed, RunningJob

EXPORT = "export_account"
"""Kind of the job that makes the copy; its arguments name the export."""
MEDIA_TYPE = "application/zip"
NO_LIMIT = 1 << 50
PART = 1 << 18
"""Characters of text that go to the compressor at a time."""
NO_CLASS = "without a class"


class AccountExport:
    """Handler of the job."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage

    async def __call__(self, running: RunningJob) -> None:
        """Raises JobFailed when there is nothing to make any more, Stopped when cancelled. A new attempt begins again:
        it writes the same object."""
        export_id = UUID(running.job.arguments["export_id"])
        async with self._storage.as_user(running.user_id, read_only=True) as db:
            export = await db.exports.get(export_id)
            user = await db.accounts.me()
        if export.status != "pending":
            raise JobFailed("export_ended", "This copy was made already, or is not wanted any more.")
        now = self._storage.clock.now()
        entries = Contents(self._storage, running).entries(user.name, now)
        key = file_key(running.user_id, export_id)
        stored = await self._storage.files.put(key, zipped(entries, now), limit=NO_LIMIT)
        file = File(
            id=export_id,
            user_id=running.user_id,
            filename=f"lyceum-{now:%Y-%m-%d}.zip",
            object_key=key,
            media_type=MEDIA_TYPE,
            size_bytes=stored.size,
            sha256=stored.sha256,
        )
        async with self._storage.as_user(running.user_id) as db:
            await db.exports.ready(export_id, file, self._storage.clock.now() + EXPORT_LIFE)


class Contents:
    """The files of the archive, one after the other."""

    def __init__(self, storage: Storage, running: RunningJob) -> None:
        self._storage = storage
        self._running = running
        self._person = Person(storage, running.user_id)
        self._names = Names()
        self._folders: dict[UUID | None, str] = {None: NO_CLASS}
        self._used: set[UUID] = set()
        self._done = 0

    async def entries(self, name: str, now: datetime) -> AsyncGenerator[Entry]:
        """README, classes, conversations, other files, then every table."""
        tables = await self._person.tables()
        yield Entry("README.md", _once(readme(name, now, tables)))
        async for row in self._person.rows("classes"):
            ending = " (deleted)" if row["deleted_at"] else ""
            self._folders[row["id"]] = self._names.path("classes", row["name"] + ending)
        for part in (self._materials, self._notes, self._documents, self._conversations, self._other_files):
            async for entry in part():
                yield entry
                self._done += 1
                await self._running.progress(self._done, None, f"Packing {entry.path}")
        for table in tables:
            yield Entry(f"data/{table}.json", self._table(table))
            await self._running.progress(self._done, None, f"Packing the table {table}")

    def _folder(self, class_id: UUID | None, kind: str) -> str:
        """Where things of a class go; a class of somebody else's is none of the person's own."""
        return f"{self._folders.get(class_id, NO_CLASS)}/{kind}"

    async def _materials(self) -> AsyncGenerator[Entry]:
        async for row in self._person.rows("materials"):
            if row["file_id"]:
                self._used.add(row["file_id"])
                entry = await self._file(row["file_id"], self._folder(row["class_id"], "files"))
                if entry:
                    yield entry
            async for entry in self._figures(row):
                yield entry
            if row["chunk_count"]:
                path = self._names.path(self._folder(row["class_id"], "texts"), f"{row['title']}.md")
                yield Entry(path, self._material_text(row))

    async def _figures(self, row: dict[str, Any]) -> AsyncGenerator[Entry]:
        async for figure in self._person.rows("figures", material_id=row["id"]):
            if figure["file_id"]:
                self._used.add(figure["file_id"])
                entry = await self._file(figure["file_id"], self._folder(row["class_id"], "figures"))
                if entry:
                    yield entry

    async def _material_text(self, row: dict[str, Any]) -> AsyncGenerator[bytes]:
        yield f"# {row['title']}\n".encode()
        async for segment in self._person.rows("material_segments", material_id=row["id"], staged=False):
            yield segment_text(segment).encode()

    async def _notes(self) -> AsyncGenerator[Entry]:
        async for row in self._person.rows("notes"):
            path = self._names.path(self._folder(row["class_id"], "notes"), f"{row['title']}.md")
            yield Entry(path, _once(note_text(row)))

    async def _documents(self) -> AsyncGenerator[Entry]:
        async for row in self._person.rows("documents"):
            name = f"{row['title']} v{row['version']}.md"
            yield Entry(
                self._names.path(self._folder(row["class_id"], "documents"), name), _once(document_text(row))
            )

    async def _conversations(self) -> AsyncGenerator[Entry]:
        async for row in self._person.rows("conversations"):
            name = f"{row['created_at']:%Y-%m-%d} {row['title']}.md"
            yield Entry(self._names.path("conversations", name), self._conversation(row))

    async def _conversation(self, row: dict[str, Any]) -> AsyncGenerator[bytes]:
        yield conversation_head(row).encode()
        async for message in self._person.rows("messages", conversation_id=row["id"]):
            if text := message_text(message):
                yield text.encode()

    async def _other_files(self) -> AsyncGenerator[Entry]:
        """Files that are no material: pictures of cards, uploads that were never used. Not the copies made before."""
        exported = {row["file_id"] async for row in self._person.rows("exports")}
        async for row in self._person.rows("files"):
            if row["id"] not in self._used and row["id"] not in exported:
                entry = await self._file(row["id"], "other files")
                if entry:
                    yield entry

    async def _file(self, file_id: UUID, folder: str) -> Entry | None:
        """The original; left out when it is missing from the store, which is no reason to withhold the rest."""
        async with self._storage.as_user(self._running.user_id, read_only=True) as db:
            file = await db.materials.file(file_id)
        if file is None:
            return None
        try:
            size = await self._storage.files.size(file.object_key)
        except NotFound:
            return None
        parts = self._storage.files.read(file.object_key, 0, size)
        return Entry(self._names.path(folder, file.filename), parts, size, packed=True)

    async def _table(self, table: str) -> AsyncGenerator[bytes]:
        """A table as a JSON array, a row a line."""
        pending, before = ["["], "\n"
        async for row in self._person.rows(table):
            pending += [before, json.dumps(row, ensure_ascii=False, default=_plain)]
            before = ",\n"
            if sum(map(len, pending)) > PART:
                yield "".join(pending).encode()
                pending = []
        yield ("".join(pending) + "\n]\n").encode()


def _plain(value: object) -> str:
    """What JSON has no form for."""
    if isinstance(value, bytes):
        return value.hex()
    return value.isoformat() if isinstance(value, datetime) else str(value)


async def _once(text: str) -> AsyncIterator[bytes]:
    yield text.encode()


async def note_failure(storage: Storage, job: Job, sentence: str | None) -> None:
    """Put the end of an export that did not succeed on its row."""
    async with storage.as_user(job.user_id) as db:
        await db.exports.failed(UUID(job.arguments["export_id"]), sentence)
