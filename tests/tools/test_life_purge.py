"""What a student deleted 30 days ago, and what has expired, goes for good: rows, vectors and files."""

import asyncio
import signal
from collections import Counter
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import delete, func, select, text, update

from storage.errors import Conflict, NotFound
from storage.life.orphans import drop_orphans
from storage.life.purge import Purge
from storage.life.turns import TurnLost, take_turn
from storage.local.instance import InstanceInfo
from storage.models import ApiKey, Chunk, Class, Job, Note, ShareLink, UserSession
from storage.resources import Storage
from tests import traces
from tests.clocks import LaterClock
from tests.databases import empty_queue
from tests.tools.test_worker import worker_process
from tests.waiting import until
from tests.work import add_text, call
from tools.context import Principal
from tools.executor import Executor
from tools.intake import once, receive
from tools.life.upkeep import DAILY, DAY, Upkeep


async def go_on() -> None:
    """A purge that nobody stops."""


def later(storage: Storage, **span: float) -> Storage:
    """The same stores, at a later time."""
    return replace(storage, clock=LaterClock(timedelta(**span)))


async def purge(storage: Storage, who: Principal) -> Purge:
    done = Purge(storage, who.user_id, go_on)
    await done.run(storage.clock.now())
    return done


async def vector_ids(storage: Storage, who: Principal) -> set[str]:
    found: set[str] = set()
    async for head in storage.vectors.collections():
        if head.metadata.get("user_id") == str(who.user_id):
            found |= await storage.vectors.ids(head.name)
    return found


async def objects(storage: Storage, who: Principal) -> list[str]:
    return [key async for key in storage.files.keys(f"users/{who.user_id}/")]


async def test_a_material_deleted_30_days_ago_is_purged_with_its_chunks_vectors_and_file(
    storage: Storage, executor: Executor, student: Principal
) -> None:
    kept = await add_text(executor, student, "Purge", "Kept", "The kept sentence stays where it is.\n")
    gone = await add_text(executor, student, "Purge", "Gone", "The purged sentence has to go.\n")
    before = await vector_ids(storage, student)
    await call(executor, student, "delete_material", material_id=gone)
    done = await purge(later(storage, days=31), student)
    assert done.removed["materials"] == 1
    assert done.removed["chunks"] >= 1
    async with storage.as_user(student.user_id) as db:
        assert await db.materials.by_id(UUID(gone)) is None
        assert await db.materials.by_id(UUID(kept)) is not None
        assert await db.materials.chunk_ids(UUID(gone)) == []
    assert await vector_ids(storage, student) < before
    assert len(await objects(storage, student)) == 1


async def test_vectors_that_outlived_the_deletion_go_with_the_purge(
    storage: Storage, executor: Executor, student: Principal
) -> None:
    """The process was killed between the deletion's commit and the removal of the vectors."""
    material = await add_text(executor, student, "Purge", "Gone", "The purged sentence has to go.\n")
    async with storage.as_user(student.user_id) as db:
        await db.materials.set(UUID(material), deleted_at=storage.clock.now())
    assert await vector_ids(storage, student)
    await purge(later(storage, days=31), student)
    assert await vector_ids(storage, student) == set()


async def rested(storage: Storage) -> None:
    """As if the recurring tasks had never run."""
    async with storage.database.transaction(None) as session:
        await session.execute(
            text("UPDATE upkeep SET finished_at = NULL, lease_until = NULL, position = NULL, error = NULL")
        )


async def test_nothing_younger_than_30_days_is_purged_and_all_of_it_can_be_restored(
    storage: Storage, executor: Executor, student: Principal
) -> None:
    material = await add_text(executor, student, "Restored", "Text", "A sentence that comes back.\n")
    await call(executor, student, "delete_material", material_id=material)
    await call(executor, student, "delete_class", class_id="Restored")
    assert not (await purge(later(storage, days=29.9), student)).removed.total()
    listed = await call(executor, student, "list_deleted_items")
    assert [(item["kind"], item["title"]) for item in listed["items"]] == [
        ("class", "Restored"),
        ("material", "Text"),
    ]
    with pytest.raises(Conflict, match="Restore the class first"):
        await call(executor, student, "restore_item", item_id=material)
    await call(executor, student, "restore_item", item_id="Restored")
    await call(executor, student, "restore_item", item_id=material)
    (hit,) = (await call(executor, student, "search_materials", query="sentence comes back"))["hits"]
    assert hit["locator"]["material_id"] == material
    assert (await call(executor, student, "list_deleted_items"))["total"] == 0


async def test_after_30_days_nothing_can_be_restored_even_before_the_purge(
    storage: Storage, executor: Executor, student: Principal
) -> None:
    material = await add_text(executor, student, "Late", "Text", "A sentence.\n")
    await call(executor, student, "delete_material", material_id=material)
    late = Executor(executor.catalog, later(storage, days=30, minutes=1))
    for tool, name in (("restore_material", "material_id"), ("restore_item", "item_id")):
        with pytest.raises(NotFound):
            await call(late, student, tool, **{name: material})
    done = await purge(later(storage, days=30, minutes=1), student)
    assert not done.removed["materials"], "a restore may still run"


