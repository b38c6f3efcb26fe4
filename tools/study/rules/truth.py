"""True and false statements. Pure."""

import re
from collections.abc import Iterator
from dataclasses import replace

from tools.study.keys import TruthKey
from tools.study.rules.bench import Bench, Candidate
from tools.study.rules.completing import best_gap
from tools.study.rules.facts import Statement
from tools.study.rules.falsity import (
    falsified,
    of_another,
    with_opposite,
    with_other_number,
    without_denial,
)
from tools.study.rules.spare import Spare, place_of, teaches
from tools.study.rules.wording import sentence, spoken_of, stated, with_article
from tools.study.rules.worth import is_answer

FALSE = 0.85
"""Share of those that are made false, where that can be done: most sentences can only be stated as they are."""
SURE = 0.8
"""Score of a gap from which another term in it makes a sentence false."""
LIKE = 0.45
"""Cosine of two definitions from which one might hold for the other's term as well."""


def true_false(bench: Bench) -> Iterator[Candidate]:
    """Of each statement the false form where there is a sure one and chance wants it, else the true one."""
    for score, one in bench.statements():
        chance = bench.chance("truth", one.source.text, one.predicate)
        false = next(false_forms(bench, one), None)
        if false is not None and chance.random() < 0.62:
            text, rule = false
            yield bench.question(
                score + 0.2,
                "true_false",
                text,
                TruthKey(value=False, correction=stated(one)),
                rule,
                [one.sentence],
                explanation=one.sentence.text,
            )
        else:
            yield bench.question(
                score,
                "true_false",
                stated(one),
                TruthKey(value=True),
                one.kind,
                [one.sentence],
                explanation=one.sentence.text,
            )
    yield from _of_spares(bench)


def _of_spares(bench: Bench) -> Iterator[Candidate]:
    """Other sentences, as they are or made false."""
    taken = {place_of(one.sentence) for _, one in bench.statements()}
    for spare in bench.spares:
        value = worth_stating(bench, spare)
        if value <= 0 or spare.place in taken:
            continue
        false = next(false_spares(bench, spare), "")
        if false and bench.chance("truth", spare.text).random() < FALSE:
            key = TruthKey(value=False, correction=spare.text)
            yield bench.question(0.3 + value, "true_false", false, key, "swap", [spare.sentence])
        else:
            yield bench.question(
                0.1 + value, "true_false", spare.text, TruthKey(value=True), "statement", [spare.sentence]
            )


def worth_stating(bench: Bench, spare: Spare) -> float:
    """0 for a sentence that says little about any term."""
    gap = best_gap(bench, spare)
    tells = teaches(spare.text)
    if not spare.is_plain or gap is None or tells <= 0 or len(spare.text.split()) > 32:
        return 0.0
    return 0.2 + 0.2 * tells + 0.1 * gap.score


def false_spares(bench: Bench, spare: Spare) -> Iterator[str]:
    """The sentence made false: an opposite, a denial or a number, else another term in the place of its own."""
    for made in (with_opposite(spare.text), without_denial(spare.text), with_other_number(spare.text)):
        if made:
            yield made
    gap = best_gap(bench, spare)
    if gap is not None and gap.score >= SURE:
        for other in bench.inventory.wrong_beside(gap.term, spare.text, 6):
            named = bench.inventory.written(other) or other[:1].lower() + other[1:]
            if not _are_of_a_kind(gap.term.text, named):
                continue
            before = re.sub(r"\b[Aa]\(n\) $", f"{with_article(named).split()[0]} ", gap.before)
            made = f"{before}{named}{gap.after}"
            yield made[:1].upper() + made[1:]


def _are_of_a_kind(one: str, other: str) -> bool:
    """One head or both names, so that the false statement is no nonsense."""
    first, second = one.split(), other.split()
    are_names = [any(word[:1].isupper() for word in words) for words in (first, second)]
    return first[-1].casefold()[:6] == second[-1].casefold()[:6] or (
        all(are_names) and len(first) == len(second)
    )


def false_forms(bench: Bench, one: Statement) -> Iterator[tuple[str, str]]:
    contrasted = [
        other
        for other in bench.facts.statements
        if other.sentence == one.sentence and other is not one and other.split and one.split
    ]
    for other in contrasted:
        text = of_another(one, other)
        if text and other.subject.key != one.subject.key and not other.negated:
            yield text, "contrast"
    yield from falsified(one)
    if one.kind in ("definition", "purpose"):
        yield from _of_a_neighbour(bench, one)
    elif is_answer(one, bench.inventory) and not re.match(r"(?:can|may|has|have|will)\b", one.predicate):
        for worded, term in bench.inventory.others_for(one, 1):
            single = term.article or ("a" if term.plural else "")
            told = replace(
                term,
                text=worded,
                plural=one.subject.plural,
                article="" if one.subject.plural else single,
            )
            context = f"{one.context}, " if one.context else ""
            yield sentence(f"{context}{spoken_of(told)} {one.predicate}"), "swap"


def _of_a_neighbour(bench: Bench, one: Statement) -> Iterator[tuple[str, str]]:
    """The definition of the term given to another term that the material defines otherwise."""
    others = [
        other
        for other in bench.everything.statements
        if other.kind == one.kind
        and other.subject.key != one.subject.key
        and other.subject.plural == one.subject.plural
        and other.subject.proper == one.subject.proper
        and not one.question
        and not other.question
        and not bench.inventory.is_part(one.subject, other.subject)
        and not bench.inventory.says_the_same(one, other, LIKE)
        and other.subject.text.casefold() not in one.source.text.casefold()
    ]
    others.sort(key=lambda other: (-bench.inventory.cosine(one.subject, other.subject), other.subject.key))
    for other in others[:1]:
        context = f"{one.context}, " if one.context else ""
        yield sentence(f"{context}{spoken_of(other.subject)} {one.predicate}"), one.kind
