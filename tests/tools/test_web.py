"""Web pages, files and videos by their address: add_web_page over servers on loopback, and a stand-in for YouTube."""

import asyncio
import json
from collections.abc import AsyncGenerator, Collection
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.errors import LyceumError, Unavailable
from storage.files import Stored
from storage.resources import Storage
from tests.data import textbook_pages
from tests.tools.web_servers import Web, page, redirect, web_server
from tests.work import call, run_job
from tools.catalog import CATALOG
from tools.context import Principal
from tools.executor import Executor
from tools.web.fetch import PAGE, Ask, Fetcher, Fetching
from tools.web.readable import readable_part
from tools.web.youtube import Captions, captions_of, is_youtube, video_id_of

ARTICLE = """<!doctype html><html lang="en-GB"><head><title>Tides - Sea Wiki</title><meta name="author" content="Jane Roe">
<meta property="og:site_name" content="Sea Wiki"><script>track()</script></head><body>
<nav><a href="/">Home</a> <a href="/login">Log in</a></nav>
<article><h1>Tides</h1><p>Tides are the rise and fall of sea levels caused by the <a href="/g">gravity</a> of the Moon
and the Sun, and by the rotation of the Earth. They differ from place to place and from day to day.</p>
<h2>Kinds</h2><p>There are two kinds that every sailor knows, and each of them comes twice in a month:</p>
<ol><li>Spring tides, when the three bodies stand in one line.</li><li>Neap tides, when they form a right angle.</li></ol>
<h2>Measured</h2><p>These are the ranges that were measured in the spring of last year at three harbours.</p>
<table><tr><th>Harbour</th><th>Range</th></tr><tr><td>Saint-Malo</td><td>12.2 m</td></tr><tr><td>Cuxhaven</td><td>3.3 m</td></tr></table>
<p>The period is <span class="mwe-math-element"><math alttext="T=12.42\\,h"><mi>T</mi></math><img alt="x"></span> and the code is:</p>
<pre><code>def next_high(t):
    return t + 12.42
</code></pre></article>
<aside>Buy a boat now! Cheap boats!</aside><footer>Cookie settings</footer></body></html>"""


@asynccontextmanager
async def student_on(web: Web, storage: Storage, who: Principal) -> AsyncGenerator[Executor]:
    """The tools for a student with a class, over this web."""
    executor = Executor(CATALOG, storage, fetcher=web.fetcher())
    await call(executor, who, "create_class", name="Sea")
    yield executor


async def add(executor: Executor, who: Principal, url: str, **more: str) -> Any:
    return await call(executor, who, "add_web_page", class_id="Sea", url=url, **more)


async def original(storage: Storage, who: Principal, material_id: str) -> bytes:
    async with storage.as_user(who.user_id, read_only=True) as db:
        material = await db.materials.by_id(UUID(material_id))
        assert material is not None
        file = await db.materials.file(material.file_id or UUID(int=0))
    assert file is not None
    stored = Stored(file.size_bytes, file.sha256)
    return b"".join([part async for part in storage.files.read_whole(file.object_key, stored)])


async def test_the_readable_part_of_a_page_becomes_searchable(storage: Storage, student: Principal) -> None:
    async with web_server({"/tides": page(ARTICLE), "/t": redirect("/tides")}) as web:
        async with student_on(web, storage, student) as executor:
            taken = await add(executor, student, web.url("/t"))
            assert (taken["title"], taken["source_url"], taken["duplicate"]) == (
                "Tides",
                web.url("/tides"),
                False,
            )
            await run_job(storage, student, UUID(taken["job_id"]))
            material = await call(executor, student, "get_material", material_id=taken["material_id"])
            assert material["kind"] == "web_page"
            assert material["status"] in ("searchable", "ready")
            read = await call(executor, student, "read_material", material_id="Tides")
            found = await call(executor, student, "search_materials", query="neap tides right angle")
    text = "\n".join(segment["text"] for segment in read["segments"])
    assert "Neap tides" in found["hits"][0]["text"]
    for kept in (
        "caused by the gravity of the Moon",
        "| Saint-Malo | 12.2 m |",
        "T=12.42",
        "return t + 12.42",
    ):
        assert kept in text, text
    for dropped in ("Log in", "Cheap boats", "Cookie", "track()"):
        assert dropped not in text
    async with storage.as_user(student.user_id, read_only=True) as db:
        row = await db.materials.by_id(UUID(taken["material_id"]))
    assert row is not None
    assert (row.author, row.source_url) == ("Jane Roe", web.url("/tides"))


