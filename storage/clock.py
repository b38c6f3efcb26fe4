"""Time and ids, in one object that tests can fix."""

from datetime import UTC, datetime
from typing import Protocol
from uuid import UUID

from uuid_utils.compat import uuid7


class Clock(Protocol):
    def now(self) -> datetime: ...

    def new_id(self) -> UUID: ...


class SystemClock:
    """Wall time in UTC and UUIDv7 ids (RFC 9562), which sort by the time they were made."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def new_id(self) -> UUID:
        return uuid7()
