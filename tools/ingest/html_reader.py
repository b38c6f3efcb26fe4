"""The blocks of a web page or of a chapter of a book, in reading order, without scripts, menus and page furniture."""

import re
from collections.abc import Callable, Iterator
from dataclasses import replace

from selectolax.lexbor import LexborHTMLParser, LexborNode

from tools.ingest import latex
from tools.ingest.cleaning import one_line
from tools.ingest.grid import Cell, table
from tools.ingest.list_numbers import formatted
from tools.ingest.mathml import tex_of, unwrapped
from tools.ingest.pictures import Picture
from tools.ingest.sections import Paragraph
from tools.ingest.segments import ContentType
from tools.ingest.superscripts import raised

FURNITURE = (
    "script:not([type^='math/tex'])", "style", "noscript", "template", "nav", "iframe", "svg", "button", "select", "textarea",
    "head", "[hidden]", "[aria-hidden=true]", "[role=navigation]", "[role=search]", "[role=dialog]", ".MathJax_Preview",
    ".MathJax_Display", ".MathJax", ".MathJax_SVG", ".linenos", ".lineno", ".mw-editsection", "sup.reference", "rt", "rp",
    "object", "video", "audio", "canvas", "dialog",
)  # fmt: skip
PAGE_FURNITURE = (
    "footer", "aside", "[role=banner]", "[role=contentinfo]", "[role=complementary]", ".navbox", ".toc", "#toc",
    ".breadcrumb", ".breadcrumbs", "a.headerlink",
)  # fmt: skip
_MATH = "math, script[type^='math/tex']"
_HEADINGS = {f"h{level}": level for level in range(1, 7)}
_INLINE = frozenset(
    (
        "a abbr b bdi bdo big br cite code data del dfn em font i img input ins kbd label mark math q rp rt ruby s samp small"
        " span strike strong sub sup time tt u var wbr script mjx-container mjx-assistive-mml -text"
    ).split()
)
_BLOCKS = "p, div, h1, h2, h3, h4, h5, h6, ul, ol, dl, table, pre, figure, blockquote, section"
_SKIPPED_TEXT = frozenset(("script", "style", "annotation"))
_LIST_STYLES = {"a": "lowerLetter", "A": "upperLetter", "i": "lowerRoman", "I": "upperRoman"}
_NOTE_TYPES = re.compile(r"(?:^|\s)(?:doc-)?(?:footnote|endnote|rearnote)(?:\s|$)")
_MAX_DEPTH = 60
_MAX_SPAN = 200


