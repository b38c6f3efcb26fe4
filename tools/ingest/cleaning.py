"""Characters that no database, model or reader wants are taken out before any offset is counted."""

import re
import unicodedata

# Control characters except tab and newline, lone surrogates, non-characters, soft hyphens and zero-width marks.
_UNWANTED = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u200b\u2060\ufeff\ufffe\uffff\ud800-\udfff]")
_BREAKS = re.compile("\r\n?|\x0b|\x0c|\x85|\u2028|\u2029")
_SPACES = re.compile("[ \u00a0\u1680\u2000-\u200a\u202f\u205f\u3000]+")
_LIGATURES = str.maketrans({"ﬀ": "ff", "ﬁ": "fi", "ﬂ": "fl", "ﬃ": "ffi", "ﬄ": "ffl", "ﬅ": "ft", "ﬆ": "st"})


def clean(text: str) -> str:
    """Text without control characters and ligatures, composed (NFC), with \\n as the only line end."""
    if text.isascii() and text.isprintable():
        return text
    text = _BREAKS.sub("\n", text).translate(_LIGATURES)
    return unicodedata.normalize("NFC", _UNWANTED.sub("", text))


def one_line(text: str) -> str:
    """Clean text on one line, runs of white space as one space."""
    return " ".join(clean(text).split())


def squeeze(text: str) -> str:
    """Clean text in which line breaks stay and runs of spaces become one."""
    lines = (_SPACES.sub(" ", line).strip() for line in clean(text).split("\n"))
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()
