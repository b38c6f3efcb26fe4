"""JSON as language models write it: in fences, with remarks around it, with commas too many, cut off in the middle. Pure."""

import json
import re
from collections.abc import Iterator
from typing import Any

_FENCE = re.compile(r"^\s*```[a-zA-Z]*\s*$", re.MULTILINE)
_TRAILING = re.compile(r",(\s*[}\]])")
_TEX = re.compile(
    r"(?<!\\)\\(?=[^\"\\/bfnrtu]|u(?![0-9a-fA-F]{4})|(?:frac|forall|beta|bar|begin|binom|bf|big|nabla|neq|ne|nu|not|rho|right|rightarrow|rangle|times|theta|tau|text|tan|to|top|tilde)\b)"
)
"""A single backslash of TeX, which JSON would take for an escape: "\\frac" would begin with a form feed."""


def parse_items(text: str) -> list[Any]:
    """What the answer lists as items, whole ones only, as JSON values; empty when there is no JSON in it."""
    plain = _TEX.sub(r"\\\\", _FENCE.sub("", text)).strip()
    whole = _loaded(plain[_first(plain) :])
    listed = [one for one in _listed(whole) if isinstance(one, dict)]
    if listed and listed != [whole]:
        return listed
    found = [value for value in map(_loaded, _objects(plain)) if isinstance(value, dict)]
    return [item for value in found for item in _listed(value) if isinstance(item, dict)]


def _first(text: str) -> int:
    return min((at for at in (text.find("{"), text.find("[")) if at >= 0), default=0)


def _loaded(text: str) -> Any:
    """The JSON value that a text begins with, or None. What follows it is left aside."""
    for candidate in (text, _TRAILING.sub(r"\1", text)):
        try:
            return json.JSONDecoder(strict=False).raw_decode(candidate)[0]
        except ValueError:
            continue
    return None


def _listed(value: Any) -> list[Any]:
    if isinstance(value, list):
        return value
    if isinstance(value, dict):
        for inner in value.values():
            if isinstance(inner, list) and inner and all(isinstance(one, dict) for one in inner):
                # The pairs of a single matching are a list of objects too.
                return [value] if "left" in inner[0] else inner
        return [] if value.get("items") == [] else [value]
    return []


def _objects(text: str) -> Iterator[str]:
    """The objects of a list that was cut off, or of several that follow each other: the outermost whole ones inside an
    unclosed "{items: [", else the outermost whole ones."""
    opened: list[int] = []
    whole: list[tuple[int, int]] = []
    quoted = escaped = False
    for at, character in enumerate(text):
        if quoted:
            quoted = escaped or character != '"'
            escaped = character == "\\" and not escaped
        elif character == '"':
            quoted = True
        elif character == "{":
            opened.append(at)
        elif character == "}" and opened:
            start = opened.pop()
            whole = [span for span in whole if span[0] < start]
            whole.append((start, at + 1))
    # The first brace that was never closed holds the list; what stands in an item that was cut off is no item.
    holds_all = bool(opened) and opened[0] == text.find("{")
    cut = opened[1:2] if holds_all else opened[:1]
    level = cut[0] if cut else len(text)
    yield from (text[start:end] for start, end in whole if start < level)
