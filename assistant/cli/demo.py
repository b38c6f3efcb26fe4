"""`chat` and `demo`: asking in the terminal."""

import asyncio
import json
import re
import sys
from functools import partial
from pathlib import Path
from typing import Annotated, Any
from uuid import uuid4

import typer
from rich.console import Console

from assistant.cli.materials import ingest_files
from assistant.cli.options import DataDir, fail
from assistant.cli.session import OwnerSession, as_owner, log_to_stderr, run

TEXTBOOK = Path(__file__).resolve().parents[2].parent / "shared" / "data" / "docs" / "decay_textbook_241p.pdf"
DEMO_CLASS = "Demo"
ESCAPED = re.compile(r"\\([\[\]<`*_])")
"""Markdown's escapes, which a terminal shows as they are."""
QUESTIONS = (
    "Which scheme is unconditionally stable?",
    "What is the half-life of a radioactive substance?",
    "Why can the Crank-Nicolson scheme give oscillating solutions?",
)


def register(app: typer.Typer) -> None:
    app.command()(chat)
    app.command()(demo)


def chat(
    question: Annotated[
        str | None, typer.Argument(help="Ask this and leave; without it, a conversation begins.")
    ] = None,
    class_name: Annotated[str | None, typer.Option("--class", help="Answer from this class.")] = None,
    data_dir: DataDir = None,
) -> None:
    """Talk to the assistant in the terminal."""
    log_to_stderr("ERROR")

    async def work() -> None:
        async with as_owner(data_dir, "lyceum chat") as session:
            talk = Talk(session, class_name)
            await talk.open()
            if question is not None:
                await talk.ask(question)
                return
            typer.echo("Ask about your material. An empty line ends the conversation.")
            while asked := (await asyncio.to_thread(read_line)).strip():
                await talk.ask(asked)

    run(work())


def demo(
    file: Annotated[
        Path | None, typer.Argument(help="A file to ask about.", exists=True, dir_okay=False)
    ] = None,
    question: Annotated[list[str] | None, typer.Option(help="Ask this; may be repeated.")] = None,
    data_dir: DataDir = None,
) -> None:
    """Make a class from a textbook, ask three questions, and print the answers with their citations."""
    log_to_stderr("ERROR")
    path = file or TEXTBOOK
    if not path.exists():
        fail("The example textbook is not here. Give a file: `lyceum demo BOOK.pdf`.")

    async def work() -> None:
        async with as_owner(data_dir, "lyceum demo", worker=True) as session:
            results = await ingest_files(session, [path], DEMO_CLASS)
            if results[0]["status"] == "failed":
                fail(f"{path.name} could not be read: {results[0]['error']}")
            talk = Talk(session, DEMO_CLASS)
            await talk.open()
            for asked in question or QUESTIONS:
                typer.secho(f"\n> {asked}", bold=True)
                await talk.ask(asked)

    run(work())


def read_line() -> str:
    """The next question; empty at the end of the input."""
    if not sys.stdin.isatty():
        return sys.stdin.readline()
    try:
        return input("\n> ")
    except EOFError:
        return ""


class Talk:
    """One conversation in the terminal: each answer, then the places it cites."""

    def __init__(self, session: OwnerSession, class_name: str | None) -> None:
        self._session = session
        self._class_name = class_name
        self._thread = str(uuid4())
        self._console = Console(highlight=False)
        self._service: Any = None
        self._text = ""

    async def open(self) -> None:
        from assistant.app import chat_model  # noqa: PLC0415 - LangChain loads only for commands that talk
        from assistant.chat.service import ChatService  # noqa: PLC0415

        session = self._session
        model = partial(chat_model, session.settings, session.storage.embedder)
        self._service = ChatService(session.storage, session.executor, model)

    async def ask(self, question: str) -> None:
        """Print the answer as it is made. A failed run prints its sentence."""
        from ag_ui.core import RunAgentInput, UserMessage  # noqa: PLC0415

        request = RunAgentInput(
            thread_id=self._thread,
            run_id=str(uuid4()),
            state={},
            messages=[UserMessage(id=str(uuid4()), role="user", content=question)],
            tools=[],
            context=[],
            forwarded_props={"class_id": self._class_name} if self._class_name else {},
        )
        run_id = await self._service.begin(self._session.principal, request)
        async for _, event in await self._service.follow(self._session.principal, run_id):
            self._show(json.loads(event))

    def _show(self, event: dict[str, Any]) -> None:
        kind = event["type"]
        if kind == "TEXT_MESSAGE_CONTENT":
            self._text += event["delta"]
        elif kind == "TEXT_MESSAGE_END":
            self._console.print(ESCAPED.sub(r"\1", self._text), markup=False)
            self._text = ""
        elif kind == "CUSTOM" and event["name"] == "citations":
            for citation in event["value"]["citations"]:
                place = f"{citation['locator']['material_title']}, {citation['label']}"
                self._console.print(f"  [{citation['number']}] {place}", style="cyan", markup=False)
        elif kind == "RUN_ERROR":
            self._console.print(event["message"], style="red", markup=False)
