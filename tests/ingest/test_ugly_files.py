"""Files that are broken, mislabelled, locked or hostile end in a Refusal with a stable code, or are read anyway."""

import io
import os
import random
import time
import zipfile
from pathlib import Path
from typing import Any

import docx
import pptx
import pymupdf
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from tests.data import shared
from tests.ingest.containers import epub, ods, ods_row, ole2, overlapping_zip, xls
from tests.ingest.office_files import picture, rezipped
from tests.ingest.reading import figures, outcome, read, refusal, written
from tools.ingest.segments import Refusal
from tools.ingest.sniff import glance, sniff

_mupdf: Any = pymupdf
CODES = {"read", "empty_file", "unsupported_type", "encrypted", "corrupt", "too_large", "no_pages"}


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


def epub_file(folder: Path) -> Path:
    page = "<html><body><h1>One</h1><p>Words.</p></body></html>"
    return epub(folder / "book.epub", {"a.xhtml": page}, "<html><body></body></html>")


# --- what a file is


HEIC = b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic" + bytes(40)


@pytest.mark.parametrize(
    ("head", "media_type", "extension"),
    [
        (b"\xff\xd8\xff\xe1" + bytes(40), "image/jpeg", "image"),
        (b"RIFF\x24\x00\x00\x00WEBPVP8 " + bytes(40), "image/webp", "image"),
        (HEIC, "image/heic", "image"),
        (b"\x00\x00\x00\x18ftypmif1\x00\x00\x00\x00avifmif1" + bytes(40), "image/avif", "image"),
        (
            b"BM\x46\x00\x00\x00\x00\x00\x00\x00\x36\x00\x00\x00\x28\x00\x00\x00" + bytes(40),
            "image/bmp",
            "image",
        ),
        (b"MM\x00*" + bytes(40), "image/tiff", "image"),
        (b"ID3\x04\x00\x00" + bytes(40), "audio/mpeg", "audio"),
        (b"\xff\xfb\x90\x64" + bytes(40), "audio/mpeg", "audio"),
        (b"\xff\xf1\x50\x80" + bytes(40), "audio/aac", "audio"),
        (b"\x00\x00\x00\x20ftypM4A \x00\x00\x00\x00M4A mp42isom" + bytes(40), "audio/mp4", "audio"),
        (b"\x00\x00\x00\x20ftypisom\x00\x00\x02\x00isomiso2avc1" + bytes(40), "video/mp4", "audio"),
        (b"\x00\x00\x00\x14ftypqt  \x00\x00\x00\x00qt  " + bytes(40), "video/quicktime", "audio"),
        (b"\x1aE\xdf\xa3\x9fB\x86\x81\x01B\x82\x84webm" + bytes(40), "video/webm", "audio"),
        (b"RIFF\x24\x00\x00\x00AVI LIST" + bytes(40), "video/x-msvideo", "audio"),
        (b"OggS\x00\x02" + bytes(40), "audio/ogg", "audio"),
        (b"WEBVTT\n\n00:01.000 --> 00:02.000\nHello\n", "text/vtt", "captions"),
        (b"\xef\xbb\xbf1\r\n00:00:01,000 --> 00:00:02,000\r\nHello\r\n", "application/x-subrip", "captions"),
        ("Größe \ufeff und mehr Text".encode("utf-16"), "text/plain", "txt"),
        (b"ID3 tags and BM trees, explained.", "text/plain", "txt"),
        (b"%PDF-1.7\n", "application/pdf", "pdf"),
    ],
)
def test_kinds_are_known_by_their_first_bytes(
    head: bytes, media_type: str, extension: str, tmp_path: Path
) -> None:
    found = sniff(written(tmp_path, "chapter.pdf", head), "chapter.pdf")
    assert (found.media_type, found.extension) == (media_type, extension)
    glanced = glance(head, "chapter.pdf")
    assert glanced is not None
    assert (glanced.media_type, glanced.extension) == (media_type, extension)


