"""Answers that are stopped, cut off from their reader, or lose the process that writes them."""

from collections.abc import Generator

import pytest
from playwright.async_api import Locator, expect

from tests.browser.conftest import Arrive
from tests.browser.halting_model import FIRST_HALF, SECOND_HALF, HaltingModel, halting_model
from tests.browser.relay import relay_to
from tests.browser.student import ANSWER_MS, Student
from tests.lyceum import Serving, serve

RESTART_MS = 120_000
SAID = FIRST_HALF.partition(" [1]")[0]


@pytest.fixture(scope="module")
def model() -> Generator[HaltingModel]:
    with halting_model() as running:
        yield running


@pytest.fixture(scope="module")
def serving(model: HaltingModel) -> Generator[Serving]:
    environment = {
        "LYCEUM_MODEL": "openai:halting",
        "LYCEUM_MODEL_BASE_URL": model.base_url,
        "LYCEUM_MODEL_TOOLS": "native",
    }
    with serve(**environment) as running:
        yield running


@pytest.fixture
async def biologist(arrive: Arrive, model: HaltingModel) -> Student:
    """A student with a page on osmosis; the model halts in the middle of the next answer."""
    student = await arrive()
    await student.register()
    await student.make_class("Biology")
    await student.add_text("Osmosis", "Osmosis is the movement of water through a semipermeable membrane.")
    model.may_finish.clear()
    return student


async def half_answered(student: Student) -> Locator:
    await student.at("composer").fill("What is osmosis?")
    await student.at("composer").press("Enter")
    answer = student.answers().last
    await expect(answer).to_contain_text(SAID, timeout=ANSWER_MS)
    await expect(answer).to_have_attribute("data-status", "running")
    return answer


async def test_a_stopped_answer_keeps_what_was_said_and_can_be_asked_again(
    biologist: Student, model: HaltingModel
) -> None:
    answer = await half_answered(biologist)
    await biologist.at("stop").click()
    await expect(answer).to_have_attribute("data-status", "cancelled")
    await expect(answer).to_contain_text("You stopped this answer.")
    await biologist.page.reload()
    answer = biologist.answers().last
    await expect(answer).to_have_attribute("data-status", "cancelled")
    await expect(answer).to_contain_text(SAID)
    model.may_finish.set()
    await answer.get_by_test_id("retry").click()
    await expect(biologist.answers()).to_have_count(2)
    await expect(biologist.answers().last).to_have_attribute("data-status", "complete")
    await expect(biologist.answers().last).to_contain_text(SECOND_HALF)


async def test_an_answer_goes_on_where_the_network_broke(
    biologist: Student, model: HaltingModel, serving: Serving
) -> None:
    biologist.expected.append("/api/")
    async with relay_to(serving.base) as network:
        await biologist.page.goto(network.base)
        answer = await half_answered(biologist)
        network.cut()
        await expect(biologist.at("reconnecting")).to_be_visible()
        model.may_finish.set()
        network.mend()
        await goes_on(biologist, answer)


async def goes_on(biologist: Student, answer: Locator) -> None:
    """The answer ends, with no word of it lost or said twice."""
    await expect(answer).to_have_attribute("data-status", "complete", timeout=RESTART_MS)
    await expect(biologist.at("reconnecting")).to_have_count(0)
    said = await answer.locator(".prose").inner_text()
    whole = f"{FIRST_HALF}{SECOND_HALF}".replace("[1]", "1")
    assert "".join(said.split()) == "".join(whole.split())
    await expect(answer.get_by_test_id("citation")).to_have_count(1)


async def test_an_answer_goes_on_in_a_reloaded_page(biologist: Student, model: HaltingModel) -> None:
    await half_answered(biologist)
    await biologist.page.reload()
    answer = biologist.answers().last
    await expect(answer).to_contain_text(SAID, timeout=ANSWER_MS)
    await expect(answer).to_have_attribute("data-status", "running")
    model.may_finish.set()
    await expect(answer).to_have_attribute("data-status", "complete")
    await expect(answer).to_contain_text(SECOND_HALF)
    await expect(biologist.at("message")).to_have_count(2)


async def test_an_answer_whose_server_was_killed_is_marked_and_can_be_retried(
    biologist: Student, model: HaltingModel, serving: Serving
) -> None:
    biologist.expected.append("/api/")
    answer = await half_answered(biologist)
    serving.child("api").kill()
    await expect(biologist.at("reconnecting")).to_be_visible()
    await expect(answer).to_have_attribute("data-status", "interrupted", timeout=RESTART_MS)
    await expect(answer).to_contain_text(SAID)
    await biologist.page.reload()
    answer = biologist.answers().last
    await expect(answer).to_have_attribute("data-status", "interrupted")
    await expect(answer).to_contain_text(SAID)
    await expect(answer.get_by_test_id("citation")).to_have_count(1)
    model.may_finish.set()
    await answer.get_by_test_id("retry").click()
    await expect(biologist.answers()).to_have_count(2)
    await expect(biologist.answers().last).to_have_attribute("data-status", "complete")
    await expect(biologist.answers().last).to_contain_text(SECOND_HALF)