async def test_structure_and_words_of_a_page_are_kept() -> None:
    found = await readable_part(ARTICLE, "https://sea.test/tides")
    assert (found.title, found.author, found.language, found.site) == (
        "Tides",
        "Jane Roe",
        "en-GB",
        "Sea Wiki",
    )
    assert found.html.startswith('<!DOCTYPE html>\n<html lang="en-GB">')
    for kept in (
        "<h1>Tides</h1>",
        "<h2>Kinds</h2>",
        "<ol><li>Spring",
        "<th>Harbour</th>",
        "$T=12.42\\,h$",
        "<pre><code>def",
    ):
        assert kept in found.html
    assert "<a " not in found.html
    assert "<img" not in found.html


async def test_the_same_page_again_is_the_same_material_and_said_so(
    storage: Storage, student: Principal
) -> None:
    async with web_server({"/tides": page(ARTICLE)}) as web:
        async with student_on(web, storage, student) as executor:
            first = await add(executor, student, web.url("/tides"))
            # Another advertisement and another token: the text is the same.
            web.answers["/tides"] = page(
                ARTICLE.replace("Cheap boats!", "Cheaper boats!").replace("track()", "track(7)")
            )
            again = await add(executor, student, web.url("/tides"), title="Ebb and flow")
    assert again["material_id"] == first["material_id"]
    assert (first["duplicate"], again["duplicate"]) == (False, True)


async def test_the_address_of_a_file_adds_the_file(storage: Storage, student: Principal) -> None:
    book, png = textbook_pages(0, 0), b"\x89PNG\r\n\x1a\n" + bytes(500)
    answers = {
        "/papers/reader.pdf?v=2": page(book, "application/pdf"),
        "/download": page(
            book + b"\n", "application/octet-stream", Content_Disposition='attachment; filename="w 3.pdf"'
        ),
        "/board.png": page(png, "image/png"),
        "/notes": page("Plain words.", "text/plain; charset=utf-8"),
    }
    async with web_server(answers) as web:
        async with student_on(web, storage, student) as executor:
            found = {}
            for path in answers:
                taken = await add(executor, student, web.url(path))
                material = await call(executor, student, "get_material", material_id=taken["material_id"])
                found[path] = (material["title"], material["kind"])
                body = answers[path].split(b"\r\n\r\n", 1)[1]
                assert await original(storage, student, taken["material_id"]) == body
    assert found == {
        "/papers/reader.pdf?v=2": ("reader", "textbook"), "/download": ("w 3", "textbook"),
        "/board.png": ("board", "photo"), "/notes": ("notes", "text"),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("body", "media_type", "code"),
    [
        ('<html><body><div id="root">Loading</div><script src="app.js"></script></body></html>', "text/html", "page_without_text"),
        ("<html><body></body></html>", "text/html", "page_without_text"),
        ("", "text/html", "page_without_text"),
        ("\x00\x01<<<>>>&&&", "text/html", "page_without_text"),
        ("{}", "application/json", "unsupported_media_type"),
        (b"\x7fELF" + bytes(100), "application/pdf", "unsupported_type"),
        (b"", "application/pdf", "empty_file"),
        (b"x" * (9 << 20), "text/html", "page_too_large"),
    ],
)  # fmt: skip
async def test_what_has_no_text_is_a_clear_refusal_that_leaves_nothing(
    storage: Storage, student: Principal, body: bytes | str, media_type: str, code: str
) -> None:
    async with web_server({"/": page(body, media_type)}) as web:
        async with student_on(web, storage, student) as executor:
            with pytest.raises(LyceumError) as refused:
                await add(executor, student, web.url("/"))
            listed = await call(executor, student, "list_materials")
    assert (refused.value.code, listed["total"]) == (code, 0)
    assert str(refused.value)[-1] == "."
    assert not [key async for key in storage.files.keys(f"users/{student.user_id}/")]


