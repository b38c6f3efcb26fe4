"""Studying on the page: a test is made, taken and graded; cards are reviewed; a cheat sheet is taken away. All without a
language model, from a text that defines some terms."""

import re
from uuid import UUID

from playwright.async_api import Locator, expect

from tests.browser.answering import answer
from tests.browser.book import page_count, page_text
from tests.browser.conftest import Arrive
from tests.browser.house import House, Visitors
from tests.browser.student import READING_MS, Student
from tests.study.quizzes import make_test
from tools.context import Principal

CELL = """# The cell

A ribosome is a molecular machine that builds proteins from amino acids. The nucleus is an organelle that stores the genetic
material of the cell. A mitochondrion is an organelle that produces most of the chemical energy of the cell. The cell membrane
is a thin layer that separates the inside of the cell from its environment. Chlorophyll is a green pigment that absorbs light
for photosynthesis. An enzyme is a protein that speeds up a chemical reaction without being consumed by it.

# Transport

Osmosis is the movement of water through a membrane toward the side with more dissolved particles. Diffusion is the movement of
particles from a region of high concentration to a region of low concentration. Active transport is the movement of molecules
against their gradient, because it uses energy from ATP. A red blood cell bursts in pure water because water flows into it by
osmosis. Plant cells do not burst in pure water because the cell wall resists the pressure.
"""


async def biologist(arrive: Arrive) -> Student:
    student = await arrive()
    await student.register()
    await student.make_class("Biology")
    await student.add_text("The cell", CELL)
    return student


async def make(student: Student, what: str) -> None:
    """Fills in the form as it stands, and opens what was made."""
    await student.at(f"new-{what}").click()
    await student.at(f"make-{what}-start").click()
    await expect(student.at("notice")).to_contain_text("is ready", timeout=READING_MS)
    await student.at("notice").get_by_role("button", name="Open").click()


async def touch(question: Locator) -> None:
    """Something, whether right or wrong."""
    match await question.get_attribute("data-type"):
        case "multiple_choice" | "multiple_answer" | "true_false":
            await question.get_by_test_id("option").first.check()
        case "matching":
            for choice in await question.get_by_test_id("answer-match").all():
                await choice.select_option(index=1)
        case "ordering":
            await question.get_by_test_id("move-up").last.click()
        case "cloze":
            for gap in await question.get_by_test_id("answer-gap").all():
                await gap.fill("osmosis")
                await gap.blur()
        case _:
            await question.get_by_test_id("answer-text").fill("osmosis")
            await question.get_by_test_id("answer-text").blur()


async def test_a_test_is_made_taken_over_a_reload_and_graded_with_evidence(arrive: Arrive) -> None:
    student = await biologist(arrive)
    await make(student, "test")
    await student.at("test-start").click()
    questions = student.at("question")
    await expect(questions.first).to_be_visible()
    count = await questions.count()
    assert count >= 4
    for number in range(count):
        await touch(questions.nth(number))
        await expect(student.at("test-answered")).to_have_text(f"{number + 1} of {count} answered")
    await student.page.reload()
    await student.at("test").first.click()
    await student.at("test-start").click()
    await expect(student.at("test-answered")).to_have_text(f"{count} of {count} answered")
    await student.at("test-submit").click()
    await expect(student.at("test-score")).to_contain_text("%")
    await expect(student.at("graded")).to_have_count(count)
    await student.at("item-evidence").first.click()
    await expect(student.at("highlight").first).to_be_visible()


async def test_practice_grades_an_answer_when_it_is_checked_or_the_test_is_handed_in(
    house: House, visitors: Visitors
) -> None:
    student = await visitors.signed_in()
    who = (await (await student.page.request.get(f"{house.base}/api/auth/session")).json())["user"]["id"]
    await student.page.goto(house.base)
    await student.make_class("Biology")
    class_id = UUID(await student.at("class-select").input_value())
    await make_test(house.storage, Principal(UUID(who)), "Practice", class_id=class_id)
    await student.page.reload()
    await student.at("test").click()
    await student.at("test-practise").click()
    await expect(student.at("question")).to_have_count(7)
    last = student.at("question").nth(6)
    for number in range(6):
        question = student.at("question").nth(number)
        kind = await answer(question, "true_false")
        await expect(question.get_by_test_id("grade")).to_have_count(0)
        if kind == "short_answer":
            await question.get_by_test_id("answer-text").press("Enter")
        else:
            await question.get_by_test_id("check-answer").click()
        await expect(question.get_by_test_id("grade")).to_contain_text(
            "Wrong" if kind == "true_false" else "Right"
        )
        await expect(student.at("test-answered")).to_have_text(f"{number + 1} of 7 answered")
    await answer(last)
    await student.at("test-submit").click()
    await expect(student.at("test-score")).to_contain_text("%")
    await expect(student.at("test-score")).not_to_contain_text("not answered")


async def test_cards_are_reviewed_with_the_keyboard_and_taken_back(arrive: Arrive) -> None:
    student = await biologist(arrive)
    await make(student, "deck")
    await student.at("study-deck").click()
    card = student.at("review-card")
    first = await card.text_content()
    await student.page.keyboard.press("Space")
    await expect(student.at("card-back")).to_be_visible()
    await student.page.keyboard.press("3")
    await expect(student.at("card-back")).to_have_count(0)
    assert await card.text_content() != first
    await student.at("undo-review").click()
    await expect(card).to_have_text(first or "")
    await student.at("show-answer").click()
    await student.at("item-evidence").click()
    await expect(student.at("highlight").first).to_be_visible()


async def test_a_cheat_sheet_is_read_and_taken_away_as_a_pdf_of_one_page(arrive: Arrive) -> None:
    student = await biologist(arrive)
    await make(student, "document")
    pane = student.at("document-pane")
    await expect(pane).to_contain_text("Osmosis")
    await pane.get_by_test_id("citation").first.click()
    await expect(student.at("highlight").first).to_be_visible()
    async with student.page.expect_download() as saving:
        await student.at("download-pdf").click()
    saved = await (await saving.value).path()
    assert page_count(saved) == 1
    assert re.search(r"osmosis", page_text(saved, 1), re.IGNORECASE)


async def test_the_chat_makes_a_test_that_appears_beside_it(arrive: Arrive) -> None:
    student = await biologist(arrive)
    said = await student.ask("Quiz me with 5 questions about transport")
    await expect(said).to_contain_text("beside the chat")
    await expect(student.at("notice")).to_contain_text("is ready", timeout=READING_MS)
    await student.ask("what's due?")
    await expect(student.answers().last).to_contain_text("due")
