"""Where reading stands, told before a page is touched, so that a crash is blamed on the right one."""

from collections.abc import Callable


class _Place:
    tell: Callable[[int], None] | None = None


def touch(ordinal: int) -> None:
    """An extractor is about to read this page, slide or section out of turn: to learn its fonts, or its headings again.

    Does nothing outside of a reader child.
    """
    if _Place.tell is not None:
        _Place.tell(ordinal)


def tell_with(tell: Callable[[int], None]) -> None:
    """From now on `touch` calls this."""
    _Place.tell = tell
