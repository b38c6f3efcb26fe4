"""Entity-relationship diagrams in Mermaid: what belongs to what, and one for each domain with its keys."""

from sqlalchemy import Column, ForeignKey, Table, UniqueConstraint

from migrations.schema_page.domains import Domain, domains
from migrations.schema_page.tables import references, type_name

OWNER_COLUMN = "user_id"
"""Refers to `users` from every table with a person's data: said once on the page, not drawn."""


def overview() -> str:
    """All tables that cannot be without another one, and that other one."""
    tables = [table for domain in domains() for table in domain.tables]
    return _mermaid(
        [_relation(table, key) for table in tables for key in _drawn(table) if not key.parent.nullable]
    )


def diagram(domain: Domain) -> str:
    """The tables of a domain with their keys, and whatever they refer to."""
    return _mermaid(
        [
            line
            for table in domain.tables
            for line in (*_entity(table), *(_relation(table, key) for key in _drawn(table)))
        ]
    )


def _mermaid(lines: list[str]) -> str:
    return "\n".join(("```mermaid", "erDiagram", *lines, "```"))


def _drawn(table: Table) -> list[ForeignKey]:
    return [key for key in references(table) if key.parent.name != OWNER_COLUMN]


def _entity(table: Table) -> list[str]:
    refers = {key.parent.name for key in _drawn(table)}
    keys = [column for column in table.columns if column.primary_key or column.name in refers]
    rows = [f"        {type_name(column)} {column.name} {_mark(column, refers)}" for column in keys]
    return [f"    {table.name} {{", *rows, "    }"]


def _mark(column: Column[object], refers: set[str]) -> str:
    marks = ["PK"] * column.primary_key + ["FK"] * (column.name in refers)
    return ", ".join(marks)


def _relation(table: Table, key: ForeignKey) -> str:
    """`parent ||--o{ child`; `|o` when the child may do without a parent, `o|` when it is the only child."""
    column = key.parent
    alone = any(
        isinstance(rule, UniqueConstraint) and list(rule.columns) == [column] for rule in table.constraints
    ) or list(table.primary_key.columns) == [column]
    parent, child = ("|o" if column.nullable else "||"), ("o|" if alone else "o{")
    return f"    {key.column.table.name} {parent}--{child} {table.name} : {column.name}"
