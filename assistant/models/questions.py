"""Turning a question into a search: politeness off, class or material named in it taken out, follow-ups completed."""

import re
from typing import Any

from assistant.models.arguments import Slots
from assistant.models.turns import Turn
from assistant.models.words import STOP, content_words, fold, one_line, terms, with_greek
from storage.locators import clock
from tools.ingest.passages import Reference, page_of_reference

_POLITE = re.compile(
    r"^(?:(?:please|hey|hi|hello|ok(?:ay)?|so|well|and|now|also|but)\b[,!.]?\s+)*"
    r"(?:(?:can|could|would|will) you (?:please )?(?:tell me|explain(?: to me)?|show me|help me understand|find(?: out)?|look up|describe)"
    r"|(?:i (?:want|need|would like|'d like) to (?:know|understand|learn))|(?:do you know)|(?:tell me)|(?:i wonder)|(?:i was wondering))\s+(?:about\s+)?",
    re.IGNORECASE,
)
_LEADING = re.compile(r"^(?:please|hey|hi|hello|ok(?:ay)?|so|well)\b[,!.]?\s+", re.IGNORECASE)
_TRAILING = re.compile(r"[\s,]*(?:\bplease\b|\bthanks\b|\bthank you\b)?[\s.!?]*$", re.IGNORECASE)
_SEARCH_VERB = re.compile(
    r"^(?:search|look|find|google)\s+(?:(?:through|in)\s+(?:my|the|all)\s+(?:materials?|notes|files|documents)\s+)?(?:for\s+|up\s+|me\s+|about\s+)*"
    r"(?:(?:passages?|anything|something|everything|information|pages?|places?|text|phrases?|words?|sentences?)\s+(?:about|on|that mentions?|mentioning|where)\s+)?"
    r"(?:(?:the\s+)?(?:exact\s+)?(?:phrases?|words?|sentences?)\s+(?=[\"“]))?",
    re.IGNORECASE,
)
_IN_MATERIALS = re.compile(
    r"\s*\b(?:in|from|according to|through)\s+(?:my|the|our|all(?: my)?)\s+(?:materials?|notes|files|documents|uploads|books?|textbooks?|slides|papers?)\b",
    re.IGNORECASE,
)
_CLASS = re.compile(
    r"\s*\b(?:in|from|for|of)\s+(?:(?:my|the|our)\s+)?(?:class|course|subject)\s+(?:called\s+|named\s+)?[\"“'](?P<quoted>[^\"”']+)[\"”']"
    r"|\s*\b(?:in|from|for|of)\s+(?:my|the|our)\s+[\"“'](?P<quoted2>[^\"”']+)[\"”']\s+(?:class|course|subject)\b"
    r"|\s*\b(?:in|from|for|of)\s+(?:my|the|our)\s+(?P<before>(?:[\w&+#.-]+\s+){1,4}?)(?:class|course|subject)\b",
    re.IGNORECASE,
)
_MATERIAL_NOUN = r"(?:textbook|book|slides|slide deck|paper|article|pdf|lecture|recording|handout|script|notes|chapter notes|document|file)"
_MATERIAL = re.compile(
    r"\s*\b(?:in|from|of|by|does|according to)\s+(?:the\s+|my\s+)?[\"“](?P<quoted>[^\"”]{2,120})[\"”]"
    rf"|\s*\b(?:in|from|according to)\s+(?:the|my)\s+(?P<before>(?:[\w&+#.-]+\s+){{1,4}}?){_MATERIAL_NOUN}\b",
    re.IGNORECASE,
)
_FOLLOW_UP_START = re.compile(
    r"^(?:and|but|also|or)\b|^(?:what|how) about\b|^(?:why|how so|really|so)\b[\s?!.]*$", re.IGNORECASE
)
_MORE = re.compile(
    r"^(?:please )?(?:(?:can|could) you )?(?:explain|tell me|say|show me|give me|elaborate|go on|continue|expand)?\s*(?:(?:it|this|that)\s+)?"
    r"(?:more|further|again|in (?:more )?detail|on (?:that|this|it)|(?:an|another|some|more) examples?|why|how|elaborate|go on|continue)(?:\s+(?:please|about (?:it|that|this)))?$",
    re.IGNORECASE,
)
_POINTING = frozenset(
    {
        "it",
        "its",
        "that",
        "this",
        "they",
        "them",
        "their",
        "those",
        "these",
        "he",
        "she",
        "one",
        "former",
        "latter",
    }
)
_QUESTION_WORD = r"(?:what|why|how|who|whom|whose|when|where|which|is|are|was|were|does|do|did|can|should)"
_JOINT = re.compile(rf"\?\s+(?=\S)|[,;]?\s+and\s+(?={_QUESTION_WORD}\b)", re.IGNORECASE)
MOST_PARTS = 3


