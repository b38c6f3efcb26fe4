"""Foundations: owners of parent and child agree, sealed identity, audited changes, partitions that lose nothing, OAuth,
settings of study, comments on every table and column."""

from importlib import import_module

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql
from sqlalchemy.dialects.postgresql import JSONB

from migrations.security import (
    APP,
    CALLERS,
    READER,
    SYSTEM,
    as_system,
    audited,
    function,
    hidden_from_system,
    identity,
    lookup,
    open_to_system,
    readable,
    stamped,
    tenant,
    visible_to_system,
)

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


TIMESTAMPTZ = sa.DateTime(timezone=True)

first = import_module("migrations.versions.0001_first_tables")

NEW_TABLES = ("seal_keys", "upkeep", "oauth_grants", "oauth_clients")
ADDED = {
    "api_keys": ["rate_limit"],
    "audit_logs": ["entity_type", "old_values", "new_values", "error_code", "key_id"],
    "classes": ["current_grade", "grade_percent"],
    "jobs": ["result"],
    "material_segments": ["t_start", "t_end"],
    "materials": ["description", "author", "isbn", "source_url", "tags", "processed_at", "shared_with_class"],
    "messages": ["token_count"],
    "users": [
        "username",
        "email_verified_at",
        "avatar_url",
        "school_name",
        "grade_level",
        "region",
        "language",
        "timezone",
        "day_start_hour",
        "scheduler",
        "desired_retention",
        "fsrs_parameters",
        "learning_steps",
        "relearning_steps",
        "maximum_interval_days",
        "new_cards_per_day",
        "reviews_per_day",
        "leech_threshold",
    ],
}
NEW_INDEXES = [
    ("ix_api_keys_expires_at", "api_keys"),
    ("ix_audit_logs_entity_id", "audit_logs"),
    ("ix_chunks_user_id_material_id", "chunks"),
    ("ix_classes_name_trigrams", "classes"),
    ("ix_classes_user_id_created_at", "classes"),
    ("ix_conversations_deleted_at", "conversations"),
    ("ix_conversations_title_trigrams", "conversations"),
    ("ix_files_deleted_at", "files"),
    ("ix_jobs_finished_at", "jobs"),
    ("ix_materials_deleted_at", "materials"),
    ("ix_materials_title_trigrams", "materials"),
    ("ix_user_sessions_refresh_expires_at", "user_sessions"),
    ("ix_users_deleted_at", "users"),
    ("uq_users_username", "users"),
]

# Parents whose children name them together with their owner; the constraint is also the index by owner.
PARENTS = ("classes", "files", "materials", "conversations")
# child, column, parent, on delete
SAME_OWNER = (
    ("materials", "class_id", "classes", "CASCADE"),
    ("materials", "file_id", "files", "SET NULL"),
    ("material_segments", "material_id", "materials", "CASCADE"),
    ("chunks", "material_id", "materials", "CASCADE"),
    ("chunks", "class_id", "classes", "CASCADE"),
    ("chunk_postings", "material_id", "materials", "CASCADE"),
    ("chunk_postings", "class_id", "classes", "CASCADE"),
    ("jobs", "material_id", "materials", "CASCADE"),
    ("runs", "conversation_id", "conversations", "CASCADE"),
    ("messages", "conversation_id", "conversations", "CASCADE"),
)
CHECKS = {
    "api_keys": {"rate_limit": "rate_limit > 0"},
    "classes": {"grade_percent": "grade_percent BETWEEN 0 AND 100"},
    "users": {
        "scheduler": "scheduler IN ('fsrs', 'sm2')",
        "desired_retention": "desired_retention BETWEEN 0.7 AND 0.99",
        "day_start_hour": "day_start_hour BETWEEN 0 AND 23",
    },
}
TENANTS = ("users", *first.OWNED, "audit_logs")
AUDITED = (
    "users", "user_sessions", "api_keys", "classes", "files", "materials", "conversations", "jobs", "oauth_clients",
    "oauth_grants",
)  # fmt: skip

NEEDS_READER = f"""DO $$ BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{READER}') THEN
        RAISE EXCEPTION 'The role {READER} is missing.' USING HINT =
            'As a superuser, run: ALTER ROLE {APP} NOINHERIT; CREATE ROLE {READER} NOLOGIN NOINHERIT; GRANT {READER} TO {APP};';
    END IF;
END $$"""

# A migration that rewrites rows is nobody's change: it sets lyceum.rewriting, and updated_at stays.
SET_UPDATED_AT = """CREATE OR REPLACE FUNCTION set_updated_at() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF current_setting('lyceum.rewriting', true) IS DISTINCT FROM 'on' THEN NEW.updated_at = now(); END IF;
        RETURN NEW;
    END $$"""
SET_UPDATED_AT_BEFORE = """CREATE OR REPLACE FUNCTION set_updated_at() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN NEW.updated_at = now(); RETURN NEW; END $$"""

# A query that a caller wrote runs in a DEFERRABLE transaction, which nothing inside it can leave. There the setting alone
# counts for nothing: lyceum.seal must hold the signature that lyceum_seal gave before the query began.
SEAL = [
    "INSERT INTO seal_keys SELECT sha256(gen_random_uuid()::text::bytea || gen_random_uuid()::text::bytea)",
    "REVOKE ALL ON seal_keys FROM PUBLIC",
    *function(
        "lyceum_seal(p_user uuid)",
        "RETURNS text LANGUAGE plpgsql VOLATILE",
        """
        BEGIN
            IF current_setting('transaction_deferrable')::boolean THEN
                RAISE EXCEPTION 'an identity is sealed before the query begins' USING ERRCODE = 'insufficient_privilege';
            END IF;
            RETURN (SELECT encode(sha256(key || convert_to(p_user::text, 'UTF8')), 'hex') FROM seal_keys);
        END
        """,
        owner="",
    ),
    *function(
        "lyceum_sealed_user_id()",
        "RETURNS uuid LANGUAGE sql STABLE",
        """SELECT nullif(current_setting('lyceum.user_id', true), '')::uuid FROM seal_keys
        WHERE encode(sha256(key || convert_to(current_setting('lyceum.user_id', true), 'UTF8')), 'hex')
            = current_setting('lyceum.seal', true)""",
        callers=f"{CALLERS}, {SYSTEM}",
        owner="",
    ),
    """CREATE OR REPLACE FUNCTION lyceum_user_id() RETURNS uuid LANGUAGE sql STABLE PARALLEL SAFE AS $$
        SELECT CASE WHEN current_setting('transaction_deferrable')::boolean THEN public.lyceum_sealed_user_id()
        ELSE nullif(current_setting('lyceum.user_id', true), '')::uuid END $$""",
]
USER_ID_BEFORE = """CREATE OR REPLACE FUNCTION lyceum_user_id() RETURNS uuid LANGUAGE sql STABLE PARALLEL SAFE AS
    $$ SELECT nullif(current_setting('lyceum.user_id', true), '')::uuid $$"""

