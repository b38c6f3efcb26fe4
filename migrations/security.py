"""Row-level security, grants and functions, as SQL for migrations: who may see what, in a few shapes.

Four roles: the owner runs migrations; `lyceum_app` is what the application connects as and cannot bypass any policy;
`lyceum_reader` is what it becomes for a query that a caller wrote, with fewer columns and no writing; `lyceum_system` cannot
log in and owns the few functions that must look across users (signing in, joining a class, opening a public link).
"""

APP = "lyceum_app"
READER = "lyceum_reader"
SYSTEM = "lyceum_system"
CALLERS = f"{APP}, {READER}"

ME = "(SELECT lyceum_user_id())"
NOT_A_CALLERS_QUERY = "NOT current_setting('transaction_deferrable')::boolean"


def protect(table: str, owner_column: str = "user_id") -> list[str]:
    """Force the policy "own rows only" on a table and grant it to the application role (revision 0001)."""
    mine = f"{owner_column} = {ME}"
    return [
        f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY",
        f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY",
        f"CREATE POLICY {table}_own ON {table} TO {APP} USING ({mine}) WITH CHECK ({mine})",
        f"GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO {APP}",
    ]


def visible_to_system(table: str) -> list[str]:
    """Let the functions of `lyceum_system` read a table."""
    return [
        f"CREATE POLICY {table}_system ON {table} FOR SELECT TO {SYSTEM} USING (true)",
        f"GRANT SELECT ON {table} TO {SYSTEM}",
    ]


def hidden_from_system(table: str) -> list[str]:
    """The reverse of `visible_to_system`."""
    return [f"DROP POLICY {table}_system ON {table}", f"REVOKE ALL ON {table} FROM {SYSTEM}"]


def open_to_system(table: str) -> list[str]:
    """Let the functions of `lyceum_system` read and write a table."""
    return [
        f"CREATE POLICY {table}_system ON {table} TO {SYSTEM} USING (true) WITH CHECK (true)",
        f"GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO {SYSTEM}",
    ]


def system_function(signature: str, returns: str, body: str) -> list[str]:
    """A SQL function that runs as `lyceum_system`; only the application role may call it (revision 0001)."""
    name = f"{signature.split('(')[0]}"
    arguments = signature[len(name) :].strip("()")
    types = ", ".join(part.split()[1] for part in arguments.split(",") if part.strip())
    return [
        f"CREATE FUNCTION {signature} RETURNS {returns} LANGUAGE sql STABLE SECURITY DEFINER"
        f" SET search_path = public, pg_temp AS $$ {body} $$",
        f"ALTER FUNCTION {name}({types}) OWNER TO {SYSTEM}",
        f"REVOKE ALL ON FUNCTION {name}({types}) FROM PUBLIC",
        f"GRANT EXECUTE ON FUNCTION {name}({types}) TO {APP}",
    ]


def identity(signature: str) -> str:
    """`name(type, …)` of `name(argument type, …)`: what ALTER and DROP want."""
    name, _, arguments = signature.rstrip(")").partition("(")
    types = (part.split()[1] for part in arguments.split(",") if part.strip())
    return f"{name}({', '.join(types)})"


def function(signature: str, form: str, body: str, *, callers: str = APP, owner: str = SYSTEM) -> list[str]:
    """A function that runs with the rights of its owner. `form` is RETURNS …, LANGUAGE … and volatility."""
    return [
        f"CREATE FUNCTION {signature} {form} SECURITY DEFINER SET search_path = public, pg_temp AS $$ {body} $$",
        *([f"ALTER FUNCTION {identity(signature)} OWNER TO {owner}"] if owner == SYSTEM else []),
        f"REVOKE ALL ON FUNCTION {identity(signature)} FROM PUBLIC",
        f"GRANT EXECUTE ON FUNCTION {identity(signature)} TO {callers}",
    ]


def lookup(signature: str, returns: str, body: str) -> list[str]:
    """A SQL function across users for the application. It answers nothing inside a query that a caller wrote, which runs
    in a DEFERRABLE transaction."""
    guarded = f"SELECT q.* FROM ({body}) q WHERE {NOT_A_CALLERS_QUERY}"
    return function(signature, f"RETURNS {returns} LANGUAGE sql STABLE", guarded)


