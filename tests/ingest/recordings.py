"""Recordings of every kind, made of the speech in the test data."""

from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np

from tests.data import shared
from tools.ingest.speech_sound import RATE, Samples, Sound

JFK = (
    "and so my fellow americans ask not what your country can do for you ask what you can do for your country"
)
NORTH = "it was my reports from the north which chiefly induced people to buy"


def speech(name: str) -> Samples:
    """A file of the test data."""
    return np.concatenate(list(Sound(shared(f"audio/{name}")).blocks()))


def silence(seconds: float) -> Samples:
    return np.zeros(round(seconds * RATE), np.float32)


def write(
    path: Path,
    samples: Samples,
    codec: str,
    rate: int = RATE,
    *,
    container: str | None = None,
    pictures: bool = False,
) -> Path:
    """The samples as a recording, or as a video with ten grey pictures a second."""
    with av.open(str(path), "w", format=container) as output:
        video = output.add_stream("mpeg4", rate=10) if pictures else None
        sound: Any = output.add_stream(codec, rate=rate, layout="mono")
        if video is not None:
            video.width, video.height, video.pix_fmt = 64, 64, "yuv420p"
            for number in range(len(samples) * 10 // RATE):
                picture = av.VideoFrame(64, 64, "yuv420p")
                picture.pts = number
                output.mux(video.encode(picture))
            output.mux(video.encode())
        frame = av.AudioFrame.from_ndarray(
            (samples * 32767).astype(np.int16).reshape(1, -1), format="s16", layout="mono"
        )
        frame.sample_rate, frame.pts, frame.time_base = RATE, 0, Fraction(1, RATE)
        resampler = av.AudioResampler(
            sound.format.name, "mono", rate, frame_size=sound.codec_context.frame_size or 1024
        )
        for piece in [*resampler.resample(frame), *resampler.resample(None)]:
            output.mux(sound.encode(piece))
        output.mux(sound.encode())
    return path


def silent_video(path: Path) -> Path:
    """A video without a sound track."""
    with av.open(str(path), "w") as output:
        video = output.add_stream("mpeg4", rate=10)
        video.width, video.height, video.pix_fmt = 64, 64, "yuv420p"
        for number in range(10):
            picture = av.VideoFrame(64, 64, "yuv420p")
            picture.pts = number
            output.mux(video.encode(picture))
        output.mux(video.encode())
    return path
