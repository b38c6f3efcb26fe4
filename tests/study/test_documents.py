"""Documents made from material through the real job: every kind, its citations, versions, and who may read it."""

import asyncio
import re
from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy import text

from assistant.app import create_app
from storage.errors import Conflict, InvalidInput, NotFound
from storage.local.instance import InstanceInfo
from storage.models import EnrollmentCode
from storage.resources import Storage
from tests.conftest import settings_for
from tests.tools.lectures import TOPICS
from tests.tools.test_notes_making import Scripted
from tests.work import add_text, call, reader_of
from tools.accounts import Accounts
from tools.context import Completion, Principal, TextModel
from tools.executor import Executor
from tools.ingest.service import make_worker

SCRIPT = "\n\n".join(
    f"# {name.capitalize()}\n\n{' '.join(sentences[1:])}\n\n{extra}"
    for (name, sentences), extra in zip(
        TOPICS.items(),
        (
            "The rate is given by\n\n$$v = \\frac{V_{max} [S]}{K_m + [S]}$$ (1.1)",
            "| phase | what happens |\n|---|---|\n| metaphase | line up |\n| anaphase | pulled apart |",
            "The dose is $x^2$ at most.",
        ),
        strict=True,
    )
)
PAPER = """# Examination

1. What is mitosis? (2 marks)

2. At which pH does pepsin work best? (1 mark)

3. Explain the causes of the French Revolution of 1789. (6 marks)
"""


@pytest.fixture(scope="module")
async def script(executor: Executor, new_user: Principal) -> str:
    """One material for all tests of the module."""
    return await add_text(executor, new_user, "Biology", "Script", SCRIPT)


async def run(storage: Storage, who: Principal, job_id: str, model: TextModel | None = None) -> None:
    worker = make_worker(storage, f"documents-{job_id}", reader_of(storage), model)
    await worker.work(UUID(job_id), who.user_id)


async def made(
    executor: Executor, who: Principal, model: TextModel | None = None, **arguments: Any
) -> dict[str, Any]:
    """A document that a worker has finished."""
    started = await call(executor, who, "generate_document", **arguments)
    await run(executor.storage, who, started["job_id"], model)
    job = await call(executor, who, "get_job", job_id=started["job_id"])
    assert job["status"] == "succeeded", job
    document: dict[str, Any] = await call(executor, who, "get_document", document_id=started["document_id"])
    return document


def cited(text: str) -> set[int]:
    return {int(n) for n in re.findall(r"\[(\d+)\]", text)}


@pytest.mark.parametrize("kind", ["summary", "study_guide", "cheat_sheet"])
async def test_every_statement_of_a_document_cites_its_sentence(
    kind: str, script: str, executor: Executor, new_user: Principal
) -> None:
    document = await made(executor, new_user, kind=kind, material_id="Script")
    assert (document["status"], document["model"], document["version"]) == ("ready", "builtin", 1)
    assert document["page_count"] >= 1
    assert cited(document["text"]) == {one["number"] for one in document["citations"]}
    for one in document["citations"]:
        assert one["material_id"] == script
        plain = (
            one["quote"] in SCRIPT.replace("\n", " ") or "V_{max}" in one["quote"] or "phase" in one["quote"]
        )
        assert plain, one["quote"]
    for line in document["text"].splitlines():
        assert not line.startswith("- ") or cited(line), line
    if kind == "cheat_sheet":
        assert document["page_count"] == 1
    if kind != "summary":
        assert r"\frac{V_{max} [S]}{K_m + [S]}" in document["text"]
        assert "| metaphase | line up |" in document["text"]
    if kind == "study_guide":
        for part in ("Key terms:", "Definitions", "Questions for review", "Where to read:", "**Mitosis**"):
            assert part in document["text"], part
    listed = await call(executor, new_user, "list_documents", kind=kind, class_id="Biology")
    assert document["id"] in {row["id"] for row in listed["items"]}


async def test_a_topic_is_enough_and_one_that_is_not_there_is_said_at_once(
    script: str, executor: Executor, new_user: Principal
) -> None:
    document = await made(executor, new_user, kind="summary", material_id="Script", topic="Enzymes")
    assert document["title"] == "Summary of Enzymes of Script"
    assert {one["locator"]["heading_path"][-1] for one in document["citations"]} == {"Enzymes"}
    for arguments, error, code in (
        ({"kind": "summary", "material_id": "Script", "first": 9}, NotFound, "no_such_page"),
        ({"kind": "summary", "material_id": "Script", "first": 2, "last": 1}, InvalidInput, "invalid_range"),
        ({"kind": "past_paper_answers"}, InvalidInput, "paper_missing"),
        ({"material_id": "Script"}, InvalidInput, "kind_missing"),
        ({"kind": "cheat_sheet", "material_id": "Script", "pages": 3}, InvalidInput, "invalid_arguments"),
    ):
        with pytest.raises(error) as caught:
            await call(executor, new_user, "generate_document", **arguments)
        assert caught.value.code == code


