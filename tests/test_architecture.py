"""The size of things: prints the worst ten and fails on a runaway. STYLE: files to about 400 lines, functions to about 60."""

import ast
from collections.abc import Iterator
from pathlib import Path

from tests.data import REPOSITORY

FOLDERS = ("assistant", "mcp_server", "tools", "storage", "migrations", "benchmarks")
LONGEST_FILE = 420
LONGEST_FUNCTION = 70


def modules() -> Iterator[Path]:
    for folder in FOLDERS:
        for path in (REPOSITORY / folder).rglob("*.py"):
            if "versions" not in path.parts:
                yield path


def functions() -> Iterator[tuple[int, str]]:
    for path in modules():
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                length = (node.end_lineno or node.lineno) - node.lineno + 1
                yield length, f"{path.relative_to(REPOSITORY)}:{node.name}"


def test_no_file_has_run_away() -> None:
    sizes = sorted(
        ((len(p.read_text().splitlines()), str(p.relative_to(REPOSITORY))) for p in modules()), reverse=True
    )
    assert sizes[0][0] <= LONGEST_FILE, sizes[:10]


def test_no_function_has_run_away() -> None:
    worst = sorted(functions(), reverse=True)[:10]
    assert worst[0][0] <= LONGEST_FUNCTION, worst


def test_there_is_no_drawer_for_odds_and_ends() -> None:
    assert not [p for p in modules() if p.stem in ("utils", "helpers", "common", "misc")]


def test_only_storage_commits() -> None:
    assert not [
        p
        for p in modules()
        if "storage" not in p.parts and "migrations" not in p.parts and ".commit(" in p.read_text()
    ]


def test_the_environment_is_read_in_one_place() -> None:
    """Settings read it; the supervisor hands it to its children; two children set what libraries of theirs look for."""
    allowed = {"settings.py", "services.py", "process.py", "postgres.py", "anki_child.py", "english.py"}
    readers = {p.name for p in modules() if "os.environ" in p.read_text() and "benchmarks" not in p.parts}
    assert readers <= allowed, readers


def test_every_module_says_what_it_is_for() -> None:
    silent = [
        p for p in modules() if p.read_text().strip() and not ast.get_docstring(ast.parse(p.read_text()))
    ]
    assert not silent
