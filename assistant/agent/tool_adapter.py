"""The catalogue as LangChain tools. Only translates: the executor checks, runs and words the errors."""

from typing import Any

from langchain_core.tools import BaseTool, StructuredTool, ToolException
from langgraph.config import get_stream_writer

from assistant.agent.choosing import choose
from assistant.agent.citations import Citations
from assistant.agent.rendering import render
from storage.errors import LyceumError
from tools.context import Principal
from tools.executor import Executor
from tools.spec import ToolSpec


def offered_tools(
    executor: Executor, principal: Principal, citations: Citations, request: str = ""
) -> list[BaseTool]:
    """The tools that this principal's model may call in one turn, chosen by what was asked for."""
    allowed = [spec for spec in executor.catalog.values() if principal.allows(spec.scope)]
    return [as_langchain(spec, executor, principal, citations) for spec in choose(allowed, request)]


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
