"""What a file really is: by its bytes, never by its name (which only tells apart kinds of plain text)."""

import csv
import re
import zipfile
from pathlib import Path

from tools.ingest.charset import decode, utf16_without_mark
from tools.ingest.containers import DAMAGED, OLE2, check_archive, ole2_names
from tools.ingest.segments import Refusal, Sniffed
from tools.ingest.signatures import picture, sound_or_video, unreadable

HEAD_BYTES = 65_536
MAX_DOCUMENT_BYTES = 1_000_000_000
MAX_RECORDING_BYTES = 4_000_000_000
MAX_TEXT_BYTES = 100_000_000
MAX_PAGE_BYTES = 25_000_000
"""Of HTML, which is held in memory with its tree."""
MAX_MARKDOWN_BYTES = 5_000_000
"""Longer Markdown is read as plain text."""

PDF, PPTX, DOCX = "application/pdf", "pptx", "docx"
_OFFICE = "application/vnd.openxmlformats-officedocument"
PPTX_TYPE = f"{_OFFICE}.presentationml.presentation"
DOCX_TYPE = f"{_OFFICE}.wordprocessingml.document"
XLSX_TYPE = f"{_OFFICE}.spreadsheetml.sheet"
XLS_TYPE, XLSB_TYPE = "application/vnd.ms-excel", "application/vnd.ms-excel.sheet.binary.macroenabled.12"
ODS_TYPE = "application/vnd.oasis.opendocument.spreadsheet"
EPUB_TYPE = "application/epub+zip"
HTML_TYPE, MARKDOWN_TYPE, TEXT_TYPE, CSV_TYPE = "text/html", "text/markdown", "text/plain", "text/csv"
VTT_TYPE, SRT_TYPE = "text/vtt", "application/x-subrip"

