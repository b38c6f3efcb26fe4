"""Makes a valid row of any table out of the metadata, so that a new table is in the tests by being in the models."""

import re
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, CheckConstraint, Column, Table, types
from sqlalchemy.dialects.postgresql import JSONB
from uuid_utils.compat import uuid7

from storage.models import Base

NOW = datetime.now(UTC)
NOBODYS = frozenset({"oauth_clients", "upkeep", "seal_keys"})
TABLES: dict[str, Table] = {t.name: t for t in Base.metadata.sorted_tables if t.name not in NOBODYS}

# Where the first value that a check allows would be the wrong one.
CHOSEN: dict[str, dict[str, Any]] = {
    "users": {"is_active": True},
    "jobs": {"status": "succeeded"},
    "runs": {"status": "succeeded"},
    "connections": {"status": "accepted"},
    "exports": {"kind": "account"},
    "test_attempts": {"status": "graded"},
    "assignments": {"for_class": True},
    "enrollment_codes": {"use_count": 0},
    "feedback": {"type": "comment"},
    "share_links": {"view_count": 0},
    "notes": {"text_config": "english"},
    "chunks": {"text_config": "english"},
}


def new_row(table: Table, known: dict[str, Any], **values: Any) -> dict[str, Any]:
    """A row: `values` first, else what is `known` for a table's key or a column's name, else anything that fits.

    `known` holds, by table, the id of the row that foreign keys point at, and values by column name.
    """
    given = {**CHOSEN.get(table.name, {}), **values}
    row: dict[str, Any] = {}
    for column in table.columns:
        if column.computed is not None:
            continue
        if column.name in given:
            row[column.name] = given[column.name]
        elif column.name in ("user_id", "owner_id"):
            row[column.name] = known["user_id"]
        elif column.name == "class_id" and column.table.name != "classes":
            row[column.name] = known["classes"]
        elif column.foreign_keys and not column.nullable:
            row[column.name] = known.get(referred(column), row.get("id"))
        elif not column.nullable:
            row[column.name] = anything(column)
    return row


def referred(column: "Column[Any]") -> str:
    return min(key.column.table.name for key in column.foreign_keys)


def anything(column: "Column[Any]") -> Any:
    """A value of the column's type that its checks allow; texts and ids are new each time."""
    if (allowed := first_allowed(column)) is not None:
        return allowed
    kind = column.type
    if isinstance(kind, ARRAY):
        return []
    if isinstance(kind, JSONB):
        return [] if column.server_default is not None and "[]" in str(column.server_default.arg) else {}  # type: ignore[attr-defined]
    makers: list[tuple[type, Any]] = [
        (types.Uuid, uuid7()),
        (types.Boolean, False),
        (types.Date, date(2030, 1, 1)),
        (types.DateTime, NOW),
        (types.Integer, 1),
        (types.Float, 0.9),
        (types.LargeBinary, uuid7().bytes),
        (types.Text, f"{column.name} {uuid7()}"),
    ]
    return next(value for form, value in makers if isinstance(kind, form))


def first_allowed(column: "Column[Any]") -> Any:
    for check in column.table.constraints:
        if isinstance(check, CheckConstraint):
            if found := re.match(rf"{column.name} IN \('(\w+)'", str(check.sqltext)):
                return found[1]
            if found := re.match(rf"{column.name} BETWEEN (\S+) AND", str(check.sqltext)):
                low = float(found[1])
                return int(low) if isinstance(column.type, types.Integer) else low
    return None


async def insert(connection: Any, table: Table, row: dict[str, Any]) -> UUID | None:
    """Write a row over an asyncpg connection. Gives its id, where the table has one."""
    names = list(row)
    values = [encoded(table.columns[name], row[name]) for name in names]
    places = ", ".join(
        f"${n}::jsonb" if isinstance(table.columns[name].type, JSONB) else f"${n}"
        for n, name in enumerate(names, 1)
    )
    await connection.execute(f"INSERT INTO {table.name} ({', '.join(names)}) VALUES ({places})", *values)
    return row.get("id")


def encoded(column: "Column[Any]", value: Any) -> Any:
    if isinstance(column.type, JSONB):
        return "[]" if value == [] else "{}"
    return value
