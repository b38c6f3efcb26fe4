"""Commands about tests, cards, documents and progress: "quiz me on chapter 3", "ten hard ones on what I got wrong", "what's
due?", "export the deck Biology to Anki", "make a two page cheat sheet of the decay book", "what am I weak at?"."""

import re

from assistant.models.arguments import Slots
from assistant.models.items import bare_name
from assistant.models.offered import OfferedTool

Tools = dict[str, OfferedTool]

_I = re.IGNORECASE
_NUMBERS = {
    "a": 1, "an": 1, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9,
    "ten": 10, "twelve": 12, "fifteen": 15, "twenty": 20, "thirty": 30, "forty": 40, "fifty": 50, "hundred": 100,
    "a dozen": 12, "a hundred": 100, "a few": 5, "some": 10,
}  # fmt: skip
_COUNT = rf"(?P<count>\d{{1,3}}|{'|'.join(sorted(_NUMBERS, key=len, reverse=True))})"
_TYPES = {
    r"multiple[- ]choice|mcqs?": "multiple_choice",
    r"multiple[- ]answer": "multiple_answer",
    r"true[- ](?:or|/|and)[- ]?false|true/false|t/f": "true_false",
    r"fill[- ]in[- ](?:the[- ])?(?:blanks?|gaps?)|cloze|gap": "cloze",
    r"short[- ]answer|open": "short_answer",
    r"matching": "matching",
    r"ordering": "ordering",
}
_TYPE = "|".join(_TYPES)
_LEVEL = r"(?P<level>easy|simple|medium|hard(?:er)?|difficult|challenging|tough)"
_LEVELS = {"easy": "easy", "simple": "easy", "medium": "medium"}
_MAKE = r"(?:(?:make|create|generate|write|prepare|give|build|set|get)\s+(?:me\s+)?)"
_ON = r"(?:\s+(?:on|about|from|of|for|over|out of|covering)\s+(?P<topic>.+))?"
_WRONG = re.compile(
    r"(?:(?:what|the ones|those|everything|things|questions?|topics?|stuff)\s+)?(?:that\s+)?i\s+(?:got|answered|had|did|keep getting|have got(?:ten)?)\s+(?:wrong|incorrect(?:ly)?)|my (?:mistakes|wrong answers|errors|weak (?:spots|topics|points|areas))|what i(?:'m| am) (?:weak|bad) at",
    _I,
)
_QUIZ = re.compile(
    rf"(?:quiz|test|examine|drill|question)\s+me(?:\s+(?:with|by)\s+{_COUNT}\s+(?:{_LEVEL}\s+)?(?:questions?|ones?))?{_ON}",
    _I,
)
_TEST = re.compile(
    rf"(?:{_MAKE})?(?:(?:a|an|the|another|new)\s+)?(?:{_COUNT}\s+)?(?:(?:more|new|other|short|practice|mock|little|long)\s+)*(?:{_LEVEL}\s+)?(?:(?:practice|mock)\s+)?(?:(?P<type>{_TYPE})\s+)?"
    rf"(?:(?P<noun>test|quiz|exam|questions?|ones)(?:es|s)?)(?:\s+with\s+(?P<count2>\d{{1,3}})\s+questions?)?{_ON}",
    _I,
)


def make_test(text: str, tools: Tools) -> Slots | None:
    """A test on a topic, of a material, or on what went wrong."""
    match = _QUIZ.fullmatch(text) or _TEST.fullmatch(text)
    if match is None or "generate_test" not in tools:
        return None
    groups = match.groupdict()
    asked = re.match(_MAKE, text, _I) or match.re is _QUIZ or (groups.get("count") and groups["topic"])
    if not asked:
        return None
    values: dict[str, object] = {}
    if count := _number(groups.get("count2") or groups.get("count")):
        values["count"] = count
    if groups.get("level"):
        values["difficulty"] = _LEVELS.get(groups["level"].lower(), "hard")
    if groups.get("type"):
        values["types"] = [_type_of(groups["type"])]
    return Slots("generate_test", "test", values=values | _about(groups["topic"]))


def _number(said: str | None) -> int | None:
    if said is None or said.lower() in ("a", "an"):
        return None
    return int(said) if said.isdigit() else _NUMBERS.get(said.lower())


def _type_of(said: str) -> str:
    return next(name for pattern, name in _TYPES.items() if re.fullmatch(pattern, said, _I))


_OF_MATERIAL = re.compile(
    r"(?:(?P<topic>.+?)\s+(?:of|in|from)\s+)?(?:(?:the|my|this|our)\s+)?(?P<item>[\"“'].+[\"”']|.*\b(?:book|textbook|slides|lecture|recording|video|handout|paper|script|document|file|material|notes)\b.*)",
    _I,
)


