"""Who a token speaks for is remembered for a minute, and forgotten before it ends."""

from datetime import timedelta

import pytest

from storage import keys
from storage.errors import Unauthorized
from storage.redis.sessions import ENDED
from storage.resources import Storage
from tests.mcp_server.conftest import make_key
from tests.storage.stores import Redis
from tools.accounts import Accounts, Device
from tools.context import Principal
from tools.passwords import sha256

HERE = Device("test", "127.0.0.1")


def name_of(token: str) -> str:
    return keys.CALLER(token_sha256=sha256(token).hex())


async def refused(accounts: Accounts, token: str) -> bool:
    try:
        await accounts.principal(token, "test")
    except Unauthorized:
        return True
    return False


async def test_a_remembered_token_costs_postgres_nothing(storage: Storage, student: Principal) -> None:
    accounts, token = Accounts(storage), await make_key(storage, student, "materials:read")
    first = await accounts.principal(token, "test")
    assert 0 < await storage.redis.ttl(name_of(token)) <= 60
    await storage.database.close()
    before = storage.database.engine.pool.checkedin()  # type: ignore[attr-defined]
    assert await accounts.principal(token, "test") == first
    assert storage.database.engine.pool.checkedin() == before == 0  # type: ignore[attr-defined]
    assert first.scopes == {"materials:read"}


async def test_a_revoked_key_ends_at_once_for_every_process(storage: Storage, student: Principal) -> None:
    here, elsewhere = Accounts(storage), Accounts(storage)
    token = await make_key(storage, student)
    assert not await refused(here, token)
    async with storage.as_user(student.user_id) as db:
        await db.accounts.revoke_key("test")
    assert await refused(elsewhere, token)


async def test_a_device_that_is_signed_out_ends_at_once(storage: Storage, student: Principal) -> None:
    accounts = Accounts(storage)
    one, two = [await accounts.start_session(student.user_id, HERE) for _ in range(2)]
    for signed_in in (one, two):
        assert not await refused(accounts, signed_in.access_token)
    async with storage.as_user(student.user_id) as db:
        await db.accounts.revoke_session(one.session_id)
    await accounts.end_session_of(two.refresh_token)
    assert await refused(accounts, one.access_token)
    assert await refused(accounts, two.access_token)


async def test_a_replaced_access_token_ends_and_a_reused_refresh_token_ends_the_new_one(
    storage: Storage, student: Principal
) -> None:
    accounts = Accounts(storage)
    old = await accounts.start_session(student.user_id, HERE)
    assert not await refused(accounts, old.access_token)
    new = await accounts.refresh(old.refresh_token)
    assert await refused(accounts, old.access_token)
    newer = await accounts.refresh(new.refresh_token)
    assert not await refused(accounts, newer.access_token)
    with pytest.raises(Unauthorized):
        await accounts.refresh(old.refresh_token)
    assert await refused(accounts, newer.access_token)


async def test_an_answer_that_was_read_before_the_end_is_not_remembered_after_it(
    storage: Storage, student: Principal
) -> None:
    token = await make_key(storage, student)
    async with storage.sign_in() as sign_in:
        read_before = await sign_in.by_key_hash(sha256(token))
    assert read_before is not None
    async with storage.as_user(student.user_id) as db:
        await db.accounts.revoke_key("test")
    await storage.callers.keep(sha256(token), read_before, storage.clock.now())
    assert await storage.redis.get(name_of(token)) == ENDED
    assert await refused(Accounts(storage), token)


async def test_an_end_that_was_rolled_back_is_none(storage: Storage, student: Principal) -> None:
    accounts, token = Accounts(storage), await make_key(storage, student)
    assert not await refused(accounts, token)

    async def revoke_and_fail() -> None:
        async with storage.as_user(student.user_id) as db:
            await db.accounts.revoke_key("test")
            raise ValueError("rolled back")

    with pytest.raises(ValueError, match="rolled back"):
        await revoke_and_fail()
    assert not await refused(accounts, token)


async def test_a_token_is_never_remembered_beyond_its_end(storage: Storage, student: Principal) -> None:
    accounts = Accounts(storage)
    ends = storage.clock.now() + timedelta(seconds=40)
    over = storage.clock.now() - timedelta(seconds=1)
    _, token = await accounts.create_key(student.user_id, "short", expires_at=ends)
    assert not await refused(accounts, token)
    assert 0 < await storage.redis.pttl(name_of(token)) <= 40_000, "a minute for others"
    await storage.redis.delete(name_of(token))
    async with storage.as_user(student.user_id) as db:
        next(key for key in await db.accounts.keys() if token.startswith(key.prefix)).expires_at = over
    assert await refused(accounts, token)


async def test_sessions_survive_an_emptied_redis(own: Storage, student: Principal) -> None:
    accounts = Accounts(own)
    signed_in = await accounts.start_session(student.user_id, HERE)
    assert not await refused(accounts, signed_in.access_token)
    await own.redis.flushall()
    assert not await refused(accounts, signed_in.access_token)
    assert not await refused(accounts, (await accounts.refresh(signed_in.refresh_token)).access_token)


async def test_a_key_can_be_revoked_without_redis(own: Storage, redis: Redis, student: Principal) -> None:
    accounts, token = Accounts(own), await make_key(own, student)
    assert not await refused(accounts, token)
    await redis.stop()
    async with own.as_user(student.user_id) as db:
        await db.accounts.revoke_key("test")
    assert await refused(accounts, token)


async def test_no_token_is_readable_in_redis(own: Storage, student: Principal) -> None:
    accounts, token = Accounts(own), await make_key(own, student)
    await accounts.principal(token, "test")
    signed_in = await accounts.start_session(student.user_id, HERE)
    await accounts.principal(signed_in.access_token, "test")
    held = ""
    async for name in own.redis.scan_iter(match="lyceum:session:*"):
        held += f"{name} {await own.redis.get(name)}"
    assert "lyceum:session:" in held
    for secret in (token, signed_in.access_token, signed_in.refresh_token):
        assert secret not in held
