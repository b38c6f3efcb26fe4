"""What reading every kind of material needs: times of spoken words, pages that are still being read, notices, words of every
language, uploads that arrive in several requests, and a queue of jobs that is fair between users."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from migrations.security import as_system, audited, identity, lookup, readable, stamped, tenant

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

TIMESTAMPTZ = sa.DateTime(timezone=True)

OPEN = (
    "(status = 'queued' AND (run_after IS NULL OR run_after <= now()))"
    " OR (status = 'running' AND lease_until < now())"
)
SIGNATURE = "lyceum_open_jobs(p_limit int)"
RETURNS = "TABLE (job_id uuid, user_id uuid, priority int)"
# Most urgent first; among equals the user who was served longest ago, then the oldest job.
FAIR = f"""
    SELECT j.id, j.user_id, j.priority FROM jobs j
    LEFT JOIN LATERAL (
        SELECT s.started_at FROM jobs s WHERE s.user_id = j.user_id AND s.started_at IS NOT NULL
        ORDER BY s.started_at DESC LIMIT 1
    ) served ON true
    WHERE {OPEN}
    ORDER BY j.priority DESC, served.started_at NULLS FIRST, j.created_at LIMIT p_limit
"""
# Thai, Japanese, Chinese and Korean: PostgreSQL does not find their words, so pairs of neighbours take their place (Nie, Gao,
# Zhang, Zhou 2000, "On the use of words and n-grams for Chinese information retrieval"). Pairs from the first character of
# each run, without a last one that has no partner, and then from the second.
UNSEGMENTED = r"\u0e00-\u0e7f\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff"
ONE, OTHER = f"[{UNSEGMENTED}]", f"[^{UNSEGMENTED}]"
PAIRED = f"""
    SELECT to_tsvector(config::regconfig, CASE WHEN whole !~ '{ONE}' THEN whole ELSE
        regexp_replace(regexp_replace(whole, '({ONE}{ONE})', '\\1 ', 'g'), '(?<={ONE}{ONE} ){ONE}(?!{ONE})', '', 'g')
        || ' ' || regexp_replace(
            regexp_replace(' ' || regexp_replace(whole, '{OTHER}+', ' ', 'g'), ' {ONE}', ' ', 'g'),
            '({ONE}{ONE})|{ONE}', '\\1 ', 'g') END)
    FROM (SELECT body || E'\\n' || array_to_string(heading_path, E'\\n') AS whole) AS text
"""
UNPAIRED = " SELECT to_tsvector(config::regconfig, body || E'\\n' || array_to_string(heading_path, E'\\n')) "
IN_ORDER = (
    f"SELECT id, user_id, priority FROM jobs WHERE {OPEN} ORDER BY priority DESC, created_at LIMIT p_limit"
)


def upgrade() -> None:
    op.add_column(
        "materials",
        sa.Column(
            "notice",
            sa.Text(),
            comment="What its owner should know of a material that was read: pages left out, macros ignored.",
        ),
    )
    op.add_column(
        "materials",
        sa.Column(
            "text_configs",
            ARRAY(sa.Text()),
            server_default=sa.text("'{english}'"),
            nullable=False,
            comment="Text search configurations of its chunks.",
        ),
    )
    make_lexemes(PAIRED)
    op.add_column(
        "figures", sa.Column("chunk", sa.Integer(), comment="Ordinal of the chunk it stands beside.")
    )
    add_to_segments()
    create_uploads()
    op.create_index("ix_jobs_user_id_started_at", "jobs", ["user_id", "started_at"])
    for table in ("materials", "material_segments", "figures"):
        op.execute(readable(table))
    serve_jobs(FAIR)


def downgrade() -> None:
    serve_jobs(IN_ORDER)
    op.drop_index("ix_jobs_user_id_started_at", "jobs")
    op.drop_table("uploads")
    op.execute("DELETE FROM material_segments WHERE staged")
    op.drop_constraint("uq_material_segments_material_id_staged_ordinal", "material_segments")
    op.create_unique_constraint(
        "uq_material_segments_material_id_ordinal", "material_segments", ["material_id", "ordinal"]
    )
    for column in ("staged", "notice", "words"):
        op.drop_column("material_segments", column)
    op.drop_column("figures", "chunk")
    make_lexemes(UNPAIRED)
    op.drop_column("materials", "text_configs")
    op.drop_column("materials", "notice")


def make_lexemes(body: str) -> None:
    """Say how text becomes lexemes. Rows that stand keep theirs until they are written again."""
    op.execute(
        f"""CREATE OR REPLACE FUNCTION lyceum_lexemes(config text, heading_path text[], body text) RETURNS tsvector
        LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $${body}$$"""
    )


def serve_jobs(order: str) -> None:
    """Say in which order workers take open jobs."""
    op.execute(f"DROP FUNCTION {identity(SIGNATURE)}")
    for statement in as_system(lookup(SIGNATURE, RETURNS, order)):
        op.execute(statement)


def add_to_segments() -> None:
    columns: tuple[sa.Column[object], ...] = (
        sa.Column(
            "words",
            JSONB(),
            server_default=sa.text("'[]'"),
            nullable=False,
            comment="[start, end, t_start, t_end] of each spoken word.",
        ),
        sa.Column("notice", sa.Text(), comment="Why a part of it could not be read."),
        sa.Column(
            "staged",
            sa.Boolean(),
            server_default=sa.text("false"),
            nullable=False,
            comment="Still being read; takes the place of the others once all are there.",
        ),
    )
    for column in columns:
        op.add_column("material_segments", column)
    op.drop_constraint("uq_material_segments_material_id_ordinal", "material_segments")
    op.create_unique_constraint(
        "uq_material_segments_material_id_staged_ordinal",
        "material_segments",
        ["material_id", "staged", "ordinal"],
    )


def create_uploads() -> None:
    op.create_table(
        "uploads",
        sa.Column("id", sa.Uuid(), nullable=False, comment="UUIDv7, made by the application."),
        sa.Column("user_id", sa.Uuid(), nullable=False, comment="The user whose row this is."),
        sa.Column("filename", sa.Text(), nullable=False, comment="Name that its owner knows it by."),
        sa.Column("size_bytes", sa.BigInteger(), comment="Length of the whole, once known."),
        sa.Column(
            "received_bytes",
            sa.BigInteger(),
            server_default=sa.text("0"),
            nullable=False,
            comment="How much has arrived.",
        ),
        sa.Column(
            "parts",
            JSONB(),
            server_default=sa.text("'[]'"),
            nullable=False,
            comment="Length of each stored part, in order.",
        ),
        sa.Column(
            "details",
            JSONB(),
            server_default=sa.text("'{}'"),
            nullable=False,
            comment="What the sender said of it: class, title, kind.",
        ),
        sa.Column("outcome", JSONB(), comment="What became of it: ids of material and job."),
        sa.Column(
            "expires_at", TIMESTAMPTZ, nullable=False, comment="When an unfinished one is thrown away."
        ),
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
        sa.PrimaryKeyConstraint("id", name="pk_uploads"),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name="fk_uploads_user_id_users", ondelete="CASCADE"
        ),
        comment="A file that arrives in several requests (tus 1.0). Its parts lie in the store under its id until all"
        " are there.",
    )
    op.create_index("ix_uploads_user_id", "uploads", ["user_id"])
    op.create_index("ix_uploads_expires_at", "uploads", ["expires_at"])
    for statement in (*tenant("uploads"), stamped("uploads"), audited("uploads")):
        op.execute(statement)
