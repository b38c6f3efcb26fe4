"""Public links, codes and classmates: counted exactly, opened only by who may, also when many come at once."""

import asyncio
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import text

from storage.errors import NotFound
from storage.models import Class, EnrollmentCode, Note, ShareLink
from storage.resources import Storage
from tests.conftest import new_principal
from tools.context import Principal


@pytest.fixture
async def note(storage: Storage, student: Principal) -> Note:
    row = Note(id=storage.clock.new_id(), user_id=student.user_id, title="Optics", text="Light bends.")
    async with storage.as_user(student.user_id) as db:
        db.share_links.session.add(row)
    return row


async def link_to(storage: Storage, note: Note, **values: object) -> ShareLink:
    link_id = storage.clock.new_id()
    row = ShareLink(id=link_id, user_id=note.user_id, code=link_id.hex, note_id=note.id, **values)
    async with storage.as_user(note.user_id) as db:
        await db.share_links.add(row)
    return row


async def views(storage: Storage, link: ShareLink) -> int:
    async with storage.as_user(link.user_id, read_only=True) as db:
        return (await db.share_links.get(link.code)).view_count


async def test_fifty_who_come_at_once_make_ten_views_of_a_link_with_ten(storage: Storage, note: Note) -> None:
    link = await link_to(storage, note, max_views=10)

    async def visit() -> bool:
        try:
            async with storage.visit() as visitor:
                await visitor.open(link.code, await visitor.password_hash(link.code))
        except NotFound:
            return False
        return True

    opened = await asyncio.gather(*(visit() for _ in range(50)))
    assert sum(opened) == 10
    assert await views(storage, link) == 10


async def test_whoever_opened_a_link_reads_its_item_and_nothing_else(storage: Storage, note: Note) -> None:
    link = await link_to(storage, note)
    async with storage.as_user(note.user_id) as db:
        db.share_links.session.add(
            Note(id=storage.clock.new_id(), user_id=note.user_id, title="Diary", text="Secret.")
        )
    titles = text("SELECT title FROM notes")
    async with storage.visit() as visitor:
        assert (await visitor.session.scalars(titles)).all() == []
        opened = await visitor.open(link.code, None)
        assert (opened.kind, opened.item_id, opened.owner_id) == ("note", note.id, note.user_id)
        assert (await visitor.session.scalars(titles)).all() == ["Optics"]
        assert (await visitor.session.execute(text("UPDATE notes SET title = 'x' RETURNING id"))).all() == []
    async with storage.visit() as visitor:
        await visitor.show(opened.link_id)
        assert (await visitor.session.scalars(titles)).all() == ["Optics"]
    assert await views(storage, link) == 1


@pytest.mark.parametrize(
    "reason", ["wrong password", "no password", "expired", "revoked", "used up", "unknown", "deleted"]
)
async def test_a_link_that_is_refused_counts_nothing(storage: Storage, note: Note, reason: str) -> None:
    now = storage.clock.now()
    values: dict[str, object] = {"password_hash": "right"} if "password" in reason else {}
    if reason == "expired":
        values["expires_at"] = now - timedelta(seconds=1)
    if reason == "revoked":
        values["revoked_at"] = now
    link = await link_to(storage, note, **values, max_views=1)
    before = 0
    if reason == "used up":
        async with storage.visit() as visitor:
            await visitor.open(link.code, None)
        before = 1
    if reason == "deleted":
        async with storage.as_user(note.user_id) as db:
            await db.share_links.session.execute(text("UPDATE notes SET deleted_at = now()"))
    code = "unknown" if reason == "unknown" else link.code
    password_hash = "wrong" if reason == "wrong password" else None
    with pytest.raises(NotFound):
        async with storage.visit() as visitor:
            await visitor.open(code, password_hash)
    assert await views(storage, link) == before


async def test_asking_for_the_password_counts_nothing(storage: Storage, note: Note) -> None:
    link = await link_to(storage, note, password_hash="right", max_views=1)
    for _ in range(3):
        async with storage.visit() as visitor:
            assert await visitor.password_hash(link.code) == "right"
    assert await views(storage, link) == 0


async def test_a_revoked_link_shows_nothing_to_those_who_have_it_open(storage: Storage, note: Note) -> None:
    link = await link_to(storage, note)
    async with storage.visit() as visitor:
        opened = await visitor.open(link.code, None)
    async with storage.as_user(note.user_id) as db:
        await db.share_links.revoke(await db.share_links.get(str(link.id)))
    async with storage.visit() as visitor:
        await visitor.show(opened.link_id)
        assert (await visitor.session.scalars(text("SELECT title FROM notes"))).all() == []


