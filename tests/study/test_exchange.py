"""Importing and exporting decks as a person does it: tables, pasted text, uploads; and files that are refused."""

import asyncio
import base64
import io
import json
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest
import zstandard

from assistant.app import create_app
from storage.errors import InvalidInput, NotFound
from storage.local.instance import InstanceInfo
from storage.resources import Storage
from tests.conftest import settings_for
from tests.study.anki_collections import PNG, make_package
from tests.work import call, run_job
from tools.accounts import Accounts
from tools.context import Principal
from tools.exchange import anki_process
from tools.exchange.anki_process import Answers, child_at_work, read_package, work_folder
from tools.exchange.archive import check_package
from tools.executor import Executor
from tools.ingest.segments import Refusal


async def finished(storage: Storage, who: Principal, started: Any) -> Any:
    """The job's row after its attempt."""
    await run_job(storage, who, UUID(started["job_id"]))
    async with storage.as_user(who.user_id, read_only=True) as db:
        return await db.jobs.get(UUID(started["job_id"]))


async def fronts(storage: Storage, who: Principal, deck_id: str) -> list[tuple[str, str, str]]:
    async with storage.as_user(who.user_id, read_only=True) as db:
        return [(row.type, row.front, row.back) for row in await db.exchange.cards_of(UUID(deck_id))]


async def file_of(storage: Storage, who: Principal, started: Any) -> str:
    job = await finished(storage, who, started)
    assert job.status == "succeeded", job.error
    async with storage.as_user(who.user_id) as db:
        export = await db.exports.get(UUID(started["export_id"]))
        file = await db.materials.file(export.file_id) if export.file_id else None
    assert file is not None
    return b"".join([part async for part in storage.files.read(file.object_key)]).decode()


async def test_pasted_cards_become_a_deck_and_the_same_again_no_second_one(
    storage: Storage, executor: Executor, student: Principal
) -> None:
    await call(executor, student, "create_class", name="German")
    wanted = {"text": "Hund\tdog\nKatze\tcat\n", "title": "Animals", "class_id": "German"}
    started = await call(executor, student, "import_deck", **wanted)
    assert started["format"] == "quizlet"
    job = await finished(storage, student, started)
    (deck,) = job.result["decks"]
    assert (deck["title"], deck["cards"], job.result["cards"]) == ("Animals", 2, 2)
    more = {**wanted, "text": "Hund\thound\nKatze\tcat\nMaus\tmouse\njust words\n"}
    again = (await finished(storage, student, await call(executor, student, "import_deck", **more))).result
    assert (again["cards"], again["updated"], again["unchanged"]) == (1, 1, 1)
    assert again["decks"][0]["id"] == deck["id"]
    cards = await fronts(storage, student, deck["id"])
    assert cards == [
        ("basic", "Hund", "hound"),
        ("basic", "Katze", "cat"),
        ("basic", "Maus", "mouse\njust words"),
    ]
    async with storage.as_user(student.user_id, read_only=True) as db:
        row = await db.cards.resolve_deck(deck["id"])
        assert (row.source, row.class_id) == ("quizlet", (await db.classes.resolve("German")).id)
        assert await db.uploads.usage() is not None
        files = await db.inspection.files()
    assert files == {}


async def test_without_update_known_cards_stay_as_they_are(
    storage: Storage, executor: Executor, student: Principal
) -> None:
    await finished(
        storage, student, await call(executor, student, "import_deck", text="a\t1\nb\t2", title="T")
    )
    again = await call(executor, student, "import_deck", text="a\tnew\nc\t3", deck_id="T", update=False)
    result = (await finished(storage, student, again)).result
    assert (result["cards"], result["updated"], result["unchanged"]) == (1, 0, 1)
    assert await fronts(storage, student, result["decks"][0]["id"]) == [
        ("basic", "a", "1"),
        ("basic", "b", "2"),
        ("basic", "c", "3"),
    ]


