"""Items by address: listed, read and refused over each transport and in both eras."""

import asyncio
import base64
import json
from uuid import UUID

import pytest
from mcp import Client
from mcp.shared.exceptions import MCPError
from mcp_types import BlobResourceContents, TextResourceContents

from mcp_server import menu, results
from mcp_server.parts import address_of_answer
from storage.resources import Storage
from tests.data import mupdf
from tests.mcp_server.conftest import Door
from tests.study.quizzes import make_test
from tests.work import call, run_job
from tools.catalog import CATALOG
from tools.context import Principal
from tools.executor import Executor

PNG = b"\x89PNG\r\n\x1a\n"


@pytest.fixture
def executor(storage: Storage) -> Executor:
    return Executor(CATALOG, storage)


async def add(executor: Executor, student: Principal) -> tuple[str, str]:
    """A class and a text in it, not yet read in."""
    made = await call(executor, student, "create_class", name="Physics")
    text = "A wave carries energy and no matter."
    added = await call(executor, student, "add_text", class_id="Physics", title="Waves", text=text)
    return made["id"], added["material_id"]


async def read(client: Client, uri: str) -> str:
    (contents,) = (await client.read_resource(uri)).contents
    assert isinstance(contents, TextResourceContents)
    assert contents.uri == uri
    return contents.text


async def pages(storage: Storage, student: Principal, material_id: str, *texts: str) -> None:
    row = {"user_id": student.user_id, "material_id": UUID(material_id), "kind": "page"}
    rows = [
        {**row, "id": storage.clock.new_id(), "ordinal": n, "number": n + 1, "text": text}
        for n, text in enumerate(texts)
    ]
    async with storage.as_user(student.user_id) as db:
        await db.materials.add_segments(rows)
        await db.materials.set(UUID(material_id), page_count=len(rows), segment_kind="page")


async def test_the_list_shows_what_is_due_then_classes_then_the_newest_of_the_rest(
    door: Door, executor: Executor, student: Principal
) -> None:
    class_id, material_id = await add(executor, student)
    note = await call(executor, student, "create_note", title="On waves", text="They interfere.")
    async with door.enter(student) as client:
        listed = await client.list_resources()
        templates = (await client.list_resource_templates()).resource_templates
        materials = json.loads(await read(client, f"lyceum://classes/{class_id}"))["items"]
        by_name = json.loads(await read(client, "lyceum://classes/Physics"))["items"]
        material = json.loads(await read(client, f"lyceum://materials/{material_id}"))
    items = [one for one in listed.resources if one.uri.startswith("lyceum://")]
    assert [(one.uri, one.title) for one in items] == [
        ("lyceum://assignments", "What is due"),
        (f"lyceum://classes/{class_id}", "Physics"),
        (f"lyceum://materials/{material_id}", "Waves"),
        (f"lyceum://notes/{note['id']}", "On waves"),
    ]
    assert all(one.annotations and one.annotations.last_modified for one in items[1:])
    assert listed.next_cursor is None
    assert [item["id"] for item in materials] == [material_id]
    assert by_name == materials
    assert material["title"] == "Waves"
    assert "error" not in material
    assert [one.name for one in templates][:5] == ["class", "material", "material text", "page", "page image"]
    assert all(one.description and one.mime_type for one in templates)


async def test_a_long_list_goes_on_by_its_cursor_in_every_kind_at_once(
    door: Door, executor: Executor, student: Principal, monkeypatch: pytest.MonkeyPatch
) -> None:
    short = tuple(menu.Section(**{**vars(one), "count": 2}) for one in menu.SECTIONS)
    monkeypatch.setattr(menu, "SECTIONS", short)
    for number in range(5):
        await call(executor, student, "create_class", name=f"Class {number}")
        await call(executor, student, "create_note", title=f"Note {number}")
    found: list[str] = []
    async with door.enter(student) as client:
        page = await client.list_resources()
        while True:
            found += [one.name for one in page.resources if "/notes/" in one.uri or "/classes/" in one.uri]
            if page.next_cursor is None:
                break
            page = await client.list_resources(cursor=page.next_cursor)
        for cursor in ("nowhere", "W10", base64.urlsafe_b64encode(b'{"classes": 1}').decode()):
            with pytest.raises(MCPError, match="Unknown cursor") as caught:
                await client.list_resources(cursor=cursor)
            assert caught.value.error.code == -32602
    newest = [f"{kind} {number}" for kind in ("Class", "Note") for number in (4, 3)]
    assert found[:4] == newest
    assert sorted(found) == sorted(f"{kind} {n}" for kind in ("Class", "Note") for n in range(5))


