"""Tools over plain HTTP, the OpenAPI document, and what guards every request."""

import json
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
import structlog
from fastapi import FastAPI
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]
from structlog.testing import capture_logs

from assistant.api import pages
from assistant.cli.session import log_to_stderr
from storage.local.instance import InstanceInfo
from tests.assistant.conftest import Person
from tests.assistant.serving import client_of, running
from tests.conftest import settings_for
from tools.catalog import CATALOG
from tools.spec import Effect

JSON = {"Content-Type": "application/json"}


async def test_a_tool_answers_with_its_output(person: Person) -> None:
    made = await person.tool("create_class", name="Physics 101")
    assert made.status_code == 200
    assert made.json()["name"] == "Physics 101"
    listed = await person.http.post("/api/tools/list_classes")
    assert [item["name"] for item in listed.json()["items"]] == ["Physics 101"]


async def test_wrong_arguments_are_named_in_one_sentence(person: Person) -> None:
    answer = await person.tool("create_class", name="", colour="red")
    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/problem+json"
    document = answer.json()
    assert (document["code"], document["status"], document["title"]) == (
        "invalid_arguments",
        400,
        "Bad Request",
    )
    assert "name: " in document["detail"]
    assert "colour: " in document["detail"]


@pytest.mark.parametrize("body", ["{", "[]", '"x"', "NaN", '{"name": NaN}', "[" * 5000, b"\xff\xfe"])
async def test_a_body_that_is_no_json_object_is_refused(person: Person, body: str | bytes) -> None:
    answer = await person.http.post("/api/tools/create_class", content=body, headers=JSON)
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_json")


async def test_a_body_over_the_limit_is_refused(person: Person) -> None:
    answer = await person.http.post("/api/tools/create_class", content=b" " * ((16 << 20) + 1), headers=JSON)
    assert (answer.status_code, answer.json()["code"]) == (413, "too_large")


async def test_an_unknown_tool_and_an_unknown_address_are_not_found(person: Person) -> None:
    tool = await person.tool("make_coffee")
    assert (tool.status_code, tool.json()["code"]) == (404, "tool_not_found")
    address = await person.http.get("/api/nothing")
    assert (address.status_code, address.json()["code"]) == (404, "not_found")
    method = await person.http.get("/api/tools/list_classes")
    assert (method.status_code, method.json()["code"]) == (405, "method_not_allowed")
    assert method.headers["allow"] == "POST"


async def test_nothing_is_done_without_signing_in(client: httpx.AsyncClient) -> None:
    for request in (
        client.post("/api/tools/list_classes"),
        client.get("/api/tools"),
        client.post("/api/uploads"),
        client.get(f"/api/materials/{uuid4()}/file"),
        client.get(f"/api/jobs/{uuid4()}/events"),
        client.get("/api/auth/sessions"),
        client.post("/api/tools/list_classes", headers={"Authorization": "Bearer lyc_nonsense"}),
    ):
        answer = await request
        assert answer.status_code == 401, answer.url


def tools_that_take_an_id() -> list[tuple[str, str]]:
    found = []
    for spec in CATALOG.values():
        required = spec.input_schema.get("required", [])
        found += [(spec.name, name) for name in required if name.endswith("_id")]
    return found


@pytest.mark.parametrize(("name", "argument"), tools_that_take_an_id())
async def test_a_stranger_finds_nothing_by_id(
    person: Person, other: Person, name: str, argument: str
) -> None:
    """With the real id of someone else's class, material or job; for the rest one that nobody has."""
    class_id = (await person.tool("create_class", name="Physics")).json()["id"]
    added = (await person.tool("add_text", class_id=class_id, title="Waves", text="Sound is a wave.")).json()
    values: dict[str, Any] = {
        "class_id": class_id,
        "material_id": added["material_id"],
        "job_id": added["job_id"],
        **dict.fromkeys(("name", "title", "text", "query", "collection_name"), "x"),
        "content_type": "text",
    }
    schema = CATALOG[name].input_schema
    arguments = {key: values.get(key, str(uuid4())) for key in schema.get("required", [])}
    arguments |= {
        "upload_material": {"content_base64": "eA==", "filename": "x.txt"},
        "update_class": {"name": "mine now"},
        "update_note": {"title": "mine now"},
        "update_assignment": {"title": "mine now"},
        "update_flashcard": {"front": "mine now"},
        "update_deck": {"title": "mine now"},
    }.get(name, {})
    if name == "restore_material":
        await person.tool("delete_material", material_id=added["material_id"])
    answer = await other.tool(name, **arguments)
    assert answer.status_code == 404, answer.text


