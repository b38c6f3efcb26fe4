"""Accounts without the web: signing up and in, devices, API keys, one-time links. The HTTP API and the CLI share it."""

import re
import secrets
import time
import unicodedata
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import structlog

from storage.credential import Credential
from storage.errors import Conflict, Forbidden, InvalidInput, Unauthorized
from storage.models import ApiKey, User, UserSession
from storage.redis.limits import Limit, attempts
from storage.repositories import Repositories
from storage.resources import Storage
from tools.addresses import mcp_urls
from tools.context import Principal
from tools.passwords import (
    KEY_MARK,
    KEY_PREFIX,
    GrantToken,
    Passwords,
    RefreshToken,
    new_api_key,
    new_token,
    server_secret,
    sha256,
)

log = structlog.get_logger()

ACCESS_LIFE = timedelta(minutes=15)
REFRESH_LIFE = timedelta(days=30)
GRACE = timedelta(seconds=10)
"""How long a replaced refresh token still works: two tabs may refresh at the same moment."""
LINK_SECONDS = 3600
OWNER = "owner"
OWNER_EMAIL = "owner@localhost"
PAIR_LIMIT, WIDE_LIMIT, LOGIN_WINDOW = 10, 100, 300
"""Failed logins per five minutes: for one e-mail address from one network address, and for either of them alone."""
REGISTER_LIMIT, REGISTER_WINDOW = 300, 3600
KEY_NOTED_SECONDS = 60
MCP = "mcp"
"""The surface that programs reach with tokens of OAuth."""

_EMAIL = re.compile(r"[^@\s]+@[^@\s.]+(\.[^@\s.]+)+")
_SCOPE = re.compile(r"\*|(\*|[a-z_]+):(read|write)")


