"""A small world of people, what each may see of it by the rules, and what the database lets them see and change."""

import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import asyncpg
from sqlalchemy import Table
from uuid_utils.compat import uuid7

from storage.models.sharing import SHARED
from tests.rows import TABLES, insert, new_row

PEOPLE = ("teacher", "member", "recipient", "stranger")
# How a set of things is meant: for its owner alone, for the class, for one classmate, for whoever holds the link.
SETS = ("private", "class", "gift", "link")

MATERIAL_PARTS = ("material_segments", "chunks", "chunk_postings", "figures")
ITEM_PARTS = ("note_sources", "flashcards", "deck_media", "course_materials", "course_concepts",
              "learning_objectives", "concepts", "concept_edges")  # fmt: skip
COMES_ALONG = (*SHARED.values(), *MATERIAL_PARTS, *ITEM_PARTS, "files")
"""Tables of which a reader sees the rows of the set that is meant for them. Questions of a test are not among them: their rows
hold the key, so others read them through functions."""
RESULTS = ("test_attempts", "assignment_progress", "progress_metrics")
"""Tables of which a teacher sees the members' rows in the class."""

Key = str
"""A row by its id, or by (material, lexeme)."""
Seen = dict[str, frozenset[Key]]


@dataclass
class World:
    """Ids of people and their things; `rows[person][set][table]` are the keys of their rows."""

    ids: dict[str, UUID] = field(default_factory=dict)
    class_ids: dict[str, UUID] = field(default_factory=dict)
    links: dict[str, UUID] = field(default_factory=dict)
    linked_files: dict[str, set[Key]] = field(default_factory=dict)
    code: str = ""
    teachers_email: str = ""
    rows: dict[str, dict[str, dict[str, set[Key]]]] = field(default_factory=dict)

    def own(self, person: str, table: str, *sets: str) -> set[Key]:
        mine = self.rows[person]
        return set().union(*(mine[name].get(table, set()) for name in (sets or mine)))

    def expected(self, person: str, table: str) -> frozenset[Key]:
        """The rules, in the words of the design: own rows, and what a class, a classmate or a link lets one read."""
        if person == "nobody":
            return frozenset()
        if person.startswith("visitor of "):
            return frozenset(self.by_link(SHARED[person.removeprefix("visitor of ")], table))
        seen = self.own(person, table) if table != "class_members" else set()
        if person == "member":
            seen |= self.own("teacher", table, "class") if table in COMES_ALONG else set()
            seen |= {str(self.class_ids["teacher"])} if table == "classes" else set()
            seen |= self.own("teacher", table) if table in ("assignments", "class_members") else set()
        if person == "recipient":
            seen |= self.own("teacher", table, "gift") if table in (*COMES_ALONG, "shared_items") else set()
            seen |= self.own("teacher", table) if table == "connections" else set()
        if person == "teacher":
            seen |= self.own("member", table, "in class") if table in RESULTS else set()
            seen |= self.own("teacher", table) if table == "class_members" else set()
        return frozenset(seen)

    def by_link(self, shared: str, table: str) -> set[Key]:
        along = {
            "materials": ("materials", *MATERIAL_PARTS, "files"),
            "notes": ("notes", "note_sources"),
            "decks": ("decks", "flashcards", "deck_media", "files"),
            "tests": ("tests",),
            "documents": ("documents",),
            "courses": ("courses", "course_materials", "course_concepts", "learning_objectives", "concepts",
                        "concept_edges"),
        }[shared]  # fmt: skip
        if table == "files" and table in along:
            return self.linked_files[shared]
        return self.own("teacher", table, "link") if table in along else set()


def key(table: str, row: dict[str, Any]) -> Key:
    return f"{row['material_id']} {row['lexeme']}" if table == "chunk_postings" else str(row["id"])


def key_sql(table: str) -> str:
    return "material_id || ' ' || lexeme" if table == "chunk_postings" else "id::text"