async def test_a_restored_name_that_is_taken_is_a_conflict(executor: Executor, student: Principal) -> None:
    await call(executor, student, "create_class", name="Twice")
    await call(executor, student, "delete_class", class_id="Twice")
    await call(executor, student, "create_class", name="Twice")
    with pytest.raises(Conflict, match="another class called 'Twice'"):
        await call(executor, student, "restore_item", item_id="Twice")


async def test_a_class_goes_with_its_collections_and_what_its_owner_kept_in_it(
    storage: Storage, executor: Executor, student: Principal
) -> None:
    await add_text(executor, student, "Whole", "Text", "A sentence in the class.\n")
    (row,) = (await call(executor, student, "list_classes"))["items"]
    me, new = student.user_id, storage.clock.new_id
    inside, outside = new(), new()
    async with storage.database.transaction(me) as session:
        session.add(Note(id=inside, user_id=me, class_id=UUID(row["id"]), title="In", text="In the class."))
        session.add(Note(id=outside, user_id=me, title="Out", text="In no class."))
    await call(executor, student, "delete_class", class_id="Whole")
    done = await purge(later(storage, days=32), student)
    assert done.removed["collections"] == done.removed["classes"] == done.removed["materials"] == 1
    assert await objects(storage, student) == []
    assert await vector_ids(storage, student) == set()
    async with storage.database.transaction(me) as session:
        assert list(await session.scalars(select(Note.id))) == [outside]
        assert await session.scalar(select(func.count()).select_from(Chunk)) == 0


async def test_what_has_expired_goes_and_the_rest_stays(
    storage: Storage, instance: InstanceInfo, student: Principal
) -> None:
    me, now, new = student.user_id, storage.clock.now(), storage.clock.new_id
    note, ago, ahead = new(), now - timedelta(hours=1), now + timedelta(days=60)

    def link(**values: Any) -> ShareLink:
        return ShareLink(id=new(), user_id=me, note_id=note, code=str(new()), **values)

    def device(ends: datetime) -> UserSession:
        ends_at = {"access_expires_at": ends, "refresh_expires_at": ends}
        return UserSession(id=new(), user_id=me, access_hash=new().bytes, refresh_hash=new().bytes, **ends_at)

    def key(**values: Any) -> ApiKey:
        return ApiKey(
            id=new(), user_id=me, name="k", prefix="p", key_hash=new().bytes, scopes=["*"], **values
        )

    def job(ended: datetime) -> Job:
        return Job(id=new(), user_id=me, kind="x", status="succeeded", finished_at=ended)

    month_ago, older = now - timedelta(days=29), now - timedelta(days=31)
    keep: list[ShareLink | UserSession | ApiKey | Job] = [
        link(),
        link(expires_at=ahead, max_views=3, view_count=2),
        device(ahead),
        key(revoked_at=month_ago),
        job(month_ago),
    ]
    go = [link(expires_at=ago), link(revoked_at=ago), link(max_views=2, view_count=2), device(ago), key(revoked_at=older), key(expires_at=older), job(older)]  # fmt: skip
    async with storage.database.transaction(me) as session:
        session.add(Note(id=note, user_id=me, title="n", text="n"))
        await session.flush()
        session.add_all(row for row in (*keep, *go) if not isinstance(row, ShareLink))
    kept = {row.id for row in keep}
    await add_links(instance, [row for row in (*keep, *go) if isinstance(row, ShareLink)])
    await purge(storage, student)
    async with storage.database.transaction(me) as session:
        left = {
            i
            for key_of in (ShareLink.id, UserSession.id, ApiKey.id, Job.id)
            for i in await session.scalars(select(key_of))
        }
    assert left == kept


async def add_links(info: InstanceInfo, links: list[ShareLink]) -> None:
    """As the superuser: the application may not set how often a link was opened."""
    connection = await traces.superuser(info)
    for row in links:
        names = ("id", "user_id", "note_id", "code", "expires_at", "revoked_at", "max_views")
        values = [getattr(row, name) for name in names]
        await connection.execute(
            f"INSERT INTO share_links ({', '.join(names)}, view_count) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
            *values,
            row.view_count or 0,
        )
    await connection.close()


async def test_an_upload_that_became_nothing_goes_after_a_day(storage: Storage, student: Principal) -> None:
    await receive(storage, student, "unused.txt", once(b"never used"))
    await purge(later(storage, hours=23), student)
    assert len(await objects(storage, student)) == 1
    assert (await purge(later(storage, hours=25), student)).removed["files"] == 1
    assert await objects(storage, student) == []


class Killed(BaseException):
    """What a kill -9 looks like from inside: nothing after it runs."""


