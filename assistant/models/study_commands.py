"""Commands about notes, assignments, web pages and recordings: "make notes from lecture 3", "what is due this week?",
"add an assignment essay due Friday for Biology", "add https://… to Biology", "read minute 12 of the recording"."""

import re

from assistant.models.arguments import Slots
from assistant.models.items import bare_name
from assistant.models.offered import OfferedTool
from tools.ingest.passages import seconds_of

Tools = dict[str, OfferedTool]

_I = re.IGNORECASE
_CLASS = r"(?:(?:my|the|our)\s+)?(?:(?:class|course|subject)\s+)?[\"“']?(?P<class>[^\"”']{1,80}?)[\"”']?(?:\s+(?:class|course|subject))?"

# --- a place in a recording

_TIME = r"\d{1,2}:\d{2}(?::\d{2})?"
_UNTIL = r"\s*(?:-|–|to|until|till|through|and)\s*"
_TIMES = rf"(?:(?:the\s+)?minutes?\s+(?P<m1>\d{{1,3}})(?:{_UNTIL}(?:minute\s+)?(?P<m2>\d{{1,3}}))?|(?:from\s+|at\s+|between\s+)?(?P<t1>{_TIME})(?:{_UNTIL}(?P<t2>{_TIME}))?)"
_READ_TIMES = (
    re.compile(
        rf"(?:read|show(?: me)?|open|play|go to|jump to|what (?:is|was|did (?:he|she|they|the \w+)) (?:said|say)(?: (?:in|at|from))?|what happens(?: at| in)?|transcript of)\s+{_TIMES}\s*,?\s*(?:of|in|from)\s+(?P<item>.+)",
        _I,
    ),
    re.compile(rf"(?:read|show(?: me)?|open|play)\s+(?P<item>.+?)[\s,]+(?:(?:at|from|in)\s+)?{_TIMES}", _I),
)


def read_times(text: str, tools: Tools) -> Slots | None:
    """What is said in a minute, or between two times, of a recording."""
    match = next((m for pattern in _READ_TIMES if (m := pattern.fullmatch(text))), None)
    if match is None or "t_start" not in getattr(tools.get("read_material"), "properties", {}):
        return None
    return Slots("read_material", "material", values={"material_id": material(match["item"]), **_span(match)})


def _span(match: re.Match[str]) -> dict[str, object]:
    """The times of a match: minute 12 lasts until 13:00; from a time alone it goes on for a minute."""
    if match["m1"]:
        first, last = int(match["m1"]), int(match["m2"] or match["m1"])
        return {"t_start": f"{first}:00", "t_end": f"{last if match['m2'] else last + 1}:00"}
    if not match["t1"]:
        return {}
    start = seconds_of(match["t1"]) or 0.0
    return {"t_start": match["t1"], "t_end": match["t2"] or str(int(start) + 60)}


def material(text: str) -> str:
    """What names a material; a bare "the recording" stays that word, which fits when there is only one."""
    return bare_name(text) or text.strip()


# --- notes

_KIND = r"(?P<kind>lecture|cornell|summary|outline)"
_NOTES = rf"(?:{_KIND}[- ](?:style\s+)?notes?|(?P<kind2>summary|outline)|notes?(?: in (?P<kind3>cornell|outline) (?:style|format))?)"
_PAGES = r"(?:pages?|pp?\.|slides?)\s*(?P<p1>\d{1,5})(?:\s*(?:-|–|to|through|until|and)\s*(?P<p2>\d{1,5}))?\s*(?:of|in|from)\s+"
_PLACE = rf"(?:{_PAGES}|{_TIMES}\s*(?:of|in|from)\s+)?"
_MAKE_NOTES = re.compile(
    rf"(?:(?:make|create|write|generate|prepare|take|produce|give me|get me)\s+(?:me\s+)?)?(?:(?:some|the|my|a|an|short|good|detailed|study)\s+)*{_NOTES}\s+(?:from|of|on|for|out of|about)\s+{_PLACE}(?P<item>.+)",
    _I,
)
_SUMMARIZE = re.compile(
    rf"summari[sz]e\s+(?!pages?\b|slides?\b)(?:{_TIMES}\s*(?:of|in|from)\s+)?(?P<item>(?:(?:my|the|this)\s+)?(?:.+\s+)?(?:lectures?|recordings?|videos?|podcast|book|textbook|slides|chapter|handout|paper|script|document|file|material)(?:\s+(?:called\s+)?.+)?|[\"“'].+[\"”'])",
    _I,
)
_MAKES = re.compile(r"^(?:make|create|write|generate|prepare|take|produce|give|get)\b", _I)


