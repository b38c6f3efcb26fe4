"""The readable part of a web page as plain HTML: headings, lists, tables, code; without menus, scripts and links.

Trafilatura runs in a process of its own, `python -m tools.web.readable`, because it can take minutes over a strange page,
and so that the server need not hold it in memory. It is given the page and fetches nothing.
"""

import asyncio
import json
import os
import resource
import sys
from dataclasses import asdict, dataclass
from html import escape
from typing import Any

from storage.errors import InvalidInput, TooLarge

MAX_PAGE = 8 << 20
"""Bytes of a page; the longest articles of Wikipedia have two million."""
MAX_SECONDS = 12.0
MEMORY = 1 << 30
"""Of address space, most of it never touched: what a page that unfolds without end may take."""
_TURNS = asyncio.Semaphore(2)
"""So many children at a time: each takes a core and some 100 MB."""
FEWEST_LETTERS, FEWEST_BESIDE_SCRIPTS = 20, 200
"""Less is no text; on a page that runs scripts it is what stands there while the page loads."""

Element = Any
"""Of lxml, which has no types."""

_FORMULAS = (
    "//*[contains(concat(' ', @class, ' '), ' mwe-math-element ') or contains(concat(' ', @class, ' '), ' katex ')]"
    " | //math | //script[starts-with(@type, 'math/tex')]"
)
_TEX = ".//annotation[@encoding='application/x-tex']/text() | .//@alttext | .//img/@alt"

_SAME = frozenset({"p", "table", "del", "lb"})
_TAGS = {"quote": "blockquote", "item": "li", "row": "tr", "lb": "br", "div": "div"}
_STYLES = {"#b": "strong", "#i": "em", "#u": "u", "#t": "kbd", "#sub": "sub", "#sup": "sup"}


@dataclass(frozen=True, slots=True)
class Readable:
    """What was found. `html` is a whole document; the same page gives the same bytes."""

    html: str
    title: str | None
    author: str | None
    date: str | None
    language: str | None
    site: str | None


async def readable_part(page: str, url: str) -> Readable:
    """Raises InvalidInput `page_without_text`, TooLarge `page_too_complex`."""
    async with _TURNS:
        output = await _in_child(json.dumps({"page": page, "url": url}).encode())
    found = json.loads(output)
    if found is None:
        raise InvalidInput(
            "No text was found on this page. It may need a login, or build itself with scripts: open it in your browser,"
            " save it as a PDF and upload that.",
            code="page_without_text",
        )
    return Readable(**found)


async def _in_child(asked: bytes) -> bytes:
    """What the child answers. Raises TooLarge `page_too_complex` when it takes too long or dies."""
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tools.web.readable",
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
        env={"PYTHONPATH": os.pathsep.join(filter(None, sys.path))},  # and no secrets: what it reads is a stranger's
    )  # fmt: skip
    try:
        output, _ = await asyncio.wait_for(child.communicate(asked), MAX_SECONDS)
    except TimeoutError as error:
        raise _too_complex() from error
    finally:
        if child.returncode is None:
            child.kill()
            await child.communicate()
    if child.returncode:
        raise _too_complex()
    return output


def _too_complex() -> TooLarge:
    return TooLarge(
        "This page is too large or too complicated to be read. Save it as a PDF in your browser and upload that.",
        code="page_too_complex",
    )


# --- in the child


