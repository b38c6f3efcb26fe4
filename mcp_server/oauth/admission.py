"""What is known of one request to /mcp from before its token is checked until it is answered."""

from contextvars import ContextVar
from dataclasses import dataclass

from tools.context import Principal


@dataclass
class Admission:
    """`wanted`: the permission that the called tool needs, when a program calls one. `principal`: set by the check."""

    wanted: str | None = None
    principal: Principal | None = None

    @property
    def is_beyond(self) -> bool:
        """Whether a program calls a tool that it was not allowed; it can ask the person for more (RFC 6750, 3.1)."""
        caller = self.principal
        if caller is None or caller.grant_id is None or self.wanted is None:
            return False
        return not caller.allows(self.wanted)


ADMISSION: ContextVar[Admission] = ContextVar("admission")
