"""Recordings on the page: sent in parts, heard at the second of a citation, and made into notes."""

import re
import wave
from pathlib import Path

import numpy as np
import pytest
from playwright.async_api import Browser, Route, StorageState, expect

from tests.browser.conftest import Arrive, with_material
from tests.browser.student import READING_MS, Student
from tests.data import shared
from tests.lyceum import Serving

CLOCK = re.compile(r"\d+:\d\d")


@pytest.fixture(scope="module")
async def transcribed(browser: Browser, serving: Serving) -> StorageState:
    """The cookies of a student with a recording, which takes long to be heard: once for the tests that only use it."""
    return await with_material(browser, serving, "History", shared("audio/jfk.flac"), "jfk")


@pytest.fixture
async def listener(arrive: Arrive, transcribed: StorageState, serving: Serving) -> Student:
    """A student with a recording that is ready."""
    student = await arrive(storage_state=transcribed)
    await student.page.goto(serving.base)
    await expect(student.material("jfk")).to_contain_text("Ready, 0:1")
    return student


async def test_a_citation_of_a_recording_plays_from_its_second(listener: Student) -> None:
    answer = await listener.ask("What should you ask you can do for your country?")
    await answer.get_by_test_id("citation").first.click()
    await expect(listener.at("evidence-place")).to_have_text(CLOCK)
    await expect(listener.at("highlight").first).to_contain_text("your country")
    player = listener.at("player")
    await expect(player).to_be_visible()
    said = listener.at("sentence-time").last
    minutes, _, seconds = (await said.text_content() or "").rpartition(":")
    await said.click()
    await listener.page.wait_for_function(
        "second => document.querySelector('[data-testid=player]').currentTime >= second",
        arg=60 * int(minutes) + int(seconds),
    )
    assert await player.evaluate("node => node.error") is None


async def test_notes_are_made_from_a_recording_and_lead_back_to_its_seconds(listener: Student) -> None:
    await listener.page.get_by_role("button", name="Make notes from jfk").click()
    await expect(listener.at("notice")).to_contain_text("Your notes are ready", timeout=READING_MS)
    await listener.at("notice").get_by_role("button", name="Open").click()
    note = listener.at("note-pane")
    await expect(note).to_contain_text("country")
    await note.get_by_test_id("citation").first.click()
    await expect(listener.at("player")).to_be_visible()
    await expect(listener.at("highlight").first).to_contain_text("country")
    await listener.at("note-edit").click()
    await listener.at("note-text").fill("What I keep: service. [1]")
    await listener.at("note-save").click()
    await expect(note.locator(".prose")).to_have_text("What I keep: service. 1")
    await listener.at("note-close").click()
    await expect(listener.at("composer")).to_be_visible()


async def test_a_large_recording_goes_on_where_the_network_broke(arrive: Arrive, tmp_path: Path) -> None:
    recording = tmp_path / "lecture.wav"
    large_recording(recording)
    student = await arrive()
    student.expected.append("/api/uploads/tus")
    await student.register()
    await student.make_class("Phonetics")
    offsets: list[int] = []

    async def breaks_once(route: Route) -> None:
        if route.request.method == "PATCH":
            offsets.append(int(route.request.headers["upload-offset"]))
        if len(offsets) == 2 and offsets[1] > 0:
            offsets.append(-1)
            await route.abort("connectionreset")
        else:
            await route.continue_()

    await student.page.route("**/api/uploads/tus/*", breaks_once)
    await student.at("upload-input").first.set_input_files(recording)
    row = student.material("lecture")
    await expect(row).to_have_attribute("data-status", "ready", timeout=READING_MS)
    assert offsets[0] == 0
    assert offsets[offsets.index(-1) + 1] == offsets[1], "it went on, and did not begin again"
    answer = await student.ask("What did the reports from the north do?")
    await expect(answer).to_contain_text(re.compile("induced people to buy", re.I))


async def test_an_address_inside_of_the_own_network_is_refused_with_a_sentence(arrive: Arrive) -> None:
    student = await arrive()
    student.expected.append("/api/tools/add_web_page")
    await student.register()
    await student.make_class("Networks")
    await student.at("add-link").click()
    await student.at("link-url").fill("http://127.0.0.1/secret")
    await student.at("link-add").click()
    await expect(student.at("notice")).to_contain_text(re.compile("public|private|cannot be"))
    await expect(student.at("link-url")).to_have_value("http://127.0.0.1/secret")


def large_recording(path: Path) -> None:
    """A spoken sentence at 48 kHz, and silence up to 17 MB: enough to be sent in parts."""
    with wave.open(str(shared("audio/arctic_a0024.wav"))) as source:
        said = np.frombuffer(source.readframes(source.getnframes()), np.int16)
    with wave.open(str(path), "wb") as target:
        target.setnchannels(1)
        target.setsampwidth(2)
        target.setframerate(48_000)
        target.writeframes(np.repeat(said, 3).tobytes())
        target.writeframes(bytes(17_000_000 - 6 * said.size))
