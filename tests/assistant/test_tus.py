"""Resumable uploads by tus 1.0.0: the protocol, its errors, and strangers."""

import base64
import hashlib
import random
from dataclasses import replace
from datetime import timedelta

from fastapi import FastAPI

from storage.files import UPLOAD_PART, upload_prefix
from storage.garbage import collect_garbage
from storage.life.purge import Purge
from storage.local.instance import InstanceInfo
from storage.resources import Storage
from tests.assistant.conftest import Person
from tests.assistant.serving import MovableClock, client_of, running
from tests.assistant.test_api_files import left_behind, new_class, pdf, send
from tests.assistant.tus import (
    BYTES,
    MB,
    TUS,
    URL,
    begin,
    metadata,
    offset_of,
    parts_of,
    patch,
    some_bytes,
    stored,
    upload_id_of,
)
from tests.clocks import LaterClock
from tests.conftest import settings_for
from tools.accounts import Accounts
from tools.resumable import KEEP, SMALL_PART


async def test_the_server_says_what_it_speaks(person: Person) -> None:
    answer = await person.http.options(URL)
    assert answer.status_code == 204
    assert answer.headers["tus-version"] == answer.headers["tus-resumable"] == "1.0.0"
    assert answer.headers["tus-max-size"] == str(2048 * MB)
    assert answer.headers["tus-checksum-algorithm"] == "sha1,sha256"
    assert set(answer.headers["tus-extension"].split(",")) == {
        "creation", "creation-with-upload", "creation-defer-length", "termination", "expiration", "checksum",
    }  # fmt: skip


async def test_the_first_bytes_may_come_with_the_creation_and_the_length_later(person: Person) -> None:
    data, class_id = some_bytes(100_000), await new_class(person)
    about = metadata(filename="a.pdf", class_id=class_id)
    whole = await person.http.post(
        URL, content=data, headers={**BYTES, "Upload-Length": str(len(data)), "Upload-Metadata": about}
    )
    assert whole.status_code == 201, whole.text
    assert whole.headers["upload-offset"] == str(len(data))
    assert await stored(person, whole.headers["lyceum-material"]) == data
    other = some_bytes(100_000, seed=2)
    path = await begin(person, None, class_id=class_id)
    head = await person.http.head(path, headers=TUS)
    assert head.headers["upload-defer-length"] == "1"
    assert "upload-length" not in head.headers
    assert (await patch(person, path, 0, other)).status_code == 204
    done = await patch(person, path, len(other), b"", **{"Upload-Length": str(len(other))})
    assert await stored(person, done.headers["lyceum-material"]) == other


async def test_a_part_with_the_wrong_checksum_does_not_count(person: Person, storage: Storage) -> None:
    data = some_bytes(18 * MB)
    path = await begin(person, len(data), class_id=await new_class(person))
    for algorithm in ("sha1", "sha256"):
        wrong = base64.b64encode(hashlib.new(algorithm, b"other").digest()).decode()
        answer = await patch(person, path, 0, data[: 17 * MB], **{"Upload-Checksum": f"{algorithm} {wrong}"})
        assert (answer.status_code, answer.json()["code"]) == (460, "checksum_mismatch")
        assert answer.headers["tus-resumable"] == "1.0.0"
        assert await offset_of(person, path) == 0
    for bad in ("md5 1B2M2Y8AsgTpgAmY7PhCfg==", "sha1 %%%", "sha1"):
        answer = await patch(person, path, 0, data, **{"Upload-Checksum": bad})
        assert (answer.status_code, answer.json()["code"]) in (
            (400, "invalid_checksum"),
            (460, "checksum_mismatch"),
        )
    right = base64.b64encode(hashlib.sha1(data).digest()).decode()
    done = await patch(person, path, 0, data, **{"Upload-Checksum": f"sha1 {right}"})
    assert await stored(person, done.headers["lyceum-material"]) == data