@pytest.mark.parametrize("after", range(1, 12))
async def test_a_purge_killed_at_any_step_leaves_nothing_half_deleted_in_sight_and_the_next_one_ends_it(
    storage: Storage, executor: Executor, student: Principal, after: int
) -> None:
    await add_text(executor, student, "Kept", "Kept", "The kept sentence.\n")
    await add_text(executor, student, "Gone", "Gone", "The purged sentence.\n")
    await call(executor, student, "delete_class", class_id="Gone")
    moved, steps = later(storage, days=32), 0

    async def kill() -> None:
        nonlocal steps
        steps += 1
        if steps == after:
            raise Killed

    with suppress(Killed):
        await Purge(moved, student.user_id, kill).run(moved.clock.now())
    found = await call(executor, student, "search_materials", query="sentence")
    assert [hit["text"] for hit in found["hits"]] == ["The kept sentence."]
    assert [row["name"] for row in (await call(executor, student, "list_classes"))["items"]] == ["Kept"]
    await purge(moved, student)
    kept = await call(executor, student, "search_materials", query="sentence")
    async with storage.database.transaction(student.user_id) as session:
        assert await session.scalar(select(func.count()).select_from(Class)) == 1
        chunks = {str(i) for i in await session.scalars(select(Chunk.id))}
    assert await vector_ids(storage, student) == chunks == {hit["passage_id"] for hit in kept["hits"]}
    assert len(await objects(storage, student)) == 1


# --- the daily task


async def test_within_a_month_vectors_without_a_chunk_are_found_and_removed(
    storage: Storage, executor: Executor, student: Principal
) -> None:
    await add_text(executor, student, "Strays", "Text", "A sentence with a vector.\n")
    before = await vector_ids(storage, student)
    async with storage.database.transaction(student.user_id) as session:
        await session.execute(delete(Chunk).where(Chunk.user_id == student.user_id))
    days = 0
    while await vector_ids(storage, student):
        await drop_orphans(later(storage, days=days), go_on, Counter())
        days += 1
    assert before
    assert days <= 30


async def test_one_of_several_workers_does_the_daily_task_once_a_day(storage: Storage) -> None:
    await rested(storage)
    done = await asyncio.gather(*(Upkeep(storage, f"worker-{n}").daily() for n in range(5)))
    assert sum(removed is not None for removed in done) == 1
    assert await Upkeep(later(storage, hours=23), "next").daily() is None
    assert await Upkeep(later(storage, hours=25), "next").daily() is not None
    await rested(storage)


async def test_a_worker_goes_on_where_a_killed_one_stopped_once_its_lease_is_over(
    storage: Storage, executor: Executor, student: Principal, stranger: Principal
) -> None:
    await rested(storage)
    for who in sorted((student, stranger), key=lambda p: p.user_id):
        await call(executor, who, "create_class", name="Old")
        await call(executor, who, "delete_class", class_id="Old")
    first, second = sorted((student.user_id, stranger.user_id))
    moved = later(storage, days=32)
    turn = await take_turn(moved, DAILY, "killed", every=DAY)
    assert turn is not None
    await turn.keep({"classes": 7}, str(first))
    assert await Upkeep(moved, "next").daily() is None, "the lease still runs"
    after = later(storage, days=32, minutes=3)
    removed = await Upkeep(after, "next").daily()
    assert removed is not None
    assert removed["classes"] == 8, "what the first one counted, and the class of the second user"
    with pytest.raises(TurnLost):
        await turn.keep({})
    for user_id, left in ((first, 1), (second, 0)):
        async with storage.as_user(user_id) as db:
            assert len(await db.life.due_ids("classes", after.clock.now())) == left
    await rested(storage)


async def test_a_worker_process_killed_with_kill_9_in_the_middle_of_a_purge_is_followed_by_another(
    storage: Storage, instance: InstanceInfo, executor: Executor, student: Principal
) -> None:
    for n in range(6):
        await add_text(executor, student, f"Class {n}", "Text", f"Sentence {n} of a class.\n")
        await call(executor, student, "delete_class", class_id=f"Class {n}")
    async with storage.database.transaction(student.user_id) as session:
        gone = update(Class).values(deleted_at=storage.clock.now() - timedelta(days=40))
        await session.execute(gone.where(Class.user_id == student.user_id))
    await rested(storage)
    await empty_queue(instance)
    seen: set[int] = set()
    async with worker_process(instance, "doomed") as doomed:

        async def is_at_work() -> bool:
            assert doomed.returncode is None, "the worker ended"
            async with storage.database.transaction(student.user_id) as session:
                seen.add(await session.scalar(select(func.count()).select_from(Chunk)) or 0)
            return len(seen) == 2

        await until(is_at_work, "the purge to remove something", pause=0.005)
        doomed.send_signal(signal.SIGKILL)
        await doomed.wait()
    assert await objects(storage, student)
    removed = await Upkeep(later(storage, days=2), "next").daily()
    assert removed is not None
    assert await objects(storage, student) == []
    assert await vector_ids(storage, student) == set()
    async with storage.database.transaction(student.user_id) as session:
        assert await session.scalar(select(func.count()).select_from(Class)) == 0
    await rested(storage)
