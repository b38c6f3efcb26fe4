"""From the settings to a chat model: built-in, a server on this machine, or a provider in the cloud.

Nothing leaves the machine unless a provider or an address is named: `auto` asks loopback addresses only.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import PurePath
from typing import Any, Literal

import openai
from langchain.chat_models import init_chat_model
from langchain_core.language_models import BaseChatModel
from langchain_openai import ChatOpenAI
from pydantic import SecretStr

from assistant.models.builtin import BuiltinModel
from assistant.models.embeds import Embeds
from assistant.models.local_servers import find_local_model, is_private, list_models
from assistant.models.native import NativeModel
from assistant.models.planned import PlannedModel
from storage.errors import InvalidInput
from storage.settings import Settings

ToolCalls = Literal["auto", "native", "planned"]

EXTRAS = {"anthropic": "anthropic", "google_genai": "google", "ollama": "ollama"}
"""Provider → our extra that installs its package."""

NO_KEY = "none"
"""Sent to servers without keys: the OpenAI client insists on one."""


@dataclass(frozen=True)
class ModelSettings:
    """How to reach the model (`LYCEUM_MODEL*`). The key never shows in `repr`.

    `tools`: "native" uses the provider's tool calls, "planned" a schema-constrained step (see `planned`). "auto" plans for
    addresses on this machine or a private network, where small models run that fail at native calls (0 of 4 against 8 of 8
    right with a 1.5 B model), and is native elsewhere. A large model on a private server does better with "native".
    """

    model: str = "auto"
    base_url: str | None = None
    api_key: str | None = field(default=None, repr=False)
    tools: ToolCalls = "auto"
    timeout_seconds: float = 120.0
    probe_seconds: float = 0.3
    max_retries: int = 1


def model_settings(settings: Settings) -> ModelSettings:
    """The part of the settings that names the model."""
    key = settings.model_api_key.get_secret_value() if settings.model_api_key else None
    return ModelSettings(settings.model, settings.model_base_url, key, settings.model_tools)


def _ignore() -> None:
    """Nobody wants to know."""


def build_model(
    settings: ModelSettings, embedder: Embeds, on_failure: Callable[[], None] = _ignore
) -> BaseChatModel:
    """The chat model of the settings; its `name` says which it is. It calls `on_failure` when its server fails.

    Blocks for at most `probe_seconds` when it has to look for a server. Raises InvalidInput for a setting that cannot work.
    """
    built = _build(settings, embedder)
    if isinstance(built, PlannedModel | NativeModel):
        built.on_failure = on_failure
    if isinstance(built, PlannedModel):
        built.embedder = embedder
    return built


def _build(settings: ModelSettings, embedder: Embeds) -> BaseChatModel:
    model = settings.model.strip() or "auto"
    if settings.base_url:
        return _compatible(settings, settings.base_url, model)
    if model == "builtin":
        return BuiltinModel(embedder)
    if model == "auto":
        found = find_local_model(settings.probe_seconds)
        if found is None:
            return BuiltinModel(embedder)
        return _wrapped(
            _chat_openai(settings, found.base_url, found.model),
            f"{found.server}:{_short(found.model)}",
            True,
            settings,
        )
    return _provider(settings, model)


def _compatible(settings: ModelSettings, base_url: str, model: str) -> BaseChatModel:
    """A model behind an OpenAI-compatible address. Other providers get the address as their own base URL."""
    if not base_url.startswith(("http://", "https://")):
        raise InvalidInput("LYCEUM_MODEL_BASE_URL must start with http:// or https://.")
    if model == "builtin":
        raise InvalidInput(
            "LYCEUM_MODEL is builtin, which needs no LYCEUM_MODEL_BASE_URL. Please remove one of the two."
        )
    provider, _, name = model.partition(":")
    if name and provider in EXTRAS:
        return _provider(settings, model)
    name = name or provider
    if name in ("auto", "local"):
        listed = list_models(
            base_url, settings.api_key, max(settings.probe_seconds, 1.0) if is_private(base_url) else 5.0
        )
        name = next((str(e["id"]) for e in listed if "embed" not in str(e["id"]).lower()), "local")
    chat = _chat_openai(settings, base_url, name)
    return _wrapped(chat, f"openai:{_short(name)}", is_private(base_url), settings)


def _short(name: str) -> str:
    """A model's name without the folders of its file: llama.cpp may give the whole path."""
    return PurePath(name).name if name.startswith("/") or name.endswith(".gguf") else name


def _chat_openai(settings: ModelSettings, base_url: str, name: str) -> BaseChatModel:
    options: dict[str, Any] = {}
    if is_private(base_url):
        # A proxy of the environment must not see what is meant for this machine.
        options["http_client"] = openai.DefaultHttpxClient(trust_env=False)
        options["http_async_client"] = openai.DefaultAsyncHttpxClient(trust_env=False)
    return ChatOpenAI(
        model=name,
        base_url=base_url,
        api_key=SecretStr(settings.api_key or NO_KEY),
        timeout=settings.timeout_seconds,
        max_retries=settings.max_retries,
        stream_usage=True,
        **options,
    )


def _wrapped(chat: BaseChatModel, name: str, private: bool, settings: ModelSettings) -> BaseChatModel:
    planned = settings.tools == "planned" or (settings.tools == "auto" and private)
    return PlannedModel(inner=chat, name=name) if planned else NativeModel(inner=chat, name=name)


def _provider(settings: ModelSettings, model: str) -> BaseChatModel:
    provider, _, name = model.partition(":")
    if not name:
        raise InvalidInput(
            f"LYCEUM_MODEL is “{model}”; it must be builtin, auto, or provider:name, for example anthropic:claude-sonnet-4-5."
        )
    options: dict[str, Any] = {}
    if settings.api_key:
        options["api_key"] = settings.api_key
    if settings.base_url:
        options["base_url"] = settings.base_url
    if provider != "ollama":
        options |= {"timeout": settings.timeout_seconds, "max_retries": settings.max_retries}
    try:
        chat = init_chat_model(name, model_provider=provider, **options)
    except ImportError:
        raise InvalidInput(_install(provider)) from None
    except openai.OpenAIError:
        raise InvalidInput(f"The provider {provider} needs a key: please set LYCEUM_MODEL_API_KEY.") from None
    except ValueError as error:
        raise InvalidInput(_wrong(provider, error)) from None
    return _wrapped(chat, f"{provider}:{name}", False, settings)


def _install(provider: str) -> str:
    extra = EXTRAS.get(provider)
    if extra:
        return (
            f'The provider {provider} needs a package that is not installed: pip install "lyceum[{extra}]".'
        )
    return f"The provider {provider} needs a LangChain package that is not installed: pip install langchain-{provider.replace('_', '-')}."


def _wrong(provider: str, error: ValueError) -> str:
    if "Unsupported" in str(error):
        return f"LYCEUM_MODEL names the provider {provider}, which LangChain does not know."
    return f"The provider {provider} refuses its settings; often the key is missing: please set LYCEUM_MODEL_API_KEY."
