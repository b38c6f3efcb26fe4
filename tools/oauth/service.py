"""The authorization server without HTTP: requests for access, what the person decides, tokens and their end."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from urllib.parse import urlsplit
from uuid import UUID

import structlog

from storage.errors import InvalidInput, NotFound
from storage.models import OAuthClient
from storage.redis.consents import LIFE
from storage.redis.limits import attempts
from storage.resources import Storage
from tools.addresses import mcp_urls, own_address
from tools.oauth.clients import TOO_OFTEN, Clients, Presented, Registered
from tools.oauth.errors import OAuthError
from tools.oauth.redirects import answered, matches, redirect_host, stays_here, web_address
from tools.oauth.scopes import ScopeOffer, Scopes
from tools.oauth.tokens import CHALLENGE, Consent, GrantTokens, Issued
from tools.passwords import new_token
from tools.spec import ToolSpec
from tools.web.fetch import Fetcher

log = structlog.get_logger()

LONGEST_STATE = 4096
REQUESTS, TOKENS, WINDOW = 300, 600, 60
"""From one network address in a minute: people who are sent to /authorize, and programs at /token and /revoke. A school
shares one address; codes and tokens of 256 bits need no brake against guessing, the database does against floods."""


@dataclass(frozen=True, slots=True)
class AccessRequest:
    """The parameters of /authorize (RFC 6749, 4.1.1; RFC 7636, 4.3; RFC 8707, 2); None for one that was not sent."""

    client_id: str | None = None
    redirect_uri: str | None = None
    response_type: str | None = None
    code_challenge: str | None = None
    code_challenge_method: str | None = None
    scope: str | None = None
    state: str | None = None
    resource: str | None = None


@dataclass(frozen=True, slots=True)
class Pending:
    """A request that was checked, as it waits for the person. `expires_at` in seconds since 1970."""

    client_id: str
    redirect_uri: str
    code_challenge: str
    state: str | None
    resource: str
    scopes: list[str]
    expires_at: float


@dataclass(frozen=True, slots=True)
class PendingConsent:
    """What the person is asked. `redirect_host`: where the browser goes afterwards, as a person reads it."""

    client_name: str
    client_id: str
    client_uri: str | None
    redirect_host: str
    registration: str
    """dynamic, metadata_document or operator."""
    scopes: list[ScopeOffer]
    resource: str
    expires_at: datetime


class RedirectedError(Exception):
    """A request that cannot be granted; `url` takes the error to the program. Anybody can register a web site, so the
    browser only goes there by itself when it stays on this machine or the operator vouches for the program: else this
    server would be an open redirector (RFC 9700, 4.11.2). Otherwise the person gets a link."""

    def __init__(self, url: str, error: OAuthError, *, is_trusted: bool) -> None:
        super().__init__(str(error))
        self.url = url
        self.is_trusted = is_trusted


class OAuthService:
    """One per process. `fetcher` reaches clients' metadata documents; tests set one that trusts their own server."""

    def __init__(
        self, storage: Storage, catalog: Mapping[str, ToolSpec], fetcher: Fetcher | None = None
    ) -> None:
        self.fetcher = fetcher or Fetcher()
        self.scopes = Scopes(catalog)
        self.issuer = storage.settings.base_url
        """Without a slash at the end: programs compare it letter by letter (RFC 8414, 3.3; RFC 9207, 2.4)."""
        self.resources = mcp_urls(storage.settings)
        self._storage = storage
        self._clients = Clients(storage)
        self._tokens = GrantTokens(storage)

    # --- asking

    async def ask(self, asked: AccessRequest, address: str | None) -> str:
        """Check a request for access and keep it; gives its id, which works for ten minutes.

        Raises RedirectedError when the program should hear what is wrong, OAuthError when only the person can be told:
        an unknown program, or an address that is not the program's. RateLimited.
        """
        await self._storage.brake.check(TOO_OFTEN, attempts(f"oauth-authorize:{address}", REQUESTS, WINDOW))
        if not asked.client_id:
            raise OAuthError("invalid_request", "The program did not say who it is: client_id is missing.")
        client = await self._clients.asking(asked.client_id, self.fetcher, address)
        redirect_uri = _trusted(client, asked.redirect_uri)
        try:
            resource, scopes = self._check(asked, client)
        except OAuthError as error:
            url = self._refusal(redirect_uri, asked.state, asked.resource, error)
            is_trusted = client.registration == "operator" or stays_here(redirect_uri)
            raise RedirectedError(url, error, is_trusted=is_trusted) from error
        request_id = new_token()
        pending = Pending(
            client_id=client.client_id,
            redirect_uri=redirect_uri,
            code_challenge=asked.code_challenge or "",
            state=asked.state,
            resource=resource,
            scopes=scopes,
            expires_at=self._storage.clock.now().timestamp() + LIFE,
        )
        await self._storage.consents.add(request_id, json.dumps(asdict(pending)))
        return request_id

    def _check(self, asked: AccessRequest, client: OAuthClient) -> tuple[str, list[str]]:
        """What for, and the scopes that are offered. Raises OAuthError."""
        if asked.response_type != "code":
            raise OAuthError("unsupported_response_type", "response_type must be code.")
        if len(asked.state or "") > LONGEST_STATE:
            raise OAuthError("invalid_request", f"state is longer than {LONGEST_STATE} characters.")
        if asked.code_challenge_method != "S256" or not CHALLENGE.fullmatch(asked.code_challenge or ""):
            raise OAuthError(
                "invalid_request",
                "PKCE is required: code_challenge (43 characters) with code_challenge_method S256.",
            )
        return self._resource(asked.resource), self.scopes.offered(asked.scope, client.scopes)

    def _resource(self, given: str | None) -> str:
        """The MCP server under the name that the program has for it; those of older revisions give none (RFC 8707)."""
        if given is None:
            return self.resources[0]
        found = next((one for one in self.resources if _same_resource(given, one)), None)
        if found is None:
            raise OAuthError("invalid_target", f"resource must be {self.resources[0]}.")
        return found

    def _issuer(self, resource: str | None) -> str:
        """This server under the name by which the program found it: where the resource is that it asks for."""
        try:
            return self._resource(resource).removesuffix("/mcp")
        except OAuthError:
            return self.issuer

    def address(self, host: str | None) -> str:
        """Ours, that a request with this Host header was sent to."""
        return own_address(self._storage.settings, host)

    def _refusal(self, redirect_uri: str, state: str | None, resource: str | None, error: OAuthError) -> str:
        if state is not None and len(state) > LONGEST_STATE:
            state = None
        return answered(
            redirect_uri,
            error=error.code,
            error_description=str(error),
            state=state,
            iss=self._issuer(resource),
        )

    # --- the person

    async def pending(self, request_id: str, user_id: UUID) -> PendingConsent:
        """What a program asks this person for. The first person who looks is the one who decides.

        Raises NotFound `request_not_found` for an unknown, expired or answered request, or somebody else's.
        """
        pending, client = await self._pending(request_id, user_id)
        return PendingConsent(
            client_name=client.name,
            client_id=client.client_id,
            client_uri=web_address(client.document.get("client_uri")),
            redirect_host=redirect_host(pending.redirect_uri),
            registration=client.registration,
            scopes=self.scopes.offers(pending.scopes),
            resource=pending.resource,
            expires_at=_epoch(self._storage.clock.now(), pending.expires_at),
        )

    async def decide(self, request_id: str, user_id: UUID, allowed: bool, scopes: frozenset[str]) -> str:
        """Answer a request, once. Gives the address to send the browser to, also when access is denied.

        Raises NotFound as `pending` does, InvalidInput `invalid_scope` (not offered) or `no_scopes`; then nothing is lost
        and the person can decide again.
        """
        pending, client = await self._pending(request_id, user_id)
        if allowed:
            _check_ticked(scopes, pending.scopes)
        text = await self._storage.consents.take(request_id)
        if text is None:
            raise _no_request()
        if not allowed:
            denied = OAuthError("access_denied", "The person did not allow this.")
            return self._refusal(pending.redirect_uri, pending.state, pending.resource, denied)
        consent = Consent(
            user_id=user_id,
            client=client,
            scopes=scopes,
            resource=pending.resource,
            redirect_uri=pending.redirect_uri,
            code_challenge=pending.code_challenge,
        )
        try:
            code = await self._tokens.code(consent)
        except NotFound as error:  # the program's registration was removed at this moment
            raise _no_request() from error
        except Exception:
            left = pending.expires_at - self._storage.clock.now().timestamp()
            await self._storage.consents.add(request_id, text, seconds=max(1, int(left)))
            raise
        return answered(
            pending.redirect_uri, code=code, state=pending.state, iss=self._issuer(pending.resource)
        )

    async def _pending(self, request_id: str, user_id: UUID) -> tuple[Pending, OAuthClient]:
        text = await self._storage.consents.get(request_id, user_id)
        pending = Pending(**json.loads(text)) if text is not None else None
        if pending is None or pending.expires_at <= self._storage.clock.now().timestamp():
            raise _no_request()
        try:
            return pending, await self._clients.named(pending.client_id)
        except OAuthError as error:
            raise _no_request() from error

    # --- programs

    async def register(self, body: bytes, address: str | None) -> Registered:
        """Dynamic registration (RFC 7591). Raises OAuthError, RateLimited."""
        return await self._clients.register(body, address)

    async def exchange_code(
        self,
        presented: Presented,
        *,
        code: str,
        verifier: str,
        redirect_uri: str | None,
        resource: str | None,
        address: str | None,
    ) -> Issued:
        """Tokens for a code. Raises OAuthError, RateLimited."""
        client = await self._authenticated(presented, address)
        self._resource(resource)
        return await self._tokens.exchange(client, code, verifier, redirect_uri)

    async def refresh(
        self,
        presented: Presented,
        *,
        token: str,
        scope: str | None,
        resource: str | None,
        address: str | None,
    ) -> Issued:
        """New tokens for a refresh token, with all that the grant allows: a narrower `scope` is only checked, and the answer
        says what the tokens can do (RFC 6749, 5.1 and 6). Raises OAuthError, RateLimited."""
        client = await self._authenticated(presented, address)
        self._resource(resource)
        if "refresh_token" not in client.grant_types:
            raise OAuthError("unauthorized_client", "This program did not register the flow refresh_token.")
        return await self._tokens.refresh(client, token, scope)

    async def revoke(self, presented: Presented, *, token: str, address: str | None) -> None:
        """End the grant of an access or refresh token (RFC 7009). Raises OAuthError, RateLimited."""
        client = await self._authenticated(presented, address)
        await self._tokens.revoke(client, token)

    async def _authenticated(self, presented: Presented, address: str | None) -> OAuthClient:
        await self._storage.brake.check(TOO_OFTEN, attempts(f"oauth-token:{address}", TOKENS, WINDOW))
        return await self._clients.authenticated(presented)


