"""Numbers as students write them, with their units: "1 234,5", "1.234", "3/4", "1e3", "2·10^-3 m", "50 %", "½". Pure."""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

from tools.grading.units import NONE, Unit, convert, spelled, unit_of
from tools.study.keys import Number

ROUNDING = 1e-12
"""Relative slack for what binary fractions cannot say."""
LONGEST_UNIT = 4
"""Words of "square metres per second"."""

_SPACE = "[ \u00a0\u2009\u202f'’]"
_NUMBER = re.compile(
    rf"""(?<![\w.,^])(?P<sign>[+-]\s*)?
    (?P<digits>\d{{1,3}}(?:{_SPACE}\d{{3}})+(?:[.,]\d+)?(?!\d)|\d+(?:[.,]\d+)*|[.,]\d+)
    (?:\s*(?P<slash>/)\s*(?P<below>\d+(?:[.,]\d+)?)(?![\w/]))?
    (?:[eE](?P<e>[+-]?\d+)(?!\w)|\s*(?:[x×·*⋅]|\\times|\\cdot)\s*10\s*(?:\^|\*\*)\s*[{{(]?\s*(?P<ten>[+-]?\d+)\s*[)}}]?)?""",
    re.VERBOSE,
)
_POWER_OF_TEN = re.compile(r"(?<![\w.,])([+-]\s*)?10\s*(?:\^|\*\*)\s*[{(]?\s*([+-]?\d+)\s*[)}]?")
_MIXED = re.compile(r"(?<![\w.,/])(\d+)\s+(\d+)\s*/\s*(\d+)(?![\w/])")
_FRACTION_TEX = re.compile(r"\\[dt]?frac\s*\{\s*([^{}]+?)\s*\}\s*\{\s*([^{}]+?)\s*\}")
_MINUS = re.compile(r"[−–‒]|\\text(?:minus)")
_TEX = re.compile(r"\$|\\[,;!]|\\left|\\right|\\approx|[≈~]|\\,")
_WORD_NUMBERS = {
    word: value
    for value, words in enumerate(
        """zero null zéro|one eins ein eine|two zwei deux|three drei trois|four vier quatre|five fünf cinq|six sechs|seven sieben sept
        |eight acht huit|nine neun neuf|ten zehn dix|eleven elf onze|twelve zwölf douze|thirteen dreizehn treize
        |fourteen vierzehn quatorze|fifteen fünfzehn quinze|sixteen sechzehn seize|seventeen siebzehn dix-sept
        |eighteen achtzehn dix-huit|nineteen neunzehn dix-neuf|twenty zwanzig vingt""".split("|")
    )
    for word in words.split()
} | {"thirty": 30, "dreissig": 30, "dreißig": 30, "trente": 30, "forty": 40, "vierzig": 40, "fifty": 50, "hundred": 100, "hundert": 100, "cent": 100, "thousand": 1000, "tausend": 1000, "mille": 1000}  # fmt: skip
_SCALES = {
    "thousand": 1e3, "tausend": 1e3, "tsd": 1e3, "mille": 1e3, "million": 1e6, "millions": 1e6, "millionen": 1e6, "mio": 1e6,
    "billion": 1e9, "billions": 1e9, "milliarde": 1e9, "milliarden": 1e9, "mrd": 1e9, "milliard": 1e9, "milliards": 1e9,
    "trillion": 1e12, "trillions": 1e12, "hundred": 1e2, "hundert": 1e2, "dozen": 12.0, "dutzend": 12.0, "douzaine": 12.0,
}  # fmt: skip
_SCALE = re.compile(r"\s*([^\W\d_]+)\b\.?")


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number with all values that its separators allow: "1.234" is 1.234 in English and 1234 in German."""

    values: tuple[float, ...]
    unit: Unit | None
    written: str


def readings(digits: str) -> tuple[float, ...]:
    """Values of digits with separators, the likelier first; none when the separators make no number.

    One sign of either kind with three digits behind it is a decimal sign or separates thousands.
    """
    plain = re.sub(_SPACE, "", digits)
    signs = [c for c in plain if c in ".,"]
    if not signs:
        return (float(plain),)
    if len(signs) == 1:
        whole, _, rest = plain.partition(signs[0])
        values = [float(f"{whole or '0'}.{rest}")]
        if len(rest) == 3 and 1 <= len(whole) <= 3 and not whole.startswith("0") and plain == digits:
            values.append(float(whole + rest))
        return tuple(values)
    last = signs[-1]
    groups = plain.split(last) if len(set(signs)) == 1 else plain.rpartition(last)[0].split(signs[0])
    if (
        len(set(signs[:-1])) != 1
        or any(len(group) != 3 for group in groups[1:])
        or not 1 <= len(groups[0]) <= 3
    ):
        return ()
    if last == signs[0]:
        return (float(plain.replace(last, "")),)
    return (float("".join(groups) + "." + plain.rpartition(last)[2]),)


def quantities(text: str) -> list[Quantity]:
    """The numbers of a text with the units behind them, in order."""
    return list(_found(_plain(text)))


def _plain(text: str) -> str:
    text = spelled(_FRACTION_TEX.sub(r"\1/\2", _MINUS.sub("-", text)))
    text = "".join(_vulgar(char) for char in text)
    text = _TEX.sub(" ", text)
    return _MIXED.sub(lambda m: repr(int(m[1]) + int(m[2]) / int(m[3])) if int(m[3]) else m.group(), text)


def _vulgar(char: str) -> str:
    """½ as 1/2, with a space before so that 1½ is a mixed number."""
    if unicodedata.decomposition(char).startswith("<fraction>"):
        return " " + unicodedata.normalize("NFKD", char).replace("\u2044", "/")
    return char


def _found(text: str) -> Iterator[Quantity]:
    at = 0
    while at < len(text):
        power, number = _POWER_OF_TEN.search(text, at), _NUMBER.search(text, at)
        if power is not None and (number is None or power.start() <= number.start()):
            sign = -1.0 if (power[1] or "").strip() == "-" else 1.0
            values: tuple[float, ...] = (sign * _ten(int(power[2])),)
            start, end = power.span()
        elif number is not None:
            values = _values(number)
            start, end = number.span()
        else:
            return
        scale, end = _scaled(text, end)
        unit, end = _unit_behind(text, end)
        at = max(end, start + 1)
        if values:
            yield Quantity(tuple(value * scale for value in values), unit, text[start:end].strip())


def _values(found: re.Match[str]) -> tuple[float, ...]:
    values = readings(found["digits"])
    if found["slash"]:
        below = readings(found["below"])
        values = tuple(a / b for a in values[:1] for b in below[:1] if b)
    sign = -1.0 if (found["sign"] or "").strip() == "-" else 1.0
    return tuple(sign * value * _ten(int(found["e"] or found["ten"] or 0)) for value in values)


def _ten(power: int) -> float:
    return float(f"1e{power}") if abs(power) <= 300 else 0.0


def _scaled(text: str, at: int) -> tuple[float, int]:
    found = _SCALE.match(text, at)
    factor = _SCALES.get(found[1].casefold()) if found else None
    return (factor, found.end()) if found and factor else (1.0, at)


def _unit_behind(text: str, at: int) -> tuple[Unit | None, int]:
    """The longest unit that begins here."""
    rest = text[at : at + 60]
    words = list(re.finditer(r"\S+", rest))[:LONGEST_UNIT]
    for last in reversed(words):
        unit = unit_of(rest[: last.end()])
        if unit is not None:
            return unit, at + last.end()
    return None, at


def number_word(text: str) -> float | None:
    """The value of "three" or "drei"."""
    return _WORD_NUMBERS.get(text.strip().casefold())


@dataclass(frozen=True, slots=True)
class Compared:
    right: bool
    why: str


def same_number(expected: Number, given: str) -> Compared:
    """Whether what was written is the number, within its tolerance, in its unit or another one of the same kind.

    A missing unit is no fault. Two numbers that are not both right are wrong: nobody may hedge.
    """
    said = re.split(r"=|≈|\\approx", given)[-1] or given
    found = quantities(said)
    if not found:
        word = number_word(said)
        if word is None:
            return Compared(False, "There is no number in it.")
        found = [Quantity((word,), None, said.strip())]
    wanted = unit_of(expected.unit) if expected.unit else None
    checks = [_is(expected, wanted, one) for one in found]
    failed = [check for check in checks if not check.right]
    return failed[0] if failed else checks[0]


def _is(expected: Number, wanted: Unit | None, given: Quantity) -> Compared:
    scale = max(abs(expected.value), wanted.offset if wanted else 0.0)
    slack = expected.tolerance + ROUNDING * scale
    within = f" (± {expected.tolerance:g})" if expected.tolerance else ""
    shown = f"{expected.value:g}{f' {expected.unit}' if expected.unit else ''}{within}"
    kinds = False
    for value in given.values:
        for one in _in_unit(value, given.unit, wanted):
            kinds = True
            if abs(one - expected.value) <= slack:
                return Compared(True, f"{given.written} is {shown}.")
    if not kinds:
        return Compared(False, f"{given.written} measures something else than {shown}.")
    return Compared(False, f"{given.written} is not {shown}.")


def _in_unit(value: float, given: Unit | None, wanted: Unit | None) -> list[float]:
    """What the value may be in the wanted unit; none when it measures something else."""
    if given is None:
        # 0.5 for 50 %, beside the missing unit.
        ratio = wanted is not None and wanted.dimension == NONE and wanted.factor == 0.01
        return [value, value * 100] if ratio else [value]
    if wanted is None:
        # "46 m" where no unit is wanted counts as 46; 50 % is also 0.5.
        return [value * given.factor, value] if given.dimension == NONE else [value]
    converted = convert(value, given, wanted)
    return [] if converted is None else [converted]
