"""Running jobs inside a test, without a worker process."""

from typing import Any
from uuid import UUID
from weakref import WeakKeyDictionary

from storage.files import FileStore
from storage.resources import Storage
from tools.context import Principal, TextModel
from tools.executor import Executor
from tools.ingest.reader.reader import Reader
from tools.ingest.service import make_reader, make_worker

READERS: WeakKeyDictionary[FileStore, Reader] = WeakKeyDictionary()
"""One for each instance, as a worker has it: a new child for every job would cost each test half a second."""


def reader_of(storage: Storage) -> Reader:
    return READERS.setdefault(storage.files, make_reader(storage))


async def run_job(
    storage: Storage,
    principal: Principal,
    job_id: UUID,
    reader: Reader | None = None,
    model: TextModel | None = None,
) -> None:
    """One attempt, also when the job gives way to what other tests have left in the queue."""
    worker = make_worker(storage, f"test-{job_id}", reader or reader_of(storage), model)
    is_waiting = True
    while is_waiting and await worker.work(job_id, principal.user_id):
        async with storage.as_user(principal.user_id, read_only=True) as db:
            job = await db.jobs.get(job_id)
        is_waiting = job.status == "queued" and job.run_after is None


async def call(executor: Executor, principal: Principal, tool: str, /, **arguments: Any) -> Any:
    """A tool call as a client sees it: the output as JSON-like data."""
    return (await executor.call(tool, arguments, principal)).model_dump(mode="json")


async def add_text(
    executor: Executor,
    principal: Principal,
    class_name: str,
    title: str,
    text: str,
    model: TextModel | None = None,
) -> str:
    """A class with one text material that is ready to be searched. Gives the material's id."""
    classes = await call(executor, principal, "list_classes")
    if class_name not in {row["name"] for row in classes["items"]}:
        await call(executor, principal, "create_class", name=class_name)
    taken = await call(executor, principal, "add_text", class_id=class_name, title=title, text=text)
    await run_job(executor.storage, principal, UUID(taken["job_id"]), model=model)
    return str(taken["material_id"])
