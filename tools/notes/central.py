"""Which sentences say what a part is about: nearest to its middle, and not the same thing twice. Pure."""

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from tools.notes import cues
from tools.notes.reading import Sentence

Matrix = npt.NDArray[np.float32]

SHORTEST, LONGEST = 6, 45
"""Words of a sentence that can stand as a point."""
CANDIDATES = 120
"""Sentences of one part that are compared by meaning; of a longer part those with the weightiest words."""
RELEVANCE = 0.7
"""Lambda of maximal marginal relevance (Carbonell and Goldstein 1998)."""


def candidates(part: Sequence[Sentence], weights: Mapping[str, float]) -> list[int]:
    """Indices of the sentences that may be points, in order; what is said twice counts once."""
    first = {one.text.casefold(): i for i, one in reversed(list(enumerate(part)))}
    able = [i for i, one in enumerate(part) if first[one.text.casefold()] == i and _can_stand(one)]
    if len(able) > CANDIDATES:
        able = sorted(able, key=lambda i: -sum(weights.get(stem, 0.0) for stem in set(part[i].stems)))[
            :CANDIDATES
        ]
    return sorted(able)


def _can_stand(sentence: Sentence) -> bool:
    words = len(sentence.text.split())
    return (
        SHORTEST <= words <= (LONGEST + 20 if sentence.spoken else LONGEST)
        and len(set(sentence.stems)) >= 3
        and not sentence.text.endswith(("?", ":"))
        and not cues.is_housekeeping(sentence.text)
    )


def centrality(
    sentences: Sequence[Sentence], vectors: Matrix, terms: Sequence[str]
) -> npt.NDArray[np.float32]:
    """How well each sentence stands for all of them: cosine to their middle, with a bonus for key terms and definitions
    and a malus for leaning on the sentence before."""
    middle = vectors.mean(axis=0)
    scores: npt.NDArray[np.float32] = vectors @ (middle / max(float(np.linalg.norm(middle)), 1e-6))
    for index, sentence in enumerate(sentences):
        text = sentence.text.casefold()
        scores[index] += 0.05 * sum(term.casefold() in text for term in terms[:3])
        scores[index] += 0.08 if cues.defined_term(sentence.text) else 0.0
        scores[index] -= 0.15 if cues.points_back(sentence.text) else 0.0
        scores[index] -= 0.1 if len(sentence.text.split()) > 35 else 0.0
    return scores


def most_central(
    scores: npt.NDArray[np.float32], vectors: Matrix, count: int, taken: Sequence[int] = ()
) -> list[int]:
    """The best `count` indices by maximal marginal relevance, best first; unlike each other and unlike those taken."""
    chosen: list[int] = []
    free = [i for i in range(len(scores)) if i not in set(taken)]
    while free and len(chosen) < count:
        others = [*taken, *chosen]
        likeness = (
            (vectors[free] @ vectors[others].T).max(axis=1)
            if others
            else np.zeros(len(free), dtype=np.float32)
        )
        values = RELEVANCE * scores[free] - (1 - RELEVANCE) * likeness
        chosen.append(free.pop(int(values.argmax())))
    return chosen