async def test_a_past_paper_is_answered_with_quotes_or_plainly_not(
    script: str, executor: Executor, new_user: Principal
) -> None:
    await add_text(executor, new_user, "Biology", "Exam 2019", PAPER)
    document = await made(
        executor, new_user, kind="past_paper_answers", material_id="Exam 2019", material_ids=["Script"]
    )
    assert document["title"] == "Answers to Exam 2019"
    first, second, third = re.split(r"^\*\*\d\.\*\* ", document["text"], flags=re.MULTILINE)[1:]
    assert "Mitosis is the division of a nucleus into two nuclei" in first
    assert "works best at pH 2" in second
    assert "Not in your material." in third
    assert "1 of 3 questions are not answered" in document["text"]
    by_number = {one["number"]: one for one in document["citations"]}
    assert {by_number[n]["title"] for n in cited(first)} == {"Exam 2019", "Script"}


async def test_an_answer_that_a_model_wrote_keeps_what_its_passages_support(
    script: str, executor: Executor, new_user: Principal
) -> None:
    await add_text(
        executor,
        new_user,
        "Biology",
        "Exam 2020",
        "# Exam\n\n1. What is mitosis? (2 marks)\n\n2. What is an enzyme? (2 marks)\n",
    )
    model = Scripted(
        lambda _: (
            "- Mitosis is the division of a nucleus into two nuclei with the same chromosomes. [1]\n- Napoleon invented it in 1804. [1]"
        )
    )
    document = await made(
        executor, new_user, model, kind="past_paper_answers", material_id="Exam 2020", material_ids=["Script"]
    )
    assert (
        "Mitosis is the division of a nucleus into two nuclei with the same chromosomes. ["
        in document["text"]
    )
    assert "Napoleon" not in document["text"]
    assert document["model"] == "openai:scripted"
    assert "statements of the model that its passages did not support" in document["text"]
    assert "<material>" in model.asked[0]


async def test_a_quiz_sheet_prints_new_questions_or_those_of_a_test_with_its_key(
    script: str, executor: Executor, new_user: Principal
) -> None:
    started = await call(
        executor, new_user, "generate_document", kind="quiz_sheet", material_id="Script", count=4,
        types=["true_false", "cloze"], seed=5,
    )  # fmt: skip
    await run(executor.storage, new_user, started["job_id"])
    waiting = await call(executor, new_user, "get_job", job_id=started["job_id"])
    assert waiting["status"] == "queued"
    details = await call(executor, new_user, "get_document", document_id=started["document_id"])
    test_id = details["options"]["test_id"]
    async with executor.storage.as_user(new_user.user_id, read_only=True) as db:
        test = await db.making.test(UUID(test_id))
    await run(executor.storage, new_user, test.parameters["job_id"])
    await run(executor.storage, new_user, started["job_id"])
    sheet = await call(executor, new_user, "get_document", document_id=started["document_id"])
    assert sheet["status"] == "ready"
    questions, _, key = sheet["text"].partition("## Key")
    assert questions.startswith("Name: ____")
    assert len(re.findall(r"^\*\*\d\.\*\*", questions, re.MULTILINE)) >= 2
    assert cited(key)
    assert not cited(questions)
    again = await made(executor, new_user, kind="quiz_sheet", test_id=test_id)
    assert len(again["citations"]) == len(sheet["citations"])


async def test_a_new_version_leaves_the_old_one_readable(
    script: str, executor: Executor, new_user: Principal
) -> None:
    first = await made(
        executor,
        new_user,
        kind="summary",
        material_id="Script",
        title="My summary",
        topic="Mitosis",
        depth="brief",
    )
    second = await made(executor, new_user, document_id="My summary", depth="detailed")
    assert (second["version"], second["title"], second["kind"]) == (2, "My summary", "summary")
    assert second["options"]["topic"] == "Mitosis"
    assert len(second["citations"]) > len(first["citations"])
    old = await call(executor, new_user, "get_document", document_id="My summary", version=1)
    assert (old["id"], old["text"]) == (first["id"], first["text"])
    assert [one["version"] for one in second["versions"]] == [2, 1]
    listed = await call(executor, new_user, "list_documents", kind="summary")
    assert first["id"] not in {row["id"] for row in listed["items"]}
    with pytest.raises(InvalidInput, match="same kind"):
        await call(executor, new_user, "generate_document", document_id="My summary", kind="cheat_sheet")
    gone = await call(executor, new_user, "delete_document", document_id="My summary")
    assert gone["versions"] == 2
    for wanted in (first["id"], second["id"], "My summary"):
        with pytest.raises(NotFound):
            await call(executor, new_user, "get_document", document_id=wanted)
    binned = await call(executor, new_user, "list_deleted_items")
    assert [row["title"] for row in binned["items"] if row["kind"] == "document"] == ["My summary"]
    await call(executor, new_user, "restore_item", item_id="My summary")
    back = await call(executor, new_user, "get_document", document_id=first["id"])
    assert [one["version"] for one in back["versions"]] == [2, 1]


