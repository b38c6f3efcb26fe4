"""What one stream or session wants to hear of, and what a change means to it."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from uuid import UUID

from mcp.server.session import ServerSession
from mcp.server.subscriptions import (
    ResourcesListChanged,
    ResourceUpdated,
    ServerEvent,
)
from mcp_types import (
    ResourceListChangedNotification,
    ResourceUpdatedNotification,
    ResourceUpdatedNotificationParams,
)

from mcp_server.items import Item
from storage.redis.changes import Change, Changes


@dataclass
class Interest:
    user_id: UUID
    lists: bool = False
    uris: dict[str, Item] = field(default_factory=dict)
    """The item that each address means. Whether the caller may read it was asked when it was added."""

    def events(self, change: Change | None) -> list[ServerEvent]:
        """What to send. None: anything may have changed."""
        touched = [
            ResourceUpdated(uri) for uri, item in self.uris.items() if change is None or item in change.items
        ]
        grown = self.lists and (change is None or (change.lists and change.user_id == self.user_id))
        return [*touched, *([ResourcesListChanged()] if grown else [])]


class StreamBus:
    """What the SDK's handler of one `subscriptions/listen` stream hears: the changes that concern it."""

    def __init__(self, interest: Interest) -> None:
        self._interest = interest
        self._listener: Callable[[ServerEvent], None] | None = None

    def tell(self, change: Change | None) -> None:
        for event in self._interest.events(change):
            self._pass_on(event)

    async def publish(self, event: ServerEvent) -> None:
        """Part of the SDK's protocol; ours come by `tell`."""
        self._pass_on(event)

    def subscribe(self, listener: Callable[[ServerEvent], None]) -> Callable[[], None]:
        self._listener = listener

        def unsubscribe() -> None:
            self._listener = None

        return unsubscribe

    def _pass_on(self, event: ServerEvent) -> None:
        if self._listener is not None:
            self._listener(event)


class LegacySession:
    """A session of the older era. What it is to be told goes out one after the other; the same twice in a row goes once."""

    def __init__(self, session: ServerSession, interest: Interest) -> None:
        self.interest = interest
        self._session = session
        self._waiting: dict[ServerEvent, None] = {}
        self._woken = asyncio.Event()
        self._sending = asyncio.create_task(self._send())
        self._forget: Callable[[], None] = lambda: None
        self._is_closed = False

    async def follow(self, changes: Changes) -> None:
        """Begin to hear of changes; until `close`."""
        self._forget = await changes.watch(self.tell)
        if self._is_closed:
            self._forget()

    def tell(self, change: Change | None) -> None:
        for event in self.interest.events(change):
            self._waiting[event] = None
            self._woken.set()

    def close(self) -> None:
        self._is_closed = True
        self._forget()
        self._sending.cancel()

    async def _send(self) -> None:
        while True:
            await self._woken.wait()
            self._woken.clear()
            while self._waiting:
                event = next(iter(self._waiting))
                del self._waiting[event]
                if isinstance(event, ResourceUpdated):
                    params = ResourceUpdatedNotificationParams(uri=event.uri)
                    await self._session.send_notification(ResourceUpdatedNotification(params=params))
                else:
                    await self._session.send_notification(ResourceListChangedNotification())
