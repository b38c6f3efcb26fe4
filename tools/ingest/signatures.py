"""The first bytes by which kinds of files are known: pictures, sound and video, and what cannot be read."""

from dataclasses import dataclass

MPEG_TYPE = "audio/mpeg"


@dataclass(frozen=True, slots=True)
class Signature:
    offset: int
    start: bytes
    means: str
    """A media type; of what cannot be read, its name."""
    advice: str = ""


_PICTURES = (
    Signature(0, b"\x89PNG\r\n\x1a\n", "image/png"),
    Signature(0, b"\xff\xd8\xff", "image/jpeg"),
    Signature(0, b"GIF87a", "image/gif"),
    Signature(0, b"GIF89a", "image/gif"),
    Signature(0, b"II*\x00", "image/tiff"),
    Signature(0, b"MM\x00*", "image/tiff"),
    Signature(0, b"\x00\x00\x00\x0cjP  \r\n\x87\n", "image/jp2"),
)
_RIFF = {b"WEBP": "image/webp", b"WAVE": "audio/wav", b"AVI ": "video/x-msvideo"}
_SOUND_AND_VIDEO = (
    Signature(0, b"fLaC", "audio/flac"),
    Signature(0, b"OggS", "audio/ogg"),
    Signature(0, b"#!AMR", "audio/amr"),
    Signature(0, b"caff\x00\x01", "audio/x-caf"),
    Signature(0, b"FLV\x01", "video/x-flv"),
    Signature(0, b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", "video/x-ms-asf"),
    Signature(0, b"\x00\x00\x01\xba", "video/mpeg"),
)
_ADTS = (b"\xff\xf1", b"\xff\xf9", b"\xff\xf0", b"\xff\xf8")
_MATROSKA = b"\x1aE\xdf\xa3"
# Brands of ISO base media files: ISO/IEC 23008-12 annex B (HEIF), AV1 image format 1.1 §6, mp4ra.org.
_PICTURE_BRANDS = {
    **dict.fromkeys((b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx"), "image/heic"),
    **dict.fromkeys((b"avif", b"avis"), "image/avif"),
}
_OPEN_PICTURE_BRANDS = (b"mif1", b"mif2", b"msf1", b"miaf")
_SOUND_BRANDS = (b"M4A ", b"M4B ", b"M4P ", b"F4A ", b"F4B ")
_QUICKTIME = (b"moov", b"mdat", b"wide", b"pnot")

_UNPACK = "Unpack it and upload the files in it."
_AS_PDF = "Save it as a PDF or Word file (.docx) and upload that."
_AS_PICTURE = "Save it as PNG or JPEG and upload that."
_PROGRAM = "Only study material can be read: documents, slides, tables, pictures and recordings."
_UNREADABLE = (
    Signature(0, b"\x1f\x8b", "a gzip archive", _UNPACK),
    Signature(0, b"Rar!", "a RAR archive", _UNPACK),
    Signature(0, b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive", _UNPACK),
    Signature(0, b"BZh", "a bzip2 archive", _UNPACK),
    Signature(0, b"\xfd7zXZ\x00", "an xz archive", _UNPACK),
    Signature(0, b"\x28\xb5\x2f\xfd", "a Zstandard archive", _UNPACK),
    Signature(257, b"ustar", "a tar archive", _UNPACK),
    Signature(0, b"{\\rtf", "an RTF document", _AS_PDF),
    Signature(0, b"%!PS", "a PostScript file", "Convert it to PDF and upload that."),
    Signature(0, b"AT&TFORM", "a DjVu document", "Convert it to PDF and upload that."),
    Signature(60, b"BOOKMOBI", "a Kindle book", "Get it as EPUB or PDF and upload that."),
    Signature(0, b"bplist00", "a web archive of Safari", "Save the page as PDF and upload that."),
    Signature(0, b"8BPS", "a Photoshop picture", _AS_PICTURE),
    Signature(0, b"\xff\x0a", "a JPEG XL picture", _AS_PICTURE),
    Signature(0, b"\x00\x00\x00\x0cJXL \r\n\x87\n", "a JPEG XL picture", _AS_PICTURE),
    Signature(4, b"ftypcrx ", "a raw picture of a camera", _AS_PICTURE),
    Signature(0, b"\x7fELF", "a program", _PROGRAM),
    Signature(0, b"\xca\xfe\xba\xbe", "a program", _PROGRAM),
    Signature(0, b"\xcf\xfa\xed\xfe", "a program", _PROGRAM),
    Signature(0, b"\x00asm", "a program", _PROGRAM),
    Signature(0, b"SQLite format 3\x00", "a database", "Export the tables as CSV and upload those."),
    Signature(4, b"Standard Jet DB", "an Access database", "Export the tables as CSV and upload those."),
    Signature(4, b"Standard ACE DB", "an Access database", "Export the tables as CSV and upload those."),
    Signature(0, b"MThd", "a MIDI file, which holds notes but no sound", "Upload a recording of it."),
)


def picture(head: bytes) -> str | None:
    """Media type of a picture, or None."""
    if head.startswith(b"BM") and head[6:10] == b"\0\0\0\0" and head[14:18] in _BITMAP_HEADERS:
        return "image/bmp"
    found = _match(head, _PICTURES)
    return found.means if found else _of_family(head, "image/")


def sound_or_video(head: bytes) -> str | None:
    """Media type of a recording, or None."""
    found = _match(head, _SOUND_AND_VIDEO)
    if found:
        return found.means
    if head.startswith(_MATROSKA):
        return "video/webm" if b"webm" in head[:64] else "video/x-matroska"
    if head.startswith(b"FORM") and head[8:12] in (b"AIFF", b"AIFC"):
        return "audio/aiff"
    if head[0:1] == b"G" and len(head) > 376 and head[188:189] == head[376:377] == b"G":
        return "video/mp2t"
    return _of_family(head, "audio/") or _of_family(head, "video/") or _mpeg_audio(head)


def unreadable(head: bytes) -> Signature | None:
    """What the file is, where that is known and cannot be read."""
    if head.startswith(b"MZ") and b"PE\0\0" in head[:4096]:
        return Signature(0, b"MZ", "a Windows program", _PROGRAM)
    return _match(head, _UNREADABLE)


_BITMAP_HEADERS = tuple(size.to_bytes(4, "little") for size in (12, 40, 52, 56, 64, 108, 124))


def _match(head: bytes, signatures: tuple[Signature, ...]) -> Signature | None:
    return next((one for one in signatures if head.startswith(one.start, one.offset)), None)


def _of_family(head: bytes, family: str) -> str | None:
    """Media types that containers name inside: RIFF, and ISO base media by their brands."""
    if head[:4] in (b"RIFF", b"RF64", b"BW64"):
        found = _RIFF.get(head[8:12])
    elif head[4:8] == b"ftyp":
        found = _iso_media(head)
    elif head[4:8] in _QUICKTIME and 8 <= int.from_bytes(head[:4], "big") < 1 << 31:
        found = "video/quicktime"
    else:
        return None
    return found if found and found.startswith(family) else None


def _iso_media(head: bytes) -> str:
    size = min(int.from_bytes(head[:4], "big"), 256)
    major, others = head[8:12], {head[at : at + 4] for at in range(16, size - 3, 4)}
    if major in _PICTURE_BRANDS:
        return _PICTURE_BRANDS[major]
    if major in _OPEN_PICTURE_BRANDS:
        return next(
            (_PICTURE_BRANDS[brand] for brand in sorted(others) if brand in _PICTURE_BRANDS), "image/heif"
        )
    if major in _SOUND_BRANDS:
        return "audio/mp4"
    return "video/quicktime" if major == b"qt  " else "video/3gpp" if major[:3] == b"3gp" else "video/mp4"


def _mpeg_audio(head: bytes) -> str | None:
    """MP3 by its ID3 tag or a frame header with possible values (ISO/IEC 11172-3 §2.4.2.3), AAC by its ADTS header."""
    if head.startswith(b"ID3") and head[3:4] in (b"\x02", b"\x03", b"\x04"):
        return MPEG_TYPE
    if head[:2] in _ADTS and len(head) > 2 and head[2] >> 2 & 15 < 13:
        return "audio/aac"
    if len(head) < 4 or head[0] != 255 or head[1] & 0xE0 != 0xE0:
        return None
    version, layer, rate, sampling = head[1] >> 3 & 3, head[1] >> 1 & 3, head[2] >> 4, head[2] >> 2 & 3
    return MPEG_TYPE if version != 1 and layer in (1, 2) and 0 < rate < 15 and sampling != 3 else None
