"""Statements of an analysed sentence: a named subject and all that is said of it. Pure."""

import re
from collections.abc import Sequence
from dataclasses import replace

from tools.notes.reading import Sentence
from tools.study.rules.analysed import Analysed
from tools.study.rules.definitions import defined_otherwise
from tools.study.rules.facts import Statement, Term
from tools.study.rules.noun_phrases import loose_term_of, term_of
from tools.study.rules.standing import THE_BARE, notation, stands_alone, without_opening

FINITE = frozenset({"VBZ", "VBP", "MD"})
"""Of the first verb: what is true in general stands in the present; the past tells of one case."""
_ADVERBS_KEPT = frozenset({"advmod", "neg", "aux", "auxpass"})
_VAGUE_CLASS = frozenset(
    """
    example way thing part reason case topic problem idea step advantage disadvantage difference result consequence point choice
    matter question one issue task goal aim purpose key solution fact alternative option requirement necessity lot kind type sort
    tool place start beginning benefit downside remedy shame pleasure pity mistake skill
    """.split()
)
_DEFINING = frozenset({"mean", "denote"})
_EFFECT = frozenset(
    {"cause", "result", "lead", "produce", "prevent", "reduce", "increase", "improve", "affect", "trigger"}
)
ARTICLES = frozenset({"a", "an", "the"})
_LEADING = frozenset({"prep", "advmod", "advcl"})
_NO_CONTEXT = re.compile(
    r"(?:and|but|or|for|as|although|though|while|to remember|first|second|third|fourth|finally|with|here|how|what|given|compared)\b",
    re.IGNORECASE,
)
_NO_MEANING = re.compile(
    r"^(?:its|their|his|\d|one|two|three|four|five|six|seven|eight|nine|ten|quite|not|just|only|also|all|some|any|no|less|more|most|as|in|at|on|to|that|what|where|when|why|how|because)\b|\b(?:is|are) \w+ \w+ per\b| and \w+ (?:is|are)\b|^an? (?:very |quite |more |most |rather )",
    re.IGNORECASE,
)
_SECOND_CLAUSE = re.compile(r"\band \w+ (?:is|are)\b")
_CONDITION = re.compile(r"(?:if|when|whenever|unless|because|since|after|before|once|until)\b", re.IGNORECASE)
_POINTERS = frozenset({"this", "that", "these", "those", "such"})
_DANGLING = re.compile(r"(?:[:;]|\b(?:as follows|following|is that|are that))$|\.\s|: ", re.IGNORECASE)
_NAMING = frozenset({"call", "name", "term", "know", "refer", "denote"})


def statements_of(sentence: Sentence, source: Analysed) -> list[Statement]:
    """One of each clause that has a named subject of its own: "X is …, and Y is …", "X is …, while Y is …"."""
    if len(source.roots) != 1:
        return []
    root = source.roots[0]
    if source.child(root, "mark") is not None:
        return []
    named = _naming(sentence, source, root) or defined_otherwise(sentence, source)
    if named is not None:
        return [named]
    aimed = _aimed(sentence, source, root)
    if aimed is not None:
        return [aimed]
    verbs = _main_verbs(source, root)
    found = [_statement(sentence, source, verb, verbs) for verb in verbs]
    made = [one for one in found if one is not None]
    return made if verbs[0] == root and found[0] is not None else made[:0]


def _main_verbs(source: Analysed, root: int) -> list[int]:
    """The root, and verbs beside it that have a subject of their own."""
    found, waiting = [root], [root]
    while waiting:
        verb = waiting.pop()
        for i in source.below[verb]:
            if source.child(i, "nsubj", "nsubjpass") is None:
                continue
            mark = source.child(i, "mark")
            contrasted = mark is not None and source.tokens[mark].text.casefold() in ("whereas", "while")
            if source.tokens[i].dep == "conj" or (
                source.tokens[i].dep == "advcl" and contrasted and i > root
            ):
                found.append(i)
                waiting.append(i)
    return found


def _statement(sentence: Sentence, source: Analysed, root: int, verbs: Sequence[int]) -> Statement | None:
    subject = source.child(root, "nsubj", "nsubjpass")
    if subject is None or source.child(root, "expl", "csubj", "csubjpass") is not None:
        return None
    inside = source.subtree(root, without=lambda i: i in verbs)
    bounds = _bounds(source, root, subject, inside, verbs)
    strict = term_of(source, subject) if bounds else None
    term = strict or (loose_term_of(source, subject) if bounds else None)
    if term is None or bounds is None or not _is_present(source, bounds[0]):
        return None
    first, last, context = bounds
    finite = next(source.tokens[i].tag for i in range(first, last + 1) if source.tokens[i].tag in FINITE)
    term = term if finite == "MD" else replace(term, plural=finite == "VBP")
    predicate = without_also(source.span(first, last))
    if notation(source.text) and len(verbs) == 1 and not source.text.rstrip(" .").endswith(predicate[-3:]):
        return None
    if not stands_alone(predicate) or not stands_alone(context) or _DANGLING.search(predicate):
        return None
    if any(
        source.tokens[i].text in _POINTERS and source.tokens[i].dep == "det" for i in range(first, last + 1)
    ):
        return None
    if _leans(f"{context} {predicate}", term, strict is not None) and not _is_kind(source, root):
        return None
    if len(verbs) == 1 and _SECOND_CLAUSE.search(predicate):
        return None
    made = Statement(
        kind="statement",
        subject=term,
        predicate=predicate,
        verb=source.tokens[root].lemma.casefold(),
        sentence=sentence,
        source=source,
        context=context,
        negated=bool(source.children(root, "neg")),
        gap=_place(source, subject, term),
        root=root,
        loose=strict is None or bool(_CONDITION.match(context)),
        split=len(verbs) > 1,
    )
    return _sorted_out(made, source, root, last)


