"""What goes wrong at a model server, in one sentence a person can act on."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from langchain_core.exceptions import (
    ContextOverflowError,
    ModelAuthenticationError,
    ModelConnectionError,
    ModelError,
    ModelNotFoundError,
    ModelPermissionDeniedError,
    ModelRateLimitError,
    ModelTimeoutError,
)

from storage.errors import Unavailable

_UNREACHABLE = (
    "model_unreachable",
    "The model server ({model}) does not answer. Is it running, and is its address right?",
)
_TIMEOUT = (
    "model_timeout",
    "The model ({model}) took too long to answer. Please try again, or choose a faster one.",
)
_KEY = (
    "model_key_rejected",
    "The model server ({model}) rejects the key. Please check LYCEUM_MODEL_API_KEY.",
)
_UNKNOWN = ("model_unknown", "The model server does not know the model {model}. Please check LYCEUM_MODEL.")
_BUSY = (
    "model_busy",
    "The model server ({model}) has too many requests or the quota is used up. Please try again later.",
)
_TOO_LONG = (
    "model_context_too_long",
    "The conversation is too long for the model ({model}). Please start a new conversation or choose a model with a larger context.",
)
_FAILED = ("model_failed", "The model server ({model}) reports an error. Please try again.")

_BY_TYPE: tuple[tuple[type[BaseException], tuple[str, str]], ...] = (
    (ContextOverflowError, _TOO_LONG),
    (ModelAuthenticationError, _KEY),
    (ModelPermissionDeniedError, _KEY),
    (ModelNotFoundError, _UNKNOWN),
    (ModelRateLimitError, _BUSY),
    (ModelTimeoutError, _TIMEOUT),
    (ModelConnectionError, _UNREACHABLE),
    (TimeoutError, _TIMEOUT),
    (ConnectionError, _UNREACHABLE),
)
_BY_STATUS = {401: _KEY, 403: _KEY, 404: _UNKNOWN, 408: _TIMEOUT, 413: _TOO_LONG, 429: _BUSY}
_LONG_WORDS = (
    "context length",
    "context_length",
    "context size",
    "context window",
    "too many tokens",
    "prompt is too long",
)


def explain(error: BaseException, model: str) -> Unavailable | None:
    """The error for the person, or None when it is no failure of a provider (a bug, a cancellation)."""
    status = getattr(error, "status_code", None)
    of_provider = isinstance(error, ModelError) or isinstance(status, int)
    if of_provider and any(w in str(error).lower() for w in _LONG_WORDS):
        return _unavailable(_TOO_LONG, model)
    for kind, said in _BY_TYPE:
        if isinstance(error, kind):
            return _unavailable(said, model)
    if isinstance(status, int):
        return _unavailable(_BY_STATUS.get(status, _FAILED), model)
    if type(error).__name__ in (
        "APIConnectionError",
        "ConnectError",
        "ConnectTimeout",
        "ReadError",
        "RemoteProtocolError",
    ):
        return _unavailable(_UNREACHABLE, model)
    if type(error).__name__ in ("APITimeoutError", "ReadTimeout", "StreamChunkTimeoutError"):
        return _unavailable(_TIMEOUT, model)
    return _unavailable(_FAILED, model) if of_provider or type(error).__name__ == "APIError" else None


@contextmanager
def provider_errors(model: str, on_failure: Callable[[], None] | None = None) -> Iterator[None]:
    """Turn failures of a provider into `Unavailable`, telling `on_failure`. Cancellation and bugs pass unchanged.

    The provider's own text is dropped: it may hold the request or part of the key.
    """
    try:
        yield
    except Exception as error:
        explained = explain(error, model)
        if explained is None:
            raise
        if on_failure is not None:
            on_failure()
        raise explained from None


def _unavailable(said: tuple[str, str], model: str) -> Unavailable:
    code, sentence = said
    return Unavailable(sentence.format(model=model), code=code)
