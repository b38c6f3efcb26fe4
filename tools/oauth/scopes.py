"""What a program may be allowed: one permission for each toolset and effect, with the sentence that a person reads."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from tools.oauth.errors import OAuthError
from tools.spec import Effect, ToolSpec

OF_OPENID = frozenset({"openid", "profile", "email", "offline_access"})
"""Clients add these by habit. They mean nothing here, so they are passed over (RFC 6749, 3.3)."""
LONGEST = 2000
"""Characters of a `scope` parameter."""
STUDYING = ("assignments", "materials", "notes", "tests", "flashcards", "progress", "documents", "jobs")
"""Toolsets that a program may also write when it asks for nothing in particular. Not `account` (keys, the end of the
account) and not `classes` (a class takes everything in it along)."""

TITLES: Mapping[str, tuple[str, str]] = {
    "classes": ("See your classes", "Make, change and delete classes"),
    "assignments": (
        "See your assignments and when they are due",
        "Add, change and delete assignments",
    ),
    "materials": (
        "See and read your books, slides and recordings",
        "Add, change and delete material",
    ),
    "notes": ("Read your notes", "Write, change and delete notes"),
    "search": ("Search your material", "Change how your material is searched"),
    "tests": ("See your tests and how they went", "Make, take and delete tests"),
    "flashcards": (
        "See your decks, cards and what is due",
        "Make, review, change and delete cards and decks",
    ),
    "progress": ("See how your studying goes", "Rate items of your studying"),
    "documents": ("Read your study guides and sheets", "Make and delete study guides and sheets"),
    "courses": ("See your courses", "Make and change courses"),
    "sharing": ("See what you share", "Share your things with others"),
    "jobs": ("See how far long work is", "Cancel and repeat long work"),
    "conversations": (
        "Read your conversations with the assistant",
        "Change and delete conversations",
    ),
    "collections": (
        "Look into the vectors behind the search",
        "Change the vectors behind the search",
    ),
    "data": ("Query the tables with your data", "Change the tables with your data"),
    "account": (
        "See your profile, keys and connected programs",
        "Change your profile, keys and connected programs, and delete your account",
    ),
}


@dataclass(frozen=True, slots=True)
class ScopeOffer:
    """One permission that the person can tick. `title` is a plain sentence."""

    scope: str
    title: str
    is_write: bool


class Scopes:
    """The permissions of a catalogue."""

    def __init__(self, catalog: Mapping[str, ToolSpec]) -> None:
        self.of_tool = {name: spec.scope for name, spec in catalog.items()}
        self.named = list(dict.fromkeys(spec.scope for spec in catalog.values()))
        """Every one that a tool needs, in the order of the catalogue, reading before writing."""
        reading = {spec.scope for spec in catalog.values() if spec.effect is Effect.READ}
        self.named.sort(key=lambda scope: scope not in reading)
        self.default = [
            scope for scope in self.named if scope in reading or scope.partition(":")[0] in STUDYING
        ]
        """What is offered to a program that names none, and what the metadata suggest."""

    @property
    def supported(self) -> list[str]:
        """Everything that may be asked for."""
        return ["*", "*:read", *self.named]

    def offered(self, asked: str | None, bound: Iterable[str] = ()) -> list[str]:
        """The single permissions that a request is about: what it asks for, as far as its registration reaches.

        Raises OAuthError invalid_scope when it asks for something and nothing of that exists or is within the bound.
        """
        if asked is not None and len(asked) > LONGEST:
            raise OAuthError("invalid_scope", "The list of scopes is too long.")
        words = [word for word in (asked or "").split() if word not in OF_OPENID]
        wanted = self.single(words) if words else self.default
        registered = [word for word in bound if word not in OF_OPENID]
        if registered:
            within = self.single(registered)
            wanted = [scope for scope in wanted if scope in within]
        if not wanted:
            raise OAuthError(
                "invalid_scope",
                f"None of the scopes asked for can be given. Use {', '.join(self.supported[:4])}, …",
            )
        return wanted

    def single(self, scopes: Iterable[str]) -> list[str]:
        """Without the shorthands: `*:read` and `*` as the permissions that they stand for today. Unknown ones fall away."""
        wanted = set(scopes)
        return [scope for scope in self.named if wanted & {scope, "*", f"*:{scope.partition(':')[2]}"}]

    def offers(self, scopes: Iterable[str]) -> list[ScopeOffer]:
        return [ScopeOffer(scope, title(scope), not scope.endswith(":read")) for scope in scopes]


def title(scope: str) -> str:
    """`notes:read` → "Read your notes"."""
    toolset, _, effect = scope.partition(":")
    is_write = effect != "read"
    if toolset in TITLES:
        return TITLES[toolset][is_write]
    return f"{'Change' if is_write else 'See'} {toolset}"
