"""Anki packages there and back, through Anki's own library."""

import asyncio
import base64
import json
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from storage.models import CardReview, Class, Deck, Flashcard, Material
from storage.resources import Storage
from tests.study.anki_collections import PNG, looked_at, make_package
from tests.work import call, run_job
from tools.context import Principal
from tools.executor import Executor


async def imported(storage: Storage, executor: Executor, who: Principal, package: Path, **more: Any) -> Any:
    """The result of the import's job."""
    content = base64.b64encode(await asyncio.to_thread(package.read_bytes)).decode()
    started = await call(executor, who, "import_deck", filename=package.name, content_base64=content, **more)
    assert started["format"] == "apkg"
    return await result_of(storage, who, started["job_id"])


async def result_of(storage: Storage, who: Principal, job_id: str) -> Any:
    await run_job(storage, who, UUID(job_id))
    async with storage.as_user(who.user_id, read_only=True) as db:
        job = await db.jobs.get(UUID(job_id))
    assert job.status == "succeeded", (job.error_code, job.error)
    return job.result


async def exported(
    storage: Storage, executor: Executor, who: Principal, deck: str, path: Path, **more: Any
) -> Path:
    started = await call(executor, who, "export_deck", deck_id=deck, **more)
    await run_job(storage, who, UUID(started["job_id"]))
    async with storage.as_user(who.user_id) as db:
        export = await db.exports.get(UUID(started["export_id"]))
        assert export.status == "ready", (await db.jobs.get(UUID(started["job_id"]))).error
        file = await db.materials.file(export.file_id) if export.file_id else None
    assert file is not None
    data = b"".join([part async for part in storage.files.read(file.object_key)])
    await asyncio.to_thread(path.write_bytes, data)
    return path


async def cards_in(
    storage: Storage, who: Principal, deck_id: str
) -> list[tuple[Flashcard, list[CardReview]]]:
    async with storage.as_user(who.user_id, read_only=True) as db:
        cards = await db.exchange.cards_of(UUID(deck_id))
        reviews = await db.exchange.reviews_of([card.id for card in cards])
    return [(card, reviews.get(card.id, [])) for card in cards]


def seen(cards: list[tuple[Flashcard, list[CardReview]]]) -> list[Any]:
    """All that a round trip must keep, in the order of fronts and gaps."""
    return sorted(
        (
            [
                card.type, card.front, card.back, card.gap, card.extra, sorted(card.tags), card.state, card.scheduler,
                card.due_at and card.due_at.timestamp(), card.interval_days, card.ease_factor, card.stability, card.difficulty,
                card.reps, card.lapses, card.suspended_at is not None, card.buried_until is not None, card.anki_guid,
                [(r.imported_id, r.rating, r.scheduled_days, r.duration_ms, r.after) for r in reviews],
            ]
            for card, reviews in cards
        ),
        key=str,
    )  # fmt: skip


@pytest.fixture(scope="module")
async def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("anki")


@pytest.fixture(scope="module")
async def package(folder: Path) -> Path:
    return await make_package(folder)


@pytest.fixture(scope="module")
async def result(storage: Storage, executor: Executor, new_user: Principal, package: Path) -> Any:
    return await imported(storage, executor, new_user, package)


async def test_every_stock_note_type_comes_in(storage: Storage, new_user: Principal, result: Any) -> None:
    decks = {deck["title"]: deck["id"] for deck in result["decks"]}
    assert set(decks) == {"Bio", "Bio::Cells"}
    assert result["cards"] == 10
    cells = [card for card, _ in await cards_in(storage, new_user, decks["Bio::Cells"])]
    sides = {(card.type, card.front, card.back, card.gap) for card in cells}
    assert sides == {
        ("basic", "What is **this**?\n![](cell%20one.png)", "A cell: $E=mc^2 < 1$", None),
        ("reversed", "Hund [sound:moo.mp3]", "dog", 1),
        ("reversed", "dog", "Hund [sound:moo.mp3]", 2),
        ("reversed", "Katze", "cat", 1),
        ("reversed", "cat", "Katze", 2),
        ("basic", "Maus", "mouse", None),
        ("basic", "2 + 2", "4", None),
    }
    assert {tuple(card.tags) for card in cells} == {(), ("bio::cells", "exam")}
    root = [card for card, _ in await cards_in(storage, new_user, decks["Bio"])]
    text = "The {{c1::mitochondrion::organelle}} makes {{c2::$\\frac{a}{{2} }$}} and {{c1::heat}}"
    assert {(card.type, card.front, card.back, card.gap, card.extra) for card in root} == {
        ("cloze", text, "mitochondrion, heat", 1, "*see ch. 3*"),
        ("cloze", text, "$\\frac{a}{{2} }$", 2, "*see ch. 3*"),
        ("basic", "la maison", "the house\nJe suis à la maison.", None, None),
    }