@dataclass(frozen=True, slots=True)
class Device:
    """Where a request comes from."""

    name: str | None = None
    ip_address: str | None = None


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A session with its tokens, which exist only here and at the client."""

    user: User
    session_id: UUID
    access_token: str
    access_expires_at: datetime
    refresh_token: str
    refresh_expires_at: datetime


def normal_email(email: str) -> str:
    """Lower case, NFKC. Raises InvalidInput when it is none."""
    email = unicodedata.normalize("NFKC", email).strip().lower()
    if len(email) > 254 or not email.isprintable() or not _EMAIL.fullmatch(email):
        raise InvalidInput("This is not an e-mail address.", code="invalid_email")
    return email


def normal_name(name: str) -> str:
    """A name without surrounding space. Raises InvalidInput when it is empty, too long or unprintable."""
    name = unicodedata.normalize("NFC", name).strip()
    if not 1 <= len(name) <= 100 or not name.isprintable():
        raise InvalidInput("A name needs 1 to 100 printable characters.", code="invalid_name")
    return name


class Accounts:
    """Everything about who someone is. One per process: it remembers which keys were noted lately."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self._passwords = Passwords()
        self._noted: dict[UUID, float] = {}
        self._secret = server_secret(storage.settings)

    # --- accounts

    async def create_user(self, email: str, name: str, password: str | None) -> User:
        """Make an account. Raises InvalidInput, or Conflict when the e-mail address is taken."""
        email, name = normal_email(email), normal_name(name)
        hashed = await self._passwords.hash(password) if password is not None else None
        user_id = self._storage.clock.new_id()
        async with self._storage.as_user(user_id) as db:
            return await db.accounts.add_user(email, name, hashed)

    async def register(self, email: str, name: str, password: str, device: Device) -> SignedIn:
        """Sign up and in. Raises Forbidden unless registration is open."""
        if self._storage.settings.registration != "open":
            raise Forbidden(
                "New accounts are made by invitation on this server. Ask whoever runs it.",
                code="registration_closed",
            )
        await self._attempt(attempts(f"register:{device.ip_address}", REGISTER_LIMIT, REGISTER_WINDOW))
        user = await self.create_user(email, name, password)
        return await self.start_session(user.id, device)

    async def set_password(self, user_id: UUID, password: str) -> None:
        """Raises InvalidInput for a weak one."""
        hashed = await self._passwords.hash(password)
        async with self._storage.as_user(user_id) as db:
            await db.accounts.set_password(hashed)

    async def find(self, email: str) -> UUID | None:
        """The id of the account with this e-mail address."""
        async with self._storage.sign_in() as sign_in:
            found = await sign_in.by_email(unicodedata.normalize("NFKC", email).strip().lower())
        return found[0] if found else None

    async def local_owner(self, name: str = "Owner") -> UUID:
        """The account of a laptop's owner, made when it is first asked for."""
        async with self._storage.sign_in() as sign_in:
            owner = await sign_in.local_owner()
        if owner is not None:
            return owner
        user_id = self._storage.clock.new_id()
        try:
            async with self._storage.as_user(user_id) as db:
                await db.accounts.add_user(OWNER_EMAIL, name, None, is_local_owner=True)
        except Conflict:
            # Another process made it at the same moment.
            async with self._storage.sign_in() as sign_in:
                owner = await sign_in.local_owner()
            if owner is None:
                raise
            return owner
        return user_id

    async def user(self, user_id: UUID) -> User:
        async with self._storage.as_user(user_id, read_only=True) as db:
            return await db.accounts.me()

    # --- signing in

    async def log_in(self, email: str, password: str, device: Device) -> SignedIn:
        """Raises Unauthorized (one sentence for an unknown address and a wrong password) or RateLimited."""
        email = unicodedata.normalize("NFKC", email).strip().lower()[:254]
        limits = (
            attempts(f"login:{email}|{device.ip_address}", PAIR_LIMIT, LOGIN_WINDOW),
            attempts(f"login:{email}", WIDE_LIMIT, LOGIN_WINDOW),
            attempts(f"login:{device.ip_address}", WIDE_LIMIT, LOGIN_WINDOW),
        )
        attempt = await self._attempt(*limits)
        async with self._storage.sign_in() as sign_in:
            found = await sign_in.by_email(email.replace("\0", ""))
        stored = found[1] if found else None
        if not await self._passwords.verify(stored, password) or found is None or stored is None:
            raise Unauthorized("The e-mail address or the password is wrong.", code="wrong_credentials")
        await self._storage.brake.forget(attempt, *limits)
        if self._passwords.outdated(stored):
            await self.set_password(found[0], password)
        return await self.start_session(found[0], device)

    async def _attempt(self, *limits: Limit) -> str:
        return await self._storage.brake.check(
            "There were too many attempts. Wait a few minutes, then try again.", *limits
        )

    async def start_session(self, user_id: UUID, device: Device) -> SignedIn:
        """Sign a known user in on a device."""
        clock = self._storage.clock
        now, session_id = clock.now(), clock.new_id()
        refresh = RefreshToken(user_id, session_id, secrets.token_bytes(32)).text(self._secret)
        access = new_token()
        row = UserSession(
            id=session_id,
            user_id=user_id,
            access_hash=sha256(access),
            access_expires_at=now + ACCESS_LIFE,
            refresh_hash=sha256(refresh),
            refresh_expires_at=now + REFRESH_LIFE,
            device=device.name,
            ip_address=device.ip_address,
            created_at=now,
            last_used_at=now,
        )
        async with self._storage.as_user(user_id) as db:
            await db.accounts.add_session(row)
            await db.accounts.signed_in(now)
            user = await db.accounts.me()
        log.info("signed_in", user_id=str(user_id), session_id=str(session_id))
        return _signed_in(user, row, access, refresh)

    async def refresh(self, token: str) -> SignedIn:
        """New tokens for a device, in exchange for its refresh token.

        The token before stays good for ten seconds and gives the same new ones; later, or with any older token, someone
        has a copy: the session is revoked. Raises Unauthorized.
        """
        digest, parsed = sha256(token), RefreshToken.parse(token, self._secret)
        async with self._storage.sign_in() as sign_in:
            found = await sign_in.by_refresh_hash(digest)
        if parsed is None or (found is not None and found != (parsed.session_id, parsed.user_id)):
            raise _session_over()
        async with self._storage.as_user(parsed.user_id) as db:
            signed_in = await self._rotate(db, parsed, digest)
        if signed_in is None:
            raise _session_over()
        return signed_in

    async def _rotate(self, db: Repositories, token: RefreshToken, digest: bytes) -> SignedIn | None:
        """The tokens that follow, or None when the session is over or was just revoked for reuse."""
        now = self._storage.clock.now()
        row = await db.accounts.session_for_update(token.session_id)
        if row is None or row.revoked_at is not None or row.refresh_expires_at <= now:
            return None
        following, access = token.successor(self._secret)
        refresh = following.text(self._secret)
        user = await db.accounts.me()
        if not user.is_active or user.deleted_at is not None:
            return None
        if row.refresh_hash == digest:
            db.accounts.ended_tokens.append(row.access_hash)
            row.previous_refresh_hash, row.refresh_hash = digest, sha256(refresh)
            row.access_hash, row.access_expires_at = sha256(access), now + ACCESS_LIFE
            row.refresh_expires_at = now + REFRESH_LIFE
            row.rotated_at = row.last_used_at = now
            return _signed_in(user, row, access, refresh)
        just_replaced = row.rotated_at is not None and now - row.rotated_at <= GRACE
        if just_replaced and row.previous_refresh_hash == digest and row.refresh_hash == sha256(refresh):
            return _signed_in(user, row, access, refresh)
        db.accounts.end(row)
        log.warning("refresh_token_reused", user_id=str(token.user_id), session_id=str(row.id))
        return None

    async def end_session_of(self, refresh_token: str) -> None:
        """Sign out the device that holds this refresh token; nothing happens when it is none."""
        parsed = RefreshToken.parse(refresh_token, self._secret)
        if parsed is None:
            return
        async with self._storage.as_user(parsed.user_id) as db:
            row = await db.accounts.session_for_update(parsed.session_id)
            if row is not None:
                db.accounts.end(row)

    # --- tokens of requests

    async def principal(
        self, token: str, surface: str, *, ip_address: str | None = None, user_agent: str | None = None
    ) -> Principal:
        """Who an API key (`lyc_…`), a program's token (`lyo_…`) or a session's belongs to. Raises Unauthorized.

        A program's token is good for the server that it was made for, which is MCP's, and nowhere else (RFC 8707).
        """
        found = await self._credential(token)
        if found is None or (found.grant_id is not None and not self._is_for(found, surface)):
            raise Unauthorized(
                "This key or session is not valid (any more). Sign in again, or make a new key.",
                code="invalid_token",
            )
        if found.key_id is not None or found.grant_id is not None:
            await self._note(found)
        return Principal(
            user_id=found.user_id,
            scopes=found.scopes,
            surface=surface,
            session_id=found.session_id,
            key_id=found.key_id,
            grant_id=found.grant_id,
            client_id=found.client_id,
            rate_limit=found.rate_limit,
            ip_address=ip_address,
            user_agent=user_agent,
        )

    async def stands(self, principal: Principal) -> bool:
        """Whether what the principal came with has not been revoked since. For what stays open after its first check."""
        async with self._storage.as_user(principal.user_id, read_only=True) as db:
            if principal.grant_id is not None:
                return await db.oauth.stands(principal.grant_id)
            return await db.accounts.stands(principal.session_id, principal.key_id)

    async def _credential(self, token: str) -> Credential | None:
        """Who a token speaks for, as PostgreSQL says or said less than a minute ago."""
        digest = sha256(token)
        known = await self._storage.callers.get(digest)
        if known is not None:
            return known
        async with self._storage.sign_in() as sign_in:
            if token.startswith(KEY_MARK):
                found = await sign_in.by_key_hash(digest)
            elif token.startswith(GrantToken.ACCESS_MARK):
                found = await sign_in.by_oauth_access(digest)
            else:
                found = await sign_in.by_access_hash(digest)
        if found is not None:
            await self._storage.callers.keep(digest, found, self._storage.clock.now())
        return found

    def _is_for(self, found: Credential, surface: str) -> bool:
        return surface == MCP and found.resource in mcp_urls(self._storage.settings)

    async def _note(self, found: Credential) -> None:
        """Date the use of a key or of a grant, at most once a minute."""
        which, now = found.key_id or found.grant_id, time.monotonic()
        if which is None or now - self._noted.get(which, -KEY_NOTED_SECONDS) < KEY_NOTED_SECONDS:
            return
        if len(self._noted) > 10_000:
            self._noted.clear()
        self._noted[which] = now
        async with self._storage.as_user(found.user_id) as db:
            if found.key_id is not None:
                await db.accounts.key_used(found.key_id)
            else:
                await db.oauth.used(which)

    # --- keys and links

    async def create_key(
        self,
        user_id: UUID,
        name: str,
        *,
        scopes: tuple[str, ...] = ("*",),
        expires_at: datetime | None = None,
    ) -> tuple[ApiKey, str]:
        """A new API key: its row, and the key itself, which cannot be seen again."""
        key, secret = new_key_row(self._storage, user_id, name, scopes=scopes, expires_at=expires_at)
        async with self._storage.as_user(user_id) as db:
            await db.accounts.add_key(key)
        return key, secret

    async def create_login_link(self, user: UUID | None = None, *, seconds: int = LINK_SECONDS) -> str:
        """An address that signs in once: this user, or the laptop's owner when none is given."""
        token = new_token()
        await self._storage.login_links.add(
            sha256(token).hex(), OWNER if user is None else str(user), seconds=seconds
        )
        return f"{self._storage.settings.base_url}/login?token={token}"

    async def redeem_link(self, token: str, device: Device) -> SignedIn:
        """Sign in by a one-time link. Raises Unauthorized when it is used, expired or unknown."""
        who = await self._storage.login_links.redeem(sha256(token).hex())
        if who is None:
            raise Unauthorized(
                "This login link is used up or too old. Ask for a new one.", code="invalid_link"
            )
        user_id = await self.local_owner() if who == OWNER else UUID(who)
        return await self.start_session(user_id, device)


