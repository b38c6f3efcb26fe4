"""Deleting an account leaves nothing of the person, in any store, and nothing else is touched."""

from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import func, select

from storage.errors import InvalidInput, Unauthorized
from storage.life.erase import Erasure, StillBusy
from storage.local.instance import InstanceInfo
from storage.models import (
    Conversation,
    Deck,
    Flashcard,
    Interaction,
    Job,
    Message,
    Note,
    Run,
    SharedItem,
    Test,
)
from storage.redis.limits import a_minute
from storage.repositories.closing import accounts_to_erase
from storage.resources import Storage
from storage.vectors.index import VectorIndex
from tests import traces
from tests.clocks import LaterClock
from tests.work import add_text, call
from tools.accounts import Accounts, Device
from tools.context import Principal
from tools.executor import Executor
from tools.life.upkeep import Upkeep

MARKER = "quincunx-marker"


class Killed(BaseException):
    """What a kill -9 looks like from inside: nothing after it runs."""


async def go_on() -> None:
    """An erasure that nobody stops."""


async def email_of(storage: Storage, who: Principal) -> str:
    async with storage.as_user(who.user_id) as db:
        return (await db.accounts.me()).email


async def add(storage: Storage, who: Principal, *rows: Any) -> None:
    async with storage.database.transaction(who.user_id) as session:
        for row in rows:
            session.add(row)
            await session.flush()


async def live(storage: Storage, executor: Executor, who: Principal, friend: Principal) -> list[str]:
    """A little of everything, the marker in each. Gives the words by which the person could be found."""
    material = await add_text(
        executor, who, f"Class {MARKER}", f"Note {MARKER}", f"The {MARKER} lies here.\n"
    )
    gone = await add_text(executor, who, f"Class {MARKER}", "In the bin", f"A deleted {MARKER} too.\n")
    await call(executor, who, "delete_material", material_id=gone)
    taken = await call(
        executor, who, "add_text", class_id=f"Class {MARKER}", title="Waits", text=f"{MARKER} waits"
    )
    me, now, new = who.user_id, storage.clock.now(), storage.clock.new_id
    thread, run, deck, note = new(), new(), new(), new()
    await add(
        storage, who,
        Conversation(id=thread, user_id=me, thread_id=str(thread), title=MARKER, last_message_at=now),
        Run(id=run, user_id=me, conversation_id=thread, client_run_id=str(run), heartbeat_at=now, status="succeeded"),
        Message(id=new(), user_id=me, conversation_id=thread, run_id=run, role="user", text=MARKER, created_at=now),
        Deck(id=deck, user_id=me, title=MARKER),
        Flashcard(id=new(), user_id=me, deck_id=deck, ordinal=0, type="basic", front=MARKER, back=MARKER),
        Note(id=note, user_id=me, title=MARKER, text=MARKER),
        Test(id=new(), user_id=me, title=MARKER, difficulty="mixed", blueprint={}),
        Interaction(id=new(), user_id=me, created_at=now, type="review", data={"marker": MARKER}),
    )  # fmt: skip
    async with storage.database.transaction(friend.user_id) as session:
        session.add(
            Note(id=new(), user_id=friend.user_id, title="Copied", text="A copy that its new owner keeps.")
        )
    accounts = Accounts(storage)
    key, secret = await accounts.create_key(me, MARKER)
    signed_in = await accounts.start_session(me, Device(MARKER, "192.0.2.7"))
    for token in (secret, signed_in.access_token):
        await accounts.principal(token, "http")
    await accounts.create_login_link(me)
    await storage.runs.append(run, 1, f'{{"said": "{MARKER}"}}')
    await storage.brake.check("Too fast.", a_minute(me, 10), a_minute(key.id, 10))
    await call(executor, who, "export_my_data")
    words = [str(me), me.hex[-8:], MARKER, await email_of(storage, who), str(run), str(key.id), material]
    return [*words, taken["job_id"]]


async def delete_account(storage: Storage, executor: Executor, who: Principal) -> None:
    await call(executor, who, "delete_my_account", email=await email_of(storage, who))


async def test_nothing_of_the_person_is_left_in_any_store(
    storage: Storage, instance: InstanceInfo, executor: Executor, student: Principal, stranger: Principal
) -> None:
    words = await live(storage, executor, student, stranger)
    before = await traces.everywhere(storage, instance, words)
    assert {"users", "chunks", "messages", "api_keys", "exports"} <= before.keys()
    await delete_account(storage, executor, student)
    removed = await Upkeep(storage, "test").erase_accounts()
    assert removed["users"] >= 1
    assert await traces.everywhere(storage, instance, words) == {}


async def test_the_person_is_signed_out_at_once_and_may_sign_up_again(
    storage: Storage, executor: Executor, student: Principal
) -> None:
    accounts, email = Accounts(storage), await email_of(storage, student)
    _, secret = await accounts.create_key(student.user_id, "A key")
    signed_in = await accounts.start_session(student.user_id, Device())
    tokens = (secret, signed_in.access_token)
    for token in tokens:
        await accounts.principal(token, "http")
    await delete_account(storage, executor, student)
    for token in tokens:
        with pytest.raises(Unauthorized):
            await accounts.principal(token, "http")
    with pytest.raises(Unauthorized):
        await accounts.refresh(signed_in.refresh_token)
    again = await accounts.create_user(email, "The same person", None)
    assert again.id != student.user_id


