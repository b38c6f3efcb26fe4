"""Passwords and tokens: Argon2id off the event loop, and the shapes of the secrets that are handed out."""

import asyncio
import hashlib
import hmac
import secrets
import string
from dataclasses import dataclass
from functools import cache
from typing import ClassVar, Self
from uuid import UUID

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from storage.errors import InvalidInput
from storage.settings import Settings

MIN_PASSWORD, MAX_PASSWORD = 8, 1024
KEY_MARK = "lyc_"
"""Begins every API key, so that people and secret scanners recognise one."""
KEY_PREFIX = len(KEY_MARK) + 6
"""Characters of a key that lists show."""
BASE62 = string.digits + string.ascii_letters
TOKEN_BYTES = 32
MAC_BYTES = 16

_hasher = PasswordHasher()
_process_secret = secrets.token_bytes(TOKEN_BYTES)


def server_secret(settings: Settings) -> bytes:
    """What refresh tokens are derived from. Without one in the settings, a process cannot tell another's replaced tokens
    from forgeries; they fail either way."""
    key = settings.secret_key
    return key.get_secret_value().encode() if key else _process_secret


def sha256(token: str) -> bytes:
    """What is stored in place of a token: 256 random bits need no slow hash."""
    return hashlib.sha256(token.encode()).digest()


def new_token() -> str:
    """256 random bits, URL-safe."""
    return secrets.token_urlsafe(TOKEN_BYTES)


def new_api_key() -> str:
    """`lyc_` and 32 random bytes in base62 (43 digits)."""
    number = int.from_bytes(secrets.token_bytes(TOKEN_BYTES))
    digits = []
    for _ in range(43):
        number, digit = divmod(number, 62)
        digits.append(BASE62[digit])
    return KEY_MARK + "".join(reversed(digits))


@cache
def dummy_hash() -> str:
    """A hash that no password fits: an unknown e-mail address then takes as long as a wrong password."""
    return _hasher.hash(secrets.token_hex(TOKEN_BYTES))


class Passwords:
    """Argon2id with the defaults of argon2-cffi (RFC 9106, low memory: 64 MiB each), so at most two at a time."""

    def __init__(self) -> None:
        self._two = asyncio.Semaphore(2)

    async def hash(self, password: str) -> str:
        """Raises InvalidInput for a password that is too short or too long."""
        if not MIN_PASSWORD <= len(password) <= MAX_PASSWORD:
            raise InvalidInput(
                f"A password needs at least {MIN_PASSWORD} characters (and at most {MAX_PASSWORD}).",
                code="weak_password",
            )
        async with self._two:
            return await asyncio.to_thread(_hasher.hash, password)

    async def verify(self, stored: str | None, password: str) -> bool:
        """Whether the password fits; takes the same time when there is nothing to compare with."""
        async with self._two:
            return await asyncio.to_thread(_fits, stored, password[: MAX_PASSWORD + 1]) and stored is not None

    def outdated(self, stored: str) -> bool:
        """Whether the hash was made with weaker parameters than today's."""
        return _hasher.check_needs_rehash(stored)


def _fits(stored: str | None, password: str) -> bool:
    try:
        return _hasher.verify(stored or dummy_hash(), password)
    except (VerificationError, InvalidHashError):
        return False


@dataclass(frozen=True)
class RefreshToken:
    """`user id | session id | nonce | MAC`, URL-safe. The MAC tells a token that was replaced long ago from a forgery,
    so that the reuse of any earlier token of a session is noticed although only hashes of the last two are kept."""

    MARK: ClassVar[str] = ""
    ACCESS_MARK: ClassVar[str] = ""
    PURPOSE: ClassVar[bytes] = b""

    user_id: UUID
    session_id: UUID
    nonce: bytes

    def text(self, secret: bytes) -> str:
        body = self.user_id.bytes + self.session_id.bytes + self.nonce
        return self.MARK + (body + self._mac(secret, b"refresh-mac", body)[:MAC_BYTES]).hex()

    @classmethod
    def parse(cls, text: str, secret: bytes) -> Self | None:
        """The parts of a token that this server gave, or None."""
        try:
            raw = bytes.fromhex(text.removeprefix(cls.MARK))
        except ValueError:
            return None
        body, mac = raw[:-MAC_BYTES], raw[-MAC_BYTES:]
        if len(raw) != 32 + TOKEN_BYTES + MAC_BYTES:
            return None
        if not hmac.compare_digest(mac, cls._mac(secret, b"refresh-mac", body)[:MAC_BYTES]):
            return None
        return cls(UUID(bytes=body[:16]), UUID(bytes=body[16:32]), body[32:])

    def successor(self, secret: bytes) -> tuple[Self, str]:
        """The next refresh token and its access token. The same token always has the same successor, which lets two
        tabs refresh at the same moment; without the server's secret it cannot be foretold."""
        following = self._mac(secret, b"refresh-next", self.nonce)
        access = self._mac(secret, b"access-next", self.nonce)
        return type(self)(self.user_id, self.session_id, following), self.ACCESS_MARK + access.hex()

    @classmethod
    def _mac(cls, secret: bytes, purpose: bytes, data: bytes) -> bytes:
        return hmac.digest(secret, cls.PURPOSE + purpose + b":" + data, "sha256")


class GrantToken(RefreshToken):
    """The same for a program that was let in by OAuth: `session_id` is that of its grant. The marks let people and secret
    scanners recognise its tokens, and the purpose keeps them apart from those of people."""

    MARK = "lyr_"
    ACCESS_MARK = "lyo_"
    PURPOSE = b"oauth-"
