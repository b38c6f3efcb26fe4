"""The gate behind both makers: every rule on every item, repeats last; one batch of embeddings a call."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from tools.notes.terms import Stems
from tools.study.gate.clarity import is_ambiguous, is_trivial
from tools.study.gate.form import is_badly_formed
from tools.study.gate.repeats import (
    MOST_CANDIDATES,
    PARTS,
    Asked,
    Known,
    Memory,
    asked,
    is_alike,
    judged_by_words,
    known,
)
from tools.study.gate.scoring import score
from tools.study.gate.standing import is_pronoun_only, refers_elsewhere
from tools.study.gate.support import Support, support_of
from tools.study.gate.told import Told
from tools.study.gate.view import Unreadable, View, view
from tools.study.gate.words import Held
from tools.study.items import Item, fingerprint
from tools.study.port import Embed, Ground, Matrix, Reason, Verdict


@dataclass
class _Judged:
    """An item on its way through the gate."""

    item: Item
    view: View | None = None
    reasons: list[Reason] = field(default_factory=list)
    support: Support = field(default_factory=lambda: Support(0.0, fails=False))
    asked: Asked | None = None
    near: list[Asked] = field(default_factory=list)
    """What it may repeat, by meaning."""


class ItemGate:
    """Judges items. Remembers those it let pass, so that repeats in later batches are found.

    `earlier`: questions and fronts that exist already; `fingerprints`: of such whose text is not at hand
    (`tools.study.items.fingerprint`).
    """

    def __init__(
        self, embed: Embed, earlier: Sequence[Known | str] = (), fingerprints: Collection[bytes] = ()
    ) -> None:
        self._embed = embed
        self._earlier = [one if isinstance(one, Known) else Known(one) for one in earlier]
        self._fingerprints = set(fingerprints)
        self._memory = Memory()
        self._told = Told()

    async def judge(self, items: Sequence[Item], ground: Ground) -> list[Verdict]:
        """Verdicts in the order of the items. Of repeats in one call the first that passes stays."""
        stems = ground.lexicon.stems
        self._remember_earlier(stems)
        self._told.learn(ground)
        judged = [self._alone(item, stems) for item in items]
        vectors = await self._vectors(list(dict.fromkeys(_to_compare(judged, self._memory))))
        for one in judged:
            self._by_meaning(one, vectors)
            self._against_others(one, vectors)
        return [_verdict(one) for one in judged]

    def _remember_earlier(self, stems: Stems) -> None:
        """Put off to the first call, because stems come with the ground."""
        for one in self._earlier:
            self._memory.add(known(one, stems))
        self._earlier = []

    def _alone(self, item: Item, stems: Stems) -> _Judged:
        """What can be said of an item without the others, and without meaning."""
        one = _Judged(item)
        try:
            one.view = view(item)
        except Unreadable:
            one.reasons.append(Reason.BADLY_FORMED)
            return one
        if is_badly_formed(one.view):
            one.reasons.append(Reason.BADLY_FORMED)
            if not item.evidence:
                one.view = None
                return one
        if refers_elsewhere(one.view):
            one.reasons.append(Reason.REFERS_ELSEWHERE)
        if is_pronoun_only(one.view, stems):
            one.reasons.append(Reason.PRONOUN_ONLY)
        held = Held([sentence.text for sentence in item.evidence], stems)
        one.support = support_of(one.view, held, self._told, stems)
        if one.support.fails:
            one.reasons.append(Reason.UNSUPPORTED)
        if is_trivial(one.view, stems):
            one.reasons.append(Reason.TRIVIAL)
        if is_ambiguous(one.view, self._told, stems):
            one.reasons.append(Reason.AMBIGUOUS)
        one.asked = asked(one.view, stems)
        return one

    async def _vectors(self, texts: Sequence[str]) -> dict[str, Matrix]:
        if not texts:
            return {}
        return dict(zip(texts, await self._embed(texts), strict=True))

    def _by_meaning(self, one: _Judged, vectors: dict[str, Matrix]) -> None:
        if one.view is None or one.support.doubt is None or one.support.fails:
            return
        if _cosine(one.support.doubt, one.view.evidence, vectors) < one.support.least:
            one.reasons.append(Reason.UNSUPPORTED)

    def _against_others(self, one: _Judged, vectors: dict[str, Matrix]) -> None:
        """Only what passes otherwise is compared, and remembered."""
        if one.view is None or one.asked is None or one.reasons:
            return
        mark = fingerprint(one.view.item.front if one.view.is_card else one.view.item.text)  # type: ignore[union-attr]
        if mark in self._fingerprints and one.view.form not in PARTS:
            one.reasons.append(Reason.REPEATED)
            return
        tried = 0
        for other in self._memory.near(one.asked):
            same = judged_by_words(one.asked, other)
            if same is None and tried < MOST_CANDIDATES:
                tried += 1
                same = is_alike(one.asked, other, _cosine(one.asked.text, other.text, vectors))
            if same:
                one.reasons.append(Reason.REPEATED)
                return
        self._memory.add(one.asked)


def _to_compare(judged: Sequence[_Judged], memory: Memory) -> Iterator[str]:
    """All texts whose meaning may be asked for in this call."""
    batch = Memory()
    for one in judged:
        if one.view is None or one.asked is None or one.reasons:
            continue
        if one.support.doubt is not None:
            yield one.support.doubt
            yield one.view.evidence
        unsure = [
            other
            for other in (*memory.near(one.asked), *batch.near(one.asked))
            if judged_by_words(one.asked, other) is None
        ]
        if unsure:
            yield one.asked.text
            yield from (other.text for other in unsure[: 2 * MOST_CANDIDATES])
        batch.add(one.asked)


def _cosine(one: str, other: str, vectors: dict[str, Matrix]) -> float:
    """0 when a text was not embedded in this call."""
    if one not in vectors or other not in vectors:
        return 0.0
    return float(np.dot(vectors[one], vectors[other]))


def _verdict(one: _Judged) -> Verdict:
    reasons = tuple(dict.fromkeys(one.reasons))
    if one.view is None:
        return Verdict(one.item, reasons, 0.0)
    return Verdict(one.item, reasons, score(one.view, one.support.share, reasons))