async def test_a_deck_leaves_as_csv_text_and_json(
    storage: Storage, executor: Executor, student: Principal
) -> None:
    table = 'type,front,back,tags\r\nbasic,"a, ""b""\nc",d,x\r\ncloze,{{c1::E}} is {{c2::m}},,\r\nreversed,Hund,dog,\r\n'
    content = base64.b64encode(table.encode()).decode()
    started = await call(executor, student, "import_deck", filename="My_cards.csv", content_base64=content)
    assert started["format"] == "csv"
    job = await finished(storage, student, started)
    assert job.result["decks"][0]["title"] == "My cards"
    assert job.result["cards"] == 5
    as_csv = await file_of(
        storage, student, await call(executor, student, "export_deck", deck_id="My cards", format="csv")
    )
    assert as_csv.splitlines()[0] == "type,front,back,extra,options,tags,source,link,quote"
    assert '"a, ""b""\nc",d,,,x' in as_csv
    as_text = await file_of(
        storage, student, await call(executor, student, "export_deck", deck_id="My cards", format="txt")
    )
    assert as_text == 'a, "b" c\td\n[…] is m\tE\nE is […]\tm\nHund\tdog\n'
    as_json = json.loads(
        await file_of(
            storage, student, await call(executor, student, "export_deck", deck_id="My cards", format="json")
        )
    )
    assert [note["type"] for note in as_json["notes"]] == ["basic", "cloze", "reversed"]


# --- Anki


@pytest.fixture(scope="module")
async def old_package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """As older Anki writes them, reviewed with SM-2."""
    return await make_package(tmp_path_factory.mktemp("old"), legacy=True, fsrs=False)


async def test_an_old_package_by_upload_brings_its_sm2_state_and_its_media(
    storage: Storage, executor: Executor, student: Principal, instance: InstanceInfo, old_package: Path
) -> None:
    _, key = await Accounts(storage).create_key(student.user_id, "upload")
    web = httpx.AsyncClient(
        transport=httpx.ASGITransport(create_app(settings_for(instance))),
        base_url="http://127.0.0.1:8000",
        headers={"Authorization": f"Bearer {key}"},
    )
    data = await asyncio.to_thread(old_package.read_bytes)
    name = base64.b64encode(b"bio.apkg").decode()
    headers = {
        "Tus-Resumable": "1.0.0",
        "Upload-Length": str(len(data)),
        "Upload-Metadata": f"filename {name}",
    }
    made = await web.post("/api/uploads/tus", headers=headers)
    assert made.status_code == 201, made.text
    place = made.headers["location"]
    sent = await web.patch(
        place, content=data, headers={"Tus-Resumable": "1.0.0", "Upload-Offset": "0", "Content-Type": "application/offset+octet-stream"}
    )  # fmt: skip
    assert sent.status_code == 204, sent.text
    started = await call(executor, student, "import_deck", upload_id=place.rpartition("/")[2], title="Old")
    job = await finished(storage, student, started)
    assert job.status == "succeeded", job.error
    decks = {deck["title"]: deck["id"] for deck in job.result["decks"]}
    assert set(decks) == {"Old", "Old::Cells"}
    async with storage.as_user(student.user_id, read_only=True) as db:
        rows = [row for deck in decks.values() for row in await db.exchange.cards_of(UUID(deck))]
        reviews = await db.exchange.reviews_of([row.id for row in rows])
    known = [row for row in rows if row.state == "review"]
    assert known
    for row in known:
        assert (row.scheduler, row.stability) == ("sm2", None)
        assert row.interval_days >= 1
        assert row.repetitions >= 1
        assert {one.scheduler for one in reviews[row.id]} <= {"sm2", "fsrs"}
    picture = await web.get(f"/api/decks/{decks['Old::Cells']}/media/cell%20one.png")
    assert (picture.status_code, picture.content) == (200, PNG)
    assert picture.headers["content-type"] == "image/png"
    assert "sandbox" in picture.headers["content-security-policy"]
    assert (await web.get(f"/api/decks/{decks['Old']}/media/other.png")).status_code == 404


async def test_a_whole_collection_is_read(
    storage: Storage, executor: Executor, student: Principal, tmp_path: Path
) -> None:
    package = await asyncio.to_thread(whole_collection, tmp_path)
    content = base64.b64encode(await asyncio.to_thread(package.read_bytes)).decode()
    started = await call(executor, student, "import_deck", filename="all.colpkg", content_base64=content)
    job = await finished(storage, student, started)
    assert job.status == "succeeded", job.error
    (deck,) = job.result["decks"]
    assert (deck["title"], deck["cards"]) == ("Default", 1)


def whole_collection(folder: Path) -> Path:
    program = """
import sys
from anki.collection import Collection
col = Collection(sys.argv[1] + "/c.anki2")
note = col.new_note(col.models.by_name("Basic"))
note["Front"], note["Back"] = "front", "back"
col.add_note(note, 1)
col.export_collection_package(sys.argv[1] + "/all.colpkg", include_media=True, legacy=False)
"""
    subprocess.run([sys.executable, "-c", program, str(folder)], check=True, capture_output=True)
    return folder / "all.colpkg"


