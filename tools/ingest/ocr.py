"""Text recognition: the printed lines of a picture, by the PP-OCRv6 models that lie in the rapidocr wheel.

Only its model files are used, never its code: that pads every line to the longest of a batch, holds a whole page's
network in memory (827 MB for a page at 200 dpi) and downloads a model that it misses.
"""

import functools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import onnxruntime
from numpy.typing import NDArray

from tools.ingest.cleaning import one_line

Picture = NDArray[np.uint8]
"""(height, width, 3), RGB."""
Quad = NDArray[np.float32]
"""(4, 2): corners of a line in pixels, clockwise from the top left."""

LEAST_SCORE = 0.5

_DETECTOR, _READER = "PP-OCRv6_det_small.onnx", "PP-OCRv6_rec_small.onnx"
# Detection finds lines as well in pictures made smaller; reading uses all pixels.
_DETECTION_SIDE = 960
_LEAST_SIDE = 640
_MOST_ENLARGED = 2.0
_STRIDE = 32
"""The detector's sides are multiples of this."""
_STRIP, _OVERLAP = 512, 64
"""Rows that the detector sees at a time: its memory grows with the area."""
_FLAT = 12
"""Brightness steps of 255: strips that vary less are empty paper, in which the detector dreams."""
# Thresholds and enlargement of boxes: config.yaml of rapidocr 3.10 (Differentiable Binarization, arXiv:1911.08947).
_MAP_THRESHOLD, _BOX_THRESHOLD, _UNCLIP = 0.3, 0.5, 1.6
_MOST_LINES = 3000
_LINE_HEIGHT = 48
"""Pixels that the reader wants."""
_SQUEEZE = 0.85
"""Lines are made this much narrower: an eighth of the width is one step of the reader, and nothing is lost."""
_WIDTH_STEP, _LEAST_WIDTH, _MOST_WIDTH = 32, 32, 2560
_TALL = 2.0
"""Boxes this much higher than wide are vertical text; a lone 1 or l is not."""


@dataclass(frozen=True, slots=True)
class OcrLine:
    """One recognised line. The box is in pixels of the picture, origin top left; `score` is 0 to 1."""

    text: str
    x0: float
    y0: float
    x1: float
    y1: float
    score: float
    slope: float = 0.0
    """How much the line falls on its way to the right: 0.1 is 10 pixels in 100."""
    height: float = 0.0
    """Pixels across the line: the box of a sloping line is higher."""


def recognise(image: Picture, threads: int = 2) -> list[OcrLine]:
    """The lines of a picture (RGB), from top to bottom, lines of one height from left to right.

    About 60 ms of one core for 10 cm of print; up to 230 MB for the models and one strip or line of the picture.
    """
    models = _models(threads)
    found = []
    for quad in models.detect(image):
        text, score = models.read(_cut_out(image, quad))
        if score >= LEAST_SCORE and text:
            found.append(_line(quad, text, score))
    return _from_top_to_bottom(found)


def _line(quad: Quad, text: str, score: float) -> OcrLine:
    (x0, y0), (x1, y1) = quad.min(axis=0).tolist(), quad.max(axis=0).tolist()
    across, down = (quad[1] - quad[0]).tolist()
    height = float(np.linalg.norm(quad[3] - quad[0]))
    return OcrLine(text, x0, y0, x1, y1, score, down / across if across > 1 else 0.0, height)


def _from_top_to_bottom(lines: Sequence[OcrLine]) -> list[OcrLine]:
    rows: list[list[OcrLine]] = []
    for line in sorted(lines, key=lambda line: line.y0 + line.y1):
        last = rows[-1][-1] if rows else None
        if last is not None and line.y0 + line.y1 - last.y0 - last.y1 < min(line.height, last.height):
            rows[-1].append(line)
        else:
            rows.append([line])
    return [line for row in rows for line in sorted(row, key=lambda line: line.x0)]


@functools.cache
def _models(threads: int) -> "_Models":
    return _Models(threads)


