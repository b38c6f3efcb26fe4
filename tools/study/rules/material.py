"""All that is known of a material, made once: its analysed sentences, facts, terms and their neighbours."""

import re
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from uuid import UUID

import numpy as np

from tools.notes.reading import Sentence
from tools.study.port import Embed, Ground, Matrix, Topic
from tools.study.rules.analysed import Analysed
from tools.study.rules.clauses import statements_of
from tools.study.rules.connected import conditions_of, reasons_of
from tools.study.rules.equipment import Equipment
from tools.study.rules.facts import Facts, Statement, Term
from tools.study.rules.inventory import Inventory, counted, distinct
from tools.study.rules.lists import listings_of, orders_of
from tools.study.rules.noun_phrases import NOUNS, core_term_of, term_of
from tools.study.rules.numbers import Abbreviation, NumberFact, abbreviations_of, number_of
from tools.study.rules.spare import Gap, Spare, gaps_in, headings_of, is_heading, spares_of
from tools.study.rules.standing import cleaned, may_be_asked, means_an_equation, without_links
from tools.study.rules.worth import is_answer, is_counted, is_person, worth

RECURRING = 3
"""Sentences that a term must occur in to be offered as an option, unless something is said of it."""
_ENGLISH = frozenset("the of and to in is that for with are by".split())
LEAST_GAP = 0.6
"""Score of a gap from which it is worth filling."""
NEIGHBOURHOOD = 120
"""Sentences around a topic from which it may borrow for what needs several."""
MOST_TERMS = 500

_FRONT = re.compile(
    r"(?:\d[\d.]*\s+)?(?:preface|foreword|learning objectives|try it|exercises?|about (?:this|the)|who should|intended audience)\b",
    re.IGNORECASE,
)

Vectors = Callable[[list[str]], Awaitable[Matrix]]

Place = tuple[UUID, int]
"""Passage and first character: by this a sentence is known again, also among several materials."""


@dataclass(slots=True)
class Material:
    """Facts by the place of their sentence, so that each topic finds its own."""

    facts: Facts
    inventory: Inventory
    by_place: Mapping[Place, Facts]
    numbers: Mapping[Place, NumberFact]
    abbreviations: Mapping[Place, Sequence[Abbreviation]]
    spares: Mapping[Place, Spare] = field(default_factory=dict)
    """Sentences that can be shown as they are."""
    gaps: Mapping[Place, Gap] = field(default_factory=dict)
    """The best gap of each of these."""
    chapters: Mapping[str, Sequence[Place]] = field(default_factory=dict)
    """Places by the outermost heading, in order."""

    def beside(self, topic: Topic) -> list[Place]:
        """Places of the sentences under the same chapter, the nearest first."""
        own = {place_of(one) for one in topic.sentences}
        if not own or not topic.sentences[0].path:
            return []
        chapter = topic.sentences[0].path[0]
        order = self.chapters.get(chapter, [])
        rows = [row for row, place in enumerate(order) if place in own]
        if not rows:
            return []
        near = [(min(abs(row - rows[0]), abs(row - rows[-1])), row) for row in range(len(order))]
        return [order[row] for away, row in sorted(near) if order[row] not in own and away <= NEIGHBOURHOOD]

    def of(self, topic: Topic) -> Facts:
        own = [self.by_place[place_of(one)] for one in topic.sentences if place_of(one) in self.by_place]
        return joined([*own, Facts(listings=tuple(orders_of(topic.sentences, topic.title)))])


def place_of(sentence: Sentence) -> Place:
    return sentence.chunk_id, sentence.start


def joined(parts: Iterable[Facts]) -> Facts:
    several = list(parts)
    return Facts(
        tuple(one for part in several for one in part.statements),
        tuple(one for part in several for one in part.reasons),
        tuple(one for part in several for one in part.conditions),
        tuple(one for part in several for one in part.listings),
    )


def askable(topics: Iterable[Topic]) -> dict[str, Sentence]:
    """Sentences that may be asked about, each text once, without footnotes and connectives: what is analysed."""
    found: dict[str, Sentence] = {}
    for topic in topics:
        if is_english(topic):
            for one in topic.sentences:
                if any(_FRONT.match(title) for title in one.path):
                    continue
                text = without_links(cleaned(one.text))
                if may_be_asked(text) and not means_an_equation(one.text):
                    found.setdefault(text, one)
    return found


def is_english(topic: Topic) -> bool:
    """By its language; where that is not known, by the commonest English words."""
    if topic.language is not None:
        return topic.language.split("-")[0].casefold() == "en"
    words = " ".join(one.text for one in topic.sentences[:40]).casefold().split()
    return sum(word in _ENGLISH for word in words) >= 0.12 * max(1, len(words))


