"""Which of the offered tools fit a request: a small model that may call twenty calls a wrong one too often.

Seen with 1.5 B parameters: "Which scheme is unconditionally stable?" listed the running jobs.
"""

import re

from assistant.models.intent import ABOUT_THE_PLATFORM, SAFE
from assistant.models.offered import OfferedTool
from assistant.models.questions import is_follow_up
from assistant.models.turns import Turn

Tools = dict[str, OfferedTool]

READS_TEXT = ("search_materials", "read_material")
_ENGLISH_QUESTION = re.compile(
    r"^\W*(?:(?:and|but|so|then|also|please|can you|could you)\b[\s,]*)*"
    r"(?:what|why|how|who|whom|whose|when|where|which|is|are|was|were|does|do|did|can|could|should|would"
    r"|explain|define|describe|compare|summari[sz]e|tell me)\b",
    re.IGNORECASE,
)
_PLACE = re.compile(r"\b(?:pages?|slides?|chapters?|sections?|p\.|pp\.)\s*\d|\bsummari[sz]e\b", re.IGNORECASE)


def fitting(turn: Turn, tools: Tools) -> Tools:
    """The tools to choose from, the search first. A question about a subject gets what reads material, any other question
    what reads at all, and only a request that is no question gets tools with an effect."""
    first = {name: tools[name] for name in READS_TEXT if name in tools}
    if not first:
        return tools
    text = turn.question
    asks = bool(_ENGLISH_QUESTION.match(text)) or is_follow_up(text, turn)
    if asks and not ABOUT_THE_PLATFORM.search(text):
        return (
            first
            if _PLACE.search(text)
            else {n: t for n, t in first.items() if n == "search_materials"} or first
        )
    reads_only = asks or text.rstrip().endswith("?")
    return first | {n: t for n, t in tools.items() if SAFE.match(n) or not reads_only}
