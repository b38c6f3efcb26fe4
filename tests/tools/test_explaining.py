"""Why a passage is not found: each cause made on purpose, in one student's real material."""

from dataclasses import replace
from uuid import UUID

import pytest

from storage.errors import InvalidInput, NotFound
from storage.resources import Storage
from tests.data import textbook_pages
from tests.work import add_text, call, run_job
from tools.context import Principal
from tools.executor import Executor
from tools.intake import once, receive
from tools.search.causes import Facts, cause_of

CELLS = """# Chapter 3 Mitosis

A cell divides into two by mitosis.

# Chapter 4 Enzymes

Pepsin splits proteins in the stomach. It works best in acid.

Urease was the first enzyme that was crystallised.
"""
CROWD = [f"The amplification factor of scheme {n} is discussed at length in note {n}." for n in range(90)]


@pytest.fixture(scope="module")
async def reader(storage: Storage, executor: Executor, new_user: Principal) -> Principal:
    """A student with a chapter of the textbook in Numerics, and two small texts."""
    upload = await receive(storage, new_user, "stability.pdf", once(textbook_pages(60, 71)))
    await call(executor, new_user, "create_class", name="Numerics")
    taken = await call(executor, new_user, "upload_material", class_id="Numerics", upload_id=str(upload))
    await run_job(storage, new_user, UUID(taken["job_id"]))
    await add_text(executor, new_user, "Biology", "Cells", CELLS)
    await add_text(
        executor, new_user, "Crowd", "Notes", "\n\n".join(f"# Note {n}\n\n{t}" for n, t in enumerate(CROWD))
    )
    return new_user


async def test_what_is_found_says_its_rank_and_where_it_stands_in_every_stage(
    executor: Executor, reader: Principal
) -> None:
    told = await call(
        executor, reader, "explain_search", query="Who divides by mitosis?", expected_material_id="Cells"
    )
    assert (told["cause"], told["mend"]) == ("found", None)
    assert [stage["stage"] for stage in told["stages"]] == ["words", "meaning", "both", "results"]
    assert [stage["rank"] for stage in told["stages"]] == [1, 1, 1, 1]
    assert told["expected"]["has_vector"]
    assert told["expected"]["similarity"] == pytest.approx(told["stages"][1]["score"], abs=1e-3)


async def test_the_ranks_are_those_of_the_search_itself(executor: Executor, reader: Principal) -> None:
    query = "Which scheme is unconditionally stable?"
    found = await call(executor, reader, "search_materials", query=query, limit=6)
    told = await call(executor, reader, "explain_search", query=query, limit=6)
    assert told["cause"] is None
    assert [row["passage_id"] for row in told["above"]] == [hit["passage_id"] for hit in found["hits"]][:5]
    third = found["hits"][2]
    told = await call(
        executor, reader, "explain_search", query=query, limit=6, expected_passage_id=third["passage_id"]
    )
    assert (told["cause"], told["stages"][3]["rank"]) == ("found", 3)
    assert [row["rank"] for row in told["above"]] == [1, 2]


async def test_a_passage_behind_the_limit_is_outranked_by_others(
    executor: Executor, reader: Principal
) -> None:
    query = "amplification factor"
    found = await call(executor, reader, "search_materials", query=query, class_id="Numerics", limit=5)
    told = await call(
        executor,
        reader,
        "explain_search",
        query=query,
        class_id="Numerics",
        limit=2,
        expected_passage_id=found["hits"][4]["passage_id"],
    )
    assert told["cause"] == "outranked"
    assert "only 2 passages are returned" in told["why"]
    assert len(told["above"]) == 2


async def test_a_passage_that_a_crowd_outranks_in_both_stages_is_below_the_cut(
    executor: Executor, reader: Principal
) -> None:
    await add_text(
        executor,
        reader,
        "Animals",
        "Snails",
        "# Snails\n\nThe length of a snail is measured along its foot.\n",
    )
    told = await call(
        executor,
        reader,
        "explain_search",
        query="amplification factor of a scheme discussed at length",
        expected_material_id="Snails",
    )
    assert told["cause"] == "below_the_cut"
    words, meaning, both, results = told["stages"]
    assert words["rank"] > words["passed_on"] == 50
    assert meaning["rank"] > meaning["passed_on"] == 50
    assert (both["rank"], results["rank"]) == (None, None)
    assert [word["stems"] for word in told["words"] if word["in_expected"]] == [["length"]]
    assert {word["passages"] for word in told["words"]} >= {90}


async def test_words_that_the_passage_does_not_have_are_named(executor: Executor, reader: Principal) -> None:
    told = await call(
        executor,
        reader,
        "explain_search",
        query="courts of appeal jurisdiction",
        expected_material_id="Cells",
        expected_section="4",
    )
    assert told["cause"] == "words_absent"
    assert "hapter or section 4" in told["why"]
    assert all(word["passages"] == 0 for word in told["words"])


async def test_what_lies_in_another_class_is_outside_the_scope(executor: Executor, reader: Principal) -> None:
    told = await call(
        executor,
        reader,
        "explain_search",
        query="mitosis",
        class_id="Numerics",
        expected_material_id="Cells",
    )
    assert told["cause"] == "outside_scope"
    assert told["searched"] == "the class 'Numerics'"


