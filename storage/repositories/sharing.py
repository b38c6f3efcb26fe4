"""Public links: what their owner does with them, and what somebody does who holds one."""

from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from sqlalchemy import func, or_, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from storage.errors import NotFound
from storage.models import ShareLink
from storage.repositories.base import Page, Repository, as_uuid

Kind = Literal["material", "note", "deck", "test", "document", "course"]


class ShareLinkRepository(Repository):
    async def add(self, row: ShareLink) -> None:
        self.session.add(row)
        await self.session.flush()

    async def recent(self, *, limit: int, cursor: str | None) -> Page[ShareLink]:
        """Also links that are over: their owner sees how often they were opened."""
        mine = select(ShareLink).where(ShareLink.user_id == self.user_id)
        return await self.page(mine, ShareLink.created_at, ShareLink.id, limit=limit, cursor=cursor)

    async def get(self, wanted: str) -> ShareLink:
        """By id or code. Raises NotFound."""
        same = or_(ShareLink.id == as_uuid(wanted), ShareLink.code == wanted)
        row = await self.session.scalar(select(ShareLink).where(ShareLink.user_id == self.user_id, same))
        if row is None:
            raise NotFound("You have no such share link.", code="share_link_not_found")
        return row

    async def revoke(self, row: ShareLink) -> None:
        """From now on nobody opens it; who has it open sees nothing more."""
        row.revoked_at = row.revoked_at or self.clock.now()
        await self.session.flush()


@dataclass(frozen=True, slots=True)
class OpenedLink:
    """What a public link shows, and whose it is."""

    link_id: UUID
    owner_id: UUID
    kind: Kind
    item_id: UUID


class PublicLinks:
    """The way of somebody who holds a link, signed in or not: `password_hash`, then `open`, later `show` again.

    A view is counted by `open`, in one statement with the check of the limit, so that there is never one more.
    """

    def __init__(self, session: AsyncSession) -> None:
        self.session = session

    async def password_hash(self, code: str) -> str | None:
        """Of a link that can be opened now; None when it asks for no password. Counts nothing. Raises NotFound."""
        found = (
            await self.session.execute(select(text("*")).select_from(func.lyceum_find_share_link(code)))
        ).first()
        if found is None:
            raise no_such_link()
        password_hash: str | None = found.password_hash
        return password_hash

    async def open(self, code: str, password_hash: str | None) -> OpenedLink:
        """Count a view and let the rest of this transaction read the item. `password_hash` is the one that was verified.

        Raises NotFound when the link is over, also when the last view or the password went meanwhile.
        """
        opened = func.lyceum_open_share_link(code, password_hash)
        row = (await self.session.execute(select(text("*")).select_from(opened))).first()
        if row is None:
            raise no_such_link()
        await self.show(row.link_id)
        return OpenedLink(row.link_id, row.owner_id, row.kind, row.item_id)

    async def show(self, link_id: UUID) -> None:
        """Let the rest of this transaction read the item of a link that was opened before, while it is not revoked or expired."""
        await self.session.execute(select(func.set_config("lyceum.share_link_id", str(link_id), True)))


def no_such_link() -> NotFound:
    """One answer for every reason, so that nothing can be learned by trying."""
    return NotFound("This link does not exist, or is not valid any more.", code="share_link_not_found")
