"""Decks, tests, documents, and what a student did with them."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from migrations.security import (
    RESULTS_OF_MEMBERS,
    audited,
    policy,
    stamped,
    tenant,
)

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


TIMESTAMPTZ = sa.DateTime(timezone=True)

TABLES = (
    "decks",
    "deck_media",
    "tests",
    "study_sessions",
    "flashcards",
    "card_reviews",
    "test_questions",
    "test_attempts",
    "attempt_answers",
    "documents",
    "feedback",
    "interactions",
    "progress_metrics",
)
STAMPED = (
    "decks",
    "tests",
    "study_sessions",
    "flashcards",
    "test_questions",
    "test_attempts",
    "attempt_answers",
    "documents",
    "feedback",
)
AUDITED = (
    "decks",
    "deck_media",
    "tests",
    "study_sessions",
    "flashcards",
    "card_reviews",
    "test_questions",
    "test_attempts",
    "attempt_answers",
    "documents",
    "feedback",
)


def upgrade() -> None:
    create_tables()
    for table in TABLES:
        run(tenant(table))
    run([*map(stamped, STAMPED), *map(audited, AUDITED)])
    for table in ("interactions", "progress_metrics"):
        op.execute(f"CREATE TABLE {table}_default PARTITION OF {table} DEFAULT")
    op.execute("SELECT lyceum_make_partitions(3)")
    teachers_see_results()


def teachers_see_results() -> None:
    """Those who teach a class see how its members do in it; not what they wrote, nor anything outside the class."""
    for table in ("test_attempts", "progress_metrics"):
        op.execute(policy(table, "members", RESULTS_OF_MEMBERS))


def downgrade() -> None:
    for table in reversed(TABLES):
        op.drop_table(table)


def run(statements: list[str]) -> None:
    for statement in statements:
        op.execute(statement)


def create_tables() -> None:
    create_decks()
    create_deck_media()
    create_tests()
    create_study_sessions()
    create_flashcards()
    create_card_reviews()
    create_test_questions()
    create_test_attempts()
    create_attempt_answers()
    create_documents()
    create_feedback()
    create_interactions()
    create_progress_metrics()


def create_decks() -> None:
    op.create_table(
        "decks",
        sa.Column("id", sa.Uuid(), nullable=False, comment="UUIDv7, made by the application."),
        sa.Column("user_id", sa.Uuid(), nullable=False, comment="The user whose row this is."),
        sa.Column("class_id", sa.Uuid(), comment="The class it belongs to, own or joined."),
        sa.Column("title", sa.Text(), nullable=False, comment="Title."),
        sa.Column("description", sa.Text(), comment="What it covers."),
        sa.Column(
            "source",
            sa.Text(),
            server_default=sa.text("'own'"),
            nullable=False,
            comment="own, generated, anki, csv, quizlet or copy (of a shared deck).",
        ),
        sa.Column("anki_id", sa.BigInteger(), comment="Deck number in the Anki collection it came from."),
        sa.Column("scheduler", sa.Text(), comment="fsrs or sm2."),
        sa.Column(
            "desired_retention", sa.Double(), comment="Share of cards to be remembered when due, 0.7 to 0.99."
        ),
        sa.Column("new_cards_per_day", sa.Integer(), comment="Daily limit of new cards."),
        sa.Column("reviews_per_day", sa.Integer(), comment="Daily limit of reviews."),
        sa.Column(
            "rejected",
            JSONB(),
            server_default=sa.text("'{}'"),
            nullable=False,
            comment="How many items the gate turned away, by reason.",
        ),
        sa.Column(
            "model", sa.Text(), comment="What made it: builtin or provider:name; null when a person wrote it."
        ),
        sa.Column(
            "parameters",
            JSONB(),
            server_default=sa.text("'{}'"),
            nullable=False,
            comment="What the maker was told: prompt version, seed, temperature.",
        ),
        sa.Column(
            "quality_score", sa.Double(), comment="Judgement of the gate, 0 to 1; falls with bad ratings."
        ),
        sa.Column(
            "shared_with_class",
            sa.Boolean(),
            server_default=sa.text("false"),
            nullable=False,
            comment="Whether the members of its class may read it.",
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
        sa.Column("deleted_at", TIMESTAMPTZ, comment="When its owner deleted it; purged 30 days later."),
        sa.CheckConstraint("scheduler IN ('fsrs', 'sm2')", name=op.f("ck_decks_scheduler")),
        sa.CheckConstraint(
            "source IN ('own', 'generated', 'anki', 'csv', 'quizlet', 'copy')", name=op.f("ck_decks_source")
        ),
        sa.CheckConstraint("desired_retention BETWEEN 0.7 AND 0.99", name=op.f("ck_decks_desired_retention")),
        sa.ForeignKeyConstraint(
            ["class_id"], ["classes.id"], name="fk_decks_class_id_classes", ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_decks_user_id_users", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_decks"),
        sa.UniqueConstraint("user_id", "id", name="uq_decks_user_id_id"),
        comment="A deck of flashcards. Empty settings mean those of its owner.",
    )
    op.create_index("ix_decks_class_id_created_at", "decks", ["class_id", "created_at"])
    op.create_index(
        "ix_decks_deleted_at", "decks", ["deleted_at"], postgresql_where=sa.text("deleted_at IS NOT NULL")
    )
    op.create_index(
        "ix_decks_shared",
        "decks",
        ["class_id"],
        postgresql_where=sa.text("shared_with_class AND deleted_at IS NULL"),
    )
    op.create_index(
        "ix_decks_title_trigrams",
        "decks",
        ["title"],
        postgresql_using="gin",
        postgresql_where=sa.text("deleted_at IS NULL"),
        postgresql_ops={"title": "gin_trgm_ops"},
    )
    op.create_index(
        "ix_decks_user_id_created_at",
        "decks",
        ["user_id", "created_at"],
        postgresql_where=sa.text("deleted_at IS NULL"),
    )


def create_deck_media() -> None:
    op.create_table(
        "deck_media",
        sa.Column("id", sa.Uuid(), nullable=False, comment="UUIDv7, made by the application."),
        sa.Column("user_id", sa.Uuid(), nullable=False, comment="The user whose row this is."),
        sa.Column("deck_id", sa.Uuid(), nullable=False, comment="The deck."),
        sa.Column("name", sa.Text(), nullable=False, comment="Name in the cards' text."),
        sa.Column("file_id", sa.Uuid(), nullable=False, comment="The file."),
        sa.ForeignKeyConstraint(
            ["deck_id", "user_id"],
            ["decks.id", "decks.user_id"],
            name="fk_deck_media_deck_id_decks",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["file_id", "user_id"],
            ["files.id", "files.user_id"],
            name="fk_deck_media_file_id_files",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name="fk_deck_media_user_id_users", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_deck_media"),
        sa.UniqueConstraint("deck_id", "name", name="uq_deck_media_deck_id_name"),
        comment="A picture or sound that cards of a deck name.",
    )
    op.create_index("ix_deck_media_file_id", "deck_media", ["file_id"])
    op.create_index("ix_deck_media_user_id", "deck_media", ["user_id"])


def create_tests() -> None:
    op.create_table(
        "tests",
        sa.Column("id", sa.Uuid(), nullable=False, comment="UUIDv7, made by the application."),
        sa.Column("user_id", sa.Uuid(), nullable=False, comment="The user whose row this is."),
        sa.Column("class_id", sa.Uuid(), comment="The class it belongs to, own or joined."),
        sa.Column("title", sa.Text(), nullable=False, comment="Title."),
        sa.Column("description", sa.Text(), comment="What it covers."),
        sa.Column(
            "difficulty",
            sa.Text(),
            server_default=sa.text("'mixed'"),
            nullable=False,
            comment="easy, medium, hard or mixed.",
        ),
        sa.Column(
            "time_limit_seconds",
            sa.Integer(),
            comment="Time for an attempt, kept by the server; null for no limit.",
        ),
        sa.Column(
            "question_count",
            sa.Integer(),
            server_default=sa.text("0"),
            nullable=False,
            comment="Active questions.",
        ),
        sa.Column(
            "total_points",
            sa.Double(),
            server_default=sa.text("0"),
            nullable=False,
            comment="Points of all active questions.",
        ),
        sa.Column(
            "blueprint",
            JSONB(),
            server_default=sa.text("'{}'"),
            nullable=False,
            comment="What was asked for: scope, topic weights, types, Bloom levels.",
        ),
        sa.Column(
            "version",
            sa.SmallInteger(),
            server_default=sa.text("1"),
            nullable=False,
            comment="Number of the shuffled version.",
        ),
        sa.Column("version_of_id", sa.Uuid(), comment="The first version, for the others."),
        sa.Column("seed", sa.BigInteger(), comment="Of the shuffle, so that it can be repeated."),
        sa.Column(
            "rejected",
            JSONB(),
            server_default=sa.text("'{}'"),
            nullable=False,
            comment="How many items the gate turned away, by reason.",
        ),
        sa.Column(
            "model", sa.Text(), comment="What made it: builtin or provider:name; null when a person wrote it."
        ),
        sa.Column(
            "parameters",
            JSONB(),
            server_default=sa.text("'{}'"),
            nullable=False,
            comment="What the maker was told: prompt version, seed, temperature.",
        ),
        sa.Column(
            "quality_score", sa.Double(), comment="Judgement of the gate, 0 to 1; falls with bad ratings."
        ),
        sa.Column(
            "shared_with_class",
            sa.Boolean(),
            server_default=sa.text("false"),
            nullable=False,
            comment="Whether the members of its class may read it.",
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
        sa.Column("deleted_at", TIMESTAMPTZ, comment="When its owner deleted it; purged 30 days later."),
        sa.CheckConstraint(
            "difficulty IN ('easy', 'medium', 'hard', 'mixed')", name=op.f("ck_tests_difficulty")
        ),
        sa.CheckConstraint(
            "time_limit_seconds BETWEEN 1 AND 604800", name=op.f("ck_tests_time_limit_seconds")
        ),
        sa.ForeignKeyConstraint(
            ["class_id"], ["classes.id"], name="fk_tests_class_id_classes", ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_tests_user_id_users", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(
            ["version_of_id", "user_id"],
            ["tests.id", "tests.user_id"],
            name="fk_tests_version_of_id_tests",
            ondelete="SET NULL (version_of_id)",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_tests"),
        sa.UniqueConstraint("user_id", "id", name="uq_tests_user_id_id"),
        comment="A test made of questions. Shuffled versions of one test point at the first.",
    )
    op.create_index("ix_tests_class_id_created_at", "tests", ["class_id", "created_at"])
    op.create_index(
        "ix_tests_deleted_at", "tests", ["deleted_at"], postgresql_where=sa.text("deleted_at IS NOT NULL")
    )
    op.create_index(
        "ix_tests_shared",
        "tests",
        ["class_id"],
        postgresql_where=sa.text("shared_with_class AND deleted_at IS NULL"),
    )
    op.create_index(
        "ix_tests_title_trigrams",
        "tests",
        ["title"],
        postgresql_using="gin",
        postgresql_where=sa.text("deleted_at IS NULL"),
        postgresql_ops={"title": "gin_trgm_ops"},
    )
    op.create_index(
        "ix_tests_user_id_created_at",
        "tests",
        ["user_id", "created_at"],
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index("ix_tests_version_of_id", "tests", ["version_of_id"])


def create_study_sessions() -> None:
    op.create_table(
        "study_sessions",
        sa.Column("id", sa.Uuid(), nullable=False, comment="UUIDv7, made by the application."),
        sa.Column("user_id", sa.Uuid(), nullable=False, comment="The user whose row this is."),
        sa.Column("class_id", sa.Uuid(), comment="The class, own or joined."),
        sa.Column("material_id", sa.Uuid(), comment="The material, if one alone."),
        sa.Column("deck_id", sa.Uuid(), comment="The deck, if one alone."),
        sa.Column("test_id", sa.Uuid(), comment="The test, if one alone."),
        sa.Column("type", sa.Text(), nullable=False, comment="chat, quiz, flashcards, revision or reading."),
        sa.Column(
            "status",
            sa.Text(),
            server_default=sa.text("'active'"),
            nullable=False,
            comment="active, completed or abandoned.",
        ),
        sa.Column(
            "started_at",
            TIMESTAMPTZ,
            server_default=sa.text("now()"),
            nullable=False,
            comment="When it began.",
        ),
        sa.Column("ended_at", TIMESTAMPTZ, comment="When it ended."),
        sa.Column("duration_seconds", sa.Integer(), comment="Time spent, without the pauses."),
        sa.Column("score", sa.Double(), comment="Result in per cent."),
        sa.Column(
            "items_completed",
            sa.Integer(),
            server_default=sa.text("0"),
            nullable=False,
            comment="Cards, questions or pages done.",
        ),
        sa.Column(
            "interaction_count",
            sa.Integer(),
            server_default=sa.text("0"),
            nullable=False,
            comment="Interactions in it.",
        ),
        sa.Column(
            "completion_percent",
            sa.Double(),
            server_default=sa.text("0"),
            nullable=False,
            comment="How much of what was planned is done.",
        ),
        sa.Column(
            "configuration",
            JSONB(),
            server_default=sa.text("'{}'"),
            nullable=False,
            comment="What was planned: decks, topics, length.",
        ),
        sa.Column(
            "state",
            JSONB(),
            server_default=sa.text("'{}'"),
            nullable=False,
            comment="What the page needs to go on; emptied after 6 months.",
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
        sa.CheckConstraint(
            "status IN ('active', 'completed', 'abandoned')", name=op.f("ck_study_sessions_status")
        ),
        sa.CheckConstraint(
            "type IN ('chat', 'quiz', 'flashcards', 'revision', 'reading')",
            name=op.f("ck_study_sessions_type"),
        ),
        sa.CheckConstraint(
            "completion_percent BETWEEN 0 AND 100", name=op.f("ck_study_sessions_completion_percent")
        ),
        sa.CheckConstraint("score BETWEEN 0 AND 100", name=op.f("ck_study_sessions_score")),
        sa.ForeignKeyConstraint(
            ["class_id"], ["classes.id"], name="fk_study_sessions_class_id_classes", ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["deck_id"], ["decks.id"], name="fk_study_sessions_deck_id_decks", ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["material_id"],
            ["materials.id"],
            name="fk_study_sessions_material_id_materials",
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(
            ["test_id"], ["tests.id"], name="fk_study_sessions_test_id_tests", ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name="fk_study_sessions_user_id_users", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_study_sessions"),
        sa.UniqueConstraint("user_id", "id", name="uq_study_sessions_user_id_id"),
        comment="A stretch of studying.",
    )
    op.create_index("ix_study_sessions_class_id", "study_sessions", ["class_id"])
    op.create_index("ix_study_sessions_deck_id", "study_sessions", ["deck_id"])
    op.create_index("ix_study_sessions_material_id", "study_sessions", ["material_id"])
    op.create_index("ix_study_sessions_test_id", "study_sessions", ["test_id"])
    op.create_index("ix_study_sessions_user_id_started_at", "study_sessions", ["user_id", "started_at"])


def create_flashcards() -> None:
    op.create_table(
        "flashcards",
        sa.Column("id", sa.Uuid(), nullable=False, comment="UUIDv7, made by the application."),
        sa.Column("user_id", sa.Uuid(), nullable=False, comment="The user whose row this is."),
        sa.Column("deck_id", sa.Uuid(), nullable=False, comment="Its deck."),
        sa.Column(
            "ordinal",
            sa.Integer(),
            nullable=False,
            comment="Position in the deck, from 0; new cards come in this order.",
        ),
        sa.Column(
            "type",
            sa.Text(),
            server_default=sa.text("'basic'"),
            nullable=False,
            comment="basic, reversed, cloze or multiple_choice.",
        ),
        sa.Column(
            "front", sa.Text(), nullable=False, comment="Question; of a cloze, the text with {{c1::gaps}}."
        ),
        sa.Column("back", sa.Text(), nullable=False, comment="Answer."),
        sa.Column("extra", sa.Text(), comment="Hint or remark shown with the answer."),
        sa.Column(
            "options",
            JSONB(),
            server_default=sa.text("'[]'"),
            nullable=False,
            comment="Choices of a multiple-choice card.",
        ),
        sa.Column(
            "group_id",
            sa.Uuid(),
            comment="Shared by cards of one note (both directions, all gaps), which are not shown on one day.",
        ),
        sa.Column("gap", sa.SmallInteger(), comment="Number of the gap that this card asks for."),
        sa.Column(
            "tags",
            sa.ARRAY(sa.Text()),
            server_default=sa.text("'{}'"),
            nullable=False,
            comment="Words to file it under.",
        ),
        sa.Column("anki_guid", sa.Text(), comment="Note id in Anki, so that a second import updates."),
        sa.Column("concept_id", sa.Uuid(), comment="The concept it is about."),
        sa.Column("fingerprint", sa.LargeBinary(), comment="Hash of its normalised words, to find repeats."),
        sa.Column(
            "status",
            sa.Text(),
            server_default=sa.text("'active'"),
            nullable=False,
            comment="active, or retired after bad ratings.",
        ),
        sa.Column(
            "scheduler",
            sa.Text(),
            server_default=sa.text("'fsrs'"),
            nullable=False,
            comment="Which scheduler the state below is of.",
        ),
        sa.Column(
            "state",
            sa.Text(),
            server_default=sa.text("'new'"),
            nullable=False,
            comment="new, learning, review or relearning.",
        ),
        sa.Column("step", sa.SmallInteger(), comment="Which (re)learning step comes next."),
        sa.Column("stability", sa.Double(), comment="FSRS: days until recall falls to 90 %."),
        sa.Column("difficulty", sa.Double(), comment="FSRS: 1 to 10."),
        sa.Column("due_at", TIMESTAMPTZ, comment="When it is to be reviewed; null while new."),
        sa.Column("last_reviewed_at", TIMESTAMPTZ, comment="Last review."),
        sa.Column(
            "interval_days",
            sa.Double(),
            server_default=sa.text("0"),
            nullable=False,
            comment="Days between the last review and the next.",
        ),
        sa.Column(
            "ease_factor",
            sa.Double(),
            server_default=sa.text("2.5"),
            nullable=False,
            comment="SM-2: at least 1.3.",
        ),
        sa.Column(
            "repetitions",
            sa.Integer(),
            server_default=sa.text("0"),
            nullable=False,
            comment="SM-2: good reviews in a row.",
        ),
        sa.Column(
            "reps", sa.Integer(), server_default=sa.text("0"), nullable=False, comment="Reviews in all."
        ),
        sa.Column(
            "lapses",
            sa.Integer(),
            server_default=sa.text("0"),
            nullable=False,
            comment="Times it was known and then forgotten.",
        ),
        sa.Column(
            "is_leech",
            sa.Boolean(),
            server_default=sa.text("false"),
            nullable=False,
            comment="Forgotten too often; better rewritten.",
        ),
        sa.Column("suspended_at", TIMESTAMPTZ, comment="Since when it is not asked at all."),
        sa.Column("buried_until", sa.Date(), comment="Study day before which it is not asked."),
        sa.Column(
            "model", sa.Text(), comment="What made it: builtin or provider:name; null when a person wrote it."
        ),
        sa.Column(
            "parameters",
            JSONB(),
            server_default=sa.text("'{}'"),
            nullable=False,
            comment="What the maker was told: prompt version, seed, temperature.",
        ),
        sa.Column(
            "quality_score", sa.Double(), comment="Judgement of the gate, 0 to 1; falls with bad ratings."
        ),
        sa.Column(
            "source_chunk_ids",
            sa.ARRAY(sa.Uuid()),
            server_default=sa.text("'{}'"),
            nullable=False,
            comment="Chunks it was made from; no foreign key, since reprocessing replaces chunks.",
        ),
        sa.Column("material_id", sa.Uuid(), comment="The material of those chunks."),
        sa.Column("quote", sa.Text(), comment="The sentence that supports it, word for word."),
        sa.Column(
            "locator",
            JSONB(),
            comment="Where the quote stands: page, slide or seconds, character range, boxes.",
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
        sa.Column("deleted_at", TIMESTAMPTZ, comment="When its owner deleted it; purged 30 days later."),
        sa.CheckConstraint("scheduler IN ('fsrs', 'sm2')", name=op.f("ck_flashcards_scheduler")),
        sa.CheckConstraint(
            "state IN ('new', 'learning', 'review', 'relearning')", name=op.f("ck_flashcards_state")
        ),
        sa.CheckConstraint("status IN ('active', 'retired')", name=op.f("ck_flashcards_status")),
        sa.CheckConstraint(
            "type IN ('basic', 'reversed', 'cloze', 'multiple_choice')", name=op.f("ck_flashcards_type")
        ),
        sa.CheckConstraint("difficulty BETWEEN 1 AND 10", name=op.f("ck_flashcards_difficulty")),
        sa.CheckConstraint("ease_factor BETWEEN 1.3 AND 10", name=op.f("ck_flashcards_ease_factor")),
        sa.CheckConstraint("quality_score BETWEEN 0 AND 1", name=op.f("ck_flashcards_quality_score")),
        sa.ForeignKeyConstraint(
            ["concept_id"], ["concepts.id"], name="fk_flashcards_concept_id_concepts", ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["deck_id", "user_id"],
            ["decks.id", "decks.user_id"],
            name="fk_flashcards_deck_id_decks",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["material_id"], ["materials.id"], name="fk_flashcards_material_id_materials", ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name="fk_flashcards_user_id_users", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_flashcards"),
        sa.UniqueConstraint("user_id", "id", name="uq_flashcards_user_id_id"),
        comment="A card with what its scheduler knows: stability and difficulty for FSRS, ease factor and interval for SM-2.",
    )
    op.create_index("ix_flashcards_concept_id", "flashcards", ["concept_id"])
    op.create_index(
        "ix_flashcards_deck_due",
        "flashcards",
        ["deck_id", "due_at"],
        postgresql_where=sa.text("deleted_at IS NULL AND suspended_at IS NULL AND state <> 'new'"),
    )
    op.create_index("ix_flashcards_deck_id_ordinal", "flashcards", ["deck_id", "ordinal"])
    op.create_index(
        "ix_flashcards_deleted_at",
        "flashcards",
        ["deleted_at"],
        postgresql_where=sa.text("deleted_at IS NOT NULL"),
    )
    op.create_index(
        "ix_flashcards_due",
        "flashcards",
        ["user_id", "due_at"],
        postgresql_where=sa.text("deleted_at IS NULL AND suspended_at IS NULL AND state <> 'new'"),
    )
    op.create_index("ix_flashcards_material_id", "flashcards", ["material_id"])
    op.create_index(
        "ix_flashcards_new",
        "flashcards",
        ["user_id", "deck_id", "ordinal"],
        postgresql_where=sa.text("deleted_at IS NULL AND suspended_at IS NULL AND state = 'new'"),
    )
    op.create_index("ix_flashcards_user_id_fingerprint", "flashcards", ["user_id", "fingerprint"])


def create_card_reviews() -> None:
    op.create_table(
        "card_reviews",
        sa.Column("id", sa.Uuid(), nullable=False, comment="UUIDv7, made by the application."),
        sa.Column("user_id", sa.Uuid(), nullable=False, comment="The user whose row this is."),
        sa.Column("card_id", sa.Uuid(), nullable=False, comment="The card."),
        sa.Column("session_id", sa.Uuid(), comment="The study session."),
        sa.Column("reviewed_at", TIMESTAMPTZ, nullable=False, comment="When."),
        sa.Column("scheduler", sa.Text(), nullable=False, comment="fsrs or sm2."),
        sa.Column("rating", sa.SmallInteger(), nullable=False, comment="1 again, 2 hard, 3 good, 4 easy."),
        sa.Column("grade", sa.SmallInteger(), comment="SM-2's own scale, 0 to 5, where it was used."),
        sa.Column("duration_ms", sa.Integer(), comment="Time taken, in milliseconds."),
        sa.Column("elapsed_days", sa.Double(), comment="Days since the review before."),
        sa.Column("scheduled_days", sa.Double(), comment="Days until the next one, as decided."),
        sa.Column("before", JSONB(), nullable=False, comment="The card's scheduling columns before."),
        sa.Column("after", JSONB(), nullable=False, comment="The same after."),
        sa.Column("imported_id", sa.BigInteger(), comment="Review number in Anki, of an imported history."),
        sa.Column("undone_at", TIMESTAMPTZ, comment="When it was taken back; then it counts for nothing."),
        sa.CheckConstraint("scheduler IN ('fsrs', 'sm2')", name=op.f("ck_card_reviews_scheduler")),
        sa.CheckConstraint("grade BETWEEN 0 AND 5", name=op.f("ck_card_reviews_grade")),
        sa.CheckConstraint("rating BETWEEN 1 AND 4", name=op.f("ck_card_reviews_rating")),
        sa.ForeignKeyConstraint(
            ["card_id", "user_id"],
            ["flashcards.id", "flashcards.user_id"],
            name="fk_card_reviews_card_id_flashcards",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["session_id"],
            ["study_sessions.id"],
            name="fk_card_reviews_session_id_study_sessions",
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name="fk_card_reviews_user_id_users", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_card_reviews"),
        sa.UniqueConstraint("card_id", "imported_id", name="uq_card_reviews_card_id_imported_id"),
        comment="One review, with the card's state before and after, so that it can be undone and the scheduler fitted.",
    )
    op.create_index("ix_card_reviews_card_id_reviewed_at", "card_reviews", ["card_id", "reviewed_at"])
    op.create_index("ix_card_reviews_session_id", "card_reviews", ["session_id"])
    op.create_index("ix_card_reviews_user_id_reviewed_at", "card_reviews", ["user_id", "reviewed_at"])


def create_test_questions() -> None:
    op.create_table(
        "test_questions",
        sa.Column("id", sa.Uuid(), nullable=False, comment="UUIDv7, made by the application."),
        sa.Column("user_id", sa.Uuid(), nullable=False, comment="The user whose row this is."),
        sa.Column("test_id", sa.Uuid(), nullable=False, comment="Its test."),
        sa.Column("ordinal", sa.Integer(), nullable=False, comment="Position in the test, from 0."),
        sa.Column(
            "type",
            sa.Text(),
            nullable=False,
            comment="multiple_choice, multiple_answer, true_false, cloze, short_answer, matching or ordering.",
        ),
        sa.Column("text", sa.Text(), nullable=False, comment="The question; gaps of a cloze as {{1}}."),
        sa.Column(
            "options",
            JSONB(),
            server_default=sa.text("'[]'"),
            nullable=False,
            comment="What is offered: choices, or the two columns of a matching.",
        ),
        sa.Column(
            "answer",
            JSONB(),
            nullable=False,
            comment="The key, with accepted variants, tolerance and unit; its form follows the type.",
        ),
        sa.Column(
            "points",
            sa.Double(),
            server_default=sa.text("1"),
            nullable=False,
            comment="Points for a full answer.",
        ),
        sa.Column("explanation", sa.Text(), comment="Why the key is right."),
        sa.Column("difficulty", sa.SmallInteger(), comment="1 to 10."),
        sa.Column("bloom_level", sa.Text(), comment="What it asks of the mind, from remember to create."),
        sa.Column("concept_id", sa.Uuid(), comment="The concept it is about."),
        sa.Column("topic", sa.Text(), comment="What results are grouped by, where no concept is known."),
        sa.Column(
            "fingerprint",
            sa.LargeBinary(),
            comment="Hash of its normalised words, to find repeats in earlier tests.",
        ),
        sa.Column(
            "status",
            sa.Text(),
            server_default=sa.text("'active'"),
            nullable=False,
            comment="active, or retired after bad ratings.",
        ),
        sa.Column("embedding_model", sa.Text(), comment="Set once its vector stands in the collection."),
        sa.Column(
            "model", sa.Text(), comment="What made it: builtin or provider:name; null when a person wrote it."
        ),
        sa.Column(
            "parameters",
            JSONB(),
            server_default=sa.text("'{}'"),
            nullable=False,
            comment="What the maker was told: prompt version, seed, temperature.",
        ),
        sa.Column(
            "quality_score", sa.Double(), comment="Judgement of the gate, 0 to 1; falls with bad ratings."
        ),
        sa.Column(
            "source_chunk_ids",
            sa.ARRAY(sa.Uuid()),
            server_default=sa.text("'{}'"),
            nullable=False,
            comment="Chunks it was made from; no foreign key, since reprocessing replaces chunks.",
        ),
        sa.Column("material_id", sa.Uuid(), comment="The material of those chunks."),
        sa.Column("quote", sa.Text(), comment="The sentence that supports it, word for word."),
        sa.Column(
            "locator",
            JSONB(),
            comment="Where the quote stands: page, slide or seconds, character range, boxes.",
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
        sa.CheckConstraint(
            "bloom_level IN ('remember', 'understand', 'apply', 'analyze', 'evaluate', 'create')",
            name=op.f("ck_test_questions_bloom_level"),
        ),
        sa.CheckConstraint("status IN ('active', 'retired')", name=op.f("ck_test_questions_status")),
        sa.CheckConstraint(
            "type IN ('multiple_choice', 'multiple_answer', 'true_false', 'cloze', 'short_answer', 'matching', 'ordering')",
            name=op.f("ck_test_questions_type"),
        ),
        sa.CheckConstraint("difficulty BETWEEN 1 AND 10", name=op.f("ck_test_questions_difficulty")),
        sa.CheckConstraint("points BETWEEN 0 AND 1000", name=op.f("ck_test_questions_points")),
        sa.CheckConstraint("quality_score BETWEEN 0 AND 1", name=op.f("ck_test_questions_quality_score")),
        sa.ForeignKeyConstraint(
            ["concept_id"], ["concepts.id"], name="fk_test_questions_concept_id_concepts", ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["material_id"],
            ["materials.id"],
            name="fk_test_questions_material_id_materials",
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(
            ["test_id", "user_id"],
            ["tests.id", "tests.user_id"],
            name="fk_test_questions_test_id_tests",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name="fk_test_questions_user_id_users", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_test_questions"),
        sa.UniqueConstraint("test_id", "ordinal", name="uq_test_questions_test_id_ordinal"),
        sa.UniqueConstraint("user_id", "id", name="uq_test_questions_user_id_id"),
        comment="A question with its key, its explanation and the passage that supports it.",
    )
    op.create_index("ix_test_questions_concept_id", "test_questions", ["concept_id"])
    op.create_index("ix_test_questions_material_id", "test_questions", ["material_id"])
    op.create_index("ix_test_questions_user_id_fingerprint", "test_questions", ["user_id", "fingerprint"])


def create_test_attempts() -> None:
    op.create_table(
        "test_attempts",
        sa.Column("id", sa.Uuid(), nullable=False, comment="UUIDv7, made by the application."),
        sa.Column("user_id", sa.Uuid(), nullable=False, comment="The user whose row this is."),
        sa.Column("test_id", sa.Uuid(), comment="The test, own or shared."),
        sa.Column("test_title", sa.Text(), nullable=False, comment="Its title at the start."),
        sa.Column("class_id", sa.Uuid(), comment="Its class; those who teach it see the attempt."),
        sa.Column("session_id", sa.Uuid(), comment="The study session."),
        sa.Column(
            "status",
            sa.Text(),
            server_default=sa.text("'in_progress'"),
            nullable=False,
            comment="in_progress, submitted, graded, expired or abandoned.",
        ),
        sa.Column(
            "presentation",
            JSONB(),
            server_default=sa.text("'[]'"),
            nullable=False,
            comment="Order of questions and of their options, as shown; survives a reload.",
        ),
        sa.Column("started_at", TIMESTAMPTZ, nullable=False, comment="When it began."),
        sa.Column("expires_at", TIMESTAMPTZ, comment="When the time is up, by the server's clock."),
        sa.Column("submitted_at", TIMESTAMPTZ, comment="When it was handed in."),
        sa.Column("graded_at", TIMESTAMPTZ, comment="When every answer had its grade."),
        sa.Column("score", sa.Double(), comment="Points reached."),
        sa.Column("max_score", sa.Double(), comment="Points that could be reached."),
        sa.Column(
            "results",
            JSONB(),
            server_default=sa.text("'{}'"),
            nullable=False,
            comment="Points per concept and type.",
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
        sa.CheckConstraint(
            "status IN ('in_progress', 'submitted', 'graded', 'expired', 'abandoned')",
            name=op.f("ck_test_attempts_status"),
        ),
        sa.ForeignKeyConstraint(
            ["class_id"], ["classes.id"], name="fk_test_attempts_class_id_classes", ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["session_id"],
            ["study_sessions.id"],
            name="fk_test_attempts_session_id_study_sessions",
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(
            ["test_id"], ["tests.id"], name="fk_test_attempts_test_id_tests", ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name="fk_test_attempts_user_id_users", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_test_attempts"),
        sa.UniqueConstraint("user_id", "id", name="uq_test_attempts_user_id_id"),
        comment="One person taking a test. Outlives the test, because results are history.",
    )
    op.create_index("ix_test_attempts_class_id_user_id", "test_attempts", ["class_id", "user_id"])
    op.create_index(
        "ix_test_attempts_expiring",
        "test_attempts",
        ["expires_at"],
        postgresql_where=sa.text("status = 'in_progress'"),
    )
    op.create_index("ix_test_attempts_session_id", "test_attempts", ["session_id"])
    op.create_index("ix_test_attempts_test_id", "test_attempts", ["test_id"])
    op.create_index("ix_test_attempts_user_id_started_at", "test_attempts", ["user_id", "started_at"])
    op.create_index(
        "uq_test_attempts_open",
        "test_attempts",
        ["user_id", "test_id"],
        unique=True,
        postgresql_where=sa.text("status = 'in_progress'"),
    )


def create_attempt_answers() -> None:
    op.create_table(
        "attempt_answers",
        sa.Column("id", sa.Uuid(), nullable=False, comment="UUIDv7, made by the application."),
        sa.Column("user_id", sa.Uuid(), nullable=False, comment="The user whose row this is."),
        sa.Column("attempt_id", sa.Uuid(), nullable=False, comment="The attempt."),
        sa.Column("question_id", sa.Uuid(), comment="The question."),
        sa.Column(
            "question",
            JSONB(),
            nullable=False,
            comment="The question as it was asked, for the time after it is changed.",
        ),
        sa.Column("concept_id", sa.Uuid(), comment="What the question was about."),
        sa.Column("response", JSONB(), comment="What was answered; null for nothing yet."),
        sa.Column("answered_at", TIMESTAMPTZ, comment="When."),
        sa.Column("response_time_ms", sa.Integer(), comment="Time taken, in milliseconds."),
        sa.Column("confidence", sa.Double(), comment="How sure the person was, 0 to 1."),
        sa.Column("is_correct", sa.Boolean(), comment="Whether it earned all points; null until graded."),
        sa.Column("points", sa.Double(), comment="Points earned."),
        sa.Column("max_points", sa.Double(), nullable=False, comment="Points that could be earned."),
        sa.Column("graded_by", sa.Text(), comment="rule, match, meaning, rubric, appeal or person."),
        sa.Column(
            "grading",
            JSONB(),
            comment="How the grade came about: similarity, matched variant, rubric points.",
        ),
        sa.Column("grading_explanation", sa.Text(), comment="The same in a sentence."),
        sa.Column("appeal_status", sa.Text(), comment="open, upheld or rejected; null when there was none."),
        sa.Column("appeal_text", sa.Text(), comment="Why the person thinks that the grade is wrong."),
        sa.Column("appeal_outcome", sa.Text(), comment="What the second look found."),
        sa.Column("appealed_at", TIMESTAMPTZ, comment="When it was asked for."),
        sa.Column("points_before_appeal", sa.Double(), comment="Points of the first grade."),
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
            "appeal_status IN ('open', 'upheld', 'rejected')", name=op.f("ck_attempt_answers_appeal_status")
        ),
        sa.CheckConstraint(
            "graded_by IN ('rule', 'match', 'meaning', 'rubric', 'appeal', 'person')",
            name=op.f("ck_attempt_answers_graded_by"),
        ),
        sa.CheckConstraint("confidence BETWEEN 0 AND 1", name=op.f("ck_attempt_answers_confidence")),
        sa.ForeignKeyConstraint(
            ["attempt_id", "user_id"],
            ["test_attempts.id", "test_attempts.user_id"],
            name="fk_attempt_answers_attempt_id_test_attempts",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["concept_id"],
            ["concepts.id"],
            name="fk_attempt_answers_concept_id_concepts",
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(
            ["question_id"],
            ["test_questions.id"],
            name="fk_attempt_answers_question_id_test_questions",
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name="fk_attempt_answers_user_id_users", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_attempt_answers"),
        sa.UniqueConstraint("attempt_id", "question_id", name="uq_attempt_answers_attempt_id_question_id"),
        comment="An answer, its grade, how that came about, and the appeal against it.",
    )
    op.create_index("ix_attempt_answers_concept_id", "attempt_answers", ["concept_id"])
    op.create_index("ix_attempt_answers_question_id", "attempt_answers", ["question_id"])
    op.create_index("ix_attempt_answers_user_id", "attempt_answers", ["user_id"])
    op.create_index(
        "ix_attempt_answers_wrong",
        "attempt_answers",
        ["user_id", "answered_at"],
        postgresql_where=sa.text("NOT is_correct"),
    )


def create_documents() -> None:
    op.create_table(
        "documents",
        sa.Column("id", sa.Uuid(), nullable=False, comment="UUIDv7, made by the application."),
        sa.Column("user_id", sa.Uuid(), nullable=False, comment="The user whose row this is."),
        sa.Column("class_id", sa.Uuid(), comment="The class it belongs to, own or joined."),
        sa.Column("material_id", sa.Uuid(), comment="The material it is about, if one alone."),
        sa.Column(
            "kind",
            sa.Text(),
            nullable=False,
            comment="cheat_sheet, study_guide, summary, past_paper_answers or quiz_sheet.",
        ),
        sa.Column("title", sa.Text(), nullable=False, comment="Title."),
        sa.Column(
            "lineage_id", sa.Uuid(), nullable=False, comment="Same for all versions: the id of the first."
        ),
        sa.Column(
            "version", sa.Integer(), server_default=sa.text("1"), nullable=False, comment="Counts from 1."
        ),
        sa.Column("superseded_at", TIMESTAMPTZ, comment="When a newer version came; null for the newest."),
        sa.Column(
            "status",
            sa.Text(),
            server_default=sa.text("'ready'"),
            nullable=False,
            comment="generating, ready or failed.",
        ),
        sa.Column("text", sa.Text(), nullable=False, comment="Content, in Markdown."),
        sa.Column(
            "content",
            JSONB(),
            server_default=sa.text("'{}'"),
            nullable=False,
            comment="Its sections and items, for the renderers.",
        ),
        sa.Column(
            "citations",
            JSONB(),
            server_default=sa.text("'[]'"),
            nullable=False,
            comment="The locators that its numbers in brackets stand for.",
        ),
        sa.Column(
            "options",
            JSONB(),
            server_default=sa.text("'{}'"),
            nullable=False,
            comment="What was asked for: pages, paper, depth.",
        ),
        sa.Column("page_count", sa.Integer(), comment="Pages, as rendered."),
        sa.Column("word_count", sa.Integer(), comment="Words."),
        sa.Column(
            "model", sa.Text(), comment="What made it: builtin or provider:name; null when a person wrote it."
        ),
        sa.Column(
            "parameters",
            JSONB(),
            server_default=sa.text("'{}'"),
            nullable=False,
            comment="What the maker was told: prompt version, seed, temperature.",
        ),
        sa.Column(
            "quality_score", sa.Double(), comment="Judgement of the gate, 0 to 1; falls with bad ratings."
        ),
        sa.Column(
            "shared_with_class",
            sa.Boolean(),
            server_default=sa.text("false"),
            nullable=False,
            comment="Whether the members of its class may read it.",
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
        sa.Column("deleted_at", TIMESTAMPTZ, comment="When its owner deleted it; purged 30 days later."),
        sa.CheckConstraint(
            "kind IN ('cheat_sheet', 'study_guide', 'summary', 'past_paper_answers', 'quiz_sheet')",
            name=op.f("ck_documents_kind"),
        ),
        sa.CheckConstraint("status IN ('generating', 'ready', 'failed')", name=op.f("ck_documents_status")),
        sa.ForeignKeyConstraint(
            ["class_id"], ["classes.id"], name="fk_documents_class_id_classes", ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["lineage_id", "user_id"],
            ["documents.id", "documents.user_id"],
            name="fk_documents_lineage_id_documents",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["material_id"], ["materials.id"], name="fk_documents_material_id_materials", ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name="fk_documents_user_id_users", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_documents"),
        sa.UniqueConstraint("lineage_id", "version", name="uq_documents_lineage_id_version"),
        sa.UniqueConstraint("user_id", "id", name="uq_documents_user_id_id"),
        comment="One version of a cheat sheet, guide, summary, set of answers or quiz sheet.",
    )
    op.create_index("ix_documents_class_id_created_at", "documents", ["class_id", "created_at"])
    op.create_index(
        "ix_documents_deleted_at",
        "documents",
        ["deleted_at"],
        postgresql_where=sa.text("deleted_at IS NOT NULL"),
    )
    op.create_index("ix_documents_material_id", "documents", ["material_id"])
    op.create_index(
        "ix_documents_shared",
        "documents",
        ["class_id"],
        postgresql_where=sa.text("shared_with_class AND deleted_at IS NULL"),
    )
    op.create_index(
        "ix_documents_title_trigrams",
        "documents",
        ["title"],
        postgresql_using="gin",
        postgresql_where=sa.text("deleted_at IS NULL"),
        postgresql_ops={"title": "gin_trgm_ops"},
    )
    op.create_index(
        "ix_documents_user_id_created_at",
        "documents",
        ["user_id", "created_at"],
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index(
        "uq_documents_newest",
        "documents",
        ["lineage_id"],
        unique=True,
        postgresql_where=sa.text("superseded_at IS NULL"),
    )


def create_feedback() -> None:
    op.create_table(
        "feedback",
        sa.Column("id", sa.Uuid(), nullable=False, comment="UUIDv7, made by the application."),
        sa.Column("user_id", sa.Uuid(), nullable=False, comment="The user whose row this is."),
        sa.Column("type", sa.Text(), nullable=False, comment="rating, comment or report."),
        sa.Column("rating", sa.SmallInteger(), comment="1 to 5."),
        sa.Column("comment", sa.Text(), comment="In their words."),
        sa.Column(
            "status",
            sa.Text(),
            server_default=sa.text("'active'"),
            nullable=False,
            comment="active, resolved or withdrawn.",
        ),
        sa.Column("card_id", sa.Uuid(), comment="The card."),
        sa.Column("question_id", sa.Uuid(), comment="The question."),
        sa.Column("note_id", sa.Uuid(), comment="The note."),
        sa.Column("document_id", sa.Uuid(), comment="The document."),
        sa.Column("message_id", sa.Uuid(), comment="The answer in the chat."),
        sa.Column("interaction_id", sa.Uuid(), comment="The interaction during which it was given."),
        sa.Column(
            "context", JSONB(), server_default=sa.text("'{}'"), nullable=False, comment="What the person saw."
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
        sa.CheckConstraint("status IN ('active', 'resolved', 'withdrawn')", name=op.f("ck_feedback_status")),
        sa.CheckConstraint("type <> 'rating' OR rating IS NOT NULL", name=op.f("ck_feedback_rated")),
        sa.CheckConstraint("type IN ('rating', 'comment', 'report')", name=op.f("ck_feedback_type")),
        sa.CheckConstraint(
            "num_nonnulls(card_id, question_id, note_id, document_id, message_id) = 1",
            name=op.f("ck_feedback_target"),
        ),
        sa.CheckConstraint("rating BETWEEN 1 AND 5", name=op.f("ck_feedback_rating")),
        sa.ForeignKeyConstraint(
            ["card_id"], ["flashcards.id"], name="fk_feedback_card_id_flashcards", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["document_id"], ["documents.id"], name="fk_feedback_document_id_documents", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["message_id"], ["messages.id"], name="fk_feedback_message_id_messages", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["note_id"], ["notes.id"], name="fk_feedback_note_id_notes", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["question_id"],
            ["test_questions.id"],
            name="fk_feedback_question_id_test_questions",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name="fk_feedback_user_id_users", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_feedback"),
        comment="What a person thinks of a card, question, note, document or answer.",
    )
    op.create_index("ix_feedback_card_id", "feedback", ["card_id"])
    op.create_index("ix_feedback_document_id", "feedback", ["document_id"])
    op.create_index("ix_feedback_message_id", "feedback", ["message_id"])
    op.create_index("ix_feedback_note_id", "feedback", ["note_id"])
    op.create_index("ix_feedback_question_id", "feedback", ["question_id"])
    op.create_index("ix_feedback_user_id_created_at", "feedback", ["user_id", "created_at"])


def create_interactions() -> None:
    op.create_table(
        "interactions",
        sa.Column("id", sa.Uuid(), nullable=False, comment="UUIDv7, made by the application."),
        sa.Column("user_id", sa.Uuid(), nullable=False, comment="The user whose row this is."),
        sa.Column("created_at", TIMESTAMPTZ, nullable=False, comment="When; decides the partition."),
        sa.Column("session_id", sa.Uuid(), comment="The study session."),
        sa.Column("class_id", sa.Uuid(), comment="The class."),
        sa.Column("concept_id", sa.Uuid(), comment="The concept."),
        sa.Column("card_id", sa.Uuid(), comment="The card, if it was one."),
        sa.Column("question_id", sa.Uuid(), comment="The question, if it was one."),
        sa.Column("material_id", sa.Uuid(), comment="The material, if it was one."),
        sa.Column("type", sa.Text(), nullable=False, comment="answer, review, view, hint, skip or rate."),
        sa.Column("is_correct", sa.Boolean(), comment="Whether it was right."),
        sa.Column("response_time_ms", sa.Integer(), comment="Time taken, in milliseconds."),
        sa.Column("confidence", sa.Double(), comment="How sure the person was, 0 to 1."),
        sa.Column(
            "data",
            JSONB(),
            server_default=sa.text("'{}'"),
            nullable=False,
            comment="What was done, in detail.",
        ),
        sa.Column("feedback", JSONB(), comment="What the person was told at once."),
        sa.CheckConstraint(
            "type IN ('answer', 'review', 'view', 'hint', 'skip', 'rate')", name=op.f("ck_interactions_type")
        ),
        sa.CheckConstraint("confidence BETWEEN 0 AND 1", name=op.f("ck_interactions_confidence")),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name="fk_interactions_user_id_users", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", "created_at", name="pk_interactions"),
        comment="One thing done in a session. Monthly partitions; names what it was about without foreign keys, being history.",
        postgresql_partition_by="RANGE (created_at)",
    )
    op.create_index("ix_interactions_session_id", "interactions", ["session_id"])
    op.create_index("ix_interactions_user_id_created_at", "interactions", ["user_id", "created_at"])


def create_progress_metrics() -> None:
    op.create_table(
        "progress_metrics",
        sa.Column("id", sa.Uuid(), nullable=False, comment="UUIDv7, made by the application."),
        sa.Column("user_id", sa.Uuid(), nullable=False, comment="The user whose row this is."),
        sa.Column("recorded_at", TIMESTAMPTZ, nullable=False, comment="When; decides the partition."),
        sa.Column("class_id", sa.Uuid(), comment="The class; those who teach it see the row."),
        sa.Column("concept_id", sa.Uuid(), comment="The concept."),
        sa.Column("session_id", sa.Uuid(), comment="The study session."),
        sa.Column(
            "type",
            sa.Text(),
            nullable=False,
            comment="accuracy, retention, speed, mastery, study_time, reviews or coverage.",
        ),
        sa.Column(
            "value", sa.Double(), nullable=False, comment="Shares from 0 to 1, times in seconds, else counts."
        ),
        sa.Column("period", sa.Text(), comment="session, daily, weekly or monthly."),
        sa.Column("aggregation", sa.Text(), comment="sum, mean, maximum or last."),
        sa.Column(
            "data",
            JSONB(),
            server_default=sa.text("'{}'"),
            nullable=False,
            comment="What it was computed from.",
        ),
        sa.CheckConstraint(
            "aggregation IN ('sum', 'mean', 'maximum', 'last')", name=op.f("ck_progress_metrics_aggregation")
        ),
        sa.CheckConstraint(
            "period IN ('session', 'daily', 'weekly', 'monthly')", name=op.f("ck_progress_metrics_period")
        ),
        sa.CheckConstraint(
            "type IN ('accuracy', 'retention', 'speed', 'mastery', 'study_time', 'reviews', 'coverage')",
            name=op.f("ck_progress_metrics_type"),
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name="fk_progress_metrics_user_id_users", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", "recorded_at", name="pk_progress_metrics"),
        comment="A figure about someone's learning. Monthly partitions; kept for 5 years.",
        postgresql_partition_by="RANGE (recorded_at)",
    )
    op.create_index("ix_progress_metrics_class_id_user_id", "progress_metrics", ["class_id", "user_id"])
    op.create_index("ix_progress_metrics_user_id_recorded_at", "progress_metrics", ["user_id", "recorded_at"])
