"""Every repository, asked by somebody else for a person's things, has none of them: neither as a stranger nor as a member
or classmate whom the database would let read, because "mine" means mine."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

from storage.errors import NotFound
from storage.models import (
    Assignment,
    Conversation,
    EnrollmentCode,
    Message,
    Note,
    NoteSource,
    Run,
    ShareLink,
)
from storage.repositories import Repositories
from storage.repositories.lexical import Scope
from storage.resources import Storage
from tests.conftest import new_principal
from tests.study.quizzes import make_test
from tests.work import add_text, call
from tools.context import Principal
from tools.executor import Executor


async def reached(db: Repositories, scope: Scope) -> list[str]:
    return (await db.lexical.reach(scope)).collections


LONG_AGO, FAR = datetime(2000, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)
Question = Callable[[Repositories, dict[str, Any]], Awaitable[Any]]

QUESTIONS: dict[str, list[Question]] = {
    "accounts": [
        lambda db, its: db.accounts.session_for_update(its["session"]),
        lambda db, its: db.accounts.keys(),
    ],
    "classes": [
        lambda db, its: db.classes.recent(limit=10, cursor=None),
        lambda db, its: db.classes.resolve(str(its["class"])),
        lambda db, its: db.classes.resolve("Secret class"),
        lambda db, its: db.classes.by_id(its["class"]),
    ],
    "materials": [
        lambda db, its: db.materials.recent(class_id=None, status=None, limit=10, cursor=None),
        lambda db, its: db.materials.recent(class_id=its["class"], status=None, limit=10, cursor=None),
        lambda db, its: db.materials.resolve(str(its["material"])),
        lambda db, its: db.materials.by_id(its["material"]),
        lambda db, its: db.materials.by_ids([its["material"]]),
        lambda db, its: db.materials.file(its["file"]),
        lambda db, its: db.materials.all_files(),
        lambda db, its: db.materials.segment(its["material"], 0),
        lambda db, its: db.materials.segments(its["material"], 0, 9),
        lambda db, its: db.materials.segments_at([(its["material"], 0)]),
        lambda db, its: db.materials.chunk(its["chunk"]),
        lambda db, its: db.materials.chunks([its["chunk"]]),
        lambda db, its: db.materials.chunk_ids(its["material"]),
        lambda db, its: db.materials.first_chunk_of(its["material"], 0),
        lambda db, its: db.materials.forget_vectors(its["material"]),
        lambda db, its: db.materials.expected_vectors(its["class"], ("text",)),
    ],
    "reading": [
        lambda db, its: db.reading.staged_count(its["material"]),
        lambda db, its: db.reading.staged(its["material"], 0, 9),
        lambda db, its: db.reading.unreadable(its["material"]),
        lambda db, its: db.reading.chunks_to_embed(its["material"], 9),
        lambda db, its: db.reading.is_waiting(its["material"]),
        lambda db, its: db.reading.chunks_of(its["material"], 0),
        lambda db, its: db.reading.replace_figures(its["material"], [], []),
    ],
    "notes": [
        lambda db, its: db.notes.resolve(str(its["note"])),
        lambda db, its: db.notes.recent(class_id=None, type=None, tag=None, limit=10, cursor=None),
        lambda db, its: db.notes.found("oak", class_id=None, type=None, tag=None, limit=10, cursor=None),
        lambda db, its: db.notes.for_writing(its["note"]),
        lambda db, its: db.notes.sources(its["note"]),
        lambda db, its: db.notes.passages(its["material"]),
    ],
    "assignments": [
        lambda db, its: db.assignments.due(limit=10, cursor=None),
        lambda db, its: db.assignments.resolve(str(its["assignment"])),
    ],
    "lexical": [
        lambda db, its: db.lexical.bm25([("treasur",)], Scope(), 9),
        lambda db, its: db.lexical.bm25([("treasur",)], Scope(material_id=its["material"]), 9),
        lambda db, its: db.lexical.with_phrases(["treasure"], Scope(class_id=its["class"]), 9),
        lambda db, its: db.lexical.visible([its["chunk"]], Scope()),
        lambda db, its: reached(db, Scope(class_id=its["class"])),
        lambda db, its: reached(db, Scope(material_id=its["material"])),
        lambda db, its: reached(db, Scope()),
    ],
    "places": [
        lambda db, its: db.places.segments([(its["material"], 0)]),
        lambda db, its: db.places.heading_paths(its["material"]),
        lambda db, its: db.places.chunks_at(its["material"], [0]),
        lambda db, its: db.places.spoken_between(its["material"], 0, 9),
        lambda db, its: db.places.figures_beside([(its["material"], 0)]),
        lambda db, its: db.places.figures_on(its["material"], 0),
        lambda db, its: db.places.picture(its["material"], 0),
    ],
    "jobs": [
        lambda db, its: db.jobs.recent(status=None, limit=10, cursor=None),
        lambda db, its: db.jobs.get(its["job"]),
        lambda db, its: db.jobs.latest_for([its["material"]]),
        lambda db, its: db.jobs.claim(its["job"], "worker"),
        lambda db, its: db.jobs.renew(its["job"], "worker"),
        lambda db, its: db.jobs.is_held(its["job"], "worker"),
        lambda db, its: db.jobs.count_open("ingest_material", its["material"]),
    ],
    "conversations": [
        lambda db, its: db.conversations.recent(class_id=None, limit=10, cursor=None),
        lambda db, its: db.conversations.resolve(str(its["conversation"])),
        lambda db, its: db.conversations.by_thread("secret thread"),
        lambda db, its: db.conversations.messages(its["conversation"], limit=10, cursor=None),
        lambda db, its: db.conversations.find_run("secret run"),
        lambda db, its: db.conversations.run_by_id(its["run"]),
        lambda db, its: db.conversations.runs([its["run"]]),
        lambda db, its: db.conversations.active_run(its["conversation"]),
        lambda db, its: db.conversations.finish_run(its["run"], "failed"),
    ],
    "tests": [
        lambda db, its: db.tests.resolve(str(its["test"])),
        lambda db, its: db.tests.reachable(str(its["test"])),
        lambda db, its: db.tests.by_id(its["test"]),
        lambda db, its: db.tests.recent(class_id=None, limit=10, cursor=None),
        lambda db, its: db.tests.questions(its["test"]),
        lambda db, its: db.tests.question_for_writing(its["question"]),
    ],
    "attempts": [
        lambda db, its: db.attempts.get(its["attempt"]),
        lambda db, its: db.attempts.for_writing(its["attempt"]),
        lambda db, its: db.attempts.open_of(its["test"]),
        lambda db, its: db.attempts.opened(),
        lambda db, its: db.attempts.latest_of(its["test"]),
        lambda db, its: db.attempts.of_tests([its["test"]]),
        lambda db, its: db.attempts.answers(its["attempt"]),
        lambda db, its: db.attempts.answer(its["attempt"], question_id=its["question"], number=None),
    ],
    "making": [
        lambda db, its: db.making.materials(None),
        lambda db, its: db.making.materials(its["class"]),
        lambda db, its: db.making.places(its["material"]),
        lambda db, its: db.making.earlier_questions(None, 9),
        lambda db, its: db.making.earlier_cards(its["class"], its["deck"], 9),
        lambda db, its: db.making.questions_of(its["test"]),
        lambda db, its: db.making.job_for_writing(its["job"]),
        lambda db, its: db.making.test(its["test"], for_writing=True),
        lambda db, its: db.making.deck(its["deck"]),
        lambda db, its: db.making.deck_named("Secret deck"),
        lambda db, its: db.making.test_named(str(its["test"])),
        lambda db, its: db.making.question_rows(its["test"]),
        lambda db, its: db.making.card_rows(its["deck"]),
        lambda db, its: db.making.class_names([its["class"]]),
    ],
    "cards": [
        lambda db, its: db.cards.deck_called("Secret deck"),
        lambda db, its: db.cards.decks(),
        lambda db, its: db.cards.recent_decks(query=None, class_id=None, limit=10, cursor=None),
        lambda db, its: db.cards.deck_for_writing(its["deck"]),
        lambda db, its: db.cards.resolve(str(its["card"])),
        lambda db, its: db.cards.for_writing(its["card"]),
        lambda db, its: db.cards.by_ids([its["card"]]),
        lambda db, its: db.cards.known_prints(its["deck"], [b"secret"]),
    ],
    "reviews": [
        lambda db, its: db.reviews.learning([its["deck"]], FAR, FAR.date(), None),
        lambda db, its: db.reviews.due([its["deck"]], [], FAR, FAR, FAR.date(), None, 9),
        lambda db, its: db.reviews.new([its["deck"]], FAR.date(), None, 9),
        lambda db, its: db.reviews.done_since(LONG_AGO),
        lambda db, its: db.reviews.last_of(its["card"]),
        lambda db, its: db.reviews.last(),
        lambda db, its: db.reviews.by_id(its["review"]),
        lambda db, its: db.reviews.count(),
        lambda db, its: db.reviews.history(9),
        lambda db, its: db.reviews.forecast(its["deck"], FAR, 30, -0.5, 0.2),
    ],
    "share_links": [
        lambda db, its: db.share_links.recent(limit=10, cursor=None),
        lambda db, its: db.share_links.get(str(its["link"])),
        lambda db, its: db.share_links.get("secret code"),
    ],
}


@pytest.fixture(scope="module")
async def its(storage: Storage, executor: Executor, new_user: Principal) -> dict[str, Any]:
    """Ids of a student's things, of every kind that a repository can be asked for."""
    await add_text(executor, new_user, "Secret class", "Secret note", "The treasure is under the oak.\n")
    jobs = await call(executor, new_user, "list_jobs")
    now, new_id = storage.clock.now(), storage.clock.new_id
    mine = {
        "conversation": new_id(),
        "run": new_id(),
        "link": new_id(),
        "code": new_id(),
        "job": jobs["items"][0]["id"],
        "note": new_id(),
        "assignment": new_id(),
    }
    async with storage.as_user(new_user.user_id) as db:
        (row,) = (await db.materials.recent(class_id=None, status=None, limit=1, cursor=None)).items
        mine |= {"material": row.id, "class": row.class_id, "file": row.file_id}
        mine["chunk"] = (await db.materials.chunk_ids(row.id))[0]
        owned = {"user_id": new_user.user_id}
        source = NoteSource(
            id=new_id(), note_id=mine["note"], ordinal=1, quote="oak", locator={"segment": 0}, **owned
        )
        shared = {"class_id": row.class_id, "shared_with_class": True}
        await db.notes.add(
            Note(id=mine["note"], title="Secret thoughts", text="The oak again.", **shared, **owned), [source]
        )
        await db.assignments.add(
            Assignment(id=mine["assignment"], title="Secret dig", class_id=row.class_id, due_at=now, **owned)
        )
        await db.conversations.add(
            Conversation(
                id=mine["conversation"],
                thread_id="secret thread",
                title="Secret talk",
                last_message_at=now,
                **owned,
            )
        )
        await db.conversations.add_run(
            Run(
                id=mine["run"],
                conversation_id=mine["conversation"],
                client_run_id="secret run",
                heartbeat_at=now,
                **owned,
            )
        )
        await db.conversations.add_message(
            Message(
                id=new_id(),
                conversation_id=mine["conversation"],
                role="user",
                text="hush",
                created_at=now,
                **owned,
            )
        )
        await db.share_links.add(ShareLink(id=mine["link"], code="secret code", material_id=row.id, **owned))
        await half_read(db, row.id, new_id)
    mine["test"] = UUID(await make_test(storage, new_user, "Secret test", class_id=mine["class"]))
    attempt = await call(executor, new_user, "start_test", test_id="Secret test")
    mine |= {"attempt": UUID(attempt["attempt_id"]), "question": UUID(attempt["questions"][0]["id"])}
    mine |= await studied_deck(storage, executor, new_user, mine["class"])
    async with storage.as_user(new_user.user_id) as db:
        db.share_links.session.add(
            EnrollmentCode(id=mine["code"], class_id=row.class_id, code=mine["code"].hex, **owned)
        )
    return mine | {"session": mine["run"]}


