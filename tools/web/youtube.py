"""Captions of a YouTube video as WebVTT. All requests go through the guarded fetcher, and to YouTube's own hosts only."""

import asyncio
import io
import json
import re
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, quote, urljoin, urlsplit
from xml.etree.ElementTree import ParseError

from storage.errors import InvalidInput, Kind, LyceumError, NotFound, Unavailable
from tools.web.fetch import Ask, Fetched, Fetcher

if TYPE_CHECKING:
    from requests import Session
    from youtube_transcript_api import FetchedTranscript, TranscriptList

VIDEO_ID = re.compile(r"[A-Za-z0-9_-]{11}")
SITES = frozenset({"youtube.com", "youtube-nocookie.com", "youtu.be"})
WITH_ID = frozenset({"embed", "shorts", "live", "v", "e"})
NOT_VIDEOS = frozenset({"videoseries", "live_stream"})
"""Stand where an id stands, for playlists and channels."""
HOSTS = frozenset({"www.youtube.com", "youtube.com", "consent.youtube.com"})
"""Where the captions of a video come from."""
FORWARDED = ("Accept-Language", "Content-Type", "Cookie")
LARGEST = 16 << 20
SECONDS = 25.0
INSTEAD = "Upload the recording itself instead."


@dataclass(frozen=True, slots=True)
class Captions:
    """`vtt`: the file, which says its language."""

    video_id: str
    title: str
    author: str | None
    vtt: bytes

    @property
    def url(self) -> str:
        """Add `?t=SECONDS` to open it at a place."""
        return f"https://youtu.be/{self.video_id}"


def is_youtube(url: str) -> bool:
    try:
        host = (urlsplit(url.strip()).hostname or "").lower()
    except ValueError:
        return False
    return any(host == site or host.endswith(f".{site}") for site in SITES)


def video_id_of(url: str) -> str:
    """The id in any form of a video's address. Raises InvalidInput `youtube_not_a_video` for other pages of the site."""
    try:
        wanted = _named_id(url)
    except ValueError:
        wanted = ""
    if not VIDEO_ID.fullmatch(wanted) or wanted in NOT_VIDEOS:
        raise InvalidInput(
            "This is an address of YouTube, but not of a video. Open the video and copy its address.",
            code="youtube_not_a_video",
        )
    return wanted


def _named_id(url: str) -> str:
    """What stands where an id stands; empty when nothing does."""
    parts = urlsplit(url.strip())
    asked = parse_qs(parts.query)
    path = [part for part in parts.path.split("/") if part]
    if (parts.hostname or "").lower().endswith("youtu.be"):
        return path[0] if path else ""
    if path == ["watch"]:
        return asked.get("v", [""])[0]
    if path == ["attribution_link"]:
        return _named_id(urljoin("https://www.youtube.com/", asked.get("u", [""])[0]))
    return path[1] if len(path) > 1 and path[0] in WITH_ID | {"watch"} else ""


async def captions_of(video_id: str, fetcher: Fetcher) -> Captions:
    """Captions in the language that is spoken, those made by people before those made by a machine.

    Raises NotFound youtube_not_found, InvalidInput (youtube_no_captions, youtube_private, youtube_age_restricted),
    Unavailable (youtube_blocked, youtube_unreachable).
    """
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(SECONDS):
            about = await _about(video_id, fetcher)
            found = await asyncio.to_thread(_transcript, video_id, fetcher, loop)
    except TimeoutError as error:
        raise _unreachable() from error
    except LyceumError as error:
        if error.code.startswith("youtube_") or error.kind is not Kind.UNAVAILABLE:
            raise
        raise _unreachable() from error
    if not found.snippets:
        raise _no_captions()
    return Captions(
        video_id=video_id,
        title=about.get("title") or f"YouTube video {video_id}",
        author=about.get("author_name"),
        vtt=as_webvtt(found).encode(),
    )


async def _about(video_id: str, fetcher: Fetcher) -> dict[str, str]:
    """Title and author by oEmbed (https://oembed.com); nothing where the video may not be embedded."""
    watch = quote(f"https://www.youtube.com/watch?v={video_id}", safe="")
    answer = await fetcher.get(
        f"https://www.youtube.com/oembed?format=json&url={watch}", limit=LARGEST, ask=Ask(any_status=True)
    )
    try:
        about = json.loads(answer.body) if answer.status == 200 else {}
    except ValueError:
        return {}
    return (
        {name: value for name, value in about.items() if isinstance(value, str)}
        if isinstance(about, dict)
        else {}
    )


def _transcript(video_id: str, fetcher: Fetcher, loop: asyncio.AbstractEventLoop) -> "FetchedTranscript":
    """Runs in a thread; its requests run in the loop."""
    # The library brings `requests` and its parser: only who adds a video pays for them.
    from youtube_transcript_api import CouldNotRetrieveTranscript, YouTubeTranscriptApi  # noqa: PLC0415

    try:
        listed = YouTubeTranscriptApi(http_client=_session(fetcher, loop)).list(video_id)
        fetched: FetchedTranscript = chosen(listed).fetch()
    except CouldNotRetrieveTranscript as error:
        raise _refusal(type(error).__name__) from error
    except (ParseError, LookupError, TypeError, ValueError, AttributeError) as error:
        # YouTube answered something that is neither captions nor one of its usual refusals.
        raise _refusal("YouTubeDataUnparsable") from error
    return fetched


