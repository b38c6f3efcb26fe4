"""Requests to Chroma's HTTP API (version 2, described at /docs of each server), as far as reading needs it.

Its own Python client costs 1.2 ms of CPU a request, which was most of what counting a collection took; this costs 0.2.
"""

from typing import Any
from urllib.parse import quote, urlparse

import aiohttp
import orjson

from storage.errors import InvalidInput, NotFound, Unavailable

DATABASE = "/api/v2/tenants/default_tenant/databases/default_database"
CONNECT_SECONDS = 10.0
SILENCE_SECONDS = 40.0
"""How long the server may keep silent in the middle of an answer."""


def parse_url(url: str) -> tuple[str, int, bool]:
    """Host, port and TLS of `chroma+http://HOST:PORT`. Raises InvalidInput for anything else."""
    parsed = urlparse(url)
    if parsed.scheme not in ("chroma+http", "chroma+https") or not parsed.hostname:
        raise InvalidInput(
            f"LYCEUM_VECTOR_URL must look like chroma+http://HOST:PORT, not {parsed.scheme}://…"
        )
    tls = parsed.scheme == "chroma+https"
    return parsed.hostname, parsed.port or (443 if tls else 8000), tls


class ChromaApi:
    """Used within one event loop; connects with the first request. Raises Unavailable when Chroma does not answer."""

    def __init__(self, url: str) -> None:
        host, port, tls = parse_url(url)
        host = f"[{host}]" if ":" in host else host
        self._base = f"{'https' if tls else 'http'}://{host}:{port}"
        self._session: aiohttp.ClientSession | None = None

    async def heartbeat(self) -> None:
        await self._asked("GET", "/api/v2/heartbeat")

    async def version(self) -> str:
        return str(await self._asked("GET", "/api/v2/version"))

    async def collections(self, limit: int, offset: int) -> list[dict[str, Any]]:
        """One page of all collections, whoever's they are."""
        query = f"?limit={limit}&offset={offset}"
        found: list[dict[str, Any]] = await self._asked("GET", f"{DATABASE}/collections{query}")
        return found

    async def collection(self, name: str) -> dict[str, Any]:
        """Its id, name, metadata, dimension and configuration. Raises NotFound."""
        found: dict[str, Any] = await self._asked("GET", f"{DATABASE}/collections/{quote(name, safe='')}")
        return found

    async def drop(self, name: str) -> None:
        """Raises NotFound."""
        await self._asked("DELETE", f"{DATABASE}/collections/{quote(name, safe='')}")

    async def count(self, collection_id: str) -> int:
        """Raises NotFound for a collection that was dropped, as the following do."""
        return int(await self._asked("GET", f"{DATABASE}/collections/{collection_id}/count"))

    async def entries(self, collection_id: str, **asked: Any) -> dict[str, Any]:
        """Entries by `ids` or `where`, with `limit`, `offset` and what to `include`, as parallel lists."""
        return await self._of(collection_id, "get", asked)

    async def nearest(self, collection_id: str, **asked: Any) -> dict[str, Any]:
        """`n_results` entries nearest to each of `query_embeddings`, as parallel lists for each."""
        return await self._of(collection_id, "query", asked)

    async def delete(self, collection_id: str, ids: list[str]) -> None:
        """Ids that are not there are no error."""
        await self._of(collection_id, "delete", {"ids": ids})

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def _of(self, collection_id: str, action: str, asked: dict[str, Any]) -> dict[str, Any]:
        path = f"{DATABASE}/collections/{collection_id}/{action}"
        found: dict[str, Any] = await self._asked("POST", path, orjson.dumps(asked))
        return found

    async def _asked(self, method: str, path: str, body: bytes | None = None) -> Any:
        try:
            try:
                status, answer = await self._once(method, path, body)
            except aiohttp.ServerDisconnectedError:
                # An idle connection that the server closed just now; all of these requests can be made twice.
                status, answer = await self._once(method, path, body)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise Unavailable("The vector store (Chroma) does not answer. Try again in a moment.") from error
        if status == 404:
            raise NotFound("There is no such collection.", code="collection_not_found")
        if status >= 400:
            raise RuntimeError(f"Chroma answered {method} {path} with {status}: {answer[:500]!r}")
        return orjson.loads(answer) if answer else None

    async def _once(self, method: str, path: str, body: bytes | None) -> tuple[int, bytes]:
        headers = {"Content-Type": "application/json"} if body is not None else None
        async with self._connected().request(
            method, self._base + path, data=body, headers=headers
        ) as response:
            return response.status, await response.read()

    def _connected(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                timeout=aiohttp.ClientTimeout(
                    total=None, sock_connect=CONNECT_SECONDS, sock_read=SILENCE_SECONDS
                ),
                cookie_jar=aiohttp.DummyCookieJar(),
            )
        return self._session
