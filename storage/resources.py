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
from storage.files import FileStore, S3Options
from storage.local_copies import LocalCopies
from storage.redis.changes import Changes
from storage.redis.client import Breaker, connect
from storage.redis.client import ping as ping_redis
from storage.redis.consents import Consents
from storage.redis.jobs import JobQueue
from storage.redis.limits import Brake
from storage.redis.query_vectors import QueryVectors
from storage.redis.runs import RunLog
from storage.redis.sessions import Callers, LoginLinks
from storage.repositories import Repositories
from storage.repositories.accounts import SignIn
from storage.repositories.oauth import Programs
from storage.repositories.owners import Owners
from storage.repositories.sharing import PublicLinks
from storage.settings import Settings
from storage.vectors.index import VectorIndex


@dataclass
class Storage:
    settings: Settings
    database: Database
    redis: Any
    jobs: JobQueue
    changes: Changes
    runs: RunLog
    callers: Callers
    login_links: LoginLinks
    consents: Consents
    brake: Brake
    files: FileStore
    owners: Owners
    vectors: VectorIndex
    embedder: Embedder
    query_vectors: QueryVectors
    clock: Clock
    before_commit: Callable[[Repositories], Awaitable[None]] | None = None
    """For the stores of one audited call: told before each commit, while what changed is being noted."""

    @asynccontextmanager
    async def as_user(self, user_id: UUID, *, read_only: bool = False) -> AsyncGenerator[Repositories]:
        """One transaction with repositories bound to this user."""
        watched = None if read_only else self.before_commit
        async with self.database.transaction(
            user_id, read_only=read_only, note_changes=watched is not None
        ) as session:
            repositories = Repositories(session, user_id, self.clock)
            yield repositories
            if watched is not None:
                await watched(repositories)
            # Before the commit: see storage.redis.sessions.
            await self.callers.end(repositories.accounts.ended_tokens + repositories.oauth.ended_tokens)

    @asynccontextmanager
    async def sign_in(self) -> AsyncGenerator[SignIn]:
        """A read-only transaction in which nobody is signed in yet."""
        async with self.database.transaction(None, read_only=True) as session:
            yield SignIn(session)

    @asynccontextmanager
    async def programs(self, *, read_only: bool = False) -> AsyncGenerator[Programs]:
        """A transaction about registered programs, which belong to nobody."""
        async with self.database.transaction(None, read_only=read_only) as session:
            yield Programs(session, self.clock)

    @asynccontextmanager
    async def visit(self) -> AsyncGenerator[PublicLinks]:
        """A transaction of somebody who holds a public link. Only opening it is written."""
        async with self.database.transaction(None) as session:
            yield PublicLinks(session)

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
        self.files.close()
        await self.changes.close()
        await self.query_vectors.close()
        await self.redis.aclose()
        await self.vectors.close()
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
    client, breaker = connect(redis_url), Breaker()
    database = Database(database_url)
    embedder = shared_embedder(settings.embedding_threads)
    clock = clock or SystemClock()
    return Storage(
        settings=settings,
        database=database,
        redis=client,
        jobs=JobQueue(client, breaker),
        changes=Changes(client, breaker),
        runs=RunLog(client, breaker),
        callers=Callers(client, breaker),
        login_links=LoginLinks(client),
        consents=Consents(client),
        brake=Brake(client, breaker, clock),
        files=_file_store(settings, files_url),
        owners=Owners(database),
        vectors=VectorIndex(vector_url),
        embedder=embedder,
        query_vectors=QueryVectors(client, breaker, embedder),
        clock=clock,
    )


def _file_store(settings: Settings, url: str) -> FileStore:
    copies = LocalCopies(settings.data_dir / "cache", settings.file_cache_mb << 20)
    secret, token = settings.s3_secret_access_key, settings.s3_session_token
    return FileStore(
        url,
        copies,
        S3Options(
            endpoint=settings.s3_endpoint,
            region=settings.s3_region,
            access_key_id=settings.s3_access_key_id,
            secret_access_key=secret.get_secret_value() if secret else None,
            session_token=token.get_secret_value() if token else None,
        ),
    )
