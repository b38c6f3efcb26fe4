"""Programs that were let in: the trail names them, the access token before the current one lives to its own end, tokens are
found by either, registrations that nobody uses go, and nobody sees which programs others use."""

import sqlalchemy as sa
from alembic import op

from migrations.security import (
    APP,
    ME,
    NOT_A_CALLERS_QUERY,
    READER,
    SYSTEM,
    as_system,
    function,
    identity,
    lookup,
    policy,
    readable,
)

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

LIVE = "g.revoked_at IS NULL AND c.disabled_at IS NULL AND u.is_active AND u.deleted_at IS NULL"
ACCESS = "lyceum_find_oauth_access(p_hash bytea)"
FOUND = "TABLE (grant_id uuid, user_id uuid, oauth_client_id uuid, scopes text[], resource text, expires_at timestamptz)"
TABLES = "oauth_grants g JOIN users u ON u.id = g.user_id JOIN oauth_clients c ON c.id = g.oauth_client_id"
COLUMNS = "g.id, g.user_id, g.oauth_client_id, g.scopes, g.resource"
# To the letter as revision 0002 has it, because going down must leave what that revision made.
CURRENT = (
    f"SELECT {COLUMNS}, g.access_expires_at FROM {TABLES} WHERE g.access_hash = p_hash"
    f" AND g.access_expires_at > now() AND {LIVE}"
)
EITHER = f"""{CURRENT} UNION ALL SELECT {COLUMNS}, g.previous_access_expires_at FROM {TABLES}
    WHERE g.previous_access_hash = p_hash AND g.previous_access_expires_at > now() AND {LIVE}"""
# A registration belongs to nobody, and whether anybody let it in only shows across users.
FORGET = function(
    "lyceum_forget_oauth_clients(p_unused timestamptz, p_idle timestamptz, p_limit int)",
    "RETURNS bigint LANGUAGE plpgsql VOLATILE",
    f"""
    DECLARE
        forgotten bigint;
    BEGIN
        DELETE FROM oauth_clients WHERE {NOT_A_CALLERS_QUERY} AND id IN (
            SELECT c.id FROM oauth_clients c
            WHERE c.registration <> 'operator' AND c.disabled_at IS NULL
              AND (c.updated_at < p_idle OR (c.last_used_at IS NULL AND c.updated_at < p_unused))
              AND NOT EXISTS (SELECT FROM oauth_grants g WHERE g.oauth_client_id = c.id)
            LIMIT p_limit FOR UPDATE SKIP LOCKED
        );
        GET DIAGNOSTICS forgotten = ROW_COUNT;
        RETURN forgotten;
    END
    """,
)
# Programs belong to nobody, and the application looks them up before anyone is known. A caller's own query sees those that
# the caller let in: what others use is nobody's business.
LET_IN = f"id IN (SELECT oauth_client_id FROM oauth_grants WHERE user_id = {ME})"
POLICIES = [
    policy("oauth_clients", "app", NOT_A_CALLERS_QUERY, command="ALL", callers=APP),
    policy("oauth_clients", "let_in", LET_IN, callers=READER),
    policy("oauth_clients", "system", "true", command="ALL", callers=SYSTEM),
]
GRANT_COMMENTS = {
    "redirect_uri": (
        "Where the code was sent; the exchange must repeat it.",
        "Where the code was sent; an exchange that names it must name this one.",
    ),
    "refresh_expires_at": (
        "When the user must consent again.",
        "When the user must consent again; before the code is exchanged, when that ends.",
    ),
}


def upgrade() -> None:
    op.add_column(
        "oauth_grants",
        sa.Column(
            "previous_access_hash",
            sa.LargeBinary(),
            comment="The access token before: good to its own end, for calls under way and for a program's other processes.",
        ),
    )
    op.add_column(
        "oauth_grants",
        sa.Column(
            "previous_access_expires_at",
            sa.DateTime(timezone=True),
            comment="When that one ends.",
        ),
    )
    op.add_column(
        "audit_logs",
        sa.Column("client_id", sa.Uuid(), comment="Which connected program (oauth_clients) did it."),
    )
    op.create_unique_constraint(
        "uq_oauth_grants_previous_access_hash", "oauth_grants", ["previous_access_hash"]
    )
    for column, (_, now) in GRANT_COMMENTS.items():
        op.execute(f"COMMENT ON COLUMN oauth_grants.{column} IS '{now}'")
    op.execute(f"DROP FUNCTION {identity(ACCESS)}")
    run(
        [
            readable("oauth_grants"),
            readable("audit_logs"),
            f"GRANT DELETE, UPDATE ON oauth_clients TO {SYSTEM}",
            "ALTER TABLE oauth_clients ENABLE ROW LEVEL SECURITY",
            "ALTER TABLE oauth_clients FORCE ROW LEVEL SECURITY",
            *POLICIES,
            *as_system([*lookup(ACCESS, FOUND, EITHER), *FORGET]),
        ]
    )


def downgrade() -> None:
    op.execute("DROP FUNCTION lyceum_forget_oauth_clients(timestamptz, timestamptz, int)")
    op.execute(f"DROP FUNCTION {identity(ACCESS)}")
    run(
        [
            *as_system(lookup(ACCESS, FOUND, CURRENT)),
            f"REVOKE DELETE, UPDATE ON oauth_clients FROM {SYSTEM}",
            *(f"DROP POLICY oauth_clients_{name} ON oauth_clients" for name in ("app", "let_in", "system")),
            "ALTER TABLE oauth_clients NO FORCE ROW LEVEL SECURITY",
            "ALTER TABLE oauth_clients DISABLE ROW LEVEL SECURITY",
        ]
    )
    for column, (before, _) in GRANT_COMMENTS.items():
        op.execute(f"COMMENT ON COLUMN oauth_grants.{column} IS '{before}'")
    op.drop_column("audit_logs", "client_id")
    op.drop_constraint("uq_oauth_grants_previous_access_hash", "oauth_grants")
    op.drop_column("oauth_grants", "previous_access_expires_at")
    op.drop_column("oauth_grants", "previous_access_hash")


def run(statements: list[str]) -> None:
    for statement in statements:
        op.execute(statement)