class Maker:
    """Writes the world over a superuser's connection."""

    def __init__(self, connection: Any) -> None:
        self.connection = connection
        self.world = World()

    async def make(self) -> World:
        for person in (*PEOPLE, "friend"):
            self.world.ids[person] = uuid7()
            self.world.rows[person] = {}
            await self.person(person)
        for person in PEOPLE:
            for name in SETS:
                await self.things(person, name)
        await self.member_at_work()
        teacher = self.world.ids["teacher"]
        self.world.code = await self.connection.fetchval(
            "SELECT code FROM enrollment_codes WHERE user_id = $1 LIMIT 1", teacher
        )
        self.world.teachers_email = await self.connection.fetchval(
            "SELECT email FROM users WHERE id = $1", teacher
        )
        return self.world

    async def add(self, person: str, set_name: str, table: Table, row: dict[str, Any]) -> None:
        await insert(self.connection, table, row)
        self.world.rows[person].setdefault(set_name, {}).setdefault(table.name, set()).add(
            key(table.name, row)
        )

    async def person(self, person: str) -> None:
        me = self.world.ids[person]
        await self.add(person, "account", TABLES["users"], new_row(TABLES["users"], {}, id=me))
        row = new_row(TABLES["classes"], {"user_id": me})
        self.world.class_ids[person] = row["id"]
        await self.add(person, "account", TABLES["classes"], row)

    async def things(self, person: str, set_name: str) -> None:
        """A row of every other table, each pointing at the others of the set."""
        me = self.world.ids[person]
        known: dict[str, Any] = {"user_id": me, "users": me, "classes": self.world.class_ids[person]}
        client = uuid7()
        await self.connection.execute(
            "INSERT INTO oauth_clients (id, client_id, registration, name, redirect_uris) VALUES ($1, $2, 'dynamic', 'x', '{}')",
            client, str(client),
        )  # fmt: skip
        known["oauth_clients"] = client
        for name, table in TABLES.items():
            if name in ("users", "classes", "class_members", "connections", "shared_items", "share_links"):
                continue
            row = new_row(table, known, **self.linked(name, set_name, known))
            known.setdefault(name, row.get("id"))
            await self.add(person, set_name, table, row)
            if name == "concepts":
                known["second concept"] = await self.another(person, set_name, table, known)
            if name == "files":
                known["picture"] = await self.another(person, set_name, table, known)
                known["sound"] = await self.another(person, set_name, table, known)
        if (person, set_name) == ("teacher", "link"):
            files = {"materials": ("files", "picture"), "decks": ("sound",)}
            self.world.linked_files = {whole: {str(known[k]) for k in keys} for whole, keys in files.items()}
        await self.course_of_both(person, set_name, known)
        await self.shared(person, set_name, known)

    async def another(self, person: str, set_name: str, table: Table, known: dict[str, Any]) -> UUID:
        row = new_row(table, known)
        await self.add(person, set_name, table, row)
        return UUID(str(row["id"]))

    @staticmethod
    def linked(table: str, set_name: str, known: dict[str, Any]) -> dict[str, Any]:
        """Columns that join the rows of a set beyond what foreign keys demand."""
        shared = set_name == "class"
        columns: dict[str, dict[str, Any]] = {
            "deck_media": {"file_id": known.get("sound")},
            "figures": {"file_id": known.get("picture")},
            "materials": {"file_id": known.get("files"), "shared_with_class": shared},
            "concept_edges": {"target_id": known.get("second concept")},
            "documents": {"shared_with_class": shared, "superseded_at": None, "version": 1},
            "feedback": {"note_id": known.get("notes")},
            "oauth_grants": {"code_hash": uuid7().bytes},
            **{name: {"shared_with_class": shared} for name in ("notes", "decks", "tests", "courses")},
        }
        return columns.get(table, {})

    async def course_of_both(self, person: str, set_name: str, known: dict[str, Any]) -> None:
        """The second concept belongs to the course too, else the edge to it would not come along."""
        table = TABLES["course_concepts"]
        await self.add(person, set_name, table, new_row(table, known, concept_id=known["second concept"]))

    async def shared(self, person: str, set_name: str, known: dict[str, Any]) -> None:
        """Connection, gifts and links: the teacher's with the recipient, the others' with a friend."""
        other = self.world.ids["recipient" if person == "teacher" else "friend"]
        if set_name == "private":
            table = TABLES["connections"]
            await self.add(person, set_name, table, new_row(table, known, classmate_id=other))
        if set_name == "class" and person == "teacher":
            table = TABLES["class_members"]
            row = new_row(
                table, known, user_id=self.world.ids["member"], enrollment_code_id=known["enrollment_codes"]
            )
            await self.add(person, set_name, table, row)
        for name, column_values in (("shared_items", {"recipient_id": other}), ("share_links", {})):
            if set_name == ("gift" if name == "shared_items" else "link"):
                for column, whole in SHARED.items():
                    row = new_row(TABLES[name], known, **column_values, **{column: known[whole]})
                    await self.add(person, set_name, TABLES[name], row)
                    if person == "teacher" and name == "share_links":
                        self.world.links[column] = row["id"]

    async def member_at_work(self) -> None:
        """What a member does in the teacher's class, and a stranger who pretends to be in it."""
        for person, set_name in (("member", "in class"), ("stranger", "pretended")):
            me = self.world.ids[person]
            assignment = await self.connection.fetchval(
                "SELECT id FROM assignments WHERE user_id = $1 LIMIT 1", self.world.ids["teacher"]
            )
            known = {
                "user_id": me,
                "users": me,
                "classes": self.world.class_ids["teacher"],
                "assignments": assignment,
            }
            for name in RESULTS:
                await self.add(person, set_name, TABLES[name], new_row(TABLES[name], known))


