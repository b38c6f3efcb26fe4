"""What the tools for tests answer with: tests, their questions, and the results of attempts."""

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel, Field

from storage.locators import Locator
from tools.grading.asked import Response
from tools.study.keys import BloomLevel, Choice, Difficulty, QuestionType

Feedback = Literal["at_end", "at_once"]
AttemptStatus = Literal["in_progress", "submitted", "graded", "expired", "abandoned"]
Outcome = Literal["right", "partial", "wrong", "unanswered"]


class Making(BaseModel):
    """How far the job is that makes a test."""

    job_id: UUID
    status: str = Field(description="queued, running, succeeded, failed or cancelled.")
    done: int = Field(description="Questions that are there; they can be answered already.")
    total: int | None = Field(description="Questions that were asked for.")
    message: str | None


class AttemptItem(BaseModel):
    """One attempt, without its questions."""

    attempt_id: UUID
    status: AttemptStatus
    started_at: datetime
    submitted_at: datetime | None
    score: float | None
    max_score: float | None
    percent: float | None = Field(description="0 to 100; null until it is graded.")


class TestItem(BaseModel):
    __test__ = False

    id: UUID
    title: str
    description: str | None
    class_id: UUID | None
    own: bool = Field(description="False when somebody else shared it.")
    shared_with_class: bool
    difficulty: Difficulty
    time_limit_seconds: int | None
    question_count: int
    total_points: float
    model: str | None
    version: int
    version_of_id: UUID | None
    created_at: datetime
    making: Making | None = Field(description="While it is unfinished: the job that makes it.")
    notice: str | None = Field(
        default=None, description="When fewer questions could be made than were asked for: why."
    )
    attempts: int = Field(description="Own attempts that are finished.")
    open_attempt_id: UUID | None = Field(description="The attempt that start_test would go on with.")
    best: AttemptItem | None
    last: AttemptItem | None


class TestList(BaseModel):
    __test__ = False

    items: list[TestItem]
    next_cursor: str | None
    total: int


class Evidence(BaseModel):
    """The passage that supports a key."""

    quote: str
    material_id: UUID | None
    label: str | None = Field(description="Where it stands, in words: page 57, 12:30.")
    locator: Locator | None
    url: str | None = Field(description="Opens the page's picture, or the recording or video at the second.")


class ShownQuestion(BaseModel):
    """A question without its key."""

    id: UUID | None = Field(description="Null once its test is gone.")
    number: int
    type: QuestionType
    text: str = Field(description="Gaps of a cloze as {{1}}, {{2}}.")
    options: list[Choice] = Field(description="Choices; of a matching the left column.")
    right: list[Choice] = Field(default_factory=list, description="Right column of a matching.")
    gaps: int = Field(default=0, description="Of a cloze: how many texts are wanted.")
    points: float
    topic: str | None
    difficulty: int | None
    bloom_level: BloomLevel | None


class TestQuestionItem(ShownQuestion):
    __test__ = False

    answer: Response | None = Field(
        default=None, description="The key, in the form that answer_question takes; only with_answers."
    )
    answer_text: str | None = Field(default=None, description="The key in words; only with_answers.")
    explanation: str | None = None
    evidence: Evidence | None = None
    quality_score: float | None = None
    status: Literal["active", "retired"] = "active"


class Version(BaseModel):
    id: UUID
    version: int
    title: str


class MemberResult(AttemptItem):
    """How somebody else did, for those who teach the class."""

    user_id: UUID
    name: str | None


class TestDetails(TestItem):
    __test__ = False

    blueprint: dict[str, Any]
    rejected: dict[str, int] = Field(description="Items that the gate turned away, by reason.")
    versions: list[Version] = Field(description="Shuffled versions of the same questions, this one included.")
    results: list[AttemptItem] = Field(description="Own attempts, newest first.")
    members: list[MemberResult] = Field(description="Of a class one teaches: the attempts of its members.")
    with_answers: bool
    questions: list[TestQuestionItem]
    next_cursor: str | None
    result: "AttemptResult | None" = Field(description="When an attempt_id was given: its result.")


class AskedQuestion(ShownQuestion):
    """A question of an attempt, with what was answered so far."""

    response: Response | None = Field(
        description="What was answered, in the form that answer_question takes."
    )
    confidence: float | None
    result: "QuestionResult | None" = Field(
        default=None, description="With feedback at_once: the grade of what was answered."
    )


class Attempt(BaseModel):
    attempt_id: UUID
    test_id: UUID | None
    title: str
    status: AttemptStatus
    feedback: Feedback
    resumed: bool = Field(description="True when it was open already.")
    started_at: datetime
    expires_at: datetime | None
    seconds_left: int | None = Field(description="By the server's clock; null without a time limit.")
    question_count: int
    answered_count: int
    max_score: float
    questions: list[AskedQuestion]
    next_cursor: str | None


class Appeal(BaseModel):
    status: Literal["open", "upheld", "rejected"]
    text: str | None
    outcome: str | None = Field(description="What the second look found, in a sentence.")
    points_before: float | None
    appealed_at: datetime | None


class QuestionResult(ShownQuestion):
    """A question with its grade."""

    outcome: Outcome
    is_correct: bool
    earned: float
    response: Response | None
    given: str | None = Field(description="What was answered, in words.")
    answer: Response | None = Field(description="The key, in the form that answer_question takes.")
    answer_text: str = Field(description="The key in words.")
    explanation: str | None
    evidence: Evidence | None
    graded_by: str | None = Field(description="rule, match, meaning, rubric, appeal or person.")
    grading: dict[str, Any]
    grading_explanation: str | None = Field(description="How the grade came about, in a sentence.")
    confidence: float | None
    response_time_ms: int | None
    appeal: Appeal | None


class Share(BaseModel):
    """Points of one topic or type."""

    name: str
    questions: int
    right: int
    points: float
    max_points: float
    percent: float


class AttemptResult(AttemptItem):
    test_id: UUID | None
    title: str
    question_count: int
    right: int
    partial: int
    wrong: int
    unanswered: int
    duration_seconds: int
    by_topic: list[Share] = Field(description="Weakest first.")
    by_type: list[Share]
    questions: list[QuestionResult]
    next_cursor: str | None


class Answered(BaseModel):
    """What was taken down."""

    attempt_id: UUID
    question_id: UUID
    number: int
    response: Response | None = Field(description="Null when an empty answer took the earlier one away.")
    understood: str = Field(description="The answer in words, as it was understood.")
    answered_count: int
    question_count: int
    seconds_left: int | None
    result: QuestionResult | None = Field(description="With feedback at_once: the grade, and why.")


class Appealed(BaseModel):
    attempt_id: UUID
    upheld: bool
    message: str = Field(description="What the second look found.")
    question: QuestionResult
    score: float
    max_score: float
    percent: float


class DeletedTest(BaseModel):
    id: UUID
    title: str


for _model in (TestDetails, AskedQuestion):
    _model.model_rebuild()
