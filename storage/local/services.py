"""Runs a Lyceum on one data folder: takes its lock, makes its secrets, starts its servers, and writes where they are."""

import asyncio
import fcntl
import json
import os
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from types import TracebackType

import platformdirs

from storage.errors import Conflict, InvalidInput
from storage.local import chroma, leftovers, paths, postgres, valkey
from storage.local.instance import FILE, LOCK, InstanceInfo, as_json
from storage.local.process import Supervisor

_SECRET_NAMES = ("postgres", "lyceum_owner", "lyceum_app", "valkey", "secret_key")
_SECRET_BYTES = 32
# How long a start waits for the lock, since `read_instance` holds it for a moment when it looks.
_LOCK_PATIENCE = 0.3


def default_data_dir() -> Path:
    """LYCEUM_DATA_DIR, or the place for a program's data on this system."""
    chosen = os.environ.get("LYCEUM_DATA_DIR")
    return Path(chosen).expanduser() if chosen else platformdirs.user_data_path("lyceum")


class LocalServices:
    """Starts the servers that `external` gives no URL for, and stops them at the end of the `async with` block.

    `external` has names of InstanceInfo's URL fields. `command` is what a second start is told about the first.
    The event loop must run in the thread that lives longest, best the main thread: the servers end with it.
    Raises Conflict (`instance_running`) when the folder is in use, and Unavailable when a server does not start.
    """

    def __init__(
        self,
        data_dir: Path | None = None,
        command: str = "lyceum",
        *,
        external: Mapping[str, str] | None = None,
        on_restart: Callable[[str], None] | None = None,
    ) -> None:
        self.data_dir = (data_dir or default_data_dir()).resolve()
        self._command = command
        self._external = dict(external or {})
        self._on_restart = on_restart
        self._supervisor: Supervisor | None = None
        self._lock: int | None = None

    @property
    def supervisor(self) -> Supervisor:
        """Takes further children, which stop before the servers do."""
        if self._supervisor is None:
            raise RuntimeError("The services are not started.")
        return self._supervisor

    async def __aenter__(self) -> InstanceInfo:
        try:
            self.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._lock = _take_lock(self.data_dir, self._command)
        except OSError as error:
            raise InvalidInput(
                f"The folder {self.data_dir} cannot be used: {error.strerror}. Choose another folder.",
                code="data_dir",
            ) from error
        try:
            self._supervisor = Supervisor(self.data_dir, on_restart=self._on_restart)
            (self.data_dir / FILE).unlink(missing_ok=True)
            await asyncio.to_thread(leftovers.end_leftovers, self.data_dir / "run")
            info = await self._start()
            self._write(info)
        except BaseException:
            await self._stop()
            raise
        return info

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stop()

    def env(self, info: InstanceInfo) -> dict[str, str]:
        """Settings for a child that uses the services, to add to its environment."""
        return {
            "LYCEUM_DATA_DIR": str(info.data_dir),
            "LYCEUM_DATABASE_URL": info.database_url,
            "LYCEUM_OWNER_DATABASE_URL": info.owner_database_url,
            "LYCEUM_REDIS_URL": info.redis_url,
            "LYCEUM_VECTOR_URL": info.vector_url,
            "LYCEUM_FILES_URL": info.files_url,
            "LYCEUM_SECRET_KEY": info.secret_key,
        }

    def announce_api(self, info: InstanceInfo, api_url: str, mcp_socket: str | None = None) -> InstanceInfo:
        """Tell other commands where the API of this instance answers, and on which socket it takes `lyceum mcp`."""
        served = replace(info, api_url=api_url, mcp_socket=mcp_socket)
        self._write(served)
        return served

    async def _start(self) -> InstanceInfo:
        generated = _load_secrets(self.data_dir / "secrets.json")
        files = self.data_dir / "files"
        if "files_url" not in self._external:
            files.mkdir(mode=0o700, exist_ok=True)
        sockets = paths.socket_root(self.data_dir)
        urls: dict[str, str] = {"files_url": files.as_uri(), "secret_key": generated["secret_key"]}
        # Not a TaskGroup: it would wrap the one sentence for the user in an exception group.
        starts = [
            asyncio.ensure_future(start(sockets, generated))
            for name, start in (
                ("database_url", self._start_postgres),
                ("redis_url", self._start_valkey),
                ("vector_url", self._start_chroma),
            )
            if name not in self._external
        ]
        try:
            for started in await asyncio.gather(*starts):
                urls.update(started)
        finally:
            for start in starts:
                start.cancel()
            await asyncio.gather(*starts, return_exceptions=True)
        urls.update(self._external)
        urls.setdefault("owner_database_url", urls["database_url"])
        return InstanceInfo(pid=os.getpid(), data_dir=self.data_dir, **urls)

    async def _start_postgres(self, sockets: Path, generated: Mapping[str, str]) -> dict[str, str]:
        owner, app = generated["lyceum_owner"], generated["lyceum_app"]
        cluster = await postgres.prepare(
            self.data_dir, sockets, postgres.Passwords(generated["postgres"], owner=owner, app=app)
        )
        await self.supervisor.start(cluster.spec())
        return {
            "database_url": cluster.url("lyceum_app", app),
            "owner_database_url": cluster.url("lyceum_owner", owner),
        }

    async def _start_valkey(self, sockets: Path, generated: Mapping[str, str]) -> dict[str, str]:
        spec, socket = valkey.prepare(self.data_dir, sockets, generated["valkey"])
        await self.supervisor.start(spec)
        return {"redis_url": valkey.url(socket, generated["valkey"])}

    async def _start_chroma(self, _sockets: Path, _generated: Mapping[str, str]) -> dict[str, str]:
        return {"vector_url": await chroma.start(self.supervisor, self.data_dir)}

    def _write(self, info: InstanceInfo) -> None:
        leftovers.write_private(self.data_dir / FILE, as_json(info))

    async def _stop(self) -> None:
        try:
            if self._supervisor:
                (self.data_dir / FILE).unlink(missing_ok=True)
                await self._supervisor.stop()
                paths.remove_socket_root(self.data_dir)
        finally:
            self._supervisor = None
            if self._lock is not None:
                os.close(self._lock)
                self._lock = None


def _take_lock(data_dir: Path, command: str) -> int:
    """Hold the folder until the descriptor is closed; the kernel does so when this process is killed."""
    path = data_dir / LOCK
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    deadline = time.monotonic() + _LOCK_PATIENCE
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            break
        except BlockingIOError:
            if time.monotonic() < deadline:
                time.sleep(0.02)
                continue
            holder = os.read(descriptor, 1000).decode(errors="replace")
            os.close(descriptor)
            raise _already_running(data_dir, holder) from None
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, json.dumps({"pid": os.getpid(), "command": command}).encode(), 0)
    return descriptor


def _already_running(data_dir: Path, holder: str) -> Conflict:
    try:
        record = json.loads(holder)
        who = f"process {record['pid']}, started as “{record['command']}”"
    except (ValueError, KeyError, TypeError):
        who = "another process"
    return Conflict(
        f"Lyceum already runs on the folder {data_dir} ({who}); stop it first or choose another folder.",
        code="instance_running",
    )


def _load_secrets(path: Path) -> dict[str, str]:
    """The generated passwords of this folder; missing ones are made, and written before anything uses them."""
    try:
        known: dict[str, str] = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        known = {}
    missing = [name for name in _SECRET_NAMES if name not in known]
    if missing:
        known.update({name: secrets.token_urlsafe(_SECRET_BYTES) for name in missing})
        leftovers.write_private(path, json.dumps(known, indent=2))
    return known
