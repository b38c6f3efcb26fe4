"""Damaged, hostile and odd PDF files: what can be read is read, the rest is said, and nothing is run or drawn without bound."""

from pathlib import Path
from typing import Any

import pytest

from tests.data import mupdf, shared
from tools.ingest.pdf import PdfExtractor
from tools.ingest.pdf.outline import Outline
from tools.ingest.reader.place import tell_with
from tools.ingest.render import render_page
from tools.ingest.segments import Refusal, Segment

PAGES = 6


def book(pages: int = PAGES) -> Any:
    document = mupdf.open()
    for number in range(pages):
        document.new_page().insert_text((72, 300), f"This is page {number + 1} of a small document.")
    return document


def saved(document: Any, folder: Path, **options: Any) -> Path:
    path = folder / "file.pdf"
    document.save(path, **options)
    return path


def read(path: Path, **options: Any) -> list[Segment]:
    extractor = PdfExtractor(path)
    try:
        return list(extractor.segments(**options))
    finally:
        extractor.close()


def notice(path: Path) -> str | None:
    extractor = PdfExtractor(path)
    extractor.close()
    return extractor.info.notice


def refusal(path: Path) -> Refusal:
    with pytest.raises(Refusal) as caught:
        read(path)
    assert str(caught.value).endswith(".")
    return caught.value


def raw_pdf(objects: list[bytes]) -> bytes:
    data, offsets = b"%PDF-1.4\n", []
    for number, content in enumerate(objects, 1):
        offsets.append(len(data))
        data += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    at = len(data)
    data += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    data += b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    return data + b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, at)


def test_a_broken_page_is_empty_and_says_so_and_the_others_are_read(tmp_path: Path) -> None:
    document = book()
    document.update_object(document[2].xref, "42")
    pages = read(saved(document, tmp_path))
    assert [bool(page.text) for page in pages] == [True, True, False, True, True, True]
    assert pages[2].notice == "Page 3 is damaged and could not be read."
    assert pages[3].text == "This is page 4 of a small document."
    assert not any(page.notice for page in pages if page is not pages[2])


def test_a_file_in_which_every_page_is_broken_is_refused(tmp_path: Path) -> None:
    document = book(2)
    for xref in [page.xref for page in document]:
        document.update_object(xref, "42")
    assert refusal(saved(document, tmp_path)).code == "corrupt"


def test_a_mistake_in_our_own_code_does_not_pass_as_a_damaged_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = saved(book(), tmp_path)
    monkeypatch.setattr(Outline, "mark", lambda *_: [][0])
    with pytest.raises(IndexError):
        read(path)


def test_pages_to_be_skipped_are_never_touched(tmp_path: Path) -> None:
    path = saved(book(), tmp_path)
    touched: list[int] = []
    tell_with(touched.append)
    try:
        pages = read(path, skip={1, 4})
    finally:
        tell_with(lambda ordinal: None)
    assert set(touched) == {0, 2, 3, 5}
    assert [page.ordinal for page in pages if not page.text] == [1, 4]
    assert "Page 2" in (pages[1].notice or "")


def test_resuming_after_a_skipped_page_gives_the_rest(tmp_path: Path) -> None:
    path = saved(book(), tmp_path)
    assert read(path, start=3, skip={2}) == read(path)[3:]


def test_javascript_and_attachments_are_ignored_and_named(tmp_path: Path) -> None:
    document = book()
    action = document.get_new_xref()
    document.update_object(action, "<< /S /JavaScript /JS (app.alert\\(1\\)) >>")
    document.xref_set_key(document.pdf_catalog(), "OpenAction", f"{action} 0 R")
    document.embfile_add("virus.exe", b"MZ" * 100)
    path = saved(document, tmp_path)
    assert notice(path) == "The JavaScript and the attached files in this PDF were ignored."
    assert len(read(path)) == PAGES


def test_javascript_by_name_is_named_too(tmp_path: Path) -> None:
    document = book()
    catalog = document.pdf_catalog()
    document.xref_set_key(
        catalog, "Names", "<< /JavaScript << /Names [(a) << /S /JavaScript /JS (1) >>] >> >>"
    )
    assert notice(saved(document, tmp_path)) == "The JavaScript in this PDF was ignored."


def test_a_plain_file_has_no_notice(tmp_path: Path) -> None:
    assert notice(saved(book(), tmp_path)) is None


def test_a_file_cut_off_in_the_middle_is_read_as_far_as_it_goes_with_a_notice(tmp_path: Path) -> None:
    whole = shared("docs/dpr_paper_two_column_13p.pdf").read_bytes()
    path = tmp_path / "cut.pdf"
    path.write_bytes(whole[: int(0.97 * len(whole))])
    assert any(page.text for page in read(path))
    assert "cut off" in (notice(path) or "")
    document = book()
    data = document.tobytes()
    path.write_bytes(data[: data.rindex(b"xref")])
    assert [page.number for page in read(path) if page.text] == list(range(1, PAGES + 1))
    assert "cut off" in (notice(path) or "")


def test_more_than_ten_thousand_pages_are_refused(tmp_path: Path) -> None:
    kids = b" ".join(b"%d 0 R" % number for number in range(3, 10_004))
    page = b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 200 200] >>"
    tree = b"<< /Type /Pages /Kids [%s] /Count 10001 >>" % kids
    path = tmp_path / "long.pdf"
    path.write_bytes(raw_pdf([b"<< /Type /Catalog /Pages 2 0 R >>", tree, *[page] * 10_001]))
    error = refusal(path)
    assert error.code == "too_many_pages"
    assert "10,001 pages" in str(error)


@pytest.mark.parametrize("size", [(900_000, 900_000), (1, 1), (14_400, 3)])
def test_pages_of_absurd_size_are_read_and_drawn_within_bounds(size: tuple[int, int], tmp_path: Path) -> None:
    document = mupdf.open()
    page = document.new_page(width=size[0], height=size[1])
    page.draw_rect(mupdf.Rect(0, 0, size[0] / 2, size[1] / 2), fill=(0, 0, 1))
    path = saved(document, tmp_path)
    assert read(path)[0].text == ""
    drawn = mupdf.Pixmap(render_page(path, 1, 2000))
    assert drawn.width * drawn.height <= 12_200_000


def test_warnings_about_an_earlier_file_do_not_make_an_empty_page_a_damaged_one(tmp_path: Path) -> None:
    document = mupdf.open()
    document.new_page()
    path = saved(document, tmp_path)
    for _ in range(3):
        mupdf.mupdf.fz_warn("the same warning, which is counted and told later")
    assert read(path)[0].notice is None


def test_a_lying_page_count_does_not_hide_the_pages_that_are_there(tmp_path: Path) -> None:
    stream = b"BT /F 12 Tf 20 100 Td (Only one page) Tj ET"
    path = tmp_path / "lying.pdf"
    path.write_bytes(
        raw_pdf(
            [
                b"<< /Type /Catalog /Pages 2 0 R >>",
                b"<< /Type /Pages /Kids [3 0 R] /Count 3 >>",
                b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 200 200] /Contents 4 0 R"
                b" /Resources << /Font << /F << /Type /Font /Subtype /Type1 /BaseFont /Helvetica >> >> >> >>",
                b"<< /Length %d >>\nstream\n%s\nendstream" % (len(stream), stream),
            ]
        )
    )
    pages = read(path)
    assert pages[0].text == "Only one page"
    assert all(page.notice for page in pages[1:])
