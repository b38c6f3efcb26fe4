"""What the built-in maker works with is kept from one job to the next, and let go of when none comes."""

from collections.abc import AsyncIterator, Sequence

import numpy as np
import psutil
import pytest

from tests.waiting import until
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
