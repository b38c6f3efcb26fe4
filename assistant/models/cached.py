"""One chat model for many turns: `auto` looks for a server on this machine, which a question should not wait for."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from langchain_core.language_models import BaseChatModel

from assistant.models.embeds import Embeds
from assistant.models.factory import ModelSettings, build_model

KEEP_SECONDS = 60.0
"""After this time the settings are looked at anew, so that a server started later is found."""

Build = Callable[[ModelSettings, Embeds, Callable[[], None]], BaseChatModel]


@dataclass(frozen=True)
class _Kept:
    model: BaseChatModel
    until: float


class ModelCache:
    """Models by their settings. A model whose server fails is dropped at once, so the next turn looks again."""

    def __init__(
        self,
        build: Build = build_model,
        *,
        keep_seconds: float = KEEP_SECONDS,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._build = build
        self._keep_seconds = keep_seconds
        self._now = now
        self._kept: dict[tuple[ModelSettings, int], _Kept] = {}
        self._lock = threading.Lock()

    def get(self, settings: ModelSettings, embedder: Embeds) -> BaseChatModel:
        """The model of the settings, built when none is kept. Blocks as `build_model` does; raises what it raises."""
        key = (settings, id(embedder))
        with self._lock:
            kept = self._kept.get(key)
            if kept is None or kept.until <= self._now():
                model = self._build(settings, embedder, lambda: self._drop(key, model))
                kept = self._kept[key] = _Kept(model, self._now() + self._keep_seconds)
            return kept.model

    def _drop(self, key: tuple[ModelSettings, int], model: BaseChatModel) -> None:
        kept = self._kept.get(key)
        if kept is not None and kept.model is model:
            self._kept.pop(key, None)


_process = ModelCache()


def cached_model(settings: ModelSettings, embedder: Embeds) -> BaseChatModel:
    """`build_model` with this process's cache. May be called from any thread."""
    return _process.get(settings, embedder)
