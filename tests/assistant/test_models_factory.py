"""Which model the settings mean, and what is said when they cannot work."""

import time
from typing import Any

import pytest

from assistant.models.builtin import BuiltinModel
from assistant.models.factory import ModelSettings, build_model
from assistant.models.local_servers import find_local_model, is_private
from assistant.models.native import NativeModel
from assistant.models.planned import PlannedModel
from storage.embeddings import shared_embedder
from storage.errors import InvalidInput
from tests.assistant.model_server import model_server
from tests.waiting import PATIENCE, SOON


def build(**settings: Any) -> Any:
    return build_model(ModelSettings(**settings), shared_embedder())


def test_builtin_is_named_builtin() -> None:
    model = build(model="builtin")
    assert isinstance(model, BuiltinModel)
    assert model.name == "builtin"


def test_a_private_address_is_planned_and_a_cloud_is_native() -> None:
    with model_server("x") as script:
        assert isinstance(build(model="openai:local", base_url=script.base_url), PlannedModel)
        assert isinstance(build(model="openai:local", base_url=script.base_url, tools="native"), NativeModel)
    cloud = build(model="openai:some-model", base_url="https://models.example.org/v1", api_key="k")
    assert isinstance(cloud, NativeModel)
    assert cloud.name == "openai:some-model"


def test_local_means_the_first_chat_model_that_the_server_lists() -> None:
    with model_server("x") as script:
        script.models = [{"id": "nomic-embed-text"}, {"id": "qwen2.5-1.5b"}]
        assert build(model="openai:local", base_url=script.base_url).name == "openai:qwen2.5-1.5b"


def test_auto_takes_the_first_server_that_answers_within_the_time() -> None:
    with model_server("x") as script:
        servers = (("ollama", "http://127.0.0.1:1/v1"), ("lmstudio", script.base_url))
        started = time.monotonic()
        found = find_local_model(PATIENCE, servers)
        assert time.monotonic() - started < SOON
        assert found is not None
        assert (found.server, found.model) == ("lmstudio", "tiny-1b")


def test_a_stranger_on_the_port_of_llama_cpp_is_not_taken() -> None:
    with model_server("x") as script:
        script.models = [{"id": "something", "owned_by": "someone"}]
        assert find_local_model(0.3, (("llamacpp", script.base_url),)) is None


def test_no_server_means_builtin() -> None:
    assert find_local_model(0.3, (("ollama", "http://127.0.0.1:1/v1"),)) is None


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"model": "anthropic:claude-x", "api_key": "k"}, 'pip install "lyceum[anthropic]"'),
        ({"model": "ollama:llama3"}, 'pip install "lyceum[ollama]"'),
        ({"model": "mistralai:x", "api_key": "k"}, "pip install langchain-mistralai"),
        ({"model": "nonsense:x"}, "LangChain does not know"),
        ({"model": "gpt-5"}, "provider:name"),
        ({"model": "openai:x", "base_url": "localhost:8080"}, "must start with http"),
        ({"model": "builtin", "base_url": "http://localhost:1/v1"}, "remove one"),
    ],
)
def test_a_setting_that_cannot_work_says_what_to_do(settings: dict[str, Any], words: str) -> None:
    with pytest.raises(InvalidInput, match=words.replace("[", r"\[").replace("(", r"\(")):
        build(**settings)


def test_a_missing_key_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    with pytest.raises(InvalidInput, match="LYCEUM_MODEL_API_KEY"):
        build(model="openai:gpt-x")


def test_no_key_shows_in_the_repr_of_settings_or_models() -> None:
    settings = ModelSettings(model="openai:x", base_url="https://models.example.org/v1", api_key="sk-secret")
    assert "sk-secret" not in repr(settings) + repr(build_model(settings, shared_embedder()))


@pytest.mark.parametrize(
    ("url", "private"),
    [
        ("http://127.0.0.1:8080/v1", True),
        ("http://localhost:11434/v1", True),
        ("http://192.168.1.5/v1", True),
        ("http://gpu.local/v1", True),
        ("http://[::1]:80/v1", True),
        ("https://api.openai.com/v1", False),
        ("http://8.8.8.8/v1", False),
    ],
)
def test_private_addresses_are_told_from_public_ones(url: str, private: bool) -> None:
    assert is_private(url) is private
