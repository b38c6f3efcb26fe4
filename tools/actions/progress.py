"""How studying goes: figures, weak topics, sessions, and what a person thinks of an item."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, Field

from storage.errors import InvalidInput
from storage.locators import Locator
from storage.models import File, Material, StudySession
from storage.repositories.base import as_uuid
from storage.repositories.study import Figures
from storage.repositories.trials import WrongTrial
from tools.actions.notes import url_of
from tools.context import ToolContext
from tools.fields import ClassRef, Cursor, Limit
from tools.progress.figures import progress_of, summed_by
from tools.progress.rating import Kind, rate
from tools.progress.weakness import weak_topics
from tools.spec import Effect, Input, tool

KINDS: tuple[Kind, ...] = ("card", "question", "note", "document", "message")

Id = Annotated[str, Field(min_length=36, max_length=36)]
Days = Annotated[int, Field(ge=1, le=366, description="How many days back, today included.")]


class GetProgress(Input):
    class_id: ClassRef | None = Field(default=None, description="Only this class; all when left out.")
    days: Days = 30


class DayProgress(BaseModel):
    date: date
    answered: int = Field(description="Questions answered and graded.")
    reviews: int = Field(description="Cards reviewed.")
    correct: int = Field(description="Of both together.")
    accuracy: float | None = Field(description="Share of both that was right, 0 to 1.")
    study_seconds: float = Field(description="Time spent, without pauses of more than five minutes.")


class ProgressFigures(BaseModel):
    answered: int
    reviews: int
    correct: int
    accuracy: float | None = Field(
        description="Share of answers and reviews that were right, 0 to 1; null without any."
    )
    retention: float | None = Field(
        description="Share of the cards already learnt that were remembered when due, 0 to 1; null without any."
    )
    seconds_an_item: float | None = Field(description="Average time for an answer or a review.")
    study_seconds: float


class ClassProgress(ProgressFigures):
    class_id: UUID | None = Field(description="Null for what belongs to no class.")
    name: str | None


class Progress(ProgressFigures):
    since: date = Field(description="First study day counted.")
    streak_days: int = Field(
        description="Study days in a row up to today, or up to yesterday while today is still open."
    )
    longest_streak_days: int = Field(description="Most study days in a row within the days counted.")
    by_class: list[ClassProgress]
    by_day: list[DayProgress] = Field(description="Oldest first; only days with any study.")


@tool(effect=Effect.READ, toolset="progress")
async def get_progress(ctx: ToolContext, args: GetProgress) -> Progress:
    """How the user's studying goes, in all or in one class: accuracy, cards reviewed and remembered, time, streak, day by day."""
    target = await ctx.db.classes.reachable(args.class_id) if args.class_id else None
    kept = await progress_of(ctx.db, ctx.now(), days=args.days, class_id=target.id if target else None)
    of_classes = summed_by(kept.figures, lambda day, class_id: class_id)
    of_days = summed_by(kept.figures, lambda day, class_id: day)
    names = await ctx.db.study.class_names([one for one in of_classes if one is not None])
    total = sum(kept.figures.values(), Figures())
    classes = [
        ClassProgress(class_id=key, name=names.get(key) if key else None, **shown(figures))
        for key, figures in of_classes.items()
    ]
    return Progress(
        since=kept.since,
        streak_days=kept.streak,
        longest_streak_days=kept.longest,
        by_class=sorted(classes, key=lambda one: -one.study_seconds),
        by_day=[
            DayProgress(
                date=day,
                answered=figures.answered,
                reviews=figures.reviews,
                correct=figures.correct,
                accuracy=figures.accuracy,
                study_seconds=round(figures.study_seconds, 1),
            )
            for day, figures in sorted(of_days.items())
        ],
        **shown(total),
    )


