"""Sections of notes as Markdown, with numbered citations. Pure."""

from collections.abc import Callable, Sequence

from storage.locators import clock
from tools.markdown import escaped
from tools.notes.draft import Draft, Point, PointKind, Review
from tools.notes.reading import Sentence

GROUPS = {
    PointKind.DEFINITION: "Definitions",
    PointKind.FIGURE: "Numbers and dates",
    PointKind.EXAMPLE: "Examples",
}

Number = Callable[[Sentence], int]
"""Gives a sentence its number among the note's sources."""


def section_page(draft: Draft, type: str, place: str, number: Number) -> str:
    """One section; `place` says where it stands in the material (0:00 to 3:10, pages 3 to 5)."""
    where = f" ({place})" if place else ""
    head = f"## {escaped(draft.heading)}{where}"
    if not draft.points:
        return f"{head}\n\nNothing in this part stands on its own as a point."
    body = LAYOUTS[type](draft, number)
    return f"{head}\n\n{body}"


def _cited(point: Point, number: Number) -> str:
    marks = "".join(f"[{n}]" for n in dict.fromkeys(number(one) for one in point.evidence))
    return f"{_text(point)} {marks}"


def _text(point: Point) -> str:
    if point.marked_up:
        return point.text
    if point.term and point.term in point.text:
        before, _, behind = point.text.partition(point.term)
        return f"{escaped(before)}**{escaped(point.term)}**{escaped(behind)}"
    return escaped(point.text)


def _bullets(points: Sequence[Point], number: Number, indent: str = "") -> str:
    return "\n".join(f"{indent}- {_cited(point, number)}" for point in points)


def _lecture(draft: Draft, number: Number) -> str:
    """Points in the order of the material, then what was defined, counted and given as an example."""
    blocks = []
    plain = [point for point in draft.points if point.kind is PointKind.POINT]
    if plain:
        blocks.append(_bullets(plain, number))
    for kind, name in GROUPS.items():
        if of_kind := [point for point in draft.points if point.kind is kind]:
            blocks.append(f"**{name}**\n\n{_bullets(of_kind, number)}")
    if draft.terms:
        blocks.append(f"Key terms: {', '.join(escaped(term) for term in draft.terms)}")
    return "\n\n".join(blocks)


def _summary(draft: Draft, number: Number) -> str:
    return _bullets(draft.points, number)


def _outline(draft: Draft, number: Number) -> str:
    terms = ", ".join(f"**{escaped(term)}**" for term in draft.terms[:4])
    lead = [f"- {terms}"] if terms else []
    return "\n".join([*lead, _bullets(draft.points, number, "  " if terms else "")])


def _cornell(draft: Draft, number: Number) -> str:
    """Cues beside notes, questions for review and a summary below (Pauk, "How to Study in College")."""
    rows = [
        f"| {_cell(escaped(point.cue or ''))} | {_cell(_cited(point, number))} |" for point in draft.points
    ]
    table = "\n".join(["| Cues | Notes |", "|---|---|", *rows])
    blocks = [table]
    if draft.questions:
        blocks.append(f"**Questions for review**\n\n{_asked(draft.questions, number)}")
    if draft.gist:
        blocks.append(f"**Summary:** {_cited(draft.gist, number)}")
    return "\n\n".join(blocks)


def _asked(questions: Sequence[Review], number: Number) -> str:
    return "\n".join(
        f"{n}. {escaped(one.question)} [{number(one.evidence)}]" for n, one in enumerate(questions, 1)
    )


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


LAYOUTS: dict[str, Callable[[Draft, Number], str]] = {
    "lecture": _lecture,
    "summary": _summary,
    "outline": _outline,
    "cornell": _cornell,
}


def place_of(sentences: Sequence[Sentence], unit: str) -> str:
    """Where a section stands in its material, in words; nothing for a text without pages."""
    first, last = sentences[0], sentences[-1]
    if first.t is not None and last.t is not None:
        return f"{clock(first.t)} to {clock(last.t)}"
    if unit not in ("page", "slide"):
        return ""
    same = first.number == last.number
    return f"{unit} {first.number}" if same else f"{unit}s {first.number} to {last.number}"