def make_notes(text: str, tools: Tools) -> Slots | None:
    """Notes out of a material or a part of it."""
    match = _MAKE_NOTES.fullmatch(text)
    if match is not None and not (
        _MAKES.match(text) or re.match(r"(?:cornell|lecture)?\s*notes? (?:from|of)\b", text, _I)
    ):
        return None
    kind = next((match[n] for n in ("kind", "kind2", "kind3") if match[n]), "lecture") if match else "summary"
    match = match or _SUMMARIZE.fullmatch(text)
    if match is None:
        return None
    values: dict[str, object] = {"material_id": material(match["item"]), "type": kind.lower(), **_span(match)}
    if match.re is _MAKE_NOTES and match["p1"]:
        values |= {"first": int(match["p1"]), "last": int(match["p2"] or match["p1"])}
    return Slots("make_notes", "material", values=values)


_FIND_NOTES = re.compile(
    r"(?:find|search(?: for)?|look for|show(?: me)?|list)\s+(?:(?:my|the|all)\s+)*notes?\s+(?:about|on|that (?:mention|contain)s?|mentioning|containing|with)\s+(?P<q>.+?)(?:\s+(?:in|for)\s+(?:my|the)\s+(?P<class>.+?)\s+(?:class|course))?"
    r"|which (?:of my )?notes (?:mention|contain|are about|talk about)\s+(?P<q2>.+)",
    _I,
)
_OPEN_NOTE = re.compile(
    r"(?:show(?: me)?|open|read(?: me)?|get|display)\s+(?:my |the )?note\s+(?:called |named |titled |on |about )?[\"“']?(?P<name>[^\"”']+)[\"”']?"
    r"|(?:show(?: me)?|open|read(?: me)?|get|display)\s+(?:my |the )?(?P<before>(?:cornell )?notes (?:on|from|of) .+|(?:summary|outline) of .+)",
    _I,
)
_APPEND = re.compile(
    r"(?:add|append|write)\s+(?:(?:this|the following)\s+)?to\s+(?:my |the )?note\s+(?:called |named )?[\"“']?(?P<name>[^:\"”']+?)[\"”']?\s*:\s*(?P<text>.+)",
    _I,
)


def notes(text: str, tools: Tools) -> Slots | None:
    """Finding, opening and adding to notes."""
    if match := _APPEND.fullmatch(text):
        return Slots(
            "update_note", "note", values={"note_id": match["name"].strip(), "append": match["text"]}
        )
    if match := _OPEN_NOTE.fullmatch(text):
        return Slots("get_note", "note", values={"note_id": (match["name"] or match["before"]).strip()})
    if match := _FIND_NOTES.fullmatch(text):
        values: dict[str, object] = {"query": (match["q"] or match["q2"]).strip("\"'“”")}
        return Slots("list_notes", "note", values=values | _named_class(match["class"]))
    return None


def _named_class(name: str | None) -> dict[str, object]:
    found = bare_name(name) if name else None
    return {"class_id": found} if found else {}


# --- web pages

_URL = r"(?P<url>https?://[^\s<>\"”]+[^\s<>\"”.,;:!?)\]])"
_ADD_URL = re.compile(
    rf"(?:(?:add|save|import|read|fetch|keep|store|upload|put|get)\s+)?(?:(?:this|the|a)\s+)?(?:(?:web\s?)?(?:page|site|link|article|url|video|file)\s*:?\s+)?{_URL}(?:\s+(?:to|in|into|for)\s+{_CLASS})?",
    _I,
)


def web_page(text: str, tools: Tools) -> Slots | None:
    """An address, with or without the class it is for."""
    match = _ADD_URL.fullmatch(text)
    if match is None:
        return None
    return Slots("add_web_page", "class", values={"url": match["url"], **_named_class(match["class"])})


# --- assignments

