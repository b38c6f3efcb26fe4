"""The terms of a material: how often they occur, which are near in meaning, and which may stand beside one as wrong options."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np

from tools.study.port import Matrix
from tools.study.rules.facts import Listing, Statement, Term
from tools.study.rules.wording import capital, numbered

SAME = 0.82
"""Cosine from which two terms mean the same."""
SAID_TOO = 0.6
"""Cosine of what is asked to something said of another term, from which that one may be right as well."""
NEIGHBOURS = 40
RARE = 40
"""Sentences; what occurs in more stands beside everything."""
OPPOSED = (
    {"local", "global"},
    {"mutable", "immutable"},
    {"implicit", "explicit"},
    {"positive", "negative"},
    {"internal", "external"},
    {"physical", "chemical"},
    {"static", "dynamic"},
    {"public", "private"},
    {"linear", "nonlinear"},
    {"positional", "keyword"},
)
"""What stands before one head and cannot both hold."""


ALIKE_HEADS = (
    {"solution", "approximation", "result"},
    {"model", "problem", "formula", "equation"},
    {"argument", "option", "parameter"},
    {"level", "step", "interval", "point", "mesh"},
    {"method", "scheme", "approach", "algorithm", "technique"},
    {"data", "datum", "parameter", "value", "variable"},
    {"series", "polynomial", "expansion", "formula"},
    {"program", "code", "software", "script"},
)
"""Heads of terms that mean much the same behind one modifier: "time step" and "time level"."""


@dataclass(slots=True)
class Inventory:
    """`terms` with their vectors; `statements` with the vectors of their predicates."""

    terms: list[Term]
    vectors: Matrix
    counts: dict[str, int]
    statements: list[Statement]
    said: Matrix
    lines: Sequence[str] = ()
    """The material's sentences, small."""
    size: int = 0
    """Sentences of the material."""
    words: str = field(init=False)
    _by_title: dict[str, Term] = field(init=False)
    _joined: dict[tuple[str, str], bool] = field(init=False)
    _beside: dict[tuple[str, bool, str, int], list[str]] = field(init=False)
    place: dict[str, int] = field(init=False)
    _said_of: dict[str, list[int]] = field(init=False)
    _index: dict[tuple[int, str], int] = field(init=False)

    def __post_init__(self) -> None:
        self.place = {term.key: i for i, term in enumerate(self.terms)}
        self.words = "\n".join(self.lines)
        self._by_title = {term.title: term for term in self.terms}
        self._beside = {}
        self._joined = {}
        self._said_of = {}
        self._index = {}
        for i, one in enumerate(self.statements):
            self._said_of.setdefault(one.subject.key, []).append(i)
            self._index[id(one), one.predicate] = i

    def wrong_beside(self, term: Term, text: str, most: int) -> list[str]:
        """Terms of the term's kind and number that do not stand in the text: options to complete it with."""
        asked = (term.key, term.plural, text, most)
        if asked not in self._beside:
            self._beside[asked] = self._wrong_beside(term, text, most)
        return self._beside[asked]

    def _wrong_beside(self, term: Term, text: str, most: int) -> list[str]:
        small = text.casefold()
        found: list[str] = []
        near = self.near(term)
        if _is_named(term):
            near.sort(key=lambda pair: not _is_named(pair[0]))
        for other, cosine in near:
            worded = numbered(other, term.plural)
            if (
                worded is None
                or (cosine > 0.65 and not (_is_named(term) and _is_named(other)))
                or occurs(other.key, small)
                or self._is_synonym(other, term)
                or any(_overlap(worded, known) for known in found)
            ):
                continue
            found.append(capital(worded))
            if len(found) == most:
                break
        return found

    def written(self, option: str) -> str:
        """The term as it stands within a sentence, by how it is written as an option; empty when it is not known."""
        term = self._by_title.get(option)
        return term.text if term is not None else ""

    def terms_in(self, text: str) -> list[Term]:
        """Terms that stand in a text, longest first."""
        small = text.casefold()
        return sorted(
            (term for term in self.terms if term.text.casefold() in small and occurs(term.text, small)),
            key=lambda term: (-len(term.text), term.key),
        )

    def count(self, term: Term) -> int:
        return self.counts.get(term.key, 0)

    def near(self, term: Term) -> list[tuple[Term, float]]:
        """Other terms of the same kind, nearest in meaning first; not parts of the term, nor what means the same."""
        at = self.place.get(term.key)
        if at is None:
            return []
        cosines = self.vectors @ self.vectors[at]
        found = [
            (other, float(cosines[i]))
            for i, other in enumerate(self.terms)
            if i != at and cosines[i] < SAME and _may_stand_beside(term, other)
        ]
        return sorted(found, key=lambda pair: (-_closeness(term, *pair), pair[0].key))[:NEIGHBOURS]

    def wrong_for(self, statement: Statement, most: int) -> list[str]:
        """Terms that do not do what the statement says, worded in its subject's number: options beside the subject."""
        return [capital(worded) for worded, _ in self.others_for(statement, most)]

    def others_for(self, statement: Statement, most: int) -> list[tuple[str, Term]]:
        """The same with the terms themselves."""
        at = self._index.get((id(statement), statement.predicate))
        text = statement.source.text.casefold()
        named = self._named_in(statement) if statement.kind != "definition" else []
        found: list[tuple[str, Term]] = []
        for other, _ in self.near(statement.subject):
            worded = numbered(other, statement.subject.plural)
            if worded is None or _stands_in(other, text) or self._is_said_of(other, at):
                continue
            if self._is_synonym(other, statement.subject) or (
                named and self._are_told_together(other, named)
            ):
                continue
            if not any(_overlap(worded, known) for known, _ in found):
                found.append((worded, other))
            if len(found) == most:
                break
        return found

    def cosine(self, one: Term, other: Term) -> float:
        first, second = self.place.get(one.key), self.place.get(other.key)
        return (
            float(self.vectors[first] @ self.vectors[second])
            if first is not None and second is not None
            else 0.0
        )

    def says_the_same(self, one: Statement, other: Statement, limit: float = SAID_TOO) -> bool:
        first = self._index.get((id(one), one.predicate))
        second = self._index.get((id(other), other.predicate))
        return first is None or second is None or float(self.said[first] @ self.said[second]) > limit

    def is_part(self, one: Term, other: Term) -> bool:
        return _overlap(one.key, other.key)

    def strangers(self, listing: Listing, most: int) -> list[str]:
        """Terms like the members of a list that the material never names together with what is listed."""
        told = " ".join(one.text for one in listing.sentences).casefold()
        category = set(_words(listing.category))
        first = listing.members[0]
        plural = first.endswith("s") and not first.endswith("ss")
        found: list[str] = []
        for term, _ in self._like(listing.members):
            worded = numbered(term, plural) or term.text
            words = set(_words(term.key))
            if (
                occurs(term.key, told)
                or words & category
                or any(_overlap(worded, known) for known in [*found, *listing.members])
            ):
                continue
            found.append(worded)
            if len(found) == most:
                break
        return found

    def _like(self, members: Sequence[str]) -> list[tuple[Term, float]]:
        """Terms nearest to those members that are terms themselves."""
        rows = [
            i
            for i, term in enumerate(self.terms)
            if any(member.casefold() in (term.key, term.text.casefold()) for member in members)
        ]
        if not rows or not self.terms:
            return []
        cosines = self.vectors @ self.vectors[rows].mean(axis=0)
        ranked = [(term, float(cosines[i])) for i, term in enumerate(self.terms) if i not in rows]
        return sorted(ranked, key=lambda pair: (-pair[1], pair[0].key))[:NEIGHBOURS]

    def _named_in(self, statement: Statement) -> list[str]:
        """Names and terms of what is said, small: what the question is about beside its subject."""
        names = re.findall(r"(?<!^)\b[A-Z][\w+#]{2,}", statement.predicate)
        terms = [term.text for term in self.terms_in(statement.predicate) if self.count(term) < RARE]
        return [one.casefold() for one in (*names, *terms)]

    def _are_told_together(self, other: Term, named: Sequence[str]) -> bool:
        """One sentence of the material holds the term and one of the names: what is asked may hold for it too."""
        return any(occurs(other.key, line) for line in self.lines if any(name in line for name in named))

    def _is_synonym(self, one: Term, other: Term) -> bool:
        """The material says "rounding errors or round-off errors"."""
        pair = (one.key, other.key)
        if pair not in self._joined:
            self._joined[pair] = self._are_joined(one, other)
        return self._joined[pair]

    def _are_joined(self, one: Term, other: Term) -> bool:
        pairs = [
            (a, b)
            for a in {one.key, one.text.casefold(), f"{one.key}s"}
            for b in {other.key, other.text.casefold(), f"{other.key}s"}
        ]
        return any(
            f"{a} {link} {b}" in self.words or f"{b} {link} {a}" in self.words
            for a, b in pairs
            for link in ("or", "(or", "also called", "(also called")
        )

    def _is_said_of(self, other: Term, at: int | None) -> bool:
        """Whether the material says much the same of the other term."""
        if at is None:
            return False
        told = self._said_of.get(other.key, [])
        return any(float(self.said[at] @ self.said[i]) > SAID_TOO for i in told)