# --- what is refused


def archive(**members: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as made:
        for name, data in members.items():
            made.writestr(name.replace("_", "."), data)
    return out.getvalue()


async def test_a_damaged_package_ends_with_a_sentence_and_leaves_nothing(
    storage: Storage, executor: Executor, student: Principal
) -> None:
    content = base64.b64encode(archive(collection_anki2=b"no database")).decode()
    started = await call(executor, student, "import_deck", filename="x.apkg", content_base64=content)
    job = await finished(storage, student, started)
    assert (job.status, job.error_code) == ("failed", "corrupt")
    assert job.error.endswith(".")
    async with storage.as_user(student.user_id, read_only=True) as db:
        assert list(await db.cards.decks()) == []


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ({"content_base64": base64.b64encode(b"%PDF-1.7\n").decode(), "filename": "a.apkg"}, "not_a_deck"),
        ({"text": "Hund\tdog", "content_base64": "eA==", "filename": "a.txt"}, "invalid_arguments"),
        ({"text": "  \n "}, "empty_file"),
        ({}, "invalid_arguments"),
    ],
)
async def test_what_cannot_be_cards_is_refused_at_once(
    executor: Executor, student: Principal, arguments: dict[str, Any], code: str
) -> None:
    with pytest.raises(InvalidInput) as refused:
        await call(executor, student, "import_deck", **arguments)
    assert refused.value.code == code


async def test_decks_of_others_do_not_exist(
    storage: Storage, executor: Executor, student: Principal, stranger: Principal
) -> None:
    job = await finished(
        storage, student, await call(executor, student, "import_deck", text="a\tb", title="Mine")
    )
    deck_id = job.result["decks"][0]["id"]
    with pytest.raises(NotFound):
        await call(executor, stranger, "export_deck", deck_id=deck_id)
    with pytest.raises(NotFound):
        await call(executor, stranger, "import_deck", text="c\td", deck_id=deck_id)
    async with storage.as_user(stranger.user_id, read_only=True) as db:
        assert await db.inspection.files() == {}


def locked(data: bytes) -> bytes:
    """With the mark of a password in its list of entries."""
    at = data.rfind(b"PK\x01\x02") + 8
    return data[:at] + bytes([data[at] | 1]) + data[at + 1 :]


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"PK\x03\x04 but nothing more", "corrupt"),
        (b"no archive at all", "not_a_package"),
        (archive(readme_txt=b"hello"), "not_a_package"),
        (archive(collection_anki2=bytes(30_000_000)), "too_large"),
        (locked(archive(collection_anki2=b"x" * 100)), "encrypted"),
    ],
)
def test_a_package_is_refused_by_its_list_of_entries(tmp_path: Path, data: bytes, code: str) -> None:
    path = tmp_path / "x.apkg"
    path.write_bytes(data)
    with pytest.raises(Refusal) as refused:
        check_package(path)
    assert refused.value.code == code


async def read(package: Path, most_notes: int = 100) -> None:
    where = {
        "package": str(package),
        "whole": False,
        "most_notes": most_notes,
        "zone": "UTC",
        "start_hour": 4,
    }
    async with work_folder() as folder, child_at_work(folder) as child:
        async for _ in read_package(child, {**where, "folder": str(folder)}, Answers()):
            pass


async def test_a_bomb_inside_zstandard_is_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Sizes in the list of entries say nothing of what Zstandard unpacks to; the process may fill only so much."""
    squeezing = zstandard.ZstdCompressor(level=1).compressobj()
    squeezed = b"".join(squeezing.compress(bytes(4 << 20)) for _ in range(200)) + squeezing.flush()
    package = tmp_path / "bomb.apkg"
    with zipfile.ZipFile(package, "w", zipfile.ZIP_STORED) as made:
        made.writestr("meta", b"\x08\x03")
        made.writestr("collection.anki21b", squeezed)
        made.writestr("media", zstandard.compress(b""))
    check_package(package)
    monkeypatch.setattr(anki_process, "WATCH_SECONDS", 0.02)
    monkeypatch.setattr(anki_process, "LARGEST_FOLDER", 8 << 20)
    with pytest.raises(Refusal, match="made to do harm"):
        await read(package)


async def test_a_package_with_too_many_notes_is_refused(old_package: Path) -> None:
    with pytest.raises(Refusal, match=r"holds 7 notes; at most 6"):
        await read(old_package, most_notes=6)
