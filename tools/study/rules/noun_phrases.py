"""Noun phrases of an analysed sentence as terms. Pure."""

import re

from tools.study.rules.analysed import Analysed
from tools.study.rules.facts import Term
from tools.study.rules.standing import THE_BARE, is_opinion, stands_alone

NOUNS = frozenset({"NN", "NNS", "NNP", "NNPS"})
MOST_WORDS = 5
_ARTICLES = frozenset({"a", "an", "the"})
_LIMITING = frozenset({"det", "predet", "nummod", "poss", "quantmod"})
_WORDS = re.compile(r"^[^\W\d_][\w.+#]*(?:\(\))?(?:[ '’-][\w+#]+(?:\(\))?)*(?:['’]s [\w -]+)?$")

_UNCLEAR = frozenset(
    "more this that these those such another other one two three both few any what how".split()
)
VAGUE = frozenset(
    """
    thing way case example reason result part kind type sort form purpose goal aim idea fact point question answer problem
    issue task topic solution approach advantage disadvantage benefit drawback downside remedy consequence difference aspect
    number amount list set group series range variety majority rest step term word name people person student programmer
    user author reader engineer developer newcomer beginner human everyone anyone man woman time day year something nothing anything
    everything lot most many some all each both none choice option alternative key focus exercise figure table chapter
    section book text note comment remark instance place value line theme feature property quality tendency situation
    requirement practice convention role effect cause factor change increase decrease use usage effort work need ability
    item element member expert scientist researcher professional community team hour minute second month week city
    country cost price condition background interest course lesson lecture slide unit entry piece bit half top bottom
    beginning end start thank experience side front back version output input code program statement function variable method model system
    object process data information test file image plot resulting condition
    """.split()
)
"""Heads that name nothing on their own; with a word before them they may ("while loop", "test function")."""
_NARRATIVE = frozenset(
    """
    step theme question background script need literature remedy task example idea advantage disadvantage reason purpose goal aim way
    thing problem issue point exercise chapter section book text focus alternative case interest experience attempt trick hint
    difference plot figure table choice challenge topic subject model discussion note difficulty benefit lesson
    """.split()
)
"""Heads of subjects that a text talks with about itself."""
_WEAK_MODIFIERS = frozenset(
    """
    first second third last next previous final main key major important common typical usual general simple basic natural
    other different various several many few more most such same certain particular specific following present current new old
    good better best bad big large small whole entire complete full possible available necessary useful resulting given
    own only single actual real true right wrong early late original similar additional further another obvious underlying
    corresponding above below respective desired interesting popular great nice second-most open clear special fundamental forthcoming coming previous mentioned actual
    """.split()
)


NEVER_TERMS = frozenset({"PERSON", "DATE", "TIME", "CARDINAL", "ORDINAL", "PERCENT", "MONEY"})
"""Kinds of named things that are no terms of a subject."""


def term_of(sentence: Analysed, head: int) -> Term | None:
    """The noun phrase as a term; None when it is none, is too long or leans on something said elsewhere."""
    token = sentence.tokens[head]
    if token.tag not in NOUNS or token.entity in NEVER_TERMS:
        return None
    inside = sentence.subtree(
        head, without=lambda i: sentence.tokens[i].dep in ("punct", "appos") and i > head
    )
    if not inside or inside != list(range(inside[0], inside[-1] + 1)) or _is_limited(sentence, head):
        return None
    first = sentence.tokens[inside[0]]
    article = first.text.casefold() if first.text.casefold() in _ARTICLES else ""
    words = inside[1:] if article else inside
    if not words or len(words) > MOST_WORDS + 1:
        return None
    text = sentence.span(words[0], words[-1])
    proper = text.isupper() or all(sentence.tokens[i].tag in ("NNP", "NNPS", "CD") for i in words)
    if inside[0] == 0 and not article:
        text = _small(sentence, words[0], text)
    if len(text.split()) > MOST_WORDS or not _WORDS.match(text) or not stands_alone(text):
        return None
    term = Term(text, article, token.tag in ("NNS", "NNPS"), token.lemma.casefold(), proper, token.entity)
    return term if names_something(sentence, words, head, term) else None


