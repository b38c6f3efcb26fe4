"""What `lyceum doctor` looks at, one function a check."""

import shutil
from collections.abc import Awaitable, Callable
from typing import Any

from assistant.cli.session import OwnerSession
from migrations.runner import head
from storage.errors import LyceumError

Check = Callable[[OwnerSession], Awaitable[str]]
LOW_DISK = 1 << 30
"""Bytes of free disk below which uploads are about to fail."""


class Wrong(Exception):
    """A check failed: what is wrong, and how to mend it."""

    def __init__(self, detail: str, mend: str) -> None:
        super().__init__(detail)
        self.mend = mend


async def all_checks(session: OwnerSession) -> list[dict[str, Any]]:
    """`{name, ok, detail, mend}` for every check, in order."""
    return [await one_check(session, name, check) for name, check in CHECKS.items()]


async def one_check(session: OwnerSession, name: str, check: Check) -> dict[str, Any]:
    try:
        return {"name": name, "ok": True, "detail": await check(session), "mend": None}
    except Wrong as wrong:
        return {"name": name, "ok": False, "detail": str(wrong), "mend": wrong.mend}
    except LyceumError as error:
        return {
            "name": name,
            "ok": False,
            "detail": str(error),
            "mend": "See the logs folder in the data folder.",
        }


async def database(session: OwnerSession) -> str:
    await session.storage.database.ping()
    return "PostgreSQL answers."


async def schema(session: OwnerSession) -> str:
    found = await session.storage.database.schema_revision()
    if found != head():
        raise Wrong(f"The schema is at {found}, this version needs {head()}.", "Run `lyceum migrate`.")
    return f"The schema is current ({found})."


async def queue(session: OwnerSession) -> str:
    await session.storage.redis.ping()
    return "Valkey answers."


async def vectors(session: OwnerSession) -> str:
    await session.storage.vectors.ping()
    return "Chroma answers."


async def collections(session: OwnerSession) -> str:
    listed = await session.call("chroma_list_collections")
    sick = []
    for item in listed["items"]:
        diagnosis = await session.call("chroma_diagnose_collection", collection_name=item["name"])
        sick += [
            f"{item['name']}: {f['count']} × {f['kind']}"
            for f in diagnosis["findings"]
            if f["kind"] != "still_indexing"
        ]
    if sick:
        raise Wrong("; ".join(sick), "chroma_diagnose_collection says for each how to mend it.")
    return f"{listed['total']} collections agree with the database."


async def jobs(session: OwnerSession) -> str:
    failed = await session.call("list_jobs", status="failed", limit=5)
    if failed["total"]:
        newest = failed["items"][0]
        raise Wrong(
            f"{failed['total']} failed jobs, the newest: {newest['error']}",
            "`retry_job` runs one again; delete the material otherwise.",
        )
    waiting = await session.call("list_jobs", status="queued", limit=1)
    return f"No failed jobs, {waiting['total']} waiting."


async def files(session: OwnerSession) -> str:
    async with session.storage.as_user(session.principal.user_id, read_only=True) as db:
        rows = await db.materials.all_files()
    missing = []
    for row in rows:
        try:
            if await session.storage.files.size(row.object_key) != row.size_bytes:
                missing.append(row.filename)
        except LyceumError:
            missing.append(row.filename)
    if missing:
        raise Wrong(
            f"{len(missing)} files are missing or cut short: {', '.join(missing[:5])}", "Upload them again."
        )
    return f"{len(rows)} files are complete."


async def disk(session: OwnerSession) -> str:
    free = shutil.disk_usage(session.settings.data_dir).free
    if free < LOW_DISK:
        raise Wrong(f"Only {free >> 20} MB are free.", "Make room on the disk that holds the data folder.")
    return f"{free >> 30} GB free."


CHECKS: dict[str, Check] = {
    "database": database,
    "schema": schema,
    "queue": queue,
    "vectors": vectors,
    "collections": collections,
    "jobs": jobs,
    "files": files,
    "disk": disk,
}
