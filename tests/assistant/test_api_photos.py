"""A photo from its upload to the evidence: read, found, and shown upright with the passage's boxes."""

import io
from uuid import UUID, uuid4

import numpy as np
import pytest
from PIL import Image

from storage.resources import Storage
from tests.assistant.conftest import Person
from tests.ingest.photos import ENGLISH, as_file, typed_page
from tests.work import run_job


async def test_a_turned_phone_photo_is_found_and_its_page_shown_upright(
    person: Person, storage: Storage
) -> None:
    page = typed_page(ENGLISH, width=420)
    exif = Image.Exif()
    exif[0x0112] = 6
    photo = as_file(np.ascontiguousarray(np.rot90(page)), "HEIF", exif=exif.tobytes())
    made = await person.tool("create_class", name=f"Botany {uuid4().hex[:6]}")
    sent = await person.http.post(
        "/api/uploads", files={"file": ("IMG_0815.jpg", photo)}, data={"class_id": made.json()["id"]}
    )
    await run_job(storage, person.principal, UUID(sent.json()["job_id"]))
    found = await person.tool("search_materials", query="chlorophyll absorbs", class_id=made.json()["id"])
    opened = await person.tool("open_passage", passage_id=found.json()["hits"][0]["passage_id"])
    shown = await person.http.get(opened.json()["image_url"], params={"width": 420})
    assert (shown.status_code, shown.headers["content-type"]) == (200, "image/png")
    picture = Image.open(io.BytesIO(shown.content))
    assert picture.width == 420
    assert picture.height == pytest.approx(420 * page.shape[0] / page.shape[1], abs=1)
    dark = np.asarray(picture.convert("L")) < 100
    boxed = np.zeros_like(dark)
    for box in opened.json()["locator"]["boxes"]:
        rows = slice(int(box["y0"] * picture.height), round(box["y1"] * picture.height) + 1)
        boxed[rows, int(box["x0"] * 420) : round(box["x1"] * 420) + 1] = True
    assert dark[boxed].sum() > 0.95 * dark.sum()
    missing = await person.http.get(opened.json()["image_url"].replace("/1.png", "/2.png"))
    assert (missing.status_code, missing.json()["code"]) == (404, "no_such_page")


async def test_a_photo_that_cannot_be_shown_says_why(person: Person) -> None:
    made = await person.tool("create_class", name=f"Botany {uuid4().hex[:6]}")
    broken = as_file(typed_page(ENGLISH[:1]), "PNG")[:30]
    sent = await person.http.post(
        "/api/uploads", files={"file": ("board.png", broken)}, data={"class_id": made.json()["id"]}
    )
    answer = await person.http.get(f"/api/materials/{sent.json()['material_id']}/pages/1.png")
    assert (answer.status_code, answer.json()["code"]) == (404, "no_page_image")
    assert "damaged" in answer.json()["detail"]
