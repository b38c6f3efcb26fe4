"""Questions with choices: for a term, for what it means, what it is for, why, and which statements are right."""

from collections.abc import Callable, Iterable, Iterator, Sequence

from tools.notes.reading import Sentence
from tools.study.keys import Choice, ChoicesKey
from tools.study.rules.bench import LETTERS, Bench, Candidate, distinct_texts
from tools.study.rules.completing import best_gap, inner_gap, spare_gaps
from tools.study.rules.facts import Statement, Term
from tools.study.rules.falsity import falsified, of_another
from tools.study.rules.inventory import occurs
from tools.study.rules.spare import Gap, Spare, subject_question
from tools.study.rules.truth import false_forms, false_spares, worth_stating
from tools.study.rules.wording import (
    asked_meaning,
    asked_term,
    capital,
    numbered,
    sentence,
    spoken_of,
    stated,
    which_question,
)
from tools.study.rules.worth import is_answer, is_hedged, is_person

WRONG = 3
BESIDE = 100
"""Sentences of neighbouring topics that a question on several statements may take in."""
MOST_TOLD = 4
"""Of these questions, for one topic."""


def multiple_choice(bench: Bench) -> Iterator[Candidate]:
    for asked in chosen(bench):
        options, key = bench.offered(asked.right, asked.wrong, asked.text)
        yield bench.question(
            asked.score,
            "multiple_choice",
            asked.text,
            key,
            asked.rule,
            asked.evidence,
            options=options,
            explanation=asked.evidence[0].text,
        )


class Asked:
    """A question with its right and its wrong answers, for tests and for cards."""

    __slots__ = ("evidence", "right", "rule", "score", "text", "wrong")

    def __init__(
        self,
        score: float,
        text: str,
        right: str,
        wrong: Sequence[str],
        rule: str,
        evidence: Sequence[Sentence],
    ) -> None:
        self.score, self.text, self.right, self.wrong = score, text, right, tuple(wrong)
        self.rule, self.evidence = rule, tuple(evidence)


def chosen(bench: Bench) -> Iterator[Asked]:
    for score, one in bench.answers():
        terms = bench.inventory.wrong_for(one, WRONG)
        right = capital(one.subject.text)
        if len(terms) == WRONG and not _gives_away(one):
            if one.kind == "definition":
                yield Asked(score, asked_term(one), right, terms, "definition", [one.sentence])
            else:
                yield Asked(score, which_question(one), right, terms, one.kind, [one.sentence])
        if one.kind == "definition":
            meanings = _others(bench, one, lambda other: other.meaning if other.kind == "definition" else "")
            if len(meanings) == WRONG:
                yield Asked(
                    score - 0.1, asked_meaning(one), capital(one.meaning), meanings, "meaning", [one.sentence]
                )
    for score, one in bench.statements():
        if one.kind == "purpose" and not one.loose:
            purposes = _others(bench, one, lambda other: other.purpose)
            if len(purposes) == WRONG:
                yield Asked(
                    score, asked_purpose(one), capital(one.purpose), purposes, "purpose", [one.sentence]
                )
    yield from _reasons(bench)
    yield from _completions(bench)
    yield from _spare_completions(bench)


def _spare_completions(bench: Bench) -> Iterator[Asked]:
    """The same with sentences that give no fact."""
    for gap in spare_gaps(bench):
        options = bench.inventory.wrong_beside(gap.term, gap.spare.text, WRONG)
        if len(options) == WRONG:
            direct = subject_question(gap, "which of the following") if gap.spare.is_plain else None
            text = direct or f"Which term completes the sentence? “{gap.shown}”"
            score = 0.3 + 0.2 * gap.score
            yield Asked(score, text, capital(gap.term.text), options, "cloze", [gap.spare.sentence])


def _completions(bench: Bench) -> Iterator[Asked]:
    """A sentence with a term of it left out, where its subject cannot be asked for."""
    for score, one in bench.statements():
        if one.split or is_answer(one, bench.inventory) or is_hedged(one):
            continue
        made = inner_gap(bench, one)
        if made is None:
            continue
        before, term, after = made
        wrong = bench.inventory.wrong_beside(term, one.source.text, WRONG)
        if len(wrong) == WRONG:
            text = f"Which term completes the sentence? “{before}____{after}”"
            yield Asked(score - 0.6, text, capital(term.text), wrong, "cloze", [one.sentence])


def asked_purpose(one: Statement) -> str:
    if one.question:
        return one.question
    can = one.predicate.startswith(("can ", "may "))
    subject = spoken_of(one.subject)
    verb = "are" if one.subject.plural else "is"
    return f"What can {subject} be used for?" if can else f"What {verb} {subject} used for?"


