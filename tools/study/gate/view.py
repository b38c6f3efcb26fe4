"""One way to look at questions and cards of all types: what is asked, what is right, what is wrong."""

import re
from collections.abc import Callable
from dataclasses import dataclass

from tools.study.items import Card, Item, Question
from tools.study.keys import (
    ChoiceKey,
    ChoicesKey,
    ClozeKey,
    Expected,
    MatchingKey,
    OrderingKey,
    ShortKey,
    TruthKey,
)

GAP = re.compile(r"\{\{(\d+)\}\}")
CARD_GAP = re.compile(r"\{\{c(\d+)::(.*?)(?:::(.*?))?\}\}(?!\})", re.DOTALL)
BLANK = "____"


class Unreadable(Exception):
    """The key does not fit the item."""


@dataclass(frozen=True, slots=True)
class View:
    """An item without the differences between types."""

    item: Item
    form: str
    """`multiple_choice`, `true_false`, …; of cards `basic` and `reversed` beside `cloze` and `multiple_choice`."""
    asked: str
    """The question as it is read, with ____ for gaps."""
    keys: tuple[str, ...]
    """What is right: options, gaps, an answer. None for true_false."""
    accepted: tuple[str, ...] = ()
    """Wordings that are as right."""
    wrong: tuple[str, ...] = ()
    """Options that are wrong."""
    pairs: tuple[tuple[str, str], ...] = ()
    claim: str = ""
    """What the key says as a statement, where it is one: a cloze with its gaps filled in, a true statement, the correction of a false one."""
    value: bool | None = None
    """Of true_false."""

    @property
    def evidence(self) -> str:
        return " ".join(sentence.text for sentence in self.item.evidence)

    @property
    def is_card(self) -> bool:
        return isinstance(self.item, Card)

    @property
    def answer(self) -> str:
        """The key as a person would read it, by which two questions are told apart."""
        if self.value is not None:
            return "true" if self.value else "false"
        return "; ".join(f"{left} - {right}" for left, right in self.pairs) or "; ".join(self.keys)

    def texts(self) -> list[str]:
        """Everything that a student reads before answering, and the key."""
        paired = [side for pair in self.pairs for side in pair]
        return [self.asked, *self.keys, *self.wrong, *paired]


def view(item: Item) -> View:
    """Raises Unreadable when the key names options or gaps that are not there."""
    return _card(item) if isinstance(item, Card) else _READERS[item.type](item)


def _choice(item: Question) -> View:
    if not isinstance(item.key, ChoiceKey):
        raise Unreadable
    return _choices(item, [item.key.choice])


def _several(item: Question) -> View:
    if not isinstance(item.key, ChoicesKey) or not item.key.choices:
        raise Unreadable
    return _choices(item, item.key.choices)


def _choices(item: Question, right: list[str]) -> View:
    texts = {option.id: option.text for option in item.options}
    if len(texts) != len(item.options) or len(set(right)) != len(right) or not set(right) <= set(texts):
        raise Unreadable
    wrong = tuple(text for id, text in texts.items() if id not in right)
    return View(item, item.type, item.text, tuple(texts[id] for id in right), wrong=wrong)


def _truth(item: Question) -> View:
    if not isinstance(item.key, TruthKey):
        raise Unreadable
    claim = item.text if item.key.value else item.key.correction or ""
    return View(item, item.type, item.text, (), claim=claim, value=item.key.value)


def _cloze(item: Question) -> View:
    if not isinstance(item.key, ClozeKey):
        raise Unreadable
    gaps = item.key.gaps
    numbered = [int(number) for number in GAP.findall(item.text)]
    if not gaps or sorted(numbered) != list(range(1, len(gaps) + 1)):
        raise Unreadable
    filled = GAP.sub(lambda match: gaps[int(match.group(1)) - 1].text, item.text)
    keys = tuple(gaps[number - 1].text for number in numbered)
    return View(item, item.type, GAP.sub(BLANK, item.text), keys, _accepted(*gaps), claim=filled)


def _short(item: Question) -> View:
    if not isinstance(item.key, ShortKey):
        raise Unreadable
    expected = item.key.expected
    return View(item, item.type, item.text, (expected.text,), _accepted(expected))


def _accepted(*expected: Expected) -> tuple[str, ...]:
    return tuple(text for one in expected for text in one.accepted)


def _matching(item: Question) -> View:
    if not isinstance(item.key, MatchingKey):
        raise Unreadable
    left = {option.id: option.text for option in item.options}
    right = {option.id: option.text for option in item.right}
    pairs = item.key.pairs
    if set(pairs) != set(left) or len(left) != len(item.options) or len(right) != len(item.right):
        raise Unreadable
    if not set(pairs.values()) <= set(right):
        raise Unreadable
    spare = tuple(text for id, text in right.items() if id not in pairs.values())
    return View(
        item,
        item.type,
        item.text,
        (),
        wrong=spare,
        pairs=tuple((left[a], right[b]) for a, b in pairs.items()),
    )


def _ordering(item: Question) -> View:
    if not isinstance(item.key, OrderingKey):
        raise Unreadable
    texts = {option.id: option.text for option in item.options}
    if len(texts) != len(item.options) or sorted(item.key.order) != sorted(texts):
        raise Unreadable
    return View(item, item.type, item.text, tuple(texts[id] for id in item.key.order))


_READERS: dict[str, Callable[[Question], View]] = {
    "multiple_choice": _choice,
    "multiple_answer": _several,
    "true_false": _truth,
    "cloze": _cloze,
    "short_answer": _short,
    "matching": _matching,
    "ordering": _ordering,
}


def _card(item: Card) -> View:
    if item.type == "cloze":
        gaps = CARD_GAP.findall(item.front)
        if not gaps or "{{c" in CARD_GAP.sub("", item.front) or not all(gap[1].strip() for gap in gaps):
            raise Unreadable
        filled = CARD_GAP.sub(r"\2", item.front)
        keys = tuple(dict.fromkeys(gap[1] for gap in gaps))
        return View(item, item.type, CARD_GAP.sub(BLANK, item.front), keys, claim=filled)
    if item.type == "multiple_choice":
        texts = [option.text for option in item.options]
        if texts.count(item.back) != 1:
            raise Unreadable
        return View(
            item, item.type, item.front, (item.back,), wrong=tuple(t for t in texts if t != item.back)
        )
    return View(item, item.type, item.front, (item.back,))
