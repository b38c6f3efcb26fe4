"""Servers on loopback that stand for the web, well-behaved and not."""

import asyncio
import gzip
import ssl
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from tools.web.fetch import Fetcher

Answer = bytes | Callable[[asyncio.StreamWriter], Awaitable[None]]


def page(
    body: bytes | str, media_type: str = "text/html; charset=utf-8", status: str = "200 OK", **headers: str
) -> bytes:
    """A whole HTTP answer."""
    data = body.encode() if isinstance(body, str) else body
    given = {"Content-Type": media_type, "Content-Length": str(len(data))}
    given |= {name.replace("_", "-"): value for name, value in headers.items()}
    lines = "".join(f"{name}: {value}\r\n" for name, value in given.items())
    return f"HTTP/1.1 {status}\r\n{lines}\r\n".encode() + data


def redirect(to: str, status: str = "302 Found") -> bytes:
    return page("", status=status, Location=to)


def zipped(body: bytes) -> bytes:
    return page(gzip.compress(body), Content_Encoding="gzip")


@dataclass
class Web:
    """One server that is known under any name. `asked`: the requests that came, head and body."""

    port: int
    answers: dict[str, Answer] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    names: dict[str, list[str]] = field(default_factory=dict)
    """What a name resolves to, where that is not this server; each question takes one answer from the list."""
    resolved: list[str] = field(default_factory=list)

    def url(self, path: str, host: str = "site.test") -> str:
        return f"http://{host}:{self.port}{path}"

    async def resolve(self, host: str, port: int) -> list[str]:
        self.resolved.append(host)
        if host in self.names:
            found = self.names[host]
            return found.pop(0).split() if len(found) > 1 else found[0].split()
        if host == "nowhere.test":
            raise OSError("no such name")
        return ["127.0.0.1"]

    def fetcher(self, **options: Any) -> Fetcher:
        return Fetcher(resolve=self.resolve, allow=[("127.0.0.1", self.port)], **options)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        self.asked.append(head)
        answer = self.answers.get(head.split()[1], page("Nothing here.", status="404 Not Found"))
        try:
            if isinstance(answer, bytes):
                writer.write(answer)
                await writer.drain()
            else:
                await answer(writer)
        except ConnectionError:
            return
        finally:
            writer.close()


@asynccontextmanager
async def web_server(answers: Mapping[str, Answer], tls: ssl.SSLContext | None = None) -> AsyncGenerator[Web]:
    web = Web(0, dict(answers))
    server = await asyncio.start_server(web.serve, "127.0.0.1", 0, ssl=tls)
    web.port = server.sockets[0].getsockname()[1]
    try:
        yield web
    finally:
        server.close()
