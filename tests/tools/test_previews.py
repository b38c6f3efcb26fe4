"""What a person reads and types before something is destroyed."""

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.errors import Conflict, InvalidInput, NotFound
from storage.models import Base
from storage.repositories.contents import WORDS
from storage.resources import Storage
from tests.work import add_text, call
from tools.accounts import Accounts
from tools.catalog import CATALOG
from tools.context import Principal
from tools.executor import Executor
from tools.previews import LONGEST_TYPED, PREVIEWS, is_named, one_line, preview
from tools.spec import Effect


def test_every_tool_that_destroys_has_a_preview() -> None:
    assert PREVIEWS.keys() == {spec.name for spec in CATALOG.values() if spec.effect is Effect.DESTROY}


def test_everything_counted_is_a_table_with_words() -> None:
    assert WORDS.keys() <= Base.metadata.tables.keys()


async def furnish(executor: Executor, who: Principal) -> dict[str, str]:
    """One of everything that can be deleted; the ids by tool."""
    material = await add_text(executor, who, "Biology", "Cells", "# Cells\n\nA cell has a membrane.\n")
    note = await call(executor, who, "create_note", title="My note", class_id="Biology")
    card = await call(
        executor,
        who,
        "create_flashcard",
        deck_id="Organelles",
        class_id="Biology",
        front="What surrounds\na cell?",
        back="A membrane.",
    )
    assignment = await call(
        executor, who, "create_assignment", title="Essay", class_id="Biology", due_at="2030-01-01T12:00:00Z"
    )
    classes = await call(executor, who, "list_classes")
    return {
        "delete_class": classes["items"][0]["id"],
        "delete_material": material,
        "delete_note": note["id"],
        "delete_flashcard": card["items"][0]["id"],
        "delete_deck": card["deck_id"],
        "delete_assignment": assignment["id"],
    }


async def test_each_preview_names_the_thing_and_what_hangs_on_it(
    executor: Executor, student: Principal
) -> None:
    ids = await furnish(executor, student)
    asked = {
        "delete_class": ("class_id", "biology"),
        "delete_material": ("material_id", "Cells"),
        "delete_note": ("note_id", "My note"),
        "delete_flashcard": ("card_id", ids["delete_flashcard"]),
        "delete_deck": ("deck_id", "organelles"),
        "delete_assignment": ("assignment_id", "Essay"),
    }
    back = "It can be brought back within 30 days."
    expected = {
        "delete_class": (
            "This deletes the class “Biology” with 1 material and 1 assignment. "
            f"What was made from it or kept in it stays: 1 note and 1 deck. {back}"
        ),
        "delete_material": f"This deletes the material “Cells”. {back}",
        "delete_note": f"This deletes the note “My note”. {back}",
        "delete_flashcard": f"This deletes the card “What surrounds a cell?”. {back}",
        "delete_deck": f"This deletes the deck “Organelles” with 1 card. {back}",
        "delete_assignment": f"This deletes the assignment “Essay”. It is one of the class Biology. {back}",
    }
    for tool, (argument, wanted) in asked.items():
        seen = await preview(executor, tool, {argument: wanted}, student)
        assert seen.sentence == expected[tool]
        assert seen.item_id == UUID(ids[tool])
        assert seen.arguments == {argument: ids[tool]}
        deleted = await call(executor, student, tool, **seen.arguments)
        await call(executor, student, "restore_item", item_id=deleted["id"])


async def test_a_key_and_the_account_are_shown_as_gone_for_good(
    executor: Executor, storage: Storage, student: Principal
) -> None:
    key, _ = await Accounts(storage).create_key(student.user_id, "Laptop")
    await furnish(executor, student)
    ended = await preview(executor, "revoke_api_key", {"key_id": "Laptop"}, student)
    assert ended.sentence.startswith("This ends the API key “Laptop” (lyc_")
    assert ended.command == f"lyceum key revoke {key.id}"
    email = f"{student.user_id}@example.org"
    with pytest.raises(InvalidInput):
        await preview(executor, "delete_my_account", {"email": "other@example.org"}, student)
    whole = await preview(executor, "delete_my_account", {"email": email.upper()}, student)
    assert whole.typed == email
    assert (
        "with 1 class, 1 material, 1 note, 1 deck, 1 card and 1 assignment and everything" in whole.sentence
    )


async def test_a_preview_sees_nothing_of_others_and_needs_the_scope(
    executor: Executor, student: Principal, stranger: Principal
) -> None:
    ids = await furnish(executor, student)
    with pytest.raises(NotFound):
        await preview(executor, "delete_class", {"class_id": ids["delete_class"]}, stranger)
    await call(executor, student, "create_class", name="Biology II")
    await call(executor, student, "create_class", name="Biology III")
    with pytest.raises(Conflict):
        await preview(executor, "delete_class", {"class_id": "Biology I"}, student)


@given(st.text())
def test_what_is_to_be_typed_can_be_typed(name: str) -> None:
    line = one_line(name)
    assert len(line) <= LONGEST_TYPED
    assert line.isprintable()
    assert one_line(line) == line
    assert is_named(line, f" {line}\n")
    assert line == "" or not is_named(line, "")
