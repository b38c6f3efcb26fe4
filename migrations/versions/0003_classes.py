"""Members of a class and the codes they join by."""

import sqlalchemy as sa
from alembic import op

from migrations.security import (
    ME,
    as_system,
    audited,
    forced,
    function,
    hidden_from_system,
    identity,
    one_of,
    open_to_system,
    policy,
    readable_set,
    stamped,
    tenant,
    visible_to_system,
)

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


TIMESTAMPTZ = sa.DateTime(timezone=True)

TABLES = ("class_members", "enrollment_codes")

JOINED = f"""SELECT m.class_id FROM class_members m JOIN classes c ON c.id = m.class_id
    WHERE m.user_id = {ME} AND c.deleted_at IS NULL"""
OWNED = f"SELECT id FROM classes WHERE user_id = {ME} AND deleted_at IS NULL"
TEACHES = f"{JOINED} AND m.role IN ('assistant', 'teacher')"

READABLE = (
    ("lyceum_joined_classes()", "SETOF uuid", JOINED),
    ("lyceum_my_classes()", "SETOF uuid", f"{OWNED} UNION ALL {JOINED}"),
    ("lyceum_taught_classes()", "SETOF uuid", f"{OWNED} UNION ALL {TEACHES}"),
    (
        "lyceum_taught_members()",
        "TABLE (class_id uuid, user_id uuid)",
        f"SELECT class_id, user_id FROM class_members WHERE class_id IN ({OWNED} UNION ALL {TEACHES})",
    ),
)

# Outcomes: joined, member (already), owner (of the class), full; no row for a code that is unknown, revoked or expired.
# The row of the code is locked, so that no more than max_uses come in by it.
JOIN_CLASS = function(
    "lyceum_join_class(p_id uuid, p_code text)",
    "RETURNS TABLE (class_id uuid, outcome text) LANGUAGE plpgsql VOLATILE",
    """
    #variable_conflict use_column
    DECLARE
        me uuid := lyceum_user_id();
        found_code enrollment_codes;
    BEGIN
        SELECT e.* INTO found_code FROM enrollment_codes e JOIN classes c ON c.id = e.class_id
            WHERE upper(e.code) = upper(trim(p_code)) AND e.revoked_at IS NULL
            AND (e.expires_at IS NULL OR e.expires_at > now()) AND c.deleted_at IS NULL FOR UPDATE OF e;
        IF NOT FOUND OR me IS NULL THEN RETURN; END IF;
        IF found_code.user_id = me THEN
            RETURN QUERY SELECT found_code.class_id, 'owner';
        ELSIF EXISTS (SELECT FROM class_members m WHERE m.class_id = found_code.class_id AND m.user_id = me) THEN
            RETURN QUERY SELECT found_code.class_id, 'member';
        ELSIF found_code.use_count >= found_code.max_uses THEN
            RETURN QUERY SELECT found_code.class_id, 'full';
        ELSE
            INSERT INTO class_members (id, class_id, owner_id, user_id, role, enrollment_code_id)
                VALUES (p_id, found_code.class_id, found_code.user_id, me, found_code.role, found_code.id);
            UPDATE enrollment_codes SET use_count = use_count + 1 WHERE id = found_code.id;
            RETURN QUERY SELECT found_code.class_id, 'joined';
        END IF;
    END
    """,
)


def upgrade() -> None:
    create_tables()
    functions = list(JOIN_CLASS)
    for signature, returns, body in READABLE:
        functions += readable_set(signature, returns, body)
    run(
        [
            *tenant(
                "enrollment_codes", grants="SELECT, INSERT, DELETE, UPDATE (max_uses, expires_at, revoked_at)"
            ),
            # Nobody is made a member by another: rows come from lyceum_join_class, and only the role can be changed.
            *forced("class_members", grants="SELECT, DELETE, UPDATE (role)"),
            *open_to_system("enrollment_codes"),
            *open_to_system("class_members"),
            *visible_to_system("classes"),
            *as_system(functions),
            policy("class_members", "end", f"user_id = {ME} OR owner_id = {ME}", command="DELETE"),
            policy("class_members", "own", f"user_id = {ME}"),
            policy("class_members", "role", f"owner_id = {ME}", command="UPDATE"),
            policy("class_members", "class", one_of("class_id", "lyceum_taught_classes")),
            policy("classes", "joined", one_of("id", "lyceum_joined_classes")),
            *map(stamped, TABLES),
            *map(audited, TABLES),
        ]
    )


