"""Which job is next: urgent before bulk, fair between users, words before vectors; and the upkeep beside the jobs."""

import asyncio
from collections.abc import Awaitable, Callable
from uuid import UUID

import pytest
from structlog.testing import capture_logs

from storage.life.purge import Removed
from storage.models import Job
from storage.repositories.jobs import BULK, URGENT, open_jobs
from storage.resources import Storage
from tests.waiting import awaited, patience
from tests.work import call
from tools import worker as worker_module
from tools.context import Principal
from tools.executor import Executor
from tools.life import upkeep
from tools.worker import GiveWay, RunningJob, Stopped, TryAgain, Worker

PROBE = "probe"


async def add_job(storage: Storage, who: Principal, priority: int = URGENT) -> UUID:
    job_id = storage.clock.new_id()
    row = Job(id=job_id, user_id=who.user_id, kind=PROBE, priority=priority, arguments={})
    async with storage.as_user(who.user_id) as db:
        await db.jobs.add(row)
    return job_id


async def job_of(storage: Storage, who: Principal, job_id: UUID) -> Job:
    async with storage.as_user(who.user_id, read_only=True) as db:
        return await db.jobs.get(job_id)


async def queue(storage: Storage, *whose: Principal) -> list[UUID]:
    """Open jobs of these users, in the order in which they would be taken."""
    async with storage.database.transaction(None, read_only=True) as session:
        found = await open_jobs(session, 1000)
    return [job.id for job in found if job.user_id in {who.user_id for who in whose}]


def prober(storage: Storage, name: str, handler: Callable[[RunningJob], Awaitable[None]]) -> Worker:
    async def ended(job: Job, status: str, code: str | None, sentence: str | None) -> None:
        """Nothing hangs on a probe."""

    return Worker(storage, name, {PROBE: handler}, ended)


async def nothing(_: RunningJob) -> None:
    """A job that is done at once."""


async def test_the_third_open_file_of_a_user_is_an_import_that_can_wait(
    storage: Storage, executor: Executor, student: Principal
) -> None:
    await call(executor, student, "create_class", name="Queue")
    taken = [
        await call(executor, student, "add_text", class_id="Queue", title=f"Note {n}", text=f"Text {n}.")
        for n in range(4)
    ]
    jobs = [await job_of(storage, student, UUID(each["job_id"])) for each in taken]
    assert [job.priority for job in jobs] == [URGENT, URGENT, BULK, BULK]
    assert await queue(storage, student) == [job.id for job in jobs]


async def test_users_take_turns_and_urgent_jobs_go_before_an_import(
    storage: Storage, student: Principal, stranger: Principal
) -> None:
    bulk = await add_job(storage, stranger, BULK)
    mine = [await add_job(storage, student) for _ in range(3)]
    theirs = await add_job(storage, stranger)
    assert await queue(storage, student, stranger) == [*mine, theirs, bulk]
    await prober(storage, "turns", nothing).work(mine[0], student.user_id)
    assert await queue(storage, student, stranger) == [theirs, *mine[1:], bulk]


async def test_a_worker_that_is_woken_asks_the_database_which_job_is_next(
    storage: Storage, student: Principal
) -> None:
    """The stream tells only of the job that can wait."""
    order: list[UUID] = []

    async def note(running: RunningJob) -> None:
        order.append(running.job.id)
        if len(order) == 2:
            worker.stop()

    later = await add_job(storage, student, 8)  # both above whatever other tests have left
    sooner = await add_job(storage, student, 9)
    await storage.jobs.announce(later, student.user_id)
    worker = prober(storage, "woken", note)
    await awaited(worker.run(), "both jobs")
    assert order == [sooner, later]


