"""The tables, by domain. Import from here so that the metadata is complete."""

from storage.models.accounts import ApiKey, User, UserSession
from storage.models.base import Base
from storage.models.conversations import Conversation, Message, Run
from storage.models.materials import Chunk, ChunkPosting, Class, File, Material, MaterialSegment
from storage.models.operations import AuditLog, Job

__all__ = [
    "ApiKey",
    "AuditLog",
    "Base",
    "Chunk",
    "ChunkPosting",
    "Class",
    "Conversation",
    "File",
    "Job",
    "Material",
    "MaterialSegment",
    "Message",
    "Run",
    "User",
    "UserSession",
]
