"""From a question, its key and a response to a grade: rules for closed types; for open ones the wording, then the meaning, then
a rubric by a language model where there is one."""

import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np
from numpy.typing import NDArray

from tools.context import TextModel
from tools.grading import closed
from tools.grading.asked import Asked, Response
from tools.grading.grades import UNANSWERED, Grade
from tools.grading.meaning import FEWEST_WORDS, content, likeness, says_the_same
from tools.grading.numbers import quantities, same_number
from tools.grading.rubric import by_rubric
from tools.grading.wording import matched, vocabulary
from tools.study.keys import (
    ChoiceKey,
    ChoicesKey,
    ClozeKey,
    Expected,
    Key,
    MatchingKey,
    Number,
    OrderingKey,
    RubricPoint,
    ShortKey,
    TruthKey,
)

Embed = Callable[[Sequence[str]], Awaitable[NDArray[np.float32]]]
DOUBT = 0.65
"""From this cosine on the sentence says that an answer may be right all the same, and may be appealed."""
_SENTENCE = re.compile(r"(?<=[.!?;])\s+|\n+")


@dataclass(frozen=True, slots=True)
class Judge:
    """What open answers are judged with. Without `embed` only their wording counts; without a model there is no rubric."""

    embed: Embed | None = None
    model: TextModel | None = None


async def grade(asked: Asked, key: Key, response: Response | None, judge: Judge) -> Grade:
    """`response` as read_response gives it; key and response by the ids that the attempt shows."""
    if response is None:
        return UNANSWERED
    if isinstance(key, ShortKey):
        return await _short(asked, key, str(response), judge)
    if isinstance(key, ClozeKey):
        return _cloze(asked, key, cast(list[str], response))
    return _closed(key, response)


def _closed(key: ChoiceKey | ChoicesKey | TruthKey | MatchingKey | OrderingKey, response: Response) -> Grade:
    if isinstance(key, ChoiceKey):
        return closed.choice(key.choice, str(response))
    if isinstance(key, ChoicesKey):
        return closed.several(key.choices, cast(list[str], response))
    if isinstance(key, TruthKey):
        return closed.truth(key.value, bool(response))
    if isinstance(key, MatchingKey):
        return closed.pairs(key.pairs, cast(dict[str, str], response))
    return closed.order(key.order, cast(list[str], response))


def others_of(asked: Asked, expected: Expected) -> frozenset[str]:
    """Words near the question that are not the key's: writing one of them is no slip of the pen."""
    own = vocabulary([expected.text, *expected.accepted])
    return vocabulary([asked.text, asked.quote, asked.explanation]) - own


def by_wording(asked: Asked, expected: Expected, given: str) -> Grade:
    """Right or wrong by the letters and the numbers alone."""
    if not given.strip():
        return UNANSWERED
    found = matched(expected, given, others_of(asked, expected))
    if found is not None and not found.slips:
        return Grade(1.0, "match", f"It is the same as {found.variant!r}.", {"matched": found.variant})
    number = expected.number or implied_number(expected.text)
    if number is not None:
        compared = same_number(number, given)
        return Grade(float(compared.right), "match", compared.why, {"number": number.model_dump()})
    if found is not None:
        slips = closed.counted(found.slips, "letter")
        return Grade(
            1.0,
            "match",
            f"It is the same as {found.variant!r}, but for {slips}.",
            {"matched": found.variant, "slips": found.slips},
        )
    return Grade(
        0.0,
        "match",
        f"It is not {expected.text!r}, nor another accepted answer.",
        {"expected": expected.text},
    )


def implied_number(text: str) -> Number | None:
    """The quantity that a whole key is: "5 m"."""
    found = quantities(text)
    if len(found) != 1 or found[0].unit is None or len(found[0].values) != 1:
        return None
    written = text.strip().rstrip(".")
    digits = re.match(r"[\s\d.,+\-−eE]+", written)
    unit = written[digits.end() :].strip() if digits else ""
    return Number(value=found[0].values[0], unit=unit) if unit and len(unit) < len(written) else None