async def studied_deck(
    storage: Storage, executor: Executor, who: Principal, class_id: UUID
) -> dict[str, UUID]:
    """A deck shared with the class: a card that was reviewed, a new one, and one being learned."""
    cards = [{"front": front, "back": "Under the oak"} for front in ("Where?", "Really?", "Which oak?")]
    made = await call(executor, who, "create_flashcard", deck_id="Secret deck", cards=cards)
    await call(
        executor, who, "update_deck", deck_id="Secret deck", class_id=str(class_id), shared_with_class=True
    )
    card = made["items"][0]["id"]
    await call(executor, who, "review_card", card_id=made["items"][2]["id"], rating=3)
    done = await call(executor, who, "review_card", card_id=card, rating=4)
    async with storage.as_user(who.user_id) as db:
        (row,) = await db.cards.by_ids([UUID(card)])
        row.fingerprint = b"secret"
    return {"deck": UUID(made["deck_id"]), "card": UUID(card), "review": UUID(done["review_id"])}


async def half_read(db: Repositories, material_id: UUID, new_id: Callable[[], UUID]) -> None:
    """A page that is being read again, a spoken minute, a missing vector, and a figure with its picture."""
    owned = {"user_id": db.reading.user_id, "material_id": material_id}
    page = {"kind": "page", "ordinal": 0, "number": 1, "text": "", "notice": "Lost.", "staged": True}
    minute = {"kind": "span", "ordinal": 9, "number": 10, "text": "Hush.", "t_start": 0.0, "t_end": 9.0}
    for segment in (page, minute):
        await db.materials.add_segments([owned | segment | {"id": new_id()}])
    await db.materials.forget_vectors(material_id)
    picture = {
        "id": new_id(),
        "user_id": db.reading.user_id,
        "filename": "map.png",
        "size_bytes": 1,
        "sha256": b"x",
    }
    figure = {
        "id": new_id(),
        "ordinal": 0,
        "segment": 0,
        "kind": "photo",
        "chunk": 0,
        "file_id": picture["id"],
    }
    await db.reading.replace_figures(material_id, [picture | {"object_key": "map"}], [owned | figure])


