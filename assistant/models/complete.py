"""One answer of a chat model to one prompt, with its tokens counted."""

from typing import Any

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import HumanMessage, SystemMessage

from assistant.models.native import NativeModel
from assistant.models.planned import PlannedModel
from assistant.models.provider_errors import provider_errors
from tools.context import Completion


async def complete(model: BaseChatModel, system: str, prompt: str, max_tokens: int) -> Completion:
    """Ask the provider's model inside `model`. Raises Unavailable when its server fails."""
    limits: dict[str, Any] = {}
    inner, on_failure = model, None
    if isinstance(model, PlannedModel | NativeModel):
        inner, on_failure = model.inner, model.on_failure
    if isinstance(model, PlannedModel):
        # Small models ramble; others have limits of their own, and some refuse a temperature.
        limits = {"max_tokens": max_tokens, "temperature": 0}
    with provider_errors(model.name or "model", on_failure):
        answer = await inner.ainvoke([SystemMessage(system), HumanMessage(prompt)], **limits)
    used = answer.usage_metadata
    return Completion(answer.text, used["input_tokens"] if used else 0, used["output_tokens"] if used else 0)
