"""The laptop mode's real servers: they start, survive the death of a child, and never outlive their parent."""

import asyncio
import contextlib
import json
import os
import signal
import stat
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import asyncpg
import httpx
import psutil
import pytest
from redis.asyncio import Redis

from storage.errors import Conflict, Unavailable
from storage.local.instance import InstanceInfo, read_instance
from storage.local.process import ChildSpec, Supervisor
from storage.local.services import LocalServices
from tests.waiting import PATIENCE, SOON, awaited

REPOSITORY = Path(__file__).parents[2]
COLLECTIONS = "/api/v2/tenants/default_tenant/databases/default_database/collections"
HOLDER = """
import asyncio, json, sys
from pathlib import Path
from storage.local.services import LocalServices

async def main():
    services = LocalServices(Path(sys.argv[1]), "lyceum serve")
    async with services as info:
        print(json.dumps({"pids": services.supervisor.pids(), "modules": list(sys.modules)}), flush=True)
        await asyncio.to_thread(sys.stdin.read)

asyncio.run(main())
"""


async def connect(url: str) -> "asyncpg.Connection[asyncpg.Record]":
    return await asyncpg.connect(url.replace("+asyncpg", ""))


async def check_all_answer(info: InstanceInfo) -> None:
    connection = await connect(info.database_url)
    assert await connection.fetchval("SELECT current_user") == "lyceum_app"
    await connection.close()
    async with Redis.from_url(info.redis_url) as redis:
        assert await redis.ping()
    async with httpx.AsyncClient(base_url=info.vector_url.removeprefix("chroma+")) as client:
        assert (await client.get("/api/v2/heartbeat")).status_code == 200


def sleeper() -> "subprocess.Popen[bytes]":
    return subprocess.Popen(["/bin/sleep", "600"])


async def wait_until_gone(pids: list[int], seconds: float = PATIENCE) -> None:
    def alive(pid: int) -> bool:
        with contextlib.suppress(psutil.NoSuchProcess):
            return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
        return False

    deadline = time.monotonic() + seconds
    while left := [pid for pid in pids if alive(pid)]:
        assert time.monotonic() < deadline, f"still running: {left}"
        await asyncio.sleep(0.02)


@contextlib.contextmanager
def holder(
    data_dir: Path, user: int | None = None, python: str = sys.executable
) -> Iterator[tuple["subprocess.Popen[str]", dict[str, object]]]:
    """A separate process that holds the services until its standard input is closed."""
    process = subprocess.Popen(
        [python, "-B", "-c", HOLDER, str(data_dir)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=REPOSITORY,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(REPOSITORY), *sys.path])},
        user=user,
        group=user,
        extra_groups=None if user is None else [],
    )
    assert process.stdin
    assert process.stdout
    try:
        lines = iter(process.stdout.readline, "")
        yield process, next(json.loads(line) for line in lines if line.startswith("{"))
    finally:
        process.stdin.close()
        process.wait(PATIENCE)
        process.stdout.close()


def server_pids(report: dict[str, object]) -> list[int]:
    pids = report["pids"]
    assert isinstance(pids, dict)
    parents = [psutil.Process(pid) for pid in pids.values()]
    return [process.pid for parent in parents for process in (parent, *parent.children(recursive=True))]


@pytest.fixture
def tmp_path() -> Iterator[Path]:
    """Not below pytest's own folder, which every other test run closes to the database's system user."""
    with TemporaryDirectory(prefix="lyceum-test-") as folder:
        yield Path(folder)


@pytest.fixture(scope="module")
async def running() -> AsyncIterator[tuple[LocalServices, InstanceInfo]]:
    with TemporaryDirectory(prefix="lyceum-test-") as folder:
        services = LocalServices(Path(folder), "the tests")
        async with services as info:
            yield services, info


async def test_all_services_answer_at_their_urls(running: tuple[LocalServices, InstanceInfo]) -> None:
    services, info = running
    await check_all_answer(info)
    assert read_instance(services.data_dir) == info
    assert services.env(info)["LYCEUM_DATABASE_URL"] == info.database_url
    assert info.database_url not in repr(info)


