"""Items by address: listed, read and refused over each transport and in both eras."""

import json
from uuid import UUID

import pytest
from mcp import Client
from mcp.shared.exceptions import MCPError
from mcp_types import TextResourceContents
from pydantic import BaseModel

from storage.resources import Storage
from tests.mcp_server.conftest import Door
from tools.catalog import CATALOG
from tools.context import Principal
from tools.executor import Executor


async def add(storage: Storage, student: Principal) -> tuple[str, str]:
    """A class and a text in it, not yet read in."""
    executor = Executor(CATALOG, storage)
    made = await executor.call("create_class", {"name": "Physics"}, student)
    text = {"class_id": "Physics", "title": "Waves", "text": "A wave carries energy and no matter."}
    added = await executor.call("add_text", text, student)
    return str(field(made, "id")), str(field(added, "material_id"))


def field(output: BaseModel, name: str) -> object:
    return output.model_dump()[name]


async def read(client: Client, uri: str) -> str:
    (contents,) = (await client.read_resource(uri)).contents
    assert isinstance(contents, TextResourceContents)
    return contents.text


async def test_a_class_is_listed_and_leads_to_its_materials(
    door: Door, storage: Storage, student: Principal
) -> None:
    class_id, material_id = await add(storage, student)
    async with door.enter(student) as client:
        listed = (await client.list_resources()).resources
        templates = (await client.list_resource_templates()).resource_templates
        materials = json.loads(await read(client, f"lyceum://classes/{class_id}"))["items"]
        material = json.loads(await read(client, f"lyceum://materials/{material_id}"))
    assert [item["id"] for item in materials] == [material_id]
    assert material["title"] == "Waves"
    assert [(str(one.uri), one.name) for one in listed] == [(f"lyceum://classes/{class_id}", "Physics")]
    assert [one.name for one in templates] == ["class", "material", "page"]


async def test_a_page_is_its_text(door: Door, storage: Storage, student: Principal) -> None:
    _, material_id = await add(storage, student)
    row = {"user_id": student.user_id, "material_id": UUID(material_id), "kind": "page"}
    pages = [
        {**row, "id": storage.clock.new_id(), "ordinal": n, "number": n + 1, "text": f"Page {n + 1}."}
        for n in range(3)
    ]
    async with storage.as_user(student.user_id) as db:
        await db.materials.add_segments(pages)
    async with door.enter(student) as client:
        assert await read(client, f"lyceum://materials/{material_id}/pages/2") == "Page 2."
        assert await read(client, "lyceum://materials/Waves/pages/3") == "Page 3."


async def test_an_address_that_leads_nowhere_is_invalid_parameters(door: Door, student: Principal) -> None:
    nowhere = (
        "lyceum://materials/01a1fe09-5e2b-7692-8223-4a41674b959b",
        "lyceum://materials/..%2F..%2Fetc%2Fpasswd",
        "lyceum://materials/Waves/pages/none",
        "lyceum://nothing/1",
        "file:///etc/passwd",
    )
    async with door.enter(student) as client:
        for uri in nowhere:
            with pytest.raises(MCPError) as caught:
                await client.read_resource(uri)
            assert caught.value.error.code == -32602
            assert caught.value.error.data["uri"] == uri


async def test_the_address_of_another_users_item_leads_nowhere(
    door: Door, storage: Storage, student: Principal, stranger: Principal
) -> None:
    class_id, material_id = await add(storage, student)
    async with door.enter(stranger) as client:
        for uri in (f"lyceum://classes/{class_id}", f"lyceum://materials/{material_id}/pages/1"):
            with pytest.raises(MCPError, match=r"^No (class|material) called"):
                await client.read_resource(uri)


async def test_a_key_without_the_scope_lists_no_resources(door: Door, student: Principal) -> None:
    async with door.enter(student, "account:read") as client:
        assert (await client.list_resources()).resources == []
        assert (await client.list_resource_templates()).resource_templates == []