async def test_errors_are_those_of_the_protocol_with_a_sentence(person: Person) -> None:
    data = some_bytes(2000)
    path = await begin(person, len(data))
    await patch(person, path, 0, data[:1000])
    cases = {
        (409, "wrong_offset"): await patch(person, path, 0, data),
        (412, "wrong_version"): await person.http.head(path),
        (415, "not_offset_stream"): await patch(person, path, 1000, data, **{"Content-Type": "text/plain"}),
        (400, "wrong_length"): await patch(person, path, 1000, data),
        (400, "invalid_header"): await patch(person, path, 1000, data, **{"Upload-Offset": "-1"}),
        (404, "upload_not_found"): await person.http.head(f"{URL}/nonsense", headers=TUS),
    }
    creations = {
        (400, "no_length"): {},
        (400, "empty_file"): {"Upload-Length": "0"},
        (413, "file_too_large"): {"Upload-Length": str(5 << 30)},
        (400, "invalid_metadata"): {"Upload-Length": "5", "Upload-Metadata": "filename %%%"},
        (404, "class_not_found"): {
            "Upload-Length": "5",
            "Upload-Metadata": metadata(class_id="No such class"),
        },
        (400, "invalid_arguments"): {
            "Upload-Length": "5",
            "Upload-Metadata": metadata(class_id="x", kind="poem"),
        },
    }
    for expected, headers in creations.items():
        cases[expected] = await person.http.post(URL, headers={**TUS, **headers})
    for (status, code), answer in cases.items():
        assert answer.status_code == status, (code, answer.text)
        assert answer.headers["tus-resumable"] == "1.0.0"
        if answer.request.method != "HEAD":
            assert answer.json()["code"] == code
            assert answer.json()["detail"].endswith((".", "'past_paper'"))
    assert await offset_of(person, path) == 1000


async def test_a_length_that_is_not_announced_is_limited_all_the_same(
    instance: InstanceInfo, person: Person, storage: Storage
) -> None:
    async with running(settings_for(instance), max_upload_mb=1) as app:
        async with client_of(app, headers=dict(person.http.headers)) as client:
            created = await client.post(URL, headers={**TUS, "Upload-Defer-Length": "1"})
            path = created.headers["location"]
            headers = {**BYTES, "Upload-Offset": "0"}
            answer = await client.patch(path, content=some_bytes(2 * MB), headers=headers)
            assert (answer.status_code, answer.json()["code"]) == (413, "file_too_large")
            assert (await client.delete(path, headers=TUS)).status_code == 204
    assert await left_behind(storage, person) == (0, [])


async def test_crumbs_are_gathered_into_few_parts(person: Person, storage: Storage) -> None:
    data = some_bytes(SMALL_PART + 40_000)
    path = await begin(person, len(data), class_id=await new_class(person))
    step = len(data) // 40
    offset = 0
    while offset + step < len(data):
        assert (await patch(person, path, offset, data[offset : offset + step])).status_code == 204
        offset += step
    assert len(parts_of(storage, person, path)) <= 2
    done = await patch(person, path, offset, data[offset:])
    assert await stored(person, done.headers["lyceum-material"]) == data


async def test_what_can_never_be_read_is_refused_with_its_first_bytes(
    person: Person, storage: Storage
) -> None:
    class_id = await new_class(person)
    program = b"\x7fELF" + bytes(range(256)) * 40_000
    path = await begin(person, len(program), class_id=class_id)
    answer = await patch(person, path, 0, program[: 9 * MB])
    assert (answer.status_code, answer.json()["code"]) == (400, "unsupported_type")
    assert (await person.http.head(path, headers=TUS)).status_code == 404
    blank = await begin(person, 10, class_id=class_id)
    assert (await patch(person, blank, 0, b" " * 10)).json()["code"] == "empty_file"
    assert await left_behind(storage, person) == (0, [])


async def test_an_upload_without_a_class_waits_for_upload_material(person: Person, other: Person) -> None:
    data, class_id = some_bytes(5000), await new_class(person)
    path = await begin(person, len(data))
    upload_id = path.rsplit("/", 1)[1]
    early = await person.tool("upload_material", class_id=class_id, upload_id=upload_id)
    assert (early.status_code, early.json()["code"]) == (404, "upload_not_found")
    done = await patch(person, path, 0, data)
    assert "lyceum-material" not in done.headers
    theirs = await new_class(other)
    stolen = await other.tool("upload_material", class_id=theirs, upload_id=upload_id)
    assert stolen.status_code == 404
    taken = await person.tool("upload_material", class_id=class_id, upload_id=upload_id, title="Mine")
    assert await stored(person, taken.json()["material_id"]) == data


async def test_the_same_bytes_again_are_the_same_material(person: Person, storage: Storage) -> None:
    class_id, data = await new_class(person), pdf()
    first = (await send(person, "a.pdf", data, class_id=class_id)).json()
    path = await begin(person, len(data), class_id=class_id)
    done = await patch(person, path, 0, data)
    assert done.headers["lyceum-material"] == first["material_id"]
    assert (done.headers["lyceum-job"], done.headers["lyceum-duplicate"]) == (first["job_id"], "true")
    assert (await person.http.get(f"{path}/result")).json()["material"]["duplicate"] is True
    rows, objects = await left_behind(storage, person)
    assert (rows, len(objects)) == (1, 1)


