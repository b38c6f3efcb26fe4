"""What a program says of itself (RFC 7591, and client-id metadata documents): read, bounded, and made a row."""

import json
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from storage.models import OAuthClient
from storage.resources import Storage
from tools.oauth.errors import OAuthError
from tools.oauth.redirects import problem_of

MOST_BYTES = 16 * 1024
"""Of a registration. The draft on client-id metadata documents advises 5 KB for those; some real ones are larger."""
MOST_REDIRECTS = 20
LONGEST_NAME = 100
NAMELESS = "A program without a name"
FLOWS = ("authorization_code", "refresh_token")
PUBLIC, BASIC, POST = "none", "client_secret_basic", "client_secret_post"
"""How a program proves itself at the token endpoint (RFC 7591, 2)."""
KEPT = (
    "client_name", "client_uri", "logo_uri", "tos_uri", "policy_uri", "contacts", "software_id", "software_version",
    "application_type", "redirect_uris", "grant_types", "response_types", "scope", "token_endpoint_auth_method",
)  # fmt: skip

Text = Field(default=None, max_length=2000)


class ClientMetadata(BaseModel):
    """RFC 7591, section 2. Fields that we do not know are passed over, as it asks; an empty one counts as absent. Who does
    not name flows may refresh, though the RFC's default is without: most programs that leave it out expect it."""

    model_config = ConfigDict(extra="ignore")

    redirect_uris: list[str] = Field(min_length=1, max_length=MOST_REDIRECTS)
    client_name: str | None = Text
    client_uri: str | None = Text
    logo_uri: str | None = Text
    tos_uri: str | None = Text
    policy_uri: str | None = Text
    contacts: list[str] | None = Field(default=None, max_length=20)
    software_id: str | None = Text
    software_version: str | None = Text
    application_type: str | None = Text
    scope: str | None = Text
    grant_types: list[str] = Field(default=list(FLOWS), max_length=20)
    response_types: list[str] = Field(default=["code"], max_length=20)
    token_endpoint_auth_method: str = BASIC

    @field_validator("redirect_uris")
    @classmethod
    def _reachable(cls, uris: list[str]) -> list[str]:
        for uri in uris:
            if (problem := problem_of(uri)) is not None:
                raise OAuthError("invalid_redirect_uri", f"A redirect address cannot be used: {problem}.")
        return uris


M = TypeVar("M", bound=ClientMetadata)


class DocumentMetadata(ClientMetadata):
    """draft-ietf-oauth-client-id-metadata-document: the same, with its own address in it."""

    client_id: str
    token_endpoint_auth_method: str = PUBLIC


def read_registration(body: bytes) -> ClientMetadata:
    """Raises OAuthError invalid_client_metadata or invalid_redirect_uri."""
    said = _validated(ClientMetadata, _object(body))
    if said.token_endpoint_auth_method not in (PUBLIC, BASIC, POST):
        raise _unusable("token_endpoint_auth_method must be none, client_secret_basic or client_secret_post")
    return said


def read_document(body: bytes, client_id: str) -> DocumentMetadata:
    """Raises OAuthError; the document must name the address that it came from, letter by letter, and hold no secret."""
    raw = _object(body)
    said = _validated(DocumentMetadata, raw)
    if said.client_id != client_id:
        raise _unusable("client_id in it is not the address that it is at")
    if said.token_endpoint_auth_method != PUBLIC or "client_secret" in raw:
        raise _unusable("it must be that of a public client: token_endpoint_auth_method none, no secret")
    return said


def as_row(
    said: ClientMetadata, storage: Storage, *, client_id: str, registration: str, secret_hash: bytes | None
) -> OAuthClient:
    return OAuthClient(
        id=storage.clock.new_id(),
        client_id=client_id,
        registration=registration,
        name=_name(said.client_name),
        redirect_uris=said.redirect_uris,
        secret_hash=secret_hash,
        token_endpoint_auth_method=said.token_endpoint_auth_method,
        grant_types=[flow for flow in said.grant_types if flow in FLOWS],
        scopes=(said.scope or "").split(),
        document=said.model_dump(include=set(KEPT), exclude_none=True),
    )


def _object(body: bytes) -> dict[str, Any]:
    if len(body) > MOST_BYTES:
        raise _unusable(f"it is larger than {MOST_BYTES // 1024} KB")
    try:
        raw = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise _unusable("it is not JSON") from error
    if not isinstance(raw, dict) or "\\u0000" in body.decode("utf-8", "replace").lower():
        raise _unusable("it is not an object of plain values")
    return {key: value for key, value in raw.items() if value is not None and value != ""}


def _validated(model: type[M], raw: dict[str, Any]) -> M:
    try:
        said = model.model_validate(raw)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"])) or "document"
        raise _unusable(f"{place}: {first['msg']}") from error
    if "authorization_code" not in said.grant_types or "code" not in said.response_types:
        raise _unusable("only the authorization code flow exists here")
    return said


def _name(said: str | None) -> str:
    """What the consent page shows: printable, on one line, without the marks that turn text around."""
    plain = "".join(c if c.isprintable() else " " for c in said or "")
    return " ".join(plain.split())[:LONGEST_NAME].strip() or NAMELESS


def _unusable(why: str) -> OAuthError:
    return OAuthError("invalid_client_metadata", f"This description of a program cannot be used: {why}.")
