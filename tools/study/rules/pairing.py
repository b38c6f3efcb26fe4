"""Terms with what they are, and things in their order. Pure."""

from collections.abc import Iterator, Sequence

from tools.notes.reading import Sentence
from tools.study.keys import Choice, MatchingKey, OrderingKey
from tools.study.rules.bench import LETTERS, Bench, Candidate
from tools.study.rules.completing import spare_gaps
from tools.study.rules.facts import Statement
from tools.study.rules.inventory import occurs
from tools.study.rules.spare import Gap
from tools.study.rules.wording import capital
from tools.study.rules.worth import is_answer, worth

LEAST, MOST = 3, 5
CLEAR = 0.8
"""Score of a gap from which its term can be told among others."""
APART = 0.72
"""Cosine of two terms from which each might stand in the other's place."""
MOST_COMPLETED = 1
"""Groups of sentences to complete, for one topic."""
MOST_BESIDE = 40


def matching(bench: Bench) -> Iterator[Candidate]:
    definitions = _apart(
        bench,
        [one for _, one in sorted(bench.answers(), key=lambda pair: -pair[0]) if one.kind == "definition"],
    )
    groups = list(_groups(definitions)) or [_filled_up(bench, definitions)]
    for group in (sorted(group, key=lambda one: one.subject.key) for group in groups):
        if len(group) >= LEAST:
            yield _pairs(
                bench,
                "Match each term with what it means",
                _named(group),
                [capital(one.meaning) for one in group],
                2.0,
            )
    yield from _spelled_out(bench)
    yield from _completed(bench)
    others = _apart(
        bench,
        [
            one
            for _, one in sorted(bench.answers(), key=lambda pair: -pair[0])
            if not one.context and not one.negated
        ],
    )
    singular = [one for one in others if not one.subject.plural and one.kind != "definition"]
    plural = [one for one in others if one.subject.plural and one.kind != "definition"]
    for alike in (singular, plural):
        for group in _groups(alike):
            yield _pairs(
                bench,
                "Match each term with what is said of it",
                _named(group),
                [f"… {one.predicate}" for one in group],
                1.0,
            )


def _completed(bench: Bench) -> Iterator[Candidate]:
    """Terms with the sentences that they complete: of the topic, and as far as needed of its chapter."""
    own = [gap for gap in spare_gaps(bench) if gap.score >= CLEAR]
    if not own:
        return
    own.sort(key=lambda gap: -gap.score)
    beside = [gap for gap in spare_gaps(bench, bench.spares_beside[:MOST_BESIDE]) if gap.score >= CLEAR]
    bench.chance("beside", bench.topic.title).shuffle(beside)
    rest = list(own)
    for _ in range(MOST_COMPLETED):
        group: list[Gap] = []
        for gap in [*rest, *beside]:
            if len(group) < 4 and all(_goes_beside(bench, gap, other) for other in group):
                group.append(gap)
        mine = [gap for gap in group if gap in rest]
        if len(group) < LEAST or not mine:
            return
        rest = [gap for gap in rest if gap not in mine]
        group.sort(key=lambda gap: gap.term.key)
        yield _pairs(
            bench,
            "Match each term with the sentence that it completes",
            [
                (capital(gap.term.text), gap.spare.sentence)
                for gap in sorted(group, key=lambda gap: gap not in mine)
            ],
            [gap.shown for gap in sorted(group, key=lambda gap: gap not in mine)],
            0.9,
        )


def _goes_beside(bench: Bench, one: Gap, other: Gap) -> bool:
    """Whether neither term could as well complete the other's sentence."""
    inventory = bench.inventory
    return (
        one.term.plural == other.term.plural
        and one.spare is not other.spare
        and not inventory.is_part(one.term, other.term)
        and inventory.cosine(one.term, other.term) < APART
        and not occurs(one.term.key, other.spare.text.casefold())
        and not occurs(other.term.key, one.spare.text.casefold())
    )


