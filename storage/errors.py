"""The one error tree. Every error says what kind it is; each edge maps kinds to its own codes.

    LyceumError
    ├── InvalidInput    the caller sent something that cannot be used
    ├── Unauthorized    nobody is signed in
    ├── Forbidden       the caller is known and may not
    ├── NotFound        no such item, or not the caller's
    ├── Conflict        the item is in a state that does not allow this
    ├── TooLarge        over a limit
    ├── RateLimited     too many requests; try again later
    └── Unavailable     a service behind us does not answer

`str(error)` is one sentence that is safe to show to a person or a model.
"""

from enum import StrEnum
from typing import ClassVar


class Kind(StrEnum):
    INVALID = "invalid"
    UNAUTHORIZED = "unauthorized"
    FORBIDDEN = "forbidden"
    NOT_FOUND = "not_found"
    CONFLICT = "conflict"
    TOO_LARGE = "too_large"
    RATE_LIMITED = "rate_limited"
    UNAVAILABLE = "unavailable"


class LyceumError(Exception):
    """Base of all expected errors. `code` is stable and part of the public API; it defaults to the kind."""

    kind: ClassVar[Kind]

    def __init__(
        self, message: str, *, code: str | None = None, details: dict[str, object] | None = None
    ) -> None:
        super().__init__(message)
        self.code = code or self.kind.value
        self.details = details or {}


class InvalidInput(LyceumError):
    kind = Kind.INVALID


class Unauthorized(LyceumError):
    kind = Kind.UNAUTHORIZED


class Forbidden(LyceumError):
    kind = Kind.FORBIDDEN


class NotFound(LyceumError):
    kind = Kind.NOT_FOUND


class Conflict(LyceumError):
    kind = Kind.CONFLICT


class TooLarge(LyceumError):
    kind = Kind.TOO_LARGE


class RateLimited(LyceumError):
    kind = Kind.RATE_LIMITED


class Unavailable(LyceumError):
    kind = Kind.UNAVAILABLE