def _leans(text: str, subject: Term, is_named: bool) -> bool:
    """A definite thing in it that only an earlier sentence tells. Beside a named subject most are clear: "ends the function"."""
    found = [match.group().split()[-1].casefold() for match in THE_BARE.finditer(text)]
    if is_named:
        return any(word.rstrip("s") in _CONTEXTUAL for word in found)
    return any(word != subject.head for word in found)


def _is_kind(source: Analysed, root: int) -> bool:
    """ "A prompt is a short message that indicates the program is waiting": what is said of a kind in general."""
    attribute = source.child(root, "attr")
    return attribute is not None and source.tokens[source.subtree(attribute)[0]].text in ("a", "an")


def _place(source: Analysed, head: int, term: Term) -> tuple[int, int]:
    """Characters of the term's words; (0, 0) when they do not stand there as they are."""
    start = source.tokens[source.subtree(head)[0]].start
    at = source.text.casefold().find(term.text.casefold(), start)
    return (at, at + len(term.text)) if at >= 0 else (0, 0)


def without_also(predicate: str) -> str:
    """What links a sentence to the one before is left out."""
    return re.sub(
        r"\b(?:also|therefore|hence|thus|however) |, (?:however|therefore|thus|too)\b,?", "", predicate
    )


def _bounds(
    source: Analysed, root: int, subject: int, clause: Sequence[int], verbs: Sequence[int]
) -> tuple[int, int, str] | None:
    """First and last token of the predicate, and what stands before the subject."""
    inside = source.subtree(subject)
    after, last = inside[-1] + 1, clause[-1]
    last = min([last, *(source.subtree(verb)[0] - 1 for verb in verbs if verb > root)])
    while last > after and (source.tokens[last].dep in ("punct", "cc") and source.tokens[last].text != ")"):
        last -= 1
    if after >= last or source.tokens[after].dep == "punct" or inside[0] > root or after > root:
        return None
    if any(source.tokens[i].dep not in _ADVERBS_KEPT for i in source.below[root] if after <= i < root):
        return None
    before = [i for i in clause if i < inside[0] and (source.tokens[i].dep != "cc" or i > 0)]
    leading = [
        i for i in source.below[root] if i in before and source.tokens[i].dep not in ("punct", "cc", "mark")
    ]
    if any(source.tokens[i].dep not in _LEADING for i in leading) or (before and not leading):
        return None
    context = source.span(before[0], before[-1]).strip(" ,") if before else ""
    bare = without_opening(f"{context}, x").removesuffix(", x").removesuffix("X") if context else ""
    if len(bare.split()) > (16 if _CONDITION.match(bare) else 8) or _NO_CONTEXT.match(bare):
        return None
    return after, last, bare


def _is_present(source: Analysed, first: int) -> bool:
    verbs = [
        i
        for i in range(first, len(source.tokens))
        if source.tokens[i].tag in FINITE | {"VBD", "VB", "VBN", "VBG"}
    ]
    if not verbs or source.tokens[verbs[0]].tag not in FINITE:
        return False
    return source.tokens[verbs[0]].text.casefold() not in ("would", "could", "might", "should", "shall", "'d")


def _sorted_out(made: Statement, source: Analysed, root: int, last: int) -> Statement:
    """With its kind, and what this kind has."""
    verb = made.verb
    meaning = "" if made.loose else _meaning(made, source, root, last)
    if meaning:
        return replace(made, kind="definition", meaning=meaning)
    if verb == "use" and not made.loose and source.children(root, "auxpass"):
        purpose = re.match(
            r"(?:is|are|can be|may be)(?: \w+ly| often)? used (?=(?:to|for)\b)(.+)$", made.predicate
        )
        if purpose:
            return replace(made, kind="purpose", purpose=purpose[1])
    if verb in _EFFECT and not made.negated:
        return replace(made, kind="effect")
    return made


