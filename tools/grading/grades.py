"""What a grade is."""

from dataclasses import dataclass, field
from typing import Any, Literal

Grader = Literal["rule", "match", "meaning", "rubric", "appeal", "person"]


@dataclass(frozen=True, slots=True)
class Grade:
    share: float
    """Of the points, 0 to 1."""
    by: Grader
    why: str
    """How it came about, in a sentence."""
    detail: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not 0 <= self.share <= 1:
            raise ValueError(f"{self.share} is no share of points.")

    @property
    def is_correct(self) -> bool:
        return self.share == 1

    def points(self, most: float) -> float:
        """Of `most`, to a hundredth; full only for a right answer."""
        return most if self.share == 1 else min(round(most * self.share, 2), most)


UNANSWERED = Grade(0.0, "rule", "It was not answered.", {"answered": False})
