"""Keys of shared tests are shown to nobody before they have answered; attempts know when they tell what is right; study
sessions that nobody goes on with are found across users."""

import sqlalchemy as sa
from alembic import op

from migrations.security import (
    ME,
    as_system,
    hidden_from_system,
    identity,
    lookup,
    one_of,
    policy,
    readable,
    visible_to_system,
)

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

SEEN_BY_SYSTEM = ("test_questions", "test_attempts", "attempt_answers", "study_sessions")

# What may be known of a question before it is answered. The order of stored options may tell something of the key (an ordering
# is stored as it was made), so they are shuffled before they are shown; a caller's own query gets nothing at all.
SHARED_QUESTIONS = (
    "lyceum_shared_questions(p_test_id uuid)",
    """TABLE (id uuid, test_id uuid, ordinal int, type text, text text, options jsonb, points double precision,
    difficulty smallint, bloom_level text, concept_id uuid, topic text, material_id uuid, gaps int, status text)""",
    """SELECT q.id, q.test_id, q.ordinal, q.type, q.text, q.options, q.points, q.difficulty, q.bloom_level, q.concept_id,
    q.topic, q.material_id, coalesce(jsonb_array_length(q.answer -> 'gaps'), 0), q.status
    FROM test_questions q WHERE q.test_id = p_test_id AND p_test_id IN (SELECT lyceum_readable_tests())""",
)
# Keys of the questions of one attempt: the caller's own, at a test that is theirs or shared with them, once it is handed in or
# its time is up. Before that only of questions answered in an attempt that tells at once, which then takes no other answer.
ATTEMPT_KEYS = (
    "lyceum_attempt_keys(p_attempt_id uuid)",
    """TABLE (question_id uuid, answer jsonb, explanation text, quote text, locator jsonb, source_chunk_ids uuid[],
    material_id uuid)""",
    f"""SELECT q.id, q.answer, q.explanation, q.quote, q.locator, q.source_chunk_ids, q.material_id
    FROM test_attempts a
    JOIN tests t ON t.id = a.test_id
    JOIN attempt_answers r ON r.attempt_id = a.id AND r.user_id = a.user_id
    JOIN test_questions q ON q.id = r.question_id AND q.test_id = a.test_id
    WHERE a.id = p_attempt_id AND a.user_id = {ME}
    AND (t.user_id = {ME} OR t.id IN (SELECT lyceum_readable_tests()))
    AND (a.submitted_at IS NOT NULL OR a.expires_at <= now() OR (a.feedback = 'at_once' AND r.response IS NOT NULL))""",
)
# For the worker, which looks across users: attempts whose time is up, and those handed in to a process that died before it
# had graded them.
UNGRADED = (
    "lyceum_ungraded_attempts(p_grace int, p_limit int)",
    "TABLE (attempt_id uuid, user_id uuid)",
    """(SELECT id, user_id FROM test_attempts WHERE status = 'in_progress' AND expires_at < now() - make_interval(secs => p_grace)
    ORDER BY expires_at LIMIT p_limit)
    UNION ALL
    (SELECT id, user_id FROM test_attempts WHERE submitted_at IS NOT NULL AND graded_at IS NULL AND status <> 'abandoned'
    AND submitted_at < now() - interval '2 minutes' AND submitted_at > now() - interval '1 day' LIMIT p_limit)""",
)
SILENT = (
    "lyceum_silent_students(p_before timestamptz)",
    "TABLE (user_id uuid)",
    "SELECT DISTINCT user_id FROM study_sessions WHERE status = 'active' AND started_at < p_before",
)
FUNCTIONS = (SHARED_QUESTIONS, ATTEMPT_KEYS, UNGRADED, SILENT)


def upgrade() -> None:
    op.add_column(
        "test_attempts",
        sa.Column(
            "feedback",
            sa.Text(),
            server_default=sa.text("'at_end'"),
            nullable=False,
            comment="at_end, or at_once: each answer is graded when it is given, and then stands.",
        ),
    )
    op.create_check_constraint(
        op.f("ck_test_attempts_feedback"), "test_attempts", "feedback IN ('at_end', 'at_once')"
    )
    op.create_index(
        "ix_test_attempts_ungraded",
        "test_attempts",
        ["submitted_at"],
        postgresql_where=sa.text("submitted_at IS NOT NULL AND graded_at IS NULL"),
    )
    op.create_index(
        "ix_study_sessions_active",
        "study_sessions",
        ["started_at"],
        postgresql_where=sa.text("status = 'active'"),
    )
    run([readable("test_attempts"), "DROP POLICY test_questions_granted ON test_questions"])
    run([statement for table in SEEN_BY_SYSTEM for statement in visible_to_system(table)])
    run(as_system([statement for one in FUNCTIONS for statement in lookup(*one)]))


def downgrade() -> None:
    for signature, _, _ in FUNCTIONS:
        op.execute(f"DROP FUNCTION {identity(signature)}")
    run([statement for table in SEEN_BY_SYSTEM for statement in hidden_from_system(table)])
    op.execute(policy("test_questions", "granted", one_of("test_id", "lyceum_readable_tests")))
    op.drop_index("ix_study_sessions_active", "study_sessions")
    op.drop_index("ix_test_attempts_ungraded", "test_attempts")
    op.drop_constraint(op.f("ck_test_attempts_feedback"), "test_attempts")
    op.drop_column("test_attempts", "feedback")


def run(statements: list[str]) -> None:
    for statement in statements:
        op.execute(statement)