async def test_a_page_that_no_parser_gets_through_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tools.web.readable.MAX_SECONDS", 0.05)
    with pytest.raises(LyceumError) as refused:
        await readable_part(ARTICLE, "https://sea.test/")
    assert refused.value.code == "page_too_complex"


async def test_old_encodings_are_read(storage: Storage, student: Principal) -> None:
    german = ARTICLE.replace("Tides are", "Ebbe und Flut, größer als gewöhnlich, are")
    russian = ARTICLE.replace("Tides are", "Прилив и отлив are")
    declared = russian.replace("<head>", '<head><meta charset="windows-1251">')
    answers = {
        "/latin": page(german.encode("latin-1"), "text/html; charset=ISO-8859-1"),
        "/cyrillic": page(declared.encode("cp1251"), "text/html"),
    }
    async with web_server(answers) as web:
        async with student_on(web, storage, student) as executor:
            latin = await original(
                storage, student, (await add(executor, student, web.url("/latin")))["material_id"]
            )
            cyrillic = await original(
                storage, student, (await add(executor, student, web.url("/cyrillic")))["material_id"]
            )
    assert "größer als gewöhnlich" in latin.decode()
    assert "Прилив и отлив" in cyrillic.decode()


async def test_nothing_is_fetched_for_a_class_that_is_not_there(
    storage: Storage, student: Principal, stranger: Principal
) -> None:
    async with web_server({"/": page(ARTICLE)}) as web:
        async with student_on(web, storage, student) as executor:
            with pytest.raises(LyceumError) as refused:
                await add(executor, stranger, web.url("/"))
    assert refused.value.code == "class_not_found"
    assert web.asked == []


async def test_private_addresses_are_not_opened_by_the_tool(executor: Executor, student: Principal) -> None:
    await call(executor, student, "create_class", name="Sea")
    for url in (executor.storage.settings.vector_url or "", "http://127.0.0.1:80/", "http://localhost/admin"):
        with pytest.raises(LyceumError) as refused:
            await add(executor, student, url.removeprefix("chroma+"))
        assert refused.value.code in ("address_not_public", "invalid_url")


# --- YouTube

ID = "dQw4w9WgXcQ"


@pytest.mark.parametrize(
    "url",
    [
        f"https://www.youtube.com/watch?v={ID}", f"http://youtube.com/watch?feature=share&v={ID}&t=42s", f"https://youtu.be/{ID}",
        f"https://youtu.be/{ID}?t=90&si=abc", f"https://m.youtube.com/watch?v={ID}&list=PL123", f"https://www.youtube.com/embed/{ID}",
        f"https://www.youtube-nocookie.com/embed/{ID}?rel=0", f"https://www.youtube.com/shorts/{ID}", f"https://youtube.com/live/{ID}?x=1",
        f"https://www.youtube.com/v/{ID}", f"https://music.youtube.com/watch?v={ID}", f"https://www.youtube.com/watch/{ID}",
        f"https://www.youtube.com/attribution_link?a=x&u=%2Fwatch%3Fv%3D{ID}%26feature%3Dshare", f"  HTTPS://YOUTU.BE/{ID}  ",
    ],
)  # fmt: skip
def test_every_form_of_a_videos_address_is_known(url: str) -> None:
    assert is_youtube(url)
    assert video_id_of(url) == ID