def chosen(listed: "TranscriptList") -> Any:
    """The spoken language is that of the automatic captions; without any, it is that of the first track."""
    tracks = list(listed)
    spoken = next((t.language_code for t in tracks if t.is_generated), None)
    same = [t for t in tracks if spoken and t.language_code.split("-")[0] == spoken.split("-")[0]]
    for track in sorted(same, key=lambda t: t.is_generated) or tracks:
        return track
    raise _no_captions()


def as_webvtt(found: "FetchedTranscript") -> str:
    """https://www.w3.org/TR/webvtt1/ with the header lines that YouTube's own files have."""
    lines = ["WEBVTT", "Kind: captions", f"Language: {found.language_code}", ""]
    snippets = list(found.snippets)
    for snippet, following in zip(snippets, [*snippets[1:], None], strict=True):
        text = " ".join(snippet.text.split())
        end = snippet.start + snippet.duration
        if following is not None and following.start > snippet.start:
            end = min(end, following.start)
        if text and end > snippet.start:
            escaped = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
            lines += [f"{_clock(snippet.start)} --> {_clock(end)}", escaped, ""]
    return "\n".join(lines)


def _clock(seconds: float) -> str:
    milliseconds = round(seconds * 1000)
    minutes, rest = divmod(milliseconds, 60_000)
    return f"{minutes // 60:02}:{minutes % 60:02}:{rest // 1000:02}.{rest % 1000:03}"


# --- requests of the library, through the fetcher


def _session(fetcher: Fetcher, loop: asyncio.AbstractEventLoop) -> "Session":
    from requests import PreparedRequest, Response, Session  # noqa: PLC0415 - see above
    from requests.adapters import BaseAdapter  # noqa: PLC0415
    from requests.structures import CaseInsensitiveDict  # noqa: PLC0415

    deadline = time.monotonic() + SECONDS

    class Guarded(BaseAdapter):
        """Sends what the library asks through the fetcher."""

        def send(self, request: PreparedRequest, *args: Any, **kwargs: Any) -> Response:
            asked = asyncio.run_coroutine_threadsafe(_ask(fetcher, request), loop)
            try:
                answer = asked.result(max(0.0, deadline - time.monotonic()))
            except TimeoutError as error:
                asked.cancel()
                raise _unreachable() from error
            response = Response()
            response.status_code, response.url, response.request = answer.status, answer.url, request
            response.headers = CaseInsensitiveDict({"Content-Type": answer.media_type})
            response.encoding = answer.charset or "utf-8"
            response.raw = io.BytesIO(answer.body)
            return response

        def close(self) -> None:
            """Nothing is kept open."""

    session = Session()
    session.trust_env = False
    session.adapters.clear()
    session.mount("https://", Guarded())
    return session


async def _ask(fetcher: Fetcher, request: Any) -> Fetched:
    _check_host(request.url)
    headers = {name: request.headers[name] for name in FORWARDED if name in request.headers}
    body = request.body.encode() if isinstance(request.body, str) else request.body
    answer = await fetcher.get(
        request.url, limit=LARGEST, ask=Ask(request.method, headers, body, any_status=True)
    )
    _check_host(answer.url)
    return answer


def _check_host(url: str) -> None:
    if urlsplit(url).hostname not in HOSTS:
        raise _refusal("YouTubeDataUnparsable")


# --- refusals

_GONE = "There is no video at this address, or it was removed."
_REFUSALS: dict[str, tuple[type[LyceumError], str, str]] = {
    "VideoUnavailable": (NotFound, "youtube_not_found", _GONE),
    "InvalidVideoId": (NotFound, "youtube_not_found", _GONE),
    "VideoUnplayable": (InvalidInput, "youtube_private", f"This video is private or not shown everywhere, so its captions cannot be read. {INSTEAD}"),
    "AgeRestricted": (InvalidInput, "youtube_age_restricted", f"YouTube shows this video only to people who are signed in. {INSTEAD}"),
    "TranscriptsDisabled": (InvalidInput, "youtube_no_captions", f"This video has no captions. {INSTEAD}"),
    "NoTranscriptFound": (InvalidInput, "youtube_no_captions", f"This video has no captions. {INSTEAD}"),
}  # fmt: skip
_BLOCKED = f"YouTube does not give the captions of this video to this server. {INSTEAD}"


def _refusal(name: str) -> LyceumError:
    """By the name of the library's error; what is not listed means that YouTube does not let us."""
    kind, code, sentence = _REFUSALS.get(name, (Unavailable, "youtube_blocked", _BLOCKED))
    return kind(sentence, code=code)


def _no_captions() -> LyceumError:
    return _refusal("NoTranscriptFound")


def _unreachable() -> Unavailable:
    return Unavailable(
        f"YouTube cannot be reached from here, so the captions of this video cannot be read. {INSTEAD}",
        code="youtube_unreachable",
    )
