"""Questions that were asked before, in the same words or in others. Pure: what must be compared by meaning is only named here."""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from tools.notes.terms import Stems
from tools.study.gate.view import BLANK, CARD_GAP, GAP, View
from tools.study.gate.words import content, numbers, root, words
from tools.study.items import fingerprint

CANDIDATE = 0.4
"""Word overlap (Jaccard, stems) from which on meaning is asked."""
SAME_WORDS = 0.75
"""Overlap from which on two questions with the same answer are the same."""
SAME_STATEMENT = 0.85
SAME_PLACE = 0.6
"""Overlap from which on two statements about one sentence, or two of its gaps, give each other away."""
ALIKE = 0.86
"""Cosine of two questions with the same answer; without a known answer ALIKE_ALONE."""
ALIKE_ALONE = 0.95
MOST_CANDIDATES = 4
PARTS = ("matching", "ordering")
"""What these ask stands in their parts; many have the same text."""


@dataclass(frozen=True, slots=True)
class Known:
    """A question or a card's front that the student's class has already."""

    text: str
    answer: str | None = None
    """Its key as a person would read it; without it only the texts are compared."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What is compared of a question."""

    text: str
    roots: frozenset[str]
    numbers: frozenset[str]
    answer: frozenset[str] | None
    """Roots of the key."""
    form: str | None = None
    is_card: bool = False
    place: tuple[UUID, int, int] | None = None
    """Where its first evidence stands."""


def asked(view: View, stems: Stems) -> Asked:
    first = view.item.evidence[0]
    return Asked(
        text=view.asked,
        roots=_roots(view.asked, stems),
        numbers=frozenset(numbers(view.asked)),
        answer=_answer(view.answer, stems),
        form=view.form,
        is_card=view.is_card,
        place=(first.chunk_id, first.segment, first.start),
    )


def known(earlier: Known, stems: Stems) -> Asked:
    """Gaps of a cloze are its answer when no other is known."""
    gaps = [match.group(2) for match in CARD_GAP.finditer(earlier.text)]
    text = GAP.sub(BLANK, CARD_GAP.sub(BLANK, earlier.text))
    answer = earlier.answer if earlier.answer is not None else "; ".join(gaps) or None
    return Asked(
        text,
        _roots(text, stems),
        frozenset(numbers(text)),
        _answer(answer, stems) if answer else None,
        is_card=bool(gaps),
    )


def _roots(text: str, stems: Stems) -> frozenset[str]:
    return frozenset(root(word, stems) for word in content(text, stems) or words(text))


def _answer(text: str, stems: Stems) -> frozenset[str]:
    return _roots(text, stems) | frozenset(numbers(text)) or frozenset({text.strip()})


def overlap(one: Collection[str], other: Collection[str]) -> float:
    """Jaccard index; 0 for two empty sets."""
    union = len(set(one) | set(other))
    return len(set(one) & set(other)) / union if union else 0.0


def judged_by_words(one: Asked, other: Asked) -> bool | None:
    """Whether two questions are the same; None when meaning must tell."""
    shared = overlap(one.roots, other.roots)
    answers = None if one.answer is None or other.answer is None else overlap(one.answer, other.answer)
    if one.form in PARTS:
        return answers is not None and answers >= SAME_WORDS
    if one.form == "true_false" and other.form in ("true_false", None):
        near = SAME_PLACE if one.place == other.place else SAME_STATEMENT
        return shared >= near and (one.numbers == other.numbers or one.place == other.place)
    if one.numbers != other.numbers and not (one.place == other.place and BLANK in one.text):
        return False
    if _gives_away(one, other, shared):
        return True
    if answers is not None and answers < 0.5:
        return shared == 1.0 and len(one.roots) >= 3 and one.form == "multiple_answer"
    if answers is not None and shared >= SAME_WORDS:
        return True
    if fingerprint(one.text) == fingerprint(other.text):
        return True
    return None if shared >= CANDIDATE else False


def _gives_away(one: Asked, other: Asked, shared: float) -> bool:
    """Two gaps of one sentence in a test; the cards of one sentence are meant to be such."""
    both = one.form == other.form == "cloze" and not (one.is_card or other.is_card)
    return both and one.place == other.place and shared >= SAME_PLACE


def is_alike(one: Asked, other: Asked, cosine: float) -> bool:
    """Whether two questions between which words do not decide mean the same."""
    return cosine >= (ALIKE_ALONE if one.answer is None or other.answer is None else ALIKE)


@dataclass
class Memory:
    """All that was asked so far, found by the words it has."""

    _asked: list[Asked] = field(default_factory=list)
    _by_root: dict[str, list[int]] = field(default_factory=dict)

    def add(self, one: Asked) -> None:
        for word in one.roots:
            self._by_root.setdefault(word, []).append(len(self._asked))
        self._asked.append(one)

    def near(self, one: Asked) -> Sequence[Asked]:
        """Those that may be the same, most shared words first; of a type whose parts say what it asks all of the same text."""
        counts = Counter(index for word in one.roots for index in self._by_root.get(word, ()))
        least = CANDIDATE if one.form not in PARTS else SAME_WORDS
        close = [
            (overlap(one.roots, self._asked[index].roots), index)
            for index, shared in counts.items()
            if shared >= least * len(one.roots)
        ]
        ranked = sorted(close, key=lambda found: (-found[0], found[1]))
        return [self._asked[index] for share, index in ranked if share >= least]
