"""Who calls over MCP: a bearer token becomes a token of the SDK, which carries the principal to each request."""

from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import replace

from mcp.server import ServerRequestContext
from mcp.server.auth.middleware.auth_context import get_access_token
from mcp.server.auth.provider import AccessToken, TokenVerifier
from starlette.requests import Request
from structlog.contextvars import bind_contextvars

from mcp_server.oauth.admission import ADMISSION, Admission
from storage.errors import LyceumError, Unauthorized
from storage.resources import Storage
from tools.accounts import Accounts
from tools.context import Principal
from tools.limits import admit_caller

SURFACE = "mcp"

REFUSAL: ContextVar[list[LyceumError]] = ContextVar("refusal")
"""Why a token could not be checked, for whoever answers: the SDK knows only tokens that are right or wrong."""

PrincipalOf = Callable[[ServerRequestContext], Principal]
"""Who makes a request: from the token on HTTP, one fixed person on stdio."""


class LyceumToken(AccessToken):
    """`client_id` names the key, the device or the grant, so an MCP session goes on only with what it was opened with. A
    program's refreshed token belongs to the same grant."""

    principal: Principal


class LyceumTokenVerifier(TokenVerifier):
    """Accepts API keys, tokens of programs and access tokens of signed-in sessions; looked up each time, so a revoked one
    ends at once."""

    def __init__(self, accounts: Accounts, storage: Storage, resource: str) -> None:
        self._accounts = accounts
        self._storage = storage
        self._resource = resource

    async def verify_token(self, token: str) -> LyceumToken | None:
        admission = ADMISSION.get(None) or Admission()
        try:
            principal = await self._accounts.principal(token, SURFACE)
            await admit_caller(self._storage, principal)
        except Unauthorized:
            return None
        except LyceumError as error:
            REFUSAL.get().append(error)
            return None
        bind_contextvars(user_id=str(principal.user_id))
        admission.principal = principal
        if admission.is_beyond:
            return None
        return LyceumToken(
            token=token,
            client_id=origin(principal),
            subject=str(principal.user_id),
            scopes=sorted(principal.scopes),
            resource=self._resource,
            principal=principal,
        )


def origin(principal: Principal) -> str:
    """What the caller came with."""
    if principal.grant_id is not None:
        return f"grant:{principal.grant_id}"
    return f"key:{principal.key_id}" if principal.key_id else f"session:{principal.session_id}"


def principal_of_token(ctx: ServerRequestContext) -> Principal:
    """The caller of this HTTP request, never of the MCP session that it belongs to."""
    token = get_access_token()
    if not isinstance(token, LyceumToken):
        raise TypeError("A request passed the bearer check without a token of ours.")
    if not isinstance(ctx.request, Request):
        return token.principal
    client, agent = ctx.request.client, ctx.request.headers.get("user-agent")
    return replace(token.principal, ip_address=client.host if client else None, user_agent=agent)
