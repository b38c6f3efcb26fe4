"""The configured model as tools and jobs use it: one prompt in, one text out. Loads LangChain only when it is asked."""

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from assistant.models.local_servers import find_local_model
from storage.embeddings import Embedder
from storage.errors import Unavailable
from storage.settings import Settings
from tools.context import Completion

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel

SECONDS = 300.0
"""For one answer, which nobody watches being written: 1.5 B parameters on two idle cores need about a minute."""
PROBE_SECONDS = 0.3


class ConfiguredModel:
    """A `tools.context.TextModel` by the settings, the same model as the chat's."""

    def __init__(self, settings: Settings, embedder: Embedder, *, seconds: float = SECONDS) -> None:
        self._settings = settings
        self._embedder = embedder
        self._seconds = seconds

    async def which(self) -> str | None:
        model = await asyncio.to_thread(self._chat_model)
        return model.name if model is not None else None

    async def complete(
        self, system: str, prompt: str, *, max_tokens: int, schema: dict[str, Any] | None = None
    ) -> Completion:
        model = await asyncio.to_thread(self._chat_model)
        if model is None:
            raise Unavailable("No language model answers just now.", code="model_unreachable")
        from assistant.models.complete import complete  # noqa: PLC0415 - LangChain

        try:
            async with asyncio.timeout(self._seconds):
                return await complete(model, system, prompt, max_tokens, schema)
        except TimeoutError:
            raise Unavailable(
                f"The model ({model.name}) took too long to answer. Please try again, or choose a faster one.",
                code="model_timeout",
            ) from None

    def _chat_model(self) -> "BaseChatModel | None":
        """None for `builtin`, and for `auto` while no server answers. Raises InvalidInput for a setting that cannot work."""
        settings = self._settings
        automatic = settings.model.strip() in ("", "auto") and not settings.model_base_url
        if settings.model.strip() == "builtin" or (automatic and find_local_model(PROBE_SECONDS) is None):
            return None
        from assistant.models.builtin import BuiltinModel  # noqa: PLC0415 - LangChain
        from assistant.models.cached import cached_model  # noqa: PLC0415
        from assistant.models.factory import model_settings  # noqa: PLC0415

        # Asked again after a while, a slow server would do the same work twice.
        patient = replace(model_settings(settings), timeout_seconds=self._seconds, max_retries=0)
        model = cached_model(patient, self._embedder)
        return None if isinstance(model, BuiltinModel) else model
