"""What a document consists of, before anything is laid out: all renderers work from these forms.

Text is plain, with TeX between dollar signs; numbers in `cites` point at the document's citations.
"""

from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from storage.locators import Locator
from tools.study.keys import Choice, Difficulty

DocumentKind = Literal["cheat_sheet", "study_guide", "summary", "past_paper_answers", "quiz_sheet"]
DocumentFormat = Literal["pdf", "docx", "md", "html", "json"]
Paper = Literal["a4", "letter"]
Depth = Literal["brief", "normal", "detailed"]

Cites = Annotated[list[int], Field(description="Numbers of the citations that support it.")]


class Form(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Statement(Form):
    """One sentence, a point or an example."""

    type: Literal["statement"] = "statement"
    text: str
    is_example: bool = False
    is_central: bool = Field(default=False, description="Says best what its section is about.")
    cites: Cites


class Definition(Form):
    """A term with the sentence that says what it is; `term` stands in `text` where it was found there."""

    type: Literal["definition"] = "definition"
    term: str
    text: str
    cites: Cites


class Formula(Form):
    """A formula as TeX where the material has it so, else in the notation that text of PDFs is read in."""

    type: Literal["formula"] = "formula"
    tex: str | None = None
    text: str = Field(description="As it stands in the material.")
    about: str | None = Field(default=None, description="What it says, in the words before it.")
    label: str | None = Field(default=None, description="Its number in the material: (1.8).")
    cites: Cites


class Table(Form):
    type: Literal["table"] = "table"
    caption: str | None = None
    rows: list[list[str]] = Field(description="The first one is the header.")
    cites: Cites


class Terms(Form):
    """Key terms, best first."""

    type: Literal["terms"] = "terms"
    terms: list[str]


class Review(Form):
    """A question to ask oneself, and where its answer stands."""

    type: Literal["review"] = "review"
    question: str
    answer: str | None = None
    cites: Cites


class Reading(Form):
    """Where to read on."""

    type: Literal["reading"] = "reading"
    text: str
    cites: Cites


class Quote(Form):
    text: str
    cites: Cites


class Answered(Form):
    """A question of a past paper with its answer out of the material, or without one."""

    type: Literal["answered"] = "answered"
    number: str
    question: str
    options: list[str] = Field(default_factory=list)
    marks: float | None = None
    answer: str | None = Field(
        default=None, description="Written by a language model, supported by the quotes."
    )
    quotes: list[Quote] = Field(default_factory=list)
    is_found: bool = Field(description="False: the material does not answer it.")
    asked_at: Cites = Field(description="Where the paper asks it.")


class Asked(Form):
    """A question of a quiz sheet with its key."""

    type: Literal["asked"] = "asked"
    number: int
    form: str = Field(description="Type of the question.")
    text: str = Field(description="Gaps of a cloze as {{1}}.")
    options: list[Choice] = Field(default_factory=list)
    right: list[Choice] = Field(default_factory=list, description="Right column of a matching, as printed.")
    points: float = 1.0
    lines: int = Field(default=0, description="Lines to write on.")
    key: str = Field(description="What is right, in words.")
    explanation: str | None = None
    quote: str | None = None
    cites: Cites


Item = Annotated[
    Statement | Definition | Formula | Table | Terms | Review | Reading | Answered | Asked,
    Field(discriminator="type"),
]


class Section(Form):
    heading: str
    place: str = Field(default="", description="Where it stands in the material, in words.")
    items: list[Item]


class Content(Form):
    """A whole document. `lead` and `remarks` say how it was made."""

    kind: DocumentKind
    title: str
    subtitle: str = ""
    lead: str = ""
    sections: list[Section] = Field(default_factory=list)
    remarks: list[str] = Field(default_factory=list)


class Citation(Form):
    number: int
    material_id: UUID | None
    chunk_id: UUID | None = None
    title: str = Field(description="Of the material.")
    label: str = Field(description="The place in words: page 57, 12:30.")
    quote: str
    locator: Locator
    url: str | None = Field(default=None, description="Opens the place.")


class Options(Form):
    """What was asked for. Stored with the document, and taken over by its next version."""

    pages: int = 1
    paper: Paper = "a4"
    columns: int = 2
    depth: Depth = "normal"
    material_ids: list[UUID] = Field(default_factory=list)
    part: dict[str, Any] | None = Field(default=None, description="Passages that a topic or pages mean.")
    paper_id: UUID | None = Field(default=None, description="The past paper that is answered.")
    test_id: UUID | None = None
    topic: str | None = None
    first: int | None = None
    last: int | None = None
    count: int = 10
    types: list[str] = Field(default_factory=list)
    difficulty: Difficulty = "mixed"
    seed: int = 0


CITATIONS: TypeAdapter[list[Citation]] = TypeAdapter(list[Citation])


def content_of(stored: dict[str, Any], kind: str, title: str) -> Content:
    """The content as stored; an empty one before the first section."""
    return Content.model_validate(stored or {"kind": kind, "title": title})
