"""Cuts an answer to a budget where it does least harm: lists between two items, then long texts."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

LONG_TEXT = 1000
"""Characters from which a text is cut rather than the list that it stands in is emptied."""
MARK = " […]"
MOST_CUTS = 50


@dataclass(frozen=True, slots=True)
class Cut:
    """`shown` of `of` items, or characters, at a path such as `items` or `items.0.text`."""

    path: str
    shown: int
    of: int
    what: str


@dataclass(slots=True)
class _Spot:
    """A list or a text that can be made shorter, inside what holds it."""

    path: str
    holder: Any
    key: Any
    size: int

    @property
    def value(self) -> Any:
        return self.holder[self.key]


def compact(value: Any) -> str:
    """JSON without a blank too many, in the letters of the text."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def shortened(data: dict[str, Any], budget: int) -> tuple[dict[str, Any], list[Cut]]:
    """The data within `budget` characters of JSON as far as cutting can do that, and what was cut; it is not changed itself.

    A list keeps its first items, at least one; a text its beginning. What is heaviest goes first.
    """
    size = len(compact(data))
    if size <= budget:
        return data, []
    kept: dict[str, Any] = json.loads(compact(data))
    cuts: dict[str, Cut] = {}
    for _ in range(MOST_CUTS):
        over = len(compact(kept)) - budget
        spot = max(_spots(kept, ""), key=lambda one: one.size, default=None) if over > 0 else None
        if spot is None:
            break
        cut = _cut(spot, over)
        before = cuts.get(cut.path)
        cuts[cut.path] = cut if before is None else Cut(cut.path, cut.shown, before.of, cut.what)
    gone = [f"{path}.{cut.shown}" for path, cut in cuts.items() if cut.what == "items"]
    return kept, [cut for cut in cuts.values() if not any(_is_behind(cut.path, edge) for edge in gone)]


def _is_behind(path: str, edge: str) -> bool:
    """Whether a path leads into an item that was cut off later: at the edge of its list or behind it."""
    home, _, first = edge.rpartition(".")
    if not path.startswith(f"{home}."):
        return False
    number = path[len(home) + 1 :].partition(".")[0]
    return number.isdigit() and int(number) >= int(first)


def _spots(value: Any, path: str) -> Iterator[_Spot]:
    """Lists of more than one item and long texts, anywhere below."""
    parts = value.items() if isinstance(value, dict) else enumerate(value)
    for key, part in parts:
        inner = f"{path}.{key}" if path else str(key)
        if (isinstance(part, list) and len(part) > 1) or (isinstance(part, str) and len(part) > LONG_TEXT):
            yield _Spot(inner, value, key, len(compact(part)))
        if isinstance(part, dict | list):
            yield from _spots(part, inner)


def _cut(spot: _Spot, over: int) -> Cut:
    value = spot.value
    if isinstance(value, str):
        # Quotes and line ends take two characters in JSON, so another round may have to follow.
        length = max(LONG_TEXT - len(MARK), len(value) - over - len(MARK))
        spot.holder[spot.key] = value[:length] + MARK
        return Cut(spot.path, length, len(value), "characters")
    left, room = 0, spot.size - over
    for item in value:
        room -= len(compact(item)) + 1
        if room < 0:
            break
        left += 1
    left = min(max(left, 1), len(value) - 1)
    spot.holder[spot.key] = value[:left]
    return Cut(spot.path, left, len(value), "items")