class _Models:
    """Detector and reader, loaded in 0.3 s and some 60 MB."""

    def __init__(self, threads: int) -> None:
        folder = _model_folder()
        self._detector = _session(folder / _DETECTOR, threads)
        self._reader = _session(folder / _READER, threads)
        known = self._reader.get_modelmeta().custom_metadata_map["character"].splitlines()
        self._characters = ("", *known, " ")

    def detect(self, image: Picture) -> list[Quad]:
        """Where lines of text are."""
        height, width = image.shape[:2]
        shortest = min(height, width)
        if shortest < _LEAST_SIDE:
            scale = min(_MOST_ENLARGED, _LEAST_SIDE / shortest)
        else:
            scale = min(1.0, _DETECTION_SIDE / shortest)
        rows, columns = _stretched(height, scale), _stretched(width, scale)
        # INTER_AREA keeps thin strokes when the picture shrinks.
        way = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
        small: Any = cv2.resize(np.ascontiguousarray(image), (columns, rows), interpolation=way)
        # A panorama is cut from left to right, everything else from top to bottom.
        lies = columns > rows and columns > 2 * _STRIP
        likely = self._map(small, axis=1 if lies else 0)
        found = _boxes(likely, _MAP_THRESHOLD)
        back = np.array((width / columns, height / rows), np.float32)
        return [quad * back for quad in found]

    def _map(self, image: Picture, axis: int) -> NDArray[np.float32]:
        """The likelihood of text for each pixel, found strip by strip."""
        size = image.shape[axis]
        likely = np.zeros(image.shape[:2], np.float32)
        done = 0
        while done < size:
            start = max(0, min(done - _OVERLAP, size - _STRIP))
            end = min(size, start + _STRIP)
            until = size if end == size else end - _OVERLAP
            strip = image[start:end] if axis == 0 else image[:, start:end]
            if np.ptp(strip) > _FLAT:
                (part,) = self._detector.run(
                    None, {"x": _normalised(strip)[:, :, ::-1].transpose(2, 0, 1)[None]}
                )
                part = part[0, 0]
                if axis == 0:
                    likely[done:until] = part[done - start : until - start]
                else:
                    likely[:, done:until] = part[:, done - start : until - start]
            done = until
        return likely

    def read(self, line: Picture) -> tuple[str, float]:
        """Text of a line that is _LINE_HEIGHT high, and how sure it is, 0 to 1."""
        width = line.shape[1]
        padded = max(_LEAST_WIDTH, math.ceil(width / _WIDTH_STEP) * _WIDTH_STEP)
        values = np.zeros((1, 3, _LINE_HEIGHT, padded), np.float32)
        values[0, :, :, :width] = _normalised(line)[:, :, ::-1].transpose(2, 0, 1)
        (steps,) = self._reader.run(None, {"x": values})
        best = steps[0].argmax(axis=1)
        # Connectionist temporal classification: repeats are one character, class 0 is none.
        kept = np.flatnonzero((best != 0) & np.r_[True, best[1:] != best[:-1]])
        text = one_line("".join(self._characters[best[step]] for step in kept))
        return text, float(steps[0][kept, best[kept]].mean()) if len(kept) else 0.0


def _model_folder() -> Path:
    """Found without importing the package, which loads much and logs."""
    package = find_spec("rapidocr")
    if package is None or not package.submodule_search_locations:
        raise RuntimeError("The package rapidocr, which carries the models of text recognition, is missing.")
    return Path(package.submodule_search_locations[0]) / "models"


def _session(path: Path, threads: int) -> Any:
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    # Memory is reused from run to run; patterns for every width of a line would pile up.
    options.enable_cpu_mem_arena = True
    options.enable_mem_pattern = False
    # Threads that wait must not take the processor from the API.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def _stretched(side: int, scale: float) -> int:
    return max(1, round(side * scale / _STRIDE)) * _STRIDE


