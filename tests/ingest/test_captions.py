"""WebVTT and SubRip files become transcripts: times of words, rolling captions, speakers, markup."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tools.ingest.captions import SPAN, CaptionsExtractor, spans, spoken
from tools.ingest.captions import Line as Said
from tools.ingest.opening import open_document
from tools.ingest.segments import ContentType, DocumentInfo, Refusal, Segment, SegmentKind
from tools.ingest.transcript import Spoken

VTT = """WEBVTT
Kind: captions
Language: de-CH

NOTE a comment
that is not said

STYLE
::cue { color: red }

intro
00:01.000 --> 00:03.000 align:start position:0%
<v Dr. Keller>Der <b>Zerfall</b> ist &amp; bleibt

00:03.000 --> 00:04.000
exponentiell. [Musik]

01:02:03.500 --> 01:02:05.500
<v Anna>Warum?
"""

SRT = (
    "1\r\n00:00:01,000 --> 00:00:03,000\r\n<i>The rate</i> is {\\an8}constant.\r\n\r\n"
    "2\r\n00:00:03,200 --> 00:00:05,200\r\n- Why is it?\r\n- Because it is.\r\n\r\n"
    "3\r\n00:00:06,000 --> 00:00:08,000\r\n>> MARIA: I see. (applause)\r\n"
)

ROLLING = """WEBVTT

00:00:00.000 --> 00:00:02.000
<00:00:00.000><c>so</c><00:00:00.500><c> today</c>

00:00:02.000 --> 00:00:02.010
so today

00:00:02.010 --> 00:00:04.000
so today
we<00:00:02.600><c> look</c><00:00:03.000><c> at</c>

00:00:04.000 --> 00:00:04.010
we look at

00:00:04.010 --> 00:00:06.000
we look at
decay
"""


def read(path: Path, start: int = 0) -> tuple[DocumentInfo, list[Segment]]:
    extractor = open_document(path, path.name)
    return extractor.info, list(extractor.segments(start))


def timed(segment: Segment) -> list[tuple[str, float, float]]:
    return [(segment.text[w.start : w.end], w.t_start, w.t_end) for w in segment.words]


def test_a_vtt_file_keeps_words_and_times_and_drops_what_is_not_said(tmp_path: Path) -> None:
    path = tmp_path / "lecture.vtt"
    path.write_text(VTT)
    info, (first, second) = read(path)
    assert (info.media_type, info.language, info.segment_kind) == ("text/vtt", "de-CH", SegmentKind.SPAN)
    assert (info.segment_count, info.duration_seconds) == (2, 3725.5)
    assert first.text == "Der Zerfall ist & bleibt exponentiell."
    assert timed(first)[0] == ("Der", 1.0, 1.32)
    assert timed(first)[-1] == ("exponentiell.", 3.0, 4.0)
    assert second.text == "Warum?"
    assert (second.t_start, second.t_end, second.label) == (3723.5, 3725.5, "1:02:03")
    assert read(path, start=1)[1] == [second]


def test_an_srt_file_gives_a_paragraph_to_each_speaker(tmp_path: Path) -> None:
    path = tmp_path / "lecture.srt"
    path.write_bytes(b"\xef\xbb\xbf" + SRT.encode())
    info, (segment,) = read(path)
    assert info.media_type == "application/x-subrip"
    assert segment.text == "The rate is constant.\n\nWhy is it?\n\nBecause it is.\n\nI see."
    assert {block.type for block in segment.blocks} == {ContentType.TRANSCRIPT}
    assert [word for word, start, _ in timed(segment) if start >= 4] == ["Because", "it", "is.", "I", "see."]


def test_captions_that_roll_up_are_said_once_with_the_times_of_their_words(tmp_path: Path) -> None:
    path = tmp_path / "rolling.vtt"
    path.write_text(ROLLING)
    _, (segment,) = read(path)
    assert segment.text == "so today we look at decay"
    starts = {word: start for word, start, _ in timed(segment)}
    assert starts == {"so": 0.0, "today": 0.5, "we": 2.01, "look": 2.6, "at": 3.0, "decay": 4.01}


def test_a_sentence_said_twice_is_kept_twice(tmp_path: Path) -> None:
    path = tmp_path / "twice.srt"
    path.write_text("1\n00:00:01,000 --> 00:00:02,000\nAgain.\n\n2\n00:00:09,000 --> 00:00:10,000\nAgain.\n")
    assert read(path)[1][0].text == "Again.\n\nAgain."


def test_spans_are_about_a_minute_and_end_with_a_sentence() -> None:
    words = [
        Spoken(f" Word{at}." if at % 7 == 6 else f" Word{at}", at * 0.5, at * 0.5 + 0.4) for at in range(700)
    ]
    found = list(spans(words))
    assert [word for part in found for word in part] == words
    assert all(part[-1].text.endswith(".") for part in found)
    assert all(abs(part[-1].t_end - part[0].t_start - SPAN) <= 4 for part in found[:-1])


def test_a_file_without_words_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "empty.vtt"
    path.write_text("WEBVTT\n\n00:00.000 --> 00:01.000\n[Music]\n")
    with pytest.raises(Refusal, match="no words") as refused:
        CaptionsExtractor(path)
    assert refused.value.code == "empty_file"


def test_characters_of_a_language_without_spaces_have_times_of_their_own() -> None:
    words = spoken([Said(((0.0, "放射性衰变。"),), 6.0)])
    assert "".join(word.text for word in words) == "放射性衰变。"
    assert len(words) == 5


CUE = st.tuples(st.integers(0, 50_000), st.integers(1, 9_000), st.text(max_size=40))


@settings(deadline=None, max_examples=50)
@given(st.lists(CUE, max_size=12), st.booleans())
def test_any_file_gives_ordered_spans_or_a_refusal(
    tmp_path_factory: pytest.TempPathFactory, cues: list[tuple[int, int, str]], comma: bool
) -> None:
    def stamp(milliseconds: int) -> str:
        seconds, rest = divmod(milliseconds, 1000)
        mark = "," if comma else "."
        return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}{mark}{rest:03}"

    blocks = [f"{stamp(start)} --> {stamp(start + length)}\n{text}" for start, length, text in cues]
    path = tmp_path_factory.getbasetemp() / "any.vtt"
    path.write_text("WEBVTT\n\n" + "\n\n".join(blocks), encoding="utf-8", errors="replace")
    try:
        segments = list(CaptionsExtractor(path).segments())
    except Refusal:
        return
    for ordinal, segment in enumerate(segments):
        assert (segment.ordinal, segment.number) == (ordinal, ordinal + 1)
        words = [segment.text[w.start : w.end] for w in segment.words]
        assert "".join("".join(words).split()) == "".join(segment.text.split())
        assert all(w.t_start <= w.t_end for w in segment.words)