@pytest.fixture(scope="module")
async def member(storage: Storage, its: dict[str, Any]) -> Principal:
    """Somebody in the student's class, whom the database lets read its material."""
    who = await new_principal(storage)
    async with storage.as_user(who.user_id) as db:
        joined = text("SELECT outcome FROM lyceum_join_class(:id, :code)")
        outcome = await db.classes.session.scalar(joined, {"id": its["link"], "code": its["code"].hex})
        assert outcome == "joined"
        readable = await db.classes.session.scalar(text("SELECT count(*) FROM chunks"))
        assert readable, "the database would let them"
    return who


NOTHING: tuple[Any, ...] = (None, False, 0, [], {}, set(), ())


async def answer(db: Repositories, question: Question, its: dict[str, Any]) -> Any:
    try:
        found = await question(db, its)
    except NotFound:
        return None
    return getattr(found, "items", found) if not isinstance(found, dict) else found


@pytest.mark.parametrize("name", sorted(QUESTIONS))
async def test_a_repository_has_nothing_of_somebody_elses(
    storage: Storage, its: dict[str, Any], member: Principal, stranger: Principal, name: str
) -> None:
    for who in (stranger, member):
        for number, question in enumerate(QUESTIONS[name]):
            async with storage.as_user(who.user_id) as db:
                found = await answer(db, question, its)
            assert found in NOTHING, f"{name} {number}: {found}"


