"""A client of tus, spelled out."""

import asyncio
import base64
import random
from pathlib import Path
from urllib.parse import urlsplit
from uuid import UUID

import httpx

from storage.resources import Storage
from tests.assistant.conftest import Person
from tests.assistant.test_api_files import bearer
from tests.waiting import until

MB = 1 << 20
URL = "/api/uploads/tus"
TUS = {"Tus-Resumable": "1.0.0"}
BYTES = {**TUS, "Content-Type": "application/offset+octet-stream"}


def some_bytes(size: int, seed: int = 1) -> bytes:
    """A PDF by its first bytes, so that it is let in."""
    return b"%PDF-1.7\n" + random.Random(seed).randbytes(size - 9)


def metadata(**values: str) -> str:
    return ",".join(f"{key} {base64.b64encode(value.encode()).decode()}" for key, value in values.items())


async def begin(person: Person, size: int | None, **about: str) -> str:
    """Path of a new upload."""
    length = {"Upload-Defer-Length": "1"} if size is None else {"Upload-Length": str(size)}
    headers = {**TUS, **length, "Upload-Metadata": metadata(**{"filename": "book.pdf", **about})}
    answer = await person.http.post(URL, headers=headers)
    assert answer.status_code == 201, answer.text
    assert answer.headers["upload-offset"] == "0"
    return answer.headers["location"]


async def patch(person: Person, path: str, offset: int, data: bytes, **headers: str) -> httpx.Response:
    given = {**BYTES, "Upload-Offset": str(offset), **headers}
    return await person.http.patch(path, content=data, headers=given)


async def offset_of(person: Person, path: str) -> int:
    answer = await person.http.head(path, headers=TUS)
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    return int(answer.headers["upload-offset"])


async def stored(person: Person, material_id: str) -> bytes:
    return (await person.http.get(f"/api/materials/{material_id}/file")).content


def parts_of(storage: Storage, person: Person, path: str) -> list[Path]:
    assert storage.files.folder is not None
    prefix = f"users/{person.principal.user_id}/uploads/{path.rsplit('/', 1)[1]}"
    return sorted((storage.files.folder / prefix).glob("*"))


async def cut_off(base: str, person: Person, path: str, offset: int, data: bytes, announced: int) -> None:
    """A PATCH of which only `data` is sent before the connection breaks."""
    url = urlsplit(base)
    _, writer = await asyncio.open_connection(url.hostname, url.port)
    writer.write(
        (
            f"PATCH {path} HTTP/1.1\r\nHost: {url.netloc}\r\nContent-Length: {announced}\r\nTus-Resumable: 1.0.0\r\n"
            f"Content-Type: application/offset+octet-stream\r\nUpload-Offset: {offset}\r\n"
            f"Authorization: {bearer(person)['Authorization']}\r\n\r\n"
        ).encode()
        + data
    )
    await writer.drain()
    await asyncio.sleep(0.2)
    writer.close()


async def settled_offset(person: Person, path: str, at_least: int) -> int:
    async def far_enough() -> int | None:
        offset = await offset_of(person, path)
        return offset if offset >= at_least else None

    return await until(far_enough, f"{at_least} bytes to be stored") or 0


def upload_id_of(path: str) -> UUID:
    return UUID(path.rsplit("/", 1)[1])
