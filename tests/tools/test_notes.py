"""Notes: written, changed, found, deleted, restored; only one's own."""

from typing import Any
from uuid import UUID

import pytest

from storage.errors import InvalidInput, NotFound
from storage.resources import Storage
from tests.work import add_text, call
from tools.context import Principal
from tools.executor import Executor

OPTICS = "# Refraction\n\nLight bends at the surface of glass.\n\n# Mirrors\n\nA mirror reflects light.\n"


async def write(executor: Executor, who: Principal, title: str, text: str = "", **more: Any) -> Any:
    return await call(executor, who, "create_note", title=title, text=text, **more)


async def passages(executor: Executor, who: Principal, *queries: str) -> list[str]:
    """The best passage for each query."""
    found = [await call(executor, who, "search_materials", query=query) for query in queries]
    return [result["hits"][0]["passage_id"] for result in found]


async def test_a_note_keeps_its_text_its_tags_and_its_numbered_sources(
    executor: Executor, student: Principal
) -> None:
    material = await add_text(executor, student, "Physics", "Optics", OPTICS)
    ids = await passages(executor, student, "mirror reflects", "light bends glass")
    made = await write(
        executor,
        student,
        "Light",
        "Mirrors reflect [1], glass bends [2].",
        class_id="physics",
        tags=["light", "light", "exam"],
        passage_ids=ids,
    )
    note = await call(executor, student, "get_note", note_id="light")
    assert note == made
    assert (note["text"], note["tags"]) == ("Mirrors reflect [1], glass bends [2].", ["light", "exam"])
    assert (note["type"], note["model"], note["making"]) == ("note", None, None)
    assert [(s["number"], s["label"], s["passage_id"]) for s in note["sources"]] == [
        (1, "Mirrors", ids[0]),
        (2, "Refraction", ids[1]),
    ]
    assert "A mirror reflects light." in note["sources"][0]["quote"]
    assert note["sources"][0]["locator"]["material_id"] == material


async def test_text_is_replaced_or_appended_and_sources_stay(executor: Executor, student: Principal) -> None:
    await add_text(executor, student, "Physics", "Optics", OPTICS)
    first, second = await passages(executor, student, "mirror reflects", "light bends glass")
    await write(executor, student, "Light", "First.", passage_ids=[first])
    added = await call(
        executor, student, "update_note", note_id="Light", append="Second [2].", passage_ids=[second]
    )
    assert added["text"] == "First.\n\nSecond [2]."
    assert [s["passage_id"] for s in added["sources"]] == [first, second]
    changed = await call(executor, student, "update_note", note_id="Light", text="New.", title="Rays")
    assert (changed["title"], changed["text"], changed["source_count"]) == ("Rays", "New.", 2)
    with pytest.raises(InvalidInput, match="Nothing to change"):
        await call(executor, student, "update_note", note_id="Rays")
    with pytest.raises(InvalidInput, match="title cannot be null"):
        await call(executor, student, "update_note", note_id="Rays", title=None)


async def test_notes_are_listed_newest_first_page_by_page_and_narrowed(
    executor: Executor, student: Principal
) -> None:
    await call(executor, student, "create_class", name="Physics")
    for number in range(1, 6):
        await write(executor, student, f"Note {number}", tags=["odd"] if number % 2 else ["even"])
    await write(executor, student, "In physics", class_id="Physics", type="summary")
    first = await call(executor, student, "list_notes", limit=4)
    rest = await call(executor, student, "list_notes", limit=4, cursor=first["next_cursor"])
    assert [i["title"] for i in first["items"] + rest["items"]] == [
        "In physics", "Note 5", "Note 4", "Note 3", "Note 2", "Note 1"
    ]  # fmt: skip
    assert (first["total"], rest["next_cursor"]) == (6, None)
    for narrow, titles in (
        ({"tag": "even"}, ["Note 4", "Note 2"]),
        ({"class_id": "Physics"}, ["In physics"]),
        ({"type": "summary"}, ["In physics"]),
        ({"type": "cornell"}, []),
    ):
        listed = await call(executor, student, "list_notes", **narrow)
        assert [item["title"] for item in listed["items"]] == titles