async def test_the_application_role_cannot_bypass_row_level_security(
    running: tuple[LocalServices, InstanceInfo],
) -> None:
    _services, info = running
    owner = await connect(info.owner_database_url)
    await owner.execute(
        "CREATE TABLE diary (line text); ALTER TABLE diary ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;"
        "GRANT SELECT ON diary TO lyceum_app; GRANT SELECT, INSERT ON diary TO lyceum_system;"
        "CREATE POLICY system ON diary TO lyceum_system USING (true);"
        "SET ROLE lyceum_system; INSERT INTO diary VALUES ('secret'); RESET ROLE"
    )
    app = await connect(info.database_url)
    roles = await app.fetch(
        "SELECT rolname, rolbypassrls OR rolsuper AS strong FROM pg_roles WHERE rolname ~ '^lyceum'"
    )
    assert {row["rolname"]: row["strong"] for row in roles} == dict.fromkeys(
        ("lyceum_owner", "lyceum_app", "lyceum_reader", "lyceum_system"), False
    )
    assert await app.fetch("SELECT * FROM diary") == []
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await app.execute("SET ROLE lyceum_system")
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await app.execute("CREATE TABLE mine (line text)")
    assert len(await owner.fetch("SELECT * FROM diary")) == 1  # as a member of lyceum_system
    await owner.execute("DROP TABLE diary")
    await owner.close()
    await app.close()


async def test_the_database_knows_trigrams_and_unicode(running: tuple[LocalServices, InstanceInfo]) -> None:
    _services, info = running
    app = await connect(info.database_url)
    assert await app.fetchval("SELECT similarity('eigenvalue', 'eigenvalues')") > 0.7
    assert await app.fetchval("SELECT lower('ÉCOLE Ω')") == "école ω"
    await app.close()


async def test_a_wrong_password_opens_nothing(running: tuple[LocalServices, InstanceInfo]) -> None:
    _services, info = running
    password = info.database_url.split(":")[2].split("@")[0]
    with pytest.raises(asyncpg.InvalidPasswordError):
        await connect(info.database_url.replace(password, "wrong"))


async def test_nothing_listens_beyond_this_machine(running: tuple[LocalServices, InstanceInfo]) -> None:
    services, _info = running
    parents = [psutil.Process(pid) for pid in services.supervisor.pids().values()]
    listeners = [
        connection.laddr.ip
        for parent in parents
        for process in (parent, *parent.children(recursive=True))
        for connection in process.net_connections(kind="inet")
        if connection.status == psutil.CONN_LISTEN or not connection.raddr
    ]
    assert listeners == ["127.0.0.1"]


async def test_secrets_are_for_the_owner_only(running: tuple[LocalServices, InstanceInfo]) -> None:
    services, info = running
    folder = services.data_dir
    files = [folder / name for name in ("secrets.json", "lock", "run/instance.json", "valkey/valkey.conf")]
    assert {path.name: stat.S_IMODE(path.stat().st_mode) for path in files} == {
        path.name: 0o600 for path in files
    }
    assert all(path.stat().st_mode & 0o007 == 0 for path in folder.iterdir())
    commands = " ".join(
        part for pid in services.supervisor.pids().values() for part in psutil.Process(pid).cmdline()
    )
    secrets = json.loads((folder / "secrets.json").read_text())
    assert len(set(secrets.values())) == 5
    assert not any(secret in commands for secret in secrets.values())
    assert info.secret_key == secrets["secret_key"]


async def test_a_killed_server_comes_back_with_its_data(tmp_path: Path) -> None:
    restarts: asyncio.Queue[str] = asyncio.Queue()
    services = LocalServices(tmp_path, on_restart=restarts.put_nowait)
    async with (
        services as info,
        httpx.AsyncClient(base_url=info.vector_url.removeprefix("chroma+")) as chroma,
    ):
        open_connection = await connect(info.owner_database_url)
        await open_connection.execute("CREATE TABLE kept AS SELECT 42 AS number")
        async with Redis.from_url(info.redis_url) as redis:
            await redis.set("kept", 42)
        (await chroma.post(COLLECTIONS, json={"name": "kept"})).raise_for_status()
        await asyncio.sleep(1.1)  # Valkey promises all but the last second.

        before = services.supervisor.pids()
        for pid in before.values():
            os.kill(pid, signal.SIGKILL)
        assert {await awaited(restarts.get(), "a restart") for _ in before} == {
            "postgres",
            "valkey",
            "chroma",
        }

        assert not set(before.values()) & set(services.supervisor.pids().values())
        await check_all_answer(info)
        connection = await connect(info.owner_database_url)
        assert await connection.fetchval("SELECT number FROM kept") == 42
        await connection.close()
        async with Redis.from_url(info.redis_url) as redis:
            assert await redis.get("kept") == b"42"
        assert (await chroma.get(f"{COLLECTIONS}/kept")).status_code == 200


