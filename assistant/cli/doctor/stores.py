"""The stores themselves: do they answer, are they what Lyceum needs, is there room, are the settings safe, and do AI clients
find the API."""

import asyncio
import ipaddress
import os
import shutil
import time
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

from assistant.cli.doctor.report import Answer, Finding, Level, Patient, listed
from storage.local.instance import read_instance
from storage.redis.client import translated
from storage.repositories import inspection

OLDEST_POSTGRES = 150000
SKEW_WARNING, SKEW_ERROR = 5.0, 60.0
"""Seconds between two clocks. Leases last 15 s and access tokens 15 minutes."""
LITTLE_DISK, NO_DISK = 5 << 30, 1 << 30
"""Bytes free below which there is time to act, and below which uploads are about to fail."""
SHORTEST_SECRET = 32


async def database(patient: Patient) -> Answer:
    async with patient.storage.database.transaction(None, read_only=True) as session:
        about = await inspection.server(session)
        open_tables = await inspection.unforced(session) if about["has_schema"] else []
    findings = []
    if about["number"] < OLDEST_POSTGRES:
        findings.append(
            Finding(
                Level.ERROR,
                f"PostgreSQL {about['version']} is too old: 15 or newer is needed.",
                "Move the data to a newer server (pg_dump, pg_restore), then set LYCEUM_DATABASE_URL to it.",
            )
        )
    if about["bypasses"]:
        findings.append(
            Finding(
                Level.ERROR,
                f"Lyceum connects as {about['role']}, which row-level security does not hold back.",
                "Put the role lyceum_app into LYCEUM_DATABASE_URL; deploy/roles.sh makes it.",
            )
        )
    findings += listed(
        Level.ERROR,
        "tables with users' rows do not force row-level security.",
        "Run `lyceum migrate`; if that changes nothing, somebody altered the tables by hand: compare with docs/schema.md.",
        open_tables,
    )
    return f"PostgreSQL {about['version']} answers, as {about['role']}.", findings


async def redis(patient: Patient) -> Answer:
    async with translated():
        about = await patient.storage.redis.info()
    findings = []
    if about.get("rdb_last_bgsave_status") == "err" or about.get("aof_last_write_status") == "err":
        findings.append(
            Finding(
                Level.ERROR,
                "It cannot write its data to the disk, and may refuse all changes.",
                "Make room where it keeps its files; its log says which file.",
            )
        )
    most = about.get("maxmemory") or 0
    if most and about["used_memory"] > 0.9 * most:
        findings.append(
            Finding(
                Level.WARNING,
                f"{about['used_memory'] >> 20} of {most >> 20} MB are in use.",
                "Raise maxmemory. Nothing in it is the only copy.",
            )
        )
    name = "Valkey" if "valkey_version" in about else "Redis"
    return f"{name} {about.get('valkey_version') or about.get('redis_version')} answers.", findings


async def vectors(patient: Patient) -> Answer:
    await patient.storage.vectors.ping()
    return f"Chroma {await patient.storage.vectors.version()} answers.", []


async def files(patient: Patient) -> Answer:
    folder = patient.storage.files.folder
    if folder is not None:
        if not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
            wrong = f"The folder {folder} cannot be read and written."
            return "", [Finding(Level.ERROR, wrong, "Create it, or give it to the account that runs Lyceum.")]
        return f"The folder {folder} can be written.", []
    await patient.storage.pings()["files"]()
    return "The bucket answers.", []


async def schema(patient: Patient) -> Answer:
    async with patient.storage.database.transaction(None, read_only=True) as session:
        there = (await inspection.server(session))["has_schema"]
    found = await patient.storage.database.schema_revision() if there else None
    if found != patient.head:
        state = f"is at {found}" if found else "is missing"
        mend = "Run `lyceum migrate`" + (
            ", or start `lyceum serve`, which does so." if patient.is_laptop else "."
        )
        return "", [Finding(Level.ERROR, f"The schema {state}; this version needs {patient.head}.", mend)]
    return f"The schema is current ({found}).", []


