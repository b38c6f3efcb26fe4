"""Finds and removes the keys of a person in Redis: by an id in the name of a key, in a short value, or in an entry of the
job stream."""

from collections.abc import Collection
from typing import Any

from storage import keys
from storage.redis.client import translated

SCANNED = 500
"""Keys looked at in one round trip."""
SHORT = 4096
"""Bytes of a value that are read; what names a person does so at the beginning."""


async def forget_keys(client: Any, ids: Collection[str]) -> int:
    """Remove every key of ours that names one of `ids`; how many. Goes through all keys, in small steps."""
    words = frozenset(ids)
    removed = await _forget_announcements(client, words)
    cursor = 0
    while True:
        async with translated():
            cursor, names = await client.scan(cursor, match=f"{keys.PREFIX}*", count=SCANNED)
            doomed = [name for name in names if words & set(name.split(":"))]
            doomed += await _by_value(client, [name for name in names if name not in doomed], words)
            if doomed:
                removed += await client.unlink(*doomed)
        if cursor == 0:
            return removed


async def _by_value(client: Any, names: list[str], words: frozenset[str]) -> list[str]:
    """Those of the names whose string holds one of the words."""
    async with client.pipeline(transaction=False) as asked:
        for name in names:
            asked.type(name)
        kinds = await asked.execute()
        strings = [name for name, kind in zip(names, kinds, strict=True) if kind == "string"]
        for name in strings:
            asked.getrange(name, 0, SHORT)
        values = await asked.execute()
    return [name for name, value in zip(strings, values, strict=True) if any(word in value for word in words)]


async def _forget_announcements(client: Any, words: frozenset[str]) -> int:
    """Entries of the job stream."""
    removed, after = 0, "-"
    while True:
        async with translated():
            entries = await client.xrange(keys.JOBS(), min=after, count=SCANNED)
            doomed = [entry for entry, fields in entries if words & set(fields.values())]
            if doomed:
                removed += await client.xdel(keys.JOBS(), *doomed)
        if len(entries) < SCANNED:
            return removed
        after = f"({entries[-1][0]}"
