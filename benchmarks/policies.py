"""Times hot queries over many users as the application does them, and their statements with and without row-level security."""

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Any

from benchmarks.hot_queries import HotQuery, Question, Statement
from benchmarks.plans import body_of, statements_of
from benchmarks.report import Aim, Section, p50_p95
from storage.database import Database

MOST_RATIO = 1.3
ROUNDS = 3
BYPASS = "scale_bypass"
MAKE_BYPASS = """
    CREATE ROLE {role} LOGIN BYPASSRLS PASSWORD '{password}';
    GRANT lyceum_app TO {role}
"""
COLUMNS = ["p50 ms", "p95 ms", "db p50 ms", "db p95 ms", "bare p50 ms", "ratio", "inside ratio", "inside +ms"]


@dataclass
class Times:
    """Seconds of one query: the whole call, then its statements alone with policies and without (`bare`), as the client sees
    them and as the server counts them (`inside`)."""

    calls: list[float] = field(default_factory=list)
    policed: list[float] = field(default_factory=list)
    bare: list[float] = field(default_factory=list)
    policed_inside: list[float] = field(default_factory=list)
    bare_inside: list[float] = field(default_factory=list)

    def row(self) -> list[float]:
        return [
            *p50_p95(self.calls),
            *p50_p95(self.policed),
            median(self.bare) * 1000,
            median(self.policed) / median(self.bare),
            median(self.policed_inside) / median(self.bare_inside),
            (median(self.policed_inside) - median(self.bare_inside)) * 1000,
        ]


@dataclass(frozen=True, slots=True)
class Bench:
    """`app` and `bare` are connections with the same rights and settings; only `app` is under policies."""

    database: Database
    app: Any
    bare: Any

    async def measure(self, queries: Sequence[HotQuery], questions: Sequence[Question]) -> Section:
        section = Section("hot_queries", "Hot queries", COLUMNS)
        for query in queries:
            section.rows[query.name] = (await self._times(query, questions)).row()
        section.aims = [Aim(name, "ratio", MOST_RATIO) for name in section.rows]
        section.notes = [
            f"{len(questions)} different users; p50 and p95 of the whole call: transaction, identity, query, rows as objects",
            f"db: its statements alone, prepared, {ROUNDS} times per user in turns with the same under BYPASSRLS (bare)",
            "inside: the same from the execution times that EXPLAIN ANALYZE gives, without the way to the server; +ms: the difference",
            "a lookup before anybody is known is a function of the database; bare is the statement inside of it",
        ]
        return section

    async def _times(self, query: HotQuery, questions: Sequence[Question]) -> Times:
        times = Times()
        for number, question in enumerate(questions):
            asker = None if query.anonymous else question.subject.user_id
            began = time.perf_counter()
            async with self.database.transaction(asker, read_only=True) as session:
                await query.ask(session, question)
            times.calls.append(time.perf_counter() - began)
            statements = await statements_of(self.database, query, question)
            inside = [await self._bare(statement) for statement in statements]
            identity = str(asker or "")
            pair = [
                (self.app, statements, times.policed, times.policed_inside),
                (self.bare, inside, times.bare, times.bare_inside),
            ]
            for turn in range(ROUNDS):
                for connection, sent, seconds, _ in pair[:: -1 if (number + turn) % 2 else 1]:
                    seconds.append(await timed(connection, sent, identity))
            for connection, sent, _, seconds in pair[:: -1 if number % 2 else 1]:
                seconds.append(await timed_inside(connection, sent, identity))
        return times

    async def _bare(self, statement: Statement) -> Statement:
        name = statement.called_function()
        return await body_of(self.bare, name, statement.parameters) if name else statement


async def timed(connection: Any, statements: Sequence[Statement], identity: str) -> float:
    """Seconds of the statements in a transaction like the application's, each prepared before."""
    transaction = connection.transaction(readonly=True)
    await transaction.start()
    await connection.fetch("SELECT set_config('lyceum.user_id', $1, true)", identity)
    began = time.perf_counter()
    for statement in statements:
        await connection.fetch(statement.sql, *statement.parameters)
    seconds = time.perf_counter() - began
    await transaction.rollback()
    return seconds


async def timed_inside(connection: Any, statements: Sequence[Statement], identity: str) -> float:
    """Seconds that the server needs to execute the statements, without planning and the way there."""
    transaction = connection.transaction(readonly=True)
    await transaction.start()
    await connection.fetch("SELECT set_config('lyceum.user_id', $1, true)", identity)
    milliseconds = 0.0
    for statement in statements:
        explain = f"EXPLAIN (ANALYZE, TIMING OFF, BUFFERS OFF, FORMAT JSON) {statement.sql}"
        (answer,) = json.loads(await connection.fetchval(explain, *statement.parameters))
        milliseconds += answer["Execution Time"]
    await transaction.rollback()
    return milliseconds / 1000
