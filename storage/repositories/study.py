"""Study sessions, interactions, feedback and figures about learning."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from storage.models import Class, Interaction, ProgressMetric, StudySession
from storage.repositories.base import Page, Repository, among

ONE_AT_A_TIME = text("SELECT pg_advisory_xact_lock(hashtextextended('study:' || :kind || ':' || :user, 0))")

DONE = """
    SELECT a.answered_at AS at, t.class_id,
           coalesce(CAST(a.question ->> 'session_id' AS uuid), t.session_id) AS session_id, FALSE AS is_review, a.is_correct,
           a.response_time_ms AS taken_ms, FALSE AS is_learnt
    FROM attempt_answers a JOIN test_attempts t ON t.id = a.attempt_id AND t.user_id = a.user_id
    WHERE a.user_id = :me AND a.answered_at >= :since AND a.answered_at < :until AND a.is_correct IS NOT NULL
    UNION ALL
    SELECT r.reviewed_at, d.class_id, r.session_id, TRUE, r.rating > 1, r.duration_ms,
           coalesce(r.before ->> 'state' = 'review', FALSE)
    FROM card_reviews r
    JOIN flashcards c ON c.id = r.card_id AND c.user_id = r.user_id
    JOIN decks d ON d.id = c.deck_id AND d.user_id = c.user_id
    WHERE r.user_id = :me AND r.reviewed_at >= :since AND r.reviewed_at < :until
      AND r.undone_at IS NULL AND r.imported_id IS NULL
"""
"""Graded answers and reviews. These tables are the truth of what was right: appeals and undo change them."""

DAY = "((at AT TIME ZONE :zone) - make_interval(hours => CAST(:hour AS integer)))::date"
FIGURES = text(f"""
    SELECT {DAY} AS day, class_id,
        count(*) FILTER (WHERE NOT is_review) AS answered,
        count(*) FILTER (WHERE is_review) AS reviews,
        count(*) FILTER (WHERE is_correct) AS correct,
        count(*) FILTER (WHERE is_learnt) AS learnt,
        count(*) FILTER (WHERE is_learnt AND is_correct) AS remembered,
        count(taken_ms) AS timed, coalesce(sum(taken_ms), 0)::double precision / 1000 AS taken_seconds,
        0::double precision AS study_seconds
    FROM ({DONE}) done
    WHERE (CAST(:class_id AS uuid) IS NULL OR class_id = :class_id)
      AND (CAST(:session_id AS uuid) IS NULL OR session_id = :session_id)
    GROUP BY 1, 2
    UNION ALL
    SELECT {DAY.replace("(at ", "(created_at ")}, class_id, 0, 0, 0, 0, 0, 0, 0,
        coalesce(sum((data ->> 'seconds')::double precision), 0)
    FROM interactions
    WHERE user_id = :me AND created_at >= :since AND created_at < :until
      AND (CAST(:class_id AS uuid) IS NULL OR class_id = :class_id)
      AND (CAST(:session_id AS uuid) IS NULL OR session_id = :session_id)
    GROUP BY 1, 2
""")  # noqa: S608 - put together from constants of this module

STUDIED_DAYS = text(f"""
    SELECT DISTINCT {DAY.replace("(at ", "(created_at ")} FROM interactions
    WHERE user_id = :me AND created_at >= :since AND (CAST(:class_id AS uuid) IS NULL OR class_id = :class_id)
    UNION
    SELECT CAST(data ->> 'date' AS date) FROM progress_metrics
    WHERE user_id = :me AND recorded_at >= :since AND period = 'daily' AND type = 'study_time'
        AND (CAST(:class_id AS uuid) IS NULL OR class_id = :class_id)
""")  # noqa: S608


@dataclass(frozen=True, slots=True)
class Figures:
    """What was done, summed up; those of several days or classes add up."""

    answered: int = 0
    reviews: int = 0
    correct: int = 0
    """Of answers and reviews together."""
    learnt: int = 0
    """Reviews of cards that were learnt already, and how many of these were remembered."""
    remembered: int = 0
    timed: int = 0
    """Answers and reviews whose time is known, and their time."""
    taken_seconds: float = 0.0
    study_seconds: float = 0.0

    def __add__(self, other: "Figures") -> "Figures":
        return Figures(*(getattr(self, f.name) + getattr(other, f.name) for f in fields(Figures)))

    @property
    def done(self) -> int:
        return self.answered + self.reviews

    @property
    def accuracy(self) -> float | None:
        return self.correct / self.done if self.done else None

    @property
    def retention(self) -> float | None:
        return self.remembered / self.learnt if self.learnt else None

    @property
    def speed(self) -> float | None:
        """Seconds for an answer or a review."""
        return self.taken_seconds / self.timed if self.timed else None


@dataclass(frozen=True, slots=True)
class Days:
    """How a person's study days are cut."""

    zone: str
    start_hour: int


async def silent_students(session: AsyncSession, before: datetime) -> list[UUID]:
    """Users, of all, with an active session that was begun before this moment."""
    asked = text("SELECT user_id FROM lyceum_silent_students(:before)")
    return list((await session.scalars(asked, {"before": before})).all())