def extract(page: str, url: str) -> Readable | None:
    """None for a page without text."""
    import lxml.etree  # noqa: PLC0415 - here and below: heavy, and only for the child
    import lxml.html  # noqa: PLC0415
    from trafilatura import bare_extraction  # noqa: PLC0415

    markup, parser = page.replace("\0", "").encode("utf-8", "replace"), lxml.html.HTMLParser(encoding="utf-8")
    try:
        tree = lxml.html.fromstring(markup, parser=parser)
    except lxml.etree.ParserError:
        return None
    language = (tree.get("lang") or tree.get("xml:lang") or "").strip()[:20] or None
    scripted = tree.find(".//script") is not None
    _keep_formulas(tree)
    found = bare_extraction(
        tree, url=url, with_metadata=True, include_formatting=True, include_comments=False, favor_recall=True,
        include_links=False, include_images=False, date_extraction_params={"extensive_search": False},
    )  # fmt: skip
    if found is None or isinstance(found, dict) or found.body is None:
        return None
    letters = sum(map(str.isalnum, "".join(found.body.itertext())))
    if letters < (FEWEST_BESIDE_SCRIPTS if scripted else FEWEST_LETTERS):
        return None
    title = found.title or None
    body = "".join(map(_html, found.body))
    if title and not any(head.get("rend") == "h1" for head in found.body.iter("head")):
        body = f"<h1>{escape(title)}</h1>\n{body}"
    head = _head(title, found.author, found.date, found.sitename, url)
    opening = f'<html lang="{escape(language)}">' if language else "<html>"
    html = f"<!DOCTYPE html>\n{opening}\n<head>\n{head}</head>\n<body>\n{body}</body>\n</html>\n"
    return Readable(html, title, found.author, found.date, language, found.sitename)


def _keep_formulas(tree: Element) -> None:
    """Formulas as the TeX that MediaWiki, KaTeX, MathJax and MathML carry along, in dollars."""
    for element in tree.xpath(_FORMULAS):
        if element.getroottree().getroot() is not tree or element.getparent() is None:
            continue  # inside of one that was replaced
        found = [element.text] if element.tag == "script" else element.xpath(_TEX)
        tex = next((str(text).strip() for text in found if text and str(text).strip()), None)
        if tex is None:
            continue
        formula = element.makeelement("p" if "display" in element.get("type", "") else "span")
        formula.text, formula.tail = f"${tex}$", element.tail
        element.getparent().replace(element, formula)


def _head(title: str | None, author: str | None, date: str | None, site: str | None, url: str) -> str:
    named = {"author": author, "date": date, "site": site, "source": url}
    lines = ['<meta charset="utf-8">', f"<title>{escape(title or site or url)}</title>"]
    lines += [f'<meta name="{name}" content="{escape(value)}">' for name, value in named.items() if value]
    return "\n".join(lines) + "\n"


def _html(element: Element) -> str:
    """An element of trafilatura's own form (TEI's names) with what follows it."""
    tail = escape(element.tail or "")
    if not isinstance(element.tag, str):
        return tail
    inner = escape(element.text or "") + "".join(map(_html, element))
    tag = _tag(element)
    if tag is None:
        return inner + tail
    if tag == "br":
        return f"<br>{tail}"
    if tag == "pre":
        return f"<pre><code>{escape(''.join(element.itertext()))}</code></pre>\n{tail}"
    block = "\n" if tag not in ("code", "del", *_STYLES.values()) else ""
    return f"<{tag}>{inner}</{tag}>{block}{tail}"


def _tag(element: Element) -> str | None:
    name, look = str(element.tag), element.get("rend") or ""
    if name == "head":
        return look if look in ("h1", "h2", "h3", "h4", "h5", "h6") else "h3"
    if name == "list":
        return "ol" if look == "ol" else "ul"
    if name == "cell":
        return "th" if element.get("role") == "head" else "td"
    if name == "hi":
        return _STYLES.get(look)
    if name == "code":
        return "pre" if _is_block(element) else "code"
    return name if name in _SAME and name != "lb" else _TAGS.get(name)


def _is_block(element: Element) -> bool:
    return element.getparent().tag == "body" or "\n" in "".join(element.itertext()).strip()


def main() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (int(MAX_SECONDS) + 1, int(MAX_SECONDS) + 2))
    asked = json.load(sys.stdin)
    found = extract(asked["page"], asked["url"])
    json.dump(asdict(found) if found else None, sys.stdout)


if __name__ == "__main__":
    main()