async def read(ground: Ground, equipment: Equipment, embed: Embed) -> Material:
    """The facts of all English topics. Raises Unavailable when the analyser cannot work."""
    texts = askable(ground.topics)
    analysed = await equipment.analyser.analyse(list(texts))
    by_place: dict[Place, Facts] = {}
    numbers: dict[Place, NumberFact] = {}
    for (_, sentence), source in zip(texts.items(), analysed, strict=True):
        facts = facts_of(sentence, source)
        by_place[place_of(sentence)] = facts
        number = number_of(facts.statements[0]) if facts.statements else None
        if number is not None:
            numbers[place_of(sentence)] = number
    facts = joined(by_place.values())
    everything = [one for topic in ground.topics for one in topic.sentences]
    headings = headings_of(one.path for one in everything)
    vectors = partial(equipment.vectors, embed=embed)
    inventory = await _inventory(facts, analysed, headings, [one.text for one in everything], vectors)
    spares = {one.place: one for one in spares_of(texts, analysed)}
    gaps = {
        place: made[0]
        for place, one in spares.items()
        if (made := gaps_in(one, inventory, headings)) and made[0].score >= LEAST_GAP
    }
    chapters: dict[str, list[Place]] = {}
    for one in everything:
        if one.path and place_of(one) in by_place:
            chapters.setdefault(one.path[0], []).append(place_of(one))
    return Material(facts, inventory, by_place, numbers, _abbreviations(everything), spares, gaps, chapters)


def facts_of(sentence: Sentence, source: Analysed) -> Facts:
    statements = statements_of(sentence, source)
    return Facts(
        tuple(statements),
        tuple(reasons_of(sentence, source)),
        tuple(conditions_of(sentence, source)),
        tuple(listings_of(sentence, source, statements)),
    )


def _abbreviations(sentences: Sequence[Sentence]) -> dict[Place, list[Abbreviation]]:
    found: dict[Place, list[Abbreviation]] = {}
    seen: set[str] = set()
    for one in sentences:
        for short in abbreviations_of(one):
            if short.short not in seen:
                seen.add(short.short)
                found.setdefault(place_of(one), []).append(short)
    return found


async def _inventory(
    facts: Facts,
    analysed: Sequence[Analysed],
    headings: frozenset[str],
    texts: Sequence[str],
    vectors_of: Vectors,
) -> Inventory:
    subjects = [one.subject for one in facts.statements if not one.loose]
    terms = distinct([*subjects, *_compounds(analysed, headings)])
    counts = counted(terms, texts)
    plain = Inventory(
        terms, np.zeros((len(terms), 1), np.float32), counts, [], np.zeros((0, 1), np.float32), (), len(texts)
    )
    asked = {
        one.subject.key
        for one in facts.statements
        if not one.loose and is_answer(one, plain) and worth(one, plain) > 0
    }
    kept = [
        term
        for term in terms
        if not is_person(term.head)
        and not is_counted(term)
        and (term.key in asked or (counts[term.key] >= RECURRING and _may_be_offered(term, headings)))
    ]
    kept = sorted(kept, key=lambda term: (term.key not in asked, -counts[term.key], term.key))[:MOST_TERMS]
    statements: list[Statement] = [one for one in facts.statements if not one.loose]
    vectors = await vectors_of([*(term.text for term in kept), *(one.predicate for one in statements)])
    return Inventory(
        kept,
        vectors[: len(kept)],
        counts,
        statements,
        vectors[len(kept) :],
        [text.casefold() for text in texts],
        len(texts),
    )


def _may_be_offered(term: Term, headings: frozenset[str]) -> bool:
    return (len(term.text.split()) > 1 or term.proper or is_heading(term.text, headings)) and not re.search(
        r"[^\w\s()'’+#-]|_|\b[A-Za-z]$|(?:ates|izes|ifies)$|\b(?:and|or)\b|^[A-Za-z]\b|\b\w_", term.text
    )


def _compounds(analysed: Sequence[Analysed], headings: frozenset[str]) -> list[Term]:
    """Noun phrases of two words and more, and names, wherever they stand."""
    found = []
    for source in analysed:
        for i, token in enumerate(source.tokens):
            if token.tag in NOUNS and token.dep in (
                "dobj",
                "pobj",
                "attr",
                "conj",
                "nsubj",
                "nsubjpass",
                "oprd",
            ):
                term = term_of(source, i) or core_term_of(source, i)
                if term is not None and (
                    len(term.text.split()) > 1 or term.proper or is_heading(term.text, headings)
                ):
                    found.append(term)
    return found
