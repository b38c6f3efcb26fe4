"""What runs: jobs, answers, the daily task, closed accounts."""

from collections import Counter
from collections.abc import AsyncGenerator
from datetime import timedelta
from uuid import UUID

from assistant.cli.doctor.report import Answer, Finding, Level, Patient, listed
from storage.repositories import inspection
from storage.repositories.closing import accounts_to_erase, user_ids
from storage.repositories.conversations import stale_runs
from storage.resources import Storage
from tools.life.upkeep import DAILY, DAY

START_A_WORKER = (
    "Start one: `lyceum serve` on a laptop, `lyceum worker` on a server. Its log says why it stopped."
)
OVERDUE = timedelta(hours=1)
"""A closed account is erased within seconds, or minutes after work of its person has stopped."""


async def users(storage: Storage) -> AsyncGenerator[UUID]:
    """Ids of all accounts; what is asked about each is asked as that user."""
    last: UUID | None = None
    while True:
        async with storage.database.transaction(None, read_only=True) as session:
            page = await user_ids(session, last, 500)
        for last in page:
            yield last
        if not page:
            return


async def jobs(patient: Patient) -> Answer:
    storage, now = patient.storage, patient.storage.clock.now()
    total: Counter[str] = Counter()
    newest: tuple[UUID, str] | None = None
    async for user_id in users(storage):
        async with storage.as_user(user_id, read_only=True) as db:
            work = await db.inspection.work(now)
        total.update({name: work[name] for name in ("waiting", "lost", "failed", "open")})
        if work["newest_id"] and (newest is None or work["newest_id"] > newest[0]):
            newest = (work["newest_id"], f"{work['newest']} (job {work['newest_id']})")
    findings = []
    if total["waiting"]:
        detail = f"{total['waiting']} jobs have waited for more than 10 minutes: no worker runs, or too few."
        findings.append(Finding(Level.ERROR, detail, START_A_WORKER, total["waiting"]))
    if total["lost"]:
        detail = f"{total['lost']} running jobs have lost their worker, and no other takes over."
        findings.append(Finding(Level.ERROR, detail, START_A_WORKER, total["lost"]))
    if total["failed"] and newest:
        detail = f"{total['failed']} jobs failed in the last 7 days; the newest: {newest[1]}"
        mend = "`retry_job` runs one again; otherwise delete the material that it was about."
        findings.append(Finding(Level.WARNING, detail, mend, total["failed"], [newest[1]]))
    return f"{total['open']} jobs are open, none of them stuck.", findings


async def runs(patient: Patient) -> Answer:
    """Any process that serves the chat marks dead answers within seconds; on a laptop that is not running none does."""
    async with patient.storage.database.transaction(None, read_only=True) as session:
        stale = await stale_runs(session)
    return "No answer is stuck.", listed(
        Level.WARNING,
        "answers stopped in the middle and are still marked as running.",
        "Start `lyceum serve`: it marks them as interrupted, and the student can ask again.",
        (str(run_id) for run_id, _ in stale),
    )


async def upkeep(patient: Patient) -> Answer:
    now = patient.storage.clock.now()
    async with patient.storage.database.transaction(None, read_only=True) as session:
        turns = await inspection.turns(session)
        closed = await accounts_to_erase(session, 1000)
    findings = listed(
        Level.ERROR,
        "closed accounts have not been erased for more than an hour.",
        "Start a worker, and see to it that every store answers; the worker's log says what it waits for.",
        (str(user_id) for user_id, since in closed if now - since > OVERDUE),
    )
    daily = turns.get(DAILY)
    ended = daily["finished_at"] if daily else None
    if daily and daily["error"]:
        detail = f"The daily task failed: {daily['error']}"
        findings.append(Finding(Level.WARNING, detail, "Mend what it names; a worker tries again."))
    if ended is None or now - ended > 2 * DAY:
        detail = (
            f"The daily task last ended {f'on {ended:%Y-%m-%d}' if ended else 'never'}: nothing is purged."
        )
        findings.append(Finding(Level.WARNING, detail, START_A_WORKER))
    return f"The daily task last ended {ended:%Y-%m-%d %H:%M} UTC." if ended else "", findings
