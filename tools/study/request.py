"""What a request for tests or cards says, the materials that it names, and the job that it starts."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Any
from uuid import UUID

from pydantic import Field

from storage.errors import InvalidInput
from storage.models import Job, Material
from storage.repositories import Repositories
from storage.repositories.making import Asked
from tools.context import ToolContext
from tools.fields import ClassRef, MaterialRef
from tools.intake import announce_later
from tools.search.places import unit_of
from tools.spec import Input
from tools.study.keys import BloomLevel, Difficulty
from tools.study.outcome import counted
from tools.study.parts import Part
from tools.study.sources import find_parts, is_unread

MOST_ITEMS = 300
MOST_MATERIALS = 20
MOST_WRONG = 60
"""Wrong answers and forgotten cards that new items are made on, the latest."""

Topic = Annotated[str, Field(min_length=1, max_length=300)]
Weight = Annotated[float, Field(gt=0, le=1000)]


class ItemsRequest(Input):
    """What generate_test and generate_flashcards have in common."""

    class_id: ClassRef | None = Field(
        default=None,
        description="A class, by id or name: from all its material, unless `material_ids` names some.",
    )
    material_ids: list[MaterialRef] | None = Field(
        default=None,
        min_length=1,
        max_length=MOST_MATERIALS,
        description="Only from these materials: ids or titles.",
    )
    topic: Topic | None = Field(
        default=None,
        description='Only about this: a place such as "chapter 3", "section 3.2", "pages 10-20", or words such as "photosynthesis".',
    )
    first: int | None = Field(default=None, ge=1, description="First page, slide or section.")
    last: int | None = Field(default=None, ge=1, description="Last one, included.")
    count: int = Field(default=10, ge=1, le=MOST_ITEMS, description="How many to make.")
    difficulty: Difficulty = Field(default="mixed", description="easy, medium, hard or mixed.")
    bloom: list[BloomLevel] | None = Field(
        default=None, min_length=1, max_length=6, description="Only these levels of Bloom's taxonomy."
    )
    topic_weights: dict[Topic, Weight] | None = Field(
        default=None,
        min_length=1,
        max_length=20,
        description='Blueprint instead of `topic`: how much of each, e.g. {"chapter 3": 2, "photosynthesis": 1}.',
    )
    from_wrong_answers: bool = Field(
        default=False,
        description="About what the user answered wrong or forgot before.",
    )
    title: Annotated[str, Field(min_length=1, max_length=300)] | None = None
    shared_with_class: bool = Field(
        default=False, description="Whether the members of its class may read it."
    )


@dataclass(frozen=True, slots=True)
class Scope:
    """What items are to be made from."""

    materials: Sequence[Material]
    class_id: UUID | None
    """Of what is made; None when the materials are of several classes."""
    is_named: bool
    """The user named the materials, so they are waited for; else those that are read are enough."""

    @property
    def is_unread(self) -> bool:
        """Whether it has to wait before it can begin."""
        unread = [is_unread(one) for one in self.materials]
        return any(unread) if self.is_named else all(unread)

    @property
    def readable(self) -> list[Material]:
        return [one for one in self.materials if one.chunk_count]


async def scope_of(
    ctx: ToolContext,
    args: ItemsRequest,
    *,
    origins: Sequence[UUID] = (),
    home: UUID | None = None,
    paper: Material | None = None,
) -> Scope:
    """The materials that a request names or means. `origins`: those of the questions that are imitated or repeated; `home`:
    the class of what is added to; `paper`: what only says which questions are wanted.

    Raises InvalidInput when there are none, or when it is not clear which are meant.
    """
    target = await ctx.db.classes.resolve(args.class_id) if args.class_id else None
    if args.material_ids:
        named = [await ctx.db.materials.resolve(one) for one in args.material_ids]
        rows = list({row.id: row for row in named}.values())
        for row in rows:
            _must_be_readable(row)
        return Scope(rows, target.id if target else home or class_of(rows), is_named=True)
    class_id = target.id if target else home
    live = await ctx.db.making.materials(class_id)
    live = [row for row in live if paper is None or row.id != paper.id]
    able = [row for row in live if row.chunk_count or is_unread(row)]
    rows = [row for row in able if row.kind != "past_paper"] or able
    if origins:
        rows = [row for row in able if row.id in origins]
    if not rows:
        raise InvalidInput(_nothing(live, target.name if target else None), code="no_material")
    if class_id is None and not origins and not args.topic and not args.topic_weights:
        await _must_be_one_class(ctx.db, rows)
    return Scope(rows, class_id or class_of(rows), is_named=False)


def class_of(materials: Sequence[Material]) -> UUID | None:
    """The class that all of them are in."""
    classes = {row.class_id for row in materials}
    return classes.pop() if len(classes) == 1 else None


def _must_be_readable(row: Material) -> None:
    if not row.chunk_count and not is_unread(row):
        raise InvalidInput(
            f"{row.title!r} was not read, so nothing can be made from it. {row.error or ''}".strip(),
            code="material_not_read",
        )


def _nothing(live: Sequence[Material], name: str | None) -> str:
    where = f" in {name!r}" if name else ""
    if not live:
        return f"There is no material{where} yet. Add some first, e.g. with upload_material."
    return f"None of the material{where} could be read, so nothing can be made from it. {live[0].error or ''}".strip()


async def _must_be_one_class(db: Repositories, rows: Sequence[Material]) -> None:
    ids = list(dict.fromkeys(row.class_id for row in rows))
    if len(ids) > 1:
        names = await db.making.class_names(ids)
        listed = ", ".join(repr(names[key]) for key in ids[:8])
        raise InvalidInput(
            f"From which class? Give class_id, material_ids or a topic. There are: {listed}.",
            code="which_class",
        )


# --- what was answered wrong


async def wrong_of(ctx: ToolContext, args: ItemsRequest) -> list[Asked]:
    """Wrong answers and forgotten cards, the latest first. Raises InvalidInput when there are none."""
    limit = MOST_WRONG if not (args.class_id or args.material_ids) else 10 * MOST_WRONG
    found = await ctx.db.making.answered_wrong(limit) + await ctx.db.making.forgotten(limit)
    found = [one for one in found if one.material_id is not None]
    if args.class_id or args.material_ids:
        inside = {row.id for row in (await scope_of(ctx, args)).materials}
        found = [one for one in found if one.material_id in inside]
    if not found:
        where = " here" if args.class_id or args.material_ids else ""
        raise InvalidInput(
            f"Nothing was answered wrong and no card was forgotten{where} so far. Take a test or review cards first, or ask for a topic.",
            code="nothing_wrong",
        )
    return found[:MOST_WRONG]


def wrong_as_json(asked: Sequence[Asked]) -> list[dict[str, Any]]:
    return [
        {
            "material_id": str(one.material_id),
            "chunk_ids": [str(key) for key in one.chunk_ids],
            "segment": (one.locator or {}).get("segment"),
            "times": one.times,
        }
        for one in asked
    ]


# --- the job


@dataclass(frozen=True, slots=True)
class Started:
    """A job that is queued, and what is known of what it will make."""

    job: Job
    materials: Sequence[Material]
    class_id: UUID | None
    parts: Sequence[Part] | None
    """None while the material is still being read."""
    count: int

    @property
    def part(self) -> str | None:
        """What part of the materials is meant, in words."""
        named = [part.title for part in self.parts or () if part.title]
        return ", ".join(dict.fromkeys(named))[:300] or None

    def title(self, kind: str) -> str:
        """A title for what is made: "Test on Chapter 3 of Decay"."""
        named = " and ".join(one.title for one in self.materials[:2])
        more = " and more" if len(self.materials) > 2 else ""
        part = f"{self.part[:120]} of " if self.part else ""
        return f"{kind} on {part}{named}{more}"[:300]

    def message(self, noun: str) -> str:
        if self.parts is None:
            return (
                f"The material is still being read; the {noun}s follow by themselves as soon as that is done."
            )
        return f"{counted(self.count, noun)} {'is' if self.count == 1 else 'are'} being made; what is there can be used while more follow."


async def start_job(
    ctx: ToolContext,
    args: ItemsRequest,
    kind: str,
    scope: Scope,
    *,
    target: Mapping[str, str],
    types: Mapping[str, float],
    ask: Mapping[str, Any] | None = None,
    paper: Material | None = None,
    versions: int = 1,
) -> Started:
    """Queue the job. What the request means is found at once where the material is read, so that a chapter that is not there
    is said now. Raises NotFound for it, InvalidInput where several are meant."""
    _check_pages(args, scope)
    asked = {
        "topic": args.topic,
        "first": args.first,
        "last": args.last,
        "topic_weights": args.topic_weights,
        "from_wrong_answers": args.from_wrong_answers,
        "like_material_id": str(paper.id) if paper else None,
        **(ask or {}),
    }
    job_id = ctx.new_id()
    arguments: dict[str, Any] = {
        **target,
        "material_ids": [str(row.id) for row in scope.materials],
        "named": scope.is_named,
        "ask": {name: value for name, value in asked.items() if value},
        "count": args.count,
        "types": dict(types),
        "difficulty": args.difficulty,
        "bloom": args.bloom or [],
        "seed": job_id.int % 2**31,
        "versions": versions,
    }
    parts, materials, class_id = None, list(scope.materials), scope.class_id
    if not scope.is_unread and not (paper and is_unread(paper)):
        parts, more = await find_parts(ctx.storage, ctx.db, scope.readable, arguments)
        if class_id is None and not scope.is_named and not args.from_wrong_answers:
            parts, class_id = await _of_one_class(ctx.db, scope.readable, parts)
        meant = {material_id for part in parts for material_id, _, _ in part.ranges}
        materials = [row for row in scope.readable if row.id in meant]
        arguments |= {
            "material_ids": [str(row.id) for row in materials],
            "parts": [one.as_json() for one in parts],
            **more,
        }
    job = await ctx.db.jobs.add(Job(id=job_id, user_id=ctx.principal.user_id, kind=kind, arguments=arguments))
    announce_later(ctx, job.id)
    return Started(job, materials, class_id, parts, arguments["count"])


def _check_pages(args: ItemsRequest, scope: Scope) -> None:
    if args.first and args.last and args.last < args.first:
        raise InvalidInput("`last` comes before `first`.", code="invalid_range")
    if (args.first or args.last) and len(scope.materials) > 1:
        listed = ", ".join(repr(row.title) for row in scope.materials[:8])
        unit = unit_of(scope.materials[0])
        raise InvalidInput(
            f"{unit.capitalize()}s of which material? Name it by material_ids: {listed}.",
            code="which_material",
        )


async def _of_one_class(
    db: Repositories, materials: Sequence[Material], parts: Sequence[Part]
) -> tuple[list[Part], UUID | None]:
    """Of what was found in several classes what stands in the class that has most of it; a place that several have is not
    clear. Raises InvalidInput for it."""
    homes = {row.id: row.class_id for row in materials}
    sizes: Counter[UUID] = Counter()
    for part in parts:
        for material_id, first, last in part.ranges:
            sizes[homes[material_id]] += last - first + 1
    if len(sizes) > 1 and not any(part.focus for part in parts):
        names = await db.making.class_names(list(sizes))
        listed = ", ".join(repr(name) for name in names.values())
        raise InvalidInput(
            f"{parts[0].title or 'This'!r} is found in several classes: {listed}. Give class_id or material_ids.",
            code="which_class",
        )
    home = sizes.most_common(1)[0][0]
    kept = [
        replace(part, ranges=tuple(one for one in part.ranges if homes[one[0]] == home)) for part in parts
    ]
    return [part for part in kept if part.ranges], home


def weights_of(
    types: Sequence[str] | None, weights: Mapping[Any, float] | None, usual: Mapping[str, float]
) -> dict[str, float]:
    """The types that are wanted with their shares. Raises InvalidInput when both say it."""
    if types and weights:
        raise InvalidInput("Give `types` or `type_weights`, not both.", code="invalid_types")
    if types:
        return dict.fromkeys(types, 1.0)
    return dict(weights or usual)
