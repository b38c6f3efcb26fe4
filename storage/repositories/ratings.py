"""What a person thinks of items, and taking badly rated ones out of use."""

from uuid import UUID

from sqlalchemy import func, select, text

from storage.errors import NotFound
from storage.models import Deck, Document, Feedback, Flashcard, Message, Note, Test, TestQuestion
from storage.repositories.base import Repository

Ratable = Flashcard | TestQuestion | Note | Document | Message
ONE_AT_A_TIME = text("SELECT pg_advisory_xact_lock(hashtextextended('rating:' || :user, 0))")


class RatingRepository(Repository):
    async def one_at_a_time(self) -> None:
        """Until this transaction ends no other rates anything for this person."""
        await self.session.execute(ONE_AT_A_TIME, {"user": str(self.user_id)})

    async def target(self, kind: str, item_id: UUID) -> Ratable:
        """A live item that this person may read, own or shared: the policies of the database say which. Raises NotFound."""
        statements = {
            "card": select(Flashcard).join(Deck, Deck.id == Flashcard.deck_id).where(
                Flashcard.id == item_id, Flashcard.deleted_at.is_(None), Deck.deleted_at.is_(None)
            ),
            "question": select(TestQuestion).join(Test, Test.id == TestQuestion.test_id).where(
                TestQuestion.id == item_id, Test.deleted_at.is_(None)
            ),
            "note": select(Note).where(Note.id == item_id, Note.deleted_at.is_(None)),
            "document": select(Document).where(Document.id == item_id, Document.deleted_at.is_(None)),
            "message": select(Message).where(Message.id == item_id, Message.role == "assistant"),
        }  # fmt: skip
        row: Ratable | None = await self.session.scalar(statements[kind])
        if row is None:
            said = "answer of the chat" if kind == "message" else kind
            raise NotFound(f"No {said} has the id {item_id}.", code=f"{kind}_not_found")
        return row

    async def rating_of(self, kind: str, item_id: UUID) -> Feedback | None:
        """This person's rating of the item, when there is one."""
        mine = select(Feedback).where(
            Feedback.user_id == self.user_id,
            getattr(Feedback, f"{kind}_id") == item_id,
            Feedback.rating.is_not(None),
            Feedback.status == "active",
        )
        return await self.session.scalar(mine.order_by(Feedback.created_at.desc()).limit(1))

    async def add(self, row: Feedback) -> None:
        self.session.add(row)
        await self.session.flush()

    async def count_again(self, test_id: UUID) -> None:
        """Question count and points of one's own test, from its active questions."""
        test = await self.session.scalar(
            select(Test).where(Test.id == test_id, Test.user_id == self.user_id).with_for_update()
        )
        if test is None:
            return
        await self.session.flush()
        active = select(func.count(), func.coalesce(func.sum(TestQuestion.points), 0.0)).where(
            TestQuestion.test_id == test_id,
            TestQuestion.user_id == self.user_id,
            TestQuestion.status == "active",
        )
        test.question_count, test.total_points = (await self.session.execute(active)).one()
        await self.session.flush()