async def test_a_page_is_its_text_and_the_text_of_all_pages_goes_on(
    door: Door, storage: Storage, executor: Executor, student: Principal
) -> None:
    _, material_id = await add(executor, student)
    await pages(storage, student, material_id, "Page one.", "Page two." + " x" * 9000, "Page three.")
    async with door.enter(student) as client:
        assert await read(client, f"lyceum://materials/{material_id}/pages/1") == "Page one."
        assert await read(client, "lyceum://materials/Waves/pages/3") == "Page three."
        whole = await read(client, "lyceum://materials/Waves/text")
        rest = await read(client, "lyceum://materials/Waves/text?first=3")
    assert whole.startswith("[page 1]\nPage one.\n\n[page 2]\nPage two.")
    assert rest == "[page 3]\nPage three."


@pytest.fixture(scope="module")
async def sheet(storage: Storage, new_user: Principal) -> str:
    """A PDF of one page that was read in: its id."""
    executor = Executor(CATALOG, storage)
    await call(executor, new_user, "create_class", name="Physics")
    document = mupdf.open()
    document.new_page(width=300, height=400).insert_text((40, 60), "Energy is conserved.")
    packed = base64.b64encode(document.tobytes()).decode()
    file = {"class_id": "Physics", "filename": "Sheet.pdf", "content_base64": packed}
    taken = await call(executor, new_user, "upload_material", **file)
    await run_job(storage, new_user, UUID(taken["job_id"]))
    return str(taken["material_id"])


async def test_a_page_of_a_pdf_is_also_a_picture(door: Door, new_user: Principal, sheet: str) -> None:
    address = f"lyceum://materials/{sheet}/pages/1/image"
    async with door.enter(new_user) as client:
        (wide,) = (await client.read_resource(address)).contents
        (narrow,) = (await client.read_resource(f"{address}?width=100")).contents
        with pytest.raises(MCPError, match="There is no page 7") as caught:
            await client.read_resource(address.replace("/1/", "/7/"))
    assert isinstance(wide, BlobResourceContents)
    assert isinstance(narrow, BlobResourceContents)
    assert wide.mime_type == "image/png"
    pictures = [base64.b64decode(one.blob) for one in (wide, narrow)]
    assert all(one.startswith(PNG) for one in pictures)
    assert [int.from_bytes(one[16:20], "big") for one in pictures] == [1200, 100]
    assert caught.value.error.code == -32602
    assert caught.value.error.data["code"] == "no_such_page"


async def test_notes_are_markdown_with_their_sources_and_long_ones_go_on(
    door: Door, executor: Executor, student: Principal
) -> None:
    await call(executor, student, "create_note", title="AC/DC: 50 % & more", text="Short.")
    long = await call(executor, student, "create_note", title="Long", text="word " * 14_000)
    async with door.enter(student) as client:
        short = await read(client, "lyceum://notes/AC%2FDC%3A%2050%20%25%20%26%20more")
        first = await read(client, f"lyceum://notes/{long['id']}")
        address = first.rsplit("[Goes on: ", 1)[1].removesuffix("]")
        rest = await read(client, address)
    assert short == "# AC/DC: 50 % & more\n\nShort."
    assert address == f"lyceum://notes/{long['id']}?offset=60000"
    assert rest.count("word") + first.count("word") == 14_000


async def test_a_test_hides_its_answers_and_a_deck_shows_its_cards(
    door: Door, executor: Executor, student: Principal, storage: Storage
) -> None:
    card = {"front": "What is a wave?", "back": "A moving disturbance"}
    await call(executor, student, "create_flashcard", deck_id="Waves", **card)
    await make_test(storage, student, "Cells")
    async with door.enter(student) as client:
        deck = await read(client, "lyceum://decks/Waves")
        test = json.loads(await read(client, "lyceum://tests/Cells"))
    assert "A moving disturbance" in deck
    assert test["questions"][0]["text"] == "Where is ATP made?"
    hidden = {"answer", "answer_text", "explanation", "evidence"}
    assert all(not hidden & one.keys() for one in test["questions"])


