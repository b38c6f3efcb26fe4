"""Tests and their questions: one's own, and those that others share."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Select, exists, or_, select, text

from storage.models import Class, ClassMember, SharedItem, Test, TestQuestion
from storage.repositories.base import Page, Repository

SHARED_QUESTIONS = text("SELECT * FROM lyceum_shared_questions(:test_id) ORDER BY ordinal")


@dataclass(frozen=True, slots=True)
class OpenQuestion:
    """A question without its key."""

    id: UUID
    ordinal: int
    type: str
    text: str
    options: list[Any]
    points: float
    difficulty: int | None
    bloom_level: str | None
    concept_id: UUID | None
    topic: str | None
    material_id: UUID | None
    gaps: int
    """Of a cloze."""
    status: str


class TestRepository(Repository):
    __test__ = False  # Not a test case, whatever pytest thinks of the name.

    def _mine(self) -> Select[Test]:
        return select(Test).where(Test.user_id == self.user_id, Test.deleted_at.is_(None))

    def _reachable(self) -> Select[Test]:
        """Own ones, those shared in a class of which one is a member or that one teaches, and those given to one. Whether
        the sharing still holds is for row-level security to say."""
        member = exists().where(ClassMember.class_id == Test.class_id, ClassMember.user_id == self.user_id)
        given = exists().where(SharedItem.test_id == Test.id, SharedItem.recipient_id == self.user_id)
        taught = select(Class.id).where(Class.user_id == self.user_id)
        shared = Test.shared_with_class & or_(member, Test.class_id.in_(taught))
        return select(Test).where(Test.deleted_at.is_(None), or_(Test.user_id == self.user_id, shared, given))

    async def resolve(self, wanted: str) -> Test:
        """One's own, by id, title or a part of the title. Raises NotFound, or Conflict listing the candidates."""
        return await self.named("test", self._mine(), wanted, Test.id, Test.title)

    async def reachable(self, wanted: str) -> Test:
        """The same among one's own and the shared ones."""
        return await self.named("test", self._reachable(), wanted, Test.id, Test.title)

    async def by_id(self, test_id: UUID) -> Test | None:
        """One's own or a shared one, unless it was deleted."""
        row: Test | None = await self.session.scalar(self._reachable().where(Test.id == test_id))
        return row

    async def recent(self, *, class_id: UUID | None, limit: int, cursor: str | None) -> Page[Test]:
        """Own and shared ones, newest first."""
        statement = self._reachable()
        if class_id is not None:
            statement = statement.where(Test.class_id == class_id)
        return await self.page(statement, Test.created_at, Test.id, limit=limit, cursor=cursor)

    async def add(self, row: Test, questions: Sequence[TestQuestion] = ()) -> Test:
        self.session.add(row)
        await self.session.flush()
        self.session.add_all(questions)
        await self.session.flush()
        return row

    async def remove(self, row: Test) -> None:
        """Into the bin."""
        row.deleted_at = self.clock.now()
        await self.session.flush()

    async def questions(self, test_id: UUID) -> Sequence[TestQuestion]:
        """Of one's own test, with their keys, in order."""
        found = select(TestQuestion).where(
            TestQuestion.test_id == test_id, TestQuestion.user_id == self.user_id
        )
        return (await self.session.scalars(found.order_by(TestQuestion.ordinal))).all()

    async def open_questions(self, row: Test) -> list[OpenQuestion]:
        """Active questions without their keys, in order; also of a shared test."""
        if row.user_id == self.user_id:
            fields = [name for name in OpenQuestion.__slots__ if name != "gaps"]
            found = [
                OpenQuestion(
                    gaps=len(one.answer.get("gaps", ())), **{name: getattr(one, name) for name in fields}
                )
                for one in await self.questions(row.id)
            ]
        else:
            rows = await self.session.execute(SHARED_QUESTIONS, {"test_id": row.id})
            found = [
                OpenQuestion(**{name: one[name] for name in OpenQuestion.__slots__})
                for one in rows.mappings()
            ]
        return [one for one in found if one.status == "active"]

    async def versions(self, row: Test) -> Sequence[Test]:
        """The versions of a test that one can reach, the first one first; none when there is but one."""
        first = row.version_of_id or row.id
        found = self._reachable().where(or_(Test.id == first, Test.version_of_id == first))
        rows = (await self.session.scalars(found.order_by(Test.version))).all()
        return rows if len(rows) > 1 else []

    async def question_for_writing(self, question_id: UUID) -> TestQuestion | None:
        """One's own question, locked until the end of the transaction."""
        found = select(TestQuestion).where(
            TestQuestion.id == question_id, TestQuestion.user_id == self.user_id
        )
        row: TestQuestion | None = await self.session.scalar(found.with_for_update())
        return row

    async def teaches(self, class_id: UUID) -> bool:
        """Whether one may see the results of the members of a class."""
        asked = text("SELECT count(*) FROM lyceum_taught_classes() AS c(id) WHERE c.id = :class_id")
        return bool(await self.session.scalar(asked, {"class_id": class_id}))
