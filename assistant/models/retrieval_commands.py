"""Commands that ask why search misses something: 'why did the search for "enzymes" miss chapter 4 of the script?'"""

import re

from assistant.models.arguments import Slots
from assistant.models.offered import OfferedTool
from assistant.models.study_commands import material

Tools = dict[str, OfferedTool]

_I = re.IGNORECASE
_QUERY = r"[\"“«](?P<query>[^\"”»]{1,300})[\"”»]"
_PLACE = (
    r"(?:the\s+|my\s+)?(?:(?:chapter|section|§)\s*(?P<section>\d{1,3}(?:\.\d{1,3}){0,4})|(?:page|slide|minute)\s*(?P<page>\d{1,5}))"
    r"\s*(?:of|in|from)\s+"
)
_WHAT = rf"(?:{_PLACE})?(?P<item>[^\"“”]{{2,200}}?)"
_WHY = (
    re.compile(
        rf"why (?:did|does|do|has|didn'?t|doesn'?t|don'?t) (?:you|(?:the |my |a |your )?search) for {_QUERY}"
        rf" (?:not |n't )?(?:miss(?:ed)?|find|found|show|overlook(?:ed)?) {_WHAT}",
        _I,
    ),
    re.compile(
        rf"why (?:is|was|are) {_WHAT} not (?:found|shown|listed) (?:by|for|when I search for) {_QUERY}", _I
    ),
    re.compile(
        rf"why (?:isn't|wasn't|aren't) {_WHAT} (?:found|shown|listed) (?:by|for|when I search for) {_QUERY}",
        _I,
    ),
    re.compile(rf"explain (?:the )?search(?: results)? for {_QUERY}(?: and {_WHAT})?", _I),
)


def explain(text: str, tools: Tools) -> Slots | None:
    """Which query, and the material with its chapter or page that should have been found."""
    match = next((m for pattern in _WHY if (m := pattern.fullmatch(text))), None)
    if match is None:
        return None
    values: dict[str, object] = {"query": match["query"]}
    if match["item"]:
        values["expected_material_id"] = material(match["item"])
    if match["section"]:
        values["expected_section"] = match["section"]
    if match["page"]:
        values["expected_page"] = int(match["page"])
    return Slots("explain_search", values=values)


RULES = (explain,)
