"""What does the person want? Rules over the text choose one of the offered tools; the default is a search.

Only the person's own words are read here, never the text of materials. Tools that change something are chosen by rules
alone, never by similarity of meaning.
"""

import re

from assistant.models import small_talk
from assistant.models.arguments import Slots, fill
from assistant.models.commands import read_command
from assistant.models.embeds import Embeds, similarities
from assistant.models.offered import OfferedTool
from assistant.models.questions import parts, search_slots
from assistant.models.streams import Call, Decision
from assistant.models.turns import Turn

Tools = dict[str, OfferedTool]

SAFE = re.compile(r"^(list|get|search|explain|read|open)_|^chroma_")
"""Names of tools that only read: similarity of meaning may choose them."""

ABOUT_THE_PLATFORM = re.compile(
    r"\b(my|i have|did i|have i|am i)\b.*\b(upload\w*|account|profile|file|files|class|classes|course|courses|job|jobs|chat|chats|"
    r"conversation\w*|material|materials|collection\w*|progress|deck|decks|card|cards|test|tests|plan|assignment\w*|homework|deadline\w*)\b"
    r"|\b(?:what|which|anything|something)\b.*\b(?:due|overdue|to hand in)\b(?! (?:to|process))",
    re.IGNORECASE,
)
LIKENESS = 0.38
"""Least cosine between a request and a tool's description. Set by hand on the table in the tests."""

_ASKED_FOR = re.compile(
    r"^Which (?P<noun>[a-z ]+) do you mean\?|^What should the (?P<new>[a-z ]+) be called\?|^(?P<due>When is it due)\?"
)
_NAMES_A_CLASS = re.compile(r"\b(?:class|course|subject)(?:es|s)?\b", re.IGNORECASE)


def decide(turn: Turn, tools: Tools, embedder: Embeds) -> Decision:
    """The first step of a turn: one or more tool calls, or a short text."""
    text = _with_pending_request(turn)
    talk = small_talk.reply_to(text, tools)
    if talk is not None:
        return Decision(text=talk)
    command = read_command(text, tools)
    if command is not None:
        return _run_command(command, turn, tools)
    alike = _alike(text, tools, embedder)
    if alike is not None:
        return Decision(calls=(alike,))
    return _search(text, turn, tools)


def _with_pending_request(turn: Turn) -> str:
    """The request, or the earlier one completed by this answer when the last reply asked for a name."""
    asked = _ASKED_FOR.match(turn.previous_answer)
    if (
        not asked
        or not turn.previous_questions
        or len(turn.question.split()) > 8
        or turn.question.endswith("?")
    ):
        return turn.question
    name = turn.question.strip("\"'“”. ")
    before = turn.previous_questions[-1].rstrip(".!? ")
    if asked["due"]:
        return f"{before} due {name}"
    if asked["noun"] == "class" and not _NAMES_A_CLASS.search(before):
        return f'{before} in the class "{name}"'
    return f'{before} {"called" if asked["new"] else "named"} "{name}"'


def _run_command(command: "Slots", turn: Turn, tools: Tools) -> Decision:
    tool = tools[command.tool]
    args = fill(tool, command, turn)
    missing = [name for name in tool.required if name not in args]
    if not missing:
        second = command.also if command.also is not None and command.also.tool in tools else None
        beside = (Call(second.tool, fill(tools[second.tool], second, turn)),) if second else ()
        return Decision(calls=(Call(tool.name, args), *beside))
    noun = command.noun or "item"
    if tool.name == "create_assignment":
        return Decision(text=_asks_about_assignment(missing))
    if command.creates:
        return Decision(text=f"What should the {noun} be called?")
    if "text" in missing:
        return Decision(text="What text should I keep? Write it after a colon, for example: add this note: …")
    return Decision(text=f"Which {noun} do you mean? Please name it, in quotes if the name is long.")


def _asks_about_assignment(missing: list[str]) -> str:
    if missing == ["due_at"]:
        return "When is it due? Friday, tomorrow at 5 pm or 2026-03-20 will do."
    if missing == ["class_id"]:
        return "Which class do you mean? Please name it."
    return "Please say what is due, when and for which class, for example: add an assignment essay due Friday for Biology."


def _alike(text: str, tools: Tools, embedder: Embeds) -> Call | None:
    """A reading tool without required arguments whose description means the same as a request about the platform."""
    if not ABOUT_THE_PLATFORM.search(text):
        return None
    candidates = [t for t in tools.values() if SAFE.match(t.name) and not t.required]
    described = [f"{t.name.replace('_', ' ')}: {t.description.split('. ')[0]}" for t in candidates]
    scores = similarities(embedder, text, described)
    if not candidates or float(scores.max()) < LIKENESS:
        return None
    return Call(candidates[int(scores.argmax())].name, {})


def _search(text: str, turn: Turn, tools: Tools) -> Decision:
    tool = tools.get("search_materials")
    if tool is None:
        return Decision(
            text="I cannot search your material here: the search tool is not offered in this conversation."
        )
    calls = []
    for part in parts(text):
        slots = search_slots(part, turn)
        calls.append(Call(tool.name, fill(tool, slots, turn)))
    return Decision(calls=tuple(calls))
