"""Questions out of the text of a past exam paper: numbers, parts, points, options, and where each stands. Pure."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from tools.study.keys import QuestionType
from tools.study.paper_lines import Page, PrintedLine, is_rule, printed_lines, without_points
from tools.study.paper_types import BLANK, CHOOSES, TELLS, guessed

__all__ = ["Page", "PaperOption", "PaperPlace", "PaperQuestion", "paper_questions"]


@dataclass(frozen=True, slots=True)
class PaperOption:
    letter: str
    """As printed, in lower case: "a"."""
    text: str


@dataclass(frozen=True, slots=True)
class PaperPlace:
    """Characters [start, end) of a segment's text. A question that runs over a page has several."""

    segment: int
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class PaperQuestion:
    """A question that is to be answered by itself: of "3 (a), (b), (c)" each of the parts."""

    number: str
    """As a person says it: "3", "3 (b)", "3 (b) (ii)"."""
    text: str
    """Without its number, its points and its options, on as few lines as it has paragraphs."""
    type: QuestionType
    """As its form and its words suggest; short_answer when nothing does."""
    places: tuple[PaperPlace, ...]
    """At least one, in the order of the paper."""
    points: float | None = None
    """As printed."""
    options: tuple[PaperOption, ...] = ()
    context: str = ""
    """What the question above says, for a part: "A ball is thrown upwards at 12 m/s."."""
    section: str | None = None
    """The heading that it stands under: "Section B"."""
    answer_lines: int = 0
    """Lines left for the answer, which hint at its length."""


MOST_NUMBER = 99
OPTION_WORDS = 8
"""Of what is offered under a question that does not say "which of the following"; a longer text is a part of it."""
ROMAN = ("i", "ii", "iii", "iv", "v", "vi", "vii", "viii", "ix", "x", "xi", "xii")

_NAMED = re.compile(
    r"^(?:question|q\.?|frage|aufgabe|problem|exercise|task|übung)\s*(?:no\.?|nr\.?)?\s*(?P<number>\d{1,2})\b(?!\s*[.,]\d)\s*[.:)–-]?\s*",
    re.IGNORECASE,
)
_DOTTED = re.compile(r"^(?P<number>\d{1,2})\s?[.)](?!\d)(?:\s+|$)")
_DECIMAL = re.compile(
    r"^(?:(?:teil)?aufgabe\s+|question\s+|task\s+|exercise\s+)?(?P<number>\d{1,2})\.(?P<part>\d{1,2})[.):]?\s+(?=\S)",
    re.IGNORECASE,
)
_BARE = re.compile(r"^(?P<number>\d{1,2})(?:\s+(?=[A-ZÄÖÜ(„“\"'$])|$)")
_PART = re.compile(r"^\(?(?P<letter>[a-z]|[ivx]{2,4})(?:\)|\.(?=\s|$))(?:\s+|$)")
_OPTION = re.compile(
    r"^(?:\(?(?P<letter>[A-H])[).:]\s*|(?P<bare>[A-H])\s{1,}(?=\S)|(?P<box>[☐□○◯❏]|\[\s?\]|\(\s\))\s*)(?P<text>.*)$"
)
_INLINE = re.compile(r"(?:(?<=\s)|^)\(?([A-H])[).]\s+")
_SECTION = re.compile(
    r"^(?P<name>(?:section|part|teil|abschnitt|block)\s+(?:[A-Z]|\d{1,2}|[IVX]{1,4}))\b(?P<rest>.{0,80})$",
    re.IGNORECASE,
)
_KIND = re.compile(
    r"^(?:\W*)(?:multiple[- ]choice|true\s*(?:/|or|and)\s*false|short[- ]answers?|essays?|fill in the blanks?|matching|richtig oder falsch|wahr oder falsch|lückentext|kurzantworten|offene fragen)(?:\s+(?:questions?|fragen|aufgaben))?\W*(?:\(.*\))?\W*$",
    re.IGNORECASE,
)
_INSTRUCTION = re.compile(
    r"\b(?:answer (?:all|any|every|the questions)|calculators?|write (?:your|in)|your name|candidate number|time allowed|minutes|you (?:may|must|are|have)|do not (?:open|write|use)|permitted|allowed|instructions?|taschenrechner|hilfsmittel|bearbeitungszeit|schreiben sie (?:ihren|auf|mit)|matrikelnummer|erlaubt|zugelassen|handys?|mobile|phones?|bewertet|ausweis)\b",
    re.IGNORECASE,
)


