"""Collects what lies in the file store and belongs to nothing: objects without a row, and halves of broken uploads.

An upload writes its object first and its row after, so whatever is younger than the grace period may still get its row.
"""

import asyncio
import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID

import structlog

from storage.errors import Conflict
from storage.files import Listed
from storage.repositories.files import known_objects
from storage.resources import Storage
from storage.s3_multipart import MultipartUploads

log = structlog.get_logger()

GRACE = timedelta(hours=24)
STRANGE = 100
"""So many old objects of which not one is known: then it is the database that is wrong, and nothing is removed."""
STAGED = re.compile(r".+#\d+")
"""How obstore names a local object that is still being written."""
PART = re.compile(r"users/(?P<user>[0-9a-f-]{36})/uploads/(?P<upload>[0-9a-f-]{36})/\d+")


@dataclass(frozen=True, slots=True)
class Collected:
    """What was removed: objects and their bytes, unfinished uploads (in S3 or on the disk)."""

    objects: int = 0
    bytes: int = 0
    uploads: int = 0


async def collect_garbage(storage: Storage, older_than: timedelta = GRACE) -> Collected:
    """Remove objects that no row of `files` names and that are no part of an upload, and unfinished uploads, when they are older than `older_than`.

    Safe to repeat and to run twice at once. Raises Conflict `wrong_database` when the store seems to belong to another
    database, Unavailable when a store does not answer.
    """
    before = storage.clock.now() - older_than
    unknown, known = await _unreferenced(storage, before)
    if not known and len(unknown) > STRANGE:
        raise Conflict(
            f"None of {len(unknown)} stored files is known to this database, so none was removed. "
            "Check that LYCEUM_FILES_URL and LYCEUM_DATABASE_URL belong together.",
            code="wrong_database",
        )
    for found in unknown:
        await storage.files.delete(found.key)
    uploads = await _unfinished(storage, before)
    collected = Collected(len(unknown), sum(found.size for found in unknown), uploads)
    log.info("garbage_collected", objects=collected.objects, bytes=collected.bytes, uploads=uploads)
    return collected


async def _unreferenced(storage: Storage, before: datetime) -> tuple[list[Listed], int]:
    """Old objects without a row, and how many old ones have one."""
    unknown: list[Listed] = []
    known = 0
    async for chunk in storage.files.list():
        old = [found for found in chunk if found.modified < before]
        if not old:
            continue
        async with storage.database.transaction(None, read_only=True) as session:
            rows = await known_objects(session, [found.key for found in old])
        rows |= await _parts(storage, [found.key for found in old])
        known += len(rows)
        unknown += [found for found in old if found.key not in rows]
    return unknown, known


async def _parts(storage: Storage, keys: list[str]) -> set[str]:
    """Those of the keys that are parts of an upload which may still go on."""
    of_uploads: defaultdict[tuple[UUID, UUID], set[str]] = defaultdict(set)
    for key in keys:
        part = PART.fullmatch(key)
        if part:
            of_uploads[UUID(part["user"]), UUID(part["upload"])].add(key)
    known: set[str] = set()
    for (user_id, upload_id), parts in of_uploads.items():
        async with storage.as_user(user_id, read_only=True) as db:
            if await db.uploads.get(upload_id):
                known |= parts
    return known


async def _unfinished(storage: Storage, before: datetime) -> int:
    if storage.files.folder is not None:
        return await asyncio.to_thread(_remove_staged, storage.files.folder, before.timestamp())
    options = storage.files.s3
    if not storage.files.url.startswith("s3") or not options.access_key_id:
        log.info(
            "unfinished_uploads_not_looked_for", why="needs an access key; a lifecycle rule does the same"
        )
        return 0
    uploads, removed = MultipartUploads(storage.files.url, options), 0
    async for upload in uploads.unfinished():
        if upload.touched < before:
            await uploads.abort(upload)
            removed += 1
    return removed


def _remove_staged(folder: Path, before: float) -> int:
    removed = 0
    for path in _staged(folder):
        if path.stat().st_mtime < before:
            path.unlink(missing_ok=True)
            removed += 1
    return removed


def _staged(folder: Path) -> Iterator[Path]:
    return (path for path in folder.rglob("*") if STAGED.fullmatch(path.name) and path.is_file())
