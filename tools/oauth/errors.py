"""Errors as OAuth names them: beside the sentence, the code of RFC 6749 that a program acts on."""

from typing import Literal

from storage.errors import InvalidInput

ErrorCode = Literal[
    "invalid_request",
    "invalid_client",
    "invalid_grant",
    "unauthorized_client",
    "unsupported_grant_type",
    "unsupported_response_type",
    "invalid_scope",
    "access_denied",
    "invalid_target",
    "invalid_redirect_uri",
    "invalid_client_metadata",
]
"""RFC 6749 (4.1.2.1, 5.2), RFC 7591 (3.2.2) and RFC 8707 (2)."""


class OAuthError(InvalidInput):
    """What a program did wrong. `code` is one of ErrorCode."""

    def __init__(self, code: ErrorCode, message: str) -> None:
        super().__init__(message, code=code)
