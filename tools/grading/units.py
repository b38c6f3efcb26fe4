"""Units of measure: what a unit means in SI base units. Prefixes, products, quotients and powers. Pure.

Factors: The International System of Units (BIPM, 9th edition 2019, tables 2 to 8); inch, foot, mile, pound and ounce:
NIST SP 811 (2008), appendix B. Exact there, except of the unified atomic mass unit (CODATA 2018).
"""

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from math import pi

Dimension = frozenset[tuple[str, int]]
"""Base quantity and exponent; without the zeros."""


@dataclass(frozen=True, slots=True)
class Unit:
    """value in SI = value · factor + offset."""

    factor: float
    dimension: Dimension
    offset: float = 0.0


def _dim(**exponents: int) -> Dimension:
    return frozenset((name, n) for name, n in exponents.items() if n)


NONE = _dim()
_LENGTH, _MASS, _TIME = _dim(L=1), _dim(M=1), _dim(T=1)
_FORCE, _ENERGY, _POWER = _dim(M=1, L=1, T=-2), _dim(M=1, L=2, T=-2), _dim(M=1, L=2, T=-3)
_PRESSURE, _RATE, _HEAT = _dim(M=1, L=-1, T=-2), _dim(T=-1), _dim(K=1)
_YEAR = 365.25 * 86400
"""The Julian year."""

PREFIXES = {
    "Q": 1e30, "R": 1e27, "Y": 1e24, "Z": 1e21, "E": 1e18, "P": 1e15, "T": 1e12, "G": 1e9, "M": 1e6, "k": 1e3, "h": 1e2,
    "da": 1e1, "d": 1e-1, "c": 1e-2, "m": 1e-3, "µ": 1e-6, "u": 1e-6, "n": 1e-9, "p": 1e-12, "f": 1e-15, "a": 1e-18,
    "z": 1e-21, "y": 1e-24,
}  # fmt: skip
PREFIX_WORDS = {
    "tera": 1e12, "giga": 1e9, "mega": 1e6, "méga": 1e6, "kilo": 1e3, "hecto": 1e2, "hekto": 1e2, "deca": 1e1, "deci": 1e-1,
    "dezi": 1e-1, "déci": 1e-1, "centi": 1e-2, "zenti": 1e-2, "milli": 1e-3, "micro": 1e-6, "mikro": 1e-6, "nano": 1e-9,
    "pico": 1e-12, "piko": 1e-12, "femto": 1e-15,
}  # fmt: skip

