"""The job that sums up each passage of a material in a sentence, where a language model is there and the setting is on.

Each batch is saved when it is done, together with how far the job is: what was broken off goes on behind it.
"""

import re
from collections.abc import Sequence
from pathlib import Path
from uuid import UUID

import structlog

from storage.errors import LyceumError, Unavailable
from storage.models import Chunk, Job
from storage.repositories import Repositories
from storage.repositories.jobs import IDLE
from storage.resources import Storage
from tools.context import TextModel
from tools.ingest.ending import live
from tools.ingest.sentences import sentence_spans
from tools.notes.reading import Sentence
from tools.notes.support import SUPPORTED, has_its_numbers, share_of_words
from tools.notes.terms import content_stems, distinct_words
from tools.notes.writing import fenced
from tools.worker import GiveWay, JobFailed, RunningJob, TryAgain

log = structlog.get_logger()

SUMMARISE = "summarise_material"
"""Kind of the job; its arguments name the material and, noted on the way, `after`: the last chunk that was looked at."""
TYPES = ("text", "list", "transcript", "table")
PROMPTS = Path(__file__).parent / "prompts"
CHUNKS_A_PROMPT = 8
PROMPT_TOKENS = 1400
"""Of passages in one prompt; with the rules and an answer it fits a context of 4,096."""
CHARACTERS_A_TOKEN = 4
"""Of English; the embedder counts fewer tokens where it does not know the words."""
ANSWER_TOKENS = 80
"""For one passage."""
LONGEST = 300
"""Characters of a summary."""

_LINE = re.compile(r"^[\s*•\-\[(]*(?P<number>\d{1,2})[\])*.:]+\s+(?P<text>\S.*)$")
_MARK = re.compile(r"\s*\[\d{1,2}\](?=\W*$)")
_ENDED = re.compile(r"[.!?…。！？][\"'”’»)]*$")


async def are_wanted(storage: Storage, model: TextModel | None) -> bool:
    """Whether summaries are to be made: the setting is on, and a language model is there."""
    if not storage.settings.summaries or model is None:
        return False
    try:
        return await model.which() is not None
    except LyceumError as error:
        log.warning("summaries_without_model", code=error.code, reason=str(error))
        return False


async def queue_summaries(storage: Storage, db: Repositories, user_id: UUID, material_id: UUID) -> None:
    """A job for a material, unless one is open. Nobody waits for it, so no worker is woken."""
    about = {"material_id": str(material_id)}
    if not await db.jobs.is_open(SUMMARISE, **about):
        row = Job(id=storage.clock.new_id(), user_id=user_id, kind=SUMMARISE, priority=IDLE, arguments=about)
        await db.jobs.add(row)


