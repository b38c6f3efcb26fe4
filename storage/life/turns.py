"""Whose turn it is: a lease on a recurring task, so that one of several workers does it, and the next one goes on where a
killed one stopped. The row also tells `lyceum doctor` when the task last ended and what it did."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import text

from storage.resources import Storage

LEASE = timedelta(minutes=2)

CLAIM = text(
    """
    INSERT INTO upkeep AS u (task, worker, lease_until, started_at) VALUES (:task, :worker, :until, :now)
    ON CONFLICT (task) DO UPDATE SET worker = excluded.worker, lease_until = excluded.lease_until, error = NULL,
        started_at = CASE WHEN u.position IS NULL THEN excluded.started_at ELSE u.started_at END,
        removed = CASE WHEN u.position IS NULL THEN '{}'::jsonb ELSE u.removed END
    WHERE (u.lease_until IS NULL OR u.lease_until <= :now OR u.worker = excluded.worker)
      AND (u.finished_at IS NULL OR u.finished_at <= :due)
    RETURNING position, removed
    """
)
RENEW = text(
    """
    UPDATE upkeep SET lease_until = :until, position = coalesce(:position, position), removed = CAST(:removed AS jsonb)
    WHERE task = :task AND worker = :worker AND lease_until IS NOT NULL RETURNING task
    """
)
END = text(
    """
    UPDATE upkeep SET lease_until = NULL, worker = NULL, error = CAST(:error AS text),
        position = CASE WHEN :done THEN NULL ELSE position END, removed = CAST(:removed AS jsonb),
        finished_at = CASE WHEN :done THEN CAST(:now AS timestamptz) ELSE finished_at END
    WHERE task = :task AND worker = :worker
    """
)


class TurnLost(Exception):
    """Another worker has the task now."""


@dataclass
class Turn:
    """A task in hand. `position` is where the one before stopped, None at the beginning; `removed` what it had done."""

    storage: Storage
    task: str
    worker: str
    position: str | None
    removed: dict[str, int]

    async def keep(self, removed: Mapping[str, int], position: str | None = None) -> None:
        """Renew the lease and note how far the work is. Raises TurnLost."""
        until = self.storage.clock.now() + LEASE
        async with self.storage.database.transaction(None) as session:
            kept = await session.scalar(
                RENEW,
                {
                    "task": self.task,
                    "worker": self.worker,
                    "until": until,
                    "position": position,
                    "removed": json.dumps(removed),
                },
            )
        if kept is None:
            raise TurnLost

    async def end(self, removed: Mapping[str, int], *, error: str | None = None) -> None:
        """Give the task back. Without an error it is done, and begins from the start next time."""
        values: dict[str, Any] = {"task": self.task, "worker": self.worker, "error": error}
        values |= {
            "done": error is None,
            "now": self.storage.clock.now(),
            "removed": json.dumps(removed),
        }
        async with self.storage.database.transaction(None) as session:
            await session.execute(END, values)


async def take_turn(storage: Storage, task: str, worker: str, *, every: timedelta) -> Turn | None:
    """The task, when it last ended `every` ago and nobody holds it."""
    now = storage.clock.now()
    values = {"task": task, "worker": worker, "until": now + LEASE, "now": now, "due": now - every}
    async with storage.database.transaction(None) as session:
        row = (await session.execute(CLAIM, values)).first()
    return Turn(storage, task, worker, row.position, row.removed) if row else None
