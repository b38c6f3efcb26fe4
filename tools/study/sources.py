"""What a job that makes items begins with: its materials, once they are read, and which parts of them are meant."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from storage.errors import LyceumError, NotFound
from storage.models import Material
from storage.repositories import Repositories
from storage.repositories.making import Asked
from storage.resources import Storage
from tools.study.papers import PaperQuestion, paper_questions
from tools.study.parts import Part, Parts, joined
from tools.worker import JobFailed, RunningJob, TryAgain

UNREAD = ("queued", "processing")
SEARCHED_CHARACTERS = 600
"""Of a question of a past paper, to find what it is about."""


def is_unread(material: Material) -> bool:
    """Whether it will have text soon."""
    return material.status in UNREAD and not material.chunk_count


async def opened(storage: Storage, running: RunningJob) -> dict[UUID, Material]:
    """The materials of the job. Those of a class that are not read yet when it begins are left out.

    Raises TryAgain while what was named is being read, JobFailed when nothing is left.
    """
    arguments = running.job.arguments
    wanted = [UUID(one) for one in arguments["material_ids"]]
    paper = arguments["ask"].get("like_material_id")
    async with storage.as_user(running.user_id, read_only=True) as db:
        found = await db.materials.by_ids([*wanted, *([UUID(paper)] if paper else [])])
        live = {row.id for row in await db.making.materials(None)}
    rows = [found[key] for key in dict.fromkeys([*wanted, *found]) if key in found and key in live]
    if not any(row.id in wanted for row in rows):
        raise JobFailed("material_deleted", "The material was deleted, so nothing can be made from it.")
    waiting = [row for row in rows if is_unread(row)]
    if waiting and (arguments["named"] or len(waiting) == len(rows) or str(waiting[-1].id) == paper):
        raise TryAgain(
            "material_not_ready", f"{waiting[0].title!r} is still being read; this follows by itself.",
            is_counted=False,
        )  # fmt: skip
    ready = {row.id: row for row in rows if row.chunk_count and row.id in wanted}
    if not ready:
        reason = rows[0].error or "It was not read to its end."
        raise JobFailed("material_not_read", f"There is no text to make anything from. {reason}")
    if len(ready) < len(wanted):
        await running.remember(material_ids=[str(key) for key in ready])
    return ready


async def parts_wanted(storage: Storage, running: RunningJob, materials: Sequence[Material]) -> list[Part]:
    """The parts of the blueprint; found once, so that every attempt has the same."""
    stored = running.job.arguments.get("parts")
    if stored is not None:
        return [Part.of(one) for one in stored]
    async with storage.as_user(running.user_id, read_only=True) as db:
        try:
            parts, more = await find_parts(storage, db, materials, running.job.arguments)
        except LyceumError as error:
            if isinstance(error, NotFound) or error.code in ("no_questions", "nothing_wrong"):
                raise JobFailed(error.code, str(error)) from error
            raise
    await running.remember(parts=[part.as_json() for part in parts], **more)
    return parts


async def find_parts(
    storage: Storage, db: Repositories, materials: Sequence[Material], arguments: Mapping[str, Any]
) -> tuple[list[Part], dict[str, Any]]:
    """What `ask` of the job's arguments means, and what else follows from it: how many items, of which types.

    Raises NotFound for a topic that no material is about, or a paper without questions.
    """
    ask, count = arguments["ask"], arguments["count"]
    finder = Parts(storage, db, materials)
    whole = await finder.between(ask.get("first"), ask.get("last"))
    if ask.get("like_material_id"):
        return await _like_paper(finder, db, UUID(ask["like_material_id"]))
    if ask.get("like_test_id"):
        asked = await db.making.questions_of(UUID(ask["like_test_id"]))
        return _imitated(await _origins(finder, asked), ())
    if weights := ask.get("topic_weights"):
        shares = sum(weights.values())
        return [
            await finder.about(topic, max(1, round(count * weight / shares)), whole, weight)
            for topic, weight in weights.items()
        ], {}
    part = await finder.about(ask["topic"], count, whole) if ask.get("topic") else whole
    if ask.get("from_wrong_answers"):
        asked = [_asked_of(one) for one in ask["wrong"]]
        around = await finder.around(asked, part)
        if not around:
            raise NotFound("What was answered wrong is not about this part.", code="nothing_wrong")
        return joined([(float(one.times), (), found) for one, found in around]), {}
    return [part], {}


def _asked_of(stored: Mapping[str, Any]) -> Asked:
    """A wrong answer as the job's arguments keep it."""
    return Asked(
        type="", text="", options=[], answer=None, topic=None, material_id=UUID(stored["material_id"]),
        chunk_ids=[UUID(one) for one in stored["chunk_ids"]], locator={"segment": stored["segment"]},
        times=stored["times"],
    )  # fmt: skip


# --- another test, or a past paper


async def _origins(finder: Parts, asked: Sequence[Asked]) -> list[tuple[Asked, Part]]:
    """Where questions come from; those without a source from what is like their words."""
    found = []
    for one in asked:
        around = await finder.around([one])
        found.append(around[0] if around else (one, await _like(finder, one.text)))
    return found


async def _like(finder: Parts, text: str) -> Part:
    """The passages around the one that is most like a text; all of the material when none is."""
    best = await finder.like(text[:SEARCHED_CHARACTERS], 1)
    for material_id, ordinals in best.items():
        return await finder.beside(material_id, min(ordinals))
    return await finder.between(None, None)


async def _like_paper(finder: Parts, db: Repositories, paper_id: UUID) -> tuple[list[Part], dict[str, Any]]:
    paper = await db.materials.by_id(paper_id)
    pages = await db.materials.segments(paper_id, 0, paper.page_count or 0) if paper else []
    questions = paper_questions(pages)
    if not questions:
        title = paper.title if paper else str(paper_id)
        raise NotFound(f"No numbered questions were found in {title!r}.", code="no_questions")
    found = [(one, await _like(finder, _whole(one))) for one in questions]
    asked = [
        (
            Asked(one.type, one.text, [], None, None, None, [], None, one.points),
            part,
        )
        for one, part in found
    ]
    return _imitated(asked, [one.text for one in questions])


def _whole(question: PaperQuestion) -> str:
    options = " ".join(option.text for option in question.options)
    return " ".join(filter(None, (question.context, question.text, options)))


def _imitated(
    origins: Sequence[tuple[Asked, Part]], avoid: Sequence[str]
) -> tuple[list[Part], dict[str, Any]]:
    """The same number, types and points for each topic."""
    parts = joined([(1.0, ((one.type, one.points),), part) for one, part in origins])
    types: dict[str, float] = {}
    for one, _ in origins:
        types[one.type] = types.get(one.type, 0.0) + 1.0
    return parts, {"count": len(origins), "types": types, "avoid": list(avoid)}