class StudyRepository(Repository):
    # --- sessions and interactions

    async def one_at_a_time(self, kind: str) -> None:
        """Until this transaction ends no other notes what this person does in sessions of this kind."""
        await self.session.execute(ONE_AT_A_TIME, {"kind": kind, "user": str(self.user_id)})

    async def open_session(self, kind: str) -> StudySession | None:
        """The newest active one. Read anew: another transaction may have changed it before this one had the lock."""
        mine = select(StudySession).where(
            StudySession.user_id == self.user_id, StudySession.type == kind, StudySession.status == "active"
        )
        newest = mine.order_by(StudySession.started_at.desc()).limit(1)
        return await self.session.scalar(newest, execution_options={"populate_existing": True})

    async def session_of(self, session_id: UUID) -> StudySession | None:
        mine = select(StudySession).where(StudySession.user_id == self.user_id, StudySession.id == session_id)
        return await self.session.scalar(mine, execution_options={"populate_existing": True})

    async def last_activity(self, row: StudySession) -> datetime:
        """When something was last done in it; its beginning where nothing was."""
        latest = await self.session.scalar(
            select(func.max(Interaction.created_at)).where(
                Interaction.user_id == self.user_id,
                Interaction.session_id == row.id,
                Interaction.created_at >= row.started_at,
            )
        )
        return latest or row.started_at

    async def silent_sessions(self, before: datetime) -> Sequence[StudySession]:
        """Active ones that were begun before this moment, oldest first."""
        mine = select(StudySession).where(
            StudySession.user_id == self.user_id,
            StudySession.status == "active",
            StudySession.started_at < before,
        )
        return (await self.session.scalars(mine.order_by(StudySession.started_at))).all()

    async def add(self, row: StudySession | Interaction) -> None:
        self.session.add(row)
        await self.session.flush()

    async def last_interaction(
        self, session_id: UUID, *, card_id: UUID | None = None, question_id: UUID | None = None
    ) -> Interaction | None:
        """The newest one of the session about this card or question."""
        mine = select(Interaction).where(
            Interaction.user_id == self.user_id, Interaction.session_id == session_id
        )
        if card_id is not None:
            mine = mine.where(Interaction.card_id == card_id, Interaction.type == "review")
        if question_id is not None:
            mine = mine.where(Interaction.question_id == question_id, Interaction.type == "answer")
        return await self.session.scalar(mine.order_by(Interaction.created_at.desc()).limit(1))

    async def remove(self, row: Interaction) -> None:
        await self.session.delete(row)
        await self.session.flush()

    async def sessions(
        self, *, class_id: UUID | None, kind: str | None, limit: int, cursor: str | None
    ) -> Page[StudySession]:
        mine = select(StudySession).where(StudySession.user_id == self.user_id)
        if class_id is not None:
            mine = mine.where(StudySession.class_id == class_id)
        if kind is not None:
            mine = mine.where(StudySession.type == kind)
        return await self.page(mine, StudySession.started_at, StudySession.id, limit=limit, cursor=cursor)

    # --- figures

    async def figures(
        self,
        since: datetime,
        until: datetime,
        days: Days,
        *,
        class_id: UUID | None = None,
        session_id: UUID | None = None,
    ) -> dict[tuple[date, UUID | None], Figures]:
        """What was done in [since, until), by study day and class."""
        rows = await self.session.execute(
            FIGURES,
            {
                "me": self.user_id,
                "since": since,
                "until": until,
                "zone": days.zone,
                "hour": days.start_hour,
                "class_id": class_id,
                "session_id": session_id,
            },
        )
        found: dict[tuple[date, UUID | None], Figures] = {}
        for day, of_class, *values in rows:
            found[day, of_class] = found.get((day, of_class), Figures()) + Figures(*values)
        return found

    async def put_metrics(self, rows: Sequence[dict[str, Any]]) -> None:
        """Write figures; those of the same id and moment are replaced, so that writing twice does not double them."""
        if not rows:
            return
        fresh = insert(ProgressMetric).values([{"user_id": self.user_id, **row} for row in rows])
        changed = {name: fresh.excluded[name] for name in ("value", "data")}
        await self.session.execute(
            fresh.on_conflict_do_update(index_elements=["id", "recorded_at"], set_=changed)
        )

    async def kept_days(
        self, since: datetime, until: datetime, class_id: UUID | None
    ) -> dict[tuple[date, UUID | None], Figures]:
        """Daily figures as they were kept, by study day and class: what is left of days whose items are gone."""
        mine = select(ProgressMetric.class_id, ProgressMetric.data).where(
            ProgressMetric.user_id == self.user_id,
            ProgressMetric.period == "daily",
            ProgressMetric.type == "study_time",
            ProgressMetric.recorded_at >= since,
            ProgressMetric.recorded_at < until,
        )
        if class_id is not None:
            mine = mine.where(ProgressMetric.class_id == class_id)
        return {
            (date.fromisoformat(data["date"]), of_class): Figures(
                **{f.name: data[f.name] for f in fields(Figures)}
            )
            for of_class, data in await self.session.execute(mine)
        }

    async def studied_days(self, since: datetime, days: Days, class_id: UUID | None) -> set[date]:
        """Study days on which anything was done, from the interactions and the kept figures."""
        limits = {
            "me": self.user_id,
            "since": since,
            "zone": days.zone,
            "hour": days.start_hour,
            "class_id": class_id,
        }
        return set((await self.session.scalars(STUDIED_DAYS, limits)).all())

    async def class_names(self, ids: Sequence[UUID]) -> dict[UUID, str]:
        """Of classes that the person owns or has joined."""
        rows = await self.session.execute(select(Class.id, Class.name).where(among(Class.id, ids)))
        return {row.id: row.name for row in rows}
