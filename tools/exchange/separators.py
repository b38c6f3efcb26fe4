"""What stands between a term and its definition, and between two cards, as people name it."""

import re
from collections.abc import Sequence

NAMES = {
    "tab": "\t",
    "\\t": "\t",
    "comma": ",",
    "semicolon": ";",
    "colon": ":",
    "pipe": "|",
    "newline": "\n",
    "line": "\n",
    "\\n": "\n",
    "blank line": "\n\n",
    "\\n\\n": "\n\n",
    "dash": " - ",
    "hyphen": " - ",
}
CANDIDATES = ("\t", " - ", " – ", " — ", " = ", ": ", ";", ",")
"""Tried in this order where nothing is said."""
ENOUGH = 0.8
"""Share of the lines that must have a separator."""


def separator_of(said: str) -> str:
    """The characters that are meant: `comma`, `\\t`, or any characters as they are."""
    return NAMES.get(said.strip().lower(), said)


def likeliest(cards: Sequence[str]) -> str | None:
    """What separates term and definition in most of these, or None."""
    for candidate in CANDIDATES:
        if sum(candidate in card for card in cards) >= ENOUGH * len(cards):
            return candidate
    return None


def has_tabs(text: str) -> bool:
    """Whether it looks like Quizlet's own export: most lines have exactly one tab."""
    lines = [line for line in re.split(r"\r\n?|\n", text) if line.strip()]
    return bool(lines) and sum(line.count("\t") == 1 for line in lines) >= ENOUGH * len(lines)
