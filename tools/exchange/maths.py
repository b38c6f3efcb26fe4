"""Formulas in a card's text: ours stand between dollar signs, Anki's in MathJax or LaTeX tags. Each side takes them out, works
on the rest, and puts them back in its own form."""

import html
import re
from collections.abc import Callable

OPEN, CLOSE = "\ue000", "\ue001"
"""Private characters around the number of a formula that was taken out."""
PLACE = re.compile(f"{OPEN}(\\d+){CLOSE}")

# Pandoc's rule (tex_math_dollars): no space inside, no digit behind, so that "$5 and $6" stays money.
DOLLARS = re.compile(
    r"(?<!\\)\$\$(?P<block>.+?)\$\$|(?<![\\$])\$(?![\s$])(?P<line>[^$\n]{1,5000}?)(?<![\s\\])\$(?![\d$])",
    re.S,
)
ANKI = re.compile(
    r"\\\[(?P<block>.*?)\\\]"
    r"|\\\((?P<line>.*?)\\\)"
    r"|\[\$\$\](?P<block2>.*?)\[/\$\$\]"
    r"|\[\$\](?P<line2>.*?)\[/\$\]"
    r"|\[latex\](?P<latex>.*?)\[/latex\]"
    r"|<anki-mathjax(?P<how>[^>]*)>(?P<element>.*?)</anki-mathjax>",
    re.S | re.I,
)
_BREAK = re.compile(r"<br\s*/?>|</(?:div|p)>", re.I)
_TAG = re.compile(r"</?[a-zA-Z][^>]*>")
_IN_DOLLARS = re.compile(r"\$\$(.+)\$\$|\$(.+)\$|\\\[(.+)\\\]|\\\((.+)\\\)", re.S)
_AMONG_WORDS = re.compile(r"\$([^$]+)\$")


class Formulas:
    """Those taken out of one text. `show` makes a formula's final form of (TeX, is a block)."""

    def __init__(self, show: Callable[[str, bool], str]) -> None:
        self._show = show
        self._kept: list[str] = []

    def keep(self, tex: str, *, block: bool) -> str:
        self._kept.append(self._show(tex, block))
        return f"{OPEN}{len(self._kept) - 1}{CLOSE}"

    def put_back(self, text: str) -> str:
        return PLACE.sub(lambda found: self._nth(int(found.group(1))), text)

    def _nth(self, number: int) -> str:
        return self._kept[number] if number < len(self._kept) else ""


def without_places(text: str) -> str:
    """A foreign text cannot bring our private characters along."""
    return text.replace(OPEN, "").replace(CLOSE, "")


def in_dollars(tex: str, block: bool) -> str:
    mark = "$$" if block else "$"
    return f"{mark}{tex}{mark}"


def in_gaps(tex: str) -> str:
    """Two closing braces would end the gap of a cloze around a formula; to TeX the space between them means nothing."""
    return tex.replace("}}", "} }")


def in_mathjax(tex: str, block: bool) -> str:
    """As Anki's editor stores it, HTML-escaped."""
    safe = html.escape(tex, quote=False)
    return rf"\[{safe}\]" if block else rf"\({safe}\)"


def take_dollars(text: str, formulas: Formulas) -> str:
    def take(found: re.Match[str]) -> str:
        block = found.group("block")
        return formulas.keep(
            (block if block is not None else found.group("line")).strip(), block=block is not None
        )

    return DOLLARS.sub(take, text)


def take_anki(field: str, formulas: Formulas) -> str:
    """Formulas out of a field of Anki, which is HTML."""

    def take(found: re.Match[str]) -> str:
        if found.group("latex") is not None:
            return _latex(found.group("latex"), formulas)
        block = found.group("block") or found.group("block2")
        if found.group("element") is not None:
            is_block = "block" in found.group("how") and "false" not in found.group("how")
            tex = found.group("element")
        else:
            is_block, tex = block is not None, block or found.group("line") or found.group("line2") or ""
        tex = plain(tex)
        return formulas.keep(tex, block=is_block) if tex else ""

    return ANKI.sub(take, field)


def _latex(source: str, formulas: Formulas) -> str:
    """[latex] holds LaTeX as in a document: a formula between its own marks, an environment, or words."""
    source = _text(source)
    found = _IN_DOLLARS.fullmatch(source)
    if found:
        tex = next(part for part in found.groups() if part is not None)
        return formulas.keep(tex.strip(), block=source.startswith(("$$", "\\[")))
    if source.startswith("\\begin{"):
        return formulas.keep(source, block=True)
    words = html.escape(source, quote=False)
    return _AMONG_WORDS.sub(
        lambda part: formulas.keep(html.unescape(part.group(1)).strip(), block=False), words
    )


def plain(source: str) -> str:
    """TeX that an editor has dressed in HTML; `$` inside would end it early on our side."""
    return re.sub(r"(?<!\\)\$", "", _text(source)).strip()


def _text(source: str) -> str:
    return html.unescape(_TAG.sub("", _BREAK.sub("\n", source))).replace("\xa0", " ").strip()
