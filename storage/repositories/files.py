"""Files of all users at once, for the collector of objects that nobody refers to."""

from collections.abc import Sequence

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession


async def known_objects(session: AsyncSession, keys: Sequence[str]) -> set[str]:
    """Those of the keys that have a row, deleted ones included: they can be restored."""
    found = await session.scalars(text("SELECT * FROM lyceum_known_objects(:keys)"), {"keys": list(keys)})
    return set(found)
