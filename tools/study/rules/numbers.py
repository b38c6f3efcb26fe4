"""Numbers with their units and dates in a sentence, and abbreviations with what they stand for. Pure."""

import re
from dataclasses import dataclass

from tools.notes.reading import Sentence
from tools.study.keys import Expected, Number
from tools.study.rules.facts import Statement
from tools.study.rules.standing import stands_alone
from tools.study.rules.wording import capital, inverted, spoken_of

_WORDS = {
    word: n
    for n, word in enumerate("zero one two three four five six seven eight nine ten eleven twelve".split())
}
_PLAIN = re.compile(r"\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?")
_UNIT = re.compile(
    r"\s?(?P<unit>%|percent|°C|°F|[kcmMnµ]?(?:m|g|s|W|J|Pa|Hz|V|A|N|L|l|B)(?:/s|/h|/m)?|GHz|MHz|GB|MB|KB|meters?|metres?|kilometers?|grams?|kilograms?|seconds?|minutes?|hours?|days?|weeks?|months?|years?|degrees?|characters?|bits?|bytes?|chapters?)\b"
)
_NAMED = re.compile(
    r"\b(?:version|chapter|section|figure|PEP|Python|type|phase|step|day|page|part|no\.|number|rule|HTTP|ISO|layer|level)\s*$",
    re.IGNORECASE,
)
_ABBREVIATION = re.compile(r"\((?P<short>[A-Z][A-Za-z]{0,2}[A-Z]{1,4}s?)\)")
_STANDS_FOR = re.compile(
    r"\b(?P<short>[A-Z]{2,6}) (?:stands for|is short for|is an abbreviation (?:of|for)|is an acronym for) (?P<long>(?:[\w-]+ ?){2,7})"
)


@dataclass(frozen=True, slots=True)
class NumberFact:
    """A number that a sentence gives, which may be left out of it or asked for."""

    sentence: Sentence
    text: str
    start: int
    end: int
    expected: Expected
    question: str | None = None
    statement: Statement | None = None

    @property
    def is_given_away(self) -> bool:
        """The things that are counted are named behind it: "two formats, integer and floating-point"."""
        return bool(re.search(r"[:,] [\w-]+(?:, [\w-]+)* and ", self.text[self.end :]))

    def gapped(self, mark: str) -> str:
        return self.text[: self.start] + mark + self.text[self.end :]


@dataclass(frozen=True, slots=True)
class Abbreviation:
    short: str
    long: str
    sentence: Sentence


def number_of(statement: Statement) -> NumberFact | None:
    """The only number of a statement; none where there are several, or where it only names something ("PEP 8")."""
    source = statement.source
    numbers = [
        i
        for i, token in enumerate(source.tokens)
        if token.tag == "CD" and token.dep in ("nummod", "attr", "pobj", "dobj", "npadvmod", "appos")
    ]
    if len(numbers) != 1 or len(re.findall(r"\d+(?:[.,]\d+)*", source.text)) > 1:
        return None
    token = source.tokens[numbers[0]]
    value = _value(token.text)
    if (
        value is None
        or token.text.casefold() in ("one", "1", "zero")
        or _NAMED.search(source.text[: token.start])
    ):
        return None
    end = token.start + len(token.text)
    rest = source.text[end:]
    if re.match(
        r"(?:-\w|[.,]\d|\s+(?:solutions?|numbers?|parts?|things?|ways?|steps?|letters|lines|times|other|examples?|sections?|chapters?|command|more|different)\b|\s+(?:or|to|and)\s+(?:\d|one|two|three|four|five|more|less)|\s+of\b|[^\w\s.,;:)%°-])",
        rest,
    ) or re.search(
        r"(?:one or|or|between|to|and|the|these|those|other|of|by|[-+*/(])\s*$", source.text[: token.start]
    ):
        return None
    unit = _UNIT.match(rest)
    expected = Expected(
        text=token.text,
        accepted=_wordings(token.text, value, unit["unit"] if unit else None),
        number=Number(value=value, unit=unit["unit"] if unit else None),
    )
    return NumberFact(
        statement.sentence,
        source.text,
        token.start,
        end,
        expected,
        _how_many(statement, numbers[0]),
        statement,
    )


def _value(text: str) -> float | None:
    if text.casefold() in _WORDS:
        return float(_WORDS[text.casefold()])
    return float(text.replace(",", "")) if _PLAIN.fullmatch(text) else None


def _wordings(text: str, value: float, unit: str | None) -> list[str]:
    plain = str(int(value)) if value == int(value) else str(value)
    words = next((word for word, n in _WORDS.items() if n == value), None)
    found = [one for one in (plain, words, f"{text} {unit}" if unit else None) if one and one != text]
    return list(dict.fromkeys(found))


def _how_many(statement: Statement, number: int) -> str | None:
    """ "Python supports two basic number formats" → "How many basic number formats does Python support?"."""
    source, root = statement.source, statement.root
    counted = source.tokens[number].head
    if (
        statement.called
        or statement.context
        or source.tokens[number].dep != "nummod"
        or source.tokens[counted].tag != "NNS"
        or source.tokens[counted].dep != "dobj"
        or source.tokens[counted].head != root
    ):
        return None
    inside = source.subtree(
        counted, without=lambda i: source.tokens[i].dep in ("appos", "punct", "relcl", "acl")
    )
    if inside[0] != number:
        return None
    if len(inside) < 2:
        return None
    things = re.split(r"[,(:]", source.span(inside[1], inside[-1]))[0].strip()
    behind = source.text[source.extent(inside[0], inside[-1])[1] :]
    verb = inverted(
        source,
        root,
        spoken_of(statement.subject),
        statement.predicate.partition(source.tokens[number].text)[0].strip(),
    )
    if verb is None or not stands_alone(things) or not re.match(r"\s*[.,:(]", behind):
        return None
    return capital(f"how many {things} {verb.strip()}?")


def abbreviations_of(sentence: Sentence) -> list[Abbreviation]:
    """ "partial differential equations (PDEs)", "PEP stands for Python Enhancement Proposal"."""
    found = [
        Abbreviation(m["short"], m["long"].strip(), sentence) for m in _STANDS_FOR.finditer(sentence.text)
    ]
    for match in _ABBREVIATION.finditer(sentence.text):
        short = match["short"].removesuffix("s")
        words = re.findall(r"[\w-]+", sentence.text[: match.start()])
        long = _spelled_out(short, words)
        if long:
            found.append(Abbreviation(short, long, sentence))
    return [one for one in found if _initials(one.long) >= set(one.short.casefold())]


def _initials(text: str) -> set[str]:
    return {part[0].casefold() for part in re.split(r"[\s-]+", text) if part}


def _spelled_out(short: str, words: list[str]) -> str:
    """The words right before whose first letters are the abbreviation's (Schwartz and Hearst 2003, in short)."""
    letters = [c.casefold() for c in short if c.isupper()]
    for size in (len(letters), len(letters) - 1):
        tail = words[-size:] if size > 0 else []
        first = [part[0].casefold() for word in tail for part in word.split("-") if part]
        if first == letters:
            return _singular(" ".join(tail))
    return ""


def _singular(text: str) -> str:
    return text[:-1] if text.endswith("s") and not text.endswith("ss") and not text.endswith("is") else text


def abbreviation_is_asked(one: Abbreviation) -> bool:
    return 2 <= len(one.long.split()) <= 7 and len(one.short) <= 6
