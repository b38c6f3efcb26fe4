"""Cards and decks: written, changed, moved, found, deleted, restored; only one's own."""

from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

from storage.errors import Forbidden, InvalidInput, NotFound
from storage.models import EnrollmentCode
from storage.resources import Storage
from tests.study.days import SetClock, by_clock, rate, write
from tests.work import add_text, call
from tools.context import Principal
from tools.executor import Executor

OPTICS = "# Refraction\n\nLight bends at the surface of glass.\n\n# Mirrors\n\nA mirror reflects light.\n"
CELL = "The {{c1::mitochondrion::organelle}} makes {{c2::ATP}} out of {{c1::sugar}}."


async def one(executor: Executor, who: Principal, **card: Any) -> Any:
    return await call(executor, who, "create_flashcard", **{"deck_id": "Biology", **card})


async def texts(executor: Executor, who: Principal, deck: str, **more: Any) -> list[str]:
    found = await call(executor, who, "get_deck", deck_id=deck, **more)
    return [card["front"] for card in found["items"]]


async def test_a_card_makes_its_deck_and_each_type_makes_the_cards_it_should(
    executor: Executor, student: Principal
) -> None:
    await call(executor, student, "create_class", name="Life")
    made = await one(
        executor,
        student,
        front="What divides?",
        back="A cell",
        class_id="life",
        tags=["a", "b", "a"],
        extra="Think",
    )
    assert (made["deck_title"], made["deck_created"]) == ("Biology", True)
    (card,) = made["items"]
    assert (card["front"], card["back"], card["extra"], card["tags"]) == (
        "What divides?",
        "A cell",
        "Think",
        ["a", "b"],
    )
    both = await one(executor, student, type="reversed", front="la mer", back="the sea")
    assert both["deck_created"] is False
    assert [(c["front"], c["back"], c["gap"]) for c in both["items"]] == [
        ("la mer", "the sea", 1),
        ("the sea", "la mer", 2),
    ]
    gaps = (await one(executor, student, type="cloze", front=CELL))["items"]
    assert [(c["front"], c["back"]) for c in gaps] == [
        ("The [organelle] makes ATP out of […].", "mitochondrion, sugar"),
        ("The mitochondrion makes […] out of sugar.", "ATP"),
    ]
    assert len({c["group_id"] for c in gaps}) == 1
    (choice,) = (
        await one(
            executor,
            student,
            type="multiple_choice",
            front="Largest?",
            back="Whale",
            wrong_options=["Ant", "Zebra"],
        )
    )["items"]
    assert [o["text"] for o in choice["options"]] == ["Ant", "Whale", "Zebra"]
    decks = await call(executor, student, "list_decks", class_id="Life")
    assert [(d["title"], d["card_count"], d["due"]["new"]) for d in decks["items"]] == [("Biology", 6, 4)]


@pytest.mark.parametrize(
    ("card", "code"),
    [
        ({"front": "No answer"}, "back_missing"),
        ({}, "front_missing"),
        ({"type": "cloze", "front": "No gap"}, "no_gaps"),
        ({"type": "cloze", "front": "An {{c1::}} empty one"}, "empty_gap"),
        ({"type": "cloze", "front": "{{c1:: }} blank"}, "empty_gap"),
        ({"type": "cloze", "front": "{{c1::a}} and {{c2::open"}, "invalid_gap"),
        ({"type": "cloze", "front": "{{c1::a}}", "back": "b"}, "cloze_with_back"),
        ({"type": "multiple_choice", "front": "a", "back": "b"}, "options_missing"),
        ({"type": "multiple_choice", "front": "a", "back": "b", "wrong_options": ["B"]}, "options_repeated"),
        ({"front": "a", "back": "b", "wrong_options": ["c"]}, "options_not_allowed"),
        ({"front": "a", "back": "b", "cards": [{"front": "c", "back": "d"}]}, "one_or_many"),
        ({"front": "a", "back": "b", "passage_ids": [str(UUID(int=9))]}, "passage_not_found"),
    ],
)
async def test_what_makes_no_card_is_refused_and_leaves_no_deck(
    executor: Executor, new_user: Principal, card: dict[str, Any], code: str
) -> None:
    with pytest.raises((InvalidInput, NotFound)) as refused:
        await one(executor, new_user, deck_id="Refused", **card)
    assert refused.value.code == code
    assert (await call(executor, new_user, "list_decks", query="Refused"))["total"] == 0


