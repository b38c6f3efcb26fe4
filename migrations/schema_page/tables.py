"""Every table and every column in a line, from the models and their comments."""

import re

from sqlalchemy import (
    CheckConstraint,
    Column,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Table,
    UniqueConstraint,
)
from sqlalchemy.dialects import postgresql
from sqlalchemy.dialects.postgresql.base import PGDialect
from sqlalchemy.orm import MappedColumn
from sqlalchemy.sql.elements import ClauseElement

from storage.models.base import Identified, Owned, SoftDeleted, Timestamped

DIALECT: PGDialect = postgresql.dialect()  # type: ignore[no-untyped-call]
SHORT_TYPES = {
    "TIMESTAMP WITH TIME ZONE": "timestamptz",
    "DOUBLE PRECISION": "float",
    "BOOLEAN": "bool",
    "INTEGER": "int",
}
USUAL = {
    name: column.comment
    for mixin in (Identified, Owned, Timestamped, SoftDeleted)
    for name, mapped in vars(mixin).items()
    if isinstance(mapped, MappedColumn)
    for column in [mapped.column]
}
"""Columns that mean the same everywhere: the page explains them once, and a table names them in one row."""

ONE_OF = re.compile(r"^(\w+) IN \((.+)\)$")


def type_name(column: Column[object]) -> str:
    """The type as one would say it in psql: `text[]`, `timestamptz`, `numeric(3, 2)`."""
    written = column.type.compile(dialect=DIALECT)
    for long, short in SHORT_TYPES.items():
        written = written.replace(long, short)
    return written.lower()


def allowed_values(table: Table) -> dict[str, list[str]]:
    """Column → the values that its check constraint allows."""
    found = {}
    for rule in _checks(table):
        if match := ONE_OF.match(rule):
            found[match[1]] = re.findall(r"'([^']*)'", match[2])
    return found


def describe(table: Table) -> str:
    """A table's purpose, a row for each column, and its rules."""
    values = allowed_values(table)
    usual = [column for column in table.columns if (column.name, column.comment) in USUAL.items()]
    rows = [_row(column, values.get(column.name, [])) for column in table.columns if column not in usual]
    names = ", ".join(f"`{column.name}`" for column in usual)
    rows += [f"| {names} | | as everywhere |"] if usual else []
    head = [
        f"#### `{table.name}`",
        "",
        table.comment or "",
        "",
        "| column | type | what it holds |",
        "|---|---|---|",
    ]
    return "\n".join((*head, *rows, *_rules(table)))


def _row(column: Column[object], values: list[str]) -> str:
    said = column.comment or ""
    allowed = "" if all(value in said for value in values) else f"One of {', '.join(values)}."
    made = "Generated." if column.computed else ""
    what = " ".join(note for note in (said, allowed, made) if note).replace("|", "\\|")
    return f"| `{column.name}` | {_type_cell(column)} | {what} |"


def _type_cell(column: Column[object]) -> str:
    cell = type_name(column) + ("?" if column.nullable else "")
    for key in references(column.table):
        if key.parent is column:
            deleting = (key.ondelete or "restrict").lower().split(" (")[0]
            cell += f" → {key.column.table.name}, {deleting}"
    return cell


def references(table: Table) -> list[ForeignKey]:
    """What rows refer to. Of a composite key (same parent, same owner) only the part that names the parent."""
    keys = [
        next(key for key in rule.elements if key.column.name != "user_id")
        for rule in table.constraints
        if isinstance(rule, ForeignKeyConstraint)
    ]
    order = list(table.columns)
    return sorted(keys, key=lambda key: order.index(key.parent))


def _rules(table: Table) -> list[str]:
    """Uniqueness, indexes, checks and partitions, one line each; nothing for a table without any."""
    indexes = sorted(table.indexes, key=lambda index: str(index.name))
    uniques = sorted(
        _columns(rule.columns) for rule in table.constraints if isinstance(rule, UniqueConstraint)
    )
    checks = [rule for rule in _checks(table) if not ONE_OF.match(rule)]
    partition = table.dialect_options["postgresql"]["partition_by"]
    facts = {
        "Unique": [*uniques, *(_index(index) for index in indexes if index.unique)],
        "Indexes": [_index(index) for index in indexes if not index.unique],
        "Checks": [f"`{rule}`" for rule in checks],
        "Partitions": [f"monthly by {partition}"] if partition else [],
    }
    lines = [f"{name}: {' · '.join(items)}." for name, items in facts.items() if items]
    return ["", "<br>\n".join(lines)] if lines else []


def _checks(table: Table) -> list[str]:
    rules = [rule for rule in table.constraints if isinstance(rule, CheckConstraint)]
    return sorted(" ".join(str(rule.sqltext).split()) for rule in rules)


def _index(index: Index) -> str:
    options = index.dialect_options["postgresql"]
    text = _columns(index.expressions)
    if options["using"]:
        text = f"{options['using']} {text}"
    if options["ops"]:
        text += f" by {', '.join(options['ops'].values())}"
    if options["where"] is not None:
        text += f" where {_sql(options['where'])}"
    return text


def _columns(parts: object) -> str:
    names = [part.name if isinstance(part, Column) else _sql(part) for part in parts]  # type: ignore[attr-defined]
    return f"({', '.join(names)})"


def _sql(clause: ClauseElement) -> str:
    compiled = clause.compile(dialect=DIALECT, compile_kwargs={"literal_binds": True, "include_table": False})
    return re.sub(r"\b\w+\.(?=\w)", "", str(compiled))
