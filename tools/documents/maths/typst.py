"""A formula's tree as plain lists, which the fixed template `document.typ` builds the formula from: no Typst source is made."""

from typing import Any

from tools.documents.maths.tree import (
    Accent,
    Fenced,
    Fraction,
    Grid,
    Name,
    Node,
    Root,
    Row,
    Scripts,
    Sign,
    Space,
    Words,
    bare,
)


def listed(node: Node) -> list[Any]:
    """[kind, …]; parts are lists again, texts are texts."""
    match node:
        case Sign():
            return _sign(node)
        case Name(text, limits):
            return ["name", bare(text), limits]
        case Words(text):
            return ["words", bare(text)]
        case Row(parts):
            return ["row", [listed(part) for part in parts]]
        case Space(width):
            return ["space", width]
        case _:
            return _composed(node)


def _composed(node: Fraction | Root | Scripts | Accent | Fenced | Grid) -> list[Any]:
    match node:
        case Fraction(over, under, line):
            return ["frac" if line else "binom", listed(over), listed(under)]
        case Root(body, degree):
            return ["root", listed(body), _maybe(degree)]
        case Scripts(base, below, above, limits):
            return ["scripts", listed(base), _maybe(below), _maybe(above), limits]
        case Accent(body, mark):
            return ["accent", listed(body), mark]
        case Fenced(opening, body, closing):
            return ["fenced", opening, listed(body), closing]
        case Grid(rows, kind, opening, closing):
            return ["grid", [[listed(cell) for cell in cells] for cells in rows], kind, opening, closing]


def _sign(node: Sign) -> list[Any]:
    text = bare(node.text)
    if node.role == "number" or len(text) != 1:
        return ["words", text]
    return ["upright" if node.upright else "sign", text]


def _maybe(node: Node | None) -> list[Any] | None:
    return None if node is None else listed(node)