async def test_of_many_cards_all_are_made_or_none(executor: Executor, student: Principal) -> None:
    cards = [{"front": f"Question {n}", "back": str(n)} for n in range(100)]
    made = await call(executor, student, "create_flashcard", deck_id="Many", cards=cards)
    assert (len(made["items"]), made["repeated"]) == (100, 0)
    bad = [{"front": "Question 1", "back": "x"}, {"type": "cloze", "front": "no gap"}]
    with pytest.raises(InvalidInput, match="Card 2: A cloze needs"):
        await call(executor, student, "create_flashcard", deck_id="many", cards=bad)
    again = await call(executor, student, "create_flashcard", deck_id="many", cards=bad[:1])
    assert again["repeated"] == 1
    first = await call(executor, student, "get_deck", deck_id="Many", limit=60)
    rest = await call(executor, student, "get_deck", deck_id="Many", limit=60, cursor=first["next_cursor"])
    assert [c["front"] for c in first["items"] + rest["items"]] == [c["front"] for c in cards] + [
        "Question 1"
    ]
    assert (first["total"], rest["next_cursor"], rest["statistics"]) == (101, None, None)
    with pytest.raises(InvalidInput, match="cursor"):
        await call(executor, student, "get_deck", deck_id="Many", cursor="nonsense")


async def test_a_card_with_passages_links_to_where_the_material_says_it(
    executor: Executor, student: Principal
) -> None:
    material = await add_text(executor, student, "Physics", "Optics", OPTICS)
    hits = await call(executor, student, "search_materials", query="mirror reflects")
    passage = hits["hits"][0]["passage_id"]
    (card,) = (
        await one(executor, student, front="What does a mirror do?", back="Reflect", passage_ids=[passage])
    )["items"]
    evidence = card["evidence"]
    assert (evidence["label"], evidence["material_id"], evidence["passage_ids"]) == (
        "Mirrors",
        material,
        [passage],
    )
    assert "A mirror reflects light." in evidence["quote"]
    (asked,) = (await call(executor, student, "get_due_cards"))["items"]
    assert asked["evidence"] == evidence


async def test_an_edit_keeps_the_schedule_and_gaps_come_and_go(
    executor: Executor, student: Principal
) -> None:
    first, second = (await one(executor, student, type="cloze", front=CELL, tags=["cell"]))["items"]
    before = await rate(executor, student, second, 4)
    changed = await call(
        executor, student, "update_flashcard", card_id=second["id"],
        front="Mitochondria make {{c2::much ATP}} in {{c3::animals}}.",
    )  # fmt: skip
    assert (changed["added"], changed["removed"]) == (1, 1)
    kept, made = changed["items"]
    assert (kept["id"], kept["due_at"], kept["back"]) == (second["id"], before["due_at"], "much ATP")
    assert (made["back"], made["state"], made["tags"]) == ("animals", "new", ["cell"])
    assert made["group_id"] == kept["group_id"] == first["group_id"]
    with pytest.raises(NotFound):
        await call(executor, student, "update_flashcard", card_id=first["id"], suspended=True)
    restored = await call(executor, student, "restore_item", item_id=first["id"])
    assert restored["kind"] == "flashcard"