def _gives_away(one: Statement) -> bool:
    """The head of the term stands in the question: "Which function …?" with one function among the options."""
    words = {word.casefold()[:5] for word in (one.meaning or one.predicate).replace("-", " ").split()}
    return all(word.casefold()[:5] in words for word in one.subject.text.replace("-", " ").split())


def _others(bench: Bench, one: Statement, part: Callable[[Statement], str]) -> list[str]:
    """The same part of other statements: of about its length, near in meaning, not about the same thing."""
    own = part(one)
    length = len(own.split())
    inventory = bench.inventory
    found: dict[str, tuple[float, str]] = {}
    at = inventory.place.get(one.subject.key)
    for other in bench.everything.statements:
        text = part(other)
        place = inventory.place.get(other.subject.key)
        if not text or other.subject.key == one.subject.key or place is None or at is None:
            continue
        if text.split()[0] != own.split()[0] and {text.split()[0], own.split()[0]} & {"to", "for"}:
            continue
        near = float(inventory.vectors[at] @ inventory.vectors[place])
        ratio = min(length, len(text.split())) / max(length, len(text.split()))
        if inventory.is_part(one.subject, other.subject):
            continue
        if (
            near < 0.9
            and ratio > 0.4
            and other.subject.plural == one.subject.plural
            and not inventory.says_the_same(one, other)
        ):
            found.setdefault(other.subject.key, (near + 0.5 * ratio, text))
    ranked = sorted(found.values(), key=lambda pair: (-pair[0], pair[1]))
    return [capital(text) for _, text in ranked[:WRONG]]


def _reasons(bench: Bench) -> Iterator[Asked]:
    for one in bench.facts.reasons:
        length = len(one.reason.split())
        others = [
            other
            for other in bench.everything.reasons
            if other.subject.key != one.subject.key and 0.4 < len(other.reason.split()) / length < 2.5
        ]
        others.sort(key=lambda other: (-bench.inventory.cosine(one.subject, other.subject), other.reason))
        wrong = distinct_texts(sentence(f"because {other.reason}") for other in others)[:WRONG]
        if len(wrong) == WRONG:
            yield Asked(2.0, one.question, sentence(f"because {one.reason}"), wrong, "cause", [one.sentence])


# --- several right answers


def multiple_answer(bench: Bench) -> Iterator[Candidate]:
    yield from _listed(bench)
    yield from _said(bench)
    yield from _mixed(bench)
    yield from _told(bench)


def _listed(bench: Bench) -> Iterator[Candidate]:
    """Which of these belong to a list of the material."""
    for one in bench.facts.listings:
        if one.ordered:
            continue
        chance = bench.chance(one.question)
        members = [member for member in one.members if len(member.split()) <= 5]
        if len(members) < 2:
            continue
        right = chance.sample(members, min(3, len(members)))
        wrong = bench.inventory.strangers(one, 5 - len(right) + (len(right) < 3))
        if len(wrong) >= 2:
            yield _several(bench, 2.0, one.question, right, wrong, "listing", one.sentences)


def _said(bench: Bench) -> Iterator[Candidate]:
    """Which statements about a term are right: what is said of it, and what is said of others."""
    by_term: dict[str, list[tuple[float, Statement]]] = {}
    for score, one in bench.statements():
        if not one.loose and not one.question and not is_person(one.subject.head):
            by_term.setdefault(one.subject.key, []).append((score, one))
    for pairs in by_term.values():
        pairs.sort(key=lambda pair: -pair[0])
        true = list({one.source.text: one for _, one in pairs}.values())[:3]
        if len(true) < 2:
            continue
        wrong = list(_false_of(bench, true))[: 5 - len(true)]
        if len(wrong) >= 2:
            subject = true[0].subject
            named = (
                subject.text
                if subject.plural or subject.proper or not subject.article
                else spoken_of(subject)
            )
            text = f"Which of the following statements about {named} are true?"
            yield _several(
                bench,
                0.8 + pairs[0][0] / 2,
                text,
                [stated(one) for one in true],
                wrong,
                "several",
                [one.sentence for one in true],
            )


def _mixed(bench: Bench) -> Iterator[Candidate]:
    """Which of some statements about several things are right: true ones, and others of the topic made false."""
    statements = [
        one
        for _, one in sorted(bench.statements(), key=lambda pair: -pair[0])
        if not one.loose and not is_person(one.subject.head)
    ]
    false = [
        (one, text)
        for one in statements
        if (text := next((text for text, _ in false_forms(bench, one)), "")) and not one.loose
    ]
    wrong_of = {id(one) for one, _ in false}
    true = [one for one in statements if id(one) not in wrong_of]
    while len(false) >= 2 and len(true) + len(false) >= 4:
        wrong, false = false[:2], false[2:]
        while len(true) < 2 and false:
            true.append(false.pop()[0])
        right, true = true[:3], true[3:]
        if len(right) < 2:
            break
        named = _enumerated([one.subject for one in [*right, *(one for one, _ in wrong)] if not one.loose])
        if not named or any(one.sentence == other.sentence for one in right for other, _ in wrong):
            continue
        text = f"Which of the following statements about {named} are true?"
        evidence = [*(one.sentence for one in right), *(one.sentence for one, _ in wrong)]
        yield _several(
            bench, 1.0, text, [stated(one) for one in right], [text for _, text in wrong], "several", evidence
        )


