"""What stays by text from one job to the next, and is bounded: the oldest go first."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Generic, TypeVar

T = TypeVar("T")


class Kept(Generic[T]):
    """Values by text, at most `most`, but for those of the newest call, which always stay."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._values: dict[str, T] = {}

    def __len__(self) -> int:
        return len(self._values)

    def missing(self, texts: Iterable[str]) -> list[str]:
        """Those that are not kept, each once, in order."""
        return list(dict.fromkeys(text for text in texts if text not in self._values))

    def add(self, values: Mapping[str, T]) -> None:
        self._values.update(values)

    def of(self, texts: Sequence[str]) -> list[T]:
        """Their values, all of which are kept. What was not asked for lately is let go of when there is too much."""
        for text in dict.fromkeys(texts):
            self._values[text] = self._values.pop(text)
        spare = max(0, len(self._values) - max(self._most, len(set(texts))))
        for text in list(self._values)[:spare]:
            del self._values[text]
        return [self._values[text] for text in texts]

    def clear(self) -> None:
        self._values.clear()
