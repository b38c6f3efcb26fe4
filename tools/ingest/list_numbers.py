"""Numbers of list items as documents write them: 3, iii, C. Pure."""

_ROMAN = (
    (1000, "m"), (900, "cm"), (500, "d"), (400, "cd"), (100, "c"), (90, "xc"), (50, "l"), (40, "xl"), (10, "x"),
    (9, "ix"), (5, "v"), (4, "iv"), (1, "i"),
)  # fmt: skip


def formatted(value: int, style: str) -> str:
    """A number in one of Word's formats (ECMA-376 part 1 §17.18.59); unknown ones are decimal."""
    if style in ("lowerLetter", "upperLetter") and value > 0:
        text = chr(97 + (value - 1) % 26) * min(9, 1 + (value - 1) // 26)
    elif style in ("lowerRoman", "upperRoman") and 0 < value < 4000:
        text = roman(value)
    elif style == "none":
        return ""
    else:
        return f"{value:02d}" if style == "decimalZero" else str(value)
    return text.upper() if style.startswith("upper") else text


def roman(value: int) -> str:
    text = ""
    for worth, letters in _ROMAN:
        text += letters * (value // worth)
        value %= worth
    return text
