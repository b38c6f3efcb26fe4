"""From what a language model wrote to questions and cards: evidence from the passage it names, options with ids, gaps. Pure.

Raises ValueError with a sentence that the model can act on.
"""

import random
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tools.notes.reading import Sentence
from tools.notes.support import best_evidence, share_of_words
from tools.notes.terms import Stems
from tools.study.items import Card, Item, Question
from tools.study.keys import (
    BloomLevel,
    Choice,
    ChoiceKey,
    ChoicesKey,
    ClozeKey,
    Difficulty,
    Expected,
    MatchingKey,
    Number,
    OrderingKey,
    ShortKey,
    TruthKey,
)
from tools.study.writing.forms import (
    Written,
    WrittenCard,
    WrittenChoice,
    WrittenChoices,
    WrittenGaps,
    WrittenPairs,
    WrittenShort,
    WrittenStatement,
    WrittenSteps,
    WrittenTerm,
)
from tools.study.writing.sentences import exchanged, folded, gapped, one_sentence

DIFFICULTY: dict[BloomLevel, int] = {
    "remember": 2,
    "understand": 4,
    "apply": 6,
    "analyze": 7,
    "evaluate": 8,
    "create": 9,
}
"""By what it asks of the mind, where a mixture was wanted."""
WANTED: dict[Difficulty, tuple[int, int]] = {"easy": (1, 3), "medium": (4, 6), "hard": (7, 10)}
MOST_WORDS = 10
"""Of a short answer: nobody types a longer one word for word."""
GIVEN_AWAY = 8
"""Words of a right option from which on it is seen by its length, where it has twice as many as the longest wrong one."""
ELSEWHERE = 0.5
"""Share of an item's words that another passage must hold more of before it is taken for the one that was meant."""

_ALL = re.compile(
    r"^(?:all|none|both|neither|any|alle|keine)s?\b.*\b(?:above|these|those|options|answers|genannten|antworten)\b",
    re.IGNORECASE,
)
_QUANTITY = re.compile(r"^(?P<value>[+-]?\d+(?:[.,]\d+)?)\s*(?P<unit>[^\W\d][\w/²³°·^-]{0,11}|%|°C|°F)?$")


@dataclass(frozen=True, slots=True)
class Source:
    """What an item is built from besides itself."""

    passages: Sequence[Sequence[Sentence]]
    """Numbered from 1."""
    stems: Stems
    topic: str
    difficulty: Difficulty
    levels: tuple[BloomLevel, ...]
    """Only these; all when empty."""
    seed: int


@dataclass(frozen=True, slots=True)
class Common:
    """The fields that all items have."""

    evidence: tuple[Sentence, ...]
    topic: str
    difficulty: int
    bloom: BloomLevel
    rule: str = "model"


def build(kind: str, written: Written, source: Source) -> Item:
    """The item. Raises ValueError when it cannot be one."""
    return BUILDERS[kind](written, source)


# --- what all have in common


def _common(written: Written, source: Source, words: str) -> Common:
    level: BloomLevel = written.level
    if source.levels and level not in source.levels:
        level = source.levels[0]
    difficulty = DIFFICULTY[level]
    if source.difficulty in WANTED:
        low, high = WANTED[source.difficulty]
        difficulty = min(max(difficulty, low), high)
    return Common(_evidence(written.passage, words, source), source.topic, difficulty, level)


def _evidence(number: int, words: str, source: Source) -> tuple[Sentence, ...]:
    """The sentences of the named passage that hold most of the words. Small models miscount: where that passage holds few
    and another one clearly more, it is the other one."""
    if not 1 <= number <= len(source.passages):
        raise ValueError(f'"passage" must be a number from 1 to {len(source.passages)}.')
    passage = source.passages[number - 1]
    best = max(source.passages, key=lambda one: share_of_words(words, one, source.stems))
    held = share_of_words(words, passage, source.stems)
    if held < ELSEWHERE and share_of_words(words, best, source.stems) >= held + ELSEWHERE / 2:
        passage = best
    return best_evidence(words, passage, source.stems)


def _explained(common: Common) -> str:
    return common.evidence[0].text


