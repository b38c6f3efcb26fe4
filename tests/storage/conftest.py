"""A database of its own with a small world in it, for the tests of tenancy."""

import asyncio
from collections.abc import AsyncGenerator
from typing import Any

import pytest

from migrations.runner import upgrade
from storage.local.instance import InstanceInfo
from tests.databases import as_superuser, connect, new_database
from tests.storage.stores import filed, files, own, redis, s3
from tests.storage.tenancy import Maker, World

__all__ = ["filed", "files", "own", "redis", "s3"]  # fixtures of the file store and of Redis


@pytest.fixture(scope="session")
async def superuser(instance: InstanceInfo) -> AsyncGenerator[Any]:
    """A connection that no policy stops, to a database named "tenancy"."""
    async with new_database(instance, "tenancy") as url:
        await asyncio.to_thread(upgrade, url)
        connection = await connect(as_superuser(instance, "tenancy"))
        yield connection
        await connection.close()


@pytest.fixture(scope="session")
async def world(superuser: Any) -> World:
    return await Maker(superuser).make()
