"""The routes of the authorization server: OAuth 2.1 over tools/oauth, with errors as the RFCs word them."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route, request_response

from mcp_server.oauth import metadata
from mcp_server.oauth.forms import body_of, form_of, presented, single
from mcp_server.oauth.refusal import refusal
from storage.errors import Kind, LyceumError
from tools.oauth.clients import Registered
from tools.oauth.errors import OAuthError
from tools.oauth.registration import MOST_BYTES
from tools.oauth.service import AccessRequest, OAuthService, RedirectedError
from tools.oauth.tokens import Issued

Handler = Callable[[Request], Awaitable[Response]]

NO_STORE = {"Cache-Control": "no-store", "Pragma": "no-cache"}
KEEP = {"Cache-Control": "public, max-age=300", "Vary": "Host"}
CONSENT_PAGE = "/connect"
PREFLIGHT_SECONDS = 600
STATUS_OF: Mapping[Kind, int] = {Kind.RATE_LIMITED: 429, Kind.UNAVAILABLE: 503}


class OAuthHttp:
    """Append `routes` to the app's own."""

    def __init__(self, service: OAuthService) -> None:
        self._service = service
        described = _document(service, metadata.server_metadata)
        resource = _document(service, metadata.resource_metadata)
        self.routes = [
            *(_open(path, described, "GET") for path in metadata.SERVER_PATHS),
            *(_open(path, resource, "GET") for path in metadata.RESOURCE_PATHS),
            Route(metadata.AUTHORIZE, self.authorize, methods=["GET"]),
            _open(metadata.TOKEN, _answering(self.token), "POST"),
            _open(metadata.REGISTER, _answering(self.register), "POST"),
            _open(metadata.REVOKE, _answering(self.revoke), "POST"),
        ]

    async def authorize(self, request: Request) -> Response:
        """Where a program sends the person (RFC 6749, 4.1.1). On to the page that asks them, or back to the program."""
        try:
            asked = single(request.query_params.multi_items())
            known = {name: asked.get(name) for name in AccessRequest.__dataclass_fields__}
            request_id = await self._service.ask(AccessRequest(**known), _address(request))
        except RedirectedError as error:
            return _onward(error.url) if error.is_trusted else refusal(str(error), 400, error.url)
        except LyceumError as error:
            return refusal(str(error), STATUS_OF.get(error.kind, 400))
        return _onward(f"{CONSENT_PAGE}?request={request_id}")

    async def token(self, request: Request) -> Response:
        """RFC 6749, 4.1.3 and 6."""
        form = await form_of(request)
        who, address = presented(request, form), _address(request)
        flow = _required(form, "grant_type")
        if flow == "authorization_code":
            issued = await self._service.exchange_code(
                who,
                code=_required(form, "code"),
                verifier=_required(form, "code_verifier"),
                redirect_uri=form.get("redirect_uri"),
                resource=form.get("resource"),
                address=address,
            )
        elif flow == "refresh_token":
            issued = await self._service.refresh(
                who,
                token=_required(form, "refresh_token"),
                scope=form.get("scope"),
                resource=form.get("resource"),
                address=address,
            )
        else:
            raise OAuthError(
                "unsupported_grant_type", "grant_type must be authorization_code or refresh_token."
            )
        return JSONResponse(_tokens(issued), headers=NO_STORE)

    async def register(self, request: Request) -> Response:
        """RFC 7591, 3."""
        try:
            body = await body_of(request, MOST_BYTES)
        except OAuthError as error:
            raise OAuthError("invalid_client_metadata", str(error)) from error
        registered = await self._service.register(body, _address(request))
        return JSONResponse(_registration(registered), 201, headers=NO_STORE)

    async def revoke(self, request: Request) -> Response:
        """RFC 7009, 2. A token that is none is as good as revoked."""
        form = await form_of(request)
        who = presented(request, form)
        await self._service.revoke(who, token=_required(form, "token"), address=_address(request))
        return Response(status_code=200, headers=NO_STORE)


def _answering(handler: Handler) -> Handler:
    """Errors as RFC 6749, 5.2 wants them."""

    async def answer(request: Request) -> Response:
        try:
            return await handler(request)
        except LyceumError as error:
            return _refused(request, error)

    return answer


def _refused(request: Request, error: LyceumError) -> Response:
    status, headers = STATUS_OF.get(error.kind, 400), dict(NO_STORE)
    if error.code == "invalid_client":
        status = 401
        if request.headers.get("authorization", "").lower().startswith("basic"):
            headers["WWW-Authenticate"] = 'Basic realm="Lyceum"'
    if "retry_after" in error.details:
        headers["Retry-After"] = str(error.details["retry_after"])
    code = error.code if isinstance(error, OAuthError) else "temporarily_unavailable"
    return JSONResponse({"error": code, "error_description": str(error)}, status, headers=headers)


def _tokens(issued: Issued) -> dict[str, Any]:
    """RFC 6749, 5.1. `scope` is always there: it may be less than was asked for."""
    answer = {
        "access_token": issued.access_token,
        "token_type": "Bearer",
        "expires_in": issued.expires_in,
        "scope": " ".join(issued.scopes),
    }
    return answer if issued.refresh_token is None else {**answer, "refresh_token": issued.refresh_token}


def _registration(registered: Registered) -> dict[str, Any]:
    """RFC 7591, 3.2.1: what was registered, and how the program names itself from here on."""
    client = registered.client
    answer = {
        **client.document,
        "client_id": client.client_id,
        "client_id_issued_at": int(datetime.now(UTC).timestamp()),
        "grant_types": client.grant_types,
        "response_types": ["code"],
    }
    if registered.secret is None:
        return answer
    return {**answer, "client_secret": registered.secret, "client_secret_expires_at": 0}


def _document(service: OAuthService, members: Callable[[OAuthService, str], dict[str, Any]]) -> Handler:
    async def described(request: Request) -> Response:
        return JSONResponse(members(service, service.address(request.headers.get("host"))), headers=KEEP)

    return described


def _open(path: str, handler: Handler, method: str) -> Route:
    """For programs that run in a browser, of any origin: nothing here goes by cookies (CORS, Fetch standard 3.2)."""
    app = CORSMiddleware(
        request_response(handler),
        allow_origins=["*"],
        allow_methods=[method],
        allow_headers=["Authorization", "Content-Type", "MCP-Protocol-Version"],
        max_age=PREFLIGHT_SECONDS,
    )
    return Route(path, endpoint=app, methods=[method, "OPTIONS"])


def _onward(url: str) -> Response:
    """302, and the address of this request, which holds what the program asked, is told to nobody."""
    return RedirectResponse(url, 302, headers={**NO_STORE, "Referrer-Policy": "no-referrer"})


def _required(form: Mapping[str, str], name: str) -> str:
    if name not in form:
        raise OAuthError("invalid_request", f"The parameter {name} is missing.")
    return form[name]


def _address(request: Request) -> str | None:
    return request.client.host if request.client else None
