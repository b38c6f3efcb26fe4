"""Choosing the sentences that answer a question, verbatim, from the hits of a search.

A sentence's support is made of the rare words it shares with the question and its likeness in meaning. The choice among
supported sentences follows maximal marginal relevance (Carbonell and Goldstein, SIGIR 1998), so quotes do not repeat.
"""

import math
import re
from collections import Counter
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import lru_cache
from itertools import pairwise
from typing import Any

import numpy as np

from assistant.models.embeds import Embeds, FloatArray
from assistant.models.prose import is_ended, is_prose, leads_on, pieces
from assistant.models.shapes import shape_bonus
from assistant.models.words import STOP, fold, stem, terms, words

HITS_READ = 10
OPPOSITE = 0.3
"""Taken off a sentence that has a question's word only in its opposite: "unstable" where "stable" was asked for."""
SENTENCES_EMBEDDED = 28
"""At most so many sentences are embedded: about 5 ms of CPU each."""
LEXICAL, MEANING, RANK = 0.45, 0.45, 0.10
TOGETHER = 0.15
"""Weight of question words that also stand side by side in the sentence: "unconditionally stable" is one notion."""
DIVERSITY = 0.35
NEAR_THE_BEST = 0.72
"""Further quotes need at least this share of the best one's score, unless they cover new words of the question."""
COVERAGE = 0.3
"""Weight of question words that no chosen sentence holds yet."""

PHRASE = 0.5
"""For a sentence that holds a phrase which the question puts in quotation marks."""
TORN, CUT = 0.25, 0.12
"""Taken off a sentence that leads on to a formula or list, which the quote would lack, and off one without its end."""
READABLE, TOO_LONG = 260, 0.12
"""Sentences over so many characters lose up to so much."""
LIKE = 0.86
"""Likeness (difflib's ratio) from which a word that no passage holds is taken for a slip of the keyboard."""

_QUOTED = re.compile(r"[\"“«]([^\"“”«»]{2,200})[\"”»]")


@dataclass(frozen=True)
class Hit:
    """A search hit as the tool's artifact gives it."""

    number: int
    text: str
    title: str
    label: str


@dataclass(frozen=True)
class Quote:
    """One sentence out of a hit. `lexical` and `meaning` are its support, both in 0..1."""

    text: str
    hit: Hit
    score: float
    lexical: float
    meaning: float
    is_opposite: bool = False
    """Whether it says the opposite of what was asked: "unstable" where "stable" was asked for."""


def read_hits(artifact: dict[str, Any]) -> list[Hit]:
    """Hits of a `search_materials` artifact, best first."""
    hits = []
    for index, raw in enumerate(artifact.get("hits") or [], 1):
        locator = raw.get("locator") or {}
        title = str(locator.get("material_title") or "your material")
        hits.append(
            Hit(int(raw.get("number") or index), str(raw.get("text", "")), title, str(raw.get("label") or ""))
        )
    return hits


def choose_quotes(question: str, hits: list[Hit], embedder: Embeds, *, most: int = 3) -> list[Quote]:
    """Up to `most` sentences that support an answer, best first; empty when nothing does."""
    candidates = _candidates(hits)
    wanted = _asked_for(question, hits)
    if not candidates or not wanted:
        return []
    weights = _rarity(wanted, [t for t, _ in candidates])
    lexical = np.array([_overlap(text, weights) for text, _ in candidates], dtype=np.float32)
    order = {hit.number: index for index, hit in enumerate(hits)}
    rank = np.array([1.0 / (1.0 + order[hit.number]) for _, hit in candidates], dtype=np.float32)
    form = np.array([_form(question, wanted, text) for text, _ in candidates], dtype=np.float32)
    kept = np.argsort(-(lexical + 0.3 * rank + form), kind="stable")[:SENTENCES_EMBEDDED]
    texts = [candidates[i][0] for i in kept]
    vectors = np.asarray(embedder.embed_documents(texts), dtype=np.float32)
    meaning = vectors @ np.asarray(embedder.embed_query(question), dtype=np.float32)
    score = LEXICAL * lexical[kept] + MEANING * np.clip(meaning, 0, 1) + RANK * rank[kept] + form[kept]
    quotes = [
        Quote(
            texts[i],
            candidates[k][1],
            float(score[i]),
            float(lexical[k]),
            float(meaning[i]),
            _turns_round(question, texts[i]),
        )
        for i, k in enumerate(kept)
    ]
    return _diverse(quotes, vectors, weights, most)


def _form(question: str, wanted: list[str], sentence: str) -> float:
    """What a sentence gains and loses by how it is made, apart from its words and its meaning."""
    score = shape_bonus(question, wanted, sentence) + TOGETHER * _share_of(_pairs(question), sentence)
    if any(fold(phrase) in fold(sentence) for phrase in _QUOTED.findall(question)):
        score += PHRASE
    if _turns_round(question, sentence):
        score -= OPPOSITE
    if not is_ended(sentence):
        score -= TORN if leads_on(sentence) else CUT
    return score - TOO_LONG * min(1.0, max(0, len(sentence) - READABLE) / READABLE)


def _asked_for(question: str, hits: list[Hit]) -> list[str]:
    """The terms of the question; one that no passage holds is replaced by the passages' word that it is a slip of."""
    wanted = terms(question) or [stem(w) for w in words(question) if len(w) > 3]
    held = {stem(w) for hit in hits for w in words(hit.text)}
    return list(dict.fromkeys(_slip_of(t, held) or t for t in wanted if not _is_small_word(t, held)))


