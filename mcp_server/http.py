"""Streamable HTTP at /mcp for the app to mount: bearer tokens only, no cookies, and only known host names."""

from contextlib import AbstractAsyncContextManager
from urllib.parse import urlsplit

from mcp.server import ServerRequestContext
from mcp.server.auth.settings import AuthSettings
from mcp.server.transport_security import TransportSecuritySettings
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from mcp_server.failing import protocol_error
from mcp_server.oauth.gate import OAuthGate
from mcp_server.principal import REFUSAL, LyceumTokenVerifier, principal_of_token
from mcp_server.selection import Selection, operators, requested
from mcp_server.server import build_server
from storage.errors import LyceumError
from storage.settings import Settings
from tools.accounts import Accounts
from tools.executor import Executor
from tools.oauth.scopes import Scopes

PATH = "/mcp"
LOOPBACK = ("127.0.0.1", "localhost", "[::1]")
ANY_ADDRESS = frozenset({"0.0.0.0", "::", ""})


class McpHttp:
    """Append `routes` to the app's own and keep `running()` entered while the app runs. One object serves one run.

    The server must read headers with h11 (`uvicorn.run(..., http="h11")`): httptools keeps blanks at their end, which
    the protocol's header check refuses.
    """

    def __init__(self, executor: Executor, accounts: Accounts, settings: Settings) -> None:
        secret = settings.secret_key.get_secret_value() if settings.secret_key else None
        operator = operators(settings, executor.catalog)

        def selection_of(ctx: ServerRequestContext) -> Selection:
            try:
                return requested(ctx.request, operator, executor.catalog)
            except LyceumError as error:
                raise protocol_error(error) from error

        self._server = build_server(executor, principal_of_token, secret, selection_of)
        app = self._server.streamable_http_app(
            streamable_http_path=PATH,
            transport_security=known_hosts(settings),
            token_verifier=LyceumTokenVerifier(accounts, executor.storage, settings.base_url + PATH),
            auth=auth_settings(settings),
        )
        self.gate = OAuthGate(app, accounts, Scopes(executor.catalog), settings)
        # The SDK's own metadata route stays behind: mcp_server/oauth answers there, and says more.
        self.routes = [Route(PATH, endpoint=_Forward(self.gate))]

    def running(self) -> AbstractAsyncContextManager[None]:
        """Holds the open MCP sessions; leaving it ends them."""
        return self._server.session_manager.run()


class _Forward:
    """An exact route onto the SDK's app. Mounting that app instead would shadow later routes, or move its metadata.

    Raises what kept a token from being checked (Unavailable, RateLimited) in place of the SDK's "invalid token".
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        refusal: list[LyceumError] = []
        REFUSAL.set(refusal)

        async def unless_refused(message: Message) -> None:
            if not refusal:
                await send(message)

        await self._app(scope, receive, unless_refused)
        if refusal:
            raise refusal[0]


def auth_settings(settings: Settings) -> AuthSettings:
    """Where a client that got a 401 finds out how to sign in. From plain strings: a URL object would add a slash to the
    issuer, and clients compare issuers letter by letter (RFC 8414, section 3.3)."""
    return AuthSettings.model_validate(
        {
            "issuer_url": settings.base_url,
            "resource_server_url": settings.base_url + PATH,
            "validate_token_resource": True,
        }
    )


def known_hosts(settings: Settings) -> TransportSecuritySettings:
    """Names that a request may be addressed to (DNS rebinding): loopback, LYCEUM_HOST and that of LYCEUM_PUBLIC_URL."""
    names = list(LOOPBACK)
    if settings.host not in ANY_ADDRESS and settings.host not in names:
        names.append(f"[{settings.host}]" if ":" in settings.host else settings.host)
    hosts = [f"{name}:*" for name in names] + names
    origins = [f"http://{host}" for host in hosts]
    if settings.public_url:
        public = urlsplit(settings.base_url)
        hosts += [public.netloc, f"{public.netloc.removesuffix(f':{public.port}')}:*"]
        origins.append(f"{public.scheme}://{public.netloc}")
    return TransportSecuritySettings(allowed_hosts=hosts, allowed_origins=origins)
