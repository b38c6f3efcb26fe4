"""Words of a text for matching: lower-cased, stop words dropped, endings cut."""

import re
import unicodedata

WORD = re.compile(r"[^\W_]+(?:['’\-][^\W_]+)*", re.UNICODE)

_STOP = """
    a about above after again all also am an and any are as at be because been before being below between both but by
    can could did do does doing down during each few for from further had has have having he her here hers him his how i
    if in into is it its itself just let like me more most my no nor not of off on once one only or other our out over own
    please same say says she should so some such than that the their them then there these they this those through to too
    under until up us use used using very was we were what when where which while who whom whose why will with would you your
    tell explain describe define definition meaning mean means give show find search look mention mentioned according
    example examples called name work works make makes know want need help question answer thing things get got much many
    book textbook paper slides lecture notes material materials class page pages chapter section something anything
    difference differences compare compared versus vs purpose role main kind kinds type types happen happens
    relate relates related discuss discussed discusses covered treated introduced understand better
"""
STOP = frozenset(_STOP.split())

_ABLE = re.compile(r"bili(?:ty|ties|[sz]\w*)$")
_ENDINGS = (
    "izations",
    "ization",
    "ations",
    "ation",
    "ically",
    "ities",
    "ity",
    "ings",
    "ing",
    "ally",
    "able",
    "ible",
    "ies",
    "ied",
    "ed",
    "es",
    "ly",
    "al",
    "ic",
    "e",
    "s",
)


def stem(word: str) -> str:
    """A rough stem: the longest known ending is cut while three letters stay. Enough to match stable with stability."""
    word = _ABLE.sub("ble", word)
    for ending in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            return word[: -len(ending)]
    return word


GREEK = {
    **dict(
        zip(
            "αβγδεζηθικλμνξοπρστυφχψω",
            [
                "alpha",
                "beta",
                "gamma",
                "delta",
                "epsilon",
                "zeta",
                "eta",
                "theta",
                "iota",
                "kappa",
                "lambda",
                "mu",
                "nu",
                "xi",
                "omicron",
                "pi",
                "rho",
                "sigma",
                "tau",
                "upsilon",
                "phi",
                "chi",
                "psi",
                "omega",
            ],
            strict=True,
        )
    ),
    "ϑ": "theta",
    "ϕ": "phi",
    "ϵ": "epsilon",
    "ς": "sigma",
}
_GREEK_LETTER = re.compile("|".join(GREEK))
_GREEK_NAME = re.compile(rf"\b(?:{'|'.join(dict.fromkeys(GREEK.values()))})\b", re.IGNORECASE)
_LETTER = {name: letter for letter, name in reversed(GREEK.items())}
_COUNTED = re.compile(r"\bhow (?:long|many|much|far|often|big|large|high|fast)\b", re.IGNORECASE)


def fold(text: str) -> str:
    """Lower case without accents, curly apostrophes made straight, Greek letters by name."""
    decomposed = unicodedata.normalize("NFKD", text.replace("’", "'"))
    folded = "".join(c for c in decomposed if not unicodedata.combining(c)).casefold()
    return _GREEK_LETTER.sub(lambda m: GREEK[m[0]], folded)


def with_greek(query: str) -> str:
    """The query with terms that hold a spelled Greek letter repeated as books print them: "theta-rule θ-rule"."""
    spelled = [w for w in query.split() if _GREEK_NAME.search(w)]
    printed = [_GREEK_NAME.sub(lambda m: _LETTER[m[0].lower()], w.strip("?!.,;\"'")) for w in spelled]
    return " ".join([query, *(w for w in printed if w not in query)])


def without_greek(query: str) -> str:
    """The query before `with_greek`."""
    spelled = [w for w in query.split() if _GREEK_NAME.search(w)]
    printed = {_GREEK_NAME.sub(lambda m: _LETTER[m[0].lower()], w.strip("?!.,;\"'")) for w in spelled}
    return " ".join(w for w in query.split() if w not in printed)


def words(text: str) -> list[str]:
    """All words of `text`, folded, in order. Hyphenated words give their parts as well as nothing else."""
    return [part for match in WORD.findall(fold(text)) for part in re.split(r"[-']", match) if part]


def content_words(text: str) -> list[str]:
    """The words that carry meaning, folded, without repeats, in order."""
    asked = _COUNTED.sub(" ", text)
    return list(dict.fromkeys(w for w in words(asked) if w not in STOP and (len(w) > 1 or w.isdigit())))


def terms(text: str) -> list[str]:
    """Stems of the content words, without repeats, in order."""
    return list(dict.fromkeys(stem(w) for w in content_words(text)))


def one_line(text: str) -> str:
    """`text` with every run of white space made one blank."""
    return " ".join(text.split())
