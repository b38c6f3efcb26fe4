"""Each thing that the doctor looks at is broken for real, and the finding read."""

import asyncio
import json
import os
import shutil
import sys
import time
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple
from uuid import UUID

import chromadb
import numpy as np
import pytest
from pydantic import SecretStr
from sqlalchemy import text

from assistant.cli import checks
from assistant.cli.doctor import stores
from assistant.cli.doctor.report import Level, Patient, Result, examine, worst
from migrations.runner import head
from storage.local.instance import InstanceInfo
from storage.local.services import LocalServices
from storage.models import Conversation, Job, Run
from storage.resources import Storage
from storage.vectors.api import parse_url
from storage.vectors.index import VectorIndex
from tests import traces
from tests.clocks import LaterClock
from tests.data import REPOSITORY
from tests.tools.test_life_purge import rested
from tests.work import add_text, call
from tools.context import Principal
from tools.executor import Executor
from tools.life.upkeep import Upkeep


async def results(storage: Storage, schema: str | None = None) -> dict[str, Result]:
    patient = Patient(storage, is_laptop=True, head=schema or head())
    return {result.name: result for result in await examine(patient, checks.CHECKS)}


async def found(storage: Storage, name: str) -> str:
    """What a check finds, as one text. Runs it with what it needs."""
    wanted, more = {name}, True
    while more:
        needed = {need for check in checks.CHECKS if check.name in wanted for need in check.needs}
        more = not needed <= wanted
        wanted |= needed
    few = [check for check in checks.CHECKS if check.name in wanted]
    patient = Patient(storage, is_laptop=True, head=head())
    result = next(r for r in await examine(patient, few) if r.name == name)
    return "\n".join(f"{f.level.name} {f.detail} {' '.join(f.examples)} → {f.mend}" for f in result.findings)


@pytest.fixture
async def material(storage: Storage, executor: Executor, student: Principal) -> str:
    return await add_text(executor, student, "Health", "A text", "A sentence that is well.\n")


async def object_of(storage: Storage, who: Principal) -> Path:
    (key,) = [key async for key in storage.files.keys(f"users/{who.user_id}/")]
    assert storage.files.folder is not None
    return storage.files.folder / key


async def collection(storage: Storage, who: Principal) -> str:
    heads = storage.vectors.collections()
    (name,) = [head.name async for head in heads if head.metadata["user_id"] == str(who.user_id)]
    return name


async def test_a_healthy_installation_has_nothing_wrong(
    storage: Storage, student: Principal, material: str
) -> None:
    await rested(storage)
    await Upkeep(storage, "test").daily()
    for name, result in (await results(storage)).items():
        mine = [f for f in result.findings if any(str(student.user_id) in e for e in f.examples)]
        assert not mine, name
        if name not in ("jobs", "runs", "stored files", "stored vectors", "upkeep", "disk"):
            assert not result.findings, (name, result.findings)


async def test_a_missing_and_a_shortened_file(storage: Storage, student: Principal, material: str) -> None:
    path = await object_of(storage, student)
    whole = path.read_bytes()
    path.write_bytes(whole[:-1])
    assert "do not have the size they were stored with" in await found(storage, "stored files")
    path.unlink()
    told = await found(storage, "stored files")
    assert "ERROR" in told
    assert "missing from the store" in told
    assert str(student.user_id) in told


async def test_an_object_without_a_row(storage: Storage, student: Principal, material: str) -> None:
    path = (await object_of(storage, student)).with_name("0198c0de-0000-7000-8000-000000000000")
    path.write_bytes(b"nobody's")
    assert path.name not in await found(storage, "stored files"), "an upload in flight is no orphan"
    yesterday = time.time() - 86400
    os.utime(path, (yesterday, yesterday))
    told = await found(storage, "stored files")
    path.unlink()
    assert "stored files belong to nothing" in told
    assert path.name in told


async def test_vectors_without_a_chunk_and_chunks_without_a_vector(
    storage: Storage, student: Principal, material: str
) -> None:
    name, stray = await collection(storage, student), storage.clock.new_id()
    held = await storage.vectors.ids(name)
    await upsert(storage, name, stray)
    assert f"{name}: {stray}" in await found(storage, "stored vectors")
    await storage.vectors.delete(name, [stray, *map(UUID, held)])
    told = await found(storage, "stored vectors")
    assert "have no vector" in told
    assert str(stray) not in told
    assert all(chunk in told for chunk in held)


