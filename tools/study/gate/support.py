"""Whether the evidence supports the key: its words, numbers, negations, opposites and order. Pure.

Where the words of a paraphrase do not decide, `doubtful` texts are compared by meaning, with all others of a call.
"""

import re
from dataclasses import dataclass

from tools.notes.support import ALIKE, DOUBTFUL, SUPPORTED
from tools.notes.terms import Stems
from tools.study.gate.order import has_order, place_of
from tools.study.gate.told import Told, is_stated, states
from tools.study.gate.view import View
from tools.study.gate.words import (
    Held,
    content,
    in_order,
    negations,
    number_words,
    numbers,
    numbers_held,
    root,
    turned,
    words,
)

STATED = 0.6
"""Share of a statement's content words that the evidence must hold."""
ABOUT_IT = 0.4
"""Cosine of a question with its answer to the evidence, when the answer stands there and only the question has other words."""
ASKING = frozenset(
    "term terms name names abbreviation acronym stand stands statement statements sentence complete completes true correct false describe describes explain define definition match following meaning meant main purpose reason kind property properties options option select choose".split()
)
"""Words that ask, and that the material need not use."""
_INSTRUCTION = re.compile(
    r"^(?:distinguish|implement|describe|explain|demonstrate|identify|compare|discuss|analyze|develop|choose|write|create|draw|run|complete|modify|edit|add|try|enter|test|calculate|compute|recognize|summarize|apply|practice)\b(?! (?:statement|function|method|command|operator|keyword|mode|is|are)\b)",
    re.IGNORECASE,
)
"""An aim of a chapter or an exercise tells nothing that could support an answer."""
_MEASURED_ORDER = re.compile(
    r"\b(?:after|before|later|earlier|ago|descending|decreasing|reverse|backwards?|latest|newest|largest|highest|longest|greatest|smallest|lowest|shortest|alphabetical\w*|precede[sd]?|follow(?:s|ed) by)\b",
    re.IGNORECASE,
)
_SIDES = re.compile(r"[;:]|\b(?:whereas|while|but|and|although)\b", re.IGNORECASE)
_LISTED = re.compile(r",|;|\band\b|\bor\b")


@dataclass(frozen=True, slots=True)
class Support:
    """How well an item is supported. `doubt`: what is to be compared by meaning with the evidence when the words do not decide."""

    share: float
    fails: bool
    doubt: str | None = None
    least: float = ALIKE
    """Cosine to the evidence that settles the doubt."""


def support_of(view: View, held: Held, told: Told, stems: Stems) -> Support:
    """`held`: words of the evidence; `told`: what the material says else, for what a question takes for granted."""
    if all(_INSTRUCTION.match(sentence.text) for sentence in view.item.evidence):
        return Support(0.0, True)
    if view.form == "true_false":
        return _of_statement(view, held, told, stems)
    if view.form == "matching":
        return _of_pairs(view, held, stems)
    if view.form == "ordering":
        return _of_order(view, held, told, stems)
    if view.claim:
        return _of_filled(view, held, stems)
    support = _of_answer(view, held, told.around(view.item.evidence[0]) or held, stems)
    if view.form == "multiple_answer" and any(is_stated(wrong, told, stems) for wrong in view.wrong):
        return Support(support.share, True)
    return support


def _of_statement(view: View, held: Held, told: Told, stems: Stems) -> Support:
    """A true statement must follow from the evidence, a false one must not stand anywhere, and its correction must."""
    if view.value:
        support = _claimed(view.asked, view.evidence, held, stems)
        return Support(support.share, True) if _is_swapped(view.asked, view, stems) else support
    said = any(states(sentence.text, view.asked, stems) for sentence in view.item.evidence)
    if said or is_stated(view.asked, told, stems):
        return Support(0.0, True)
    if not view.claim:
        share = held.share(content(view.asked, stems))
        return Support(share, share < DOUBTFUL)
    return _claimed(view.claim, view.evidence, held, stems)


def _claimed(claim: str, evidence: str, held: Held, stems: Stems) -> Support:
    wanted = content(claim, stems)
    share = held.share(wanted)
    known = {*words(claim), *held.words}
    denied = negations(claim, known) - negations(evidence, known)
    if not numbers_held(claim, evidence) or (denied % 2 and _is_one_sided(claim, evidence, share)):
        return Support(share, True)
    if turned(claim, held):
        return Support(share, True)
    return Support(share, share < DOUBTFUL, claim if share < STATED else None)


def _is_one_sided(claim: str, evidence: str, share: float) -> bool:
    """Whether a negation more or less turns the meaning round: not where the claim only takes up a part of the evidence."""
    parts = len(_SIDES.split(evidence))
    return share >= SUPPORTED and (
        parts < 2 or len(words(claim)) > 0.6 * len(words(evidence)) or "not" in words(claim)
    )


