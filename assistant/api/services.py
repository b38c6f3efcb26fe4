"""What every route holds on to, and who is calling."""

from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Annotated, Any, cast

import structlog
from fastapi import Depends, Request

from assistant.api.cookies import Cookies
from assistant.api.metrics import Metrics
from storage.errors import Forbidden, Unauthorized
from storage.resources import Storage
from storage.settings import Settings
from tools.accounts import Accounts
from tools.context import Principal
from tools.executor import Executor
from tools.limits import admit_caller
from tools.oauth.service import OAuthService


@dataclass(frozen=True)
class Services:
    settings: Settings
    storage: Storage
    executor: Executor
    accounts: Accounts
    cookies: Cookies
    metrics: Metrics
    oauth: OAuthService


async def services(request: Request) -> Services:
    return cast(Services, request.app.state.services)


ServicesDep = Annotated[Services, Depends(services)]


def bearer(request: Request) -> str | None:
    """The token of an `Authorization: Bearer` header."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else None


async def caller(request: Request, services: ServicesDep) -> Principal:
    """Who calls: by API key or access token in the header, else by the browser's session. Raises Unauthorized, RateLimited."""
    token = bearer(request) or request.cookies.get(services.cookies.access)
    if not token:
        raise Unauthorized("Sign in first, or send an API key.", code="not_signed_in")
    principal = await services.accounts.principal(
        token,
        "http",
        ip_address=request.client.host if request.client else None,
        user_agent=request.headers.get("user-agent", "")[:400] or None,
    )
    await admit_caller(services.storage, principal)
    request.state.user_id = str(principal.user_id)
    structlog.contextvars.bind_contextvars(user_id=str(principal.user_id))
    return principal


Caller = Annotated[Principal, Depends(caller)]


def allowed(scope: str) -> Callable[[Principal], Coroutine[Any, Any, Principal]]:
    """A dependency: the caller, when they have this permission. Raises Forbidden."""

    async def check(principal: Caller) -> Principal:
        if not principal.allows(scope):
            raise Forbidden(
                f"This needs the permission {scope!r}, which this key does not have.", code="missing_scope"
            )
        return principal

    return check
