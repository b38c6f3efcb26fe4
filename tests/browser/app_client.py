"""A client that shows MCP Apps: `widget/apps/test-host` in Chromium, its requests forwarded to a real MCP connection."""

import asyncio
import json
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import uvicorn
from mcp import Client
from mcp.client.extension import advertise
from mcp.client.streamable_http import streamable_http_client
from mcp.server.apps import APP_MIME_TYPE, EXTENSION_ID
from mcp.shared._httpx_utils import create_mcp_http_client
from mcp.shared.exceptions import MCPError
from mcp_types import Tool
from playwright.async_api import Browser, FrameLocator, Locator, Page
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from tests.data import REPOSITORY
from tests.ports import listening_socket

HOST_PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>A client</title><link rel="icon" href="data:,">
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>body { margin: 0 } iframe { display: block; width: 100%; height: 300px; border: 0 }</style>
<body><script>window.sandbox = "SANDBOX"</script><script src="/host.js"></script></body></html>"""

SANDBOX_PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>Sandbox</title>
<style>html, body { margin: 0; height: 100% } iframe { display: block; width: 100%; height: 100%; border: 0 }</style>
<body><script>
const inner = document.createElement("iframe");
inner.setAttribute("sandbox", "allow-scripts");
addEventListener("message", ({ source, data }) => {
  if (source === parent && data.method === "ui/notifications/sandbox-resource-ready") {
    inner.srcdoc = data.params.html;
    document.body.append(inner);
  } else if (source === parent) inner.contentWindow.postMessage(data, "*");
  else if (source === inner.contentWindow) parent.postMessage(data, "*");
});
parent.postMessage({ jsonrpc: "2.0", method: "ui/notifications/sandbox-proxy-ready", params: {} }, "*");
</script></body></html>"""
"""What stands between client and page (SEP-1865, "Sandbox proxy"): another origin, whose policy the inner frame inherits."""


def policy(csp: dict[str, list[str]]) -> str:
    """The header that a client makes of `_meta.ui.csp` (SEP-1865, "Host Behavior")."""

    def sources(kind: str, otherwise: str = "") -> str:
        return " ".join(csp.get(kind, [])) or otherwise

    resources, none = sources("resourceDomains"), "'none'"
    return "; ".join(
        (
            "default-src 'none'",
            f"script-src 'self' 'unsafe-inline' {resources}",
            f"style-src 'self' 'unsafe-inline' {resources}",
            f"img-src 'self' data: {resources}",
            f"media-src 'self' data: {resources}",
            f"connect-src {sources('connectDomains', none)}",
            f"frame-src {sources('frameDomains', none)}",
            f"base-uri {sources('baseUriDomains', none)}",
        )
    )


@dataclass
class Pages:
    """The addresses of the client's own pages, and how often something knocked where no page may."""

    port: int
    knocks: list[str] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def sandbox(self) -> str:
        return f"http://localhost:{self.port}/sandbox"


@asynccontextmanager
async def served_pages(folder: Path) -> AsyncGenerator[Pages]:
    listening = listening_socket()
    pages = Pages(listening.getsockname()[1])

    async def host(_: Request) -> Response:
        return HTMLResponse(HOST_PAGE.replace("SANDBOX", pages.sandbox))

    async def script(_: Request) -> Response:
        return Response((folder / "host.js").read_bytes(), media_type="text/javascript")

    async def sandbox(request: Request) -> Response:
        header = {"Content-Security-Policy": policy(json.loads(request.query_params["csp"]))}
        return HTMLResponse(SANDBOX_PAGE, headers=header)

    async def outside(request: Request) -> Response:
        pages.knocks.append(request.query_params.get("by", ""))
        return Response("outside", headers={"Access-Control-Allow-Origin": "*"})

    routes = [
        Route("/", host),
        Route("/host.js", script),
        Route("/sandbox", sandbox),
        Route("/outside", outside),
    ]
    server = uvicorn.Server(uvicorn.Config(Starlette(routes=routes), log_level="warning"))
    serving = asyncio.create_task(server.serve(sockets=[listening]))
    yield pages
    server.should_exit = True
    await serving


