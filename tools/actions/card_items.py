"""A card and its evidence as tools show them, and the texts that a card may hold."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, Field

from storage.locators import Locator
from storage.models import File, Flashcard, Material
from tools.actions.notes import url_of
from tools.context import ToolContext
from tools.scheduling.faces import shown
from tools.spec import Input
from tools.study.keys import CardType, Choice

Side = Annotated[
    str, Field(min_length=1, max_length=10_000, description="Markdown with TeX between dollar signs.")
]
Extra = Annotated[str, Field(max_length=10_000, description="Hint or remark, shown with the answer.")]
Tag = Annotated[str, Field(min_length=1, max_length=50)]
Tags = Annotated[list[Tag], Field(max_length=20, description="Words to file it under.")]
Passages = Annotated[
    list[Annotated[str, Field(min_length=36, max_length=36)]],
    Field(max_length=10, description="Passages that support it, best first: their ids, from search results."),
]
Wrong = Annotated[str, Field(min_length=1, max_length=2000)]
State = Literal["new", "learning", "review", "relearning"]


class DueCounts(BaseModel):
    """What is left of a study day, within its limits."""

    new: int = Field(description="Cards never asked before.")
    learning: int = Field(description="Cards being (re)learned that are due now.")
    review: int
    learning_later: int = Field(description="Cards being (re)learned that come back later today.")


class Evidence(BaseModel):
    """Where the material says it."""

    label: str = Field(description="Where it stands, in words: page 57, 12:30.")
    quote: str | None = Field(description="The sentence that supports the card, word for word.")
    material_id: UUID | None = Field(description="Null once the material is gone.")
    material_title: str
    passage_ids: list[UUID]
    url: str | None = Field(description="Opens the page's picture, or the recording or video at the second.")
    locator: Locator


class CardText(Input):
    """One note: of a reversed one two cards are made, of a cloze one for each gap."""

    type: CardType = "basic"
    front: Side = Field(
        description="The question. Of a cloze: the text with its gaps, {{c1::hidden words}} or {{c1::hidden words::hint}}."
    )
    back: Side | None = Field(
        default=None, description="The answer; of a multiple choice the right option. A cloze needs none."
    )
    extra: Extra | None = None
    wrong_options: list[Wrong] = Field(
        default_factory=list,
        max_length=9,
        description="Of a multiple choice: the options that are not right.",
    )
    tags: Tags = Field(default_factory=list)
    passage_ids: Passages = Field(default_factory=list)


class CardItem(BaseModel):
    id: UUID
    deck_id: UUID
    type: CardType
    front: str = Field(description="What is asked; of a cloze the text with its gap as […] or [hint].")
    back: str = Field(description="The answer; of a cloze the words of its gap.")
    extra: str | None
    cloze_text: str | None = Field(description="Of a cloze: the text with {{c1::gaps}}, to be edited.")
    options: list[Choice]
    gap: int | None = Field(description="Of a cloze the number of its gap; of a reversed card 1 or 2.")
    group_id: UUID | None = Field(description="Shared by the cards of one note.")
    tags: list[str]
    status: Literal["active", "retired"]
    state: State
    due_at: datetime | None
    last_reviewed_at: datetime | None
    interval_days: float
    reps: int
    lapses: int
    is_leech: bool
    suspended: bool
    buried_until: date | None
    evidence: Evidence | None
    model: str | None = Field(
        description="What made it: builtin or provider:name; null when a person wrote it."
    )
    quality_score: float | None
    created_at: datetime
    updated_at: datetime

    @classmethod
    def of(cls, row: Flashcard, evidence: Evidence | None, *, is_mine: bool = True) -> "CardItem":
        """Of a card of somebody else only what it says: how its owner gets on with it is nobody's business."""
        seen = shown(row.type, row.front, row.back, row.gap)
        made = {"front", "back", "cloze_text", "suspended", "evidence"}
        fields = {name: getattr(row, name) for name in CardItem.model_fields if name not in made}
        if not is_mine:
            fields |= UNSTUDIED
        return cls(
            **fields,
            front=seen.question,
            back=seen.answer,
            cloze_text=row.front if row.type == "cloze" else None,
            suspended=is_mine and row.suspended_at is not None,
            evidence=evidence,
        )


UNSTUDIED = {
    "state": "new", "due_at": None, "last_reviewed_at": None, "interval_days": 0.0, "reps": 0, "lapses": 0,
    "is_leech": False, "buried_until": None,
}  # fmt: skip


async def evidence_of(ctx: ToolContext, rows: Sequence[Flashcard]) -> dict[UUID, Evidence]:
    """The evidence of each card that has any, by its id."""
    ids = list({row.material_id for row in rows if row.material_id})
    materials = {key: one for key, one in (await ctx.db.materials.by_ids(ids)).items() if not one.deleted_at}
    files = {
        key: await ctx.db.materials.file(one.file_id) if one.file_id else None
        for key, one in materials.items()
    }
    return {row.id: _evidence(row, materials, files) for row in rows if row.locator is not None}


def _evidence(row: Flashcard, materials: dict[UUID, Material], files: dict[UUID, File | None]) -> Evidence:
    locator = Locator.model_validate(row.locator)
    material = materials.get(row.material_id) if row.material_id else None
    return Evidence(
        label=locator.label(),
        quote=row.quote,
        material_id=material.id if material else None,
        material_title=locator.material_title,
        passage_ids=row.source_chunk_ids,
        url=url_of(locator, material, files.get(material.id)) if material else None,
        locator=locator,
    )
