"""What the processes of an instance hold in memory, by role."""

import json
from collections.abc import Iterable
from pathlib import Path

import psutil

from benchmarks.report import Aim, Section

ROLES = ("supervisor", "postgres", "valkey", "chroma", "worker", "api")
MEGABYTE = 1e6


def measure_memory(key: str, title: str, supervisor_pid: int, data_dir: Path) -> Section:
    """PSS and RSS in megabytes (10^6 bytes). PSS shares out pages that several processes map, so that it adds up."""
    section = Section(key, title, ["PSS MB", "RSS MB", "processes"], aims=[Aim("all", "PSS MB", 700)])
    groups = roles(supervisor_pid, data_dir)
    for role, processes in groups.items():
        sizes = [sizes_of(process) for process in processes]
        section.rows[role] = [sum(pss for pss, _ in sizes), sum(rss for _, rss in sizes), len(sizes)]
    columns = list(zip(*section.rows.values(), strict=True))
    section.rows["all"] = [sum(column) for column in columns]
    return section


def roles(supervisor_pid: int, data_dir: Path) -> dict[str, list[psutil.Process]]:
    """The processes of each role; the pid files of the instance name its children."""
    supervisor = psutil.Process(supervisor_pid)
    everyone = {process.pid: process for process in (supervisor, *supervisor.children(recursive=True))}
    groups: dict[str, list[psutil.Process]] = {role: [] for role in ROLES}
    for path in sorted((data_dir / "run").glob("*.pid")):
        child = everyone.get(json.loads(path.read_text())["pid"])
        if child is not None:
            groups[path.stem] = [child, *child.children(recursive=True)]
    named = {process.pid for group in groups.values() for process in group}
    groups["supervisor"] = [process for pid, process in everyone.items() if pid not in named]
    return {role: group for role, group in ordered(groups) if group}


def ordered(groups: dict[str, list[psutil.Process]]) -> Iterable[tuple[str, list[psutil.Process]]]:
    return sorted(groups.items(), key=lambda item: ROLES.index(item[0]) if item[0] in ROLES else len(ROLES))


def sizes_of(process: psutil.Process) -> tuple[float, float]:
    """PSS and RSS; where the system does not tell PSS (outside Linux), the unshared part stands in for it."""
    info = process.memory_full_info()
    return getattr(info, "pss", info.uss) / MEGABYTE, info.rss / MEGABYTE