def _distinct(texts: Sequence[str], what: str) -> None:
    plain = [" ".join(re.findall(r"\w+|[^\w\s]", text.casefold())).strip(" .") for text in texts]
    if len(set(plain)) < len(plain):
        raise ValueError(f"Two {what} are the same.")


def _shuffled(texts: Sequence[str], seed: int) -> tuple[Choice, ...]:
    """Choices in an order that says nothing about the key; the same seed and texts give the same order."""
    mixed = list(texts)
    random.Random(f"{seed}:{'|'.join(texts)}").shuffle(mixed)
    return tuple(Choice(id=chr(ord("a") + n), text=text) for n, text in enumerate(mixed))


def _id_of(choices: Sequence[Choice], text: str) -> str:
    return next(choice.id for choice in choices if choice.text == text)


def _options(right: Sequence[str], wrong: Sequence[str], seed: int) -> tuple[Choice, ...]:
    if any(_ALL.match(text) for text in (*right, *wrong)):
        raise ValueError('Options like "all of the above" are not allowed.')
    _distinct([*right, *wrong], "options")
    longest = max(len(text.split()) for text in wrong)
    if any(len(text.split()) > max(GIVEN_AWAY, 2 * longest) for text in right):
        raise ValueError(
            "The right option is much longer than the wrong ones: make it shorter, and all alike."
        )
    return _shuffled([*right, *wrong], seed)


def expected(text: str, also: Sequence[str] = ()) -> Expected:
    """An expected text, with its number where it is one."""
    others = [one for one in dict.fromkeys(also) if one.casefold() != text.casefold()]
    found = _QUANTITY.match(text)
    if not found:
        return Expected(text=text, accepted=others)
    value = float(found["value"].replace(",", "."))
    if re.fullmatch(r"[+-]?\d{1,3},\d{3}", found["value"]):
        value = float(found["value"].replace(",", ""))
    return Expected(text=text, accepted=others, number=Number(value=value, unit=found["unit"]))


# --- questions


def _choice(written: Written, source: Source) -> Question:
    assert isinstance(written, WrittenChoice)
    options = _options([written.right], written.wrong, source.seed)
    common = _common(written, source, f"{written.question} {written.right}")
    key = ChoiceKey(choice=_id_of(options, written.right))
    return _question(common, "multiple_choice", written.question, key, options)


def _choices(written: Written, source: Source) -> Question:
    assert isinstance(written, WrittenChoices)
    options = _options(written.right, written.wrong, source.seed)
    common = _common(written, source, " ".join([written.question, *written.right]))
    key = ChoicesKey(choices=sorted(_id_of(options, text) for text in written.right))
    return _question(common, "multiple_answer", written.question, key, options)


def _statement(written: Written, source: Source) -> Question:
    """True or false as the seed draws: models left to choose write hardly any false ones."""
    assert isinstance(written, WrittenStatement)
    right = written.statement
    if right.endswith("?"):
        raise ValueError("A statement must not be a question.")
    wrong = exchanged(right, written.words, written.instead)
    common = _common(written, source, right)
    asks_true = random.Random(f"{source.seed}:{right}").random() < 0.5
    key = TruthKey(value=asks_true, correction=None if asks_true else right)
    return _question(common, "true_false", right if asks_true else wrong, key)


def _cloze(written: Written, source: Source) -> Question:
    assert isinstance(written, WrittenGaps)
    sentence, gaps = one_sentence(written.sentence, written.gaps)
    text, hidden = gapped(sentence, gaps, lambda number, _: f"{{{{{number}}}}}")
    common = _common(written, source, f"{sentence} {' '.join(hidden)}")
    return _question(common, "cloze", text, ClozeKey(gaps=[expected(gap) for gap in hidden]))


def _short(written: Written, source: Source) -> Question:
    assert isinstance(written, WrittenShort)
    if len(written.answer.split()) > MOST_WORDS:
        raise ValueError(f'"answer" must be at most {MOST_WORDS} words: ask for one thing, not for a list.')
    common = _common(written, source, f"{written.question} {written.answer}")
    key = ShortKey(expected=expected(written.answer, written.also))
    return _question(common, "short_answer", written.question, key)


