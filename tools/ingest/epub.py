"""EPUB books (2 and 3) as sections: chapters in the order of the spine, under the titles of the table of contents."""

import posixpath
import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from lxml import etree

from tools.ingest.cleaning import one_line
from tools.ingest.containers import DAMAGED, check_archive
from tools.ingest.html import markup_of, parsed
from tools.ingest.html_reader import HtmlReader
from tools.ingest.ooxml import MAX_MEDIA_PART, safe_parser
from tools.ingest.sections import Paragraph, Sectioned
from tools.ingest.segments import ContentType, DocumentInfo, Reading, Refusal, SegmentKind
from tools.ingest.sniff import EPUB_TYPE

ERRORS: tuple[type[Exception], ...] = (*DAMAGED, etree.LxmlError, AttributeError, TypeError, RecursionError)

_DAMAGED = "This EPUB book is damaged and cannot be read. Download it again."
_LOCKED = (
    "This book is protected by its shop (DRM) and can only be read in the shop's own program. "
    "Upload a copy without protection, or the pages you need as a PDF."
)
_OPF = "{http://www.idpf.org/2007/opf}"
_DC = "{http://purl.org/dc/elements/1.1/}"
_NCX = "{http://www.daisy.org/z3986/2005/ncx/}"
_ENCRYPTION = "{http://www.w3.org/2001/04/xmlenc#}"
_FONT_OBFUSCATION = ("http://www.idpf.org/2008/embedding", "http://ns.adobe.com/pdf/enc#RC")
"""EPUB 3.3 §4.3: what may be encrypted without keeping anybody from reading."""
_PAGES = ("application/xhtml+xml", "text/html", "application/x-dtbook+xml")
MAX_CHAPTER = 20_000_000
_MISSING = "A chapter of this book is missing from the file."
_VOID = "area|base|br|col|embed|hr|img|input|link|meta|param|source|track|wbr"
_EMPTY_ELEMENT = re.compile(rf"<(?!(?:{_VOID})\b)([A-Za-z][\w:-]*)((?:\s[^<>]*?)?)/>")
_MATH_PREFIX = re.compile(r"<(/?)(?:m|mml|math):(?=[a-z])")
_MAX_DEPTH = 12


@dataclass(frozen=True, slots=True)
class _Entry:
    """A line of the table of contents."""

    title: str
    level: int
    part: str
    """The chapter it points to, "" for a line that only groups others."""


