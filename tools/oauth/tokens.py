"""From a consent to tokens: a code that works once, an access token for an hour, a refresh token that rotates."""

import base64
import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import structlog

from storage.models import AuditLog, OAuthClient, OAuthGrant
from storage.repositories import Repositories
from storage.resources import Storage
from tools.oauth.errors import OAuthError
from tools.oauth.scopes import OF_OPENID
from tools.passwords import GrantToken, new_token, server_secret, sha256

log = structlog.get_logger()

CODE_LIFE = timedelta(seconds=60)
ACCESS_LIFE = timedelta(hours=1)
REFRESH_LIFE = timedelta(days=30)
"""From its last rotation: a program that is used once a month stays connected."""
GRACE = timedelta(seconds=60)
"""How long a replaced refresh token still gives the tokens that followed it: for processes of one program that refresh at
the same moment, and for one that lost the answer and asks again once its own time limit is over."""
CONNECTED, DISCONNECTED, SURFACE = "connect_client", "disconnect_client", "oauth"
"""How the audit trail calls what happens to a grant without a tool."""
VERIFIER = re.compile(r"[A-Za-z0-9._~-]{43,128}")
CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}")
"""RFC 7636, 4.1 and 4.2: S256 is 32 bytes in base64url without padding."""


@dataclass(frozen=True, slots=True)
class Consent:
    """What a person allowed, as the grant keeps it."""

    user_id: UUID
    client: OAuthClient
    scopes: frozenset[str]
    resource: str
    redirect_uri: str
    code_challenge: str


@dataclass(frozen=True, slots=True)
class Issued:
    """Tokens, which exist only here and at the program. `refresh_token` is None for a program without that flow."""

    access_token: str
    expires_in: int
    refresh_token: str | None
    scopes: tuple[str, ...]