def _told(bench: Bench) -> Iterator[Candidate]:
    """Which of some sentences are true: as they stand, and made false."""
    able = [
        (spare, gap, next(false_spares(bench, spare), "")) for spare, gap in _statable(bench, bench.spares)
    ]
    if not able:
        return
    others = list(bench.spares_beside[:BESIDE])
    bench.chance("told", bench.topic.title).shuffle(others)
    near = [(spare, gap, next(false_spares(bench, spare), "")) for spare, gap in _statable(bench, others)]
    used: set[str] = set()
    for _ in range(MOST_TOLD):
        free = [one for one in [*able, *near] if one[1].term.key not in used]
        wrong = _distinct([one for one in free if one[2]], 2, [])
        right = _distinct(
            [one for one in free if one not in wrong], 3 if len(free) > 6 or len(wrong) < 2 else 2, wrong
        )
        group = [*right, *wrong]
        if not wrong or len(right) < 2 or len(group) < 4 or not any(one in able for one in group):
            return
        used |= {gap.term.key for _, gap, _ in group}
        named = _listed_terms([gap.term for _, gap, _ in group])
        evidence = [spare.sentence for spare, _, _ in sorted(group, key=lambda one: one not in able)]
        yield _several(
            bench,
            0.8,
            f"Which of these statements about {named} are true?",
            [spare.text for spare, _, _ in right],
            [false for _, _, false in wrong],
            "several",
            evidence,
        )


_Told = tuple[Spare, Gap, str]


def _statable(bench: Bench, spares: Sequence[Spare]) -> Iterator[tuple[Spare, Gap]]:
    for spare in spares:
        gap = best_gap(bench, spare)
        if gap is not None and worth_stating(bench, spare) > 0:
            yield spare, gap


def _distinct(able: Sequence[_Told], most: int, beside: Sequence[_Told]) -> list[_Told]:
    """About different terms, so that none gives another away."""
    kept: list[_Told] = []
    for one in able:
        others = [*kept, *beside]
        if len(kept) < most and all(
            one[1].term.key != other[1].term.key and not occurs(one[1].term.key, other[0].text.casefold())
            for other in others
        ):
            kept.append(one)
    return kept


def _listed_terms(terms: Sequence[Term]) -> str:
    names = list({term.key.casefold(): term.text for term in terms}.values())
    return f"{', '.join(names[:-1])} and {names[-1]}" if len(names) > 1 else "".join(names)


def _enumerated(terms: Sequence[Term]) -> str:
    """Each once: "comments, functions and the modulo operator"."""
    plain = {term.key: numbered(term, True) or term.named for term in terms}
    names = list({name.casefold(): name for name in plain.values()}.values())
    return f"{', '.join(names[:-1])} and {names[-1]}" if len(names) > 1 else "".join(names)


def _false_of(bench: Bench, true: Sequence[Statement]) -> Iterator[str]:
    yield from [text for one in true for text, _ in falsified(one) if not _is_told(text, true)][:1]
    subject = true[0]
    others = [
        other
        for other in bench.everything.statements
        if other.kind == "definition"
        and other.subject.key != subject.subject.key
        and not bench.inventory.is_part(other.subject, subject.subject)
    ]
    others.sort(key=lambda other: (-bench.inventory.cosine(subject.subject, other.subject), other.meaning))
    for other in others[:6]:
        if any(bench.inventory.says_the_same(one, other) for one in true):
            continue
        for like in true:
            text = of_another(like, other)
            if text:
                yield text
                break


def _is_told(text: str, true: Iterable[Statement]) -> bool:
    return any(text == stated(one) for one in true)


def _several(
    bench: Bench,
    score: float,
    text: str,
    right: Sequence[str],
    wrong: Sequence[str],
    rule: str,
    evidence: Sequence[Sentence],
) -> Candidate:
    texts = [capital(one) for one in (*right, *wrong)]
    order = list(range(len(texts)))
    bench.chance("several", text).shuffle(order)
    choices = tuple(Choice(id=LETTERS[n], text=texts[i]) for n, i in enumerate(order))
    key = ChoicesKey(choices=[LETTERS[n] for n, i in enumerate(order) if i < len(right)])
    return bench.question(
        score, "multiple_answer", text, key, rule, list(dict.fromkeys(evidence)), options=choices
    )
