"""The encoding of text: marks and declarations are tried first, then what the bytes themselves look like."""

import re

_MARKS = (
    (b"\xef\xbb\xbf", "utf-8-sig"),
    (b"\xff\xfe\x00\x00", "utf-32"),
    (b"\x00\x00\xfe\xff", "utf-32"),
    (b"\xff\xfe", "utf-16"),
    (b"\xfe\xff", "utf-16"),
)
_CANDIDATES = (
    ("shift_jis", re.compile(r"[\u3041-\u30fe]")),
    ("euc_jp", re.compile(r"[\u3041-\u30fe]")),
    ("gb18030", re.compile(r"[的一是不了在人有我这中大来为和国年时说要以用于]")),
    ("big5", re.compile(r"[的一是不了在人有我這中大來為和國年時說要以用於]")),
    ("euc_kr", re.compile(r"[은는이가을를의다에한하고지]")),
)
"""Encodings of two bytes a character, with the characters that are frequent in any text of the language."""
_ONE_BYTE = (
    ("cp1251", re.compile(r"[оеаинтсрвл]")),
    ("koi8_r", re.compile(r"[оеаинтсрвл]")),
    ("cp1253", re.compile(r"[αοιετσνηυρ]")),
    ("cp1255", re.compile(r"[יוהלאמתרבש]")),
    ("cp1256", re.compile(r"[الينموهرتب]")),
)
_FREQUENT_SHARE = {"two": 0.08, "one": 0.55}
_FOREIGN = 0.4
"""Share of letters beyond ASCII from which a text is in no Latin script."""
_CENTRAL_EUROPEAN = re.compile(rb"[a-z][\xb3\xb9\xbf][a-z]")
"""Polish ł, ą and ż within words, where Windows-1252 has ³, ¹ and ¿."""
_SAMPLE = 65_536
_ENOUGH = 24
"""Bytes beyond ASCII below which nothing but Windows-1252 is guessed."""


def encoding_of(head: bytes, declared: str | None = None) -> str:
    """Name of a Python codec for text that begins with `head`. Bytes it cannot decode are to be replaced.

    A declaration counts only where the bytes agree with it; without any sign it is Windows-1252.
    """
    for mark, name in _MARKS:
        if head.startswith(mark):
            return name
    unmarked = utf16_without_mark(head)
    if unmarked:
        return unmarked
    if _is_utf8(head):
        return "utf-8"
    if declared and _decodes(head, declared):
        return declared
    return _guess(head[:_SAMPLE])


def decode(data: bytes, declared: str | None = None) -> str:
    """Text of bytes, by `encoding_of`. Never raises."""
    return data.decode(encoding_of(data, declared), "replace")


def utf16_without_mark(head: bytes) -> str | None:
    """UTF-16 of mostly Latin text has a zero in every second byte."""
    sample = head[:2000]
    half = len(sample) // 2
    if half < 8:
        return None
    even, odd = sample[0::2].count(0), sample[1::2].count(0)
    if odd > 0.7 * half and even < 0.05 * half:
        return "utf-16-le"
    return "utf-16-be" if even > 0.7 * half and odd < 0.05 * half else None


def _is_utf8(head: bytes) -> bool:
    """A sample may end inside a character; one bad byte in long UTF-8 is an accident, not another encoding."""
    try:
        head.decode("utf-8")
    except UnicodeDecodeError as error:
        if error.start >= len(head) - 3 and error.start > 0:
            return True
        text = head.decode("utf-8", "replace")
        return text.count("\ufffd") <= len(text) // 2000
    return True


def _decodes(head: bytes, name: str) -> bool:
    try:
        text = head.decode(name, "replace")
    except (LookupError, ValueError):
        return False
    # A declaration of UTF-8 or ASCII was disproved by the bytes; codecs that give no text are none of ours.
    return text.count("\ufffd") <= len(text) // 200


def _guess(sample: bytes) -> str:
    """By letters: the encoding in which those beyond ASCII are the frequent ones of its language."""
    if len(_CENTRAL_EUROPEAN.findall(sample)) > 1:
        return "cp1250"
    if sum(byte > 127 for byte in sample) < _ENOUGH:
        return "cp1252"
    scored = [(_score(sample, name, frequent, 2), name) for name, frequent in _CANDIDATES]
    best, name = max(scored)
    if best >= _FREQUENT_SHARE["two"]:
        return name
    if sum(byte > 127 for byte in sample) < _FOREIGN * sum(chr(byte).isalpha() for byte in sample):
        return "cp1252"
    best, name = max((_score(sample, name, frequent, 1), name) for name, frequent in _ONE_BYTE)
    return name if best >= _FREQUENT_SHARE["one"] else "cp1252"


def _score(sample: bytes, name: str, frequent: re.Pattern[str], width: int) -> float:
    text = sample.decode(name, "replace")
    foreign = sum(character > "\x7f" for character in text)
    if width == 2 and text.count("\ufffd") > 1 + len(text) // 500:
        return 0.0
    return len(frequent.findall(text)) / max(1, foreign)
