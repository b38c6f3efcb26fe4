"""The hot queries of docs/schema.md find their rows by an index, as the application, under row-level security, among 25,000."""

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import dataclass

import pytest
from sqlalchemy.engine import make_url

from benchmarks.filling import Scale, Subject, connect, fill
from benchmarks.hot_queries import ALSO, HOTTEST, HotQuery, Question, Statement
from benchmarks.plans import PAGE, Planner, statements_of
from benchmarks.scale import question_of
from migrations.runner import upgrade
from storage.database import Database
from storage.local.instance import InstanceInfo
from tests.databases import as_superuser, new_database

# 100 or more of everything for each of 250 users, with short texts; none of what no hot query reads. Few enough to be filled in
# seconds, and stricter than more: the smaller a table, the sooner it is read from end to end.
SMALL = Scale(
    users=250, classes=100, class_chunks=1, class_materials=1, page_chunks=1, lines=1, sentences=1, words=1, pool=500,
    sessions=100, keys=100, joined=2, conversations=10, messages=10, decks=10, cards=10, reviews=0, audit=100,
)  # fmt: skip
ROWS = 25_000
TABLES = (
    "user_sessions", "api_keys", "classes", "materials", "material_segments", "chunks", "chunk_postings", "jobs",
    "messages", "flashcards", "audit_logs",
)  # fmt: skip


@dataclass(frozen=True)
class Filled:
    database: Database
    planner: Planner
    question: Question


@pytest.fixture(scope="module")
async def filled(instance: InstanceInfo) -> AsyncGenerator[Filled]:
    async with new_database(instance, "plans") as owner_url:
        await asyncio.to_thread(upgrade, owner_url)
        superuser_url = as_superuser(instance, "plans")
        await fill(superuser_url, SMALL)
        superuser, owner = await connect(superuser_url), await connect(owner_url)
        for table in TABLES:
            assert await superuser.fetchval(f"SELECT count(*) FROM {table}") >= ROWS, table
        app_url = make_url(instance.database_url).set(database="plans")
        app = await connect(app_url, jit="off")
        database = Database(app_url.render_as_string(hide_password=False))
        question = await question_of(superuser, Subject(123, SMALL))
        yield Filled(database, Planner(app, owner), question)
        await database.close()
        for connection in (app, owner, superuser):
            await connection.close()


@pytest.mark.parametrize("query", [*HOTTEST, *ALSO], ids=lambda query: query.name)
@pytest.mark.parametrize("generic", [False, True], ids=["for its values", "for any values"])
async def test_a_hot_query_reads_no_tenant_table_from_end_to_end(
    filled: Filled, query: HotQuery, generic: bool
) -> None:
    statements = await statements_of(filled.database, query, filled.question)
    assert statements
    user_id = filled.question.subject.user_id
    for plan in await filled.planner.plans(statements, user_id, generic=generic):
        assert not plan.scanned, plan.text


async def test_a_query_that_does_is_noticed(filled: Filled) -> None:
    statement = Statement("SELECT id FROM materials WHERE description = $1", ("a",))
    (plan,) = await filled.planner.plans([statement], filled.question.subject.user_id)
    assert plan.scanned == {"materials"}


def test_the_page_shows_the_plans_of_the_ten_hottest() -> None:
    part = PAGE.read_text().split("<!-- plans:begin -->")[1].split("<!-- plans:end -->")[0]
    assert len(HOTTEST) == 10
    for number, query in enumerate(HOTTEST, 1):
        assert f"### {number}. {query.name[0].upper()}{query.name[1:]}\n\nRuns {query.often}." in part
    assert "Seq Scan" not in part
