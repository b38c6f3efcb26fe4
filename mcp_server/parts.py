"""An answer too large for one result, read in parts: the reading tool is called again with the same arguments.

Nothing is stored, so every process can serve every part; the address holds the call. It opens nothing that the caller
could not ask for: scope, limits and policies are those of the call itself.
"""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from typing import Any

from storage.errors import InvalidInput, NotFound

ANSWERS = "lyceum://answers"
PART = 60_000
"""Characters of a part, at least: it ends at the end of a line."""


def address_of_answer(tool: str, arguments: Mapping[str, Any], part: int = 1) -> str:
    """Where a reading call's whole answer can be read; `part` counts from 1."""
    call = json.dumps(arguments, separators=(",", ":"), sort_keys=True, default=str).encode()
    packed = urlsafe_b64encode(call).decode().rstrip("=")
    return f"{ANSWERS}/{tool}/{packed}/{part}"


def arguments_of_answer(packed: str) -> dict[str, Any]:
    """Raises InvalidInput for what `address_of_answer` did not make."""
    try:
        found = json.loads(urlsafe_b64decode(packed + "=" * (-len(packed) % 4)))
    except (ValueError, UnicodeError) as error:
        raise InvalidInput("This address is not one that a result gave.", code="invalid_address") from error
    if not isinstance(found, dict):
        raise InvalidInput("This address is not one that a result gave.", code="invalid_address")
    return found


def part_of(text: str, number: int) -> tuple[str, bool]:
    """Part `number` (from 1) of an answer's text, cut between lines, and whether more follow. Raises NotFound."""
    start = 0
    for left in range(number - 1, -1, -1):
        if start >= len(text):
            break
        end = start + PART
        if end < len(text):
            line = text.find("\n", end)
            end = line + 1 if 0 <= line < end + PART else end
        if left == 0:
            return text[start:end], end < len(text)
        start = end
    raise NotFound("The answer has fewer parts by now. Begin with part 1.", code="no_such_part")
