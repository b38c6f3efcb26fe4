"""Which pieces of an extracted page are sentences: not headings, contents lines, axis labels, code or torn formulas."""

import re
from collections.abc import Iterator

from assistant.models.words import STOP, one_line
from tools.ingest.sentences import sentences as split_sentences

SHORTEST, LONGEST = 25, 480
FEW_WORDS = 8

_AUXILIARY = re.compile(
    r"\b(?:is|are|was|were|be|has|have|had|can|cannot|may|might|must|will|would|should|could|do|does|did|means?|denotes?"
    r"|gives?|leads?|holds?|requires?|makes?|needs?|consists?|becomes?|shows?|contains?|uses?|helps?|causes?|follows)\b",
    re.IGNORECASE,
)
_VERB = re.compile(rf"{_AUXILIARY.pattern}|\b\w{{2,}}(?:s|ed|es)\s+\w", re.IGNORECASE)
_LEADS_ON = re.compile(
    r"(?:\b(?:(?:we|one) (?:get|have|obtain|find|write)|gives?|yields?|becomes?|reads?|as|by|is|are|to|in|follows|where|and|or"
    r"|the|a|an|form|that|with|of|for|for example|such as|formulas?|equations?|written|expressed|then)|[:,;=])$",
    re.IGNORECASE,
)
"""Ends of a sentence whose rest is a displayed formula, a list or a figure."""
_CONTENTS = re.compile(r"(?:\.\s){2,}|\s\.$|\.{4,}|[:)]\s*\d+\.$")
_ENDED = re.compile(r"[.!]['\"”’»)\]]*$")
_CODE = re.compile(
    r"\b(?:def|import|lambda|return|assert|print)\s|\w=\w|[{};]|==|\+=|>>>|__\w+__|^\s*#|\w\[\w+\]"
)
_WORD = re.compile(r"[(\"“‘]?[^\W\d_]{3,}(?:[-'’][^\W\d_]+)*[,.)\"”’]*")
_LABEL = re.compile(
    r"^(?:fig(?:ure|s?\.)|table|tab\.|listing|algorithm|exercise|problem|chapter|section)\s*\d", re.IGNORECASE
)
"""The start of a caption or a numbered heading."""
_BULLET = re.compile(r"\s*[•▪◦‣]\s*")
_NUMBERED = re.compile(r"^(?:\(?\d+(?:\.\d+)*[.)]?|[a-z]\)|[–*-])\s+(?=[A-Z])")
_JOINT = re.compile(r"(?:[,;]\s*(?:and|or)?|\s+and)$")


def pieces(text: str) -> Iterator[str]:
    """The sentences and list items of a passage, each on one line, without numbers and bullets before them."""
    for raw in split_sentences(text):
        items = [item for item in _BULLET.split(one_line(raw)) if item]
        for item in items:
            yield _NUMBERED.sub("", _JOINT.sub("", item) if len(items) > 1 else item)


def is_ended(sentence: str) -> bool:
    """Whether the sentence ends with a full stop, and not where a formula or a list follows."""
    return bool(_ENDED.search(sentence))


def leads_on(sentence: str) -> bool:
    """Whether a formula, a list or a figure follows that a quote of the sentence lacks."""
    return not is_ended(sentence) and bool(
        _LEADS_ON.search(sentence) or not any(_WORD.fullmatch(t) for t in sentence.split()[-3:])
    )


def is_prose(sentence: str) -> bool:
    """Whether a piece of text (one line) can be quoted as a sentence. One that leads on to a formula may be."""
    if not SHORTEST <= len(sentence) <= LONGEST or sentence.endswith("?") or _CONTENTS.search(sentence):
        return False
    tokens = sentence.split()
    wordy = sum((len(t) > 1 and t[0].isalpha()) or t.lower() in STOP for t in tokens) / len(tokens)
    if len(tokens) < 3 or wordy < 0.55 or (_CODE.search(sentence) and wordy < 0.8):
        return False
    if _LABEL.match(sentence):
        return is_ended(sentence) and bool(_AUXILIARY.search(sentence))
    if len(tokens) > FEW_WORDS:
        return bool(_VERB.search(sentence))
    return is_ended(sentence) and bool(_AUXILIARY.search(sentence))
