"""Fitting the 21 parameters of FSRS-6 to one person's reviews, by the optimiser inside the `anki` package (fsrs-rs, in Rust).

The optimiser of the `fsrs` package needs PyTorch. This one trains the same model with the same loss, and is what Anki
itself runs. A fit is used only when it foretells reviews better that it has not seen.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from uuid import UUID

from anki._backend import RustBackend
from anki.errors import BackendError
from anki.scheduler_pb2 import FsrsItem, FsrsReview
from fsrs.scheduler import DEFAULT_PARAMETERS, LOWER_BOUNDS_PARAMETERS, UPPER_BOUNDS_PARAMETERS

from tools.scheduling import fsrs6
from tools.scheduling.days import days_between
from tools.scheduling.state import Schedule, StudySettings

FEWEST_REVIEWS = 400
"""Reviews on a later day than the one before, below which nothing is fitted. Anki's optimiser begins at 400 by default."""
UNSEEN = 0.2
"""Share of the history, its end, on which a fit must prove itself."""
MOST_REVIEWS = 64
"""Of one card, as the optimiser of the `fsrs` package."""
BINS = 20


@dataclass(frozen=True, slots=True)
class Past:
    """One review: whole study days since the card's one before (None for the first), and the rating."""

    at: datetime
    days: int | None
    rating: int


@dataclass(frozen=True, slots=True)
class Error:
    """How far predictions are from what happened, over reviews on a later day than the one before."""

    reviews: int
    log_loss: float
    rmse: float
    """Between mean prediction and share recalled in 20 bins of prediction, weighted by reviews."""


@dataclass(frozen=True, slots=True)
class Fit:
    parameters: tuple[float, ...]
    before: Error
    """With the parameters that were in use, on the part that was not seen."""
    after: Error


History = Sequence[Sequence[Past]]
"""Reviews of each card in order of time."""


def history_of(reviews: Iterable[tuple[UUID, datetime, int]], settings: StudySettings) -> list[list[Past]]:
    """(card, when, rating) by card and in order of time, as whole study days apart."""
    history = []
    for _, members in groupby(reviews, key=lambda row: row[0]):
        card: list[Past] = []
        for _, at, rating in members:
            days = days_between(card[-1].at, at, settings) if card else None
            card.append(Past(at, days, rating))
        history.append(card[:MOST_REVIEWS])
    return history


def predictable(history: History) -> int:
    return sum(bool(review.days) for card in history for review in card)


def fitted(history: History, current: Sequence[float] | None = None) -> Fit | None:
    """Parameters that foretell better than the current ones; None where there is too little, or nothing is gained.

    Fitted on the first four fifths of the time and judged on the rest, then fitted on all of it.
    """
    if predictable(history) < FEWEST_REVIEWS:
        return None
    current = tuple(current or DEFAULT_PARAMETERS)
    times = sorted(review.at for card in history for review in card if review.days)
    until = times[int(len(times) * (1 - UNSEEN))]
    trial = optimised(history, until)
    if trial is None:
        return None
    before, after = error_of(history, current, since=until), error_of(history, trial, since=until)
    if after.log_loss >= before.log_loss:
        return None
    parameters = optimised(history)
    return Fit(parameters, before, after) if parameters else None


def optimised(history: History, until: datetime | None = None) -> tuple[float, ...] | None:
    """The optimiser's answer for the reviews before `until`. Takes about a second for 10,000 reviews; call it in a thread."""
    dated = []
    for card in history:
        told: list[FsrsReview] = []
        for review in card:
            if until is not None and review.at >= until:
                break
            told.append(FsrsReview(rating=review.rating, delta_t=review.days or 0))
            if review.days:
                dated.append((review.at, FsrsItem(reviews=told)))
    dated.sort(key=lambda one: one[0])  # the later count for more
    try:
        answer = RustBackend().compute_fsrs_params_from_items([item for _, item in dated])
    except BackendError:  # too little of some kind
        return None
    bounds = zip(LOWER_BOUNDS_PARAMETERS, UPPER_BOUNDS_PARAMETERS, strict=True)
    if len(answer.params) != len(DEFAULT_PARAMETERS) or not all(map(math.isfinite, answer.params)):
        return None
    return tuple(min(max(w, low), high) for w, (low, high) in zip(answer.params, bounds, strict=True))


def error_of(history: History, parameters: Sequence[float], since: datetime | None = None) -> Error:
    """Predictions of the `fsrs` package's model with these parameters, for the reviews from `since` on."""
    settings = StudySettings(parameters=tuple(parameters))
    predicted: list[tuple[float, bool]] = []
    for card in history:
        state = Schedule()
        for review in card:
            if review.days and (since is None or review.at >= since):
                recall = fsrs6.retrievability(state.stability, review.days, settings)
                predicted.append((recall, review.rating > 1))
            state = fsrs6.next_outcome(state, review.rating, review.at, review.days, settings).schedule
    return judged(predicted)


def judged(predicted: Sequence[tuple[float, bool]]) -> Error:
    if not predicted:
        return Error(0, 0.0, 0.0)
    losses = [-math.log(min(max(p if right else 1 - p, 1e-9), 1.0)) for p, right in predicted]
    squares = 0.0
    for _, members in groupby(sorted(predicted, key=_bin), key=_bin):
        group = list(members)
        gap = sum(p for p, _ in group) / len(group) - sum(right for _, right in group) / len(group)
        squares += len(group) * gap * gap
    return Error(len(predicted), sum(losses) / len(losses), math.sqrt(squares / len(predicted)))


def _bin(one: tuple[float, bool]) -> int:
    return min(int(one[0] * BINS), BINS - 1)
