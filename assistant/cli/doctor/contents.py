"""What the stores hold, compared: files with their rows, vectors with their chunks, both ways."""

import asyncio
from datetime import timedelta
from uuid import UUID

from assistant.cli.doctor.report import Answer, Finding, Level, Patient, listed
from assistant.cli.doctor.work import users
from storage.errors import NotFound
from storage.files import person_prefix
from storage.life.orphans import Collection, is_orphan, our_collections
from storage.repositories.files import known_objects
from storage.resources import Storage
from storage.vectors.names import collection_name

UPLOADING = timedelta(hours=1)
"""An object may be this much older than its row: the row comes when the upload is complete."""
AT_ONCE = 8
"""Classes looked at side by side."""
NOTHING_TO_DO = "Nothing to do: the daily task of a worker removes them."
READ_AGAIN = "`reprocess_material`, or delete the material and upload it again."


async def files(patient: Patient) -> Answer:
    storage = patient.storage
    missing: list[str] = []
    short: list[str] = []
    count = 0
    async for user_id in users(storage):
        async with storage.as_user(user_id, read_only=True) as db:
            rows = await db.inspection.files()
        count += len(rows)
        there: dict[str, int] = {}
        async for chunk in storage.files.list(person_prefix(user_id)):
            there.update({found.key: found.size for found in chunk if found.key in rows})
        missing += [f"{name} ({key})" for key, (name, _) in rows.items() if key not in there]
        short += [f"{name} ({key})" for key, (name, size) in rows.items() if there.get(key, size) != size]
    findings = listed(
        Level.ERROR, "files are missing from the store.", "Upload them again, or restore a backup.", missing
    )
    findings += listed(Level.ERROR, "files do not have the size they were stored with.", "Upload them again, or restore a backup.", short)  # fmt: skip
    findings += listed(
        Level.WARNING,
        "stored files belong to nothing.",
        "Nothing to do: the daily task of a worker removes them when they are a day old.",
        await _without_row(storage),
    )
    return f"{count} files are complete, and nothing else lies in the store.", findings


async def _without_row(storage: Storage) -> list[str]:
    found: list[str] = []
    before = storage.clock.now() - UPLOADING
    async for chunk in storage.files.list():
        old = [entry.key for entry in chunk if entry.modified < before]
        async with storage.database.transaction(None, read_only=True) as session:
            known = await known_objects(session, old)
        found += [key for key in old if key not in known]
    return found


async def vectors(patient: Patient) -> Answer:
    storage = patient.storage
    comparison = _Comparison(storage)
    by_class: dict[UUID, list[Collection]] = {}
    async for found in our_collections(storage):
        by_class.setdefault(found.class_id, []).append(found)
    async for user_id in users(storage):
        async with storage.as_user(user_id, read_only=True) as db:
            classes = await db.inspection.classes()
        mine = [(class_id, prefix, by_class.pop(class_id, [])) for class_id, prefix in classes]
        await asyncio.gather(*(comparison.of_class(user_id, *each) for each in mine))
    rest = [found for collections in by_class.values() for found in collections]
    findings = comparison.findings() + listed(
        Level.WARNING,
        "collections belong to no class.",
        NOTHING_TO_DO,
        [found.name for found in rest if await is_orphan(storage, found)],
    )
    return (
        f"{comparison.vectors} vectors in {comparison.collections} collections agree with their chunks.",
        findings,
    )


class _Comparison:
    """Collects what is wrong with the vectors of all classes."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self._at_once = asyncio.Semaphore(AT_ONCE)
        self.vectors = self.collections = 0
        self._missing: list[str] = []
        self._strays: list[str] = []
        self._other_model: list[str] = []
        self._other_dimension: list[str] = []

    async def of_class(self, user_id: UUID, class_id: UUID, prefix: str, there: list[Collection]) -> None:
        async with self._at_once:
            held = {found.name: await self._ids(found) for found in there}
            async with self._storage.as_user(user_id, read_only=True) as db:
                chunks = await db.inspection.chunks(class_id)
                known = {str(chunk_id) for chunk_id in await db.life.class_chunks(class_id)}
        model = self._storage.embedder.name
        for chunk in chunks:
            name = collection_name(prefix, chunk.kind)
            if chunk.is_ready and str(chunk.id) not in held.get(name, ()):
                self._missing.append(f"chunk {chunk.id}")
            if chunk.model not in (None, model):
                self._other_model.append(f"chunk {chunk.id}: {chunk.model}")
        for name, ids in held.items():
            self._strays += [f"{name}: {entry}" for entry in ids - known]

    async def _ids(self, found: Collection) -> set[str]:
        if found.model != self._storage.embedder.name:
            self._other_model.append(f"collection {found.name}: {found.model}")
        if found.dimension not in (None, self._storage.embedder.dimension):
            self._other_dimension.append(f"{found.name}: {found.dimension}")
        try:
            ids = await self._storage.vectors.ids(found.name)
        except NotFound:  # dropped since it was listed
            return set()
        self.collections += 1
        self.vectors += len(ids)
        return ids

    def findings(self) -> list[Finding]:
        model, dimension = self._storage.embedder.name, self._storage.embedder.dimension
        return [
            *listed(Level.ERROR, "passages of materials that are ready have no vector: searching by meaning cannot find them.", READ_AGAIN, self._missing),
            *listed(Level.WARNING, "vectors have no passage: they take room and are never shown.", "Nothing to do: workers look through all collections once a month and remove them.", self._strays),
            *listed(Level.ERROR, f"collections or passages were made by another embedding model than {model}: similarities mean nothing.", READ_AGAIN, self._other_model),
            *listed(Level.ERROR, f"collections have vectors of another length than {dimension}: searching them fails.", READ_AGAIN, self._other_dimension),
        ]  # fmt: skip
