"""A process that is killed in the middle of an answer, and what the next one makes of it."""

import asyncio
import signal
import socket
import sys
from asyncio.subprocess import Process
from contextlib import suppress
from pathlib import Path
from uuid import uuid4

import httpx
from ag_ui_validate.pytest_plugin import assert_valid_agui

from storage.local.instance import InstanceInfo
from storage.resources import Storage
from tests.assistant.chat_app import ChatClient, serving
from tests.conftest import settings_for
from tests.fixtures_models import ScriptedModel, Step
from tests.waiting import PATIENCE, until
from tests.work import call
from tools.context import Principal
from tools.executor import Executor


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


async def until_open(process: Process, port: int) -> None:
    async def is_open() -> bool:
        assert process.returncode is None, "the process ended"
        with suppress(OSError):
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.close()
            return True
        return False

    await until(is_open, "the process to listen")


async def test_a_killed_process_leaves_an_interrupted_answer_that_can_be_asked_again(
    instance: InstanceInfo, storage: Storage, executor: Executor, student: Principal, tmp_path: Path
) -> None:
    port, run = free_port(), str(uuid4())
    settings = tmp_path / "settings.json"
    settings.write_text(settings_for(instance).model_dump_json())
    command = [sys.executable, "-m", "tests.assistant.chat_app", str(settings), str(port)]
    process = await asyncio.create_subprocess_exec(*command, cwd=Path(__file__).parents[2])
    try:
        await until_open(process, port)
        async with httpx.AsyncClient(
            base_url=f"http://127.0.0.1:{port}", timeout=PATIENCE, trust_env=False
        ) as client:
            before = await ChatClient(client, student, "thread").ask("a long question", run, most=12)
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGKILL)
        await process.wait()
    model = ScriptedModel(steps=[Step("whole answer")])
    async with serving(storage, executor, lambda: model) as client:
        chat = ChatClient(client, student, "thread")
        rest = await chat.events(run, before.ids[-1])
        whole = await chat.events(run)
        assert [*before.events, *rest.events] == whole.events
        assert_valid_agui(whole.events, max_warnings=0)
        assert (whole.last["type"], whole.last["code"]) == ("RUN_ERROR", "interrupted")
        stored = await call(executor, student, "get_conversation", conversation_id="thread")
        assert [m["status"] for m in stored["messages"]] == ["complete", "interrupted"]
        assert stored["messages"][1]["text"] == whole.text.strip()
        assert stored["messages"][1]["text"].startswith("word0 word1 word2")
        again = await chat.ask("a long question")
        assert again.text.strip() == "whole answer"
