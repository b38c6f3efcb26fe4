"""Web pages and HTML files as sections by heading: the readable text, without scripts, menus and page furniture."""

from collections.abc import Iterator
from pathlib import Path

from selectolax.lexbor import LexborHTMLParser, LexborNode, SelectolaxError

from tools.ingest.cleaning import one_line
from tools.ingest.sections import Paragraph, markdown_table, sections
from tools.ingest.segments import ContentType, DocumentInfo, Refusal, Segment, SegmentKind
from tools.ingest.sniff import HTML_TYPE, decode

ERRORS = (SelectolaxError, ValueError)

_DROPPED = (
    "script, style, noscript, template, nav, footer, aside, iframe, svg, form, button, select, head, [hidden]"
)
_HEADINGS = {f"h{level}": level for level in range(1, 7)}
_INLINE = frozenset(
    {
        "a",
        "abbr",
        "b",
        "bdi",
        "bdo",
        "big",
        "br",
        "cite",
        "code",
        "data",
        "del",
        "dfn",
        "em",
        "font",
        "i",
        "img",
    }
    | {"input", "ins", "kbd", "label", "mark", "math", "q", "rp", "rt", "ruby", "s", "samp", "small", "span"}
    | {"strike", "strong", "sub", "sup", "time", "tt", "u", "var", "wbr", "-text"}
)
_MAX_DEPTH = 60


class HtmlExtractor:
    def __init__(self, path: Path) -> None:
        markup = decode(path.read_bytes()).replace("\x00", "")
        try:
            self._tree = LexborHTMLParser(markup)
            title = self._tree.css_first("title")
        except ERRORS as error:
            raise Refusal("corrupt", "This web page is damaged and cannot be read.") from error
        self._language = (self._tree.root.attributes.get("lang") if self._tree.root else None) or None
        name = one_line(title.text()) if title else ""
        self.info = DocumentInfo(HTML_TYPE, SegmentKind.SECTION, None, name or None, self._language)

    def segments(self, start: int = 0) -> Iterator[Segment]:
        """Sections from that ordinal on. Raises Refusal empty_file when nothing readable is on the page."""
        self._tree.strip_tags(_DROPPED.split(", "))
        body = self._main()
        found = False
        for segment in sections(_paragraphs(body)):
            found = True
            if segment.ordinal >= start:
                yield segment
        if not found:
            raise Refusal("empty_file", "This web page has no readable text in it.")

    def close(self) -> None:
        """Nothing to close: the page is in memory."""

    def _main(self) -> LexborNode | None:
        """The page's main part where it is marked and holds most of the text."""
        body = self._tree.body
        if body is None:
            return None
        whole = len(body.text())
        for selector in ("main", "[role=main]", "article"):
            nodes = self._tree.css(selector)
            if len(nodes) == 1 and len(nodes[0].text()) > 0.4 * whole:
                return nodes[0]
        return body


def _paragraphs(body: LexborNode | None) -> Iterator[Paragraph]:
    if body is not None:
        yield from _walk(body, 0, 0)


def _walk(node: LexborNode, lists: int, depth: int) -> Iterator[Paragraph]:
    """Blocks below a node; runs of text and inline elements between blocks make paragraphs of their own."""
    run: list[str] = []
    for child in node.iter(include_text=True):
        tag = child.tag or "-"
        if (tag in _INLINE and not _has_blocks(child)) or depth > _MAX_DEPTH:
            run.append(_text(child))
            continue
        if tag.startswith(("-", "_", "!")):
            continue
        yield from _run(run)
        yield from _block(child, lists, depth + 1)
    yield from _run(run)


def _run(run: list[str]) -> Iterator[Paragraph]:
    text = "".join(run)
    run.clear()
    if text.strip():
        yield Paragraph(ContentType.TEXT, one_line(text))


def _block(node: LexborNode, lists: int, depth: int) -> Iterator[Paragraph]:
    tag = node.tag
    if tag in _HEADINGS:
        yield Paragraph(ContentType.HEADING, _text(node), _HEADINGS[tag])
    elif tag == "pre":
        yield Paragraph(ContentType.TEXT, node.text(deep=True), verbatim=True)
    elif tag == "table" and not node.css("table table") and node.css_first("td p ~ p, td h2, td ul") is None:
        yield Paragraph(ContentType.TABLE, _table(node))
    elif tag in ("ul", "ol"):
        yield from _list(node, lists + 1, depth)
    elif tag in ("figcaption", "caption"):
        yield Paragraph(ContentType.CAPTION, one_line(_text(node)))
    else:
        yield from _walk(node, lists, depth)


def _list(node: LexborNode, level: int, depth: int) -> Iterator[Paragraph]:
    number = 0
    for item in node.iter():
        if item.tag != "li":
            yield from _block(item, level, depth + 1)
            continue
        number += 1
        mark = f"{number}. " if node.tag == "ol" else "- "
        for paragraph in _walk(item, level, depth + 1):
            if paragraph.type is ContentType.TEXT and not paragraph.verbatim:
                paragraph = Paragraph(
                    ContentType.LIST, "  " * (level - 1) + mark + paragraph.text, verbatim=True
                )
                mark = "  "
            yield paragraph


def _table(node: LexborNode) -> str:
    return markdown_table([[_text(cell) for cell in row.css("th, td")] for row in node.css("tr")])


def _has_blocks(node: LexborNode) -> bool:
    return (
        node.tag != "-text"
        and node.css_first("p, div, h1, h2, h3, h4, h5, h6, ul, ol, table, pre") is not None
    )


def _text(node: LexborNode, depth: int = 0) -> str:
    """The words below a node; breaks and pictures' alternative texts are words too."""
    if node.tag == "-text":
        return node.text_content or ""
    if node.tag == "br":
        return " "
    if node.tag == "img":
        return node.attributes.get("alt") or ""
    if depth > _MAX_DEPTH:
        return node.text(deep=True)
    return "".join(_text(child, depth + 1) for child in node.iter(include_text=True))
