"""The number of a note in Anki: its own where it came from there, else one made of our id, from which the id can be read again."""

import base64
import binascii
from uuid import UUID

PREFIX = "ly"
_LENGTH = len(PREFIX) + 22


def guid_of(anki_guid: str | None, note_id: UUID) -> str:
    """`note_id` is the group of its cards, or the id of the only one."""
    return anki_guid or PREFIX + base64.urlsafe_b64encode(note_id.bytes).rstrip(b"=").decode()


def note_id_of(guid: str) -> UUID | None:
    """Our id, when the note went out from us."""
    if len(guid) != _LENGTH or not guid.startswith(PREFIX):
        return None
    try:
        return UUID(bytes=base64.b64decode(f"{guid[len(PREFIX) :]}==", altchars=b"-_", validate=True))
    except (binascii.Error, ValueError):
        return None
