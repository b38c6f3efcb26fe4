"""Looks for a word everywhere: every table as the superuser, every key in Redis, every collection, every stored file."""

import json
from pathlib import Path
from typing import Any

import asyncpg
from sqlalchemy.engine import make_url

from storage.local.instance import InstanceInfo
from storage.resources import Storage


async def superuser(info: InstanceInfo) -> Any:
    """A connection that no policy holds back."""
    secrets = json.loads((info.data_dir / "secrets.json").read_text())
    url = make_url(info.owner_database_url)
    return await asyncpg.connect(
        host=str(url.query["host"]), user="postgres", password=secrets["postgres"], database=url.database
    )


async def in_tables(info: InstanceInfo, words: list[str]) -> dict[str, list[str]]:
    """Table (partitions one by one) → those of the words that a row of it holds."""
    connection = await superuser(info)
    try:
        names = await connection.fetch(
            "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'"
        )
        found = {}
        for name in (row["relname"] for row in names):
            hits = [
                word
                for word in words
                if await connection.fetchval(
                    f'SELECT EXISTS (SELECT FROM "{name}" t WHERE strpos(t::text, $1) > 0)', word
                )
            ]
            if hits:
                found[name] = hits
        return found
    finally:
        await connection.close()


async def in_redis(storage: Storage, words: list[str]) -> dict[str, list[str]]:
    """Key → those of the words that its name or its value holds."""
    found = {}
    client = storage.redis
    readers = {
        "string": client.get,
        "hash": client.hgetall,
        "list": lambda key: client.lrange(key, 0, -1),
        "set": client.smembers,
        "zset": lambda key: client.zrange(key, 0, -1),
        "stream": client.xrange,
    }
    async for key in client.scan_iter():
        text = f"{key} {await readers[await client.type(key)](key)}"
        if hits := [word for word in words if word in text]:
            found[key] = hits
    return found


async def in_vectors(storage: Storage, words: list[str]) -> dict[str, list[str]]:
    """Collection → those of the words that its name, its metadata or an entry holds."""
    found = {}
    async for head in storage.vectors.collections():
        entries = await storage.vectors.entries(head.name, ids=None, limit=10_000, offset=0, embeddings=False)
        text = f"{head} {entries}"
        if hits := [word for word in words if word in text]:
            found[head.name] = hits
    return found


def in_files(info: InstanceInfo, words: list[str]) -> dict[str, list[str]]:
    """Path in the file store's folder → those of the words that its name or its bytes hold."""
    folder = Path(info.files_url.removeprefix("file://"))
    found = {}
    for path in folder.rglob("*"):
        content = path.read_bytes() if path.is_file() else b""
        if hits := [word for word in words if word in str(path) or word.encode() in content]:
            found[str(path)] = hits
    return found


async def everywhere(storage: Storage, info: InstanceInfo, words: list[str]) -> dict[str, list[str]]:
    return {
        **await in_tables(info, words),
        **await in_redis(storage, words),
        **await in_vectors(storage, words),
        **in_files(info, words),
    }