@asynccontextmanager
async def becoming(
    connection: Any, world: World, person: str, role: str = "lyceum_app"
) -> AsyncGenerator[None]:
    """The rest of the transaction as this role, for this person; undone at the end."""
    savepoint = connection.transaction()
    await savepoint.start()
    try:
        link = world.links[person.removeprefix("visitor of ")] if person.startswith("visitor") else ""
        user = world.ids.get(person, "")
        await connection.execute(
            f"SET LOCAL ROLE {role}; SET LOCAL lyceum.user_id = '{user}'; SET LOCAL lyceum.share_link_id = '{link}'"
        )
        yield
    finally:
        await savepoint.rollback()


async def visible(connection: Any, table: str) -> frozenset[Key]:
    return frozenset(row[0] for row in await connection.fetch(f"SELECT {key_sql(table)} FROM {table}"))


async def attempt(connection: Any, sql: str, *arguments: Any) -> frozenset[Key]:
    """Keys of the rows that a statement reaches; none when it is not allowed. Undone."""
    savepoint = connection.transaction()
    await savepoint.start()
    try:
        return frozenset(row[0] for row in await connection.fetch(sql, *arguments))
    except asyncpg.InsufficientPrivilegeError:
        return frozenset()
    finally:
        await savepoint.rollback()


async def changeable(connection: Any, table: str) -> frozenset[Key]:
    """Rows that an UPDATE without any condition reaches, by a column that may be updated."""
    column = await connection.fetchval(
        """SELECT attname FROM pg_attribute WHERE attrelid = $1::regclass AND attnum > 0 AND attgenerated = ''
        AND NOT attisdropped AND has_column_privilege(attrelid, attnum, 'UPDATE')
        ORDER BY attname IN ('id', 'user_id'), attnum LIMIT 1""",
        table,
    )
    if column is None:
        return frozenset()
    return await attempt(connection, f"UPDATE {table} SET {column} = {column} RETURNING {key_sql(table)}")


async def deletable(connection: Any, table: str) -> frozenset[Key]:
    return await attempt(connection, f"DELETE FROM {table} RETURNING {key_sql(table)}")


async def wiped(connection: Any, table: str) -> int:
    """How many rows a DELETE takes that looks at none, so that what may be seen plays no part. Undone."""
    savepoint = connection.transaction()
    await savepoint.start()
    try:
        status = await connection.execute(f"DELETE FROM {table}")
        return int(status.split()[-1])
    except asyncpg.InsufficientPrivilegeError:
        return 0
    finally:
        await savepoint.rollback()


async def insertable(connection: Any, table: str, rows: str) -> bool:
    """Whether these rows (JSON) get past the policies, be it to fail at a constraint. Undone."""
    columns = await connection.fetchval(
        """SELECT string_agg(quote_ident(attname), ', ') FROM pg_attribute WHERE attrelid = $1::regclass AND attnum > 0
        AND attgenerated = '' AND NOT attisdropped AND has_column_privilege(attrelid, attnum, 'INSERT')""",
        table,
    )
    if columns is None:
        return False
    populated = f"jsonb_populate_recordset(NULL::{table}, $1::jsonb)"
    savepoint = connection.transaction()
    await savepoint.start()
    try:
        await connection.execute(f"INSERT INTO {table} ({columns}) SELECT {columns} FROM {populated}", rows)
    except asyncpg.InsufficientPrivilegeError:
        return False
    except asyncpg.IntegrityConstraintViolationError:
        return True
    finally:
        await savepoint.rollback()
    return True


Observation = dict[tuple[str, str], frozenset[Key]]


async def observe(connection: Any, world: World, person: str, table: str, copies: str) -> Observation:
    """What one person sees of a table, can change, delete and write as somebody else."""
    async with becoming(connection, world, person):
        return {
            (person, "sees"): await visible(connection, table),
            (person, "changes"): await changeable(connection, table),
            (person, "deletes"): await deletable(connection, table),
            (person, "wipes"): frozenset(map(str, range(await wiped(connection, table)))),
            (person, "forges"): frozenset({"a row"} if await insertable(connection, table, copies) else ()),
        }


async def foreign_rows(connection: Any, world: World, table: str) -> str:
    """New rows (JSON), all of the teacher, but one that would be an abuse of one's own name."""
    found = await connection.fetch(
        f"SELECT to_jsonb(t) AS row FROM {table} t WHERE {'id' if table == 'users' else 'user_id'} = $1 LIMIT 1",
        world.ids["member" if table == "class_members" else "teacher"],
    )
    row = {**json.loads(found[0]["row"])}
    if "id" in row and table != "users":
        row["id"] = str(uuid7())
    return json.dumps([row])


def more(before: Observation, after: Observation) -> bool:
    """Whether somebody reaches a row that they did not reach before."""
    return any(after[what] - before[what] for what in before)


def less(before: Observation, after: Observation) -> bool:
    return any(before[what] - after[what] for what in before)
