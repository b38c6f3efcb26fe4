"""The one locator: where in a material a passage stands. Used by hits, citations, cards and MCP results alike."""

from uuid import UUID

from pydantic import BaseModel, Field


class Box(BaseModel):
    """A rectangle on a page image, in fractions of its width and height (0..1, origin top left)."""

    x0: float
    y0: float
    x1: float
    y1: float


class Locator(BaseModel):
    """Exactly one of page, slide, t_start or section says where; the character range is inside that segment's text."""

    material_id: UUID
    material_title: str
    segment: int = Field(description="Ordinal of the segment (page, slide, section or minute), from 0.")
    page: int | None = Field(default=None, description="Page of the file, from 1.")
    page_label: str | None = Field(
        default=None, description="The number printed on the page, when it differs."
    )
    slide: int | None = Field(default=None, description="Slide number, from 1.")
    t_start: float | None = Field(
        default=None, description="Of a recording: the second at which the first word is heard."
    )
    t_end: float | None = Field(default=None, description="The second at which the last word ends.")
    heading_path: list[str] = Field(
        default_factory=list, description="Headings above the passage, outermost first."
    )
    char_start: int = 0
    char_end: int = 0
    boxes: list[Box] = Field(default_factory=list, description="Where the passage stands on the page image.")

    def label(self) -> str:
        """The place in words, e.g. "page 57", "slide 12", "12:30" or "Chapter 2 › Schemes"."""
        if self.page is not None:
            printed = (
                f" (printed {self.page_label})"
                if self.page_label and self.page_label != str(self.page)
                else ""
            )
            return f"page {self.page}{printed}"
        if self.slide is not None:
            return f"slide {self.slide}"
        if self.t_start is not None:
            return clock(self.t_start)
        return " › ".join(self.heading_path) or "the text"


def clock(seconds: float) -> str:
    """A time as a player shows it: 12:30 or 1:02:03."""
    minutes, second = divmod(int(seconds), 60)
    hours, minute = divmod(minutes, 60)
    return f"{hours}:{minute:02}:{second:02}" if hours else f"{minute}:{second:02}"