def _normalised(image: Picture) -> NDArray[np.float32]:
    """-1 to 1."""
    values: NDArray[np.float32] = image * np.float32(1 / 127.5) - np.float32(1)
    return values


def _boxes(likely: NDArray[np.float32], threshold: float) -> list[Quad]:
    """Rectangles, turned with their lines, around the islands of likely text."""
    mask = cv2.dilate((likely > threshold).astype(np.uint8), np.ones((2, 2), np.uint8))
    contours, _ = cv2.findContours(mask, cv2.RETR_LIST, cv2.CHAIN_APPROX_SIMPLE)
    found = []
    for contour in sorted(contours, key=cv2.contourArea, reverse=True)[:_MOST_LINES]:
        centre, (width, height), angle = cv2.minAreaRect(contour)
        if min(width, height) < 3 or _mean_inside(likely, (centre, (width, height), angle)) < _BOX_THRESHOLD:
            continue
        # The map shows the core of a line; area times ratio over perimeter is the margin that was taken off.
        margin = width * height * _UNCLIP / (width + height)
        corners = cv2.boxPoints((centre, (width + margin, height + margin), angle))
        found.append(_clockwise(np.asarray(corners, np.float32)))
    return found


def _mean_inside(likely: NDArray[np.float32], rectangle: Any) -> float:
    corners = np.asarray(cv2.boxPoints(rectangle))
    x0, y0 = np.maximum(np.floor(corners.min(axis=0)), 0).astype(int).tolist()
    x1, y1 = np.ceil(corners.max(axis=0)).astype(int).tolist()
    part = likely[y0 : y1 + 1, x0 : x1 + 1]
    mask = np.zeros(part.shape, np.uint8)
    cv2.fillPoly(mask, [(corners - (x0, y0)).astype(np.int32)], (1,))
    return float(cv2.mean(part, mask)[0])


def _clockwise(corners: Quad) -> Quad:
    """From the top left of the line."""
    left, right = np.split(corners[np.argsort(corners[:, 0], kind="stable")], 2)
    left, right = left[np.argsort(left[:, 1])], right[np.argsort(right[:, 1])]
    return np.stack((left[0], right[0], right[1], left[1]))


def _cut_out(image: Picture, quad: Quad) -> Picture:
    """The line made level, _LINE_HEIGHT pixels high."""
    top, right, bottom, left = (
        float(np.linalg.norm(quad[a] - quad[b])) for a, b in ((0, 1), (1, 2), (2, 3), (3, 0))
    )
    width, height = max(top, bottom, 1.0), max(left, right, 1.0)
    if height >= _TALL * width:
        # Vertical text is read from its foot, as on the spine of a book or a page on its side.
        quad, width, height = np.roll(quad, 1, axis=0), height, width
    long = min(_MOST_WIDTH, max(1, round(_SQUEEZE * _LINE_HEIGHT * width / height)))
    return _levelled(image, quad, height, long)


def _levelled(image: Picture, quad: Quad, height: float, long: int) -> Picture:
    """Warped at about the size that it has in the picture, then made smaller: warping alone would skip pixels."""
    shrink = max(1, math.floor(height / _LINE_HEIGHT))
    size = (long * shrink, _LINE_HEIGHT * shrink)
    target = np.array(((0, 0), (size[0], 0), size, (0, size[1])), np.float32)
    x0, y0 = np.maximum(np.floor(quad.min(axis=0)) - 2, 0).astype(int).tolist()
    x1, y1 = np.ceil(quad.max(axis=0)).astype(int).tolist()
    part = np.ascontiguousarray(image[y0 : y1 + 3, x0 : x1 + 3])
    way = cv2.getPerspectiveTransform(quad - np.array((x0, y0), np.float32), target)
    level = cv2.warpPerspective(part, way, size, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    if shrink > 1:
        level = cv2.resize(level, (long, _LINE_HEIGHT), interpolation=cv2.INTER_AREA)
    return np.asarray(level, np.uint8)