def test_containers_are_known_at_a_glance(tmp_path: Path) -> None:
    for path in (
        docx_file(tmp_path),
        epub_file(tmp_path),
        ods(tmp_path / "a.ods", ods_row("x")),
        shared("docs/docling_ecosystem.pptx"),
    ):
        found = glance(path.read_bytes()[:65_536], "x.bin")
        assert found is not None
        assert found.media_type == sniff(path, "x.bin").media_type
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("notes.txt", "hello")
    assert glance((tmp_path / "a.zip").read_bytes(), "a.docx") is None


@pytest.mark.parametrize("data", [b"", b"\n  \n", b"\xef\xbb\xbf", b"\x00" * 500, b" \t\r\n" * 400])
@pytest.mark.parametrize("name", ["notes.pdf", "talk.mp3", "a.docx", "a.csv"])
def test_an_empty_file_is_refused(data: bytes, name: str, tmp_path: Path) -> None:
    assert refusal(written(tmp_path, name, data)).code == "empty_file"


@pytest.mark.parametrize(
    ("data", "word", "advice"),
    [
        (b"\x1f\x8b\x08" + bytes(40), "gzip", "Unpack"),
        (b"{\\rtf1 hello}", "RTF", "Save it as"),
        (b"\x7fELF" + bytes(40), "program", "study material"),
        (b"MZ" + bytes(60) + b"\x80" + bytes(63) + b"PE\0\0" + bytes(40), "program", "study material"),
        (b"SQLite format 3\x00" + bytes(40), "database", "CSV"),
        (bytes(range(256)) * 20, "kind", "Upload"),
        (ole2({"WordDocument": b"x", "1Table": b"y"}), ".doc", "Save it as .docx"),
        (ole2({"PowerPoint Document": b"x"}), ".ppt", "Save it as .pptx"),
        (
            b"<?xml version='1.0'?><svg xmlns='http://www.w3.org/2000/svg'><text>a</text></svg>",
            "SVG",
            "PDF or PNG",
        ),
        (b"x" * 60 + b"BOOKMOBI" + bytes(40), "Kindle", "EPUB"),
    ],
)
def test_what_cannot_be_read_is_named_with_what_to_do(
    data: bytes, word: str, advice: str, tmp_path: Path
) -> None:
    error = refusal(written(tmp_path, "file.txt", data))
    assert error.code == "unsupported_type"
    assert word in str(error)
    assert advice in str(error)
    assert glance(data, "file.txt") is None or word == "SVG"


def test_archives_are_named(tmp_path: Path) -> None:
    for name, members, word in (
        ("a.odt", {"mimetype": b"application/vnd.oasis.opendocument.text"}, "OpenDocument text"),
        ("a.pages", {"Index/Document.iwa": b"x"}, "Pages"),
        ("a.zip", {"notes.txt": b"hello"}, "Unpack"),
        ("a.jar", {"META-INF/MANIFEST.MF": b"hello"}, "program"),
    ):
        with zipfile.ZipFile(tmp_path / name, "w") as archive:
            for member, data in members.items():
                archive.writestr(member, data)
        error = refusal(tmp_path / name)
        assert (error.code, word in str(error)) == ("unsupported_type", True)


def test_wrong_names_do_not_matter_when_the_content_can_be_read(tmp_path: Path) -> None:
    page = b"<!DOCTYPE html><html><body><h1>Euler</h1><p>A scheme.</p></body></html>"
    assert read(written(tmp_path, "page.pdf", page))[1][0].text == "Euler\n\nA scheme."
    assert len(read(written(tmp_path, "book.docx", pdf_bytes()))[1]) == 3
    assert read(docx_file(tmp_path), "slides.pptx")[1][0].text.startswith("Stability")
    assert read(written(tmp_path, "talk.mp3", b"Only words."))[1][0].text == "Only words."
    assert sniff(shared("docs/img_english_korean.png"), "chapter.pdf").media_type == "image/png"
    assert sniff(shared("audio/jfk.flac"), "lecture.pdf").media_type == "audio/flac"


# --- locked


