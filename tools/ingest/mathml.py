"""Formulas of web pages and EPUB books (MathML 3) as LaTeX. Pure."""

import re
from collections.abc import Callable

from selectolax.lexbor import LexborNode

from tools.ingest import latex

_MAX_DEPTH = 60
_SPACES = " \t\n\r\u00a0"
_OPENING = ("(", "[", "{", "|", "‖", "⟨", "⌊", "⌈")
_CLOSING = (")", "]", "}", "|", "‖", "⟩", "⌋", "⌉", "")
_TEX = ("application/x-tex", "latex", "tex", "application/x-latex", "text/x-tex")


def tex_of(node: LexborNode) -> str:
    """LaTeX of a `math` element: what its author wrote, where the page kept it, else out of its structure."""
    for annotation in node.css("annotation"):
        if (annotation.attributes.get("encoding") or "").lower() in _TEX:
            return unwrapped(annotation.text())
    written = node.attributes.get("alttext") or ""
    return unwrapped(written) if "\\" in written else _children(node, 0)


def unwrapped(tex: str) -> str:
    """Without the style commands and dollars that programs put around a whole formula."""
    text = tex.strip().strip("$").strip()
    styled = re.fullmatch(r"\{?\\(?:displaystyle|textstyle)\s*(.*?)\}?", text, re.S)
    return styled.group(1).strip() if styled and text.startswith("{") == text.endswith("}") else text


def _parts(node: LexborNode) -> list[LexborNode]:
    return [
        child
        for child in node.iter()
        if child.tag not in ("annotation", "annotation-xml", "none", "mprescripts")
    ]


def _children(node: LexborNode, depth: int) -> str:
    if depth > _MAX_DEPTH:
        return latex.characters(node.text())
    parts = _parts(node)
    made = [_element(child, depth + 1) for child in parts]
    if len(parts) > 2 and parts[0].tag == parts[-1].tag == "mo":
        opening, closing = (parts[place].text().strip(_SPACES) for place in (0, -1))
        if opening in _OPENING and closing in _CLOSING:
            return latex.in_brackets(latex.fenced(opening, ["".join(made[1:-1])], closing))
    return "".join(made)


def _element(node: LexborNode, depth: int) -> str:
    made = _KINDS.get(node.tag or "")
    return made(node, depth) if made else _children(node, depth)


def _part(node: LexborNode, place: int, depth: int) -> str:
    parts = _parts(node)
    return _element(parts[place], depth + 1) if place < len(parts) and depth <= _MAX_DEPTH else ""


def _identifier(node: LexborNode, depth: int) -> str:
    return latex.name(node.text().strip(_SPACES))


def _number(node: LexborNode, depth: int) -> str:
    return latex.characters(node.text().strip(_SPACES))


def _sign(node: LexborNode, depth: int) -> str:
    text = node.text().strip(_SPACES)
    return latex.name(text) if text.isalpha() else latex.characters(text)


def _words(node: LexborNode, depth: int) -> str:
    return latex.words(node.text())


def _fraction(node: LexborNode, depth: int) -> str:
    over, under = _part(node, 0, depth), _part(node, 1, depth)
    flat = (node.attributes.get("linethickness") or "").rstrip("ptexm%") == "0"
    return rf"\binom{{{over.strip()}}}{{{under.strip()}}}" if flat else latex.fraction(over, under)


def _square_root(node: LexborNode, depth: int) -> str:
    return latex.root(_children(node, depth))


def _root(node: LexborNode, depth: int) -> str:
    return latex.root(_part(node, 0, depth), _part(node, 1, depth))


def _above(node: LexborNode, depth: int) -> str:
    return latex.scripts(_part(node, 0, depth), "", _part(node, 1, depth))


def _below(node: LexborNode, depth: int) -> str:
    return latex.scripts(_part(node, 0, depth), _part(node, 1, depth))


def _both(node: LexborNode, depth: int) -> str:
    return latex.scripts(_part(node, 0, depth), _part(node, 1, depth), _part(node, 2, depth))


def _over(node: LexborNode, depth: int) -> str:
    parts = _parts(node)
    sign = parts[1].text().strip(_SPACES) if len(parts) > 1 else ""
    if len(sign) == 1 and not sign.isalnum() and sign not in "=≈∼":
        return latex.accent(sign, _part(node, 0, depth))
    return latex.stacked(_part(node, 0, depth), above=_part(node, 1, depth))


def _under(node: LexborNode, depth: int) -> str:
    return latex.stacked(_part(node, 0, depth), below=_part(node, 1, depth))


def _under_over(node: LexborNode, depth: int) -> str:
    return latex.stacked(_part(node, 0, depth), _part(node, 1, depth), _part(node, 2, depth))


def _fenced(node: LexborNode, depth: int) -> str:
    given = node.attributes
    parts = [_element(part, depth + 1) for part in _parts(node)] if depth <= _MAX_DEPTH else []
    separator = (given.get("separators", ",") or "").strip()[:1]
    opening, closing = given.get("open", "("), given.get("close", ")")
    return latex.in_brackets(latex.fenced(opening or "", parts, closing or "", separator))


def _table(node: LexborNode, depth: int) -> str:
    rows = []
    for row in _parts(node):
        cells = _parts(row) if row.tag in ("mtr", "mlabeledtr") else [row]
        rows.append([_children(cell, depth + 1) for cell in cells] if depth <= _MAX_DEPTH else [row.text()])
    return latex.matrix(rows, "matrix")


def _nothing(node: LexborNode, depth: int) -> str:
    return ""


def _space(node: LexborNode, depth: int) -> str:
    return r"\ "


_KINDS: dict[str, Callable[[LexborNode, int], str]] = {
    "mi": _identifier,
    "mn": _number,
    "mo": _sign,
    "mtext": _words,
    "ms": _words,
    "mfrac": _fraction,
    "msqrt": _square_root,
    "mroot": _root,
    "msup": _above,
    "msub": _below,
    "msubsup": _both,
    "mover": _over,
    "munder": _under,
    "munderover": _under_over,
    "mfenced": _fenced,
    "mtable": _table,
    "mphantom": _nothing,
    "mspace": _space,
}
