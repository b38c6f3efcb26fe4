"""Requests to the web on behalf of a user, guarded against reaching anything that is not public (SSRF).

The host is resolved here, every address is checked, and the connection goes to exactly a checked address, so that a name
that changes its address in between (DNS rebinding) gains nothing; TLS and Host still say the name. Every redirect is a
new request with the same checks. No proxies, no cookies, no credentials.
"""

import asyncio
import re
import socket
import ssl
from collections.abc import (
    AsyncGenerator,
    AsyncIterator,
    Awaitable,
    Callable,
    Collection,
    Generator,
    Iterable,
    Mapping,
)
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from email.message import Message
from functools import cache
from pathlib import PurePosixPath
from urllib.parse import unquote, urljoin

import httpcore
import httpx

from storage.errors import InvalidInput, LyceumError, NotFound, TooLarge, Unavailable
from tools.web.addresses import is_public
from tools.web.decoding import ACCEPTED, Decoder

Resolver = Callable[[str, int], Awaitable[list[str]]]
"""Host and port → all its addresses. Raises OSError for a name that does not exist."""

MAX_REDIRECTS = 5
MAX_URL = 4096
CONNECT_SECONDS, READ_SECONDS, TOTAL_SECONDS = 5.0, 10.0, 20.0
HOST = re.compile(rb"[a-z0-9._-]+|[0-9a-f:.]+")
"""A name in ASCII, or an address of version 6 without a zone."""
PORTS = {"http": 80, "https": 443}
REDIRECTS = frozenset({301, 302, 303, 307, 308})
USER_AGENT = "Mozilla/5.0 (compatible; Lyceum study assistant)"
"""Names us, in the form without which some servers answer nobody."""
MB = 1 << 20


@dataclass(frozen=True, slots=True)
class Fetched:
    """A whole answer. `url`: where it came from in the end, after redirects."""

    url: str
    status: int
    media_type: str
    charset: str | None
    body: bytes
    max_age: int | None = None
    """Seconds for which its server lets it be kept (RFC 9111, 5.2.2.1); 0 for not at all, None when it does not say."""


@dataclass(frozen=True, slots=True)
class Fetching:
    """An answer whose body is still to come, unpacked and within the limit."""

    url: str
    status: int
    media_type: str
    """Lower case, without parameters; application/octet-stream when the server did not say."""
    charset: str | None
    filename: str
    """What the server calls it, else the end of its address; may be empty."""
    parts: AsyncIterator[bytes]
    max_age: int | None = None


@dataclass(frozen=True, slots=True)
class Ask:
    """What is asked, where it is more than a page. `any_status`: errors of HTTP are answers too; `follow`: go where a
    redirect leads, which otherwise counts as an error."""

    method: str = "GET"
    headers: Mapping[str, str] | None = None
    content: bytes | None = None
    any_status: bool = False
    follow: bool = True


PAGE = Ask()


async def system_resolver(host: str, port: int) -> list[str]:
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(address[0]) for *_, address in found]


