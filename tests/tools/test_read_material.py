"""Reading a material by number, heading and time; tables, figures and recordings as search and open_passage show them."""

import struct
import zlib
from typing import Any
from uuid import UUID

import pytest

from storage.errors import InvalidInput, NotFound
from storage.files import file_key
from storage.resources import Storage
from tests.tools.lectures import SENTENCES, begins_at, captions
from tests.work import add_text, call, run_job
from tools.context import Principal
from tools.executor import Executor
from tools.intake import once, receive

HANDBOOK = """# Motion 1

Before anything else comes a word of welcome.

## 1.1 Speed

Speed is distance by time. A snail manages about 0.01 metres per second.

## 1.2 Acceleration

Acceleration is the change of speed by time.

# Heat 2

Heat flows from warm bodies to cold ones.

## 2.1 Table of substances

| Substance | Melting point | Density |
| --- | --- | --- |
"""
ROWS = "\n".join(
    f"| {name} {number} | {number} °C | {number}.5 |"
    for number in range(1, 31)
    for name in ("Gallium alloy", "Bismuth alloy")
)


@pytest.fixture(scope="module")
async def reader(storage: Storage, executor: Executor, new_user: Principal) -> Principal:
    """A student whose class Physics holds a handbook with headings and a long table."""
    await add_text(executor, new_user, "Physics", "Handbook", HANDBOOK + ROWS + "\n")
    return new_user


@pytest.fixture(scope="module")
async def listener(storage: Storage, executor: Executor, reader: Principal) -> Principal:
    """The same student with a lecture of three minutes, as captions."""
    upload = await receive(storage, reader, "Cells.vtt", once(captions().encode()))
    await call(executor, reader, "create_class", name="Biology")
    taken = await call(
        executor, reader, "upload_material", class_id="Biology", upload_id=str(upload), title="Cells"
    )
    await run_job(storage, reader, UUID(taken["job_id"]))
    return reader


async def read(executor: Executor, who: Principal, title: str, **place: Any) -> dict[str, Any]:
    found: dict[str, Any] = await call(executor, who, "read_material", material_id=title, **place)
    return found


def text_of(result: dict[str, Any]) -> str:
    return "\n".join(segment["text"] for segment in result["segments"])


@pytest.mark.parametrize("heading", ["1.1", "section 1.1", "Speed", "speeed", "1.1 SPEED"])
async def test_what_stands_under_a_heading_is_read_however_it_is_named(
    executor: Executor, reader: Principal, heading: str
) -> None:
    found = await read(executor, reader, "Handbook", heading=heading)
    assert found["heading"] == "1.1 Speed"
    assert text_of(found).startswith("1.1 Speed")
    assert "A snail" in text_of(found)
    assert "Acceleration" not in text_of(found)
    assert found["next_first"] is None


async def test_a_chapter_is_read_with_its_sections(executor: Executor, reader: Principal) -> None:
    found = await read(executor, reader, "Handbook", heading="Chapter 1")
    assert found["heading"] == "Motion 1"
    assert "A snail" in text_of(found)
    assert "change of speed" in text_of(found)
    assert "Heat flows" not in text_of(found)


async def test_an_unknown_heading_lists_those_that_are_there(executor: Executor, reader: Principal) -> None:
    with pytest.raises(NotFound, match=r"quantum.*Motion 1; 1\.1 Speed"):
        await read(executor, reader, "Handbook", heading="quantum mechanics")
    with pytest.raises(NotFound, match="Chapter 7"):
        await read(executor, reader, "Handbook", heading="Chapter 7")


async def test_a_range_past_the_end_gives_what_there_is_and_says_so(
    executor: Executor, reader: Principal
) -> None:
    whole = await read(executor, reader, "Handbook")
    count = whole["count"]
    found = await read(executor, reader, "Handbook", first=count, last=count + 5)
    assert [segment["number"] for segment in found["segments"]] == [count]
    assert f"has {count} section" in found["notice"]
    assert whole["notice"] is None
    with pytest.raises(InvalidInput, match="before"):
        await read(executor, reader, "Handbook", first=3, last=2)


async def test_a_book_has_no_times(executor: Executor, reader: Principal) -> None:
    with pytest.raises(InvalidInput, match="no recording"):
        await read(executor, reader, "Handbook", t_start="12:30")


async def test_rows_of_a_table_are_found_below_its_header(executor: Executor, reader: Principal) -> None:
    found = await call(executor, reader, "search_materials", query="Bismuth alloy 30", class_id="Physics")
    hit = next(hit for hit in found["hits"] if "Bismuth alloy 30" in hit["text"])
    assert hit["content_type"] == "table"
    assert hit["text"].startswith("| Substance | Melting point | Density |\n| --- | --- | --- |\n|")
    assert "alloy 1 |" not in hit["text"]
    opened = await call(executor, reader, "open_passage", passage_id=hit["passage_id"])
    assert opened["content_type"] == "table"
    assert opened["text"].startswith("| Substance | Melting point | Density |\n")
    where = opened["locator"]
    own = opened["segment_text"][where["char_start"] : where["char_end"]]
    assert own.startswith("| ")
    assert opened["text"].endswith(own)


