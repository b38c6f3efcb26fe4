"""Text recognition: what it reads, where, with how much memory, and that it asks nobody for anything."""

import json
import subprocess
import sys

import cv2
import jiwer
import numpy as np
import pytest

from tests.ingest.photos import ENGLISH, GERMAN, Pixels, typed_page, whiteboard
from tools.ingest.ocr import OcrLine, recognise


def text_of(lines: list[OcrLine]) -> str:
    return "\n".join(line.text for line in lines)


def turned(pixels: Pixels, degrees: float) -> Pixels:
    height, width = pixels.shape[:2]
    way = cv2.getRotationMatrix2D((width / 2, height / 2), degrees, 1.0)
    return np.asarray(cv2.warpAffine(pixels, way, (width, height), borderValue=(255, 255, 255)), np.uint8)


@pytest.mark.parametrize("lines", [ENGLISH, GERMAN])
def test_printed_lines_are_read_letter_by_letter(lines: tuple[str, ...]) -> None:
    found = recognise(typed_page(lines))
    assert jiwer.cer("\n".join(lines), text_of(found)) < 0.01
    assert [line.y0 for line in found] == sorted(line.y0 for line in found)


def test_boxes_lie_over_their_lines() -> None:
    found = recognise(typed_page(ENGLISH, size=12, dpi=150))
    pixel = 150 / 72
    for number, line in enumerate(found):
        base = (number + 1.5) * 1.5 * 12 * pixel
        assert line.y0 < base - 9 * pixel < base < line.y1 < base + 12 * pixel
        assert abs(line.x0 - 30 * pixel) < 6 * pixel
        assert line.score > 0.9


def test_chinese_is_read() -> None:
    line = "光合作用是植物利用阳光的过程。"
    assert text_of(recognise(typed_page([line], font="china-s"))) == line


def test_lines_that_slope_are_read_and_their_slope_is_known() -> None:
    found = recognise(turned(typed_page(ENGLISH, width=460), -4))
    assert jiwer.cer("\n".join(ENGLISH), text_of(found)) < 0.02
    for line in found:
        assert line.slope == pytest.approx(0.07, abs=0.01)
        assert line.height < line.y1 - line.y0


def test_a_slanting_photo_of_a_board_in_half_shadow_is_read() -> None:
    assert jiwer.cer("\n".join(ENGLISH), text_of(recognise(whiteboard(ENGLISH)))) < 0.02


def test_pages_higher_than_a_strip_lose_no_line_between_strips() -> None:
    lines = [f"Line {number}" for number in range(1, 41)]
    found = recognise(typed_page(lines, size=8, width=100, dpi=120))
    assert jiwer.cer("\n".join(lines), text_of(found)) < 0.01


@pytest.mark.parametrize("shape", [(400, 600, 3), (1, 1, 3), (5, 3000, 3), (3000, 5, 3)])
def test_an_empty_picture_has_no_lines(shape: tuple[int, int, int]) -> None:
    assert recognise(np.full(shape, 250, np.uint8)) == []


def test_a_whole_page_needs_little_memory_and_says_nothing() -> None:
    program = """
import json, sys
from pathlib import Path
import numpy as np
from tests.ingest.photos import ENGLISH, typed_page
from tools.ingest.ocr import recognise
lines = recognise(typed_page(ENGLISH * 8, size=11, dpi=200, width=612))
status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
print(json.dumps([len(lines), int(status["VmHWM"].split()[0]) / 1024, "rapidocr" in sys.modules]))
"""
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    count, megabytes, is_loaded = json.loads(ran.stdout)
    assert ran.stderr == ""
    assert count == len(ENGLISH) * 8
    assert megabytes < 370
    assert not is_loaded