async def test_a_job_that_had_its_slice_lets_another_user_go_first_and_loses_no_attempt(
    storage: Storage, student: Principal, stranger: Principal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker_module, "WAITING_SECONDS", 0.01)
    monkeypatch.setattr(worker_module, "SLICE_SECONDS", 0.3)
    urgency = 7  # above whatever other tests have left
    long_one = await add_job(storage, student, urgency)
    looks: list[bool] = []

    async def work_on(running: RunningJob) -> None:
        while True:
            looks.append(await running.is_held_up())
            if looks[-1]:
                await running.remember(page=57)
                raise GiveWay(running.job.priority)
            await asyncio.sleep(0.02)

    worker = prober(storage, "slices", work_on)
    await add_job(storage, student, urgency)  # of the same user: no reason to give way
    working = asyncio.create_task(worker.work(long_one, student.user_id))
    await asyncio.sleep(0.6)
    assert not any(looks)
    other = await add_job(storage, stranger, urgency)
    await awaited(working, "the job to give way")
    row = await job_of(storage, student, long_one)
    assert (row.status, row.attempts, row.arguments) == ("queued", 0, {"page": 57})
    assert (await queue(storage, student, stranger))[0] == other


async def test_something_more_urgent_goes_first_at_once(
    storage: Storage, student: Principal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker_module, "WAITING_SECONDS", 0.01)
    job_id = await add_job(storage, student, 20)
    answers: list[bool] = []

    async def ask(running: RunningJob) -> None:
        await asyncio.sleep(0.02)
        answers.append(await running.is_held_up())
        await add_job(storage, student, 21)
        answers.append(await running.is_held_up(at_once=True))

    await prober(storage, "urgent", ask).work(job_id, student.user_id)
    assert answers == [False, True]


async def test_a_worker_that_stops_gives_its_job_back(storage: Storage, student: Principal) -> None:
    job_id = await add_job(storage, student)
    begun = asyncio.Event()

    async def for_ever(running: RunningJob) -> None:
        begun.set()
        await running.unless_halted(asyncio.sleep(3600))

    worker = prober(storage, "stops", for_ever)
    working = asyncio.create_task(worker.work(job_id, student.user_id))
    await begun.wait()
    worker.stop()
    await awaited(working, "the job to stop")
    row = await job_of(storage, student, job_id)
    assert (row.status, row.attempts, row.worker) == ("queued", 0, None)


async def test_work_that_is_halted_is_cancelled_and_cleans_up(storage: Storage) -> None:
    cleaned = asyncio.Event()

    async def long() -> None:
        try:
            await asyncio.sleep(3600)
        finally:
            cleaned.set()

    running = RunningJob(Job(), storage)
    asyncio.get_running_loop().call_later(0.05, running.halt)
    with pytest.raises(Stopped):
        await running.unless_halted(long())
    assert cleaned.is_set()
    with pytest.raises(Stopped):
        running.check()


async def test_an_attempt_that_got_further_is_not_counted_and_one_that_did_not_is(
    storage: Storage, student: Principal
) -> None:
    job_id = await add_job(storage, student)
    verdicts = [False, True, True, True]

    async def fail(running: RunningJob) -> None:
        raise TryAgain("probe_failed", "It did not work.", is_counted=verdicts.pop(0))

    seen = []
    for _ in range(4):
        await prober(storage, "tries", fail).work(job_id, student.user_id)
        row = await job_of(storage, student, job_id)
        seen.append((row.status, row.attempts))
    assert seen == [("queued", 0), ("queued", 1), ("queued", 2), ("failed", 3)]
    assert (row.error_code, row.error) == ("probe_failed", "It did not work.")


class Stumbling(upkeep.Upkeep):
    """An upkeep with a bug in its first look."""

    looks = 0

    async def erase_accounts(self) -> Removed:
        self.looks += 1
        if self.looks == 1:
            raise ZeroDivisionError("a bug")
        return await super().erase_accounts()

    async def daily(self) -> None:
        """Not due."""


async def test_an_unforeseen_error_in_the_upkeep_is_logged_and_the_upkeep_goes_on(
    storage: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upkeep, "LOOK_SECONDS", 0.02)
    stumbling, stopping = Stumbling(storage, "stumbles"), asyncio.Event()
    with capture_logs() as logs:
        task = asyncio.create_task(stumbling(stopping))
        async with patience("three looks"):
            while stumbling.looks < 3:  # noqa: ASYNC110
                await asyncio.sleep(0.02)
        stopping.set()
        await task
    failed = [entry for entry in logs if entry["event"] == "upkeep_failed"]
    assert [entry["log_level"] for entry in failed] == ["error"]
    assert failed[0]["exc_info"]
    assert stumbling.looks >= 3
