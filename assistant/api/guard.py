"""What a browser could be tricked into: requests for other host names, posts from other sites, pages in frames."""

from ipaddress import ip_address
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from assistant.api.problems import problem
from storage.settings import Settings

CONTENT_POLICY = (
    "default-src 'self'; img-src 'self' data: blob:; style-src 'self'; script-src 'self'; font-src 'self'; "
    "connect-src 'self'; object-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'"
)
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
SIGN_IN = "/api/auth"


class Guard:
    """Checks the Host header (DNS rebinding) and, where a cookie would speak, that the page is our own."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self._app = app
        self._hosts = {"localhost", settings.host.lower().strip("[]")}
        self._origin = _origin(settings.base_url)
        if settings.public_url:
            self._hosts.add((urlsplit(settings.public_url).hostname or "").lower())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        guarded = _with_headers(send)
        if not self._known_host(headers.get("host", "")):
            answer = problem(
                421,
                "unknown_host",
                "This server is not known under this name. Use its address, or set LYCEUM_PUBLIC_URL to this name.",
            )
            await answer(scope, receive, guarded)
        elif not self._same_site(scope, headers):
            answer = problem(403, "cross_site", "This request came from another web site, so it was refused.")
            await answer(scope, receive, guarded)
        else:
            await self._app(scope, receive, guarded)

    def _known_host(self, host: str) -> bool:
        """Numbers are always fine: rebinding needs a name that an attacker's DNS answers for."""
        name = (urlsplit(f"//{host}").hostname or "") if host.count("[") == host.count("]") else ""
        return name in self._hosts or name.endswith(".localhost") or _is_address(name)

    def _same_site(self, scope: Scope, headers: Headers) -> bool:
        """Whether a request that a cookie may speak for comes from our own page, or from no page at all."""
        bearer = headers.get("authorization", "").lower().startswith("bearer ")
        by_cookie = "cookie" in headers or scope["path"].startswith(SIGN_IN)
        if scope["method"] in SAFE or bearer or not by_cookie:
            return True
        site, origin = headers.get("sec-fetch-site"), headers.get("origin")
        if site is not None:
            return site in ("same-origin", "none")
        return origin is None or origin in (self._origin, f"{scope['scheme']}://{headers.get('host')}")


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}".lower()


def _is_address(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True


def _with_headers(send: Send) -> Send:
    """Adds what every answer carries; a route that sets its own policy keeps it."""

    async def guarded(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            headers.setdefault("Content-Security-Policy", CONTENT_POLICY)
            headers.setdefault("X-Content-Type-Options", "nosniff")
            headers.setdefault("Referrer-Policy", "same-origin")
            headers.setdefault("X-Frame-Options", "DENY")
        await send(message)

    return guarded
