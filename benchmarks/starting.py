"""How long a first start, a later start and a stop take."""

from statistics import median

from benchmarks.report import Aim, Section
from benchmarks.server import Server

WARM_STARTS = 3


async def measure_starts(server: Server) -> Section:
    """A cold start on an empty folder, then warm ones. The server runs at the end."""
    section = Section("start", "Start", ["s"], aims=[Aim("warm, median", "s", 5)])
    section.rows["cold (empty data folder)"] = [await server.start()]
    warm, stops = [], []
    for _ in range(WARM_STARTS):
        stops.append(await server.stop())
        warm.append(await server.start())
    section.rows["warm, median"] = [median(warm)]
    section.rows["stop, median"] = [median(stops)]
    section.notes.append("warm starts: " + ", ".join(f"{seconds:.2f}" for seconds in warm))
    section.notes.append(
        "from the start of the process until it says that it is ready and /readyz answers 200"
    )
    return section