async def upsert(storage: Storage, name: str, entry: UUID, length: int = 384) -> None:
    client = await chromadb.AsyncHttpClient(*parse_url(storage.settings.vector_url or "")[:2])
    made = await client.get_collection(name, embedding_function=None)
    vectors = np.full((1, length), 0.1, np.float32)
    await made.upsert(ids=[str(entry)], embeddings=vectors, documents=["stray"])


async def test_a_collection_without_a_class(storage: Storage, student: Principal, material: str) -> None:
    name = await collection(storage, student)
    async with storage.database.transaction(student.user_id) as session:
        await session.execute(text("DELETE FROM classes WHERE user_id = :me"), {"me": student.user_id})
    assert name in await found(storage, "stored vectors")
    await rested(storage)
    await Upkeep(storage, "test").daily()
    assert name not in await found(storage, "stored vectors")


async def test_another_embedding_model(storage: Storage, student: Principal, material: str) -> None:
    async with storage.database.transaction(student.user_id) as session:
        await session.execute(
            text("UPDATE chunks SET embedding_model = 'older-model' WHERE user_id = :me"),
            {"me": student.user_id},
        )
    assert "older-model" in await found(storage, "stored vectors")


async def test_jobs_without_a_worker_lost_and_failed(storage: Storage, student: Principal) -> None:
    me, now, new = student.user_id, storage.clock.now(), storage.clock.new_id
    long_ago = now - timedelta(hours=1)
    async with storage.database.transaction(me) as session:
        session.add(Job(id=new(), user_id=me, kind="x", status="queued", run_after=long_ago))
        session.add(Job(id=new(), user_id=me, kind="x", status="running", lease_until=long_ago, worker="w"))
        session.add(Job(id=new(), user_id=me, kind="x", status="failed", finished_at=now, error="Paper jam."))
    told = await found(storage, "jobs")
    assert "ERROR 1 jobs have waited" in told
    assert "ERROR 1 running jobs have lost their worker" in told
    assert "Paper jam." in told
    assert "lyceum worker" in told
    async with storage.database.transaction(me) as session:
        await session.execute(text("DELETE FROM jobs WHERE user_id = :me"), {"me": me})


async def test_an_answer_that_is_stuck(storage: Storage, student: Principal) -> None:
    me, thread, run = student.user_id, storage.clock.new_id(), storage.clock.new_id()
    hour_ago = storage.clock.now() - timedelta(hours=1)
    async with storage.database.transaction(me) as session:
        session.add(Conversation(id=thread, user_id=me, thread_id="t", title="t"))
        await session.flush()
        session.add(Run(id=run, user_id=me, conversation_id=thread, client_run_id="r", heartbeat_at=hour_ago))
    assert str(run) in await found(storage, "runs")
    async with storage.database.transaction(me) as session:
        await session.execute(text("DELETE FROM runs WHERE user_id = :me"), {"me": me})


async def test_an_account_that_is_not_erased_and_a_daily_task_that_does_not_come(
    storage: Storage, executor: Executor, student: Principal
) -> None:
    await rested(storage)
    assert "never" in await found(storage, "upkeep")
    await Upkeep(storage, "test").daily()
    assert "daily task" not in await found(storage, "upkeep")
    await call(executor, student, "delete_my_account", email=f"{student.user_id}@example.org")
    told = await found(replace(storage, clock=LaterClock(timedelta(days=3))), "upkeep")
    assert str(student.user_id) in told
    assert "The daily task last ended on" in told
    await Upkeep(storage, "test").erase_accounts()


async def test_a_schema_that_is_behind_keeps_what_needs_it_from_being_looked_at(storage: Storage) -> None:
    all_results = await results(storage, schema="9999")
    assert "Run `lyceum migrate`" in all_results["schema"].findings[0].mend
    assert all_results["jobs"].is_skipped
    assert not all_results["redis"].findings


async def test_a_missing_partition(storage: Storage, instance: InstanceInfo) -> None:
    connection = await traces.superuser(instance)
    now = storage.clock.now()
    following = f"audit_logs_{now.year + now.month // 12}_{now.month % 12 + 1:02d}"
    await connection.execute(f"DROP TABLE {following}")
    told = await found(storage, "partitions")
    assert "WARNING" in told
    assert "audit_logs" in told
    await rested(storage)
    await Upkeep(storage, "test").daily()
    assert not await found(storage, "partitions")
    await connection.close()


