"""The database at the size of a school: 1,000 users × 6 classes × 300 chunks, unless asked otherwise.

Measures the migrations from empty, the filling, what every table takes, the hot queries with their plans, what row-level
security costs them, and the migrations down and up again on all that data.
"""

import asyncio
import json
import secrets
import time
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from alembic import command
from alembic.script import ScriptDirectory
from sqlalchemy.engine import URL, make_url

from benchmarks.filling import Scale, Subject, connect, fill
from benchmarks.hot_queries import ALSO, HOTTEST, Question
from benchmarks.plans import Planner, statements_of, write_page
from benchmarks.policies import BYPASS, MAKE_BYPASS, Bench
from benchmarks.report import Section
from benchmarks.tools_in_process import be_quiet
from migrations.runner import FOLDER, configuration
from storage.database import Database
from storage.local.instance import InstanceInfo
from storage.local.services import LocalServices

ASKING = 200
"""Users that the hot queries are timed over, spread over all."""
FIRST = "0001"
MEGABYTE = 1e6

ROWS = """
    SELECT coalesce(parent.relname, c.relname) AS name, sum(greatest(c.reltuples, 0))::bigint AS rows,
           sum(pg_table_size(c.oid)) AS bytes, sum(pg_indexes_size(c.oid)) AS index_bytes
    FROM pg_class c LEFT JOIN pg_inherits i ON i.inhrelid = c.oid LEFT JOIN pg_class parent ON parent.oid = i.inhparent
    WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace AND c.relname NOT LIKE 'scale%'
    GROUP BY 1 HAVING sum(greatest(c.reltuples, 0)) > 1 ORDER BY sum(pg_total_relation_size(c.oid)) DESC
"""
LEXEMES = """
    SELECT ARRAY(SELECT lexeme FROM unnest(lexemes) WHERE lexeme !~ '[0-9]|chapter|section' ORDER BY hashtext(lexeme) LIMIT 5)
    FROM chunks WHERE id = $1
"""


@dataclass(frozen=True, slots=True)
class Server:
    """A database server as `lyceum serve` starts it, and who connects to it."""

    owner_url: str
    app: URL
    superuser: URL
    bare: URL
    """The application's rights without its policies."""


async def measure_scale(
    data_dir: Path, scale: Scale, done: Callable[[Section], None], *, plans: bool
) -> None:
    """Hand every table over when it is there. `plans`: also write them into docs/schema.md."""
    be_quiet()
    async with LocalServices(data_dir, "benchmarks") as info:
        server = await with_bypass(info)
        migrating = Section("migrations", "Migrations", ["empty s", "down, full s", "up again s"])
        await asyncio.to_thread(upgrade_one_by_one, server.owner_url, migrating)
        done(await measure_filling(server, scale))
        done(await measure_sizes(server))
        async with asking(server, scale) as (bench, questions):
            done(await bench.measure((*HOTTEST, *ALSO), questions))
            if plans:
                await explain_to_page(bench.database, server, questions[-1])
        await asyncio.to_thread(down_and_up, server.owner_url, migrating)
        done(migrating)


async def with_bypass(info: InstanceInfo) -> Server:
    generated = json.loads((info.data_dir / "secrets.json").read_text(encoding="utf-8"))
    app, password = make_url(info.database_url), secrets.token_urlsafe(16)
    superuser = app.set(username="postgres", password=generated["postgres"])
    connection = await connect(superuser)
    await connection.execute(MAKE_BYPASS.format(role=BYPASS, password=password))
    # The filling ends with ANALYZE and VACUUM; meanwhile autovacuum would only read the tables once more.
    await connection.execute("ALTER SYSTEM SET autovacuum = off")
    await connection.execute("SELECT pg_reload_conf()")
    await connection.close()
    return Server(info.owner_database_url, app, superuser, app.set(username=BYPASS, password=password))


