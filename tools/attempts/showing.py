"""Rows of tests and attempts as the tools answer them."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar, cast
from uuid import UUID

from storage.errors import InvalidInput
from storage.locators import Locator
from storage.models import AttemptAnswer, File, Material, TestAttempt
from tools.actions.notes import url_of
from tools.actions.test_outputs import (
    Appeal,
    AskedQuestion,
    AttemptItem,
    AttemptResult,
    Evidence,
    Outcome,
    QuestionResult,
    Share,
)
from tools.context import ToolContext
from tools.grading.asked import Asked, Response
from tools.grading.responses import in_words, right_response
from tools.study.keys import BloomLevel

OUTCOMES: tuple[Outcome, ...] = ("right", "partial", "wrong", "unanswered")
NO_TOPIC = "Everything else"
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Places:
    """Materials that evidence stands in, as far as one may open them."""

    materials: Mapping[UUID, Material]
    files: Mapping[UUID, File | None]


async def places_of(ctx: ToolContext, material_ids: Sequence[UUID | None]) -> Places:
    ids = list({one for one in material_ids if one is not None})
    found = await ctx.db.materials.by_ids(ids) if ids else {}
    materials = {key: row for key, row in found.items() if row.deleted_at is None}
    files = {
        key: await ctx.db.materials.file(row.file_id) if row.file_id else None
        for key, row in materials.items()
    }
    return Places(materials, files)


def evidence_of(
    quote: str | None, locator: Mapping[str, Any] | None, material_id: UUID | None, places: Places
) -> Evidence | None:
    if not quote:
        return None
    where = Locator.model_validate(locator) if locator else None
    material = places.materials.get(material_id) if material_id else None
    url = url_of(where, material, places.files.get(material.id)) if where and material else None
    return Evidence(
        quote=quote, material_id=material_id, label=where.label() if where else None, locator=where, url=url
    )


def asked_of(row: AttemptAnswer) -> Asked:
    return Asked.model_validate(row.question)


def given_of(row: AttemptAnswer) -> Response | None:
    return cast(Response | None, row.response["value"]) if row.response is not None else None


def question_fields(asked: Asked, question_id: UUID | None) -> dict[str, Any]:
    """What every form of a question shows."""
    return {
        "id": question_id,
        "number": asked.number,
        "type": asked.type,
        "text": asked.text,
        "options": asked.options,
        "right": asked.right,
        "gaps": asked.gaps,
        "points": asked.points,
        "topic": asked.topic,
        "difficulty": asked.difficulty,
        "bloom_level": cast(BloomLevel | None, asked.bloom_level),
    }


def asked_question(row: AttemptAnswer, places: Places) -> AskedQuestion:
    asked = asked_of(row)
    return AskedQuestion(
        **question_fields(asked, row.question_id),
        response=given_of(row),
        confidence=row.confidence,
        result=question_result(row, places) if row.points is not None else None,
    )


def outcome_of(row: AttemptAnswer) -> Outcome:
    if row.response is None:
        return "unanswered"
    if row.is_correct:
        return "right"
    return "partial" if row.points else "wrong"


def question_result(row: AttemptAnswer, places: Places) -> QuestionResult:
    asked, given, key = asked_of(row), given_of(row), asked_of(row).key
    right = right_response(key) if key else None
    return QuestionResult(
        **question_fields(asked, row.question_id),
        outcome=outcome_of(row),
        is_correct=bool(row.is_correct),
        earned=row.points or 0.0,
        response=given,
        given=in_words(asked, given) if given is not None else None,
        answer=right,
        answer_text=in_words(asked, right) if right is not None else "",
        explanation=asked.explanation,
        evidence=evidence_of(asked.quote, asked.locator, asked.material_id, places),
        graded_by=row.graded_by,
        grading=row.grading or {},
        grading_explanation=row.grading_explanation,
        confidence=row.confidence,
        response_time_ms=row.response_time_ms,
        appeal=appeal_of(row),
    )


def appeal_of(row: AttemptAnswer) -> Appeal | None:
    if row.appeal_status is None:
        return None
    return Appeal.model_validate(
        {
            "status": row.appeal_status,
            "text": row.appeal_text,
            "outcome": row.appeal_outcome,
            "points_before": row.points_before_appeal,
            "appealed_at": row.appealed_at,
        }
    )


def attempt_fields(row: TestAttempt) -> dict[str, Any]:
    graded = row.graded_at is not None
    return {
        "attempt_id": row.id,
        "status": row.status,
        "started_at": row.started_at,
        "submitted_at": row.submitted_at,
        "score": row.score if graded else None,
        "max_score": row.max_score,
        "percent": percent(row.score or 0.0, row.max_score) if graded else None,
    }


def attempt_item(row: TestAttempt) -> AttemptItem:
    return AttemptItem(**attempt_fields(row))


def percent(points: float, most: float | None) -> float:
    return round(100 * points / most, 1) if most else 0.0


def seconds_left(row: TestAttempt, now: datetime) -> int | None:
    if row.expires_at is None or row.submitted_at is not None:
        return None
    return max(0, int((row.expires_at - now).total_seconds()))


def shares(rows: Sequence[AttemptAnswer], name: Callable[[Asked], str]) -> list[dict[str, Any]]:
    """Points by topic or type, weakest first."""
    groups: dict[str, list[AttemptAnswer]] = defaultdict(list)
    for row in rows:
        groups[name(asked_of(row))].append(row)
    found: list[dict[str, Any]] = [
        {
            "name": group,
            "questions": len(members),
            "right": sum(bool(row.is_correct) for row in members),
            "points": round(sum(row.points or 0.0 for row in members), 2),
            "max_points": round(sum(row.max_points for row in members), 2),
        }
        for group, members in groups.items()
    ]
    for one in found:
        one["percent"] = percent(one["points"], one["max_points"])
    return sorted(found, key=lambda one: (one["percent"], -one["max_points"], one["name"]))


def results_of(rows: Sequence[AttemptAnswer]) -> dict[str, Any]:
    """What an attempt keeps of its result; nothing that was written."""
    outcomes = [outcome_of(row) for row in rows]
    return {
        "by_topic": shares(rows, lambda asked: asked.topic or NO_TOPIC),
        "by_type": shares(rows, lambda asked: asked.type),
        **{name: outcomes.count(name) for name in OUTCOMES},
    }


async def attempt_result(ctx: ToolContext, row: TestAttempt, limit: int, cursor: str | None) -> AttemptResult:
    rows = await ctx.db.attempts.answers(row.id)
    page, next_cursor = paged(rows, limit, cursor)
    places = await places_of(ctx, [asked_of(one).material_id for one in page])
    kept = row.results
    counts = {name: kept.get(name, 0) for name in OUTCOMES}
    ended = row.submitted_at or row.started_at
    return AttemptResult(
        **attempt_fields(row),
        **counts,
        test_id=row.test_id,
        title=row.test_title,
        question_count=len(rows),
        duration_seconds=max(0, int((ended - row.started_at).total_seconds())),
        by_topic=[Share(**one) for one in kept.get("by_topic", [])],
        by_type=[Share(**one) for one in kept.get("by_type", [])],
        questions=[question_result(one, places) for one in page],
        next_cursor=next_cursor,
    )


def paged(rows: Sequence[T], limit: int, cursor: str | None) -> tuple[Sequence[T], str | None]:
    """A page of what is in memory. The cursor is the place of its first row, from 0. Raises InvalidInput."""
    if cursor is not None and not (cursor.isdecimal() and len(cursor) < 7):
        raise InvalidInput("This cursor is not one that the list gave.", code="invalid_cursor")
    first = int(cursor or 0)
    last = first + limit
    return rows[first:last], str(last) if last < len(rows) else None