def _is_swapped(claim: str, view: View, stems: Stems) -> bool:
    """The words of the evidence, each as often as there, with two of them exchanged."""
    said = words(claim)
    for sentence in view.item.evidence:
        told = words(sentence.text)
        if said != told and sorted(said) == sorted(told):
            moved = [(a, b) for a, b in zip(said, told, strict=True) if a != b]
            return len(moved) <= 4
    return False


def _of_filled(view: View, held: Held, stems: Stems) -> Support:
    """A cloze: the filled-in text is said by the evidence, and each gap word for word."""
    for key in view.keys:
        wanted = content(key, stems) or words(key)
        if not all(held.has(word) for word in wanted) and not _is_in(key, view.evidence):
            return Support(held.share(wanted) / 2, True)
    return _claimed(view.claim, view.evidence, held, stems)


def _is_in(key: str, evidence: str) -> bool:
    return "".join(key.split()).casefold() in "".join(evidence.split()).casefold()


def _of_answer(view: View, held: Held, around: Held, stems: Stems) -> Support:
    """A question and its answer."""
    shares = [_answer_share(key, view, held, stems) for key in view.keys]
    answer = min(shares, default=0.0)
    asked = [word for word in content(view.asked, stems) if word not in ASKING]
    granted = held.share(asked)
    share = 0.6 * answer + 0.4 * granted
    claim = f"{view.asked} {' '.join(view.keys)}"
    if not all(numbers_held(key, view.evidence) for key in view.keys) or not _counted(view):
        return Support(share, True)
    if any(turned(key, held) and not _is_in(key, view.evidence) for key in view.keys):
        return Support(share, True)
    if answer < DOUBTFUL:
        return Support(share, True)
    if answer < STATED:
        return Support(share, False, claim)
    unsure = granted < DOUBTFUL or around.share(asked) < SUPPORTED
    return Support(share, False, claim if unsure else None, ABOUT_IT)


def _answer_share(key: str, view: View, held: Held, stems: Stems) -> float:
    if _is_in(key, view.evidence):
        return 1.0
    return held.share(content(key, stems) or words(key))


def _counted(view: View) -> bool:
    """Whether a number that is written as a word stands in the evidence, or counts what it lists."""
    listed = len([piece for piece in _LISTED.split(view.evidence) if piece.strip()])
    there = number_words(view.evidence) | set(numbers(view.evidence)) | {str(listed), "1"}
    return all(
        number_words(key) <= there or number_words(key) <= number_words(view.asked) for key in view.keys
    )


def _of_pairs(view: View, held: Held, stems: Stems) -> Support:
    """Both sides of each pair stand in one sentence, and no other left goes better with the right."""
    told = [sentence.text for sentence in view.item.evidence]
    shares = []
    for left, right in view.pairs:
        own = max((_together(left, right, text, stems) for text in told), default=0.0)
        others = [
            _together(other, right, text, stems) for other, _ in view.pairs if other != left for text in told
        ]
        if own < SUPPORTED or max(others, default=0.0) > own + 0.15:
            return Support(own, True)
        shares.append(own)
    return Support(
        sum(shares) / len(shares), not numbers_held(" ".join(right for _, right in view.pairs), view.evidence)
    )


def _together(left: str, right: str, text: str, stems: Stems) -> float:
    """How well a sentence that speaks of `left` says `right`: its words, and their order."""
    held = Held([text], stems)
    if not _speaks_of(left, text, held, stems):
        return 0.0
    wanted = content(right, stems) or words(right)
    told = [root(word, stems) for word in words(text)]
    return 0.5 * held.share(wanted) + 0.5 * in_order([root(word, stems) for word in wanted], told)


def _speaks_of(left: str, text: str, held: Held, stems: Stems) -> bool:
    if _is_in(left, text):
        return True
    wanted = content(left, stems) or words(left)
    return bool(wanted) and held.share(wanted) >= SUPPORTED


def _of_order(view: View, held: Held, told: Told, stems: Stems) -> Support:
    """Each part is said, the material gives an order, and it is this one, unless the evidence measures the order otherwise."""
    shares = [_answer_share(key, view, held, stems) for key in view.keys]
    if min(shares) < SUPPORTED:
        return Support(min(shares), True)
    share = sum(shares) / len(shares)
    if not has_order(view, told, stems):
        return Support(share, True)
    if _MEASURED_ORDER.search(f"{view.asked} {view.evidence}"):
        return Support(share, False)
    places = [place_of(key, view.evidence, stems) for key in view.keys]
    return Support(share, places != sorted(places))
