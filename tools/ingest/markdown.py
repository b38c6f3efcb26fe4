"""Markdown as sections by heading, with lists, tables and code kept as they read."""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from markdown_it import MarkdownIt
from markdown_it.token import Token

from tools.ingest.cleaning import clean
from tools.ingest.sections import Paragraph, sections
from tools.ingest.segments import ContentType, DocumentInfo, Refusal, Segment, SegmentKind
from tools.ingest.sniff import MARKDOWN_TYPE, decode

_FRONT_MATTER = re.compile(r"\A---\n(.*?)\n(?:---|\.\.\.)\n", re.S)
_TITLE = re.compile(r"^title:\s*[\"']?(.+?)[\"']?\s*$", re.M)
_TAGS = re.compile(r"<[^>]{1,500}>")


class MarkdownExtractor:
    def __init__(self, path: Path) -> None:
        text = clean(decode(path.read_bytes()))
        front = _FRONT_MATTER.match(text)
        title = _TITLE.search(front.group(1)) if front else None
        self._text = text[front.end() :] if front else text
        self.info = DocumentInfo(MARKDOWN_TYPE, SegmentKind.SECTION, None, title.group(1) if title else None)

    def segments(self, start: int = 0) -> Iterator[Segment]:
        """Sections from that ordinal on. Raises Refusal empty_file when there is no text."""
        tokens = MarkdownIt("commonmark").enable(["table", "strikethrough"]).parse(self._text)
        found = False
        for segment in sections(_paragraphs(tokens, self._text.split("\n"))):
            found = True
            if segment.ordinal >= start:
                yield segment
        if not found:
            raise Refusal("empty_file", "This file has no text in it.")

    def close(self) -> None:
        self._text = ""


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
    if parent.type == "heading_open":
        return Paragraph(ContentType.HEADING, text, int(parent.tag[1:]))
    if depth:
        return Paragraph(ContentType.LIST, marker + text, verbatim=True)
    return Paragraph(ContentType.TEXT, text)


def _plain(token: Token) -> str:
    """The words of an inline run: no emphasis marks, the alternative text of pictures."""
    parts = []
    for child in token.children or ():
        if child.type in ("softbreak", "hardbreak"):
            parts.append(" " if child.type == "softbreak" else "\n")
        elif child.type != "html_inline":
            parts.append(child.content)
    return "".join(parts)
