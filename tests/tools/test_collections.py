"""The tools that look into the vector collections, asked about somebody else's."""

import pytest

from storage.errors import NotFound
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
