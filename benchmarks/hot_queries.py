"""The ten hottest queries, and three more that are watched: the real statements, as repositories send them.

How hot: what runs without anybody asking (a worker's sweep) or at every request, then what every search and chat turn
needs, then what the pages of the application ask for when they open.
"""

import re
from collections.abc import Awaitable, Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import event, select
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession

from benchmarks.filling import Subject
from storage.clock import SystemClock
from storage.models import AuditLog, Flashcard
from storage.models.flashcards import DUE
from storage.repositories import Repositories
from storage.repositories.accounts import SignIn
from storage.repositories.jobs import open_jobs
from storage.repositories.lexical import Scope

CANDIDATES = 50
"""Chunks that a search takes from each of its ways."""
PAGE = 50
PASSAGES = 6
SWEEP = 10

CLOCK = SystemClock()


@dataclass(frozen=True, slots=True)
class Question:
    """What one user asks: the lexemes are of a passage of their own material."""

    subject: Subject
    lexemes: Sequence[str]


Ask = Callable[[AsyncSession, Question], Awaitable[object]]


@dataclass(frozen=True, slots=True)
class HotQuery:
    """`often` says when it runs. `anonymous`: before anybody is known, or across users, by a function of the database."""

    name: str
    often: str
    ask: Ask
    anonymous: bool = False


def repositories(session: AsyncSession, question: Question) -> Repositories:
    return Repositories(session, question.subject.user_id, CLOCK)


async def session_by_token(session: AsyncSession, question: Question) -> object:
    return await SignIn(session).by_access_hash(question.subject.access_hash)


async def api_key_by_hash(session: AsyncSession, question: Question) -> object:
    return await SignIn(session).by_key_hash(question.subject.key_hash)


async def jobs_to_take(session: AsyncSession, question: Question) -> object:
    return await open_jobs(session, SWEEP)


async def chunks_by_words(session: AsyncSession, question: Question) -> object:
    lexical = repositories(session, question).lexical
    return await lexical.bm25(terms(question), Scope(question.subject.class_id), CANDIDATES)


async def chunks_by_words_anywhere(session: AsyncSession, question: Question) -> object:
    return await repositories(session, question).lexical.bm25(terms(question), Scope(), CANDIDATES)


def terms(question: Question) -> list[tuple[str]]:
    """Words with one stem each."""
    return [(lexeme,) for lexeme in question.lexemes]


async def visible_chunks(session: AsyncSession, question: Question) -> object:
    lexical = repositories(session, question).lexical
    return await lexical.visible(question.subject.chunk_ids(CANDIDATES), Scope(question.subject.class_id))


async def chunks_by_id(session: AsyncSession, question: Question) -> object:
    materials = repositories(session, question).materials
    return await materials.chunks(question.subject.chunk_ids(2 * PASSAGES))


async def segments_at_places(session: AsyncSession, question: Question) -> object:
    pages = [
        (material_id, ordinal // question.subject.scale.page_chunks)
        for material_id, ordinal in question.subject.places(PASSAGES)
    ]
    return await repositories(session, question).places.segments(pages)


async def messages(session: AsyncSession, question: Question) -> object:
    conversations = repositories(session, question).conversations
    page = await conversations.messages(question.subject.conversation_id, limit=PAGE, cursor=None)
    return page.items


async def classes(session: AsyncSession, question: Question) -> object:
    mine = repositories(session, question).classes
    page = await mine.recent(limit=PAGE, cursor=None)
    return await mine.material_counts(page.items)


async def materials(session: AsyncSession, question: Question) -> object:
    mine, class_id = repositories(session, question).materials, question.subject.class_id
    return (await mine.recent(class_id=class_id, status=None, limit=PAGE, cursor=None)).items


async def due_cards(session: AsyncSession, question: Question) -> object:
    # DUE word for word: with a parameter in its place, a prepared plan could not use the partial index.
    due = select(Flashcard).where(
        Flashcard.user_id == question.subject.user_id, DUE, Flashcard.due_at <= CLOCK.now()
    )
    return (await session.scalars(due.order_by(Flashcard.due_at).limit(PAGE))).all()


async def audit_trail(session: AsyncSession, question: Question) -> object:
    mine = select(AuditLog).where(AuditLog.user_id == question.subject.user_id)
    audit = repositories(session, question).audit
    return (await audit.page(mine, AuditLog.created_at, AuditLog.id, limit=PAGE, cursor=None)).items


HOTTEST = (
    HotQuery(
        "session by its token",
        "at every request of a browser that Redis does not answer, which is one a minute",
        session_by_token,
        anonymous=True,
    ),
    HotQuery("jobs to take", "in every worker, every two seconds", jobs_to_take, anonymous=True),
    HotQuery("chunks by words (BM25)", "in every search, and so in most turns of a chat", chunks_by_words),
    HotQuery(
        "which chunks are visible", "in every search, for the chunks that vectors found", visible_chunks
    ),
    HotQuery("chunks by id", "in every search, for the best of both ways", chunks_by_id),
    HotQuery(
        "pages of passages", "in every search, for the text and the lines around its hits", segments_at_places
    ),
    HotQuery("messages of a conversation", "at every turn of a chat, and when one is opened", messages),
    HotQuery("due cards", "when a study session begins, and after each of its reviews", due_cards),
    HotQuery("classes with counts", "whenever the application opens; a model calls it first", classes),
    HotQuery("materials of a class", "whenever a class opens, and again while a file is read", materials),
)
ALSO = (
    HotQuery(
        "API key by its hash",
        "at requests of programs; the form is that of the session",
        api_key_by_hash,
        anonymous=True,
    ),
    HotQuery("chunks by words, in all classes", "in searches that name no class", chunks_by_words_anywhere),
    HotQuery("audit trail of a person", "when somebody looks what happened", audit_trail),
)


@dataclass(frozen=True, slots=True)
class Statement:
    """As the driver got it: with $1, $2, … and the values for them."""

    sql: str
    parameters: tuple[Any, ...]

    def called_function(self) -> str | None:
        """Name of the function of the database that does all of its work."""
        called = re.search(r"FROM (lyceum_\w+)\(", self.sql)
        return called[1] if called else None


@contextmanager
def recorded(engine: AsyncEngine) -> Generator[list[Statement]]:
    """What is sent to the database meanwhile, but for the statement that says who asks."""
    statements: list[Statement] = []

    def note(_connection: Any, _cursor: Any, sql: str, parameters: Any, _context: Any, _many: bool) -> None:
        if "set_config" not in sql:
            statements.append(Statement(sql, tuple(parameters)))

    event.listen(engine.sync_engine, "before_cursor_execute", note)
    try:
        yield statements
    finally:
        event.remove(engine.sync_engine, "before_cursor_execute", note)
