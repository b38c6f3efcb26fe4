"""What is answered in one's own words: gaps and short answers."""

import re
from collections.abc import Iterator, Sequence

from tools.study.keys import ClozeKey, Expected, RubricPoint, ShortKey
from tools.study.rules.bench import Bench, Candidate
from tools.study.rules.facts import Statement, Term
from tools.study.rules.inventory import occurs
from tools.study.rules.spare import Gap, Spare, place_of, subject_question, tells_enough
from tools.study.rules.wording import asked_term, numbered, sentence, what_question, with_article
from tools.study.rules.worth import content_words, is_answer, is_person

ASKED = 0.9
"""Score of a gap from which its subject is worth asking for in a sentence of its own."""


def cloze(bench: Bench) -> Iterator[Candidate]:
    for score, before, expected, after, one in gaps(bench):
        yield bench.question(
            score, "cloze", f"{before}{{{{1}}}}{after}", ClozeKey(gaps=[expected]), _rule(one), [one.sentence]
        )
    for gap in spare_gaps(bench):
        text = f"{gap.before}{{{{1}}}}{gap.after}"
        one_gap = ClozeKey(gaps=[expected_term(gap.term, gap.term.text)])
        yield bench.question(0.4 + 0.2 * gap.score, "cloze", text, one_gap, "cloze", [gap.spare.sentence])
    for number in (one for one in bench.numbers if not one.is_given_away):
        key = ClozeKey(gaps=[number.expected])
        yield bench.question(1.4, "cloze", number.gapped("{{1}}"), key, "number", [number.sentence])


def gaps(bench: Bench) -> Iterator[tuple[float, str, Expected, str, Statement]]:
    """Sentences with their subject left out: what stands before, what belongs there, and what follows."""
    for score, one in bench.statements():
        if one.split:
            continue
        if is_answer(one, bench.inventory) and (made := _gap(one, one.subject, one.gap)) is not None:
            yield score, *made, one
            continue
        inner = inner_gap(bench, one)
        if inner is not None:
            before, term, after = inner
            yield score - 0.5, before, expected_term(term, term.text), after, one


def spare_gaps(bench: Bench, which: Sequence[Spare] | None = None) -> Iterator[Gap]:
    """The best gap of each sentence that can be shown as it is."""
    for spare in bench.spares if which is None else which:
        made = best_gap(bench, spare)
        if made is not None:
            yield made


def best_gap(bench: Bench, spare: Spare) -> Gap | None:
    return bench.gaps.get(spare.place)


def inner_gap(bench: Bench, one: Statement) -> tuple[str, Term, str] | None:
    """A term of two words or more behind the verb, left out: before, the term, after."""
    source = one.source
    verb = source.tokens[one.root].start
    for term in bench.inventory.terms_in(source.text):
        found = re.search(rf"(?<![\w-]){re.escape(term.text)}(?![\w-]| \w+(?:ing|er|tion|s)\b)", source.text)
        if found is None or found.start() < verb or len(term.text.split()) < 2 or is_person(term.head):
            continue
        head = max(i for i, token in enumerate(source.tokens) if token.start < found.end())
        if source.tokens[head].dep not in ("dobj", "pobj", "attr", "oprd", "nsubj", "nsubjpass"):
            continue
        made = _gap(one, term, found.span())
        if made is not None:
            return made[0], term, made[2]
    return None


def _gap(one: Statement, term: Term, place: tuple[int, int]) -> tuple[str, Expected, str] | None:
    """Before, what belongs into the gap, and after; None when the rest gives it away."""
    text = one.source.text
    start, end = place
    word = text[start:end]
    rest = f"{text[:start]} {text[end:]}"
    if not word or occurs(term.key, rest.casefold()) or _names_again(term, rest):
        return None
    if re.match(r" \([A-Z]{2,6}\)", text[end:]):
        return None
    if one.kind != "definition" and not tells_enough(text[:start], text[end:]):
        return None
    before = re.sub(r"\b([Aa])n? $", r"\1(n) ", text[:start])
    return before, expected_term(term, word), text[end:]


def _rule(one: Statement) -> str:
    return "definition" if one.kind == "definition" else "cloze"


def _names_again(term: Term, rest: str) -> bool:
    """Whether the words around the gap give the term's head away."""
    words = {word.casefold()[:6] for word in re.findall(r"\w+", rest)}
    return all(word.casefold()[:6] in words for word in re.findall(r"\w+", term.text))


def expected_term(term: Term, written: str | None = None) -> Expected:
    """With what is as right: other number, article, without brackets."""
    text = written or term.text
    others = [term.text, numbered(term, not term.plural), text.replace("()", ""), text.replace("-", " ")]
    others += [with_article(one) for one in (term.text,) if term.article in ("a", "an")]
    if term.article == "the":
        others.append(f"the {term.text}")
    accepted = list(dict.fromkeys(one for one in others if one and one != text))
    return Expected(text=text, accepted=accepted)


def short_answer(bench: Bench) -> Iterator[Candidate]:
    for score, one in bench.answers():
        if one.kind == "definition":
            question: str | None = asked_term(one)
        else:
            question = what_question(one) if len(content_words(one.predicate)) >= 5 else None
            score -= 0.4
        if question is None or _names_again(one.subject, question):
            continue
        yield bench.question(
            score,
            "short_answer",
            question,
            ShortKey(expected=expected_term(one.subject)),
            one.kind,
            [one.sentence],
            explanation=one.sentence.text,
        )
    yield from _of_spares(bench)
    for reason in bench.facts.reasons:
        why = sentence(f"because {reason.reason}")
        key = ShortKey(expected=Expected(text=why), rubric=[RubricPoint(text=sentence(reason.reason))])
        yield bench.question(2.0, "short_answer", reason.question, key, "cause", [reason.sentence])
    for number in bench.numbers:
        if number.question:
            yield bench.question(
                1.6,
                "short_answer",
                number.question,
                ShortKey(expected=number.expected),
                "number",
                [number.sentence],
            )
    for short in bench.abbreviations:
        key = ShortKey(expected=Expected(text=short.long))
        yield bench.question(
            1.0,
            "short_answer",
            f"What does the abbreviation “{short.short}” stand for?",
            key,
            "abbreviation",
            [short.sentence],
        )


def asked_subjects(bench: Bench) -> Iterator[tuple[Gap, str]]:
    """Sentences that give no statement, with what asks for their subject."""
    taken = {place_of(one.sentence) for _, one in bench.answers()}
    for gap in spare_gaps(bench):
        able = gap.score >= ASKED and gap.spare.is_plain and gap.spare.place not in taken
        question = subject_question(gap) if able else None
        if question is not None:
            yield gap, question


def _of_spares(bench: Bench) -> Iterator[Candidate]:
    """Other sentences, asked for their subject."""
    for gap, question in asked_subjects(bench):
        expected = expected_term(gap.term, gap.term.text)
        words = gap.term.text.split()
        if len(words) > 1 and not gap.term.proper:
            expected = expected.model_copy(update={"accepted": [*expected.accepted, " ".join(words[:-1])]})
        yield bench.question(
            0.4 + 0.2 * gap.score,
            "short_answer",
            question,
            ShortKey(expected=expected),
            "statement",
            [gap.spare.sentence],
            explanation=gap.spare.sentence.text,
        )
