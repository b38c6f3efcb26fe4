"""The database as its users may look at it: its tables, their shape, and the rows that a query of theirs selects.

Everything comes from PostgreSQL's catalogue as `lyceum_reader` sees it; no table or column is named here.
"""

import asyncio
import re
from collections.abc import AsyncGenerator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import asyncpg

from storage.database import QUERY_SECONDS, Database
from storage.errors import InvalidInput, LyceumError, NotFound, TooLarge, Unavailable
from storage.repositories.cells import CELL, expression, value_of

COUNTED = 10_000
"""Rows that are counted for a list of tables; from there on it says "more than"."""
MOST_COLUMNS = 100
BUDGET = 50_000
"""Characters of all cells of one answer."""
HIGHEST_COST = 1_000_000.0
"""In PostgreSQL's own units, in which reading a page is 1; about the work of the time limit."""
PREFETCH = 20
SECONDS = QUERY_SECONDS + 3.0
"""For a whole call; PostgreSQL's own limit is for each step of it."""

TABLES = """
    SELECT relname AS name, obj_description(oid, 'pg_class') AS description FROM pg_class
    WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p', 'v') AND NOT relispartition
    AND has_any_column_privilege(oid, 'SELECT') ORDER BY relname
"""
COLUMNS = """
    SELECT attname AS name, format_type(atttypid, atttypmod) AS type, NOT attnotnull AS nullable,
        pg_get_expr(adbin, adrelid) AS default, col_description(attrelid, attnum) AS description,
        has_column_privilege('lyceum_reader', attrelid, attnum, 'SELECT') AS readable
    FROM pg_attribute LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
    WHERE attrelid = to_regclass(quote_ident($1)) AND attnum > 0 AND NOT attisdropped ORDER BY attnum
"""
CONSTRAINTS = """
    SELECT contype::text AS type, pg_get_constraintdef(oid) AS definition FROM pg_constraint
    WHERE conrelid = to_regclass(quote_ident($1)) AND contype IN ('p', 'f', 'u', 'c') ORDER BY contype DESC, conname
"""
INDEXES = """
    SELECT pg_get_indexdef(indexrelid) AS definition FROM pg_index
    WHERE indrelid = to_regclass(quote_ident($1)) AND NOT indisprimary ORDER BY indexrelid::regclass::text
"""


@dataclass(frozen=True, slots=True)
class TableCount:
    """`rows` are those the caller sees; when there are `more`, only the first were counted."""

    name: str
    description: str | None
    rows: int
    more: bool


@dataclass(frozen=True, slots=True)
class ColumnShape:
    name: str
    type: str
    nullable: bool
    default: str | None
    description: str | None


@dataclass(frozen=True, slots=True)
class TableShape:
    """Without the columns that nobody may read, and without what names them."""

    table: TableCount
    columns: list[ColumnShape]
    hidden: list[str]
    constraints: list[tuple[str, str]]
    indexes: list[str]


@dataclass(frozen=True, slots=True)
class Selected:
    """`columns` are (name, PostgreSQL's type). `more`: there are rows beyond; `cut` cells were too long."""

    columns: list[tuple[str, str]]
    rows: list[list[Any]]
    more: bool
    cut: int
    over_budget: bool


@asynccontextmanager
async def reading(database: Database, user_id: UUID) -> AsyncGenerator["DataReader"]:
    """What this user may see, for one call. Raises LyceumError with a sentence for everything that PostgreSQL refuses."""
    async with database.sealed(user_id) as connection:
        try:
            async with asyncio.timeout(SECONDS):
                yield DataReader(connection)
        except TimeoutError as error:
            raise too_slow() from error
        except asyncpg.PostgresError as error:
            raise explained(error) from error


