"""Why something holds, and when: clauses joined by "because", "since", "so that", "if" and "when". Pure."""

import re

from tools.notes.reading import Sentence
from tools.study.rules.analysed import Analysed
from tools.study.rules.facts import Condition, Reason, Term
from tools.study.rules.noun_phrases import term_of
from tools.study.rules.standing import THE_BARE, is_opinion, stands_alone
from tools.study.rules.wording import inverted, sentence, spoken_of

_WHY = frozenset({"because", "since", "as"})
_WHEN = frozenset({"when", "if", "whenever"})
_ARISING = frozenset(
    {
        "occur",
        "happen",
        "arise",
        "appear",
        "terminate",
        "end",
        "stop",
        "fail",
        "return",
        "run",
        "break",
        "vanish",
        "execute",
    }
)


def reasons_of(sentence_: Sentence, source: Analysed) -> list[Reason]:
    """ "X is … because …", with a subject that is named and a reason that stands alone."""
    root = source.roots[0]
    clause = next(
        (i for i in source.children(root, "advcl") if i > root and _marked(source, i) in _WHY), None
    )
    if clause is None or not _is_causal(source, clause):
        return []
    subject, predicate = _main(source, root, clause)
    if subject is None or not predicate:
        return []
    inside = source.subtree(clause)
    reason = source.span(inside[1], inside[-1]).rstrip(" .,")
    question = inverted(source, root, spoken_of(subject), predicate)
    if (
        question is None
        or len(reason.split()) < 4
        or not _stands(reason, subject)
        or not _stands(predicate, subject)
    ):
        return []
    return [Reason(f"Why {question}?", reason, subject, sentence_, source)]


def _is_causal(source: Analysed, clause: int) -> bool:
    """ "Because", a comma, or "since" with a verb in the present."""
    mark = _marked(source, clause)
    present = any(source.tokens[i].tag in ("VBZ", "VBP", "MD") for i in [clause, *source.below[clause]])
    return mark == "because" or _has_comma_before(source, clause) or (mark == "since" and present)


def conditions_of(sentence_: Sentence, source: Analysed) -> list[Condition]:
    """ "When X, Y happens" and "X occurs when Y"."""
    if len(source.roots) != 1:
        return []
    root = source.roots[0]
    clause = next((i for i in source.children(root, "advcl") if _marked(source, i) in _WHEN), None)
    if clause is None:
        return []
    made = (
        _leading(sentence_, source, root, clause)
        if clause < root
        else _trailing(sentence_, source, root, clause)
    )
    return [made] if made is not None else []


def _leading(sentence_: Sentence, source: Analysed, root: int, clause: int) -> Condition | None:
    """ "When execution reaches a function call, control flow moves …": what happens then?"""
    inside = source.subtree(clause)
    if inside[0] != 0 or source.child(clause, "nsubj", "nsubjpass") is None:
        return None
    subject = source.child(root, "nsubj", "nsubjpass")
    if subject is None or source.tokens[root].tag not in ("VBZ", "VBP", "VBN", "VB"):
        return None
    when = source.span(inside[0], inside[-1]).rstrip(" ,")
    start = source.subtree(subject)[0]
    consequence = source.text[source.tokens[start].start :].rstrip(" .")
    before = source.tokens[source.subtree(subject)[0] - 1]
    if (
        start <= inside[-1]
        or before.text != ","
        or not _is_clear(when)
        or not _is_clear(consequence, allowed=when)
    ):
        return None
    return Condition(f"What happens {when[:1].lower()}{when[1:]}?", sentence(consequence), sentence_, source)


def _trailing(sentence_: Sentence, source: Analysed, root: int, clause: int) -> Condition | None:
    """ "A round-off error occurs when …": when does it occur?"""
    if source.tokens[root].lemma not in _ARISING:
        return None
    subject, predicate = _main(source, root, clause)
    inside = source.subtree(clause)
    if subject is None or not predicate or len(predicate.split()) > 3:
        return None
    question = inverted(source, root, spoken_of(subject), predicate)
    when = source.span(inside[0], inside[-1]).rstrip(" .")
    if question is None or len(when.split()) < 5 or not _stands(when, subject):
        return None
    return Condition(f"When {question}?", sentence(when), sentence_, source)


def _main(source: Analysed, root: int, clause: int) -> tuple[Term | None, str]:
    """Subject and predicate of the main clause without the other one."""
    subject = source.child(root, "nsubj", "nsubjpass")
    if subject is None or source.child(root, "expl") is not None:
        return None, ""
    after = source.subtree(subject)[-1] + 1
    end = source.subtree(clause)[0] - 1
    while (
        end > after
        and source.tokens[end].dep in ("punct", "cc", "advmod")
        and source.tokens[end].head != end - 1
        and source.tokens[end].text in (",", "simply", "mainly", "partly", "-", "precisely")
    ):
        end -= 1
    if source.subtree(subject)[0] != 0 or after > end or after > root:
        return None, ""
    return term_of(source, subject), source.span(after, end).rstrip(" ,")


def _marked(source: Analysed, clause: int) -> str:
    """The word that opens a clause."""
    first = source.subtree(clause)[0]
    token = source.tokens[first]
    return token.text.casefold() if token.dep in ("mark", "advmod") else ""


def _has_comma_before(source: Analysed, clause: int) -> bool:
    first = source.subtree(clause)[0]
    return first > 0 and source.tokens[first - 1].text == ","


def _stands(text: str, subject: Term) -> bool:
    bare = re.sub(r"^(?:it|they)\b", "", text)
    return stands_alone(bare) and not is_opinion(text) and not THE_BARE.search(text) and subject.text != ""


def _is_clear(text: str, allowed: str = "") -> bool:
    """No pointing words, and no definite thing that was not named before."""
    if not stands_alone(text) or is_opinion(text):
        return False
    loose = [found.group().casefold() for found in THE_BARE.finditer(text)]
    return all(one.removeprefix("the ") in allowed.casefold() for one in loose)