def _closeness(term: Term, other: Term, cosine: float) -> float:
    shape = (
        0.2 * (term.entity == other.entity)
        + 0.15 * (("()" in term.text) == ("()" in other.text))
        + 0.15 * (term.proper == other.proper)
    )
    length = -0.03 * abs(len(term.text.split()) - len(other.text.split()))
    head = 0.1 * (term.head == other.head)
    named = 0.2 * (_is_named(term) == _is_named(other))
    return cosine + shape + length + head + named


def _is_named(term: Term) -> bool:
    """A name within: "Forward Euler scheme"."""
    return any(word[:1].isupper() for word in term.text.split())


def _may_stand_beside(term: Term, other: Term) -> bool:
    if term.proper and other.proper and term.entity and other.entity and term.entity != other.entity:
        return False
    return not _overlap(term.key, other.key) and not _may_be_the_same(term, other)


def _stands_in(term: Term, text: str) -> bool:
    """The text names it, or all its words: "array element computations" and "array computing"."""
    if occurs(term.text, text) or occurs(term.key, text):
        return True
    words = {word[:5] for word in re.findall(r"\w+", text)}
    return all(word[:5] in words for word in re.findall(r"\w+", term.key))


_ADJECTIVE = re.compile(r"(?:al|ic|ive|ous|ete|ear|ary|ent|ant|ed|ing|ble|ful|act|ete|er|inite)$")


