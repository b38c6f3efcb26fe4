"""Statements made false, each so that it cannot be right after all: opposites, what is denied, numbers, what belongs to another. Pure."""

import re
from collections.abc import Iterator

from tools.study.rules.facts import Statement
from tools.study.rules.wording import sentence, spoken_of, third_person

_PAIRS = (
    "increase/decrease",
    "increases/decreases",
    "increasing/decreasing",
    "increased/decreased",
    "larger/smaller",
    "largest/smallest",
    "higher/lower",
    "highest/lowest",
    "maximum/minimum",
    "before/after",
    "always/never",
    "explicit/implicit",
    "explicitly/implicitly",
    "stable/unstable",
    "forward/backward",
    "mutable/immutable",
    "global/local",
    "positive/negative",
    "internal/external",
    "faster/slower",
    "outside/inside",
    "lowercase/uppercase",
    "stronger/weaker",
    "strengthens/weakens",
    "longer/shorter",
    "input/output",
    "absorbs/releases",
    "numerator/denominator",
    "linear/nonlinear",
    "horizontal/vertical",
    "multiplication/division",
    "addition/subtraction",
    "finite/infinite",
    "continuous/discrete",
    "convergence/divergence",
    "converges/diverges",
    "accurate/inaccurate",
    "integer/floating-point",
    "static/dynamic",
    "oldest/newest",
    "public/private",
    "supply/demand",
    "inhibits/activates",
    "conditionally/unconditionally",
    "more accurate/less accurate",
    "more accurately/less accurately",
    "more efficiently/less efficiently",
    "less than/more than",
    "larger than/smaller than",
    "finer/coarser",
    "grows/decays",
    "growing/decaying",
    "growth/decay",
    "drops/rises",
    "upward/downward",
    "upwards/downwards",
    "gain/loss",
    "deterministic/stochastic",
    "rapidly/slowly",
    "sensitive/insensitive",
    "dependent/independent",
    "necessary/unnecessary",
    "shrink/expand",
    "reduces/increases",
    "reduce/increase",
    "reduced/increased",
    "stretching/compressing",
    "odd/even",
    "automatically/manually",
    "preserves/destroys",
    "easier/harder",
    "sooner/later",
    "allowed/forbidden",
    "succeeds/fails",
    "passes/fails",
    "regular/irregular",
    "uniform/non-uniform",
    "proportional/inversely proportional",
    "homogeneous/heterogeneous",
    "exact/approximate",
    "true/false",
    "left/right",
    "minimizes/maximizes",
    "strong/weak",
    "reversible/irreversible",
)
_OPPOSITES: dict[str, str] = {}
for _pair in _PAIRS:
    _one, _other = _pair.split("/")
    _OPPOSITES.setdefault(_one, _other)
    _OPPOSITES.setdefault(_other, _one)
_OPPOSITE = re.compile(rf"(?<![\w-])(?:{'|'.join(map(re.escape, _OPPOSITES))})(?![\w-])")
_DENIAL = re.compile(r"\b(?:cannot|can not|must not|(?:is|are|has|does|do|will|can|may) not)\b")
_DO_NOT = re.compile(r"\b(?P<do>do|does) not (?P<verb>\w+)")
_NUMBERS = {
    "two": "three",
    "three": "four",
    "four": "five",
    "five": "six",
    "six": "eight",
    "seven": "five",
    "eight": "six",
    "ten": "twelve",
    "one": "two",
}
_NUMBER = re.compile(
    r"(?<![\w.,-])(?:\d+(?:[.,]\d+)?(?![\w-])|(?:two|three|four|five|six|seven|eight|ten)\b(?! or\b))(?!\s*(?:or|to) )"
)
_SURE = re.compile(
    r"\b(?:or|and/or|either|usually|often|typically|sometimes|generally|mostly|may|might|almost|nearly|about|roughly)\b"
)


