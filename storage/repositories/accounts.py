"""Users, their devices and their API keys."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import select, text, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from storage.clock import Clock
from storage.credential import Credential
from storage.errors import Conflict, NotFound
from storage.models import ApiKey, User, UserSession
from storage.repositories.base import Repository, as_uuid, one_of_names


class SignIn:
    """The few lookups that must happen before anyone is known. Each is one database function; nothing else crosses users."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def by_email(self, email: str) -> tuple[UUID, str | None] | None:
        """User id and password hash of an active account."""
        row = (
            await self._session.execute(text("SELECT * FROM lyceum_find_login(:email)"), {"email": email})
        ).first()
        return (row.user_id, row.password_hash) if row else None

    async def by_access_hash(self, digest: bytes) -> Credential | None:
        row = (
            await self._session.execute(text("SELECT * FROM lyceum_find_session(:d)"), {"d": digest})
        ).first()
        if row is None:
            return None
        return Credential(row.user_id, row.session_id, None, frozenset({"*"}), expires_at=row.expires_at)

    async def by_refresh_hash(self, digest: bytes) -> tuple[UUID, UUID] | None:
        """Session id and user id that a refresh token, current or just replaced, belongs to."""
        row = (
            await self._session.execute(text("SELECT * FROM lyceum_find_refresh(:d)"), {"d": digest})
        ).first()
        return (row.session_id, row.user_id) if row else None

    async def by_key_hash(self, digest: bytes) -> Credential | None:
        row = (
            await self._session.execute(text("SELECT * FROM lyceum_find_api_key(:d)"), {"d": digest})
        ).first()
        if row is None:
            return None
        return Credential(
            row.user_id, None, row.key_id, frozenset(row.scopes), row.rate_limit, row.expires_at
        )

    async def by_oauth_access(self, digest: bytes) -> Credential | None:
        """What a program's access token, the current one or the one before, may do."""
        row = (
            await self._session.execute(text("SELECT * FROM lyceum_find_oauth_access(:d)"), {"d": digest})
        ).first()
        if row is None:
            return None
        return Credential(
            row.user_id,
            None,
            None,
            frozenset(row.scopes),
            expires_at=row.expires_at,
            grant_id=row.grant_id,
            client_id=row.oauth_client_id,
            resource=row.resource,
        )

    async def by_oauth_code(self, digest: bytes) -> tuple[UUID, UUID] | None:
        """Grant id and user id that an authorization code belongs to, also when it was used or has expired."""
        row = (
            await self._session.execute(text("SELECT * FROM lyceum_find_oauth_code(:d)"), {"d": digest})
        ).first()
        return (row.grant_id, row.user_id) if row else None

    async def local_owner(self) -> UUID | None:
        """The account of a laptop's owner, once the first start made it."""
        owner: UUID | None = await self._session.scalar(text("SELECT lyceum_local_owner()"))
        return owner


class AccountRepository(Repository):
    def __init__(self, session: AsyncSession, user_id: UUID, clock: Clock) -> None:
        super().__init__(session, user_id, clock)
        self.ended_tokens: list[bytes] = []
        """Hashes of access tokens and keys that end with this transaction; `Storage.as_user` has them forgotten."""

    async def add_user(
        self, email: str, name: str, password_hash: str | None, *, is_local_owner: bool = False
    ) -> User:
        """Make the account of the bound user id. Raises Conflict when the e-mail address is taken."""
        user = User(
            id=self.user_id,
            email=email,
            name=name,
            password_hash=password_hash,
            is_local_owner=is_local_owner,
        )
        self.session.add(user)
        try:
            await self.session.flush()
        except IntegrityError as error:
            raise Conflict(
                "There is an account with this e-mail address already.", code="email_taken"
            ) from error
        return user

    async def me(self) -> User:
        user = await self.session.get(User, self.user_id)
        if user is None:
            raise NotFound("This account does not exist any more.", code="user_not_found")
        return user

    async def signed_in(self, now: datetime) -> None:
        await self.session.execute(update(User).where(User.id == self.user_id).values(last_login_at=now))

    async def set_password(self, password_hash: str) -> None:
        await self.session.execute(
            update(User).where(User.id == self.user_id).values(password_hash=password_hash)
        )

    async def add_session(self, row: UserSession) -> None:
        self.session.add(row)
        await self.session.flush()

    async def session_for_update(self, session_id: UUID) -> UserSession | None:
        """The device's row, locked so that two refreshes at the same moment come one after the other."""
        return await self.session.get(UserSession, session_id, with_for_update=True)

    async def sessions(self) -> Sequence[UserSession]:
        """Signed-in devices, newest first."""
        live = select(UserSession).where(
            UserSession.user_id == self.user_id, UserSession.revoked_at.is_(None)
        )
        live = live.where(UserSession.refresh_expires_at > self.clock.now())
        return (await self.session.scalars(live.order_by(UserSession.created_at.desc()))).all()

    async def revoke_session(self, session_id: UUID) -> None:
        row = await self.session.get(UserSession, session_id, with_for_update=True)
        if row is None or row.user_id != self.user_id:
            raise NotFound("No such device.", code="session_not_found")
        self.end(row)

    def end(self, row: UserSession) -> None:
        """Sign a device out."""
        row.revoked_at = row.revoked_at or self.clock.now()
        self.ended_tokens.append(row.access_hash)

    async def stands(self, session_id: UUID | None, key_id: UUID | None) -> bool:
        """Whether a device is still signed in, or a key still works."""
        if session_id is not None:
            device = await self.session.get(UserSession, session_id)
            return device is not None and device.revoked_at is None
        if key_id is not None:
            key = await self.session.get(ApiKey, key_id)
            if key is None or key.revoked_at is not None:
                return False
            return key.expires_at is None or key.expires_at > self.clock.now()
        return True

    async def add_key(self, row: ApiKey) -> None:
        self.session.add(row)
        await self.session.flush()

    async def keys(self) -> Sequence[ApiKey]:
        live = select(ApiKey).where(ApiKey.user_id == self.user_id, ApiKey.revoked_at.is_(None))
        return (await self.session.scalars(live.order_by(ApiKey.created_at.desc()))).all()

    async def revoke_key(self, wanted: str) -> ApiKey:
        """By id or name. Raises NotFound, or Conflict when the name fits several."""
        key_id = as_uuid(wanted)
        found = [key for key in await self.keys() if key.id == key_id or key.name == wanted]
        key: ApiKey = one_of_names("api_key", wanted, found, "name")
        key.revoked_at = self.clock.now()
        self.ended_tokens.append(key.key_hash)
        return key

    async def key_used(self, key_id: UUID) -> None:
        """Note the use of a key, at most once a minute so that a busy client does not rewrite the row each time."""
        now = self.clock.now()
        await self.session.execute(
            text(
                "UPDATE api_keys SET last_used_at = :now WHERE id = :id AND user_id = :user"
                " AND (last_used_at IS NULL OR last_used_at < CAST(:now AS timestamptz) - interval '1 minute')"
            ),
            {"now": now, "id": key_id, "user": self.user_id},
        )
