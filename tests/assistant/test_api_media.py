"""A recording is played through its own route, in ranges and to nobody else."""

import io
import math
import struct
import wave

import pytest

from tests.assistant.conftest import Person
from tests.assistant.test_api_files import new_class, send


def tone() -> bytes:
    """A second of A4 as WAV."""
    file = io.BytesIO()
    with wave.open(file, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(8000)
        sound.writeframes(
            b"".join(struct.pack("<h", int(9000 * math.sin(at * 0.3456))) for at in range(8000))
        )
    return file.getvalue()


async def uploaded(person: Person, name: str, data: bytes) -> str:
    sent = await send(person, name, data, class_id=await new_class(person))
    assert sent.status_code == 201, sent.text
    return str(sent.json()["material_id"])


@pytest.mark.parametrize(
    ("name", "media_type"),
    [("a.mp3", "audio/mpeg"), ("a.mov", "video/mp4"), ("a.avi", "video/x-msvideo"), ("a.flac", "audio/flac")],
)
async def test_a_recording_is_shown_inline_as_what_a_browser_plays(
    person: Person, name: str, media_type: str
) -> None:
    path = f"/api/materials/{await uploaded(person, name, name.encode() + tone())}/media"
    answer = await person.http.get(path)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == media_type
    assert answer.headers["content-disposition"].startswith("inline")
    assert answer.headers["accept-ranges"] == "bytes"
    head = await person.http.head(path)
    assert (head.headers["content-length"], head.content) == (str(len(answer.content)), b"")


async def test_a_player_gets_the_range_it_asks_for(person: Person) -> None:
    data = tone()
    path = f"/api/materials/{await uploaded(person, 'tone.wav', data)}/media"
    part = await person.http.get(path, headers={"Range": "bytes=100-199"})
    assert (part.status_code, part.content) == (206, data[100:200])
    assert part.headers["content-range"] == f"bytes 100-199/{len(data)}"
    beyond = await person.http.get(path, headers={"Range": f"bytes={len(data)}-"})
    assert beyond.status_code == 416
    known = await person.http.get(path, headers={"If-None-Match": part.headers["etag"]})
    assert known.status_code == 304


async def test_what_is_no_recording_cannot_be_played(person: Person) -> None:
    answer = await person.http.get(f"/api/materials/{await uploaded(person, 'a.txt', b'Text.')}/media")
    assert (answer.status_code, answer.json()["code"]) == (404, "no_media")


async def test_nobody_else_can_play_a_recording(person: Person, other: Person) -> None:
    material = await uploaded(person, "tone.wav", tone())
    answer = await other.http.get(f"/api/materials/{material}/media")
    assert (answer.status_code, answer.json()["code"]) == (404, "material_not_found")
