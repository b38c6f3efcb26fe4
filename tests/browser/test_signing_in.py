"""Getting in and out."""

from playwright.async_api import expect

from tests.browser.conftest import Arrive
from tests.lyceum import Serving


async def test_the_printed_link_signs_in_and_works_only_once(arrive: Arrive, serving: Serving) -> None:
    owner = await arrive()
    await owner.page.goto(serving.link)
    await expect(owner.at("logout")).to_be_visible()
    await expect(owner.page).to_have_url(f"{serving.base}/")
    finder = await arrive()
    finder.expected.append("/login?token=")
    await finder.page.goto(serving.link)
    await expect(finder.page.locator("body")).to_contain_text("used up")
    await finder.page.goto(serving.base)
    await expect(finder.at("login-form")).to_be_visible()


async def test_a_student_registers_signs_out_and_signs_in_again(arrive: Arrive) -> None:
    student = await arrive()
    await student.register()
    await student.at("logout").click()
    await expect(student.at("login-form")).to_be_visible()
    student.expected.append("/api/auth/login")
    await student.sign_in("a wrong password")
    await expect(student.at("login-error")).to_contain_text("password")
    await student.sign_in()
    await expect(student.at("welcome")).to_contain_text("Start with a class")
    await student.page.reload()
    await expect(student.at("welcome")).to_contain_text("Start with a class")
