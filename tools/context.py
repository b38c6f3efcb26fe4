"""Who calls, and what a running tool may use."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from storage.repositories import Repositories
from storage.resources import Storage
from tools.web.fetch import Fetcher

Progress = Callable[[int, int | None, str], Awaitable[None]]
"""(done, total, message) of a tool that takes a while."""


async def no_progress(done: int, total: int | None, message: str) -> None:
    """For callers that do not watch."""


@dataclass(frozen=True, slots=True)
class Principal:
    """The caller. Scopes are `toolset:read` or `toolset:write`; `*` allows all and `*:read` all reading."""

    user_id: UUID
    scopes: frozenset[str] = frozenset({"*"})
    surface: str = "http"
    session_id: UUID | None = None
    key_id: UUID | None = None
    grant_id: UUID | None = None
    """The consent that a program acts on, and the program (`oauth_clients.id`); None for people and API keys."""
    client_id: UUID | None = None
    rate_limit: int | None = None
    """Requests a minute, for an API key with a limit of its own."""
    ip_address: str | None = None
    user_agent: str | None = None

    def allows(self, scope: str) -> bool:
        return bool({"*", scope, f"*:{scope.split(':')[1]}"} & self.scopes)


@dataclass(frozen=True, slots=True)
class Completion:
    """What a language model wrote, and how many tokens it read and wrote, as far as its server says."""

    text: str
    input_tokens: int = 0
    output_tokens: int = 0


class TextModel(Protocol):
    """How a tool or a job reaches a language model."""

    async def which(self) -> str | None:
        """Its name, as provider:name; None when no language model is configured, or none answers just now."""
        ...

    async def complete(
        self, system: str, prompt: str, *, max_tokens: int, schema: dict[str, Any] | None = None
    ) -> Completion:
        """One answer, within the time limit of the settings. With a JSON schema the servers that can hold the model to it do;
        others may answer in any form, so the answer must be checked all the same. Raises Unavailable."""
        ...


@dataclass(frozen=True, slots=True)
class ToolContext:
    principal: Principal
    storage: Storage
    repositories: Repositories | None
    """The repositories of this call's transaction; None for a tool that opens its own."""
    progress: Progress = no_progress
    model: TextModel | None = None
    fetcher: Fetcher = field(default_factory=Fetcher)
    """How a tool reaches the web."""
    after_commit: list[Callable[[], Awaitable[None]]] = field(default_factory=list)
    """Run once the transaction stands: telling the worker of a job that no one can see yet would be too early."""

    @property
    def db(self) -> Repositories:
        if self.repositories is None:
            raise RuntimeError("This tool opens its own transactions.")
        return self.repositories

    def now(self) -> datetime:
        return self.storage.clock.now()

    def new_id(self) -> UUID:
        return self.storage.clock.new_id()