# The executor sets lyceum.changes to '[]' and reads it at the end of the call. Secrets are what lyceum_reader may not select.
NOTE_CHANGE = [
    """CREATE FUNCTION lyceum_shortened(value jsonb) RETURNS jsonb LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN length(value #>> '{}') <= 200 THEN value ELSE to_jsonb(left(value #>> '{}', 200) || '…') END $$""",
    """CREATE FUNCTION lyceum_note_change() RETURNS trigger LANGUAGE plpgsql AS $$
    DECLARE
        noted text := current_setting('lyceum.changes');
        before jsonb := '{}';
        after jsonb := '{}';
        change jsonb;
    BEGIN
        IF length(noted) > 20000 THEN
            IF noted NOT LIKE '%"more"]' THEN
                PERFORM set_config('lyceum.changes', left(noted, -1) || ',"more"]', true);
            END IF;
            RETURN NULL;
        END IF;
        IF TG_OP <> 'INSERT' THEN before := jsonb_strip_nulls(to_jsonb(OLD)); END IF;
        IF TG_OP <> 'DELETE' THEN after := jsonb_strip_nulls(to_jsonb(NEW)); END IF;
        SELECT jsonb_build_object(
                   'table', TG_TABLE_NAME,
                   'id', coalesce(after -> 'id', before -> 'id'),
                   'old', jsonb_object_agg(attname, lyceum_shortened(before -> attname)) FILTER (WHERE before ? attname),
                   'new', jsonb_object_agg(attname, lyceum_shortened(after -> attname)) FILTER (WHERE after ? attname))
          INTO change
          FROM pg_attribute
         WHERE attrelid = TG_RELID AND attnum > 0 AND NOT attisdropped AND attgenerated = ''
           AND attname NOT IN ('created_at', 'updated_at')
           AND has_column_privilege('lyceum_reader', TG_RELID, attnum, 'SELECT')
           AND before -> attname IS DISTINCT FROM after -> attname;
        IF change -> 'old' <> 'null' OR change -> 'new' <> 'null' THEN
            PERFORM set_config('lyceum.changes',
                               left(noted, -1) || CASE noted WHEN '[]' THEN '' ELSE ',' END || change::text || ']', true);
        END IF;
        RETURN NULL;
    END $$""",
]

# Every table partitioned by time, by its catalogue entry. Runs as their owner, because only an owner may add a partition.
# Rows of a month that came before its partition stand in the default one and are moved.
MAKE_PARTITIONS = [
    *function(
        "lyceum_make_partitions(months_ahead int, p_now timestamptz)",
        "RETURNS int LANGUAGE plpgsql VOLATILE SET lock_timeout = '5s'",
        """
    DECLARE
        parent record;
        month date;
        part text;
        bounds text;
        made int := 0;
    BEGIN
        FOR parent IN
            SELECT c.relname AS name, a.attname AS key FROM pg_partitioned_table p
            JOIN pg_class c ON c.oid = p.partrelid JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = p.partattrs[0]
            WHERE c.relnamespace = 'public'::regnamespace ORDER BY c.relname
        LOOP
            FOR i IN 0..months_ahead LOOP
                month := (date_trunc('month', p_now AT TIME ZONE 'UTC') + make_interval(months => i))::date;
                part := parent.name || to_char(month, '"_"YYYY_MM');
                CONTINUE WHEN to_regclass(part) IS NOT NULL;
                bounds := format('FROM (%L) TO (%L)', month || ' UTC', (month + interval '1 month')::date || ' UTC');
                EXECUTE format('CREATE TABLE %I (LIKE %I INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING COMMENTS)',
                               part, parent.name);
                EXECUTE format('WITH moved AS (DELETE FROM %I WHERE %I >= %L::timestamptz AND %2$I < %4$L::timestamptz'
                               ' RETURNING *) INSERT INTO %5$I SELECT * FROM moved', parent.name || '_default', parent.key,
                               month || ' UTC', (month + interval '1 month')::date || ' UTC', part);
                EXECUTE format('ALTER TABLE %I ATTACH PARTITION %I FOR VALUES ' || bounds, parent.name, part);
                made := made + 1;
            END LOOP;
        END LOOP;
        RETURN made;
    END
    """,
        owner="",
    ),
    "CREATE FUNCTION lyceum_make_partitions(months_ahead int) RETURNS int LANGUAGE sql VOLATILE"
    " AS $$ SELECT public.lyceum_make_partitions(months_ahead, now()) $$",
    f"GRANT EXECUTE ON FUNCTION lyceum_make_partitions(int) TO {APP}",
]

