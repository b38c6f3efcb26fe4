"""Client-id metadata documents: a program whose client id is an https address describes itself there.

draft-ietf-oauth-client-id-metadata-document. Fetched through the guarded fetcher, no redirects, small, and kept for as
long as its server says, within bounds.
"""

import re
from datetime import timedelta
from urllib.parse import urlsplit

from storage.errors import LyceumError
from storage.models import OAuthClient
from storage.resources import Storage
from tools.oauth.errors import OAuthError
from tools.oauth.registration import MOST_BYTES, as_row, read_document
from tools.web.fetch import Ask, Fetcher

SHORTEST, USUAL, LONGEST = timedelta(minutes=5), timedelta(hours=1), timedelta(days=1)
"""How long a document is kept: at least, when its server says nothing, and at most."""
MOST_CHARACTERS = 1000
DOTS = re.compile(r"(^|/)\.{1,2}(/|$)")


def is_document(client_id: str) -> bool:
    return client_id.startswith("https://")


def check_address(client_id: str) -> None:
    """Section 3 of the draft: https, a path, no dot segments, no fragment, no user name. Raises OAuthError."""
    try:
        parts = urlsplit(client_id)
        fine = bool(parts.hostname) and parts.port is not False
    except ValueError:
        raise _unreadable("its address is not a valid one") from None
    if len(client_id) > MOST_CHARACTERS or not fine or parts.path in ("", "/") or DOTS.search(parts.path):
        raise _unreadable("its address is not a valid one")
    if parts.fragment or parts.username is not None or parts.password is not None:
        raise _unreadable("its address is not a valid one")


async def fetch_client(fetcher: Fetcher, storage: Storage, client_id: str) -> OAuthClient:
    """The program at this address, as a row that is not stored yet. Raises OAuthError invalid_client."""
    check_address(client_id)
    ask = Ask(follow=False, headers={"Accept": "application/json"})
    try:
        answer = await fetcher.get(client_id, limit=MOST_BYTES, ask=ask)
    except LyceumError as error:
        raise _unreadable(f"nothing usable is at its address ({error.code})") from error
    if answer.media_type != "application/json" and not answer.media_type.endswith("+json"):
        raise _unreadable("what is at its address is not JSON")
    said = read_document(answer.body, client_id)
    row = as_row(said, storage, client_id=client_id, registration="metadata_document", secret_hash=None)
    row.document_expires_at = storage.clock.now() + _life(answer.max_age)
    return row


def _life(max_age: int | None) -> timedelta:
    if max_age is None:
        return USUAL
    return min(max(SHORTEST, timedelta(seconds=min(max_age, 10**8))), LONGEST)


def _unreadable(why: str) -> OAuthError:
    return OAuthError("invalid_client", f"This program could not be identified: {why}.")