async def test_states_and_reviews_come_in(storage: Storage, new_user: Principal, result: Any) -> None:
    cards = [pair for deck in result["decks"] for pair in await cards_in(storage, new_user, deck["id"])]
    answered = [(card, reviews) for card, reviews in cards if card.reps]
    assert len(answered) >= 5
    assert result["reviews"] == sum(len(reviews) for _, reviews in cards) >= 5
    for card, reviews in answered:
        assert card.state in ("learning", "review", "relearning")
        assert card.stability
        assert card.difficulty
        assert card.due_at
        assert card.scheduler == "fsrs"
        assert card.last_reviewed_at == reviews[-1].reviewed_at
    assert sum(card.suspended_at is not None for card, _ in cards) == 1
    assert sum(card.buried_until is not None for card, _ in cards) == 1
    assert result["skipped"] == {"entries of the review log that are no reviews, but days set by hand": 1}


async def test_media_are_kept_once(storage: Storage, new_user: Principal, result: Any) -> None:
    assert result["media"] == 2
    deck = next(deck["id"] for deck in result["decks"] if deck["title"] == "Bio::Cells")
    async with storage.as_user(new_user.user_id, read_only=True) as db:
        media = {one.name: one.file for one in await db.exchange.media_of(UUID(deck))}
    assert set(media) == {"cell one.png", "moo.mp3"}
    assert media["cell one.png"].media_type == "image/png"
    key = media["cell one.png"].object_key
    assert b"".join([part async for part in storage.files.read(key)]) == PNG


async def test_the_same_package_again_changes_nothing(
    storage: Storage, executor: Executor, new_user: Principal, package: Path, result: Any
) -> None:
    again = await imported(storage, executor, new_user, package)
    assert (again["cards"], again["updated"], again["unchanged"]) == (0, 0, 10)
    assert (again["reviews"], again["media"]) == (0, 0)
    assert again["decks"] == result["decks"]


async def test_there_and_back_through_anki_is_equal(
    storage: Storage, executor: Executor, new_user: Principal, stranger: Principal, folder: Path, result: Any
) -> None:
    deck = next(deck for deck in result["decks"] if deck["title"] == "Bio::Cells")
    ours = await exported(storage, executor, new_user, deck["id"], folder / "ours.apkg")
    back = folder / "back.apkg"
    in_anki = await looked_at(folder, ours, again=back, deck="Bio::Cells")
    assert in_anki["is_sound"]
    assert in_anki["media"] == ["cell one.png", "moo.mp3"]
    returned = await imported(storage, executor, stranger, back)
    assert returned["cards"] == 7
    before = await cards_in(storage, new_user, deck["id"])
    after = await cards_in(storage, stranger, returned["decks"][0]["id"])
    assert seen(after) == seen(before)


async def test_what_was_made_here_opens_in_anki_and_comes_back_as_the_same_cards(
    storage: Storage, executor: Executor, student: Principal, folder: Path
) -> None:
    deck_id = await our_deck(storage, student)
    ours = await exported(storage, executor, student, "Heat", folder / "heat.apkg")
    back = folder / "heat-back.apkg"
    in_anki = await looked_at(folder, ours, again=back, edit="function", deck="Heat")
    assert in_anki["is_sound"]
    assert in_anki["note_types"] == [
        "Lyceum Basic",
        "Lyceum Basic (and reversed card)",
        "Lyceum Cloze",
        "Lyceum Multiple Choice",
    ]
    by_type = {note["type"]: note for note in in_anki["notes"].values()}
    basic = by_type["Lyceum Basic"]
    assert basic["fields"]["Front"] == "What is <strong>entropy</strong>, \\(\\Delta S &lt; 0\\)?"
    assert basic["fields"]["Quote"] == "Entropy &lt;never&gt; falls."
    link = 'href="http://127.0.0.1:8000/api/materials/'
    assert basic["fields"]["Source"].startswith(f"<a {link}")
    assert basic["fields"]["Source"].endswith('/pages/57.png">Thermodynamics, page 57</a>')
    (card,) = basic["cards"]
    assert (card["type"], card["queue"], card["ivl"], card["due"], card["reps"], card["lapses"]) == (
        2,
        2,
        12,
        5,
        3,
        1,
    )
    assert (card["s"], card["d"], card["factor"], card["deck"]) == (12.5, 4.25, 2300, "Heat")
    # time in ms, rating, days, days before, difficulty 4.25 as Anki keeps it, duration, kind
    assert [row[1:] for row in card["revlog"]] == [[3, 12, 5, 461, 4200, 1]]
    assert basic["tags"] == ["leech", "second_law"]
    cloze = by_type["Lyceum Cloze"]
    assert [card["ord"] for card in cloze["cards"]] == [0, 1]
    assert [card["queue"] for card in cloze["cards"]] == [-1, 0]
    assert "[state]" in cloze["cards"][0]["question"]
    both = by_type["Lyceum Basic (and reversed card)"]
    assert (both["fields"]["Front"], both["fields"]["Back"], len(both["cards"])) == ("heat", "Wärme", 2)

    before = {card.id: card for card, _ in await cards_in(storage, student, deck_id)}
    result = await imported(storage, executor, student, back)
    after = await cards_in(storage, student, deck_id)
    assert (result["cards"], result["reviews"]) == (0, 0)
    assert (result["updated"], result["unchanged"]) == (2, 4)
    assert {card.id for card, _ in after} == set(before)
    for card, _ in after:
        old = before[card.id]
        if card.type == "cloze":
            assert card.front == old.front + " edited"
        else:
            assert (card.front, card.options, card.extra, card.quote) == (
                old.front,
                old.options,
                old.extra,
                old.quote,
            )
        assert (card.due_at, card.stability, card.state) == (old.due_at, old.stability, old.state)

    # A review here that is newer than the package stays what the card goes by.
    later = storage.clock.now()
    async with storage.as_user(student.user_id) as db:
        row = next(card for card in await db.exchange.cards_of(UUID(deck_id)) if card.reps)
        row.last_reviewed_at, row.due_at, row.stability = later, later + timedelta(days=30), 30.0
    result = await imported(storage, executor, student, ours)
    assert (result["cards"], result["updated"], result["unchanged"]) == (0, 0, 6)
    row = next(card for card, _ in await cards_in(storage, student, deck_id) if card.reps)
    assert (row.stability, row.due_at) == (30.0, later + timedelta(days=30))