class Summaries:
    """Handler of the job."""

    def __init__(self, storage: Storage, model: TextModel | None) -> None:
        self._storage = storage
        self._model = model

    async def __call__(self, running: RunningJob) -> None:
        """Raises JobFailed when the material was deleted or the setting is off, TryAgain when the model does not answer,
        Stopped when cancelled, GiveWay between two batches when anything else waits."""
        if not self._storage.settings.summaries:
            raise JobFailed("summaries_off", "Summaries are turned off in the settings of this server.")
        has_progressed = False
        try:
            while batch := await self._next(running):
                if await running.is_held_up():
                    raise GiveWay(running.job.priority)
                await self._save(running, batch, await running.unless_halted(self._summaries(batch)))
                has_progressed = True
        except Unavailable as error:
            raise TryAgain(error.code, str(error), is_counted=not has_progressed) from error

    async def _next(self, running: RunningJob) -> list[Chunk]:
        """The chunks of the next prompt; none at the end."""
        noted = running.job.arguments
        material_id, after = UUID(noted["material_id"]), noted.get("after")
        behind = UUID(after) if after else None
        async with self._storage.as_user(running.user_id, read_only=True) as db:
            await live(db, material_id)
            left, total = await db.reading.count_to_summarise(material_id, TYPES, behind)
            waiting = await db.reading.chunks_to_summarise(material_id, TYPES, behind, CHUNKS_A_PROMPT)
        message = f"Summing up passage {total - left + 1} of {total}" if left else "The summaries are ready"
        await running.progress(total - left, total, message, force=True)
        return fitting(waiting)

    async def _save(self, running: RunningJob, batch: Sequence[Chunk], made: dict[UUID, str]) -> None:
        after = str(batch[-1].id)
        async with self._storage.as_user(running.user_id) as db:
            await db.reading.set_summaries(made)
            await db.jobs.remember(running.job.id, after=after)
        running.job.arguments = running.job.arguments | {"after": after}

    # --- the model

    async def _summaries(self, chunks: Sequence[Chunk]) -> dict[UUID, str]:
        """Summaries by chunk id. What did not stand is asked for once more, alone, as small models lose count; and then it
        is left out."""
        request = _prompt("passages")
        again = _prompt("again").replace("{request}", request)
        made = await self._ask(chunks, request)
        for chunk in [one for one in chunks if one.id not in made]:
            made |= await self._ask([chunk], again)
        return made

    async def _ask(self, chunks: Sequence[Chunk], request: str) -> dict[UUID, str]:
        if self._model is None:
            raise Unavailable("No language model answers just now.", code="model_unreachable")
        passages = [f"[{n}] {fenced(chunk.text)}" for n, chunk in enumerate(chunks, 1)]
        said = await self._model.complete(
            _prompt("summaries"),
            request.format(passages="\n\n".join(passages), count=len(chunks)),
            max_tokens=ANSWER_TOKENS * len(chunks),
        )
        proposed = numbered(said.text)
        made = {}
        async with self._storage.as_user(chunks[0].user_id, read_only=True) as db:
            for number, chunk in enumerate(chunks, 1):
                text = one_sentence(proposed.get(number, ""))
                if text and await _stands(db, text, chunk):
                    made[chunk.id] = text
        return made


async def _stands(db: Repositories, text: str, chunk: Chunk) -> bool:
    """Whether the chunk holds the words and numbers of the text."""
    stems = await db.notes.stems(distinct_words([chunk.text, text]), chunk.text_config)
    evidence = Sentence(
        chunk_id=chunk.id,
        segment=chunk.segment,
        number=chunk.segment + 1,
        start=chunk.char_start,
        end=chunk.char_end,
        text=chunk.text,
        path=tuple(chunk.heading_path),
        spoken=chunk.type == "transcript",
        stems=content_stems(chunk.text, stems),
    )
    return has_its_numbers(text, [evidence]) and share_of_words(text, [evidence], stems) >= SUPPORTED


def fitting(chunks: Sequence[Chunk]) -> list[Chunk]:
    """As many of the first chunks as go into one prompt; one at least."""
    room = PROMPT_TOKENS
    taken: list[Chunk] = []
    for chunk in chunks:
        room -= max(chunk.token_count, len(chunk.text) // CHARACTERS_A_TOKEN)
        if taken and room < 0:
            break
        taken.append(chunk)
    return taken


def numbered(answer: str) -> dict[int, str]:
    """The lines of an answer by the number that they begin with; the first of each."""
    found: dict[int, str] = {}
    for match in filter(None, map(_LINE.match, answer.splitlines())):
        found.setdefault(int(match["number"]), match["text"])
    return found


def one_sentence(text: str) -> str | None:
    """The text on one line without marks of emphasis and citation; None unless it is one whole sentence of fair length."""
    plain = _MARK.sub("", " ".join(text.replace("**", "").split()))
    is_whole = bool(_ENDED.search(plain)) and plain.isprintable() and len(plain) <= LONGEST
    return plain if is_whole and len(list(sentence_spans(plain))) == 1 else None


def _prompt(name: str) -> str:
    return (PROMPTS / f"{name}.md").read_text(encoding="utf-8").strip()
