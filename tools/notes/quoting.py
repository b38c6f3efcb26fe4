"""Notes without a language model: the sentences of a section that matter most, quoted as they stand."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import log

from tools.notes import cues
from tools.notes.central import Matrix, candidates, centrality, most_central
from tools.notes.draft import Draft, Lexicon, Point, PointKind, Review, heading_for
from tools.notes.outline import Embed, Section
from tools.notes.reading import Sentence
from tools.notes.terms import key_terms, tokens

POINT_WORDS = {"lecture": 130, "summary": 450, "outline": 220, "cornell": 130}
"""Words of the material for one point of the notes."""
POINT_RANGE = {"lecture": (2, 5), "summary": (1, 2), "outline": (1, 3), "cornell": (2, 5)}
EXTRAS = {PointKind.DEFINITION: 3, PointKind.FIGURE: 2, PointKind.EXAMPLE: 2}
"""Points of these kinds beside the central ones, in lecture and Cornell notes."""
TERMS = 6
QUESTIONS = 4


@dataclass(frozen=True, slots=True)
class Quoting:
    """The maker that only quotes."""

    embed: Embed
    name: str = "builtin"

    async def make(self, section: Section, type: str, lexicon: Lexicon) -> Draft:
        part = section.sentences
        weights = {stem: log(1 + lexicon.parts / count) for stem, count in lexicon.spread.items()}
        terms = key_terms(
            [tokens(one.text, lexicon.stems) for one in part], lexicon.spread, lexicon.parts, TERMS
        )
        able = [part[i] for i in candidates(part, weights)] or list(part[:3])
        vectors = await self.embed([one.text for one in able])
        scores = centrality(able, vectors, terms)
        ranked = most_central(scores, vectors, how_many(section, type))
        extras = _extras(able, vectors, scores, ranked) if type in ("lecture", "cornell") else {}
        points = [_point(able[i], extras.get(i), terms) for i in sorted({*ranked, *extras})]
        return Draft(
            heading=heading_for(section, terms),
            points=tuple(points),
            terms=tuple(terms),
            gist=_point(able[ranked[0]], None, terms) if ranked else None,
            questions=tuple(questions(points)) if type == "cornell" else (),
            written=len(points),
        )


def how_many(section: Section, type: str) -> int:
    words = sum(len(one.text.split()) for one in section.sentences)
    least, most = POINT_RANGE[type]
    return max(least, min(most, round(words / POINT_WORDS[type])))


def kind_of(sentence: Sentence) -> PointKind:
    if cues.defined_term(sentence.text):
        return PointKind.DEFINITION
    if cues.gives_example(sentence.text):
        return PointKind.EXAMPLE
    return PointKind.FIGURE if cues.figures(sentence.text) else PointKind.POINT


def _extras(
    able: Sequence[Sentence], vectors: Matrix, scores: Matrix, ranked: Sequence[int]
) -> dict[int, PointKind]:
    """Definitions, figures and examples worth noting beside the central points, by index."""
    found: dict[int, PointKind] = {i: kind_of(able[i]) for i in ranked}
    for kind, most in EXTRAS.items():
        of_kind = [i for i in range(len(able)) if i not in found and kind_of(able[i]) is kind]
        standing = [i for i in of_kind if not cues.points_back(able[i].text)]
        room = most - sum(known is kind for known in found.values())
        for i in sorted(standing, key=lambda i: -float(scores[i]))[: max(0, room)]:
            if float((vectors[list(found)] @ vectors[i]).max(initial=0.0)) < ALIKE:
                found[i] = kind
    return found


ALIKE = 0.85
"""Cosine from which two sentences say the same."""


def _point(sentence: Sentence, kind: PointKind | None, terms: Sequence[str]) -> Point:
    said = cues.without_hesitation(sentence.text) if sentence.spoken else sentence.text
    term = cues.defined_term(said) if kind is PointKind.DEFINITION else None
    return Point(said, (sentence,), kind or PointKind.POINT, cue_of(said, terms), term)


def cue_of(text: str, terms: Sequence[str]) -> str | None:
    """What stands in the cue column beside a point."""
    if term := cues.defined_term(text):
        return f"What is meant by “{term}”?"
    return " · ".join([name for name in terms if name.casefold() in text.casefold()][:2]) or None


def questions(points: Sequence[Point]) -> list[Review]:
    """What to ask oneself: terms to explain, figures to fill in, examples to give."""
    asked: list[Review] = []
    for point in points:
        numbers = cues.figures(point.text)
        if term := cues.defined_term(point.text):
            asked.append(Review(f"What is meant by “{term}”?", point.evidence[0]))
        elif numbers:
            asked.append(Review(cues.with_gap(point.text, numbers[0]), point.evidence[0]))
        elif point.kind is PointKind.EXAMPLE and point.cue:
            asked.append(Review(f"Give an example of: {point.cue}.", point.evidence[0]))
    return asked[:QUESTIONS]