async def test_a_wrong_address_deletes_nothing(
    storage: Storage, executor: Executor, student: Principal
) -> None:
    with pytest.raises(InvalidInput, match="nothing was deleted"):
        await call(executor, student, "delete_my_account", email="somebody@example.org")
    assert await email_of(storage, student)
    async with storage.database.transaction(None) as session:
        assert student.user_id not in {user for user, _ in await accounts_to_erase(session, 1000)}


async def test_an_erasure_waits_for_running_work_and_stops_it(
    storage: Storage, executor: Executor, student: Principal
) -> None:
    me, now = student.user_id, storage.clock.now()
    job, thread, run = storage.clock.new_id(), storage.clock.new_id(), storage.clock.new_id()
    await add(
        storage, student,
        Job(id=job, user_id=me, kind="x", status="running", lease_until=now + timedelta(seconds=15), worker="w"),
        Conversation(id=thread, user_id=me, thread_id="t", title="t"),
        Run(id=run, user_id=me, conversation_id=thread, client_run_id="r", heartbeat_at=now),
    )  # fmt: skip
    await delete_account(storage, executor, student)
    assert await storage.runs.cancel_requested(run)
    async with storage.as_user(me) as db:
        assert not await db.jobs.renew(job, "w")
    with pytest.raises(StillBusy):
        await Erasure(storage, me, go_on).run()
    calm = replace(storage, clock=LaterClock(timedelta(minutes=1)))
    await Erasure(calm, me, go_on).run()
    async with storage.as_user(me) as db:
        assert await db.closing.gone()


STEPS = ("_collections", "_objects", "_rows", "_audit", "_account")


@pytest.mark.parametrize("step", STEPS)
async def test_an_erasure_killed_before_any_step_is_finished_by_the_next(
    storage: Storage,
    instance: InstanceInfo,
    executor: Executor,
    student: Principal,
    step: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    await add_text(executor, student, "Doomed", "Doomed", f"A sentence with {MARKER}.\n")
    await delete_account(storage, executor, student)

    async def killed(*_: object) -> None:
        raise Killed

    first = Erasure(storage, student.user_id, go_on)
    monkeypatch.setattr(first, step, killed)
    with pytest.raises(Killed):
        await first.run()
    await Upkeep(storage, "next").erase_accounts()
    assert await traces.everywhere(storage, instance, [str(student.user_id), MARKER]) == {}


async def test_a_store_that_is_down_puts_the_erasure_off_and_not_the_others(
    storage: Storage, instance: InstanceInfo, executor: Executor, student: Principal, stranger: Principal
) -> None:
    for who in (student, stranger):
        await add_text(executor, who, "Doomed", "Doomed", f"A sentence with {MARKER}.\n")
        await delete_account(storage, executor, who)
    down = replace(storage, vectors=VectorIndex("chroma+http://127.0.0.1:9"))
    assert (await Upkeep(down, "first").erase_accounts())["users"] == 0
    async with storage.database.transaction(None) as session:
        waiting = {user for user, _ in await accounts_to_erase(session, 1000)}
    assert {student.user_id, stranger.user_id} <= waiting
    await Upkeep(storage, "second").erase_accounts()
    assert await traces.everywhere(storage, instance, [str(student.user_id), str(stranger.user_id)]) == {}


async def test_what_others_hold_stays_and_only_the_name_in_it_goes(
    storage: Storage, instance: InstanceInfo, executor: Executor, student: Principal, stranger: Principal
) -> None:
    me, friend = student.user_id, stranger.user_id
    email, new = await email_of(storage, student), storage.clock.new_id
    material = await add_text(executor, student, "Mine", "Original", "Words that somebody copied.\n")
    await add_text(executor, stranger, "Theirs", "Copy", "Words that somebody copied.\n")
    connection = new()
    async with storage.database.transaction(me) as session:
        asked = func.lyceum_request_connection(connection, await email_of(storage, stranger), "Hello")
        await session.execute(select(asked))
    async with storage.database.transaction(friend) as session:
        await session.execute(select(func.lyceum_answer_connection(connection, "accepted")))
    await add(
        storage, student, SharedItem(id=new(), user_id=me, recipient_id=friend, material_id=UUID(material))
    )
    await call(executor, stranger, "create_class", name="Club", description=f"With {email}, {me}")
    await delete_account(storage, executor, student)
    await Upkeep(storage, "test").erase_accounts()
    found = await call(executor, stranger, "search_materials", query="copied words")
    assert [hit["locator"]["material_title"] for hit in found["hits"]] == ["Copy"]
    left = await traces.everywhere(storage, instance, [str(me), email])
    assert left.keys() == {"classes"}, "only what the friend wrote themselves"
