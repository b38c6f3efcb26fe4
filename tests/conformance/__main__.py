"""`make conformance`: the suite's three sets, one line each, then the Inspector. Ends with 1 unless all of it passes."""

import asyncio
import logging
import sys
import tempfile
from pathlib import Path

from assistant.cli.session import log_to_stderr
from tests.conformance import inspector, node
from tests.conformance.bridge import load
from tests.conformance.serving import app_on_a_port, stores
from tests.conformance.suite import SUITES, measure

FIXTURES = Path(__file__).parents[3] / "shared" / "tools" / "mcp_conformance_fixtures.py"


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


async def main() -> int:
    try:
        if not FIXTURES.is_file():
            raise node.Unavailable(f"its fixtures are not at {FIXTURES}")
        binary = node.install()
    except node.Unavailable as reason:
        say(f"Conformance was skipped: {reason}.")
        return 0
    log_to_stderr("ERROR")
    fixtures = load(FIXTURES)
    logging.getLogger("mcp").setLevel(logging.ERROR)  # refused states are what some scenarios are about
    with tempfile.TemporaryDirectory(prefix="lyceum-conformance-") as folder:
        async with stores() as (settings, token):
            async with app_on_a_port(settings, token) as url:
                looked = await inspect(binary, url, Path(folder))
            async with app_on_a_port(settings, token, fixtures) as url:
                outcomes = [await measure(suite, binary, url, Path(folder)) for suite in SUITES]
    for outcome in outcomes:
        if not outcome.is_complete:
            sys.stderr.write(
                f"{outcome.report[-4000:]}\nFailed in {outcome.suite.name}: {', '.join(outcome.failures)}\n"
            )
    for outcome in outcomes:
        say(outcome.line)
    return 0 if looked and all(outcome.is_complete for outcome in outcomes) else 1


async def inspect(binary: Path, url: str, folder: Path) -> bool:
    try:
        say(await inspector.Inspector(binary, url, folder).look())
    except inspector.Failed as failure:
        say(f"inspector: {failure}")
        return False
    return True


if __name__ == "__main__":
    raise SystemExit(asyncio.run(main()))