def _cloze(asked: Asked, key: ClozeKey, given: Sequence[str]) -> Grade:
    texts = [*given, *[""] * (len(key.gaps) - len(given))]
    grades = [by_wording(asked, gap, text) for gap, text in zip(key.gaps, texts, strict=False)]
    right = sum(one.share for one in grades)
    if len(grades) == 1:
        return grades[0]
    details = [
        {"gap": n, "given": text, "right": one.is_correct, "why": one.why}
        for n, (one, text) in enumerate(zip(grades, texts, strict=False), 1)
    ]
    first_wrong = next((f" Gap {one['gap']}: {one['why']}" for one in details if not one["right"]), "")
    return Grade(
        right / len(grades) if grades else 0.0, "match",
        f"{right:.0f} of {closed.counted(len(grades), 'gap')} right.{first_wrong}", {"gaps": details},
    )  # fmt: skip


async def _short(asked: Asked, key: ShortKey, given: str, judge: Judge) -> Grade:
    worded = by_wording(asked, key.expected, given)
    if worded.is_correct or (key.expected.number is not None and not key.rubric):
        return worded
    meant = await by_meaning(asked, key, given, judge.embed)
    if meant is not None and meant.is_correct:
        return meant
    return await by_rubric(judge.model, asked.text, key, given) or meant or worded


async def by_meaning(asked: Asked, key: ShortKey, given: str, embed: Embed | None) -> Grade | None:
    """Full points for what certainly says the same; of a rubric, its points one by one. None for keys that are mere terms."""
    if embed is None:
        return None
    wordings = [
        text for text in [key.expected.text, *key.expected.accepted] if len(content(text)) >= FEWEST_WORDS
    ]
    if wordings:
        vectors = await embed([given, *wordings])
        ranked = sorted(
            zip((float(v @ vectors[0]) for v in vectors[1:]), wordings, strict=True), reverse=True
        )
        for cosine, text in ranked:
            if says_the_same(likeness(text, given, asked.text), cosine):
                return Grade(
                    1.0,
                    "meaning",
                    f"It says the same as {text!r}.",
                    {"similarity": round(cosine, 3), "matched": text},
                )
    if key.rubric:
        return await _points_met(asked, key.rubric, given, embed)
    return _in_doubt(asked, ranked[0], given) if wordings else None


def _in_doubt(asked: Asked, nearest: tuple[float, str], given: str) -> Grade:
    cosine, text = nearest
    found = likeness(text, given, asked.text)
    doubtful = cosine >= DOUBT and not found.contradicts
    why = found.contradicts or f"It does not say what {text!r} says"
    why += (
        ", as far as this can be told without a language model; if it does, appeal."
        if doubtful
        else ""
        if found.contradicts
        else "."
    )
    return Grade(0.0, "meaning", why, {"similarity": round(cosine, 3), "nearest": text, "doubtful": doubtful})


async def _points_met(asked: Asked, rubric: Sequence[RubricPoint], given: str, embed: Embed) -> Grade:
    sentences = [one for one in _SENTENCE.split(given) if one.strip()] or [given]
    vectors = await embed([*sentences, *[point.text for point in rubric]])
    said, wanted = vectors[: len(sentences)], vectors[len(sentences) :]
    details, earned = [], 0.0
    for point, vector in zip(rubric, wanted, strict=True):
        met = any(
            says_the_same(likeness(point.text, text, asked.text), float(vector @ one))
            for text, one in zip(sentences, said, strict=True)
        )
        earned += point.points * met
        details.append({"text": point.text, "points": point.points, "met": met})
    total = sum(point.points for point in rubric)
    met_count = sum(bool(one["met"]) for one in details)
    why = f"{met_count} of {closed.counted(len(rubric), 'point')} of the rubric found, without a language model."
    return Grade(
        earned / total if total else 0.0,
        "meaning",
        why,
        {"rubric": details, "doubtful": met_count < len(rubric)},
    )
