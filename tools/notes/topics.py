"""Where one topic of a talk ends and the next begins. Pure.

Alemi and Ginsparg, "Text Segmentation based on Semantic Word Embeddings" (2015): the best division is the one whose
segments have the longest vector sums, found exactly by dynamic programming, here with a price for each boundary that is
set so that topics have the wanted length on average.
"""

import re
import zlib
from collections import Counter
from collections.abc import Sequence
from math import log

import numpy as np
import numpy.typing as npt

Matrix = npt.NDArray[np.float32]

WORD_DIMENSIONS = 256
"""Stems are hashed into this many dimensions beside those of the embedding: topics share words as well as meaning.
On talks made of 10 to 12 sections of a textbook Pk is .24 with both, .27 with one of them, .46 for equal lengths."""
WORD_WEIGHT = 1.2
LONGEST = 160
"""Sentences in one topic at most."""
CUE_BONUS = 0.6
"""What a turn of speech ("Now let's turn to") adds to a boundary, in lengths of a sentence's vector."""

_CUE = re.compile(
    r"^(?:(?:so|okay|ok|all right|alright|right|well|good|and|um|uh)[,.]?\s+)*"
    r"(?:(?:now )?let(?:'s|’s| us) (?:now )?(?:turn|move|go|talk|look|start|switch|begin|get)\b|(?:now )?(?:we|i)(?:'ll|’ll| will| want to| are going to|'re going to|’re going to) (?:now )?(?:turn|move|talk|look|start|switch)\b"
    r"|moving on|next(?: topic| up|,| we)|the next (?:topic|thing|part|section|chapter|point)|another (?:topic|important)|the (?:second|third|fourth|fifth|last|final) (?:topic|thing|part|point|type|kind)"
    r"|(?:first|second|secondly|third|thirdly|finally|lastly),|in this (?:section|part|chapter|lecture)|turning to|to (?:summari[sz]e|conclude|sum up)|in (?:summary|conclusion))",
    re.IGNORECASE,
)


def announces(sentence: str) -> bool:
    """Whether a sentence says that something new begins."""
    return bool(_CUE.match(sentence))


def topic_starts(
    embeddings: Matrix, stems: Sequence[Sequence[str]], announced: Sequence[bool], count: int
) -> list[int]:
    """First sentences of about `count` topics, beginning with 0. `embeddings`: a unit vector a sentence."""
    size = len(stems)
    if count <= 1 or size < 4:
        return [0] if size else []
    gains = _gains(_centred(np.hstack([embeddings, WORD_WEIGHT * _word_vectors(stems)])))
    bonus = np.array([CUE_BONUS if new else 0.0 for new in announced], dtype=np.float32)
    low, high = 0.0, float(size)
    best: list[int] = [0]
    for _ in range(24):
        price = (low + high) / 2
        starts = _cheapest(gains, bonus, price)
        if abs(len(starts) - count) < abs(len(best) - count):
            best = starts
        if len(starts) == count:
            break
        if len(starts) > count:
            low = price
        else:
            high = price
    return best


def _word_vectors(stems: Sequence[Sequence[str]]) -> Matrix:
    """tf-idf over hashed stems, unit length; a sentence without words is the zero vector."""
    held = Counter(stem for words in stems for stem in set(words))
    vectors = np.zeros((len(stems), WORD_DIMENSIONS), dtype=np.float32)
    for row, words in enumerate(stems):
        for stem, times in Counter(words).items():
            digest = zlib.crc32(stem.encode())
            sign = 1.0 if digest & 1 else -1.0
            vectors[row, (digest >> 1) % WORD_DIMENSIONS] += sign * times * log(1 + len(stems) / held[stem])
    unit: Matrix = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-6)
    return unit


def _centred(vectors: Matrix) -> Matrix:
    """Without what all sentences share, unit length."""
    centred = vectors - vectors.mean(axis=0)
    unit: Matrix = centred / np.maximum(np.linalg.norm(centred, axis=1, keepdims=True), 1e-6)
    return unit


def _gains(vectors: Matrix) -> Matrix:
    """gains[end, n]: length of the vector sum of the n+1 sentences that end before `end`; -inf where there are not as many."""
    size = len(vectors)
    longest = min(LONGEST, size)
    sums = np.vstack([np.zeros(vectors.shape[1], dtype=np.float32), np.cumsum(vectors, axis=0)])
    gains = np.full((size + 1, longest), -np.inf, dtype=np.float32)
    for end in range(1, size + 1):
        first = max(0, end - longest)
        lengths = np.linalg.norm(sums[end] - sums[first:end], axis=1)
        gains[end, : end - first] = lengths[::-1]
    return gains


def _cheapest(gains: Matrix, bonus: npt.NDArray[np.float32], price: float) -> list[int]:
    """Starts of the segments with the largest sum of gains minus prices."""
    size, longest = len(gains) - 1, gains.shape[1]
    best = np.zeros(size + 1, dtype=np.float32)
    start_of = np.zeros(size + 1, dtype=np.int64)
    begin_value = bonus - price
    for end in range(1, size + 1):
        first = max(0, end - longest)
        values = best[first:end] + gains[end, : end - first][::-1] + begin_value[first:end]
        chosen = int(values.argmax())
        best[end], start_of[end] = values[chosen], first + chosen
    starts = []
    end = size
    while end > 0:
        end = int(start_of[end])
        starts.append(end)
    return starts[::-1]
