"""What the job asks of each kind of document: its parts one by one, and what is done once all are there."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from tools.documents.citing import Citing
from tools.documents.content import Citation, Content, Section


@dataclass(frozen=True, slots=True)
class PartMade:
    """One part of a document, and how it came about."""

    section: Section
    written: int = 0
    """Points that were proposed, and of these the ones that did not stand."""
    dropped: int = 0
    fell_back: bool = False
    """The language model's answer was of no use, so this part quotes."""
    input_tokens: int = 0
    output_tokens: int = 0


@dataclass(frozen=True, slots=True)
class Finished:
    content: Content
    citations: Sequence[Citation]
    page_count: int | None
    """Of the PDF."""
    size: float | None = None
    """Of the text in points, where it was chosen to fill the pages."""
    smallest: float | None = None
    """Smallest print found in the PDF, in points."""


class Work(Protocol):
    """Making one document. Parts are the same for every attempt as long as the material is."""

    @property
    def maker(self) -> str:
        """`builtin` or the name of the language model."""
        ...

    @property
    def total(self) -> int: ...

    @property
    def version(self) -> str:
        """Changes when the material is read again."""
        ...

    async def part(self, index: int, citing: Citing) -> PartMade: ...

    async def close(self) -> None: ...