LIVE_USER = "u.is_active AND u.deleted_at IS NULL"
LOOKUPS = (
    (
        "lyceum_find_login(p_email text)",
        "TABLE (user_id uuid, password_hash text)",
        "SELECT id, password_hash FROM users u WHERE lower(email) = lower(p_email) AND " + LIVE_USER,
    ),
    (
        "lyceum_find_session(p_hash bytea)",
        "TABLE (session_id uuid, user_id uuid, expires_at timestamptz)",
        "SELECT s.id, s.user_id, s.access_expires_at FROM user_sessions s JOIN users u ON u.id = s.user_id"
        " WHERE s.access_hash = p_hash AND s.access_expires_at > now() AND s.revoked_at IS NULL AND "
        + LIVE_USER,
    ),
    (
        "lyceum_find_refresh(p_hash bytea)",
        "TABLE (session_id uuid, user_id uuid)",
        "SELECT s.id, s.user_id FROM user_sessions s JOIN users u ON u.id = s.user_id"
        " WHERE (s.refresh_hash = p_hash OR s.previous_refresh_hash = p_hash) AND " + LIVE_USER,
    ),
    (
        "lyceum_find_api_key(p_hash bytea)",
        "TABLE (key_id uuid, user_id uuid, scopes text[], expires_at timestamptz, rate_limit int)",
        "SELECT k.id, k.user_id, k.scopes, k.expires_at, k.rate_limit FROM api_keys k JOIN users u ON u.id = k.user_id"
        " WHERE k.key_hash = p_hash AND k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > now())"
        " AND " + LIVE_USER,
    ),
    ("lyceum_local_owner()", "uuid", "SELECT id FROM users WHERE is_local_owner AND deleted_at IS NULL"),
    (
        "lyceum_open_jobs(p_limit int)",
        "TABLE (job_id uuid, user_id uuid, priority int)",
        "SELECT id, user_id, priority FROM jobs WHERE (status = 'queued' AND (run_after IS NULL OR run_after <= now()))"
        " OR (status = 'running' AND lease_until < now()) ORDER BY priority DESC, created_at LIMIT p_limit",
    ),
    (
        "lyceum_stale_runs(p_seconds int)",
        "TABLE (run_id uuid, user_id uuid)",
        "SELECT id, user_id FROM runs WHERE status = 'running' AND heartbeat_at < now() - make_interval(secs => p_seconds)",
    ),
    (
        "lyceum_find_oauth_code(p_hash bytea)",
        "TABLE (grant_id uuid, user_id uuid)",
        "SELECT g.id, g.user_id FROM oauth_grants g JOIN users u ON u.id = g.user_id WHERE g.code_hash = p_hash AND "
        + LIVE_USER,
    ),
    (
        "lyceum_find_oauth_refresh(p_hash bytea)",
        "TABLE (grant_id uuid, user_id uuid)",
        "SELECT g.id, g.user_id FROM oauth_grants g JOIN users u ON u.id = g.user_id"
        " WHERE (g.refresh_hash = p_hash OR g.previous_refresh_hash = p_hash) AND " + LIVE_USER,
    ),
    (
        "lyceum_find_oauth_access(p_hash bytea)",
        "TABLE (grant_id uuid, user_id uuid, oauth_client_id uuid, scopes text[], resource text, expires_at timestamptz)",
        "SELECT g.id, g.user_id, g.oauth_client_id, g.scopes, g.resource, g.access_expires_at FROM oauth_grants g"
        " JOIN users u ON u.id = g.user_id JOIN oauth_clients c ON c.id = g.oauth_client_id WHERE g.access_hash = p_hash"
        " AND g.access_expires_at > now() AND g.revoked_at IS NULL AND c.disabled_at IS NULL AND "
        + LIVE_USER,
    ),
    (
        "lyceum_user_ids(p_after uuid, p_limit int)",
        "TABLE (user_id uuid, deleted_at timestamptz)",
        "SELECT id, deleted_at FROM users WHERE p_after IS NULL OR id > p_after ORDER BY id LIMIT p_limit",
    ),
    (
        "lyceum_accounts_to_erase(p_limit int)",
        "TABLE (user_id uuid, deleted_at timestamptz)",
        "SELECT id, deleted_at FROM users WHERE deleted_at IS NOT NULL ORDER BY deleted_at LIMIT p_limit",
    ),
    (
        "lyceum_known_objects(p_keys text[])",
        "SETOF text",
        "SELECT object_key FROM files WHERE object_key = ANY(p_keys)",
    ),
)

# Erasure (GDPR, art. 17) must reach what others did with a person, and the application cannot change the trail itself.
# Only for somebody who is gone or leaving, and only e-mail addresses as words, so that it cannot blot out the trail at large.
ERASE_AUDIT = function(
    "lyceum_erase_audit(p_user uuid, p_words text[], p_from timestamptz, p_to timestamptz)",
    "RETURNS bigint LANGUAGE plpgsql VOLATILE",
    """
    DECLARE
        touched bigint;
        more bigint;
        word text;
        words text[] := ARRAY[p_user::text] || coalesce(
            (SELECT array_agg(w) FROM unnest(p_words) w WHERE w LIKE '%_@_%' AND length(w) >= 6), '{}');
    BEGIN
        IF EXISTS (SELECT FROM users WHERE id = p_user AND deleted_at IS NULL) THEN RETURN 0; END IF;
        DELETE FROM audit_logs WHERE user_id = p_user AND created_at >= p_from AND created_at < p_to;
        GET DIAGNOSTICS touched = ROW_COUNT;
        FOREACH word IN ARRAY words LOOP
            UPDATE audit_logs SET
                arguments = replace(arguments::text, word, 'deleted')::jsonb,
                old_values = replace(old_values::text, word, 'deleted')::jsonb,
                new_values = replace(new_values::text, word, 'deleted')::jsonb,
                error_message = replace(error_message, word, 'deleted'),
                entity_id = nullif(entity_id, p_user)
            WHERE created_at >= p_from AND created_at < p_to
              AND (entity_id = p_user OR strpos(concat(arguments, old_values, new_values, error_message), word) > 0);
            GET DIAGNOSTICS more = ROW_COUNT;
            touched := touched + more;
        END LOOP;
        RETURN touched;
    END
    """,
)


def upgrade() -> None:
    op.execute(NEEDS_READER)
    op.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm")
    op.execute(SET_UPDATED_AT)
    forced(False)
    add_columns()
    for table, checks in CHECKS.items():
        for name, condition in checks.items():
            op.create_check_constraint(op.f(f"ck_{table}_{name}"), table, condition)
    keys_with_owner()
    forced(True)
    add_indexes()
    create_tables()
    comment(COMMENTS)
    run(secure())


def secure() -> list[str]:
    """Everything about who may see what, in the order it must run."""
    statements = [*SEAL, *NOTE_CHANGE, f"GRANT USAGE ON SCHEMA public TO {READER}"]
    for table in TENANTS:
        statements += [f"ALTER POLICY {table}_own ON {table} TO {CALLERS}", readable(table)]
    statements += [
        "CREATE POLICY users_leaving ON users AS RESTRICTIVE FOR DELETE USING (deleted_at IS NOT NULL)",
        *tenant("oauth_grants"),
        f"GRANT SELECT, INSERT, UPDATE ON oauth_clients TO {APP}",
        f"GRANT SELECT ON oauth_clients TO {SYSTEM}",
        readable("oauth_clients"),
        f"GRANT SELECT, INSERT, UPDATE ON upkeep TO {APP}",
        *visible_to_system("oauth_grants"),
        *visible_to_system("files"),
        *open_to_system("audit_logs"),
        *map(stamped, ("oauth_clients", "oauth_grants")),
        *map(audited, AUDITED),
    ]
    functions = [f"DROP FUNCTION {identity(signature)}" for signature, _, _ in LOOKUPS[:7]]
    for signature, returns, body in LOOKUPS:
        functions += lookup(signature, returns, body)
    return [
        *statements,
        *as_system([*functions, *ERASE_AUDIT]),
        "DROP FUNCTION lyceum_make_partitions(int)",
        "CREATE TABLE audit_logs_default PARTITION OF audit_logs DEFAULT",
        *MAKE_PARTITIONS,
        "SELECT lyceum_make_partitions(3)",
    ]


