"""Figures, notes with their sources, courses and the graph of concepts."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql
from sqlalchemy.dialects.postgresql import JSONB

from migrations.security import (
    audited,
    stamped,
    tenant,
)

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


TIMESTAMPTZ = sa.DateTime(timezone=True)

TABLES = (
    "figures",
    "notes",
    "note_sources",
    "courses",
    "course_materials",
    "concepts",
    "concept_edges",
    "course_concepts",
    "knowledge_extractions",
    "learning_objectives",
)
STAMPED = ("notes", "courses", "concepts", "learning_objectives")
AUDITED = (
    "notes",
    "note_sources",
    "courses",
    "course_materials",
    "concepts",
    "concept_edges",
    "course_concepts",
    "learning_objectives",
)


def upgrade() -> None:
    create_tables()
    for table in TABLES:
        run(tenant(table))
    run([*map(stamped, STAMPED), *map(audited, AUDITED)])


def downgrade() -> None:
    for table in reversed(TABLES):
        op.drop_table(table)


def run(statements: list[str]) -> None:
    for statement in statements:
        op.execute(statement)


def create_tables() -> None:
    create_figures()
    create_notes()
    create_note_sources()
    create_courses()
    create_course_materials()
    create_concepts()
    create_concept_edges()
    create_course_concepts()
    create_knowledge_extractions()
    create_learning_objectives()


def create_figures() -> None:
    op.create_table(
        "figures",
        sa.Column("id", sa.Uuid(), nullable=False, comment="UUIDv7, made by the application."),
        sa.Column("user_id", sa.Uuid(), nullable=False, comment="The user whose row this is."),
        sa.Column("material_id", sa.Uuid(), nullable=False, comment="Its material."),
        sa.Column("ordinal", sa.Integer(), nullable=False, comment="Position in the material, from 0."),
        sa.Column("segment", sa.Integer(), nullable=False, comment="Ordinal of the segment it stands in."),
        sa.Column("kind", sa.Text(), nullable=False, comment="figure, diagram, photo, table or formula."),
        sa.Column("label", sa.Text(), comment="What the text calls it: Figure 3."),
        sa.Column("caption", sa.Text(), comment="The words below or above it."),
        sa.Column("text", sa.Text(), comment="Words found in it."),
        sa.Column("box", sa.ARRAY(sa.Double()), comment="x0, y0, x1, y1 as fractions of the page."),
        sa.Column("file_id", sa.Uuid(), comment="The picture cut out, where it was kept."),
        sa.Column(
            "created_at",
            TIMESTAMPTZ,
            server_default=sa.text("now()"),
            nullable=False,
            comment="When the row was made.",
        ),
        sa.CheckConstraint(
            "kind IN ('figure', 'diagram', 'photo', 'table', 'formula')", name=op.f("ck_figures_kind")
        ),
        sa.ForeignKeyConstraint(
            ["file_id", "user_id"],
            ["files.id", "files.user_id"],
            name="fk_figures_file_id_files",
            ondelete="SET NULL (file_id)",
        ),
        sa.ForeignKeyConstraint(
            ["material_id", "user_id"],
            ["materials.id", "materials.user_id"],
            name="fk_figures_material_id_materials",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name="fk_figures_user_id_users", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_figures"),
        sa.UniqueConstraint("material_id", "ordinal", name="uq_figures_material_id_ordinal"),
        comment="A picture, table or formula on a page, with its caption.",
    )
    op.create_index("ix_figures_file_id", "figures", ["file_id"])
    op.create_index("ix_figures_user_id", "figures", ["user_id"])


def create_notes() -> None:
    op.create_table(
        "notes",
        sa.Column("id", sa.Uuid(), nullable=False, comment="UUIDv7, made by the application."),
        sa.Column("user_id", sa.Uuid(), nullable=False, comment="The user whose row this is."),
        sa.Column("class_id", sa.Uuid(), comment="The class it belongs to, own or joined."),
        sa.Column("title", sa.Text(), nullable=False, comment="Title."),
        sa.Column("text", sa.Text(), nullable=False, comment="Content, in Markdown."),
        sa.Column(
            "type",
            sa.Text(),
            server_default=sa.text("'note'"),
            nullable=False,
            comment="note, lecture, summary, outline or cornell.",
        ),
        sa.Column(
            "tags",
            sa.ARRAY(sa.Text()),
            server_default=sa.text("'{}'"),
            nullable=False,
            comment="Words to file it under.",
        ),
        sa.Column("language", sa.Text(), comment="Language (BCP 47)."),
        sa.Column(
            "text_config",
            sa.Text(),
            server_default=sa.text("'english'"),
            nullable=False,
            comment="Text search configuration of its lexemes.",
        ),
        sa.Column(
            "lexemes",
            postgresql.TSVECTOR(),
            sa.Computed("lyceum_lexemes(text_config, ARRAY[title], text)", persisted=True),
            nullable=False,
            comment="Words of title and content, reduced to stems.",
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
            "type IN ('note', 'lecture', 'summary', 'outline', 'cornell')", name=op.f("ck_notes_type")
        ),
        sa.ForeignKeyConstraint(
            ["class_id"], ["classes.id"], name="fk_notes_class_id_classes", ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_notes_user_id_users", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_notes"),
        sa.UniqueConstraint("user_id", "id", name="uq_notes_user_id_id"),
        comment="A note in Markdown.",
    )
    op.create_index("ix_notes_class_id_created_at", "notes", ["class_id", "created_at"])
    op.create_index(
        "ix_notes_deleted_at", "notes", ["deleted_at"], postgresql_where=sa.text("deleted_at IS NOT NULL")
    )
    op.create_index(
        "ix_notes_lexemes",
        "notes",
        ["lexemes"],
        postgresql_using="gin",
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index(
        "ix_notes_shared",
        "notes",
        ["class_id"],
        postgresql_where=sa.text("shared_with_class AND deleted_at IS NULL"),
    )
    op.create_index(
        "ix_notes_title_trigrams",
        "notes",
        ["title"],
        postgresql_using="gin",
        postgresql_where=sa.text("deleted_at IS NULL"),
        postgresql_ops={"title": "gin_trgm_ops"},
    )
    op.create_index(
        "ix_notes_user_id_created_at",
        "notes",
        ["user_id", "created_at"],
        postgresql_where=sa.text("deleted_at IS NULL"),
    )


def create_note_sources() -> None:
    op.create_table(
        "note_sources",
        sa.Column("id", sa.Uuid(), nullable=False, comment="UUIDv7, made by the application."),
        sa.Column("user_id", sa.Uuid(), nullable=False, comment="The user whose row this is."),
        sa.Column("note_id", sa.Uuid(), nullable=False, comment="The note."),
        sa.Column(
            "ordinal", sa.Integer(), nullable=False, comment="Its number in the note's citations, from 1."
        ),
        sa.Column("material_id", sa.Uuid(), comment="The material."),
        sa.Column(
            "chunk_id", sa.Uuid(), comment="The chunk; no foreign key, since reprocessing replaces chunks."
        ),
        sa.Column("quote", sa.Text(), comment="The passage's words."),
        sa.Column(
            "locator",
            JSONB(),
            nullable=False,
            comment="Where it stands: page, slide or seconds, character range, boxes.",
        ),
        sa.ForeignKeyConstraint(
            ["material_id"],
            ["materials.id"],
            name="fk_note_sources_material_id_materials",
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(
            ["note_id", "user_id"],
            ["notes.id", "notes.user_id"],
            name="fk_note_sources_note_id_notes",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name="fk_note_sources_user_id_users", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_note_sources"),
        sa.UniqueConstraint("note_id", "ordinal", name="uq_note_sources_note_id_ordinal"),
        comment="A passage that a note was made from.",
    )
    op.create_index("ix_note_sources_material_id", "note_sources", ["material_id"])
    op.create_index("ix_note_sources_user_id", "note_sources", ["user_id"])


def create_courses() -> None:
    op.create_table(
        "courses",
        sa.Column("id", sa.Uuid(), nullable=False, comment="UUIDv7, made by the application."),
        sa.Column("user_id", sa.Uuid(), nullable=False, comment="The user whose row this is."),
        sa.Column("class_id", sa.Uuid(), comment="The class it belongs to, own or joined."),
        sa.Column("title", sa.Text(), nullable=False, comment="Title."),
        sa.Column("description", sa.Text(), comment="What it teaches."),
        sa.Column("target_audience", sa.Text(), comment="Whom it is for."),
        sa.Column("difficulty", sa.Text(), comment="beginner, intermediate or advanced."),
        sa.Column("duration_weeks", sa.SmallInteger(), comment="How many weeks it takes."),
        sa.Column("hours_per_week", sa.Double(), comment="Hours of work a week."),
        sa.Column("language", sa.Text(), comment="Language (BCP 47)."),
        sa.Column(
            "status",
            sa.Text(),
            server_default=sa.text("'draft'"),
            nullable=False,
            comment="generating, draft, published or archived.",
        ),
        sa.Column(
            "outline",
            JSONB(),
            server_default=sa.text("'[]'"),
            nullable=False,
            comment="Weeks with their lessons, activities and locators.",
        ),
        sa.Column(
            "prerequisites",
            sa.ARRAY(sa.Text()),
            server_default=sa.text("'{}'"),
            nullable=False,
            comment="What one should know before.",
        ),
        sa.Column(
            "assessment_methods",
            JSONB(),
            server_default=sa.text("'[]'"),
            nullable=False,
            comment="How it is tested, with weights.",
        ),
        sa.Column(
            "resources", JSONB(), server_default=sa.text("'[]'"), nullable=False, comment="Further reading."
        ),
        sa.Column("published_at", TIMESTAMPTZ, comment="When it left draft."),
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
            "difficulty IN ('beginner', 'intermediate', 'advanced')", name=op.f("ck_courses_difficulty")
        ),
        sa.CheckConstraint(
            "status IN ('generating', 'draft', 'published', 'archived')", name=op.f("ck_courses_status")
        ),
        sa.CheckConstraint("duration_weeks BETWEEN 1 AND 520", name=op.f("ck_courses_duration_weeks")),
        sa.CheckConstraint("hours_per_week BETWEEN 0 AND 168", name=op.f("ck_courses_hours_per_week")),
        sa.ForeignKeyConstraint(
            ["class_id"], ["classes.id"], name="fk_courses_class_id_classes", ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name="fk_courses_user_id_users", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_courses"),
        sa.UniqueConstraint("user_id", "id", name="uq_courses_user_id_id"),
        comment="A course made from material: an outline by weeks with objectives.",
    )
    op.create_index("ix_courses_class_id_created_at", "courses", ["class_id", "created_at"])
    op.create_index(
        "ix_courses_deleted_at", "courses", ["deleted_at"], postgresql_where=sa.text("deleted_at IS NOT NULL")
    )
    op.create_index(
        "ix_courses_shared",
        "courses",
        ["class_id"],
        postgresql_where=sa.text("shared_with_class AND deleted_at IS NULL"),
    )
    op.create_index(
        "ix_courses_title_trigrams",
        "courses",
        ["title"],
        postgresql_using="gin",
        postgresql_where=sa.text("deleted_at IS NULL"),
        postgresql_ops={"title": "gin_trgm_ops"},
    )
    op.create_index(
        "ix_courses_user_id_created_at",
        "courses",
        ["user_id", "created_at"],
        postgresql_where=sa.text("deleted_at IS NULL"),
    )


def create_course_materials() -> None:
    op.create_table(
        "course_materials",
        sa.Column("id", sa.Uuid(), nullable=False, comment="UUIDv7, made by the application."),
        sa.Column("user_id", sa.Uuid(), nullable=False, comment="The user whose row this is."),
        sa.Column("course_id", sa.Uuid(), nullable=False, comment="The course."),
        sa.Column(
            "material_id", sa.Uuid(), nullable=False, comment="The material, own or of a joined class."
        ),
        sa.Column(
            "usage",
            sa.Text(),
            server_default=sa.text("'primary'"),
            nullable=False,
            comment="primary, reference or supplementary.",
        ),
        sa.Column("relevance", sa.Double(), comment="How much of it the course uses, 0 to 1."),
        sa.CheckConstraint(
            "usage IN ('primary', 'reference', 'supplementary')", name=op.f("ck_course_materials_usage")
        ),
        sa.CheckConstraint("relevance BETWEEN 0 AND 1", name=op.f("ck_course_materials_relevance")),
        sa.ForeignKeyConstraint(
            ["course_id", "user_id"],
            ["courses.id", "courses.user_id"],
            name="fk_course_materials_course_id_courses",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["material_id"],
            ["materials.id"],
            name="fk_course_materials_material_id_materials",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name="fk_course_materials_user_id_users", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_course_materials"),
        sa.UniqueConstraint("course_id", "material_id", name="uq_course_materials_course_id_material_id"),
        comment="A material that a course uses.",
    )
    op.create_index("ix_course_materials_material_id", "course_materials", ["material_id"])
    op.create_index("ix_course_materials_user_id", "course_materials", ["user_id"])


def create_concepts() -> None:
    op.create_table(
        "concepts",
        sa.Column("id", sa.Uuid(), nullable=False, comment="UUIDv7, made by the application."),
        sa.Column("user_id", sa.Uuid(), nullable=False, comment="The user whose row this is."),
        sa.Column("class_id", sa.Uuid(), nullable=False, comment="The class it was found in, own or joined."),
        sa.Column("name", sa.Text(), nullable=False, comment="What it is called; unique in the class."),
        sa.Column("description", sa.Text(), comment="What it means."),
        sa.Column("difficulty", sa.Text(), comment="beginner, intermediate or advanced."),
        sa.Column("category", sa.Text(), comment="What kind of thing it is."),
        sa.Column(
            "tags",
            sa.ARRAY(sa.Text()),
            server_default=sa.text("'{}'"),
            nullable=False,
            comment="Other names, and words to file it under.",
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
            "difficulty IN ('beginner', 'intermediate', 'advanced')", name=op.f("ck_concepts_difficulty")
        ),
        sa.ForeignKeyConstraint(
            ["class_id"], ["classes.id"], name="fk_concepts_class_id_classes", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name="fk_concepts_user_id_users", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_concepts"),
        sa.UniqueConstraint("user_id", "id", name="uq_concepts_user_id_id"),
        comment="A node of a class's graph: something to understand.",
    )
    op.create_index(
        "ix_concepts_name_trigrams",
        "concepts",
        ["name"],
        postgresql_using="gin",
        postgresql_ops={"name": "gin_trgm_ops"},
    )
    op.create_index(
        "uq_concepts_class_id_user_id_name",
        "concepts",
        ["class_id", "user_id", sa.literal_column("lower(name)")],
        unique=True,
    )


def create_concept_edges() -> None:
    op.create_table(
        "concept_edges",
        sa.Column("id", sa.Uuid(), nullable=False, comment="UUIDv7, made by the application."),
        sa.Column("user_id", sa.Uuid(), nullable=False, comment="The user whose row this is."),
        sa.Column("source_id", sa.Uuid(), nullable=False, comment="The concept it starts from."),
        sa.Column("target_id", sa.Uuid(), nullable=False, comment="The concept it leads to."),
        sa.Column("type", sa.Text(), nullable=False, comment="prerequisite, relates_to or part_of."),
        sa.Column(
            "weight", sa.Double(), server_default=sa.text("1"), nullable=False, comment="How strong, 0 to 1."
        ),
        sa.Column(
            "mandatory",
            sa.Boolean(),
            server_default=sa.text("false"),
            nullable=False,
            comment="Of a prerequisite: cannot be skipped.",
        ),
        sa.Column("relation", sa.Text(), comment="Of relates_to: similar, opposite or example."),
        sa.Column(
            "created_at",
            TIMESTAMPTZ,
            server_default=sa.text("now()"),
            nullable=False,
            comment="When the row was made.",
        ),
        sa.CheckConstraint(
            "relation IN ('similar', 'opposite', 'example')", name=op.f("ck_concept_edges_relation")
        ),
        sa.CheckConstraint(
            "type IN ('prerequisite', 'relates_to', 'part_of')", name=op.f("ck_concept_edges_type")
        ),
        sa.CheckConstraint("source_id <> target_id", name=op.f("ck_concept_edges_no_loop")),
        sa.CheckConstraint("weight BETWEEN 0 AND 1", name=op.f("ck_concept_edges_weight")),
        sa.ForeignKeyConstraint(
            ["source_id", "user_id"],
            ["concepts.id", "concepts.user_id"],
            name="fk_concept_edges_source_id_concepts",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["target_id", "user_id"],
            ["concepts.id", "concepts.user_id"],
            name="fk_concept_edges_target_id_concepts",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name="fk_concept_edges_user_id_users", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_concept_edges"),
        sa.UniqueConstraint(
            "source_id", "target_id", "type", name="uq_concept_edges_source_id_target_id_type"
        ),
        comment="An edge between two concepts of one person: the source is a prerequisite of, relates to, or is a part of the target.",
    )
    op.create_index("ix_concept_edges_target_id", "concept_edges", ["target_id"])
    op.create_index("ix_concept_edges_user_id", "concept_edges", ["user_id"])


def create_course_concepts() -> None:
    op.create_table(
        "course_concepts",
        sa.Column("id", sa.Uuid(), nullable=False, comment="UUIDv7, made by the application."),
        sa.Column("user_id", sa.Uuid(), nullable=False, comment="The user whose row this is."),
        sa.Column("course_id", sa.Uuid(), nullable=False, comment="The course."),
        sa.Column("concept_id", sa.Uuid(), nullable=False, comment="The concept."),
        sa.Column("week", sa.SmallInteger(), comment="Week, from 1."),
        sa.Column(
            "ordinal",
            sa.Integer(),
            server_default=sa.text("0"),
            nullable=False,
            comment="Position in the week, from 0.",
        ),
        sa.Column("duration_minutes", sa.Integer(), comment="Time meant for it."),
        sa.ForeignKeyConstraint(
            ["concept_id", "user_id"],
            ["concepts.id", "concepts.user_id"],
            name="fk_course_concepts_concept_id_concepts",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["course_id", "user_id"],
            ["courses.id", "courses.user_id"],
            name="fk_course_concepts_course_id_courses",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name="fk_course_concepts_user_id_users", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_course_concepts"),
        sa.UniqueConstraint("course_id", "concept_id", name="uq_course_concepts_course_id_concept_id"),
        comment="A concept that a course covers, and when.",
    )
    op.create_index("ix_course_concepts_concept_id", "course_concepts", ["concept_id"])
    op.create_index("ix_course_concepts_user_id", "course_concepts", ["user_id"])


def create_knowledge_extractions() -> None:
    op.create_table(
        "knowledge_extractions",
        sa.Column("id", sa.Uuid(), nullable=False, comment="UUIDv7, made by the application."),
        sa.Column("user_id", sa.Uuid(), nullable=False, comment="The user whose row this is."),
        sa.Column(
            "material_id", sa.Uuid(), nullable=False, comment="The material, own or of a joined class."
        ),
        sa.Column("concept_id", sa.Uuid(), comment="The concept it belongs to."),
        sa.Column(
            "chunk_id", sa.Uuid(), comment="The chunk; no foreign key, since reprocessing replaces chunks."
        ),
        sa.Column("type", sa.Text(), nullable=False, comment="concept, definition, example or formula."),
        sa.Column("text", sa.Text(), nullable=False, comment="What was found."),
        sa.Column("context", sa.Text(), comment="The words around it."),
        sa.Column("page", sa.Integer(), comment="Number of the page, slide or section."),
        sa.Column("locator", JSONB(), comment="Where it stands: character range, boxes."),
        sa.Column("confidence", sa.Double(), comment="How sure the finder is, 0 to 1."),
        sa.Column("model", sa.Text(), comment="What found it: builtin or provider:name."),
        sa.Column(
            "created_at",
            TIMESTAMPTZ,
            server_default=sa.text("now()"),
            nullable=False,
            comment="When the row was made.",
        ),
        sa.CheckConstraint(
            "type IN ('concept', 'definition', 'example', 'formula')",
            name=op.f("ck_knowledge_extractions_type"),
        ),
        sa.CheckConstraint("confidence BETWEEN 0 AND 1", name=op.f("ck_knowledge_extractions_confidence")),
        sa.ForeignKeyConstraint(
            ["concept_id", "user_id"],
            ["concepts.id", "concepts.user_id"],
            name="fk_knowledge_extractions_concept_id_concepts",
            ondelete="SET NULL (concept_id)",
        ),
        sa.ForeignKeyConstraint(
            ["material_id"],
            ["materials.id"],
            name="fk_knowledge_extractions_material_id_materials",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name="fk_knowledge_extractions_user_id_users", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_knowledge_extractions"),
        comment="A concept, definition, example or formula found in a material, with where it stands.",
    )
    op.create_index("ix_knowledge_extractions_concept_id", "knowledge_extractions", ["concept_id"])
    op.create_index(
        "ix_knowledge_extractions_material_id_type", "knowledge_extractions", ["material_id", "type"]
    )
    op.create_index("ix_knowledge_extractions_user_id", "knowledge_extractions", ["user_id"])


def create_learning_objectives() -> None:
    op.create_table(
        "learning_objectives",
        sa.Column("id", sa.Uuid(), nullable=False, comment="UUIDv7, made by the application."),
        sa.Column("user_id", sa.Uuid(), nullable=False, comment="The user whose row this is."),
        sa.Column("course_id", sa.Uuid(), nullable=False, comment="The course."),
        sa.Column("concept_id", sa.Uuid(), comment="The concept it is about."),
        sa.Column("ordinal", sa.Integer(), nullable=False, comment="Position in the course, from 0."),
        sa.Column("week", sa.SmallInteger(), comment="Week, from 1."),
        sa.Column("description", sa.Text(), nullable=False, comment="Begins with a verb."),
        sa.Column(
            "bloom_level",
            sa.Text(),
            nullable=False,
            comment="remember, understand, apply, analyze, evaluate or create (revised Bloom taxonomy).",
        ),
        sa.Column(
            "is_measurable",
            sa.Boolean(),
            server_default=sa.text("true"),
            nullable=False,
            comment="Whether a test can show it.",
        ),
        sa.Column(
            "priority",
            sa.SmallInteger(),
            server_default=sa.text("0"),
            nullable=False,
            comment="Higher matters more.",
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
            name=op.f("ck_learning_objectives_bloom_level"),
        ),
        sa.ForeignKeyConstraint(
            ["concept_id", "user_id"],
            ["concepts.id", "concepts.user_id"],
            name="fk_learning_objectives_concept_id_concepts",
            ondelete="SET NULL (concept_id)",
        ),
        sa.ForeignKeyConstraint(
            ["course_id", "user_id"],
            ["courses.id", "courses.user_id"],
            name="fk_learning_objectives_course_id_courses",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name="fk_learning_objectives_user_id_users", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_learning_objectives"),
        sa.UniqueConstraint("course_id", "ordinal", name="uq_learning_objectives_course_id_ordinal"),
        comment="What a student can do after a course.",
    )
    op.create_index("ix_learning_objectives_concept_id", "learning_objectives", ["concept_id"])
    op.create_index("ix_learning_objectives_user_id", "learning_objectives", ["user_id"])
