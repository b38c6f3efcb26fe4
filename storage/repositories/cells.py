"""Single values of a query's result: cut short by PostgreSQL, then turned from its text form into JSON's."""

import json
import math
from typing import Any

CELL = 2000
"""Characters of one cell; longer ones are cut and end in an ellipsis."""
DEEPEST = 50
"""Levels of a JSON value; deeper ones stay text, since no client can be expected to read them."""
EXACT = 1 << 53
"""Up to here a JSON number is exact in every client (RFC 8259, section 6)."""

WHOLE = frozenset({"int2", "int4", "int8", "oid"})
FLOATING = frozenset({"float4", "float8"})


def expression(column: str, type_: Any) -> str:
    """SQL for a column as text of at most CELL + 1 characters. `type_` is asyncpg's."""
    text = f"to_json({column})::text" if is_json(type_) else f"{column}::text"
    return f"left({text}, {CELL + 1})"


def is_json(type_: Any) -> bool:
    """Whether a value of the type has parts, so that JSON shows them: JSON itself, arrays and rows."""
    return type_.name in ("json", "jsonb", "record") or type_.kind in ("array", "composite")


def value_of(type_: Any, text: str | None) -> Any:
    """A cell as a JSON value; numbers that not every client can hold, and what was cut, stay text."""
    if text is None:
        return None
    if len(text) > CELL:
        return text[:CELL] + "…"
    if type_.name == "bool":
        return text == "true"
    if is_json(type_):
        return from_json(text)
    if type_.name in WHOLE or type_.name in FLOATING or type_.name == "numeric":
        return number(text)
    return text


def number(text: str) -> int | float | str:
    """A number when JSON holds it exactly, else its text: NaN, infinities, more than 15 digits."""
    if text.lstrip("-").isdigit():
        whole = int(text)
        return whole if abs(whole) <= EXACT else text
    value = float(text)
    digits = sum(c.isdigit() for c in text.partition("e")[0])
    return value if math.isfinite(value) and digits <= 17 else text


def from_json(text: str) -> Any:
    """The value, or the text when it is too deep or holds what JSON can spell but a client cannot read."""
    if depth(text) > DEEPEST or "\\ud" in text.lower():
        return text
    return json.loads(text, parse_float=number, parse_int=number)


def depth(text: str) -> int:
    """An upper bound of the nesting: brackets in strings count too."""
    level = deepest = 0
    for character in text:
        if character in "[{":
            level += 1
            deepest = max(deepest, level)
        elif character in "]}":
            level -= 1
    return deepest
