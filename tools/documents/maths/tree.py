"""What a formula consists of, for all renderers."""

from dataclasses import dataclass
from typing import Literal

Role = Literal["letter", "number", "operator", "relation", "big", "open", "close", "punctuation"]


@dataclass(frozen=True, slots=True)
class Sign:
    """One character, or the digits of a number. A letter stands in italics unless `upright`."""

    text: str
    role: Role = "letter"
    upright: bool = False


@dataclass(frozen=True, slots=True)
class Name:
    """The name of a function: sin, lim."""

    text: str
    limits: bool = False
    """What is attached stands above and below in a display."""


@dataclass(frozen=True, slots=True)
class Words:
    text: str


@dataclass(frozen=True, slots=True)
class Row:
    parts: tuple["Node", ...]


@dataclass(frozen=True, slots=True)
class Fraction:
    over: "Node"
    under: "Node"
    line: bool = True


@dataclass(frozen=True, slots=True)
class Root:
    body: "Node"
    degree: "Node | None" = None


@dataclass(frozen=True, slots=True)
class Scripts:
    base: "Node"
    below: "Node | None" = None
    above: "Node | None" = None
    limits: bool = False
    """Right above and below the base, whatever it is."""


@dataclass(frozen=True, slots=True)
class Accent:
    """A combining character over the body, or a line or brace above or below it."""

    body: "Node"
    mark: str


@dataclass(frozen=True, slots=True)
class Fenced:
    """Brackets as tall as what is between them; "" for none."""

    opening: str
    body: "Node"
    closing: str


@dataclass(frozen=True, slots=True)
class Grid:
    """A matrix, cases or aligned lines."""

    rows: tuple[tuple["Node", ...], ...]
    kind: Literal["matrix", "cases", "aligned"] = "matrix"
    opening: str = ""
    closing: str = ""


@dataclass(frozen=True, slots=True)
class Space:
    width: float
    """In em."""


Node = Sign | Name | Words | Row | Fraction | Root | Scripts | Accent | Fenced | Grid | Space

LINES = {"overline": "\u0305", "underline": "\u0332", "overbrace": "\u23de", "underbrace": "\u23df"}
"""Marks that are as wide as the body."""
BELOW = frozenset({"\u0332", "\u23df"})
EMPTY = Row(())


def row(parts: list[Node]) -> Node:
    return parts[0] if len(parts) == 1 else Row(tuple(parts))


def bare(text: str) -> str:
    """One line without what XML cannot hold."""
    return "".join(
        c if c >= " " and not "\ud800" <= c <= "\udfff" and c not in "\ufffe\uffff" else " " for c in text
    )