def readable_set(signature: str, returns: str, body: str) -> list[str]:
    """A SQL function that a policy calls once a statement: which rows of others the caller may read."""
    return function(
        signature, f"RETURNS {returns} LANGUAGE sql STABLE PARALLEL SAFE ROWS 50", body, callers=CALLERS
    )


def as_system(statements: list[str]) -> list[str]:
    """Statements that give functions to `lyceum_system`, which needs CREATE on the schema for that moment."""
    return [
        f"GRANT CREATE ON SCHEMA public TO {SYSTEM}",
        *statements,
        f"REVOKE CREATE ON SCHEMA public FROM {SYSTEM}",
    ]


def tenant(table: str, *, grants: str = "SELECT, INSERT, UPDATE, DELETE") -> list[str]:
    """Force row-level security on a table of users' data, with the policy "own rows only"."""
    return [*forced(table, grants=grants), policy(table, "own", f"user_id = {ME}", command="ALL")]


def forced(table: str, *, grants: str = "SELECT, INSERT, UPDATE, DELETE") -> list[str]:
    """Force row-level security on a table whose policies follow; without any, nobody sees a row."""
    return [
        f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY",
        f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY",
        f"GRANT {grants} ON {table} TO {APP}",
        readable(table),
    ]


def policy(
    table: str,
    name: str,
    using: str,
    *,
    command: str = "SELECT",
    check: str | None = None,
    callers: str = CALLERS,
) -> str:
    """One permissive policy `<table>_<name>`. What may be written is what may be seen by it, unless `check` says otherwise.

    Policies of a table are joined by OR, and PostgreSQL tries the last by name first. "own" must be that one: then the sets
    that the others ask for are not even made as long as all rows are the caller's.
    """
    with_check = f" WITH CHECK ({check})" if check else ""
    return f"CREATE POLICY {table}_{name} ON {table} FOR {command} TO {callers} USING ({using}){with_check}"


def one_of(column: str, readable_set: str) -> str:
    """Condition of a policy: the column is in the set. PostgreSQL guesses that half of the rows are, so that a query for the
    caller's own rows keeps the plan that it would have without the policy."""
    return f"{column} IN (SELECT {readable_set}())"


def any_of(column: str, readable_set: str) -> str:
    """The same as an array, so that an index on the column finds the rows of a query that names no owner. A query that names
    one pays for it: the planner counts the owner twice, and at 1.8 million chunks asked for the set in every search."""
    return f"{column} = ANY (ARRAY(SELECT {readable_set}()))"


RESULTS_OF_MEMBERS = "(class_id, user_id) IN (SELECT class_id, user_id FROM lyceum_taught_members())"
"""Condition of a policy: the row is about a class that the caller teaches, and of somebody who is in it."""


def readable(table: str) -> str:
    """Let `lyceum_reader` select the columns that a table has now, except secrets: hashes and keys of the file store."""
    return f"""DO $$ BEGIN EXECUTE (
        SELECT format('GRANT SELECT (%s) ON {table} TO {READER}', string_agg(quote_ident(attname), ', ' ORDER BY attnum))
        FROM pg_attribute WHERE attrelid = '{table}'::regclass AND attnum > 0 AND NOT attisdropped
        AND attname !~ '_hash$' AND attname <> 'object_key'); END $$"""


def stamped(table: str) -> str:
    """Keep `updated_at` by a trigger."""
    return (
        f"CREATE TRIGGER {table}_updated BEFORE UPDATE ON {table}"
        " FOR EACH ROW EXECUTE FUNCTION set_updated_at()"
    )


def audited(table: str) -> str:
    """Note changed columns for the audit row of the call that changes them, when the executor asks for it."""
    return (
        f"CREATE TRIGGER {table}_audited AFTER INSERT OR UPDATE OR DELETE ON {table} FOR EACH ROW"
        " WHEN (current_setting('lyceum.changes', true) <> '') EXECUTE FUNCTION lyceum_note_change()"
    )
