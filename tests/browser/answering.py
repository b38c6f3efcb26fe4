"""Answers to the questions of `tests.study.quizzes`, as a person gives them on a page."""

from playwright.async_api import Locator


async def answer(question: Locator, *wrong: str) -> str:
    """The question that is shown, wrongly when its type is among those. Gives its type."""
    kind = await question.get_attribute("data-type") or ""
    right = kind not in wrong
    if await question.get_by_test_id("option").count():
        await choose(question, kind, right)
    elif kind == "cloze":
        await question.get_by_label("Gap 1").fill("enzymes")
        await question.get_by_label("Gap 2").fill("proteins")
    elif kind == "short_answer":
        await question.get_by_test_id("answer-text").fill("ATP")
    elif kind == "matching":
        await question.get_by_label("Belongs to DNA").select_option(label="genes")
        await question.get_by_label("Belongs to Ribosome").select_option(label="protein")
    else:
        await put_in_order(question, "metaphase", "prophase")
    return kind


async def choose(question: Locator, kind: str, right: bool) -> None:
    rights = {
        "multiple_choice": ("Mitochondrion",),
        "multiple_answer": ("Mars", "Venus"),
        "true_false": ("True",),
    }
    wrongs = {"multiple_choice": ("Nucleus",), "multiple_answer": ("Mars",), "true_false": ("False",)}
    for name in (rights if right else wrongs)[kind]:
        await question.get_by_label(name).check()


async def put_in_order(question: Locator, *upwards: str) -> None:
    """Each one is moved to the top, in turn."""
    for name in upwards:
        up = question.get_by_label(f"Move up: {name}")
        while await up.is_enabled():
            await up.click()
    if await question.get_by_test_id("keep-order").count():
        await question.get_by_test_id("keep-order").click()