def parts(text: str) -> list[str]:
    """The questions in a text: "What is A and how does B?" is two. Searching each finds more than searching the whole."""
    pieces = [p.strip() for p in _JOINT.split(text) if p.strip()]
    if len(pieces) < 2 or not all(
        re.match(rf"(?:{_POLITE.pattern})?{_QUESTION_WORD}\b", p, re.IGNORECASE) for p in pieces
    ):
        return [text]
    if len(pieces) > MOST_PARTS or any(not _stands_alone(p) for p in pieces):
        return [text]
    return pieces


def _stands_alone(part: str) -> bool:
    """Whether a part says itself what it is about."""
    return bool(terms(part)) and not (
        _POINTING & set(fold(part).rstrip("?").split()) and len(terms(part)) < 2
    )


def search_slots(text: str, turn: Turn) -> Slots:
    """The search for one question, with the class or material that it names."""
    query = one_line(text)
    values: dict[str, Any] = {}
    query = _take(_CLASS, query, "class_id", values)
    if not _only_quote(query):
        query = _take(_MATERIAL, query, "material_id", values)
    query = clean(query)
    place = page_of_reference(query)
    if place is not None and not terms(place.rest):
        values["query"] = _place(place)
    else:
        values["query"] = with_greek(follow_up(query, turn))
    return Slots("search_materials", "material", values=values)


def _place(place: Reference) -> str:
    """A place alone: "what does section 1.2 say" would be ranked by its other words."""
    if place.section:
        return f"section {place.section}"
    if place.slide:
        return f"slides {place.slide}-{place.last_slide}" if place.last_slide else f"slide {place.slide}"
    if place.t_start is not None and place.t_end is not None:
        return f"from {clock(place.t_start)} to {clock(place.t_end)}"
    return f"pages {place.page}-{place.last_page}" if place.last_page else f"page {place.page or place.label}"


def _only_quote(text: str) -> bool:
    return text[:1] in '"“' and text.rstrip("?.! ")[-1:] in '"”'


def _take(pattern: re.Pattern[str], text: str, argument: str, values: dict[str, Any]) -> str:
    """Take a named class or material out of the text, unless the words before the noun say nothing ("in my last class")."""
    match = pattern.search(text)
    if not match:
        return text
    name = next((v for v in match.groups() if v), "").strip()
    generic = {"whole", "last", "next", "first", "same", "this", "current", "new", "old", "entire"}
    if not name or all(w in STOP or w in generic for w in fold(name).split()):
        return text
    rest = one_line(text[: match.start()] + " " + text[match.end() :])
    if not content_words(rest):
        return text
    values[argument] = name
    return rest


def clean(text: str) -> str:
    """The question without politeness, search verbs and closing marks. Quotes stay: they ask for an exact phrase."""
    before = ""
    query = text
    while query != before:
        before = query
        query = _LEADING.sub("", _POLITE.sub("", query))
    query = _SEARCH_VERB.sub("", query)
    query = _TRAILING.sub("", _IN_MATERIALS.sub("", query))
    return one_line(query) or one_line(text)


def is_follow_up(query: str, turn: Turn) -> bool:
    """Whether the question leans on the one before: it starts with "and", points ("it"), or names nothing itself."""
    if not turn.previous_questions:
        return False
    bare = query.rstrip("?!. ")
    subject = terms(bare)
    if not subject or _MORE.match(bare) or _FOLLOW_UP_START.search(bare):
        return True
    return len(subject) <= 3 and bool(_POINTING & set(fold(bare).split()))


def follow_up(query: str, turn: Turn) -> str:
    """The query, completed by the key words of the previous question when it leans on it."""
    if not is_follow_up(query, turn):
        return query
    earlier = turn.last_query or _last_question_with_subject(turn)
    own = set(terms(query))
    carried = [w for w in content_words(earlier) if not set(terms(w)) & own][:8]
    bare = re.sub(r"^(?:and|but|also|or|so)\b[,]?\s*|^(?:what|how) about\s+", "", query, flags=re.IGNORECASE)
    bare = re.sub(r"^(?:what|how) about\s+", "", bare, flags=re.IGNORECASE)
    kept = bare if own and not _MORE.match(query.rstrip("?!. ")) else ""
    return one_line(f"{kept} {' '.join(carried)}") or query


def _last_question_with_subject(turn: Turn) -> str:
    for question in reversed(turn.previous_questions):
        if terms(question) and not _MORE.match(question.rstrip("?!. ")):
            return clean(question)
    return ""
