"""Serves the app with the settings of the environment, for tests that need a process to measure or to cut off."""

import uvicorn

from assistant.app import create_app
from storage.settings import Settings
from tools import job_news

if __name__ == "__main__":
    settings = Settings(_env_file=None)
    job_news.LOOK_SECONDS = 0.5  # a test loses a message, and would wait for the next look
    uvicorn.run(
        create_app(settings),
        host="127.0.0.1",
        port=settings.port,
        http="h11",
        access_log=False,
        log_level="warning",
        timeout_graceful_shutdown=2,
    )
