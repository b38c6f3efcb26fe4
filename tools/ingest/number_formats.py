"""Numbers and dates as a spreadsheet shows them, by their format codes (ECMA-376 part 1 §18.8.30). Pure."""

import re
from datetime import UTC, datetime, timedelta

_BUILT_IN = {
    0: "General", 1: "0", 2: "0.00", 3: "#,##0", 4: "#,##0.00", 9: "0%", 10: "0.00%", 11: "0.00E+00", 12: "General",
    13: "General", 14: "yyyy-mm-dd", 15: "d-mmm-yy", 16: "d-mmm", 17: "mmm-yy", 18: "h:mm AM/PM", 19: "h:mm:ss AM/PM",
    20: "h:mm", 21: "h:mm:ss", 22: "yyyy-mm-dd h:mm", 37: "#,##0", 38: "#,##0", 39: "#,##0.00", 40: "#,##0.00", 45: "mm:ss",
    46: "[h]:mm:ss", 47: "mm:ss.0", 48: "0.0E+0", 49: "@",
}  # fmt: skip
"""Codes by id. The dates of 14 and 22 depend on the reader's country; here they are unambiguous."""
_LITERAL = re.compile(r'"([^"]*)"|\\(.)|_.|\*.|\[\$([^\]-]*)[^\]]*\]')
_CONDITION = re.compile(r"\[(?!\$|h+\]|m+\]|s+\])[^\]]*\]", re.I)
_DATE_PART = re.compile(r"(\[h+\]|\[m+\]|\[s+\]|y+|m+|d+|h+|s+|\.0+|AM/PM|A/P)", re.I)
_NUMBER = re.compile(r"[#0?][#0?,]*(?:\.[#0?]*,*)?(?:E[+-][#0?]+)?|\.[#0?]+", re.I)
_GENERAL = re.compile(r"General|@", re.I)
_FIRST_MASK = 0xE000
_MASK = re.compile("[\ue000-\uf8ff]")
"""Stand in for literal text while the rest of a code is read."""
_MONTHS = "January February March April May June July August September October November December".split()
_DAYS = "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split()
_MAX_SERIAL = 2_958_466
"""Day number of 10000-01-01."""


def code_of(format_id: int, codes: dict[int, str]) -> str:
    """The code of a number format: the workbook's own, else a built-in one."""
    return codes.get(format_id) or _BUILT_IN.get(format_id, "General")


def shown(value: float, code: str, since_1904: bool = False) -> str:
    """A number as a cell with this format code shows it."""
    if value != value or value in (float("inf"), float("-inf")):
        return str(value)
    section, value = _section(_MASK.sub("", code), value)
    plain, literals = _masked(section)
    if _is_date(plain):
        return _date(value, plain, literals, since_1904)
    number = _GENERAL.search(plain) or _NUMBER.search(plain)
    if number is None:
        return _restored(plain, literals).strip() or general(value)
    if "/" in plain or _GENERAL.fullmatch(number.group()):
        text = general(value)
    else:
        text = _number(value, number.group(), plain)
    made = plain if "/" not in plain else number.group()
    return _restored(made.replace(number.group(), text, 1), literals).strip()


def general(value: float) -> str:
    """At most twelve digits; whole numbers without a point."""
    if value == int(value) and abs(value) < 1e15:
        return str(int(value))
    return f"{value:.12g}"


def _section(code: str, value: float) -> tuple[str, float]:
    """The part of a code for this number: positive; negative; zero. The part for negative ones shows their sign itself."""
    sections = re.split(r';(?=(?:[^"]*"[^"]*")*[^"]*$)', code)
    if value < 0 and len(sections) > 1:
        return sections[1], -value
    return (sections[2] if value == 0 and len(sections) > 2 else sections[0]), value


def _masked(section: str) -> tuple[str, list[str]]:
    """The code with its literal text taken out, so that no letter of it is taken for a date's."""
    literals: list[str] = []

    def mask(match: re.Match[str]) -> str:
        literals.append(next((text for text in match.groups() if text is not None), ""))
        return chr(_FIRST_MASK + len(literals) - 1)

    return _LITERAL.sub(mask, _CONDITION.sub("", section)), literals