def falsified(statement: Statement) -> Iterator[tuple[str, str]]:
    """False sentences with the rule that made them, the surest first. Nothing of a sentence that hedges."""
    predicate = statement.predicate
    if statement.question:
        return
    if _SURE.search(predicate):
        return
    denials = _DENIAL.findall(predicate)
    if len(denials) == 1:
        affirmed = _DO_NOT.sub(
            lambda found: third_person(found["verb"]) if found["do"] == "does" else found["verb"], predicate
        )
        yield _with(statement, _DENIAL.sub(_affirmed, affirmed)), "swap"
        return
    opposites = [
        match for match in _OPPOSITE.finditer(predicate) if predicate[match.end() : match.end() + 1] != "("
    ]
    words = [match.group() for match in opposites]
    if len(words) == 1 and not denials and _OPPOSITES[words[0]] not in statement.source.text.casefold():
        yield _with(statement, _OPPOSITE.sub(lambda found: _OPPOSITES[found.group()], predicate)), "swap"
    exchanged = _exchanged(statement)
    if exchanged:
        yield _with(statement, exchanged), "swap"
    numbers = _NUMBER.findall(predicate)
    if len(numbers) == 1 and not denials and not re.search(r"[,:(]| or | and ", predicate):
        changed = _changed(numbers[0])
        if changed:
            yield _with(statement, _NUMBER.sub(changed, predicate)), "number"


_EXCHANGED = frozenset({"into", "before", "after"})


def _exchanged(statement: Statement) -> str:
    """ "translates source code into machine code" the other way round: the object and what follows "into"."""
    source, root = statement.source, statement.root
    target = source.child(root, "dobj")
    if target is None or len(source.children(root, "conj")) or statement.negated:
        return ""
    for preposition in [*source.children(root, "prep"), *source.children(target, "prep")]:
        other = source.child(preposition, "pobj")
        if (
            source.tokens[preposition].text not in _EXCHANGED
            or other is None
            or (source.below[other] and source.children(other, "prep", "relcl", "acl", "conj"))
        ):
            continue
        first = [i for i in source.subtree(target) if i < preposition]
        last = source.subtree(other)
        one, two = source.span(first[0], first[-1]), source.span(last[0], last[-1])
        if (
            first[-1] < last[0]
            and f"{one} " in statement.predicate
            and statement.predicate.count(two) == 1
            and statement.predicate.count(one) == 1
        ):
            return statement.predicate.replace(one, "\0").replace(two, one).replace("\0", two)
    return ""


def with_opposite(text: str) -> str:
    """The sentence with its only word that has an opposite turned into it; empty where it has none, or several."""
    found = [match for match in _OPPOSITE.finditer(text) if text[match.end() : match.end() + 1] != "("]
    if (
        len(found) != 1
        or _SURE.search(text)
        or _DENIAL.search(text)
        or re.search(r"\b(?:[Nn]o|never|not|nor)\b", text)
    ):
        return ""
    other = _OPPOSITES[found[0].group()]
    return "" if other in text.casefold() else text[: found[0].start()] + other + text[found[0].end() :]


def with_other_number(text: str) -> str:
    """The sentence with its only number changed; empty where it has none, or several, or only hints at it."""
    found = list(_NUMBER.finditer(text))
    if (
        len(found) != 1
        or _SURE.search(text)
        or re.search(r"[=^_<>≤≥]|\b(?:Figure|Section|version|step) \d", text)
    ):
        return ""
    changed = _changed(found[0].group())
    return text[: found[0].start()] + changed + text[found[0].end() :] if changed else ""


def without_denial(text: str) -> str:
    """The sentence without its only "not"."""
    if (
        len(_DENIAL.findall(text)) != 1
        or _SURE.search(text)
        or re.search(r"\b(?:because|since|if|but)\b", text)
    ):
        return ""
    affirmed = _DO_NOT.sub(
        lambda found: third_person(found["verb"]) if found["do"] == "does" else found["verb"], text
    )
    return _DENIAL.sub(_affirmed, affirmed)


def of_another(statement: Statement, other: Statement) -> str:
    """What is said of the one, said of the other."""
    words = other.predicate
    first = words.split(" ")[0]
    if statement.subject.plural != other.subject.plural:
        return ""
    body = f"{spoken_of(statement.subject)} {words}"
    if (first in ("is", "has", "does")) == statement.subject.plural and first in (
        "is",
        "are",
        "has",
        "have",
        "does",
        "do",
    ):
        return ""
    context = other.context or statement.context
    return sentence(f"{context}, {body}" if context else body) if first else ""


def _with(statement: Statement, predicate: str) -> str:
    body = f"{spoken_of(statement.subject)} {predicate}"
    return sentence(f"{statement.context}, {body}" if statement.context else body)


def _affirmed(found: re.Match[str]) -> str:
    denial = found.group()
    return "can" if denial.startswith("can") else denial.removesuffix(" not")


def _changed(number: str) -> str:
    if number in _NUMBERS:
        return _NUMBERS[number]
    if re.fullmatch(r"(?:1[5-9]|20)\d\d", number):
        return str(int(number) - 11)
    value = float(number.replace(",", "."))
    return str(int(value * 2)) if value == int(value) and value else ""