async def test_the_owner_of_a_link_cannot_turn_back_its_count(storage: Storage, note: Note) -> None:
    link = await link_to(storage, note)
    with pytest.raises(Exception, match="permission denied"):
        async with storage.as_user(note.user_id) as db:
            await db.share_links.session.execute(text("UPDATE share_links SET view_count = 0"))
    assert [row.id for row in (await recent(storage, note.user_id))] == [link.id]


async def recent(storage: Storage, user_id: UUID) -> list[ShareLink]:
    async with storage.as_user(user_id, read_only=True) as db:
        return (await db.share_links.recent(limit=10, cursor=None)).items


async def test_a_link_points_at_exactly_one_thing_of_its_owner(
    storage: Storage, note: Note, stranger: Principal
) -> None:
    for values in ({}, {"note_id": note.id, "deck_id": note.id}):
        with pytest.raises(Exception, match="ck_share_links_target"):
            async with storage.as_user(note.user_id) as db:
                await db.share_links.add(
                    ShareLink(id=storage.clock.new_id(), user_id=note.user_id, code="x", **values)
                )
    with pytest.raises(Exception, match="fk_share_links_note_id_notes"):
        async with storage.as_user(stranger.user_id) as db:
            await db.share_links.add(
                ShareLink(id=storage.clock.new_id(), user_id=stranger.user_id, code="y", note_id=note.id)
            )


JOIN = text("SELECT class_id, outcome FROM lyceum_join_class(:id, :code)")


async def test_no_more_join_by_a_code_than_it_allows(storage: Storage, student: Principal) -> None:
    class_id = storage.clock.new_id()
    async with storage.as_user(student.user_id) as db:
        session = db.share_links.session
        session.add(
            Class(id=class_id, user_id=student.user_id, name="Physics", collection_prefix=class_id.hex)
        )
        await session.flush()
        code = EnrollmentCode(
            id=class_id, user_id=student.user_id, class_id=class_id, code="abc-" + class_id.hex, max_uses=3
        )
        session.add(code)
    people = [await new_principal(storage) for _ in range(8)]

    async def join(who: Principal) -> str:
        async with storage.as_user(who.user_id) as db:
            row = (
                await db.share_links.session.execute(
                    JOIN, {"id": storage.clock.new_id(), "code": " " + code.code.upper()}
                )
            ).one()
            return str(row.outcome)

    outcomes = await asyncio.gather(*(join(who) for who in people))
    assert sorted(outcomes) == ["full"] * 5 + ["joined"] * 3
    inside = people[outcomes.index("joined")]
    assert (await join(inside), await join(student)) == ("member", "owner")
    assert await storage.owners.all(inside.user_id) == [], "a joined class is not one's own"


async def test_a_request_is_accepted_by_the_other_one_alone(
    storage: Storage, student: Principal, stranger: Principal
) -> None:
    ask = text("SELECT lyceum_request_connection(:id, :name, NULL)")
    accept = text("SELECT lyceum_answer_connection(:id, 'accepted')")
    classmates = text("SELECT * FROM lyceum_classmates()")
    async with storage.as_user(student.user_id) as db:
        session = db.share_links.session
        name = f"{stranger.user_id}@EXAMPLE.org"
        asked = await session.scalar(ask, {"id": storage.clock.new_id(), "name": name})
        assert await session.scalar(ask, {"id": storage.clock.new_id(), "name": "nobody@example.org"}) is None
        assert await session.scalar(accept, {"id": asked}) is False
        assert (await session.scalars(classmates)).all() == []
    async with storage.as_user(stranger.user_id) as db:
        session = db.share_links.session
        assert await session.scalar(accept, {"id": asked}) is True
        assert (await session.scalars(classmates)).all() == [student.user_id]
        names = await session.execute(text("SELECT * FROM lyceum_names(:ids)"), {"ids": [student.user_id]})
        assert [row.name for row in names] == ["A student"]


async def test_titles_are_found_in_spite_of_typos_and_notes_by_their_words(
    storage: Storage, note: Note, stranger: Principal
) -> None:
    found = {"q": "optcs"}
    similar = text("SELECT kind, id FROM lyceum_similar_titles(:q, 5)")
    words = text("SELECT note_id FROM lyceum_find_notes('bending light', 'english', 5)")
    async with storage.as_user(note.user_id, read_only=True) as db:
        session = db.share_links.session
        assert [tuple(row) for row in await session.execute(similar, found)] == [("note", note.id)]
        assert (await session.scalars(words)).all() == [note.id]
    async with storage.as_user(stranger.user_id, read_only=True) as db:
        session = db.share_links.session
        assert (await session.execute(similar, found)).all() == []
        assert (await session.scalars(words)).all() == []
