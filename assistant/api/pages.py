"""The built page and widget, out of `assistant/static`."""

from pathlib import Path

from fastapi import APIRouter
from fastapi.responses import FileResponse, HTMLResponse, Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from storage.errors import NotFound

STATIC = Path(__file__).parent.parent / "static"
NOT_BUILT = (
    '<!doctype html><html lang="en"><meta charset="utf-8"><title>Lyceum</title><p>The server runs, but its page has '
    "not been built yet. Run <code>npm ci &amp;&amp; npm run build</code> in the folder <code>widget</code>, then "
    'reload. Until then everything is reachable over HTTP (<a href="/docs">/docs</a>) and MCP.</p></html>'
)
FOREVER = "public, max-age=31536000, immutable"
FOR_ANY_SITE = {"Access-Control-Allow-Origin": "*", "Cross-Origin-Resource-Policy": "cross-origin"}
"""The embed is loaded by other people's pages; nothing in it is secret."""


class Assets(StaticFiles):
    """Files whose names carry a hash of their content."""

    def __init__(self, folder: Path) -> None:
        super().__init__(directory=folder / "assets", check_dir=False)

    async def get_response(self, path: str, scope: Scope) -> Response:
        response = await super().get_response(path, scope)
        response.headers.update({"Cache-Control": FOREVER, **FOR_ANY_SITE})
        return response


def router(folder: Path = STATIC) -> APIRouter:
    """Looks for the files at each request, so a build needs no restart."""
    made = APIRouter(include_in_schema=False)

    @made.api_route("/", methods=["GET", "HEAD"])
    @made.api_route("/connect", methods=["GET", "HEAD"])
    async def index() -> Response:
        """The app; at /connect it asks whether an AI client may come in."""
        page = folder / "index.html"
        if not page.is_file():
            return HTMLResponse(NOT_BUILT, 503)
        return FileResponse(page, headers={"Cache-Control": "no-cache"})

    @made.api_route("/favicon.ico", methods=["GET", "HEAD"])
    def icon() -> Response:
        """What browsers ask for at pages that name no icon."""
        found = next(folder.glob("assets/icon-*.svg"), None)
        if found is None:
            raise NotFound("The page has not been built yet.", code="not_built")
        return FileResponse(found)

    @made.api_route("/widget.js", methods=["GET", "HEAD"])
    async def widget() -> Response:
        script = folder / "widget.js"
        if not script.is_file():
            raise NotFound("The widget has not been built yet.", code="not_built")
        return FileResponse(script, headers={"Cache-Control": "no-cache", **FOR_ANY_SITE})

    return made
