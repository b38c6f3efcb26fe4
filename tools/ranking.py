"""Which tools fit a request: by the words that they share with it, and by meaning."""

import math
import re
import threading
from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from storage.embeddings import Embedder
from tools.spec import ToolSpec

BY_WORDS, BY_MEANING = 0.4, 0.6
SATURATION = 1.2
"""k1 of BM25 (Robertson and Zaragoza 2009, section 3.3): how soon another occurrence of a word stops to count."""
NAME_WEIGHT = 3
"""A word of the name counts as often as this in the text."""
PLAIN = frozenset(
    "a an and any are as at be by can do for from get how i in is it me my of on or show that the their them to want what when which with you your".split()
)

OUR_WORD = {
    "make": "create", "new": "create", "write": "create", "remove": "delete", "drop": "delete", "change": "update",
    "rename": "update", "edit": "update", "stop": "cancel", "see": "list", "book": "material", "file": "material",
    "slides": "material", "homework": "assignment", "quiz": "test", "exam": "test", "card": "flashcard", "chat": "conversation",
}  # fmt: skip
"""What people say, and the word that names of tools have for it."""


class Ranking:
    """Safe to share between threads. Reads each tool once, at the first request that it could answer."""

    def __init__(self, embedder: Embedder) -> None:
        self._embedder = embedder
        self._lock = threading.Lock()
        self._words: dict[str, Counter[str]] = {}
        self._vectors: dict[str, npt.NDArray[np.float32]] = {}

    def order(self, specs: Sequence[ToolSpec], query: str) -> list[ToolSpec]:
        """The tools that fit best first; without a query, as they come. Blocks: some 15 ms a query, and as much for every
        tool that was not read before."""
        if not query.strip() or not specs:
            return list(specs)
        with self._lock:
            for spec in specs:
                self._read(spec)
        words = by_words({spec.name: self._words[spec.name] for spec in specs}, query)
        asked = np.asarray(self._embedder.embed_query(query), dtype=np.float32)
        scores = {
            spec.name: BY_WORDS * words[spec.name] + BY_MEANING * float(self._vectors[spec.name] @ asked)
            for spec in specs
        }
        return sorted(specs, key=lambda spec: -scores[spec.name])

    def _read(self, spec: ToolSpec) -> None:
        if spec.name in self._vectors:
            return
        self._words[spec.name] = words_of(spec)
        text = f"{spec.title}. {spec.description}"
        self._vectors[spec.name] = np.asarray(self._embedder.embed_documents([text])[0], dtype=np.float32)


_SHARED: dict[int, Ranking] = {}


def shared_ranking(embedder: Embedder) -> Ranking:
    """One for an embedder in this process: reading the whole catalogue costs a second or two."""
    # By identity: a ranking keeps its embedder, so no other one gets the same.
    return _SHARED.setdefault(id(embedder), Ranking(embedder))


def by_words(texts: Mapping[str, Counter[str]], query: str) -> dict[str, float]:
    """Rare words that query and tool share, the best tool at 1: BM25 without its correction for length, because a longer
    description is no worse."""
    asked = set(stems(query))
    asked |= {STEM_OF_OURS[word] for word in asked if word in STEM_OF_OURS}
    scores = dict.fromkeys(texts, 0.0)
    for word in asked:
        holding = [name for name, words in texts.items() if word in words]
        rarity = math.log(1 + len(texts) / (1 + len(holding)))
        for name in holding:
            times = texts[name][word]
            scores[name] += rarity * times * (SATURATION + 1) / (times + SATURATION)
    best = max(scores.values(), default=0.0)
    return {name: score / best for name, score in scores.items()} if best else scores


def words_of(spec: ToolSpec) -> Counter[str]:
    """What a tool is about: its name, toolset and description. Parameters are left out: most tools take a class."""
    words = Counter(stems(f"{spec.toolset} {spec.description}"))
    for word in stems(spec.name):
        words[word] += NAME_WEIGHT
    return words


def stems(text: str) -> list[str]:
    """The words without the endings that differ between "revoke a key" and "revoking keys"."""
    words = re.findall(r"[^\W_]+", text.casefold())
    return [re.sub(r"(?<=\w{3})(?:ing|es|ed|s|e)$", "", word) for word in words if word not in PLAIN]


STEM_OF_OURS = {stems(said)[0]: stems(ours)[0] for said, ours in OUR_WORD.items()}
