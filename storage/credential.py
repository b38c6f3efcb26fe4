"""What a token turned out to be."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Credential:
    """Whose a token is, which session, key or grant, and what it may do (`*` = everything)."""

    user_id: UUID
    session_id: UUID | None
    key_id: UUID | None
    scopes: frozenset[str]
    rate_limit: int | None = None
    """Requests a minute of an API key with a limit of its own."""
    expires_at: datetime | None = None
    grant_id: UUID | None = None
    """The consent that a program's token comes from, which program, and the one server that the token is for."""
    client_id: UUID | None = None
    resource: str | None = None
