"""What is worth asking, and how hard it is: by rule, with numbers that were set by reading what came out. Pure."""

import re

from tools.study.keys import BloomLevel, Difficulty
from tools.study.rules.facts import Statement, Term
from tools.study.rules.inventory import Inventory
from tools.study.rules.standing import is_opinion

BANDS: dict[Difficulty, tuple[int, int]] = {
    "easy": (1, 4),
    "medium": (4, 6),
    "hard": (6, 10),
    "mixed": (1, 10),
}
LEVELS: dict[str, tuple[int, BloomLevel]] = {
    "definition": (3, "remember"),
    "meaning": (4, "understand"),
    "purpose": (4, "understand"),
    "statement": (4, "remember"),
    "effect": (5, "understand"),
    "swap": (5, "understand"),
    "cause": (6, "analyze"),
    "condition": (6, "apply"),
    "contrast": (6, "analyze"),
    "listing": (4, "remember"),
    "number": (4, "remember"),
    "abbreviation": (2, "remember"),
    "matching": (4, "remember"),
    "several": (6, "understand"),
    "ordering": (5, "understand"),
    "cloze": (3, "remember"),
}
LEAST_WORDS = 4
"""Of a predicate, without the small ones: less is not enough to know the subject by."""

NAMED_OFTEN = 4
"""Sentences that hold a name from which on the material is about it."""

LONG_MATERIAL = 100
"""Sentences; in fewer a name has no room to come again."""
_OF_A_PROGRAM = re.compile(r"\b(?:subclass|superclass|instance|class|object) (?:of|that|with)\b")

_EVERYWHERE = frozenset(
    "python matlab java javascript html computer computers program programs code method problem function model example".split()
)
_OF_THE_WORLD = re.compile(r"\b(?:company|organi[sz]ation|website|magazine|newspaper|comedy|novel|film)\b")
_PROGRAM_PARTS = frozenset("class classes object objects instance instances file files".split())
_SMALL = frozenset(
    "a an the of to in on at by for with and or is are be been has have can may must will do does not that which as it its from into than".split()
)
_ONE_CASE = re.compile(
    r"\b(?:missing|incorrect|wants?|writes?|added every day|closing|exercise|homework|assignment)\b",
    re.IGNORECASE,
)
_HEDGED = re.compile(r"\b(?:often|usually|frequently|may|might|sometimes|normally|typically|commonly)\b")
_PERSONS = frozenset(
    """
    programmer people person student user engineer artist accountant linguist biologist statistician scientist developer researcher
    author teacher reader expert member professional company community team child parent employee patient author customer newcomer
    """.split()
)
TOO_GENERAL = 0.045
"""Share of the sentences from which on a term is what all of the material is about, and so no answer."""
_RELATIVE = re.compile(
    r"^(?:is|are) (?:similar|different|less|more|as|equal|the same|based|convenient|common)\b", re.IGNORECASE
)
_TALK = re.compile(
    r"^(?:the )?(?:names?|result|goal|purpose|number|amount|subset|construction|spelling|word|range|source code|examples?|vast|pedagogical|writing|strategy|outlined|coming|forthcoming|trip|modified|time) ?",
    re.IGNORECASE,
)


def content_words(text: str) -> list[str]:
    return [word for word in re.findall(r"[^\W\d_][\w+#-]*", text) if word.casefold() not in _SMALL]


