"""A formula's tree as OMML, the formulas of Word (ECMA-376 part 1 §22.1); `tools.ingest.omml` reads them."""

from xml.sax.saxutils import escape, quoteattr

from tools.documents.maths.tree import (
    BELOW,
    EMPTY,
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

NAMESPACE = "http://schemas.openxmlformats.org/officeDocument/2006/math"
WORD = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
_LINES, _BRACES = ("\u0305", "\u0332"), ("\u23de", "\u23df")
_SPACES = ((0.9, "\u2003"), (0.4, "\u2002"), (0.2, "\u2005"), (0.1, "\u2009"))


def omml(node: Node, *, display: bool) -> str:
    """An `m:oMath` element as XML, in a paragraph of its own for a display."""
    spaces = f'xmlns:m="{NAMESPACE}" xmlns:w="{WORD}"'
    if not display:
        return f"<m:oMath {spaces}>{_made(node)}</m:oMath>"
    return f"<m:oMathPara {spaces}><m:oMath>{_made(node)}</m:oMath></m:oMathPara>"


def _made(node: Node) -> str:
    match node:
        case Sign(text, role, upright):
            return _run(text, plain=upright or role != "letter")
        case Name(text, _):
            return f"<m:func><m:fName>{_run(text, plain=True)}</m:fName><m:e/></m:func>"
        case Words(text):
            return _run(text, normal=True)
        case Row(parts):
            return _row(parts)
        case Space(width):
            space = next((sign for least, sign in _SPACES if width >= least), "")
            return _run(space, normal=True) if space else ""
        case _:
            return _composed(node)


def _composed(node: Fraction | Root | Scripts | Accent | Fenced | Grid) -> str:
    match node:
        case Fraction(over, under, line):
            kind = "" if line else '<m:fPr><m:type m:val="noBar"/></m:fPr>'
            return f"<m:f>{kind}{_in('num', over)}{_in('den', under)}</m:f>"
        case Root(body, degree):
            hidden = '<m:radPr><m:degHide m:val="1"/></m:radPr>' if degree is None else ""
            return f"<m:rad>{hidden}{_in('deg', degree or EMPTY)}{_in('e', body)}</m:rad>"
        case Scripts():
            return _scripts(node)
        case Accent(body, mark):
            return _accent(body, mark)
        case Fenced(opening, body, closing):
            return _fenced(opening, _made(body), closing)
        case Grid():
            return _grid(node)


def _run(text: str, *, plain: bool = False, normal: bool = False) -> str:
    style = "<m:rPr><m:nor/></m:rPr>" if normal else '<m:rPr><m:sty m:val="p"/></m:rPr>' if plain else ""
    return f'<m:r>{style}<m:t xml:space="preserve">{escape(bare(text))}</m:t></m:r>'


def _in(tag: str, node: Node) -> str:
    return f"<m:{tag}>{_made(node)}</m:{tag}>"


def _row(parts: tuple[Node, ...]) -> str:
    """A big operator and the name of a function take what follows them, up to the next relation, as their body."""
    made = ""
    for place, part in enumerate(parts):
        head = part.base if isinstance(part, Scripts) else part
        if (isinstance(head, Sign) and head.role == "big") or isinstance(head, Name):
            end = next((n for n in range(place + 1, len(parts)) if _ends(parts[n], head)), len(parts))
            body = _row(parts[place + 1 : end])
            return made + _headed(part, head, body) + _row(parts[end:])
        made += _made(part)
    return made


def _ends(part: Node, head: Node) -> bool:
    """Where the body of an operator or a function is over."""
    if not isinstance(part, Sign):
        return False
    if isinstance(head, Name):
        return part.role in ("relation", "operator", "punctuation", "close")
    return part.role in ("relation", "punctuation", "close")


def _headed(part: Node, head: Sign | Name, body: str) -> str:
    below = part.below if isinstance(part, Scripts) else None
    above = part.above if isinstance(part, Scripts) else None
    if isinstance(head, Name):
        name = _made_scripts(_run(head.text, plain=True), below, above, stacked=head.limits)
        return f"<m:func><m:fName>{name}</m:fName><m:e>{body}</m:e></m:func>"
    hidden = ('<m:subHide m:val="1"/>' if below is None else "") + (
        '<m:supHide m:val="1"/>' if above is None else ""
    )
    place = "subSup" if head.text in "∫∬∭∮" else "undOvr"
    properties = (
        f'<m:naryPr><m:chr m:val={quoteattr(head.text)}/><m:limLoc m:val="{place}"/>{hidden}</m:naryPr>'
    )
    return f"<m:nary>{properties}{_in('sub', below or EMPTY)}{_in('sup', above or EMPTY)}<m:e>{body}</m:e></m:nary>"


def _scripts(node: Scripts) -> str:
    if isinstance(node.base, Name) or (isinstance(node.base, Sign) and node.base.role == "big"):
        return _headed(node, node.base, "")
    return _made_scripts(_made(node.base), node.below, node.above, stacked=node.limits)


def _made_scripts(base: str, below: Node | None, above: Node | None, *, stacked: bool) -> str:
    if stacked:
        if below is not None:
            base = f"<m:limLow><m:e>{base}</m:e>{_in('lim', below)}</m:limLow>"
        if above is not None:
            base = f"<m:limUpp><m:e>{base}</m:e>{_in('lim', above)}</m:limUpp>"
        return base
    if below is not None and above is not None:
        return f"<m:sSubSup><m:e>{base}</m:e>{_in('sub', below)}{_in('sup', above)}</m:sSubSup>"
    if below is not None:
        return f"<m:sSub><m:e>{base}</m:e>{_in('sub', below)}</m:sSub>"
    if above is not None:
        return f"<m:sSup><m:e>{base}</m:e>{_in('sup', above)}</m:sSup>"
    return base


def _accent(body: Node, mark: str) -> str:
    if mark in _LINES:
        place = "bot" if mark in BELOW else "top"
        return f'<m:bar><m:barPr><m:pos m:val="{place}"/></m:barPr>{_in("e", body)}</m:bar>'
    if mark in _BRACES:
        place = "bot" if mark in BELOW else "top"
        value = f'<m:groupChrPr><m:chr m:val="{mark}"/><m:pos m:val="{place}"/></m:groupChrPr>'
        return f"<m:groupChr>{value}{_in('e', body)}</m:groupChr>"
    return f'<m:acc><m:accPr><m:chr m:val="{mark}"/></m:accPr>{_in("e", body)}</m:acc>'


def _fenced(opening: str, body: str, closing: str) -> str:
    marks = f"<m:begChr m:val={quoteattr(opening)}/><m:endChr m:val={quoteattr(closing)}/>"
    return f"<m:d><m:dPr>{marks}</m:dPr><m:e>{body}</m:e></m:d>"


def _grid(node: Grid) -> str:
    if node.kind == "aligned":
        # An ampersand marks the place where the lines are aligned.
        lines = "".join(f"<m:e>{_run('&').join(_made(cell) for cell in cells)}</m:e>" for cells in node.rows)
        return f"<m:eqArr>{lines}</m:eqArr>"
    width = max((len(cells) for cells in node.rows), default=1)
    side = "left" if node.kind == "cases" else "center"
    columns = f'<m:mPr><m:mcs><m:mc><m:mcPr><m:count m:val="{width}"/><m:mcJc m:val="{side}"/></m:mcPr></m:mc></m:mcs></m:mPr>'
    rows = "".join(f"<m:mr>{''.join(_in('e', cell) for cell in cells)}</m:mr>" for cells in node.rows)
    made = f"<m:m>{columns}{rows}</m:m>"
    return _fenced(node.opening, made, node.closing) if node.opening or node.closing else made