def _filled_up(bench: Bench, own: Sequence[Statement]) -> list[Statement]:
    """The few definitions of a topic with the nearest of the other topics; none where the topic has none."""
    if not own:
        return []
    others = [
        one
        for one in bench.everything.statements
        if one.kind == "definition" and is_answer(one, bench.inventory) and worth(one, bench.inventory) > 0
    ]
    others.sort(key=lambda one: (-bench.inventory.cosine(own[0].subject, one.subject), one.subject.key))
    return _apart(bench, [*own, *others])[:4]


def _spelled_out(bench: Bench) -> Iterator[Candidate]:
    """Abbreviations with what they stand for."""
    known = list({one.long.casefold(): one for one in bench.abbreviations}.values())[:MOST]
    if len(known) >= LEAST:
        order = list(range(len(known)))
        bench.chance("pairs", *(one.short for one in known)).shuffle(order)
        left = tuple(Choice(id=LETTERS[i], text=one.short) for i, one in enumerate(known))
        right = tuple(Choice(id=str(n + 1), text=capital(known[i].long)) for n, i in enumerate(order))
        key = MatchingKey(pairs={LETTERS[i]: str(n + 1) for n, i in enumerate(order)})
        text = f"Match each abbreviation with what it stands for: {', '.join(one.short for one in known)}."
        yield bench.question(
            1.2,
            "matching",
            text,
            key,
            "abbreviation",
            [one.sentence for one in known],
            options=left,
            right=right,
        )


def _apart(bench: Bench, statements: Sequence[Statement]) -> list[Statement]:
    """One a term, none that could as well be said of another one kept, and none that names its term or another's."""
    kept: list[Statement] = []
    for one in statements:
        if any(
            one.subject.key == other.subject.key or bench.inventory.is_part(one.subject, other.subject)
            for other in kept
        ):
            continue
        if any(bench.inventory.says_the_same(one, other) for other in kept):
            continue
        if _names(one, one) or any(_names(one, other) or _names(other, one) for other in kept):
            continue
        kept.append(one)
    return kept


def _names(one: Statement, other: Statement) -> bool:
    """Whether what is said of the one names the other: then the pair gives itself away."""
    said = {word.casefold()[:6] for word in (one.meaning or one.predicate).replace("-", " ").split()}
    return all(word.casefold()[:6] in said for word in other.subject.text.replace("-", " ").split())


def _groups(statements: Sequence[Statement]) -> Iterator[list[Statement]]:
    rest = list(statements)
    while len(rest) >= LEAST:
        size = MOST if len(rest) == MOST or len(rest) >= MOST + LEAST else min(4, len(rest))
        yield rest[:size]
        rest = rest[size:]


def _named(group: Sequence[Statement]) -> list[tuple[str, Sentence]]:
    return [(capital(one.subject.text), one.sentence) for one in group]


def _pairs(
    bench: Bench, text: str, group: Sequence[tuple[str, Sentence]], said: Sequence[str], score: float
) -> Candidate:
    order = list(range(len(group)))
    bench.chance("pairs", *said).shuffle(order)
    left = tuple(Choice(id=LETTERS[i], text=name) for i, (name, _) in enumerate(group))
    right = tuple(Choice(id=str(n + 1), text=said[i]) for n, i in enumerate(order))
    pairs = {LETTERS[i]: str(n + 1) for n, i in enumerate(order)}
    evidence = [sentence for _, sentence in group]
    named = [name for name, _ in group]
    text = f"{text}: {', '.join(named[:-1])} and {named[-1]}."
    return bench.question(
        score, "matching", text, MatchingKey(pairs=pairs), "matching", evidence, options=left, right=right
    )


def ordering(bench: Bench) -> Iterator[Candidate]:
    for one in bench.facts.listings:
        if not one.ordered:
            continue
        order = list(range(len(one.members)))
        bench.chance("order", *one.members).shuffle(order)
        options = tuple(Choice(id=LETTERS[n], text=one.members[i]) for n, i in enumerate(order))
        key = OrderingKey(order=[LETTERS[order.index(i)] for i in range(len(order))])
        yield bench.question(2.0, "ordering", one.question, key, "ordering", one.sentences, options=options)