def _about(topic: str | None) -> dict[str, object]:
    """What a request is about: mistakes, a material, a part of one, or a subject."""
    if not topic:
        return {}
    if _WRONG.fullmatch(topic.strip()):
        return {"from_wrong_answers": True}
    match = _OF_MATERIAL.fullmatch(topic.strip())
    if match is None:
        return {"topic": topic.strip(" \"'“”")}
    name = bare_name(match["item"]) or match["item"].strip(" \"'“”")
    part = {"topic": match["topic"].strip()} if match["topic"] else {}
    return {"material_ids": [name], **part}


_CARDS = re.compile(
    rf"(?:{_MAKE})(?:(?:a|an|the|new|some)\s+)?(?:{_COUNT}\s+)?(?:(?:more|new)\s+)*(?:(?P<type>basic|reversed|cloze|multiple[- ]choice)\s+)?(?:deck(?: of (?:flash)?cards)?|flash ?cards?|cards|anki cards){_ON}",
    _I,
)


def make_cards(text: str, tools: Tools) -> Slots | None:
    """Flashcards on a topic or of a material."""
    match = _CARDS.fullmatch(text)
    if match is None:
        return None
    values: dict[str, object] = {}
    if count := _number(match["count"]):
        values["count"] = count
    if match["type"]:
        values["types"] = [match["type"].lower().replace(" ", "_").replace("-", "_")]
    return Slots("generate_flashcards", "deck", values=values | _about(match["topic"]))


_DOCUMENTS = {
    r"(?:cheat[- ]?sheet|formula sheet|crib sheet)": "cheat_sheet",
    r"(?:study|revision|review)[- ]guide": "study_guide",
    r"(?:answers? (?:to|for)|solutions? (?:to|for)|answer sheet (?:to|for))(?: (?:the|this|my))?(?: past)?(?: exam)? paper": "past_paper_answers",
    r"(?:quiz[- ]?sheet|worksheet|printable (?:quiz|test))": "quiz_sheet",
}
_KIND = "|".join(_DOCUMENTS)
_PAPER = re.compile(r"\b(?P<pages>one|two|1|2)[- ]?(?:pages?|sided?)\b", _I)
_SHEET = re.compile(
    rf"(?:{_MAKE})?(?:(?:a|an|the|new)\s+)?(?:(?:one|two|1|2)[- ]?(?:pages?|sided?)\s+)?(?P<kind>{_KIND})(?:\s+(?:of|with|on)\s+(?:one|two|1|2)\s+pages?)?{_ON}",
    _I,
)
_ANSWERS = re.compile(
    r"(?:answer|solve|work through)\s+(?:the\s+|this\s+|my\s+)?(?:past (?:exam )?|exam |old )paper\s*(?P<topic>.*)",
    _I,
)


def make_document(text: str, tools: Tools) -> Slots | None:
    """A cheat sheet, a study guide, answers to a past paper, a sheet of questions."""
    if "generate_document" not in tools:
        return None
    if match := _ANSWERS.fullmatch(text):
        named = _about(f'"{match["topic"].strip()}"') if match["topic"].strip() else {}
        return Slots("generate_document", "document", values={"kind": "past_paper_answers", **named})
    match = _SHEET.fullmatch(text)
    if match is None or not (re.match(_MAKE, text, _I) or match["topic"]):
        return None
    kind = next(name for pattern, name in _DOCUMENTS.items() if re.fullmatch(pattern, match["kind"], _I))
    values: dict[str, object] = {"kind": kind}
    if pages := _PAPER.search(text):
        values["pages"] = {"one": 1, "two": 2}.get(pages["pages"].lower()) or int(pages["pages"])
    return Slots("generate_document", "document", values=values | _about(match["topic"]))


_DUE = re.compile(
    r"(?:what(?:'s| is| are)?|which|how many|show(?: me)?(?: my)?|list(?: my)?|any|(?:do i have|are there)(?: any)?)\s+(?:flash)?cards?\b.*\b(?:due|to (?:review|study|learn)|waiting|today|left)\b.*"
    r"|(?:(?:let me|let's|i want to|start(?: a)?)\s+)?(?:review|study|practi[sc]e|go through|learn)\s+(?:(?:my|the|due)\s+)*(?:flash)?cards?(?: (?:now|today))?(?:\s+(?:of|in|from|for)\s+(?P<deck>.+))?"
    r"|what should i (?:review|study|learn) (?:now|today|next)"
    r"|(?:what(?:'s| is)|is (?:anything|there anything)) due(?: (?:now|today))?(?: (?:for|to) (?:review|revision))?",
    _I,
)


def due_cards(text: str, tools: Tools) -> Slots | None:
    """Cards that are to be reviewed. A bare "what's due?" is answered with cards; assignments have a rule of their own."""
    match = _DUE.fullmatch(text)
    if match is None or "get_due_cards" not in tools:
        return None
    named = bare_name(match["deck"]) or match["deck"] if match["deck"] else None
    return Slots("get_due_cards", "deck", values={"deck_id": named} if named else {})


