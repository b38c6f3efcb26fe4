"""Finds where sentences end, in plain text of any European language. Pure; shared by chunking and quoting."""

import re
from collections.abc import Iterator

_END = re.compile(r"(?<![.!?…。！？])[.!?…。！？]++[\"'”’»)\]]*(?=\s|$)|[。！？]|\n\s*\n")

# Words after which a full stop does not end a sentence, lower case and without the stop.
_ABBREVIATIONS = frozenset(
    {"a.m", "abb", "al", "approx", "apr", "art", "aug", "bd", "bzw", "ca", "cf", "ch", "chap", "co"}
    | {"cor", "d.h", "dec", "def", "dept", "dr", "e.g", "ed", "eds", "eg", "eq", "eqn", "eqs", "est"}
    | {"etc", "ex", "exer", "feb", "fig", "figs", "i.e", "ie", "inc", "jan", "jr", "jul", "jun", "kap"}
    | {"lem", "ltd", "mar", "max", "min", "mr", "mrs", "ms", "no", "nos", "nov", "nr", "oct", "p"}
    | {"p.m", "pp", "prof", "prop", "ref", "refs", "resp", "sec", "secs", "sep", "sept", "sr", "st", "tab"}
    | {"thm", "u.a", "univ", "usw", "vgl", "viz", "vol", "vs", "z.b"}
)
# These may well stand at the end of a sentence, before a capital letter.
_MAY_END = frozenset(
    {"etc", "al", "p.m", "a.m", "no", "art", "co", "inc", "ltd", "usw", "min", "max", "ex", "est", "ms"}
)
_LAST_WORD = re.compile(r"[^\s(\[\"“]*$")
_NUMBER_START = re.compile(r"\(?\d")


def sentence_spans(text: str, start: int = 0, end: int | None = None) -> Iterator[tuple[int, int]]:
    """Characters [start, end) of each sentence of text[start:end]; white space between sentences belongs to none."""
    end = len(text) if end is None else end
    begin = start
    for match in _END.finditer(text, start, end):
        blank = match.group().isspace()
        stop = match.start() if blank else match.end()
        if not blank and not _ends_sentence(text, begin, match, end):
            continue
        span = _trimmed(text, begin, stop)
        if span:
            yield span
        begin = match.end()
    span = _trimmed(text, begin, end)
    if span:
        yield span


def sentences(text: str) -> list[str]:
    """The sentences of a text, trimmed."""
    return [text[start:end] for start, end in sentence_spans(text)]


def _trimmed(text: str, start: int, end: int) -> tuple[int, int] | None:
    piece = text[start:end]
    stripped = piece.strip()
    if not stripped:
        return None
    left = start + len(piece) - len(piece.lstrip())
    return left, left + len(stripped)


def _ends_sentence(text: str, begin: int, match: re.Match[str], end: int) -> bool:
    following = text[match.end() : min(end, match.end() + 40)].lstrip()
    if text[max(begin, match.start() - 2) : match.start()] == ". " or following.startswith("."):
        return following[:1].isupper()  # an ellipsis set with spaces: "1, 2, . . . , N"
    if not match.group().startswith(".") or match.group().startswith(".."):
        return True
    found = _LAST_WORD.search(text, max(begin, match.start() - 40), match.start())
    word = found.group() if found else ""
    if len(word) == 1 and word.isalpha() and word.isupper():
        return not following[:1].isalpha()  # an initial: "J. Smith"
    if word.lower() in _ABBREVIATIONS:
        starts_new = following[:1].isupper() and not _NUMBER_START.match(following)
        return not following or (word.lower() in _MAY_END and starts_new)
    if word.isdigit() and text[begin : match.start()].strip() == word:
        return False  # the number of a list item: "3. Compute"
    return not following[:1].islower()
