"""Resumable uploads over interruptions of every kind, with a real client and a server that is killed."""

import asyncio
import io
import os
import signal
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit

import httpx
import psutil
import pytest
from tusclient.client import TusClient

from storage.files import UPLOAD_PART
from storage.local.instance import InstanceInfo
from storage.resources import Storage
from tests.assistant.conftest import Person
from tests.assistant.serving import server_process
from tests.assistant.test_api_files import bearer, left_behind, new_class
from tests.assistant.tus import (
    BYTES,
    MB,
    TUS,
    URL,
    begin,
    cut_off,
    offset_of,
    parts_of,
    patch,
    settled_offset,
    some_bytes,
    stored,
    upload_id_of,
)
from tests.conftest import settings_for
from tests.waiting import PATIENCE


async def test_a_tus_client_uploads_in_parts_and_goes_on_after_a_break(
    server: tuple[str, int], person: Person, storage: Storage
) -> None:
    class_id, data = await new_class(person), some_bytes(11 * MB)
    client = TusClient(f"{server[0]}{URL}", headers=bearer(person))
    about = {"filename": "reader.pdf", "class_id": class_id, "title": "The reader"}

    def first_half() -> str:
        uploader = client.uploader(
            file_stream=io.BytesIO(data), chunk_size=3 * MB, metadata=about, upload_checksum=True
        )
        uploader.upload(stop_at=6 * MB)
        return str(uploader.url)

    def second_half(url: str) -> Any:
        uploader = client.uploader(file_stream=io.BytesIO(data), url=url, chunk_size=3 * MB)
        assert uploader.offset == 6 * MB
        uploader.upload()
        request: Any = uploader.request
        return request.response_headers

    url = await asyncio.to_thread(first_half)
    headers = await asyncio.to_thread(second_half, url)
    material = (await person.tool("get_material", material_id=headers["lyceum-material"])).json()
    assert (material["title"], material["job_id"]) == ("The reader", headers["lyceum-job"])
    assert await stored(person, material["id"]) == data
    rows, objects = await left_behind(storage, person)
    assert (rows, len(objects)) == (1, 1), "the parts are gone"
    result = (await person.http.get(f"{urlsplit(url).path}/result")).json()
    assert (result["complete"], result["offset"], result["length"]) == (True, len(data), len(data))
    assert result["material"] == {
        "material_id": material["id"],
        "job_id": material["job_id"],
        "duplicate": False,
    }
    head = await person.http.head(urlsplit(url).path, headers=TUS)
    assert (head.headers["upload-offset"], head.headers["lyceum-material"]) == (
        str(len(data)),
        material["id"],
    )


async def test_what_arrived_before_the_connection_broke_is_kept(
    server: tuple[str, int], person: Person, storage: Storage
) -> None:
    data = some_bytes(20 * MB)
    path = await begin(person, len(data), class_id=await new_class(person))
    await cut_off(server[0], person, path, 0, data[: 9 * MB + 5], len(data))
    assert await settled_offset(person, path, 9 * MB) == 9 * MB + 5
    await cut_off(server[0], person, path, 9 * MB + 5, data[9 * MB + 5 : -1], len(data) - 9 * MB - 5)
    assert await settled_offset(person, path, len(data) - 1) == len(data) - 1
    done = await patch(person, path, len(data) - 1, data[-1:])
    assert done.status_code == 204, done.text
    assert await stored(person, done.headers["lyceum-material"]) == data


async def test_a_killed_server_loses_no_stored_part(
    instance: InstanceInfo, person: Person, storage: Storage
) -> None:
    data = some_bytes(24 * MB)
    path = await begin(person, len(data), class_id=await new_class(person))
    with suppress(ProcessLookupError):  # at the end there is no process to be stopped
        async with server_process(settings_for(instance)) as (base, pid):
            sending = asyncio.create_task(cut_off(base, person, path, 0, data[: 20 * MB], len(data)))
            await settled_offset(person, path, UPLOAD_PART)
            os.kill(pid, signal.SIGKILL)
            await asyncio.wait([sending])
    offset = await offset_of(person, path)
    assert offset in (UPLOAD_PART, 2 * UPLOAD_PART)
    done = await patch(person, path, offset, data[offset:])
    assert done.status_code == 204, done.text
    assert await stored(person, done.headers["lyceum-material"]) == data


async def test_bytes_that_a_killed_request_wrote_but_did_not_note_do_not_count(
    person: Person, storage: Storage
) -> None:
    data = some_bytes(9 * MB)
    path = await begin(person, len(data), class_id=await new_class(person))
    await patch(person, path, 0, data[:1000])
    [part] = parts_of(storage, person, path)
    await asyncio.to_thread(part.write_bytes, data[:1000] + b"more than was noted")
    await asyncio.to_thread((part.parent / "1").write_bytes, b"never noted")
    assert await offset_of(person, path) == 1000
    done = await patch(person, path, 1000, data[1000:])
    assert await stored(person, done.headers["lyceum-material"]) == data


