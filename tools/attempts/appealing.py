"""The second look at a grade: asks for it, takes it, and lets the key learn from it."""

from dataclasses import dataclass
from uuid import UUID

from storage.errors import Conflict
from storage.models import AttemptAnswer, TestAttempt
from tools.attempts.finishing import judge_of, total
from tools.attempts.showing import asked_of, given_of
from tools.context import ToolContext
from tools.grading.appeals import SecondLook, look_again
from tools.grading.asked import Asked, Response
from tools.progress.recording import amend
from tools.study.keys import ClozeKey, Expected, Key, ShortKey, key_of

MOST_ACCEPTED = 40
"""Other wordings that one key collects."""


@dataclass(frozen=True, slots=True)
class Case:
    """What the second look needs, so that it can be taken without a transaction."""

    answer_id: UUID
    asked: Asked
    key: Key
    response: Response
    source: str


async def opened(ctx: ToolContext, answer: AttemptAnswer, plea: str) -> Case:
    """Take the appeal down. Raises Conflict when there is nothing to appeal against, or it was decided."""
    given, asked = given_of(answer), asked_of(answer)
    key = asked.key
    if key is None or answer.points is None:
        raise Conflict(
            "This answer has no grade yet. Hand the test in with submit_test first.", code="not_graded"
        )
    if given is None:
        raise Conflict("This question was not answered, so there is nothing to look at.", code="not_answered")
    if answer.appeal_status in ("upheld", "rejected"):
        raise Conflict(f"The second look was taken already: {answer.appeal_outcome}", code="appeal_decided")
    if answer.is_correct:
        raise Conflict("This answer has all its points.", code="already_right")
    answer.appeal_status, answer.appeal_text, answer.appealed_at = "open", plea, ctx.now()
    return Case(answer.id, asked, key, given, await _source(ctx, asked))


async def _source(ctx: ToolContext, asked: Asked) -> str:
    """What the question was made from: its passages where they are one's own, always the quote and the explanation."""
    chunks = await ctx.db.materials.chunks(asked.source_chunk_ids) if asked.source_chunk_ids else {}
    texts = [chunks[one].text for one in asked.source_chunk_ids if one in chunks]
    return "\n".join([*texts, *(text for text in (asked.quote, asked.explanation) if text)])


async def decide(ctx: ToolContext, case: Case, plea: str) -> SecondLook:
    """The second look itself."""
    return await look_again(case.asked, case.key, case.response, plea, case.source, judge_of(ctx))


async def settle(ctx: ToolContext, row: TestAttempt, answer: AttemptAnswer, look: SecondLook) -> bool:
    """Store what was found. Points only ever rise. True when they did."""
    if answer.appeal_status != "open":
        return answer.appeal_status == "upheld"
    before = answer.points or 0.0
    points = look.grade.points(answer.max_points)
    upheld = points > before
    answer.appeal_status = "upheld" if upheld else "rejected"
    answer.appeal_outcome = look.grade.why
    answer.points_before_appeal = before
    if not upheld:
        return False
    answer.grading = {
        **look.grade.detail,
        "first": {"by": answer.graded_by, "why": answer.grading_explanation},
    }
    answer.points, answer.is_correct, answer.graded_by = points, look.grade.is_correct, "appeal"
    answer.grading_explanation = look.grade.why
    if row.graded_at is not None:
        total(row, await ctx.db.attempts.answers(row.id))
    if answer.question_id is not None:
        await amend(ctx, asked_of(answer).session_id, answer.question_id, is_correct=answer.is_correct)
        await _teach(ctx, answer.question_id, look)
    return True


async def _teach(ctx: ToolContext, question_id: UUID, look: SecondLook) -> None:
    """The key of one's own question accepts the wording from now on. A test of somebody else's is theirs to change."""
    question = await ctx.db.tests.question_for_writing(question_id) if look.accepted else None
    if question is None:
        return
    key = key_of(question.answer)
    for gap, text in look.accepted:
        key = widened(key, gap, text)
    question.answer = key.model_dump(mode="json")


def widened(key: Key, gap: int, text: str) -> Key:
    """The key with one more wording of a gap, or of a short answer."""
    if isinstance(key, ShortKey):
        return key.model_copy(update={"expected": _accepting(key.expected, text)})
    if isinstance(key, ClozeKey):
        return key.model_copy(
            update={"gaps": [_accepting(one, text) if n == gap else one for n, one in enumerate(key.gaps)]}
        )
    return key


def _accepting(expected: Expected, text: str) -> Expected:
    if text in expected.accepted or len(expected.accepted) >= MOST_ACCEPTED:
        return expected
    return expected.model_copy(update={"accepted": [*expected.accepted, text]})
