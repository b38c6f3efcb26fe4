"""Whether two wordings say the same, by their letters: case, accents, punctuation, articles, plurals, hyphens and slips of the
pen make no difference; numbers, negations and terms that are merely spelled alike do. Pure."""

import re
import unicodedata
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from functools import cache

from rapidfuzz.distance import OSA

from tools.grading.numbers import quantities
from tools.grading.opposites import HEDGES, apart, negated
from tools.study.keys import Expected

ARTICLES = frozenset(
    "the a an der die das den dem des ein eine einen einem einer eines le la les l un une des du".split()
)
_JOINED = re.compile(r"\s*(?:[,;&]|\band\b|\bund\b|\bet\b|\bplus\b)\s*")
_LEAD_IN = re.compile(
    r"^(?:(?!\b(?:not|nicht|pas|no|kein\w*)\b)[^.,;!?]){0,60}?\b(?:is|are|was|were|be|called|means|ist|sind|war|waren|heißt|heisst"
    r"|nennt man|est|sont|était|s'appelle)\s+(?:called\s+|an?\s+|the\s+)?(?P<rest>[^.;!?]+)[.!?]*$",
    re.IGNORECASE,
)
_ANSWER_IS = re.compile(r"^\s*(?:answer|antwort|réponse|solution|lösung)\s*[:=]\s*", re.IGNORECASE)
_BRACKETS = re.compile(r"\s*[(\[]([^()\[\]]{1,80})[)\]]")
_TEX = re.compile(r"\\(?:text|mathrm|mathbf|mathit|rm)\s*\{([^{}]*)\}|\$")
_WORD = re.compile(r"\w+(?:'t\b)?|[%°€$£‰]")
_FORMULA = re.compile(r"[=<>+*^√≤≥\\]")
_NOT_FORMULA = re.compile(r"[\s${}]|\\[,;!]|\\left|\\right")
_DIGRAPHS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "œ": "oe", "æ": "ae", "ø": "oe", "å": "aa"})
_LETTERS = str.maketrans({"œ": "o", "æ": "a", "ø": "o", "ł": "l", "đ": "d", "ı": "i"})
_GREEK = {
    "alpha": "α", "beta": "β", "gamma": "γ", "delta": "δ", "lambda": "λ", "mu": "μ", "pi": "π", "sigma": "σ", "omega": "ω",
}  # fmt: skip
_GREEK_WORDS = re.compile(r"\\(" + "|".join(_GREEK) + r")(?![a-z])")
_PLURALS = (
    ("ies", "y"), ("sses", "ss"), ("ches", "ch"), ("shes", "sh"), ("xes", "x"), ("ices", "ex"), ("ae", "a"), ("s", ""),
)  # fmt: skip
_LATIN = ("ium", "ion", "ia", "us", "um", "on", "i", "a")
_LATIN_ROOT = 5
_NOT_PLURAL = ("ss", "us", "is", "as", "os")
SLIPS = ((4, 0), (8, 1), (13, 2))
"""A word shorter than this may be off by so many letters; a longer one by 3. Counted as optimal string alignment, so that two
letters in the wrong order are one slip."""
MOST_SLIPS = 3


@dataclass(frozen=True, slots=True)
class Matched:
    variant: str
    """The wording of the key that it is the same as."""
    slips: int
    """Letters that are off."""


def matched(expected: Expected, given: str, others: Collection[str] = ()) -> Matched | None:
    """The wording of the key that the answer is, the closest one first.

    `others` are words that stand in the source or in other answers: one of them is no slip for the key.
    """
    wordings = variants(expected)
    said = _said(given)
    foreign = frozenset(form for word in others for form in forms(word)) - {
        word for text in wordings for form in forms(text) for word in form.split()
    }
    found: list[Matched] = []
    for text in wordings:
        slips = [off for one in said for off in [difference(text, one, foreign)] if off is not None]
        if slips:
            found.append(Matched(text, min(slips)))
    return min(found, key=lambda one: one.slips, default=None)


def variants(expected: Expected) -> list[str]:
    """All wordings that are right: as shown, accepted ones, and of "carbon dioxide (CO2)" either half."""
    texts = [expected.text, *expected.accepted]
    for text in tuple(texts):
        inner = _BRACKETS.search(text)
        if inner:
            texts += [_BRACKETS.sub("", text).strip(), inner[1]]
    return [text for text in dict.fromkeys(texts) if text.strip()]


def _said(given: str) -> list[str]:
    """The answer, and what is left of it without "It is called …"."""
    plain = _ANSWER_IS.sub("", given.strip())
    texts = [given, plain]
    lead_in = _LEAD_IN.match(plain)
    if lead_in and not negated(words_of(plain)):
        texts.append(lead_in["rest"])
    bracketed = _BRACKETS.search(plain)
    if bracketed:
        texts.append(_BRACKETS.sub("", plain))
    return list(dict.fromkeys(texts))