async def test_a_file_whose_joining_failed_lacks_its_last_part(
    person: Person, storage: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = some_bytes(9 * MB)
    path = await begin(person, len(data), class_id=await new_class(person))
    await patch(person, path, 0, data[: 8 * MB + 7])
    first, *_ = parts_of(storage, person, path)
    await asyncio.to_thread(first.rename, first.with_name("away"))
    lost = await patch(person, path, 8 * MB + 7, data[8 * MB + 7 :])
    assert lost.status_code >= 400
    assert await offset_of(person, path) == 8 * MB + 7
    await asyncio.to_thread(first.with_name("away").rename, first)
    done = await patch(person, path, 8 * MB + 7, data[8 * MB + 7 :])
    assert await stored(person, done.headers["lyceum-material"]) == data


async def test_the_newest_request_owns_the_upload(person: Person) -> None:
    data = some_bytes(18 * MB)
    path = await begin(person, len(data), class_id=await new_class(person))
    sent, go_on = asyncio.Event(), asyncio.Event()

    async def slowly() -> AsyncIterator[bytes]:
        yield data[: 9 * MB]
        sent.set()
        await go_on.wait()
        yield b"x" * (9 * MB)

    headers = {**BYTES, "Upload-Offset": "0"}
    older = asyncio.create_task(person.http.patch(path, content=slowly(), headers=headers))
    await sent.wait()
    assert await settled_offset(person, path, UPLOAD_PART) == UPLOAD_PART
    newer = await patch(person, path, UPLOAD_PART, data[UPLOAD_PART : 17 * MB])
    assert newer.status_code == 204
    go_on.set()
    lost = await older
    assert (lost.status_code, lost.json()["code"]) == (423, "upload_busy")
    done = await patch(person, path, 17 * MB, data[17 * MB :])
    assert await stored(person, done.headers["lyceum-material"]) == data


async def test_a_client_that_falls_silent_is_told_and_keeps_what_arrived(
    person: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("assistant.api.tus.SILENCE_SECONDS", 0.1)
    data = some_bytes(2000)
    path = await begin(person, len(data))

    async def stalled() -> AsyncIterator[bytes]:
        yield data[:1500]
        await asyncio.sleep(PATIENCE)
        yield data[1500:]

    answer = await person.http.patch(path, content=stalled(), headers={**BYTES, "Upload-Offset": "0"})
    assert (answer.status_code, answer.json()["code"]) == (408, "client_silent")
    assert await offset_of(person, path) == 1500


async def test_while_a_part_is_being_stored_others_wait(person: Person, storage: Storage) -> None:
    data = some_bytes(2000)
    path = await begin(person, len(data))
    async with storage.as_user(person.principal.user_id) as db:
        await db.uploads.locked(upload_id_of(path))
        answer = await patch(person, path, 0, data)
    assert (answer.status_code, answer.json()["code"]) == (423, "upload_busy")
    assert (await patch(person, path, 0, data)).status_code == 204


async def test_a_material_that_was_not_made_before_the_crash_is_made_when_the_client_asks(
    person: Person, storage: Storage
) -> None:
    data, class_id = some_bytes(4000), await new_class(person)
    path = await begin(person, len(data))
    await patch(person, path, 0, data)
    async with storage.as_user(person.principal.user_id) as db:
        row = await db.uploads.locked(upload_id_of(path))
        row.details = {**row.details, "class_id": class_id}
    head = await person.http.head(path, headers=TUS)
    assert await stored(person, head.headers["lyceum-material"]) == data


async def test_memory_stays_bounded_while_a_large_file_arrives(
    server: tuple[str, int], person: Person
) -> None:
    size, block = 120 * MB, bytes(range(256)) * 256
    path = await begin(person, size, class_id=await new_class(person))
    process = psutil.Process(server[1])
    peak = before = process.memory_info().rss

    async def body() -> AsyncIterator[bytes]:
        nonlocal peak
        for _ in range(size // len(block)):
            peak = max(peak, process.memory_info().rss)
            yield block

    async with httpx.AsyncClient(base_url=server[0], headers=bearer(person), timeout=PATIENCE) as client:
        sending = asyncio.create_task(
            client.patch(path, content=body(), headers={**BYTES, "Upload-Offset": "0"})
        )
        while not sending.done():
            peak = max(peak, process.memory_info().rss)
            await asyncio.sleep(0.01)
    assert (await sending).status_code == 204
    assert peak - before < 80 * MB
