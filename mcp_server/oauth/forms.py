"""Reading what programs send to the OAuth routes: parameters once each, small bodies, and who a program says it is."""

import base64
import binascii
from collections.abc import Iterable
from urllib.parse import parse_qsl, unquote_plus

from starlette.requests import Request

from tools.oauth.clients import Presented
from tools.oauth.errors import OAuthError

MOST_BYTES = 32 * 1024
MOST_FIELDS = 50
FORM = "application/x-www-form-urlencoded"


async def body_of(request: Request, limit: int = MOST_BYTES) -> bytes:
    """Raises OAuthError invalid_request for more than `limit` bytes."""
    read = bytearray()
    async for part in request.stream():
        read += part
        if len(read) > limit:
            raise OAuthError("invalid_request", f"The body is larger than {limit // 1024} KB.")
    return bytes(read)


async def form_of(request: Request) -> dict[str, str]:
    """The parameters of a form (RFC 6749, appendix B). Raises OAuthError invalid_request."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != FORM:
        raise OAuthError("invalid_request", f"Send the parameters as {FORM}.")
    try:
        text = (await body_of(request)).decode()
        return single(parse_qsl(text, max_num_fields=MOST_FIELDS))
    except ValueError as error:  # not UTF-8, or too many fields
        raise OAuthError("invalid_request", "The body is not a form that can be read.") from error


def single(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Each parameter once; empty ones count as not sent (RFC 6749, 3.1). Raises OAuthError."""
    found: dict[str, str] = {}
    for name, value in pairs:
        if not value or found.setdefault(name, value) == value:
            continue
        if name == "resource":
            raise OAuthError("invalid_target", "Tokens are for one resource at a time.")
        raise OAuthError("invalid_request", f"The parameter {name[:40]!r} is there more than once.")
    return found


def presented(request: Request, form: dict[str, str]) -> Presented:
    """Who asks: by HTTP Basic or in the body, not both (RFC 6749, 2.3). Raises OAuthError."""
    scheme, _, encoded = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "basic":
        if "client_id" not in form:
            raise OAuthError("invalid_client", "client_id is missing.")
        return Presented(form["client_id"], form.get("client_secret"))
    try:
        name, colon, secret = base64.b64decode(encoded, validate=True).decode().partition(":")
    except (binascii.Error, ValueError) as error:
        raise OAuthError("invalid_client", "The Authorization header cannot be read.") from error
    client_id = unquote_plus(name)
    if not colon or form.get("client_id", client_id) != client_id or "client_secret" in form:
        raise OAuthError("invalid_client", "The client names itself in two different ways.")
    return Presented(client_id, unquote_plus(secret))
