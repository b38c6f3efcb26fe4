"""Noting what a student does: each answer and review is an interaction of a study session."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from storage.models import Interaction, StudySession
from tools.context import ToolContext
from tools.progress.days import STALE, studied_seconds
from tools.progress.metrics import end_session

ALONE = ("class_id", "deck_id", "test_id", "material_id")
"""What a session names as long as all of it is about one."""
COMPLETES = frozenset({"answer", "review"})


@dataclass(frozen=True, slots=True)
class Studied:
    """One thing that was done."""

    session_type: Literal["quiz", "flashcards", "revision", "reading"]
    type: Literal["answer", "review", "view", "hint", "skip", "rate"]
    class_id: UUID | None = None
    deck_id: UUID | None = None
    test_id: UUID | None = None
    card_id: UUID | None = None
    question_id: UUID | None = None
    material_id: UUID | None = None
    concept_id: UUID | None = None
    is_correct: bool | None = None
    response_time_ms: int | None = None
    confidence: float | None = None
    data: dict[str, Any] = field(default_factory=dict)


async def record(ctx: ToolContext, studied: Studied) -> UUID:
    """Add the interaction to the open study session of its kind, beginning one where there is none. Returns the session's id.

    Waits for other calls that note something of the same kind for the same person, so it belongs behind one's own locks.
    """
    study, now = ctx.db.study, ctx.now()
    await study.one_at_a_time(studied.session_type)
    row = await study.open_session(studied.session_type)
    last = await study.last_activity(row) if row is not None else None
    if row is not None and last is not None and now - last >= STALE:
        await end_session(ctx.db, row, last)
        row, last = None, None
    if row is None:
        row = await _begun(ctx, studied, now)
    else:
        for name in ALONE:
            if getattr(row, name) != getattr(studied, name):
                setattr(row, name, None)
    seconds = studied_seconds(last, now, studied.response_time_ms)
    await study.add(_interaction(ctx, studied, row.id, now, seconds))
    count(row, studied.type, studied.is_correct, seconds, 1)
    return row.id


async def _begun(ctx: ToolContext, studied: Studied, now: datetime) -> StudySession:
    row = StudySession(
        id=ctx.new_id(),
        user_id=ctx.principal.user_id,
        type=studied.session_type,
        status="active",
        started_at=now,
        items_completed=0,
        interaction_count=0,
        duration_seconds=0,
        state={},
        **{name: getattr(studied, name) for name in ALONE},
    )
    await ctx.db.study.add(row)
    return row


def _interaction(
    ctx: ToolContext, studied: Studied, session_id: UUID, now: datetime, seconds: float
) -> Interaction:
    return Interaction(
        id=ctx.new_id(),
        created_at=now,
        user_id=ctx.principal.user_id,
        session_id=session_id,
        class_id=studied.class_id,
        concept_id=studied.concept_id,
        card_id=studied.card_id,
        question_id=studied.question_id,
        material_id=studied.material_id,
        type=studied.type,
        is_correct=studied.is_correct,
        response_time_ms=studied.response_time_ms,
        confidence=studied.confidence,
        data={**studied.data, "seconds": round(seconds, 3)},
    )


def count(row: StudySession, type: str, is_correct: bool | None, seconds: float, times: int) -> None:
    """Add an interaction to the counts of its session, or with `times` -1 take it off them."""
    row.interaction_count += times
    row.items_completed += times if type in COMPLETES else 0
    state = row.state
    total = max(0.0, float(state.get("seconds", 0.0)) + times * seconds)
    judged = state.get("judged", 0) + (times if is_correct is not None else 0)
    right = state.get("right", 0) + (times if is_correct else 0)
    row.state = {**state, "seconds": round(total, 3), "judged": judged, "right": right}
    row.duration_seconds = round(total)
    row.score = 100 * right / judged if judged else None


async def take_back(ctx: ToolContext, session_id: UUID | None, card_id: UUID) -> None:
    """A review was undone: its interaction goes, and the counts of its session with it. Nothing happens where there is none."""
    row = await _locked(ctx, session_id)
    found = await ctx.db.study.last_interaction(row.id, card_id=card_id) if row else None
    if row is not None and found is not None:
        count(row, found.type, found.is_correct, float(found.data.get("seconds", 0.0)), -1)
        await ctx.db.study.remove(found)


async def amend(ctx: ToolContext, session_id: UUID | None, question_id: UUID, *, is_correct: bool) -> None:
    """An answer got its grade later, or another one on appeal: its interaction and the session's score follow."""
    row = await _locked(ctx, session_id)
    found = await ctx.db.study.last_interaction(row.id, question_id=question_id) if row else None
    if row is not None and found is not None:
        count(row, "grade", found.is_correct, 0.0, -1)
        count(row, "grade", is_correct, 0.0, 1)
        found.is_correct = is_correct


async def _locked(ctx: ToolContext, session_id: UUID | None) -> StudySession | None:
    row = await ctx.db.study.session_of(session_id) if session_id else None
    if row is None:
        return None
    await ctx.db.study.one_at_a_time(row.type)
    return await ctx.db.study.session_of(row.id)
