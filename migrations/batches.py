"""For migrations that rewrite rows while the application goes on: small transactions, and no waiting for locks."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

import structlog
from alembic import op
from sqlalchemy import Connection, TextClause, text
from sqlalchemy.exc import DBAPIError

log = structlog.get_logger()

BATCH = 1000
LOCK_TIMEOUT = "2s"
TRIES = 30
PAUSE = 0.5
_LOCK_NOT_AVAILABLE = "55P03"
_DEADLOCK = "40P01"


def rewrite(table: str, assignments: str, condition: str, *, key: str = "id", batch: int = BATCH) -> int:
    """`UPDATE table SET assignments WHERE condition`, `batch` rows to a transaction, in the order of `key`. Gives their number.

    Each batch is committed, so what is done stays done when the migration stops half-way, and `condition` must not be true
    of a row that was rewritten: then a second run goes on. The statements before this in the migration are committed too.
    Rows that the application holds are waited for at most two seconds; then the batch is tried again a little later.
    `updated_at` stays, for nobody changed the row. Raises DBAPIError when a lock cannot be had for about a minute.
    """
    statement = text(
        f"""
        WITH batch AS (
            SELECT {key} FROM {table} WHERE ({condition}) AND {key} > CAST(:last AS uuid)
            ORDER BY {key} LIMIT :batch FOR UPDATE
        ), written AS (
            UPDATE {table} SET {assignments} WHERE {key} IN (SELECT {key} FROM batch) RETURNING {key}
        )
        SELECT count(*) AS rows, max({key}::text) AS last FROM written
        """
    )
    rows, last = 0, str(UUID(int=0))
    with op.get_context().autocommit_block(), _owner_sees(op.get_bind(), table) as connection:
        while True:
            done = _patiently(connection, statement.bindparams(last=UUID(last), batch=batch))
            if done[1] is None:
                return rows
            rows, last = rows + done[0], done[1]
            log.info("rows_rewritten", table=table, rows=rows)


@contextmanager
def _owner_sees(connection: Connection, table: str) -> Iterator[Connection]:
    """Forced row-level security hides every row from the owner of the table; the application stays under its policies."""
    connection.execute(text(f"SET lock_timeout = '{LOCK_TIMEOUT}'"))
    connection.execute(text("SET lyceum.rewriting = 'on'"))
    try:
        _patiently(connection, text(f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY"))
        yield connection
    finally:
        _patiently(connection, text(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY"))
        connection.execute(text("RESET lyceum.rewriting"))
        connection.execute(text("SET lock_timeout = '5s'"))


def _patiently(connection: Connection, statement: TextClause) -> tuple[int, str | None]:
    """Run a statement that may have to wait for a lock, again after a pause. Gives the first row of a result."""
    tries_left = TRIES
    while True:
        try:
            result = connection.execute(statement)
            row = result.one() if result.returns_rows else (0, None)
            return row[0], row[1]
        except DBAPIError as error:
            tries_left -= 1
            if not tries_left or getattr(error.orig, "sqlstate", None) not in (
                _LOCK_NOT_AVAILABLE,
                _DEADLOCK,
            ):
                raise
            time.sleep(PAUSE)
