"""Hands the pipes of an AI client over to the API that runs on the data folder, so that `lyceum mcp` need not load the
platform; what is no pipe (a terminal, a file) it copies. Imports little: this is what a client waits for, and keeps in
memory as long as it runs.
"""

import json
import os
import select
import signal
import socket
import stat
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import typer

from storage.errors import InvalidInput
from storage.local.instance import SERVE, read_instance, running_command

STARTING_SECONDS = 5.0
"""How long to wait for an API that starts, or starts again. Serving here takes four, and clients give up after ten."""
LOOK_SECONDS = 0.05
HELLO_SECONDS = 10.0
CHUNK = 1 << 16
STDIN, STDOUT = 0, 1
COMING = (FileNotFoundError, ConnectionRefusedError)
"""What connecting says while the API is not there: a later look may find it."""


@dataclass
class Attached:
    """A connection to an API that has agreed to serve this client."""

    channel: socket.socket
    has_pipes: bool
    """Whether the API reads and writes the client's pipes itself; else MCP goes over the channel."""


def attached(data_dir: Path, selection: Mapping[str, object]) -> Attached | None:
    """A connection with which MCP can begin; None when this process must serve itself: nobody else does, or not in time.

    Raises InvalidInput with the sentence of the API when it does not take the selection.
    """
    channel = connected(data_dir)
    if channel is None:
        return None
    try:
        hello = json.dumps(selection, ensure_ascii=False).encode() + b"\n"
        pipes = [STDIN, STDOUT] if are_pipes() else []
        sent = socket.send_fds(channel, [hello], pipes)
        channel.sendall(hello[sent:])
        said = answer(channel)
        channel.settimeout(None)
    except (OSError, ValueError):  # it hangs, or ends right now
        channel.close()
        return None
    if "error" in said:
        raise InvalidInput(str(said["error"]), code=str(said.get("code")))
    return Attached(channel, has_pipes=said.get("pipes") is True)


def are_pipes() -> bool:
    """Whether the API can take both over."""
    try:
        source, sink = os.fstat(STDIN), os.fstat(STDOUT)
    except OSError:
        return False
    # One socket for both ways would do, but who waits for the end of a sink takes what comes in on it for the end.
    return is_pipe(STDIN) and is_pipe(STDOUT) and not os.path.samestat(source, sink)


def is_pipe(descriptor: int) -> bool:
    """A terminal is none: other programs use it too, and would find it changed."""
    try:
        mode = os.fstat(descriptor).st_mode
        if stat.S_ISSOCK(mode):  # Node.js gives its children a pair of sockets
            with socket.socket(fileno=os.dup(descriptor)) as other:
                return other.family == socket.AF_UNIX
    except OSError:
        return False
    return stat.S_ISFIFO(mode)


def connected(data_dir: Path) -> socket.socket | None:
    """Where the instance on this folder listens. Waits a little while it is starting."""
    deadline = time.monotonic() + STARTING_SECONDS
    while running_command(data_dir) == SERVE:
        info = read_instance(data_dir)
        if info is not None and info.mcp_socket is not None:
            channel = socket.socket(socket.AF_UNIX)
            channel.settimeout(HELLO_SECONDS)
            try:
                channel.connect(info.mcp_socket)
            except OSError as error:
                channel.close()
                if not isinstance(error, COMING):
                    return None
            else:
                return channel
        elif info is not None and info.api_url is not None:
            return None  # an older version, which has no such socket
        if time.monotonic() > deadline:
            return None
        time.sleep(LOOK_SECONDS)
    return None


def answer(channel: socket.socket) -> dict[str, object]:
    """The API's first line; nothing follows it before the client speaks. Raises ValueError when it is none."""
    line = b""
    while not line.endswith(b"\n"):
        part = channel.recv(CHUNK)
        if not part:
            raise ValueError("The API ended the connection.")
        line += part
    said: dict[str, object] = json.loads(line)
    return said


def serve(attached: Attached) -> int:
    """Until one side ends; gives the exit code. Signals end the process as if it were not Python."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    return wait(attached.channel) if attached.has_pipes else copy(attached.channel)


def wait(channel: socket.socket) -> int:
    """While the API serves the pipes."""
    watched = select.poll()
    watched.register(channel, select.POLLIN)
    watched.register(STDOUT, 0)  # tells that nobody reads there, also while there is nothing to write
    if STDOUT in dict(watched.poll()):
        return 0
    return 0 if received(channel) else lost()


def lost() -> int:
    typer.secho(
        "Lyceum has stopped or is starting again, so this connection is over. Connect once more.",
        fg=typer.colors.RED,
        err=True,
    )
    return 1


def copy(channel: socket.socket) -> int:
    """Both ways."""
    up = Upward(channel)
    up.start()
    try:
        while part := received(channel):
            write(STDOUT, part)
    except OSError:
        return 0  # the client has closed standard output, so it is gone
    return 0 if up.has_ended else lost()


class Upward(threading.Thread):
    """From standard input to the API."""

    def __init__(self, channel: socket.socket) -> None:
        super().__init__(daemon=True)
        self._channel = channel
        self.has_ended = False
        """Whether the client has, by closing either pipe."""

    def run(self) -> None:
        try:
            while part := self._read():
                self._channel.sendall(part)
        except OSError:
            return  # the API is gone, which the other direction notices too

    def _read(self) -> bytes:
        """What has come in. At the end, nothing; the API then ends the connection when it has said the rest."""
        watched = select.poll()
        watched.register(STDIN, select.POLLIN)
        watched.register(STDOUT, 0)  # tells that nobody reads there, also while there is nothing to write
        while True:
            for descriptor, _ in watched.poll():
                if descriptor == STDOUT:
                    return self._ended(socket.SHUT_RDWR)
                try:
                    return os.read(STDIN, CHUNK) or self._ended(socket.SHUT_WR)
                except BlockingIOError:
                    continue
                except OSError:  # a terminal that is gone, or nothing there from the start
                    return self._ended(socket.SHUT_WR)

    def _ended(self, how: int) -> bytes:
        self.has_ended = True
        self._channel.shutdown(how)
        return b""


def received(channel: socket.socket) -> bytes:
    try:
        return channel.recv(CHUNK)
    except ConnectionError:
        return b""


def write(descriptor: int, part: bytes) -> None:
    """All of it, also where a client has given a pipe that does not block. Raises OSError when nobody reads."""
    rest = memoryview(part)
    while rest:
        try:
            rest = rest[os.write(descriptor, rest) :]
        except BlockingIOError:
            select.select([], [descriptor], [])
