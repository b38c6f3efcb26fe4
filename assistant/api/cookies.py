"""The browser's session: two HttpOnly cookies, one for requests and one that only the sign-in routes ever see."""

from datetime import datetime
from urllib.parse import urlsplit

from fastapi.responses import Response

from storage.settings import Settings
from tools.accounts import SignedIn

REFRESH_PATH = "/api/auth"


class Cookies:
    """Without a public address the names carry the port: browsers share cookies between the ports of one host, and two
    instances on a laptop would sign each other out."""

    def __init__(self, settings: Settings) -> None:
        suffix = "" if settings.public_url else f"_{settings.port}"
        self.access, self.refresh = f"lyceum_access{suffix}", f"lyceum_refresh{suffix}"
        self._secure = urlsplit(settings.base_url).scheme == "https"

    def set(self, response: Response, signed_in: SignedIn) -> None:
        self._put(response, self.access, signed_in.access_token, signed_in.access_expires_at, "/")
        self._put(response, self.refresh, signed_in.refresh_token, signed_in.refresh_expires_at, REFRESH_PATH)

    def clear(self, response: Response) -> None:
        for name, path in ((self.access, "/"), (self.refresh, REFRESH_PATH)):
            response.delete_cookie(name, path, secure=self._secure, httponly=True, samesite="lax")

    def _put(self, response: Response, name: str, value: str, expires: datetime, path: str) -> None:
        response.set_cookie(
            name, value, expires=expires, path=path, secure=self._secure, httponly=True, samesite="lax"
        )
