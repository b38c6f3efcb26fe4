"""A page as one HTML file that needs nothing else: formulas as MathML, light and dark, and a layout for printing. Pure."""

from collections.abc import Sequence
from html import escape

from tools.documents.maths.inline import Code, Math, Plain
from tools.documents.maths.mathml import mathml
from tools.documents.maths.tree import bare
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

STYLE = """
:root { color-scheme: light dark; --ink: #1c1c1c; --paper: #fff; --soft: #5a5a5a; --line: #d0d0d0; --mark: #1f4e79; }
@media (prefers-color-scheme: dark) { :root { --ink: #e8e6e3; --paper: #16181a; --soft: #a8a6a3; --line: #3c4043; --mark: #8ab8e6; } }
* { box-sizing: border-box; }
body { font: 1rem/1.55 Georgia, "Libertinus Serif", serif; color: var(--ink); background: var(--paper); max-width: 46rem; margin: 2rem auto; padding: 0 1.2rem; }
body.compact { max-width: 76rem; font-size: .85rem; line-height: 1.35; }
.compact main { columns: var(--columns, 2) 20rem; column-gap: 1.6rem; }
h1, h2, h3 { color: var(--mark); line-height: 1.25; break-after: avoid; }
.compact h2 { font-size: 1rem; margin: .8rem 0 .3rem; border-bottom: 1px solid var(--line); }
.note, .lead, .small, .subtitle, .points { color: var(--soft); font-weight: normal; }
.note { font-size: .7em; margin-left: .6em; }
.lead, .small { font-size: .9em; }
a { color: var(--mark); } a.mark { text-decoration: none; font-size: .85em; white-space: nowrap; }
blockquote { margin: .5em 0 .5em 1em; padding-left: .8em; border-left: 3px solid var(--line); color: var(--soft); }
.answer, .missing { margin-left: 1em; } .missing { font-weight: bold; }
.display { display: flex; align-items: center; gap: 1em; margin: .6em 0; overflow-x: auto; } .display .grow { flex: 1; }
table { border-collapse: collapse; display: block; overflow-x: auto; font-size: .92em; } td, th { border-bottom: 1px solid var(--line); padding: .25em .6em; text-align: left; }
.question { break-inside: avoid; margin: 1.2em 0; } .offered { list-style: none; padding-left: 1.6em; } .pair { display: grid; grid-template-columns: 1fr 1fr; gap: 1em; }
.writing { border-bottom: 1px solid var(--line); height: 2em; } .blanks { display: flex; gap: 1em; } .blanks span { flex: 1; border-bottom: 1px solid var(--ink); }
.break { border: 0; } ol.sources { font-size: .9em; } code { font-size: .92em; }
@media print { :root { --ink: #000; --paper: #fff; --soft: #444; --line: #bbb; --mark: #000; } body { margin: 0; max-width: none; } .break { break-before: page; } @page { margin: 18mm; } }
"""


def html(page: Page, language: str | None = None) -> str:
    """Nothing of it is loaded from elsewhere, and no script runs."""
    title = escape(bare(page.title))
    subtitle = f'<p class="subtitle">{escape(bare(page.subtitle))}</p>' if page.subtitle else ""
    lang = escape((language or "en")[:12])
    body = f' class="compact" style="--columns: {page.columns}"' if page.is_compact else ""
    blocks = "\n".join(_block(block) for block in page.blocks)
    return (
        f'<!doctype html>\n<html lang="{lang}">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{title}</title>\n<style>{STYLE}</style>\n</head>\n"
        f"<body{body}>\n<header><h1>{title}</h1>{subtitle}</header>\n<main>\n{blocks}\n</main>\n</body>\n</html>\n"
    )


def _block(block: Block) -> str:
    match block:
        case Heading(level, parts, note):
            said = f'<span class="note">{escape(bare(note))}</span>' if note else ""
            return f"<h{level + 1}>{_text(parts)}{said}</h{level + 1}>"
        case Paragraph(parts, style):
            tag = "blockquote" if style == "quote" else "p"
            return f'<{tag} class="{style}">{_text(parts)}</{tag}>'
        case Bullets(items, is_numbered):
            tag = "ol" if is_numbered else "ul"
            return f"<{tag}>{''.join(f'<li>{_text(parts)}</li>' for parts in items)}</{tag}>"
        case Display():
            about = f"<p>{_text(block.about)}</p>" if block.about else ""
            label = f"<span>{escape(bare(block.label))}</span>" if block.label else ""
            marks = "".join(map(_part, block.marks))
            return f'{about}<div class="display"><div class="grow">{_part(block.formula)}</div>{label}{marks}</div>'
        case Grid(rows, caption):
            return _grid(rows, caption)
        case Question():
            return _question(block)
        case NameLine(points):
            return f'<p class="blanks">Name <span></span> Date <span></span> Points <span></span> / {escape(points)}</p>'
        case PageBreak():
            return '<hr class="break">'
        case Sources(items):
            listed = "".join(
                f'<li id="source-{one.number}" value="{one.number}">{_link(f"{one.title}, {one.place}", one.url)}</li>'
                for one in items
            )
            return f'<ol class="sources">{listed}</ol>'


def _link(text: str, url: str | None) -> str:
    shown = escape(bare(text))
    if not url or not url.startswith(("https://", "http://", "/")):
        return shown
    return f'<a href="{escape(url)}">{shown}</a>'


def _grid(rows: Sequence[Sequence[Parts]], caption: Parts) -> str:
    named = f"<caption>{_text(caption)}</caption>" if caption else ""
    lines = [
        "<tr>" + "".join(f"<{tag}>{_text(cell)}</{tag}>" for cell in row) + "</tr>"
        for tag, row in zip(["th", *["td"] * len(rows)], rows, strict=False)
    ]
    return f"<table>{named}{''.join(lines)}</table>"


def _question(block: Question) -> str:
    points = f' <span class="points">({escape(block.points)})</span>' if block.points else ""
    offered = _offered(block.options, block.box)
    if block.right:
        offered = f'<div class="pair">{offered}{_offered(block.right, "letter")}</div>'
    writing = '<div class="writing"></div>' * block.lines
    head = f"<p><strong>{escape(bare(block.number))}.</strong> {_text(block.parts)}{points}</p>"
    return f'<section class="question">{head}{offered}{writing}</section>'


def _offered(options: Sequence[tuple[str, Parts]], box: str) -> str:
    signs = {"circle": "○ ", "square": "□ ", "number": "▭ "}
    items = "".join(
        f"<li>{signs.get(box) or escape(bare(letter)) + ') '}{_text(parts)}</li>" for letter, parts in options
    )
    return f'<ul class="offered">{items}</ul>' if items else ""


def _text(parts: Parts) -> str:
    return "".join(map(_part, parts))


def _part(part: Part) -> str:
    match part:
        case Plain(text, is_bold):
            shown = escape(bare(text))
            return f"<strong>{shown}</strong>" if is_bold else shown
        case Math(node, source, is_display):
            return mathml(node, source, display=is_display)
        case Code(text):
            return f"<code>{escape(bare(text))}</code>"
        case Mark(number):
            return f'<a class="mark" href="#source-{number}">[{number}]</a>'
