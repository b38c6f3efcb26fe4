"""Which item does a command mean? Nouns of the platform with their everyday words, and the name beside them."""

import re
from dataclasses import dataclass
from functools import lru_cache

from assistant.models.offered import OfferedTool
from assistant.models.words import one_line

_EVERYDAY = {
    "class": r"class(?:es)?|courses?|subjects?",
    "material": r"materials?|files?|documents?|(?:text)?books?|slide decks?|slides|pdfs?|uploads?|papers?|lectures?|handouts?|recordings?",
    "job": r"jobs?|tasks?",
    "conversation": r"conversations?|chats?",
}
_BARE = re.compile(
    r"^(?:materials?|files?|documents?|uploads?|pdfs?|class(?:es)?|courses?|subjects?)$", re.IGNORECASE
)
_QUOTED = re.compile(r"[\"“‘'](?P<name>[^\"“”]{1,200}?)[\"”’'](?=\W|$)")
_NOTHING = re.compile(
    r"^(?:it|this|that|them|those|these|one|all|everything|anything|something|some|any|now|again|please)?$",
    re.IGNORECASE,
)
_ARTICLES = re.compile(r"^(?:(?:the|my|our|this|that|a|an|all|of|whole|entire|new)\s+)+", re.IGNORECASE)
_CALLED = r"(?:(?:called|named|titled|entitled|with (?:the )?(?:name|title|id)|:)\s*)"


@dataclass(frozen=True)
class Item:
    """The noun as tools spell it ("class"), and the name beside it when there is one."""

    noun: str
    name: str | None


def nouns(tools: dict[str, OfferedTool]) -> dict[str, str]:
    """Noun → pattern of its everyday words, for all nouns in the names of the offered tools.

    A word that is itself the noun of an offered tool ("course" with list_courses) means that one.
    """
    return dict(_nouns(tuple(sorted(tools))))


@lru_cache(maxsize=32)
def _nouns(names: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
    verbs = re.compile(r"^(?:list|get|create|update|delete|restore|cancel|retry)_(\w+)$")
    found = {_singular(m[1]) for name in names if (m := verbs.match(name))}
    own = {
        noun: noun.replace("_", " ") + ("e?s?" if not noun.endswith("s") else "(?:es)?")
        for noun in found
        if noun not in _EVERYDAY
    }
    everyday = {}
    for noun in found & set(_EVERYDAY):
        words = [
            w
            for w in _EVERYDAY[noun].split("|")
            if not any(re.fullmatch(p, re.sub(r"\W", "", w)) for p in own.values())
        ]
        everyday[noun] = "|".join(words)
    return tuple((own | everyday).items())


def _singular(noun: str) -> str:
    for plural, singular in (("classes", "class"), ("ies", "y"), ("s", "")):
        if noun.endswith(plural) and not noun.endswith("ss"):
            return noun[: -len(plural)] + singular
    return noun


def read_item(text: str, known: dict[str, str]) -> Item | None:
    """The item in "the class Physics", "my Physics class", "'Decay book'" or "the decay book"; None without any noun.

    The everyday word of a material belongs to its name ("decay book"), since titles often hold it.
    """
    text = _ARTICLES.sub("", one_line(text)).strip(" .!?")
    quoted = _QUOTED.search(text)
    outside = _QUOTED.sub(" ", text) if quoted else text
    for noun, pattern in known.items():
        if quoted and re.search(rf"\b(?:{pattern})\b", outside, re.IGNORECASE):
            return Item(noun, quoted["name"].strip())
        if quoted:
            continue
        first = re.match(rf"(?P<noun>{pattern})\b[\s:]*{_CALLED}?(?P<name>.*)$", text, re.IGNORECASE)
        if first:
            return Item(noun, _named(first["name"]))
        last = re.match(rf"(?P<name>.+?)\s+(?P<noun>{pattern})$", text, re.IGNORECASE)
        if last:
            whole = noun == "material" and not _BARE.match(last["noun"])
            return Item(noun, _named(text if whole else last["name"]))
    return Item("", quoted["name"].strip()) if quoted else None


def _named(name: str) -> str | None:
    name = _ARTICLES.sub("", name.strip(" .!?\"'“”")).strip()
    return None if _NOTHING.match(name) else name


def bare_name(text: str) -> str | None:
    """A name without noun, quotes and articles taken off; None when it only points ("it", "everything")."""
    return _named(text)
