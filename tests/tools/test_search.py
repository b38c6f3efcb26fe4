"""From a real book to passages with places."""

import re
from uuid import UUID

import pytest

from storage.errors import Conflict, InvalidInput, NotFound
from storage.resources import Storage
from tests.data import mupdf, shared, textbook_pages
from tests.work import add_text, call, run_job
from tools.context import Principal
from tools.executor import Executor
from tools.intake import once, receive

PAGES = range(60, 84)
"""Pages of the textbook that the tests read: the chapter on stability."""


@pytest.fixture(scope="module")
async def reader(storage: Storage, executor: Executor, new_user: Principal) -> Principal:
    """A student whose class Numerics holds a chapter of the textbook, indexed."""
    upload = await receive(
        storage, new_user, "stability.pdf", once(textbook_pages(PAGES.start, PAGES.stop - 1))
    )
    await call(executor, new_user, "create_class", name="Numerics")
    taken = await call(executor, new_user, "upload_material", class_id="numerics", upload_id=str(upload))
    await run_job(storage, new_user, UUID(taken["job_id"]))
    await add_text(
        executor, new_user, "Biology", "Cells", "# Mitosis\n\nA cell divides into two by mitosis.\n"
    )
    return new_user


async def test_a_question_finds_the_passage_that_answers_it(executor: Executor, reader: Principal) -> None:
    found = await call(executor, reader, "search_materials", query="Which scheme is unconditionally stable?")
    best = found["hits"][0]
    assert "unconditionally stable" in " ".join(best["text"].split())
    assert best["scores"]["lexical"] > 0
    assert best["scores"]["dense"] > 0.3
    assert best["locator"]["material_title"] == "stability"


async def test_the_locator_names_the_page_that_holds_the_passage(
    executor: Executor, reader: Principal
) -> None:
    found = await call(executor, reader, "search_materials", query="amplification factor", limit=10)
    with mupdf.open(shared("docs/decay_textbook_241p.pdf")) as book:
        for hit in found["hits"]:
            if hit["locator"]["material_title"] != "stability":
                continue
            page = words(book[PAGES.start + hit["locator"]["page"] - 1].get_text())
            inside = [word in page for word in words(hit["text"])]
            assert sum(inside) > 0.9 * len(inside)
            assert hit["locator"]["boxes"]


def words(text: str) -> list[str]:
    return re.findall(r"[a-z]{4,}", text.replace("-\n", "").lower())


async def test_a_page_number_is_answered_from_the_locator(executor: Executor, reader: Principal) -> None:
    found = await call(executor, reader, "search_materials", query="what is on page 7?", class_id="Numerics")
    assert {hit["locator"]["page"] for hit in found["hits"]} == {7}


async def test_a_printed_page_number_is_found_when_no_page_has_that_number(
    executor: Executor, reader: Principal
) -> None:
    found = await call(executor, reader, "search_materials", query="page 55", class_id="Numerics")
    assert {hit["locator"]["page_label"] for hit in found["hits"]} <= {"55", None}


async def test_a_quoted_phrase_comes_first(executor: Executor, reader: Principal) -> None:
    found = await call(executor, reader, "search_materials", query='"amplification factor" of the scheme')
    assert "amplification factor" in " ".join(found["hits"][0]["text"].split())


async def test_words_that_stand_nowhere_find_nothing_and_say_so(
    executor: Executor, reader: Principal
) -> None:
    found = await call(
        executor, reader, "search_materials", query="xyzzy plugh qwertzuiop", class_id="Biology"
    )
    assert found["hits"] == []
    assert found["notice"]


async def test_a_search_stays_inside_the_class_that_was_named(executor: Executor, reader: Principal) -> None:
    found = await call(executor, reader, "search_materials", query="stable scheme cell", class_id="Biology")
    assert {hit["locator"]["material_title"] for hit in found["hits"]} == {"Cells"}


