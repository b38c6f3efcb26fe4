"""The job that fits FSRS to a person's reviews. It starts by itself with the first review of a study day, when there is
enough history, and again when that has grown by a quarter. Nobody waits for it."""

import asyncio

import structlog

from storage.models import Job
from storage.repositories.jobs import IDLE
from tools.context import ToolContext
from tools.scheduling.days import study_date
from tools.scheduling.fitting import FEWEST_REVIEWS, Fit, fitted, history_of
from tools.scheduling.state import StudySettings
from tools.worker import RunningJob

log = structlog.get_logger()

FIT_SCHEDULER = "fit_scheduler"
MOST_HISTORY = 100_000
"""The last so many reviews are looked at."""
GROWTH = 1.25
"""A fit is repeated when there are so many times as many reviews as at the last one."""


async def fit_later(ctx: ToolContext, settings: StudySettings) -> None:
    """Queue the job when it is time. To be called before the review of this moment is stored."""
    last = await ctx.db.reviews.last()
    if last is None or study_date(last.reviewed_at, settings) == study_date(ctx.now(), settings):
        return
    count = await ctx.db.reviews.count()
    latest = await ctx.db.reviews.latest_job(FIT_SCHEDULER)
    fitted_at = int(latest.arguments.get("reviews", 0)) if latest else 0
    if count < max(FEWEST_REVIEWS, GROWTH * fitted_at):
        return
    job = Job(
        id=ctx.new_id(),
        user_id=ctx.principal.user_id,
        kind=FIT_SCHEDULER,
        priority=IDLE,
        arguments={"reviews": count},
    )
    await ctx.db.jobs.add(job)


class SchedulerFitting:
    """Handler of the job."""

    async def __call__(self, run: RunningJob) -> None:
        async with run.storage.as_user(run.user_id, read_only=True) as db:
            user = await db.accounts.me()
            settings = StudySettings.of(user)
            history = history_of(await db.reviews.history(MOST_HISTORY), settings)
        fit = await run.unless_halted(asyncio.to_thread(fitted, history, settings.parameters))
        if fit is None:
            await run.progress(1, 1, "The scheduler's parameters fit as they are.", force=True)
            return
        async with run.storage.as_user(run.user_id) as db:
            user = await db.accounts.me()
            user.fsrs_parameters = list(fit.parameters)
        log.info("scheduler_fitted", user_id=str(run.user_id), reviews=fit.after.reviews, **figures(fit))
        await run.progress(1, 1, "The scheduler was fitted to your reviews.", force=True)


def figures(fit: Fit) -> dict[str, float]:
    return {
        "log_loss_before": round(fit.before.log_loss, 4),
        "log_loss_after": round(fit.after.log_loss, 4),
        "rmse_before": round(fit.before.rmse, 4),
        "rmse_after": round(fit.after.rmse, 4),
    }
