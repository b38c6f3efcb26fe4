"""Asking, and following an answer to the page it stands on."""

import re
from pathlib import Path

from playwright.async_api import expect

from tests.browser.book import Box, page_text, words_under
from tests.browser.conftest import Arrive
from tests.browser.student import Student
from tests.lyceum import Serving

QUESTION = "Which scheme is unconditionally stable?"
PAGE_IMAGE = re.compile(r"/pages/(\d+)\.png")


async def open_first_citation(student: Student) -> None:
    answer = await student.ask(QUESTION)
    await answer.get_by_test_id("citation").first.click()
    await expect_loaded_image(student)


async def expect_loaded_image(student: Student) -> None:
    await expect(student.at("page-image")).to_be_visible()
    await expect(student.at("page-image")).to_have_js_property("complete", True)
    await expect(student.at("page-image")).not_to_have_js_property("naturalWidth", 0)


async def shown_page(student: Student) -> int:
    match = PAGE_IMAGE.search(await student.at("page-image").get_attribute("src") or "")
    assert match
    return int(match.group(1))


async def marked_boxes(student: Student) -> list[Box]:
    """The highlights in fractions of the page image."""
    frame = await student.at("page-image").bounding_box()
    assert frame
    boxes = []
    for highlight in await student.at("highlight").all():
        box = await highlight.bounding_box()
        assert box
        x, y = (box["x"] - frame["x"]) / frame["width"], (box["y"] - frame["y"]) / frame["height"]
        boxes.append(Box(x, y, x + box["width"] / frame["width"], y + box["height"] / frame["height"]))
    return boxes


def plain(text: str) -> str:
    """Without line-break hyphens and blanks, which extraction and layout set differently."""
    return re.sub(r"\s|-\s+|…", "", text)


async def test_an_answer_quotes_the_book_and_names_the_page(student: Student, excerpt: Path) -> None:
    answer = await student.ask(QUESTION)
    await expect(answer).to_contain_text("unconditionally stable")
    await expect(answer.get_by_test_id("citation").first).to_be_visible()
    await expect(answer.get_by_test_id("source").first).to_contain_text("page 9")
    said = plain(page_text(excerpt, 9))
    for quote in await answer.locator("blockquote").filter(has_text="page 9").all_inner_texts():
        sentence = quote[quote.index('"') + 1 : quote.rindex('"')]
        assert plain(sentence) in said


async def test_a_citation_opens_the_page_with_its_very_words_marked(student: Student, excerpt: Path) -> None:
    await open_first_citation(student)
    await expect(student.at("evidence-place")).to_contain_text("Page 9 of 24")
    await expect(student.at("highlight").first).to_be_in_viewport()
    quote = await student.at("evidence-quote").inner_text()
    marked = words_under(excerpt, await shown_page(student), await marked_boxes(student))
    assert "unconditionally stable" in marked
    assert plain(marked).startswith(plain(quote))
    assert len(marked) < 0.7 * len(page_text(excerpt, 9))


async def test_the_marks_stay_on_their_words_when_the_page_is_enlarged(
    student: Student, excerpt: Path
) -> None:
    await open_first_citation(student)
    small = await student.at("page-image").bounding_box()
    await student.at("zoom").click()
    large = await student.at("page-image").bounding_box()
    assert small
    assert large
    assert large["width"] > 1.5 * small["width"]
    await expect(student.at("highlight").first).to_be_in_viewport()
    assert "unconditionally stable" in words_under(excerpt, 9, await marked_boxes(student))


async def test_the_pages_around_a_citation_can_be_leafed_through(student: Student) -> None:
    await open_first_citation(student)
    cited = await shown_page(student)
    await student.page.get_by_role("button", name="Next page").click()
    await expect(student.at("evidence-place")).to_contain_text(f"Page {cited + 1} of 24")
    await expect_loaded_image(student)
    await expect(student.at("highlight")).to_have_count(0)
    for _ in range(2):
        await student.page.get_by_role("button", name="Previous page").click()
        await expect(student.page.get_by_role("navigation", name="Pages")).to_be_visible()
        await expect(student.page.locator('[aria-busy="true"]')).to_have_count(0)
    await expect(student.at("evidence-place")).to_contain_text(f"Page {cited - 1} of 24")
    await student.page.get_by_role("button", name=re.compile("Back to")).click()
    await expect(student.at("evidence-place")).to_contain_text(f"Page {cited} of 24")
    await expect(student.at("highlight").first).to_be_visible()
    await student.page.keyboard.press("Escape")
    await expect(student.at("evidence")).to_have_count(0)


async def test_a_reload_keeps_the_conversation_and_its_citations(student: Student) -> None:
    answer = await student.ask(QUESTION)
    said = await answer.inner_text()
    await student.page.reload()
    await expect(student.answers()).to_have_count(1)
    await expect(student.answers().last).to_have_attribute("data-status", "complete")
    assert await student.answers().last.inner_text() == said
    await student.answers().last.get_by_test_id("source").first.click()
    await expect_loaded_image(student)
    await expect(student.at("highlight").first).to_be_visible()


async def test_what_the_material_does_not_hold_is_said_so(student: Student) -> None:
    answer = await student.ask("What is the capital of Mongolia?")
    await expect(answer).to_contain_text("did not find that in your material")
    await expect(answer.get_by_test_id("citation")).to_have_count(0)
    await expect(answer.get_by_test_id("sources")).to_have_count(0)


async def test_two_tabs_ask_at_the_same_time_and_keep_their_own_answers(
    student: Student, serving: Serving
) -> None:
    other = Student(await student.page.context.new_page(), serving.base, complaints=student.complaints)
    await other.page.goto(serving.base)
    await expect(other.material("decay excerpt")).to_be_visible()
    for tab, question in ((student, QUESTION), (other, "What is the capital of Mongolia?")):
        await tab.at("composer").fill(question)
    await student.at("send").click()
    await other.at("send").click()
    await expect(student.answers().last).to_contain_text("unconditionally stable")
    await expect(other.answers().last).to_contain_text("did not find that")
    await student.page.reload()
    await expect(student.answers().last).to_contain_text("unconditionally stable")
    await expect(student.at("message")).to_have_count(2)


async def test_on_a_narrow_phone_nothing_is_wider_than_the_screen(arrive: Arrive, student: Student) -> None:
    state = await student.page.context.storage_state()
    phone = await arrive(
        storage_state=state, viewport={"width": 360, "height": 740}, is_mobile=True, has_touch=True
    )
    await phone.page.goto(phone.base)
    await expect(phone.at("welcome")).to_be_visible()
    assert await phone.overflow() == 0
    await phone.at("menu").click()
    await expect(phone.material("decay excerpt")).to_be_in_viewport()
    assert await phone.overflow() == 0
    await phone.at("menu").click()
    await open_first_citation(phone)
    assert await phone.overflow() == 0
    frame = await phone.at("evidence").bounding_box()
    assert frame
    assert frame["width"] == 360
    await phone.page.get_by_role("button", name="Close the evidence").click()
    await expect(phone.answers().last).to_be_visible()
    assert await phone.overflow() == 0