def downgrade() -> None:
    functions = [f"DROP FUNCTION {identity(signature)}" for signature, _, _ in LOOKUPS]
    functions += ["DROP FUNCTION lyceum_erase_audit(uuid, text[], timestamptz, timestamptz)"]
    functions += [s for s in first.system_functions() if "lyceum_schema_revision" not in s]
    run(
        [
            "DROP FUNCTION lyceum_make_partitions(int)",
            "DROP FUNCTION lyceum_make_partitions(int, timestamptz)",
            *as_system(functions),
            *(f"DROP TRIGGER {table}_audited ON {table}" for table in AUDITED),
            *hidden_from_system("audit_logs"),
            *hidden_from_system("files"),
            "DROP POLICY users_leaving ON users",
            *(f"REVOKE ALL ON {table} FROM {READER}" for table in TENANTS),
            *(f"ALTER POLICY {table}_own ON {table} TO {APP}" for table in TENANTS),
            f"REVOKE USAGE ON SCHEMA public FROM {READER}",
            USER_ID_BEFORE,
            "DROP FUNCTION lyceum_sealed_user_id()",
            "DROP FUNCTION lyceum_seal(uuid)",
            "DROP FUNCTION lyceum_note_change()",
            "DROP FUNCTION lyceum_shortened(jsonb)",
            first.MAKE_PARTITIONS,
            "REVOKE ALL ON FUNCTION lyceum_make_partitions(int) FROM PUBLIC",
            f"GRANT EXECUTE ON FUNCTION lyceum_make_partitions(int) TO {APP}",
        ]
    )
    for table in NEW_TABLES:
        op.drop_table(table)
    op.execute("DROP TABLE audit_logs_default")
    comment({table: dict.fromkeys(columns) for table, columns in COMMENTS.items()})
    for index, table in NEW_INDEXES:
        op.drop_index(index, table)
    forced(False)
    for child, column, parent, on_delete in SAME_OWNER:
        op.drop_constraint(f"fk_{child}_{column}_{parent}", child)
        op.create_foreign_key(
            f"fk_{child}_{column}_{parent}", child, parent, [column], ["id"], ondelete=on_delete
        )
    forced(True)
    for parent in PARENTS:
        op.drop_constraint(f"uq_{parent}_user_id_id", parent)
    op.create_index("ix_files_user_id", "files", ["user_id"])
    op.create_index("ix_chunks_user_id", "chunks", ["user_id"])
    op.create_index("ix_chunks_lexemes", "chunks", ["lexemes"], postgresql_using="gin")
    for table, checks in CHECKS.items():
        for name in checks:
            op.drop_constraint(op.f(f"ck_{table}_{name}"), table)
    for table, columns in ADDED.items():
        for column in columns:
            op.drop_column(table, column)
    op.execute(SET_UPDATED_AT_BEFORE)


def run(statements: list[str]) -> None:
    for statement in statements:
        op.execute(statement)


def forced(yes: bool) -> None:
    """A foreign key is checked by a query of the owner, who while policies are forced on him sees no row to check."""
    for table in ("classes", "files", "materials", "material_segments", "chunks", "chunk_postings", "jobs",
                  "conversations", "runs", "messages"):  # fmt: skip
        op.execute(f"ALTER TABLE {table} {'' if yes else 'NO '}FORCE ROW LEVEL SECURITY")


def keys_with_owner() -> None:
    for parent in PARENTS:
        op.create_unique_constraint(f"uq_{parent}_user_id_id", parent, ["user_id", "id"])
    op.drop_index("ix_files_user_id", "files")
    for child, column, parent, on_delete in SAME_OWNER:
        op.drop_constraint(f"fk_{child}_{column}_{parent}", child)
        op.create_foreign_key(
            f"fk_{child}_{column}_{parent}", child, parent, [column, "user_id"], ["id", "user_id"],
            ondelete=on_delete if on_delete == "CASCADE" else f"SET NULL ({column})",
        )  # fmt: skip


def comment(comments: dict[str, dict[str, str | None]]) -> None:
    """Comments by table and column; the empty column name is the table itself."""
    for table, columns in comments.items():
        for column, words in columns.items():
            thing = f"COLUMN {table}.{column}" if column else f"TABLE {table}"
            literal = "NULL" if words is None else "'" + words.replace("'", "''") + "'"
            op.get_bind().exec_driver_sql(f"COMMENT ON {thing} IS {literal}")


