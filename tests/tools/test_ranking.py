"""Finding a tool by what somebody wants to do."""

import pytest

from storage.embeddings import shared_embedder
from tools.catalog import CATALOG
from tools.ranking import Ranking, stems

SHOWN = 6
"""As many are described whole to a model that searches."""


@pytest.fixture(scope="module")
def ranking() -> Ranking:
    return Ranking(shared_embedder())


@pytest.mark.parametrize(
    ("wish", "tool"),
    [
        ("make a new class", "create_class"),
        ("revoke a key", "revoke_api_key"),
        ("add a web page by its address", "add_web_page"),
        ("write down a note", "create_note"),
        ("undo the last card review", "undo_review"),
        ("run an SQL query", "data_query"),
        ("make a cheat sheet", "generate_document"),
        ("delete a book", "delete_material"),
        ("restore something deleted", "restore_item"),
        ("export cards to Anki", "export_deck"),
        ("read a file again after a failed import", "reprocess_material"),
        ("what did we talk about yesterday", "list_conversations"),
        ("look at raw vectors", "chroma_get_documents"),
        ("save homework with a due date", "create_assignment"),
        ("my answer was graded wrong", "appeal_grade"),
        ("stop a running job", "cancel_job"),
        ("download my data", "export_my_data"),
        ("change my time zone", "update_profile"),
    ],
)
def test_a_wish_finds_its_tool(ranking: Ranking, wish: str, tool: str) -> None:
    found = [spec.name for spec in ranking.order(list(CATALOG.values()), wish)]
    assert tool in found[:SHOWN]


def test_without_a_wish_the_tools_come_as_they_are(ranking: Ranking) -> None:
    specs = list(CATALOG.values())[:5]
    assert ranking.order(specs, " ") == specs
    assert ranking.order([], "anything") == []


def test_endings_do_not_matter() -> None:
    assert stems("Revoking the keys") == stems("revoke a key")
