"""The tools that look into the vector collections: what they list, and what they say of somebody else's."""

import pytest

from storage.errors import NotFound
from storage.resources import Storage
from storage.vectors import index
from tests.conftest import new_principal
from tests.work import add_text, call
from tools.context import Principal
from tools.executor import Executor

ABOUT_ONE = (
    "chroma_count_documents",
    "chroma_peek_documents",
    "chroma_get_documents",
    "chroma_get_collection_info",
    "chroma_diagnose_collection",
)


async def test_nobody_learns_whether_another_person_has_a_collection(
    executor: Executor, student: Principal, stranger: Principal
) -> None:
    await call(executor, student, "create_class", name="Physics")
    await add_text(executor, student, "Physics", "Waves", "Waves carry energy.")
    (item,) = (await call(executor, student, "chroma_list_collections"))["items"]
    there, missing = item["name"], item["name"].replace("texts", "slides")
    for tool in ABOUT_ONE:
        said = []
        for name in (there, missing):
            with pytest.raises(NotFound) as refused:
                await call(executor, stranger, tool, collection_name=name)
            said.append(str(refused.value).replace(name, "NAME"))
        assert said[0] == said[1], tool
        assert "chroma_list_collections" in said[0], tool


@pytest.mark.parametrize("page", [1, 50], ids=["store with many collections", "store with few"])
async def test_collections_are_listed_with_and_without_their_counts(
    storage: Storage, executor: Executor, monkeypatch: pytest.MonkeyPatch, page: int
) -> None:
    who = await new_principal(storage)
    monkeypatch.setattr(index, "FEW", page)
    for name in ("Optics", "Physics"):
        await call(executor, who, "create_class", name=name)
        await add_text(executor, who, name, "Waves", "Waves carry energy.")
    counted = (await call(executor, who, "chroma_list_collections"))["items"]
    named = (await call(executor, who, "chroma_list_collections", counts=False))["items"]
    assert [(item["class_name"], item["content_type"], item["count"]) for item in counted] == [
        ("Optics", "texts", 1),
        ("Physics", "texts", 1),
    ]
    assert named == [{**item, "count": None} for item in counted]
    await call(executor, who, "delete_class", class_id="Optics")
    for counts in (True, False):
        left = await call(executor, who, "chroma_list_collections", counts=counts)
        assert [item["class_name"] for item in left["items"]] == ["Physics"]
