"""Classes of one user."""

import re
import unicodedata
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, exists, func, or_, select
from sqlalchemy.exc import IntegrityError

from storage.errors import Conflict
from storage.models import Class, ClassMember, Material
from storage.repositories.base import Page, Repository, id_or_name

# Built once: half of the tools look for a class first, and building it takes as long as the answer.
EXACT = select(Class).where(
    Class.user_id == bindparam("user_id"),
    Class.deleted_at.is_(None),
    or_(Class.id == bindparam("id"), func.lower(Class.name) == bindparam("name")),
)


def slug(name: str) -> str:
    """Lower-case ASCII words joined by hyphens, at most 40 characters; "class" when nothing is left."""
    ascii_name = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", ascii_name).strip("-")[:40].strip("-") or "class"


class ClassRepository(Repository):
    async def recent(self, *, limit: int, cursor: str | None) -> Page[Class]:
        mine = select(Class).where(Class.user_id == self.user_id, Class.deleted_at.is_(None))
        return await self.page(mine, Class.created_at, Class.id, limit=limit, cursor=cursor)

    async def resolve(self, wanted: str, *, deleted: bool = False) -> Class:
        """By id, name, or a part of the name. Raises NotFound, or Conflict listing the candidates."""
        if not deleted and (exact := await self._exactly(wanted)) is not None:
            return exact
        mine = select(Class).where(Class.user_id == self.user_id)
        mine = mine.where(Class.deleted_at.is_not(None) if deleted else Class.deleted_at.is_(None))
        return await self.named("class", mine, wanted, Class.id, Class.name)

    async def _exactly(self, wanted: str) -> Class | None:
        row_id, name = id_or_name(wanted)
        asked = {"user_id": self.user_id, "id": row_id, "name": name}
        return (await self.session.scalars(EXACT, asked)).one_or_none()

    async def reachable(self, wanted: str) -> Class:
        """The same among one's own classes and those one is a member of."""
        member = exists().where(ClassMember.class_id == Class.id, ClassMember.user_id == self.user_id)
        statement = select(Class).where(
            Class.deleted_at.is_(None), or_(Class.user_id == self.user_id, member)
        )
        return await self.named("class", statement, wanted, Class.id, Class.name)

    async def by_id(self, class_id: UUID) -> Class | None:
        """Also a deleted one."""
        return await self.session.scalar(
            select(Class).where(Class.id == class_id, Class.user_id == self.user_id)
        )

    async def add(self, row: Class) -> Class:
        """Raises Conflict when a class of this name exists. Fills `collection_prefix`: readable and unique for all."""
        taken = select(Class.id).where(
            Class.user_id == self.user_id,
            func.lower(Class.name) == row.name.lower(),
            Class.deleted_at.is_(None),
        )
        if await self.session.scalar(taken):
            raise Conflict(f"You have a class called {row.name!r} already.", code="class_exists")
        base = f"{self.user_id.hex[-8:]}_{slug(row.name)}"
        for prefix in (base, f"{base}-{row.id.hex[-4:]}", f"{base}-{row.id.hex[-12:]}"):
            row.collection_prefix = prefix
            try:
                async with self.session.begin_nested():
                    self.session.add(row)
                    await self.session.flush()
            except IntegrityError:
                continue
            return row
        raise Conflict("This class could not be named. Try another name.", code="class_exists")

    async def change(self, row: Class, values: dict[str, Any]) -> None:
        """Set columns of a class. Raises Conflict when another class has the new name."""
        for name, value in values.items():
            setattr(row, name, value)
        try:
            await self.session.flush()
        except IntegrityError as error:
            raise Conflict(f"You have a class called {row.name!r} already.", code="class_exists") from error

    async def material_counts(self, classes: Sequence[Class]) -> dict[UUID, int]:
        """Materials per class id."""
        ids = [row.id for row in classes]
        counts = select(Material.class_id, func.count()).where(
            Material.class_id.in_(ids), Material.user_id == self.user_id, Material.deleted_at.is_(None)
        )
        rows = await self.session.execute(counts.group_by(Material.class_id))
        return {row[0]: row[1] for row in rows}
