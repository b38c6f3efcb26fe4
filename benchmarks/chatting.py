"""How soon a chat turn with the built-in model shows something, and when it ends."""

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import uuid4

import httpx

from benchmarks.questions import QUESTIONS
from benchmarks.reading import CLASS_NAME
from benchmarks.report import Section, p50_p95

TURNS = 20
TURNS_A_THREAD = 5


@dataclass(slots=True)
class Turn:
    """Seconds from the request to the first event, the first text and the end."""

    first_event: float = 0.0
    first_text: float = 0.0
    end: float = 0.0
    citations: int = 0


async def measure_chat(client: httpx.AsyncClient) -> Section:
    """Turns one after the other, in conversations of five; the very first one loads the model and stands apart."""
    first = await turn(client, str(uuid4()), "What is a mesh function?")
    turns: list[Turn] = []
    thread = ""
    for number, question in enumerate(QUESTIONS[:TURNS]):
        thread = thread if number % TURNS_A_THREAD else str(uuid4())
        turns.append(await turn(client, thread, question))
    section = Section("chat", "Chat, built-in model", ["p50 ms", "p95 ms", "first ms"])
    section.rows = {
        "to the first event": row(turns, first, "first_event"),
        "to the first text": row(turns, first, "first_text"),
        "to the end": row(turns, first, "end"),
    }
    cited = sum(1 for t in turns if t.citations)
    section.notes.append(f"{TURNS} turns over POST /api/chat, {cited} of them with citations")
    return section


def row(turns: Sequence[Turn], first: Turn, name: str) -> list[float]:
    return [*p50_p95([getattr(t, name) for t in turns]), getattr(first, name) * 1000]


async def turn(client: httpx.AsyncClient, thread: str, question: str) -> Turn:
    """Ask one question and read its events to the end. Raises RuntimeError when the run fails."""
    body = {
        "threadId": thread,
        "runId": str(uuid4()),
        "state": {},
        "messages": [{"id": str(uuid4()), "role": "user", "content": question}],
        "tools": [],
        "context": [],
        "forwardedProps": {"class_id": CLASS_NAME},
    }
    times = Turn()
    began = time.monotonic()
    async with client.stream("POST", "/api/chat", json=body) as response:
        response.raise_for_status()
        async for line in response.aiter_lines():
            if line.startswith("data:"):
                note(times, json.loads(line.removeprefix("data:")), time.monotonic() - began)
    times.end = time.monotonic() - began
    return times


def note(times: Turn, event: dict[str, object], seconds: float) -> None:
    """Write down when an event came, where it is the first of its kind."""
    times.first_event = times.first_event or seconds
    if event["type"] == "TEXT_MESSAGE_CONTENT":
        times.first_text = times.first_text or seconds
    elif event["type"] == "CUSTOM" and event.get("name") == "citations":
        times.citations += 1
    elif event["type"] == "RUN_ERROR":
        raise RuntimeError(f"The run failed: {event.get('message')}")