class Fetcher:
    """Safe for concurrent use; holds no connection between requests.

    `allow` names pairs of address and port that count as public, `certificates` whom TLS trusts: for tests, whose servers
    are on loopback. Nothing but a test sets an argument.
    """

    def __init__(
        self,
        *,
        resolve: Resolver = system_resolver,
        allow: Collection[tuple[str, int]] = (),
        certificates: ssl.SSLContext | None = None,
        total_seconds: float = TOTAL_SECONDS,
    ) -> None:
        self._backend = _Guarded(resolve, frozenset(allow))
        self._ports = frozenset(PORTS.values()) | {port for _, port in allow}
        self._certificates = certificates
        self._total = total_seconds

    async def get(self, url: str, *, limit: int, accept: Collection[str] = (), ask: Ask = PAGE) -> Fetched:
        """The whole body of at most `limit` bytes. Errors as for `open`."""
        async with self.open(url, limit=limit, accept=accept, ask=ask) as answer:
            body = b"".join([part async for part in answer.parts])
        return Fetched(answer.url, answer.status, answer.media_type, answer.charset, body, answer.max_age)

    @asynccontextmanager
    async def open(
        self, url: str, *, limit: int, accept: Collection[str] = (), ask: Ask = PAGE
    ) -> AsyncGenerator[Fetching]:
        """An answer with a body of at most `limit` bytes, unpacked; all of it has to be read within the total time.

        `accept`: the media types that are taken, `image/` for all that begin so; every one when empty.
        Raises InvalidInput (invalid_url, address_not_public, too_many_redirects, insecure_redirect, page_needs_login,
        page_refused, page_unreadable, unsupported_media_type), NotFound page_not_found, TooLarge page_too_large, Unavailable
        (host_not_found, page_timeout, page_unreachable, page_failed).
        """
        try:
            async with asyncio.timeout(self._total):
                with _translated():
                    async with (
                        self._pool() as pool,
                        self._arrive(pool, url, accept, ask) as (target, response),
                    ):
                        yield _answer(target, response, limit, accept, ask)
        except TimeoutError as error:
            raise _slow() from error

    @asynccontextmanager
    async def _arrive(
        self, pool: httpcore.AsyncConnectionPool, url: str, accept: Collection[str], ask: Ask
    ) -> AsyncGenerator[tuple[httpx.URL, httpcore.Response]]:
        """The answer at the end of all redirects."""
        target = checked_url(url, self._ports)
        for _ in range(MAX_REDIRECTS + 1):
            async with self._stream(pool, target, accept, ask) as response:
                location = _header(response, b"location")
                if response.status not in REDIRECTS or not location or not ask.follow:
                    yield target, response
                    return
            target = self._redirected(target, location)
        raise InvalidInput(
            "This address leads from one place to the next without end.", code="too_many_redirects"
        )

    @asynccontextmanager
    async def _stream(
        self, pool: httpcore.AsyncConnectionPool, target: httpx.URL, accept: Collection[str], ask: Ask
    ) -> AsyncGenerator[httpcore.Response]:
        headers = {
            "Host": target.netloc.decode("ascii"),
            "User-Agent": USER_AGENT,
            "Accept": ", ".join(f"{kind}*" if kind.endswith("/") else kind for kind in accept) or "*/*",
            "Accept-Encoding": ACCEPTED,
            "Connection": "close",
            **(ask.headers or {}),
        }
        timeouts = {"connect": CONNECT_SECONDS, "read": READ_SECONDS, "write": READ_SECONDS}
        async with pool.stream(
            ask.method,
            str(target),
            headers=list(headers.items()),
            content=ask.content,
            extensions={"timeout": timeouts},
        ) as response:
            yield response

    def _redirected(self, source: httpx.URL, location: str) -> httpx.URL:
        try:
            joined = urljoin(str(source), location)
        except ValueError:
            joined = location
        target = checked_url(joined, self._ports)
        if source.scheme == "https" and target.scheme == "http":
            raise InvalidInput(
                "This address leads from a secure page to one that anybody on the way could alter, so it was not followed.",
                code="insecure_redirect",
            )
        return target

    def _pool(self) -> httpcore.AsyncConnectionPool:
        return httpcore.AsyncConnectionPool(
            ssl_context=self._certificates or _trusted(), network_backend=self._backend
        )


@cache
def _trusted() -> ssl.SSLContext:
    return httpx.create_ssl_context(trust_env=False)