def add_columns() -> None:
    op.add_column(
        "api_keys",
        sa.Column("rate_limit", sa.Integer(), comment="Calls a minute; null for the general limit."),
    )
    op.add_column("audit_logs", sa.Column("entity_type", sa.Text(), comment="Table of the item."))
    op.add_column("audit_logs", sa.Column("old_values", JSONB(), comment="Changed columns before."))
    op.add_column("audit_logs", sa.Column("new_values", JSONB(), comment="Changed columns after."))
    op.add_column("audit_logs", sa.Column("error_code", sa.Text(), comment="Why it did not, for programs."))
    op.add_column("audit_logs", sa.Column("key_id", sa.Uuid(), comment="With which API key."))
    op.add_column(
        "classes", sa.Column("current_grade", sa.Text(), comment="Mark so far, as the school writes it.")
    )
    op.add_column(
        "classes", sa.Column("grade_percent", sa.SmallInteger(), comment="Mark so far in per cent.")
    )
    op.add_column("jobs", sa.Column("result", JSONB(), comment="What came out: ids and counts."))
    op.add_column("material_segments", sa.Column("t_start", sa.Double(), comment="Of a span: first second."))
    op.add_column("material_segments", sa.Column("t_end", sa.Double(), comment="Of a span: last second."))
    op.add_column(
        "materials", sa.Column("description", sa.Text(), comment="What it is, in its owner's words.")
    )
    op.add_column("materials", sa.Column("author", sa.Text(), comment="Who wrote or spoke it."))
    op.add_column("materials", sa.Column("isbn", sa.Text(), comment="Of a book."))
    op.add_column("materials", sa.Column("source_url", sa.Text(), comment="Where it was fetched from."))
    op.add_column(
        "materials",
        sa.Column(
            "tags",
            sa.ARRAY(sa.Text()),
            server_default=sa.text("'{}'"),
            nullable=False,
            comment="Words to file it under.",
        ),
    )
    op.add_column("materials", sa.Column("processed_at", TIMESTAMPTZ, comment="When it became ready."))
    op.add_column(
        "materials",
        sa.Column(
            "shared_with_class",
            sa.Boolean(),
            server_default=sa.text("true"),
            nullable=False,
            comment="Whether the members of its class may read it.",
        ),
    )
    op.add_column(
        "messages",
        sa.Column("token_count", sa.Integer(), comment="Tokens of the model that read or wrote it."),
    )
    op.add_column(
        "users",
        sa.Column(
            "username", sa.Text(), comment="Name that classmates find them by; unique, whatever the case."
        ),
    )
    op.add_column(
        "users", sa.Column("email_verified_at", TIMESTAMPTZ, comment="When the address was confirmed.")
    )
    op.add_column("users", sa.Column("avatar_url", sa.Text(), comment="Picture of the person."))
    op.add_column("users", sa.Column("school_name", sa.Text(), comment="School or university."))
    op.add_column(
        "users",
        sa.Column("grade_level", sa.Text(), comment="Year of school or study, as the person says it."),
    )
    op.add_column(
        "users", sa.Column("region", sa.Text(), comment="State or country whose curriculum applies.")
    )
    op.add_column(
        "users",
        sa.Column(
            "language",
            sa.Text(),
            server_default=sa.text("'en'"),
            nullable=False,
            comment="Language to answer in (BCP 47).",
        ),
    )
    op.add_column(
        "users",
        sa.Column(
            "timezone",
            sa.Text(),
            server_default=sa.text("'UTC'"),
            nullable=False,
            comment="IANA time zone; decides what is due today.",
        ),
    )
    op.add_column(
        "users",
        sa.Column(
            "day_start_hour",
            sa.SmallInteger(),
            server_default=sa.text("4"),
            nullable=False,
            comment="Hour of local time at which a study day begins.",
        ),
    )
    op.add_column(
        "users",
        sa.Column(
            "scheduler",
            sa.Text(),
            server_default=sa.text("'fsrs'"),
            nullable=False,
            comment="How reviews are scheduled: fsrs or sm2.",
        ),
    )
    op.add_column(
        "users",
        sa.Column(
            "desired_retention",
            sa.Double(),
            server_default=sa.text("0.9"),
            nullable=False,
            comment="Share of cards to be remembered when due (FSRS), 0.7 to 0.99.",
        ),
    )
    op.add_column(
        "users",
        sa.Column(
            "fsrs_parameters",
            sa.ARRAY(sa.Double()),
            comment="The 21 weights of FSRS-6 fitted to this person; null for the default ones.",
        ),
    )
    op.add_column(
        "users",
        sa.Column(
            "learning_steps",
            postgresql.ARRAY(sa.Integer()),
            server_default=sa.text("'{60,600}'"),
            nullable=False,
            comment="Seconds between the first reviews of a new card.",
        ),
    )
    op.add_column(
        "users",
        sa.Column(
            "relearning_steps",
            postgresql.ARRAY(sa.Integer()),
            server_default=sa.text("'{600}'"),
            nullable=False,
            comment="Seconds between reviews of a card that was forgotten.",
        ),
    )
    op.add_column(
        "users",
        sa.Column(
            "maximum_interval_days",
            sa.Integer(),
            server_default=sa.text("36500"),
            nullable=False,
            comment="Longest time between two reviews.",
        ),
    )
    op.add_column(
        "users",
        sa.Column(
            "new_cards_per_day",
            sa.Integer(),
            server_default=sa.text("20"),
            nullable=False,
            comment="Daily limit of new cards.",
        ),
    )
    op.add_column(
        "users",
        sa.Column(
            "reviews_per_day",
            sa.Integer(),
            server_default=sa.text("200"),
            nullable=False,
            comment="Daily limit of reviews.",
        ),
    )
    op.add_column(
        "users",
        sa.Column(
            "leech_threshold",
            sa.SmallInteger(),
            server_default=sa.text("8"),
            nullable=False,
            comment="Lapses after which a card counts as a leech.",
        ),
    )


def add_indexes() -> None:

    op.create_index(
        "ix_api_keys_expires_at",
        "api_keys",
        ["expires_at"],
        postgresql_where=sa.text("expires_at IS NOT NULL"),
    )
    op.create_index(
        "ix_audit_logs_entity_id",
        "audit_logs",
        ["entity_id"],
        postgresql_where=sa.text("entity_id IS NOT NULL"),
    )
    op.drop_index("ix_chunks_user_id", table_name="chunks")
    op.drop_index("ix_chunks_lexemes", table_name="chunks")
    op.create_index("ix_chunks_user_id_material_id", "chunks", ["user_id", "material_id"])
    op.create_index(
        "ix_classes_name_trigrams",
        "classes",
        ["name"],
        postgresql_using="gin",
        postgresql_where=sa.text("deleted_at IS NULL"),
        postgresql_ops={"name": "gin_trgm_ops"},
    )
    op.create_index("ix_classes_user_id_created_at", "classes", ["user_id", "created_at"])
    op.create_index(
        "ix_conversations_deleted_at",
        "conversations",
        ["deleted_at"],
        postgresql_where=sa.text("deleted_at IS NOT NULL"),
    )
    op.create_index(
        "ix_conversations_title_trigrams",
        "conversations",
        ["title"],
        postgresql_using="gin",
        postgresql_where=sa.text("deleted_at IS NULL"),
        postgresql_ops={"title": "gin_trgm_ops"},
    )
    op.create_index(
        "ix_files_deleted_at", "files", ["deleted_at"], postgresql_where=sa.text("deleted_at IS NOT NULL")
    )
    op.create_index(
        "ix_jobs_finished_at", "jobs", ["finished_at"], postgresql_where=sa.text("finished_at IS NOT NULL")
    )
    op.create_index(
        "ix_materials_deleted_at",
        "materials",
        ["deleted_at"],
        postgresql_where=sa.text("deleted_at IS NOT NULL"),
    )
    op.create_index(
        "ix_materials_title_trigrams",
        "materials",
        ["title"],
        postgresql_using="gin",
        postgresql_where=sa.text("deleted_at IS NULL"),
        postgresql_ops={"title": "gin_trgm_ops"},
    )
    op.create_index("ix_user_sessions_refresh_expires_at", "user_sessions", ["refresh_expires_at"])
    op.create_index(
        "ix_users_deleted_at", "users", ["deleted_at"], postgresql_where=sa.text("deleted_at IS NOT NULL")
    )
    op.create_index("uq_users_username", "users", [sa.literal_column("lower(username)")], unique=True)


