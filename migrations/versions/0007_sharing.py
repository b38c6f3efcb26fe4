"""Public links, classmates and shared items, and with them who else may read a thing."""

import sqlalchemy as sa
from alembic import op

from migrations.security import (
    APP,
    CALLERS,
    ME,
    READER,
    any_of,
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

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


TIMESTAMPTZ = sa.DateTime(timezone=True)

TABLES = ("share_links", "connections", "shared_items")

# What can be shared, by the column that names it.
ITEMS = {
    "material_id": "materials",
    "note_id": "notes",
    "deck_id": "decks",
    "test_id": "tests",
    "document_id": "documents",
    "course_id": "courses",
}
# What comes along with it: table, the column that names the whole, the whole.
PARTS = (
    ("material_segments", "material_id", "materials"),
    ("chunks", "material_id", "materials"),
    ("chunk_postings", "material_id", "materials"),
    ("figures", "material_id", "materials"),
    ("note_sources", "note_id", "notes"),
    ("flashcards", "deck_id", "decks"),
    ("deck_media", "deck_id", "decks"),
    ("test_questions", "test_id", "tests"),
    ("course_materials", "course_id", "courses"),
    ("course_concepts", "course_id", "courses"),
    ("learning_objectives", "course_id", "courses"),
)
# Searched without naming an owner, as by a caller's own query, so an index must find the rows of others too.
LARGE = ("material_segments", "chunks", "chunk_postings")
SEEN_BY_SYSTEM = (*ITEMS.values(), "figures", "deck_media", "course_concepts")

SHARE_LINK_ID = """CREATE FUNCTION lyceum_share_link_id() RETURNS uuid LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN NOT current_setting('transaction_deferrable')::boolean
    THEN nullif(current_setting('lyceum.share_link_id', true), '')::uuid END $$"""

CLASSMATES = f"""
    SELECT classmate_id FROM connections WHERE user_id = {ME} AND status = 'accepted'
    UNION ALL SELECT user_id FROM connections WHERE classmate_id = {ME} AND status = 'accepted'"""


def readable_items(column: str, table: str) -> str:
    """Ids of live items of others: shared by a classmate, shared with a class of the caller by one of its people, or of the
    public link that this transaction opened."""
    return f"""
    SELECT t.id FROM shared_items s JOIN {table} t ON t.id = s.{column}
    WHERE s.recipient_id = {ME} AND t.deleted_at IS NULL AND s.user_id IN (SELECT lyceum_classmates())
    UNION ALL
    SELECT t.id FROM {table} t JOIN classes c ON c.id = t.class_id
    WHERE t.class_id IN (SELECT lyceum_my_classes()) AND t.shared_with_class AND t.deleted_at IS NULL
    AND t.user_id <> {ME}
    AND (t.user_id = c.user_id OR EXISTS (SELECT FROM class_members m WHERE m.class_id = c.id AND m.user_id = t.user_id))
    UNION ALL
    SELECT t.id FROM share_links l JOIN {table} t ON t.id = l.{column}
    WHERE l.id = (SELECT lyceum_share_link_id()) AND l.revoked_at IS NULL AND (l.expires_at IS NULL OR l.expires_at > now())
    AND t.deleted_at IS NULL"""


READABLE = (
    ("lyceum_classmates()", "SETOF uuid", CLASSMATES),
    *(
        (f"lyceum_readable_{table}()", "SETOF uuid", readable_items(column, table))
        for column, table in ITEMS.items()
    ),
    (
        "lyceum_readable_concepts()",
        "SETOF uuid",
        "SELECT concept_id FROM course_concepts WHERE course_id IN (SELECT lyceum_readable_courses())",
    ),
    (
        "lyceum_readable_files()",
        "SETOF uuid",
        """SELECT file_id FROM materials WHERE id IN (SELECT lyceum_readable_materials())
        UNION ALL SELECT file_id FROM figures WHERE material_id IN (SELECT lyceum_readable_materials())
        UNION ALL SELECT file_id FROM deck_media WHERE deck_id IN (SELECT lyceum_readable_decks())""",
    ),
)

LINK_IS_OPEN = """l.revoked_at IS NULL AND (l.expires_at IS NULL OR l.expires_at > now())
    AND (l.max_views IS NULL OR l.view_count < l.max_views)"""
LINK_TARGET_LIVES = " OR ".join(
    f"EXISTS (SELECT FROM {table} t WHERE t.id = l.{column} AND t.deleted_at IS NULL)"
    for column, table in ITEMS.items()
)

# Opening a link takes two calls, because Argon2 is computed between them. Only the second counts, in one statement with the
# check of the limit; it wants the hash that was verified, so that it cannot be called without, nor after a change of it.
LINKS = (
    (
        "lyceum_find_share_link(p_code text)",
        "RETURNS TABLE (link_id uuid, password_hash text) LANGUAGE sql STABLE",
        f"SELECT l.id, l.password_hash FROM share_links l WHERE l.code = p_code AND {LINK_IS_OPEN}"
        f" AND ({LINK_TARGET_LIVES}) AND NOT current_setting('transaction_deferrable')::boolean",
    ),
    (
        "lyceum_open_share_link(p_code text, p_password_hash text)",
        "RETURNS TABLE (link_id uuid, owner_id uuid, kind text, item_id uuid) LANGUAGE sql VOLATILE",
        f"""UPDATE share_links l SET view_count = l.view_count + 1, last_accessed_at = now()
        WHERE l.code = p_code AND l.password_hash IS NOT DISTINCT FROM p_password_hash AND {LINK_IS_OPEN}
        AND ({LINK_TARGET_LIVES})
        RETURNING l.id, l.user_id, CASE {" ".join(f"WHEN l.{c} IS NOT NULL THEN '{c[:-3]}'" for c in ITEMS)} END,
        coalesce({", ".join(f"l.{column}" for column in ITEMS)})""",
    ),
)
PEOPLE = (
    # By e-mail address or user name. When the other one asked first, that request is accepted.
    (
        "lyceum_request_connection(p_id uuid, p_name text, p_message text)",
        "RETURNS uuid LANGUAGE plpgsql VOLATILE",
        """
        DECLARE
            me uuid := lyceum_user_id();
            other uuid;
            answer uuid;
        BEGIN
            SELECT id INTO other FROM users WHERE (lower(email) = lower(trim(p_name)) OR lower(username) = lower(trim(p_name)))
                AND is_active AND deleted_at IS NULL AND id <> me;
            IF other IS NULL OR me IS NULL THEN RETURN NULL; END IF;
            UPDATE connections SET status = 'accepted', answered_at = now()
                WHERE user_id = other AND classmate_id = me AND status = 'pending' RETURNING id INTO answer;
            IF answer IS NULL THEN
                INSERT INTO connections (id, user_id, classmate_id, message) VALUES (p_id, me, other, p_message)
                    ON CONFLICT DO NOTHING RETURNING id INTO answer;
            END IF;
            RETURN answer;
        END
        """,
    ),
    # Only the one who was asked; true when there was something to answer.
    (
        "lyceum_answer_connection(p_id uuid, p_status text)",
        "RETURNS boolean LANGUAGE plpgsql VOLATILE",
        """
        BEGIN
            UPDATE connections SET status = p_status, answered_at = now()
                WHERE id = p_id AND classmate_id = lyceum_user_id() AND p_status IN ('accepted', 'declined', 'blocked');
            RETURN FOUND;
        END
        """,
    ),
    # Names of those among p_ids whom the caller has to do with: connections, people of a common class, partners of sharing.
    (
        "lyceum_names(p_ids uuid[])",
        "RETURNS TABLE (user_id uuid, name text) LANGUAGE sql STABLE",
        f"""
        SELECT u.id, u.name FROM users u WHERE u.id = ANY(p_ids) AND NOT current_setting('transaction_deferrable')::boolean
        AND (u.id = {ME}
        OR EXISTS (SELECT FROM connections x WHERE (x.user_id = u.id AND x.classmate_id = {ME})
                   OR (x.classmate_id = u.id AND x.user_id = {ME}))
        OR EXISTS (SELECT FROM shared_items s WHERE (s.user_id = u.id AND s.recipient_id = {ME})
                   OR (s.recipient_id = u.id AND s.user_id = {ME}))
        OR EXISTS (SELECT FROM classes c WHERE c.user_id = u.id AND c.id IN (SELECT lyceum_joined_classes()))
        OR EXISTS (SELECT FROM class_members m WHERE m.user_id = u.id AND m.class_id IN (SELECT lyceum_taught_classes())))
        """,
    ),
)

# Row-level security lets only leakproof operators into an index, and those of pg_trgm and of text search are not. These two
# look as lyceum_system, for rows of the caller alone, and give ids.
TITLES = {
    "class": ("classes", "name"),
    "material": ("materials", "title"),
    "note": ("notes", "title"),
    "deck": ("decks", "title"),
    "test": ("tests", "title"),
    "document": ("documents", "title"),
    "course": ("courses", "title"),
    "assignment": ("assignments", "title"),
    "conversation": ("conversations", "title"),
}
FINDERS = (
    (
        "lyceum_similar_titles(p_query text, p_limit int)",
        "RETURNS TABLE (kind text, id uuid, similarity real) LANGUAGE sql STABLE",
        " UNION ALL ".join(
            f"SELECT '{kind}', id, greatest(word_similarity(p_query, {column}), similarity(p_query, {column})) FROM {table}"
            f" WHERE user_id = {ME} AND deleted_at IS NULL AND (p_query <% {column} OR p_query % {column})"
            for kind, (table, column) in TITLES.items()
        )
        + " ORDER BY 3 DESC, 2 LIMIT p_limit",
    ),
    (
        "lyceum_find_notes(p_query text, p_config text, p_limit int)",
        "RETURNS TABLE (note_id uuid, rank real) LANGUAGE sql STABLE",
        f"""SELECT id, ts_rank(lexemes, q) FROM notes, websearch_to_tsquery(p_config::regconfig, p_query) q
        WHERE user_id = {ME} AND deleted_at IS NULL AND lexemes @@ q ORDER BY 2 DESC, 1 LIMIT p_limit""",
    ),
)
TITLED_ALONE = ("assignments", "conversations")  # Seen by the system for the titles; the others above.


def upgrade() -> None:
    create_tables()
    functions = []
    for signature, returns, body in READABLE:
        functions += readable_set(signature, returns, body)
    for signature, form, body in (*LINKS, *PEOPLE, *FINDERS):
        functions += function(signature, form, body)
    seen = [statement for table in (*SEEN_BY_SYSTEM, *TITLED_ALONE) for statement in visible_to_system(table)]
    run([SHARE_LINK_ID, *tables_secured(), *seen, *as_system(functions), *readers()])
    run([*map(stamped, TABLES), *map(audited, TABLES)])


def tables_secured() -> list[str]:
    """Views are counted, and requests answered, by the functions alone: the application may not write those columns."""
    return [
        *tenant(
            "share_links",
            grants="SELECT, DELETE, UPDATE (password_hash, expires_at, max_views, revoked_at), INSERT (id, user_id, code,"
            f" password_hash, expires_at, max_views, last_accessed_at, revoked_at, {', '.join(ITEMS)})",
        ),
        *forced("connections", grants="SELECT, DELETE"),
        policy("connections", "asked", f"classmate_id = {ME}"),
        policy(
            "connections",
            "end",
            f"classmate_id = {ME} OR (user_id = {ME} AND status <> 'blocked')",
            command="DELETE",
        ),
        policy("connections", "own", f"user_id = {ME}"),
        *forced("shared_items"),
        policy("shared_items", "gifts", f"recipient_id = {ME}"),
        *open_to_system("share_links"),
        *open_to_system("connections"),
        *visible_to_system("shared_items"),
    ]


def readers() -> list[str]:
    """The policies of those who may read what is not theirs. Each asks for a set once a statement, and only when a row is not
    the caller's own."""
    return [
        policy(
            "shared_items", "own", f"user_id = {ME}", command="ALL",
            check=f"user_id = {ME} AND recipient_id IN (SELECT lyceum_classmates())",
        ),
        *(policy(table, "granted", one_of("id", f"lyceum_readable_{table}")) for table in ITEMS.values()),
        *(
            policy(table, "granted", one_of(column, f"lyceum_readable_{whole}") + live(table),
                   callers=APP if table in LARGE else CALLERS)
            for table, column, whole in PARTS
        ),
        *(
            policy(table, "granted_reader", any_of(column, f"lyceum_readable_{whole}"), callers=READER)
            for table, column, whole in PARTS if table in LARGE
        ),
        policy("files", "granted", one_of("id", "lyceum_readable_files")),
        policy("concepts", "granted", one_of("id", "lyceum_readable_concepts")),
        policy(
            "concept_edges", "granted",
            one_of("source_id", "lyceum_readable_concepts") + " AND " + one_of("target_id", "lyceum_readable_concepts"),
        ),
    ]  # fmt: skip


def live(table: str) -> str:
    return " AND deleted_at IS NULL" if table == "flashcards" else ""


def downgrade() -> None:
    read = [*ITEMS.values(), *(table for table, _, _ in PARTS), "files", "concepts", "concept_edges"]
    run([f"DROP POLICY {table}_granted ON {table}" for table in read])
    run([f"DROP POLICY {table}_granted_reader ON {table}" for table in LARGE])
    run(["DROP POLICY shared_items_own ON shared_items"])
    for signature, _, _ in (*FINDERS, *PEOPLE, *LINKS, *reversed(READABLE)):
        op.execute(f"DROP FUNCTION {identity(signature)}")
    op.execute("DROP FUNCTION lyceum_share_link_id()")
    for table in (*SEEN_BY_SYSTEM, *TITLED_ALONE):
        run(hidden_from_system(table))
    for table in reversed(TABLES):
        op.drop_table(table)


def run(statements: list[str]) -> None:
    for statement in statements:
        op.execute(statement)


def create_tables() -> None:
    create_share_links()
    create_connections()
    create_shared_items()


def create_share_links() -> None:
    op.create_table(
        "share_links",
        sa.Column("id", sa.Uuid(), nullable=False, comment="UUIDv7, made by the application."),
        sa.Column("user_id", sa.Uuid(), nullable=False, comment="The user whose row this is."),
        sa.Column("code", sa.Text(), nullable=False, comment="What stands in the address; 128 random bits."),
        sa.Column("password_hash", sa.Text(), comment="Argon2id; null for no password."),
        sa.Column("expires_at", TIMESTAMPTZ, comment="When it ends by itself."),
        sa.Column("max_views", sa.Integer(), comment="How often it can be opened; null for no limit."),
        sa.Column(
            "view_count",
            sa.Integer(),
            server_default=sa.text("0"),
            nullable=False,
            comment="How often it was.",
        ),
        sa.Column("last_accessed_at", TIMESTAMPTZ, comment="When it was last opened."),
        sa.Column("revoked_at", TIMESTAMPTZ, comment="When its owner ended it."),
        sa.Column("material_id", sa.Uuid(), comment="The material."),
        sa.Column("note_id", sa.Uuid(), comment="The note."),
        sa.Column("deck_id", sa.Uuid(), comment="The deck."),
        sa.Column("test_id", sa.Uuid(), comment="The test."),
        sa.Column("document_id", sa.Uuid(), comment="The document."),
        sa.Column("course_id", sa.Uuid(), comment="The course."),
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
        sa.CheckConstraint("max_views > 0", name=op.f("ck_share_links_max_views")),
        sa.CheckConstraint(
            "num_nonnulls(material_id, note_id, deck_id, test_id, document_id, course_id) = 1",
            name=op.f("ck_share_links_target"),
        ),
        sa.CheckConstraint("view_count <= max_views", name=op.f("ck_share_links_view_count")),
        sa.ForeignKeyConstraint(
            ["course_id", "user_id"],
            ["courses.id", "courses.user_id"],
            name="fk_share_links_course_id_courses",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["deck_id", "user_id"],
            ["decks.id", "decks.user_id"],
            name="fk_share_links_deck_id_decks",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["document_id", "user_id"],
            ["documents.id", "documents.user_id"],
            name="fk_share_links_document_id_documents",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["material_id", "user_id"],
            ["materials.id", "materials.user_id"],
            name="fk_share_links_material_id_materials",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["note_id", "user_id"],
            ["notes.id", "notes.user_id"],
            name="fk_share_links_note_id_notes",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["test_id", "user_id"],
            ["tests.id", "tests.user_id"],
            name="fk_share_links_test_id_tests",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name="fk_share_links_user_id_users", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_share_links"),
        sa.UniqueConstraint("code", name="uq_share_links_code"),
        comment="A public link to one thing. A view is counted in one statement with the check of the limit, after the password was right.",
    )
    op.create_index("ix_share_links_course_id", "share_links", ["course_id"])
    op.create_index("ix_share_links_deck_id", "share_links", ["deck_id"])
    op.create_index("ix_share_links_document_id", "share_links", ["document_id"])
    op.create_index(
        "ix_share_links_expires_at",
        "share_links",
        ["expires_at"],
        postgresql_where=sa.text("revoked_at IS NULL"),
    )
    op.create_index("ix_share_links_material_id", "share_links", ["material_id"])
    op.create_index("ix_share_links_note_id", "share_links", ["note_id"])
    op.create_index("ix_share_links_test_id", "share_links", ["test_id"])
    op.create_index("ix_share_links_user_id_created_at", "share_links", ["user_id", "created_at"])


def create_connections() -> None:
    op.create_table(
        "connections",
        sa.Column("id", sa.Uuid(), nullable=False, comment="UUIDv7, made by the application."),
        sa.Column("user_id", sa.Uuid(), nullable=False, comment="The user whose row this is."),
        sa.Column("classmate_id", sa.Uuid(), nullable=False, comment="The one who was asked."),
        sa.Column(
            "status",
            sa.Text(),
            server_default=sa.text("'pending'"),
            nullable=False,
            comment="pending, accepted, declined or blocked.",
        ),
        sa.Column("message", sa.Text(), comment="Words with the request."),
        sa.Column("answered_at", TIMESTAMPTZ, comment="When it was answered."),
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
            "status IN ('pending', 'accepted', 'declined', 'blocked')", name=op.f("ck_connections_status")
        ),
        sa.CheckConstraint("user_id <> classmate_id", name=op.f("ck_connections_two_people")),
        sa.ForeignKeyConstraint(
            ["classmate_id"], ["users.id"], name="fk_connections_classmate_id_users", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name="fk_connections_user_id_users", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_connections"),
        comment="Two classmates. One asks; only the other can accept, by the function `lyceum_answer_connection`.",
    )
    op.create_index("ix_connections_classmate_id_status", "connections", ["classmate_id", "status"])
    op.create_index("ix_connections_user_id_status", "connections", ["user_id", "status"])
    op.create_index(
        "uq_connections_pair",
        "connections",
        [
            sa.literal_column("least(user_id, classmate_id)"),
            sa.literal_column("greatest(user_id, classmate_id)"),
        ],
        unique=True,
    )


def create_shared_items() -> None:
    op.create_table(
        "shared_items",
        sa.Column("id", sa.Uuid(), nullable=False, comment="UUIDv7, made by the application."),
        sa.Column("user_id", sa.Uuid(), nullable=False, comment="The user whose row this is."),
        sa.Column("recipient_id", sa.Uuid(), nullable=False, comment="The classmate who may read it."),
        sa.Column("message", sa.Text(), comment="Words with it."),
        sa.Column("material_id", sa.Uuid(), comment="The material."),
        sa.Column("note_id", sa.Uuid(), comment="The note."),
        sa.Column("deck_id", sa.Uuid(), comment="The deck."),
        sa.Column("test_id", sa.Uuid(), comment="The test."),
        sa.Column("document_id", sa.Uuid(), comment="The document."),
        sa.Column("course_id", sa.Uuid(), comment="The course."),
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
            "num_nonnulls(material_id, note_id, deck_id, test_id, document_id, course_id) = 1",
            name=op.f("ck_shared_items_target"),
        ),
        sa.CheckConstraint("user_id <> recipient_id", name=op.f("ck_shared_items_two_people")),
        sa.ForeignKeyConstraint(
            ["course_id", "user_id"],
            ["courses.id", "courses.user_id"],
            name="fk_shared_items_course_id_courses",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["deck_id", "user_id"],
            ["decks.id", "decks.user_id"],
            name="fk_shared_items_deck_id_decks",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["document_id", "user_id"],
            ["documents.id", "documents.user_id"],
            name="fk_shared_items_document_id_documents",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["material_id", "user_id"],
            ["materials.id", "materials.user_id"],
            name="fk_shared_items_material_id_materials",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["note_id", "user_id"],
            ["notes.id", "notes.user_id"],
            name="fk_shared_items_note_id_notes",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["recipient_id"], ["users.id"], name="fk_shared_items_recipient_id_users", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["test_id", "user_id"],
            ["tests.id", "tests.user_id"],
            name="fk_shared_items_test_id_tests",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name="fk_shared_items_user_id_users", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_shared_items"),
        sa.UniqueConstraint(
            "recipient_id",
            "material_id",
            "note_id",
            "deck_id",
            "test_id",
            "document_id",
            "course_id",
            name="uq_shared_items_once",
            postgresql_nulls_not_distinct=True,
        ),
        comment="A thing that its owner lets one classmate read and copy; deleting the row ends it.",
    )
    op.create_index("ix_shared_items_course_id", "shared_items", ["course_id"])
    op.create_index("ix_shared_items_deck_id", "shared_items", ["deck_id"])
    op.create_index("ix_shared_items_document_id", "shared_items", ["document_id"])
    op.create_index("ix_shared_items_material_id", "shared_items", ["material_id"])
    op.create_index("ix_shared_items_note_id", "shared_items", ["note_id"])
    op.create_index("ix_shared_items_recipient_id_created_at", "shared_items", ["recipient_id", "created_at"])
    op.create_index("ix_shared_items_test_id", "shared_items", ["test_id"])
    op.create_index("ix_shared_items_user_id_created_at", "shared_items", ["user_id", "created_at"])