def downgrade() -> None:
    run(["DROP POLICY classes_joined ON classes", *hidden_from_system("classes")])
    for table in TABLES:
        op.execute(f"DROP TRIGGER {table}_audited ON {table}")
    op.execute("DROP POLICY class_members_class ON class_members")
    for signature, _, _ in (*READABLE, ("lyceum_join_class(p_id uuid, p_code text)", "", "")):
        op.execute(f"DROP FUNCTION {identity(signature)}")
    for table in TABLES:
        op.drop_table(table)


def run(statements: list[str]) -> None:
    for statement in statements:
        op.execute(statement)


def create_tables() -> None:
    create_enrollment_codes()
    create_class_members()


def create_enrollment_codes() -> None:
    op.create_table(
        "enrollment_codes",
        sa.Column("id", sa.Uuid(), nullable=False, comment="UUIDv7, made by the application."),
        sa.Column("user_id", sa.Uuid(), nullable=False, comment="The user whose row this is."),
        sa.Column("class_id", sa.Uuid(), nullable=False, comment="The class it opens."),
        sa.Column("code", sa.Text(), nullable=False, comment="What is typed; unique, whatever the case."),
        sa.Column(
            "role",
            sa.Text(),
            server_default=sa.text("'student'"),
            nullable=False,
            comment="Role of those who join by it.",
        ),
        sa.Column("max_uses", sa.Integer(), comment="How many may join by it; null for no limit."),
        sa.Column(
            "use_count", sa.Integer(), server_default=sa.text("0"), nullable=False, comment="How many did."
        ),
        sa.Column("expires_at", TIMESTAMPTZ, comment="When it stops working by itself."),
        sa.Column("revoked_at", TIMESTAMPTZ, comment="When its owner withdrew it."),
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
            "role IN ('student', 'assistant', 'teacher')", name=op.f("ck_enrollment_codes_role")
        ),
        sa.CheckConstraint("use_count <= max_uses", name=op.f("ck_enrollment_codes_use_count")),
        sa.ForeignKeyConstraint(
            ["class_id", "user_id"],
            ["classes.id", "classes.user_id"],
            name="fk_enrollment_codes_class_id_classes",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name="fk_enrollment_codes_user_id_users", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_enrollment_codes"),
        comment="A code by which others join a class of its owner.",
    )
    op.create_index("ix_enrollment_codes_class_id", "enrollment_codes", ["class_id"])
    op.create_index("ix_enrollment_codes_user_id", "enrollment_codes", ["user_id"])
    op.create_index(
        "uq_enrollment_codes_code", "enrollment_codes", [sa.literal_column("upper(code)")], unique=True
    )


def create_class_members() -> None:
    op.create_table(
        "class_members",
        sa.Column("id", sa.Uuid(), nullable=False, comment="UUIDv7, made by the application."),
        sa.Column("class_id", sa.Uuid(), nullable=False, comment="The class."),
        sa.Column("owner_id", sa.Uuid(), nullable=False, comment="The owner of the class."),
        sa.Column("user_id", sa.Uuid(), nullable=False, comment="The member."),
        sa.Column(
            "role",
            sa.Text(),
            server_default=sa.text("'student'"),
            nullable=False,
            comment="student; assistant and teacher also see the others' progress.",
        ),
        sa.Column("enrollment_code_id", sa.Uuid(), comment="The code they came by."),
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
        sa.CheckConstraint("role IN ('student', 'assistant', 'teacher')", name=op.f("ck_class_members_role")),
        sa.ForeignKeyConstraint(
            ["class_id", "owner_id"],
            ["classes.id", "classes.user_id"],
            name="fk_class_members_class_id_classes",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["enrollment_code_id"],
            ["enrollment_codes.id"],
            name="fk_class_members_enrollment_code_id_enrollment_codes",
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name="fk_class_members_user_id_users", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_class_members"),
        sa.UniqueConstraint("class_id", "user_id", name="uq_class_members_class_id_user_id"),
        comment="Somebody in another person's class. Made by the function `lyceum_join_class` alone, so that nobody is enrolled unasked.",
    )
    op.create_index("ix_class_members_enrollment_code_id", "class_members", ["enrollment_code_id"])
    op.create_index("ix_class_members_owner_id", "class_members", ["owner_id"])
    op.create_index("ix_class_members_user_id", "class_members", ["user_id", "class_id"])