def test_locked_files_are_refused(tmp_path: Path) -> None:
    for name in ("exam.docx", "exam.pptx", "exam.xlsx"):
        data = ole2({"EncryptionInfo": b"x", "EncryptedPackage": bytes(5000)})
        assert refusal(written(tmp_path, name, data)).code == "encrypted"
    whole = bytearray(docx_file(tmp_path).read_bytes())
    for mark, offset in ((b"PK\x01\x02", 8), (b"PK\x03\x04", 6)):
        at = whole.find(mark)
        while at >= 0:
            whole[at + offset] |= 1
            at = whole.find(mark, at + 1)
    assert refusal(written(tmp_path, "locked.docx", bytes(whole))).code == "encrypted"
    content = '<manifest:manifest xmlns:manifest="m"><manifest:encryption-data/></manifest:manifest>'
    table = rezipped(
        ods(tmp_path / "a.ods", ods_row("x")),
        tmp_path / "b.ods",
        lambda name, data: content.encode() if name.startswith("META") else data,
    )
    assert refusal(table).code == "encrypted"


@pytest.mark.parametrize(
    ("algorithm", "code"),
    [
        ("http://www.w3.org/2001/04/xmlenc#aes256-cbc", "encrypted"),
        ("http://www.idpf.org/2008/embedding", "read"),
    ],
)
def test_a_book_with_drm_is_refused_and_one_with_hidden_fonts_is_read(
    algorithm: str, code: str, tmp_path: Path
) -> None:
    lock = (
        '<encryption xmlns:enc="http://www.w3.org/2001/04/xmlenc#"><enc:EncryptedData>'
        f'<enc:EncryptionMethod Algorithm="{algorithm}"/></enc:EncryptedData></encryption>'
    )
    path = rezipped(
        epub_file(tmp_path),
        tmp_path / "b.epub",
        lambda name, data: data,
        **{"META-INF__encryption.xml": lock.encode()},
    )
    assert outcome(path) == code


# --- hostile


def test_zip_bombs_are_not_unpacked(tmp_path: Path) -> None:
    whole = docx_file(tmp_path)
    blown = rezipped(
        whole,
        tmp_path / "a.docx",
        lambda name, data: b" " * 90_000_000 + data if name == "word/styles.xml" else data,
    )
    picture_bomb = rezipped(
        whole, tmp_path / "b.docx", lambda name, data: data, **{"word__media__a.png": bytes(60_000_000)}
    )
    entity = rezipped(
        epub_file(tmp_path),
        tmp_path / "c.epub",
        lambda name, data: data,
        **{"OPS__text__b.xhtml": b" " * 90_000_000},
    )
    many = tmp_path / "d.docx"
    with zipfile.ZipFile(many, "w") as archive:
        for number in range(25_000):
            archive.writestr(f"word/{number}.xml", b"")
    for bomb in (
        blown,
        picture_bomb,
        entity,
        many,
        overlapping_zip(tmp_path / "e.docx", 50, random.Random(1).randbytes(100_000)),
    ):
        start = time.process_time()
        assert refusal(bomb).code == "too_large"
        assert time.process_time() - start < 2


def test_a_zip_that_holds_itself_is_not_entered(tmp_path: Path) -> None:
    inner = io.BytesIO()
    with zipfile.ZipFile(inner, "w") as archive:
        archive.writestr("notes.txt", "hello")
    for _ in range(20):
        outer = io.BytesIO()
        with zipfile.ZipFile(outer, "w") as archive:
            archive.writestr("again.zip", inner.getvalue())
        inner = outer
    assert refusal(written(tmp_path, "a.zip", inner.getvalue())).code == "unsupported_type"


LAUGHS = (
    b'<?xml version="1.0"?><!DOCTYPE d [<!ENTITY a "lol"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">'
    b'<!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;"><!ENTITY f SYSTEM "file:///etc/passwd">]><d>&c;&f;</d>'
)


@pytest.mark.parametrize("part", ["word/document.xml", "word/styles.xml", "_rels/.rels", "docProps/core.xml"])
def test_xml_entities_are_not_expanded(part: str, tmp_path: Path) -> None:
    path = rezipped(
        docx_file(tmp_path), tmp_path / "x.docx", lambda name, data: LAUGHS if name == part else data
    )
    assert refusal(path).code == "corrupt"


def test_entities_of_a_book_are_not_expanded(tmp_path: Path) -> None:
    declared = b'<!DOCTYPE package [<!ENTITY a "lol">]>'
    path = rezipped(
        epub_file(tmp_path),
        tmp_path / "x.epub",
        lambda name, data: declared + data.replace(b"Waves", b"&a;") if name == "OPS/book.opf" else data,
    )
    assert refusal(path).code == "corrupt"