def core_term_of(sentence: Analysed, head: int) -> Term | None:
    """The noun with what stands right before it ("truncation error" of "a truncation error that …"): what may be left out."""
    token = sentence.tokens[head]
    if token.tag not in NOUNS or token.entity in NEVER_TERMS:
        return None
    before = [
        i
        for i in sentence.below[head]
        if i < head and sentence.tokens[i].dep in ("compound", "amod", "nmod", "npadvmod")
    ]
    words = sorted(k for i in before for k in sentence.subtree(i))
    while words and sentence.tokens[words[0]].text.casefold() in _WEAK_MODIFIERS:
        words.pop(0)
    words.append(head)
    if words != list(range(words[0], head + 1)):
        return None
    first = sentence.tokens[words[0] - 1].text.casefold() if words[0] else ""
    text = sentence.span(words[0], head)
    if not _WORDS.match(text) or not stands_alone(text):
        return None
    proper = text.isupper() or all(sentence.tokens[i].tag in ("NNP", "NNPS", "CD") for i in words)
    text = _small(sentence, words[0], text) if words[0] == 0 else text
    article = first if first in _ARTICLES else ""
    term = Term(text, article, token.tag in ("NNS", "NNPS"), token.lemma.casefold(), proper, token.entity)
    if len(words) == 1:
        return term if len(text) > 3 and term.head not in VAGUE else None
    return term if names_something(sentence, words, head, term) else None


def loose_term_of(sentence: Analysed, head: int) -> Term | None:
    """A subject that says what it is by what follows it: "programs written in high-level languages"."""
    token = sentence.tokens[head]
    inside = sentence.subtree(head)
    if (
        token.tag not in NOUNS
        or inside != list(range(inside[0], inside[-1] + 1))
        or not 2 <= len(inside) <= 16
    ):
        return None
    first = sentence.tokens[inside[0]].text.casefold()
    words = inside[1:] if first in _ARTICLES else inside
    described = sentence.children(head, "prep", "relcl", "acl", "compound", "nmod", "amod", "poss")
    if not described or first in _UNCLEAR or not words or token.lemma.casefold() in _NARRATIVE:
        return None
    if any(sentence.tokens[i].text.casefold() in _WEAK_MODIFIERS for i in sentence.children(head, "amod")):
        return None
    text = sentence.span(words[0], words[-1])
    text = _small(sentence, words[0], text) if inside[0] == 0 and words == inside else text
    if not stands_alone(text) or THE_BARE.search(f"{first} {text}") or is_opinion(text):
        return None
    return Term(
        text, first if first in _ARTICLES else "", token.tag in ("NNS", "NNPS"), token.lemma.casefold(), False
    )


def _is_limited(sentence: Analysed, head: int) -> bool:
    """ "Some functions", "two of them", "this method", "John's idea", "functions that …", "loops and lists"."""
    if any(sentence.tokens[i].dep in ("cc", "conj") for i in sentence.subtree(head)):
        return True
    for i in sentence.below[head]:
        token = sentence.tokens[i]
        if token.dep in _LIMITING and token.text.casefold() not in _ARTICLES:
            return True
        if token.dep in ("relcl", "acl", "advcl", "cc", "conj", "advmod") or token.dep.startswith("csubj"):
            return True
        if token.dep == "prep" and token.text.casefold() != "of":
            return True
    return False


def _small(sentence: Analysed, index: int, text: str) -> str:
    """A word that is only written with a capital because it opens the sentence, without it."""
    token = sentence.tokens[index]
    if token.tag in ("NNP", "NNPS") or any(c.isupper() for c in token.text[1:]):
        return text
    return text[:1].lower() + text[1:]


def names_something(sentence: Analysed, words: list[int], head: int, term: Term) -> bool:
    """Whether a reader knows what is meant without having read on: not "the program", not "the main idea"."""
    modifiers = [
        i
        for i in words
        if i != head
        and sentence.tokens[i].tag not in ("IN", "DT")
        and sentence.tokens[i].text.casefold() not in _WEAK_MODIFIERS
    ]
    if (
        sentence.tokens[words[0]].text.casefold() in ("class", "module", "method", "variable", "function")
        and words[0] != head
    ):
        return sentence.tokens[words[1]].text.islower()
    if any(sentence.tokens[i].tag in ("JJR", "JJS", "RBR", "RBS", "PRP", "PRP$", "VBD") for i in words):
        return False
    if any(sentence.tokens[i].text.casefold() in _WEAK_MODIFIERS for i in words if i != head):
        return False
    if not modifiers:
        return (
            len(term.text) > 2
            and term.article != "the"
            and (term.head not in VAGUE or term.article in ("a", "an") or term.plural)
        )
    return True
