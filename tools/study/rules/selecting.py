"""Which of the candidates are handed on: what was asked for first, and no sentence twice while there are others."""

from collections import Counter
from collections.abc import Mapping, Sequence

from tools.study.items import Card, Item, fingerprint
from tools.study.port import Embed, Wanted
from tools.study.rules.bench import Candidate
from tools.study.rules.material import Place, place_of
from tools.study.rules.worth import fits

MORE = 2
"""Candidates for each item that is wanted."""
AGAIN = 0.6
"""What a candidate loses for each earlier one from the same sentence."""
OFF_BAND = 1.0
"""And for each step that its difficulty is off."""
LIKE_FOCUS = 0.35
"""Cosine of a sentence to the subject that was asked for, from which it is about it."""


async def select(made: Mapping[str, Sequence[Candidate]], wanted: Wanted, embed: Embed) -> list[Item]:
    """Best first within a type; the types one after the other as they were asked for."""
    avoided = {fingerprint(text) for text in wanted.avoid}
    able = {
        type: [
            one
            for one in candidates
            if _is_wanted(one, wanted) and fingerprint(_text(one.item)) not in avoided
        ]
        for type, candidates in made.items()
    }
    if wanted.focus:
        able = await _focused(able, wanted.focus, embed)
    used: Counter[Place] = Counter()
    chosen: list[Item] = []
    for type, candidates in able.items():
        chosen += _best(candidates, MORE * wanted.types[type], wanted, used)
    return chosen


def _is_wanted(candidate: Candidate, wanted: Wanted) -> bool:
    return not wanted.bloom or candidate.item.bloom in wanted.bloom


def _text(item: Item) -> str:
    return item.front if isinstance(item, Card) else item.text


def _best(candidates: Sequence[Candidate], most: int, wanted: Wanted, used: Counter[Place]) -> list[Item]:
    rest = list(candidates)
    chosen: list[Item] = []
    while rest and len(chosen) < most:
        best = max(range(len(rest)), key=lambda i: _value(rest[i], wanted, used))
        item = rest.pop(best).item
        chosen.append(item)
        used.update({place_of(one) for one in item.evidence})
    return chosen


def _value(candidate: Candidate, wanted: Wanted, used: Counter[Place]) -> float:
    again = max(used[place_of(one)] for one in candidate.item.evidence)
    return candidate.score - AGAIN * again - OFF_BAND * fits(candidate.item.difficulty, wanted.difficulty)


async def _focused(
    made: Mapping[str, Sequence[Candidate]], focus: str, embed: Embed
) -> dict[str, list[Candidate]]:
    """Only what is about the focus: its words stand in the evidence, or the evidence is close in meaning."""
    texts = list(
        dict.fromkeys(one.item.evidence[0].text for candidates in made.values() for one in candidates)
    )
    words = {word.casefold()[:6] for word in focus.split() if len(word) > 3}
    about = {text for text in texts if words and all(word in text.casefold() for word in words)}
    if len(about) < len(texts):
        vectors = await embed([focus, *texts])
        cosines = vectors[1:] @ vectors[0]
        about |= {text for text, cosine in zip(texts, cosines, strict=True) if cosine >= LIKE_FOCUS}
    return {
        type: [one for one in candidates if one.item.evidence[0].text in about]
        for type, candidates in made.items()
    }