async def test_row_level_security_that_is_not_forced(storage: Storage, instance: InstanceInfo) -> None:
    connection = await traces.superuser(instance)
    await connection.execute("ALTER TABLE notes NO FORCE ROW LEVEL SECURITY")
    try:
        assert "notes" in await found(storage, "database")
    finally:
        await connection.execute("ALTER TABLE notes FORCE ROW LEVEL SECURITY")
        await connection.close()


async def test_a_store_that_is_down_is_named_and_the_rest_is_looked_at(storage: Storage) -> None:
    all_results = await results(replace(storage, vectors=VectorIndex("chroma+http://127.0.0.1:9")))
    assert "Chroma" in all_results["vectors"].findings[0].detail
    assert all_results["stored vectors"].is_skipped
    assert not all_results["database"].findings
    assert all_results["stored files"].detail
    assert worst(all_results.values()) is Level.ERROR


async def test_a_disk_that_is_nearly_full(storage: Storage, monkeypatch: pytest.MonkeyPatch) -> None:
    class Usage(NamedTuple):
        free: int

    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(500 << 20))
    assert "ERROR Only 500 MB are free" in await found(storage, "disk")


async def test_clocks_that_differ(storage: Storage, monkeypatch: pytest.MonkeyPatch) -> None:
    class Ahead(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> Any:
            return super().now(tz) + timedelta(seconds=30)

    monkeypatch.setattr(stores, "datetime", Ahead)
    told = await found(storage, "clocks")
    assert "that of the database differ by 30 s" in told
    assert "that of Redis differ by 30 s" in told


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"secret_key": SecretStr("short")}, "LYCEUM_SECRET_KEY"),
        ({"public_url": "http://lyceum.example"}, "without TLS"),
        ({"public_url": "https://lyceum.example", "registration": "open"}, "Everybody who reaches"),
        ({"redis_url": "redis://10.0.0.7:6379"}, "without a password"),
    ],
)
async def test_settings_that_are_unsafe(storage: Storage, change: dict[str, Any], told: str) -> None:
    unsafe = replace(storage, settings=storage.settings.model_copy(update=change))
    assert told in await found(unsafe, "settings")


# --- the command


async def doctor(data_dir: Path, *options: str) -> tuple[int, str, str]:
    argv = [sys.executable, "-m", "assistant.cli", "doctor", "--data-dir", str(data_dir), *options]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("LYCEUM_")}
    process = await asyncio.create_subprocess_exec(
        *argv, env=environment, cwd=REPOSITORY,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    out, err = await process.communicate()
    return process.returncode or 0, out.decode(), err.decode()


async def test_the_command_looks_at_an_instance_that_runs(instance: InstanceInfo) -> None:
    code, out, _ = await doctor(instance.data_dir, "--json")
    answer = json.loads(out)
    assert code == ["ok", "warning", "error"].index(answer["status"])
    states = {check["name"]: check["state"] for check in answer["checks"]}
    assert list(states) == [check.name for check in checks.CHECKS]
    assert states["database"] == states["redis"] == states["vectors"] == "ok"


async def test_the_command_says_that_there_is_nothing_yet(tmp_path: Path) -> None:
    code, _, err = await doctor(tmp_path)
    assert code == 2
    assert "There is no Lyceum in" in err


@pytest.fixture
async def stopped(tmp_path: Path) -> Path:
    """A data folder with an empty database, and nothing running on it."""
    async with LocalServices(tmp_path / "data", command="tests"):
        pass
    return tmp_path / "data"


async def test_the_command_starts_what_does_not_run_migrates_nothing_and_goes_on_without_a_broken_server(
    stopped: Path,
) -> None:
    code, out, _ = await doctor(stopped)
    assert code == 2
    assert "The schema is missing" in out
    (stopped / "postgres" / "data" / "global" / "pg_control").unlink()
    code, out, _ = await doctor(stopped, "--json")
    states = {check["name"]: check for check in json.loads(out)["checks"]}
    assert code == 2
    assert "postgres" in states["database"]["findings"][0]["detail"]
    assert states["redis"]["state"] == states["vectors"]["state"] == "ok"
    assert states["jobs"]["state"] == "skipped"
