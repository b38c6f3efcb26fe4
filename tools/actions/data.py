"""Looking at the data itself: which tables there are, what they hold, and one SELECT as the caller. Never writes."""

from typing import Any

from pydantic import BaseModel, Field

from storage.repositories.cells import CELL
from storage.repositories.data import Selected, TableCount, TableShape, reading
from tools.context import ToolContext
from tools.data.statement import LONGEST, read_statement
from tools.spec import Effect, Input, NoInput, tool

EXAMPLE_COLUMNS = 6
MOST_ROWS = 500


class TableItem(BaseModel):
    name: str
    description: str | None
    rows: int = Field(description="Rows that you can see: your own and those shared with you.")
    counted: str = Field(description="`exactly`, or `at least` when there are more than were counted.")

    @classmethod
    def of(cls, table: TableCount) -> "TableItem":
        return cls(
            name=table.name,
            description=table.description,
            rows=table.rows,
            counted="at least" if table.more else "exactly",
        )


class TableList(BaseModel):
    items: list[TableItem]
    next_cursor: None = None
    total: int


@tool(effect=Effect.READ, toolset="data", own_transaction=True)
async def data_list_tables(ctx: ToolContext, args: NoInput) -> TableList:
    """List the database tables that can be queried, what each holds, and how many of its rows the user can see."""
    async with reading(ctx.storage.database, ctx.principal.user_id) as reader:
        tables = await reader.tables()
    return TableList(items=[TableItem.of(table) for table in tables], total=len(tables))


class DescribeTable(Input):
    table: str = Field(min_length=1, max_length=63, description="A table's name, from data_list_tables.")


class Column(BaseModel):
    name: str
    type: str
    nullable: bool
    default: str | None
    description: str | None


class TableDescription(BaseModel):
    name: str
    description: str | None
    rows: int = Field(description="Rows that you can see.")
    counted: str = Field(description="`exactly` or `at least`.")
    columns: list[Column]
    hidden_columns: list[str] = Field(description="Secrets that nobody may read; with any, * cannot be used.")
    primary_key: str | None
    foreign_keys: list[str]
    unique: list[str]
    checks: list[str]
    indexes: list[str]
    example: str = Field(description="A query for data_query.")


@tool(effect=Effect.READ, toolset="data", own_transaction=True)
async def data_describe_table(ctx: ToolContext, args: DescribeTable) -> TableDescription:
    """Describe a database table: columns with types and meaning, keys, checks, indexes, and an example query."""
    async with reading(ctx.storage.database, ctx.principal.user_id) as reader:
        shape = await reader.table(args.table)
    item = TableItem.of(shape.table)
    keys = of_type(shape, "p")
    return TableDescription(
        name=item.name,
        description=item.description,
        rows=item.rows,
        counted=item.counted,
        columns=[
            Column(
                name=c.name, type=c.type, nullable=c.nullable, default=c.default, description=c.description
            )
            for c in shape.columns
        ],
        hidden_columns=shape.hidden,
        primary_key=keys[0] if keys else None,
        foreign_keys=of_type(shape, "f"),
        unique=of_type(shape, "u"),
        checks=of_type(shape, "c"),
        indexes=shape.indexes,
        example=example(shape),
    )


def of_type(shape: TableShape, kind: str) -> list[str]:
    return [definition for type_, definition in shape.constraints if type_ == kind]


def example(shape: TableShape) -> str:
    """A query that works as it is: the first columns of the newest rows."""
    names = [column.name for column in shape.columns]
    newest = " ORDER BY created_at DESC" if "created_at" in names else ""
    return f"SELECT {', '.join(names[:EXAMPLE_COLUMNS])} FROM {shape.table.name}{newest} LIMIT 10"  # noqa: S608


class DataQuery(Input):
    query: str = Field(
        min_length=1,
        max_length=LONGEST,
        description="One SELECT in PostgreSQL's SQL, over the tables of data_list_tables. No filter for the user is needed.",
    )
    limit: int = Field(default=50, ge=1, le=MOST_ROWS, description="Rows to return at most.")


class ResultColumn(BaseModel):
    name: str
    type: str


Cell = str | int | float | bool | list[Any] | dict[str, Any] | None
"""One value of a row, as JSON has it."""


class QueryResult(BaseModel):
    columns: list[ResultColumn]
    rows: list[list[Cell]] = Field(
        description="Values in the order of the columns; dates, exact decimals and large numbers as text."
    )
    truncated: bool = Field(description="Whether rows or parts of values are missing.")
    note: str | None = Field(description="What is missing and how to get it.")


@tool(effect=Effect.READ, toolset="data", own_transaction=True)
async def data_query(ctx: ToolContext, args: DataQuery) -> QueryResult:
    """Run one SELECT over the database, read-only, and see only rows that the user may see.

    Look at data_list_tables and data_describe_table first. WITH, JOIN, aggregates, window functions, JSON and text search
    work; there are limits on time, rows and size, and an error says what to change.
    """
    statement = read_statement(args.query)
    async with reading(ctx.storage.database, ctx.principal.user_id) as reader:
        found = await reader.select(statement.sql, statement.tables, args.limit)
    note = missing(found)
    return QueryResult(
        columns=[ResultColumn(name=name, type=type_) for name, type_ in found.columns],
        rows=found.rows,
        truncated=note is not None,
        note=note,
    )


def missing(found: Selected) -> str | None:
    """What the answer leaves out, in sentences that say how to get it."""
    notes = []
    if found.more:
        why = "the answer would be too long" if found.over_budget else "the limit was reached"
        notes.append(
            f"Only the first {len(found.rows)} rows are here, because {why}: raise `limit` (up to {MOST_ROWS}), select fewer "
            "columns, or go on with ORDER BY and OFFSET."
        )
    if found.cut:
        notes.append(
            f"{found.cut} values are cut after {CELL} characters: get the rest with substring(column, {CELL + 1})."
        )
    return " ".join(notes) or None
