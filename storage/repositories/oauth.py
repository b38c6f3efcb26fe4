"""Programs that people let in, and what they were given."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from sqlalchemy import select, text, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from storage.clock import Clock
from storage.errors import NotFound
from storage.models import OAuthClient, OAuthGrant
from storage.repositories.base import Repository, as_uuid, one_of_names


class Programs:
    """Registered programs. They belong to nobody, so nothing here depends on a user."""

    def __init__(self, session: AsyncSession, clock: Clock) -> None:
        self._session = session
        self._clock = clock

    async def by_client_id(self, client_id: str) -> OAuthClient | None:
        found = select(OAuthClient).where(OAuthClient.client_id == client_id)
        return (await self._session.scalars(found)).first()

    async def add(self, row: OAuthClient) -> None:
        self._session.add(row)
        await self._session.flush()

    async def described(self, row: OAuthClient) -> OAuthClient:
        """Keep what a metadata document says now, in the row of its address if there is one."""
        known = await self.by_client_id(row.client_id)
        if known is None:
            try:
                async with self._session.begin_nested():
                    await self.add(row)
            except IntegrityError:  # another process read the same document at the same moment
                known = await self.by_client_id(row.client_id)
            else:
                return row
        if known is None:
            raise NotFound("This program is not known here.", code="client_not_found")
        for name in ("name", "redirect_uris", "grant_types", "scopes", "document", "document_expires_at"):
            setattr(known, name, getattr(row, name))
        await self._session.flush()
        return known

    async def used(self, client: UUID) -> None:
        """Note that it was given a token."""
        await self._session.execute(
            update(OAuthClient).where(OAuthClient.id == client).values(last_used_at=self._clock.now())
        )

    async def forget(self, unused: datetime, idle: datetime, limit: int) -> int:
        """Remove registrations that nobody let in since `unused`, or that nobody has used since `idle`. How many."""
        asked = text("SELECT lyceum_forget_oauth_clients(:unused, :idle, :n)")
        return int(await self._session.scalar(asked, {"unused": unused, "idle": idle, "n": limit}) or 0)


@dataclass(frozen=True, slots=True)
class Connected:
    """A program, and each time that the person let it in: two computers, two grants."""

    client: OAuthClient
    grants: list[OAuthGrant] = field(default_factory=list)

    @property
    def id(self) -> UUID:
        return self.client.id

    @property
    def name(self) -> str:
        return self.client.name


class OAuthRepository(Repository):
    def __init__(self, session: AsyncSession, user_id: UUID, clock: Clock) -> None:
        super().__init__(session, user_id, clock)
        self.ended_tokens: list[bytes] = []
        """Hashes of access tokens that end with this transaction; `Storage.as_user` has them forgotten."""

    async def add(self, row: OAuthGrant) -> None:
        """Raises NotFound when the program's registration is gone."""
        self.session.add(row)
        try:
            await self.session.flush()
        except IntegrityError as error:
            raise NotFound(
                "This program is not registered here any more.", code="client_not_found"
            ) from error

    async def grant_for_update(self, grant_id: UUID) -> OAuthGrant | None:
        """The grant, locked so that two uses of a code or token at the same moment come one after the other."""
        return await self.session.get(OAuthGrant, grant_id, with_for_update=True)

    async def client(self, client: UUID) -> OAuthClient | None:
        return await self.session.get(OAuthClient, client)

    async def stands(self, grant_id: UUID) -> bool:
        """Whether the grant has not ended."""
        live = select(OAuthGrant.id).where(
            OAuthGrant.id == grant_id,
            OAuthGrant.user_id == self.user_id,
            OAuthGrant.revoked_at.is_(None),
        )
        return (await self.session.scalars(live)).first() is not None

    async def used(self, grant_id: UUID) -> None:
        """Note a call of a program, at most once a minute so that a busy one does not rewrite the row each time."""
        await self.session.execute(
            text(
                "UPDATE oauth_grants SET last_used_at = :now WHERE id = :id AND user_id = :user"
                " AND (last_used_at IS NULL OR last_used_at < CAST(:now AS timestamptz) - interval '1 minute')"
            ),
            {"now": self.clock.now(), "id": grant_id, "user": self.user_id},
        )

    async def all_connected(self) -> list[Connected]:
        """Programs that can act for the user now, the one let in last first."""
        live = (
            select(OAuthGrant)
            .where(
                OAuthGrant.user_id == self.user_id,
                OAuthGrant.revoked_at.is_(None),
                OAuthGrant.code_used_at.is_not(None),
                OAuthGrant.refresh_expires_at > self.clock.now(),
            )
            .order_by(OAuthGrant.created_at.desc(), OAuthGrant.id.desc())
        )
        grants = (await self.session.scalars(live)).all()
        wanted = {grant.oauth_client_id for grant in grants}
        rows: Sequence[OAuthClient] = (
            await self.session.scalars(select(OAuthClient).where(OAuthClient.id.in_(wanted)))
        ).all()
        clients = {row.id: row for row in rows}
        found: dict[UUID, Connected] = {}
        for grant in grants:
            entry = found.setdefault(grant.oauth_client_id, Connected(clients[grant.oauth_client_id]))
            entry.grants.append(grant)
        return list(found.values())

    async def connected(self, wanted: str) -> Connected:
        """By id or name. Raises NotFound, or Conflict when the name fits several."""
        client_id = as_uuid(wanted)
        everyone = await self.all_connected()
        # A program chooses its name: one that calls itself by another's id must not stand in for it.
        found = [one for one in everyone if (one.id == client_id if client_id else one.name == wanted)]
        entry: Connected = one_of_names("client", wanted, found, "name")
        return entry

    async def end_client(self, client: UUID) -> None:
        """End every grant of a program, those whose code was not used yet too."""
        rows = await self.session.scalars(
            select(OAuthGrant)
            .where(
                OAuthGrant.user_id == self.user_id,
                OAuthGrant.oauth_client_id == client,
                OAuthGrant.revoked_at.is_(None),
            )
            .with_for_update()
        )
        for row in rows.all():
            self.end(row)

    def end(self, row: OAuthGrant) -> None:
        """Nothing that was given out for it works from here on."""
        row.revoked_at = row.revoked_at or self.clock.now()
        self.ended_tokens += [
            digest for digest in (row.access_hash, row.previous_access_hash) if digest is not None
        ]
