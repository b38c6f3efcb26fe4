"""Plans of statements as the application's role, with row-level security: for docs/schema.md, and to find sequential scans."""

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

from benchmarks.hot_queries import HotQuery, Question, Statement, recorded
from migrations.security import SYSTEM
from storage.database import Database

PAGE = Path(__file__).parent.parent / "docs" / "schema.md"
FEW_ROWS = 1000
"""To read a smaller table or partition from end to end is the right plan."""
LONGEST_LINE = 200
FUNCTION = "SELECT prosrc, proargnames, pronargs FROM pg_proc WHERE proname = $1"
LARGE = "SELECT relname FROM pg_class WHERE relname = ANY($1) AND reltuples > $2"


@dataclass(frozen=True, slots=True)
class Plan:
    """`text` as EXPLAIN prints it without costs. `scanned`: tables, not small ones, of which it reads every row."""

    text: str
    scanned: frozenset[str]


async def statements_of(database: Database, query: HotQuery, question: Question) -> list[Statement]:
    """What the query sends for one user. Raises RuntimeError when it finds nothing: then nothing would be measured."""
    asker = None if query.anonymous else question.subject.user_id
    with recorded(database.engine) as statements:
        async with database.transaction(asker, read_only=True) as session:
            if not await query.ask(session, question):
                raise RuntimeError(f"“{query.name}” found nothing for user {question.subject.number}.")
    return statements


@dataclass(frozen=True, slots=True)
class Planner:
    """Explains statements. `app` is a connection as the application; `owner` may become `lyceum_system`."""

    app: Any
    owner: Any

    async def plans(
        self, statements: Sequence[Statement], user_id: UUID, *, generic: bool = False
    ) -> list[Plan]:
        """For these values, or with `generic` for any: a prepared statement may use either."""
        return [await self._plan(statement, user_id, generic) for statement in statements]

    async def _plan(self, statement: Statement, user_id: UUID, generic: bool) -> Plan:
        if name := statement.called_function():
            body = await body_of(self.owner, name, statement.parameters)
            return await explained(self.owner, body, user_id, generic, role=SYSTEM)
        return await explained(self.app, statement, user_id, generic)


async def body_of(connection: Any, function: str, parameters: tuple[Any, ...]) -> Statement:
    """The statement inside of a SQL function: EXPLAIN shows nothing of it."""
    row = await connection.fetchrow(FUNCTION, function)
    sql = row["prosrc"]
    for number, name in enumerate(row["proargnames"][: row["pronargs"]], 1):
        sql = re.sub(rf"\b{name}\b", f"${number}", sql)
    return Statement(sql, parameters)


async def explained(
    connection: Any, statement: Statement, user_id: UUID, generic: bool, role: str | None = None
) -> Plan:
    transaction = connection.transaction()
    await transaction.start()
    try:
        await connection.execute("SELECT set_config('lyceum.user_id', $1, true)", str(user_id))
        if role is not None:
            await connection.execute(f"SET LOCAL ROLE {role}")
        if generic:
            await connection.execute("SET LOCAL plan_cache_mode = force_generic_plan")
            await connection.execute(f"PREPARE hot AS {statement.sql}")
            nothing = ", ".join(["NULL"] * len(statement.parameters))
            target, parameters = f"EXECUTE hot({nothing})" if nothing else "EXECUTE hot", ()
        else:
            target, parameters = statement.sql, statement.parameters
        lines = await connection.fetch(f"EXPLAIN (COSTS OFF) {target}", *parameters)
        tree = await connection.fetchval(f"EXPLAIN (FORMAT JSON) {target}", *parameters)
        if generic:
            await connection.execute("DEALLOCATE hot")
    finally:
        await transaction.rollback()
    scanned = await connection.fetch(LARGE, list(scans(json.loads(tree)[0]["Plan"])), FEW_ROWS)
    return Plan("\n".join(line[0] for line in lines), frozenset(row[0] for row in scanned))


def scans(node: dict[str, Any]) -> Iterator[str]:
    """Relations that a plan reads from one end to the other."""
    if node["Node Type"] == "Seq Scan":
        yield node["Relation Name"]
    for child in node.get("Plans", ()):
        yield from scans(child)


def legible(plan: str) -> str:
    """Without the values of one user, and without the ends of very long lines."""
    plan = re.sub(r"'[^']*'::(uuid|bytea|timestamp with time zone|uuid\[\]|text\[\])", r"$::\1", plan)
    lines = (line if len(line) <= LONGEST_LINE else f"{line[:LONGEST_LINE]} …" for line in plan.splitlines())
    return "\n".join(lines)


def write_page(sections: Sequence[tuple[HotQuery, Sequence[Plan]]], rows: dict[str, int]) -> None:
    """Put the plans between their markers in docs/schema.md."""
    page = PAGE.read_text(encoding="utf-8")
    found = re.subn(
        r"(<!-- plans:begin -->\n).*?(<!-- plans:end -->)",
        lambda marks: f"{marks[1]}\n{page_part(sections, rows)}\n{marks[2]}",
        page,
        flags=re.DOTALL,
    )
    if found[1] != 1:
        raise ValueError("docs/schema.md needs one pair of markers plans:begin and plans:end.")
    PAGE.write_text(found[0], encoding="utf-8")


def page_part(sections: Sequence[tuple[HotQuery, Sequence[Plan]]], rows: dict[str, int]) -> str:
    counted = ", ".join(f"{count:,} {name}" for name, count in rows.items())
    parts = [
        "What the code sends (recorded from the repositories, `benchmarks/hot_queries.py`), explained as `lyceum_app` under row-level\n"
        "security on synthetic data; `$` stands for a value. Made by `python -m benchmarks scale --write-plans`, which also measures them;\n"
        "`tests/test_plans.py` fails when one of them reads a tenant table from end to end. An `InitPlan` asks once who the caller is; a\n"
        "`hashed SubPlan` is what others share with them, and runs only when a row is not the caller's own.",
        f"Rows: {counted}.",
    ]
    for number, (query, plans) in enumerate(sections, 1):
        blocks = "\n\n".join(legible(plan.text) for plan in plans)
        parts.append(f"### {number}. {query.name[0].upper()}{query.name[1:]}\n\nRuns {query.often}.")
        parts.append(f"```text\n{blocks}\n```")
    return "\n\n".join(parts)
