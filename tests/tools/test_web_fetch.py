"""The guarded fetcher against real servers on loopback, which only the test's own allow-list opens."""

import asyncio
import gzip
import ssl
import subprocess
import zlib
from collections.abc import Callable
from contextlib import suppress
from ipaddress import IPv4Address, IPv4Network, IPv6Address
from pathlib import Path

import httpcore
import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.errors import InvalidInput, LyceumError
from tests.tools.web_servers import Answer, page, redirect, web_server, zipped
from tools.web.addresses import is_public
from tools.web.decoding import PIECE, Decoder
from tools.web.fetch import PAGE, Fetcher, _answer, checked_url
from tools.web.youtube import is_youtube, video_id_of

MB = 1 << 20


async def code_of(fetcher: Fetcher, url: str, limit: int = MB, accept: tuple[str, ...] = ()) -> str:
    """The code of the refusal; every refusal is a sentence."""
    with pytest.raises(LyceumError) as refused:
        await fetcher.get(url, limit=limit, accept=accept)
    assert str(refused.value).endswith(".")
    assert "127.0.0.1" not in str(refused.value)
    return refused.value.code


async def test_a_page_comes_with_its_type_and_from_where() -> None:
    async with web_server({"/a?b=1": page("Grüße", "Text/HTML; Charset=UTF-8")}) as web:
        found = await web.fetcher().get(web.url("/a?b=1#part"), limit=MB)
    assert (found.body.decode(), found.media_type, found.charset) == ("Grüße", "text/html", "utf-8")
    assert (found.url, found.status) == (web.url("/a?b=1"), 200)
    assert f"Host: site.test:{web.port}\r\n" in web.asked[0]
    assert "Cookie" not in web.asked[0]
    assert "Referer" not in web.asked[0]


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1", "localhost", "0.0.0.0", "[::1]", "[::]", "[::ffff:127.0.0.1]", "2130706433", "0x7f000001",
        "0177.0.0.1", "127.1", "0", "169.254.169.254", "10.0.0.1", "[fd00:ec2::254]", "100.100.100.200",
    ],
)  # fmt: skip
async def test_no_spelling_of_a_private_address_is_opened(host: str) -> None:
    """As in production: the system's resolver, and no allow-list."""
    assert await code_of(Fetcher(), f"http://{host}/") in ("address_not_public", "invalid_url")


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.53", "10.1.2.3", "172.31.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "100.127.255.255",
        "0.0.0.0", "224.0.0.1", "240.0.0.1", "255.255.255.255", "192.0.0.192", "198.18.0.1", "203.0.113.9",
        "168.63.129.16", "::1", "::", "fe80::1", "fe80::1%eth0", "fec0::1", "fc00::1", "ff02::1", "2001:db8::1",
        "::ffff:10.0.0.1", "::ffff:0:10.0.0.1", "::10.0.0.1", "2002:0a00:0001::1", "64:ff9b::a00:1", "64:ff9b:1::1",
        "2001:0:53aa:64c::1", "100::1", "3fff::1", "5f00::1", "not an address", "",
    ],
)  # fmt: skip
def test_special_addresses_are_not_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize(
    "address",
    ["1.1.1.1", "93.184.216.34", "172.32.0.1", "100.128.0.1", "223.255.255.255", "2606:4700::1111", "2a00:1450:4001::1",
     "::ffff:1.1.1.1", "64:ff9b::101:101", "2002:101:101::1"],
)  # fmt: skip
def test_addresses_of_the_internet_are_public(address: str) -> None:
    assert is_public(address)


@given(st.ip_addresses(v=4))
def test_an_address_inside_another_is_as_public_as_it_is_alone(address: IPv4Address) -> None:
    number = int(address)
    carried = [
        IPv6Address((0xFFFF << 32) | number),
        IPv6Address((0x64FF9B << 96) | number),
        IPv6Address((0x2002 << 112) | (number << 80) | 1),
    ]
    assert {is_public(str(each)) for each in carried} == {is_public(str(address))}
    if not address.is_global and address not in IPv4Network("192.0.0.0/24"):
        assert not is_public(str(address))


