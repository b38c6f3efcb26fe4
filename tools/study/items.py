"""What makers make, before the gate has judged it: questions of tests and cards, each with the sentences that support it."""

import hashlib
import re
from dataclasses import dataclass, field

from tools.notes.reading import Sentence
from tools.study.keys import BloomLevel, CardType, Choice, Key, QuestionType

_NOT_WORDS = re.compile(r"[\W_]+")


@dataclass(frozen=True, slots=True)
class Made:
    """What questions and cards have in common."""

    evidence: tuple[Sentence, ...]
    """What supports the key, at least one; the first is quoted. Same material."""
    topic: str
    """What results are grouped by: the title of its section, or a key term."""
    rule: str
    """Which rule made it, for the counts in benchmarks: "definition", "cause", …; "model" for a language model."""
    difficulty: int
    """1 to 10."""
    bloom: BloomLevel


@dataclass(frozen=True, slots=True)
class Question(Made):
    type: QuestionType
    text: str
    """Plain text with TeX between dollar signs; gaps of a cloze as {{1}}."""
    key: Key
    options: tuple[Choice, ...] = ()
    right: tuple[Choice, ...] = ()
    """Right column of a matching; `options` is the left one."""
    explanation: str | None = None
    """Why the key is right, in the words of the material."""


@dataclass(frozen=True, slots=True)
class Card(Made):
    type: CardType
    front: str
    """Of a cloze the text with {{c1::gaps}}, as Anki writes them; one card is made of each gap."""
    back: str
    extra: str | None = None
    options: tuple[Choice, ...] = ()
    """Choices of a multiple-choice card; `back` is the text of the right one."""


Item = Question | Card


@dataclass(frozen=True, slots=True)
class Spent:
    """What a maker's answer cost."""

    input_tokens: int = 0
    output_tokens: int = 0


@dataclass(frozen=True, slots=True)
class Batch:
    """What a maker made of one part, best first."""

    items: tuple[Item, ...]
    spent: Spent = field(default_factory=Spent)
    badly_formed: int = 0
    """Items of a language model that could not even be read."""


class MakerFailed(Exception):
    """The maker gave nothing usable for this part, and another part may still work."""


def fingerprint(text: str) -> bytes:
    """Hash of the words of a question or of a card's front, by which repeats are found: 16 bytes of BLAKE2b."""
    return hashlib.blake2b(_NOT_WORDS.sub(" ", text.casefold()).strip().encode(), digest_size=16).digest()
