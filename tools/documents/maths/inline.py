"""Text with formulas in it, as runs: TeX between dollars, and indices in the notation of PDF text (u^{n+1}, t_n). Pure."""

import re
from dataclasses import dataclass

from tools.documents.maths.parsing import Unreadable, parsed
from tools.documents.maths.tree import Node

# As Pandoc reads dollars: no space inside, and no digit behind the closing one, so that prices are none.
_DOLLARS = re.compile(
    r"(?<!\\)(\$\$?)(?=[^\s$])((?:\\.|[^$\\])+?)(?<=\S)\1(?![\d$])|\\\((.+?)\\\)|\\\[(.+?)\\\]", re.S
)
_SCRIPT = r"(?:[_^](?:\{[^{}]{1,40}\}|[A-Za-z0-9Α-ω−∗+](?![A-Za-z0-9{])))"
_BASE = r"(?:(?<![\w$\\}])(?:[∆Δ∂]?[A-Za-zΑ-ω][′']{0,3}|10|∆[A-Za-z]|[A-Za-z]{2,3}(?=\^\{))|[)\]])"
_FOOTNOTE = r"(?<=[A-Za-z0-9.,]{2})\^(?:\{[^{}]{1,20}\}|\d{1,2})(?![A-Za-z0-9])"
_INDEXED = re.compile(rf"{_BASE}(?:\s?{_SCRIPT}){{1,3}}(?![A-Za-z0-9_])[′']{{0,3}}|{_FOOTNOTE}")
_ESCAPED = re.compile(r"\\([$*_\[\]<>`~#|&\\])")


@dataclass(frozen=True, slots=True)
class Plain:
    text: str
    is_bold: bool = False


@dataclass(frozen=True, slots=True)
class Math:
    node: Node
    source: str
    """TeX, or as it stands in the text."""
    is_display: bool = False


@dataclass(frozen=True, slots=True)
class Code:
    """A formula that could not be read: its source."""

    text: str


Run = Plain | Math | Code


def runs(text: str, bold: str | None = None) -> list[Run]:
    """`bold`: a term whose first mention in the words is made bold."""
    made: list[Run] = []
    end = 0
    for match in _DOLLARS.finditer(text):
        made += _words(text[end : match.start()])
        source = next(group for group in match.groups()[1:] if group is not None).strip()
        made.append(formula(source, is_display=match[1] == "$$" or match[4] is not None))
        end = match.end()
    made += _words(text[end:])
    return _with_bold(made, bold) if bold else made


def formula(source: str, *, is_display: bool = False, linear: bool = False) -> Math | Code:
    try:
        return Math(parsed(source, linear=linear), source, is_display)
    except Unreadable:
        return Code(source)


def _words(text: str) -> list[Run]:
    made: list[Run] = []
    end = 0
    for match in _INDEXED.finditer(text):
        found = formula(match.group().strip(), linear=True)
        if isinstance(found, Math):
            made += _plain(text[end : match.start()])
            made.append(found)
            end = match.end()
    return made + _plain(text[end:])


def _plain(text: str) -> list[Run]:
    return [Plain(_ESCAPED.sub(r"\1", text))] if text else []


def _with_bold(made: list[Run], term: str) -> list[Run]:
    for place, run in enumerate(made):
        if isinstance(run, Plain) and (at := run.text.casefold().find(term.casefold())) >= 0:
            before, named, behind = run.text[:at], run.text[at : at + len(term)], run.text[at + len(term) :]
            parts = [Plain(before), Plain(named, is_bold=True), Plain(behind)]
            return [*made[:place], *(part for part in parts if part.text), *made[place + 1 :]]
    return made


def as_linear(text: str) -> Math | None:
    """A line of a PDF that is nothing but a formula, or None."""
    found = formula(text, is_display=True, linear=True)
    return found if isinstance(found, Math) else None
