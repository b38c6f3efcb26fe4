"""What a client offers while somebody types: the caller's own names, within what was already chosen."""

from collections.abc import Mapping
from uuid import UUID

import pytest
from mcp import Client
from mcp.shared.exceptions import MCPError
from mcp_types import Completion, PromptReference, ResourceTemplateReference

from mcp_server import completions
from mcp_server.completions import COMPLETERS, fitting
from mcp_server.prompting import PROMPTS
from mcp_server.views import VIEWS
from storage.resources import Storage
from tests.mcp_server.conftest import Door
from tests.work import call
from tools.catalog import CATALOG
from tools.context import Principal
from tools.executor import Executor

MATERIAL = "lyceum://materials/{material_id}"
PAGE = "lyceum://materials/{material_id}/pages/{number}"
UNCOMPLETED = {"query", "expected_phrase", "offset", "cursor"}
"""What only the person, or the page before, knows."""


@pytest.fixture(scope="module")
async def owner(storage: Storage, new_user: Principal) -> Principal:
    """Two classes with three materials, and a note."""
    executor = Executor(CATALOG, storage)
    for name, titles in (
        ("Calculus I", ["Integrals", "Limits of sequences"]),
        ("Physics", ["Waves & light"]),
    ):
        await call(executor, new_user, "create_class", name=name)
        for title in titles:
            added = await call(
                executor, new_user, "add_text", class_id=name, title=title, text=f"About {title}."
            )
            async with storage.as_user(new_user.user_id) as db:
                await db.materials.set(UUID(added["material_id"]), page_count=120, segment_kind="page")
    await call(executor, new_user, "create_note", title="On integrals", text="x", class_id="Calculus I")
    return new_user


async def complete(
    client: Client, uri: str, name: str, value: str, given: Mapping[str, str] | None = None
) -> Completion:
    ref = ResourceTemplateReference(uri=uri)
    answer = await client.complete(ref, {"name": name, "value": value}, dict(given) if given else None)
    return answer.completion


async def test_names_are_found_by_any_word_those_that_begin_with_it_first_and_typos_forgiven(
    door: Door, owner: Principal
) -> None:
    async with door.enter(owner) as client:
        everything = await complete(client, MATERIAL, "material_id", "")
        word = await complete(client, MATERIAL, "material_id", "seq lim")
        begun = await complete(client, MATERIAL, "material_id", "l")
        typo = await complete(client, MATERIAL, "material_id", "Intergals")
        none = await complete(client, MATERIAL, "material_id", "zebra crossing")
        wild = await complete(client, MATERIAL, "material_id", "%")
        classes = await complete(client, "lyceum://classes/{class_id}", "class_id", "calc")
    assert everything.values == ["Waves & light", "Limits of sequences", "Integrals"]
    assert (everything.total, everything.has_more) == (3, False)
    assert word.values == ["Limits of sequences"]
    assert begun.values == ["Limits of sequences", "Waves & light", "Integrals"]
    assert typo.values == ["Integrals"]
    assert (none.values, none.total) == ([], 0)
    assert wild.values == []
    assert classes.values == ["Calculus I"]


async def test_what_was_chosen_before_narrows_what_follows(door: Door, owner: Principal) -> None:
    quiz = PromptReference(name="quiz-me")
    async with door.enter(owner) as client:
        pages = await complete(client, PAGE, "number", "11", {"material_id": "Integrals"})
        unchosen = await complete(client, PAGE, "number", "1")
        gone = await complete(client, PAGE, "number", "1", {"material_id": "Nothing"})
        inside = await client.complete(quiz, {"name": "material", "value": ""}, {"class": "Physics"})
        nowhere = await client.complete(quiz, {"name": "material", "value": ""}, {"class": "Nowhere"})
        count = await client.complete(quiz, {"name": "count", "value": "1"})
    assert pages.values == ["11", *map(str, range(110, 120))]
    assert unchosen.values == gone.values == []
    assert inside.completion.values == ["Waves & light"]
    assert nowhere.completion.values == []
    assert count.completion.values == ["10", "15"]


async def test_a_stranger_and_a_key_without_the_scope_are_offered_nothing(
    door: Door, owner: Principal, stranger: Principal
) -> None:
    async with door.enter(stranger) as client:
        assert (await complete(client, MATERIAL, "material_id", "")).values == []
        assert (await complete(client, PAGE, "number", "", {"material_id": "Integrals"})).values == []
    async with door.enter(owner, "notes:read") as client:
        assert (await complete(client, MATERIAL, "material_id", "")).values == []
        assert (await complete(client, "lyceum://notes/{note_id}{?offset}", "note_id", "")).values == [
            "On integrals"
        ]


async def test_no_more_than_a_hundred_values_come_and_the_rest_is_counted(
    door: Door, owner: Principal, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with door.enter(owner) as client:
        pages = await complete(client, PAGE, "number", "", {"material_id": "Integrals"})
        monkeypatch.setattr(completions, "MOST", 2)
        names = await complete(client, MATERIAL, "material_id", "")
    assert (len(pages.values), pages.total, pages.has_more) == (100, 120, True)
    assert (len(names.values), names.total, names.has_more) == (2, 3, True)


async def test_an_unknown_reference_or_argument_is_invalid(door: Door, student: Principal) -> None:
    async with door.enter(student) as client:
        for uri, name in (("lyceum://nothing/{id}", "id"), (MATERIAL, "number")):
            with pytest.raises(MCPError) as caught:
                await complete(client, uri, name, "")
            assert caught.value.error.code == -32602
        with pytest.raises(MCPError, match="Unknown prompt"):
            await client.complete(PromptReference(name="none"), {"name": "topic", "value": ""})


def test_every_variable_and_argument_is_completed_or_known_not_to_be() -> None:
    names = {name for view in VIEWS for name in view.parsed.variable_names}
    names |= {argument.name for prompt in PROMPTS.values() for argument in prompt.arguments}
    assert names == COMPLETERS.keys() | UNCOMPLETED


def test_values_that_begin_with_what_was_typed_come_first() -> None:
    assert fitting(["Rate of decay", "Decay", "Decay", "Half-life"], "dec") == (["Decay", "Rate of decay"], 2)