def test_tables_nested_without_end_are_refused(tmp_path: Path) -> None:
    names = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
    deep = "<w:tbl><w:tr><w:tc>" * 5000 + "</w:tc></w:tr></w:tbl>" * 5000
    body = f"<w:document {names}><w:body>{deep}</w:body></w:document>".encode()
    path = rezipped(
        docx_file(tmp_path),
        tmp_path / "x.docx",
        lambda name, data: body if name == "word/document.xml" else data,
    )
    assert refusal(path).code == "corrupt"


@pytest.mark.parametrize(
    ("head", "code"),
    [
        (b"", "empty_file"),
        (b"%PDF-1.7\n", "too_large"),
        (b"ID3\x04", "too_large"),
        (b"Only words. " * 9000, "too_large"),
        (b"<!doctype html><p>Words.</p>" * 4000, "too_large"),
        (b"\x89PNG\r\n\x1a\n", "too_large"),
        (b"PK\x03\x04", "corrupt"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "corrupt"),
    ],
)
def test_a_file_of_five_gigabytes_is_refused_without_reading_it(
    head: bytes, code: str, tmp_path: Path
) -> None:
    path = written(tmp_path, "huge.bin", head)
    os.truncate(path, 5 << 30)
    start = time.process_time()
    assert refusal(path).code == code
    assert time.process_time() - start < 0.5


def test_pictures_with_too_many_pixels_are_left_out_of_documents(tmp_path: Path) -> None:
    huge = io.BytesIO()
    Image.new("1", (8_000, 8_000)).save(huge, "PNG")
    document: Any = docx.Document()
    document.add_paragraph("Words.")
    document.add_picture(io.BytesIO(picture("small")))
    document.save(str(tmp_path / "a.docx"))
    path = rezipped(
        tmp_path / "a.docx",
        tmp_path / "b.docx",
        lambda name, data: huge.getvalue() if name.startswith("word/media/") else data,
    )
    assert outcome(tmp_path / "a.docx") == outcome(path) == "read"
    assert (len(figures(tmp_path / "a.docx")), len(figures(path))) == (1, 0)


# --- damaged


def test_a_damaged_docx_is_refused(tmp_path: Path) -> None:
    whole = docx_file(tmp_path)
    without = rezipped(
        whole, tmp_path / "a.docx", lambda name, data: None if name == "word/styles.xml" else data
    )
    assert outcome(without) == "read"
    for part in ("_rels/.rels", "word/document.xml"):

        def dropped(name: str, data: bytes, part: str = part) -> bytes | None:
            return None if name == part else data

        def broken(name: str, data: bytes, part: str = part) -> bytes:
            return b"<w:document><broken" if name == part else data

        for change in (dropped, broken):
            assert refusal(rezipped(whole, tmp_path / "b.docx", change)).code == "corrupt", part


def test_files_cut_off_in_the_middle_are_refused_or_read_as_far_as_they_go(tmp_path: Path) -> None:
    for whole in (
        docx_file(tmp_path),
        shared("docs/docling_ecosystem.pptx"),
        epub_file(tmp_path),
        ods(tmp_path / "a.ods", ods_row("x")),
    ):
        data = whole.read_bytes()
        for share in (0.2, 0.5, 0.95):
            cut = written(tmp_path, f"cut{whole.suffix}", data[: int(share * len(data))])
            assert refusal(cut).code == "corrupt"
    page = b"<!DOCTYPE html><html><body><h1>Euler</h1><p>A scheme that is cut <b>of"
    assert read(written(tmp_path, "page.html", page))[1][0].text == "Euler\n\nA scheme that is cut of"


def test_a_presentation_without_slides_has_no_pages(tmp_path: Path) -> None:
    path = tmp_path / "none.pptx"
    pptx.Presentation().save(str(path))
    assert refusal(path).code == "no_pages"


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
    assert read(written(tmp_path, "notes.txt", data))[1][0].text == "Größe café"


