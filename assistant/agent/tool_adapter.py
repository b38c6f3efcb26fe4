"""The catalogue as LangChain tools. Only translates: the executor checks, runs and words the errors."""

from typing import Any

from langchain_core.tools import BaseTool, StructuredTool, ToolException
from langgraph.config import get_stream_writer

from assistant.agent.citations import Citations
from assistant.agent.rendering import render
from storage.errors import LyceumError
from tools.context import Principal
from tools.executor import Executor
from tools.spec import Effect, ToolSpec

MOST_TOOLS = 20
"""A small model cannot read more schemas than that."""
FIRST = ("classes", "materials", "search", "jobs", "conversations", "account")
NOT_BY_A_MODEL = frozenset({"upload_material", "create_api_key"})
"""A model has no file to upload, and a key must not pass through a conversation."""


def offered_tools(executor: Executor, principal: Principal, citations: Citations) -> list[BaseTool]:
    """The tools that this principal's model may call in one turn, at most `MOST_TOOLS`.

    Tools that destroy are left out: they wait for a person's approval.
    """
    allowed = [
        spec
        for spec in executor.catalog.values()
        if spec.toolset in FIRST
        and spec.effect is not Effect.DESTROY
        and spec.name not in NOT_BY_A_MODEL
        and principal.allows(spec.scope)
    ]
    allowed.sort(key=lambda spec: FIRST.index(spec.toolset))
    return [as_langchain(spec, executor, principal, citations) for spec in allowed[:MOST_TOOLS]]


def as_langchain(spec: ToolSpec, executor: Executor, principal: Principal, citations: Citations) -> BaseTool:
    """One tool. LangChain gets the JSON schema: validating here too would word errors differently from MCP."""

    async def run(**arguments: Any) -> tuple[str, dict[str, Any]]:
        write = get_stream_writer()

        async def progress(done: int, total: int | None, message: str) -> None:
            write({"progress": {"tool": spec.name, "done": done, "total": total, "message": message}})

        try:
            output = await executor.call(spec.name, arguments, principal, progress)
        except LyceumError as error:
            raise ToolException(str(error)) from error
        artifact = output.model_dump(mode="json")
        citations.number(artifact)
        return render(spec.toolset, artifact), artifact

    return StructuredTool(
        name=spec.name,
        description=spec.description,
        args_schema=spec.input_schema,
        coroutine=run,
        response_format="content_and_artifact",
        handle_tool_error=True,
    )
