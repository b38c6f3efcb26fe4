"""From a document's content to the blocks of its pages. Pure."""

from collections.abc import Callable, Sequence
from typing import Any

from tools.documents.content import (
    Answered,
    Asked,
    Citation,
    Content,
    Definition,
    Formula,
    Item,
    Options,
    Reading,
    Review,
    Statement,
    Table,
    Terms,
)
from tools.documents.maths.inline import Code, Plain, as_linear, formula, runs
from tools.documents.rendering.blocks import (
    Block,
    Bullets,
    Display,
    Grid,
    Heading,
    Mark,
    NameLine,
    Page,
    PageBreak,
    Paragraph,
    Part,
    Parts,
    Question,
    Source,
    Sources,
    cited,
    plain,
)

TEXT_SIZE = 10.5
SOURCES = "Sources"
NOT_FOUND = "Not in your material."
GROUPS = ("Key ideas", "Definitions", "Formulas", "Tables", "Examples", "Questions for review")
_GROUP_OF: dict[type[Any], str] = {
    Statement: "Key ideas",
    Definition: "Definitions",
    Formula: "Formulas",
    Table: "Tables",
    Review: "Questions for review",
}


def page_of(
    content: Content, citations: Sequence[Citation], options: Options, size: float | None = None
) -> Page:
    """`size`: of the text in points, where a cheat sheet has chosen one."""
    is_compact = content.kind == "cheat_sheet"
    blocks: list[Block] = [] if is_compact or not content.lead else [Paragraph(runs(content.lead), "lead")]
    blocks += _BODIES[content.kind](content)
    blocks += [] if is_compact else [Paragraph(runs(text), "small") for text in content.remarks]
    if citations:
        blocks += [] if is_compact else [Heading(1, plain(SOURCES))]
        blocks.append(Sources([_source(one) for one in citations]))
    return Page(
        title=content.title,
        subtitle=content.subtitle,
        blocks=blocks,
        paper=options.paper,
        columns=options.columns if is_compact else 1,
        size=size or TEXT_SIZE,
        is_compact=is_compact,
    )


def _source(one: Citation) -> Source:
    return Source(one.number, one.title, one.label, one.url)


# --- sections of points


def _sheet(content: Content) -> list[Block]:
    blocks: list[Block] = []
    for section in content.sections:
        if section.items:
            blocks.append(Heading(1, runs(section.heading)))
            blocks += _loose(section.items)
    return blocks


def _summary(content: Content) -> list[Block]:
    blocks: list[Block] = []
    for section in content.sections:
        blocks.append(Heading(1, runs(section.heading), section.place))
        blocks += _loose(section.items) or [
            Paragraph(plain("Nothing in this part stands on its own."), "small")
        ]
    return blocks


def _loose(items: Sequence[Item]) -> list[Block]:
    """Items one after the other; statements that follow each other make one list."""
    blocks: list[Block] = []
    for item in items:
        if isinstance(item, Statement | Definition):
            last = blocks.pop() if blocks and isinstance(blocks[-1], Bullets) else None
            before = last.items if isinstance(last, Bullets) else []
            blocks.append(Bullets([*before, _point(item)]))
        else:
            blocks += _ITEMS[type(item)](item)
    return blocks


def _point(item: Statement | Definition) -> Parts:
    if isinstance(item, Definition):
        if item.term.casefold() in item.text.casefold():
            return cited(item.text, item.cites, item.term)
        return [*plain(f"{item.term}: ", is_bold=True), *cited(item.text, item.cites)]
    example: Parts = plain("Example: ", is_bold=True) if item.is_example else []
    return [*example, *cited(item.text, item.cites)]


def _guide(content: Content) -> list[Block]:
    blocks: list[Block] = []
    for section in content.sections:
        blocks.append(Heading(1, runs(section.heading), section.place))
        for item in section.items:
            if isinstance(item, Terms):
                blocks += _terms(item)
        for name in GROUPS:
            group = [item for item in section.items if _group(item) == name]
            if group:
                blocks += [Heading(2, plain(name)), *_grouped(name, group)]
        blocks += [b for item in section.items if isinstance(item, Reading) for b in _reading(item)]
    return blocks


def _group(item: Item) -> str | None:
    if isinstance(item, Statement) and item.is_example:
        return "Examples"
    return _GROUP_OF.get(type(item))


def _grouped(name: str, items: Sequence[Item]) -> list[Block]:
    if name == "Questions for review":
        return [Bullets([_asked(item) for item in items if isinstance(item, Review)], is_numbered=True)]
    if name == "Examples":
        return [Bullets([cited(item.text, item.cites) for item in items if isinstance(item, Statement)])]
    return _loose(items)


