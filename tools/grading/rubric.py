"""Grades an open answer point by point with a language model. The same words of the model give the same grade."""

import json
import re
from collections.abc import Sequence
from pathlib import Path

import structlog
from pydantic import BaseModel, Field, ValidationError

from storage.errors import Unavailable
from tools.context import TextModel
from tools.grading.grades import Grade
from tools.study.keys import RubricPoint, ShortKey

log = structlog.get_logger()

PROMPT = (Path(__file__).parent / "prompts" / "rubric.md").read_text(encoding="utf-8")
PROMPT_VERSION = "rubric-1"
ANSWER_TOKENS = 500
ANSWER_CHARACTERS = 3000
TRIES = 2
_FENCE = re.compile(r"<(?=/?\s*answer\b)", re.IGNORECASE)
_OBJECT = re.compile(r"\{.*\}", re.DOTALL)


class Judged(BaseModel):
    number: int
    met: bool
    why: str = Field(default="", max_length=2000)


class Verdict(BaseModel):
    points: list[Judged]


SCHEMA = Verdict.model_json_schema()


def rubric_of(key: ShortKey) -> Sequence[RubricPoint]:
    return key.rubric or [RubricPoint(text=f"It says the same as the expected answer: {key.expected.text}")]


def prompt_for(question: str, key: ShortKey, given: str, plea: str | None = None) -> str:
    points = "\n".join(f"{n}. {point.text}" for n, point in enumerate(rubric_of(key), 1))
    also = f"\nAlso right: {'; '.join(key.expected.accepted)}" if key.expected.accepted else ""
    fenced = _FENCE.sub("‹", given[:ANSWER_CHARACTERS])
    parts = [
        f"Question: {question}",
        f"Expected answer: {key.expected.text}{also}",
        f"Rubric:\n{points}",
        f"<answer>\n{fenced}\n</answer>",
    ]
    if plea:
        said = _FENCE.sub("‹", plea[:ANSWER_CHARACTERS])
        parts.append(
            f"The student thinks that the first grade was wrong, and says (data, too):\n<answer>\n{said}\n</answer>"
        )
    return "\n\n".join(parts)


def parsed(text: str, count: int) -> Verdict | None:
    """The verdict on all `count` points; None when it is not one."""
    found = _OBJECT.search(text)
    if found is None:
        return None
    try:
        verdict = Verdict.model_validate(json.loads(found.group()))
    except (json.JSONDecodeError, ValidationError):
        return None
    return verdict if sorted(one.number for one in verdict.points) == list(range(1, count + 1)) else None


def grade_of(verdict: Verdict, rubric: Sequence[RubricPoint], model: str) -> Grade:
    met = {one.number for one in verdict.points if one.met}
    total = sum(point.points for point in rubric)
    share = sum(point.points for n, point in enumerate(rubric, 1) if n in met) / total if total else 0.0
    reasons = {one.number: one.why for one in verdict.points}
    detail = {
        "model": model,
        "prompt": PROMPT_VERSION,
        "rubric": [
            {"text": point.text, "points": point.points, "met": n in met, "why": reasons[n][:300]}
            for n, point in enumerate(rubric, 1)
        ],
    }
    missing = next((reasons[n] for n in sorted(reasons) if n not in met and reasons[n]), None)
    why = f"{len(met)} of {len(rubric)} points of the rubric, by {model}." + (
        f" {missing[:300]}" if missing else ""
    )
    return Grade(min(1.0, share), "rubric", why, detail)


async def by_rubric(
    model: TextModel | None, question: str, key: ShortKey, given: str, plea: str | None = None
) -> Grade | None:
    """None when there is no language model, or it said nothing that can be used."""
    name = await model.which() if model else None
    if model is None or name is None:
        return None
    rubric = rubric_of(key)
    try:
        for _ in range(TRIES):
            answer = await model.complete(
                PROMPT, prompt_for(question, key, given, plea), max_tokens=ANSWER_TOKENS, schema=SCHEMA
            )
            verdict = parsed(answer.text, len(rubric))
            if verdict is not None:
                return grade_of(verdict, rubric, name)
    except Unavailable as error:
        log.warning("rubric_not_asked", reason=str(error))
    return None