def difference(text: str, given: str, foreign: Collection[str] = ()) -> int | None:
    """Letters by which the two differ, or None when they are not the same wording."""
    if _FORMULA.search(text) or _FORMULA.search(given):
        return 0 if _formula(text) == _formula(given) else None
    if not _same_guards(text, given):
        return None
    best: int | None = None
    for a in forms(text):
        for b in forms(given):
            off = _distance(a, b, foreign)
            if off is not None and (best is None or off < best):
                best = off
    if best is None and (parts := _parts(text)) and (said := _parts(given)) and len(parts) == len(said) > 1:
        return _in_any_order(parts, said, foreign)
    return best


def _formula(text: str) -> str:
    """Signs count in a formula; spaces and braces do not."""
    text = (
        text.replace("\\cdot", "*")
        .replace("\\times", "*")
        .replace("·", "*")
        .replace("×", "*")
        .replace("−", "-")
    )
    return _NOT_FORMULA.sub("", text).casefold().strip(".")


def _same_guards(text: str, given: str) -> bool:
    """The same numbers, the same denial, and no "or" that the key does not have."""
    wanted, said = words_of(text), words_of(given)
    if negated(wanted) != negated(said) or (HEDGES & set(said)) - (HEDGES & set(wanted)):
        return False
    ours, theirs = quantities(text), quantities(given)
    return len(ours) == len(theirs) and all(
        set(a.values) & set(b.values) for a, b in zip(ours, theirs, strict=True)
    )


def _parts(text: str) -> list[str]:
    return [part for part in _JOINED.split(text.strip(" .")) if part]


def _in_any_order(parts: list[str], said: list[str], foreign: Collection[str]) -> int | None:
    """ "water and oxygen" for "oxygen and water"."""
    total, left = 0, list(said)
    for part in parts:
        offs = [(off, one) for one in left if (off := difference(part, one, foreign)) is not None]
        if not offs:
            return None
        off, one = min(offs)
        left.remove(one)
        total += off
    return total


@cache
def forms(text: str) -> frozenset[str]:
    """The text without what makes no difference, in each way to write it: ä may be a or ae."""
    text = unicodedata.normalize("NFC", _TEX.sub(lambda m: m[1] or " ", text)).casefold()
    text = _GREEK_WORDS.sub(lambda m: _GREEK[m[1]], text).replace("’", "'")
    return frozenset(
        " ".join(_without_article(_tokens(_bare(text.translate(table))))) for table in (_DIGRAPHS, _LETTERS)
    )


def _bare(text: str) -> str:
    return "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))


def _tokens(text: str) -> list[str]:
    return _WORD.findall(text.replace("_", " "))


def words_of(text: str) -> list[str]:
    """Words in small letters, as they are written."""
    return _tokens(text.casefold().replace("’", "'"))


def _without_article(words: list[str]) -> list[str]:
    while len(words) > 1 and words[0] in ARTICLES:
        words = words[1:]
    return [word for n, word in enumerate(words) if word != "the" or n == 0]


def _distance(a: str, b: str, foreign: Collection[str]) -> int | None:
    if a == b:
        return 0
    if not a or not b:
        return None
    one, other = a.split(), b.split()
    if len(one) == len(other):
        total = 0
        for x, y in zip(one, other, strict=True):
            off = _word_distance(x, y, foreign)
            if off is None:
                return None
            total += off
        return total
    # Hyphens and compounds: "photo-synthesis", "Lichtgeschwindigkeit".
    return _word_distance(a.replace(" ", ""), b.replace(" ", ""), foreign)


@cache
def singular(word: str) -> str:
    """The word without the ending of a plural: English, and of words from Latin and Greek their root."""
    for ending, instead in _PLURALS:
        if word.endswith(ending) and len(word) > len(ending) + 2 and not word.endswith(_NOT_PLURAL):
            return word.removesuffix(ending) + instead
    return word


def _root(word: str) -> str:
    for ending in _LATIN:
        if word.endswith(ending) and len(word) - len(ending) >= _LATIN_ROOT:
            return word.removesuffix(ending)
    return word


def _word_distance(a: str, b: str, foreign: Collection[str]) -> int | None:
    """Letters off between two words; None when they are two words."""
    if a == b:
        return 0
    if apart(a, b):
        return None
    if singular(a) == singular(b) or (_root(a) == _root(b) != a):
        return 0
    if b in foreign or a[0] != b[0] or any(c.isdigit() for c in a + b):
        return None
    allowed = _allowed(min(len(a), len(b)))
    off = OSA.distance(a, b, score_cutoff=allowed)
    return off if 0 < off <= allowed else None


def _allowed(length: int) -> int:
    return next((slips for shorter, slips in SLIPS if length < shorter), MOST_SLIPS)


def vocabulary(texts: Iterable[str | None]) -> frozenset[str]:
    """Words of texts, in small letters."""
    return frozenset(word for text in texts if text for word in words_of(text))