def _asked(item: Review) -> Parts:
    answer = cited(f" {item.answer}", []) if item.answer else []
    return [*cited(item.question, item.cites), *answer]


def _terms(item: Terms) -> list[Block]:
    return [Paragraph([*plain("Key terms: ", is_bold=True), *plain(", ".join(item.terms))])]


def _reading(item: Reading) -> list[Block]:
    return [Paragraph([*plain("Where to read: ", is_bold=True), *cited(item.text, item.cites)])]


def _formula(item: Formula) -> list[Block]:
    made = formula(item.tex, is_display=True) if item.tex else as_linear(item.text) or Code(item.text)
    about = runs(item.about) if item.about else []
    return [Display(made, about, item.label or "", [Mark(n) for n in item.cites])]


def _table(item: Table) -> list[Block]:
    rows = [[runs(cell) for cell in row] for row in item.rows]
    caption = cited(item.caption or "Table", item.cites)
    return [Grid(rows, caption)]


def _review(item: Review) -> list[Block]:
    return [Paragraph(_asked(item))]


_ITEMS: dict[type[Any], Callable[[Any], list[Block]]] = {
    Formula: _formula,
    Table: _table,
    Terms: _terms,
    Reading: _reading,
    Review: _review,
}


# --- questions


def _answers(content: Content) -> list[Block]:
    blocks: list[Block] = []
    for section in content.sections:
        if len(content.sections) > 1 and section.heading:
            blocks.append(Heading(1, runs(section.heading), section.place))
        for item in section.items:
            if isinstance(item, Answered):
                blocks += _answered(item)
    return blocks


def _answered(item: Answered) -> list[Block]:
    points = f"{item.marks:g} {'mark' if item.marks == 1 else 'marks'}" if item.marks else ""
    options = [(letter_of(n), runs(text)) for n, text in enumerate(item.options)]
    text = [*runs(item.question), Plain(" "), *(Mark(n) for n in item.asked_at)]
    blocks: list[Block] = [Question(item.number, text, points, options)]
    if not item.is_found:
        return [*blocks, Paragraph(plain(NOT_FOUND, is_bold=True), "missing")]
    if item.answer:
        cites = list(dict.fromkeys(n for quote in item.quotes for n in quote.cites))
        blocks.append(Paragraph(cited(item.answer, cites), "answer"))
    blocks += [Paragraph(cited(f"“{quote.text}”", quote.cites), "quote") for quote in item.quotes]
    return blocks


def _quiz(content: Content) -> list[Block]:
    asked = [item for section in content.sections for item in section.items if isinstance(item, Asked)]
    total = sum(item.points for item in asked)
    blocks: list[Block] = [NameLine(f"{total:g}")]
    blocks += [_question(item) for item in asked]
    blocks += [PageBreak(), Heading(1, plain("Key"))]
    blocks += [b for item in asked for b in _key(item)]
    return blocks


_BOXES = {
    "multiple_choice": "circle",
    "multiple_answer": "square",
    "true_false": "circle",
    "ordering": "number",
}


def _question(item: Asked) -> Question:
    points = f"{item.points:g} {'point' if item.points == 1 else 'points'}"
    offered: list[tuple[str, Parts]] = [(one.id, runs(one.text)) for one in item.options]
    if item.form == "true_false":
        offered = [("", plain("True")), ("", plain("False"))]
    right = [(one.id, runs(one.text)) for one in item.right]
    box: Any = _BOXES.get(item.form, "letter")
    return Question(f"{item.number}", runs(_with_lines(item.text)), points, offered, box, right, item.lines)


def _with_lines(text: str) -> str:
    """Gaps of a cloze as lines to write on."""
    for n in range(1, 30):
        text = text.replace(f"{{{{{n}}}}}", "__________")
    return text


def _key(item: Asked) -> list[Block]:
    head: list[Part] = [Plain(f"{item.number}. ", is_bold=True), *runs(item.key), Plain(" ")]
    blocks: list[Block] = [Paragraph([*head, *(Mark(n) for n in item.cites)])]
    said = item.explanation or item.quote
    if said:
        text = said if item.explanation and item.explanation != item.quote else f"“{said}”"
        blocks.append(Paragraph(runs(text), "quote"))
    return blocks


def letter_of(place: int) -> str:
    """a, b, …, z, aa, ab, …"""
    return (letter_of(place // 26 - 1) if place >= 26 else "") + chr(ord("a") + place % 26)


_BODIES: dict[str, Callable[[Content], list[Block]]] = {
    "cheat_sheet": _sheet,
    "study_guide": _guide,
    "summary": _summary,
    "past_paper_answers": _answers,
    "quiz_sheet": _quiz,
}
