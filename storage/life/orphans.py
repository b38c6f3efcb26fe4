"""Vectors that nothing in PostgreSQL knows of: left by a process that was killed, or thawed after its account was gone.

A collection says in its metadata whose it is, so each question is asked as that user. A class is made before its
collection and a chunk before its vector, so what has no row here never gets one.
"""

from collections.abc import AsyncGenerator
from dataclasses import dataclass
from uuid import UUID
from zlib import crc32

from storage.errors import NotFound
from storage.life.purge import Check, Removed
from storage.life.retention import UNUSED_VECTORS
from storage.repositories.base import as_uuid
from storage.resources import Storage


@dataclass(frozen=True, slots=True)
class Collection:
    """A collection of ours, and the class that it belongs to."""

    name: str
    user_id: UUID
    class_id: UUID
    model: str | None
    dimension: int | None


async def our_collections(storage: Storage) -> AsyncGenerator[Collection]:
    """Those that say whose they are; others in the same store are none of our business."""
    async for head in storage.vectors.collections():
        about = head.metadata
        user_id, class_id = as_uuid(str(about.get("user_id"))), as_uuid(str(about.get("class_id")))
        if user_id is not None and class_id is not None:
            yield Collection(head.name, user_id, class_id, about.get("embedding_model"), head.dimension)


async def is_orphan(storage: Storage, found: Collection) -> bool:
    """Whether its class is gone, with or without its user."""
    async with storage.as_user(found.user_id, read_only=True) as db:
        owner = await db.classes.by_id(found.class_id)
    return owner is None or not found.name.startswith(f"{owner.collection_prefix}_")


async def orphan_vectors(storage: Storage, found: Collection) -> set[UUID]:
    """Ids of the collection's vectors that have no chunk."""
    try:
        there = {UUID(entry) for entry in await storage.vectors.ids(found.name)}
    except NotFound:
        return set()
    async with storage.as_user(found.user_id, read_only=True) as db:
        return there - await db.life.class_chunks(found.class_id)


async def drop_orphans(storage: Storage, check: Check, removed: Removed) -> None:
    """Remove collections without a class; and vectors without a chunk, each day in another part of the collections."""
    today = storage.clock.now().toordinal()
    async for found in our_collections(storage):
        await check()
        if await is_orphan(storage, found):
            await storage.vectors.drop(found.name)
            removed["collections"] += 1
        elif (crc32(found.name.encode()) + today) % UNUSED_VECTORS.days == 0:
            strays = await orphan_vectors(storage, found)
            await storage.vectors.delete(found.name, list(strays))
            removed["vectors"] += len(strays)
