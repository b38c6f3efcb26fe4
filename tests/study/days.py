"""A clock that tests turn on, and cards to study by it."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from storage.clock import SystemClock
from storage.resources import Storage
from tests.work import call
from tools.catalog import CATALOG
from tools.context import Principal
from tools.executor import Executor

MORNING = datetime(2026, 3, 2, 9, tzinfo=UTC)


class SetClock:
    """Stands still until it is moved. Ids stay in the order of their making."""

    def __init__(self, now: datetime = MORNING) -> None:
        self.at = now
        self._ids = SystemClock()

    def now(self) -> datetime:
        return self.at

    def new_id(self) -> UUID:
        return self._ids.new_id()

    def on(self, **span: float) -> None:
        self.at += timedelta(**span)


def by_clock(storage: Storage, clock: SetClock) -> Executor:
    return Executor(CATALOG, replace(storage, clock=clock))


async def write(executor: Executor, who: Principal, deck: str, *fronts: str, **more: Any) -> list[Any]:
    """Basic cards with these fronts."""
    cards = [{"front": front, "back": f"Answer to {front}", **more} for front in fronts]
    made = await call(executor, who, "create_flashcard", deck_id=deck, cards=cards)
    items: list[Any] = made["items"]
    return items


async def due(executor: Executor, who: Principal, **more: Any) -> Any:
    return await call(executor, who, "get_due_cards", **{"limit": 100, **more})


async def fronts(executor: Executor, who: Principal, **more: Any) -> list[str]:
    return [card["front"] for card in (await due(executor, who, **more))["items"]]


async def rate(executor: Executor, who: Principal, card: Any, rating: Any, **more: Any) -> Any:
    return await call(executor, who, "review_card", card_id=card["id"], rating=rating, **more)
