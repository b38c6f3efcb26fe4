"""The headings in force at a place of a document: an outline that is walked from top to bottom."""

from collections.abc import Sequence


class HeadingPath:
    """Headings above the current place. A heading of level n ends all of level n and deeper."""

    def __init__(self, titles: Sequence[str] = (), levels: Sequence[int] = ()) -> None:
        """Starts below the given headings; without levels they count 1, 2, 3 from the outermost."""
        known = levels if len(levels) == len(titles) else range(1, len(titles) + 1)
        self._entries = list(zip(known, titles, strict=True))

    def enter(self, level: int, title: str) -> None:
        while self._entries and self._entries[-1][0] >= level:
            self._entries.pop()
        if title:
            self._entries.append((level, title))

    @property
    def titles(self) -> tuple[str, ...]:
        return tuple(title for _, title in self._entries)

    @property
    def levels(self) -> tuple[int, ...]:
        return tuple(level for level, _ in self._entries)