async def test_a_killed_parent_leaves_no_orphans_and_the_next_start_works(tmp_path: Path) -> None:
    with holder(tmp_path) as (process, report):
        pids = server_pids(report)
        info = read_instance(tmp_path)
        assert info is not None
        assert info.pid == process.pid
        connection = await connect(info.owner_database_url)
        await connection.execute("CREATE TABLE kept AS SELECT 42 AS number")
        process.kill()
        process.wait()
        assert read_instance(tmp_path) is None
        # At once: the next start must cope with servers that are still on their way out.
        async with LocalServices(tmp_path) as info:
            await wait_until_gone(pids, SOON)
            await check_all_answer(info)
            connection = await connect(info.owner_database_url)
            assert await connection.fetchval("SELECT number FROM kept") == 42
            await connection.close()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends children with their parent")
async def test_a_killed_parent_takes_its_servers_along_without_a_next_start(tmp_path: Path) -> None:
    with holder(tmp_path) as (process, report):
        pids = server_pids(report)
        process.kill()
        await wait_until_gone(pids, SOON)


async def test_a_leftover_of_another_instance_is_ended_by_its_pid_file(tmp_path: Path) -> None:
    async with LocalServices(tmp_path):
        pass
    leftover, stranger = sleeper(), sleeper()
    record = {"program": "/bin/sleep", "stop_signal": signal.SIGTERM}
    for process, delta in ((leftover, 0.0), (stranger, -500.0)):
        created = psutil.Process(process.pid).create_time() + delta
        path = tmp_path / "run" / f"{process.pid}.pid"
        path.write_text(json.dumps({**record, "pid": process.pid, "created": created}))
    async with LocalServices(tmp_path):
        assert leftover.wait(SOON) == -signal.SIGTERM
        assert stranger.poll() is None, "another program got the same process id and must be left alone"
    stranger.kill()
    stranger.wait()


def kill_while_initialising(data_dir: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(data_dir)],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        cwd=REPOSITORY,
    )
    while not list(data_dir.glob("postgres/init-*/data/PG_VERSION")):
        assert process.poll() is None
        time.sleep(0.005)
    process.kill()
    process.communicate()


async def test_a_first_start_killed_in_the_middle_does_no_harm(tmp_path: Path) -> None:
    kill_while_initialising(tmp_path)
    assert not (tmp_path / "postgres" / "data").exists()
    async with LocalServices(tmp_path) as info:
        await check_all_answer(info)
        assert {path.name for path in (tmp_path / "postgres").glob("*")} == {"data", "roles"}


async def test_lost_secrets_are_made_anew_and_the_roles_follow(tmp_path: Path) -> None:
    async with LocalServices(tmp_path) as before:
        pass
    (tmp_path / "secrets.json").unlink()
    async with LocalServices(tmp_path) as info:
        assert info.database_url != before.database_url
        await check_all_answer(info)


async def test_a_lock_file_with_the_id_of_another_program_does_not_stop_the_start(tmp_path: Path) -> None:
    async with LocalServices(tmp_path) as info:
        lock = (tmp_path / "postgres" / "data" / "postmaster.pid").read_text()
        socket = Path(info.database_url.split("host=")[1], ".s.PGSQL.5432")
    stranger = sleeper()
    for path in (tmp_path / "postgres" / "data" / "postmaster.pid", socket.with_name(f"{socket.name}.lock")):
        path.write_text("\n".join([str(stranger.pid), *lock.splitlines()[1:]]) + "\n")
    async with LocalServices(tmp_path) as info:
        await check_all_answer(info)
    stranger.kill()
    stranger.wait()


async def test_a_second_start_on_the_folder_is_refused_with_a_sentence(
    running: tuple[LocalServices, InstanceInfo],
) -> None:
    services, info = running
    with pytest.raises(Conflict) as refused:
        await LocalServices(services.data_dir).__aenter__()
    assert refused.value.code == "instance_running"
    assert f"process {os.getpid()}, started as “the tests”" in str(refused.value)
    await check_all_answer(info)
    assert read_instance(services.data_dir) == info


async def test_two_instances_run_side_by_side(
    tmp_path: Path, running: tuple[LocalServices, InstanceInfo]
) -> None:
    _services, first = running
    async with LocalServices(tmp_path) as second:
        await check_all_answer(first)
        await check_all_answer(second)
        assert first.vector_url != second.vector_url
    await check_all_answer(first)
    assert read_instance(tmp_path) is None