async def test_a_cancelled_job_keeps_the_parts_it_has_and_a_retry_goes_on(
    script: str, executor: Executor, new_user: Principal
) -> None:
    started = await call(
        executor, new_user, "generate_document", kind="summary", material_id="Script", title="Half"
    )
    stop = asyncio.Event()

    class Stopping(Scripted):
        async def complete(
            self, system: str, prompt: str, *, max_tokens: int, schema: dict[str, Any] | None = None
        ) -> Completion:
            if self.asked:
                await call(executor, new_user, "cancel_job", job_id=started["job_id"])
                await stop.wait()
            return await super().complete(system, prompt, max_tokens=max_tokens)

    said = "- Chlorophyll absorbs red and blue light. [1]\n- Photosynthesis stops in autumn. [1]"
    await run(executor.storage, new_user, started["job_id"], Stopping(lambda _: said))
    half = await call(executor, new_user, "get_document", document_id="Half")
    assert (half["status"], half["making"]["status"], half["making"]["done"]) == (
        "generating",
        "cancelled",
        1,
    )
    assert "Chlorophyll absorbs red and blue light. [" in half["text"]
    exported = await call(executor, new_user, "export_document", document_id="Half", format="md")
    assert "not finished" in exported["notice"]
    await call(executor, new_user, "retry_job", job_id=started["job_id"])
    with pytest.raises(Conflict, match="still being made"):
        await call(executor, new_user, "generate_document", document_id="Half")
    await run(executor.storage, new_user, started["job_id"])
    whole = await call(executor, new_user, "get_document", document_id="Half")
    assert (whole["status"], whole["making"]) == ("ready", None)
    assert "Chlorophyll absorbs red and blue light. [" in whole["text"]
    assert len(re.findall(r"^## ", whole["text"], re.MULTILINE)) == 3
    assert cited(whole["text"]) == set(range(1, len(whole["citations"]) + 1))


async def browser(storage: Storage, info: InstanceInfo, who: Principal, *scopes: str) -> httpx.AsyncClient:
    _, key = await Accounts(storage).create_key(who.user_id, "download", scopes=scopes or ("*",))
    return httpx.AsyncClient(
        transport=httpx.ASGITransport(create_app(settings_for(info))),
        base_url="http://127.0.0.1:8000",
        headers={"Authorization": f"Bearer {key}"},
    )


async def join(storage: Storage, owner: Principal, member: Principal, class_id: UUID) -> None:
    code = storage.clock.new_id()
    async with storage.as_user(owner.user_id) as db:
        db.classes.session.add(
            EnrollmentCode(id=code, user_id=owner.user_id, class_id=class_id, code=code.hex)
        )
    async with storage.as_user(member.user_id) as db:
        joining = text("SELECT outcome FROM lyceum_join_class(:id, :code)")
        asked = {"id": storage.clock.new_id(), "code": code.hex}
        assert await db.classes.session.scalar(joining, asked) == "joined"


async def test_a_file_is_downloaded_by_its_owner_and_by_members_it_is_shared_with_alone(
    script: str, storage: Storage, instance: InstanceInfo, executor: Executor, new_user: Principal, stranger: Principal,
    student: Principal,
) -> None:  # fmt: skip
    document = await made(
        executor, new_user, kind="summary", material_id="Script", depth="brief", title="Shared",
        shared_with_class=True,
    )  # fmt: skip
    exported = await call(executor, new_user, "export_document", document_id="Shared")
    assert exported["filename"] == "Shared.pdf"
    await join(storage, new_user, student, UUID(document["class_id"]))
    for format, begins in (
        ("pdf", b"%PDF"),
        ("docx", b"PK"),
        ("md", b"# Shared"),
        ("html", b"<!doctype"),
        ("json", b"{"),
    ):
        client = await browser(storage, instance, new_user)
        answer = await client.get(f"/api/documents/{document['id']}/download", params={"format": format})
        assert answer.status_code == 200, answer.text
        assert answer.content.startswith(begins)
        assert "Shared" in answer.headers["content-disposition"]
    member = await browser(storage, instance, student)
    assert (await member.get(exported["download_url"])).status_code == 200
    seen = await call(executor, student, "get_document", document_id=document["id"])
    assert (seen["is_own"], seen["making"]) == (False, None)
    with pytest.raises(NotFound):
        await call(executor, student, "delete_document", document_id=document["id"])
    other = await browser(storage, instance, stranger)
    refused = await other.get(exported["download_url"])
    assert (refused.status_code, refused.json()["code"]) == (404, "document_not_found")
    narrow = await browser(storage, instance, new_user, "materials:read")
    assert (await narrow.get(exported["download_url"])).status_code == 403
    assert (await member.get("/api/documents/x/download")).status_code == 404
    assert (await member.get(f"{exported['download_url'][:-3]}exe")).status_code == 400
