"""What a sentence is, by the words it uses: a definition, a figure, an example; and hesitations taken out of speech. Pure."""

import re

_I = re.IGNORECASE
_TERM = r"(?P<term>[^\W\d_][\w'’+#./-]*(?:\s+[\w'’+#()./-]+){0,4}?)"
_ARTICLE = r"(?:an?|the|eine?|der|die|das|une?|les?|la|el|un|una)"
_DEFINITIONS = (
    re.compile(rf"^(?:{_ARTICLE}\s+)?{_TERM}\s+(?:is|are|was)\s+(?:an?|the|any|one of|defined|when|where)\b", _I),
    re.compile(rf"^(?:{_ARTICLE}\s+)?{_TERM}\s*,?\s+(?:refers? to|means|denotes?|stands for|is defined as|are defined as|consists? of)\b", _I),
    re.compile(rf"\b(?:is|are|which is|this is) (?:called|known as|referred to as|termed|named)\s+(?:{_ARTICLE}\s+)?{_TERM}(?=[,.;:]|$|\s+(?:and|because|which|when|in|if|or)\b)", _I),
    re.compile(rf"\bwe (?:call|say|name) (?:this|that|it|these|them|such \w+)\s+(?:{_ARTICLE}\s+)?{_TERM}(?=[,.;:]|$)", _I),
    re.compile(rf"^(?:{_ARTICLE}\s+)?{_TERM}\s+(?:ist|sind)\s+(?:eine?r?|der|die|das)\b|^(?:unter|als)\s+(?:{_ARTICLE}\s+)?(?P<unter>\w[\w -]{{2,40}}?)\s+(?:versteht|bezeichnet) man", _I),
    re.compile(rf"^(?:{_ARTICLE}\s+)?{_TERM}\s+(?:est|sont|es|son)\s+(?:une?|le|la|des|el|los|las)\b", _I),
)  # fmt: skip
_NO_TERM = re.compile(
    r"^(?:it|its|this|that|these|those|there|here|he|she|they|we|you|i|one|what|which|who|where|when|why|how|everything|something|anything|nothing|all|both|each|some|many|most|another|other|others|result|results|answer|reason|idea|point|goal|problem|question|following|first|second|third|next|last|example|case|thing|things|key|es|dies|das|ce|cela|esto|so|and|but|if|in|on|at|for|as|to|with|because|also|then|now)\b"
    r"|\b(?:is|are|was|of which|that|which|and then|may|can|will|would|should|could|must|often|usually|always|never|only|not|to|has|have|had|use|uses)\b",
    _I,
)
_FIGURE = re.compile(
    r"(?<![\w.])(?:[$€£]\s?)?\d[\d.,]*(?:\s?%|\s?(?:per ?cent|million|billion|thousand|degrees?|years?|hours?|minutes?|seconds?|days?|km|kg|m|cm|mm|°C|°F|Hz|V|W|J|N)\b)?|\b(?:one|two|three|four|five|six|seven|eight|nine|ten|twelve|twenty|fifty|hundred|half)\s+(?:per ?cent|million|billion|thousand|hundred|times|years|hours)\b",
    _I,
)
_REFERENCE = re.compile(
    r"\b(?:figures?|figs?\.|tables?|sections?|chapters?|examples?|exercises?|equations?|eqs?\.|eqn\.|pages?|pp?\.|lines?|steps?|slides?|problems?|questions?|step|vol\.|no\.|version)\s*\(?\d[\d.]*\)?(?:\s*(?:,|and|or|to|–|-)\s*\(?\d[\d.]*\)?)*|\[\d+\]|\(\d[\d.]*\)|^\d+[.)]\s",
    _I,
)
_EXAMPLE = re.compile(
    r"\b(?:for example|for instance|e\.g\.|imagine|suppose|let'?s say|say you have|an example|as an example|consider (?:an?|the|this)|zum beispiel|z\.\s?b\.|beispielsweise|par exemple|por ejemplo|per esempio)|^ex\b[.:]",
    _I,
)
_POINTS_BACK = re.compile(
    r"^(?:(?:so|and|but|or|then|thus|hence|however|also|therefore|because|well|now|okay|ok|again|still|yet|instead|otherwise|similarly|here|there|moreover|furthermore)\b[,]?\s*)*"
    r"(?:this|that|these|those|it|its|they|them|their|he|she|his|her|such|the (?:former|latter|above|following|same)|here|there)\b",
    _I,
)
_CONNECTED = re.compile(r"^(?:and|but|or|then|so|thus|hence|however|therefore|instead|otherwise)\b", _I)
_HOUSEKEEPING = re.compile(
    r"\b(?:can (?:everyone|everybody|you) (?:hear|see) me|office hours?|homework|assignment|midterm|final exam|due (?:on|next|by)|sign[- ]in|attendance|microphone|subscribe|click (?:the|on|here)|welcome (?:back|to)|thank you|thanks for|good morning|good afternoon|see you (?:next|in)|any questions|copyright|all rights reserved|creative commons|isbn|exercise|solution to|figure \d|table \d)\b|^(?:fig\.|figs\.|figure|tab\.|table|example|listing)\s*\d",
    _I,
)
_HESITATION = re.compile(r"(?:(?<=^)|(?<=[\s,(]))(?:u+m+|u+h+|e+r+m+|hm+|mm+|ähm?|äh+|öhm?)\b[,.]?\s*", _I)
_TWICE = re.compile(r"\b(the|a|an|and|to|of|in|is|we|i|you|that|it|so)\s+\1\b", _I)


def defined_term(sentence: str) -> str | None:
    """The term that a sentence defines, as it stands there, or None."""
    for pattern in _DEFINITIONS:
        match = pattern.search(sentence)
        if match:
            term = next((group for group in match.groups() if group), "").partition("(")[0].strip(" ,.;:)")
            if term and not _NO_TERM.search(term) and len(term) > 1:
                return term
    return None


def figures(sentence: str) -> list[str]:
    """Numbers, dates and amounts; neither single digits nor the numbers of figures, sections and references."""
    bare = _REFERENCE.sub(lambda match: " " * len(match.group()), sentence)
    found = [match.group().strip(" .,") for match in _FIGURE.finditer(bare)]
    return [one for one in found if len(one) > 1]


def gives_example(sentence: str) -> bool:
    return bool(_EXAMPLE.search(sentence))


def points_back(sentence: str) -> bool:
    """Whether a sentence leans on the one before, so that it says little alone."""
    return bool(_POINTS_BACK.match(sentence) or _CONNECTED.match(sentence))


def is_housekeeping(sentence: str) -> bool:
    """About the lesson or the book itself: office hours, microphones, copyright."""
    return bool(_HOUSEKEEPING.search(sentence))


def without_hesitation(sentence: str) -> str:
    """Speech without "um" and "uh" and words said twice; nothing else is touched."""
    cleaned = _TWICE.sub(r"\1", _HESITATION.sub("", sentence)).strip()
    cleaned = re.sub(r"\s+([,.;:?!])", r"\1", cleaned)
    return cleaned[:1].upper() + cleaned[1:] if cleaned and cleaned != sentence else sentence


def with_gap(sentence: str, figure: str) -> str:
    """The sentence with the first mention of a figure left out, to be filled in."""
    return re.sub(rf"(?<![\w.]){re.escape(figure)}(?!\w)", "____", sentence, count=1)
