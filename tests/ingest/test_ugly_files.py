"""Files that are broken, mislabelled, locked or hostile end in a Refusal with a stable code, or are read anyway."""

import struct
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import docx
import pptx
import pymupdf
import pytest

from tests.data import shared
from tools.ingest.opening import open_document
from tools.ingest.segments import Refusal, Segment

_mupdf: Any = pymupdf


def read(path: Path, filename: str = "") -> list[Segment]:
    extractor = open_document(path, filename or path.name)
    try:
        return list(extractor.segments())
    finally:
        extractor.close()


def refusal(path: Path, filename: str = "") -> Refusal:
    with pytest.raises(Refusal) as caught:
        read(path, filename)
    assert str(caught.value).endswith(".")
    assert str(caught.value)[0].isupper()
    return caught.value


def outcome(path: Path) -> str:
    """The code of the refusal, or "read"."""
    try:
        read(path)
    except Refusal as error:
        return error.code
    return "read"


def written(folder: Path, name: str, data: bytes) -> Path:
    path = folder / name
    path.write_bytes(data)
    return path


def pdf_bytes(**options: Any) -> bytes:
    document = _mupdf.open()
    for number in range(3):
        document.new_page().insert_text((72, 300), f"This is page {number + 1} of a small document.")
    data: bytes = document.tobytes(**options)
    return data


def docx_file(folder: Path) -> Path:
    document: Any = docx.Document()
    document.add_heading("Stability", 1)
    document.add_paragraph("Backward Euler is stable.")
    path = folder / "notes.docx"
    document.save(str(path))
    return path


def rezipped(source: Path, target: Path, change: Callable[[str, bytes], bytes | None]) -> Path:
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            data = change(name, old.read(name))
            if data is not None:
                new.writestr(name, data)
    return target


@pytest.mark.parametrize("data", [b"", b"\n  \n", b"\xef\xbb\xbf", b"\x00" * 500])
def test_an_empty_file_is_refused(data: bytes, tmp_path: Path) -> None:
    assert refusal(written(tmp_path, "notes.pdf", data)).code == "empty_file"


def test_a_locked_pdf_is_refused_and_an_empty_password_is_tried(tmp_path: Path) -> None:
    aes = _mupdf.PDF_ENCRYPT_AES_256
    locked = written(tmp_path, "locked.pdf", pdf_bytes(encryption=aes, user_pw="secret", owner_pw="owner"))
    assert refusal(locked).code == "encrypted"
    owner_only = written(tmp_path, "owner.pdf", pdf_bytes(encryption=aes, user_pw="", owner_pw="owner"))
    assert len(read(owner_only)) == 3


def test_a_scan_needs_ocr() -> None:
    error = refusal(shared("docs/scan_loremipsum_1p.pdf"))
    assert error.code == "needs_ocr"
    assert "text recognition" in str(error)


def test_a_truncated_pdf_is_read_as_far_as_it_goes_or_refused(tmp_path: Path) -> None:
    whole = shared("docs/dpr_paper_two_column_13p.pdf").read_bytes()
    for share in (0.1, 0.5, 0.9):
        path = written(tmp_path, f"cut{share}.pdf", whole[: int(share * len(whole))])
        assert outcome(path) in ("read", "corrupt", "needs_ocr", "no_pages")
    assert refusal(written(tmp_path, "head.pdf", whole[:300])).code in ("corrupt", "no_pages")
    assert refusal(written(tmp_path, "junk.pdf", b"%PDF-1.7\n" + b"nonsense " * 400)).code in (
        "corrupt",
        "no_pages",
    )


def test_a_pdf_without_pages_is_refused(tmp_path: Path) -> None:
    objects = [b"<< /Type /Catalog /Pages 2 0 R >>", b"<< /Type /Pages /Kids [] /Count 0 >>"]
    data, offsets = b"%PDF-1.4\n", []
    for number, content in enumerate(objects, 1):
        offsets.append(len(data))
        data += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    table = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    at = len(data)
    data += b"xref\n0 3\n0000000000 65535 f \n" + table
    data += b"trailer\n<< /Size 3 /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % at
    assert refusal(written(tmp_path, "none.pdf", data)).code == "no_pages"


def test_junk_before_the_pdf_header_is_tolerated(tmp_path: Path) -> None:
    assert len(read(written(tmp_path, "mail.bin", b"X-Junk: yes\r\n\r\n" + pdf_bytes()))) == 3


def test_a_picture_named_pdf_is_called_a_picture() -> None:
    error = refusal(shared("docs/img_english_korean.png"), "chapter.pdf")
    assert error.code == "unsupported_type"
    assert "PNG picture" in str(error)


def test_sound_is_recognised_and_refused() -> None:
    error = refusal(shared("audio/jfk.flac"), "lecture.pdf")
    assert (error.code, "FLAC recording" in str(error)) == ("unsupported_type", True)


@pytest.mark.parametrize(
    ("data", "word"),
    [
        (b"\x1f\x8b\x08" + bytes(40), "gzip"),
        (b"{\\rtf1 hello}", "RTF"),
        (b"\x00\x00\x00\x20ftypisom" + bytes(40), "video"),
        (b"RIFF\x24\x00\x00\x00WAVEfmt " + bytes(40), "WAV"),
        (bytes(range(256)) * 20, "kind"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600) + "WordDocument".encode("utf-16-le"), ".doc"),
    ],
)
def test_other_kinds_are_named_and_refused(data: bytes, word: str, tmp_path: Path) -> None:
    error = refusal(written(tmp_path, "file.txt", data))
    assert error.code == "unsupported_type"
    assert word in str(error)