def create_tables() -> None:
    create_oauth_clients()
    create_oauth_grants()
    create_upkeep()
    create_seal_keys()


def create_oauth_clients() -> None:
    op.create_table(
        "oauth_clients",
        sa.Column("id", sa.Uuid(), nullable=False, comment="UUIDv7, made by the application."),
        sa.Column(
            "client_id",
            sa.Text(),
            nullable=False,
            comment="Its public name; an https address when a metadata document describes it.",
        ),
        sa.Column(
            "registration",
            sa.Text(),
            nullable=False,
            comment="How it came: dynamic, metadata_document or operator.",
        ),
        sa.Column("name", sa.Text(), nullable=False, comment="Name on the consent page."),
        sa.Column(
            "redirect_uris",
            sa.ARRAY(sa.Text()),
            nullable=False,
            comment="Where a code may be sent; compared exactly.",
        ),
        sa.Column(
            "secret_hash", sa.LargeBinary(), comment="SHA-256 of its secret; null for a public client."
        ),
        sa.Column(
            "token_endpoint_auth_method",
            sa.Text(),
            server_default=sa.text("'none'"),
            nullable=False,
            comment="none, client_secret_basic or client_secret_post.",
        ),
        sa.Column(
            "grant_types",
            sa.ARRAY(sa.Text()),
            server_default=sa.text("'{authorization_code,refresh_token}'"),
            nullable=False,
            comment="Flows it may use.",
        ),
        sa.Column(
            "scopes",
            sa.ARRAY(sa.Text()),
            server_default=sa.text("'{}'"),
            nullable=False,
            comment="Most that it may ask for; empty for no bound.",
        ),
        sa.Column(
            "document",
            JSONB(),
            server_default=sa.text("'{}'"),
            nullable=False,
            comment="Its registration or metadata document as received (RFC 7591).",
        ),
        sa.Column(
            "document_expires_at", TIMESTAMPTZ, comment="When the metadata document must be fetched again."
        ),
        sa.Column("last_used_at", TIMESTAMPTZ, comment="Last token given to it."),
        sa.Column("disabled_at", TIMESTAMPTZ, comment="When the operator shut it out."),
        sa.Column(
            "created_at",
            TIMESTAMPTZ,
            server_default=sa.text("now()"),
            nullable=False,
            comment="When the row was made.",
        ),
        sa.Column(
            "updated_at",
            TIMESTAMPTZ,
            server_default=sa.text("now()"),
            nullable=False,
            comment="When it was last changed; kept by a trigger.",
        ),
        sa.CheckConstraint(
            "registration IN ('dynamic', 'metadata_document', 'operator')",
            name=op.f("ck_oauth_clients_registration"),
        ),
        sa.CheckConstraint(
            "token_endpoint_auth_method IN ('none', 'client_secret_basic', 'client_secret_post')",
            name=op.f("ck_oauth_clients_token_endpoint_auth_method"),
        ),
        sa.PrimaryKeyConstraint("id", name="pk_oauth_clients"),
        sa.UniqueConstraint("client_id", name="uq_oauth_clients_client_id"),
        comment="A program that may ask people for access (OAuth 2.1). Belongs to nobody: it registers before anyone signs in.",
    )