_HINT = (
    "Upload a PDF, PowerPoint, Word, Excel, EPUB, HTML, Markdown, CSV or text file, a picture or a recording."
)
_DAMAGED = "This file is damaged and cannot be opened. Save or download it again."
_LOCKED = "This file is protected with a password. Save it without one and upload it again."
_BROKEN_OFF = "This file begins with nothing but zeros, as a download that broke off does. Download it again."
_ZIP = (b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")
_MAIN_PARTS = (
    ("wordprocessingml.", "word/", DOCX_TYPE, DOCX),
    ("ms-word.", "word/", DOCX_TYPE, DOCX),
    ("presentationml.", "ppt/", PPTX_TYPE, PPTX),
    ("ms-powerpoint.", "ppt/", PPTX_TYPE, PPTX),
    ("ms-excel.sheet.binary.", "xl/workbook.bin", XLSB_TYPE, "xls"),
    ("spreadsheetml.", "xl/", XLSX_TYPE, "xlsx"),
    ("ms-excel.", "xl/", XLSX_TYPE, "xlsx"),
)
"""Word in the content type of the main part, where its parts lie, media type, extension."""
_MAIN = re.compile(
    r'ContentType\s*=\s*["\']application/vnd\.(?:openxmlformats-officedocument\.)?([\w.-]+?)\.main\+xml'
)
_BINARY_MAIN = re.compile(
    r'ContentType\s*=\s*["\']application/vnd\.(ms-excel\.sheet\.binary\.\w+)\.main["\']'
)
_FIRST_NAMES = re.compile(rb"PK\x03\x04.{26}((?:word|ppt|xl)/|mimetypeapplication/[\w.+-]+?(?=PK))", re.S)

_HTML = re.compile(
    rb"^\s*(?:<\?xml[^>]*>\s*)?(?:<!--(?:(?!-->).)*+-->\s*+)*+(?:<!doctype\s+html|<html[\s>]|<head[\s>]|<body[\s>])",
    re.I | re.S,
)
MHTML = re.compile(
    rb"\A(?:(?:From|Subject|Date|MIME-Version|Snapshot-Content-Location|X-MAF[\w-]*):[^\r\n]*(?:\r?\n[ \t][^\r\n]*)*\r?\n)*"
    rb"Content-Type:\s*multipart/related",
    re.I,
)
_HTML_TAGS = re.compile(
    rb"<(?:p|div|h[1-6]|table|ul|ol|article|section|span|title|meta|br)(?:\s[^<>]*)?/?>", re.I
)
_SVG = re.compile(
    rb"^\s*(?:<\?xml[^>]*>\s*)?(?:<!--(?:(?!-->).)*+-->\s*+)*+(?:<!DOCTYPE svg[^>]*>\s*)?<svg[\s>]", re.S
)
_MARKDOWN = re.compile(
    r"^(?:#{1,6} \S|```|~~~|\|.+\|\s*\n\|[\s:|-]+\||[^\n]+\n={3,}\s*$|!?\[[^\]\n]+\]\([^)\n]+\))", re.M
)
_SRT = re.compile(r"\A\s*\d+\s*\n\s*\d{1,3}:\d\d:\d\d[,.]\d{1,3}\s*-->\s*\d")
DELIMITERS = ",;\t|"


def sniff(path: Path, filename: str) -> Sniffed:
    """The kind of the file. Raises Refusal: empty_file, unsupported_type, encrypted, corrupt, too_large."""
    size = path.stat().st_size
    with path.open("rb") as file:
        head = file.read(HEAD_BYTES)
    if not head.strip(b"\x00 \t\r\n\x0b\x0c\xef\xbb\xbf\xfe\xff"):
        raise Refusal(
            "empty_file", _BROKEN_OFF if size > HEAD_BYTES and not head[0] else "This file is empty."
        )
    found = _sniff_binary(path, head) or _sniff_text(filename, head, size)
    _check_size(found, size)
    found.path = path
    return found


def glance(head: bytes, filename: str) -> Sniffed | None:
    """The kind of a file by its first HEAD_BYTES alone, for an upload on its way; None where that does not tell."""
    media = _media(head)
    if media or head.startswith(b"%PDF"):
        return media or Sniffed(PDF, "pdf")
    if head.startswith(_ZIP):
        name = _FIRST_NAMES.search(head)
        start = name.group(1).decode("latin-1") if name else ""
        if start.startswith("mimetype"):
            return _open_document(start.removeprefix("mimetype"))
        known = [kind for kind in _MAIN_PARTS if start and kind[1].startswith(start)]
        return Sniffed(known[0][2], known[0][3]) if known else None
    if head.startswith(OLE2) or unreadable(head) or not head.strip() or _is_binary(head):
        return None
    return _kind_of_text(filename, head)


def _sniff_binary(path: Path, head: bytes) -> Sniffed | None:
    if head.startswith(b"%PDF") or _pdf_after_junk(head):
        return Sniffed(PDF, "pdf")
    if head.startswith(_ZIP):
        return _sniff_zip(path)
    if head.startswith(OLE2):
        return _sniff_ole2(path)
    refused = unreadable(head)
    if refused:
        raise Refusal(
            "unsupported_type", f"This file is {refused.means}, which cannot be read. {refused.advice}"
        )
    return _media(head)


def _media(head: bytes) -> Sniffed | None:
    media_type = picture(head)
    if media_type:
        return Sniffed(media_type, "image")
    media_type = sound_or_video(head)
    return Sniffed(media_type, "audio") if media_type else None


def _pdf_after_junk(head: bytes) -> bool:
    """Adobe's reader accepts %PDF- within the first 1024 bytes; a web page that mentions it is no PDF."""
    at = head.find(b"%PDF-1", 0, 1032)
    at = at if at >= 0 else head.find(b"%PDF-2", 0, 1032)
    return at >= 0 and (b" obj" in head[at:] or b"\x00" in head[:at])


def _check_size(found: Sniffed, size: int) -> None:
    if found.extension == "audio":
        if size > MAX_RECORDING_BYTES:
            raise Refusal("too_large", "This recording is larger than 4 GB. Cut it and upload the parts.")
    elif found.extension in ("txt", "csv", "md", "captions"):
        if size > MAX_TEXT_BYTES:
            raise Refusal("too_large", "This text is larger than 100 MB. Split it and upload the parts.")
    elif found.extension == "html":
        if size > MAX_PAGE_BYTES:
            raise Refusal(
                "too_large", "This web page is larger than 25 MB. Print it to a PDF and upload that."
            )
    elif size > MAX_DOCUMENT_BYTES:
        raise Refusal("too_large", "This file is larger than 1 GB. Split it and upload the parts.")


# --- containers ---------------------------------------------------------------------------------------------------


def _sniff_zip(path: Path) -> Sniffed:
    try:
        check_archive(path)
        with zipfile.ZipFile(path) as archive:
            names = set(archive.namelist())
            locked = any(info.flag_bits & 1 for info in archive.infolist())
            mimetype = "" if locked else _member(archive, "mimetype", 80)
            content_types = "" if locked else _member(archive, "[Content_Types].xml", 1_000_000)
    except DAMAGED as error:
        raise Refusal("corrupt", _DAMAGED) from error
    if locked:
        raise Refusal("encrypted", _LOCKED)
    found = _office(names, content_types) or _open_document(mimetype.strip())
    if found:
        return found
    if not names:
        raise Refusal("empty_file", "This is a ZIP archive with nothing in it.")
    raise Refusal("unsupported_type", f"This file is {_other_zip(names, mimetype)}")


def _member(archive: zipfile.ZipFile, name: str, limit: int) -> str:
    if name not in archive.NameToInfo:
        return ""
    with archive.open(name) as part:
        return part.read(limit).decode("utf-8", "replace")


def _office(names: set[str], content_types: str) -> Sniffed | None:
    """By the content type of the main part; by the folders where the list of types is broken."""
    main = _BINARY_MAIN.search(content_types) or _MAIN.search(content_types)
    for word, folder, media_type, extension in _MAIN_PARTS:
        if main and main.group(1).startswith(word):
            return Sniffed(media_type, extension)
        if not main and any(name.startswith(folder) for name in names):
            return Sniffed(media_type, extension)
    return None


def _open_document(mimetype: str) -> Sniffed | None:
    if mimetype == EPUB_TYPE:
        return Sniffed(EPUB_TYPE, "epub")
    return Sniffed(ODS_TYPE, "ods") if mimetype.startswith(ODS_TYPE) else None


def _other_zip(names: set[str], mimetype: str) -> str:
    if "META-INF/container.xml" in names:
        return "an EPUB book whose first part is missing. Download it again."
    if "opendocument.text" in mimetype:
        return "an OpenDocument text, which cannot be read. Save it as .docx or PDF and upload that."
    if "opendocument.presentation" in mimetype:
        return "an OpenDocument presentation, which cannot be read. Save it as .pptx or PDF and upload that."
    if "opendocument" in mimetype:
        return "an OpenDocument file, which cannot be read. Save it as PDF and upload that."
    if any(name.startswith("Index/") and name.endswith(".iwa") for name in names) or "Index.zip" in names:
        return "a Pages, Keynote or Numbers file, which cannot be read. Export it as PDF and upload that."
    if any(name.startswith("collection.anki2") for name in names):
        return "an Anki deck, not study material. Import it as flashcards (import_deck)."
    if "META-INF/MANIFEST.MF" in names or "AndroidManifest.xml" in names:
        return f"a program, which cannot be read. {_HINT}"
    return "a ZIP archive. Unpack it and upload the files in it."


def _sniff_ole2(path: Path) -> Sniffed:
    """OLE2 holds old Office files and, in a stream named EncryptedPackage, new ones with a password."""
    names = ole2_names(path)
    if "EncryptedPackage" in names:
        raise Refusal("encrypted", _LOCKED)
    if names & {"Workbook", "Book"}:
        return Sniffed(XLS_TYPE, "xls")
    for stream, what, save_as in (
        ("WordDocument", "an old Word document (.doc)", ".docx or PDF"),
        ("PowerPoint Document", "an old PowerPoint file (.ppt)", ".pptx or PDF"),
        ("__properties_version1.0", "an e-mail of Outlook (.msg)", "PDF"),
    ):
        if stream in names:
            raise Refusal(
                "unsupported_type",
                f"This file is {what}, which cannot be read. Save it as {save_as} and upload that.",
            )
    if not names:
        raise Refusal("corrupt", _DAMAGED)
    raise Refusal("unsupported_type", f"This file is of an old Office kind, which cannot be read. {_HINT}")


# --- text ---------------------------------------------------------------------------------------------------------


def _sniff_text(filename: str, head: bytes, size: int) -> Sniffed:
    if _is_binary(head):
        raise Refusal("unsupported_type", f"This is a file of a kind that cannot be read. {_HINT}")
    if _SVG.match(head):
        raise Refusal(
            "unsupported_type",
            "This file is an SVG drawing, which cannot be read. Save it as PDF or PNG and upload that.",
        )
    found = _kind_of_text(filename, head)
    return Sniffed(TEXT_TYPE, "txt") if found.extension == "md" and size > MAX_MARKDOWN_BYTES else found


def _kind_of_text(filename: str, head: bytes) -> Sniffed:
    sample = decode(head).replace("\r\n", "\n").lstrip("\ufeff")
    ascii_like = sample.encode("utf-8", "replace")
    if (
        MHTML.match(head)
        or _HTML.match(ascii_like)
        or (len(_HTML_TAGS.findall(ascii_like[:8192])) >= 3 and ascii_like.lstrip()[:1] == b"<")
    ):
        return Sniffed(HTML_TYPE, "html")
    if sample.startswith("WEBVTT"):
        return Sniffed(VTT_TYPE, "captions")
    if _SRT.match(sample):
        return Sniffed(SRT_TYPE, "captions")
    suffix = Path(filename).suffix.lower()
    if delimiter_of(sample, named=suffix in (".csv", ".tsv", ".tab")):
        return Sniffed(CSV_TYPE, "csv")
    if suffix in (".md", ".markdown", ".mkd") or (suffix != ".txt" and len(_MARKDOWN.findall(sample)) >= 2):
        return Sniffed(MARKDOWN_TYPE, "md")
    return Sniffed(TEXT_TYPE, "txt")


def delimiter_of(sample: str, named: bool) -> str | None:
    """What separates the columns of a table in text, or None for any other text.

    A file that calls itself a table (`named`) needs two columns in most rows; of any other each of at least four rows
    must have the same number of columns, three or more (two where they are separated by tabs).
    """
    lines = sample[:20_000].split("\n")
    lines = [line for line in (lines[:-1] if len(lines) > 2 else lines) if line.strip()]
    best: tuple[float, int, str] | None = None
    for delimiter in DELIMITERS:
        widths = _widths(lines, delimiter)
        common = max(set(widths), key=widths.count) if widths else 0
        share = widths.count(common) / len(widths) if widths else 0.0
        least = 2 if named or delimiter == "\t" else 3
        if common >= least and (
            share > 0.5 if named else share == 1 and len(widths) >= 4 and delimiter != "|"
        ):
            best = max(best or (0.0, 0, ""), (share, common, delimiter))
    return best[2] if best else None


def _widths(lines: list[str], delimiter: str) -> list[int]:
    try:
        return [len(row) for row in csv.reader(lines, delimiter=delimiter)]
    except csv.Error:
        return []


def _is_binary(head: bytes) -> bool:
    if head.startswith((b"\xff\xfe", b"\xfe\xff")) or utf16_without_mark(head):
        return False
    odd = sum(head.count(bytes([code])) for code in (*range(1, 8), *range(14, 27), *range(28, 32), 127))
    return head.count(b"\x00") > 0.01 * len(head) + 8 or odd > 0.02 * len(head) + 4
