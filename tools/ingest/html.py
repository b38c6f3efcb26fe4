"""Web pages as sections by heading: HTML files, and pages saved with all they show in one file (MHTML)."""

import base64
import binascii
import email
import email.policy
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote_to_bytes, urljoin

from selectolax.lexbor import LexborHTMLParser, SelectolaxError

from tools.ingest.charset import decode
from tools.ingest.cleaning import one_line
from tools.ingest.html_reader import HtmlReader
from tools.ingest.sections import Paragraph, Sectioned
from tools.ingest.segments import DocumentInfo, Refusal, SegmentKind
from tools.ingest.sniff import HTML_TYPE, MHTML

ERRORS: tuple[type[Exception], ...] = (SelectolaxError, ValueError, LookupError, TypeError, RecursionError)

_CHARSET = re.compile(rb"""<meta[^>]{0,200}?charset\s*=\s*["']?\s*([\w.:-]{2,40})""", re.I)
_XML_ENCODING = re.compile(rb"""^\s*<\?xml[^>]{0,100}?encoding\s*=\s*["']([\w.:-]{2,40})""")
_DATA_URL = re.compile(r"data:image/[\w.+-]+(?:;[\w=-]+)*,", re.I)


class HtmlExtractor(Sectioned):
    what = "web page"
    errors = ERRORS

    def __init__(self, path: Path) -> None:
        data = path.read_bytes()
        self._parts: dict[str, bytes] = {}
        self._address = ""
        try:
            markup = self._unpacked(data) if MHTML.match(data) else markup_of(data)
            tree = parsed(markup)
            title = tree.css_first("title")
            name = one_line(title.text()) if title is not None else ""
            author = tree.css_first("meta[name=author]")
            root = tree.css_first("html")
            language = root.attributes.get("lang") if root is not None else None
        except ERRORS as error:
            raise Refusal(
                "corrupt", "This web page is damaged and cannot be read. Save it again and upload that."
            ) from error
        self.info = DocumentInfo(
            HTML_TYPE,
            SegmentKind.SECTION,
            None,
            name or None,
            language or None,
            one_line((author.attributes.get("content") if author is not None else None) or "") or None,
        )
        self._markup = markup

    def paragraphs(self) -> Iterator[Paragraph]:
        # Reading takes furniture out of the tree and figures apart: every pass gets a fresh one.
        return HtmlReader(parsed(self._markup), self._source).paragraphs()

    def picture(self, source: str) -> bytes | None:
        return self._parts.get(source) or data_of(source)

    def close(self) -> None:
        self._markup = ""
        self._parts = {}

    def _source(self, address: str) -> str | None:
        if _DATA_URL.match(address):
            return address
        for known in (address, urljoin(self._address, address)):
            if known in self._parts:
                return known
        return None

    def _unpacked(self, data: bytes) -> str:
        """The page of an MHTML file (RFC 2557); its pictures go to `_parts` by address."""
        message = email.message_from_bytes(data, policy=email.policy.default)
        page = ""
        for part in message.walk():
            body = part.get_payload(decode=True)
            if not isinstance(body, bytes):
                continue
            location = str(part["Content-Location"] or "")
            if part.get_content_type() == "text/html" and not page:
                page, self._address = decode(body, part.get_content_charset()), location
            elif part.get_content_maintype() == "image":
                self._parts[location] = body
                self._parts[f"cid:{str(part['Content-ID'] or '').strip('<>')}"] = body
        return page


def markup_of(data: bytes) -> str:
    """The text of a page, in the encoding it declares where that is true."""
    declared = _CHARSET.search(data[:4096]) or _XML_ENCODING.match(data)
    return decode(data, declared.group(1).decode("ascii") if declared else None)


def parsed(markup: str) -> LexborHTMLParser:
    return LexborHTMLParser(markup.replace("\x00", ""))


def data_of(address: str) -> bytes | None:
    """The bytes of a data: URL (RFC 2397)."""
    head, found, data = address.partition(",")
    if not found or not address.startswith("data:"):
        return None
    raw = unquote_to_bytes(data)
    if not head.endswith(";base64"):
        return raw
    try:
        return base64.b64decode(raw + b"==", validate=False)
    except binascii.Error:
        return None
