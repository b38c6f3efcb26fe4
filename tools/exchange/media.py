"""Pictures and sounds of imported cards: looked at, stored once, and named for their deck."""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from uuid import UUID

from storage.errors import TooLarge
from storage.files import file_key
from storage.models import File
from storage.resources import Storage
from tools.exchange.packed import Report
from tools.ingest.signatures import picture, sound_or_video
from tools.quota import check_room
from tools.worker import RunningJob

LARGEST = 20 << 20
"""Bytes of one picture or sound."""
LARGEST_IN_ALL = 500 << 20
HEAD = 65_536
PART = 1 << 20
NO_ROOM = "pictures and sounds for which there is no more room"
UNKNOWN_KIND = "files that are no pictures, sounds or videos"
TOO_LARGE = f"pictures and sounds above {LARGEST >> 20} MB"
TOO_MANY = f"pictures and sounds beyond {LARGEST_IN_ALL >> 20} MB in all"
MISSING = "pictures and sounds that the package does not hold"


class MediaIn:
    """Of one import."""

    def __init__(self, storage: Storage, running: RunningJob, folder: Path, report: Report) -> None:
        self._storage = storage
        self._running = running
        self._folder = folder
        self._report = report
        self._total = 0

    async def add(self, wanted: Mapping[UUID, set[str]]) -> None:
        """The files that cards of these decks name. Raises Stopped."""
        pairs = [(deck_id, name) for deck_id, names in wanted.items() for name in sorted(names)]
        for number, (deck_id, name) in enumerate(pairs):
            await self._running.progress(number, len(pairs), "Keeping pictures and sounds")
            path = await asyncio.to_thread(self._found, name)
            if path is None:
                await self._note_missing(deck_id, name)
            elif reason := await asyncio.to_thread(self._refused, path):
                self._report.skip(reason)
            else:
                await self._keep(deck_id, name, path)

    def _found(self, name: str) -> Path | None:
        """The file, when it really lies in the folder: names come from strangers."""
        if not name or "/" in name or "\\" in name or name.startswith(".") or len(name) > 300 or "\0" in name:
            return None
        path = self._folder / name
        try:
            return path if path.is_file() and not path.is_symlink() else None
        except OSError:  # a name that this file system cannot hold
            return None

    async def _note_missing(self, deck_id: UUID, name: str) -> None:
        async with self._storage.as_user(self._running.user_id, read_only=True) as db:
            known = await db.exchange.media_file(deck_id, name)
        if known is None:
            self._report.skip(MISSING)

    def _refused(self, path: Path) -> str | None:
        size = path.stat().st_size
        if size > LARGEST:
            return TOO_LARGE
        if self._total + size > LARGEST_IN_ALL:
            return TOO_MANY
        return None if kind_of(path) else UNKNOWN_KIND

    async def _keep(self, deck_id: UUID, name: str, path: Path) -> None:
        digest = await asyncio.to_thread(_sha256, path)
        user_id = self._running.user_id
        async with self._storage.as_user(user_id) as db:
            known = await db.exchange.media_file(deck_id, name)
            if known is not None and known.sha256 == digest:
                return
            same = await db.exchange.file_with(digest)
            if same is not None:
                await db.exchange.set_media(deck_id, name, same.id)
                self._report.media += 1
                return
        await self._store(deck_id, name, path)

    async def _store(self, deck_id: UUID, name: str, path: Path) -> None:
        user_id, file_id = self._running.user_id, self._storage.clock.new_id()
        key = file_key(user_id, file_id)
        stored = await self._storage.files.put(key, _parts(path), limit=LARGEST)
        try:
            async with self._storage.as_user(user_id) as db:
                check_room(await db.uploads.usage(alone=True), stored.size, self._storage.settings.quota_mb)
                row = File(
                    id=file_id, user_id=user_id, filename=name[:255], object_key=key, media_type=kind_of(path),
                    size_bytes=stored.size, sha256=stored.sha256,
                )  # fmt: skip
                await db.exchange.add_file(row)
                await db.exchange.set_media(deck_id, name, file_id)
        except TooLarge:
            await self._storage.files.delete(key)
            self._report.skip(NO_ROOM)
            return
        except BaseException:
            await self._storage.files.delete(key)
            raise
        self._total += stored.size
        self._report.media += 1


def kind_of(path: Path) -> str | None:
    """Media type of a picture, sound or video by its first bytes; an SVG by its element."""
    with path.open("rb") as file:
        head = file.read(HEAD)
    if b"<svg" in head[:2000] and head.lstrip(b"\xef\xbb\xbf \r\n\t").startswith(b"<"):
        return "image/svg+xml"
    return picture(head) or sound_or_video(head)


def _sha256(path: Path) -> bytes:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").digest()


async def _parts(path: Path) -> AsyncIterator[bytes]:
    with path.open("rb") as file:
        while part := await asyncio.to_thread(file.read, PART):
            yield part
