"""Clocks that tests set."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from storage.clock import SystemClock


class LaterClock:
    """The system's time, moved on by a span. Ids stay in the order of their making."""

    def __init__(self, ahead: timedelta) -> None:
        self.ahead = ahead
        self._ids = SystemClock()

    def now(self) -> datetime:
        return datetime.now(UTC) + self.ahead

    def new_id(self) -> UUID:
        return self._ids.new_id()