class DataReader:
    """Reads as `lyceum_reader` on a connection of `Database.sealed`."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    async def tables(self) -> list[TableCount]:
        """All tables that may be read, by name, with the number of rows the caller sees."""
        rows = await self._connection.fetch(TABLES)
        return await self._counted({row["name"]: row["description"] for row in rows})

    async def _counted(self, tables: Mapping[str, str | None]) -> list[TableCount]:
        # The names come from the catalogue, quoted by it.
        names = await self._connection.fetchval(
            "SELECT array_agg(quote_ident(n)) FROM unnest($1::text[]) n", list(tables)
        )
        counts = " UNION ALL ".join(
            f"SELECT {i} AS i, count(*) AS rows FROM (SELECT FROM {name} LIMIT {COUNTED + 1}) AS t"  # noqa: S608
            for i, name in enumerate(names)
        )
        rows = [row["rows"] for row in await self._connection.fetch(f"{counts} ORDER BY i")]
        return [
            TableCount(name, description, min(count, COUNTED), count > COUNTED)
            for (name, description), count in zip(tables.items(), rows, strict=True)
        ]

    async def table(self, name: str) -> TableShape:
        """Raises NotFound for a table that does not exist or may not be read."""
        tables = {row["name"]: row["description"] for row in await self._connection.fetch(TABLES)}
        if name not in tables:
            raise NotFound(
                f"There is no table {name!r} that can be read. data_list_tables lists them.",
                code="table_not_found",
            )
        columns = await self._connection.fetch(COLUMNS, name)
        constraints = await self._connection.fetch(CONSTRAINTS, name)
        indexes = await self._connection.fetch(INDEXES, name)
        (counted,) = await self._counted({name: tables[name]})
        hidden = [row["name"] for row in columns if not row["readable"]]
        return TableShape(
            counted,
            [ColumnShape(*(row[f] for f in ColumnShape.__slots__)) for row in columns if row["readable"]],
            hidden,
            [(r["type"], r["definition"]) for r in constraints if not names_any(r["definition"], hidden)],
            [row["definition"] for row in indexes if not names_any(row["definition"], hidden)],
        )

    async def select(self, sql: str, tables: Iterable[str], limit: int) -> Selected:
        """Run one SELECT and give its first `limit` rows. `tables` are the names it reads, for a better error.

        Neither the number nor the size of what it selects matters for this process: PostgreSQL cuts cells and rows.
        """
        try:
            columns = [(a.name, a.type) for a in (await self._connection.prepare(sql)).get_attributes()]
            check_width(len(columns))
            check_cost(await self._connection.fetchval(f"EXPLAIN (FORMAT JSON) {sql}"))
            names = [f"c{number}" for number in range(len(columns))]
            cells = ", ".join(expression(n, type_) for n, (_, type_) in zip(names, columns, strict=True))
            cut_short = f"SELECT {cells} FROM (\n{sql}\n) AS q({', '.join(names)}) LIMIT {limit + 1}"  # noqa: S608
            return await self._fetch(await self._connection.prepare(cut_short), columns, limit)
        except asyncpg.InsufficientPrivilegeError as error:
            raise await self._not_readable(sorted(tables)) from error

    async def _fetch(self, statement: Any, columns: list[tuple[str, Any]], limit: int) -> Selected:
        rows: list[list[Any]] = []
        spent = cut = 0
        more = over_budget = False
        async for record in statement.cursor(prefetch=PREFETCH):
            size = sum(len(cell or "") for cell in record)
            over_budget = bool(rows) and spent + size > BUDGET
            more = over_budget or len(rows) == limit
            if more:
                break
            spent += size
            cut += sum(len(cell or "") > CELL for cell in record)
            rows.append([value_of(type_, cell) for (_, type_), cell in zip(columns, record, strict=True)])
        return Selected([(name, type_.name) for name, type_ in columns], rows, more, cut, over_budget)

    async def _not_readable(self, tables: Sequence[str]) -> LyceumError:
        """What can be read instead, after PostgreSQL refused a table or a column."""
        await self._connection.execute("ROLLBACK")
        sentences = []
        for table in tables:
            columns = await self._connection.fetch(COLUMNS, table)
            readable = [row["name"] for row in columns if row["readable"]]
            hidden = [row["name"] for row in columns if not row["readable"]]
            if columns and not readable:
                sentences.append(f"The table {table} cannot be read; data_list_tables lists those that can.")
            elif hidden:
                sentences.append(
                    f"In {table} nobody may read {', '.join(hidden)}, so that * and the whole row cannot be selected:"
                    f" name the columns you want, out of {', '.join(readable)}."
                )
        return InvalidInput(
            " ".join(sentences) or "This query reads something that nobody may read.", code="not_readable"
        )


def names_any(definition: str, columns: Iterable[str]) -> bool:
    return any(re.search(rf"\b{re.escape(column)}\b", definition) for column in columns)


def check_width(columns: int) -> None:
    if not 0 < columns <= MOST_COLUMNS:
        raise InvalidInput(
            f"Select between 1 and {MOST_COLUMNS} columns; this query has {columns}.", code="query_too_wide"
        )


def check_cost(plan: list[dict[str, Any]]) -> None:
    """Raises TooLarge when any step of the plan, taken to its end, would be more work than a query may cause."""
    waiting = [part["Plan"] for part in plan]
    cost = rows = 0.0
    while waiting:
        step = waiting.pop()
        cost, rows = max(cost, step["Total Cost"]), max(rows, step["Plan Rows"])
        waiting += step.get("Plans", [])
    if cost > HIGHEST_COST:
        raise TooLarge(
            f"This query would go through about {rows:,.0f} rows, which is too much. Narrow it with WHERE, or join on ids.",
            code="query_too_expensive",
        )


def too_slow() -> LyceumError:
    return TooLarge(
        f"This query was stopped after {QUERY_SECONDS} seconds. Narrow it with WHERE, aggregate less, or join on ids.",
        code="query_too_slow",
    )


def explained(error: asyncpg.PostgresError) -> LyceumError:
    """PostgreSQL's error as one of ours, with its hint and what to do next."""
    message = f"{(error.message or '')[:500].rstrip('.')}."
    out_of_memory = isinstance(error, asyncpg.InternalServerError) and "memory alloc" in message
    if isinstance(error, asyncpg.QueryCanceledError):
        return too_slow()
    if out_of_memory or isinstance(
        error, asyncpg.InsufficientResourcesError | asyncpg.ProgramLimitExceededError
    ):
        return TooLarge(
            "This query needs more memory or disk than a query may use. Select fewer or shorter values.",
            code="query_too_large",
        )
    if isinstance(error, asyncpg.LockNotAvailableError):
        return Unavailable("This table is being changed right now. Try again in a moment.")
    if isinstance(error, asyncpg.UndefinedTableError):
        return InvalidInput(
            f"PostgreSQL says: {message} data_list_tables lists the tables.", code="unknown_table"
        )
    hint = f" {error.hint.rstrip('.')}." if error.hint else ""
    if isinstance(error, asyncpg.UndefinedColumnError):
        return InvalidInput(
            f"PostgreSQL says: {message}{hint} data_describe_table lists the columns of a table.",
            code="unknown_column",
        )
    return InvalidInput(f"PostgreSQL says: {message}{hint}", code="query_failed")