class GrantTokens:
    """The tokens of grants. Everything that changes a grant happens under a lock on its row."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self._secret = server_secret(storage.settings)

    async def code(self, consent: Consent) -> str:
        """A new grant and its code."""
        code, now = new_token(), self._storage.clock.now()
        row = OAuthGrant(
            id=self._storage.clock.new_id(),
            user_id=consent.user_id,
            oauth_client_id=consent.client.id,
            scopes=sorted(consent.scopes),
            resource=consent.resource,
            redirect_uri=consent.redirect_uri,
            code_hash=sha256(code),
            code_challenge=consent.code_challenge,
            code_expires_at=now + CODE_LIFE,
            refresh_expires_at=now + CODE_LIFE,
        )
        async with self._storage.as_user(consent.user_id) as db:
            await db.oauth.add(row)
            said = {"name": consent.client.name, "client": consent.client.client_id, "scopes": row.scopes}
            await db.audit.add(self._entry(row, CONNECTED, said))
        log.info(
            "oauth_access_granted",
            user_id=str(consent.user_id),
            grant_id=str(row.id),
            client=consent.client.name,
            scopes=row.scopes,
        )
        return code

    async def exchange(
        self, client: OAuthClient, code: str, verifier: str, redirect_uri: str | None
    ) -> Issued:
        """Tokens for a code. Raises OAuthError invalid_grant; a code's second use ends the grant (RFC 6749, 4.1.2)."""
        async with self._storage.sign_in() as sign_in:
            found = await sign_in.by_oauth_code(sha256(code))
        if found is None:
            raise _wrong_code()
        grant_id, user_id = found
        async with self._storage.as_user(user_id) as db:
            row = await db.oauth.grant_for_update(grant_id)
            if row is None or row.oauth_client_id != client.id:
                raise _wrong_code()
            issued = None
            if row.code_used_at is not None:
                await self._end(db, row, "oauth_code_reused")
            else:
                self._check_code(row, verifier, redirect_uri)
                row.code_used_at = self._storage.clock.now()
                start = GrantToken(user_id, grant_id, secrets.token_bytes(32))
                issued = await self._give(db, client, row, start)
        if issued is None:
            raise _wrong_code()
        await self._note(client)
        return issued

    def _check_code(self, row: OAuthGrant, verifier: str, redirect_uri: str | None) -> None:
        if row.revoked_at is not None or row.code_expires_at <= self._storage.clock.now():
            raise _wrong_code()
        # OAuth 2.1 has dropped the parameter; who still sends it must send the right one (its section 10.2).
        if redirect_uri is not None and redirect_uri != row.redirect_uri:
            raise OAuthError("invalid_grant", "redirect_uri is not the one that the code was sent to.")
        if not VERIFIER.fullmatch(verifier) or not hmac.compare_digest(
            challenge(verifier), row.code_challenge
        ):
            raise OAuthError("invalid_grant", "code_verifier does not fit the code_challenge (PKCE).")

    async def refresh(self, client: OAuthClient, token: str, scope: str | None = None) -> Issued:
        """New tokens for a refresh token; `scope` may name no more than the grant has.

        The token before gives the same new ones for a minute. Later, or with any older token, somebody has a copy: the
        grant ends. Raises OAuthError invalid_grant or invalid_scope.
        """
        parsed = GrantToken.parse(token, self._secret)
        if parsed is None:
            raise _wrong_refresh()
        async with self._storage.as_user(parsed.user_id) as db:
            issued = await self._rotate(db, client, parsed, sha256(token), scope)
        if issued is None:
            raise _wrong_refresh()
        await self._note(client)
        return issued

    async def _rotate(
        self, db: Repositories, client: OAuthClient, token: GrantToken, digest: bytes, scope: str | None
    ) -> Issued | None:
        """The tokens that follow, or None when the grant is over or was just ended for reuse."""
        now = self._storage.clock.now()
        row = await db.oauth.grant_for_update(token.session_id)
        if row is None or row.oauth_client_id != client.id or row.refresh_expires_at is None:
            return None
        if row.revoked_at is not None or row.refresh_expires_at <= now:
            return None
        user = await db.accounts.me()
        if not user.is_active or user.deleted_at is not None:
            return None
        if not set((scope or "").split()) <= {*row.scopes, *OF_OPENID}:
            raise OAuthError("invalid_scope", "The person did not allow that. Connect again to ask for more.")
        if row.refresh_hash == digest:
            return await self._give(db, client, row, token)
        following, access = token.successor(self._secret)
        refresh = following.text(self._secret)
        just_replaced = row.rotated_at is not None and now - row.rotated_at <= GRACE
        if just_replaced and row.previous_refresh_hash == digest and row.refresh_hash == sha256(refresh):
            return self._issued(client, row, access, refresh, now)
        await self._end(db, row, "oauth_refresh_token_reused")
        return None

    async def _give(
        self, db: Repositories, client: OAuthClient, row: OAuthGrant, token: GrantToken
    ) -> Issued:
        """The tokens that follow `token` take the place of those that the row has."""
        now = self._storage.clock.now()
        following, access = token.successor(self._secret)
        refresh = following.text(self._secret)
        if row.previous_access_hash is not None:
            db.oauth.ended_tokens.append(row.previous_access_hash)
        row.previous_access_hash, row.previous_access_expires_at = row.access_hash, row.access_expires_at
        row.access_hash, row.access_expires_at = sha256(access), now + ACCESS_LIFE
        row.previous_refresh_hash, row.refresh_hash = row.refresh_hash, sha256(refresh)
        can_refresh = "refresh_token" in client.grant_types
        row.refresh_expires_at = now + (REFRESH_LIFE if can_refresh else ACCESS_LIFE)
        row.rotated_at = row.last_used_at = now
        return self._issued(client, row, access, refresh, now)

    def _issued(
        self, client: OAuthClient, row: OAuthGrant, access: str, refresh: str, now: datetime
    ) -> Issued:
        end = row.access_expires_at or now
        return Issued(
            access_token=access,
            expires_in=max(0, int((end - now).total_seconds())),
            refresh_token=refresh if "refresh_token" in client.grant_types else None,
            scopes=tuple(row.scopes),
        )

    async def revoke(self, client: OAuthClient, token: str) -> None:
        """End the grant behind an access or refresh token of this program (RFC 7009); nothing happens for any other."""
        parsed = GrantToken.parse(token, self._secret)
        if parsed is not None:
            grant_id, user_id = parsed.session_id, parsed.user_id
        else:
            async with self._storage.sign_in() as sign_in:
                found = await sign_in.by_oauth_access(sha256(token))
            if found is None or found.grant_id is None:
                return
            grant_id, user_id = found.grant_id, found.user_id
        async with self._storage.as_user(user_id) as db:
            row = await db.oauth.grant_for_update(grant_id)
            if row is not None and row.oauth_client_id == client.id and row.revoked_at is None:
                await self._end(db, row, "oauth_given_back")

    async def _end(self, db: Repositories, row: OAuthGrant, reason: str) -> None:
        """End a grant without its person, and say so where they can read it."""
        if row.revoked_at is None:
            await db.audit.add(self._entry(row, DISCONNECTED, {"reason": reason}))
            log.warning(reason, user_id=str(row.user_id), grant_id=str(row.id))
        db.oauth.end(row)

    def _entry(self, row: OAuthGrant, action: str, said: dict[str, Any]) -> AuditLog:
        return AuditLog(
            id=self._storage.clock.new_id(),
            created_at=self._storage.clock.now(),
            user_id=row.user_id,
            action=action,
            surface=SURFACE,
            arguments=said,
            entity_type="oauth_grants",
            entity_id=row.id,
            is_success=True,
            client_id=row.oauth_client_id,
        )

    async def _note(self, client: OAuthClient) -> None:
        async with self._storage.programs() as programs:
            await programs.used(client.id)


def challenge(verifier: str) -> str:
    """S256 of RFC 7636, 4.2."""
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")


def _wrong_code() -> OAuthError:
    return OAuthError(
        "invalid_grant", "This code is wrong, was used already, or is older than a minute. Connect again."
    )


def _wrong_refresh() -> OAuthError:
    return OAuthError("invalid_grant", "This refresh token is wrong or over. Connect again.")
