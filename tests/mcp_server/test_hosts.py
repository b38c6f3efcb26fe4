"""Who may be spoken to, and how headers are read: configured host names, and the h11 rule."""

import asyncio
import gc
import json

import httpx
import pytest
import uvicorn
from fastapi import FastAPI

import assistant.app
from assistant.cli.serving import serve_api
from mcp_server.http import McpHttp
from storage.resources import Storage
from tests.mcp_server.conftest import MODERN, make_key
from tools.accounts import Accounts
from tools.catalog import CATALOG
from tools.context import Principal
from tools.executor import Executor

META = {
    "io.modelcontextprotocol/protocolVersion": MODERN,
    "io.modelcontextprotocol/clientCapabilities": {},
}
LIST_TOOLS = {"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {"_meta": META}}
HEADERS = {
    "Accept": "application/json, text/event-stream",
    "MCP-Protocol-Version": MODERN,
    "Mcp-Method": "tools/list",
}


@pytest.mark.parametrize(
    ("host", "origin", "status"),
    [
        ("study.example.org", None, 200),
        ("study.example.org", "https://study.example.org", 200),
        ("localhost:8000", None, 200),
        ("evil.example", None, 421),
        ("study.example.org.evil.example", None, 421),
        ("study.example.org", "https://evil.example", 403),
        ("study.example.org", "http://study.example.org", 403),
    ],
)
async def test_behind_a_public_name_only_that_name_is_answered(
    storage: Storage, student: Principal, host: str, origin: str | None, status: int
) -> None:
    settings = storage.settings.model_copy(update={"public_url": "https://study.example.org"})
    mcp = McpHttp(Executor(CATALOG, storage), Accounts(storage), settings)
    app = FastAPI(routes=[*mcp.routes])
    headers = {**HEADERS, "Host": host, "Authorization": f"Bearer {await make_key(storage, student)}"}
    if origin is not None:
        headers["Origin"] = origin
    async with mcp.running():
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://here") as http:
            answer = await http.post("/mcp", json=LIST_TOOLS, headers=headers)
    assert answer.status_code == status


async def test_blanks_at_the_end_of_a_header_are_not_part_of_it(
    base_url: str, storage: Storage, student: Principal
) -> None:
    """RFC 9110, section 5.5. httptools would keep them, and the comparison with the body would fail."""
    body = json.dumps(LIST_TOOLS).encode()
    port = int(base_url.rpartition(":")[2])
    lines = [
        "POST /mcp HTTP/1.1",
        f"Host: 127.0.0.1:{port}",
        f"Authorization: Bearer {await make_key(storage, student)}",
        "Content-Type: application/json",
        f"Content-Length: {len(body)}",
        "Connection: close",
        *(f"{name}: {value} \t " for name, value in HEADERS.items()),
    ]
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write("\r\n".join(lines).encode() + b"\r\n\r\n" + body)
    answer = await reader.read()
    writer.close()
    await writer.wait_closed()
    assert answer.startswith(b"HTTP/1.1 200 ")


def test_the_api_process_reads_headers_with_h11(storage: Storage, monkeypatch: pytest.MonkeyPatch) -> None:
    options: dict[str, object] = {}
    monkeypatch.setattr(assistant.app, "create_app", lambda settings, mcp_socket: FastAPI())
    monkeypatch.setattr(gc, "freeze", lambda: None)  # what is frozen here would stay for all tests after this
    monkeypatch.setattr(uvicorn, "run", lambda app, **given: options.update(given))
    serve_api(storage.settings)
    assert options["http"] == "h11"