def worth(statement: Statement, inventory: Inventory) -> float:
    """0 for what is not to be asked about; about 1 for a plain statement, 2 for a definition."""
    subject, predicate = statement.subject, statement.predicate
    is_definition = statement.kind == "definition"
    count = inventory.count(subject)
    said = content_words(predicate)
    if (not statement.loose and count < (1 if is_definition else 2)) or len(said) < (
        3 if is_definition else LEAST_WORDS
    ):
        return 0.0
    if is_opinion(statement.meaning or predicate) or _ONE_CASE.search(predicate) or _TALK.match(subject.text):
        return 0.0
    if re.match(r"\w\b|\W", subject.text) or _is_one_example(statement, inventory):
        return 0.0
    if statement.question:
        return 1.8 if not is_opinion(predicate) else 0.0
    if statement.loose:
        return 0.6 if len(said) >= 5 and inventory.terms_in(statement.source.text) else 0.0
    if not is_definition and (
        _RELATIVE.match(predicate) or is_opinion(subject.text) or (subject.article == "the" and count < 3)
    ):
        return 0.0
    score = {"definition": 2.0, "purpose": 1.7, "effect": 1.3, "statement": 1.0}[statement.kind]
    score += (
        0.1 * min(count, 6) + 0.1 * min(len(said), 8) - 0.04 * max(0, len(statement.source.text.split()) - 22)
    )
    if statement.verb == "have" or re.match(r"(?:is|are|can be) \w+$", predicate):
        score -= 0.4
    if _HEDGED.search(predicate) or subject.head in _PERSONS:
        score -= 0.4
    return max(score, 0.1)


def _is_one_example(statement: Statement, inventory: Inventory) -> bool:
    """A term may be defined once and not come again; a class of a program may not."""
    if (
        statement.kind == "definition"
        and statement.subject.proper
        and _OF_THE_WORLD.search(statement.meaning)
    ):
        return True
    defined = statement.kind == "definition" and not _OF_A_PROGRAM.search(statement.meaning)
    return not defined and is_passing_name(statement.subject, inventory)


def is_passing_name(term: Term, inventory: Inventory) -> bool:
    """A name of one example in a longer material: "Developer class", or one capitalised word that hardly occurs."""
    words = term.text.split()
    named = words[0][:1].isupper() and words[0][1:].islower() and "-" not in words[0]
    alone = len(words) == 1 and term.proper
    is_example = len(words) == 2 and words[1].casefold() in _PROGRAM_PARTS
    return (
        named
        and (alone or is_example)
        and inventory.size >= LONG_MATERIAL
        and inventory.count(term) < NAMED_OFTEN
    )


def is_answer(statement: Statement, inventory: Inventory) -> bool:
    """Whether the subject may be asked for: a term, no person, not what everything is about, and not something that only often is so."""
    if (
        statement.loose
        or statement.question
        or is_counted(statement.subject)
        or statement.subject.head in _PERSONS
        or statement.subject.text.split()[-1].casefold().rstrip("s") in _PERSONS
    ):
        return False
    if statement.kind != "definition" and is_everywhere(statement.subject):
        return False
    if statement.kind != "definition" and (
        _HEDGED.search(statement.predicate) or len(content_words(statement.predicate)) < 5
    ):
        return statement.kind == "purpose"
    return (
        inventory.count(statement.subject) <= max(10, TOO_GENERAL * inventory.size)
        or statement.kind == "definition"
    )


def is_counted(term: Term) -> bool:
    """ "Multiple classes" names nothing; "multiple inheritance" does."""
    return term.plural and term.text.casefold().startswith(("multiple ", "several ", "various "))


def is_everywhere(term: Term) -> bool:
    """What does everything in its subject: "Python can read and write files"."""
    return all(word in _EVERYWHERE for word in term.text.casefold().split())


def is_hedged(statement: Statement) -> bool:
    return bool(_HEDGED.search(statement.predicate))


def is_person(head: str) -> bool:
    return head in _PERSONS


def level(rule: str, text: str) -> tuple[int, BloomLevel]:
    """Difficulty from 1 to 10, and Bloom's level. Long sentences are a little harder."""
    difficulty, bloom = LEVELS[rule]
    return min(10, difficulty + (len(text.split()) > 25)), bloom


def fits(difficulty: int, wanted: Difficulty) -> int:
    """How far it is from what was wanted; 0 when it is within."""
    low, high = BANDS[wanted]
    return max(low - difficulty, 0, difficulty - high)