async def test_a_folder_with_spaces_and_a_very_long_name_works(tmp_path: Path) -> None:
    folder = tmp_path / ("Application Support %20 & " + "long " * 20)
    async with LocalServices(folder) as info:
        await check_all_answer(info)
        socket_dir = Path(info.redis_url.split("@")[1]).parent
        assert stat.S_IMODE(socket_dir.stat().st_mode) & 0o007 == 0
    async with LocalServices(tmp_path / "a b+c%20&") as info:
        await check_all_answer(info)


def python_for(user: int) -> str | None:
    """An interpreter of our version that this user may run; ours can be in a private folder of root."""
    same = f"import sys; sys.exit(sys.version_info[:2] != {sys.version_info[:2]})"
    for python in (sys.executable, "/usr/bin/python3", "/usr/local/bin/python3"):
        with contextlib.suppress(OSError):
            if subprocess.run([python, "-c", same], user=user, extra_groups=[], check=False).returncode == 0:
                return python
    return None


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
async def test_a_normal_user_can_run_it() -> None:
    nobody = 65534
    python = python_for(nobody)
    if python is None:
        pytest.skip("no Python of our version that another user may run")
    with TemporaryDirectory(prefix="lyceum-nobody-") as folder:
        os.chown(folder, nobody, nobody)
        with holder(Path(folder), nobody, python) as (_process, report):
            owners = {psutil.Process(pid).uids().effective for pid in server_pids(report)}
            assert owners == {nobody}
            info = read_instance(Path(folder))
            assert info is not None
            await check_all_answer(info)


async def test_the_supervisor_stays_small(tmp_path: Path) -> None:
    with holder(tmp_path) as (process, report):
        assert psutil.Process(process.pid).memory_info().rss < 40_000_000
        assert isinstance(report["modules"], list)
        assert not {"sqlalchemy", "chromadb", "langchain", "redis"} & set(report["modules"])


async def test_a_service_with_an_external_url_is_not_started(
    tmp_path: Path, running: tuple[LocalServices, InstanceInfo]
) -> None:
    _services, shared = running
    external = {
        "database_url": shared.database_url,
        "owner_database_url": shared.owner_database_url,
        "vector_url": shared.vector_url,
    }
    services = LocalServices(tmp_path, external=external)
    async with services as info:
        assert list(services.supervisor.pids()) == ["valkey"]
        assert info.database_url == shared.database_url
        await check_all_answer(info)


async def test_a_further_child_gets_its_settings_and_stops_first(tmp_path: Path) -> None:
    script = (
        "import os, signal, sys, time\n"
        "signal.signal(signal.SIGTERM, lambda *_: (print('asked to stop', flush=True), sys.exit(0)))\n"
        "print(os.environ['LYCEUM_FILES_URL'], flush=True)\n"
        "time.sleep(600)\n"
    )
    services = LocalServices(tmp_path)
    async with services as info:
        log = tmp_path / "logs" / "worker.log"

        async def ready(_pid: int) -> bool:
            return info.files_url in log.read_text()

        argv = [sys.executable, "-c", script]
        await services.supervisor.start(
            ChildSpec(name="worker", argv=argv, env=services.env(info), ready=ready)
        )
        served = services.announce_api(info, "http://127.0.0.1:1")
        assert read_instance(tmp_path) == served
    assert log.read_text().endswith("asked to stop\n")


async def test_a_child_that_keeps_dying_is_restarted_ever_more_slowly(tmp_path: Path) -> None:
    restarts: asyncio.Queue[float] = asyncio.Queue()
    supervisor = Supervisor(tmp_path, on_restart=lambda _name: restarts.put_nowait(time.monotonic()))
    await supervisor.start(ChildSpec(name="unstable", argv=["/bin/sh", "-c", "exit 3"]))
    first, second, third = [await awaited(restarts.get(), "a restart") for _ in range(3)]
    await supervisor.stop()
    assert second - first > 0.4
    assert third - second > 0.8
    assert third - first < SOON


async def test_a_child_that_never_gets_ready_is_an_error_that_names_its_log(tmp_path: Path) -> None:
    async def never(_pid: int) -> bool:
        return False

    supervisor = Supervisor(tmp_path)
    with pytest.raises(Unavailable, match=r"broken stopped while starting \(exit status 3\).*broken\.log"):
        await supervisor.start(
            ChildSpec(name="broken", argv=["/bin/sh", "-c", "exit 3"], ready=never, attempts=1)
        )
    slow = ChildSpec(name="slow", argv=["/bin/sleep", "600"], ready=never, ready_timeout=0.1, attempts=1)
    with pytest.raises(Unavailable, match="not ready"):
        await supervisor.start(slow)
    assert supervisor.pids() == {}
