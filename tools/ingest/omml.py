"""Formulas of Word and PowerPoint (OMML, ECMA-376 part 1 §22.1) as LaTeX. Pure."""

from collections.abc import Callable, Iterator
from typing import Any

from tools.ingest import latex

MATH = "{http://schemas.openxmlformats.org/officeDocument/2006/math}"
FORMULA, DISPLAY = f"{MATH}oMath", f"{MATH}oMathPara"
_VALUE = f"{MATH}val"
_MAX_DEPTH = 60


def to_latex(formula: Any, depth: int = 0) -> str:
    """LaTeX of an `m:oMath` element or of any part of one."""
    if depth > _MAX_DEPTH:
        return latex.characters("".join(formula.itertext()))
    return "".join(_element(child, depth + 1) for child in formula)


def display_lines(paragraph: Any) -> Iterator[str]:
    """LaTeX of each formula of an `m:oMathPara`."""
    for formula in paragraph.iter(FORMULA):
        yield to_latex(formula)


def _element(node: Any, depth: int) -> str:
    tag = node.tag if isinstance(node.tag, str) else ""
    kind = tag.removeprefix(MATH)
    made = _KINDS.get(kind)
    if made:
        return made(node, depth)
    return (
        "" if kind.endswith("Pr") or (not tag.startswith(MATH) and not len(node)) else to_latex(node, depth)
    )


def _part(node: Any, name: str, depth: int) -> str:
    found = node.find(f"{MATH}{name}")
    return "" if found is None else to_latex(found, depth)


def _property(node: Any, name: str, default: str = "") -> str:
    """A value out of the element's properties; "" where it is there without one."""
    found = node.find(f"{MATH}{_tag(node)}Pr/{MATH}{name}")
    return default if found is None else found.get(_VALUE, "")


def _flag(node: Any, name: str) -> bool:
    return _property(node, name, "0") not in ("0", "off", "false")


def _tag(node: Any) -> str:
    return str(node.tag).removeprefix(MATH)


def _run(node: Any, depth: int) -> str:
    text = "".join(part.text or "" for part in node.iter(f"{MATH}t"))
    style = node.find(f"{MATH}rPr/{MATH}sty")
    if node.find(f"{MATH}rPr/{MATH}nor") is not None:
        return latex.words(text)
    if style is not None and style.get(_VALUE) == "p" and text.strip().isalpha():
        return latex.name(text)
    return latex.characters(text)


def _fraction(node: Any, depth: int) -> str:
    over, under = _part(node, "num", depth), _part(node, "den", depth)
    kind = _property(node, "type", "bar")
    if kind == "noBar":
        return rf"\binom{{{over.strip()}}}{{{under.strip()}}}"
    return f"{over.strip()}/{under.strip()}" if kind in ("lin", "skw") else latex.fraction(over, under)


def _scripts(node: Any, depth: int) -> str:
    return latex.scripts(_part(node, "e", depth), _part(node, "sub", depth), _part(node, "sup", depth))


def _before(node: Any, depth: int) -> str:
    return (
        "{}"
        + latex.scripts("", _part(node, "sub", depth), _part(node, "sup", depth))
        + _part(node, "e", depth)
    )


def _root(node: Any, depth: int) -> str:
    return latex.root(_part(node, "e", depth), "" if _flag(node, "degHide") else _part(node, "deg", depth))


def _operator(node: Any, depth: int) -> str:
    below = "" if _flag(node, "subHide") else _part(node, "sub", depth)
    above = "" if _flag(node, "supHide") else _part(node, "sup", depth)
    return latex.operator(_property(node, "chr", "∫"), below, above, _part(node, "e", depth))


def _fenced(node: Any, depth: int) -> str:
    parts = [to_latex(part, depth) for part in node.findall(f"{MATH}e")]
    opening, closing = _property(node, "begChr", "("), _property(node, "endChr", ")")
    if opening == "{" and closing == "" and len(parts) == 1 and parts[0].startswith(r"\begin{aligned}"):
        return parts[0].replace("{aligned}", "{cases}")
    if len(parts) == 1 and parts[0].startswith(r"\binom") and (opening, closing) == ("(", ")"):
        return parts[0]
    return latex.in_brackets(latex.fenced(opening, parts, closing, _property(node, "sepChr", "|")))


def _function(node: Any, depth: int) -> str:
    head = _part(node, "fName", depth).strip()
    bare = head.removeprefix(r"\mathrm{").removesuffix("}")
    return f"{latex.name(bare) if bare in latex.FUNCTIONS else head + ' '}{_part(node, 'e', depth)}"


def _lower_limit(node: Any, depth: int) -> str:
    return latex.stacked(_named(_part(node, "e", depth)), below=_part(node, "lim", depth))


def _upper_limit(node: Any, depth: int) -> str:
    return latex.stacked(_named(_part(node, "e", depth)), above=_part(node, "lim", depth))


def _named(base: str) -> str:
    return latex.name(base) if base.strip() in latex.FUNCTIONS else base


def _accent(node: Any, depth: int) -> str:
    return latex.accent(_property(node, "chr", "\u0302"), _part(node, "e", depth))


def _bar(node: Any, depth: int) -> str:
    kind = "overline" if _property(node, "pos", "bot") == "top" else "underline"
    return rf"\{kind}{{{_part(node, 'e', depth).strip()}}}"


def _group(node: Any, depth: int) -> str:
    return latex.accent(_property(node, "chr", "\u23df"), _part(node, "e", depth))


def _matrix(node: Any, depth: int) -> str:
    rows = [[to_latex(cell, depth) for cell in row.findall(f"{MATH}e")] for row in node.findall(f"{MATH}mr")]
    return latex.matrix(rows)


def _lines(node: Any, depth: int) -> str:
    # An ampersand marks the place where the lines are aligned.
    lines = [to_latex(line, depth).replace(r"\&", "&") for line in node.findall(f"{MATH}e")]
    return latex.matrix([[line] for line in lines], "aligned")


def _hidden(node: Any, depth: int) -> str:
    return _part(node, "e", depth) if _property(node, "show", "1") not in ("0", "off") else ""


_KINDS: dict[str, Callable[[Any, int], str]] = {
    "r": _run,
    "f": _fraction,
    "sSup": _scripts,
    "sSub": _scripts,
    "sSubSup": _scripts,
    "sPre": _before,
    "rad": _root,
    "nary": _operator,
    "d": _fenced,
    "func": _function,
    "limLow": _lower_limit,
    "limUpp": _upper_limit,
    "acc": _accent,
    "bar": _bar,
    "groupChr": _group,
    "m": _matrix,
    "eqArr": _lines,
    "phant": _hidden,
}
