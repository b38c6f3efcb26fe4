"""The tables, by domain. Import from here so that the metadata is complete."""

from storage.models.accounts import ApiKey, OAuthClient, OAuthGrant, User, UserSession
from storage.models.base import Base
from storage.models.classes import Assignment, AssignmentProgress, Class, ClassMember, EnrollmentCode
from storage.models.conversations import Conversation, Message, Run
from storage.models.courses import (
    Concept,
    ConceptEdge,
    Course,
    CourseConcept,
    CourseMaterial,
    KnowledgeExtraction,
    LearningObjective,
)
from storage.models.documents import Document, Export
from storage.models.flashcards import CardReview, Deck, DeckMedia, Flashcard
from storage.models.materials import (
    Chunk,
    ChunkPosting,
    Figure,
    File,
    Material,
    MaterialSegment,
    Upload,
)
from storage.models.notes import Note, NoteSource
from storage.models.operations import AuditLog, Job, SealKey, Upkeep
from storage.models.sharing import Connection, SharedItem, ShareLink
from storage.models.study import Feedback, Interaction, ProgressMetric, StudySession
from storage.models.tests import AttemptAnswer, Test, TestAttempt, TestQuestion

__all__ = [
    "ApiKey",
    "Assignment",
    "AssignmentProgress",
    "AttemptAnswer",
    "AuditLog",
    "Base",
    "CardReview",
    "Chunk",
    "ChunkPosting",
    "Class",
    "ClassMember",
    "Concept",
    "ConceptEdge",
    "Connection",
    "Conversation",
    "Course",
    "CourseConcept",
    "CourseMaterial",
    "Deck",
    "DeckMedia",
    "Document",
    "EnrollmentCode",
    "Export",
    "Feedback",
    "Figure",
    "File",
    "Flashcard",
    "Interaction",
    "Job",
    "KnowledgeExtraction",
    "LearningObjective",
    "Material",
    "MaterialSegment",
    "Message",
    "Note",
    "NoteSource",
    "OAuthClient",
    "OAuthGrant",
    "ProgressMetric",
    "Run",
    "SealKey",
    "ShareLink",
    "SharedItem",
    "StudySession",
    "Test",
    "TestAttempt",
    "TestQuestion",
    "Upkeep",
    "Upload",
    "User",
    "UserSession",
]
