"""What a tool is: a typed async function with an effect, a toolset and a scope. `@tool` makes its `ToolSpec`."""

import inspect
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import Any, TypeVar, get_type_hints

from pydantic import BaseModel, ConfigDict

from tools.context import ToolContext


class Effect(StrEnum):
    READ = "read"
    WRITE = "write"
    DESTROY = "destroy"


class Input(BaseModel):
    """Base of all inputs: an unknown argument is an error, not silence."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)


class NoInput(Input):
    """For tools without arguments."""


Handler = Callable[[ToolContext, Any], Awaitable[BaseModel]]
In = TypeVar("In", bound=Input)
Out = TypeVar("Out", bound=BaseModel)


@dataclass(frozen=True)
class ToolSpec:
    name: str
    toolset: str
    effect: Effect
    scope: str
    input: type[Input]
    output: type[BaseModel]
    description: str
    handler: Handler
    own_transaction: bool = False
    """The handler opens its own transactions: for work that must not hold one while it streams or waits."""

    @property
    def title(self) -> str:
        return self.name.replace("_", " ").capitalize()

    @cached_property
    def input_schema(self) -> dict[str, Any]:
        return self.input.model_json_schema()

    @cached_property
    def output_schema(self) -> dict[str, Any]:
        return self.output.model_json_schema(mode="serialization")


def tool(
    *, effect: Effect, toolset: str, scope: str | None = None, own_transaction: bool = False
) -> Callable[[Callable[[ToolContext, In], Awaitable[Out]]], ToolSpec]:
    """Turn `async def verb_noun(ctx, args: InputModel) -> OutputModel` into a ToolSpec; its docstring is for the model."""

    def make(handler: Callable[[ToolContext, In], Awaitable[Out]]) -> ToolSpec:
        name = getattr(handler, "__name__", "")
        hints = get_type_hints(handler)
        args, output = hints.get("args"), hints.get("return")
        if not (
            re.fullmatch(r"[a-z]+(_[a-z]+)+", name) and isinstance(args, type) and issubclass(args, Input)
        ):
            raise TypeError(f"{name} is not verb_noun(ctx, args: InputModel).")
        if not (isinstance(output, type) and issubclass(output, BaseModel)):
            raise TypeError(f"{name} must return a Pydantic model.")
        return ToolSpec(
            name=name,
            toolset=toolset,
            effect=effect,
            scope=scope or f"{toolset}:{'read' if effect is Effect.READ else 'write'}",
            input=args,
            output=output,
            description=inspect.cleandoc(handler.__doc__ or ""),
            handler=handler,
            own_transaction=own_transaction,
        )

    return make