async def partitions(patient: Patient) -> Answer:
    now = patient.storage.clock.now()
    following = (now.year + now.month // 12, now.month % 12 + 1)
    async with patient.storage.database.transaction(None, read_only=True) as session:
        found = await inspection.partitions(session)
    findings: list[Finding] = []
    for level, (year, month) in ((Level.ERROR, (now.year, now.month)), (Level.WARNING, following)):
        findings += listed(
            level,
            f"tables have no partition for {year}-{month:02d}.",
            "Keep a worker running, which makes them every day; look at the check `upkeep`.",
            [parent for parent, names in found.items() if f"{parent}_{year}_{month:02d}" not in names],
        )
    return f"{len(found)} partitioned tables have this month and the next.", findings


async def clocks(patient: Patient) -> Answer:
    """The database and Redis decide when tokens and limits end; this machine decides about leases."""
    started = time.monotonic()
    async with patient.storage.database.transaction(None, read_only=True) as session:
        theirs = (await inspection.server(session))["now"]
    ours = datetime.now(UTC)
    allowance = time.monotonic() - started
    skews = {"the database": max(0.0, abs((ours - theirs).total_seconds()) - allowance)}
    async with translated():
        seconds, micro = await patient.storage.redis.time()
    skews["Redis"] = abs(datetime.now(UTC).timestamp() - seconds - micro / 1e6)
    findings = [
        Finding(
            Level.ERROR if skew > SKEW_ERROR else Level.WARNING,
            f"This machine's clock and that of {whose} differ by {skew:.0f} s.",
            "Run a time service (NTP) on both machines.",
        )
        for whose, skew in skews.items()
        if skew > SKEW_WARNING
    ]
    return f"Clocks agree to {max(skews.values()):.1f} s.", findings


async def disk(patient: Patient) -> Answer:
    settings = patient.storage.settings
    folders = {settings.data_dir, patient.storage.files.folder or settings.data_dir}
    findings, told = [], []
    for folder in sorted(filter(Path.exists, folders)):
        free = shutil.disk_usage(folder).free
        told.append(f"{free >> 30} GB free at {folder}")
        if free < LITTLE_DISK:
            level = Level.ERROR if free < NO_DISK else Level.WARNING
            mend = "Make room, or move the data folder to a larger disk. Uploads fail when it is full."
            findings.append(Finding(level, f"Only {free >> 20} MB are free at {folder}.", mend))
    return "; ".join(told) + ".", findings


async def settings(patient: Patient) -> Answer:
    """What would be unsafe, or would break sign-in, on a server that others reach."""
    chosen, findings = patient.storage.settings, []
    secret = chosen.secret_key.get_secret_value() if chosen.secret_key else ""
    if len(secret) < SHORTEST_SECRET:
        findings.append(
            Finding(
                Level.ERROR,
                "LYCEUM_SECRET_KEY is unset or shorter than 32 characters.",
                "Set it to the output of `openssl rand -hex 32`.",
            )
        )
    public = urlsplit(chosen.base_url)
    if public.scheme == "http" and not is_local(public.hostname or ""):
        findings.append(
            Finding(
                Level.WARNING,
                f"{chosen.base_url} is reached without TLS, so passwords and keys can be read on the way.",
                "Put a proxy with a certificate in front, and set LYCEUM_PUBLIC_URL to its https:// address.",
            )
        )
    if chosen.registration == "open" and not is_local(public.hostname or ""):
        findings.append(
            Finding(
                Level.WARNING,
                "Everybody who reaches this server can make an account.",
                "Set LYCEUM_REGISTRATION to invite or closed, unless that is wanted.",
            )
        )
    redis_url = urlsplit(chosen.redis_url or "")
    if redis_url.scheme == "redis" and not redis_url.password and not is_local(redis_url.hostname or ""):
        findings.append(
            Finding(
                Level.WARNING,
                "Redis is reached over the network without a password.",
                "Set a password there, and in LYCEUM_REDIS_URL.",
            )
        )
    return "Nothing unsafe in the settings.", findings


async def ai_clients(patient: Patient) -> Answer:
    """Whether `lyceum mcp` finds the API that runs, where one says that it listens for it."""
    info = read_instance(patient.storage.settings.data_dir) if patient.is_laptop else None
    if info is None or info.mcp_socket is None:
        return "No API runs for `lyceum mcp` to connect to, so it serves itself.", []
    try:
        _, writer = await asyncio.open_unix_connection(info.mcp_socket)
    except OSError as error:
        finding = Finding(
            Level.WARNING,
            f"The API does not take `lyceum mcp` at {info.mcp_socket} ({error.strerror}), so each AI client waits for "
            "it, and then loads all of Lyceum for itself.",
            "If that stays so, stop `lyceum serve` and start it again; logs/api.log in the data folder may say why.",
        )
        return "", [finding]
    writer.close()
    return "The API takes `lyceum mcp`.", []


def is_local(host: str) -> bool:
    """Whether an address can only be reached from this machine."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")
