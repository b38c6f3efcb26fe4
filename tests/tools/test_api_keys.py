"""A key can do no more than whoever makes it, and nothing outlives a connected app that is sent away."""

from dataclasses import replace

import pytest

from storage.errors import Forbidden
from storage.resources import Storage
from tests.work import call
from tools.accounts import Accounts
from tools.context import Principal
from tools.executor import Executor


async def test_a_key_has_the_limit_that_it_was_made_with(
    storage: Storage, executor: Executor, student: Principal
) -> None:
    made = await call(executor, student, "create_api_key", name="slow", scopes=["*:read"], rate_limit=60)
    assert made["rate_limit"] == 60
    assert (await Accounts(storage).principal(made["key"], "http")).rate_limit == 60
    (listed,) = (await call(executor, student, "list_api_keys"))["items"]
    assert listed["rate_limit"] == 60
    assert "key" not in listed


async def test_a_slow_key_makes_no_faster_one(executor: Executor, student: Principal) -> None:
    slow = replace(student, rate_limit=60)
    for limit in ({}, {"rate_limit": 61}):
        with pytest.raises(Forbidden) as refused:
            await call(executor, slow, "create_api_key", name="fast", **limit)
        assert refused.value.code == "rate_limit_too_high"
    assert (await call(executor, slow, "create_api_key", name="same", rate_limit=60))["rate_limit"] == 60


async def test_a_connected_app_makes_no_key(storage: Storage, executor: Executor, student: Principal) -> None:
    connected = replace(student, client_id=storage.clock.new_id(), surface="mcp")
    with pytest.raises(Forbidden) as refused:
        await call(executor, connected, "create_api_key", name="for later")
    assert refused.value.code == "not_by_clients"
    assert (await call(executor, student, "list_api_keys"))["items"] == []
