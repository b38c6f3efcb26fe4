"""One answer of a chat model to one prompt, with its tokens counted."""

from typing import Any

import openai
from langchain_core.exceptions import ModelInvalidRequestError
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage
from langchain_openai import ChatOpenAI

from assistant.models.native import NativeModel
from assistant.models.planned import PlannedModel
from assistant.models.provider_errors import provider_errors
from tools.context import Completion


async def complete(
    model: BaseChatModel, system: str, prompt: str, max_tokens: int, schema: dict[str, Any] | None = None
) -> Completion:
    """Ask the provider's model inside `model`; with a schema, servers that can are held to it. Raises Unavailable when its
    server fails."""
    limits: dict[str, Any] = {}
    inner, on_failure = model, None
    if isinstance(model, PlannedModel | NativeModel):
        inner, on_failure = model.inner, model.on_failure
    if isinstance(model, PlannedModel):
        # Small models ramble; others have limits of their own, and some refuse a temperature.
        limits = {"max_tokens": max_tokens, "temperature": 0}
    messages = [SystemMessage(system), HumanMessage(prompt)]
    with provider_errors(model.name or "model", on_failure):
        held = _held_to(inner, schema)
        try:
            answer = await inner.ainvoke(messages, **limits, **held)
        except ModelInvalidRequestError as error:
            if not held or "context" in str(error).lower():
                raise
            answer = await inner.ainvoke(messages, **limits)
        except openai.LengthFinishReasonError as error:
            return _cut_off(error)
    return _completion(answer)


def _held_to(inner: BaseChatModel, schema: dict[str, Any] | None) -> dict[str, Any]:
    """How this provider is told to answer by a JSON schema; nothing where it is not known how."""
    if schema is None:
        return {}
    if isinstance(inner, ChatOpenAI):
        form = {"type": "json_schema", "json_schema": {"name": "answer", "schema": schema}}
        return {"response_format": form}
    return {"format": schema} if inner._llm_type == "chat-ollama" else {}


def _completion(answer: AIMessage) -> Completion:
    used = answer.usage_metadata
    return Completion(answer.text, used["input_tokens"] if used else 0, used["output_tokens"] if used else 0)


def _cut_off(error: openai.LengthFinishReasonError) -> Completion:
    """The client refuses an answer by schema that ran out of tokens; what was written can still be read."""
    said, used = error.completion.choices[0].message.content or "", error.completion.usage
    return Completion(said, used.prompt_tokens if used else 0, used.completion_tokens if used else 0)