def png() -> bytes:
    """One red dot."""

    def part(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 0)
    dot = zlib.compress(b"\0\xff\0\0")
    return b"\x89PNG\r\n\x1a\n" + part(b"IHDR", header) + part(b"IDAT", dot) + part(b"IEND", b"")


async def add_figure(storage: Storage, who: Principal, title: str, chunk: int) -> UUID:
    """A picture beside a chunk of a material, as reading a document leaves it. Gives the material's id."""
    file_id = storage.clock.new_id()
    key = file_key(who.user_id, file_id)
    stored = await storage.files.put(key, once(png()), limit=1000)
    file: dict[str, Any] = {"id": file_id, "user_id": who.user_id, "filename": "f.png", "object_key": key}
    file |= {"media_type": "image/png", "size_bytes": stored.size, "sha256": stored.sha256}
    async with storage.as_user(who.user_id) as db:
        material = await db.materials.resolve(title)
        segment = (await db.places.chunks_at(material.id, [chunk]))[chunk].segment
        figure: dict[str, Any] = {
            "id": storage.clock.new_id(),
            "user_id": who.user_id,
            "material_id": material.id,
        }
        figure |= {"ordinal": 0, "segment": segment, "chunk": chunk, "file_id": file_id}
        figure |= {"kind": "diagram", "label": "Figure 1", "caption": "A snail"}
        await db.reading.replace_figures(material.id, [file], [figure])
        return material.id


async def test_a_figure_is_shown_beside_its_passage_only(
    storage: Storage, executor: Executor, student: Principal
) -> None:
    text = "# Snails\n\nA snail crawls.\n\n# Slugs\n\nA slug has no shell.\n"
    await add_text(executor, student, "Zoology", "Snails", text)
    material_id = await add_figure(storage, student, "Snails", 0)
    figure = {
        "label": "Figure 1",
        "caption": "A snail",
        "kind": "diagram",
        "url": f"/api/materials/{material_id}/figures/0",
    }
    hits = (await call(executor, student, "search_materials", query="snail slug shell"))["hits"]
    beside = {hit["locator"]["heading_path"][-1]: hit["figures"] for hit in hits}
    assert beside == {"Snails": [figure], "Slugs": []}
    for hit in hits:
        opened = await call(executor, student, "open_passage", passage_id=hit["passage_id"])
        assert opened["figures"] == hit["figures"]
    page = await call(executor, student, "open_passage", material_id="Snails", page=1)
    assert page["figures"] == [figure]


async def test_a_recording_is_read_from_one_time_to_another(executor: Executor, listener: Principal) -> None:
    found = await read(executor, listener, "Cells", t_start="1:06", t_end="1:17")
    said = [sentence for segment in found["segments"] for sentence in segment["sentences"]]
    assert [sentence["text"] for sentence in said] == SENTENCES[11:13]
    assert [sentence["t_start"] for sentence in said] == pytest.approx([66, 72], abs=0.5)
    assert text_of(found).split() == " ".join(SENTENCES[11:13]).split()
    same = await read(executor, listener, "Cells", t_start=66, t_end=77)
    assert same["segments"] == found["segments"]


async def test_a_time_past_the_end_gives_what_there_is_and_says_so(
    executor: Executor, listener: Principal
) -> None:
    found = await read(executor, listener, "Cells", t_start="2:55", t_end="1:00:00")
    assert text_of(found).endswith(SENTENCES[-1])
    assert "ends at 3:00" in found["notice"]
    with pytest.raises(NotFound, match="59:00"):
        await read(executor, listener, "Cells", t_start="59:00")
    with pytest.raises(InvalidInput, match="12:30"):
        await read(executor, listener, "Cells", t_start="soon")


async def test_a_passage_of_a_recording_opens_at_its_second_with_every_sentence_timed(
    executor: Executor, listener: Principal
) -> None:
    query = "Who described mitosis in salamander larvae?"
    hit = (await call(executor, listener, "search_materials", query=query, class_id="Biology"))["hits"][0]
    assert hit["content_type"] == "transcript"
    opened = await call(executor, listener, "open_passage", passage_id=hit["passage_id"])
    where = opened["locator"]
    first = next(s for s in opened["sentences"] if s["char_end"] > where["char_start"])
    assert where["t_start"] == first["t_start"] == pytest.approx(begins_at(first["text"]), abs=0.5)
    minutes, seconds = divmod(int(where["t_start"]), 60)
    assert hit["label"] == opened["label"] == f"{minutes}:{seconds:02}"
    for sentence in opened["sentences"]:
        assert sentence["t_start"] == pytest.approx(begins_at(sentence["text"]), abs=0.5)
        assert sentence["text"] == opened["segment_text"][sentence["char_start"] : sentence["char_end"]]
    assert opened["image_url"] is None


@pytest.mark.parametrize("query", ["minute 1", "at 1:20", "what is said at 1:20?", "bei 1:20"])
async def test_a_time_in_a_question_finds_what_is_said_then(
    executor: Executor, listener: Principal, query: str
) -> None:
    found = await call(executor, listener, "search_materials", query=query, class_id="Biology")
    assert found["hits"]
    for hit in found["hits"]:
        assert hit["locator"]["t_start"] < 120
        assert hit["locator"]["t_end"] > 60
