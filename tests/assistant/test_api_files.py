"""Uploads, the files and page pictures behind materials, and the events of jobs."""

import asyncio
import gzip
import io
import json
import zipfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import httpx
import psutil
import pymupdf
from sqlalchemy import func, select

from storage.local.instance import InstanceInfo
from storage.models import File
from storage.resources import Storage
from tests.assistant.conftest import Person
from tests.assistant.serving import client_of, running
from tests.conftest import settings_for
from tests.waiting import PATIENCE, until
from tools.accounts import Accounts

_mupdf: Any = pymupdf  # its annotations cover only a part

MB = 1 << 20


async def left_behind(storage: Storage, person: Person) -> tuple[int, list[Path]]:
    """Rows of files, and objects in the store, that the person has."""
    user = person.principal.user_id
    async with storage.as_user(user) as db:
        rows = await db.materials.session.scalar(select(func.count()).select_from(File))
    folder = Path(urlsplit(storage.settings.files_url or "").path) / "users" / str(user)
    return rows or 0, [path for path in folder.rglob("*") if path.is_file()]


async def new_class(person: Person) -> str:
    return str((await person.tool("create_class", name=f"Class {uuid4().hex[:6]}")).json()["id"])


async def send(person: Person, name: str, data: bytes, **fields: str) -> httpx.Response:
    return await person.http.post("/api/uploads", files={"file": (name, data)}, data=fields)


def form(*parts: tuple[str, bytes], end: bool = True) -> bytes:
    body = b"".join(
        b"--B\r\nContent-Disposition: form-data; %s\r\n\r\n%s\r\n" % (n.encode(), d) for n, d in parts
    )
    return body + b"--B--\r\n" if end else body


FORM = {"Content-Type": "multipart/form-data; boundary=B"}


def pdf(pages: int = 2) -> bytes:
    with _mupdf.open() as document:
        for number in range(pages):
            document.new_page(width=300, height=400).insert_text((50, 50), f"Page {number + 1}")
        return bytes(document.tobytes())


async def test_an_upload_becomes_a_material_whose_file_can_be_had_again(person: Person) -> None:
    class_id = await new_class(person)
    data = bytes(range(256)) * 8000
    sent = await send(person, "Übung 1.bin", data, class_id=class_id, title="Exercise")
    assert sent.status_code == 201, sent.text
    assert sent.json()["duplicate"] is False
    material = (await person.tool("get_material", material_id=sent.json()["material_id"])).json()
    assert (material["title"], material["job_id"]) == ("Exercise", sent.json()["job_id"])
    file = await person.http.get(f"/api/materials/{material['id']}/file")
    assert file.content == data
    assert file.headers["content-length"] == str(len(data))
    assert file.headers["content-type"] == "application/octet-stream"
    assert file.headers["content-disposition"] == (
        "attachment; filename=\"_bung 1.bin\"; filename*=UTF-8''%C3%9Cbung%201.bin"
    )


async def test_the_fields_may_come_after_the_file(person: Person) -> None:
    body = form(
        ('name="file"; filename="a.txt"', b"Some text."),
        ('name="class_id"', (await new_class(person)).encode()),
    )
    answer = await person.http.post("/api/uploads", content=body, headers=FORM)
    assert answer.status_code == 201, answer.text


async def test_the_same_bytes_again_are_the_same_material(person: Person, storage: Storage) -> None:
    class_id = await new_class(person)
    first = await send(person, "a.txt", b"The same.", class_id=class_id)
    second = await send(person, "b.txt", b"The same.", class_id=class_id)
    assert second.json() == {**first.json(), "duplicate": True}
    rows, objects = await left_behind(storage, person)
    assert (rows, len(objects)) == (1, 1)


async def test_a_form_that_cannot_be_used_leaves_nothing_behind(person: Person, storage: Storage) -> None:
    class_id = (await new_class(person)).encode()
    chosen, file = ('name="class_id"', class_id), ('name="file"; filename="a.txt"', b"x" * 3 * MB)
    cases = {
        "no_class": form(file),
        "no_file": form(chosen),
        "several_files": form(chosen, file, file),
        "field_too_long": form(file, ('name="title"', b"x" * 5000)),
        "broken_upload": form(chosen, file, end=False),
        "class_not_found": form(('name="class_id"', b"No such class"), file),
        "invalid_arguments": form(chosen, file, ('name="kind"', b"poem")),
    }
    for code, body in cases.items():
        answer = await person.http.post("/api/uploads", content=body, headers=FORM)
        assert answer.json()["code"] == code
    for body in (b"", b"--B", b"nonsense", form(chosen, file)[:-20]):
        answer = await person.http.post("/api/uploads", content=body, headers=FORM)
        assert answer.status_code == 400, body[:20]
    plain = await person.http.post("/api/uploads", json={})
    assert plain.json()["code"] == "not_multipart"
    assert await left_behind(storage, person) == (0, [])


