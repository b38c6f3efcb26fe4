"""Cards: a question and its answer, terms both ways, gaps, and choices. Pure."""

from collections.abc import Iterator

from tools.study.items import Card
from tools.study.keys import Choice
from tools.study.rules.bench import LETTERS, Bench, Candidate
from tools.study.rules.choosing import asked_purpose, chosen
from tools.study.rules.completing import asked_subjects, gaps, spare_gaps
from tools.study.rules.facts import Statement
from tools.study.rules.wording import asked_meaning, capital, sentence, spoken_of
from tools.study.rules.worth import is_person

_STATES = frozenset("be have need become seem remain exist begin start depend".split())
_NO_DEED = frozenset("occur happen arise exist".split())
_OBJECTS = frozenset(
    "require include contain support need produce return cause determine measure represent define specify store provide prevent describe allow".split()
)


def basic(bench: Bench) -> Iterator[Candidate]:
    """Each question once."""
    asked: set[str] = set()
    for made in (
        *_of_statements(bench),
        *_of_connections(bench),
        *_of_listings(bench),
        *_of_figures(bench),
        *_of_spares(bench),
    ):
        if isinstance(made.item, Card) and made.item.front not in asked:
            asked.add(made.item.front)
            yield made


def _of_statements(bench: Bench) -> Iterator[Candidate]:
    aimed = [pair for pair in bench.statements() if pair[1].question]
    for score, one in sorted([*bench.answers(), *aimed], key=lambda pair: -pair[0]):
        made = _asked(one)
        if made is not None:
            yield bench.card(score, "basic", *made, one.kind, [one.sentence])


def _of_spares(bench: Bench) -> Iterator[Candidate]:
    """Sentences that give no statement, asked for their subject."""
    for gap, question in asked_subjects(bench):
        score = 0.4 + 0.2 * gap.score
        back = capital(gap.term.text)
        yield bench.card(score, "basic", question, back, "statement", [gap.spare.sentence])


def _of_connections(bench: Bench) -> Iterator[Candidate]:
    for reason in bench.facts.reasons:
        because = sentence(f"because {reason.reason}")
        yield bench.card(2.2, "basic", reason.question, because, "cause", [reason.sentence])
    for one in bench.facts.conditions:
        yield bench.card(1.8, "basic", one.question, one.consequence, "condition", [one.sentence])


def _of_listings(bench: Bench) -> Iterator[Candidate]:
    for listing in bench.facts.listings:
        if not listing.ordered:
            front = _asked_openly(listing.question)
            yield bench.card(1.5, "basic", front, _joined(listing.members), "listing", listing.sentences)


def _asked_openly(question: str) -> str:
    """The question without options to choose from."""
    for offered, openly in (
        ("which of the following are they?", "which are they?"),
        ("Which of the following are examples of", "What are examples of"),
        ("Which of the following are among", "What are examples of"),
        ("Which of the following are", "What are the"),
        ("Which of the following", "What"),
    ):
        if offered in question:
            return question.replace(offered, openly)
    return question


def _of_figures(bench: Bench) -> Iterator[Candidate]:
    for number in bench.numbers:
        if number.question:
            back = capital(number.expected.text)
            yield bench.card(1.6, "basic", number.question, back, "number", [number.sentence])
    for short in bench.abbreviations:
        front = f"What does the abbreviation “{short.short}” stand for?"
        yield bench.card(1.0, "basic", front, capital(short.long), "abbreviation", [short.sentence])


def _asked(one: Statement) -> tuple[str, str] | None:
    """Front and back."""
    if one.loose or is_person(one.subject.head) or one.verb in _NO_DEED:
        return None
    if one.kind == "definition":
        return asked_meaning(one), sentence(one.meaning)
    if one.kind == "purpose":
        return asked_purpose(one), sentence(one.purpose)
    source, root = one.source, one.root
    token = source.tokens[root]
    subject = spoken_of(one.subject)
    if (
        one.negated
        or token.tag not in ("VBZ", "VBP")
        or not one.predicate.startswith(token.text)
        or token.lemma in _STATES
    ):
        return None
    does = "do" if one.subject.plural else "does"
    context = f"{one.context}, " if one.context else ""
    rest = one.predicate[len(token.text) :].strip()
    if (
        token.lemma in _OBJECTS
        and source.child(root, "dobj") is not None
        and source.child(root, "conj") is None
    ):
        return capital(f"{context}what {does} {subject} {token.lemma}?"), sentence(rest)
    if one.subject.proper and token.lemma not in _OBJECTS and token.lemma not in ("mean", "consist"):
        return None
    if token.lemma in ("mean", "stand"):
        return (
            (capital(f"{context}what {does} {subject} mean?"), sentence(rest.removeprefix("for ")))
            if token.lemma == "mean"
            else None
        )
    if token.lemma == "consist" and rest.startswith("of "):
        return capital(f"{context}what {does} {subject} consist of?"), sentence(rest[3:])
    return capital(f"{context}what {does} {subject} do?"), sentence(
        f"{'they' if one.subject.plural else 'it'} {one.predicate}"
    )


def _joined(members: tuple[str, ...]) -> str:
    return sentence(f"{', '.join(members[:-1])} and {members[-1]}")


def reversed_card(bench: Bench) -> Iterator[Candidate]:
    """A term on one side, what it is on the other; only where the term follows from its meaning."""
    for score, one in bench.statements():
        if one.kind == "definition" and not one.context:
            yield bench.card(
                score,
                "reversed",
                capital(one.subject.text),
                capital(one.meaning),
                "definition",
                [one.sentence],
            )
    for short in bench.abbreviations:
        yield bench.card(1.0, "reversed", short.short, capital(short.long), "abbreviation", [short.sentence])


def cloze_card(bench: Bench) -> Iterator[Candidate]:
    for score, before, expected, after, one in gaps(bench):
        yield bench.card(
            score, "cloze", f"{before}{{{{c1::{expected.text}}}}}{after}", "", one.kind, [one.sentence]
        )
    for gap in spare_gaps(bench):
        front = f"{gap.before}{{{{c1::{gap.term.text}}}}}{gap.after}"
        yield bench.card(0.4 + 0.2 * gap.score, "cloze", front, "", "cloze", [gap.spare.sentence])
    for number in (one for one in bench.numbers if not one.is_given_away):
        yield bench.card(
            1.4,
            "cloze",
            number.gapped(f"{{{{c1::{number.expected.text}}}}}"),
            "",
            "number",
            [number.sentence],
        )


def choice_card(bench: Bench) -> Iterator[Candidate]:
    for asked in chosen(bench):
        texts = [asked.right, *asked.wrong]
        bench.chance("card", asked.text).shuffle(texts)
        options = tuple(Choice(id=letter, text=text) for letter, text in zip(LETTERS, texts, strict=False))
        yield bench.card(
            asked.score,
            "multiple_choice",
            asked.text,
            asked.right,
            asked.rule,
            asked.evidence,
            options=options,
        )
