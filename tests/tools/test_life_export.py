"""A copy of everything that a person has: readable, whole, without secrets, theirs alone, and gone after a week."""

import hashlib
import io
import json
import zipfile
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from storage.life.person import DERIVED
from storage.models import Base, Conversation, Message, Note
from storage.repositories.life import personal_tables
from storage.resources import Storage
from tests.clocks import LaterClock
from tests.work import add_text, call, run_job
from tools.accounts import Accounts, Device
from tools.context import Principal
from tools.executor import Executor
from tools.life.archive import Entry, Names, safe_name, zipped
from tools.life.upkeep import Upkeep

NOT_PERSONAL = {
    "oauth_clients": "programs, registered before anyone signs in",
    "seal_keys": "a secret of the database",
    "upkeep": "turns of the recurring tasks",
}


async def export(storage: Storage, executor: Executor, who: Principal) -> tuple[zipfile.ZipFile, str]:
    """The archive as it lies in the store, and the export's id."""
    started = await call(executor, who, "export_my_data")
    await run_job(storage, who, UUID(started["job_id"]))
    async with storage.as_user(who.user_id) as db:
        row = await db.exports.get(UUID(started["export_id"]))
        assert row.status == "ready", (await db.jobs.get(UUID(started["job_id"]))).error
        assert row.file_id is not None
        file = await db.materials.file(row.file_id)
    assert file is not None
    data = b"".join([part async for part in storage.files.read(file.object_key)])
    assert hashlib.sha256(data).digest() == file.sha256
    return zipfile.ZipFile(io.BytesIO(data)), started["export_id"]


async def furnish(storage: Storage, executor: Executor, who: Principal) -> None:
    await add_text(executor, who, "Thermo / dynamics", "Heat: the basics", "Heat flows from warm to cold.\n")
    classes = await call(executor, who, "list_classes")
    me, now, thread = who.user_id, datetime(2026, 5, 4, 12, tzinfo=UTC), storage.clock.new_id()
    citation = {"number": 1, "label": "page 3", "quote": "Heat flows.", "locator": {"material_title": "Heat"}}
    rows = [
        Note(id=storage.clock.new_id(), user_id=me, class_id=classes["items"][0]["id"], title="My note", text="**Bold**"),
        Conversation(id=thread, user_id=me, thread_id="t", title="Where does heat go?", created_at=now),
        Message(id=storage.clock.new_id(), user_id=me, conversation_id=thread, role="user", text="Where?", created_at=now),
        Message(
            id=storage.clock.new_id(), user_id=me, conversation_id=thread, role="assistant", text="To the cold [1].",
            citations=[citation], created_at=now,
        ),
    ]  # fmt: skip
    async with storage.database.transaction(me) as session:
        for row in rows:
            session.add(row)
            await session.flush()


async def test_a_person_finds_their_things_in_it(
    storage: Storage, executor: Executor, student: Principal
) -> None:
    await furnish(storage, executor, student)
    archive, _ = await export(storage, executor, student)
    assert archive.testzip() is None
    assert archive.namelist()[0] == "README.md"
    assert "A student" in archive.read("README.md").decode()
    folder = "classes/Thermo _ dynamics"
    assert archive.read(f"{folder}/files/Heat_ the basics.md") == b"Heat flows from warm to cold."
    assert "Heat flows from warm to cold." in archive.read(f"{folder}/texts/Heat_ the basics.md").decode()
    assert "**Bold**" in archive.read(f"{folder}/notes/My note.md").decode()
    said = archive.read("conversations/2026-05-04 Where does heat go_.md").decode()
    assert "**You**" in said
    assert (
        said.index("Where?")
        < said.index("To the cold [1].")
        < said.index("> [1] Heat, page 3: “Heat flows.”")
    )


async def test_every_table_with_rows_of_a_person_is_in_it(
    storage: Storage, executor: Executor, student: Principal
) -> None:
    await furnish(storage, executor, student)
    archive, _ = await export(storage, executor, student)
    tables = {
        name.split("/")[1].removesuffix(".json") for name in archive.namelist() if name.startswith("data/")
    }
    assert tables == set(Base.metadata.tables) - DERIVED - NOT_PERSONAL.keys()
    assert {table.name for table in personal_tables()} == tables | DERIVED
    for table in tables:
        assert isinstance(json.loads(archive.read(f"data/{table}.json")), list)
    (user,) = json.loads(archive.read("data/users.json"))
    assert user["id"] == str(student.user_id)
    assert json.loads(archive.read("data/audit_logs.json"))


