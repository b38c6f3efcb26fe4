"""Assignments, how far their members are, and files made for taking away."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from migrations.security import (
    ME,
    RESULTS_OF_MEMBERS,
    audited,
    forced,
    one_of,
    policy,
    stamped,
    tenant,
)

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


TIMESTAMPTZ = sa.DateTime(timezone=True)

TABLES = ("assignments", "assignment_progress", "exports")


def upgrade() -> None:
    create_tables()
    run(
        [
            *forced("assignments"),
            policy(
                "assignments", "own", f"user_id = {ME}", command="ALL",
                check=f"user_id = {ME} AND (NOT for_class OR class_id IN (SELECT lyceum_taught_classes()))",
            ),
            policy(
                "assignments", "class",
                "for_class AND deleted_at IS NULL AND " + one_of("class_id", "lyceum_my_classes"),
            ),
            *tenant("assignment_progress"),
            policy(
                "assignment_progress", "members",
                RESULTS_OF_MEMBERS,
            ),
            *tenant("exports"),
            *map(stamped, TABLES),
            *map(audited, TABLES),
        ]
    )  # fmt: skip


def downgrade() -> None:
    for table in reversed(TABLES):
        op.drop_table(table)


def run(statements: list[str]) -> None:
    for statement in statements:
        op.execute(statement)


def create_tables() -> None:
    create_assignments()
    create_assignment_progress()
    create_exports()


def create_assignments() -> None:
    op.create_table(
        "assignments",
        sa.Column("id", sa.Uuid(), nullable=False, comment="UUIDv7, made by the application."),
        sa.Column("user_id", sa.Uuid(), nullable=False, comment="The user whose row this is."),
        sa.Column("class_id", sa.Uuid(), nullable=False, comment="The class."),
        sa.Column("title", sa.Text(), nullable=False, comment="What is to be done."),
        sa.Column(
            "type",
            sa.Text(),
            server_default=sa.text("'homework'"),
            nullable=False,
            comment="homework, reading, quiz, test, exam, project or other.",
        ),
        sa.Column("description", sa.Text(), comment="Details."),
        sa.Column("due_at", TIMESTAMPTZ, nullable=False, comment="When it is due."),
        sa.Column(
            "for_class",
            sa.Boolean(),
            server_default=sa.text("false"),
            nullable=False,
            comment="Every member sees it; only those who teach the class may set it.",
        ),
        sa.Column(
            "status",
            sa.Text(),
            server_default=sa.text("'pending'"),
            nullable=False,
            comment="Its author's own progress: pending, in_progress or done.",
        ),
        sa.Column("completed_at", TIMESTAMPTZ, comment="When its author was done."),
        sa.Column("material_id", sa.Uuid(), comment="What to read."),
        sa.Column("test_id", sa.Uuid(), comment="The test to take."),
        sa.Column("deck_id", sa.Uuid(), comment="The cards to learn."),
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
        sa.Column("deleted_at", TIMESTAMPTZ, comment="When its owner deleted it; purged 30 days later."),
        sa.CheckConstraint(
            "status IN ('pending', 'in_progress', 'done')", name=op.f("ck_assignments_status")
        ),
        sa.CheckConstraint(
            "type IN ('homework', 'reading', 'quiz', 'test', 'exam', 'project', 'other')",
            name=op.f("ck_assignments_type"),
        ),
        sa.ForeignKeyConstraint(
            ["class_id"], ["classes.id"], name="fk_assignments_class_id_classes", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["deck_id"], ["decks.id"], name="fk_assignments_deck_id_decks", ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["material_id"],
            ["materials.id"],
            name="fk_assignments_material_id_materials",
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(
            ["test_id"], ["tests.id"], name="fk_assignments_test_id_tests", ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name="fk_assignments_user_id_users", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_assignments"),
        comment="Something due: for oneself, or set by those who teach a class for all its members.",
    )
    op.create_index("ix_assignments_class_id", "assignments", ["class_id"])
    op.create_index(
        "ix_assignments_class_id_due_at",
        "assignments",
        ["class_id", "due_at"],
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index("ix_assignments_deck_id", "assignments", ["deck_id"])
    op.create_index("ix_assignments_material_id", "assignments", ["material_id"])
    op.create_index("ix_assignments_test_id", "assignments", ["test_id"])
    op.create_index(
        "ix_assignments_title_trigrams",
        "assignments",
        ["title"],
        postgresql_using="gin",
        postgresql_where=sa.text("deleted_at IS NULL"),
        postgresql_ops={"title": "gin_trgm_ops"},
    )
    op.create_index("ix_assignments_user_id_status_due_at", "assignments", ["user_id", "status", "due_at"])


def create_assignment_progress() -> None:
    op.create_table(
        "assignment_progress",
        sa.Column("id", sa.Uuid(), nullable=False, comment="UUIDv7, made by the application."),
        sa.Column("user_id", sa.Uuid(), nullable=False, comment="The user whose row this is."),
        sa.Column("assignment_id", sa.Uuid(), nullable=False, comment="The assignment."),
        sa.Column(
            "class_id", sa.Uuid(), nullable=False, comment="Its class; those who teach it see the row."
        ),
        sa.Column(
            "status",
            sa.Text(),
            server_default=sa.text("'pending'"),
            nullable=False,
            comment="pending, in_progress or done.",
        ),
        sa.Column("completed_at", TIMESTAMPTZ, comment="When the member was done."),
        sa.Column("score", sa.Double(), comment="Result in per cent, where there is one."),
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
            "status IN ('pending', 'in_progress', 'done')", name=op.f("ck_assignment_progress_status")
        ),
        sa.CheckConstraint("score BETWEEN 0 AND 100", name=op.f("ck_assignment_progress_score")),
        sa.ForeignKeyConstraint(
            ["assignment_id"],
            ["assignments.id"],
            name="fk_assignment_progress_assignment_id_assignments",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["class_id"], ["classes.id"], name="fk_assignment_progress_class_id_classes", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name="fk_assignment_progress_user_id_users", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_assignment_progress"),
        sa.UniqueConstraint("assignment_id", "user_id", name="uq_assignment_progress_assignment_id_user_id"),
        comment="How far one member is with an assignment of the class.",
    )
    op.create_index("ix_assignment_progress_class_id", "assignment_progress", ["class_id"])
    op.create_index("ix_assignment_progress_user_id", "assignment_progress", ["user_id"])


def create_exports() -> None:
    op.create_table(
        "exports",
        sa.Column("id", sa.Uuid(), nullable=False, comment="UUIDv7, made by the application."),
        sa.Column("user_id", sa.Uuid(), nullable=False, comment="The user whose row this is."),
        sa.Column(
            "kind", sa.Text(), nullable=False, comment="document, deck, test, course, concepts or account."
        ),
        sa.Column("document_id", sa.Uuid(), comment="The document."),
        sa.Column("deck_id", sa.Uuid(), comment="The deck."),
        sa.Column("test_id", sa.Uuid(), comment="The test."),
        sa.Column("course_id", sa.Uuid(), comment="The course."),
        sa.Column(
            "format",
            sa.Text(),
            nullable=False,
            comment="docx, pdf, md, html, json, csv, txt, apkg, zip or cypher.",
        ),
        sa.Column(
            "status",
            sa.Text(),
            server_default=sa.text("'pending'"),
            nullable=False,
            comment="pending, ready, failed or expired.",
        ),
        sa.Column(
            "options", JSONB(), server_default=sa.text("'{}'"), nullable=False, comment="What was asked for."
        ),
        sa.Column("file_id", sa.Uuid(), comment="The file, once it is ready."),
        sa.Column("job_id", sa.Uuid(), comment="The job that makes it."),
        sa.Column("error", sa.Text(), comment="Why it failed, in a sentence."),
        sa.Column("completed_at", TIMESTAMPTZ, comment="When it was ready."),
        sa.Column("expires_at", TIMESTAMPTZ, nullable=False, comment="When the file is removed."),
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
            "format IN ('docx', 'pdf', 'md', 'html', 'json', 'csv', 'txt', 'apkg', 'zip', 'cypher')",
            name=op.f("ck_exports_format"),
        ),
        sa.CheckConstraint(
            "kind IN ('document', 'deck', 'test', 'course', 'concepts', 'account')",
            name=op.f("ck_exports_kind"),
        ),
        sa.CheckConstraint(
            "num_nonnulls(document_id, deck_id, test_id, course_id) = CASE WHEN kind IN ('document', 'deck', 'test', 'course') THEN 1 ELSE 0 END",
            name=op.f("ck_exports_target"),
        ),
        sa.CheckConstraint(
            "status IN ('pending', 'ready', 'failed', 'expired')", name=op.f("ck_exports_status")
        ),
        sa.ForeignKeyConstraint(
            ["course_id", "user_id"],
            ["courses.id", "courses.user_id"],
            name="fk_exports_course_id_courses",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["deck_id", "user_id"],
            ["decks.id", "decks.user_id"],
            name="fk_exports_deck_id_decks",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["document_id", "user_id"],
            ["documents.id", "documents.user_id"],
            name="fk_exports_document_id_documents",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["file_id", "user_id"],
            ["files.id", "files.user_id"],
            name="fk_exports_file_id_files",
            ondelete="SET NULL (file_id)",
        ),
        sa.ForeignKeyConstraint(["job_id"], ["jobs.id"], name="fk_exports_job_id_jobs", ondelete="SET NULL"),
        sa.ForeignKeyConstraint(
            ["test_id", "user_id"],
            ["tests.id", "tests.user_id"],
            name="fk_exports_test_id_tests",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name="fk_exports_user_id_users", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_exports"),
        comment="A file made for taking away; removed some days after it was made.",
    )
    op.create_index("ix_exports_course_id", "exports", ["course_id"])
    op.create_index("ix_exports_deck_id", "exports", ["deck_id"])
    op.create_index("ix_exports_document_id", "exports", ["document_id"])
    op.create_index(
        "ix_exports_expires_at", "exports", ["expires_at"], postgresql_where=sa.text("status <> 'expired'")
    )
    op.create_index("ix_exports_file_id", "exports", ["file_id"])
    op.create_index("ix_exports_job_id", "exports", ["job_id"])
    op.create_index("ix_exports_test_id", "exports", ["test_id"])
    op.create_index("ix_exports_user_id_created_at", "exports", ["user_id", "created_at"])