@dataclass(slots=True)
class _Node:
    """A question or a part while it is read."""

    number: str
    key: str
    """What the next of its kind follows: "3", "b", "ii"."""
    level: int
    section: str | None
    kind_hint: str = ""
    lines: list[tuple[PrintedLine, str]] = field(default_factory=list)
    options: list[PaperOption] = field(default_factory=list)
    points: float | None = None
    answer_lines: int = 0
    parts: list["_Node"] = field(default_factory=list)
    places: list[PaperPlace] = field(default_factory=list)

    def take(self, line: PrintedLine) -> None:
        """The line is part of the question's place."""
        last = self.places[-1] if self.places else None
        if last is not None and last.segment == line.segment:
            self.places[-1] = PaperPlace(line.segment, last.start, line.end)
        else:
            self.places.append(PaperPlace(line.segment, line.start, line.end))

    def reach(self, place: PaperPlace) -> None:
        """The place of a part is a part of the question's."""
        last = self.places[-1]
        if last.segment == place.segment:
            self.places[-1] = PaperPlace(place.segment, last.start, max(last.end, place.end))
        else:
            self.places.append(place)

    def text(self) -> str:
        said = ""
        for line, text in self.lines:
            if said.endswith("-") and text[:1].islower():
                said = f"{said[:-1]}{text}"
            elif said:
                said += ("\n" if line.after_gap else " ") + text
            else:
                said = text
        return said.strip()


class _Reader:
    """Goes through the lines once, keeping the path of the open question: question, part, subpart."""

    def __init__(self) -> None:
        self.questions: list[_Node] = []
        self.path: list[_Node] = []
        self.section: str | None = None
        self.kind_hint = ""
        self.named = False
        """Questions are called "Question 3": then a number alone begins none."""
        self.fresh = True
        """Numbers may begin at 1 again."""

    def read(self, line: PrintedLine) -> None:
        if self._is_section(line):
            return
        rest = self._heads(line)
        if not self.path:
            return
        node = self.path[-1]
        node.take(line)
        text, points, is_total = without_points(rest)
        if points is not None and is_total:
            self.path[0].points = points
        elif points is not None:
            node.points = (node.points or 0) + points if node.lines and node.points else points
        if is_rule(text):
            node.answer_lines += 1
        elif text and not self._options(node, text):
            self._add(node, line, text)

    def _is_section(self, line: PrintedLine) -> bool:
        found, kind = _SECTION.match(line.text), _KIND.match(line.text)
        if found and not (self.path and found["rest"].strip().endswith((".", "?"))):
            self.section, self.kind_hint = " ".join(found["name"].split()), found["rest"]
        elif kind:
            self.section, self.kind_hint = self.section, line.text
        else:
            return False
        self.path, self.fresh = [], True
        return True

    # --- numbers

    def _heads(self, line: PrintedLine) -> str:
        """Open the questions and parts that the line begins; gives what stands behind their numbers."""
        rest, moved = line.text, True
        began = False
        while moved:
            moved = False
            for step in (self._question, self._decimal, self._part):
                if step is self._question and began:
                    continue
                left = step(rest, line)
                if left is not None:
                    rest, moved, began = left, True, True
                    break
        return rest

    def _question(self, text: str, line: PrintedLine) -> str | None:
        found = _NAMED.match(text)
        if found:
            self.named = True
            return self._open_question(int(found["number"]), text[found.end() :])
        if self.named:
            return None
        found = _DOTTED.match(text) or _BARE.match(text)
        if not found:
            return None
        number = int(found["number"])
        return self._open_question(number, text[found.end() :]) if self._follows(number) else None

    def _follows(self, number: int) -> bool:
        """Whether this can be the next question. One may be missing, where the extraction lost its number."""
        if not self.questions:
            return number == 1
        last = int(self.questions[-1].key)
        if self.fresh or (number == 1 and last > 1 and self._were_instructions()):
            return number in (1, last + 1)
        return number in (last + 1, last + 2) and number <= MOST_NUMBER

    def _were_instructions(self) -> bool:
        """Whether what was numbered up to here are the rules on the cover."""
        texts = [question.text() for question in self.questions]
        hits = sum(bool(_INSTRUCTION.search(text)) for text in texts)
        return 2 * hits >= len(texts) and not any(q.points for q in self.questions)

    def _open_question(self, number: int, rest: str) -> str:
        if number == 1 and self.questions and self._were_instructions():
            self.questions.clear()
        node = _Node(str(number), str(number), 0, self.section, self.kind_hint)
        self.questions.append(node)
        self.path, self.fresh = [node], False
        return rest

    def _decimal(self, text: str, line: PrintedLine) -> str | None:
        """ "2.1" is a part of question 2, opened by it where it has no line of its own."""
        found = _DECIMAL.match(text)
        if not found or len(self.path) > 2:
            return None
        number, part = int(found["number"]), int(found["part"])
        here = self.path[0] if self.path else None
        if here is None or here.key != str(number):
            if part != 1 or not self._follows(number):
                return None
            self._open_question(number, "")
            here = self.path[0]
        done = [one.key for one in here.parts]
        if part != len(done) + 1:
            return None
        self._open_part(here, str(part), f"{number}.{part}")
        return text[found.end() :]

    def _part(self, text: str, line: PrintedLine) -> str | None:
        found = _PART.match(text)
        if not found or not self.path:
            return None
        key = found["letter"]
        for parent in reversed(self.path):
            if self._is_next_part(parent, key):
                if self._are_options(parent, key):
                    return None
                self._open_part(parent, key, f"{parent.number} ({key})")
                return text[found.end() :]
        return None

    def _is_next_part(self, parent: _Node, key: str) -> bool:
        if parent.parts:
            last = parent.parts[-1].key
            if last in ROMAN and parent.parts[0].key == "i":
                return ROMAN.index(last) + 1 < len(ROMAN) and key == ROMAN[ROMAN.index(last) + 1]
            return len(last) == 1 and last.isalpha() and len(key) == 1 and ord(key) == ord(last) + 1
        return parent.level < 2 and key in ("a", "i") and not parent.options

    def _are_options(self, parent: _Node, key: str) -> bool:
        """Whether lower-case letters under this question are what can be chosen from."""
        asks = bool(CHOOSES.search(parent.text())) or "choice" in parent.kind_hint.casefold()
        return asks and not parent.parts

    def _open_part(self, parent: _Node, key: str, number: str) -> None:
        node = _Node(number, key, parent.level + 1, parent.section, parent.kind_hint)
        parent.parts.append(node)
        self.path = [*self.path[: self.path.index(parent) + 1], node]

    # --- what stands in a question

    def _options(self, node: _Node, text: str) -> bool:
        """Take the line as one or more options."""
        inline = list(_INLINE.finditer(text))
        if len(inline) > 1 and inline[0].start() == 0 and self._next_letter(node) == inline[0][1].lower():
            ends = [found.start() for found in inline[1:]] + [len(text)]
            for mark, end in zip(inline, ends, strict=True):
                node.options.append(PaperOption(mark[1].lower(), text[mark.end() : end].strip()))
            return True
        lower = _PART.match(text)
        if lower and self._are_options(node, lower["letter"]) and self._next_letter(node) == lower["letter"]:
            node.options.append(PaperOption(lower["letter"], text[lower.end() :].strip()))
            return True
        found = _OPTION.match(text)
        if not found or not node.lines:
            return False
        letter = (found["letter"] or found["bare"] or self._next_letter(node)).lower()
        # "A ball is thrown": a letter without a bracket is an option only in a row, or where one is asked for.
        if found["bare"] and not (
            node.options or CHOOSES.search(node.text()) or node.text().endswith(("?", ":"))
        ):
            return False
        if letter != self._next_letter(node):
            return False
        node.options.append(PaperOption(letter, found["text"].strip()))
        return True

    def _next_letter(self, node: _Node) -> str:
        return chr(ord("a") + len(node.options))

    def _add(self, node: _Node, line: PrintedLine, text: str) -> None:
        """Words of the question, or of its last option that runs on."""
        if node.options and not line.after_gap:
            last = node.options[-1]
            node.options[-1] = PaperOption(last.letter, f"{last.text} {text}".strip())
        else:
            node.lines.append((line, text))