def _matching(written: Written, source: Source) -> Question:
    assert isinstance(written, WrittenPairs)
    pairs = written.pairs
    _distinct([pair.left for pair in pairs], "terms on the left")
    _distinct([pair.right for pair in pairs], "texts on the right")
    found = [_evidence(pair.passage, f"{pair.left} {pair.right}", source)[0] for pair in pairs]
    left = tuple(Choice(id=str(n), text=pair.left) for n, pair in enumerate(pairs, 1))
    right = _shuffled([pair.right for pair in pairs], source.seed)
    key = MatchingKey(
        pairs={one.id: _id_of(right, pair.right) for one, pair in zip(left, pairs, strict=True)}
    )
    whole = written.model_copy(update={"passage": pairs[0].passage})
    common = _common(whole, source, f"{pairs[0].left} {pairs[0].right}")
    return Question(
        evidence=tuple(dict.fromkeys(found)),
        topic=common.topic,
        rule=common.rule,
        difficulty=common.difficulty,
        bloom=common.bloom,
        type="matching",
        text=written.question,
        key=key,
        options=left,
        right=right,
        explanation="; ".join(f"{pair.left}: {pair.right}" for pair in pairs),
    )


def _ordering(written: Written, source: Source) -> Question:
    assert isinstance(written, WrittenSteps)
    _distinct(written.steps, "steps")
    options = _shuffled(written.steps, source.seed)
    common = _common(written, source, " ".join(written.steps))
    key = OrderingKey(order=[_id_of(options, step) for step in written.steps])
    return _question(common, "ordering", written.question, key, options)


def _question(
    common: Common, type: str, text: str, key: object, options: tuple[Choice, ...] = ()
) -> Question:
    return Question(
        evidence=common.evidence,
        topic=common.topic,
        rule=common.rule,
        difficulty=common.difficulty,
        bloom=common.bloom,
        type=type,  # type: ignore[arg-type]
        text=text,
        key=key,  # type: ignore[arg-type]
        options=options,
        explanation=_explained(common),
    )


# --- cards


def _card(common: Common, type: str, front: str, back: str, options: tuple[Choice, ...] = ()) -> Card:
    return Card(
        evidence=common.evidence,
        topic=common.topic,
        rule=common.rule,
        difficulty=common.difficulty,
        bloom=common.bloom,
        type=type,  # type: ignore[arg-type]
        front=front,
        back=back,
        options=options,
    )


def _basic_card(written: Written, source: Source) -> Card:
    assert isinstance(written, WrittenCard)
    if folded(written.front) == folded(written.back):
        raise ValueError('"front" and "back" are the same.')
    common = _common(written, source, f"{written.front} {written.back}")
    return _card(common, "basic", written.front, written.back)


def _reversed_card(written: Written, source: Source) -> Card:
    assert isinstance(written, WrittenTerm)
    if re.search(rf"(?<!\w){re.escape(written.term)}(?!\w)", written.meaning, re.IGNORECASE):
        raise ValueError('"meaning" must not contain the term.')
    common = _common(written, source, f"{written.term} {written.meaning}")
    return _card(common, "reversed", written.term, written.meaning)


def _cloze_card(written: Written, source: Source) -> Card:
    assert isinstance(written, WrittenGaps)
    sentence, gaps = one_sentence(written.sentence, written.gaps)
    text, hidden = gapped(sentence, gaps, lambda number, gap: f"{{{{c{number}::{gap}}}}}")
    common = _common(written, source, sentence)
    return _card(common, "cloze", text, "; ".join(hidden))


def _choice_card(written: Written, source: Source) -> Card:
    assert isinstance(written, WrittenChoice)
    options = _options([written.right], written.wrong, source.seed)
    common = _common(written, source, f"{written.question} {written.right}")
    return _card(common, "multiple_choice", written.question, written.right, options)


BUILDERS: dict[str, Callable[[Written, Source], Item]] = {
    "multiple_choice": _choice,
    "multiple_answer": _choices,
    "true_false": _statement,
    "cloze": _cloze,
    "short_answer": _short,
    "matching": _matching,
    "ordering": _ordering,
    "card_basic": _basic_card,
    "card_reversed": _reversed_card,
    "card_cloze": _cloze_card,
    "card_multiple_choice": _choice_card,
}