async def build_host(folder: Path) -> None:
    """The client's script, out of ext-apps' AppBridge."""
    command = [sys.executable, str(REPOSITORY / "widget" / "build.py"), "--test-host", str(folder)]
    process = await asyncio.create_subprocess_exec(*command, stderr=asyncio.subprocess.PIPE)
    _, errors = await process.communicate()
    assert process.returncode == 0, errors.decode()


@asynccontextmanager
async def connected(
    url: str, key: str, *, shows_apps: bool = True, mode: str = "auto"
) -> AsyncGenerator[Client]:
    """An MCP connection as a client with, or without, MCP Apps opens it."""
    extensions = [advertise(EXTENSION_ID, {"mimeTypes": [APP_MIME_TYPE]})] if shows_apps else []
    async with create_mcp_http_client(headers={"Authorization": f"Bearer {key}"}) as http:
        transport = streamable_http_client(f"{url}/mcp", http_client=http)
        async with Client(transport, mode=mode, extensions=extensions) as client:
            yield client


@dataclass
class AppClient:
    """A window of the client with one connection."""

    page: Page
    client: Client
    tools: dict[str, Tool]
    forwarded: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    async def forward(self, method: str, params: dict[str, Any]) -> Any:
        """A request of the page. As a client must, it lets no tool through that `tools/list` did not give to pages."""
        self.forwarded.append((method, params))
        try:
            if method == "resources/read":
                answer: Any = await self.client.read_resource(params["uri"])
            else:
                ui = (self.tools[params["name"]].meta or {}).get("ui", {})
                assert "app" in ui.get("visibility", ["model", "app"])
                answer = await self.client.call_tool(params["name"], params.get("arguments"))
        except MCPError as error:
            raise RuntimeError(error.error.message) from error
        return answer.model_dump(mode="json", by_alias=True, exclude_none=True)

    async def use(self, tool: str, /, without: tuple[str, ...] = (), **arguments: Any) -> None:
        """The model calls a tool, and its page is shown with what came back."""
        result = await self.client.call_tool(tool, arguments)
        await self.show(
            tool, arguments, result.model_dump(mode="json", by_alias=True, exclude_none=True), without
        )

    async def show(
        self, tool: str, arguments: dict[str, Any], result: dict[str, Any], without: tuple[str, ...] = ()
    ) -> None:
        page = await self.client.read_resource((self.tools[tool].meta or {})["ui"]["resourceUri"])
        await self.page.evaluate(
            "wanted => window.show(wanted)",
            {
                "tool": tool,
                "arguments": arguments,
                "result": result,
                "page": page.model_dump(mode="json", by_alias=True, exclude_none=True),
                "context": {
                    "theme": "light",
                    "locale": "en-GB",
                    "displayMode": "inline",
                    "availableDisplayModes": ["inline", "fullscreen"],
                    "platform": "web",
                },
                "without": list(without),
            },
        )

    @property
    def frame(self) -> FrameLocator:
        return self.page.frame_locator("iframe").frame_locator("iframe")

    def at(self, hook: str) -> Locator:
        return self.frame.get_by_test_id(hook)

    async def inside(self, script: str, argument: Any = None) -> Any:
        """A script's value in the page itself."""
        return await self.frame.locator("body").evaluate(f"(_, argument) => ({script})(argument)", argument)

    async def asked(self, what: str) -> list[Any]:
        found: list[Any] = await self.page.evaluate("window.asked")
        return [one["value"] for one in found if one["what"] == what]


@asynccontextmanager
async def window(browser: Browser, pages: Pages, client: Client, **options: Any) -> AsyncGenerator[AppClient]:
    """A window without any complaint of its pages at the end."""
    context = await browser.new_context(**options)
    tools: dict[str, Tool] = {}
    cursor = None
    while not tools or cursor:
        listed = await client.list_tools(cursor=cursor)
        tools |= {tool.name: tool for tool in listed.tools}
        cursor = listed.next_cursor
    opened = AppClient(await context.new_page(), client, tools)
    opened.page.on("pageerror", lambda error: opened.complaints.append(str(error)))
    opened.page.on(
        "console",
        lambda said: opened.complaints.append(said.text) if said.type in ("error", "warning") else None,
    )
    await opened.page.expose_function("mcp", opened.forward)
    await opened.page.goto(pages.url)
    yield opened
    await context.close()
    assert not opened.complaints, opened.complaints