PREFIXED: Mapping[str, Unit] = {
    "m": Unit(1, _LENGTH), "g": Unit(1e-3, _MASS), "s": Unit(1, _TIME), "A": Unit(1, _dim(I=1)), "K": Unit(1, _HEAT),
    "mol": Unit(1, _dim(N=1)), "cd": Unit(1, _dim(J=1)), "Hz": Unit(1, _RATE), "N": Unit(1, _FORCE), "Pa": Unit(1, _PRESSURE),
    "J": Unit(1, _ENERGY), "W": Unit(1, _POWER), "C": Unit(1, _dim(I=1, T=1)), "V": Unit(1, _dim(M=1, L=2, T=-3, I=-1)),
    "F": Unit(1, _dim(M=-1, L=-2, T=4, I=2)), "Ω": Unit(1, _dim(M=1, L=2, T=-3, I=-2)), "S": Unit(1, _dim(M=-1, L=-2, T=3, I=2)),
    "Wb": Unit(1, _dim(M=1, L=2, T=-2, I=-1)), "T": Unit(1, _dim(M=1, T=-2, I=-1)), "H": Unit(1, _dim(M=1, L=2, T=-2, I=-2)),
    "lm": Unit(1, _dim(J=1)), "lx": Unit(1, _dim(J=1, L=-2)), "Bq": Unit(1, _RATE), "Gy": Unit(1, _dim(L=2, T=-2)),
    "Sv": Unit(1, _dim(L=2, T=-2)), "kat": Unit(1, _dim(N=1, T=-1)), "L": Unit(1e-3, _dim(L=3)), "l": Unit(1e-3, _dim(L=3)),
    "t": Unit(1e3, _MASS), "eV": Unit(1.602176634e-19, _ENERGY), "bar": Unit(1e5, _PRESSURE), "cal": Unit(4.184, _ENERGY),
    "Wh": Unit(3600, _ENERGY), "M": Unit(1e3, _dim(N=1, L=-3)), "Da": Unit(1.66053906660e-27, _MASS), "B": Unit(8, _dim(bit=1)),
    "bit": Unit(1, _dim(bit=1)),
}  # fmt: skip
ALONE: Mapping[str, Unit] = {
    "min": Unit(60, _TIME), "h": Unit(3600, _TIME), "d": Unit(86400, _TIME), "a": Unit(_YEAR, _TIME), "yr": Unit(_YEAR, _TIME),
    "°C": Unit(1, _HEAT, 273.15), "°F": Unit(5 / 9, _HEAT, 273.15 - 32 * 5 / 9), "°": Unit(pi / 180, NONE), "rad": Unit(1, NONE),
    "%": Unit(1e-2, NONE), "‰": Unit(1e-3, NONE), "ppm": Unit(1e-6, NONE), "u": Unit(1.66053906660e-27, _MASS),
    "Å": Unit(1e-10, _LENGTH), "ha": Unit(1e4, _dim(L=2)), "atm": Unit(101325, _PRESSURE), "mmHg": Unit(133.322387415, _PRESSURE),
    "in": Unit(0.0254, _LENGTH), "ft": Unit(0.3048, _LENGTH), "mi": Unit(1609.344, _LENGTH), "lb": Unit(0.45359237, _MASS),
    "oz": Unit(0.028349523125, _MASS), "mph": Unit(0.44704, _dim(L=1, T=-1)), "kcal": Unit(4184, _ENERGY),
    "€": Unit(1, _dim(euro=1)), "$": Unit(1, _dim(dollar=1)), "£": Unit(1, _dim(pound=1)),
}  # fmt: skip
WORDS = {
    "m": "meter meters metre metres metern mètre mètres", "g": "gram grams gramm gramme grammes",
    "s": "sec second seconds sekunde sekunden seconde secondes", "A": "ampere amperes ampère ampères amp amps", "K": "kelvin kelvins",
    "mol": "mole moles", "Hz": "hertz", "N": "newton newtons", "Pa": "pascal pascals", "J": "joule joules",
    "W": "watt watts", "C": "coulomb coulombs", "V": "volt volts", "F": "farad farads", "Ω": "ohm ohms", "T": "tesla teslas",
    "H": "henry henrys", "Bq": "becquerel becquerels", "Gy": "gray grays", "Sv": "sievert sieverts",
    "L": "liter liters litre litres litern", "t": "tonne tonnes tonnen", "cal": "calorie calories kalorie kalorien",
    "B": "byte bytes octet octets", "bit": "bits", "Da": "dalton daltons",
}  # fmt: skip
WORDS_ALONE = {
    "min": "minute minutes minuten mins", "h": "hour hours stunde stunden heure heures hr hrs std", "d": "day days tag tage tagen jour jours",
    "a": "year years jahr jahre jahren an ans année années", "%": "percent prozent per-cent pour-cent", "‰": "promille",
    "°": "degree degrees grad degré degrés deg", "in": "inch inches", "ft": "foot feet", "mi": "mile miles", "lb": "lbs pound pounds",
    "oz": "ounce ounces", "€": "euro euros eur", "$": "dollar dollars usd", "ha": "hectare hectares hektar",
    "°C": "celsius ℃", "°F": "fahrenheit ℉",
}  # fmt: skip
_NAMES = {word: PREFIXED[symbol] for symbol, words in WORDS.items() for word in words.split()}
_NAMES_ALONE = {word: ALONE[symbol] for symbol, words in WORDS_ALONE.items() for word in words.split()}

