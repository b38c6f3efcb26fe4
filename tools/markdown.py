"""Foreign text inside Markdown: what would become a citation, a link, HTML, code, emphasis or a formula is escaped, no more."""

import re

_RULES = (
    (re.compile(r"\\(?=[!-/:-@\[-`{-~])"), r"\\\\"),
    (re.compile(r"\[(?=\s*\d|\^|[^\[\]]*\][(\[:])"), r"\["),
    (re.compile(r"<(?=[A-Za-z/!?])"), r"\<"),
    (re.compile(r"&(?=#?\w{1,32};)"), r"\&"),
)
_IN_PAIRS = ("`", "*", "$", "~~")
"""Harmless alone, markup when there are two."""
_BLOCK = re.compile(r"^(\s{0,3})(?=#{1,6}(?:\s|$)|>|(?:[-=_*]\s*){2,}$|~~~)")


def escaped(text: str) -> str:
    """One line of foreign text. `∆t < 2/a` and `[D2t u]n` need nothing; `[3]`, `[x](…)`, `<b>` do."""
    for pattern, replacement in _RULES:
        text = pattern.sub(replacement, text)
    for mark in _IN_PAIRS:
        if text.count(mark) > 1:
            text = text.replace(mark, "".join(f"\\{c}" for c in mark))
    return text


def escaped_block(text: str) -> str:
    """Lines of foreign text: also headings and rules at the start of a line are made plain."""
    return "\n".join(_BLOCK.sub(r"\1\\", escaped(line)) for line in text.splitlines())