async def test_a_file_over_the_limit_is_refused(
    instance: InstanceInfo, person: Person, storage: Storage
) -> None:
    class_id = (await new_class(person)).encode()
    body = form(('name="class_id"', class_id), ('name="file"; filename="a.txt"', b"x" * (3 * MB)))

    async def in_chunks() -> AsyncIterator[bytes]:
        for start in range(0, len(body), 65536):
            yield body[start : start + 65536]

    async with running(settings_for(instance), max_upload_mb=1) as app:
        async with client_of(app, headers={**person.http.headers, **FORM}) as client:
            announced = await client.post("/api/uploads", content=body)
            unannounced = await client.post("/api/uploads", content=in_chunks())
    assert announced.status_code == unannounced.status_code == 413
    assert announced.json()["code"] == unannounced.json()["code"] == "file_too_large"
    assert await left_behind(storage, person) == (0, [])


async def test_permission_is_checked_before_the_body_is_read(person: Person, storage: Storage) -> None:
    _, key = await Accounts(storage).create_key(person.principal.user_id, "reader", scopes=("*:read",))
    read: list[int] = []

    async def body() -> AsyncIterator[bytes]:
        read.append(1)
        yield b"x"

    answer = await person.http.post(
        "/api/uploads", content=body(), headers={**FORM, "Authorization": f"Bearer {key}"}
    )
    assert (answer.status_code, answer.json()["code"], read) == (403, "missing_scope", [])


async def test_parts_of_a_file_can_be_asked_for(person: Person) -> None:
    data = bytes(range(250))
    sent = await send(person, "a.mp3", data, class_id=await new_class(person))
    path = f"/api/materials/{sent.json()['material_id']}/file"

    async def asked(value: str, **more: str) -> tuple[int, bytes, str | None]:
        answer = await person.http.get(path, headers={"Range": value, **more})
        return answer.status_code, answer.content, answer.headers.get("content-range")

    assert await asked("bytes=10-19") == (206, data[10:20], "bytes 10-19/250")
    assert await asked("bytes=240-") == (206, data[240:], "bytes 240-249/250")
    assert await asked("bytes=240-999") == (206, data[240:], "bytes 240-249/250")
    assert await asked("bytes=-10") == (206, data[240:], "bytes 240-249/250")
    assert await asked("bytes=250-") == (416, b"", "bytes */250")
    assert await asked("bytes=-0") == (416, b"", "bytes */250")
    for whole in ("bytes=9-3", "bytes=0-1,5-6", "lines=1-2", "bytes=-", "bytes=x-", f"bytes={'9' * 5000}-"):
        assert await asked(whole) == (200, data, None)
    assert (await asked("bytes=10-19", **{"If-Range": '"other"'}))[0] == 200
    head = await person.http.head(path)
    assert (head.status_code, head.content, head.headers["content-length"]) == (200, b"", "250")
    assert head.headers["content-type"] == "audio/mpeg"
    same = await person.http.get(path, headers={"If-None-Match": head.headers["etag"]})
    assert (same.status_code, same.content) == (304, b"")


def archive(**files: bytes) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as opened:
        for name, data in files.items():
            opened.writestr(name, data)
    return packed.getvalue()


async def test_what_can_never_be_read_is_refused_while_it_arrives(person: Person, storage: Storage) -> None:
    class_id = await new_class(person)
    program = b"\x7fELF" + bytes(range(256)) * 8000
    cases = {
        ("empty.pdf", b""): ("empty_file", "This file is empty."),
        ("blank.txt", b"\n \n"): ("empty_file", "This file is empty."),
        ("lecture.pdf", program): ("unsupported_type", "a program"),
        ("notes.docx", gzip.compress(b"text")): (
            "unsupported_type",
            "a gzip archive, which cannot be read. Unpack it",
        ),
        ("all.zip", archive(a=b"x" * 100, b=b"y")): ("unsupported_type", "a ZIP archive. Unpack it"),
        ("big.pdf", archive(a=b"x" * 3 * MB)): ("unsupported_type", "a ZIP archive. Unpack it"),
    }
    for (name, data), (code, sentence) in cases.items():
        answer = await send(person, name, data, class_id=class_id)
        assert (answer.status_code, answer.json()["code"]) == (400, code), name
        assert sentence in answer.json()["detail"]
    assert await left_behind(storage, person) == (0, [])
    for name in ("word/document.xml", "xl/workbook.xml", "mimetype"):
        kept = await send(person, "a.zip", archive(**{"other": b"x" * 70_000, name: b"x"}), class_id=class_id)
        assert kept.status_code == 201, name


