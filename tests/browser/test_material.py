"""Material on the page: dropped, read, refused, removed and brought back."""

import re
from pathlib import Path

from playwright.async_api import expect

from tests.browser.book import cut_pages
from tests.browser.conftest import Arrive
from tests.browser.student import READING_MS
from tests.data import shared

PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"


async def test_a_new_student_drops_a_textbook_and_sees_it_being_read(arrive: Arrive, tmp_path: Path) -> None:
    textbook = tmp_path / "decay_excerpt.pdf"
    cut_pages(shared("docs/decay_textbook_241p.pdf"), textbook, 61, 72)
    student = await arrive()
    await student.register()
    await student.make_class("Numerical Methods")
    await expect(student.at("welcome")).to_contain_text("Add material to Numerical Methods")
    await student.drop(textbook)
    row = student.material("decay excerpt")
    await expect(row.get_by_role("progressbar")).to_be_visible()
    await expect(row).to_have_text(re.compile(r"(Reading|Indexing) page \d+ of 12"), timeout=READING_MS)
    await expect(row).to_have_attribute("data-status", "ready", timeout=READING_MS)
    await expect(row).to_contain_text("Ready, 12 pages")
    await expect(row.get_by_role("progressbar")).to_have_count(0)
    await expect(student.at("upload-row")).to_have_count(0)


async def test_files_dropped_before_there_is_a_class_wait_for_its_name(
    arrive: Arrive, tmp_path: Path
) -> None:
    note = tmp_path / "osmosis.txt"
    note.write_text("Osmosis is the movement of water through a semipermeable membrane.\n")
    student = await arrive()
    await student.register()
    await expect(student.at("welcome")).to_contain_text("Start with a class")
    await student.drop(note, "text/plain")
    await expect(student.page.get_by_text("Name a class for the file you dropped")).to_be_visible()
    await student.make_class("Biology")
    await expect(student.material("osmosis")).to_have_attribute("data-status", "ready", timeout=READING_MS)


async def test_a_picture_that_is_named_pdf_fails_with_its_sentence(arrive: Arrive, tmp_path: Path) -> None:
    picture = tmp_path / "lecture.pdf"
    picture.write_bytes(PNG_SIGNATURE + bytes(100))
    student = await arrive()
    await student.register()
    await student.make_class("Art")
    await student.drop(picture)
    row = student.material("lecture")
    await expect(row).to_have_attribute("data-status", "failed", timeout=READING_MS)
    await expect(row).to_contain_text("This picture is damaged")


async def test_removed_material_comes_back_with_undo(arrive: Arrive) -> None:
    student = await arrive()
    await student.register()
    await student.make_class("Biology")
    await student.add_text("Osmosis", "Osmosis is the movement of water through a semipermeable membrane.")
    await student.page.get_by_role("button", name="Remove Osmosis").click()
    await expect(student.material("Osmosis")).to_have_count(0)
    gone = await student.ask("What is osmosis?")
    await expect(gone.get_by_test_id("citation")).to_have_count(0)
    await student.at("notice").get_by_role("button", name="Undo").click()
    await expect(student.material("Osmosis")).to_have_attribute("data-status", "ready")
    back = await student.ask("What is osmosis?")
    await expect(back).to_contain_text("semipermeable membrane")
    await back.get_by_test_id("citation").first.click()
    await expect(student.at("highlight").first).to_contain_text("semipermeable membrane")
