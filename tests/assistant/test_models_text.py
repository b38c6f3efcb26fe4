"""The configured model as jobs use it."""

import subprocess
import sys

import pytest

from assistant.models.text import ConfiguredModel
from storage.embeddings import shared_embedder
from storage.errors import Unavailable
from storage.settings import Settings
from tests.assistant.model_server import model_server
from tests.data import REPOSITORY


def configured(base_url: str | None, model: str = "openai:local", seconds: float = 5.0) -> ConfiguredModel:
    settings = Settings(_env_file=None, model=model, model_base_url=base_url)
    return ConfiguredModel(settings, shared_embedder(), seconds=seconds)


async def test_a_prompt_is_answered_with_its_tokens_counted_and_a_limit() -> None:
    with model_server("- A point. [1]") as script:
        model = configured(script.base_url)
        assert await model.which() == "openai:tiny-1b"
        said = await model.complete("Be brief.", "Write.", max_tokens=77)
    assert (said.text, said.input_tokens, said.output_tokens) == ("- A point. [1]", 3, 2)
    (request,) = script.requests
    assert [m["role"] for m in request["messages"]] == ["system", "user"]
    assert 77 in (request.get("max_tokens"), request.get("max_completion_tokens"))


SCHEMA = {"type": "object", "properties": {"items": {"type": "array"}}, "required": ["items"]}


async def test_with_a_schema_the_server_is_asked_to_hold_the_model_to_it() -> None:
    with model_server('{"items": []}') as script:
        said = await configured(script.base_url).complete("", "Write.", max_tokens=50, schema=SCHEMA)
    assert said.text == '{"items": []}'
    assert script.requests[0]["response_format"]["json_schema"]["schema"] == SCHEMA


async def test_a_server_that_refuses_the_schema_is_asked_without() -> None:
    with model_server((400, "response_format is not supported"), "[]") as script:
        said = await configured(script.base_url).complete("", "Write.", max_tokens=50, schema=SCHEMA)
    assert said.text == "[]"
    assert ["response_format" in request for request in script.requests] == [True, False]


async def test_what_was_written_before_the_tokens_ran_out_is_not_lost() -> None:
    with model_server('{"items": [{"a": 1}, {"a"') as script:
        script.finish = "length"
        said = await configured(script.base_url).complete("", "Write.", max_tokens=50, schema=SCHEMA)
    assert (said.text, said.output_tokens) == ('{"items": [{"a": 1}, {"a"', 2)


async def test_the_built_in_model_is_no_language_model() -> None:
    model = configured(None, "builtin")
    assert await model.which() is None
    with pytest.raises(Unavailable):
        await model.complete("", "Write.", max_tokens=10)


async def test_a_server_that_fails_is_unavailable() -> None:
    with model_server((500, "broken")) as script, pytest.raises(Unavailable):
        await configured(script.base_url).complete("", "Write.", max_tokens=10)


def test_a_worker_with_the_built_in_model_does_not_load_the_clients_of_language_models() -> None:
    program = (
        "import asyncio, sys; from storage.settings import Settings; from assistant.models.text import ConfiguredModel;"
        " import tools.ingest.service;"
        " asyncio.run(ConfiguredModel(Settings(_env_file=None, model='builtin'), None).which());"
        " print(*[m for m in ('openai', 'langchain', 'langgraph', 'langchain_openai') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=REPOSITORY, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == ""