async def test_a_file_is_what_its_bytes_say_not_its_name(person: Person) -> None:
    class_id = await new_class(person)
    png = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 4
    page = b"<!doctype html><html><body><p>A page.</p></body></html>"
    for data, name, kind in (
        (png, "board.pdf", "photo"), (b"fLaC" + bytes(range(256)) * 4, "a.txt", "recording"),
        (page, "page.pdf", "web_page"), (b"WEBVTT\n\n00:01.000 --> 00:02.000\nHi\n", "a.md", "recording"),
        (pdf(), "photo.png", "textbook"), (b"Just text.", "a.txt", "text"),
    ):  # fmt: skip
        sent = await send(person, name, data, class_id=class_id)
        material = (await person.tool("get_material", material_id=sent.json()["material_id"])).json()
        assert material["kind"] == kind, name


async def test_nothing_in_an_uploaded_page_can_run(person: Person) -> None:
    class_id = await new_class(person)
    page = await send(person, "page.html", b"<script>steal()</script>", class_id=class_id)
    image = await send(person, "image.svg", b"<svg><script>steal()</script></svg>", class_id=class_id)
    for sent in (page, image):
        answer = await person.http.get(f"/api/materials/{sent.json()['material_id']}/file")
        policy = answer.headers["content-security-policy"]
        assert policy.startswith("sandbox; default-src 'none'")
        assert "allow-scripts" not in policy
        assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["content-disposition"].startswith("attachment")


async def test_a_page_of_a_pdf_is_drawn_once_and_kept(person: Person) -> None:
    sent = await send(person, "book.pdf", pdf(), class_id=await new_class(person))
    path = f"/api/materials/{sent.json()['material_id']}/pages"
    page = await person.http.get(f"{path}/2.png", params={"width": 600})
    assert (page.status_code, page.headers["content-type"]) == (200, "image/png")
    assert _mupdf.Pixmap(page.content).width == 600
    assert page.headers["cache-control"].startswith("private")
    again = await person.http.get(
        f"{path}/2.png", params={"width": 600}, headers={"If-None-Match": page.headers["etag"]}
    )
    assert (again.status_code, again.content) == (304, b"")
    assert (await person.http.get(f"{path}/3.png")).json()["code"] == "no_such_page"
    assert (await person.http.get(f"{path}/0.png")).status_code == 404
    assert (await person.http.get(f"{path}/two.png")).status_code == 400
    assert (await person.http.get(f"{path}/1.png", params={"width": 9000})).status_code == 400


async def test_what_is_no_pdf_has_no_page_pictures(person: Person) -> None:
    class_id = await new_class(person)
    for name, data in (("a.txt", b"Text."), ("broken.pdf", b"%PDF-1.7 nonsense")):
        sent = await send(person, name, data, class_id=class_id)
        answer = await person.http.get(f"/api/materials/{sent.json()['material_id']}/pages/1.png")
        assert (answer.status_code, answer.json()["code"]) == (404, "no_page_image")


async def test_a_stranger_finds_no_file_page_or_job(person: Person, other: Person) -> None:
    sent = (await send(person, "book.pdf", pdf(), class_id=await new_class(person))).json()
    paths = [
        f"/api/materials/{sent['material_id']}/file",
        f"/api/materials/{sent['material_id']}/pages/1.png",
        f"/api/jobs/{sent['job_id']}/events",
    ]
    for path in paths:
        assert (await person.http.head(paths[0])).status_code == 200
        answer = await other.http.get(path)
        assert (answer.status_code, answer.headers["content-type"]) == (404, "application/problem+json")
    taken = await other.http.post(
        "/api/uploads",
        files={"file": ("a.txt", b"x")},
        data={"class_id": (await person.tool("list_classes")).json()["items"][0]["id"]},
    )
    assert taken.status_code == 404
    for path in ("/api/materials/x/file", "/api/materials/x/pages/1.png", "/api/jobs/x/events"):
        assert (await person.http.get(path)).status_code == 404


async def test_the_events_of_an_ended_job_are_its_last_state(person: Person) -> None:
    sent = (await send(person, "a.txt", b"Text.", class_id=await new_class(person))).json()
    await person.tool("cancel_job", job_id=sent["job_id"])
    answer = await person.http.get(f"/api/jobs/{sent['job_id']}/events")
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert b"\r" not in answer.content
    [event] = answer.text.strip().split("\n\n")
    assert json.loads(event.removeprefix("data: ")) == {
        "job_id": sent["job_id"], "status": "cancelled", "done": 0, "total": None, "message": None, "error": None,
    }  # fmt: skip


