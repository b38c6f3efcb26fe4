"""What a rating does: it is kept, and a bad one takes the person's own item out of use until it is rated better."""

from dataclasses import dataclass
from typing import Any, Literal
from uuid import UUID

from storage.models import Feedback, Flashcard, TestQuestion
from storage.repositories.ratings import Ratable
from tools.context import ToolContext

Kind = Literal["card", "question", "note", "document", "message"]
BAD = 2
"""A rating of so much or less is bad."""
STARS = 5


@dataclass(frozen=True, slots=True)
class Outcome:
    quality_score: float | None
    retired: bool
    replaced: bool


def lowered(score: float | None, rating: int) -> float | None:
    """The gate's judgement after a rating: a bad one leaves the share of it that its stars are above one, 1 of 5 nothing and
    2 of 5 a quarter; better ones leave it alone."""
    if score is None or rating > BAD:
        return score
    return round(score * (rating - 1) / (STARS - 1), 4)


async def rate(
    ctx: ToolContext, kind: Kind, item_id: UUID, rating: int, comment: str | None, *, report: bool
) -> Outcome:
    """Keep the rating in place of an earlier one, and act on it where the item is the person's own. Raises NotFound."""
    ratings = ctx.db.ratings
    row = await ratings.target(kind, item_id)
    await ratings.one_at_a_time()
    known = await ratings.rating_of(kind, item_id)
    is_own = row.user_id == ctx.principal.user_id
    before = known.context if known is not None else {}
    context: dict[str, Any] = {"own": is_own}
    if is_own:
        context["quality_score"] = before.get("quality_score", getattr(row, "quality_score", None))
        context["retired"] = await _act(ctx, row, rating, context["quality_score"], was=before.get("retired"))
    fresh = known or Feedback(
        id=ctx.new_id(),
        user_id=ctx.principal.user_id,
        created_at=ctx.now(),
        status="active",
        **{f"{kind}_id": item_id},
    )
    fresh.type = "report" if report else "rating"
    fresh.rating, fresh.comment, fresh.context = rating, comment, context
    await ratings.add(fresh)
    retired = isinstance(row, Flashcard | TestQuestion) and row.status == "retired"
    return Outcome(getattr(row, "quality_score", None), retired, replaced=known is not None)


async def _act(ctx: ToolContext, row: Ratable, rating: int, score: float | None, *, was: bool | None) -> bool:
    """Lower the score, retire or bring back. Gives whether this rating keeps the item retired; what something else retired
    stays so."""
    if hasattr(row, "quality_score"):
        row.quality_score = lowered(score, rating)
    if not isinstance(row, Flashcard | TestQuestion):
        return False
    is_bad = rating <= BAD
    changed = (is_bad and row.status == "active") or (not is_bad and bool(was))
    if changed:
        row.status = "retired" if is_bad else "active"
    if changed and isinstance(row, TestQuestion):
        await ctx.db.ratings.count_again(row.test_id)
    return is_bad and (changed or bool(was))
