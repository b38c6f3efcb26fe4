"""A page as Markdown: what is stored as the document's text, and the md file. Formulas stay TeX between dollars. Pure."""

from collections.abc import Sequence

from tools.documents.maths.inline import Code, Math, Plain
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
    Sources,
)
from tools.markdown import escaped


def markdown(page: Page, *, with_title: bool = True, with_sources: bool = True) -> str:
    """`with_sources`: the numbered list at the end; without it [n] stands for the citations stored beside the text."""
    head = (
        [f"# {escaped(page.title)}", *([escaped(page.subtitle)] if page.subtitle else [])]
        if with_title
        else []
    )
    blocks = page.blocks if with_sources else _without_sources(page.blocks)
    return "\n\n".join([*head, *(made for block in blocks if (made := _block(block)))]) + "\n"


def _without_sources(blocks: Sequence[Block]) -> Sequence[Block]:
    kept: list[Block] = [block for block in blocks if not isinstance(block, Sources)]
    has_list = len(kept) < len(blocks) and bool(kept) and isinstance(kept[-1], Heading)
    return kept[:-1] if has_list else kept


def _block(block: Block) -> str:
    match block:
        case Heading(level, parts, note):
            return f"{'#' * (level + 1)} {_text(parts)}" + (f" ({escaped(note)})" if note else "")
        case Paragraph():
            return _paragraph(block)
        case Bullets(items, is_numbered):
            signs = (f"{n}." if is_numbered else "-" for n in range(1, len(items) + 1))
            return "\n".join(f"{sign} {_text(parts)}" for sign, parts in zip(signs, items, strict=True))
        case Display():
            return _display(block)
        case Grid(rows, caption):
            return _grid(rows, caption)
        case Question():
            return _question(block)
        case NameLine(points):
            return f"Name: ____________________   Date: __________   Points: ______ / {points}"
        case PageBreak():
            return "---"
        case Sources(items):
            return "\n".join(_source(one.number, f"{one.title}, {one.place}", one.url) for one in items)


def _source(number: int, text: str, url: str | None) -> str:
    named = escaped(text)
    linked = f"[{named}](<{url}>)" if url and ">" not in url and "\n" not in url else named
    return f"{number}. {linked}"


def _paragraph(block: Paragraph) -> str:
    text = _text(block.parts)
    if block.style in ("lead", "small"):
        return f"_{text}_" if text else ""
    return f"> {text}" if block.style == "quote" else _started(text)


def _started(text: str) -> str:
    """A paragraph that does not become a heading, list or quote by its first characters."""
    return f"\\{text}" if text[:2] in ("# ", "- ", "+ ", "* ") or text[:1] == ">" else text


def _display(block: Display) -> str:
    tail = "".join(f"[{mark.number}]" for mark in block.marks)
    label = f" {escaped(block.label)}" if block.label else ""
    about = f"{_text(block.about)} " if block.about else ""
    return f"{about}{_part(block.formula)}{label} {tail}".strip()


def _grid(rows: Sequence[Sequence[Parts]], caption: Parts) -> str:
    width = max((len(row) for row in rows), default=1)
    lines = [
        "| "
        + " | ".join(_text(cell).replace("|", "\\|") for cell in [*row, *[[]] * (width - len(row))])
        + " |"
        for row in rows
    ]
    table = "\n".join([lines[0], "|" + "---|" * width, *lines[1:]]) if lines else ""
    return f"{_text(caption)}\n\n{table}" if caption else table


def _question(block: Question) -> str:
    bar = "\\|"
    points = f" ({block.points})" if block.points else ""
    boxes = {"circle": "( )", "square": "[ ]", "number": "___"}
    lines = [f"**{escaped(block.number)}.** {_text(block.parts)}{points}"]
    if block.right:
        pairs = max(len(block.options), len(block.right))
        left = [f"{letter}) {_text(parts)}" for letter, parts in block.options]
        right = [f"{letter}) {_text(parts)}" for letter, parts in block.right]
        sides = zip([*left, *[""] * pairs][:pairs], [*right, *[""] * pairs][:pairs], strict=True)
        cells = (f"| {a.replace('|', bar)} | {b.replace('|', bar)} |" for a, b in sides)
        lines += ["", "| | |", "|---|---|", *cells]
    elif block.options:
        lines += [
            "",
            *(f"- {boxes.get(block.box, letter + ')')} {_text(parts)}" for letter, parts in block.options),
        ]
    if block.lines:
        lines += ["", *["\\" + "_" * 60, ""] * min(block.lines, 12)]
    return "\n".join(lines).rstrip()


def _text(parts: Parts) -> str:
    """On one line; what came from outside is escaped."""
    return " ".join("".join(map(_part, parts)).split())


def _part(part: Part) -> str:
    match part:
        case Plain(text, is_bold):
            made = escaped(text)
            if is_bold and made.strip():
                inner = made.strip()
                return made.replace(inner, f"**{inner}**", 1)
            return made
        case Math(_, source, is_display):
            # What stands in the notation of PDF text is as good as TeX for reading.
            sign = "$$" if is_display else "$"
            return f"{sign}{' '.join(source.split())}{sign}" if "$" not in source else escaped(source)
        case Code(text):
            return f"`` {text} ``" if "`" in text else f"`{text}`"
        case Mark(number):
            return f"[{number}]"
