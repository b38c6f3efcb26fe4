"""Every key in Redis: its name, what holds it, its role, and how long it lives. docs/redis.md is checked against this.

Nothing here is the truth about anything: the rows in PostgreSQL are, and an emptied Redis only makes Lyceum slower
for a moment. A key that belongs to a person has an id of theirs in its name, so that it can be found and erased.
"""

from dataclasses import dataclass
from enum import StrEnum
from string import Formatter

PREFIX = "lyceum:"

MINUTE, HOUR, DAY = 60, 3600, 24 * 3600


class Role(StrEnum):
    QUEUE = "queue"
    RESULT = "result"
    CACHE = "cache"
    SESSION = "session"
    LIMIT = "limit"
    MESSAGES = "messages"


class Kind(StrEnum):
    """What lies under a key; a channel is no key, but has a name all the same."""

    STREAM = "stream"
    STRING = "string"
    SORTED_SET = "zset"
    CHANNEL = "channel"


@dataclass(frozen=True, slots=True)
class Key:
    """A pattern of names. `seconds` is the longest that a key lives after it was last written; None: as `meaning` says."""

    pattern: str
    kind: Kind
    role: Role
    seconds: int | None
    meaning: str

    def __call__(self, **parts: object) -> str:
        """The name with its parts filled in. Raises KeyError for a missing part."""
        return self.pattern.format(**{name: str(value) for name, value in parts.items()})

    @property
    def glob(self) -> str:
        """The pattern for SCAN and for whoever looks with a command line."""
        return "".join(
            text + ("" if name is None else "*") for text, name, _, _ in Formatter().parse(self.pattern)
        )


JOBS = Key(
    "lyceum:jobs", Kind.STREAM, Role.QUEUE, None,
    "Announcements of jobs, (job, user) each. Removed when a worker reads them; at most 10,000 wait.",
)  # fmt: skip
JOB_STATE = Key(
    "lyceum:job:{job}:state", Kind.STRING, Role.RESULT, DAY,
    "The newest state of a job as JSON: what a watcher sees before the next message comes.",
)  # fmt: skip
JOB_NEWS = Key(
    "lyceum:job:{job}", Kind.CHANNEL, Role.MESSAGES, None,
    "States of a job as JSON, as they happen.",
)  # fmt: skip
CHANGES = Key(
    "lyceum:changes", Kind.CHANNEL, Role.MESSAGES, None,
    "Which items of a user changed, as JSON: ids only. MCP clients that subscribed hear of it.",
)  # fmt: skip
RUN_EVENTS = Key(
    "lyceum:run:{run}:events", Kind.STREAM, Role.MESSAGES, DAY,
    "The events of an answer for clients that come back; a day from its end, or from its last event.",
)  # fmt: skip
RUN_CANCEL = Key(
    "lyceum:run:{run}:cancel", Kind.STRING, Role.MESSAGES, HOUR,
    "Somebody pressed stop; the process that writes the answer looks here.",
)  # fmt: skip
CALLER = Key(
    "lyceum:session:{token_sha256}", Kind.STRING, Role.SESSION, MINUTE,
    "Who a valid token or API key speaks for, as JSON; or `ended`, once it was revoked.",
)  # fmt: skip
LOGIN_LINK = Key(
    "lyceum:login:{token_sha256}", Kind.STRING, Role.SESSION, DAY,
    "The account that a one-time link signs in; an hour unless the link was made for longer.",
)  # fmt: skip
CONSENT = Key(
    "lyceum:consent:{request_sha256}", Kind.STRING, Role.SESSION, 10 * MINUTE,
    "What a program asks for, as JSON, until the person has answered.",
)  # fmt: skip
CONSENT_BY = Key(
    "lyceum:asked:{request_sha256}", Kind.STRING, Role.SESSION, 10 * MINUTE,
    "Who looked at that first: nobody else may answer.",
)  # fmt: skip
QUERY_VECTOR = Key(
    "lyceum:cache:vector:{model}:{text_sha256}", Kind.STRING, Role.CACHE, 30 * MINUTE,
    "The embedding of a query as base64 of float32. It depends on the text alone, so it is never stale.",
)  # fmt: skip
RATE = Key(
    "lyceum:rate:{who}:{endpoint}", Kind.SORTED_SET, Role.LIMIT, MINUTE,
    "Times of the requests of a user or an API key in the last minute, for one endpoint or for all.",
)  # fmt: skip
ATTEMPTS = Key(
    "lyceum:attempts:{what_sha256}", Kind.SORTED_SET, Role.LIMIT, HOUR,
    "Times of failed logins, of new accounts and of what programs do before anyone is known, for an address or a network address.",
)  # fmt: skip

ALL = (
    JOBS, JOB_STATE, JOB_NEWS, CHANGES, RUN_EVENTS, RUN_CANCEL, CALLER, LOGIN_LINK, CONSENT, CONSENT_BY, QUERY_VECTOR, RATE, ATTEMPTS,
)  # fmt: skip