class _Guarded(httpcore.AsyncNetworkBackend):
    """Connects to checked addresses only. `host` is the name out of the URL; what is connected to is a number."""

    def __init__(self, resolve: Resolver, allow: frozenset[tuple[str, int]]) -> None:
        self._resolve = resolve
        self._allow = allow
        self._sockets = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - httpcore's interface
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        failure: Exception = _no_such_host()
        for address in await self._addresses(host, port):
            try:
                return await self._sockets.connect_tcp(address, port, timeout, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
        raise failure

    async def _addresses(self, host: str, port: int) -> list[str]:
        """All of them, or an error when any is not public: a name with both kinds has no honest use."""
        try:
            found = await self._resolve(host, port)
        except (OSError, UnicodeError) as error:
            raise _no_such_host() from error
        if not all((address, port) in self._allow or is_public(address) for address in found):
            raise InvalidInput(
                "This address is inside a private network, so it was not opened. Only pages on the public web can be added.",
                code="address_not_public",
            )
        return list(dict.fromkeys(found))


def checked_url(url: str, ports: Collection[int] = tuple(PORTS.values())) -> httpx.URL:
    """The address without its fragment, its host in ASCII. Raises InvalidInput `invalid_url`."""
    try:
        target = httpx.URL(url.strip()) if len(url) <= MAX_URL else None
    except (httpx.InvalidURL, UnicodeError):
        target = None
    if target is None or target.scheme not in PORTS or not HOST.fullmatch(target.raw_host):
        raise InvalidInput(
            "This is not the address of a web page. Copy it whole, beginning with https://.",
            code="invalid_url",
        )
    if target.userinfo:
        raise InvalidInput("An address with a user name or password in it is not opened.", code="invalid_url")
    if (target.port or PORTS[target.scheme]) not in ports:
        raise InvalidInput("Only the usual ports of web pages (80 and 443) are opened.", code="invalid_url")
    return target.copy_with(fragment=None)


def _answer(
    target: httpx.URL, response: httpcore.Response, limit: int, accept: Collection[str], ask: Ask
) -> Fetching:
    if not ask.any_status:
        _check_status(response.status)
    media_type, charset = _content_type(_header(response, b"content-type"))
    if accept and not any(
        media_type == kind or (kind[-1] == "/" and media_type.startswith(kind)) for kind in accept
    ):
        raise InvalidInput(
            f"At this address is a file of a kind that cannot be taken from there ({media_type}).",
            code="unsupported_media_type",
        )
    announced = _header(response, b"content-length")
    if announced.isdecimal() and int(announced) > limit:
        raise _too_large(limit)
    return Fetching(
        url=str(target),
        status=response.status,
        media_type=media_type,
        charset=charset,
        filename=_filename(response, target),
        parts=_body(response, limit),
        max_age=_max_age(_header(response, b"cache-control")),
    )


def _max_age(cache_control: str) -> int | None:
    """`no-cache, max-age=600` → 0; `public, max-age=600` → 600."""
    if re.search(r"\bno-(store|cache)\b", cache_control, re.IGNORECASE):
        return 0
    found = re.search(r"\bmax-age=(\d{1,9})\b", cache_control, re.IGNORECASE)
    return int(found.group(1)) if found else None


async def _body(response: httpcore.Response, limit: int) -> AsyncGenerator[bytes]:
    decoder = Decoder(_header(response, b"content-encoding"))
    arrived = unpacked = 0
    async for chunk in response.aiter_stream():
        arrived += len(chunk)
        for piece in decoder.feed(chunk):
            unpacked += len(piece)
            if max(arrived, unpacked) > limit:
                raise _too_large(limit)
            yield piece
    if arrived:
        decoder.finish()


def _check_status(status: int) -> None:
    if 200 <= status < 300:
        return
    if status in (401, 402, 403, 407, 451):
        raise InvalidInput(
            "This page is only for people who are signed in there, or its site does not let programs read it."
            " Save it as a PDF in your browser and upload that.",
            code="page_needs_login",
        )
    if status in (404, 410):
        raise NotFound("There is no page at this address any more.", code="page_not_found")
    if 400 <= status < 500 and status not in (408, 425, 429):
        raise InvalidInput(f"The site refused to give this page ({status}).", code="page_refused")
    raise Unavailable(
        f"The site could not give this page just now ({status}). Try again later.", code="page_failed"
    )


def _header(response: httpcore.Response, name: bytes) -> str:
    value: bytes = next((v for n, v in response.headers if n.lower() == name), b"")
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value.decode("latin-1")


def _content_type(value: str) -> tuple[str, str | None]:
    if not value:
        return "application/octet-stream", None
    header = Message()
    header["Content-Type"] = value
    return header.get_content_type(), header.get_content_charset()


def _filename(response: httpcore.Response, target: httpx.URL) -> str:
    header = Message()
    header["Content-Disposition"] = _header(response, b"content-disposition") or "inline"
    return header.get_filename() or PurePosixPath(unquote(target.path)).name


def _no_such_host() -> Unavailable:
    return Unavailable(
        "There is no server of this name, or it cannot be reached from here. Check the address.",
        code="host_not_found",
    )


def _too_large(limit: int) -> TooLarge:
    return TooLarge(
        f"What is at this address is larger than the {max(1, limit // MB)} MB that are taken from there.",
        code="page_too_large",
    )


def _slow() -> Unavailable:
    return Unavailable(
        "The site took too long to answer. Try again later, or save the page or file yourself and upload it.",
        code="page_timeout",
    )


@contextmanager
def _translated() -> Generator[None]:
    """Errors of the connection as ours; our own pass through."""
    try:
        yield
    except LyceumError:
        raise
    except httpcore.TimeoutException as error:
        raise _slow() from error
    except (httpcore.NetworkError, httpcore.ProtocolError) as error:
        raise Unavailable(
            "The connection to this site failed, or what it answered is not HTTP. Check the address, or try again later.",
            code="page_unreachable",
        ) from error