class HtmlReader:
    """Reads one parsed page. `resolve` gives the source of a picture for its address, None where it is not at hand."""

    def __init__(
        self, tree: LexborHTMLParser, resolve: Callable[[str], str | None], whole: bool = False
    ) -> None:
        """`whole`: all of the page is to be read, as of a book, not only its main part."""
        self._resolve = resolve
        dropped = FURNITURE if whole else (*FURNITURE, *PAGE_FURNITURE)
        for node in tree.css(", ".join(dropped)):
            if node.tag not in ("html", "body") and node.parent is not None:
                node.decompose()
        self._body = tree.body if whole else _main(tree)
        self._has_math = tree.css_first(_MATH) is not None
        self._notes = {
            name: node for node in tree.css("[id]") if _is_note(node) for name in [node.attributes["id"]]
        }
        self._called: list[str] = []
        self._numbers: dict[str, str] = {}
        self._pictures: list[Picture] = []

    def paragraphs(self) -> Iterator[Paragraph]:
        if self._body is None:
            return
        for paragraph in self._walk(self._body, 0, 0):
            pictures, self._pictures = self._pictures, []
            yield replace(paragraph, pictures=(*paragraph.pictures, *pictures)) if pictures else paragraph
            if paragraph.type is not ContentType.LIST:
                yield from self._called_notes()
        yield from self._called_notes()
        if self._pictures:
            yield Paragraph(ContentType.TEXT, "", pictures=tuple(self._pictures))

    def _called_notes(self) -> Iterator[Paragraph]:
        called, self._called = self._called, []
        for name in called:
            text = one_line(self._text(self._notes[name])).removeprefix(self._numbers[name]).lstrip(" .)]↩")
            if text:
                yield Paragraph(ContentType.TEXT, f"[note {self._numbers[name]}] {text.rstrip(' ↩︎')}")

    # --- blocks

    def _walk(self, node: LexborNode, lists: int, depth: int) -> Iterator[Paragraph]:
        """Blocks below a node; runs of text and inline elements between blocks make paragraphs of their own."""
        run: list[str] = []
        for child in node.iter(include_text=True):
            tag = child.tag or "-"
            formula = self._displayed(child) if self._has_math and tag != "-text" else None
            if formula:
                yield from _run(run)
                yield formula
            elif (tag in _INLINE and not _has_blocks(child)) or depth > _MAX_DEPTH:
                run.append(self._text(child))
            elif not tag.startswith(("-", "_", "!")):
                yield from _run(run)
                yield from self._block(child, lists, depth + 1)
        yield from _run(run)

    def _block(self, node: LexborNode, lists: int, depth: int) -> Iterator[Paragraph]:
        tag = node.tag or ""
        if tag in _HEADINGS:
            yield Paragraph(ContentType.HEADING, self._text(node), _HEADINGS[tag])
        elif tag == "pre":
            yield Paragraph(ContentType.TEXT, node.text(deep=True), verbatim=True)
        elif tag == "table" and not _is_layout(node):
            yield from self._table(node)
        elif tag in ("ul", "ol"):
            yield from self._list(node, lists + 1, depth)
        elif tag == "dl":
            yield from self._definitions(node, lists, depth)
        elif tag == "figure":
            yield from self._figure(node, lists, depth)
        elif tag in ("figcaption", "caption"):
            yield Paragraph(ContentType.CAPTION, one_line(self._text(node)))
        elif (
            node.attributes.get("id") or ""
        ) not in self._numbers:  # a note that was called stands there already
            yield from self._walk(node, lists, depth)

    def _figure(self, node: LexborNode, lists: int, depth: int) -> Iterator[Paragraph]:
        """Pictures of a figure belong to its caption, which stands below them."""
        caption = node.css_first("figcaption")
        words = one_line(self._text(caption)) if caption is not None else ""
        if caption is not None:
            caption.decompose()
        for paragraph in self._walk(node, lists, depth):
            pictures = tuple(replace(one, caption=words) for one in (*paragraph.pictures, *self._pictures))
            self._pictures = []
            alone = bool(pictures) and bool(words) and paragraph.type is ContentType.TEXT
            yield replace(paragraph, text="" if alone else paragraph.text, pictures=pictures)
        self._pictures = [replace(one, caption=words) for one in self._pictures]
        yield Paragraph(ContentType.CAPTION, words)

    def _list(self, node: LexborNode, level: int, depth: int) -> Iterator[Paragraph]:
        given = node.attributes
        number = int(given.get("start") or 1) - 1 if (given.get("start") or "1").lstrip("-").isdigit() else 0
        style = _LIST_STYLES.get(given.get("type") or "", "decimal")
        for item in node.iter():
            if item.tag != "li":
                yield from self._block(item, level, depth + 1)
                continue
            number += 1
            mark = f"{formatted(number, style)}. " if node.tag == "ol" else "- "
            yield from self._item(item, mark, level, depth)

    def _item(self, item: LexborNode, mark: str, level: int, depth: int) -> Iterator[Paragraph]:
        for paragraph in self._walk(item, level, depth + 1):
            if paragraph.type is ContentType.TEXT and not paragraph.verbatim:
                text = "  " * (level - 1) + mark + paragraph.text
                paragraph = replace(paragraph, type=ContentType.LIST, text=text, verbatim=True)
                mark = "  "
            yield paragraph

    def _definitions(self, node: LexborNode, lists: int, depth: int) -> Iterator[Paragraph]:
        """A term and its meaning as one item."""
        term = ""
        for child in node.iter():
            if child.tag == "dt":
                term = one_line(self._text(child))
            elif child.tag == "dd":
                mark, term = f"- {term}: " if term else "  ", ""
                yield from self._item(child, mark, lists + 1, depth)
            else:
                yield from self._block(child, lists, depth + 1)

    def _table(self, node: LexborNode) -> Iterator[Paragraph]:
        for caption in node.css("caption"):
            yield Paragraph(ContentType.CAPTION, one_line(self._text(caption)))
        yield from table(
            [self._cell(cell) for cell in row.iter() if cell.tag in ("td", "th")] for row in node.css("tr")
        )

    def _cell(self, cell: LexborNode) -> Cell:
        text = one_line(self._text(cell))
        return Cell(text, _span(cell, "colspan"), _span(cell, "rowspan"), header=cell.tag == "th")

    # --- words

    def _displayed(self, node: LexborNode) -> Paragraph | None:
        """A formula that stands alone in an element, with its number where it has one."""
        found = (
            [node]
            if node.tag in ("math", "script")
            else node.css(_MATH)
            if node.tag in _FORMULA_FRAMES
            else []
        )
        if len(found) != 1 or not _is_display(found[0]):
            return None
        made = _tex(found[0])
        around = one_line(self._text(node).replace(latex.inline(made), "", 1)) if node is not found[0] else ""
        if not made.strip() or (
            around and not re.fullmatch(r"\(?[A-Z]?\d+(?:[.\-]\d+)*[a-z]?\)?[.,;]?|[.,;]", around)
        ):
            return None
        number = f" {around}" if around.strip(".,;") else ""
        return Paragraph(ContentType.FORMULA, latex.display(made) + number, verbatim=True)

    def _text(self, node: LexborNode, depth: int = 0) -> str:
        """The words below a node; breaks and pictures' alternative texts are words too."""
        tag = node.tag or ""
        if tag == "-text":
            return node.text_content or ""
        if tag == "math" or (tag == "script" and "math/tex" in (node.attributes.get("type") or "")):
            return latex.inline(_tex(node))
        if tag in _SKIPPED_TEXT or tag.startswith(("-", "_", "!")):
            return ""
        if tag == "br":
            return " "
        if tag == "img":
            return self._image(node)
        if depth > _MAX_DEPTH:
            return node.text(deep=True)
        if tag == "a" and self._is_call(node):
            return self._call(node)
        inner = "".join(self._text(child, depth + 1) for child in node.iter(include_text=True))
        if tag == "sup":
            return raised(inner)
        return inner if tag in _INLINE else f" {inner} "

    def _image(self, node: LexborNode) -> str:
        alt = node.attributes.get("alt") or ""
        source = self._resolve(node.attributes.get("src") or "")
        if source:
            self._pictures.append(Picture(source, alt))
        if "\\" in alt and re.search(r"\\[a-z]{3,}", alt):
            return latex.inline(unwrapped(alt))
        return alt

    def _is_call(self, node: LexborNode) -> bool:
        return (node.attributes.get("href") or "").rpartition("#")[2] in self._notes

    def _call(self, node: LexborNode) -> str:
        name = (node.attributes.get("href") or "").rpartition("#")[2]
        number = one_line(node.text()).strip("[]()")
        if name in self._numbers or not number:
            return f" [note {number}]" if number else ""
        self._numbers[name] = number
        self._called.append(name)
        return f" [note {number}]"


