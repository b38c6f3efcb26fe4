"""The labelled items of tests/study, and how well the gate tells the bad from the good.

`reason` is the main fault of a bad item; others may be found too. Ids alternate between the halves within each label and
reason, in the order in which they were written: rules are tuned on "tune", and "held" is only counted.
"""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID, uuid5

from benchmarks.data import REPOSITORY
from tools.notes.draft import Lexicon
from tools.notes.reading import Sentence
from tools.notes.terms import distinct_words
from tools.study.gate import ItemGate, Known
from tools.study.gate.words import FUNCTION_WORDS
from tools.study.items import Card, Item, Question
from tools.study.keys import KEY, Choice
from tools.study.port import Embed, Ground, Reason, Topic, Verdict

FILE = REPOSITORY / "tests" / "study" / "labelled_items.json"
_SPACE = UUID("6e2f1c1e-0000-4000-8000-000000000005")


@dataclass(frozen=True, slots=True)
class Labelled:
    id: str
    half: str
    is_bad: bool
    reason: str | None
    item: Item
    around: tuple[Sentence, ...]
    """Its evidence and what stands near it."""
    earlier: tuple[Known, ...]


def labelled(file: Path = FILE) -> list[Labelled]:
    return [_read(record) for record in json.loads(file.read_text(encoding="utf-8"))]


def _read(record: Mapping[str, Any]) -> Labelled:
    evidence = tuple(map(_sentence, record["evidence"]))
    return Labelled(
        id=record["id"],
        half=record["half"],
        is_bad=record["label"] == "bad",
        reason=record["reason"],
        item=_item(record["item"], evidence),
        around=(*evidence, *map(_sentence, record.get("context", ()))),
        earlier=tuple(Known(one["text"], one.get("answer")) for one in record.get("earlier", ())),
    )


def _sentence(quoted: Mapping[str, str]) -> Sentence:
    """As reading a material would give it; the place is made of the words."""
    text = quoted["quote"]
    chunk = uuid5(_SPACE, quoted["source"] + text)
    return Sentence(chunk, 0, 1, 0, len(text), text, (quoted["source"],), spoken=False)


def _item(made: Mapping[str, Any], evidence: tuple[Sentence, ...]) -> Item:
    options = tuple(Choice(**one) for one in made.get("options", ()))
    if made["kind"] == "card":
        return Card(
            evidence,
            "topic",
            "labelled",
            5,
            "remember",
            made["type"],
            made["front"],
            made["back"],
            options=options,
        )
    right = tuple(Choice(**one) for one in made.get("right", ()))
    key = KEY.validate_python(made["key"])
    return Question(
        evidence,
        "topic",
        "labelled",
        5,
        "remember",
        made["type"],
        made["text"],
        key,
        options=options,
        right=right,
    )


def ground_of(sentences: Sequence[Sentence]) -> Ground:
    """One topic; words are their own stems, but for the function words."""
    stems = {
        word: None if word in FUNCTION_WORDS else word
        for word in distinct_words(one.text for one in sentences)
    }
    return Ground((Topic("topic", tuple(sentences), "en"),), Lexicon(stems, {}, len(sentences)))


async def verdicts(items: Sequence[Labelled], embed: Embed) -> list[Verdict]:
    """Each item judged alone, beside what it is said to be asked after."""
    return [(await ItemGate(embed, one.earlier).judge([one.item], ground_of(one.around)))[0] for one in items]


@dataclass(frozen=True, slots=True)
class Figures:
    """Of the bad items: the share of what was turned away that is bad, and the share of the bad that was turned away."""

    precision: float
    recall: float
    named: float
    """Share of the bad that were turned away for their labelled reason, maybe among others."""


def figures(items: Sequence[Labelled], judged: Sequence[Verdict]) -> Figures:
    pairs = list(zip(items, judged, strict=True))
    caught = sum(one.is_bad for one, verdict in pairs if verdict.reasons)
    bad = sum(one.is_bad for one in items)
    named = sum(one.reason in verdict.reasons for one, verdict in pairs if one.is_bad)
    return Figures(
        precision=caught / max(1, sum(bool(verdict.reasons) for verdict in judged)),
        recall=caught / max(1, bad),
        named=named / max(1, bad),
    )


def by_reason(items: Sequence[Labelled], judged: Sequence[Verdict]) -> dict[str, tuple[int, int, int, int]]:
    """Reason → labelled so; of these turned away; of these for this reason; good items turned away for it."""
    pairs = list(zip(items, judged, strict=True))
    table = {}
    for reason in Reason:
        own = [verdict for one, verdict in pairs if one.reason == reason.value]
        wrongly = sum(reason in verdict.reasons for one, verdict in pairs if not one.is_bad)
        table[reason.value] = (
            len(own),
            sum(bool(verdict.reasons) for verdict in own),
            sum(reason in verdict.reasons for verdict in own),
            wrongly,
        )
    return table


def confusion(items: Sequence[Labelled], judged: Sequence[Verdict]) -> Counter[tuple[str, str]]:
    """How often a label met a first reason; "good" and "passed" stand for none."""
    return Counter(
        (one.reason or "good", verdict.reasons[0].value if verdict.reasons else "passed")
        for one, verdict in zip(items, judged, strict=True)
    )