async def our_deck(storage: Storage, who: Principal) -> str:
    """A deck with a card of each type; the basic one has evidence, a schedule and a review."""
    now, new_id = storage.clock.now(), storage.clock.new_id
    deck_id, material, klass, card, pair, text = (new_id() for _ in range(6))
    locator = {"material_id": str(material), "material_title": "Thermodynamics", "segment": 56, "page": 57}
    common = {"user_id": who.user_id, "deck_id": deck_id}
    choices = [{"id": "b", "text": "$T$"}, {"id": "a", "text": "pressure"}]
    cloze = {
        "front": "{{c1::Entropy::state}} is a function of {{c2::state}}.",
        "type": "cloze",
        "group_id": text,
    }
    rows = [
        Class(id=klass, user_id=who.user_id, name="Physics", collection_prefix=f"x_{klass.hex}"),
        Material(id=material, user_id=who.user_id, class_id=klass, title="Thermodynamics", kind="textbook", status="ready", checksum=b"x"),
        Deck(id=deck_id, user_id=who.user_id, title="Heat"),
        Flashcard(
            id=card, ordinal=0, front="What is **entropy**, $\\Delta S < 0$?", back="A measure.", extra="Think of *ice*.", tags=["second law"],
            quote="Entropy <never> falls.", locator=locator, material_id=material, model="builtin", state="review", stability=12.5, difficulty=4.25,
            due_at=now + timedelta(days=5), last_reviewed_at=now - timedelta(days=7), interval_days=12.0, ease_factor=2.3, reps=3, lapses=1,
            is_leech=True, **common,
        ),
        Flashcard(id=new_id(), ordinal=1, type="reversed", front="heat", back="Wärme", group_id=pair, **common),
        Flashcard(id=new_id(), ordinal=2, type="reversed", front="Wärme", back="heat", group_id=pair, **common),
        Flashcard(id=new_id(), ordinal=3, back="Entropy", gap=1, suspended_at=now, **cloze, **common),
        Flashcard(id=new_id(), ordinal=4, back="state", gap=2, **cloze, **common),
        Flashcard(id=new_id(), ordinal=5, type="multiple_choice", front="Which is temperature?", back="$T$", options=choices, **common),
    ]  # fmt: skip
    before = {"state": "review", "interval_days": 5.0}
    review = CardReview(
        id=new_id(), user_id=who.user_id, card_id=card, reviewed_at=now - timedelta(days=7), scheduler="fsrs", rating=3, duration_ms=4200,
        scheduled_days=12.0, before=before, after={"difficulty": 4.25, "state": "review"},
    )  # fmt: skip
    async with storage.database.transaction(who.user_id) as session:
        for row in [*rows, review]:
            session.add(row)
            await session.flush()
    return str(deck_id)


async def test_without_history_cards_leave_as_new_ones(
    storage: Storage, executor: Executor, student: Principal, folder: Path
) -> None:
    await our_deck(storage, student)
    wanted = {"format": "json", "with_history": False}
    path = await exported(storage, executor, student, "Heat", folder / "plain.json", **wanted)
    notes = json.loads(await asyncio.to_thread(path.read_text))["notes"]
    cards = [card for note in notes for card in note["cards"]]
    assert {card["schedule"]["state"] for card in cards} == {"new"}
    assert not any(card["reviews"] for card in cards)
