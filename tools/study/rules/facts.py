"""What rules find in a sentence, before anything is asked: statements with a named subject, definitions, reasons, lists."""

from dataclasses import dataclass
from typing import Literal

from tools.notes.reading import Sentence
from tools.study.rules.analysed import Analysed

StatementKind = Literal["definition", "purpose", "effect", "statement"]


@dataclass(frozen=True, slots=True)
class Term:
    """A noun phrase that names something, without its article: "while loop", "return statements", "PEP 8"."""

    text: str
    article: str
    """a, an, the, or nothing; small."""
    plural: bool
    head: str
    """Lemma of its head, small."""
    proper: bool
    entity: str = ""
    """OntoNotes' type of a name, as far as the parser knows."""

    @property
    def key(self) -> str:
        """Small, with its head in the singular: by this the same thing is known again."""
        words = self.text.casefold().split()
        return " ".join([*words[:-1], self.head]) if words[-1].startswith(self.head[:3]) else " ".join(words)

    @property
    def named(self) -> str:
        """With its article, as in a sentence."""
        return f"{self.article} {self.text}" if self.article else self.text

    @property
    def title(self) -> str:
        """As an option: without an article, with a capital."""
        return self.text[:1].upper() + self.text[1:]


@dataclass(frozen=True, slots=True)
class Statement:
    """`context, subject predicate.`: the subject is a term, the predicate begins with the finite verb."""

    kind: StatementKind
    subject: Term
    predicate: str
    verb: str
    """Lemma of what it says: of the main verb."""
    sentence: Sentence
    source: Analysed
    context: str = ""
    """What stands before the subject: "In Python"."""
    meaning: str = ""
    """Of a definition: the noun phrase that says what it is."""
    purpose: str = ""
    """Of a purpose: what follows "used", "to …" or "for …"."""
    question: str = ""
    """What asks for the purpose, where the sentence has its own words for it: "What is the purpose of …?"."""
    negated: bool = False
    called: bool = False
    """The sentence reads "… is called a round-off error"."""
    loose: bool = False
    """Its subject names no term, but can be understood: "programs written in high-level languages"."""
    split: bool = False
    """One of several statements of its sentence."""
    root: int = 0
    """Token of the main verb."""
    gap: tuple[int, int] = (0, 0)
    """Characters of the subject's words in the text of the source."""


@dataclass(frozen=True, slots=True)
class Reason:
    """A main clause and why it holds."""

    question: str
    """"Why is …?", in full."""
    reason: str
    """The clause after "because", without it."""
    subject: Term
    sentence: Sentence
    source: Analysed


@dataclass(frozen=True, slots=True)
class Condition:
    """What holds, or is done, when something is so."""

    question: str
    consequence: str
    sentence: Sentence
    source: Analysed


@dataclass(frozen=True, slots=True)
class Listing:
    """Things that belong together, in the order of the text."""

    question: str
    """What they are asked with: "Which of the following are basic arithmetic operators?"."""
    category: str
    members: tuple[str, ...]
    sentences: tuple[Sentence, ...]
    ordered: bool = False


@dataclass(frozen=True, slots=True)
class Facts:
    """All that was found in some sentences."""

    statements: tuple[Statement, ...] = ()
    reasons: tuple[Reason, ...] = ()
    conditions: tuple[Condition, ...] = ()
    listings: tuple[Listing, ...] = ()