def test_an_office_file_with_a_password_is_refused(tmp_path: Path) -> None:
    data = (
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600) + "EncryptedPackage".encode("utf-16-le") + bytes(600)
    )
    assert refusal(written(tmp_path, "exam.docx", data)).code == "encrypted"


def test_wrong_names_do_not_matter_when_the_content_can_be_read(tmp_path: Path) -> None:
    page = b"<!DOCTYPE html><html><body><h1>Euler</h1><p>A scheme.</p></body></html>"
    assert read(written(tmp_path, "page.pdf", page))[0].text == "Euler\n\nA scheme."
    assert len(read(written(tmp_path, "book.docx", pdf_bytes()))) == 3
    assert read(docx_file(tmp_path), "slides.pptx")[0].text.startswith("Stability")


def test_a_damaged_docx_is_refused(tmp_path: Path) -> None:
    whole = docx_file(tmp_path)
    without = rezipped(
        whole, tmp_path / "a.docx", lambda name, data: None if name == "word/styles.xml" else data
    )
    assert outcome(without) in ("read", "corrupt")
    for part in ("_rels/.rels", "[Content_Types].xml", "word/document.xml"):

        def dropped(name: str, data: bytes, part: str = part) -> bytes | None:
            return None if name == part else data

        def broken(name: str, data: bytes, part: str = part) -> bytes:
            return b"<w:document><broken" if name == part else data

        for change in (dropped, broken):
            bad = rezipped(whole, tmp_path / "b.docx", change)
            assert refusal(bad).code in ("corrupt", "unsupported_type"), part
    assert refusal(written(tmp_path, "cut.docx", whole.read_bytes()[:2000])).code == "corrupt"


def test_a_damaged_pptx_is_refused(tmp_path: Path) -> None:
    whole = shared("docs/docling_ecosystem.pptx")

    def dropped(name: str, data: bytes) -> bytes | None:
        return None if name == "ppt/slides/slide1.xml" else data

    assert refusal(rezipped(whole, tmp_path / "a.pptx", dropped)).code == "corrupt"
    data = whole.read_bytes()
    middle = len(data) // 2
    assert refusal(written(tmp_path, "cut.pptx", data[:middle])).code == "corrupt"


def test_a_presentation_without_slides_has_no_pages(tmp_path: Path) -> None:
    path = tmp_path / "none.pptx"
    pptx.Presentation().save(str(path))
    assert refusal(path).code == "no_pages"


def test_a_zip_bomb_is_not_unpacked(tmp_path: Path) -> None:
    def blown_up(name: str, data: bytes) -> bytes:
        return b" " * 60_000_000 + data if name == "word/document.xml" else data

    bomb = rezipped(docx_file(tmp_path), tmp_path / "bomb.docx", blown_up)
    assert bomb.stat().st_size < 200_000
    assert refusal(bomb).code == "too_large"


def test_xml_entities_are_not_expanded(tmp_path: Path) -> None:
    attack = b'<?xml version="1.0"?><!DOCTYPE d [<!ENTITY a "lol"><!ENTITY f SYSTEM "file:///etc/passwd">]><d>&a;&f;</d>'
    path = rezipped(
        docx_file(tmp_path),
        tmp_path / "x.docx",
        lambda name, data: attack if name == "word/document.xml" else data,
    )
    assert refusal(path).code == "corrupt"


def test_other_zip_files_are_named(tmp_path: Path) -> None:
    for name, members, word in (
        ("a.xlsx", {"xl/workbook.xml": b"<x/>"}, "Excel"),
        ("a.epub", {"mimetype": b"application/epub+zip"}, "EPUB"),
        ("a.odt", {"mimetype": b"application/vnd.oasis.opendocument.text"}, "OpenDocument"),
        ("a.zip", {"notes.txt": b"hello"}, "ZIP"),
    ):
        path = tmp_path / name
        with zipfile.ZipFile(path, "w") as archive:
            for member, data in members.items():
                archive.writestr(member, data)
        error = refusal(path)
        assert (error.code, word in str(error)) == ("unsupported_type", True)


@pytest.mark.parametrize(
    "data",
    [
        "Größe café".encode(),
        b"\xef\xbb\xbf" + "Größe café".encode(),
        "Größe café".encode("latin-1"),
        "Größe café".encode("utf-16"),
        "Größe café".encode("utf-16-le"),
        b"Gr\x00" + "öße café\x07".encode(),
    ],
)
def test_text_in_any_usual_encoding_is_read_clean(data: bytes, tmp_path: Path) -> None:
    assert read(written(tmp_path, "notes.txt", data))[0].text == "Größe café"


def test_random_damage_never_escapes_as_another_error(tmp_path: Path) -> None:
    sources = [pdf_bytes(), docx_file(tmp_path).read_bytes(), shared("docs/tables.docx").read_bytes()]
    for source in sources:
        for seed in range(25):
            data = bytearray(source)
            for step in range(12):
                (place,) = struct.unpack(
                    "<I", struct.pack("<I", (seed * 7919 + step * 104_729) * 31 % len(data))
                )
                data[place] = (data[place] + 1 + seed) % 256
            assert outcome(written(tmp_path, "damaged.bin", bytes(data)))