async def test_a_query_that_names_a_place_is_answered_from_there(
    executor: Executor, reader: Principal
) -> None:
    told = await call(
        executor,
        reader,
        "explain_search",
        query="What does page 5 say?",
        material_id="stability",
        expected_material_id="stability",
        expected_page=9,
    )
    assert told["cause"] == "answered_from_place"
    assert "page 5" in told["why"]


async def test_a_missing_vector_is_the_cause_and_the_diagnosis_agrees(
    storage: Storage, executor: Executor, reader: Principal
) -> None:
    await add_text(executor, reader, "Vectors", "Tides", "# Tides\n\nThe moon pulls the sea twice a day.\n")
    told = await call(executor, reader, "explain_search", query="tides", expected_material_id="Tides")
    assert told["cause"] == "found"
    collection = told["expected"]["collection"]
    await storage.vectors.delete(collection, [UUID(told["expected"]["passage_id"])])
    told = await call(
        executor, reader, "explain_search", query="gravity of a satellite", expected_material_id="Tides"
    )
    assert told["cause"] == "vector_missing"
    diagnosis = await call(executor, reader, "chroma_diagnose_collection", collection_name=collection)
    assert [finding["kind"] for finding in diagnosis["findings"]] == ["missing_vector"]


async def test_material_that_is_waiting_deleted_or_without_text_is_the_cause(
    storage: Storage, executor: Executor, reader: Principal
) -> None:
    await call(executor, reader, "create_class", name="States")
    waiting = await call(executor, reader, "add_text", class_id="States", title="Later", text="# L\n\nLater.")
    told = await call(executor, reader, "explain_search", query="later", expected_material_id="Later")
    assert told["cause"] == "still_reading"
    await run_job(storage, reader, UUID(waiting["job_id"]))
    async with storage.as_user(reader.user_id) as db:
        material = await db.materials.resolve("Later")
        await db.materials.set(material.id, status="failed", error="The file is damaged.")
    told = await call(executor, reader, "explain_search", query="volcano", expected_material_id="Later")
    assert told["cause"] == "not_ingested"
    assert "The file is damaged." in told["why"]
    async with storage.as_user(reader.user_id) as db:
        await db.materials.set(material.id, deleted_at=storage.clock.now(), status="ready")
    told = await call(executor, reader, "explain_search", query="later", expected_material_id="Later")
    assert told["cause"] == "in_bin"


async def test_a_phrase_that_stands_nowhere_is_the_cause(executor: Executor, reader: Principal) -> None:
    told = await call(
        executor,
        reader,
        "explain_search",
        query="pepsin",
        expected_material_id="Cells",
        expected_phrase="pepsin dissolves fat",
    )
    assert told["cause"] == "phrase_not_in_text"
    told = await call(
        executor, reader, "explain_search", query="pepsin", expected_phrase="splits proteins in the stomach"
    )
    assert (told["cause"], told["expected"]["material_title"]) == ("found", "Cells")
    told = await call(
        executor, reader, "explain_search", query="pepsin", expected_phrase="no such words here"
    )
    assert told["cause"] == "phrase_not_in_text"


async def test_a_chapter_that_no_heading_names_is_the_cause(executor: Executor, reader: Principal) -> None:
    told = await call(
        executor,
        reader,
        "explain_search",
        query="enzymes",
        expected_material_id="Cells",
        expected_section="7",
    )
    assert told["cause"] == "no_text_there"
    assert "No heading" in told["why"]


async def test_wrong_expectations_are_refused_with_a_sentence(executor: Executor, reader: Principal) -> None:
    for wrong in ({"expected_page": 3}, {"expected_passage_id": "x" * 36}):
        with pytest.raises(InvalidInput):
            await call(executor, reader, "explain_search", query="mitosis", **wrong)
    for missing in (
        {"expected_material_id": "Never uploaded"},
        {"expected_material_id": "stability", "expected_page": 99},
        {"expected_passage_id": str(reader.user_id)},
    ):
        with pytest.raises(NotFound):
            await call(executor, reader, "explain_search", query="mitosis", **missing)


def test_every_cause_says_why_and_what_to_do() -> None:
    far = Facts("page 3", words=2, similarity=0.1, weakest=0.25)
    near = replace(far, words_held=1, similarity=0.5)
    cases = {
        "found": replace(near, result_rank=2),
        "in_bin": replace(near, deleted=True),
        "not_ingested": replace(near, status="failed"),
        "still_reading": replace(near, status="processing", has_text=False),
        "no_text_there": replace(near, has_text=False, notice="The page is empty."),
        "phrase_not_in_text": replace(near, phrase_stands=False),
        "outside_scope": replace(near, in_scope=False),
        "answered_from_place": replace(near, place="page 5"),
        "vector_missing": replace(near, in_index=False),
        "wrong_model": replace(near, same_model=False),
        "index_missed": replace(near, last_dense=0.4),
        "words_absent": far,
        "below_the_cut": near,
        "outranked": replace(near, fused_rank=9),
    }
    for code, facts in cases.items():
        cause = cause_of(facts)
        assert (cause.code, cause.mend is None) == (code, code == "found")
        assert "page 3" in cause.why.lower() or code == "answered_from_place"