@pytest.mark.parametrize(
    ("encoding", "text"),
    [
        ("cp1251", "Производная функции равна нулю в точке экстремума."),
        ("koi8_r", "Производная функции равна нулю в точке экстремума."),
        ("shift_jis", "微分積分学は、数学の分野の一つである。これは重要です。"),
        ("euc_jp", "微分積分学は、数学の分野の一つである。これは重要です。"),
        ("gb18030", "微积分是数学的一个分支，研究函数的极限、微分、积分以及它们的应用。"),
        ("big5", "微積分是數學的一個分支，研究函數的極限、微分、積分以及它們的應用。"),
        ("euc_kr", "미적분학은 수학의 한 분야로 함수의 극한과 미분, 적분을 다룬다."),
        ("cp1253", "Η παράγωγος μιας συνάρτησης είναι μηδέν στο σημείο ακρότατου."),
        ("cp1255", "הנגזרת של הפונקציה שווה לאפס בנקודת הקיצון של הפונקציה"),
        ("cp1256", "مشتقة الدالة تساوي صفرا عند نقطة القيمة القصوى للدالة"),
        (
            "cp1250",
            "Pochodna funkcji jest równa zeru, więc można ją łatwo wyznaczyć; każdy żółw to potrafił.",
        ),
        (
            "cp1252",
            "À l’été dernier, « les élèves » ont été très étonnés de découvrir où était caché le trésor.",
        ),
    ],
)
def test_old_encodings_are_known_by_their_letters(encoding: str, text: str, tmp_path: Path) -> None:
    assert read(written(tmp_path, "notes.txt", text.encode(encoding)))[1][0].text == text


def test_random_damage_never_escapes_as_another_error(tmp_path: Path) -> None:
    chance = random.Random(7)
    deck = shared("docs/docling_ecosystem.pptx")
    small = rezipped(
        deck, tmp_path / "small.pptx", lambda name, data: None if name.startswith("ppt/media") else data
    )
    sources = [
        docx_file(tmp_path),
        shared("docs/tables.docx"),
        epub_file(tmp_path),
        small,
        ods(tmp_path / "a.ods", ods_row("x", 1.0)),
    ]
    sources.append(written(tmp_path, "a.xls", xls([["a", 1.0], ["b", 2.0]])))
    for source in sources:
        whole = source.read_bytes()
        for _ in range(12):
            data = bytearray(whole)
            for _ in range(12):
                data[chance.randrange(len(data))] = chance.randrange(256)
            assert outcome(written(tmp_path, f"damaged{source.suffix}", bytes(data))) in CODES


def test_damaged_xml_never_escapes_as_another_error(tmp_path: Path) -> None:
    """Parts that are whole ZIP members but damaged inside: the checksum of a ZIP would catch all others."""
    chance = random.Random(11)
    deck = rezipped(
        shared("docs/docling_ecosystem.pptx"),
        tmp_path / "small.pptx",
        lambda name, data: None if name.startswith("ppt/media") else data,
    )
    for source in (docx_file(tmp_path), shared("docs/tables.docx"), epub_file(tmp_path), deck):
        for _ in range(12):

            def damaged(name: str, data: bytes) -> bytes:
                if chance.random() < 0.5 or not data:
                    return data
                at = chance.randrange(len(data))
                return data[:at] + bytes([chance.randrange(32, 127)]) + data[at + chance.randrange(3) :]

            assert outcome(rezipped(source, tmp_path / f"x{source.suffix}", damaged)) in CODES


STARTS = (b"", b"%PDF-1.4\n", b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", b"<!doctype html>", b"# A\n", b"a,b\n1,2\n", b"MIME-Version: 1.0\nContent-Type: multipart/related\n\n")  # fmt: skip


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    start=st.sampled_from(STARTS),
    rest=st.binary(max_size=400),
    name=st.sampled_from(["a.txt", "a.md", "a.csv", "a.pdf", "a.html"]),
)
def test_any_bytes_give_segments_or_a_refusal(start: bytes, rest: bytes, name: str, tmp_path: Path) -> None:
    path = written(tmp_path, name, start + rest)
    try:
        found = sniff(path, name)
    except Refusal:
        return
    glance(start + rest, name)
    if found.extension not in ("image", "audio", "captions", "pdf"):
        assert outcome(path) in CODES
