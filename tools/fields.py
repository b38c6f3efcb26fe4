"""Argument types that many tools share, with the words that a model reads about them."""

from typing import Annotated

from pydantic import Field

ClassRef = Annotated[str, Field(min_length=1, max_length=200, description="A class: its id or its name.")]
MaterialRef = Annotated[
    str, Field(min_length=1, max_length=400, description="A material: its id or its title.")
]
NoteRef = Annotated[str, Field(min_length=1, max_length=400, description="A note: its id or its title.")]
AssignmentRef = Annotated[
    str, Field(min_length=1, max_length=400, description="An assignment: its id or its title.")
]
TestRef = Annotated[str, Field(min_length=1, max_length=400, description="A test: its id or its title.")]
DeckRef = Annotated[
    str, Field(min_length=1, max_length=400, description="A deck of cards: its id or its title.")
]
CardRef = Annotated[str, Field(min_length=1, max_length=400, description="A card: its id or its front.")]
DocumentRef = Annotated[
    str, Field(min_length=1, max_length=400, description="A document: its id or its title.")
]
JobRef = Annotated[str, Field(min_length=1, max_length=100, description="A job's id.")]
ConversationRef = Annotated[
    str, Field(min_length=1, max_length=400, description="A conversation: its id or its title.")
]
PassageRef = Annotated[
    str, Field(min_length=36, max_length=36, description="A passage's id, from a search result.")
]
Limit = Annotated[int, Field(ge=1, le=100, description="How many to return at most.")]
Cursor = Annotated[
    str | None, Field(max_length=120, description="Where to go on: `next_cursor` of the page before.")
]
Query = Annotated[str, Field(min_length=1, max_length=2000, description="A question or words to look for.")]
