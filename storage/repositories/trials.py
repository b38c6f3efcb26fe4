"""What went right and wrong, by topic: answers to questions and reviews of learnt cards together."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text

from storage.repositories.base import Repository

UNSURE_BELOW = 0.5
"""Confidence, 0 to 1, under which a right answer may have been luck."""
UNSURE_COUNTS = 0.5
"""Such an answer counts as half wrong."""

TRIALS = """
    SELECT 'question' AS kind, a.question_id AS item_id, t.class_id, coalesce(a.concept_id, n.id) AS concept_id,
        coalesce(n.name, nullif(a.question ->> 'topic', ''), t.test_title) AS topic, a.answered_at AS at,
        1 - CASE WHEN a.points IS NULL OR a.max_points <= 0 THEN a.is_correct::integer
            ELSE least(greatest(a.points / a.max_points, 0), 1) END AS wrong,
        NOT a.is_correct AS is_wrong, FALSE AS is_lapse, a.is_correct AND a.confidence < :unsure_below AS is_unsure,
        jsonb_build_object('text', a.question ->> 'text', 'quote', a.question ->> 'quote',
            'locator', a.question -> 'locator', 'material_id', a.question ->> 'material_id') AS shown
    FROM attempt_answers a
    JOIN test_attempts t ON t.id = a.attempt_id AND t.user_id = a.user_id
    LEFT JOIN concepts n ON n.id = a.concept_id
    WHERE a.user_id = :me AND a.answered_at >= :since AND a.is_correct IS NOT NULL
        AND (CAST(:class_id AS uuid) IS NULL OR t.class_id = :class_id)
    UNION ALL
    SELECT 'card', c.id, d.class_id, c.concept_id,
        coalesce(n.name, (SELECT tag FROM unnest(c.tags) tag WHERE tag <> 'leech' LIMIT 1),
            c.locator -> 'heading_path' ->> -1, d.title),
        r.reviewed_at, (r.rating = 1)::integer, r.rating = 1, r.rating = 1, FALSE,
        jsonb_build_object('text', c.front, 'quote', c.quote, 'locator', c.locator, 'material_id', c.material_id)
    FROM card_reviews r
    JOIN flashcards c ON c.id = r.card_id AND c.user_id = r.user_id AND c.deleted_at IS NULL
    JOIN decks d ON d.id = c.deck_id AND d.user_id = c.user_id AND d.deleted_at IS NULL
    LEFT JOIN concepts n ON n.id = c.concept_id
    WHERE r.user_id = :me AND r.reviewed_at >= :since AND r.undone_at IS NULL AND r.before ->> 'state' = 'review'
        AND (CAST(:class_id AS uuid) IS NULL OR d.class_id = :class_id)
"""
"""Of reviews only those of cards that were learnt: that a new card is not known yet says nothing. A card that was made has its
topic as its first tag."""

SUMS = text(f"""
    SELECT lower(topic) AS key, class_id, min(topic) AS topic,
        (array_agg(concept_id ORDER BY at DESC) FILTER (WHERE concept_id IS NOT NULL))[1] AS concept_id,
        count(*) AS tried, count(*) FILTER (WHERE is_wrong) AS wrong, count(*) FILTER (WHERE is_lapse) AS lapses,
        count(*) FILTER (WHERE is_unsure) AS unsure,
        sum(wrong + CASE WHEN is_unsure THEN CAST(:unsure_counts AS double precision) ELSE 0 END)::double precision AS weight
    FROM ({TRIALS}) trials GROUP BY 1, 2
    HAVING bool_or(is_wrong OR is_unsure)
""")  # noqa: S608 - put together from constants of this module
WRONG = text(f"""
    SELECT key, class_id, kind, item_id, at, times_wrong, shown FROM (
        SELECT lower(topic) AS key, class_id, kind, item_id, max(at) AS at, count(*) AS times_wrong,
            (array_agg(shown ORDER BY at DESC))[1] AS shown,
            row_number() OVER (PARTITION BY lower(topic), class_id ORDER BY max(at) DESC, item_id) AS place
        FROM ({TRIALS}) trials
        WHERE is_wrong AND item_id IS NOT NULL AND lower(topic) = ANY (:keys)
        GROUP BY 1, 2, 3, 4
    ) ranked WHERE place <= :most ORDER BY at DESC
""")  # noqa: S608


@dataclass(frozen=True, slots=True)
class TopicTrials:
    """How a topic went."""

    key: str
    class_id: UUID | None
    topic: str
    concept_id: UUID | None
    tried: int
    wrong: int
    lapses: int
    unsure: int
    weight: float
    """How much went wrong: points missed, and half of what was right without being sure."""


@dataclass(frozen=True, slots=True)
class WrongTrial:
    """An item of a topic that went wrong, as it was last."""

    key: str
    class_id: UUID | None
    kind: str
    item_id: UUID
    at: datetime
    times_wrong: int
    shown: dict[str, Any]
    """text, quote, locator, material_id."""


class TrialRepository(Repository):
    async def by_topic(self, since: datetime, class_id: UUID | None) -> list[TopicTrials]:
        """Topics in which anything went wrong or was not sure."""
        rows = await self.session.execute(
            SUMS, self._limits(since, class_id) | {"unsure_counts": UNSURE_COUNTS}
        )
        return [TopicTrials(*row) for row in rows]

    async def last_wrong(
        self, since: datetime, class_id: UUID | None, keys: Sequence[str], most: int
    ) -> list[WrongTrial]:
        """The items of these topics that went wrong, newest first, so many of each topic at most."""
        rows = await self.session.execute(
            WRONG, self._limits(since, class_id) | {"keys": list(keys), "most": most}
        )
        return [WrongTrial(*row) for row in rows]

    def _limits(self, since: datetime, class_id: UUID | None) -> dict[str, Any]:
        return {
            "me": self.user_id,
            "since": since,
            "class_id": class_id,
            "unsure_below": UNSURE_BELOW,
        }
