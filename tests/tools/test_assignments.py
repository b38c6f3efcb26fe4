"""What is due: one's own, and what is set for a class, in everybody's own time zone and with everybody's own progress."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

from storage.errors import Conflict, Forbidden, InvalidInput, NotFound
from storage.models import Deck, EnrollmentCode
from storage.resources import Storage
from tests.clocks import LaterClock
from tests.work import call
from tools.catalog import CATALOG
from tools.context import Principal
from tools.executor import Executor


class FixedClock(LaterClock):
    """A Saturday evening."""

    def now(self) -> datetime:
        return datetime(2026, 11, 21, 17, 0, tzinfo=UTC)


@pytest.fixture
def saturday(storage: Storage) -> Executor:
    return Executor(CATALOG, replace(storage, clock=FixedClock(timedelta())))


async def biology(executor: Executor, who: Principal) -> str:
    made = await call(executor, who, "create_class", name="Biology")
    return str(made["id"])


async def join(
    storage: Storage, owner: Principal, who: Principal, class_id: str, role: str = "student"
) -> None:
    code = storage.clock.new_id()
    async with storage.as_user(owner.user_id) as db:
        db.classes.session.add(
            EnrollmentCode(id=code, user_id=owner.user_id, class_id=UUID(class_id), code=code.hex, role=role)
        )
    async with storage.as_user(who.user_id) as db:
        joined = text("SELECT outcome FROM lyceum_join_class(:id, :code)")
        outcome = await db.classes.session.scalar(joined, {"id": storage.clock.new_id(), "code": code.hex})
    assert outcome == "joined"


async def add(executor: Executor, who: Principal, title: str, due_at: str, **more: Any) -> Any:
    given = {"class_id": "Biology", "title": title, "due_at": due_at, **more}
    return await call(executor, who, "create_assignment", **given)


async def test_a_day_is_due_at_its_end_in_the_time_zone_of_the_profile(
    saturday: Executor, student: Principal
) -> None:
    await biology(saturday, student)
    plain = await add(saturday, student, "Essay", "Friday")
    assert plain["due_at"] == "2026-11-27T23:59:59Z"
    await call(saturday, student, "update_profile", timezone="America/New_York")
    here = await add(saturday, student, "Lab", "tomorrow at 5 pm")
    assert here["due_at"] == "2026-11-22T17:00:00-05:00"
    listed = await call(saturday, student, "list_assignments")
    assert [(i["title"], i["due_at"]) for i in listed["items"]] == [
        ("Lab", "2026-11-22T17:00:00-05:00"),
        ("Essay", "2026-11-27T18:59:59-05:00"),
    ]
    assert listed["today"] == "2026-11-21T12:00:00-05:00"


async def test_what_is_due_soonest_comes_first_page_by_page(saturday: Executor, student: Principal) -> None:
    await biology(saturday, student)
    for day in (3, 1, 5, 2, 4):
        await add(saturday, student, f"Task {day}", f"2026-12-0{day}")
    seen, cursor = [], None
    while True:
        page = await call(
            saturday, student, "list_assignments", limit=2, **({"cursor": cursor} if cursor else {})
        )
        assert page["total"] == 5
        seen += [item["title"] for item in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert seen == [f"Task {day}" for day in (1, 2, 3, 4, 5)]


async def test_lists_can_be_narrowed_to_a_time_a_status_a_class_and_to_what_is_overdue(
    saturday: Executor, student: Principal
) -> None:
    await biology(saturday, student)
    await call(saturday, student, "create_class", name="Physics")
    await add(saturday, student, "Late", "2026-11-20")
    await add(saturday, student, "Late but done", "2026-11-19")
    await add(saturday, student, "Soon", "tomorrow")
    await add(saturday, student, "Later", "2026-11-25", class_id="Physics", type="exam")
    await call(saturday, student, "update_assignment", assignment_id="Late but done", status="done")

    async def titles(**narrow: Any) -> list[str]:
        listed = await call(saturday, student, "list_assignments", **narrow)
        return [item["title"] for item in listed["items"]]

    assert await titles() == ["Late but done", "Late", "Soon", "Later"]
    assert await titles(status="open") == ["Late", "Soon", "Later"]
    assert await titles(status="done") == ["Late but done"]
    assert await titles(overdue=True) == ["Late"]
    assert await titles(overdue=False) == ["Soon", "Later"]
    assert await titles(due_to="this week", status="open") == ["Late", "Soon"]
    assert await titles(due_from="next week", due_to="next week") == ["Later"]
    assert await titles(class_id="Physics") == ["Later"]
    flags = {i["title"]: i["overdue"] for i in (await call(saturday, student, "list_assignments"))["items"]}
    assert flags == {"Late but done": False, "Late": True, "Soon": False, "Later": False}


async def test_done_is_noted_with_its_time_and_can_be_taken_back(
    saturday: Executor, student: Principal
) -> None:
    await biology(saturday, student)
    await add(saturday, student, "Essay", "Friday")
    done = await call(saturday, student, "update_assignment", assignment_id="essay", status="done")
    assert (done["status"], done["completed_at"]) == ("done", "2026-11-21T17:00:00Z")
    again = await call(saturday, student, "update_assignment", assignment_id="Essay", status="pending")
    assert (again["status"], again["completed_at"]) == ("pending", None)


async def test_only_the_arguments_that_are_given_change(saturday: Executor, student: Principal) -> None:
    await biology(saturday, student)
    made = await add(saturday, student, "Essay", "Friday", description="Two pages")
    moved = await call(
        saturday, student, "update_assignment", assignment_id=made["id"], due_at="2026-12-24T08:00"
    )
    assert (moved["due_at"], moved["title"], moved["description"]) == (
        "2026-12-24T08:00:00Z",
        "Essay",
        "Two pages",
    )
    bare = await call(saturday, student, "update_assignment", assignment_id=made["id"], description=None)
    assert bare["description"] is None
    with pytest.raises(InvalidInput, match="Nothing to change"):
        await call(saturday, student, "update_assignment", assignment_id=made["id"])
    with pytest.raises(InvalidInput, match="needs a title"):
        await call(saturday, student, "update_assignment", assignment_id=made["id"], title=None)
    with pytest.raises(InvalidInput, match="not a date"):
        await call(saturday, student, "update_assignment", assignment_id=made["id"], due_at="someday")


async def test_material_and_cards_are_linked_by_name_and_only_own_ones(
    storage: Storage, saturday: Executor, student: Principal, stranger: Principal
) -> None:
    class_id = await biology(saturday, student)
    taken = await call(saturday, student, "add_text", class_id=class_id, title="Chapter 3", text="Cells.")
    deck = storage.clock.new_id()
    async with storage.as_user(student.user_id) as db:
        db.classes.session.add(Deck(id=deck, user_id=student.user_id, title="Cell cards"))
    made = await add(
        saturday, student, "Read", "Friday", type="reading", material_id="chapter 3", deck_id="Cell cards"
    )
    assert (made["material_id"], made["deck_id"]) == (taken["material_id"], str(deck))
    unlinked = await call(saturday, student, "update_assignment", assignment_id="Read", deck_id=None)
    assert (unlinked["material_id"], unlinked["deck_id"]) == (taken["material_id"], None)
    await biology(saturday, stranger)
    with pytest.raises(NotFound):
        await add(saturday, stranger, "Steal", "Friday", deck_id=str(deck))


async def test_a_class_assignment_is_everybodys_with_progress_of_their_own(
    storage: Storage, saturday: Executor, student: Principal, stranger: Principal
) -> None:
    teacher, member = student, stranger
    class_id = await biology(saturday, teacher)
    await add(saturday, teacher, "For myself", "Friday")
    assert (await call(saturday, member, "list_assignments"))["items"] == []
    await join(storage, teacher, member, class_id)
    await add(saturday, teacher, "For all", "Friday", for_class=True)
    (seen,) = (await call(saturday, member, "list_assignments", class_id="biology"))["items"]
    assert (seen["title"], seen["own"], seen["status"], seen["class_name"]) == (
        "For all",
        False,
        "pending",
        "Biology",
    )
    for status in ("in_progress", "done"):
        await call(saturday, member, "update_assignment", assignment_id="For all", status=status)
    (done,) = (await call(saturday, member, "list_assignments", status="done"))["items"]
    assert done["completed_at"] == "2026-11-21T17:00:00Z"
    assert (await call(saturday, member, "list_assignments", status="open"))["items"] == []
    mine = (await call(saturday, teacher, "list_assignments"))["items"]
    assert {item["title"]: item["status"] for item in mine} == {"For myself": "pending", "For all": "pending"}


async def test_a_member_changes_only_their_status_and_sets_nothing_for_the_class(
    storage: Storage, saturday: Executor, student: Principal, stranger: Principal
) -> None:
    class_id = await biology(saturday, student)
    await join(storage, student, stranger, class_id)
    await add(saturday, student, "For all", "Friday", for_class=True)
    with pytest.raises(Forbidden, match="own status"):
        await call(saturday, stranger, "update_assignment", assignment_id="For all", title="Nothing")
    with pytest.raises(Forbidden, match="set by somebody else"):
        await call(saturday, stranger, "delete_assignment", assignment_id="For all")
    with pytest.raises(Forbidden, match="who teach"):
        await add(saturday, stranger, "Party", "Friday", for_class=True)
    own = await add(saturday, stranger, "My own reading", "Friday")
    assert own["own"] is True
    with pytest.raises(Forbidden, match="who teach"):
        await call(saturday, stranger, "update_assignment", assignment_id=own["id"], for_class=True)


async def test_who_teaches_with_the_owner_may_set_for_the_class(
    storage: Storage, saturday: Executor, student: Principal, stranger: Principal
) -> None:
    class_id = await biology(saturday, student)
    await join(storage, student, stranger, class_id, role="teacher")
    await add(saturday, stranger, "From my colleague", "Friday", for_class=True)
    (seen,) = (await call(saturday, student, "list_assignments"))["items"]
    assert seen["title"] == "From my colleague"


async def test_a_deleted_assignment_is_gone_and_comes_back_out_of_the_bin(
    saturday: Executor, student: Principal
) -> None:
    await biology(saturday, student)
    await add(saturday, student, "Essay", "Friday")
    await call(saturday, student, "delete_assignment", assignment_id="Essay")
    assert (await call(saturday, student, "list_assignments"))["total"] == 0
    await call(saturday, student, "restore_item", item_id="Essay")
    assert (await call(saturday, student, "list_assignments"))["total"] == 1


async def test_an_ambiguous_title_lists_the_candidates(saturday: Executor, student: Principal) -> None:
    await biology(saturday, student)
    await add(saturday, student, "Essay one", "Friday")
    await add(saturday, student, "Essay two", "Friday")
    with pytest.raises(Conflict, match=r"Essay two.*Essay one"):
        await call(saturday, student, "update_assignment", assignment_id="essay", status="done")