async def test_the_list_of_tools_is_the_catalogue(person: Person) -> None:
    items = (await person.http.get("/api/tools")).json()["items"]
    assert {item["name"] for item in items} == set(CATALOG)
    for item in items:
        assert item["effect"] in set(Effect)
        Draft202012Validator.check_schema(item["input_schema"])
        Draft202012Validator.check_schema(item["output_schema"])


async def test_every_tool_is_typed_in_a_valid_openapi_document(client: httpx.AsyncClient) -> None:
    document = (await client.get("/openapi.json")).json()
    assert document["openapi"].startswith("3.1")
    for name, spec in CATALOG.items():
        operation = document["paths"][f"/api/tools/{name}"]["post"]
        assert operation["tags"] == [spec.toolset]
        assert operation["description"].startswith(spec.description)
        arguments = operation["requestBody"]["content"]["application/json"]["schema"]
        output = operation["responses"]["200"]["content"]["application/json"]["schema"]
        assert set(resolved(document, arguments).get("properties", {})) == set(spec.input.model_fields)
        assert set(resolved(document, output)["properties"]) == set(spec.output.model_fields)
        assert "application/problem+json" in operation["responses"]["404"]["content"]
    check_document(document)


def resolved(document: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    if "$ref" not in schema:
        return schema
    target: Any = document
    for step in schema["$ref"].removeprefix("#/").split("/"):
        target = target[step.replace("~1", "/").replace("~0", "~")]
    assert isinstance(target, dict)
    return target


def check_document(document: dict[str, Any]) -> None:
    """The structure that OpenAPI 3.1 asks for: operations, unique ids, path parameters, references, JSON schemas."""
    assert {"title", "version"} <= set(document["info"])
    ids = []
    for path, operations in document["paths"].items():
        wanted = {part[1:-1] for part in path.replace(".png", "").split("/") if part.startswith("{")}
        for method, operation in operations.items():
            assert method in {"get", "head", "post", "put", "patch", "delete"}
            ids.append(operation["operationId"])
            given = {p["name"] for p in operation.get("parameters", []) if p["in"] == "path"}
            assert given == wanted, path
            assert operation["responses"]
            for status, response in operation["responses"].items():
                assert status.isdigit()
                assert response["description"]
                for media in response.get("content", {}).values():
                    Draft202012Validator.check_schema(media.get("schema", {}))
            for requirement in operation.get("security", []):
                assert set(requirement) <= set(document["components"]["securitySchemes"])
    assert len(ids) == len(set(ids))
    for schema in document["components"]["schemas"].values():
        Draft202012Validator.check_schema(schema)
    for ref in references(document):
        assert resolved(document, {"$ref": ref}), ref


def references(node: Any) -> list[str]:
    if isinstance(node, dict):
        own = [node["$ref"]] if isinstance(node.get("$ref"), str) else []
        return own + [ref for value in node.values() for ref in references(value)]
    return [ref for value in node for ref in references(value)] if isinstance(node, list) else []


async def test_the_reference_page_needs_nothing_from_elsewhere(client: httpx.AsyncClient) -> None:
    page = await client.get("/docs")
    assert page.status_code == 200
    assert "create_class" in page.text
    assert "<script" not in page.text
    assert "://" not in page.text.replace("http://", "").split("<h2>")[0]
    assert "script-src" not in page.headers["content-security-policy"]


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site", "Origin": "http://127.0.0.1:8000"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
    ],
)
async def test_another_site_cannot_use_the_session(
    client: httpx.AsyncClient, person: Person, headers: dict[str, str]
) -> None:
    client.cookies.set("lyceum_access_8000", person.tokens["access_token"])
    assert (await client.post("/api/tools/list_classes")).status_code == 200
    own = await client.post("/api/tools/list_classes", headers={"Origin": "http://127.0.0.1:8000"})
    assert own.status_code == 200
    refused = await client.post("/api/tools/list_classes", headers=headers)
    assert (refused.status_code, refused.json()["code"]) == (403, "cross_site")
    login = await client.post("/api/auth/login", headers=headers, json={"email": "x", "password": "y"})
    assert login.status_code == 403
    by_key = await person.http.post("/api/tools/list_classes", headers=headers)
    assert by_key.status_code == 200


