"""Weak topics: what goes wrong, as far as there is enough evidence, with the last mistakes."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from storage.repositories import Repositories
from storage.repositories.trials import TopicTrials, WrongTrial
from tools.progress.estimate import wilson_lower_bound

MOST_ITEMS = 3
"""Mistakes shown of each topic."""


@dataclass(frozen=True, slots=True)
class Weak:
    trials: TopicTrials
    weakness: float
    """Lower bound of the share that goes wrong."""
    items: tuple[WrongTrial, ...]


def ranked(topics: Sequence[TopicTrials]) -> list[tuple[float, TopicTrials]]:
    """Weakest first: by the lower bound, so that one slip in one try does not stand before eight in ten."""
    scored = [(wilson_lower_bound(one.weight, one.tried), one) for one in topics]
    return sorted(scored, key=lambda pair: (-pair[0], -pair[1].wrong, pair[1].key))


async def weak_topics(
    db: Repositories, now: datetime, *, days: int, class_id: UUID | None, limit: int
) -> tuple[list[Weak], int]:
    """The weakest topics of the last days, and how many have anything against them. For get_weak_topics, and for making
    tests about what went wrong."""
    since = now - timedelta(days=days)
    topics = ranked(await db.trials.by_topic(since, class_id))
    first = topics[:limit]
    keys = list(dict.fromkeys(one.key for _, one in first))
    wrong = await db.trials.last_wrong(since, class_id, keys, MOST_ITEMS) if keys else []
    return [
        Weak(
            one,
            score,
            tuple(trial for trial in wrong if (trial.key, trial.class_id) == (one.key, one.class_id)),
        )
        for score, one in first
    ], len(topics)