async def test_the_manifest_lists_every_file_with_its_checksum(
    storage: Storage, executor: Executor, student: Principal
) -> None:
    await furnish(storage, executor, student)
    archive, _ = await export(storage, executor, student)
    listed = {file["path"]: file for file in json.loads(archive.read("manifest.json"))["files"]}
    assert listed.keys() == set(archive.namelist()) - {"manifest.json"}
    for path, file in listed.items():
        assert file["sha256"] == hashlib.sha256(archive.read(path)).hexdigest()


async def test_no_secret_and_nothing_of_others_is_in_it(
    storage: Storage, executor: Executor, student: Principal, stranger: Principal
) -> None:
    await add_text(executor, stranger, "Not yours", "Not yours", "A stranger's sentence.\n")
    accounts = Accounts(storage)
    await accounts.set_password(student.user_id, "correct horse battery staple")
    key, secret = await accounts.create_key(student.user_id, "For a program")
    signed_in = await accounts.start_session(student.user_id, Device())
    archive, _ = await export(storage, executor, student)
    everything = b"\n".join(archive.read(name) for name in archive.namelist()).decode()
    assert key.prefix in everything
    hashes = [key.key_hash.hex(), "$argon2", "password_hash", "access_hash", "object_key"]
    for hidden in (secret, signed_in.access_token, signed_in.refresh_token, *hashes):
        assert hidden not in everything
    assert "stranger" not in everything
    assert str(stranger.user_id) not in everything


async def test_asking_twice_makes_one_copy(executor: Executor, student: Principal) -> None:
    first = await call(executor, student, "export_my_data")
    assert await call(executor, student, "export_my_data") == first


async def test_an_expired_copy_is_removed_from_the_store_and_its_row_a_week_later(
    storage: Storage, executor: Executor, student: Principal
) -> None:
    _, export_id = await export(storage, executor, student)
    prefix = f"users/{student.user_id}/"
    for days, status, objects in ((6, "ready", 1), (8, "expired", 0)):
        await Upkeep(replace(storage, clock=LaterClock(timedelta(days=days))), "test").daily()
        async with storage.as_user(student.user_id) as db:
            assert (await db.exports.get(UUID(export_id))).status == status
        assert len([key async for key in storage.files.keys(prefix)]) == objects
    await Upkeep(replace(storage, clock=LaterClock(timedelta(days=15))), "test").daily()
    async with storage.as_user(student.user_id) as db:
        assert await db.life.due_ids("exports", storage.clock.now() + timedelta(days=30)) == []


async def parts(*given: bytes) -> AsyncIterator[bytes]:
    for part in given:
        yield part


async def test_an_archive_is_made_in_parts_that_do_not_grow_with_it() -> None:
    large = 40

    async def entries() -> AsyncIterator[Entry]:
        yield Entry("large.bin", parts(*[bytes([n]) * (1 << 20) for n in range(large)]), packed=True)

    sizes = [len(part) async for part in zipped(entries(), datetime(2026, 1, 1, tzinfo=UTC))]
    assert sum(sizes) > large << 20
    assert max(sizes) < 2 << 20


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("a/b\\c:d", "a_b_c_d"),
        ("..", "untitled"),
        ("con.md", "_con.md"),
        ("x" * 300 + ".pdf", "x" * 96 + ".pdf"),
        ("Vorlesung 1. Teil.md", "Vorlesung 1. Teil.md"),
        ("\n\t\0.md", "___.md"),
        ("Σ.md", "Σ.md"),
    ],
)
def test_names_can_be_unpacked_everywhere(name: str, safe: str) -> None:
    assert safe_name(name) == safe


def test_names_that_differ_only_by_case_are_told_apart() -> None:
    names = Names()
    given: list[Any] = [names.path("notes", name) for name in ("A.md", "a.md", "A.md")]
    assert given == ["notes/A.md", "notes/a (2).md", "notes/A (3).md"]
