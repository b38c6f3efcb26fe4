"""Words, numbers and negations of texts, for the rules of the gate. Pure."""

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache

from tools.notes.terms import EMPTY, POSSESSIVE, WORD, Stems

NUMBER = re.compile(r"(?<![\w.])[-−–]?\d+(?:[.,]\d+)*|\d+(?:[.,]\d+)*")
NUMBER_WORDS = {
    word: str(value)
    for value, word in enumerate(
        "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
        "seventeen eighteen nineteen twenty".split()
    )
}
FUNCTION_WORDS = frozenset(
    """
    a an the and or but nor so yet of to in on at by for from with into onto over under as than then that this these those
    which who whom whose what when where why how if because while until unless is are was were be been being am do does did done
    has have had having can could may might must shall should will would not no it its they them their he him his she her we us
    our you your i me my there here such both either neither each all any some own very too also just only between through during
    about against per via upon within without up down out off again once more most less least
    """.split()
)
_MEANINGFUL = frozenset(
    "class course point points case cases table figure student students learning people person start end first second third last next one two three new small big good better best different same right part parts time times day days page book".split()
)
"""What says little in a lecture may be the answer to a question."""
LITTLE = EMPTY - _MEANINGFUL
OPPOSITES = [
    ("small", "large"), ("small", "big"), ("little", "large"), ("little", "big"), ("little", "great"), ("more", "less"),
    ("more", "fewer"), ("most", "least"), ("increase", "decrease"), ("high", "low"), ("higher", "lower"), ("larger", "smaller"),
    ("large", "small"), ("largest", "smallest"), ("first", "last"), ("before", "after"), ("above", "below"), ("always", "never"),
    ("start", "end"), ("same", "different"), ("long", "short"), ("longer", "shorter"), ("fast", "slow"), ("faster", "slower"),
    ("strong", "weak"), ("true", "false"), ("open", "close"), ("early", "late"), ("earlier", "later"), ("left", "right"),
    ("inside", "outside"), ("global", "local"), ("minimum", "maximum"), ("upper", "lower"), ("rise", "fall"), ("accept", "reject"),
    ("positive", "negative"), ("best", "worst"), ("better", "worse"), ("easy", "difficult"), ("simple", "complex"),
    ("highest", "lowest"), ("forward", "backward"), ("with", "without"), ("unlike", "like"), ("few", "many"),
]  # fmt: skip
_OPPOSITE: dict[str, set[str]] = {}
for _one, _other in OPPOSITES:
    _OPPOSITE.setdefault(_one, set()).add(_other)
    _OPPOSITE.setdefault(_other, set()).add(_one)
_NEGATORS = frozenset(
    "not no never cannot neither nor without none nobody nothing nowhere hardly nicht kein keine keinen keiner nie ohne pas jamais aucun sans".split()
)
_NEGATIVE = re.compile(r"^(?:un|in|im|ir|il|non-?|dis)(?=[a-z]{4})")
_MATH_INDEX = re.compile(r"[_^]\{?[\w+\-]{1,4}\}?")


@lru_cache(maxsize=4096)
def words(text: str) -> tuple[str, ...]:
    """In lower case and in order, without possessive endings."""
    return tuple(POSSESSIVE.sub("", match.group()).replace("’", "'").lower() for match in WORD.finditer(text))


def content(text: str, stems: Stems) -> tuple[str, ...]:
    """The words that carry meaning, in order."""
    return tuple(word for word in words(text) if is_content(word, stems))


def is_content(word: str, stems: Stems) -> bool:
    if word in FUNCTION_WORDS or word in LITTLE:
        return False
    return stems[word] is not None if word in stems else True


def root(word: str, stems: Stems) -> str:
    """The dictionary's stem; of a word that the material does not use a part that its inflections share."""
    return stems.get(word) or _root(word)


@lru_cache(maxsize=16384)
def _root(word: str) -> str:
    if len(word) < 5:
        return word[:-1] if len(word) == 4 and word.endswith("s") and not word.endswith("ss") else word
    for ending in (
        "ations",
        "ation",
        "ingly",
        "ings",
        "ing",
        "ies",
        "ied",
        "ely",
        "ed",
        "es",
        "ly",
        "s",
        "y",
        "e",
    ):
        if word.endswith(ending) and len(word) - len(ending) >= 4 and not word.endswith("ss"):
            return word[: -len(ending)]
    return word


class Held:
    """The words of a passage, in any inflection."""

    def __init__(self, texts: Iterable[str], stems: Stems) -> None:
        self._stems = stems
        self.words = {word for text in texts for word in words(text)}
        pieces = {piece for word in self.words if "-" in word for piece in word.split("-")}
        self.words |= pieces
        self._roots = {root(word, stems) for word in self.words}
        self._starts = {word[:size] for word in self.words for size in range(4, len(word) + 1)}

    def has(self, word: str) -> bool:
        if word in self.words or root(word, self._stems) in self._roots:
            return True
        if "-" in word:
            return all(self.has(piece) for piece in word.split("-") if piece)
        return len(word) >= 5 and word[: max(4, len(word) - 3)] in self._starts

    def share(self, wanted: Sequence[str]) -> float:
        """Share of the words that are held; 1 for none."""
        return sum(self.has(word) for word in wanted) / len(wanted) if wanted else 1.0


def numbers(text: str) -> list[str]:
    """The numbers of a text, as plain digits; not the indices of formulas."""
    return [plain(match.group()) for match in NUMBER.finditer(_MATH_INDEX.sub(" ", text))]


def plain(number: str) -> str:
    bare = number.lstrip("-−–").replace(",", "").rstrip(".")
    return bare.rstrip("0").rstrip(".") if "." in bare else bare


def numbers_held(text: str, passage: str) -> bool:
    """Whether each number of the text stands in the passage, in figures or as a word."""
    held = {plain(match.group()) for match in NUMBER.finditer(passage)}
    held |= {NUMBER_WORDS[word] for word in words(passage) if word in NUMBER_WORDS}
    return all(number in held for number in numbers(text))


def number_words(text: str) -> set[str]:
    """The values that are written as words."""
    return {NUMBER_WORDS[word] for word in words(text) if word in NUMBER_WORDS}


def negations(text: str, known: Iterable[str]) -> int:
    """How often a text negates: "not", "never", or "immutable" where "mutable" is `known`."""
    bare = set(known)
    count = 0
    for word in words(text):
        stripped = _NEGATIVE.sub("", word)
        count += word in _NEGATORS or word.endswith("n't") or (stripped != word and stripped in bare)
    return count


def turned(text: str, held: Held) -> str | None:
    """A word of the text whose opposite the passage says instead."""
    for word in words(text):
        if word in held.words:
            continue
        opposite = _OPPOSITE.get(word, set()) | _OPPOSITE.get(word.removesuffix("s"), set())
        if any(one in held.words or f"{one}s" in held.words for one in opposite):
            return word
    return None


def in_order(wanted: Sequence[str], held: Sequence[str]) -> float:
    """Length of the longest common subsequence, as a share of `wanted`; 1 for none."""
    if not wanted:
        return 1.0
    row = [0] * (len(held) + 1)
    for word in wanted:
        before = 0
        for i, other in enumerate(held, start=1):
            kept = row[i]
            row[i] = before + 1 if word == other else max(row[i], row[i - 1])
            before = kept
    return row[-1] / len(wanted)


def has_run(run: Sequence[str], text: Sequence[str]) -> bool:
    """Whether words stand side by side in a text."""
    size = len(run)
    return bool(size) and any(tuple(text[i : i + size]) == tuple(run) for i in range(len(text) - size + 1))