@pytest.mark.parametrize(
    ("host", "known"),
    [
        ("localhost:8000", True),
        ("127.0.0.1", True),
        ("[::1]:8000", True),
        ("192.168.1.20:8000", True),
        ("lyceum.localhost:8000", True),
        ("study.example.org", True),
        ("evil.example", False),
        ("localhost.evil.example", False),
        ("", False),
        ("[::1", False),
    ],
)
async def test_only_known_host_names_are_answered(instance: InstanceInfo, host: str, known: bool) -> None:
    settings = settings_for(instance)
    async with running(settings, public_url="https://study.example.org/") as app, client_of(app) as client:
        answer = await client.get("/healthz", headers={"Host": host})
    assert answer.status_code == (200 if known else 421)
    assert known or answer.json()["code"] == "unknown_host"


async def test_every_answer_carries_the_security_headers(client: httpx.AsyncClient) -> None:
    for path in ("/", "/healthz", "/api/nothing", "/api/auth/session"):
        headers = (await client.get(path)).headers
        assert "script-src 'self'" in headers["content-security-policy"]
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "same-origin"


async def test_a_bug_is_logged_and_answered_without_detail(
    app: FastAPI, client: httpx.AsyncClient, capsys: pytest.CaptureFixture[str]
) -> None:
    async def broken(token: str) -> None:
        raise RuntimeError("it broke")

    app.add_api_route("/broken", broken, include_in_schema=False)
    before = structlog.get_config()
    log_to_stderr()
    try:
        answer = await client.get("/broken?token=hidden")
    finally:
        structlog.configure(**before)
    assert (answer.status_code, answer.json()["code"]) == (500, "internal_error")
    assert "it broke" not in answer.text
    printed = capsys.readouterr().err
    assert "request_failed" in printed
    assert "RuntimeError: it broke" in printed
    assert "hidden" not in printed


async def test_the_access_log_has_ids_and_no_query(person: Person) -> None:
    with capture_logs() as logs:
        answer = await person.http.get(
            "/api/auth/session?token=hidden", headers={"X-Request-ID": "trace-12345"}
        )
    assert answer.headers["x-request-id"] == "trace-12345"
    line = next(line for line in logs if line["event"] == "request")
    assert (line["path"], line["status"], line["user_id"]) == (
        "/api/auth/session", 200, str(person.principal.user_id),
    )  # fmt: skip
    assert "hidden" not in json.dumps(logs, default=str)


async def test_health_readiness_and_counts(client: httpx.AsyncClient) -> None:
    assert (await client.get("/healthz")).json() == {"status": "ok"}
    ready = await client.get("/readyz")
    assert ready.status_code == 200
    assert ready.json()["stores"] == {"database": "ok", "redis": "ok", "vectors": "ok", "files": "ok"}
    counts = (await client.get("/metrics")).text
    assert 'lyceum_http_requests_total{method="GET",route="/healthz",status="200"}' in counts


@pytest.mark.parametrize(
    ("setting", "url", "name"),
    [
        ("redis_url", "redis://127.0.0.1:1", "redis"),
        ("vector_url", "chroma+http://127.0.0.1:1", "vectors"),
        ("database_url", "postgresql+asyncpg://a:b@127.0.0.1:1/x", "database"),
    ],
)
async def test_not_ready_names_the_store_that_is_down(
    instance: InstanceInfo, setting: str, url: str, name: str
) -> None:
    changed: dict[str, Any] = {setting: url}
    async with running(settings_for(instance), **changed) as app, client_of(app) as client:
        answer = await client.get("/readyz")
        assert answer.status_code == 503
        assert [store for store, state in answer.json()["stores"].items() if state == "down"] == [name]
        assert name in answer.json()["detail"]
        assert (await client.get("/healthz")).status_code == 200


async def test_a_page_that_was_not_built_says_so(tmp_path: Path) -> None:
    app = FastAPI()
    app.include_router(pages.router(tmp_path))
    app.mount("/assets", pages.Assets(tmp_path))
    async with client_of(app) as client:
        missing = await client.get("/")
        assert missing.status_code == 503
        assert "has not been built yet" in missing.text
        (tmp_path / "assets").mkdir()
        (tmp_path / "index.html").write_text("<!doctype html>built")
        (tmp_path / "widget.js").write_text("1")
        (tmp_path / "assets" / "app-1a2b.js").write_text("2")
        page, script = await client.get("/"), await client.get("/widget.js")
        asset = await client.get("/assets/app-1a2b.js")
    assert (page.text, page.headers["cache-control"]) == ("<!doctype html>built", "no-cache")
    assert script.headers["content-type"].startswith("text/javascript")
    assert asset.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert asset.headers["access-control-allow-origin"] == "*"