def _trusted(client: OAuthClient, given: str | None) -> str:
    """The address that the program may be answered at. Raises OAuthError: nobody is redirected anywhere else."""
    if given is None and len(client.redirect_uris) == 1:
        return client.redirect_uris[0]
    if given is None:
        raise OAuthError(
            "invalid_request", "The program did not say where to send you back: redirect_uri is missing."
        )
    if not any(matches(given, registered) for registered in client.redirect_uris):
        raise OAuthError(
            "invalid_request",
            "The address that you would be sent back to (redirect_uri) is not one that this program has registered.",
        )
    return given


def _check_ticked(ticked: frozenset[str], offered: list[str]) -> None:
    if not ticked:
        raise InvalidInput("Allow at least one thing, or refuse the request.", code="no_scopes")
    if beyond := sorted(ticked - set(offered)):
        raise InvalidInput(f"The program did not ask for {beyond[0]!r}.", code="invalid_scope")


def _same_resource(given: str, ours: str) -> bool:
    """Scheme and host in any case, with or without a slash at the end; the rest letter by letter. A query chooses toolsets
    (`/mcp?readonly=1`) and names no other server."""
    try:
        one, other = urlsplit(given), urlsplit(ours)
    except ValueError:
        return False
    same_place = (one.scheme.lower(), one.netloc.lower()) == (other.scheme.lower(), other.netloc.lower())
    return same_place and one.path.removesuffix("/") == other.path and not one.fragment


def _epoch(now: datetime, seconds: float) -> datetime:
    return now + timedelta(seconds=seconds - now.timestamp())


def _no_request() -> NotFound:
    return NotFound(
        "This request is unknown or too old. Go back to the app and connect again.", code="request_not_found"
    )
