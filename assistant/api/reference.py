"""/docs: the OpenAPI document as one plain page that needs no script and nothing from elsewhere."""

import base64
import hashlib
import json
from html import escape
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

router = APIRouter(include_in_schema=False)

STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; color-scheme: light dark; }
h2 { margin-top: 2.5rem; } details { border-top: 1px solid #8886; padding: .5rem 0; } summary { cursor: pointer; }
code, pre { font: 14px/1.45 ui-monospace, monospace; } pre { overflow: auto; padding: .75rem; background: #8881; }
.method { display: inline-block; min-width: 4.5rem; font-weight: 600; }
"""
_STYLE_HASH = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
POLICY = f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; frame-ancestors 'none'; base-uri 'none'"


@router.get("/docs")
async def reference(request: Request) -> HTMLResponse:
    document = request.app.openapi()
    return HTMLResponse(page(document), headers={"Content-Security-Policy": POLICY})


def page(document: dict[str, Any]) -> str:
    """The whole document as HTML, grouped by tag."""
    groups: dict[str, list[str]] = {}
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            tag = operation.get("tags", ["other"])[0]
            groups.setdefault(tag, []).append(_operation(method, path, operation, document))
    sections = "".join(f"<h2>{escape(tag)}</h2>{''.join(found)}" for tag, found in sorted(groups.items()))
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(document["info"]["title"])}</title>'
        f'<meta name="viewport" content="width=device-width"><style>{STYLE}</style></head><body>'
        f"<h1>{escape(document['info']['title'])}</h1><p>{escape(document['info'].get('description', ''))}</p>"
        '<p>For programs: <a href="/openapi.json">openapi.json</a>. Send an API key as <code>Authorization: Bearer lyc_…</code>.</p>'
        f"{sections}</body></html>"
    )


def _operation(method: str, path: str, operation: dict[str, Any], document: dict[str, Any]) -> str:
    body = _schema(operation.get("requestBody", {}).get("content", {}), document)
    answers = (
        _schema(r.get("content", {}), document) for s, r in operation["responses"].items() if s < "300"
    )
    answer = next(answers, "")
    return (
        f'<details><summary><span class="method">{method.upper()}</span> <code>{escape(path)}</code> '
        f"{escape(operation.get('summary', ''))}</summary><p>{escape(operation.get('description', ''))}</p>"
        f"{f'<h4>Request</h4>{body}' if body else ''}{f'<h4>Answer</h4>{answer}' if answer else ''}</details>"
    )


def _schema(content: dict[str, Any], document: dict[str, Any]) -> str:
    for media_type, described in content.items():
        schema = described.get("schema", {})
        name = schema.get("$ref", "").rpartition("/")[2]
        shown = document["components"]["schemas"][name] if name else schema
        return f"<p><code>{escape(media_type)}</code></p><pre>{escape(json.dumps(shown, indent=2))}</pre>"
    return ""
