"""The audit of one call: who did what, when, from where, what it changed, and how it ended."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

import structlog
from pydantic import BaseModel

from storage.errors import LyceumError
from storage.models import AuditLog
from storage.repositories import Repositories
from storage.repositories.audit import Change, Changes
from storage.resources import Storage
from tools.context import Principal
from tools.spec import ToolSpec

log = structlog.get_logger()

LONGEST_TEXT = 200
"""Characters of a text argument that the audit keeps: what was done, not a copy of the material."""
MOST_PARTS = 20
"""Elements of a list, and fields of an object, that the audit keeps."""
SECRET = re.compile(r"content_base64|password|secret|token", re.IGNORECASE)
LONGEST_AGENT = 300


@dataclass
class Trail:
    """Writes the audit rows of one call of a WRITE or DESTROY tool.

    A row is written in the transaction that makes the change, so that neither is there without the other. A tool that
    commits in steps leaves a row for each step that changed something; a failure leaves one in a transaction of its own.
    """

    spec: ToolSpec
    arguments: Mapping[str, Any]
    principal: Principal
    storage: Storage
    output: BaseModel | None = None
    changed: list[Change] = field(default_factory=list)
    """Rows that the call changed, over all its transactions."""
    _written: bool = field(default=False)

    def watched(self) -> Storage:
        """The stores for the tool: what it changes through them is in the trail."""
        return replace(self.storage, before_commit=self._before_commit)

    async def _before_commit(self, db: Repositories) -> None:
        changes = await db.audit.changes()
        self.changed += changes.rows
        if changes.rows or self.output is not None:
            await db.audit.add(self._row(changes))
            self._written = True

    async def succeeded(self) -> None:
        """For a tool that changed nothing: that it ran is written all the same."""
        if not self._written:
            async with self.storage.as_user(self.principal.user_id) as db:
                await db.audit.add(self._row(Changes([], more=False)))

    async def failed(self, code: str, message: str) -> None:
        """Write the failure. When that is not possible either, the log keeps it: the first error matters more."""
        row = self._row(Changes([], more=False))
        row.is_success, row.error_code, row.error_message = False, code, clean(message)
        try:
            async with self.storage.as_user(self.principal.user_id) as db:
                await db.audit.add(row)
        except LyceumError as error:
            log.error("audit_failed", action=row.action, code=code, surface=row.surface, reason=str(error))

    def _row(self, changes: Changes) -> AuditLog:
        table, entity = entity_of(changes.rows, self.output, self.spec.toolset)
        old, new = values_of(changes)
        return AuditLog(
            id=self.storage.clock.new_id(),
            created_at=self.storage.clock.now(),
            user_id=self.principal.user_id,
            action=self.spec.name,
            surface=self.principal.surface,
            arguments=auditable(self.arguments),
            entity_type=table,
            entity_id=entity,
            old_values=old or None,
            new_values=new or None,
            is_success=True,
            ip_address=self.principal.ip_address,
            user_agent=clean(self.principal.user_agent, LONGEST_AGENT),
            session_id=self.principal.session_id,
            key_id=self.principal.key_id,
            client_id=self.principal.client_id,
        )


def values_of(changes: Changes) -> tuple[dict[str, Any], dict[str, Any]]:
    """Old and new values as `{table: {id: {column: value}}}`; a row that changed twice has its first and last state."""
    old: dict[str, Any] = {}
    new: dict[str, Any] = {}
    for number, change in enumerate(changes.rows):
        key = change.id or f"#{number}"
        if change.old:
            before = old.setdefault(change.table, {}).setdefault(key, {})
            before.update({name: value for name, value in change.old.items() if name not in before})
        if change.new:
            new.setdefault(change.table, {}).setdefault(key, {}).update(change.new)
    if changes.more:
        new["more"] = True
    return old, new


def entity_of(
    changes: list[Change], output: BaseModel | None, toolset: str
) -> tuple[str | None, UUID | None]:
    """The table and id of what the call is about: what the output names, else the changed row of the toolset's table."""
    named = next(
        (
            value
            for name in ("id", "material_id", "job_id")
            if isinstance(value := getattr(output, name, None), UUID)
        ),
        None,
    )
    by_id = [change for change in changes if named is not None and change.id == str(named)]
    by_table = [change for change in changes if change.table == toolset]
    chosen = next(iter(by_id or by_table or changes), None)
    if chosen is None:
        return None, named
    return chosen.table, named if by_id else as_id(chosen.id)


def as_id(text: str | None) -> UUID | None:
    return UUID(text) if text else None


def auditable(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Arguments without secrets and file bodies, texts cut short, long lists and objects too. They may be wrong ones."""
    return {
        clean(str(name)) or "": shortened(value)
        for name, value in list(arguments.items())[:MOST_PARTS]
        if not SECRET.search(str(name)) and value is not None
    }


def shortened(value: Any, depth: int = 3) -> Any:
    if isinstance(value, bool | int | float) or value is None:
        return value
    if isinstance(value, Mapping) and depth:
        return {
            clean(str(name)): shortened(part, depth - 1)
            for name, part in list(value.items())[:MOST_PARTS]
            if not SECRET.search(str(name))
        }
    if isinstance(value, list | tuple) and depth:
        return [shortened(part, depth - 1) for part in value[:MOST_PARTS]]
    return clean(str(value))


def clean(text: str | None, longest: int = LONGEST_TEXT) -> str | None:
    """Cut short, and without what PostgreSQL cannot store: NUL and halves of surrogate pairs."""
    if text is None:
        return None
    return text[:longest].replace("\0", "").encode("utf-8", "replace").decode()