def _offer_choices(node: _Node) -> bool:
    """Whether what looked like parts are options: three or more short phrases that end a sentence or answer a question, no
    points of their own, under words that tell nobody to do anything."""
    stem = node.text()
    return (
        len(node.parts) >= 3
        and bool(stem)
        and not stem.endswith((".", ";"))
        and not TELLS.match(stem)
        and all(_is_phrase(part) for part in node.parts)
    )


def _is_phrase(part: _Node) -> bool:
    text = part.text()
    return (
        not (part.parts or part.points or part.options)
        and 0 < len(text.split()) <= OPTION_WORDS
        and not text.endswith("?")
        and not TELLS.match(text)
    )


def paper_questions(segments: Sequence[Page]) -> list[PaperQuestion]:
    """The questions of a paper, in order; none when the text has no numbered questions."""
    reader = _Reader()
    for line in printed_lines(segments):
        reader.read(line)
    if reader._were_instructions() and len(reader.questions) > 1:
        return []
    return [made for node in reader.questions for made in _leaves(node, "")]


def _leaves(node: _Node, context: str) -> list[PaperQuestion]:
    text = node.text()
    if node.parts and _offer_choices(node):
        node.options = [PaperOption(part.key, part.text()) for part in node.parts]
        for part in node.parts:
            for place in part.places:
                node.reach(place)
    elif node.parts:
        above = "\n".join(filter(None, (context, text)))
        return [made for part in node.parts for made in _leaves(part, above)]
    if not text and not node.options:
        return []
    return [
        PaperQuestion(
            number=node.number,
            text=BLANK.sub("____", text),
            type=guessed(text, [option.text for option in node.options], f"{context} {node.kind_hint}"),
            places=tuple(node.places),
            points=node.points,
            options=tuple(node.options),
            context=context,
            section=node.section,
            answer_lines=node.answer_lines,
        )
    ]