def upgrade_one_by_one(owner_url: str, section: Section) -> None:
    """Seconds of each revision."""
    config = configuration(owner_url)
    for script in reversed(list(ScriptDirectory(str(FOLDER)).walk_revisions())):
        section.rows[script.revision] = [seconds(command.upgrade, config, script.revision)]
    section.rows["all"] = [sum(values[0] for values in section.rows.values())]


def down_and_up(owner_url: str, section: Section) -> None:
    """The same on a full database: down to the first revision, which empties the tables that came later, and up again."""
    config = configuration(owner_url)
    revisions = [name for name in section.rows if name not in ("all", FIRST)]
    down = {
        name: seconds(command.downgrade, config, older)
        for older, name in reversed(list(zip([FIRST, *revisions], revisions, strict=False)))
    }
    up = {name: seconds(command.upgrade, config, name) for name in revisions}
    for name in revisions:
        section.rows[name] = [*section.rows[name], down[name], up[name]]
    section.rows["all"] = [*section.rows["all"], sum(down.values()), sum(up.values())]


def seconds(work: Callable[..., None], *arguments: Any) -> float:
    began = time.monotonic()
    work(*arguments)
    return time.monotonic() - began


async def measure_filling(server: Server, scale: Scale) -> Section:
    section = Section("filling", "Filling", ["s"])
    await fill(server.superuser, scale, lambda step, taken: section.rows.update({step: [taken]}))
    connection, began = await connect(server.superuser), time.monotonic()
    await connection.execute("VACUUM")
    section.rows["vacuum"] = [time.monotonic() - began]
    await connection.close()
    section.rows["all"] = [sum(values[0] for values in section.rows.values())]
    section.notes = [
        f"{scale.users} users × {scale.classes} classes × {scale.class_chunks} chunks, {scale.class_materials} materials a class",
        "all indexes in place, foreign keys and triggers not checked; two connections for material; autovacuum off",
    ]
    return section


async def measure_sizes(server: Server) -> Section:
    section = Section("sizes", "Sizes", ["rows", "table MB", "indexes MB"])
    connection = await connect(server.superuser)
    for row in await connection.fetch(ROWS):
        section.rows[row["name"]] = [
            float(row["rows"]), float(row["bytes"]) / MEGABYTE, float(row["index_bytes"]) / MEGABYTE
        ]  # fmt: skip
    await connection.close()
    section.rows["all"] = [sum(column) for column in zip(*section.rows.values(), strict=True)]
    return section


@asynccontextmanager
async def asking(server: Server, scale: Scale) -> AsyncGenerator[tuple[Bench, Sequence[Question]]]:
    """What asks, and what is asked by users that are spread over all."""
    database = Database(server.app.render_as_string(hide_password=False))
    async with AsyncExitStack() as stack:
        stack.push_async_callback(database.close)
        connections = []
        for url in (server.app, server.bare, server.superuser):
            connections.append(await connect(url, application_name="lyceum", jit="off"))
            stack.push_async_callback(connections[-1].close)
        step = max(1, scale.users // ASKING)
        subjects = [Subject(number, scale) for number in range(0, scale.users, step)]
        questions = [await question_of(connections[2], subject) for subject in subjects]
        yield Bench(database, connections[0], connections[1]), questions


async def question_of(superuser: Any, subject: Subject) -> Question:
    """Words of some passage of the user's, common and rare ones."""
    passage = subject.chunk_ids(subject.scale.class_materials)[-1]
    return Question(subject, await superuser.fetchval(LEXEMES, passage))


async def explain_to_page(database: Database, server: Server, question: Question) -> None:
    app, superuser = await connect(server.app, jit="off"), await connect(server.superuser)
    owner = await connect(make_url(server.owner_url))
    planner, user_id = Planner(app, owner), question.subject.user_id
    sections = [
        (query, await planner.plans(await statements_of(database, query, question), user_id))
        for query in HOTTEST
    ]
    rows = {row["name"]: row["rows"] for row in await superuser.fetch(ROWS)}
    write_page(sections, rows)
    for connection in (app, superuser, owner):
        await connection.close()
