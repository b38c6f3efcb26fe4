"""Opens every store once per process and hands out transactions with repositories. What tools and edges hold on to."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from storage.clock import Clock, SystemClock
from storage.database import Database
from storage.embeddings import Embedder, shared_embedder
from storage.errors import InvalidInput, NotFound
from storage.files import FileStore
from storage.redis import Brake, JobQueue, LoginLinks, RunLog, connect
from storage.redis import ping as ping_redis
from storage.repositories import Repositories
from storage.repositories.accounts import SignIn
from storage.settings import Settings
from storage.vectors.index import VectorIndex


@dataclass
class Storage:
    settings: Settings
    database: Database
    redis: Any
    jobs: JobQueue
    runs: RunLog
    login_links: LoginLinks
    brake: Brake
    files: FileStore
    vectors: VectorIndex
    embedder: Embedder
    clock: Clock

    @asynccontextmanager
    async def as_user(self, user_id: UUID, *, read_only: bool = False) -> AsyncGenerator[Repositories]:
        """One transaction with repositories bound to this user."""
        async with self.database.transaction(user_id, read_only=read_only) as session:
            yield Repositories(session, user_id, self.clock)

    @asynccontextmanager
    async def sign_in(self) -> AsyncGenerator[SignIn]:
        """A read-only transaction in which nobody is signed in yet."""
        async with self.database.transaction(None, read_only=True) as session:
            yield SignIn(session)

    def pings(self) -> dict[str, Callable[[], Awaitable[None]]]:
        """For each store, by name, what raises Unavailable when it does not answer."""
        return {
            "database": self.database.ping,
            "redis": lambda: ping_redis(self.redis),
            "vectors": self.vectors.ping,
            "files": self._ping_files,
        }

    async def _ping_files(self) -> None:
        with suppress(NotFound):
            await self.files.size("ping")

    async def ping(self) -> None:
        """Raises Unavailable naming the store that does not answer."""
        for ping in self.pings().values():
            await ping()

    async def close(self) -> None:
        await self.redis.aclose()
        await self.database.close()


def open_storage(settings: Settings, clock: Clock | None = None) -> Storage:
    """Nothing is connected yet; each store connects when it is first asked.

    Raises InvalidInput when an address is missing: the laptop mode and docker-compose both set all of them.
    """
    urls = (settings.database_url, settings.redis_url, settings.vector_url, settings.files_url)
    if not all(urls):
        raise InvalidInput(
            "LYCEUM_DATABASE_URL, LYCEUM_REDIS_URL, LYCEUM_VECTOR_URL and LYCEUM_FILES_URL must all be set, or none: "
            "`lyceum serve` starts its own servers when none is."
        )
    database_url, redis_url, vector_url, files_url = (url or "" for url in urls)
    client = connect(redis_url)
    clock = clock or SystemClock()
    return Storage(
        settings=settings,
        database=Database(database_url),
        redis=client,
        jobs=JobQueue(client),
        runs=RunLog(client),
        login_links=LoginLinks(client),
        brake=Brake(client, clock),
        files=FileStore(files_url),
        vectors=VectorIndex(vector_url),
        embedder=shared_embedder(),
        clock=clock,
    )
