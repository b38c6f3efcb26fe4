"""first tables"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from migrations.security import APP, SYSTEM, protect, system_function, visible_to_system

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


UPDATED = (
    "users",
    "user_sessions",
    "api_keys",
    "classes",
    "files",
    "materials",
    "conversations",
    "runs",
    "jobs",
)
OWNED = (
    "user_sessions", "api_keys", "classes", "files", "materials", "material_segments", "chunks",
    "chunk_postings", "conversations", "runs", "messages", "jobs",
)  # fmt: skip
SEEN_BY_SYSTEM = ("users", "user_sessions", "api_keys", "jobs", "runs")

FUNCTIONS_BEFORE = (
    """CREATE FUNCTION lyceum_user_id() RETURNS uuid LANGUAGE sql STABLE PARALLEL SAFE AS
    $$ SELECT nullif(current_setting('lyceum.user_id', true), '')::uuid $$""",
    """CREATE FUNCTION lyceum_lexemes(config text, heading_path text[], body text) RETURNS tsvector
    LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
    $$ SELECT to_tsvector(config::regconfig, body || E'\\n' || array_to_string(heading_path, E'\\n')) $$""",
    """CREATE FUNCTION set_updated_at() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN NEW.updated_at = now(); RETURN NEW; END $$""",
)

# Runs as the owner of audit_logs, because only an owner may add a partition.
MAKE_PARTITIONS = """CREATE FUNCTION lyceum_make_partitions(months_ahead int) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
    DECLARE
        first date := date_trunc('month', now())::date;
        month date;
        part text;
    BEGIN
        FOR i IN 0..months_ahead LOOP
            month := first + make_interval(months => i);
            part := 'audit_logs_' || to_char(month, 'YYYY_MM');
            IF to_regclass(part) IS NULL THEN
                EXECUTE format('CREATE TABLE %I PARTITION OF audit_logs FOR VALUES FROM (%L) TO (%L)',
                               part, month, month + interval '1 month');
            END IF;
        END LOOP;
    END $$"""


def system_functions() -> list[str]:
    return [
        *system_function(
            "lyceum_find_login(p_email text)",
            "TABLE (user_id uuid, password_hash text)",
            "SELECT id, password_hash FROM users WHERE lower(email) = lower(p_email)"
            " AND is_active AND deleted_at IS NULL",
        ),
        *system_function(
            "lyceum_find_session(p_hash bytea)",
            "TABLE (session_id uuid, user_id uuid)",
            "SELECT s.id, s.user_id FROM user_sessions s JOIN users u ON u.id = s.user_id"
            " WHERE s.access_hash = p_hash AND s.access_expires_at > now() AND s.revoked_at IS NULL"
            " AND u.is_active AND u.deleted_at IS NULL",
        ),
        *system_function(
            "lyceum_find_refresh(p_hash bytea)",
            "TABLE (session_id uuid, user_id uuid)",
            "SELECT s.id, s.user_id FROM user_sessions s JOIN users u ON u.id = s.user_id"
            " WHERE (s.refresh_hash = p_hash OR s.previous_refresh_hash = p_hash)"
            " AND u.is_active AND u.deleted_at IS NULL",
        ),
        *system_function(
            "lyceum_find_api_key(p_hash bytea)",
            "TABLE (key_id uuid, user_id uuid, scopes text[])",
            "SELECT k.id, k.user_id, k.scopes FROM api_keys k JOIN users u ON u.id = k.user_id"
            " WHERE k.key_hash = p_hash AND k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > now())"
            " AND u.is_active AND u.deleted_at IS NULL",
        ),
        *system_function(
            "lyceum_local_owner()", "uuid", "SELECT id FROM users WHERE is_local_owner AND deleted_at IS NULL"
        ),
        *system_function(
            "lyceum_open_jobs(p_limit int)",
            "TABLE (job_id uuid, user_id uuid, priority int)",
            "SELECT id, user_id, priority FROM jobs WHERE (status = 'queued' AND (run_after IS NULL OR run_after <= now()))"
            " OR (status = 'running' AND lease_until < now()) ORDER BY priority DESC, created_at LIMIT p_limit",
        ),
        *system_function(
            "lyceum_stale_runs(p_seconds int)",
            "TABLE (run_id uuid, user_id uuid)",
            "SELECT id, user_id FROM runs WHERE status = 'running'"
            " AND heartbeat_at < now() - make_interval(secs => p_seconds)",
        ),
    ]


def secure() -> list[str]:
    """Everything about who may see what, in the order it must run."""
    statements = [
        f"GRANT USAGE ON SCHEMA public TO {APP}, {SYSTEM}",
        f"GRANT CREATE ON SCHEMA public TO {SYSTEM}",
    ]
    statements += protect("users", "id")
    for table in OWNED:
        statements += protect(table)
    statements += protect("audit_logs")
    statements += [f"REVOKE UPDATE, DELETE ON audit_logs FROM {APP}"]
    for table in SEEN_BY_SYSTEM:
        statements += visible_to_system(table)
    statements += system_functions()
    statements += [
        "GRANT SELECT ON alembic_version TO lyceum_system",
        *system_function("lyceum_schema_revision()", "text", "SELECT version_num FROM alembic_version"),
    ]
    statements += [f"REVOKE CREATE ON SCHEMA public FROM {SYSTEM}"]
    statements += [MAKE_PARTITIONS, "REVOKE ALL ON FUNCTION lyceum_make_partitions(int) FROM PUBLIC"]
    statements += [
        f"GRANT EXECUTE ON FUNCTION lyceum_make_partitions(int) TO {APP}",
        "SELECT lyceum_make_partitions(3)",
    ]
    return statements


def upgrade() -> None:
    for statement in FUNCTIONS_BEFORE:
        op.execute(statement)
    create_tables()
    for table in UPDATED:
        op.execute(
            f"CREATE TRIGGER {table}_updated BEFORE UPDATE ON {table} FOR EACH ROW EXECUTE FUNCTION set_updated_at()"
        )
    for statement in secure():
        op.execute(statement)


def downgrade() -> None:
    op.execute("DROP FUNCTION lyceum_make_partitions(int)")
    for function in (
        "lyceum_find_login(text)", "lyceum_find_session(bytea)", "lyceum_find_refresh(bytea)",
        "lyceum_find_api_key(bytea)", "lyceum_local_owner()", "lyceum_open_jobs(int)", "lyceum_stale_runs(int)", "lyceum_schema_revision()",
    ):  # fmt: skip
        op.execute(f"DROP FUNCTION {function}")
    drop_tables()
    op.execute("DROP FUNCTION set_updated_at()")
    op.execute("DROP FUNCTION lyceum_lexemes(text, text[], text)")
    op.execute("DROP FUNCTION lyceum_user_id()")


def create_tables() -> None:
    op.create_table(
        "audit_logs",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("surface", sa.Text(), nullable=False),
        sa.Column("arguments", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("entity_id", sa.Uuid(), nullable=True),
        sa.Column("is_success", sa.Boolean(), nullable=False),
        sa.Column("error_message", sa.Text(), nullable=True),
        sa.Column("ip_address", sa.Text(), nullable=True),
        sa.Column("user_agent", sa.Text(), nullable=True),
        sa.Column("session_id", sa.Uuid(), nullable=True),
        sa.PrimaryKeyConstraint("id", "created_at", name=op.f("pk_audit_logs")),
        postgresql_partition_by="RANGE (created_at)",
    )
    op.create_index("ix_audit_logs_user_id_created_at", "audit_logs", ["user_id", "created_at"], unique=False)
    op.create_table(
        "users",
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("password_hash", sa.Text(), nullable=True),
        sa.Column("is_active", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("is_local_owner", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column(
            "preferences",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default=sa.text("'{}'"),
            nullable=False,
        ),
        sa.Column("last_login_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_users")),
    )
    op.create_index("uq_users_email", "users", [sa.literal_column("lower(email)")], unique=True)
    op.create_index(
        "uq_users_local_owner",
        "users",
        ["is_local_owner"],
        unique=True,
        postgresql_where=sa.text("is_local_owner"),
    )
    op.create_table(
        "api_keys",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("prefix", sa.Text(), nullable=False),
        sa.Column("key_hash", sa.LargeBinary(), nullable=False),
        sa.Column("scopes", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_api_keys_user_id_users"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_api_keys")),
        sa.UniqueConstraint("key_hash", name=op.f("uq_api_keys_key_hash")),
    )
    op.create_index(op.f("ix_api_keys_user_id"), "api_keys", ["user_id"], unique=False)
    op.create_table(
        "classes",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("subject", sa.Text(), nullable=True),
        sa.Column("teacher_name", sa.Text(), nullable=True),
        sa.Column("period", sa.Text(), nullable=True),
        sa.Column("color", sa.Text(), nullable=True),
        sa.Column("icon", sa.Text(), nullable=True),
        sa.Column("collection_prefix", sa.Text(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_classes_user_id_users"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_classes")),
        sa.UniqueConstraint("collection_prefix", name=op.f("uq_classes_collection_prefix")),
    )
    op.create_index(
        "uq_classes_user_id_name",
        "classes",
        ["user_id", sa.literal_column("lower(name)")],
        unique=True,
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_table(
        "files",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("filename", sa.Text(), nullable=False),
        sa.Column("object_key", sa.Text(), nullable=False),
        sa.Column("media_type", sa.Text(), nullable=True),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.LargeBinary(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_files_user_id_users"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_files")),
        sa.UniqueConstraint("object_key", name=op.f("uq_files_object_key")),
    )
    op.create_index(op.f("ix_files_user_id"), "files", ["user_id"], unique=False)
    op.create_table(
        "user_sessions",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("access_hash", sa.LargeBinary(), nullable=False),
        sa.Column("access_expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("refresh_hash", sa.LargeBinary(), nullable=False),
        sa.Column("refresh_expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("previous_refresh_hash", sa.LargeBinary(), nullable=True),
        sa.Column("rotated_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("device", sa.Text(), nullable=True),
        sa.Column("ip_address", sa.Text(), nullable=True),
        sa.Column("last_used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_user_sessions_user_id_users"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_user_sessions")),
        sa.UniqueConstraint("access_hash", name=op.f("uq_user_sessions_access_hash")),
        sa.UniqueConstraint("previous_refresh_hash", name=op.f("uq_user_sessions_previous_refresh_hash")),
        sa.UniqueConstraint("refresh_hash", name=op.f("uq_user_sessions_refresh_hash")),
    )
    op.create_index(op.f("ix_user_sessions_user_id"), "user_sessions", ["user_id"], unique=False)
    op.create_table(
        "conversations",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("class_id", sa.Uuid(), nullable=True),
        sa.Column("thread_id", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("message_count", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("last_message_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["class_id"], ["classes.id"], name=op.f("fk_conversations_class_id_classes"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_conversations_user_id_users"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_conversations")),
        sa.UniqueConstraint("user_id", "thread_id", name=op.f("uq_conversations_user_id_thread_id")),
    )
    op.create_index(op.f("ix_conversations_class_id"), "conversations", ["class_id"], unique=False)
    op.create_index(
        "ix_conversations_user_id_last_message_at",
        "conversations",
        ["user_id", "last_message_at"],
        unique=False,
    )
    op.create_table(
        "materials",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("class_id", sa.Uuid(), nullable=False),
        sa.Column("file_id", sa.Uuid(), nullable=True),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), server_default=sa.text("'queued'"), nullable=False),
        sa.Column("error_code", sa.Text(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("checksum", sa.LargeBinary(), nullable=False),
        sa.Column("language", sa.Text(), nullable=True),
        sa.Column("segment_kind", sa.Text(), nullable=True),
        sa.Column("page_count", sa.Integer(), nullable=True),
        sa.Column("word_count", sa.Integer(), nullable=True),
        sa.Column("duration_seconds", sa.Float(), nullable=True),
        sa.Column("chunk_count", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("embedding_model", sa.Text(), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "kind IN ('textbook', 'slides', 'lecture', 'recording', 'photo', 'web_page', 'text', 'past_paper')",
            name=op.f("ck_materials_kind"),
        ),
        sa.CheckConstraint(
            "status IN ('queued', 'processing', 'searchable', 'ready', 'failed', 'cancelled')",
            name=op.f("ck_materials_status"),
        ),
        sa.ForeignKeyConstraint(
            ["class_id"], ["classes.id"], name=op.f("fk_materials_class_id_classes"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["file_id"], ["files.id"], name=op.f("fk_materials_file_id_files"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_materials_user_id_users"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_materials")),
    )
    op.create_index("ix_materials_class_id_created_at", "materials", ["class_id", "created_at"], unique=False)
    op.create_index(op.f("ix_materials_file_id"), "materials", ["file_id"], unique=False)
    op.create_index("ix_materials_user_id_created_at", "materials", ["user_id", "created_at"], unique=False)
    op.create_index(
        "uq_materials_class_id_checksum",
        "materials",
        ["class_id", "checksum"],
        unique=True,
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_table(
        "chunk_postings",
        sa.Column("material_id", sa.Uuid(), nullable=False),
        sa.Column("lexeme", sa.Text(), nullable=False),
        sa.Column("class_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("ordinals", postgresql.ARRAY(sa.Integer()), nullable=False),
        sa.Column("frequencies", postgresql.ARRAY(sa.SmallInteger()), nullable=False),
        sa.Column("lengths", postgresql.ARRAY(sa.SmallInteger()), nullable=False),
        sa.ForeignKeyConstraint(
            ["class_id"], ["classes.id"], name=op.f("fk_chunk_postings_class_id_classes"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["material_id"],
            ["materials.id"],
            name=op.f("fk_chunk_postings_material_id_materials"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_chunk_postings_user_id_users"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("material_id", "lexeme", name=op.f("pk_chunk_postings")),
    )
    op.create_index(
        "ix_chunk_postings_class_id_lexeme", "chunk_postings", ["class_id", "lexeme"], unique=False
    )
    op.create_index(op.f("ix_chunk_postings_user_id"), "chunk_postings", ["user_id"], unique=False)
    op.create_table(
        "chunks",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("class_id", sa.Uuid(), nullable=False),
        sa.Column("material_id", sa.Uuid(), nullable=False),
        sa.Column("ordinal", sa.Integer(), nullable=False),
        sa.Column("segment", sa.Integer(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("char_start", sa.Integer(), nullable=False),
        sa.Column("char_end", sa.Integer(), nullable=False),
        sa.Column(
            "heading_path", postgresql.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False
        ),
        sa.Column("token_count", sa.Integer(), nullable=False),
        sa.Column("word_count", sa.Integer(), nullable=False),
        sa.Column("language", sa.Text(), nullable=True),
        sa.Column("summary", sa.Text(), nullable=True),
        sa.Column("text_config", sa.Text(), server_default=sa.text("'english'"), nullable=False),
        sa.Column(
            "lexemes",
            postgresql.TSVECTOR(),
            sa.Computed("lyceum_lexemes(text_config, heading_path, text)", persisted=True),
            nullable=False,
        ),
        sa.Column("embedding_model", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint(
            "type IN ('text', 'heading', 'list', 'table', 'formula', 'caption', 'transcript')",
            name=op.f("ck_chunks_type"),
        ),
        sa.ForeignKeyConstraint(
            ["class_id"], ["classes.id"], name=op.f("fk_chunks_class_id_classes"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["material_id"],
            ["materials.id"],
            name=op.f("fk_chunks_material_id_materials"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_chunks_user_id_users"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_chunks")),
        sa.UniqueConstraint("material_id", "ordinal", name=op.f("uq_chunks_material_id_ordinal")),
    )
    op.create_index(op.f("ix_chunks_class_id"), "chunks", ["class_id"], unique=False)
    op.create_index("ix_chunks_lexemes", "chunks", ["lexemes"], unique=False, postgresql_using="gin")
    op.create_index(op.f("ix_chunks_user_id"), "chunks", ["user_id"], unique=False)
    op.create_index(
        "ix_chunks_waiting",
        "chunks",
        ["material_id", "ordinal"],
        unique=False,
        postgresql_where=sa.text("embedding_model IS NULL"),
    )
    op.create_table(
        "jobs",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("material_id", sa.Uuid(), nullable=True),
        sa.Column("status", sa.Text(), server_default=sa.text("'queued'"), nullable=False),
        sa.Column("priority", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column(
            "arguments",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default=sa.text("'{}'"),
            nullable=False,
        ),
        sa.Column("progress_done", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("progress_total", sa.Integer(), nullable=True),
        sa.Column("progress_message", sa.Text(), nullable=True),
        sa.Column("attempts", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("max_attempts", sa.Integer(), server_default=sa.text("3"), nullable=False),
        sa.Column("run_after", sa.DateTime(timezone=True), nullable=True),
        sa.Column("worker", sa.Text(), nullable=True),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("cancel_requested", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("error_code", sa.Text(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint(
            "status IN ('queued', 'running', 'succeeded', 'failed', 'cancelled')", name=op.f("ck_jobs_status")
        ),
        sa.ForeignKeyConstraint(
            ["material_id"], ["materials.id"], name=op.f("fk_jobs_material_id_materials"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_jobs_user_id_users"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_jobs")),
    )
    op.create_index(op.f("ix_jobs_material_id"), "jobs", ["material_id"], unique=False)
    op.create_index(
        "ix_jobs_open",
        "jobs",
        ["status", "lease_until"],
        unique=False,
        postgresql_where=sa.text("status IN ('queued', 'running')"),
    )
    op.create_index("ix_jobs_user_id_created_at", "jobs", ["user_id", "created_at"], unique=False)
    op.create_table(
        "material_segments",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("material_id", sa.Uuid(), nullable=False),
        sa.Column("ordinal", sa.Integer(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("label", sa.Text(), nullable=True),
        sa.Column(
            "heading_path", postgresql.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False
        ),
        sa.Column(
            "heading_levels",
            postgresql.ARRAY(sa.SmallInteger()),
            server_default=sa.text("'{}'"),
            nullable=False,
        ),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column(
            "lines", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'[]'"), nullable=False
        ),
        sa.Column(
            "blocks", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'[]'"), nullable=False
        ),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint(
            "kind IN ('page', 'slide', 'section', 'span')", name=op.f("ck_material_segments_kind")
        ),
        sa.ForeignKeyConstraint(
            ["material_id"],
            ["materials.id"],
            name=op.f("fk_material_segments_material_id_materials"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_material_segments_user_id_users"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_material_segments")),
        sa.UniqueConstraint("material_id", "ordinal", name=op.f("uq_material_segments_material_id_ordinal")),
    )
    op.create_index(op.f("ix_material_segments_user_id"), "material_segments", ["user_id"], unique=False)
    op.create_table(
        "runs",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("conversation_id", sa.Uuid(), nullable=False),
        sa.Column("client_run_id", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), server_default=sa.text("'running'"), nullable=False),
        sa.Column("model", sa.Text(), nullable=True),
        sa.Column("error_code", sa.Text(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("input_tokens", sa.Integer(), nullable=True),
        sa.Column("output_tokens", sa.Integer(), nullable=True),
        sa.Column("heartbeat_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint(
            "status IN ('running', 'succeeded', 'failed', 'cancelled', 'interrupted')",
            name=op.f("ck_runs_status"),
        ),
        sa.ForeignKeyConstraint(
            ["conversation_id"],
            ["conversations.id"],
            name=op.f("fk_runs_conversation_id_conversations"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_runs_user_id_users"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_runs")),
        sa.UniqueConstraint("user_id", "client_run_id", name=op.f("uq_runs_user_id_client_run_id")),
    )
    op.create_index(op.f("ix_runs_conversation_id"), "runs", ["conversation_id"], unique=False)
    op.create_index(
        "ix_runs_running",
        "runs",
        ["heartbeat_at"],
        unique=False,
        postgresql_where=sa.text("status = 'running'"),
    )
    op.create_table(
        "messages",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("conversation_id", sa.Uuid(), nullable=False),
        sa.Column("run_id", sa.Uuid(), nullable=True),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), server_default=sa.text("'complete'"), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column(
            "parts", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'[]'"), nullable=False
        ),
        sa.Column(
            "citations",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default=sa.text("'[]'"),
            nullable=False,
        ),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("role IN ('user', 'assistant', 'tool')", name=op.f("ck_messages_role")),
        sa.CheckConstraint(
            "status IN ('complete', 'interrupted', 'cancelled', 'failed')", name=op.f("ck_messages_status")
        ),
        sa.ForeignKeyConstraint(
            ["conversation_id"],
            ["conversations.id"],
            name=op.f("fk_messages_conversation_id_conversations"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["run_id"], ["runs.id"], name=op.f("fk_messages_run_id_runs"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_messages_user_id_users"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_messages")),
    )
    op.create_index(
        "ix_messages_conversation_id_created_at",
        "messages",
        ["conversation_id", "created_at", "id"],
        unique=False,
    )
    op.create_index(op.f("ix_messages_run_id"), "messages", ["run_id"], unique=False)
    op.create_index(op.f("ix_messages_user_id"), "messages", ["user_id"], unique=False)


def drop_tables() -> None:
    op.drop_table("messages")
    op.drop_table("runs")
    op.drop_table("material_segments")
    op.drop_table("jobs")
    op.drop_table("chunks")
    op.drop_table("chunk_postings")
    op.drop_table("materials")
    op.drop_table("conversations")
    op.drop_table("user_sessions")
    op.drop_table("files")
    op.drop_table("classes")
    op.drop_table("api_keys")
    op.drop_table("users")
    op.drop_table("audit_logs")
