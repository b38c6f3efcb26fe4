"""Pictures of figures over HTTP: whole, cached by the browser, and nobody else's."""

from typing import Any
from uuid import UUID

from storage.files import file_key
from storage.resources import Storage
from tests.assistant.conftest import Person
from tools.intake import once

PICTURE = bytes(range(256)) * 40


async def with_figure(storage: Storage, person: Person) -> str:
    """The address of a figure in a material of a person; the text of the material is not read yet."""
    class_id = (await person.tool("create_class", name="Optics")).json()["id"]
    text = {"class_id": class_id, "title": "Lenses", "text": "A lens bends light."}
    material_id = (await person.tool("add_text", **text)).json()["material_id"]
    user_id, file_id = person.principal.user_id, storage.clock.new_id()
    key = file_key(user_id, file_id)
    stored = await storage.files.put(key, once(PICTURE), limit=len(PICTURE))
    file: dict[str, Any] = {"id": file_id, "user_id": user_id, "filename": "lens.jpg", "object_key": key}
    file |= {"media_type": "image/jpeg", "size_bytes": stored.size, "sha256": stored.sha256}
    figure: dict[str, Any] = {
        "id": storage.clock.new_id(),
        "user_id": user_id,
        "material_id": UUID(material_id),
    }
    figure |= {"ordinal": 3, "segment": 0, "kind": "photo", "file_id": file_id}
    async with storage.as_user(user_id) as db:
        await db.reading.replace_figures(UUID(material_id), [file], [figure])
    return f"/api/materials/{material_id}/figures/3"


async def test_a_figure_is_a_picture_that_the_browser_may_keep(storage: Storage, person: Person) -> None:
    address = await with_figure(storage, person)
    got = await person.http.get(address)
    assert (got.status_code, got.content) == (200, PICTURE)
    assert got.headers["content-type"] == "image/jpeg"
    assert got.headers["cache-control"] == "private, max-age=3600"
    assert "sandbox" in got.headers["content-security-policy"]
    again = await person.http.get(address, headers={"If-None-Match": got.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


async def test_a_figure_that_is_not_there_is_a_problem_with_a_code(storage: Storage, person: Person) -> None:
    address = await with_figure(storage, person)
    for wrong, code in (
        (address[:-1] + "4", "no_such_figure"),
        (address[:-1] + "99999999999", "no_such_figure"),
        ("/api/materials/Lenses/figures/3", "material_not_found"),
    ):
        got = await person.http.get(wrong)
        assert (got.status_code, got.json()["code"]) == (404, code)


async def test_somebody_elses_figure_is_not_there(storage: Storage, person: Person, other: Person) -> None:
    address = await with_figure(storage, person)
    assert (await other.http.get(address)).status_code == 404
    del other.http.headers["Authorization"]
    assert (await other.http.get(address)).status_code == 401