def _restored(text: str, literals: list[str]) -> str:
    return _MASK.sub(lambda match: literals[ord(match.group()) - _FIRST_MASK], text)


def _is_date(plain: str) -> bool:
    return "general" not in plain.lower() and bool(re.search(r"[ymdhs]", re.sub(r"E[+-]", "", plain), re.I))


def _number(value: float, digits: str, plain: str) -> str:
    mantissa, _, power = digits.upper().partition("E")
    whole, _, decimals = mantissa.partition(".")
    least, most = decimals.count("0"), len(decimals.rstrip(","))
    if power:
        return f"{value:.{most}E}"
    scaled = value * 100 ** plain.count("%")
    for _ in range(len(mantissa) - len(mantissa.rstrip(","))):
        scaled /= 1000
    whole, decimals = whole.rstrip(","), decimals.rstrip(",")
    least, most = decimals.count("0"), len(decimals)
    text = f"{scaled:,.{most}f}" if "," in whole else f"{scaled:.{most}f}"
    for _ in range(most - least):
        text = text[:-1] if text.endswith("0") else text
    text = text.rstrip(".")
    places = whole.count("0")
    sign, body = ("-", text[1:]) if text.startswith("-") else ("", text)
    head, point, tail = body.partition(".")
    return f"{sign}{head.zfill(places) if ',' not in head else head}{point}{tail}"


def _date(value: float, plain: str, literals: list[str], since_1904: bool) -> str:
    """A day number and fraction (§18.17.4.1). Day 60 of the calendar from 1900 never was."""
    if not 0 <= value < _MAX_SERIAL:
        return general(value)
    first = (1904, 1, 1) if since_1904 else (1899, 12, 30 if value >= 60 else 31)
    start = datetime(*first, tzinfo=UTC)
    moment = start + timedelta(seconds=round(value * 86_400, 3))
    parts = _DATE_PART.split(plain)
    halves = any(part.upper() in ("AM/PM", "A/P") for part in parts)
    made = [
        _date_part(part, moment, value, halves, parts, at) if at % 2 else part
        for at, part in enumerate(parts)
    ]
    return _restored("".join(made), literals).strip()


def _date_part(part: str, moment: datetime, value: float, halves: bool, parts: list[str], at: int) -> str:
    letter, length = part[0].lower(), len(part)
    if letter == "[":
        seconds = round(value * 86_400)
        return str(seconds // {"h": 3600, "m": 60, "s": 1}[part[1].lower()])
    if letter == "m" and _is_minute(parts, at):
        return f"{moment.minute:0{min(length, 2)}d}"
    if letter == "h":
        hour = (moment.hour % 12 or 12) if halves else moment.hour
        return f"{hour:0{min(length, 2)}d}"
    if letter == "s":
        return f"{moment.second:0{min(length, 2)}d}"
    if letter == ".":
        return f".{moment.microsecond:06d}"[:length]
    if letter == "a":
        return "AM" if moment.hour < 12 else "PM"
    return _day_part(letter, length, moment)


def _day_part(letter: str, length: int, moment: datetime) -> str:
    if letter == "y":
        return f"{moment.year:04d}" if length > 2 else f"{moment.year % 100:02d}"
    names, number = (_MONTHS, moment.month) if letter == "m" else (_DAYS, moment.day)
    name = names[moment.month - 1] if letter == "m" else names[moment.weekday()]
    if length > 2:
        return name[:3] if length == 3 else name
    return f"{number:0{length}d}"


def _is_minute(parts: list[str], at: int) -> bool:
    """An m means minutes after hours or before seconds."""
    codes = [part.lower().strip("[")[:1] for part in parts[1::2]]
    place = at // 2
    return "h" in codes[place - 1 : place] or "s" in codes[place + 1 : place + 2]
