"""Serves MCP on stdio for the tests: storage from the environment, the caller as JSON in the first argument."""

import asyncio
import json
import sys
from uuid import UUID

from mcp_server.selection import operators
from mcp_server.stdio import serve_stdio
from storage.resources import open_storage
from storage.settings import Settings
from tests.mcp_server.catalog import TRIALS
from tools.context import Principal
from tools.executor import Executor


async def main() -> None:
    caller = json.loads(sys.argv[1])
    settings = Settings()
    storage = open_storage(settings)
    try:
        await serve_stdio(
            Executor(TRIALS, storage),
            Principal(UUID(caller["user_id"]), frozenset(caller["scopes"])),
            operators(settings, TRIALS),
        )
    finally:
        await storage.close()


if __name__ == "__main__":
    asyncio.run(main())