async def test_an_opened_passage_shows_its_page_with_boxes(executor: Executor, reader: Principal) -> None:
    found = await call(
        executor, reader, "search_materials", query="unconditionally stable", class_id="Numerics"
    )
    hit = found["hits"][0]
    opened = await call(executor, reader, "open_passage", passage_id=hit["passage_id"])
    assert opened["locator"]["page"] == hit["locator"]["page"]
    assert opened["image_url"].endswith(f"/pages/{hit['locator']['page']}.png")
    assert opened["text"] in opened["segment_text"]
    for box in opened["locator"]["boxes"]:
        assert 0 <= box["x0"] <= box["x1"] <= 1
        assert 0 <= box["y0"] <= box["y1"] <= 1


async def test_reading_goes_on_where_it_stopped(executor: Executor, reader: Principal) -> None:
    first = await call(executor, reader, "read_material", material_id="stability", first=1)
    assert first["next_first"] == first["segments"][-1]["number"] + 1
    second = await call(executor, reader, "read_material", material_id="stability", first=first["next_first"])
    assert second["segments"][0]["number"] == first["next_first"]


async def test_a_page_beyond_the_end_is_refused_with_the_count(executor: Executor, reader: Principal) -> None:
    with pytest.raises(NotFound, match="24 in all"):
        await call(executor, reader, "read_material", material_id="stability", first=99)


async def test_a_deleted_material_is_not_found_and_comes_back(
    storage: Storage, executor: Executor, student: Principal
) -> None:
    material = await add_text(executor, student, "Physics", "Light", "A photon carries light.\n")
    await call(executor, student, "delete_material", material_id=material)
    gone = await call(executor, student, "search_materials", query="What carries light?")
    assert gone["hits"] == []
    counted = await call(executor, student, "chroma_list_collections")
    assert [item["count"] for item in counted["items"]] == [0]
    restored = await call(executor, student, "restore_material", material_id=material)
    at_once = await call(executor, student, "search_materials", query="What carries light?")
    assert at_once["hits"][0]["scores"]["dense"] is None
    await run_job(storage, student, UUID(restored["job_id"]))
    again = await call(executor, student, "search_materials", query="What carries light?")
    assert again["hits"][0]["scores"]["dense"] > 0.3


async def test_the_same_file_twice_is_the_same_material(
    storage: Storage, executor: Executor, student: Principal
) -> None:
    await call(executor, student, "create_class", name="Twice")
    texts = {"class_id": "Twice", "title": "Note", "text": "The same words."}
    first = await call(executor, student, "add_text", **texts)
    second = await call(executor, student, "add_text", **texts)
    assert (first["duplicate"], second["duplicate"]) == (False, True)
    assert second["material_id"] == first["material_id"]
    assert (await call(executor, student, "list_materials"))["total"] == 1


async def test_a_name_that_fits_two_classes_lists_them(executor: Executor, student: Principal) -> None:
    await call(executor, student, "create_class", name="Calculus I")
    await call(executor, student, "create_class", name="Calculus II")
    with pytest.raises(Conflict, match=r"Calculus I.*Calculus I"):
        await call(executor, student, "update_class", class_id="calc", subject="Maths")
    changed = await call(executor, student, "update_class", class_id="calculus i", subject="Maths")
    assert changed["subject"] == "Maths"


async def test_an_unknown_argument_is_named(executor: Executor, student: Principal) -> None:
    with pytest.raises(InvalidInput, match="colour"):
        await call(executor, student, "create_class", name="Art", colour="red")


async def test_a_diagnosis_finds_what_was_broken(
    storage: Storage, executor: Executor, student: Principal
) -> None:
    await add_text(
        executor,
        student,
        "Chemistry",
        "Acids",
        "# Acids\n\nAn acid gives protons.\n\n# Bases\n\nA base takes them.\n",
    )
    name = (await call(executor, student, "chroma_list_collections"))["items"][0]["name"]
    healthy = await call(executor, student, "chroma_diagnose_collection", collection_name=name)
    assert healthy["healthy"]
    documents = await call(
        executor, student, "chroma_get_documents", collection_name=name, include_embeddings=True
    )
    assert len(documents["items"][0]["embedding"]) == 384
    await storage.vectors.delete(name, [UUID(documents["items"][0]["id"])])
    sick = await call(executor, student, "chroma_diagnose_collection", collection_name=name)
    assert [(f["kind"], f["count"]) for f in sick["findings"]] == [("missing_vector", 1)]
