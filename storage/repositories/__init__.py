"""All repositories of one transaction, bound to one user."""

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from storage.clock import Clock
from storage.repositories.accounts import AccountRepository
from storage.repositories.assignments import AssignmentRepository
from storage.repositories.attempts import AttemptRepository
from storage.repositories.audit import AuditRepository
from storage.repositories.cards import CardRepository
from storage.repositories.classes import ClassRepository
from storage.repositories.closing import ClosingRepository
from storage.repositories.contents import ContentRepository
from storage.repositories.conversations import ConversationRepository
from storage.repositories.documents import DocumentRepository
from storage.repositories.exchange import ExchangeRepository
from storage.repositories.exports import ExportRepository
from storage.repositories.inspection import InspectionRepository
from storage.repositories.jobs import JobRepository
from storage.repositories.lexical import LexicalRepository
from storage.repositories.life import LifeRepository
from storage.repositories.making import MakingRepository
from storage.repositories.materials import MaterialRepository
from storage.repositories.naming import NameRepository
from storage.repositories.notes import NoteRepository
from storage.repositories.oauth import OAuthRepository
from storage.repositories.places import PlaceRepository
from storage.repositories.ratings import RatingRepository
from storage.repositories.reading import ReadingRepository
from storage.repositories.reviews import ReviewRepository
from storage.repositories.sharing import ShareLinkRepository
from storage.repositories.study import StudyRepository
from storage.repositories.tests import TestRepository
from storage.repositories.trials import TrialRepository
from storage.repositories.uploads import UploadRepository


class Repositories:
    def __init__(self, session: AsyncSession, user_id: UUID, clock: Clock) -> None:
        self.accounts = AccountRepository(session, user_id, clock)
        self.assignments = AssignmentRepository(session, user_id, clock)
        self.attempts = AttemptRepository(session, user_id, clock)
        self.audit = AuditRepository(session, user_id, clock)
        self.cards = CardRepository(session, user_id, clock)
        self.classes = ClassRepository(session, user_id, clock)
        self.closing = ClosingRepository(session, user_id, clock)
        self.contents = ContentRepository(session, user_id, clock)
        self.conversations = ConversationRepository(session, user_id, clock)
        self.documents = DocumentRepository(session, user_id, clock)
        self.exchange = ExchangeRepository(session, user_id, clock)
        self.exports = ExportRepository(session, user_id, clock)
        self.inspection = InspectionRepository(session, user_id, clock)
        self.jobs = JobRepository(session, user_id, clock)
        self.lexical = LexicalRepository(session, user_id, clock)
        self.life = LifeRepository(session, user_id, clock)
        self.making = MakingRepository(session, user_id, clock)
        self.materials = MaterialRepository(session, user_id, clock)
        self.names = NameRepository(session, user_id, clock)
        self.notes = NoteRepository(session, user_id, clock)
        self.oauth = OAuthRepository(session, user_id, clock)
        self.places = PlaceRepository(session, user_id, clock)
        self.ratings = RatingRepository(session, user_id, clock)
        self.reading = ReadingRepository(session, user_id, clock)
        self.reviews = ReviewRepository(session, user_id, clock)
        self.share_links = ShareLinkRepository(session, user_id, clock)
        self.study = StudyRepository(session, user_id, clock)
        self.tests = TestRepository(session, user_id, clock)
        self.trials = TrialRepository(session, user_id, clock)
        self.uploads = UploadRepository(session, user_id, clock)