async def test_a_name_with_any_private_address_is_not_opened() -> None:
    async with web_server({"/": page("secret")}) as web:
        web.names["mixed.test"] = ["127.0.0.1 10.0.0.1"]
        web.names["zone.test"] = ["fe80::1%1"]
        web.names["empty.test"] = [""]
        fetcher = web.fetcher()
        assert await code_of(fetcher, web.url("/", "mixed.test")) == "address_not_public"
        assert await code_of(fetcher, web.url("/", "zone.test")) == "address_not_public"
        assert await code_of(fetcher, web.url("/", "empty.test")) == "host_not_found"
        assert await code_of(fetcher, web.url("/", "nowhere.test")) == "host_not_found"
        # The allow-list of a test opens one port of one address, not loopback.
        assert (
            await code_of(Fetcher(allow=[("127.0.0.1", web.port + 1)]), web.url("/", "127.0.0.1"))
            == "invalid_url"
        )
        assert (
            await code_of(Fetcher(allow=[("127.0.0.2", web.port)]), web.url("/", "127.0.0.1"))
            == "address_not_public"
        )
    assert web.asked == []


async def test_a_name_that_changes_its_address_gains_nothing() -> None:
    """DNS rebinding: the first answer may be opened (here by the allow-list), the next one is private."""
    async with web_server({"/": page("first"), "/away": redirect("/")}) as web:
        web.names["rebind.test"] = ["127.0.0.1", "127.0.0.2"]
        found = await web.fetcher().get(web.url("/", "rebind.test"), limit=MB)
        assert (found.body, web.resolved) == (b"first", ["rebind.test"])
        web.names["rebind.test"] = ["127.0.0.1", "127.0.0.2"]
        assert await code_of(web.fetcher(), web.url("/away", "rebind.test")) == "address_not_public"
        assert len(web.asked) == 2


async def test_redirects_are_followed_only_to_what_could_be_asked_directly() -> None:
    async with web_server({"/end": page("arrived")}) as web:
        web.answers |= {
            "/relative": redirect("end"),
            "/other": redirect(web.url("/end", "other.test"), "308 Permanent Redirect"),
            "/loopback": redirect("http://127.0.0.1/"),
            "/metadata": redirect("http://169.254.169.254/latest/meta-data/"),
            "/port": redirect("http://site.test:6379/"),
            "/user": redirect(f"http://me:secret@site.test:{web.port}/end"),
            "/file": redirect("file:///etc/passwd"),
            "/gopher": redirect("gopher://site.test/"),
            "/bracket": redirect("http://[/"),
            "/round": redirect("/round"),
            "/nowhere": page("", status="302 Found"),
        }
        fetcher = web.fetcher()
        assert (await fetcher.get(web.url("/relative"), limit=MB)).body == b"arrived"
        assert (await fetcher.get(web.url("/other"), limit=MB)).url == web.url("/end", "other.test")
        codes = {
            path: await code_of(fetcher, web.url(path))
            for path in web.answers
            if path not in ("/end", "/relative", "/other")
        }
    assert codes == {
        "/loopback": "address_not_public", "/metadata": "address_not_public", "/port": "invalid_url", "/user": "invalid_url",
        "/file": "invalid_url", "/gopher": "invalid_url", "/bracket": "invalid_url", "/round": "too_many_redirects", "/nowhere": "page_failed",
    }  # fmt: skip
    assert len([head for head in web.asked if "/round" in head]) == 6


@pytest.mark.parametrize(
    "url",
    [
        "ftp://site.test/", "file:///etc/passwd", "javascript:alert(1)", "//site.test/", "site.test", "", "http://", "http:///a",
        "http://user@site.test/", "http://user:pass@site.test/", "http://site.test:22/", "http://site.test:99999/",
        "http://site.test/\r\nX: y", "http://" + "a" * 5000, "http://[::1", "http://exa mple.org/", "data:text/html,hi",
    ],
)  # fmt: skip
def test_what_is_no_address_of_a_page_is_refused(url: str) -> None:
    with pytest.raises(LyceumError) as refused:
        checked_url(url)
    assert refused.value.code == "invalid_url"


def test_addresses_are_brought_into_one_form() -> None:
    assert (
        str(checked_url("  HTTPS://Bücher.Example/ä?q=ö#teil "))
        == "https://xn--bcher-kva.example/%C3%A4?q=%C3%B6"
    )