_EXPORT = re.compile(
    r"(?:export|download|save|convert|send|give me)\s+(?:(?:my|the|this)\s+)?(?:(?P<what>deck|cards|flashcards|test|cheat sheet|study guide|summary|document|quiz sheet)\s+)?(?:(?:called|named|of|for|on)\s+)?[\"“']?(?P<name>.*?)[\"”']?\s*(?:\s+(?:deck|cards))?\s*(?:to|as|in|into|for)\s+(?:an?\s+)?(?P<format>anki|apkg|csv|word|docx|pdf|html|markdown|md|json|text|txt)(?:\s+(?:file|package|deck|format))?",
    _I,
)
_FORMATS = {"anki": "apkg", "word": "docx", "markdown": "md", "text": "txt"}
_OF_DECKS = ("apkg", "csv", "txt")


def export(text: str, tools: Tools) -> Slots | None:
    """A deck for Anki, a document as a file."""
    match = _EXPORT.fullmatch(text)
    if match is None:
        return None
    said = match["format"].lower()
    kind = _FORMATS.get(said, said)
    what = (match["what"] or "").lower()
    is_deck = what in ("deck", "cards", "flashcards") or (not what and kind in _OF_DECKS)
    tool, noun = ("export_deck", "deck") if is_deck else ("export_document", "document")
    values: dict[str, object] = {"format": kind}
    if name := match["name"].strip(" \"'“”"):
        values[f"{noun}_id"] = name
    return Slots(tool, noun, values=values)


_WEAK = re.compile(
    r"(?:what|which|where)\b.*\b(?:am i|are my|i(?:'m| am))\b.*\b(?:weak\w*|bad|worst|struggl\w+|wrong)\b.*|(?:show(?: me)?|list|what are)\s+my (?:weak|weakest|worst) (?:topics?|points?|spots?|areas?|subjects?)|what (?:do|did|have) i (?:get|got|gotten|keep getting) wrong",
    _I,
)
_PROGRESS = re.compile(
    r"how (?:am i|are my studies|is my (?:study|studying|learning)|are things) (?:doing|going|getting on|progressing)(?: (?:in|with)\s+(?P<class>.+))?|(?:show(?: me)?|what(?:'s| is))\s+my (?:learning |study )?(?:progress|statistics|stats|streak|accuracy|retention)(?: (?:in|for)\s+(?P<class2>.+))?|how much (?:have|did) i (?:studied|study|learn(?:ed)?)(?: .*)?",
    _I,
)


def progress(text: str, tools: Tools) -> Slots | None:
    """How it goes, and what does not."""
    if "get_weak_topics" in tools and _WEAK.fullmatch(text):
        return Slots("get_weak_topics", "topic")
    match = _PROGRESS.fullmatch(text)
    if match is None:
        return None
    name = match["class"] or match["class2"]
    return Slots("get_progress", "progress", values={"class_id": bare_name(name) or name} if name else {})


_START = re.compile(
    r"(?:start|begin|take|continue|resume|go on with|do)\s+(?:with\s+)?(?:my\s+|the\s+|this\s+)?(?:test|quiz|exam)\s*(?:called\s+|named\s+|on\s+)?[\"“']?(?P<name>[^\"”']*)[\"”']?",
    _I,
)
_ANSWER = re.compile(
    r"(?:(?:question|answer|no\.?|number)\s*(?P<named>\d{1,3})\s*[:.)=]?|(?P<number>\d{1,3})\s*[:)=])\s*(?P<response>\S.*)",
    _I,
)
_HAND_IN = re.compile(
    r"(?:hand|turn) (?:it |the test |my test )?in|submit(?: (?:it|the (?:test|quiz)|my (?:test|answers)))?|(?:i am|i'm) done with the (?:test|quiz)",
    _I,
)
_SEVERAL = re.compile(r"\s*(?:,|;|\band\b)\s*", _I)


def take_test(text: str, tools: Tools) -> Slots | None:
    """Beginning a test, answering ("3: b", "4: a, c") and handing in."""
    if match := _ANSWER.fullmatch(text):
        return Slots(
            "answer_question",
            "question",
            values={
                "number": int(match["number"] or match["named"]),
                "response": _response(match["response"]),
            },
        )
    if _HAND_IN.fullmatch(text):
        return Slots("submit_test", "test")
    match = _START.fullmatch(text)
    if match is None:
        return None
    return Slots(
        "start_test", "test", values={"test_id": match["name"].strip()} if match["name"].strip() else {}
    )


def _response(said: str) -> object:
    if re.fullmatch(r"true|false", said, _I):
        return said.lower() == "true"
    parts = _SEVERAL.split(said)
    return parts if len(parts) > 1 and all(re.fullmatch(r"[a-z]", one, _I) for one in parts) else said


RULES = (take_test, make_document, make_cards, make_test, due_cards, export, progress)
