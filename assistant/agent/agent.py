"""The agent of one turn: a model, the tools it may call, the system prompt, and limits."""

from datetime import date
from pathlib import Path
from string import Template
from typing import Any

from langchain.agents import create_agent
from langchain.agents.middleware import ModelCallLimitMiddleware
from langchain_core.language_models import BaseChatModel
from langchain_core.tools import BaseTool
from langgraph.graph.state import CompiledStateGraph

from storage.models import Class

MODEL_CALLS = 8
SYSTEM_PROMPT = Template((Path(__file__).parent / "prompts" / "system.md").read_text(encoding="utf-8"))
NO_CLASS = "No class is chosen: search in all of the student's classes, unless the question names one."

Agent = CompiledStateGraph[Any, Any, Any, Any]


def system_prompt(today: date, current_class: Class | None) -> str:
    """The prompt file filled in. The line `Current class: NAME (id: UUID)` is read by models without a language model too."""
    current = NO_CLASS
    if current_class is not None:
        name = " ".join(current_class.name.split())
        current = f"Current class: {name} (id: {current_class.id})"
    return SYSTEM_PROMPT.substitute(today=f"{today:%A}, {today.isoformat()}", current_class=current)


def build_agent(model: BaseChatModel, tools: list[BaseTool], prompt: str) -> Agent:
    """A loop of at most `MODEL_CALLS` calls of the model. Tool calls of one message run at the same time."""
    return create_agent(
        model,
        tools,
        system_prompt=prompt,
        middleware=[ModelCallLimitMiddleware(run_limit=MODEL_CALLS, exit_behavior="error")],
    )