def _slip_of(term: str, held: set[str]) -> str | None:
    if len(term) < 5 or term in held or any(_kin(term, s) for s in held):
        return None
    alike = {s: SequenceMatcher(None, term, s).ratio() for s in held if s[:1] == term[0] and len(s) >= 5}
    best = max(alike, key=lambda s: alike[s], default=None)
    return best if best is not None and alike[best] >= LIKE else None


def _is_small_word(term: str, held: set[str]) -> bool:
    """Whether an unknown word is a stop word with its letters mixed up ("teh")."""
    return len(term) > 2 and term not in held and "".join(sorted(term)) in _mixed_stop_words()


@lru_cache(maxsize=1)
def _mixed_stop_words() -> frozenset[str]:
    return frozenset("".join(sorted(word)) for word in STOP if len(word) > 2)


def is_supported(quote: Quote) -> bool:
    """Whether a sentence bears on the question at all. Thresholds set on the book and questions named in the tests."""
    if quote.meaning >= 0.62:
        return quote.lexical >= 0.2
    if quote.meaning >= 0.42:
        return quote.lexical >= 0.4
    return quote.meaning >= 0.25 and quote.lexical >= 0.75 - 2 * (quote.meaning - 0.25)


def _candidates(hits: list[Hit]) -> list[tuple[str, Hit]]:
    """Sentences of the hits with where they stand, without repeats, headings, questions and debris."""
    seen: set[str] = set()
    found = []
    for hit in hits[:HITS_READ]:
        for sentence in pieces(hit.text):
            if sentence not in seen and is_prose(sentence):
                seen.add(sentence)
                found.append((sentence, hit))
    return found


def _rarity(wanted: list[str], sentences: list[str]) -> dict[str, float]:
    """Weight of each wanted term: BM25's inverse document frequency over the sentences; absent terms weigh most."""
    held = Counter(t for s in sentences for t in {stem(w) for w in words(s)} & set(wanted))
    total = len(sentences)
    weights = {t: math.log(1 + (total - held[t] + 0.5) / (held[t] + 0.5)) for t in wanted}
    whole = sum(weights.values()) or 1.0
    return {t: w / whole for t, w in weights.items()}


def _covered(sentence: str, weights: dict[str, float]) -> set[str]:
    stems = {stem(w) for w in words(sentence)}
    return {t for t in weights if t in stems or any(_kin(t, s) for s in stems)}


def _overlap(sentence: str, weights: dict[str, float]) -> float:
    return sum(weights[t] for t in _covered(sentence, weights))


def _pairs(text: str) -> set[tuple[str, str]]:
    """Neighbouring content words of a text, as stems."""
    stems = [stem(w) for w in words(text) if w not in STOP]
    return set(pairwise(stems))


def _share_of(pairs: set[tuple[str, str]], sentence: str) -> float:
    return len(pairs & _pairs(sentence)) / len(pairs) if pairs else 0.0


def _turns_round(question: str, sentence: str) -> bool:
    """Whether the sentence holds the opposite of a word that the question has, and not the word itself."""
    asked, said = {w for w in words(question) if w not in STOP}, set(words(sentence))
    return any(
        w not in said and (prefix + w in said or (w.startswith(prefix) and w.removeprefix(prefix) in said))
        for w in asked
        for prefix in ("un", "in", "non", "im", "ir")
    )


def _kin(term: str, other: str) -> bool:
    """The same word in another form ("stab" of stable, "stabil" of stabilised)."""
    short, long = sorted((term, other), key=len)
    return len(short) >= 4 and len(long) - len(short) <= 3 and long.startswith(short)


def _diverse(quotes: list[Quote], vectors: FloatArray, weights: dict[str, float], most: int) -> list[Quote]:
    left = [i for i, q in enumerate(quotes) if is_supported(q)]
    left = [i for i in left if not quotes[i].is_opposite] or left
    if not left:
        return []
    best = max(quotes[i].score for i in left)
    covers = {i: _covered(quotes[i].text, weights) for i in left}
    chosen: list[int] = []
    missing = set(weights)
    while left and len(chosen) < most:
        nearest = {i: max((float(vectors[i] @ vectors[c]) for c in chosen), default=0.0) for i in left}
        gain = {i: sum(weights[t] for t in covers[i] & missing) if chosen else 0.0 for i in left}
        pick = max(left, key=lambda i: quotes[i].score - DIVERSITY * nearest[i] + COVERAGE * gain[i])
        left.remove(pick)
        # A torn sentence may be the best there is; beside another quote it is none.
        torn = bool(chosen) and leads_on(quotes[pick].text)
        if torn or nearest[pick] > 0.93 or (quotes[pick].score < NEAR_THE_BEST * best and gain[pick] < 0.3):
            continue
        chosen.append(pick)
        missing -= covers[pick]
    return [quotes[i] for i in chosen]


def absent_words(question: str, hits: list[Hit]) -> list[str]:
    """Words of the question that no hit holds, as they were written."""
    held = {stem(w) for hit in hits for w in words(hit.text)}
    missing = {
        t
        for t in terms(question)
        if t not in held
        and not any(_kin(t, s) for s in held)
        and not _slip_of(t, held)
        and not _is_small_word(t, held)
    }
    return list(dict.fromkeys(w for w in re.findall(r"[^\W_]+", question) if stem(w.lower()) in missing))