_WORK = r"(?:assignments?|home\s?work|to-?dos?|deadlines?|due dates?)"
_TYPES = {
    "homework": "homework", "essay": "homework", "worksheet": "homework", "problem set": "homework", "lab report": "homework",
    "reading": "reading", "quiz": "quiz", "test": "test", "midterm": "exam", "final": "exam", "exam": "exam",
    "project": "project", "presentation": "project", "paper": "homework",
}  # fmt: skip
_TYPE = "|".join(sorted(_TYPES, key=len, reverse=True))
_WHEN = r"(?P<when>today|tonight|tomorrow|yesterday|(?:by |until |before |on |this |next |the )*(?:(?:this|next|coming) )?(?:mon|tues|wednes|thurs|fri|satur|sun)day|(?:by |until |before |in )?(?:(?:this|next|the coming|the next) (?:week|weekend|month)|the (?:next )?(?:few |\d+ )?days|(?:the )?end of (?:the |this )?(?:week|month)))"
_IN = rf"(?:\s+(?:in|for)\s+{_CLASS})?"
_DUE = (
    re.compile(
        rf"(?:what(?:'s| is| are)?|is (?:there )?(?:anything|something)|which {_WORK} (?:is|are)|anything|what {_WORK} (?:is|are))\s+(?:still\s+|coming\s+)?(?:due|to be handed in|outstanding|coming up)(?:\s+{_WHEN})?{_IN}",
        _I,
    ),
    re.compile(
        rf"what (?:do|must|should) i (?:still )?(?:have|need|got)?\s*(?:to )?(?:do|hand in|submit|turn in|finish)(?: next)?(?:\s+{_WHEN})?{_IN}",
        _I,
    ),
    re.compile(
        rf"(?:(?:list|show(?: me)?|see|what are|what(?:'s| is)|do i have|have i got)\s+)?(?:(?:all|any|of|my|the|open|upcoming|unfinished|pending)\s+)*{_WORK}(?:\s+(?:do i have|have i|is there|are there|due|open))*(?:\s+{_WHEN})?{_IN}",
        _I,
    ),
)
_OVERDUE = re.compile(
    rf"(?:what(?:'s| is)|(?:is|am i) (?:there )?(?:anything|late with anything)|(?:list|show(?: me)?)(?: my)?|which (?:of my )?{_WORK} (?:is|are)|(?:do i have )?any)\s*(?:overdue|late|past due)?(?:\s*{_WORK})?(?:\s*(?:overdue|late|past due))?",
    _I,
)


def due(text: str, tools: Tools) -> Slots | None:
    """What is due, when, and in which class."""
    if _OVERDUE.fullmatch(text) and re.search(r"\b(?:overdue|late|past due)\b", text, _I):
        return Slots("list_assignments", "assignment", values={"overdue": True})
    match = next((m for pattern in _DUE if (m := pattern.fullmatch(text))), None)
    if match is None or "list_assignments" not in tools:
        return None
    values: dict[str, object] = {"status": "open", **_named_class(match["class"])}
    if match["when"]:
        when = re.sub(r"^(?:(?:by|until|before|on|in)\s+)+", "", match["when"].lower())
        values["due_to"] = re.sub(r"^the (?:coming|next) ", "next ", when)
        if not when.startswith(("this", "the", "end")):
            values["due_from"] = values["due_to"]
    is_about_work = match["when"] or re.search(rf"\b{_WORK}\b|hand|submit|turn in", text, _I)
    cards = None if is_about_work else Slots("get_due_cards", "deck", values=_named_class(match["class"]))
    return Slots("list_assignments", "assignment", values=values, also=cards)