def new_key_row(
    storage: Storage,
    user_id: UUID,
    name: str,
    *,
    scopes: tuple[str, ...] = ("*",),
    expires_at: datetime | None = None,
) -> tuple[ApiKey, str]:
    """An API key to be stored, and its secret. Raises InvalidInput for a bad name, scope or date."""
    wrong = [scope for scope in scopes if not _SCOPE.fullmatch(scope)]
    if wrong or not scopes:
        raise InvalidInput(
            f"Not a permission: {', '.join(wrong) or 'nothing'}. Use toolset:read, toolset:write, *:read or *.",
            code="invalid_scope",
        )
    if expires_at is not None and expires_at <= storage.clock.now():
        raise InvalidInput("The key would have expired already.", code="invalid_expiry")
    secret = new_api_key()
    row = ApiKey(
        id=storage.clock.new_id(),
        user_id=user_id,
        name=normal_name(name),
        prefix=secret[:KEY_PREFIX],
        key_hash=sha256(secret),
        scopes=sorted(set(scopes)),
        expires_at=expires_at,
    )
    return row, secret


def _signed_in(user: User, row: UserSession, access: str, refresh: str) -> SignedIn:
    return SignedIn(
        user=user,
        session_id=row.id,
        access_token=access,
        access_expires_at=row.access_expires_at,
        refresh_token=refresh,
        refresh_expires_at=row.refresh_expires_at,
    )


def _session_over() -> Unauthorized:
    return Unauthorized("This session is over. Sign in again.", code="session_over")
