"""From a real book to passages with places."""

import time
from uuid import UUID

from storage.resources import Storage
from tests.data import shared
from tests.work import call, run_job
from tools.context import Principal
from tools.executor import Executor
from tools.intake import receive


async def stream(path):  # type: ignore[no-untyped-def]
    yield path.read_bytes()


async def test_a_question_finds_the_page_that_answers_it(
    storage: Storage, executor: Executor, student: Principal
) -> None:
    path = shared("docs/decay_textbook_241p.pdf")
    await call(executor, student, "create_class", name="Numerics")
    upload = await receive(storage, student, path.name, stream(path))
    taken = await call(executor, student, "upload_material", class_id="numerics", upload_id=str(upload))
    t = time.time()
    await run_job(storage, student, UUID(taken["job_id"]))
    print("ingest", time.time() - t)
    print(await call(executor, student, "get_material", material_id=taken["material_id"]))
    for q in ["Which scheme is unconditionally stable?", "page 57", "section 3.2", '"Crank-Nicolson method"', "what is the theta rule", "radioactive decay half-life"]:
        t = time.time()
        found = await call(executor, student, "search_materials", query=q)
        print(q, round((time.time() - t)*1000,1), "ms", found["notice"])
        for h in found["hits"][:3]:
            print("   ", h["label"], h["scores"], h["locator"]["heading_path"][-1:], repr(h["text"][:100]), len(h["locator"]["boxes"]))
    print(await call(executor, student, "chroma_list_collections"))
    names = (await call(executor, student, "chroma_list_collections"))["items"]
    print(await call(executor, student, "chroma_diagnose_collection", collection_name=names[0]["name"]))
