"""Where a code may be sent: which addresses may be registered, and when a given one is the registered one."""

import re
from typing import Any
from urllib.parse import urlencode, urlsplit, urlunsplit

LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
"""RFC 8252, 7.3 names the addresses; most clients register the name."""
DANGEROUS = frozenset(
    {
        "javascript", "data", "vbscript", "file", "blob", "about", "filesystem", "view-source", "ws", "wss", "ftp",
        "mailto", "tel", "sms", "intent", "content", "chrome", "resource", "jar",
    }
)  # fmt: skip
"""Schemes that a browser runs or opens itself. Any other that an app may have claimed is fine (RFC 8252, 7.1)."""
SCHEME = re.compile(r"[a-z][a-z0-9+.-]{0,60}")
LONGEST = 2000
FORBIDDEN = re.compile(r"[\x00-\x20\x7f\\<>\"`{}|^]")


def problem_of(uri: str) -> str | None:
    """Why a code may not be sent to this address; None when it may: https, http on this machine, or an app's own scheme."""
    if len(uri) > LONGEST or FORBIDDEN.search(uri) or not uri.isascii():
        return "it is not a valid address"
    try:
        parts = urlsplit(uri)
        _ = parts.port
    except ValueError:
        return "it is not a valid address"
    if parts.fragment or uri.endswith("#"):
        return "it has a fragment (RFC 6749, section 3.1.2)"
    if parts.username is not None or parts.password is not None:
        return "it has a user name in it"
    if not SCHEME.fullmatch(parts.scheme) or parts.scheme in DANGEROUS:
        return "its scheme is not one that a code may be sent to"
    return _problem_of_web(parts.scheme, parts.hostname)


def _problem_of_web(scheme: str, host: str | None) -> str | None:
    if scheme in ("http", "https") and not host:
        return "it names no host"
    if scheme == "http" and host not in LOOPBACK:
        return "plain http is only for this machine itself (127.0.0.1, localhost); use https"
    return None


def matches(given: str, registered: str) -> bool:
    """Letter by letter (RFC 9700, 2.1), but for the port of a loopback address, which a native app picks when it runs
    (RFC 8252, 7.3)."""
    if given == registered:
        return True
    if problem_of(given) is not None or problem_of(registered) is not None:
        return False
    one, other = urlsplit(given), urlsplit(registered)
    if one.scheme != "http" or other.scheme != "http" or one.hostname not in LOOPBACK:
        return False
    return _without_port(given) == _without_port(registered)


def _without_port(uri: str) -> str:
    parts = urlsplit(uri)
    return urlunsplit(parts._replace(netloc=parts.netloc.removesuffix(f":{parts.port}")))


def answered(uri: str, **parameters: str | None) -> str:
    """The address with the answer's parameters behind those that it has (RFC 6749, 4.1.2)."""
    query = urlencode({name: value for name, value in parameters.items() if value is not None})
    return f"{uri}{'&' if '?' in uri else '?'}{query}"


def redirect_host(uri: str) -> str:
    """How a person reads where the code goes: a host, "this computer", or the scheme of an app."""
    parts = urlsplit(uri)
    if parts.scheme not in ("http", "https"):
        return f"{parts.scheme}:"
    return "this computer" if parts.hostname in LOOPBACK else parts.netloc


def stays_here(uri: str) -> bool:
    """Whether only a program on the person's own machine is at this address."""
    parts = urlsplit(uri)
    return parts.scheme not in ("http", "https") or parts.hostname in LOOPBACK


def web_address(value: Any) -> str | None:
    """An address that a page may link to; a program may say anything of itself."""
    return value if isinstance(value, str) and value.startswith(("https://", "http://")) else None
