"""Downloading a copy of one's data."""

import io
import zipfile
from datetime import timedelta
from uuid import UUID

import httpx

from assistant.app import create_app
from storage.local.instance import InstanceInfo
from storage.resources import Storage
from tests.clocks import LaterClock
from tests.conftest import settings_for
from tests.work import call, run_job
from tools.accounts import Accounts
from tools.context import Principal
from tools.executor import Executor


async def browser(
    storage: Storage, info: InstanceInfo, who: Principal, scopes: tuple[str, ...] = ("*",), **ahead: float
) -> httpx.AsyncClient:
    _, key = await Accounts(storage).create_key(who.user_id, "download", scopes=scopes)
    app = create_app(settings_for(info), LaterClock(timedelta(**ahead)))
    return httpx.AsyncClient(
        transport=httpx.ASGITransport(app),
        base_url="http://127.0.0.1:8000",
        headers={"Authorization": f"Bearer {key}"},
    )


async def test_a_copy_is_downloaded_by_its_person_alone_until_it_expires(
    storage: Storage, instance: InstanceInfo, executor: Executor, student: Principal, stranger: Principal
) -> None:
    started = await call(executor, student, "export_my_data")
    mine = await browser(storage, instance, student)
    early = await mine.get(started["download_url"])
    assert (early.status_code, early.json()["code"]) == (409, "export_not_ready")
    await run_job(storage, student, UUID(started["job_id"]))
    answer = await mine.get(started["download_url"])
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/zip"
    assert answer.headers["content-disposition"].startswith("attachment;")
    assert "README.md" in zipfile.ZipFile(io.BytesIO(answer.content)).namelist()
    for other in (
        await browser(storage, instance, stranger),
        await browser(storage, instance, student, days=8),
    ):
        refused = await other.get(started["download_url"])
        assert refused.status_code == 404
    assert refused.json()["code"] == "export_expired"
    narrow = await browser(storage, instance, student, scopes=("materials:read",))
    assert (await narrow.get(started["download_url"])).status_code == 403
    assert (await mine.get("/api/exports/x/download")).status_code == 404


async def test_a_cancelled_export_is_not_handed_out_again(
    storage: Storage, instance: InstanceInfo, executor: Executor, student: Principal
) -> None:
    first = await call(executor, student, "export_my_data")
    await call(executor, student, "cancel_job", job_id=first["job_id"])
    second = await call(executor, student, "export_my_data")
    assert second["export_id"] != first["export_id"]
