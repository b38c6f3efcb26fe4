"""The OpenAPI document: FastAPI's own for the fixed routes, and one typed operation per tool out of the catalogue.

Tools are described here instead of by a FastAPI route each: the executor validates their arguments, so that every
surface words errors the same, and starting up does not build two validators per tool.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel
from pydantic.json_schema import JsonSchemaMode, models_json_schema

from assistant.api.problems import Problem
from assistant.api.tools import ToolList
from tools.spec import ToolSpec

REF = "#/components/schemas/{model}"
SIGNED_IN: list[dict[str, list[str]]] = [{"key": []}, {"session": []}]
OPEN = frozenset({"/healthz", "/readyz", "/metrics"})
OPEN_AUTH = frozenset({"register", "login", "refresh", "logout"})
ERRORS = {
    400: "Wrong arguments",
    401: "Not signed in",
    403: "Not permitted",
    404: "Not found",
    429: "Too many",
}

Schema = dict[str, Any]


def describe(app: FastAPI, catalog: Mapping[str, ToolSpec], session_cookie: str) -> None:
    """Make `app.openapi()` include every tool. The document is made when it is first asked for."""

    def document() -> Schema:
        if app.openapi_schema is None:
            app.openapi_schema = _document(app, catalog, session_cookie)
        return app.openapi_schema

    app.openapi = document  # type: ignore[method-assign]


def _document(app: FastAPI, catalog: Mapping[str, ToolSpec], session_cookie: str) -> Schema:
    document = get_openapi(
        title=app.title, version=app.version, description=app.description, routes=app.routes
    )
    specs = catalog.values()
    inputs: list[tuple[type[BaseModel], JsonSchemaMode]] = [(spec.input, "validation") for spec in specs]
    outputs: list[tuple[type[BaseModel], JsonSchemaMode]] = [
        *((spec.output, "serialization") for spec in specs),
        (Problem, "serialization"),
        (ToolList, "serialization"),
    ]
    refs, definitions = models_json_schema([*inputs, *outputs], ref_template=REF)
    components = document.setdefault("components", {})
    schemas = {**components.get("schemas", {}), **definitions.get("$defs", {})}
    components["schemas"] = dict(sorted(schemas.items()))
    components["securitySchemes"] = {
        "key": {"type": "http", "scheme": "bearer", "description": "An API key (lyc_…) or access token."},
        "session": {"type": "apiKey", "in": "cookie", "name": session_cookie},
    }
    paths = document["paths"]
    _say_who_may(paths)
    problem = refs[Problem, "serialization"]
    paths["/api/tools"] = {"get": _listing(refs[ToolList, "serialization"], problem)}
    for spec in specs:
        schemas_of = refs[spec.input, "validation"], refs[spec.output, "serialization"]
        paths[f"/api/tools/{spec.name}"] = {"post": _operation(spec, *schemas_of, problem)}
    document["tags"] = [{"name": name} for name in dict.fromkeys(spec.toolset for spec in specs)]
    return document


def _operation(spec: ToolSpec, arguments: Schema, output: Schema, problem: Schema) -> Schema:
    events = "Sent instead with `Accept: text/event-stream`: `progress` events, then `result` or `error`."
    return {
        "operationId": spec.name,
        "tags": [spec.toolset],
        "summary": spec.title,
        "description": f"{spec.description}\n\nEffect: {spec.effect}. Permission: `{spec.scope}`.",
        "security": SIGNED_IN,
        "requestBody": {
            "required": "required" in spec.input_schema,
            "content": {"application/json": {"schema": arguments}},
        },
        "responses": {
            "200": {
                "description": "The tool's output.",
                "content": {
                    "application/json": {"schema": output},
                    "text/event-stream": {"schema": {"type": "string", "description": events}},
                },
            },
            **_problems(ERRORS, problem),
        },
    }


def _listing(output: Schema, problem: Schema) -> Schema:
    return {
        "operationId": "list_tools",
        "tags": ["tools"],
        "summary": "The tools that the caller may use",
        "security": SIGNED_IN,
        "responses": {
            "200": {"description": "All of them.", "content": {"application/json": {"schema": output}}},
            **_problems([401], problem),
        },
    }


def _problems(statuses: Iterable[int], problem: Schema) -> Schema:
    content = {"application/problem+json": {"schema": problem}}
    return {str(status): {"description": ERRORS[status], "content": content} for status in statuses}


def _say_who_may(paths: Schema) -> None:
    """FastAPI cannot see our own sign-in dependency, and writes problems down as plain JSON."""
    for path, operations in paths.items():
        is_open = path in OPEN or path.removeprefix("/api/auth/") in OPEN_AUTH
        for operation in operations.values():
            operation["security"] = [] if is_open else SIGNED_IN
            responses = operation["responses"]
            responses.pop("422", None)
            for status, response in responses.items():
                content = response.get("content", {})
                if status >= "400" and "application/json" in content:
                    content["application/problem+json"] = content.pop("application/json")