def shown(figures: Figures) -> dict[str, Any]:
    return {
        "answered": figures.answered,
        "reviews": figures.reviews,
        "correct": figures.correct,
        "accuracy": figures.accuracy,
        "retention": figures.retention,
        "seconds_an_item": figures.speed,
        "study_seconds": round(figures.study_seconds, 1),
    }


class GetWeakTopics(Input):
    class_id: ClassRef | None = Field(default=None, description="Only this class; all when left out.")
    days: Days = 90
    limit: Limit = 10


class WrongItem(BaseModel):
    """Something that went wrong, and where to read it up."""

    kind: Literal["question", "card"]
    id: UUID
    text: str = Field(description="The question, or the front of the card.")
    at: datetime
    times_wrong: int
    quote: str | None = Field(description="The sentence that holds the answer.")
    material_id: UUID | None
    material_title: str | None
    label: str | None = Field(description="Where it stands, in words: page 57, 12:30.")
    url: str | None = Field(description="Opens the page's picture, or the recording at the second.")


class WeakTopic(BaseModel):
    topic: str
    class_id: UUID | None
    concept_id: UUID | None
    weakness: float = Field(
        description="Lower bound of the share that goes wrong (95 %, Wilson): high only where there is enough evidence."
    )
    wrong_share: float = Field(description="Share that went wrong, as counted.")
    tried: int = Field(description="Answers to questions and reviews of learnt cards.")
    wrong: int
    lapses: int = Field(description="Learnt cards that were forgotten.")
    unsure: int = Field(description="Right answers that the person was not sure of.")
    items: list[WrongItem] = Field(description="What went wrong last, newest first, at most three.")


class WeakTopics(BaseModel):
    items: list[WeakTopic] = Field(description="Weakest first.")
    next_cursor: None = None
    total: int


@tool(effect=Effect.READ, toolset="progress")
async def get_weak_topics(ctx: ToolContext, args: GetWeakTopics) -> WeakTopics:
    """What the user gets wrong or is unsure of, by topic, weakest first, with the last mistakes and where to read them up."""
    target = await ctx.db.classes.reachable(args.class_id) if args.class_id else None
    found, total = await weak_topics(
        ctx.db, ctx.now(), days=args.days, class_id=target.id if target else None, limit=args.limit
    )
    ids = {as_uuid(str(trial.shown.get("material_id"))) for one in found for trial in one.items}
    materials = await ctx.db.materials.by_ids([one for one in ids if one is not None])
    live = {key: row for key, row in materials.items() if row.deleted_at is None}
    files = {
        key: await ctx.db.materials.file(row.file_id) if row.file_id else None for key, row in live.items()
    }
    items = [
        WeakTopic(
            topic=one.trials.topic,
            class_id=one.trials.class_id,
            concept_id=one.trials.concept_id,
            weakness=round(one.weakness, 4),
            wrong_share=round(one.trials.weight / one.trials.tried, 4),
            tried=one.trials.tried,
            wrong=one.trials.wrong,
            lapses=one.trials.lapses,
            unsure=one.trials.unsure,
            items=[wrong_item(trial, live, files) for trial in one.items],
        )
        for one in found
    ]
    return WeakTopics(items=items, total=total)


def wrong_item(
    trial: WrongTrial, materials: Mapping[UUID, Material], files: Mapping[UUID, File | None]
) -> WrongItem:
    """The mistake with a link to where it can be read up, as long as the material is there."""
    kept = trial.shown
    locator = Locator.model_validate(kept["locator"]) if kept.get("locator") else None
    material_id = as_uuid(str(kept.get("material_id")))
    material = materials.get(material_id) if material_id else None
    return WrongItem(
        kind="card" if trial.kind == "card" else "question",
        id=trial.item_id,
        text=kept.get("text") or "",
        at=trial.at,
        times_wrong=trial.times_wrong,
        quote=kept.get("quote"),
        material_id=material.id if material else None,
        material_title=material.title if material else locator.material_title if locator else None,
        label=locator.label() if locator else None,
        url=url_of(locator, material, files.get(material.id)) if locator and material else None,
    )


