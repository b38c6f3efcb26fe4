"""Reads a query with PostgreSQL's own grammar and lets through one SELECT made of known parts only.

This is the first of two lines. The second is the database: the query runs as a role that can read the caller's rows and
no secret column, in a transaction that cannot write and whose user nobody can change (decision 9).
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from pglast import ast, parse_sql
from pglast.parser import ParseError

from storage.errors import InvalidInput
from tools.data.functions import FUNCTIONS, TYPES

LONGEST = 10_000
"""Characters of a query. The grammar's recursion is safe far beyond this length."""
WIDEST = 1000
"""Largest length that `char(n)` or `lpad(x, n)` may ask for: both make long values out of nothing."""


@dataclass(frozen=True, slots=True)
class Statement:
    """One SELECT that may run, without its semicolon, and the names it reads from (tables and its own WITH names)."""

    sql: str
    tables: frozenset[str]


def read_statement(query: str) -> Statement:
    """Check a query. Raises InvalidInput that says what is wrong and what to do instead."""
    if len(query) > LONGEST:
        raise InvalidInput(
            f"This query has {len(query)} characters; at most {LONGEST} are read.", code="query_too_long"
        )
    try:
        statements = parse_sql(query)
    except ParseError as error:
        raise InvalidInput(f"This is not valid SQL: {error.args[0]}.", code="query_syntax") from error
    if len(statements) != 1:
        raise InvalidInput(
            f"Send exactly one SELECT; this has {len(statements)} statements.", code="query_not_select"
        )
    (raw,) = statements
    if not isinstance(raw.stmt, ast.SelectStmt):
        kind = type(raw.stmt).__name__.removesuffix("Stmt")
        raise InvalidInput(
            f"Only SELECT is possible here, not {kind}. To change something, use the tool for it.",
            code="query_not_select",
        )
    nodes = list(nodes_of(raw.stmt))
    for node in nodes:
        check(node)
    tables = frozenset(node.relname for node in nodes if isinstance(node, ast.RangeVar) and node.relname)
    return Statement(own_text(query, raw), tables)


def own_text(query: str, raw: ast.RawStmt) -> str:
    """The statement's text without what precedes it and from its semicolon on; locations count bytes of UTF-8."""
    text = query.encode()
    start = raw.stmt_location or 0
    return (text[start : start + raw.stmt_len] if raw.stmt_len else text[start:]).decode()


def nodes_of(root: ast.Node) -> Iterator[ast.Node]:
    """Every node of the tree. Not recursive, since a long chain of operators is a deep tree."""
    waiting: list[object] = [root]
    while waiting:
        item = waiting.pop()
        if isinstance(item, tuple):
            waiting.extend(item)
        elif isinstance(item, ast.Node):
            yield item
            waiting.extend(getattr(item, slot) for slot in item)


def refused(what: str) -> InvalidInput:
    return InvalidInput(what, code="query_not_allowed")


def check(node: ast.Node) -> None:
    """Raises InvalidInput for a node that is not known to be harmless."""
    kind = type(node)
    if kind in HARMLESS:
        return
    if kind not in CHECKS:
        raise refused(
            f"{kind.__name__} cannot be used here. Plain SELECT with WITH, JOIN, WHERE, GROUP BY, window functions, "
            "ORDER BY and LIMIT works."
        )
    CHECKS[kind](node)


def check_select(node: ast.SelectStmt) -> None:
    if node.intoClause is not None:
        raise refused("SELECT INTO makes a table; leave INTO out and the rows come back to you.")
    if node.lockingClause:
        raise refused("FOR UPDATE and FOR SHARE lock rows; leave them out: reading needs no lock.")


def check_with(node: ast.CommonTableExpr) -> None:
    if not isinstance(node.ctequery, ast.SelectStmt):
        raise refused("WITH may only hold SELECT here, nothing that changes data.")
    if (node.ctename or "").startswith("pg_"):
        raise refused(f"Call the WITH part {node.ctename} something that does not begin with pg_.")


def check_table(node: ast.RangeVar) -> None:
    in_public = node.schemaname in (None, "public") and node.catalogname is None
    if not in_public or (node.relname or "").startswith("pg_"):
        name = ".".join(part for part in (node.catalogname, node.schemaname, node.relname) if part)
        raise refused(
            f"{name} cannot be read here: only the tables that data_list_tables lists. "
            "data_describe_table tells the columns of each."
        )


def check_function(node: ast.FuncCall) -> None:
    *schema, name = texts_of(node.funcname)
    if schema not in ([], ["pg_catalog"]) or name not in FUNCTIONS:
        raise refused(
            f"The function {'.'.join((*schema, name))} cannot be used here. The usual aggregates and functions for text, "
            "numbers, dates, JSON, arrays and text search can."
        )
    if name in ("lpad", "rpad"):
        length = (node.args or (None, None))[1:2]
        if not length or not is_small(length[0]):
            raise refused(f"{name} needs its length as a number up to {WIDEST} here.")


def check_type(node: ast.TypeName) -> None:
    *schema, name = texts_of(node.names)
    if schema not in ([], ["pg_catalog"]) or name not in TYPES or node.setof or node.pct_type:
        raise refused(
            f"The type {'.'.join((*schema, name))} cannot be used here; text, numbers, dates, uuid and jsonb can."
        )
    if name != "interval" and not all(is_small(modifier) for modifier in node.typmods or ()):
        raise refused(f"The length of the type {name} may be up to {WIDEST} here.")


def is_small(node: object) -> bool:
    """Whether this is a literal whole number that is no larger than WIDEST."""
    value = node.val if isinstance(node, ast.A_Const) else None
    return isinstance(value, ast.Integer) and (value.ival or 0) <= WIDEST


def texts_of(names: object) -> list[str]:
    parts = names if isinstance(names, tuple) else ()
    return [part.sval or "" for part in parts if isinstance(part, ast.String)]


HARMLESS: frozenset[type[ast.Node]] = frozenset({
    ast.WithClause, ast.CTESearchClause, ast.CTECycleClause, ast.ResTarget, ast.ColumnRef, ast.ColumnDef, ast.A_Star, ast.A_Const,
    ast.Integer, ast.Float, ast.Boolean, ast.String, ast.BitString, ast.A_Expr, ast.BoolExpr, ast.NullTest, ast.BooleanTest,
    ast.CaseExpr, ast.CaseWhen, ast.CoalesceExpr, ast.MinMaxExpr, ast.A_ArrayExpr, ast.A_Indirection, ast.A_Indices, ast.RowExpr,
    ast.SubLink, ast.TypeCast, ast.CollateClause, ast.NamedArgExpr, ast.SQLValueFunction, ast.SortBy, ast.WindowDef,
    ast.GroupingSet, ast.GroupingFunc, ast.Alias, ast.RangeSubselect, ast.RangeFunction, ast.JoinExpr, ast.JsonIsPredicate,
    ast.JsonFormat,
})  # fmt: skip

CHECKS: dict[type[ast.Node], Callable[..., None]] = {
    ast.SelectStmt: check_select,
    ast.CommonTableExpr: check_with,
    ast.RangeVar: check_table,
    ast.FuncCall: check_function,
    ast.TypeName: check_type,
}