def _meaning(made: Statement, source: Analysed, root: int, last: int) -> str:
    """What a definition says a thing is: "a sequence of characters enclosed by quotes"; empty when it is none."""
    last = _end_of_meaning(source, root, last)
    if made.negated or (
        made.subject.article == "the" and not made.subject.plural and len(made.subject.text.split()) < 2
    ):
        return ""
    if source.tokens[root].lemma == "be":
        attribute = source.child(root, "attr")
        if (
            attribute is None
            or not _defines(source, attribute)
            or source.children(root, "aux", "neg", "advmod")
        ):
            return ""
        inside = source.subtree(attribute)
        if inside[0] > last:
            return ""
        tail = source.span(inside[0], last)
    elif made.verb in _DEFINING and source.tokens[root].tag in ("VBZ", "VBP"):
        target = source.child(root, "dobj")
        if target is None or source.children(root, "aux", "neg") or not _defines(source, target):
            return ""
        tail = source.span(source.subtree(target)[0], last)
    elif made.verb == "refer" and source.tokens[root].tag in ("VBZ", "VBP"):
        to = source.child(root, "prep")
        tail = source.span(to + 1, last) if to is not None and source.tokens[to].text == "to" else ""
    else:
        return ""
    if len(tail.split()) < 4 or _NO_MEANING.search(tail) or _is_circular(made.subject, tail):
        return ""
    return tail


def _end_of_meaning(source: Analysed, root: int, last: int) -> int:
    """Before a second predicate and before what is only added: "…, and lasts …", "…, so …"."""
    for i in source.below[root]:
        added = source.tokens[i].dep in ("conj", "cc") or (
            source.tokens[i].dep in ("advcl", "ccomp", "parataxis")
            and source.child(i, "nsubj", "nsubjpass") is not None
            and source.child(i, "mark") is not None
            and source.tokens[source.below[i][0]].text
            in ("so", "because", "although", "since", "whereas", "while")
        )
        if added and i > root:
            first = source.subtree(i)[0] - 1
            while first > root and source.tokens[first].dep in ("punct", "cc"):
                first -= 1
            return min(first, last)
    return last


def _defines(source: Analysed, noun: int) -> bool:
    """ "a sequence of characters": a kind with what tells it from others, not "a good way"."""
    token = source.tokens[noun]
    if token.tag not in ("NN", "NNS") or token.lemma.casefold() in _VAGUE_CLASS:
        return False
    return bool(source.children(noun, "relcl", "prep", "acl", "appos"))


def _is_circular(term: Term, meaning: str) -> bool:
    words = set(re.findall(r"\w+", meaning.casefold()))
    own = [word for word in re.findall(r"\w+", term.text.casefold()) if len(word) > 3]
    stems = {word[:5] for word in words}
    return bool(own) and (own[-1][:5] in stems or all(word[:5] in stems for word in own))


def _naming(sentence: Sentence, source: Analysed, root: int) -> Statement | None:
    """ "The difference between … is called a round-off error.": the name, and as its meaning the subject."""
    if source.tokens[root].lemma not in _NAMING or source.tokens[root].tag != "VBN":
        return None
    subject = source.child(root, "nsubjpass")
    last = len(source.tokens) - 1
    while source.tokens[last].dep == "punct":
        last -= 1
    if subject is None or source.children(root, "neg"):
        return None
    name = source.child(root, "oprd")
    if name is None:
        near = source.children(root, "prep")
        prepositions = [*near, *(i for one in near for i in source.children(one, "prep"))]
        names = [source.child(i, "pobj") for i in prepositions if source.tokens[i].text == "as"]
        name = next((i for i in names if i is not None), None)
    if name is None or source.subtree(name)[-1] != last:
        return None
    term = term_of(source, name)
    inside = source.subtree(subject)
    meaning = source.span(inside[0], inside[-1])
    if term is None or inside[0] != 0 or len(meaning.split()) < 4 or not stands_alone(meaning):
        return None
    if _is_circular(term, meaning):
        return None
    meaning = meaning[:1].lower() + meaning[1:]
    return Statement(
        kind="definition",
        subject=term,
        predicate=f"{'are' if term.plural else 'is'} {meaning}",
        verb="be",
        sentence=sentence,
        source=source,
        meaning=meaning,
        gap=_place(source, name, term),
        root=root,
        called=True,
    )


_CONTEXTUAL = frozenset(
    "problem solution language case result same present current task figure plot experiment student tool package test last curve report simulation".split()
)
_AIMS = frozenset({"purpose", "goal", "aim", "objective", "role", "function", "job"})


def _aimed(sentence: Sentence, source: Analysed, root: int) -> Statement | None:
    """ "The purpose of a numerical method is to …": of what, and to do what."""
    subject = source.child(root, "nsubj")
    if subject is None or source.tokens[subject].lemma not in _AIMS or source.tokens[root].text != "is":
        return None
    of = source.child(subject, "prep")
    thing = source.child(of, "pobj") if of is not None and source.tokens[of].text == "of" else None
    term = (term_of(source, thing) or loose_term_of(source, thing)) if thing is not None else None
    rest = source.text[source.tokens[root].start + 2 :].strip(" .")
    if term is None or (term.article == "the" and not term.text.count(" ")) or not rest.startswith("to "):
        return None
    if not stands_alone(rest) or THE_BARE.search(rest) or source.subtree(subject)[-1] + 1 != root:
        return None
    aim = source.tokens[subject].lemma
    return Statement(
        kind="purpose",
        subject=term,
        predicate=f"is {rest}",
        verb="be",
        sentence=sentence,
        source=source,
        purpose=rest,
        question=f"What is the {aim} of {term.named}?",
        root=root,
    )