async def test_both_directions_of_a_reversed_card_change_together(
    executor: Executor, student: Principal
) -> None:
    there, back = (await one(executor, student, type="reversed", front="le chat", back="the cat"))["items"]
    changed = await call(executor, student, "update_flashcard", card_id=back["id"], front="the tomcat")
    by_id = {c["id"]: (c["front"], c["back"]) for c in changed["items"]}
    assert by_id == {back["id"]: ("the tomcat", "le chat"), there["id"]: ("le chat", "the tomcat")}


async def test_cards_are_moved_tagged_suspended_buried_and_reset(
    executor: Executor, student: Principal
) -> None:
    card, _ = await write(executor, student, "From", "One", "Two")
    await call(executor, student, "create_flashcard", deck_id="To", front="There", back="x")
    await rate(executor, student, card, "good")

    async def change(**what: Any) -> Any:
        return (await call(executor, student, "update_flashcard", card_id="One", **what))["items"][0]

    moved = await change(deck_id="To", tags=["x"])
    assert (moved["tags"], moved["reps"]) == (["x"], 1)
    assert await texts(executor, student, "To") == ["There", "One"]
    assert await texts(executor, student, "From") == ["Two"]
    assert (await change(suspended=True))["suspended"]
    assert await texts(executor, student, "To", state="suspended") == ["One"]
    assert (await change(buried=True))["buried_until"] is not None
    fresh = await change(suspended=False, reset=True)
    assert (fresh["state"], fresh["reps"], fresh["suspended"], fresh["buried_until"]) == (
        "new",
        0,
        False,
        None,
    )
    with pytest.raises(InvalidInput, match="Nothing to change"):
        await change()
    with pytest.raises(InvalidInput, match="front cannot be null"):
        await change(front=None)


async def test_cards_of_a_deck_are_found_by_words_tags_and_state(
    executor: Executor, student: Principal
) -> None:
    await write(executor, student, "Words", "A red apple", "A green apple", "100 % red", tags=["fruit"])
    assert await texts(executor, student, "Words", query="apple RED") == ["A red apple"]
    assert await texts(executor, student, "Words", query="%") == ["100 % red"]
    assert await texts(executor, student, "Words", tag="fruit", state="new", query="answer") == [
        "A red apple", "A green apple", "100 % red"
    ]  # fmt: skip
    assert await texts(executor, student, "Words", state="leech") == []


async def test_long_cards_come_in_smaller_pages_and_none_is_lost(
    executor: Executor, student: Principal
) -> None:
    cards = [{"front": f"{n} " + "x" * 9000, "back": "y" * 9000} for n in range(9)]
    await call(executor, student, "create_flashcard", deck_id="Long", cards=cards)
    seen, cursor = [], None
    for _ in range(5):
        page = await call(executor, student, "get_deck", deck_id="Long", cursor=cursor)
        seen += [c["front"][:1] for c in page["items"]]
        cursor = page["next_cursor"]
        assert len(page["items"]) <= 3
        if cursor is None:
            break
    assert seen == [str(n) for n in range(9)]


async def test_a_deck_is_changed_deleted_and_comes_back_with_its_cards(
    executor: Executor, student: Principal
) -> None:
    await write(executor, student, "Old", "One", "Two")
    deck = await call(
        executor, student, "update_deck", deck_id="Old", title="New", scheduler="sm2", new_cards_per_day=1
    )
    assert (deck["title"], deck["due"]["new"]) == ("New", 1)
    assert (deck["settings"]["scheduler"], deck["settings"]["own"]) == (
        "sm2",
        ["scheduler", "new_cards_per_day"],
    )
    with pytest.raises(InvalidInput, match="say which"):
        await call(executor, student, "update_deck", deck_id="New", shared_with_class=True)
    gone = await call(executor, student, "delete_deck", deck_id="New")
    assert gone["card_count"] == 2
    assert (await call(executor, student, "list_decks"))["total"] == 0
    assert (await call(executor, student, "get_due_cards"))["items"] == []
    with pytest.raises(NotFound):
        await call(executor, student, "update_flashcard", card_id="One", suspended=True)
    await call(executor, student, "restore_item", item_id="New")
    assert await texts(executor, student, "New") == ["One", "Two"]