_FORMULA_FRAMES = frozenset(("span", "div", "p", "mjx-container", "center"))


def _run(run: list[str]) -> Iterator[Paragraph]:
    text = "".join(run)
    run.clear()
    if text.strip():
        yield Paragraph(ContentType.TEXT, one_line(text))


def _main(tree: LexborHTMLParser) -> LexborNode | None:
    """The page's main part where it is marked and holds most of the text."""
    body = tree.body
    if body is None:
        return None
    whole = len(body.text())
    for selector in ("main", "[role=main]", "article"):
        nodes = tree.css(selector)
        if len(nodes) == 1 and len(nodes[0].text()) > 0.4 * whole:
            return nodes[0]
    for menu in body.css("ul, form"):
        if _is_menu(menu):
            menu.decompose()
    return body


def _is_menu(node: LexborNode) -> bool:
    """Short words that are nearly all links, five or more of them."""
    links = node.css("a[href]")
    if len(links) < 5 or node.css_first("h1, h2, p, math, ol.references") is not None:
        return False
    words = len("".join(node.text().split()))
    return sum(len("".join(link.text().split())) for link in links) > 0.9 * words and words < 40 * len(links)


def _is_layout(node: LexborNode) -> bool:
    """A table that only arranges other things."""
    if (
        node.attributes.get("role") in ("presentation", "none")
        or node.css_first("table table, h1, h2, h3, pre") is not None
    ):
        return True
    return all(len([cell for cell in row.iter() if cell.tag in ("td", "th")]) < 2 for row in node.css("tr"))


def _has_blocks(node: LexborNode) -> bool:
    return node.tag not in ("-text", "math", "script") and node.css_first(_BLOCKS) is not None


def _is_note(node: LexborNode) -> bool:
    """By its EPUB type, its role, or the class that programs give notes."""
    given = node.attributes
    kinds = " ".join(given.get(name) or "" for name in ("epub:type", "role", "class"))
    return node.tag in ("aside", "div", "li", "p", "section", "dd") and bool(_NOTE_TYPES.search(kinds))


def _is_display(node: LexborNode) -> bool:
    given = node.attributes
    if given.get("display") == "block" or "mode=display" in (given.get("type") or ""):
        return True
    above = node.parent
    for _ in range(4):
        if above is None:
            return False
        if (
            "katex-display" in (above.attributes.get("class") or "")
            or above.attributes.get("display") == "true"
        ):
            return True
        above = above.parent
    return False


def _tex(node: LexborNode) -> str:
    return unwrapped(node.text()) if node.tag == "script" else tex_of(node)


def _span(cell: LexborNode, name: str) -> int:
    given = (cell.attributes.get(name) or "1").strip()
    return min(_MAX_SPAN, max(1, int(given))) if given.isdecimal() and len(given) < 6 else 1
