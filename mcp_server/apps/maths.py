"""Formulas for pages: TeX becomes MathML here, because a script that draws TeX is three times as large as a page."""

from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from tools.documents.maths.inline import Math, runs
from tools.documents.maths.mathml import mathml

MOST = 300
"""Formulas of one answer. What is beyond shows its TeX."""
SIGNS = ("$", "\\(", "\\[")


def formulas_of(content: Any) -> dict[str, str]:
    """MathML by TeX, of every formula in the texts of a tool's answer."""
    found: dict[str, str] = {}
    for text in _texts(content):
        if any(sign in text for sign in SIGNS):
            found.update(_drawn(text))
        if len(found) >= MOST:
            break
    return dict(list(found.items())[:MOST])


@lru_cache(maxsize=512)
def _drawn(text: str) -> tuple[tuple[str, str], ...]:
    drawn = (run for run in runs(text) if isinstance(run, Math) and _is_tex(text, run))
    return tuple((run.source, mathml(run.node, run.source, display=run.is_display)) for run in drawn)


def _is_tex(text: str, run: Math) -> bool:
    """Not an index in plain text (u^n), which stays as it is written."""
    return any(opening + run.source in text for opening in ("$", "\\(", "\\[", "$ ", "\\( ", "\\[ "))


def _texts(content: Any) -> Iterator[str]:
    if isinstance(content, str):
        yield content
    elif isinstance(content, dict):
        for inner in content.values():
            yield from _texts(inner)
    elif isinstance(content, list):
        for inner in content:
            yield from _texts(inner)
