"""A field of Anki (HTML with MathJax, cloze marks and sounds) as our text: Markdown with TeX between dollar signs. What is not
text, a picture, a sound or plain formatting is left out, so nothing of it can run."""

import re
from urllib.parse import quote, unquote, urlsplit

from lxml import etree, html

from tools.exchange.maths import Formulas, in_dollars, in_gaps, take_anki, without_places
from tools.exchange.to_html import is_plain
from tools.markdown import escaped

SOUND = re.compile(r"\[sound:([^\]\n]{1,300})\]")
SAFE_LINKS = ("http", "https", "mailto")
_MARK = re.compile(r"[\\`*_\[\]()<>#+\-.!~|&$]")
_GONE = frozenset(
    ("script", "style", "iframe", "form", "button", "select", "textarea", "template", "noscript", "head", "title", "svg", "math",
     "audio", "video", "canvas")
)  # fmt: skip
_BLOCKS = frozenset(
    ("div", "p", "section", "article", "header", "footer", "center", "blockquote", "dl", "dt", "dd", "figure", "figcaption", "details", "summary")
)  # fmt: skip
_MARKS = {"b": "**", "strong": "**", "i": "*", "em": "*", "s": "~~", "strike": "~~", "del": "~~"}
_RAISED = str.maketrans("0123456789+-=()n", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁼⁽⁾ⁿ")
_LOWERED = str.maketrans("0123456789+-=()", "₀₁₂₃₄₅₆₇₈₉₊₋₌₍₎")
_PARSER = html.HTMLParser(remove_comments=True, remove_pis=True, huge_tree=False)
_SPACES = re.compile(r"[ \t\r\f\v\xa0]+")
_BREAKS = re.compile("\r\n?|[\x0b\x0c\x85\u2028\u2029]")
_UNWRITTEN = re.compile("[\x00-\x08\x0e-\x1f\x7f]")
_LINES = re.compile(r"\n{3,}")
_TAG = re.compile(r"<[^>]*>")
_TOO_DEEP = 60
"""Elements inside each other; deeper ones give their words only."""
_SPECIAL = re.compile(r"[<&\n]")


def from_html(field: str, media: set[str] | None = None) -> str:
    """`media` is told the names of the pictures and sounds in it."""
    field = _UNWRITTEN.sub("", _BREAKS.sub("\n", without_places(field)))
    has_gaps = "{{c" in field

    def shown(tex: str, block: bool) -> str:
        return in_dollars(in_gaps(tex) if has_gaps else tex, block)

    formulas = Formulas(shown)
    text = take_anki(field, formulas)
    names: set[str] = set() if media is None else media
    text = (
        _converted(text, names)
        if _SPECIAL.search(text) or "[sound:" in text
        else _words(_SPACES.sub(" ", text), names)
    )
    text = "\n".join(line.rstrip() for line in text.split("\n"))
    return formulas.put_back(_LINES.sub("\n\n", text)).strip()


def _converted(text: str, media: set[str]) -> str:
    try:
        # An element around it, so that bare words are found too; newlines of the source mean nothing outside <pre>.
        root = html.fragment_fromstring(text, create_parent="div", parser=_PARSER)
    except (etree.ParserError, etree.XMLSyntaxError, ValueError):
        return _words(_TAG.sub(" ", text), media)
    return _Writer(media).inside(root, 0)


def media_link(name: str) -> str:
    """How a text names a picture of its deck."""
    return f"![]({quote(name, safe='')})"


def _words(text: str, media: set[str]) -> str:
    """Words, escaped where Markdown would read more into them; sounds and gaps stay as they are."""
    parts, at = [], 0
    for sound in SOUND.finditer(text):
        media.add(sound.group(1))
        parts += [_plain(text[at : sound.start()]), sound.group(0)]
        at = sound.end()
    return "".join([*parts, _plain(text[at:])])


def _plain(text: str) -> str:
    """Words that look as they are: with the few marks that need it escaped, else with all (CommonMark 2.4). Marks of gaps need none."""
    if not _MARK.search(text):
        return text
    careful = escaped(text)
    return careful if is_plain(careful, text) else _MARK.sub(r"\\\g<0>", text)


class _Writer:
    """Markdown of a tree of elements."""

    def __init__(self, media: set[str]) -> None:
        self._media = media

    def inside(self, element: html.HtmlElement, depth: int) -> str:
        """The words and elements in it."""
        if depth > _TOO_DEEP:
            return self._text("".join(element.itertext()))
        parts = [self._text(element.text)]
        for child in element:
            if isinstance(child.tag, str):
                parts.append(self._element(child, depth + 1))
            parts.append(self._text(child.tail))
        return "".join(parts)

    def _text(self, text: str | None) -> str:
        return _words(_SPACES.sub(" ", text.replace("\n", " ")), self._media) if text else ""

    def _element(self, element: html.HtmlElement, depth: int) -> str:
        tag = element.tag.lower()
        if tag in _GONE:
            return ""
        if tag == "br":
            return "\n"
        if tag == "hr":
            return "\n\n---\n\n"
        if tag == "img":
            return self._picture(element)
        if tag in ("pre", "code"):
            return self._code(element, tag)
        if tag == "table":
            return self._table(element, depth)
        if tag in ("ul", "ol"):
            return self._list(element, tag, depth)
        return self._around(tag, element, self.inside(element, depth))

    def _around(self, tag: str, element: html.HtmlElement, inner: str) -> str:
        if tag in _MARKS:
            return _marked(inner, _MARKS[tag])
        if tag in ("sub", "sup"):
            return _shifted(inner, tag)
        if tag == "a":
            return _link(inner, element.get("href") or "")
        if len(tag) == 2 and tag[0] == "h" and tag[1].isdigit():
            return f"\n\n{'#' * min(6, max(1, int(tag[1])))} {' '.join(inner.split())}\n\n"
        if tag == "p":
            return f"\n\n{inner.strip()}\n\n"
        if tag == "blockquote":
            return "\n\n" + "\n".join(f"> {line}" for line in inner.strip().split("\n")) + "\n\n"
        return (
            f"\n{inner.strip(' ')}\n".replace("\n\n\n", "\n\n") if tag in _BLOCKS else _styled(inner, element)
        )

    def _picture(self, element: html.HtmlElement) -> str:
        source = (element.get("src") or "").strip()
        scheme = urlsplit(source).scheme if "://" in source[:12] else ""
        if scheme in ("http", "https"):
            return f"[picture]({quote(source, safe=':/?&=#%~+,;@')})"
        name = unquote(source)
        if not name or name.startswith("data:") or "/" in name or "\\" in name or scheme:
            return ""
        self._media.add(name)
        return media_link(name)

    def _code(self, element: html.HtmlElement, tag: str) -> str:
        for line_break in element.iter("br"):
            line_break.tail = "\n" + (line_break.tail or "")
        text = "".join(element.itertext()).replace("\xa0", " ")
        if tag == "code" and "\n" not in text.strip():
            return f"`{text.strip()}`" if text.strip() and "`" not in text else _words(text, self._media)
        fence = "```" if "```" not in text else "~~~~"
        return f"\n\n{fence}\n{text.strip(chr(10))}\n{fence}\n\n"

    def _list(self, element: html.HtmlElement, tag: str, depth: int) -> str:
        lines = []
        for number, item in enumerate((one for one in element if one.tag == "li"), 1):
            bullet = f"{number}. " if tag == "ol" else "- "
            inner = _LINES.sub("\n", self.inside(item, depth)).strip().replace("\n\n", "\n")
            lines.append(bullet + inner.replace("\n", "\n" + " " * len(bullet)))
        return "\n" * (2 if depth <= 1 else 1) + "\n".join(lines) + "\n" * (2 if depth <= 1 else 1)

    def _table(self, element: html.HtmlElement, depth: int) -> str:
        rows = [
            [
                " ".join(self.inside(cell, depth + 2).split()).replace("|", "\\|")
                for cell in row
                if cell.tag in ("td", "th")
            ]
            for row in element.iter("tr")
        ]
        rows = [row for row in rows if row]
        if not rows:
            return ""
        width = max(map(len, rows))
        lines = ["| " + " | ".join(row + [""] * (width - len(row))) + " |" for row in rows]
        lines.insert(1, "|" + " --- |" * width)
        return "\n\n" + "\n".join(lines) + "\n\n"


def _marked(inner: str, mark: str) -> str:
    """Marks stand at the words, not at the spaces around them, and end with each line."""
    return "\n".join(_marked_line(line, mark) for line in inner.split("\n"))


def _marked_line(line: str, mark: str) -> str:
    words = line.strip()
    if not words or words.startswith((mark, "#", "|", "- ", "```")):
        return line
    before, after = line[: len(line) - len(line.lstrip())], line[len(line.rstrip()) :]
    return f"{before}{mark}{words}{mark}{after}"


def _shifted(inner: str, tag: str) -> str:
    """Digits as ₂ and ², other words as a formula: Markdown has no other form for them."""
    table = _RAISED if tag == "sup" else _LOWERED
    if inner and all(ord(character) in table for character in inner):
        return inner.translate(table)
    words = inner.strip()
    plain = re.fullmatch(r"[\w .,+\-−=]+", words)
    return f"${'^' if tag == 'sup' else '_'}{{\\text{{{words}}}}}$" if plain else inner


def _link(inner: str, address: str) -> str:
    words = inner.strip()
    if urlsplit(address.strip()).scheme.lower() not in SAFE_LINKS or not words:
        return inner
    return f"[{words}]({quote(address.strip(), safe=':/?&=#%~+,;@!*')})"


def _styled(inner: str, element: html.HtmlElement) -> str:
    """What editors write as <span style="font-weight: bold">."""
    style = (element.get("style") or "").lower().replace(" ", "")
    if "font-weight:bold" in style or "font-weight:700" in style:
        return _marked(inner, "**")
    return _marked(inner, "*") if "font-style:italic" in style else inner
