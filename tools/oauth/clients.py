"""Which program is asking: registered ones, those with a metadata document, and whether a secret is right."""

import hmac
import secrets
from dataclasses import dataclass
from datetime import timedelta

import structlog

from storage.models import OAuthClient
from storage.redis.limits import attempts
from storage.resources import Storage
from tools.oauth.documents import fetch_client, is_document
from tools.oauth.errors import OAuthError
from tools.oauth.registration import PUBLIC, as_row, read_registration
from tools.passwords import sha256
from tools.web.fetch import Fetcher

log = structlog.get_logger()

UNUSED, IDLE = timedelta(days=7), timedelta(days=90)
"""When a registration is removed: never let in by anyone, or not used since, with no grant left."""
REGISTRATIONS, REGISTRATION_WINDOW = 300, 3600
"""From one network address: a school's students share one."""
DOCUMENTS, DOCUMENT_WINDOW = 60, 60
"""Documents fetched for one network address: each makes this server knock at another."""
FORGOTTEN_AT_ONCE = 500
TOO_OFTEN = "There were too many attempts from this address. Wait a few minutes, then try again."


@dataclass(frozen=True, slots=True)
class Presented:
    """How a program names itself at the token endpoint."""

    client_id: str
    secret: str | None = None
    """From the Authorization header or the body."""


@dataclass(frozen=True, slots=True)
class Registered:
    """A new registration; `secret` exists only here and at the program."""

    client: OAuthClient
    secret: str | None


class Clients:
    def __init__(self, storage: Storage) -> None:
        self._storage = storage

    async def register(self, body: bytes, address: str | None) -> Registered:
        """Dynamic registration (RFC 7591). Raises OAuthError, RateLimited."""
        await self._storage.brake.check(
            TOO_OFTEN, attempts(f"oauth-register:{address}", REGISTRATIONS, REGISTRATION_WINDOW)
        )
        said = read_registration(body)
        secret = None if said.token_endpoint_auth_method == PUBLIC else f"lys_{secrets.token_hex(32)}"
        row = as_row(
            said,
            self._storage,
            client_id=str(self._storage.clock.new_id()),
            registration="dynamic",
            secret_hash=sha256(secret) if secret else None,
        )
        async with self._storage.programs() as programs:
            await programs.add(row)
        log.info("oauth_client_registered", client_id=row.client_id, name=row.name)
        return Registered(row, secret)

    async def asking(self, client_id: str, fetcher: Fetcher, address: str | None) -> OAuthClient:
        """The program that asks for access; its metadata document is read (again) when it is due.

        Raises OAuthError invalid_client, RateLimited.
        """
        row = await self._known(client_id)
        if is_document(client_id) and (row is None or row.registration == "metadata_document"):
            due = row.document_expires_at if row is not None else None
            if row is None or due is None or due <= self._storage.clock.now():
                row = await self._described(client_id, fetcher, address)
        return _usable(row)

    async def authenticated(self, presented: Presented) -> OAuthClient:
        """The program behind a request for tokens. Raises OAuthError invalid_client."""
        row = _usable(await self._known(presented.client_id))
        if row.secret_hash is not None:
            given = sha256(presented.secret or "")
            if not hmac.compare_digest(given, row.secret_hash):
                raise OAuthError("invalid_client", "The secret of this client is missing or wrong.")
        elif row.token_endpoint_auth_method != PUBLIC:
            raise OAuthError("invalid_client", "This client has no secret that it could prove itself by.")
        return row

    async def named(self, client_id: str) -> OAuthClient:
        """As `asking`, without reading anything again: for a request that was checked minutes ago."""
        return _usable(await self._known(client_id))

    async def _known(self, client_id: str) -> OAuthClient | None:
        if "\0" in client_id:
            return None
        async with self._storage.programs(read_only=True) as programs:
            return await programs.by_client_id(client_id)

    async def _described(self, client_id: str, fetcher: Fetcher, address: str | None) -> OAuthClient:
        await self._storage.brake.check(
            TOO_OFTEN, attempts(f"oauth-document:{address}", DOCUMENTS, DOCUMENT_WINDOW)
        )
        row = await fetch_client(fetcher, self._storage, client_id)
        async with self._storage.programs() as programs:
            return await programs.described(row)


def _usable(row: OAuthClient | None) -> OAuthClient:
    if row is None:
        raise OAuthError(
            "invalid_client",
            "This program is not registered here (any more). Remove the connection in the program and add it again.",
        )
    if row.disabled_at is not None:
        raise OAuthError("invalid_client", "Whoever runs this server does not let this program in.")
    return row


async def forget_unused(storage: Storage) -> int:
    """Remove registrations that nobody uses; how many. For the worker, once a day."""
    now, forgotten = storage.clock.now(), 0
    while True:
        async with storage.programs() as programs:
            count = await programs.forget(now - UNUSED, now - IDLE, FORGOTTEN_AT_ONCE)
        forgotten += count
        if count < FORGOTTEN_AT_ONCE:
            return forgotten
