"""Who hears of what: job ends and changes of other processes, over each transport and in both eras."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any
from uuid import UUID

import pytest
from mcp import Client
from mcp.client.streamable_http import streamable_http_client
from mcp.shared._httpx_utils import create_mcp_http_client
from mcp.shared.exceptions import MCPError
from mcp.shared.subscriptions import ResourceUpdated
from mcp_types import ResourceListChangedNotification, ResourceUpdatedNotification

from mcp_server import updates
from mcp_server.server import build_server
from storage.local.instance import InstanceInfo
from storage.models import Job
from storage.redis.changes import Change, Changes
from storage.redis.client import Breaker, connect
from storage.repositories.audit import Change as RowChange
from storage.resources import Storage, open_storage
from tests.conftest import settings_for
from tests.mcp_server.conftest import LEGACY, Door, make_key
from tests.work import call, run_job
from tools.announcing import of_job, of_rows
from tools.catalog import CATALOG
from tools.context import Principal
from tools.executor import Executor

pytestmark = pytest.mark.filterwarnings("ignore:resources/:mcp.shared.exceptions.MCPDeprecationWarning")

SECONDS = 20
LIST = "list"


@pytest.fixture(scope="module")
async def elsewhere(instance: InstanceInfo) -> AsyncGenerator[Executor]:
    """Another process, as far as Redis can tell: stores and connections of its own."""
    storage = open_storage(settings_for(instance))
    yield Executor(CATALOG, storage)
    await storage.close()


class Heard:
    """What a client was told, in order."""

    def __init__(self) -> None:
        self.events: asyncio.Queue[str] = asyncio.Queue()

    async def next(self) -> str:
        return await asyncio.wait_for(self.events.get(), SECONDS)

    async def until(self, wanted: str) -> list[str]:
        seen = [await self.next()]
        while seen[-1] != wanted:
            seen.append(await self.next())
        return seen

    async def message(self, message: Any) -> None:
        if isinstance(message, ResourceUpdatedNotification):
            self.events.put_nowait(str(message.params.uri))
        if isinstance(message, ResourceListChangedNotification):
            self.events.put_nowait(LIST)


@asynccontextmanager
async def connected(door: Door, caller: Principal, heard: Heard) -> AsyncIterator[Client]:
    """As `Door.enter`, with an ear for notifications."""
    async with AsyncExitStack() as stack:
        if door.transport == "http":
            token = await make_key(door.storage, caller)
            headers = {"Authorization": f"Bearer {token}"}
            http = await stack.enter_async_context(create_mcp_http_client(headers=headers))
            target: Any = streamable_http_client(f"{door.base_url}/mcp", http_client=http)
        else:
            target = build_server(Executor(CATALOG, door.storage), lambda _: caller)
        # In the newer era the stream tells it; the handler would hear everything a second time.
        ear = heard.message if door.mode == LEGACY else None
        yield await stack.enter_async_context(Client(target, mode=door.mode, message_handler=ear))


@asynccontextmanager
async def watching(door: Door, caller: Principal, *uris: str) -> AsyncIterator[tuple[Client, Heard]]:
    """A client that hears of these addresses and of the list."""
    heard = Heard()
    async with connected(door, caller, heard) as client:
        if door.mode == LEGACY:
            await client.list_resources()
            for uri in uris:
                await client.subscribe_resource(uri)
            yield client, heard
            return
        async with client.listen(resources_list_changed=True, resource_subscriptions=uris) as stream:

            async def follow() -> None:
                async for event in stream:
                    heard.events.put_nowait(event.uri if isinstance(event, ResourceUpdated) else LIST)

            following = asyncio.create_task(follow())
            yield client, heard
            following.cancel()


async def test_the_end_of_a_job_in_another_process_is_told_to_who_watches_what_it_was_about(
    door: Door, elsewhere: Executor, student: Principal
) -> None:
    made = await call(elsewhere, student, "create_class", name="Physics")
    text = {"class_id": "Physics", "title": "Waves", "text": "A wave carries energy and no matter."}
    added = await call(elsewhere, student, "add_text", **text)
    addresses = [
        "lyceum://materials/Waves",
        f"lyceum://materials/{added['material_id']}/text",
        f"lyceum://jobs/{added['job_id']}",
        f"lyceum://classes/{made['id']}",
    ]
    async with watching(door, student, *addresses) as (client, heard):
        await run_job(elsewhere.storage, student, UUID(added["job_id"]))
        told = {await heard.next() for _ in addresses}
        (contents,) = (await client.read_resource(addresses[0])).contents
        assert '"status":"ready"' in contents.text  # type: ignore[union-attr]
        infos = (await client.call_tool("chroma_list_collections")).structured_content
        assert infos is not None
        name = infos["items"][0]["name"]
        (info,) = (await client.read_resource(f"lyceum://collections/{name}")).contents
        (entries,) = (await client.read_resource(f"lyceum://collections/{name}/documents")).contents
    assert told == set(addresses)
    assert '"count":1' in info.text  # type: ignore[union-attr]
    assert "carries energy" in entries.text  # type: ignore[union-attr]


async def test_a_class_and_a_note_that_appear_or_change_are_told_and_those_of_others_are_not(
    door: Door, elsewhere: Executor, student: Principal, stranger: Principal
) -> None:
    note = await call(elsewhere, student, "create_note", title="Ideas", text="One.")
    address = f"lyceum://notes/{note['id']}"
    async with watching(door, student, "lyceum://notes/Ideas", address) as (client, heard):
        await call(elsewhere, stranger, "create_class", name="Private")
        await call(elsewhere, student, "update_note", note_id="Ideas", append="Two.")
        changed = {await heard.next(), await heard.next()}
        await call(elsewhere, student, "create_class", name="Physics")
        assert await heard.next() == LIST
        if door.mode == LEGACY:
            await client.unsubscribe_resource(address)
            await call(elsewhere, student, "update_note", note_id="Ideas", append="Three.")
            await call(elsewhere, student, "create_class", name="Chemistry")
            assert await heard.until(LIST) == ["lyceum://notes/Ideas", LIST]
    assert changed == {"lyceum://notes/Ideas", address}


async def test_what_cannot_be_read_cannot_be_watched(
    door: Door, elsewhere: Executor, student: Principal, stranger: Principal
) -> None:
    note = await call(elsewhere, student, "create_note", title="Ideas", text="One.")
    forbidden = (
        f"lyceum://notes/{note['id']}",
        "lyceum://notes/Ideas",
        "lyceum://assignments",
        "file:///etc",
    )
    async with connected(door, stranger, Heard()) as client:
        if door.mode == LEGACY:
            for uri in forbidden:
                with pytest.raises(MCPError) as caught:
                    await client.subscribe_resource(uri)
                assert caught.value.error.code == -32602
                assert caught.value.error.data["uri"] == uri
            return
        async with client.listen(resource_subscriptions=forbidden) as stream:
            assert stream.honored.resource_subscriptions is None


async def test_a_client_has_only_so_many_streams_and_a_stream_only_so_many_addresses(
    door: Door, elsewhere: Executor, student: Principal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(updates, "MOST_STREAMS", 1)
    monkeypatch.setattr(updates, "MOST_ADDRESSES", 2)
    for title in "abc":
        await call(elsewhere, student, "create_note", title=title, text="x")
    async with connected(door, student, Heard()) as client:
        if door.mode == LEGACY:
            await client.subscribe_resource("lyceum://notes/a")
            await client.subscribe_resource("lyceum://notes/b")
            with pytest.raises(MCPError, match=r"can watch 2 addresses\. Unsubscribe"):
                await client.subscribe_resource("lyceum://notes/c")
            return
        with pytest.raises(MCPError, match="can watch 2 addresses"):
            async with client.listen(resource_subscriptions=["a:1", "a:2", "a:3"]):
                pass
        async with client.listen(resources_list_changed=True):
            with pytest.raises(MCPError, match="1 open streams already"):
                async with client.listen(resources_list_changed=True):
                    pass


async def test_who_was_cut_off_from_redis_is_told_once_that_anything_may_have_changed(
    door: Door, elsewhere: Executor, student: Principal
) -> None:
    await call(elsewhere, student, "create_note", title="Ideas", text="One.")
    async with watching(door, student, "lyceum://notes/Ideas") as (_, heard):
        await elsewhere.storage.redis.client_kill_filter(_type="pubsub")
        assert await heard.until(LIST) == ["lyceum://notes/Ideas", LIST]
        await call(elsewhere, student, "update_note", note_id="Ideas", append="Two.")
        assert await heard.next() == "lyceum://notes/Ideas"


async def test_without_redis_nobody_waits_long_and_nothing_fails(
    storage: Storage, student: Principal
) -> None:
    lost = Changes(connect("redis://127.0.0.1:1/0"), Breaker())
    heard: list[Change | None] = []
    async with asyncio.timeout(5):
        forget = await lost.watch(heard.append)
        await lost.tell(Change(student.user_id, frozenset(), lists=True))
        forget()
        forget()
        await lost.close()
    assert heard == []


def test_rows_name_the_items_that_a_client_can_read(storage: Storage) -> None:
    new = storage.clock.new_id
    user, note, deck, home = new(), new(), new(), new()
    changed = of_rows(
        user,
        [
            RowChange("notes", str(note), {"text": "a"}, {"text": "b"}),
            RowChange("flashcards", str(new()), {}, {"deck_id": str(deck), "front": "x"}),
            RowChange("card_reviews", str(new()), {}, {"rating": 3}),
            RowChange("materials", str(deck), {}, {"class_id": str(home)}),
        ],
    )
    assert changed.items == {("note", note), ("deck", deck), ("material", deck), ("class", home)}
    assert changed.lists
    assert not of_rows(user, [RowChange("notes", str(note), {"text": "a"}, {"text": "b"})]).lists
    assert of_rows(user, [RowChange("notes", str(note), {"deleted_at": None}, {"deleted_at": "now"})]).lists


def test_a_job_names_what_it_was_about(storage: Storage) -> None:
    new = storage.clock.new_id
    job = Job(id=new(), user_id=new(), kind="generate_test", arguments={"test_id": str(new())}, result=None)
    assert of_job(job).items == {("job", job.id), ("test", UUID(job.arguments["test_id"]))}
    assert not of_job(job).lists
    assert of_job(Job(id=new(), user_id=new(), kind="import_deck", arguments={}, result={})).lists
