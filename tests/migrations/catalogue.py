"""What a database holds beside its rows, as plain values that can be compared."""

from typing import Any

from sqlalchemy import CheckConstraint

from storage.models import Base
from tests.databases import connect

OURS = (
    "n.nspname = 'public' AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = {oid} AND d.deptype = 'e')"
)
# Partitions come with the month and stay with it.
WHOLE = "NOT c.relispartition"

QUERIES = {
    "columns": f"""
        SELECT c.relname, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull, a.attgenerated,
            pg_get_expr(d.adbin, d.adrelid), col_description(c.oid, a.attnum), obj_description(c.oid), a.attacl::text
        FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
        LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
        WHERE {OURS.format(oid="c.oid")} AND c.relkind IN ('r', 'p') AND {WHOLE}""",
    "tables": f"""
        SELECT c.relname, c.relkind, c.relrowsecurity, c.relforcerowsecurity, c.relowner::regrole::text,
            (SELECT array_agg(x::text ORDER BY x::text) FROM unnest(c.relacl) x)
        FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE {OURS.format(oid="c.oid")} AND c.relkind IN ('r', 'p') AND {WHOLE}""",
    "indexes": f"""
        SELECT c.relname, pg_get_indexdef(i.indexrelid) FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid
        JOIN pg_namespace n ON n.oid = c.relnamespace WHERE {OURS.format(oid="c.oid")} AND {WHOLE}""",
    "constraints": f"""
        SELECT c.relname, k.conname, pg_get_constraintdef(k.oid), k.convalidated
        FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE {OURS.format(oid="c.oid")} AND {WHOLE} AND k.contype <> 'n'""",
    "checks": f"""
        SELECT c.relname, k.conname, pg_get_constraintdef(k.oid)
        FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE {OURS.format(oid="c.oid")} AND {WHOLE} AND k.contype = 'c'""",
    "policies": """SELECT tablename, policyname, permissive, roles, cmd, qual, with_check FROM pg_policies""",
    "functions": f"""
        SELECT pg_get_functiondef(p.oid), p.proowner::regrole::text,
            (SELECT array_agg(x::text ORDER BY x::text) FROM unnest(p.proacl) x)
        FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace WHERE {OURS.format(oid="p.oid")}""",
    "triggers": f"""
        SELECT pg_get_triggerdef(t.oid) FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
        JOIN pg_namespace n ON n.oid = c.relnamespace WHERE NOT t.tgisinternal AND {OURS.format(oid="c.oid")}""",
    "schema": """SELECT (SELECT array_agg(x::text ORDER BY x::text) FROM unnest(nspacl) x) FROM pg_namespace
        WHERE nspname = 'public'""",
}


async def catalogue(url: str) -> dict[str, set[str]]:
    """Tables, columns, indexes, constraints, policies, functions, triggers and rights, each as text."""
    connection = await connect(url)
    found = {name: {str(tuple(row)) for row in await connection.fetch(sql)} for name, sql in QUERIES.items()}
    await connection.close()
    return found


async def checks_of_models(url: str) -> set[str]:
    """The check constraints as the models would make them; Alembic does not compare those."""
    connection = await connect(url)
    found: set[str] = set()
    transaction = connection.transaction()
    await transaction.start()
    for table in Base.metadata.tables.values():
        for check in table.constraints:
            if isinstance(check, CheckConstraint):
                found |= await as_postgres_says(connection, table.name, check)
    await transaction.rollback()
    await connection.close()
    return found


async def as_postgres_says(connection: Any, table: str, check: CheckConstraint) -> set[str]:
    """The constraint, put on an empty copy of the table, in PostgreSQL's own words."""
    await connection.execute(f"CREATE TEMP TABLE copied (LIKE public.{table})")
    await connection.execute(f"ALTER TABLE copied ADD CONSTRAINT {check.name} CHECK ({check.sqltext})")
    words = await connection.fetchval(
        "SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid = 'copied'::regclass AND contype = 'c'"
    )
    await connection.execute("DROP TABLE copied")
    return {str((table, str(check.name), words))}
