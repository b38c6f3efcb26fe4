"""Running jobs inside a test, without a worker process."""

from typing import Any
from uuid import UUID

from storage.resources import Storage
from tools.context import Principal
from tools.executor import Executor
from tools.ingest.service import make_worker


async def run_job(storage: Storage, principal: Principal, job_id: UUID) -> None:
    await make_worker(storage, f"test-{job_id}").work(job_id, principal.user_id)


async def call(executor: Executor, principal: Principal, tool: str, /, **arguments: Any) -> Any:
    """A tool call as a client sees it: the output as JSON-like data."""
    return (await executor.call(tool, arguments, principal)).model_dump(mode="json")


async def add_text(executor: Executor, principal: Principal, class_name: str, title: str, text: str) -> str:
    """A class with one text material that is ready to be searched. Gives the material's id."""
    classes = await call(executor, principal, "list_classes")
    if class_name not in {row["name"] for row in classes["items"]}:
        await call(executor, principal, "create_class", name=class_name)
    taken = await call(executor, principal, "add_text", class_id=class_name, title=title, text=text)
    await run_job(executor.storage, principal, UUID(taken["job_id"]))
    return str(taken["material_id"])
