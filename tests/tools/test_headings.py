"""Which heading is meant: by number, by words, by words that are nearly right."""

import pytest

from tools.search.headings import Stretch, section, stretches, titles

PATHS = [
    ("Preface",),
    ("Algorithms 1",),
    ("Algorithms 1", "1.1 Finite differences"),
    ("Algorithms 1", "1.1 Finite differences", "1.1.10 The Leapfrog scheme"),
    ("Algorithms 1", "1.2 Implementation"),
    ("Algorithms 1", "1.2 Implementation"),
    ("Analysis 2", "2.1 Stability"),
    ("Analysis 2", "2.1 Stability", "Summary"),
    ("Appendix A", "A.1 Proofs"),
    ("Kapitel 12: Wärme",),
]
OUTLINE = stretches(PATHS)


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        ("1.2", ("1.2 Implementation", 4, 5)),
        ("section 1.1", ("1.1 Finite differences", 2, 3)),
        ("§ 1.1.10", ("1.1.10 The Leapfrog scheme", 3, 3)),
        ("Chapter 1", ("Algorithms 1", 1, 5)),
        ("2", ("Analysis 2", 6, 7)),
        ("Kapitel 12", ("Kapitel 12: Wärme", 9, 9)),
        ("A.1", ("A.1 Proofs", 8, 8)),
        ("stability", ("2.1 Stability", 6, 7)),
        ("the leapfrog scheme", ("1.1.10 The Leapfrog scheme", 3, 3)),
        ("Implementaton", ("1.2 Implementation", 4, 5)),
        ("finite diferences", ("1.1 Finite differences", 2, 3)),
        ("WÄRME", ("Kapitel 12: Wärme", 9, 9)),
        ("1.1.1", None),
        ("3", None),
        ("quantum mechanics", None),
        ("?!", None),
    ],
)
def test_a_heading_is_found_as_people_name_it(wanted: str, expected: tuple[str, int, int] | None) -> None:
    assert section(wanted, OUTLINE) == expected


def test_an_outline_names_each_heading_once() -> None:
    assert OUTLINE[4] == Stretch(("Algorithms 1", "1.2 Implementation"), 4, 5)
    assert titles(OUTLINE)[:3] == ["Preface", "Algorithms 1", "1.1 Finite differences"]
    assert section("anything", []) is None
