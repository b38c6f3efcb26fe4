"""An older PostgreSQL of the system, when there is one: the schema must work on 15 to 18, and the wheel brings only 18."""

import asyncio
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import asyncpg
import pytest

ROLES = """
    CREATE ROLE lyceum_owner LOGIN; CREATE ROLE lyceum_app LOGIN NOINHERIT; CREATE ROLE lyceum_system NOLOGIN;
    CREATE ROLE lyceum_reader NOLOGIN NOINHERIT; GRANT lyceum_system TO lyceum_owner; GRANT lyceum_reader TO lyceum_app;
"""


@dataclass(frozen=True)
class OldServer:
    owner_url: str


def account() -> str | None:
    """PostgreSQL does not run as root; Debian's package makes a user for it."""
    return "postgres" if os.geteuid() == 0 else None


@asynccontextmanager
async def old_server(version: int) -> AsyncGenerator[OldServer]:
    """A server of this major version with our roles and an empty database. Skips the test when it is not installed."""
    programs = Path(f"/usr/lib/postgresql/{version}/bin")
    if not (programs / "postgres").exists():
        pytest.skip(f"PostgreSQL {version} is not installed in {programs}")
    folder = Path(tempfile.mkdtemp(prefix=f"lyceum-pg{version}-", dir="/tmp"))
    if user := account():
        entry = pwd.getpwnam(user)
        os.chown(folder, entry.pw_uid, entry.pw_gid)
    data = folder / "data"
    await run(
        programs / "initdb",
        "-D",
        data,
        "-U",
        "postgres",
        "--auth=trust",
        "--encoding=UTF8",
        "--locale=C",
        "--no-sync",
    )
    options = f"-c listen_addresses= -c unix_socket_directories={folder} -c fsync=off -c shared_buffers=16MB"
    await run(programs / "pg_ctl", "-D", data, "-o", options, "-l", folder / "log", "-w", "start")
    try:
        administrator = await asyncpg.connect(host=str(folder), user="postgres", database="postgres")
        await administrator.execute(ROLES)
        await administrator.execute("CREATE DATABASE lyceum OWNER lyceum_owner")
        await administrator.close()
        yield OldServer(f"postgresql+asyncpg://lyceum_owner@/lyceum?host={folder}")
    finally:
        await run(programs / "pg_ctl", "-D", data, "-m", "immediate", "-w", "stop")
        await asyncio.to_thread(shutil.rmtree, folder)


async def run(*command: object) -> None:
    await asyncio.to_thread(
        subprocess.run, [str(part) for part in command], user=account(), cwd="/", check=True, stdout=subprocess.DEVNULL,
        extra_groups=[] if account() else None,
    )  # fmt: skip
