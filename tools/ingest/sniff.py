"""What a file really is: by its bytes, never by its name (which only tells Markdown from plain text)."""

import re
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path

from tools.ingest.segments import Refusal, Sniffed

HEAD_BYTES = 65_536
MAX_UNZIPPED = 1_000_000_000
MAX_RATIO = 200
_RATIO_FLOOR = 20_000_000
"""Below this size a high ratio is harmless (blank pictures, styles)."""
MAX_MARKUP_PART = 80_000_000
"""Bytes of one XML part; a parser needs ten times as much memory."""
MAX_TEXT_BYTES = 100_000_000

PDF, PPTX, DOCX = "application/pdf", "pptx", "docx"
PPTX_TYPE = "application/vnd.openxmlformats-officedocument.presentationml.presentation"
DOCX_TYPE = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
HTML_TYPE, MARKDOWN_TYPE, TEXT_TYPE = "text/html", "text/markdown", "text/plain"

_HINT = "Upload a PDF, PowerPoint (.pptx), Word (.docx), HTML, Markdown or text file."
_LATER = "which this version cannot read yet; it will come later."


@dataclass(frozen=True, slots=True)
class _Magic:
    offset: int
    signature: bytes
    name: str


_IMAGES = (
    _Magic(0, b"\x89PNG\r\n\x1a\n", "a PNG picture"),
    _Magic(0, b"\xff\xd8\xff", "a JPEG picture"),
    _Magic(0, b"GIF87a", "a GIF picture"),
    _Magic(0, b"GIF89a", "a GIF picture"),
    _Magic(8, b"WEBP", "a WebP picture"),
    _Magic(0, b"II*\x00", "a TIFF picture"),
    _Magic(0, b"MM\x00*", "a TIFF picture"),
    _Magic(4, b"ftypheic", "a HEIC picture"),
    _Magic(4, b"ftypmif1", "a HEIF picture"),
    _Magic(4, b"ftypavif", "an AVIF picture"),
)
_SOUND_AND_VIDEO = (
    _Magic(0, b"ID3", "an MP3 recording"),
    _Magic(0, b"\xff\xfb", "an MP3 recording"),
    _Magic(0, b"\xff\xf3", "an MP3 recording"),
    _Magic(0, b"\xff\xf2", "an MP3 recording"),
    _Magic(8, b"WAVE", "a WAV recording"),
    _Magic(0, b"fLaC", "a FLAC recording"),
    _Magic(0, b"OggS", "an Ogg recording"),
    _Magic(4, b"ftypM4A", "an M4A recording"),
    _Magic(0, b"\xff\xf1", "an AAC recording"),
    _Magic(0, b"\xff\xf9", "an AAC recording"),
    _Magic(4, b"ftyp", "an MP4 video"),
    _Magic(0, b"\x1aE\xdf\xa3", "a WebM or Matroska video"),
    _Magic(8, b"AVI ", "an AVI video"),
)
_OTHER = (
    _Magic(0, b"\x1f\x8b", "a gzip archive"),
    _Magic(0, b"Rar!", "a RAR archive"),
    _Magic(0, b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive"),
    _Magic(0, b"BZh", "a bzip2 archive"),
    _Magic(0, b"\xfd7zXZ\x00", "an xz archive"),
    _Magic(257, b"ustar", "a tar archive"),
    _Magic(0, b"{\\rtf", "an RTF document"),
    _Magic(0, b"%!PS", "a PostScript file"),
    _Magic(0, b"\x7fELF", "a program"),
    _Magic(0, b"SQLite format 3\x00", "a database"),
)
_OLE2 = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ZIP = (b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")
_HTML = re.compile(
    rb"^\s*(?:<\?xml[^>]*>\s*)?(?:<!--(?:(?!-->).)*+-->\s*+)*+(?:<!doctype\s+html|<html[\s>]|<head[\s>]|<body[\s>])",
    re.I | re.S,
)
_HTML_TAGS = re.compile(
    rb"<(?:p|div|h[1-6]|table|ul|ol|article|section|span|title|meta|br)(?:\s[^<>]*)?/?>", re.I
)
_MARKDOWN = re.compile(
    r"^(?:#{1,6} \S|```|~~~|\|.+\|\s*\n\|[\s:|-]+\||[^\n]+\n={3,}\s*$|!?\[[^\]\n]+\]\([^)\n]+\))", re.M
)


def sniff(path: Path, filename: str) -> Sniffed:
    """The kind of the file. Raises Refusal: empty_file, unsupported_type, encrypted, corrupt, too_large."""
    size = path.stat().st_size
    with path.open("rb") as file:
        head = file.read(HEAD_BYTES)
    if not head.strip(b"\x00 \t\r\n\xef\xbb\xbf"):
        raise Refusal("empty_file", "This file is empty.")
    if head.startswith(b"%PDF") or _pdf_after_junk(head):
        return Sniffed(PDF, "pdf", path)
    if head.startswith(_ZIP):
        return _sniff_zip(path)
    if head.startswith(_OLE2):
        raise _refuse_ole2(path)
    _refuse_media(head)
    return _sniff_text(path, filename, head, size)


def _pdf_after_junk(head: bytes) -> bool:
    """Adobe's reader accepts %PDF- within the first 1024 bytes; a web page that mentions it is no PDF."""
    at = head.find(b"%PDF-1", 0, 1032)
    at = at if at >= 0 else head.find(b"%PDF-2", 0, 1032)
    return at >= 0 and (b" obj" in head[at:] or b"\x00" in head[:at])


def _matches(head: bytes, magics: tuple[_Magic, ...]) -> str | None:
    for magic in magics:
        if head.startswith(magic.signature, magic.offset):
            return magic.name
    return None


def _refuse_media(head: bytes) -> None:
    name = _matches(head, _IMAGES) if not head.startswith(b"RIFF") or head[8:12] == b"WEBP" else None
    if name:
        raise Refusal("unsupported_type", f"This file is {name}, {_LATER} {_HINT}")
    name = _matches(head, _SOUND_AND_VIDEO)
    if name:
        raise Refusal("unsupported_type", f"This file is {name}, {_LATER} {_HINT}")
    name = _matches(head, _OTHER)
    if name:
        raise Refusal("unsupported_type", f"This file is {name}, which cannot be read. {_HINT}")


# --- containers ---------------------------------------------------------------------------------------------------


def _sniff_zip(path: Path) -> Sniffed:
    try:
        with zipfile.ZipFile(path) as archive:
            names = set(archive.namelist())
            check_unzipped_size(archive)
            mimetype = archive.read("mimetype")[:80].decode("latin-1") if "mimetype" in names else ""
            content_types = _content_types(archive)
            locked = any(info.flag_bits & 1 for info in archive.infolist())
    except (
        zipfile.BadZipFile,
        EOFError,
        OSError,
        NotImplementedError,
        RuntimeError,
        KeyError,
        ValueError,
        zlib.error,
    ) as error:
        raise Refusal(
            "corrupt", "This file is damaged and cannot be opened. Save or download it again."
        ) from error
    if locked:
        raise Refusal(
            "encrypted", "This file is protected with a password. Save it without one and upload it again."
        )
    return _office_kind(path, names, content_types, mimetype)


def _content_types(archive: zipfile.ZipFile) -> str:
    try:
        with archive.open("[Content_Types].xml") as part:
            return part.read(1_000_000).decode("utf-8", "replace")
    except KeyError:
        return ""


def check_unzipped_size(archive: zipfile.ZipFile) -> None:
    """Raises Refusal too_large for archives that would fill memory or disk when unpacked."""
    total = packed = 0
    for info in archive.infolist():
        total += info.file_size
        packed += info.compress_size
        if info.filename.endswith((".xml", ".rels")) and info.file_size > MAX_MARKUP_PART:
            total = MAX_UNZIPPED + 1
    if total > MAX_UNZIPPED or (total > _RATIO_FLOOR and total > MAX_RATIO * max(1, packed)):
        raise Refusal("too_large", "This file unpacks to far more than its size and was not opened.")


def _office_kind(path: Path, names: set[str], content_types: str, mimetype: str) -> Sniffed:
    if any(name.startswith("ppt/") for name in names):
        _refuse_macros(content_types, "PowerPoint presentation with macros (.pptm)", ".pptx")
        return Sniffed(PPTX_TYPE, PPTX, path)
    if any(name.startswith("word/") for name in names):
        _refuse_macros(content_types, "Word document with macros (.docm)", ".docx")
        return Sniffed(DOCX_TYPE, DOCX, path)
    raise Refusal("unsupported_type", f"This file is {_other_zip(names, mimetype)} {_HINT}")


def _refuse_macros(content_types: str, what: str, save_as: str) -> None:
    if "macroEnabled" in content_types:
        raise Refusal(
            "unsupported_type", f"This file is a {what}. Save it as {save_as} without macros and upload that."
        )


def _other_zip(names: set[str], mimetype: str) -> str:
    if any(name.startswith("xl/") for name in names):
        return f"an Excel workbook, {_LATER}"
    if "epub" in mimetype:
        return f"an EPUB book, {_LATER}"
    if "opendocument" in mimetype:
        return f"an OpenDocument file, {_LATER}"
    return "a ZIP archive; unpack it and upload the files in it."


def _refuse_ole2(path: Path) -> Refusal:
    """OLE2 holds old Office files and, in a stream named EncryptedPackage, new ones with a password."""
    data = path.read_bytes() if path.stat().st_size <= MAX_TEXT_BYTES else b""
    if "EncryptedPackage".encode("utf-16-le") in data:
        return Refusal(
            "encrypted",
            "This Office file is protected with a password. Save it without one and upload it again.",
        )
    for stream, what, save_as in (
        ("WordDocument", "an old Word document (.doc)", ".docx"),
        ("PowerPoint Document", "an old PowerPoint file (.ppt)", ".pptx"),
        ("Workbook", "an old Excel file (.xls)", ".xlsx"),
    ):
        if stream.encode("utf-16-le") in data:
            return Refusal(
                "unsupported_type", f"This file is {what}. Save it as {save_as} or PDF and upload that."
            )
    return Refusal("unsupported_type", f"This file is an old Office file, which cannot be read. {_HINT}")


# --- text ---------------------------------------------------------------------------------------------------------


def _sniff_text(path: Path, filename: str, head: bytes, size: int) -> Sniffed:
    if _is_binary(head):
        raise Refusal("unsupported_type", f"This is a file of a kind that cannot be read. {_HINT}")
    if size > MAX_TEXT_BYTES:
        raise Refusal("too_large", "This text is larger than 100 MB. Split it and upload the parts.")
    sample = decode(head)
    ascii_like = sample.encode("utf-8", "replace")
    if _HTML.match(ascii_like) or (
        len(_HTML_TAGS.findall(ascii_like[:8192])) >= 3 and ascii_like.lstrip()[:1] == b"<"
    ):
        return Sniffed(HTML_TYPE, "html", path)
    suffix = Path(filename).suffix.lower()
    if suffix in (".md", ".markdown", ".mkd") or (suffix != ".txt" and len(_MARKDOWN.findall(sample)) >= 2):
        return Sniffed(MARKDOWN_TYPE, "md", path)
    return Sniffed(TEXT_TYPE, "txt", path)


def _is_binary(head: bytes) -> bool:
    if head.startswith((b"\xff\xfe", b"\xfe\xff")) or _utf16_without_mark(head):
        return False
    odd = sum(head.count(bytes([code])) for code in (*range(1, 8), *range(14, 27), *range(28, 32), 127))
    return head.count(b"\x00") > 0.01 * len(head) + 8 or odd > 0.02 * len(head) + 4


def _utf16_without_mark(head: bytes) -> str | None:
    """UTF-16 of mostly Latin text has a zero in every second byte."""
    sample = head[:2000]
    half = len(sample) // 2
    if half < 8:
        return None
    even, odd = sample[0::2].count(0), sample[1::2].count(0)
    if odd > 0.7 * half and even < 0.05 * half:
        return "utf-16-le"
    return "utf-16-be" if even > 0.7 * half and odd < 0.05 * half else None


def decode(data: bytes) -> str:
    """Text of bytes in UTF-8, UTF-16 (with or without mark) or, failing these, Windows-1252. Never raises."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16", "replace")
    unmarked = _utf16_without_mark(data)
    if unmarked:
        return data.decode(unmarked, "replace")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        # A sample may end inside a character; one bad byte in long UTF-8 is an accident, not another encoding.
        text = data.decode("utf-8-sig", "replace")
        if error.start >= len(data) - 3 or text.count("\ufffd") <= len(text) // 2000:
            return text
    return data.decode("cp1252", "replace")
