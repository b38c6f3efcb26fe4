"""From statements to questions: English word forms, inversion, articles. Pure."""

import re

from tools.study.rules.analysed import Analysed
from tools.study.rules.facts import Statement, Term

_IRREGULAR_THIRD = {"be": "is", "have": "has", "do": "does", "go": "goes"}
_PLURAL_TO_SINGULAR = {"are": "is", "have": "has", "do": "does", "were": "was"}
_AUXILIARIES = frozenset({"is", "are", "can", "must", "may", "will", "has", "have", "do", "does"})
_VOWEL = re.compile(
    r"(?:[aeio](?!ne\b|nce\b|u[aeiou]ro)|u(?!ni|se|su|ti|bi|ro)|h(?:our|onest|eir))(?<!eu)", re.IGNORECASE
)
_SPELLED = re.compile(r"[AEFHILMNORSX][A-Z]")
_OTHER_PLURALS = {
    "analysis": "analyses",
    "axis": "axes",
    "basis": "bases",
    "hypothesis": "hypotheses",
    "criterion": "criteria",
    "matrix": "matrices",
    "vertex": "vertices",
    "index": "indices",
    "nucleus": "nuclei",
    "child": "children",
    "phenomenon": "phenomena",
    "bacterium": "bacteria",
    "man": "men",
    "woman": "women",
    "person": "people",
    "series": "series",
    "species": "species",
    "half": "halves",
    "leaf": "leaves",
    "wolf": "wolves",
    "life": "lives",
    "datum": "data",
}
_MASS = frozenset(
    """
    software information knowledge advice evidence equipment research data hardware energy heat water air time money code
    documentation syntax feedback traffic behavior behaviour scope precision precedence flow mathematics physics input output
    """.split()
)


def sentence(text: str) -> str:
    """With a capital, one full stop and single spaces."""
    bare = " ".join(text.split()).rstrip(" .;,:")
    return f"{capital(bare)}."


def capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def third_person(base: str) -> str:
    """ "store" → "stores"."""
    if base in _IRREGULAR_THIRD:
        return _IRREGULAR_THIRD[base]
    if re.search(r"(?:s|x|z|ch|sh|o)$", base):
        return base + "es"
    return base[:-1] + "ies" if re.search(r"[^aeiou]y$", base) else base + "s"


def plural_of(noun: str) -> str:
    """Of a noun phrase: its last word, or the one before "of"."""
    head, of, rest = noun.partition(" of ")
    words = head.split(" ")
    last = words[-1]
    if last.casefold() in _OTHER_PLURALS:
        words[-1] = _OTHER_PLURALS[last.casefold()]
    elif last.endswith("()") or last.isupper():
        words[-1] = last + "s"
    else:
        words[-1] = third_person(last)
    return " ".join(words) + of + rest


def numbered(term: Term, plural: bool) -> str | None:
    """The term in the singular or plural; None where that cannot be said."""
    if term.plural == plural:
        return term.text
    if plural:
        return (
            None
            if term.proper or term.head in _MASS or "()" in term.text or not term.article
            else plural_of(term.text)
        )
    words = term.text.split()
    if words[-1].endswith("ics"):
        return None
    if any(letter.isupper() for letter in words[-1][1:]):
        return term.text.removesuffix("s")
    if " of " in term.text or not words[-1].casefold().startswith(term.head[:2]):
        return None
    return " ".join([*words[:-1], term.head])


def with_article(text: str) -> str:
    vowel = _SPELLED.match(text) if text[:2].isupper() else _VOWEL.match(text)
    return f"{'an' if vowel else 'a'} {text}"


def spoken_of(term: Term) -> str:
    """As the subject of a sentence: with the article it needs."""
    if term.article in ("a", "an"):
        return with_article(term.text)
    return term.named


def without_adverb(predicate: str) -> list[str]:
    return re.split(r"\s+", predicate)


def singular_predicate(statement: Statement) -> str | None:
    """The predicate for "What …?": its finite verbs in the singular. None where more would have to change."""
    if not statement.subject.plural:
        return statement.predicate
    source, root = statement.source, statement.root
    if source.child(root, "attr") is not None or re.search(
        r"\b(?:their|themselves|they|them|each other)\b", statement.predicate
    ):
        return None
    changed = statement.predicate
    verbs = [
        root,
        *source.children(root, "aux", "auxpass"),
        *[i for i in source.children(root, "conj") if source.child(i, "nsubj", "aux") is None],
    ]
    for i in sorted(verbs):
        token = source.tokens[i]
        if token.tag == "VBP" or (token.tag == "VB" and i != root and source.tokens[root].tag == "VBP"):
            form = _PLURAL_TO_SINGULAR.get(token.text, third_person(token.text))
            changed = re.sub(rf"\b{re.escape(token.text)}\b", form, changed, count=1)
    return changed


def inverted(source: Analysed, verb: int, subject: str, predicate: str) -> str | None:
    """ "is the scheme stable", "does the program fail": for "Why …?" and "When …?". None for forms that are not known."""
    words = predicate.split(" ")
    at = next((n for n, word in enumerate(words[:3]) if word in _AUXILIARIES or word == "cannot"), None)
    token = source.tokens[verb]
    if at is not None and (token.text != words[at] or token.lemma == "be"):
        auxiliary = words.pop(at)
        if auxiliary == "cannot":
            return f"can {subject} not {' '.join(words)}"
        return f"{auxiliary} {subject} {' '.join(words)}"
    if token.tag not in ("VBZ", "VBP") or token.text not in words[:3]:
        return None
    words[words.index(token.text)] = token.lemma
    return f"{'does' if token.tag == 'VBZ' else 'do'} {subject} {' '.join(words)}"


def stated(statement: Statement) -> str:
    """The statement as a sentence of its own."""
    if statement.question:
        return sentence(statement.source.text)
    body = f"{spoken_of(statement.subject)} {statement.predicate}"
    return sentence(f"{statement.context}, {body}" if statement.context else body)


def which_question(statement: Statement) -> str:
    """ "Which of the following …?", asked for the subject."""
    asked = f"which of the following {statement.predicate}?"
    return capital(f"{statement.context}, {asked}" if statement.context else asked)


def what_question(statement: Statement) -> str | None:
    predicate = singular_predicate(statement)
    if predicate is None:
        return None
    asked = f"what {predicate}?"
    return capital(f"{statement.context}, {asked}" if statement.context else asked)


def asked_term(statement: Statement) -> str:
    """The question for the term of a definition."""
    meaning = statement.meaning
    context = f"{statement.context}, " if statement.context else ""
    if statement.subject.proper:
        return capital(f"{context}what is the name of {re.sub('^an? ', 'the ', meaning)}?")
    return capital(f"{context}what is the term for {meaning}?")


def asked_meaning(statement: Statement) -> str:
    context = f"{statement.context}, " if statement.context else ""
    verb = "are" if statement.subject.plural else "is"
    return capital(f"{context}what {verb} {spoken_of(statement.subject)}?")
