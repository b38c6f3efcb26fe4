"""Definitions that are no plain sentence "X is …": "By X we mean …", and "Susceptibles: people who …". Pure."""

import re

from tools.notes.reading import Sentence
from tools.study.rules.analysed import Analysed
from tools.study.rules.facts import Statement, Term
from tools.study.rules.noun_phrases import VAGUE, term_of
from tools.study.rules.standing import is_opinion, stands_alone

_MEANING_VERBS = frozenset({"mean", "understand"})
_KIND = re.compile(
    r"(?:an?|the|any|all|people|persons|those|someone|something|one of|\w+s) \w", re.IGNORECASE
)
_GLOSS = re.compile(
    r"^(?P<term>[A-Z][a-z][\w-]*(?: [a-z][\w-]+){0,2})(?: \([^()]{1,12}\))?: (?P<meaning>(?:an?|the|any|all|people|persons|those|someone|something)\s[^:;]{15,160})\.$"
)
_NO_TERM = re.compile(
    r"\b(?:note|notice|remark|hint|tip|answer|solution|example|exercise|warning|recall|remember|result|question|goal|idea|output|input|reason|problem|task|step)s?\b",
    re.IGNORECASE,
)
LEAST_WORDS = 4


def defined_otherwise(sentence: Sentence, source: Analysed) -> Statement | None:
    return _meant(sentence, source) or _glossed(sentence, source)


def _meant(sentence: Sentence, source: Analysed) -> Statement | None:
    """ "By a mesh we mean a finite set of points in time."."""
    root = source.roots[0]
    by = source.child(root, "prep")
    if source.tokens[root].lemma not in _MEANING_VERBS or by != 0 or source.tokens[0].text != "By":
        return None
    noun, target = source.child(by, "pobj"), source.child(root, "dobj")
    term = term_of(source, noun) if noun is not None else None
    if term is None or target is None or target < root:
        return None
    meaning = source.text[source.tokens[source.subtree(target)[0]].start :].strip(" .")
    start = source.text.find(term.text)
    return _definition(sentence, source, term, meaning, start) if _KIND.match(meaning) else None


def _glossed(sentence: Sentence, source: Analysed) -> Statement | None:
    """ "Susceptibles (S): people who can get the disease."."""
    found = _GLOSS.match(source.text)
    if found is None or _NO_TERM.search(found["term"]):
        return None
    text = found["term"][:1].lower() + found["term"][1:]
    head = text.split()[-1]
    plural = head.endswith("s") and not head.endswith(("ss", "us", "is"))
    if head.rstrip("s") in VAGUE:
        return None
    article = "" if plural or not re.match(r"an? ", found["meaning"]) else "a"
    term = Term(text, article, plural, head[:-1] if plural else head, proper=False)
    return _definition(sentence, source, term, found["meaning"], 0)


def _definition(
    sentence: Sentence, source: Analysed, term: Term, meaning: str, start: int
) -> Statement | None:
    own = [word[:5] for word in re.findall(r"\w{4,}", term.text.casefold())]
    circular = any(word[:5] in own for word in re.findall(r"\w{4,}", meaning.casefold()))
    if len(meaning.split()) < LEAST_WORDS or circular or not stands_alone(meaning) or is_opinion(meaning):
        return None
    return Statement(
        kind="definition",
        subject=term,
        predicate=f"{'are' if term.plural else 'is'} {meaning}",
        verb="be",
        sentence=sentence,
        source=source,
        meaning=meaning,
        root=source.roots[0],
        gap=(start, start + len(term.text)),
    )
