"""All repositories of one transaction, bound to one user."""

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from storage.clock import Clock
from storage.repositories.accounts import AccountRepository
from storage.repositories.audit import AuditRepository
from storage.repositories.classes import ClassRepository
from storage.repositories.conversations import ConversationRepository
from storage.repositories.jobs import JobRepository
from storage.repositories.lexical import LexicalRepository
from storage.repositories.materials import MaterialRepository


class Repositories:
    def __init__(self, session: AsyncSession, user_id: UUID, clock: Clock) -> None:
        self.accounts = AccountRepository(session, user_id, clock)
        self.audit = AuditRepository(session, user_id, clock)
        self.classes = ClassRepository(session, user_id, clock)
        self.conversations = ConversationRepository(session, user_id, clock)
        self.jobs = JobRepository(session, user_id, clock)
        self.lexical = LexicalRepository(session, user_id, clock)
        self.materials = MaterialRepository(session, user_id, clock)
