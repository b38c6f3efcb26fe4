"""`serve`, `worker` and the hidden `api`: the processes."""

import asyncio
import gc
import hashlib
import os
import secrets
import signal
import socket
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Annotated

import typer

from assistant.cli.options import DataDir, fail, is_laptop, read_settings
from assistant.cli.session import log_to_stderr, migrate_if_needed, run, with_instance
from storage.errors import Conflict
from storage.local.instance import SERVE, InstanceInfo
from storage.local.paths import socket_root
from storage.local.process import ChildSpec
from storage.local.services import LocalServices
from storage.settings import Settings

LINK_SECONDS = 3600
SHORTEST_SECRET = 32


def register(app: typer.Typer) -> None:
    app.command()(serve)
    app.command()(worker)
    app.command(hidden=True)(api)


def serve(
    data_dir: DataDir = None,
    host: Annotated[str | None, typer.Option(help="Address to listen on.", show_default="127.0.0.1")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on.", show_default="8000")] = None,
) -> None:
    """Start Lyceum: on a laptop with its own database, queue and vector store, else on the servers that settings name."""
    settings = read_settings(data_dir=data_dir, host=host, port=port)
    log_to_stderr(settings.log_level)
    if is_laptop(settings):
        run(serve_laptop(settings))
    else:
        check_deployment(settings)
        serve_api(settings)


def check_deployment(settings: Settings) -> None:
    """A server that others can reach needs a secret of its own."""
    key = settings.secret_key.get_secret_value() if settings.secret_key else ""
    if len(key) < SHORTEST_SECRET:
        fail(
            f"Set LYCEUM_SECRET_KEY to at least {SHORTEST_SECRET} random characters, e.g. from `openssl rand -hex 32`."
        )


async def serve_laptop(settings: Settings) -> None:
    """All processes under one supervisor, until Ctrl-C or SIGTERM."""
    started = time.monotonic()
    check_port(settings)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for signal_number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(signal_number, stop.set)
    local = LocalServices(settings.data_dir, SERVE)
    async with local as info:
        await migrate_if_needed(info)
        served = with_instance(settings, info)
        await asyncio.gather(
            local.supervisor.start(worker_child(local, served)),
            local.supervisor.start(api_child(local, info, served)),
        )
        local.announce_api(info, settings.base_url, str(mcp_socket(local)))
        link = await login_link(info, settings)
        say(f"\nLyceum is ready after {time.monotonic() - started:.1f} s at {settings.base_url}")
        say(f"Sign in once with this link (good for an hour):\n\n    {link}\n")
        say("Press Ctrl-C to stop.")
        await stop.wait()
        say("Stopping…")


def say(line: str) -> None:
    print(line, flush=True)


def check_port(settings: Settings) -> None:
    """Raises Conflict with a sentence before anything is started, when the port is taken."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((settings.host, settings.port))
        except OSError as error:
            raise Conflict(
                f"Port {settings.port} on {settings.host} is in use. Choose another with --port.",
                code="port_in_use",
            ) from error


def worker_child(local: LocalServices, settings: Settings) -> ChildSpec:
    """The worker, as a child of the supervisor."""
    argv = [sys.executable, "-m", "assistant.cli", "worker", "--name", "laptop"]
    env = environment(local, settings) | {
        "MALLOC_ARENA_MAX": "2"
    }  # glibc gives back little of one arena a thread
    return ChildSpec(name="worker", argv=argv, env=env, stage=2, grace=5)


def api_child(local: LocalServices, info: InstanceInfo, settings: Settings) -> ChildSpec:
    """The API, as a child of the supervisor; ready when it says so itself."""

    async def ready(_: int) -> bool:
        return await asyncio.to_thread(answers, f"http://{settings.host}:{settings.port}/readyz")

    argv = [sys.executable, "-m", "assistant.cli", "api", "--mcp-socket", str(mcp_socket(local))]
    return ChildSpec(
        name="api",
        argv=argv,
        env=environment(local, settings),
        ready=ready,
        ready_timeout=120,
        stage=2,
        grace=5,
    )


def mcp_socket(local: LocalServices) -> Path:
    """Where the API takes the connections of `lyceum mcp`: beside the sockets of the other servers."""
    return socket_root(local.data_dir) / "mcp.sock"


def environment(local: LocalServices, settings: Settings) -> dict[str, str]:
    """What a child needs to find the services, with the options of this command."""
    info_env = {
        "LYCEUM_DATABASE_URL": settings.database_url,
        "LYCEUM_OWNER_DATABASE_URL": settings.owner_database_url,
        "LYCEUM_REDIS_URL": settings.redis_url,
        "LYCEUM_VECTOR_URL": settings.vector_url,
        "LYCEUM_FILES_URL": settings.files_url,
        "LYCEUM_SECRET_KEY": settings.secret_key.get_secret_value() if settings.secret_key else None,
        "LYCEUM_DATA_DIR": str(local.data_dir),
        "LYCEUM_HOST": settings.host,
        "LYCEUM_PORT": str(settings.port),
    }
    return {name: value for name, value in info_env.items() if value is not None}


def answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2) as response:  # an http:// address of our own
            return bool(response.status == 200)
    except (urllib.error.URLError, OSError):
        return False


async def login_link(info: InstanceInfo, settings: Settings) -> str:
    """A one-time link for the owner, written to the queue directly: this process never loads the other stores."""
    from storage.redis.client import connect  # noqa: PLC0415 - only here, and only once ready
    from storage.redis.sessions import LoginLinks  # noqa: PLC0415

    token = secrets.token_urlsafe(32)
    client = connect(info.redis_url)
    try:
        digest = hashlib.sha256(token.encode()).hexdigest()
        await LoginLinks(client).add(digest, "owner", seconds=LINK_SECONDS)
    finally:
        await client.aclose()
    return f"{settings.base_url}/login?token={token}"


def api(
    data_dir: DataDir = None,
    mcp_socket: Annotated[
        Path | None, typer.Option(help="Serve `lyceum mcp` on this unix socket, in a private folder.")
    ] = None,
) -> None:
    """The API process alone; the settings must name every store."""
    settings = read_settings(data_dir=data_dir)
    log_to_stderr(settings.log_level)
    serve_api(settings, mcp_socket)


def serve_api(settings: Settings, mcp_socket: Path | None = None) -> None:
    """Run the ASGI app until a signal. h11, because httptools keeps trailing blanks in headers that MCP checks."""
    gc.disable()  # loading the web stack makes many objects that all stay: a quarter of its time went into looking
    import uvicorn  # noqa: PLC0415 - the web stack loads only for commands that serve

    from assistant.app import create_app  # noqa: PLC0415

    app = create_app(settings, mcp_socket=mcp_socket)
    gc.enable()
    gc.freeze()
    # A request makes thousands of objects and hardly a cycle: to look after every 700 costs 6 % of the CPU.
    gc.set_threshold(50_000)

    uvicorn.run(
        app,
        host=settings.host,
        port=settings.port,
        http="h11",
        ws="none",
        log_config=None,
        access_log=False,
        timeout_graceful_shutdown=3,
        server_header=False,
    )


def worker(
    data_dir: DataDir = None,
    name: Annotated[
        str | None, typer.Option(help="Name, unique among workers that run.", show_default="host and pid")
    ] = None,
) -> None:
    """Run a worker that reads, embeds and indexes material; any number may run beside each other."""
    settings = read_settings(data_dir=data_dir)
    log_to_stderr(settings.log_level)
    os.nice(5)
    run(work(settings, name or f"{socket.gethostname()}-{os.getpid()}"))


async def work(settings: Settings, name: str) -> None:
    from assistant.cli.session import services  # noqa: PLC0415
    from assistant.models.text import ConfiguredModel  # noqa: PLC0415
    from storage.resources import open_storage  # noqa: PLC0415
    from tools.ingest.service import make_worker  # noqa: PLC0415 - PyMuPDF and Chroma's client load only here

    async with services(settings, "lyceum worker") as (found, _):
        storage = open_storage(found)
        worker = make_worker(storage, name, model=ConfiguredModel(found, storage.embedder))
        loop = asyncio.get_running_loop()
        for signal_number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(signal_number, worker.stop)
        try:
            await worker.run()
        finally:
            await storage.close()