async def test_one_deleted_card_comes_back_out_of_the_bin(executor: Executor, student: Principal) -> None:
    await write(executor, student, "Deck", "One", "Two")
    await call(executor, student, "delete_flashcard", card_id="One")
    assert await texts(executor, student, "Deck") == ["Two"]
    await call(executor, student, "restore_item", item_id="One")
    assert await texts(executor, student, "Deck") == ["One", "Two"]


async def test_a_shared_deck_is_read_by_the_class_without_its_owners_schedule_but_studied_only_as_a_copy(
    storage: Storage, executor: Executor, student: Principal, stranger: Principal
) -> None:
    made = await call(executor, student, "create_class", name="Physics")
    cards = await write(executor, student, "Shared optics", "What is light?")
    await rate(executor, student, cards[0], 4)
    with pytest.raises(NotFound):
        await call(executor, stranger, "get_deck", deck_id="Shared optics")
    await call(
        executor, student, "update_deck", deck_id="Shared optics", class_id="Physics", shared_with_class=True
    )
    await join(storage, student, stranger, UUID(made["id"]))
    read = await call(executor, stranger, "get_deck", deck_id="Shared optics")
    (card,) = read["items"]
    assert (read["is_mine"], read["statistics"], card["state"], card["reps"]) == (False, None, "new", 0)
    assert (await call(executor, stranger, "list_decks"))["total"] == 0
    for tool, more in (("get_due_cards", {}), ("update_deck", {"title": "Mine"}), ("delete_deck", {})):
        with pytest.raises(Forbidden, match="copy of your own"):
            await call(executor, stranger, tool, deck_id="Shared optics", **more)
    with pytest.raises(NotFound):
        await rate(executor, stranger, card, 3)


async def join(storage: Storage, owner: Principal, member: Principal, class_id: UUID) -> None:
    code = storage.clock.new_id().hex
    async with storage.as_user(owner.user_id) as db:
        db.cards.session.add(
            EnrollmentCode(id=storage.clock.new_id(), user_id=owner.user_id, class_id=class_id, code=code)
        )
    async with storage.as_user(member.user_id) as db:
        joined = text("SELECT outcome FROM lyceum_join_class(:id, :code)")
        await db.cards.session.execute(joined, {"id": storage.clock.new_id(), "code": code})


async def test_what_is_remembered_is_counted_by_young_and_mature_as_anki_does(
    storage: Storage, student: Principal
) -> None:
    clock = SetClock()
    executor = by_clock(storage, clock)
    card, other = await write(executor, student, "Figures", "One", "Two")
    await rate(executor, student, card, "easy")
    await rate(executor, student, other, "easy")
    for rating in ("good", "good", "again"):
        found = (await call(executor, student, "get_deck", deck_id="Figures"))["items"][0]
        clock.on(days=round(found["interval_days"]))
        await rate(executor, student, card, rating)
    clock.on(minutes=1)
    stats = (await call(executor, student, "get_deck", deck_id="Figures"))["statistics"]
    kept = stats["retention"]
    assert (kept["young_passed"], kept["mature_failed"]) == (
        0,
        1,
    )  # the young ones were more than 30 days ago
    assert (kept["young"], kept["mature"], kept["all"]) == (None, 0.0, 0.0)
    today = stats["forecast"][0]
    assert (len(stats["forecast"]), today["learning"], today["due"]) == (30, 1, 1)
    assert 0.5 < today["expected_recalled"] < 0.8  # months overdue
    assert stats["by_state"] | {"leeches": 0} == {
        "new": 0, "learning": 1, "young": 1, "mature": 0, "suspended": 0, "retired": 0, "leeches": 0
    }  # fmt: skip