async def test_each_of_these_questions_has_an_answer_for_the_owner(
    storage: Storage, its: dict[str, Any], new_user: Principal
) -> None:
    """So that the test above would fail if a filter were gone."""
    empty = []
    for name, questions in QUESTIONS.items():
        for number, question in enumerate(questions):
            async with storage.database.transaction(new_user.user_id) as session:
                db = Repositories(session, new_user.user_id, storage.clock)
                if await answer(db, question, its) in NOTHING:
                    empty.append((name, number))
                await session.rollback()
    assert empty == SILENT_FOR_OWNER


# No session of that id and no key; no job left to claim.
SILENT_FOR_OWNER = [
    ("accounts", 0),
    ("accounts", 1),
    ("jobs", 3),
    ("jobs", 4),
    ("jobs", 5),
    ("jobs", 6),
]


async def test_the_collections_of_a_class_are_its_owners_alone(
    storage: Storage, its: dict[str, Any], new_user: Principal, member: Principal, stranger: Principal
) -> None:
    (owner,) = await storage.owners.all(new_user.user_id)
    assert await storage.owners.by_prefix(new_user.user_id, owner.collection_prefix) == owner
    for wanted in (str(owner.id), "secret CLASS"):
        assert await storage.owners.named(new_user.user_id, wanted) == owner
    assert await storage.owners.named(new_user.user_id, "secret") is None
    for other in (member, stranger):
        assert await storage.owners.all(other.user_id) == []
        assert await storage.owners.by_prefix(other.user_id, owner.collection_prefix) is None
        for wanted in (str(owner.id), owner.name):
            assert await storage.owners.named(other.user_id, wanted) is None
