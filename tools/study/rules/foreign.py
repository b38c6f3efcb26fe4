"""Items in other languages than English: of definitions, and gaps over key terms. Pure."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from tools.notes.draft import Lexicon
from tools.notes.reading import Sentence
from tools.study.keys import Choice, ClozeKey, Expected, MatchingKey, ShortKey, TruthKey
from tools.study.rules.bench import LETTERS, Bench, Candidate
from tools.study.rules.tongues import Definition, Gap, Tongue, definitions_in, gaps_in, tongue_of
from tools.study.rules.wording import capital, sentence

LEAST, MOST, WRONG = 3, 5, 3


@dataclass(frozen=True, slots=True)
class Foreign:
    """What was found of a topic in another language; `others` are definitions of the whole material."""

    bench: Bench
    tongue: Tongue | None
    own: tuple[Definition, ...]
    others: tuple[Definition, ...]
    gaps: tuple[Gap, ...]


def read_foreign(bench: Bench, everything: Sequence[Definition], lexicon: Lexicon) -> Foreign:
    tongue = tongue_of(bench.topic.language)
    own = tuple(definitions_in(bench.topic.sentences, tongue)) if tongue else ()
    return Foreign(bench, tongue, own, tuple(everything), tuple(gaps_in(bench.topic, lexicon)))


def _wrong(foreign: Foreign, one: Definition) -> list[Definition]:
    """Other definitions whose term is no part of this one and is not named by it; with the same article where there is one."""
    text = one.sentence.text.casefold()
    able = [
        other
        for other in foreign.others
        if other.term.casefold() not in text
        and one.term.casefold() not in other.term.casefold()
        and other.term.casefold() != one.term.casefold()
    ]
    able.sort(
        key=lambda other: (
            other.article != one.article,
            abs(len(other.meaning) - len(one.meaning)),
            other.term,
        )
    )
    return able


def choice(foreign: Foreign) -> Iterator[Candidate]:
    for one, tongue in _each(foreign):
        wrong = [other.term for other in _wrong(foreign, one)][:WRONG]
        if len(wrong) == WRONG:
            text = tongue.ask_term.format(sentence(one.meaning))
            options, key = foreign.bench.offered(one.term, wrong, text)
            yield foreign.bench.question(
                2.0, "multiple_choice", text, key, "definition", [one.sentence], options=options
            )


def truth(foreign: Foreign) -> Iterator[Candidate]:
    for one, _ in _each(foreign):
        alike = [other for other in _wrong(foreign, one) if other.article == one.article and one.article]
        if alike and foreign.bench.chance("truth", one.term).random() < 0.6:
            start, end = one.gap
            text = one.sentence.text[:start] + alike[0].term + one.sentence.text[end:]
            yield foreign.bench.question(
                2.0,
                "true_false",
                text,
                TruthKey(value=False, correction=one.sentence.text),
                "definition",
                [one.sentence],
            )
        else:
            yield foreign.bench.question(
                1.8, "true_false", one.sentence.text, TruthKey(value=True), "definition", [one.sentence]
            )


def short(foreign: Foreign) -> Iterator[Candidate]:
    for one, tongue in _each(foreign):
        text = tongue.ask_term.format(sentence(one.meaning))
        yield foreign.bench.question(
            2.0,
            "short_answer",
            text,
            ShortKey(expected=Expected(text=one.term)),
            "definition",
            [one.sentence],
        )


def cloze(foreign: Foreign) -> Iterator[Candidate]:
    for score, term, place, text, evidence, rule in _holes(foreign):
        gapped = f"{text[: place[0]]}{{{{1}}}}{text[place[1] :]}"
        yield foreign.bench.question(
            score, "cloze", gapped, ClozeKey(gaps=[Expected(text=term)]), rule, [evidence]
        )


def matching(foreign: Foreign) -> Iterator[Candidate]:
    own = list(foreign.own)
    if foreign.tongue is None or len(own) < LEAST:
        return
    for first in range(0, len(own) - LEAST + 1, MOST):
        group = own[first : first + MOST]
        order = list(range(len(group)))
        foreign.bench.chance("pairs", *(one.term for one in group)).shuffle(order)
        left = tuple(Choice(id=LETTERS[i], text=one.term) for i, one in enumerate(group))
        right = tuple(Choice(id=str(n + 1), text=capital(group[i].meaning)) for n, i in enumerate(order))
        key = MatchingKey(pairs={LETTERS[i]: str(n + 1) for n, i in enumerate(order)})
        named = ", ".join(one.term for one in group[:-1]) + foreign.tongue.joining + group[-1].term
        yield foreign.bench.question(
            2.0,
            "matching",
            foreign.tongue.match.format(named),
            key,
            "matching",
            [one.sentence for one in group],
            options=left,
            right=right,
        )


def basic_card(foreign: Foreign) -> Iterator[Candidate]:
    for one, tongue in _each(foreign):
        yield foreign.bench.card(
            2.0,
            "basic",
            tongue.ask_meaning.format(one.term),
            sentence(one.meaning),
            "definition",
            [one.sentence],
        )


def reversed_card(foreign: Foreign) -> Iterator[Candidate]:
    for one, _ in _each(foreign):
        yield foreign.bench.card(
            2.0, "reversed", one.term, capital(one.meaning), "definition", [one.sentence]
        )


def cloze_card(foreign: Foreign) -> Iterator[Candidate]:
    for score, term, place, text, evidence, rule in _holes(foreign):
        yield foreign.bench.card(
            score, "cloze", f"{text[: place[0]]}{{{{c1::{term}}}}}{text[place[1] :]}", "", rule, [evidence]
        )


def choice_card(foreign: Foreign) -> Iterator[Candidate]:
    for one, tongue in _each(foreign):
        wrong = [other.term for other in _wrong(foreign, one)][:WRONG]
        if len(wrong) == WRONG:
            text = tongue.ask_term.format(sentence(one.meaning))
            options, _ = foreign.bench.offered(one.term, wrong, text)
            yield foreign.bench.card(
                2.0, "multiple_choice", text, one.term, "definition", [one.sentence], options=options
            )


def _each(foreign: Foreign) -> Iterator[tuple[Definition, Tongue]]:
    if foreign.tongue is not None:
        for one in foreign.own:
            yield one, foreign.tongue


def _holes(foreign: Foreign) -> Iterator[tuple[float, str, tuple[int, int], str, Sentence, str]]:
    defined = {one.sentence.start for one in foreign.own}
    for one in foreign.own:
        if one.sentence.text.casefold().count(one.term.casefold()) == 1:
            yield 2.0, one.term, one.gap, one.sentence.text, one.sentence, "definition"
    for gap in foreign.gaps:
        if gap.sentence.start not in defined:
            yield 1.0, gap.term, gap.place, gap.sentence.text, gap.sentence, "cloze"


Builder = Callable[[Foreign], Iterator[Candidate]]
QUESTIONS: Mapping[str, Builder] = {
    "multiple_choice": choice,
    "true_false": truth,
    "short_answer": short,
    "cloze": cloze,
    "matching": matching,
}
CARDS: Mapping[str, Builder] = {
    "basic": basic_card,
    "reversed": reversed_card,
    "cloze": cloze_card,
    "multiple_choice": choice_card,
}
