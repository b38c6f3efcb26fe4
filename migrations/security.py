"""Row-level security and grants, as SQL for migrations. Every table with a user's data gets the same shape of policy.

Three roles: the owner runs migrations, `lyceum_app` is what the application connects as and cannot bypass any policy,
`lyceum_system` cannot log in and owns the few functions that must look across users (signing in, finding open jobs).
"""

APP = "lyceum_app"
SYSTEM = "lyceum_system"


def protect(table: str, owner_column: str = "user_id") -> list[str]:
    """Force the policy "own rows only" on a table and grant it to the application role."""
    mine = f"{owner_column} = (SELECT lyceum_user_id())"
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


def system_function(signature: str, returns: str, body: str) -> list[str]:
    """A SQL function that runs as `lyceum_system`; only the application role may call it."""
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
