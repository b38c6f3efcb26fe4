"""Uploads to S3 that were never finished: finding them and taking them back, which obstore's interface has no call for.

Signed by hand with AWS Signature Version 4 (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html).
"""

import hashlib
import hmac
from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import quote, urlsplit
from xml.etree import ElementTree

import httpx

from storage.errors import Unavailable
from storage.files import S3Options

EMPTY = hashlib.sha256(b"").hexdigest()
MOST_XML = 8 << 20
SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Unfinished:
    """An upload in progress, or what is left of one. `touched`: when it began or got its newest part."""

    key: str
    upload_id: str
    touched: datetime


class MultipartUploads:
    """Of one bucket, under one prefix. Needs an access key: credentials of a machine's role are obstore's alone."""

    def __init__(self, url: str, options: S3Options) -> None:
        parsed = urlsplit(url)
        self._prefix = parsed.path.strip("/")
        self._options = options
        self._region = options.region or "us-east-1"
        endpoint = options.endpoint or f"https://s3.{self._region}.amazonaws.com"
        self._base = f"{endpoint.rstrip('/')}/{quote(parsed.netloc)}"

    async def unfinished(self) -> AsyncGenerator[Unfinished]:
        """Every unfinished upload, with one more question for each. Raises Unavailable."""
        markers: dict[str, str] = {}
        while True:
            page = await self._ask("GET", "", {"uploads": "", "prefix": self._prefix, **markers})
            for upload in page.iter("Upload"):
                key, upload_id = _text(upload, "Key"), _text(upload, "UploadId")
                yield Unfinished(
                    key, upload_id, await self._touched(key, upload_id, _time(upload, "Initiated"))
                )
            if _text(page, "IsTruncated") != "true":
                return
            markers = {
                "key-marker": _text(page, "NextKeyMarker"),
                "upload-id-marker": _text(page, "NextUploadIdMarker"),
            }

    async def _touched(self, key: str, upload_id: str, began: datetime) -> datetime:
        newest, marker = [began], "0"
        while True:
            page = await self._ask("GET", key, {"uploadId": upload_id, "part-number-marker": marker})
            newest += [_time(part, "LastModified") for part in page.iter("Part")]
            if _text(page, "IsTruncated") != "true":
                return max(newest)
            marker = _text(page, "NextPartNumberMarker")

    async def abort(self, upload: Unfinished) -> None:
        """Remove its parts; one that is gone by now is no error."""
        await self._ask("DELETE", upload.key, {"uploadId": upload.upload_id})

    async def _ask(self, method: str, key: str, query: Mapping[str, str]) -> ElementTree.Element:
        url = f"{self._base}/{quote(key)}" if key else self._base
        asked = "&".join(f"{quote(n, safe='')}={quote(v, safe='')}" for n, v in sorted(query.items()))
        headers = self._signed(method, url, asked, datetime.now(UTC))
        try:
            async with httpx.AsyncClient(timeout=SECONDS) as client:
                answer = await client.request(method, f"{url}?{asked}", headers=headers)
        except httpx.HTTPError as error:
            raise _unavailable() from error
        if answer.status_code == 404:
            return ElementTree.Element("Gone")
        if answer.is_error or len(answer.content) > MOST_XML:
            raise _unavailable()
        return _without_namespaces(ElementTree.fromstring(answer.content or b"<Done/>"))

    def _signed(self, method: str, url: str, query: str, now: datetime) -> dict[str, str]:
        """The headers of a request without a body, its signature among them."""
        stamp, day = now.strftime("%Y%m%dT%H%M%SZ"), now.strftime("%Y%m%d")
        parts = urlsplit(url)
        headers = {"host": parts.netloc, "x-amz-content-sha256": EMPTY, "x-amz-date": stamp}
        if self._options.session_token:
            headers["x-amz-security-token"] = self._options.session_token
        names = ";".join(sorted(headers))
        listed = "".join(f"{name}:{headers[name]}\n" for name in sorted(headers))
        canonical = "\n".join((method, parts.path, query, listed, names, EMPTY))
        scope = f"{day}/{self._region}/s3/aws4_request"
        to_sign = "\n".join(
            ("AWS4-HMAC-SHA256", stamp, scope, hashlib.sha256(canonical.encode()).hexdigest())
        )
        secret = f"AWS4{self._options.secret_access_key}".encode()
        for step in (day, self._region, "s3", "aws4_request"):
            secret = hmac.digest(secret, step.encode(), "sha256")
        signature = hmac.digest(secret, to_sign.encode(), "sha256").hex()
        credential = f"{self._options.access_key_id}/{scope}"
        headers["authorization"] = (
            f"AWS4-HMAC-SHA256 Credential={credential}, SignedHeaders={names}, Signature={signature}"
        )
        return headers


def _unavailable() -> Unavailable:
    return Unavailable("The file store does not answer. Try again in a moment.", code="files_unavailable")


def _without_namespaces(root: ElementTree.Element) -> ElementTree.Element:
    for element in root.iter():
        element.tag = element.tag.rpartition("}")[2]
    return root


def _text(element: ElementTree.Element, name: str) -> str:
    return (element.findtext(name) or "").strip()


def _time(element: ElementTree.Element, name: str) -> datetime:
    return datetime.fromisoformat(_text(element, name))
