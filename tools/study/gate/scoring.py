"""The quality score of an item, 0 to 1. Pure."""

from collections.abc import Sequence

from tools.notes import cues
from tools.study.gate.view import View
from tools.study.gate.words import words
from tools.study.port import Reason

BEST_LENGTH = (6, 28)
"""Words of a question that reads well."""
REJECTED = 0.35
"""Most that an item with a reason against it can have; each further reason halves it."""


def score(view: View, support: float, reasons: Sequence[Reason]) -> float:
    """How good an item looks: mostly how well it is supported, then its length, its options, its evidence."""
    value = 0.5 * min(1.0, support) + 0.2 * _length(view) + 0.15 * _options(view) + 0.15 * _evidence(view)
    if reasons:
        value *= REJECTED * 0.5 ** (len(reasons) - 1)
    return round(min(1.0, value), 3)


def _length(view: View) -> float:
    if view.form == "reversed":
        return 1.0 if len(words(view.asked)) <= 6 else 0.6
    least, most = BEST_LENGTH
    count = len(words(view.asked))
    if count < least:
        return count / least
    return 1.0 if count <= most else max(0.2, most / count)


def _options(view: View) -> float:
    """Options of like length hide the key; without options it must be recalled."""
    if not view.wrong or not view.keys:
        return 1.0 if view.form != "true_false" else 0.7
    lengths = [len(option) for option in (*view.keys, *view.wrong)]
    likeness = min(lengths) / max(1, *lengths)
    return 0.5 * min(1.0, len(view.wrong) / 3) + 0.5 * min(1.0, likeness * 2)


def _evidence(view: View) -> float:
    """A sentence that stands by itself is worth quoting."""
    first = view.item.evidence[0].text
    if cues.is_housekeeping(first):
        return 0.0
    return 0.4 if cues.points_back(first) else 1.0