@pytest.mark.parametrize(
    "url",
    ["https://www.youtube.com/", "https://www.youtube.com/@channel", "https://www.youtube.com/playlist?list=PL1", "https://youtu.be/",
     "https://www.youtube.com/watch?v=short", "https://www.youtube.com/embed/videoseries", "https://www.youtube.com/attribution_link"],
)  # fmt: skip
def test_other_pages_of_youtube_are_refused(url: str) -> None:
    assert is_youtube(url)
    with pytest.raises(LyceumError) as refused:
        video_id_of(url)
    assert refused.value.code == "youtube_not_a_video"


@given(st.from_regex(r"\A[A-Za-z0-9_-]{11}\Z"))
def test_every_id_is_found_in_its_own_address(video_id: str) -> None:
    assert video_id_of(Captions(video_id, "", None, b"").url) == video_id


def test_names_that_only_look_like_youtube_are_other_sites() -> None:
    for url in (
        "https://youtube.com.evil.test/watch?v=x",
        "https://notyoutube.com/",
        "https://evil.test/youtube.com",
        "youtu.be/x",
    ):
        assert not is_youtube(url)


class YouTube(Fetcher):
    """Stands in for YouTube's answers: by the part of the address that names them."""

    def __init__(self, **answers: Any) -> None:
        super().__init__()
        self.asked: list[str] = []
        self._answers = {"watch": WATCH, "player": player(), "timedtext": TIMED, "oembed": ABOUT, **answers}

    @asynccontextmanager
    async def open(
        self, url: str, *, limit: int, accept: Collection[str] = (), ask: Ask = PAGE
    ) -> AsyncGenerator[Fetching]:
        self.asked.append(url)
        name = next(name for name in ("oembed", "timedtext", "player", "watch") if name in url)
        answer = self._answers[name]
        if isinstance(answer, LyceumError):
            raise answer
        status, body = answer if isinstance(answer, tuple) else (200, answer)

        async def parts() -> AsyncGenerator[bytes]:
            yield (body if isinstance(body, str) else json.dumps(body)).encode()

        yield Fetching(url, status, "text/html", "utf-8", "", parts())


WATCH = '<html>"INNERTUBE_API_KEY": "key_1"</html>'
ABOUT = {"title": "Waves & tides", "author_name": "Prof. Sea"}
TIMED = (
    '<?xml version="1.0" encoding="utf-8" ?><transcript><text start="0.5" dur="4.2">Welcome to the lecture</text>'
    '<text start="3.1" dur="2">on waves &amp;amp; tides,\nif a &amp;lt; b.</text><text start="3725.75" dur="1.25">The end</text></transcript>'
)


def track(language: str, *, generated: bool = False) -> dict[str, Any]:
    base = f"https://www.youtube.com/api/timedtext?lang={language}{'&kind=asr' if generated else ''}"
    return {
        "baseUrl": base,
        "name": {"runs": [{"text": language}]},
        "languageCode": language,
        "kind": "asr" if generated else "",
    }


def player(*tracks: dict[str, Any], status: str = "OK", reason: str = "") -> dict[str, Any]:
    listed = {"captionTracks": list(tracks or (track("en"),))}
    return {
        "playabilityStatus": {"status": status, "reason": reason},
        "captions": {"playerCaptionsTracklistRenderer": listed},
    }


async def test_captions_of_a_video_become_a_material_with_times(storage: Storage, student: Principal) -> None:
    executor = Executor(CATALOG, storage, fetcher=YouTube())
    await call(executor, student, "create_class", name="Sea")
    taken = await add(executor, student, f"https://www.youtube.com/watch?v={ID}&t=90s")
    assert (taken["title"], taken["source_url"]) == ("Waves & tides", f"https://youtu.be/{ID}")
    assert (await original(storage, student, taken["material_id"])).decode() == (
        "WEBVTT\nKind: captions\nLanguage: en\n\n00:00:00.500 --> 00:00:03.100\nWelcome to the lecture\n\n"
        "00:00:03.100 --> 00:00:05.100\non waves &amp; tides, if a &lt; b.\n\n01:02:05.750 --> 01:02:07.000\nThe end\n"
    )
    again = await add(executor, student, f"https://youtu.be/{ID}")
    assert (again["material_id"], again["duplicate"]) == (taken["material_id"], True)
    material = await call(executor, student, "get_material", material_id=taken["material_id"])
    assert material["kind"] == "recording"