async def test_a_stranger_finds_no_upload(person: Person, other: Person, storage: Storage) -> None:
    data = some_bytes(5000)
    path = await begin(person, len(data))
    for method in ("HEAD", "DELETE"):
        assert (await other.http.request(method, path, headers=TUS)).status_code == 404
    assert (await patch(other, path, 0, data)).status_code == 404
    assert (await other.http.get(f"{path}/result")).status_code == 404
    assert await offset_of(person, path) == 0
    _, key = await Accounts(storage).create_key(person.principal.user_id, "reader", scopes=("*:read",))
    reader = {"Authorization": f"Bearer {key}"}
    for answer in (
        await person.http.post(URL, headers={**TUS, **reader, "Upload-Length": "5"}),
        await patch(person, path, 0, data, **reader),
        await person.http.delete(path, headers={**TUS, **reader}),
    ):
        assert (answer.status_code, answer.json()["code"]) == (403, "missing_scope")
    nobody = await person.http.head(path, headers={**TUS, "Authorization": ""})
    assert (nobody.status_code, nobody.headers["tus-resumable"]) == (401, "1.0.0")


async def test_a_browser_session_may_upload_but_not_for_another_site(app: FastAPI, person: Person) -> None:
    name = app.state.services.cookies.access
    cookie = {"Authorization": "", "Cookie": f"{name}={person.tokens['access_token']}", **TUS}
    wanted = {**cookie, "Upload-Length": "5"}
    refused = await person.http.post(URL, headers={**wanted, "Sec-Fetch-Site": "cross-site"})
    assert (refused.status_code, refused.json()["code"]) == (403, "cross_site")
    assert (
        await person.http.post(URL, headers={**wanted, "Sec-Fetch-Site": "same-origin"})
    ).status_code == 201


async def test_a_client_behind_a_narrow_proxy_names_the_method_in_a_header(person: Person) -> None:
    data = some_bytes(3000)
    path = await begin(person, len(data))
    sent = await person.http.post(
        path, content=data[:2000], headers={**BYTES, "Upload-Offset": "0", "X-HTTP-Method-Override": "PATCH"}
    )
    assert (sent.status_code, sent.headers["upload-offset"]) == (204, "2000")
    gone = await person.http.post(path, headers={**TUS, "X-HTTP-Method-Override": "DELETE"})
    assert gone.status_code == 204
    assert (await person.http.head(path, headers=TUS)).status_code == 404


async def test_an_upload_that_is_given_up_leaves_nothing_behind(person: Person, storage: Storage) -> None:
    path = await begin(person, 20 * MB)
    await patch(person, path, 0, some_bytes(9 * MB))
    assert len(parts_of(storage, person, path)) == 2
    assert (await person.http.delete(path, headers=TUS)).status_code == 204
    assert await left_behind(storage, person) == (0, [])


async def test_unfinished_uploads_go_after_three_days_and_not_before(
    person: Person, storage: Storage, clock: MovableClock
) -> None:
    path = await begin(person, 20 * MB)
    await patch(person, path, 0, some_bytes(1000))
    prefix = upload_prefix(person.principal.user_id, upload_id_of(path))

    async def upkeep(later: timedelta) -> int:
        ahead = replace(storage, clock=LaterClock(later))

        async def check() -> None:
            """Nothing stops it."""

        await Purge(ahead, person.principal.user_id, check).run(ahead.clock.now())
        await collect_garbage(ahead)
        return len([key async for key in storage.files.keys(prefix)])

    assert await upkeep(timedelta(hours=50)) == 1
    clock.ahead = KEEP + timedelta(minutes=1)
    gone = await patch(person, path, 1000, b"more")
    assert (gone.status_code, gone.json()["code"]) == (410, "upload_expired")
    clock.ahead = timedelta()
    assert await upkeep(KEEP + timedelta(minutes=1)) == 0
    assert (await person.http.head(path, headers=TUS)).status_code == 404


async def test_any_way_of_cutting_a_file_into_requests_gives_the_same_file(person: Person) -> None:
    chance = random.Random(7)
    class_id = await new_class(person)
    for seed in range(4):
        data = some_bytes(chance.randrange(1, 20 * MB) + 9, seed)
        path = await begin(person, len(data), class_id=class_id)
        offset, answer = 0, None
        while offset < len(data):
            end = min(len(data), offset + chance.choice((1, 1000, SMALL_PART, UPLOAD_PART, 9 * MB, 20 * MB)))
            answer = await patch(person, path, offset, data[offset:end])
            offset = int(answer.headers["upload-offset"])
            assert offset == end
        assert answer is not None
        assert (
            hashlib.sha256(await stored(person, answer.headers["lyceum-material"])).digest()
            == hashlib.sha256(data).digest()
        )