_ADD_WORK = re.compile(
    r"(?:add|create|make|note|new|set|enter|i(?:'ve| have)? (?:got|have)?)\s*(?:a |an |the |my |another )?(?:new )?(?:(?P<noun>assignment|homework|deadline|to-?do|task)\b\s*:?\s*(?:called |named |titled )?)?(?P<rest>.+)",
    _I,
)
_REMIND = re.compile(r"remind me (?:to|about|of)\s+(?P<rest>.+)", _I)
_TO_DUE = re.compile(
    r"(?:^|[\s,]+)(?:(?:that )?(?:is |which is )?due(?: (?:by|on|in|until))?|by|until|on|before|for)\s+", _I
)
_TO_CLASS = re.compile(r"[\s,]+(?:in|for|to)\s+", _I)
_CLASS_NAME = re.compile(_CLASS, _I)
_DATE = re.compile(
    r"^(?:the\s+)?(?:today|tonight|tomorrow|(?:this |next |coming )?(?:mon|tue|wed|thu|fri|sat|sun)[a-z]*|(?:this|next) (?:week|weekend|month)|(?:the )?end of (?:the |this |next )?(?:week|month)|in (?:\d+|an?|one|two|three|four|five|six|seven) (?:hour|day|week)s?|\d{4}-\d{2}-\d{2}(?:[T ]\d{1,2}:\d{2}\S*)?|\d{1,2}(?:st|nd|rd|th|\.)? (?:of )?[a-z]+(?: \d{4})?|[a-z]+ \d{1,2}(?:st|nd|rd|th)?(?:,? \d{4})?)(?:,?\s*(?:at|by)?\s*(?:\d{1,2}(?::\d{2})?\s*(?:[ap]m)?|noon|midnight))?$",
    _I,
)


def add_assignment(text: str, tools: Tools) -> Slots | None:
    """ "add an assignment essay due Friday for Biology", "I have an exam in Physics on 12 December"."""
    match = _ADD_WORK.fullmatch(text) or _REMIND.fullmatch(text)
    if match is None or "create_assignment" not in tools:
        return None
    named = "noun" in match.groupdict() and match["noun"]
    title, when, name = _parted(match["rest"].strip())
    work = re.search(rf"\b({_TYPE})s?\b", f"{named or ''} {title}", _I)
    if not (named or (work and when) or (match.re is _REMIND and when)):
        return None
    title = title.strip(" \"'“”,:") or (work[1] if work else "")
    values: dict[str, object] = {"title": title[:1].upper() + title[1:]} if title else {}
    if when:
        values["due_at"] = when
    if work:
        values["type"] = _TYPES[work[1].lower()]
    return Slots("create_assignment", "assignment", values=values | _named_class(name))


def _parted(rest: str) -> tuple[str, str | None, str | None]:
    """Title, date and class, of which the last two may stand in either order behind the title."""
    rest, when = _date_at_end(rest)
    name = None
    if openings := list(_TO_CLASS.finditer(rest)):
        last = openings[-1]
        named = _CLASS_NAME.fullmatch(rest[last.end() :])
        name, rest = (named["class"], rest[: last.start()]) if named else (None, rest)
    if when is None:
        rest, when = _date_at_end(rest)
    return rest, when, name


def _date_at_end(rest: str) -> tuple[str, str | None]:
    for opening in _TO_DUE.finditer(rest):
        if _DATE.match(rest[opening.end() :]):
            return rest[: opening.start()], rest[opening.end() :]
    return rest, None


_DONE = (
    re.compile(
        r"(?:mark|set|tick(?: off)?|check off)\s+(?P<item>.+?)\s+(?:as\s+|to\s+)?(?P<status>done|finished|complete|completed|in progress|started|open|pending|not done)",
        _I,
    ),
    re.compile(r"(?P<item>.+?)\s+(?:is|are)\s+(?P<status>done|finished|completed|handed in|submitted)", _I),
    re.compile(
        r"i(?:'ve| have| am|'m)?\s+(?:just\s+|now\s+)?(?P<status>finished|completed|done with|done|handed in|submitted|turned in|started|working on)\s+(?P<item>.+)",
        _I,
    ),
)
_OF_WORK = re.compile(rf"\b(?:assignment|{_TYPE})s?\b|\bhome\s?work\b", _I)


def mark(text: str, tools: Tools) -> Slots | None:
    """How far one is: "mark the essay as done", "I finished the lab report"."""
    match = next((m for pattern in _DONE if (m := pattern.fullmatch(text))), None)
    if match is None or (match.re is not _DONE[0] and not _OF_WORK.search(match["item"])):
        return None
    said = match["status"].lower()
    status = "in_progress" if said in ("in progress", "started", "working on") else "done"
    status = "pending" if said in ("open", "pending", "not done") else status
    name = re.sub(r"^(?:the|my|our)\s+|\s*\bassignment\b\s*", "", match["item"], flags=_I).strip(" \"'“”")
    values: dict[str, object] = {"status": status}
    if name:
        values["assignment_id"] = name
    return Slots("update_assignment", "assignment", values=values)


RULES = (read_times, web_page, make_notes, notes, due, add_assignment, mark)
