"""How often people and programs may call: in any minute, per user, per API key, and per user and endpoint."""

import structlog

from storage.errors import Unavailable
from storage.redis.limits import Limit, a_minute
from storage.resources import Storage
from storage.settings import Settings
from tools.context import Principal

log = structlog.get_logger()

UNLIMITED_SURFACES = frozenset({"cli", "worker"})
"""What runs on this machine for its owner."""
SENTENCE = "There were too many requests in the last minute. Wait a moment, then try again."


async def admit_caller(storage: Storage, principal: Principal) -> None:
    """Count a request of this user, and of the API key or program that made it. Raises RateLimited with `retry_after` in seconds."""
    await _admit(storage, principal, caller_limits(storage.settings, principal))


async def admit_call(storage: Storage, principal: Principal, endpoint: str) -> None:
    """Count a call of one endpoint (a tool, a route) by this user. Raises RateLimited with `retry_after` in seconds."""
    count = storage.settings.rate_limit_per_endpoint
    await _admit(storage, principal, [a_minute(principal.user_id, count, endpoint)] if count else [])


def caller_limits(settings: Settings, principal: Principal) -> list[Limit]:
    """The limits on everything that a caller does; a key's own limit goes before the general one for keys.
    A program that was let in by OAuth counts as a key, each time that it was let in as one."""
    limits = []
    if settings.rate_limit_per_user:
        limits.append(a_minute(principal.user_id, settings.rate_limit_per_user))
    of_key = principal.rate_limit or settings.rate_limit_per_key
    program = principal.key_id or principal.grant_id
    if program is not None and of_key:
        limits.append(a_minute(program, of_key))
    return limits


async def _admit(storage: Storage, principal: Principal, limits: list[Limit]) -> None:
    if not limits or principal.surface in UNLIMITED_SURFACES:
        return
    try:
        await storage.brake.check(SENTENCE, *limits)
    except Unavailable:
        # Answering uncounted for a while is better than not answering.
        log.warning("request_not_counted", user_id=str(principal.user_id))