async def test_what_is_not_there_says_which_tool_shows_what_is(door: Door, student: Principal) -> None:
    async with door.enter(student) as client:
        with pytest.raises(MCPError, match="chroma_list_collections lists them") as caught:
            await client.read_resource("lyceum://collections/none_texts")
        with pytest.raises(MCPError, match="list_conversations shows what there is"):
            await client.read_resource("lyceum://conversations/None")
        with pytest.raises(MCPError, match=r"^No job"):
            await client.read_resource("lyceum://jobs/x")
        due = json.loads(await read(client, "lyceum://assignments"))
    assert caught.value.error.data == {
        "code": "collection_not_found",
        "uri": "lyceum://collections/none_texts",
    }
    assert due["items"] == []


async def test_an_address_that_leads_nowhere_is_invalid_parameters(door: Door, student: Principal) -> None:
    nowhere = (
        "lyceum://materials/01a1fe09-5e2b-7692-8223-4a41674b959b",
        "lyceum://materials/..%2F..%2Fetc%2Fpasswd",
        "lyceum://materials/Waves/pages/none",
        "lyceum://nothing/1",
        "lyceum://answers/list_classes/!/1",
        "lyceum://answers/no_such_tool/e30/1",
        "ui://lyceum/nothing.html",
        "file:///etc/passwd",
    )
    async with door.enter(student) as client:
        for uri in nowhere:
            with pytest.raises(MCPError) as caught:
                await client.read_resource(uri)
            assert caught.value.error.code == -32602
            assert caught.value.error.data["uri"] == uri


async def test_the_address_of_another_users_item_leads_nowhere(
    door: Door, executor: Executor, student: Principal, stranger: Principal
) -> None:
    class_id, material_id = await add(executor, student)
    addresses = (
        f"lyceum://classes/{class_id}",
        f"lyceum://materials/{material_id}/pages/1",
        f"lyceum://materials/{material_id}/pages/1/image",
    )
    async with door.enter(stranger) as client:
        for uri in addresses:
            with pytest.raises(MCPError, match=r"^No (class|material) called"):
                await client.read_resource(uri)


async def test_a_key_without_the_scope_lists_no_resources_and_reads_none(
    door: Door, executor: Executor, student: Principal
) -> None:
    class_id, _ = await add(executor, student)
    async with door.enter(student, "account:read") as client:
        listed = (await client.list_resources()).resources
        assert [one for one in listed if one.uri.startswith("lyceum://")] == []
        assert (await client.list_resource_templates()).resource_templates == []
        with pytest.raises(MCPError, match="'materials:read'"):
            await client.read_resource(f"lyceum://classes/{class_id}")


async def test_an_answer_that_was_cut_is_read_in_parts_by_the_address_that_it_names(
    door: Door, executor: Executor, student: Principal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(results, "TEXT_BUDGET", 3000)
    monkeypatch.setattr(results, "DATA_BUDGET", 6000)
    monkeypatch.setattr("mcp_server.parts.PART", 5000)
    await asyncio.gather(
        *(
            call(executor, student, "create_class", name=f"Class {n}", description="x" * 200)
            for n in range(30)
        )
    )
    async with door.enter(student) as client:
        result = await client.call_tool("list_classes", {"limit": 50})
        address = result.content[1].uri  # type: ignore[union-attr]
        first = await read(client, address)
        parts, line = [first], first.rsplit("\n", 1)[1]
        while line.startswith("[Goes on: "):
            parts.append(await read(client, line.removeprefix("[Goes on: ").removesuffix("]")))
            line = parts[-1].rsplit("\n", 1)[1]
    assert address == address_of_answer("list_classes", {"limit": 50})
    data = result.structured_content
    assert data is not None
    assert len(data["items"]) < 30
    assert "of 30 items" in data["_notice"]
    joined = "\n".join(part.rsplit("\n[Goes on", 1)[0] for part in parts)
    assert len(json.loads(joined)["items"]) == 30


async def test_only_reading_tools_are_called_by_address(door: Door, student: Principal) -> None:
    address = address_of_answer("create_class", {"name": "Sneaked in"})
    async with door.enter(student) as client:
        with pytest.raises(MCPError, match="Only answers of reading tools"):
            await client.read_resource(address)
        listed = await client.call_tool("list_classes")
    assert listed.structured_content is not None
    assert listed.structured_content["items"] == []