@pytest.mark.parametrize(
    ("tracks", "wanted"),
    [
        ([track("fr"), track("de"), track("de", generated=True)], "lang=de"),
        ([track("en"), track("de", generated=True)], "lang=de&kind=asr"),
        ([track("en-US", generated=True), track("en-GB")], "lang=en-GB"),
        ([track("pt"), track("en")], "lang=pt"),
    ],
)
async def test_the_spoken_language_comes_first_and_people_before_machines(
    tracks: list[dict[str, Any]], wanted: str
) -> None:
    youtube = YouTube(player=player(*tracks))
    await captions_of(ID, youtube)
    assert youtube.asked[-1].endswith(wanted)


@pytest.mark.parametrize(
    ("answers", "code"),
    [
        ({"player": {"playabilityStatus": {"status": "OK"}}}, "youtube_no_captions"),
        ({"timedtext": "<transcript></transcript>"}, "youtube_no_captions"),
        ({"player": player(status="ERROR", reason="This video is unavailable")}, "youtube_not_found"),
        ({"player": player(status="LOGIN_REQUIRED", reason="This is a private video.")}, "youtube_private"),
        ({"player": player(status="LOGIN_REQUIRED", reason="This video may be inappropriate for some users.")}, "youtube_age_restricted"),
        ({"player": player(status="LOGIN_REQUIRED", reason="Sign in to confirm you’re not a bot")}, "youtube_blocked"),
        ({"watch": (429, "slow down")}, "youtube_blocked"),
        ({"watch": '<form class="g-recaptcha">'}, "youtube_blocked"),
        ({"watch": (500, "oops")}, "youtube_blocked"),
        ({"timedtext": ""}, "youtube_blocked"),
        ({"player": {"playabilityStatus": {"status": "OK"}, "captions": {"playerCaptionsTracklistRenderer": {"captionTracks": [{}]}}}}, "youtube_blocked"),
        ({"player": player({**track("en"), "baseUrl": "https://evil.test/timedtext"})}, "youtube_blocked"),
        ({"oembed": Unavailable("no network", code="host_not_found")}, "youtube_unreachable"),
        ({"watch": Unavailable("no network", code="page_timeout")}, "youtube_unreachable"),
    ],
)  # fmt: skip
async def test_captions_that_cannot_be_had_are_a_refusal_that_says_what_to_do(
    answers: dict[str, Any], code: str
) -> None:
    youtube = YouTube(**answers)
    with pytest.raises(LyceumError) as refused:
        await captions_of(ID, youtube)
    assert refused.value.code == code
    assert "upload the recording itself" in str(refused.value).lower() or code == "youtube_not_found"
    assert not [url for url in youtube.asked if "evil.test" in url]


async def test_a_video_that_may_not_be_embedded_has_a_title_all_the_same() -> None:
    found = await captions_of(ID, YouTube(oembed=(401, "Unauthorized")))
    assert (found.title, found.author) == (f"YouTube video {ID}", None)


async def test_youtube_that_does_not_answer_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    class Silent(YouTube):
        @asynccontextmanager
        async def open(
            self, url: str, *, limit: int, accept: Collection[str] = (), ask: Ask = PAGE
        ) -> AsyncGenerator[Fetching]:
            await asyncio.sleep(3)
            async with super().open(url, limit=limit, accept=accept, ask=ask) as answer:
                yield answer

    monkeypatch.setattr("tools.web.youtube.SECONDS", 0.2)
    with pytest.raises(LyceumError) as refused:
        await captions_of(ID, Silent())
    assert refused.value.code == "youtube_unreachable"