async def test_a_watched_tool_call_ends_with_its_result_or_error(person: Person) -> None:
    events = {"Accept": "text/event-stream"}
    answer = await person.http.post("/api/tools/list_classes", headers=events)
    assert answer.text.startswith("event: result\ndata: {")
    failed = await person.http.post("/api/tools/create_class", headers=events, json={"name": ""})
    assert failed.text.startswith("event: error\ndata: {")
    assert json.loads(failed.text.split("data: ")[1])["code"] == "invalid_arguments"


# --- behind a real server


def bearer(person: Person) -> dict[str, str]:
    return {"Authorization": f"Bearer {person.tokens['access_token']}"}


async def test_the_events_of_a_job_follow_it_to_its_end(
    server: tuple[str, int], person: Person, storage: Storage
) -> None:
    sent = (await send(person, "a.txt", b"Text.", class_id=await new_class(person))).json()
    job_id, user = sent["job_id"], person.principal.user_id
    seen: list[tuple[str, int]] = []
    async with httpx.AsyncClient(base_url=server[0], headers=bearer(person), timeout=PATIENCE) as client:
        async with client.stream("GET", f"/api/jobs/{job_id}/events") as answer:
            async for line in answer.aiter_lines():
                if not line.startswith("data: "):
                    continue
                state = json.loads(line.removeprefix("data: "))
                seen.append((state["status"], state["done"]))
                if len(seen) == 1:
                    # Published before the row says so, as a worker does.
                    await asyncio.sleep(0.2)
                    await storage.jobs.publish(job_id, {"status": "running", "done": 3, "total": 9})
                elif len(seen) == 2:
                    # Written to the row only: the message got lost.
                    async with storage.as_user(user) as db:
                        await db.jobs.claim(job_id, "test")
                        await db.jobs.progress(job_id, 9, 9, None)
                        await db.jobs.finish(job_id, "succeeded")
    assert seen[0] == ("queued", 0)
    assert ("running", 3) in seen
    assert seen[-1] == ("succeeded", 9)


async def test_an_upload_that_is_cut_off_leaves_nothing_behind(
    server: tuple[str, int], person: Person, storage: Storage
) -> None:
    class_id = (await new_class(person)).encode()
    body = form(('name="class_id"', class_id), ('name="file"; filename="a.bin"', b"x" * (12 * MB)))
    url = urlsplit(server[0])
    _, writer = await asyncio.open_connection(url.hostname, url.port)
    head = (
        f"POST /api/uploads HTTP/1.1\r\nHost: {url.netloc}\r\nContent-Length: {len(body)}\r\n"
        f"Content-Type: {FORM['Content-Type']}\r\nAuthorization: {bearer(person)['Authorization']}\r\n\r\n"
    )
    writer.write(head.encode() + body[: 10 * MB])
    await writer.drain()

    async def has_begun() -> bool:
        return bool((await left_behind(storage, person))[1])

    async def is_clean() -> bool:
        return await left_behind(storage, person) == (0, [])

    await until(has_begun, "the file on its way into the store")
    writer.close()
    await until(is_clean, "the cut-off file to go")


async def test_a_client_that_may_not_upload_can_read_why(server: tuple[str, int]) -> None:
    """The answer comes while the client is still sending; it must not be lost to a reset connection."""
    body = form(('name="file"; filename="a.bin"', b"x" * (30 * MB)))

    def send_all() -> int:
        return httpx.post(
            f"{server[0]}/api/uploads", content=body, headers=FORM, timeout=PATIENCE
        ).status_code

    assert await asyncio.to_thread(send_all) == 401


async def test_memory_stays_bounded_during_a_large_upload(server: tuple[str, int], person: Person) -> None:
    size, block = 120 * MB, bytes(range(256)) * 256
    class_id = (await new_class(person)).encode()
    # The form around a file of `size` bytes, in two halves.
    start, end = form(('name="class_id"', class_id), ('name="file"; filename="big.bin"', b"|")).split(b"|")
    process = psutil.Process(server[1])
    peak = before = process.memory_info().rss

    async def body() -> AsyncIterator[bytes]:
        nonlocal peak
        yield start
        for _ in range(size // len(block)):
            peak = max(peak, process.memory_info().rss)
            yield block
        yield end

    async with httpx.AsyncClient(
        base_url=server[0], headers={**bearer(person), **FORM}, timeout=PATIENCE
    ) as client:
        answer = await client.post("/api/uploads", content=body())
        assert answer.status_code == 201, answer.text
        peak = max(peak, process.memory_info().rss)
        assert peak - before < 60 * MB
        peak = before = process.memory_info().rss
        received = 0
        path = f"/api/materials/{answer.json()['material_id']}/file"
        async with client.stream("GET", path) as file:
            async for part in file.aiter_bytes():
                received += len(part)
                peak = max(peak, process.memory_info().rss)
    assert received == size
    assert peak - before < 60 * MB
