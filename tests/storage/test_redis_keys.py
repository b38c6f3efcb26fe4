"""The names of keys: one module has them all, the page says the same, and no other name or lifetime is ever used."""

import re
from fnmatch import fnmatch

import pytest

from storage import keys
from storage.keys import Key, Kind
from storage.redis.client import Breaker
from storage.redis.limits import attempts
from storage.redis.query_vectors import QueryVectors
from storage.resources import Storage
from tests.assistant.chat_app import ChatClient, serving
from tests.data import REPOSITORY
from tests.fixtures_models import ScriptedModel, Step
from tests.mcp_server.conftest import make_key
from tests.work import add_text, call
from tools.accounts import Accounts, Device
from tools.catalog import CATALOG
from tools.context import Principal
from tools.executor import Executor

UNITS = ((keys.DAY, "day"), (keys.HOUR, "hour"), (keys.MINUTE, "minute"))


def lifetime(seconds: int | None) -> str:
    if seconds is None:
        return "–"
    size, unit = next(each for each in UNITS if seconds >= each[0])
    count = seconds // size
    return f"{count} {unit}{'s' if count > 1 else ''}"


def row(key: Key) -> str:
    return (
        f"| `{key.pattern}` | {key.role.value} | {key.kind.value} | {lifetime(key.seconds)} | {key.meaning} |"
    )


def test_the_page_lists_every_key_as_the_module_has_it() -> None:
    page = (REPOSITORY / "docs" / "redis.md").read_text()
    assert re.findall(r"^\| `lyceum:.*$", page, re.MULTILINE) == [row(key) for key in keys.ALL]


def test_every_key_is_in_the_list_once() -> None:
    named = [value for value in vars(keys).values() if isinstance(value, Key)]
    assert sorted(named, key=str) == sorted(keys.ALL, key=str)
    assert len({key.pattern for key in named}) == len(named)
    assert all(key.pattern.startswith(keys.PREFIX) for key in named)


def test_no_other_module_spells_a_key() -> None:
    found = [
        str(path.relative_to(REPOSITORY))
        for folder in ("assistant", "mcp_server", "storage", "tools")
        for path in (REPOSITORY / folder).rglob("*.py")
        if re.search(r"""["']lyceum:[a-z]""", path.read_text()) and path.name != "keys.py"
    ]
    assert found == []


def test_a_name_needs_all_its_parts() -> None:
    assert keys.RATE(who="a", endpoint="b") == "lyceum:rate:a:b"
    assert keys.RATE.glob == "lyceum:rate:*:*"
    with pytest.raises(KeyError):
        keys.RATE(who="a")


async def test_whatever_is_used_is_in_the_list_and_ends(own: Storage, student: Principal) -> None:
    """A little of everything that touches Redis, then a look at all that is in it."""
    executor = Executor(CATALOG, own)
    accounts = Accounts(own)
    await add_text(executor, student, "Waves", "Notes", "A wave carries energy.")
    await call(executor, student, "search_materials", query="what does a wave carry?")
    await accounts.principal(await make_key(own, student), "test")
    await accounts.create_login_link(student.user_id)
    await own.consents.add("a request", "{}")
    assert await own.consents.get("a request", student.user_id) == "{}"
    await own.brake.check("", attempts("login:somebody", 10, 300))
    await accounts.start_session(student.user_id, Device())
    async with serving(own, executor, lambda: ScriptedModel(steps=[Step("An answer.")])) as http:
        chat = ChatClient(http, student)
        await chat.ask("What is a wave?")
    await own.runs.request_cancel(student.user_id)
    seen = set()
    async for name in own.redis.scan_iter():
        key = next(
            (key for key in keys.ALL if fnmatch(name, key.glob) and key.kind is not Kind.CHANNEL), None
        )
        assert key is not None, name
        assert await own.redis.type(name) == key.kind.value
        if key.seconds is not None:
            assert 0 < await own.redis.ttl(name) <= key.seconds, name
        seen.add(key)
    assert {key for key in keys.ALL if key.kind is not Kind.CHANNEL} == seen


async def test_an_announcement_is_gone_once_it_was_read(own: Storage, student: Principal) -> None:
    job_id = own.clock.new_id()
    assert await own.jobs.next("worker", 10) is None
    await own.jobs.announce(job_id, student.user_id)
    assert await own.jobs.next("worker", 10) == (job_id, student.user_id)
    assert await own.redis.xlen(keys.JOBS()) == 0


async def test_a_question_asked_again_is_not_embedded_again(own: Storage) -> None:
    class Counting:
        name, dimension, max_tokens = own.embedder.name, own.embedder.dimension, own.embedder.max_tokens
        runs = 0

        def __getattr__(self, name: str) -> object:
            return getattr(own.embedder, name)

        def embed_query(self, text: str) -> list[float]:
            self.runs += 1
            return own.embedder.embed_query(text)

    counting = Counting()
    vectors = QueryVectors(own.redis, Breaker(), counting)  # type: ignore[arg-type]
    first = await vectors.of("what is a wave?")
    await vectors.close()  # nobody waits for its writing
    second = await vectors.of("what is a wave?")
    assert first == second == own.embedder.embed_query("what is a wave?")
    assert counting.runs == 1
    await vectors.of("what is a node?")
    assert counting.runs == 2