def _may_be_the_same(term: Term, other: Term) -> bool:
    """ "numerical error" and "global error": of one head, told apart by adjectives that may both hold."""
    if term.head != other.head:
        first, second = set(term.key.split()[:-1]), set(other.key.split()[:-1])
        modified = bool(first and second) and (first <= second or second <= first)
        if modified and any({term.head, other.head} <= alike for alike in ALIKE_HEADS):
            return True
        return _is_thing_of(term, second, other) or _is_thing_of(other, first, term)
    if ("()" in term.text) != ("()" in other.text):
        return True
    modifiers = [word for one in (term, other) for word in one.key.split()[:-1]]
    if {modifiers[0], modifiers[-1]} in OPPOSED or (_is_named(term) and _is_named(other)):
        return False
    return any(_ADJECTIVE.search(word) for word in modifiers) or not modifiers


def _is_thing_of(term: Term, modifiers: set[str], other: Term) -> bool:
    """ "Python dictionary" and "dictionary object"."""
    return term.head in modifiers and other.head in _THINGS


_THINGS = frozenset("object construct instance structure type concept value code".split())


def _overlap(one: str, other: str) -> bool:
    """One is a part of the other: "function" and "built-in function"."""
    first, second = set(_words(one)), set(_words(other))
    return first <= second or second <= first


def _words(text: str) -> list[str]:
    return [
        word[:-1] if word.endswith("s") and len(word) > 3 else word
        for word in re.findall(r"[\w+#]+", text.casefold())
    ]


def occurs(term: str, text: str) -> bool:
    """Whether a term stands in a text, in the singular or plural. `text` is small."""
    small = term.casefold()
    # Nearly always it does not, and to look for the letters first is much quicker.
    return small in text and bool(re.search(rf"(?<!\w){re.escape(small)}(?:s|es)?(?!\w)", text))


def counted(terms: Iterable[Term], texts: Sequence[str]) -> dict[str, int]:
    """In how many texts a term occurs, by its key."""
    small = [text.casefold() for text in texts]
    found: dict[str, int] = {}
    for term in terms:
        key = term.key
        if key not in found:
            quick, names = key.split()[0][:4], {key, term.text.casefold()}
            found[key] = sum(
                1 for text in small if quick in text and any(occurs(name, text) for name in names)
            )
    return found


def distinct(terms: Iterable[Term]) -> list[Term]:
    """Each once; the singular with an article wins, for it can be worded in both numbers."""
    best: dict[str, Term] = {}
    for term in terms:
        known = best.get(term.key)
        if (
            known is None
            or (known.plural and not term.plural)
            or (not known.article and term.article in ("a", "an"))
        ):
            best[term.key] = term
    return [best[key] for key in sorted(best)]


def empty() -> Inventory:
    return Inventory([], np.zeros((0, 1), np.float32), {}, [], np.zeros((0, 1), np.float32))
