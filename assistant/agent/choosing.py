"""Which tools of the catalogue are offered for a request: a small model cannot read all of them."""

import re
from collections.abc import Iterable, Sequence

from langchain_core.messages import BaseMessage, HumanMessage

from tools.spec import Effect, ToolSpec

MOST_TOOLS = 20
ALWAYS = (
    "search_materials",
    "read_material",
    "open_passage",
    "list_materials",
    "get_material",
    "list_classes",
    "list_notes",
    "list_assignments",
    "list_jobs",
)
"""What any conversation may need next, whatever was asked for."""
FIRST = (
    "classes", "materials", "search", "notes", "tests", "flashcards", "documents", "progress", "assignments", "jobs",
    "conversations", "account",
)  # fmt: skip
NOT_BY_A_MODEL = frozenset({"upload_material", "create_api_key"})
"""A model has no file to upload, and a key must not pass through a conversation."""

_I = re.IGNORECASE
CUES = {
    "classes": re.compile(r"\b(?:class(?:es)?|courses?|subjects?)\b", _I),
    "materials": re.compile(
        r"https?://|\b(?:materials?|files?|books?|slides|recordings?|lectures?|videos?|uploads?|pdfs?|pages?|links?|web ?sites?|text|add|restore|reprocess|read (?:it )?again)\b",
        _I,
    ),
    "search": re.compile(r"\b(?:search|find|where)\b", _I),
    "notes": re.compile(r"\b(?:notes?|summar\w+|outlines?|cornell|write down|transcripts?)\b", _I),
    "assignments": re.compile(
        r"\b(?:assign\w*|home ?work|due|overdue|deadlines?|essays?|exams?|quiz(?:zes)?|tests?|projects?|presentations?|hand(?:ed)? in|submit\w*|to-?dos?|remind|mark|finished|done)\b",
        _I,
    ),
    "tests": re.compile(
        r"^\s*\d{1,3}\s*[:)=]|\bhand (?:\w+ ){0,2}in\b|\b(?:tests?|quiz(?:zes)?|questions?|exams?|examine|drill|practi[sc]e|mock|multiple[- ]choice|true[- ]or[- ]false|past paper|attempts?|appeal|grad(?:e|ing)|wrong)\b|\bones\b",
        _I,
    ),
    "flashcards": re.compile(
        r"\b(?:flash ?cards?|cards?|decks?|anki|due|review|cloze|leech\w*|suspend|spaced)\b", _I
    ),
    "documents": re.compile(
        r"\b(?:cheat ?-?sheets?|study[- ]guides?|revision guides?|summar\w+|documents?|quiz ?-?sheets?|worksheets?|past paper|pdf|word|docx|export|download)\b",
        _I,
    ),
    "progress": re.compile(
        r"\b(?:progress|weak\w*|wrong|mistakes?|how am i|streak|statistics|retention|accuracy|studied|rate|rating|bad question)\b",
        _I,
    ),
    "jobs": re.compile(
        r"\b(?:jobs?|uploads?|index\w*|process\w*|progress|transcrib\w*|cancel|stop|retry|ready|done|failed)\b",
        _I,
    ),
    "conversations": re.compile(
        r"\b(?:conversations?|chats?|talked|asked|yesterday|last time|earlier)\b", _I
    ),
    "account": re.compile(
        r"\b(?:profile|account|name|e-?mail|time ?zone|language|school|grade|keys?|exports?|my data|deleted|bin|trash|restore|undelete|undo|bring back)\b",
        _I,
    ),
}
"""What in a request speaks for a toolset."""


def choose(specs: Iterable[ToolSpec], request: str) -> list[ToolSpec]:
    """At most `MOST_TOOLS` tools: those that are always at hand, then toolsets that the request speaks of, then the rest.

    Tools that destroy are left out: they wait for a person's approval.
    """
    allowed = [
        spec
        for spec in specs
        if spec.toolset in FIRST and spec.effect is not Effect.DESTROY and spec.name not in NOT_BY_A_MODEL
    ]
    chosen = sorted(allowed, key=lambda spec: _rank(spec, request))[:MOST_TOOLS]
    return sorted(chosen, key=lambda spec: FIRST.index(spec.toolset))


def _rank(spec: ToolSpec, request: str) -> tuple[int, int, int]:
    spoken_of = bool(CUES[spec.toolset].search(request))
    at_hand = spec.name in ALWAYS
    return (
        0 if at_hand else 1 if spoken_of else 2,
        -len(CUES[spec.toolset].findall(request)),
        FIRST.index(spec.toolset),
    )


def request_of(messages: Sequence[BaseMessage]) -> str:
    """The present question with the two before it: "and for Biology?" is still about assignments."""
    return "\n".join([message.text for message in messages if isinstance(message, HumanMessage)][-3:])
