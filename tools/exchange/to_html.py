"""Our text (Markdown with TeX between dollar signs) as a field of Anki: HTML with MathJax, cloze marks and sounds."""

import html
import re
from urllib.parse import unquote

from markdown_it import MarkdownIt

from tools.exchange.maths import DOLLARS, Formulas, in_gaps, in_mathjax, take_dollars, without_places

_MARKDOWN = MarkdownIt("commonmark", {"html": False, "breaks": True, "linkify": False}).enable(
    ["table", "strikethrough"]
)
_PICTURE = re.compile(r'<img src="([^"]*)"[^>]*>')
_ONE_PARAGRAPH = re.compile(r"<p>((?:(?!</?p>).)*)</p>\n?", re.S)
_CODE = re.compile(r"(```|~~~).*?\1|`[^`\n]+`", re.S)


def to_html(text: str) -> str:
    """Every name in `![](…)` becomes that of a file beside the cards; markup that stands in the text becomes visible text."""
    has_gaps = "{{c" in text
    formulas = Formulas(lambda tex, block: in_mathjax(in_gaps(tex) if has_gaps else tex, block))
    rendered = _MARKDOWN.render(_outside_code(without_places(text), formulas)).strip()
    rendered = _PICTURE.sub(
        lambda found: f'<img src="{html.escape(unquote(html.unescape(found.group(1))))}">', rendered
    )
    whole = _ONE_PARAGRAPH.fullmatch(rendered)
    rendered = whole.group(1) if whole else rendered
    return formulas.put_back(rendered.replace("<br />\n", "<br>").replace("<br />", "<br>"))


def is_plain(text: str, words: str) -> bool:
    """Whether a line of Markdown shows just these words."""
    return not DOLLARS.search(text) and html.unescape(_MARKDOWN.renderInline(text)).strip() == words.strip()


def _outside_code(text: str, formulas: Formulas) -> str:
    parts, at = [], 0
    for code in _CODE.finditer(text):
        parts += [take_dollars(text[at : code.start()], formulas), code.group(0)]
        at = code.end()
    return "".join([*parts, take_dollars(text[at:], formulas)])


def names_in(text: str) -> set[str]:
    """The pictures and sounds that a text names."""
    pictures = re.findall(r"!\[[^\]]*\]\(<?([^)>\s]+)", text)
    sounds = re.findall(r"\[sound:([^\]\n]{1,300})\]", text)
    return {unquote(name) for name in pictures if "://" not in name} | set(sounds)
