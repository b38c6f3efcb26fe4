"""Items are found by id, by name, or by a part of it; a slip of the keyboard is answered with what was meant."""

import pytest

from storage.errors import Conflict, NotFound
from tests.work import call
from tools.context import Principal
from tools.executor import Executor


async def test_a_mistyped_name_is_answered_with_the_one_that_was_meant(
    executor: Executor, student: Principal, stranger: Principal
) -> None:
    await call(executor, student, "create_class", name="Thermodynamics")
    await call(executor, student, "add_text", class_id="thermo", title="Carnot cycle", text="Heat flows.")
    with pytest.raises(NotFound, match="Did you mean 'Thermodynamics'") as missing:
        await call(executor, student, "list_materials", class_id="Termodinamics")
    assert missing.value.code == "class_not_found"
    with pytest.raises(NotFound, match="Did you mean 'Carnot cycle'"):
        await call(executor, student, "get_material", material_id="Carnott cycel")
    with pytest.raises(NotFound) as foreign:
        await call(executor, stranger, "get_material", material_id="Carnott cycel")
    assert "Carnot cycle" not in str(foreign.value)


async def test_a_part_of_two_names_lists_both(executor: Executor, student: Principal) -> None:
    for name in ("Linear algebra I", "Linear algebra II"):
        await call(executor, student, "create_class", name=name)
    with pytest.raises(Conflict, match=r"Linear algebra II' \(id .*Linear algebra I'"):
        await call(executor, student, "update_class", class_id="linear", color="#aa0000")


async def test_a_material_may_be_called_by_its_title_and_kind(executor: Executor, student: Principal) -> None:
    await call(executor, student, "create_class", name="History")
    added = await call(
        executor, student, "add_text", class_id="History", title="jfk", text="Ask not.", kind="recording"
    )
    for name in ("the jfk recording", "JFK recording", "the recording"):
        found = await call(executor, student, "get_material", material_id=name)
        assert found["id"] == added["material_id"]
    with pytest.raises(NotFound, match="'nixon'"):
        await call(executor, student, "get_material", material_id="the nixon recording")
