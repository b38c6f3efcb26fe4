"""The numbers printed on pages, as a PDF file says them: "iv", "17", "A-3" (ISO 32000-2, 12.4.2)."""

from typing import Any

from tools.ingest.cleaning import one_line

_ROMAN = (
    (1000, "m"), (900, "cm"), (500, "d"), (400, "cd"), (100, "c"), (90, "xc"), (50, "l"), (40, "xl"),
    (10, "x"), (9, "ix"), (5, "v"), (4, "iv"), (1, "i"),
)  # fmt: skip
_MOST = 3999
"""Larger numbers are written in digits: as letters they would be words of a thousand letters."""


class PageLabels:
    """The labels of a document; its rules are read once, since MuPDF would do so for every page."""

    def __init__(self, document: Any) -> None:
        self._rules = sorted(document.get_page_labels(), key=lambda rule: rule["startpage"])

    def of(self, page: int) -> str | None:
        """The label of a page, counted from 0; None when the file gives it none."""
        rule = next((rule for rule in reversed(self._rules) if rule["startpage"] <= page), None)
        if rule is None:
            return None
        number = page - rule["startpage"] + rule["firstpagenum"]
        return one_line(rule["prefix"] + _written(rule.get("style", ""), number)) or None


def _written(style: str, number: int) -> str:
    if not style:
        return ""
    if style == "D" or not 0 < number <= _MOST:
        return str(number)
    text = _roman(number) if style in "Rr" else _letters(number)
    return text.upper() if style.isupper() else text


def _roman(number: int) -> str:
    text = ""
    for value, letters in _ROMAN:
        count, number = divmod(number, value)
        text += count * letters
    return text


def _letters(number: int) -> str:
    """a to z, then aa to zz."""
    repeats, letter = divmod(number - 1, 26)
    return (repeats + 1) * chr(ord("a") + letter)
