"""Markdown as sections by heading, with lists, tables and code kept as they read."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from markdown_it import MarkdownIt
from markdown_it.token import Token

from tools.ingest.charset import decode
from tools.ingest.cleaning import clean
from tools.ingest.grid import TABLE_CHARS
from tools.ingest.html import data_of
from tools.ingest.pictures import Picture
from tools.ingest.sections import Paragraph, Sectioned
from tools.ingest.segments import ContentType, DocumentInfo, SegmentKind
from tools.ingest.sniff import MARKDOWN_TYPE

_FRONT_MATTER = re.compile(r"\A---\n(.*?)\n(?:---|\.\.\.)(?:\n|\Z)", re.S)
_FIELD = re.compile(r"^(title|author|lang|language):[ \t]*[\"']?(.+?)[\"']?[ \t]*$", re.M | re.I)
_TAGS = re.compile(r"<[^>]{1,500}>")
_DISPLAYED = re.compile(
    r"(?:\$\$.+\$\$|\\\[.+\\\]|\\begin\{[a-z]+\*?\}.+\\end\{[a-z]+\*?\})\s*(?:\([\w.\-]+\))?", re.S
)
_MATHS = re.compile(
    r"\$\$.+?\$\$|\\\[.+?\\\]|\\\(.+?\\\)|(?<![\\$\w])\$(?![\s$])(?:\\.|[^\\$\n])+?(?<!\s)\$(?!\d)", re.S
)
_HELD = re.compile("\ue000(\\d+)\ue001")
_FENCE = re.compile(r"^ {0,3}(`{3,}|~{3,})", re.M)
_NOTE = re.compile(r"^\[\^([^\]\s]+)\]:[ \t]*", re.M)
_CALL = re.compile(r"\[\^([^\]\s]+)\]")


class MarkdownExtractor(Sectioned):
    what = "file"
    errors = (ValueError, RecursionError)

    def __init__(self, path: Path) -> None:
        text = clean(decode(path.read_bytes()))
        front = _FRONT_MATTER.match(text)
        stated = {name.lower(): value for name, value in _FIELD.findall(front.group(1))} if front else {}
        self._text = text[front.end() :] if front else text
        self.info = DocumentInfo(
            MARKDOWN_TYPE,
            SegmentKind.SECTION,
            None,
            stated.get("title"),
            stated.get("lang") or stated.get("language"),
            stated.get("author"),
        )

    def paragraphs(self) -> Iterator[Paragraph]:
        text, maths = _held(self._text)
        tokens = MarkdownIt("commonmark").enable(["table", "strikethrough"]).parse(text)
        for paragraph in _paragraphs(tokens, text.split("\n")):
            words = _HELD.sub(lambda match: maths[int(match.group(1))], paragraph.text)
            if paragraph.type is ContentType.TABLE:
                yield from _bounded_table(words)
            elif paragraph.type is ContentType.TEXT and _DISPLAYED.fullmatch(words.strip()):
                yield Paragraph(ContentType.FORMULA, words.strip(), verbatim=True)
            else:
                yield replace(paragraph, text=words)

    def picture(self, source: str) -> bytes | None:
        return data_of(source)

    def close(self) -> None:
        self._text = ""


def _held(text: str) -> tuple[str, list[str]]:
    """Formulas are taken out before Markdown can see emphasis in them, and put back afterwards. Code is left alone."""
    held: list[str] = []

    def hold(match: re.Match[str]) -> str:
        held.append(match.group())
        return f"\ue000{len(held) - 1}\ue001"

    text = text.replace("\ue000", "").replace("\ue001", "")
    parts, place = [], 0
    while opening := _FENCE.search(text, place):
        parts.append(_MATHS.sub(hold, text[place : opening.start()]))
        closing = re.compile(rf"^ {{0,3}}{re.escape(opening.group(1))}", re.M).search(text, opening.end())
        place = closing.end() if closing else len(text)
        parts.append(text[opening.start() : place])
    parts.append(_MATHS.sub(hold, text[place:]))
    # Notes are words here: "[^1]" in the text and "[note 1] …" where they stand.
    noted = _NOTE.sub(r"\\[note \1\\] ", "".join(parts))
    return _CALL.sub(r" \\[note \1\\]", noted) if noted != "".join(parts) else noted, held


def _bounded_table(table: str) -> Iterator[Paragraph]:
    """A long table in parts that repeat its header."""
    header, rule, *rows = table.split("\n")
    part = [header, rule]
    size = len(header) + len(rule)
    for row in rows:
        if len(part) > 2 and size + len(row) > TABLE_CHARS:
            yield Paragraph(ContentType.TABLE, "\n".join(part), verbatim=True)
            part, size = [header, rule], len(header) + len(rule)
        part.append(row)
        size += len(row) + 1
    yield Paragraph(ContentType.TABLE, "\n".join(part), verbatim=True)


def _paragraphs(tokens: Sequence[Token], source: Sequence[str]) -> Iterator[Paragraph]:
    """Blocks in order. Tables are taken from the source: they already are Markdown tables."""
    depth, in_table = 0, False
    marker = ""
    for index, token in enumerate(tokens):
        if token.type == "table_open" and token.map:
            yield Paragraph(ContentType.TABLE, "\n".join(source[slice(*token.map)]))
        in_table = token.type == "table_open" or (in_table and token.type != "table_close")
        if token.type in ("bullet_list_open", "ordered_list_open", "bullet_list_close", "ordered_list_close"):
            depth += token.nesting
        elif token.type == "list_item_open":
            marker = "  " * (depth - 1) + (f"{token.info}. " if token.info else "- ")
        elif token.type in ("fence", "code_block"):
            yield Paragraph(ContentType.TEXT, token.content, verbatim=True)
        elif token.type == "html_block":
            yield Paragraph(ContentType.TEXT, _TAGS.sub(" ", token.content))
        elif token.type == "inline" and not in_table:
            yield _inline(token, tokens[index - 1], marker, depth)
            marker = "  " * depth


def _inline(token: Token, parent: Token, marker: str, depth: int) -> Paragraph:
    text = _plain(token)
    pictures = _pictures(token)
    if parent.type == "heading_open":
        return Paragraph(ContentType.HEADING, text, int(parent.tag[1:]))
    if depth:
        return Paragraph(ContentType.LIST, marker + text, verbatim=True, pictures=pictures)
    return Paragraph(ContentType.TEXT, text, pictures=pictures)


def _pictures(token: Token) -> tuple[Picture, ...]:
    """Pictures that are in the text itself."""
    images = [child for child in token.children or () if child.type == "image"]
    sources = [(str(child.attrs.get("src", "")), child.content) for child in images]
    return tuple(Picture(source, alt) for source, alt in sources if source.startswith("data:image/"))


def _plain(token: Token) -> str:
    """The words of an inline run: no emphasis marks, the alternative text of pictures."""
    parts = []
    for child in token.children or ():
        if child.type in ("softbreak", "hardbreak"):
            parts.append(" " if child.type == "softbreak" else "\n")
        elif child.type != "html_inline":
            parts.append(child.content)
    return "".join(parts)
