"""What a request for a document means: the materials, the part of them, and the options, also those of the version before."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from pydantic import BaseModel

from storage.errors import InvalidInput
from storage.models import Material, Test
from storage.repositories import Repositories
from storage.resources import Storage
from tools.documents.content import DocumentKind, Options
from tools.search.places import unit_of
from tools.study.parts import Parts
from tools.study.sources import is_unread

TITLES = {
    "cheat_sheet": "Cheat sheet: {}",
    "study_guide": "Study guide: {}",
    "summary": "Summary of {}",
    "past_paper_answers": "Answers to {}",
    "quiz_sheet": "Quiz: {}",
}
HITS = 12
"""Passages that a topic which is no heading stands for: as many as for so many questions."""


class Wish(BaseModel):
    """The arguments of generate_document that say what of what; None leaves it as it was, or to the default."""

    material_id: str | None = None
    material_ids: list[str] | None = None
    class_id: str | None = None
    test_id: str | None = None
    topic: str | None = None
    first: int | None = None
    last: int | None = None
    pages: int | None = None
    paper: str | None = None
    columns: int | None = None
    depth: str | None = None
    count: int | None = None
    types: list[str] | None = None
    difficulty: str | None = None
    seed: int | None = None


LAYOUT = ("pages", "paper", "columns", "depth", "count", "types", "difficulty", "seed")
PART = ("topic", "first", "last")


@dataclass(frozen=True, slots=True)
class Scope:
    options: Options
    class_id: UUID | None
    material_id: UUID | None
    """The material it is about, if one alone."""
    about: str
    """The same in words, for the subtitle."""
    named: str
    """What the title says it is about."""


def title_for(kind: DocumentKind, scope: Scope) -> str:
    return TITLES[kind].format(scope.named)[:300]


async def chosen_options(
    storage: Storage,
    db: Repositories,
    kind: DocumentKind,
    wish: Wish,
    before: Options | None,
    home: UUID | None,
) -> Scope:
    """Raises InvalidInput when it is not clear from what, NotFound for what does not exist."""
    options = before.model_copy() if before else Options(seed=0)
    chosen: dict[str, Any] = {name: value for name in LAYOUT if (value := getattr(wish, name)) is not None}
    if any(getattr(wish, name) is not None for name in PART):
        chosen |= {name: getattr(wish, name) for name in PART}
    options = Options.model_validate(options.model_dump() | chosen)
    if kind == "quiz_sheet":
        return await _of_test(db, wish.test_id or str(options.test_id), options)
    if kind == "past_paper_answers":
        return await _of_paper(db, wish, options)
    rows, class_id = await _materials(db, wish, options, home)
    return await _of_materials(storage, db, options, rows, class_id)


def needs_new_test(wish: Wish, before: Options | None) -> bool:
    """Whether a quiz sheet is to have new questions: those of an earlier version are printed again unless others are wanted."""
    other = ("material_id", "material_ids", "class_id", *PART, "count", "types", "difficulty")
    if wish.test_id:
        return False
    return before is None or before.test_id is None or any(getattr(wish, name) is not None for name in other)


async def _of_materials(
    storage: Storage, db: Repositories, options: Options, rows: Sequence[Material], class_id: UUID | None
) -> Scope:
    if options.first and options.last and options.last < options.first:
        raise InvalidInput("`last` comes before `first`.", code="invalid_range")
    if (options.first or options.last) and len(rows) > 1:
        raise InvalidInput(
            f"{unit_of(rows[0]).capitalize()}s of which material? Name it by material_id.",
            code="which_material",
        )
    part = None
    if not any(is_unread(row) for row in rows) and (options.topic or options.first or options.last):
        finder = Parts(storage, db, rows)
        part = await finder.between(options.first, options.last)
        if options.topic:
            part = await finder.about(options.topic, HITS, part)
    named = " and ".join(row.title for row in rows[:2]) + (" and more" if len(rows) > 2 else "")
    within = (part.title if part else None) or options.topic
    update = {
        "material_ids": [row.id for row in rows],
        "part": part.as_json() if part else None,
        "test_id": None,
    }
    return Scope(
        options=options.model_copy(update=update),
        class_id=class_id or _class_of(rows),
        material_id=rows[0].id if len(rows) == 1 else None,
        about=", ".join(row.title for row in rows[:6]) + (f": {within}" if within else ""),
        named=f"{within[:120]} of {named}" if within else named,
    )


async def _of_test(db: Repositories, wanted: str, options: Options) -> Scope:
    test: Test = await db.making.test_named(wanted)
    if not test.question_count and (test.parameters.get("complete") or "job_id" not in test.parameters):
        raise InvalidInput(f"{test.title!r} has no questions yet.", code="test_empty")
    return Scope(
        options=options.model_copy(update={"test_id": test.id, "material_ids": [], "part": None}),
        class_id=test.class_id,
        material_id=None,
        about="",
        named=test.title.removeprefix("Test on "),
    )


async def _of_paper(db: Repositories, wish: Wish, options: Options) -> Scope:
    """The past paper, and what it is answered from: what is named, else everything in its class."""
    if wish.material_id is None and options.paper_id is None:
        raise InvalidInput("Which past paper? Name it by material_id.", code="paper_missing")
    paper = await db.materials.resolve(wish.material_id or str(options.paper_id))
    _must_be_readable(paper)
    if wish.material_ids:
        rows = await _named(db, wish.material_ids)
    elif wish.class_id or not options.material_ids or paper.id != options.paper_id:
        home = (await db.classes.resolve(wish.class_id)).id if wish.class_id else paper.class_id
        rows = [row for row in await db.making.materials(home) if row.chunk_count or is_unread(row)]
        rows = [row for row in rows if row.kind != "past_paper"]
    else:
        rows = await _still_there(db, options.material_ids)
    rows = [row for row in rows if row.id != paper.id]
    if not rows:
        raise InvalidInput(
            "There is no material in this class to answer the paper from. Add some first.", code="no_material"
        )
    update = {"paper_id": paper.id, "material_ids": [row.id for row in rows], "part": None}
    return Scope(
        options=options.model_copy(update=update),
        class_id=paper.class_id,
        material_id=paper.id,
        about="Answered from " + ", ".join(row.title for row in rows[:6]),
        named=paper.title,
    )


async def _materials(
    db: Repositories, wish: Wish, options: Options, home: UUID | None
) -> tuple[list[Material], UUID | None]:
    named = [*([wish.material_id] if wish.material_id else []), *(wish.material_ids or [])]
    target = await db.classes.resolve(wish.class_id) if wish.class_id else None
    if named:
        rows = await _named(db, named)
        return rows, target.id if target else None
    if target is None and options.material_ids:
        return await _still_there(db, options.material_ids), home
    class_id = target.id if target else None
    live = await db.making.materials(class_id)
    able = [row for row in live if row.chunk_count or is_unread(row)]
    rows = [row for row in able if row.kind != "past_paper"] or able
    if not rows:
        raise InvalidInput("There is no material to make this from. Add some first.", code="no_material")
    if class_id is None and len({row.class_id for row in rows}) > 1:
        raise InvalidInput("From what? Give material_id, material_ids or class_id.", code="which_material")
    return rows, class_id


async def _named(db: Repositories, wanted: Sequence[str]) -> list[Material]:
    rows = {row.id: row for row in [await db.materials.resolve(one) for one in wanted]}
    for row in rows.values():
        _must_be_readable(row)
    return list(rows.values())


async def _still_there(db: Repositories, ids: Sequence[UUID]) -> list[Material]:
    """Materials of the version before that were not deleted since."""
    found = await db.materials.by_ids(list(ids))
    rows = [found[key] for key in ids if key in found and found[key].deleted_at is None]
    if not rows:
        raise InvalidInput(
            "The material of the earlier version was deleted. Name another by material_id.",
            code="no_material",
        )
    return rows


def _must_be_readable(row: Material) -> None:
    if not row.chunk_count and not is_unread(row):
        raise InvalidInput(
            f"{row.title!r} was not read, so nothing can be made from it. {row.error or ''}".strip(),
            code="material_not_read",
        )


def _class_of(rows: Sequence[Material]) -> UUID | None:
    classes = {row.class_id for row in rows}
    return classes.pop() if len(classes) == 1 else None
