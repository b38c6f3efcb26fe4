"""SM-2 as published: P. A. Wozniak, "Application of a computer to improve the results obtained in working with the
SuperMemo method" (1990). Pure.

1. I(1) = 1 day, I(2) = 6, then I(n) = I(n-1) · EF, rounded up. EF is that before the repetition: step 3 stands before step 5.
2. EF' = EF + (0.1 - (5 - q) · (0.08 + (5 - q) · 0.02)), at least 1.3; the first EF is 2.5.
3. q < 3: repetitions begin anew and EF stays as it is (step 6).
4. What scored below 4 is repeated on the same day until it scores 4 (step 7). These repetitions change nothing else.
"""

import math
from dataclasses import dataclass, replace
from datetime import timedelta

from tools.scheduling.fsrs6 import Outcome
from tools.scheduling.state import Schedule, StudySettings

FIRST_EASE, LOWEST_EASE, HIGHEST_EASE = 2.5, 1.3, 10.0
"""The highest is a bound of our column, which only hundreds of perfect answers would reach."""
KNOWN, KNOWN_WELL = 3, 4
GRADES = {1: 1, 2: 3, 3: 4, 4: 5}
"""Rating → q. Again is 1 (not known, recognised when shown), hard 3 (with serious difficulty), good 4 (after a hesitation),
easy 5 (perfect). 0 to 2 do the same in SM-2, so that again may be any of them."""
RATINGS = {0: 1, 1: 1, 2: 1, 3: 2, 4: 3, 5: 4}


@dataclass(frozen=True, slots=True)
class Item:
    ease_factor: float = FIRST_EASE
    repetitions: int = 0
    interval_days: int = 0


def repeated(item: Item, grade: int) -> Item:
    """The item after a repetition that scored `grade`, 0 to 5."""
    if grade < KNOWN:
        return replace(item, repetitions=0, interval_days=1)
    if item.repetitions == 0:
        days = 1
    elif item.repetitions == 1:
        days = 6
    else:
        days = math.ceil(round(item.interval_days * item.ease_factor, 6))
    return Item(eased(item.ease_factor, grade), item.repetitions + 1, days)


def eased(ease_factor: float, grade: int) -> float:
    changed = ease_factor + (0.1 - (5 - grade) * (0.08 + (5 - grade) * 0.02))
    return min(max(changed, LOWEST_EASE), HIGHEST_EASE)


def next_outcome(
    schedule: Schedule, grade: int, elapsed_days: int | None, settings: StudySettings
) -> Outcome:
    """A repetition, or another one on the same day of what scored below 4."""
    item = Item(schedule.ease_factor, schedule.repetitions, round(schedule.interval_days))
    if schedule.state not in ("learning", "relearning") or elapsed_days != 0:
        item = repeated(item, grade)
    days = min(max(item.interval_days, 1), settings.maximum_interval)
    after = replace(
        schedule,
        step=None,
        ease_factor=item.ease_factor,
        repetitions=item.repetitions,
        interval_days=float(days),
    )
    steps = settings.relearning_steps or settings.learning_steps
    if grade >= KNOWN_WELL or not steps:
        return Outcome(replace(after, state="review"), timedelta(days=days))
    known = schedule.state in ("review", "relearning")
    again = replace(after, state="relearning" if known else "learning", step=0)
    return Outcome(again, timedelta(seconds=steps[0]))