async def test_a_body_beyond_the_limit_is_not_read_to_its_end() -> None:
    sent = 0

    async def endless(writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n")
        while sent < 1000 * MB:
            writer.write(b"x" * 65536)
            await writer.drain()
            sent += 65536

    async with web_server({"/endless": endless, "/announced": page(b"x" * 2 * MB)}) as web:
        assert await code_of(web.fetcher(), web.url("/endless")) == "page_too_large"
        assert await code_of(web.fetcher(), web.url("/announced")) == "page_too_large"
    assert sent < 30 * MB


async def test_a_bomb_is_stopped_after_its_first_megabytes() -> None:
    bomb = zipped(bytes(80 * MB))
    assert len(bomb) < MB
    async with web_server({"/bomb": bomb}) as web:
        assert await code_of(web.fetcher(), web.url("/bomb"), limit=4 * MB) == "page_too_large"
    largest = max(map(len, Decoder("gzip").feed(gzip.compress(bytes(2 * MB)))))
    assert largest <= PIECE


async def test_packed_pages_are_unpacked_and_damaged_ones_refused() -> None:
    text = b"The same words. " * 5000
    packed = gzip.compress(text)
    async with web_server(
        {
            "/gzip": zipped(text),
            "/deflate": page(zlib.compress(text), Content_Encoding="deflate"),
            "/raw": page(zlib.compress(text)[2:-4], Content_Encoding="deflate"),
            "/cut": page(packed[:-20], Content_Encoding="gzip"),
            "/not": page(text, Content_Encoding="gzip"),
            "/br": page(text, Content_Encoding="br"),
        }
    ) as web:
        for path in ("/gzip", "/deflate", "/raw"):
            assert (await web.fetcher().get(web.url(path), limit=MB)).body == text, path
        for path in ("/cut", "/not", "/br"):
            assert await code_of(web.fetcher(), web.url(path)) == "page_unreadable", path


async def test_a_server_that_takes_its_time_is_left() -> None:
    async def slow_body(writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 1000\r\n\r\n")
        for _ in range(100):
            writer.write(b"x")
            await writer.drain()
            await asyncio.sleep(0.05)

    async def slow_head(writer: asyncio.StreamWriter) -> None:
        for letter in b"HTTP/1.1 200 OK\r\nX: " + b"y" * 80:
            writer.write(bytes([letter]))
            await writer.drain()
            await asyncio.sleep(0.05)

    async def silent(writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(5)

    async def forever(host: str, port: int) -> list[str]:
        await asyncio.sleep(5)
        return []

    loop = asyncio.get_running_loop()
    async with web_server({"/body": slow_body, "/head": slow_head, "/silent": silent}) as web:
        fetcher = web.fetcher(total_seconds=0.5)
        for path in web.answers:
            started = loop.time()
            assert await code_of(fetcher, web.url(path)) == "page_timeout", path
            assert loop.time() - started < 4
        slow_names = Fetcher(resolve=forever, total_seconds=0.3)
        assert await code_of(slow_names, "http://site.test/") == "page_timeout"


async def test_what_is_not_http_is_refused() -> None:
    def raw(data: bytes) -> Answer:
        async def answer(writer: asyncio.StreamWriter) -> None:
            writer.write(data)
            await writer.drain()

        return answer

    ok = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n"
    answers: dict[str, Answer] = {
        "/redis": raw(b"-ERR unknown command\r\n"),
        "/nothing": raw(b""),
        "/headers": raw(ok + b"".join(b"X-%d: %s\r\n" % (n, b"y" * 1000) for n in range(500))),
        "/endless-header": raw(ok + b"X: " + b"y" * 3 * MB),
        "/short": raw(ok + b"Content-Length: 100\r\n\r\nshort"),
        "/chunks": raw(ok + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n"),
    }
    async with web_server(answers) as web:
        for path in answers:
            assert await code_of(web.fetcher(), web.url(path)) == "page_unreachable", path
    assert (
        await code_of(Fetcher(resolve=web.resolve, allow=[("127.0.0.1", web.port)]), web.url("/"))
        == "page_unreachable"
    )


async def test_statuses_and_types_are_answered_in_words() -> None:
    answers = {
        f"/{status}": page("x", status=f"{status} Some")
        for status in (401, 403, 404, 410, 418, 429, 500, 503)
    }
    async with web_server({**answers, "/image": page(b"x", "image/png"), "/none": page(b"x", "")}) as web:
        fetcher = web.fetcher()
        codes = {path: await code_of(fetcher, web.url(path)) for path in answers}
        assert await code_of(fetcher, web.url("/image"), accept=("text/html",)) == "unsupported_media_type"
        assert (await fetcher.get(web.url("/image"), limit=MB, accept=("text/html", "image/"))).body == b"x"
        assert (await fetcher.get(web.url("/none"), limit=MB)).media_type == "application/octet-stream"
    assert codes == {
        "/401": "page_needs_login", "/403": "page_needs_login", "/404": "page_not_found", "/410": "page_not_found",
        "/418": "page_refused", "/429": "page_failed", "/500": "page_failed", "/503": "page_failed",
    }  # fmt: skip


def certificate(folder: Path, name: str) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """For the server of this name, and for a client who trusts it alone."""
    key, cert = folder / "key.pem", folder / "cert.pem"
    asked = [
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:prime256v1",
        "-nodes",
        "-days",
        "2",
    ]
    about = ["-subj", f"/CN={name}", "-addext", f"subjectAltName=DNS:{name}"]
    subprocess.run(
        ["openssl", *asked, *about, "-keyout", str(key), "-out", str(cert)], check=True, capture_output=True
    )
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(cert, key)
    return server, ssl.create_default_context(cafile=str(cert))


async def test_tls_still_checks_the_name_although_a_number_is_connected_to(tmp_path: Path) -> None:
    server, trusting = certificate(tmp_path, "site.test")
    seen: list[str | None] = []
    server.sni_callback = lambda _, name, __: seen.append(name)
    plain = redirect("http://site.test/")
    async with web_server({"/": page("secret"), "/down": plain}, tls=server) as web:
        fetcher = web.fetcher(certificates=trusting)
        url = f"https://site.test:{web.port}"
        assert (await fetcher.get(f"{url}/", limit=MB)).body == b"secret"
        assert await code_of(fetcher, f"{url}/down") == "insecure_redirect"
        assert await code_of(fetcher, f"https://other.test:{web.port}/") == "page_unreachable"
        assert await code_of(web.fetcher(), f"{url}/") == "page_unreachable", "nobody signed this certificate"
    assert seen == ["site.test", "site.test", "other.test", "site.test"]


@given(st.binary(max_size=80), st.binary(max_size=80))
def test_no_header_of_a_server_makes_a_mess(media_type: bytes, disposition: bytes) -> None:
    headers = [(b"Content-Type", media_type), (b"Content-Disposition", b"attachment; " + disposition)]
    answer = _answer(
        checked_url("http://site.test/%00/a%2Fb"), httpcore.Response(200, headers=headers), MB, (), PAGE
    )
    assert answer.media_type == answer.media_type.lower()
    assert isinstance(answer.filename, str)


@given(
    st.text(max_size=60),
    st.sampled_from(["", "http://", "https://youtu.be/", "https://www.youtube.com/attribution_link?u="]),
)
def test_any_text_is_an_address_or_refused(text: str, start: str) -> None:
    for read in (checked_url, video_id_of):
        with suppress(InvalidInput):
            read(start + text)
    is_youtube(start + text)


@given(st.lists(st.binary(max_size=400), max_size=20), st.sampled_from(["gzip", "deflate", "identity"]))
def test_unpacking_does_not_depend_on_how_the_bytes_arrive(parts: list[bytes], encoding: str) -> None:
    whole = b"".join(parts)
    packers: dict[str, Callable[[bytes], bytes]] = {
        "gzip": gzip.compress,
        "deflate": zlib.compress,
        "identity": bytes,
    }
    packed, decoder, found = packers[encoding](whole), Decoder(encoding), b""
    for at in range(0, len(packed), 7):
        found += b"".join(decoder.feed(packed[at : at + 7]))
    if packed:
        decoder.finish()
    assert found == whole
