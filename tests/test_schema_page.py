"""docs/schema.md is so: the same tables and columns as the database, nothing stale, and a home for every part of the
five source designs. tests/source_designs.json holds the parts as facts."""

import json
import re
from collections.abc import AsyncGenerator
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

from assistant.cli import MODULES
from migrations.schema_page.designs import DESIGNS, HEADINGS, LEFT_OUT, NOT_YET, read_designs
from migrations.schema_page.page import DOCS, PAGE, refreshed
from migrations.schema_page.tables import allowed_values
from storage import keys
from storage.local.instance import InstanceInfo
from storage.models import Base
from storage.resources import Storage
from storage.settings import Settings
from storage.vectors.names import CONTENT_TYPES
from tests.data import REPOSITORY, mupdf
from tests.work import add_text, call, run_job
from tools.catalog import CATALOG
from tools.context import Principal
from tools.executor import Executor
from tools.intake import once, receive

FACTS = json.loads((REPOSITORY / "tests" / "source_designs.json").read_text())
MAPS = read_designs(DOCS / DESIGNS)

COLUMNS = """SELECT c.relname AS name, a.attname AS part FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
    WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
    AND a.attnum > 0 AND NOT a.attisdropped"""
NAMES = """SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('i', 'I', 'v')
    UNION SELECT conname FROM pg_constraint WHERE connamespace = 'public'::regnamespace
    UNION SELECT tgname FROM pg_trigger WHERE NOT tgisinternal UNION SELECT extname FROM pg_extension
    UNION SELECT proname || '()' FROM pg_proc WHERE pronamespace = 'public'::regnamespace"""


@pytest.fixture
async def database(instance: InstanceInfo) -> AsyncGenerator[AsyncConnection]:
    engine = create_async_engine(instance.owner_database_url)
    async with engine.connect() as connection:
        yield connection
    await engine.dispose()


async def columns(database: AsyncConnection) -> set[tuple[str, str]]:
    return {(row.name, row.part) for row in await database.execute(text(COLUMNS))}


def columns_of_the_page() -> list[tuple[str, str]]:
    """The rows below each heading with a table's name; a row may name several columns."""
    found, table = [], ""
    for line in PAGE.read_text().splitlines():
        if line.startswith("#"):
            table = heading[1] if (heading := re.fullmatch(r"#### `(\w+)`", line)) else ""
        elif table and line.startswith("| `"):
            found += [(table, name) for name in re.findall(r"`(\w+)`", line.split(" | ")[0])]
    return found


async def test_the_page_and_a_migrated_database_have_the_same_tables_and_columns(
    database: AsyncConnection,
) -> None:
    on_the_page = columns_of_the_page()
    assert len(on_the_page) == len(set(on_the_page))
    assert set(on_the_page) == await columns(database)


def test_the_generated_parts_of_the_page_are_fresh() -> None:
    page = PAGE.read_text()
    assert refreshed(page) == page, "docs/schema.md is stale: run `make schema-page`."


def test_every_table_and_column_says_what_it_is() -> None:
    tables = Base.metadata.sorted_tables
    silent = [column for table in tables for column in table.columns if not column.comment]
    assert not silent
    assert not [table for table in tables if not table.comment]


@pytest.mark.parametrize("design", FACTS)
def test_every_fact_of_a_source_design_is_on_the_map_and_nothing_else(design: str) -> None:
    facts: list[tuple[str, str, str | None]] = []
    for kind, groups in FACTS[design].items():
        for group in groups:
            if kind not in HEADINGS:
                facts.append((kind, group, None))
            if isinstance(groups, dict):
                facts += [(kind, group, member) for member in groups[group]]
    (mapped,) = (found for found in MAPS if found.key == design)
    places = [(entry.kind, entry.group, entry.member) for entry in mapped.entries]
    assert sorted(map(str, places)) == sorted(map(str, facts))


def test_what_has_no_home_says_why() -> None:
    homeless = [entry for design in MAPS for entry in design.entries if "`" not in entry.home]
    assert homeless
    silent = [e for e in homeless if not re.match(rf"({LEFT_OUT}|{NOT_YET}) .{{8}}", e.home)]
    assert not silent


@pytest.fixture
async def vector_fields(storage: Storage, executor: Executor, student: Principal) -> set[str]:
    """Metadata that stands beside real vectors: `vector.field`, and `collection.field` of their collections."""
    await add_text(executor, student, "Maps", "Tides", "The moon raises two tides a day.")
    sheet = mupdf.open()
    sheet.new_page().insert_text((72, 72), "Spring tides come at new moon and at full moon.")
    upload = await receive(storage, student, "tides.pdf", once(sheet.tobytes()))
    taken = await call(executor, student, "upload_material", class_id="Maps", upload_id=str(upload))
    await run_job(storage, student, UUID(taken["job_id"]))
    found: set[str] = set()
    for row in (await call(executor, student, "chroma_list_collections"))["items"]:
        about = await call(executor, student, "chroma_get_collection_info", collection_name=row["name"])
        found |= {f"vector.{field}" for field in about["metadata_fields"]}
        found |= {f"collection.{field}" for field in about["metadata"]}
    return found


async def test_every_home_on_the_map_exists(database: AsyncConnection, vector_fields: set[str]) -> None:
    """A home is whatever the map sets in backticks."""
    there = await columns(database)
    known = {table for table, _ in there} | {f"{table}.{column}" for table, column in there}
    known |= {row[0] for row in await database.execute(text(NAMES))} | vector_fields
    for table in Base.metadata.sorted_tables:
        for column, values in allowed_values(table).items():
            known |= {f"{table.name}.{column}={value}" for value in values}
    known |= {key.pattern for key in keys.ALL} | set(CATALOG)
    known |= {"{user8}_{class-slug}_{content_type}"} | {f"…_{kind}" for kind in CONTENT_TYPES.values()}
    known |= {f"LYCEUM_{name.upper()}" for name in Settings.model_fields}
    known |= {f"lyceum {command}" for command in MODULES}

    named = {
        name for design in MAPS for entry in design.entries for name in re.findall("`([^`]+)`", entry.home)
    }
    assert len(named) > 400
    assert sorted(name for name in named - known if not ("/" in name and (REPOSITORY / name).exists())) == []
