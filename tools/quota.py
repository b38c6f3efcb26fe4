"""How much room a user's files may take.

What was deleted frees its room at once, since otherwise nobody could make room; but what is kept of it for 30 days may not
fill more than the quota again, so that deleting and uploading in turns does not fill the server.
"""

from collections.abc import AsyncGenerator, AsyncIterator
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

from storage.errors import TooLarge
from storage.files import MB, UPLOAD_PART
from storage.repositories import Repositories
from storage.repositories.uploads import Usage
from storage.resources import Storage

SILENT = timedelta(hours=1)
"""After this long without news an upload in one request is taken for dead, and its room for free."""


def check_room(usage: Usage, size: int, quota_mb: int) -> None:
    """Raises TooLarge `quota_exceeded` when `size` more bytes do not fit."""
    quota = quota_mb * MB
    if not quota:
        return
    if usage.used + size > quota:
        raise TooLarge(
            f"You use {readable(usage.used)} of your {readable(quota)}, so {readable(size)} more do not fit."
            " Delete material that you no longer need; its room is free at once.",
            code="quota_exceeded",
        )
    if usage.used + usage.deleted + size > 2 * quota:
        raise TooLarge(
            f"You use {readable(usage.used)} of your {readable(quota)}, and what you deleted in the last 30 days still"
            f" fills {readable(usage.deleted)}. Wait until some of it is gone for good.",
            code="quota_exceeded",
        )


def readable(size: int) -> str:
    """1.2 GB, 340 MB, 12 KB; never less than 1 KB."""
    for unit, factor in (("GB", 1 << 30), ("MB", MB)):
        if size >= factor:
            return f"{size / factor:.1f} {unit}"
    return f"{max(1, size >> 10)} KB"


class Arrival:
    """One file that arrives in one request. What has arrived counts while it does, so that two at once cannot both take
    the last room; files of a part or less are only counted at their end."""

    def __init__(self, storage: Storage, user_id: UUID, filename: str) -> None:
        # Its counting is no change that an audited call makes.
        self._storage = replace(storage, before_commit=None)
        self._user_id = user_id
        self._filename = filename
        self._id = storage.clock.new_id()
        self._noted = 0
        self._quota_mb = storage.settings.quota_mb

    async def expect(self, size: int) -> None:
        """Refuse at once what is announced and does not fit. Raises TooLarge `quota_exceeded`."""
        if self._quota_mb:
            async with self._storage.as_user(self._user_id, read_only=True) as db:
                check_room(await db.uploads.usage(), size, self._quota_mb)

    async def counted(self, parts: AsyncIterator[bytes]) -> AsyncGenerator[bytes]:
        """The same bytes. Raises TooLarge `quota_exceeded` as soon as there is no more room."""
        arrived = 0
        async for part in parts:
            arrived += len(part)
            if self._quota_mb and arrived - self._noted >= UPLOAD_PART:
                await self._note(arrived)
            yield part

    async def _note(self, arrived: int) -> None:
        async with self._storage.as_user(self._user_id) as db:
            check_room(await db.uploads.usage(alone=True), arrived - self._noted, self._quota_mb)
            await db.uploads.note_arrival(self._id, self._filename, arrived, SILENT)
        self._noted = arrived

    async def settle(self, db: Repositories, size: int) -> None:
        """In the transaction that makes it a file: from then on that counts. Raises TooLarge `quota_exceeded`."""
        if self._quota_mb:
            usage = await db.uploads.usage(alone=True)
            check_room(usage, size - self._noted, self._quota_mb)
            await self.forget(db)

    async def forget(self, db: Repositories) -> None:
        if self._noted:
            await db.uploads.remove(self._id)

    async def broken_off(self) -> None:
        """Its room is free again."""
        if self._noted:
            async with self._storage.as_user(self._user_id) as db:
                await self.forget(db)
