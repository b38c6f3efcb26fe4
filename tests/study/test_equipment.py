"""What the built-in maker works with is kept from one job to the next, and let go of when none comes."""

from collections.abc import AsyncIterator, Sequence
from uuid import UUID

import numpy as np
import psutil
import pytest

from storage.resources import Storage
from tests.study.making import SCRIPT
from tests.waiting import until
from tests.work import add_text, call
from tools.context import Principal
from tools.executor import Executor
from tools.ingest.service import make_worker
from tools.study.port import Matrix
from tools.study.rules.analyser import Analyser
from tools.study.rules.equipment import Equipment
from tools.study.rules.kept import Kept
from tools.study.rules.maker import RuleMaker

SENTENCE = "A valve regulates the flow of a fluid."


async def embed(texts: Sequence[str]) -> Matrix:
    return np.ones((len(texts), 2), np.float32)


async def refuse(texts: Sequence[str]) -> Matrix:
    raise AssertionError(f"embedded again: {texts}")


def children_of(analyser: Analyser) -> list[psutil.Process]:
    return [psutil.Process(pid) for pid in (analyser._pool._processes if analyser._pool else ())]


@pytest.fixture
async def equipment() -> AsyncIterator[Equipment]:
    made = Equipment(idle_seconds=600)
    yield made
    await made.close()


async def test_the_next_job_finds_the_process_and_what_it_said(equipment: Equipment) -> None:
    first = RuleMaker(embed, equipment)
    (said,) = await equipment.analyser.analyse([SENTENCE])
    await equipment.vectors(["valve"], embed)
    (child,) = children_of(equipment.analyser)
    await first.close()

    second = RuleMaker(refuse, equipment)
    assert (await equipment.analyser.analyse([SENTENCE]))[0] is said
    assert children_of(equipment.analyser) == [child]
    assert child.is_running()
    assert (await equipment.vectors(["valve"], refuse)).shape == (1, 2)
    await second.close()


async def test_without_jobs_for_a_while_the_process_ends() -> None:
    equipment = Equipment(idle_seconds=0.01)
    maker = RuleMaker(embed, equipment)
    await equipment.analyser.analyse([SENTENCE])
    (child,) = children_of(equipment.analyser)
    await maker.close()

    async def has_ended() -> bool:
        return not child.is_running()

    assert await until(has_ended, "the end of an idle process")
    assert len(equipment.analyser._known) == 0

    again = RuleMaker(embed, equipment)
    assert len(await equipment.analyser.analyse([SENTENCE])) == 1
    await equipment.close()
    await again.close()


async def test_a_new_job_keeps_it_from_ending(equipment: Equipment) -> None:
    maker = RuleMaker(embed, equipment)
    await maker.close()
    waiting = equipment._end
    assert waiting is not None
    RuleMaker(embed, equipment)
    assert waiting.cancelled()


async def test_a_worker_makes_tests_with_one_process_and_ends_it_when_it_stops(
    executor: Executor, storage: Storage, new_user: Principal
) -> None:
    await add_text(executor, new_user, "Biology", "Script", SCRIPT)
    equipment = Equipment(idle_seconds=600)
    worker = make_worker(storage, "makes-twice", equipment=equipment)
    children: list[psutil.Process] = []
    for _ in range(2):
        started = await call(executor, new_user, "generate_test", material_ids=["Script"], count=2)
        status = "queued"
        while status == "queued" and await worker.work(UUID(started["job_id"]), new_user.user_id):
            status = (await call(executor, new_user, "get_job", job_id=started["job_id"]))["status"]
        assert status == "succeeded"
        children += children_of(equipment.analyser)
    assert len(children) == 2
    assert len(set(children)) == 1
    assert children[0].is_running()

    worker.stop()
    await worker.run()
    assert not children[0].is_running()


def test_the_oldest_are_let_go_of_but_never_what_was_just_asked_for() -> None:
    kept: Kept[int] = Kept(3)
    kept.add({"a": 1, "b": 2, "c": 3})
    assert kept.of(["a", "b", "c"]) == [1, 2, 3]
    assert kept.of(["a"]) == [1]
    kept.add({"d": 4})
    assert kept.of(["d", "d"]) == [4, 4]
    assert kept.missing(["a", "b", "c", "d", "b"]) == ["b"]
    kept.add(dict.fromkeys("vwxyz", 0))
    assert kept.of(list("vwxyz")) == [0] * 5
    assert len(kept) == 5
