"""The file that tells where a running instance is: read across versions of Lyceum, and only while somebody holds the folder."""

import fcntl
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from storage.local.instance import FILE, LOCK, SERVE, InstanceInfo, as_json, read_instance, running_command

INFO = InstanceInfo(
    pid=1,
    data_dir=Path("/somewhere"),
    database_url="postgresql+asyncpg://a",
    owner_database_url="postgresql+asyncpg://o",
    redis_url="unix:///r",
    vector_url="chroma+http://v",
    files_url="file:///f",
    secret_key="s",
)


@contextmanager
def held(folder: Path, record: str = json.dumps({"pid": 1, "command": SERVE})) -> Iterator[None]:
    (folder / FILE).parent.mkdir(exist_ok=True)
    with (folder / LOCK).open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        lock.write(record)
        lock.flush()
        yield


def test_what_is_written_is_read_while_the_folder_is_held(tmp_path: Path) -> None:
    assert running_command(tmp_path) is None
    with held(tmp_path):
        assert read_instance(tmp_path) is None, "not ready yet"
        (tmp_path / FILE).write_text(as_json(INFO))
        assert read_instance(tmp_path) == INFO
        assert running_command(tmp_path) == SERVE
    assert read_instance(tmp_path) is None
    assert running_command(tmp_path) is None


def test_the_file_of_an_older_and_of_a_newer_version_is_read(tmp_path: Path) -> None:
    fields = json.loads(as_json(INFO))
    del fields["mcp_socket"]
    with held(tmp_path):
        (tmp_path / FILE).write_text(json.dumps({**fields, "of_tomorrow": [1]}))
        assert read_instance(tmp_path) == INFO


def test_a_holder_that_has_not_said_yet_who_it_is_is_nobody_known(tmp_path: Path) -> None:
    with held(tmp_path, ""):
        assert running_command(tmp_path) == ""
