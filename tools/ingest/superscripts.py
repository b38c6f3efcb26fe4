"""Raised digits as characters of their own: 10⁻³ and m² must not read as 10-3 and m2. Pure."""

_RAISED = str.maketrans("0123456789+-−–=()n", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁻⁻⁼⁽⁾ⁿ")
_MEANT = frozenset("0123456789+-−–=()n")


def raised(text: str) -> str:
    """Text that stands above the line, where there are such characters; other text as it is ("1st", "TM")."""
    return text.translate(_RAISED) if text.strip() and set(text.strip()) <= _MEANT else text