class EpubExtractor(Sectioned):
    what = "EPUB book"
    errors = ERRORS

    def __init__(self, path: Path, reading: Reading | None = None) -> None:
        self.threads = (reading or Reading()).threads
        try:
            check_archive(path)
            self._zip = zipfile.ZipFile(path)
            self._names = set(self._zip.namelist())
            if self._is_locked():
                raise Refusal("encrypted", _LOCKED)
            root = self._tree("META-INF/container.xml")
            files = [one.get("full-path", "") for one in root.iter() if str(one.tag).endswith("}rootfile")]
            self._package_name = unquote(files[0])
            package = self._tree(self._package_name)
            self._spine, contents = self._read_package(package)
            self._entries = list(self._contents(contents)) if contents else []
            stated = {
                name: [one_line("".join(one.itertext())) for one in package.iter(f"{_DC}{name}")]
                for name in ("title", "creator", "language")
            }
        except ERRORS as error:
            raise Refusal("corrupt", _DAMAGED) from error
        if not any(part in self._names for part in self._spine):
            raise Refusal("corrupt", _DAMAGED)
        self.info = DocumentInfo(
            EPUB_TYPE,
            SegmentKind.SECTION,
            None,
            next(filter(None, stated["title"]), None),
            next(filter(None, stated["language"]), None),
            ", ".join(filter(None, stated["creator"])) or None,
        )

    def close(self) -> None:
        self._zip.close()

    def paragraphs(self) -> Iterator[Paragraph]:
        waiting = iter(self._entries)
        level = 1
        for part in self._spine:
            here = [entry for entry in self._entries if entry.part == part]
            for entry in waiting if here else ():
                if entry.part == part:
                    break
                if not entry.part:
                    yield Paragraph(ContentType.HEADING, entry.title, entry.level)
            level = here[0].level if here else level
            yield from self._chapter(part, here[0] if here else None, level)

    def picture(self, source: str) -> bytes | None:
        return self._bytes(source) if self._zip.getinfo(source).file_size <= MAX_MEDIA_PART else None

    def _bytes(self, name: str) -> bytes:
        return self._zip.read(name)

    def _tree(self, name: str) -> Any:
        data = self._bytes(name)
        if b"<!ENTITY" in data[:4096]:
            raise ValueError(name)
        return etree.fromstring(data, safe_parser())

    def _is_locked(self) -> bool:
        if "META-INF/encryption.xml" not in self._names:
            return False
        methods = self._tree("META-INF/encryption.xml").iterfind(
            f".//{_ENCRYPTION}EncryptedData/{_ENCRYPTION}EncryptionMethod"
        )
        return any(one.get("Algorithm") not in _FONT_OBFUSCATION for one in methods)

    def _read_package(self, package: Any) -> tuple[list[str], str | None]:
        """Chapters in reading order, and the part that holds the table of contents (EPUB 3.3 §5)."""
        items = {one.get("id"): one for one in package.iter(f"{_OPF}item")}
        navigation = next((one for one in items.values() if "nav" in one.get("properties", "").split()), None)
        spine = package.find(f"{_OPF}spine")
        chapters = [
            items[one.get("idref")] for one in spine.iter(f"{_OPF}itemref") if one.get("idref") in items
        ]
        parts = [
            self._resolved(self._package_name, one.get("href", ""))
            for one in chapters
            if one is not navigation and one.get("media-type", _PAGES[0]) in _PAGES
        ]
        old = items.get(spine.get("toc"))
        table = navigation if navigation is not None else old
        name = self._resolved(self._package_name, table.get("href", "")) if table is not None else None
        return parts, name if name in self._names else None

    def _resolved(self, base: str, address: str) -> str:
        """Name of the part that an address in the part `base` means."""
        path = unquote(address.partition("#")[0])
        return posixpath.normpath(posixpath.join(posixpath.dirname(base), path)) if path else base

    def _contents(self, name: str) -> Iterator[_Entry]:
        if name.endswith(".ncx"):
            for point in self._tree(name).iterfind(f"{_NCX}navMap/{_NCX}navPoint"):
                yield from self._ncx(point, name, 1)
            return
        tree = parsed(_as_html(markup_of(self._bytes(name))))
        lists = [
            node for node in tree.css("nav") if "toc" in (node.attributes.get("epub:type") or "toc").split()
        ]
        if lists and (first := lists[0].css_first("ol")) is not None:
            yield from self._nav(first, name, 1)

    def _ncx(self, point: Any, base: str, level: int) -> Iterator[_Entry]:
        title = one_line(point.findtext(f"{_NCX}navLabel/{_NCX}text") or "")
        content = point.find(f"{_NCX}content")
        address = content.get("src", "") if content is not None else ""
        yield _Entry(title, level, self._resolved(base, address) if address else "")
        for inner in point.iterfind(f"{_NCX}navPoint") if level < _MAX_DEPTH else ():
            yield from self._ncx(inner, base, level + 1)

    def _nav(self, items: Any, base: str, level: int) -> Iterator[_Entry]:
        for item in items.iter():
            label = next((one for one in item.iter() if one.tag in ("a", "span")), None)
            if label is not None:
                address = label.attributes.get("href") or ""
                yield _Entry(one_line(label.text()), level, self._resolved(base, address) if address else "")
            for inner in item.iter() if level < _MAX_DEPTH else ():
                if inner.tag == "ol":
                    yield from self._nav(inner, base, level + 1)

    def _chapter(self, part: str, entry: _Entry | None, level: int) -> Iterator[Paragraph]:
        """A chapter whose highest heading has the level of its line in the table of contents; that line is its heading
        where it has none of its own."""
        if part not in self._names or self._zip.getinfo(part).file_size > MAX_CHAPTER:
            title = entry.title if entry else ""
            yield Paragraph(ContentType.HEADING if title else ContentType.TEXT, title, level, notice=_MISSING)
            return
        tree = parsed(_as_html(markup_of(self._bytes(part))))
        own = [
            int((node.tag or "h1")[1]) for node in tree.css("h1, h2, h3, h4, h5, h6") if node.text().strip()
        ]
        shift = level - min(own, default=1)
        if entry and not own:
            yield Paragraph(ContentType.HEADING, entry.title, level)
        first = True
        for paragraph in HtmlReader(
            tree, lambda address: self._picture_name(part, address), whole=True
        ).paragraphs():
            repeated = first and entry and not own and one_line(paragraph.text).lower() == entry.title.lower()
            first = first and not paragraph.text.strip()
            if paragraph.type is ContentType.HEADING:
                yield replace(paragraph, level=max(1, paragraph.level + shift))
            elif not repeated:
                yield paragraph

    def _picture_name(self, part: str, address: str) -> str | None:
        if address.startswith("data:"):
            return None
        name = self._resolved(part, address)
        return name if name in self._names else None


def _as_html(markup: str) -> str:
    """XHTML as an HTML parser understands it: empty elements with an end tag, formulas without a prefix."""
    return _EMPTY_ELEMENT.sub(r"<\1\2></\1>", _MATH_PREFIX.sub(r"<\1", markup))
