"""Fills a migrated database with synthetic rows of many users: fill.sql, with the numbers of a scale put in."""

import asyncio
import re
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
from sqlalchemy.engine import URL, make_url

SQL = Path(__file__).with_name("fill.sql")
LANES = 2
"""Connections that write material at the same time."""
BATCH_CHUNKS = 20_000


@dataclass(frozen=True, slots=True)
class Scale:
    """How much of everything. `sentences` of `words` content words make a chunk: 4 × 14 are about 600 characters; so many chunks and printed `lines` a page."""

    users: int = 1000
    classes: int = 6
    class_chunks: int = 300
    class_materials: int = 3
    page_chunks: int = 4
    lines: int = 30
    sentences: int = 4
    words: int = 14
    pool: int = 20_000
    sessions: int = 3
    keys: int = 2
    joined: int = 2
    material_jobs: int = 1
    open_jobs: int = 20
    conversations: int = 10
    messages: int = 20
    decks: int = 6
    cards: int = 30
    reviews: int = 3
    audit: int = 400

    @property
    def materials(self) -> int:
        return self.users * self.classes * self.class_materials

    @property
    def material_chunks(self) -> int:
        return self.class_chunks // self.class_materials

    def numbers(self) -> dict[str, int]:
        fields = {name: getattr(self, name) for name in self.__slots__}
        return {**fields, "materials": self.materials, "material_chunks": self.material_chunks}


@dataclass(frozen=True, slots=True)
class Subject:
    """One user of the synthetic data, and things of theirs. `number` counts from 0."""

    number: int
    scale: Scale

    @property
    def user_id(self) -> UUID:
        return scale_id(1, self.number)

    @property
    def access_hash(self) -> bytes:
        return sha256(b"access %d" % self.number).digest()

    @property
    def key_hash(self) -> bytes:
        return sha256(b"key %d" % self.number).digest()

    @property
    def class_id(self) -> UUID:
        return scale_id(4, self.number)

    @property
    def conversation_id(self) -> UUID:
        return scale_id(9, self.number)

    def places(self, count: int) -> list[tuple[UUID, int]]:
        """(material, ordinal of a chunk) of the first class, spread over its materials."""
        step = self.scale.users * self.scale.classes
        materials = [self.number + step * (i % self.scale.class_materials) for i in range(count)]
        return [(scale_id(7, m), i * 7 % self.scale.material_chunks) for i, m in enumerate(materials)]

    def chunk_ids(self, count: int) -> list[UUID]:
        size = self.scale.material_chunks
        return [scale_id(12, (m.int >> 80) * size + ordinal) for m, ordinal in self.places(count)]


def scale_id(kind: int, number: int) -> UUID:
    """The key of a row, as the function of this name in fill.sql makes it."""
    return UUID(f"{number:012x}70008{kind:015x}")


Report = Callable[[str, float], None]
"""(step, seconds)."""


async def fill(url: str | URL, scale: Scale, report: Report = lambda step, seconds: None) -> None:
    """Write all rows. `url` is of a superuser, whom no policy hides rows from and who may leave out the checks of foreign keys."""
    connection = await loading(url)
    try:
        for kind, name, sql in steps(scale):
            began = time.monotonic()
            if kind == "step":
                await connection.execute(sql)
            else:
                await in_lanes(url, scale, sql)
            report(name, time.monotonic() - began)
    finally:
        await connection.close()


def steps(scale: Scale) -> Iterator[tuple[str, str, str]]:
    """(step or batch, name, SQL) in order; a batch still has :first and :last for the range of its materials."""
    parts = re.split(r"^-- (step|batch): (\w+)\n", SQL.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]
    for kind, name, sql in zip(parts[::3], parts[1::3], parts[2::3], strict=True):
        yield kind, name, with_numbers(sql, scale.numbers())


def with_numbers(sql: str, numbers: dict[str, int]) -> str:
    return re.sub(r"(?<!:):(\w+)", lambda match: str(numbers.get(match[1], match[0])), sql)


async def in_lanes(url: str | URL, scale: Scale, sql: str) -> None:
    """Run a batch statement over all materials, a few at a time."""
    size = max(1, BATCH_CHUNKS // scale.material_chunks)
    starts = iter(range(0, scale.materials, size))

    async def lane() -> None:
        # Without statistics yet, the planner would read all chunks for each batch.
        connection = await loading(url, enable_hashjoin="off", enable_mergejoin="off")
        try:
            for first in starts:
                last = min(first + size, scale.materials)
                await connection.execute(with_numbers(sql, {"first": first, "last": last}))
        finally:
            await connection.close()

    await asyncio.gather(*(lane() for _ in range(LANES)))


async def loading(url: str | URL, **settings: str) -> Any:
    """A connection that loads: no triggers and foreign keys, no waiting for the disk at each commit."""
    usual = {
        "session_replication_role": "replica",
        "synchronous_commit": "off",
        "work_mem": "64MB",
        "jit": "off",
    }
    return await connect(url, **usual, **settings)


def connect(url: str | URL, **settings: str) -> Awaitable[Any]:
    """An asyncpg connection to what a SQLAlchemy URL names."""
    parsed = make_url(url)
    connecting: Awaitable[Any] = asyncpg.connect(
        host=str(parsed.query["host"]),
        user=parsed.username,
        password=parsed.password,
        database=parsed.database,
        server_settings=settings,
    )
    return connecting