async def test_notes_are_found_by_any_of_the_words_in_any_form_best_first(
    executor: Executor, student: Principal
) -> None:
    await write(executor, student, "Cells", "Mitochondria make energy for the cell.")
    await write(
        executor, student, "Plants", "Chloroplasts make energy from light; energy is stored in sugars."
    )
    await write(executor, student, "History", "The treaty was signed in 1648.")
    found = await call(executor, student, "list_notes", query="where is the energy of plants stored")
    assert [item["title"] for item in found["items"]] == ["Plants", "Cells"]
    first = await call(executor, student, "list_notes", query="storing energies", limit=1)
    rest = await call(
        executor, student, "list_notes", query="storing energies", limit=1, cursor=first["next_cursor"]
    )
    assert [i["title"] for i in first["items"] + rest["items"]] == ["Plants", "Cells"]
    assert (await call(executor, student, "list_notes", query="the and of"))["items"] == []
    with pytest.raises(InvalidInput, match="cursor"):
        await call(executor, student, "list_notes", query="energy", cursor="nonsense")


async def test_a_deleted_note_is_gone_and_comes_back_out_of_the_bin_with_its_sources(
    executor: Executor, student: Principal
) -> None:
    await add_text(executor, student, "Physics", "Optics", OPTICS)
    ids = await passages(executor, student, "mirror reflects")
    made = await write(executor, student, "Light", "Text [1].", passage_ids=ids)
    await call(executor, student, "delete_note", note_id="Light")
    assert (await call(executor, student, "list_notes"))["total"] == 0
    with pytest.raises(NotFound):
        await call(executor, student, "get_note", note_id=made["id"])
    await call(executor, student, "restore_item", item_id="Light")
    restored = await call(executor, student, "get_note", note_id="Light")
    assert (restored["text"], restored["sources"]) == ("Text [1].", made["sources"])


async def test_a_source_outlives_its_material_without_a_link(executor: Executor, student: Principal) -> None:
    await add_text(executor, student, "Physics", "Optics", OPTICS)
    ids = await passages(executor, student, "mirror reflects")
    await write(executor, student, "Light", "Text [1].", passage_ids=ids)
    await call(executor, student, "delete_material", material_id="Optics")
    (source,) = (await call(executor, student, "get_note", note_id="Light"))["sources"]
    assert source["url"] is None
    assert "A mirror reflects light." in source["quote"]


async def test_passages_of_others_and_made_up_ones_are_no_sources(
    executor: Executor, student: Principal, stranger: Principal
) -> None:
    await add_text(executor, student, "Physics", "Optics", OPTICS)
    ids = await passages(executor, student, "mirror reflects")
    with pytest.raises(NotFound, match="passages does not exist"):
        await write(executor, stranger, "Stolen", "x", passage_ids=ids)
    with pytest.raises(NotFound, match="passages does not exist"):
        await write(executor, student, "Made up", "x", passage_ids=[str(UUID(int=7))])
    assert (await call(executor, stranger, "list_notes"))["total"] == 0


async def test_a_note_is_shared_with_a_class_only_when_it_has_one(
    storage: Storage, executor: Executor, student: Principal
) -> None:
    await call(executor, student, "create_class", name="Physics")
    with pytest.raises(InvalidInput, match="say which"):
        await write(executor, student, "Light", shared_with_class=True)
    await write(executor, student, "Light", shared_with_class=True, class_id="Physics")
    with pytest.raises(InvalidInput, match="say which"):
        await call(executor, student, "update_note", note_id="Light", class_id=None)
    hidden = await call(
        executor, student, "update_note", note_id="Light", shared_with_class=False, class_id=None
    )
    assert (hidden["shared_with_class"], hidden["class_id"]) == (False, None)


async def test_a_very_long_note_is_read_in_pieces(executor: Executor, student: Principal) -> None:
    text = "".join(f"Line {n} of a very long note.\n" for n in range(6000)).strip()
    await write(executor, student, "Long", text)
    read, offset = "", 0
    while offset is not None:
        piece = await call(executor, student, "get_note", note_id="Long", offset=offset)
        read, offset = read + piece["text"], piece["next_offset"]
        assert len(piece["text"]) <= 60_000
    assert read == text
    await call(executor, student, "update_note", note_id="Long", append=text)
    with pytest.raises(InvalidInput, match="too long"):
        await call(executor, student, "update_note", note_id="Long", append=text)
