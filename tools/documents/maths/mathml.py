"""A formula's tree as MathML Core, for pages that browsers show without a script."""

from xml.sax.saxutils import escape, quoteattr

from tools.documents.maths.tree import (
    BELOW,
    LINES,
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

_SPACING = {"\u0302": "^", "\u0303": "~", "\u0304": "¯", "\u20d7": "→", "\u0307": "˙", "\u0308": "¨", "\u030c": "ˇ", "\u0306": "˘", "\u0301": "´", "\u0300": "`", "\u030a": "˚", "\u0305": "‾", "\u0332": "_", "\u23de": "⏞", "\u23df": "⏟"}  # fmt: skip
"""Accents as characters that stand alone (MathML Core §3.4.2)."""
_WIDE = frozenset(LINES.values())


def mathml(node: Node, source: str, *, display: bool) -> str:
    """A `math` element with the source as its annotation, which screen readers and copying use."""
    kind = "block" if display else "inline"
    note = f'<annotation encoding="application/x-tex">{escape(bare(source))}</annotation>'
    return f'<math display="{kind}"><semantics><mrow>{_made(node)}</mrow>{note}</semantics></math>'


def _made(node: Node) -> str:
    match node:
        case Sign():
            return _sign(node)
        case Name(text, _):
            return f"<mi>{escape(bare(text))}</mi><mo>&#x2061;</mo>"
        case Words(text):
            return f"<mtext>{escape(bare(text)).replace(' ', chr(160))}</mtext>"
        case Row(parts):
            return f"<mrow>{''.join(_made(part) for part in parts)}</mrow>"
        case Space(width):
            return f'<mspace width="{width}em"/>'
        case _:
            return _composed(node)


def _composed(node: Fraction | Root | Scripts | Accent | Fenced | Grid) -> str:
    match node:
        case Fraction(over, under, line):
            rule = "" if line else ' linethickness="0"'
            return f"<mfrac{rule}>{_one(over)}{_one(under)}</mfrac>"
        case Root(body, degree):
            if degree is None:
                return f"<msqrt>{_made(body)}</msqrt>"
            return f"<mroot>{_one(body)}{_one(degree)}</mroot>"
        case Scripts():
            return _scripts(node)
        case Accent(body, mark):
            return _accent(body, mark)
        case Fenced(opening, body, closing):
            return f"<mrow>{_fence(opening)}{_made(body)}{_fence(closing)}</mrow>"
        case Grid():
            return _grid(node)


def _accent(body: Node, mark: str) -> str:
    tag = "munder" if mark in BELOW else "mover"
    stretch = "true" if mark in _WIDE else "false"
    sign = f'<mo stretchy="{stretch}">{escape(_SPACING.get(mark, mark))}</mo>'
    return f'<{tag} accent{"under" if mark in BELOW else ""}="true">{_one(body)}{sign}</{tag}>'


def _one(node: Node) -> str:
    return f"<mrow>{_made(node)}</mrow>"


def _sign(node: Sign) -> str:
    text = escape(bare(node.text))
    if node.role == "number":
        return f"<mn>{text}</mn>"
    if node.role == "letter":
        return f'<mi mathvariant="normal">{text}</mi>' if node.upright else f"<mi>{text}</mi>"
    stretch = ' stretchy="false"' if node.role in ("open", "close") or node.text in "|‖" else ""
    return f"<mo{stretch}>{text}</mo>"


def _scripts(node: Scripts) -> str:
    is_stacked = node.limits or (isinstance(node.base, Name) and node.base.limits)
    if isinstance(node.base, Sign) and node.base.role == "big":
        is_stacked = node.limits or node.base.text not in "∫∬∭∮"
    below, above = ("under", "over") if is_stacked else ("sub", "sup")
    base = f"<mi>{escape(bare(node.base.text))}</mi>" if isinstance(node.base, Name) else _one(node.base)
    if isinstance(node.base, Sign):
        base = _sign(node.base)
    parts = [part for part in (node.below, node.above) if part is not None]
    tag = f"m{below if node.below is not None else ''}{above if node.above is not None else ''}"
    return f"<{tag}>{base}{''.join(map(_one, parts))}</{tag}>"


def _fence(sign: str) -> str:
    return f'<mo stretchy="true" fence="true">{escape(sign)}</mo>' if sign else ""


def _grid(node: Grid) -> str:
    def cell(content: Node, column: int) -> str:
        side = "left" if node.kind == "cases" else ("right", "left")[column % 2]
        style = "" if node.kind == "matrix" else f" style={quoteattr(f'text-align: {side}')}"
        return f"<mtd{style}>{_made(content)}</mtd>"

    rows = "".join(
        f"<mtr>{''.join(cell(one, column) for column, one in enumerate(cells))}</mtr>" for cells in node.rows
    )
    return f"<mrow>{_fence(node.opening)}<mtable>{rows}</mtable>{_fence(node.closing)}</mrow>"