_SUPERSCRIPTS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺", "0123456789-+")
_SUPERSCRIPT = re.compile(r"[⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺]+")
_FACTOR = re.compile(r"(?P<name>[^\W\d_]+|°[CF]?|%|‰|€|\$|£)(?:\^?\(?(?P<power>[+-]?\d)\)?)?")
_SPELLED = (
    (re.compile(r"\\(?:mathrm|text|rm|si|unit)\s*\{([^{}]*)\}"), r"\1"),
    (re.compile(r"\\(?:cdot|times)(?![a-zA-Z])"), "·"),
    (re.compile(r"\\mu(?![a-zA-Z])|μ"), "µ"),
    (re.compile(r"\\Omega(?![a-zA-Z])|\u2126"), "Ω"),
    (re.compile(r"\^\{?\\circ\}?\s*"), "°"),
    (re.compile(r"\\[,;%]|[{}~]"), lambda found: "%" if "%" in found.group() else " "),
    (re.compile(r"º|\bdegrees?\s+(?=[CF]\b)|\bGrad\s+(?=[CF]\b)"), "°"),
    (re.compile(r"°\s+(?=[CF]\b)|\b(?:degrees?|grad|degrés?)\s+(?=celsius|fahrenheit)", re.IGNORECASE), "°"),
    (re.compile(r"°celsius", re.IGNORECASE), "°C"),
    (re.compile(r"°fahrenheit", re.IGNORECASE), "°F"),
    (re.compile(r"\bpour\s+cent\b|\bper\s+cent\b", re.IGNORECASE), "%"),
    (re.compile(r"\b(square|cubic|quadrat|kubik)[\s-]?(?=\w)", re.IGNORECASE), r"\1 "),
    (re.compile(r"\s+(?:per|pro|par)\s+", re.IGNORECASE), "/"),
)  # fmt: skip
_POWERS = {"square": 2, "cubic": 3, "quadrat": 2, "kubik": 3}


def spelled(text: str) -> str:
    """One way to write the signs of units, TeX included."""
    for pattern, sign in _SPELLED:
        text = pattern.sub(sign, text)
    return _SUPERSCRIPT.sub(lambda found: "^" + found.group().translate(_SUPERSCRIPTS), text)


@cache
def unit_of(text: str) -> Unit | None:
    """What a unit means: "km/h", "m s^-2", "kilometres per hour", "%". None for what is no unit."""
    text = spelled(text.strip().rstrip(".,;:!?")).strip()
    if not text:
        return None
    whole, *below = re.split(r"\s*/\s*", text)
    top = _product(whole) if whole not in ("", "1") else Unit(1.0, NONE)
    under = [_product(part.strip("() ")) for part in below]
    if top is None or None in under:
        return None
    for part in under:
        if part is None or part.offset:
            return None
        top = _times(top, part, -1)
    return top


def _product(text: str) -> Unit | None:
    """ "kg·m" or "square metres"."""
    parts = [part for part in re.split(r"[\s·*⋅.]+", text.strip("() ")) if part]
    found: Unit | None = None
    raised = 1
    for part in parts:
        if part.lower() in _POWERS:
            raised = _POWERS[part.lower()]
            continue
        shape = _FACTOR.fullmatch(part)
        one = _simple(shape["name"]) if shape else None
        if shape is None or one is None:
            return None
        power = int(shape["power"] or 1) * raised
        raised = 1
        if found is None and power == 1 and len(parts) == 1:
            return one
        found = _times(found or Unit(1.0, NONE), one, power)
    return found


def _times(a: Unit, b: Unit, power: int) -> Unit:
    exponents = Counter(dict(a.dimension))
    for name, n in b.dimension:
        exponents[name] += n * power
    return Unit(a.factor * b.factor**power, _dim(**exponents))


def _simple(name: str) -> Unit | None:
    if name in ALONE or name in PREFIXED:
        return ALONE.get(name) or PREFIXED[name]
    for prefix, factor in PREFIXES.items():
        rest = name.removeprefix(prefix)
        if rest != name and rest in PREFIXED:
            return _scaled(PREFIXED[rest], factor)
    word = name.casefold()
    if word in _NAMES or word in _NAMES_ALONE:
        return _NAMES.get(word) or _NAMES_ALONE[word]
    for prefix, factor in PREFIX_WORDS.items():
        if word.startswith(prefix) and word[len(prefix) :] in _NAMES:
            return _scaled(_NAMES[word[len(prefix) :]], factor)
    return None


def _scaled(unit: Unit, factor: float) -> Unit:
    return Unit(unit.factor * factor, unit.dimension)


def convert(value: float, given: Unit, wanted: Unit) -> float | None:
    """The value in the wanted unit; None when the two measure different things."""
    if given.dimension != wanted.dimension:
        return None
    return (value * given.factor + given.offset - wanted.offset) / wanted.factor
