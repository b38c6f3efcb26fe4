"""The sound of a recording or video, decoded piece by piece to what a speech model hears: 16 kHz, mono, float32.

Runs in the reader child only. Sample n is heard n / 16,000 seconds after the recording begins, as a player counts.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import av
import av.error
import numpy as np
from av.audio.resampler import AudioResampler
from numpy.typing import NDArray

from tools.ingest.cleaning import one_line
from tools.ingest.segments import Refusal

Samples = NDArray[np.float32]

RATE = 16_000
"""Samples a second; what Whisper and Silero are trained on."""
LONGEST = 12 * 3600
"""Seconds of the longest recording that is read."""

_FORMATS = (
    "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,mp3,aac,wav,w64,flac,ogg,avi,aiff,amr,caf,asf,flv,mpeg,mpegts"
)
"""FFmpeg's names. Playlists are not among them: they would name other files of this machine."""
_UNTIMED = ("mp3", "aac", "flv", "mpeg", "mpegts")
"""Formats whose length FFmpeg guesses from the bit rate."""
_GAP = 0.1
"""Seconds by which the time of a piece may differ from where the last one ended before that counts as a gap."""
_LONGEST_GAP = 600
"""Seconds; a larger jump is a broken time stamp."""
_MEDIA_TYPES = {
    "mp3": "mpeg",
    "asf": "x-ms-wma",
    "avi": "x-msvideo",
    "aiff": "aiff",
    "mpegts": "mp2t",
}


class Sound:
    """An opened recording.

    `duration` is in seconds, None when nothing tells; `damaged` says, once all is read, whether parts could not be
    decoded. Raises Refusal: corrupt, no_sound, too_long.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self.damaged = False
        with _opened(path) as container:
            if not container.streams.audio:
                what = "video has no sound" if container.streams.video else "file has no sound in it"
                raise Refusal("no_sound", f"This {what}, so there is nothing to transcribe.")
            self.media_type = _media_type(path, container)
            self.title = one_line(container.metadata.get("title", "")) or None
            self.author = one_line(container.metadata.get("artist", "")) or None
            self.duration = _duration(container)
        check_length(self.duration or 0)

    def blocks(self) -> Iterator[Samples]:
        """All samples in order, in pieces of any length. Raises Refusal corrupt when there is no sound to be had."""
        with _opened(self._path) as container:
            stream = container.streams.audio[0]
            timeline = _Timeline((container.start_time or 0) / 1_000_000)
            for frame in self._frames(container, stream):
                yield from timeline.add(frame)
            yield from timeline.end()

    def _frames(self, container: Any, stream: Any) -> Iterator[Any]:
        try:
            for packet in container.demux(stream):
                try:
                    yield from packet.decode()
                except av.error.FFmpegError:
                    self.damaged = True
        except av.error.EOFError:
            return
        except av.error.FFmpegError:
            self.damaged = True


class _Timeline:
    """Puts decoded pieces where their time stamps say: gaps become silence, so that later words keep their time."""

    def __init__(self, origin: float) -> None:
        self._at = origin
        self._resampler: AudioResampler | None = None
        self._shape: tuple[object, ...] = ()

    def add(self, frame: Any) -> Iterator[Samples]:
        shape = (frame.format.name, frame.layout.name, frame.sample_rate)
        gap = frame.time - self._at if frame.time is not None else 0.0
        if shape != self._shape or gap > _GAP:
            yield from self.end()
            self._resampler = AudioResampler(format="flt", layout="mono", rate=RATE)
            self._shape = shape
        if _GAP < gap <= _LONGEST_GAP:
            yield np.zeros(round(gap * RATE), np.float32)
        if abs(gap) > _GAP:
            self._at = frame.time
        self._at += frame.samples / frame.sample_rate
        frame.pts = None
        yield from self._resampled(frame)

    def end(self) -> Iterator[Samples]:
        """What the resampler still holds."""
        if self._resampler is not None:
            yield from self._resampled(None)
            self._resampler = None

    def _resampled(self, frame: Any) -> Iterator[Samples]:
        for piece in self._resampler.resample(frame) if self._resampler else ():
            yield np.nan_to_num(piece.to_ndarray().reshape(-1))


def check_length(seconds: float) -> None:
    """Raises Refusal too_long."""
    if seconds > LONGEST:
        raise Refusal(
            "too_long",
            f"This recording is longer than {LONGEST // 3600} hours. Split it and upload the parts.",
        )


def _opened(path: Path) -> Any:
    try:
        return av.open(
            str(path),
            metadata_errors="ignore",
            options={"format_whitelist": _FORMATS, "protocol_whitelist": "file"},
        )
    except (av.error.FFmpegError, ValueError) as error:
        raise Refusal(
            "corrupt", "This recording is damaged or cut off and cannot be opened. Save or download it again."
        ) from error


def _duration(container: Any) -> float | None:
    """Seconds; counted over all packets where the file does not say, without decoding them."""
    if container.duration and container.format.name not in _UNTIMED:
        return float(container.duration) / 1_000_000
    stream, seconds = container.streams.audio[0], 0.0
    try:
        for packet in container.demux(stream):
            seconds += float((packet.duration or 0) * packet.time_base) if packet.time_base else 0.0
            if seconds > LONGEST:
                break
    except av.error.FFmpegError:
        pass  # Cut off: the length of what is there.
    return seconds or None


def _media_type(path: Path, container: Any) -> str:
    """The MIME type of a file with this container and with or without moving pictures."""
    name = container.format.name
    cover = av.stream.Disposition.attached_pic
    moving = any(not stream.disposition & cover for stream in container.streams.video)
    if name.startswith("mov"):
        quicktime = container.metadata.get("major_brand", "").strip() == "qt"
        return ("video/quicktime" if quicktime else "video/mp4") if moving else "audio/mp4"
    if name == "matroska,webm":
        with path.open("rb") as file:
            name = "webm" if b"webm" in file.read(64) else "x-matroska"
    return f"{'video' if moving else 'audio'}/{_MEDIA_TYPES.get(name, name)}"