def create_oauth_grants() -> None:
    op.create_table(
        "oauth_grants",
        sa.Column("id", sa.Uuid(), nullable=False, comment="UUIDv7, made by the application."),
        sa.Column("user_id", sa.Uuid(), nullable=False, comment="The user whose row this is."),
        sa.Column("oauth_client_id", sa.Uuid(), nullable=False, comment="The program."),
        sa.Column("scopes", sa.ARRAY(sa.Text()), nullable=False, comment="What the user allowed."),
        sa.Column("resource", sa.Text(), comment="The server the tokens are for (RFC 8707)."),
        sa.Column(
            "redirect_uri",
            sa.Text(),
            nullable=False,
            comment="Where the code was sent; the exchange must repeat it.",
        ),
        sa.Column("code_hash", sa.LargeBinary(), comment="SHA-256 of the authorization code."),
        sa.Column("code_challenge", sa.Text(), nullable=False, comment="PKCE challenge, S256 (RFC 7636)."),
        sa.Column(
            "code_expires_at",
            TIMESTAMPTZ,
            nullable=False,
            comment="When the code ends, a minute after consent.",
        ),
        sa.Column(
            "code_used_at", TIMESTAMPTZ, comment="When it was exchanged; a second time revokes the grant."
        ),
        sa.Column("access_hash", sa.LargeBinary(), comment="SHA-256 of the access token."),
        sa.Column("access_expires_at", TIMESTAMPTZ, comment="When the access token ends."),
        sa.Column("refresh_hash", sa.LargeBinary(), comment="SHA-256 of the refresh token."),
        sa.Column("refresh_expires_at", TIMESTAMPTZ, comment="When the user must consent again."),
        sa.Column(
            "previous_refresh_hash",
            sa.LargeBinary(),
            comment="The refresh token before: good for a moment, so that two refreshes at once both work.",
        ),
        sa.Column("rotated_at", TIMESTAMPTZ, comment="When the refresh token was last replaced."),
        sa.Column("last_used_at", TIMESTAMPTZ, comment="Last call or refresh."),
        sa.Column("revoked_at", TIMESTAMPTZ, comment="When the user or a misused token ended it."),
        sa.Column(
            "created_at",
            TIMESTAMPTZ,
            server_default=sa.text("now()"),
            nullable=False,
            comment="When the row was made.",
        ),
        sa.Column(
            "updated_at",
            TIMESTAMPTZ,
            server_default=sa.text("now()"),
            nullable=False,
            comment="When it was last changed; kept by a trigger.",
        ),
        sa.ForeignKeyConstraint(
            ["oauth_client_id"],
            ["oauth_clients.id"],
            name="fk_oauth_grants_oauth_client_id_oauth_clients",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name="fk_oauth_grants_user_id_users", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_oauth_grants"),
        sa.UniqueConstraint("access_hash", name="uq_oauth_grants_access_hash"),
        sa.UniqueConstraint("code_hash", name="uq_oauth_grants_code_hash"),
        sa.UniqueConstraint("previous_refresh_hash", name="uq_oauth_grants_previous_refresh_hash"),
        sa.UniqueConstraint("refresh_hash", name="uq_oauth_grants_refresh_hash"),
        comment="One consent of a user to a program: first a code, then a pair of tokens that rotates. Only hashes are kept.",
    )
    op.create_index("ix_oauth_grants_oauth_client_id", "oauth_grants", ["oauth_client_id"])
    op.create_index("ix_oauth_grants_user_id", "oauth_grants", ["user_id"])


def create_upkeep() -> None:
    op.create_table(
        "upkeep",
        sa.Column(
            "task", sa.Text(), nullable=False, comment="Name of the task: daily purge, account erasure."
        ),
        sa.Column("worker", sa.Text(), comment="Name of the worker that does it now."),
        sa.Column("lease_until", TIMESTAMPTZ, comment="Until when, unless it renews."),
        sa.Column("position", sa.Text(), comment="How far it is, so that another worker goes on from there."),
        sa.Column("started_at", TIMESTAMPTZ, comment="When the current or last turn began."),
        sa.Column("finished_at", TIMESTAMPTZ, comment="When the last turn ended."),
        sa.Column(
            "removed",
            JSONB(),
            server_default=sa.text("'{}'"),
            nullable=False,
            comment="What the last turn removed, counted.",
        ),
        sa.Column("error", sa.Text(), comment="Why the last turn failed."),
        sa.PrimaryKeyConstraint("task", name="pk_upkeep"),
        comment="One row per recurring task of the whole installation, held by a lease as a job is. Nobody's data.",
    )


def create_seal_keys() -> None:
    op.create_table(
        "seal_keys",
        sa.Column("key", sa.LargeBinary(), nullable=False, comment="32 random bytes."),
        sa.PrimaryKeyConstraint("key", name="pk_seal_keys"),
        comment="The one secret that `lyceum_seal` signs a caller's id with, made by the migration. No role may read it.",
    )


COMMENTS: dict[str, dict[str, str | None]] = {
    "api_keys": {
        "": "A key for programs. The key itself is shown once and only its hash is kept.",
        "id": "UUIDv7, made by the application.",
        "user_id": "The user whose row this is.",
        "name": "What its owner calls it.",
        "prefix": "First characters, to recognise it in a list.",
        "key_hash": "SHA-256 of the key.",
        "scopes": "What it may do: toolset:read, toolset:write, *:read or *.",
        "expires_at": "When it stops working by itself.",
        "last_used_at": "Last call, to within a minute.",
        "revoked_at": "When its owner withdrew it.",
        "created_at": "When the row was made.",
        "updated_at": "When it was last changed; kept by a trigger.",
    },
    "audit_logs": {
        "": "Who did what. One row for every WRITE and DESTROY call, also the failed ones; monthly partitions, kept for 2 years.",
        "id": "UUIDv7, made by the application.",
        "created_at": "When; decides the partition.",
        "user_id": "Who; no foreign key, so that the trail never stops a deletion.",
        "action": "Name of the tool.",
        "surface": "Way in: http, mcp, chat, cli, …",
        "arguments": "Arguments without secrets and file bodies, texts cut short.",
        "entity_id": "The item that was made or changed.",
        "is_success": "Whether it worked.",
        "error_message": "Why it did not, in a sentence.",
        "ip_address": "Where from.",
        "user_agent": "With what program.",
        "session_id": "From which signed-in device.",
    },
    "chunk_postings": {
        "": "The inverted index of one material: for a lexeme, which chunks hold it, how often, and how long those chunks are.",
        "material_id": "Its material.",
        "lexeme": "A word's stem.",
        "class_id": "Its class.",
        "user_id": "The user whose row this is.",
        "ordinals": "Ordinals of the chunks that hold it.",
        "frequencies": "How often, chunk by chunk.",
        "lengths": "Word counts of those chunks.",
    },
    "chunks": {
        "": "What search finds: a passage of a material. Replaced as a whole when the material is processed again.",
        "id": "UUIDv7, made by the application.",
        "user_id": "The user whose row this is.",
        "class_id": "Its class.",
        "material_id": "Its material.",
        "ordinal": "Position in the material, from 0.",
        "segment": "Ordinal of the segment it stands in.",
        "type": "text, heading, list, table, formula, caption or transcript.",
        "text": "The passage.",
        "char_start": "First character, counted in the segment's text.",
        "char_end": "Character after the last one.",
        "heading_path": "Headings above it.",
        "token_count": "Tokens of the embedding model.",
        "word_count": "Lexemes with repeats: the document length of BM25.",
        "language": "Language (BCP 47).",
        "summary": "One sentence, where one was made.",
        "text_config": "Text search configuration of its lexemes.",
        "lexemes": "Its words and its headings', reduced to stems.",
        "embedding_model": "Set once its vector stands in the collection.",
        "created_at": "When the row was made.",
    },
    "classes": {
        "": "A class or subject. Its owner teaches it; others are members by a code.",
        "id": "UUIDv7, made by the application.",
        "user_id": "The user whose row this is.",
        "name": "Name; unique among its owner's live classes.",
        "description": "What it is about.",
        "subject": "Field, such as physics.",
        "teacher_name": "Who teaches it at school.",
        "period": "Hour or term in the timetable.",
        "color": "Colour on the page.",
        "icon": "Icon on the page.",
        "collection_prefix": "Begins the names of its vector collections; unique for all, never changed.",
        "created_at": "When the row was made.",
        "updated_at": "When it was last changed; kept by a trigger.",
        "deleted_at": "When its owner deleted it; purged 30 days later.",
    },
    "conversations": {
        "": "A talk with the assistant.",
        "id": "UUIDv7, made by the application.",
        "user_id": "The user whose row this is.",
        "class_id": "The class it is about, own or joined.",
        "thread_id": "The AG-UI client's name for it: our id, unless the client chose its own.",
        "title": "Title.",
        "message_count": "Messages in it.",
        "last_message_at": "When the last one came.",
        "created_at": "When the row was made.",
        "updated_at": "When it was last changed; kept by a trigger.",
        "deleted_at": "When its owner deleted it; purged 30 days later.",
    },
    "files": {
        "": "An object in the file store.",
        "id": "UUIDv7, made by the application.",
        "user_id": "The user whose row this is.",
        "filename": "Name that its owner knows it by.",
        "object_key": "Its path in the store.",
        "media_type": "Kind of content, found by looking at it.",
        "size_bytes": "Length.",
        "sha256": "Checksum of the content.",
        "created_at": "When the row was made.",
        "updated_at": "When it was last changed; kept by a trigger.",
        "deleted_at": "When its owner deleted it; purged 30 days later.",
    },
    "jobs": {
        "": "The truth about a piece of background work; the Redis stream only says where to look. A worker holds a running job by a lease that it renews; when the lease has passed, any worker may take it.",
        "id": "UUIDv7, made by the application.",
        "user_id": "The user whose row this is.",
        "kind": "What is to be done: ingest_material, generate_test, …",
        "material_id": "The material it works on, if it does.",
        "status": "queued, running, succeeded, failed or cancelled.",
        "priority": "Higher comes first.",
        "arguments": "What the worker needs to know.",
        "progress_done": "Steps done.",
        "progress_total": "Steps in all, once known.",
        "progress_message": "What is being done.",
        "attempts": "Times a worker took it.",
        "max_attempts": "Times before it fails for good.",
        "run_after": "Not before this time: the pause before another try.",
        "worker": "Name of the worker that holds it.",
        "lease_until": "Until when, unless it renews.",
        "cancel_requested": "Its owner wants it stopped.",
        "error_code": "Why it failed, for programs.",
        "error": "Why it failed, in a sentence.",
        "started_at": "When a worker last took it.",
        "finished_at": "When it ended.",
        "created_at": "When the row was made.",
        "updated_at": "When it was last changed; kept by a trigger.",
    },
    "material_segments": {
        "": "A page, slide, section or transcript span, with its text. Boxes are fractions of the page, offsets count characters of `text`.",
        "id": "UUIDv7, made by the application.",
        "user_id": "The user whose row this is.",
        "material_id": "Its material.",
        "ordinal": "Position in the material, from 0.",
        "kind": "page, slide, section or span.",
        "number": "Number a person would say: page 57, slide 12.",
        "label": "Number printed on it, where it differs: iv, A-3.",
        "heading_path": "Headings above its start.",
        "heading_levels": "Their levels, from 1.",
        "text": "Its text.",
        "lines": "[start, end, x0, y0, x1, y1] of each printed line.",
        "blocks": "[type, start, end, level] of each paragraph, list, table or formula.",
    },
    "materials": {
        "": "One thing a student studies from. Words are searchable from status `searchable` on, vectors too from `ready` on.",
        "id": "UUIDv7, made by the application.",
        "user_id": "The user whose row this is.",
        "class_id": "Its class, of the same owner.",
        "file_id": "The original, where there is one.",
        "title": "Title.",
        "kind": "textbook, slides, lecture, recording, photo, web_page, text or past_paper.",
        "status": "queued, processing, searchable, ready, failed or cancelled.",
        "error_code": "Why it failed, for programs.",
        "error": "Why it failed, in a sentence.",
        "checksum": "SHA-256 of the content: the same bytes twice are one material.",
        "language": "Main language (BCP 47).",
        "segment_kind": "What it is divided into: page, slide, section or span.",
        "page_count": "Number of segments.",
        "word_count": "Words of all chunks; the total length that BM25 needs.",
        "duration_seconds": "Of a recording.",
        "chunk_count": "Chunks that search can find.",
        "embedding_model": "Model of its vectors, once all stand.",
        "created_at": "When the row was made.",
        "updated_at": "When it was last changed; kept by a trigger.",
        "deleted_at": "When its owner deleted it; purged 30 days later.",
    },
    "messages": {
        "": "What was said, by the student, the assistant or a tool.",
        "id": "UUIDv7, made by the application.",
        "user_id": "The user whose row this is.",
        "conversation_id": "Its conversation.",
        "run_id": "The run that made it.",
        "role": "user, assistant or tool.",
        "status": "complete, interrupted, cancelled or failed.",
        "text": "Its words.",
        "parts": "What is not plain text, in order: tool calls and their results.",
        "citations": "The locators that its numbers in brackets stand for.",
        "created_at": "When it was said.",
    },
    "runs": {
        "": "One answer being made.",
        "id": "UUIDv7, made by the application.",
        "user_id": "The user whose row this is.",
        "conversation_id": "Its conversation.",
        "client_run_id": "The client's name for it, so that a repeated request finds the first run.",
        "status": "running, succeeded, failed, cancelled or interrupted.",
        "model": "Model that answers: builtin or provider:name.",
        "error_code": "Why it failed, for programs.",
        "error": "Why it failed, in a sentence.",
        "input_tokens": "Tokens the model read.",
        "output_tokens": "Tokens it wrote.",
        "heartbeat_at": "Last sign of life of the process that runs it.",
        "finished_at": "When it ended.",
        "created_at": "When the row was made.",
        "updated_at": "When it was last changed; kept by a trigger.",
    },
    "user_sessions": {
        "": "One signed-in device: a short access token and a refresh token that rotates; only hashes are kept (SHA-256).",
        "id": "UUIDv7, made by the application.",
        "user_id": "The user whose row this is.",
        "access_hash": "SHA-256 of the access token.",
        "access_expires_at": "When the access token ends.",
        "refresh_hash": "SHA-256 of the refresh token.",
        "refresh_expires_at": "When the device must sign in again.",
        "previous_refresh_hash": "The refresh token before; its late use means that somebody has a copy.",
        "rotated_at": "When the refresh token was last replaced.",
        "device": "Browser and system, for the list of devices.",
        "ip_address": "Address at sign-in.",
        "last_used_at": "Last refresh.",
        "revoked_at": "When it was signed out.",
        "created_at": "When the row was made.",
        "updated_at": "When it was last changed; kept by a trigger.",
    },
    "users": {
        "": "A person's account, with the settings of their study.",
        "id": "UUIDv7, made by the application.",
        "email": "Address to sign in with; unique, whatever the case.",
        "name": "What the person is called.",
        "password_hash": "Argon2id; null until a password is set.",
        "is_active": "False locks the account out.",
        "is_local_owner": "The account that a laptop's first start makes; at most one.",
        "last_login_at": "Last successful sign-in.",
        "preferences": "Settings of the page that mean nothing to the server.",
        "created_at": "When the row was made.",
        "updated_at": "When it was last changed; kept by a trigger.",
        "deleted_at": "When its owner deleted it; purged 30 days later.",
    },
}
