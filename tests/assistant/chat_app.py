"""The chat router alone on a real port, in this process or as a child, and a client that reads its stream."""

import asyncio
import json
import socket
import sys
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
import uvicorn
from fastapi import FastAPI, Request

from assistant.api.chat import router
from assistant.api.problems import handle_errors
from assistant.api.services import caller
from assistant.chat.runs import ModelFactory
from assistant.chat.service import ChatService
from storage.clock import SystemClock
from storage.resources import Storage, open_storage
from storage.settings import Settings
from tests.fixtures_models import ScriptedModel, Step
from tests.waiting import PATIENCE
from tools.catalog import CATALOG
from tools.context import Principal
from tools.executor import Executor


async def named_caller(request: Request) -> Principal:
    return Principal(UUID(request.headers["x-user"]))


def chat_app(service: ChatService) -> FastAPI:
    app = FastAPI()
    app.state.chat = service
    app.include_router(router)
    handle_errors(app)
    app.dependency_overrides[caller] = named_caller
    return app


@dataclass
class Reply:
    """What a client read of one run."""

    status: int
    headers: httpx.Headers
    raw: str = ""
    ids: list[str] = field(default_factory=list)
    events: list[dict[str, Any]] = field(default_factory=list)

    @property
    def types(self) -> list[str]:
        return [event["type"] for event in self.events]

    @property
    def text(self) -> str:
        return "".join(e["delta"] for e in self.events if e["type"] == "TEXT_MESSAGE_CONTENT")

    @property
    def citations(self) -> list[dict[str, Any]]:
        return [c for e in self.events if e.get("name") == "citations" for c in e["value"]["citations"]]

    @property
    def last(self) -> dict[str, Any]:
        return self.events[-1]


@dataclass
class ChatClient:
    """One user's view of a server."""

    http: httpx.AsyncClient
    user: Principal
    thread: str = field(default_factory=lambda: str(uuid4()))

    def body(self, question: str, run: str, **props: Any) -> dict[str, Any]:
        message = {"id": str(uuid4()), "role": "user", "content": question}
        return {
            "threadId": self.thread,
            "runId": run,
            "state": {},
            "messages": [message],
            "tools": [],
            "context": [],
            "forwardedProps": props,
        }

    @property
    def headers(self) -> dict[str, str]:
        return {"x-user": str(self.user.user_id)}

    async def ask(
        self, question: str, run: str | None = None, *, most: int | None = None, **props: Any
    ) -> Reply:
        """POST a question and read to the end of the stream, or drop it after `most` events."""
        body = self.body(question, run or str(uuid4()), **props)
        return await self._read(self.http.stream("POST", "/api/chat", json=body, headers=self.headers), most)

    async def events(self, run: str, last: str | None = None, *, most: int | None = None) -> Reply:
        headers = self.headers | ({"Last-Event-ID": last} if last else {})
        return await self._read(
            self.http.stream("GET", f"/api/chat/runs/{run}/events", headers=headers), most
        )

    async def cancel(self, run: str) -> httpx.Response:
        return await self.http.post(f"/api/chat/runs/{run}/cancel", headers=self.headers)

    async def _read(self, request: Any, most: int | None) -> Reply:
        async with request as response:
            reply = Reply(response.status_code, response.headers)
            if response.status_code != 200:
                reply.events.append(json.loads(await response.aread()))
                return reply
            async for _ in self._follow(response, reply):
                if most is not None and len(reply.events) >= most:
                    break
        return reply

    async def _follow(self, response: httpx.Response, reply: Reply) -> AsyncIterator[None]:
        rest = ""
        async for part in response.aiter_text():
            reply.raw += part
            rest += part
            while "\n\n" in rest:
                block, _, rest = rest.partition("\n\n")
                fields = dict(line.split(": ", 1) for line in block.split("\n") if not line.startswith(":"))
                if "data" in fields:
                    reply.ids.append(fields["id"])
                    reply.events.append(json.loads(fields["data"]))
                    yield


@asynccontextmanager
async def serving(
    storage: Storage, executor: Executor, model: ModelFactory
) -> AsyncGenerator[httpx.AsyncClient]:
    """The chat on a port of its own, with its service started and stopped."""
    service = ChatService(storage, executor, model)
    config = uvicorn.Config(chat_app(service), port=0, log_level="warning", lifespan="off")
    server = uvicorn.Server(config)
    listener = socket.create_server(("127.0.0.1", 0))
    await service.start()
    task = asyncio.create_task(server._serve([listener]))
    try:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        async with httpx.AsyncClient(base_url=url, timeout=PATIENCE, trust_env=False) as client:
            yield client
    finally:
        await service.stop()
        server.should_exit = True
        await task
        listener.close()


class SlowClock(SystemClock):
    """A minute behind, so that the runs of this process count as dead the moment it is."""

    def now(self) -> datetime:
        return super().now() - timedelta(minutes=1)


async def child(settings: Settings, port: int) -> None:
    """A whole API process with a slow model; the recovery test kills it."""
    storage = open_storage(settings, SlowClock())
    words = " ".join(f"word{n}" for n in range(2000))
    service = ChatService(
        storage, Executor(CATALOG, storage), lambda: ScriptedModel(steps=[Step(words, pause=0.02)])
    )
    app = chat_app(service)
    await uvicorn.Server(uvicorn.Config(app, port=port, log_level="warning", lifespan="off")).serve()


if __name__ == "__main__":
    asyncio.run(child(Settings.model_validate_json(Path(sys.argv[1]).read_text()), int(sys.argv[2])))