class ListStudySessions(Input):
    class_id: ClassRef | None = None
    type: Literal["chat", "quiz", "flashcards", "revision", "reading"] | None = None
    limit: Limit = 20
    cursor: Cursor = None


class StudySessionItem(BaseModel):
    id: UUID
    type: Literal["chat", "quiz", "flashcards", "revision", "reading"]
    status: Literal["active", "completed", "abandoned"]
    class_id: UUID | None
    deck_id: UUID | None
    test_id: UUID | None
    material_id: UUID | None
    started_at: datetime
    ended_at: datetime | None
    duration_seconds: int = Field(description="Time spent, without pauses of more than five minutes.")
    items_completed: int = Field(description="Questions answered and cards reviewed.")
    interaction_count: int
    score: float | None = Field(description="Share of what was right, in per cent.")

    @classmethod
    def of(cls, row: StudySession) -> "StudySessionItem":
        known = {name: getattr(row, name) for name in StudySessionItem.model_fields}
        return cls(**known | {"duration_seconds": row.duration_seconds or 0})


class StudySessionList(BaseModel):
    items: list[StudySessionItem]
    next_cursor: str | None
    total: int


@tool(effect=Effect.READ, toolset="progress")
async def list_study_sessions(ctx: ToolContext, args: ListStudySessions) -> StudySessionList:
    """List the user's study sessions, newest first: what was studied, for how long and how well."""
    target = await ctx.db.classes.reachable(args.class_id) if args.class_id else None
    page = await ctx.db.study.sessions(
        class_id=target.id if target else None, kind=args.type, limit=args.limit, cursor=args.cursor
    )
    items = [StudySessionItem.of(row) for row in page.items]
    return StudySessionList(items=items, next_cursor=page.next_cursor, total=page.total)


class RateItem(Input):
    card_id: Id | None = Field(default=None, description="A flashcard.")
    question_id: Id | None = Field(default=None, description="A question of a test.")
    note_id: Id | None = Field(default=None, description="A note.")
    document_id: Id | None = Field(default=None, description="A document.")
    message_id: Id | None = Field(default=None, description="An answer in the chat.")
    rating: int = Field(ge=1, le=5, description="1 very bad to 5 very good.")
    comment: str | None = Field(default=None, min_length=1, max_length=2000)
    report: bool = Field(default=False, description="It is wrong or harmful, and not only unhelpful.")


class Rated(BaseModel):
    kind: Literal["card", "question", "note", "document", "message"]
    id: UUID
    rating: int
    quality_score: float | None = Field(description="Its score now; null where it has none.")
    retired: bool = Field(description="Whether it is not asked any more.")
    replaced: bool = Field(description="Whether this takes the place of an earlier rating.")


@tool(effect=Effect.WRITE, toolset="progress")
async def rate_item(ctx: ToolContext, args: RateItem) -> Rated:
    """Rate one card, question, note, document or answer from 1 to 5. One's own card or question with 1 or 2 is not asked again
    until it is rated better; of what others share only the rating is kept."""
    given = {kind: wanted for kind in KINDS if (wanted := getattr(args, f"{kind}_id")) is not None}
    if len(given) != 1:
        raise InvalidInput(
            "Say which one item is rated: card_id, question_id, note_id, document_id or message_id.",
            code="one_item_needed",
        )
    ((kind, wanted),) = given.items()
    item_id = as_uuid(wanted)
    if item_id is None:
        raise InvalidInput(f"{kind}_id must be an id, not a name.", code="id_needed")
    outcome = await rate(ctx, kind, item_id, args.rating, args.comment, report=args.report)
    return Rated(
        kind=kind,
        id=item_id,
        rating=args.rating,
        quality_score=outcome.quality_score,
        retired=outcome.retired,
        replaced=outcome.replaced,
    )
